//! Checking an answer, independent of how its positions are executed.

use super::{answer_limit, step, Checked, Flaw, GenerationParameters, Step, StepBudget};
use crate::{error::ForwardError, hidden, sampling::Sampler, Architecture, BlocksRef};
use alloc::vec::Vec;

/// A check in progress.
///
/// As [`Generation`](super::Generation), but every position is known from the start: a step can be
/// as large as there is room for, the whole check one step.
#[derive(Clone, Debug)]
pub struct Checking {
    /// The prompt, then the part of the answer that could be one: up to its end or to a token that
    /// does not exist, which cannot be executed but is compared.
    tokens: Vec<u32>,
    prompt: usize,
    /// Tokens of that part that have been compared, or would have been without a flaw.
    judged: usize,
    sampler: Sampler,
    hidden: Vec<[u8; 32]>,
    flaw: Option<Flaw>,
    /// The flaw of the answer if every token of that part is right.
    at_end: Option<Flaw>,
}

impl Checking {
    /// Starts a check of `answer` to `prompt` by a model of this shape.
    ///
    /// # Errors
    /// Errors concern the prompt and the request only; an error in the answer is a [`Flaw`].
    pub fn new(
        architecture: &Architecture,
        prompt: &[u32],
        answer: &[u32],
        request: &GenerationParameters<'_>,
    ) -> Result<Self, ForwardError> {
        let limit = answer_limit(architecture, prompt, request)?;
        let stops = |token: &u32| request.stop_tokens.contains(token);
        let last = |token: &u32| stops(token) || *token >= architecture.vocabulary;
        let length = answer
            .iter()
            .position(last)
            .map_or(answer.len(), |index| index + 1)
            .min(limit);
        let candidate = &answer[..length];
        let ended = length == limit || candidate.last().is_some_and(stops);
        let at_end = if !ended {
            Some(Flaw::EndsEarly { length })
        } else if answer.len() > length {
            Some(Flaw::RunsOn { length })
        } else {
            None
        };
        Ok(Self {
            tokens: [prompt, candidate].concat(),
            prompt: prompt.len(),
            judged: 0,
            sampler: Sampler::new(request.sampling, request.seed),
            hidden: Vec::new(),
            flaw: None,
            at_end,
        })
    }

    /// Positions of the cache that the check needs.
    pub const fn positions(&self) -> usize {
        // The last token is compared, not executed; an empty answer needs nothing executed.
        self.tokens.len() - 1
    }

    /// Every token that is executed, and the last one, which is not.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// The prompt.
    pub fn prompt(&self) -> &[u32] {
        &self.tokens[..self.prompt]
    }

    /// The next positions to execute after the first `cached` ones; `None` if `room` is too small for any, or
    /// at the end. Positions whose hidden vectors are still missing are executed whether cached or not.
    pub fn step(&self, cached: usize, room: StepBudget) -> Option<Step<'_>> {
        if self.is_done() {
            return None;
        }
        let due = self.prompt - 1 + self.judged;
        step(&self.tokens[..self.positions()], due, cached, room)
    }

    /// Whether logits are still needed: after the first wrong token only hidden vectors are.
    pub const fn wants_logits(&self) -> bool {
        self.flaw.is_none()
    }

    /// Takes the hidden states that the last step wanted, or the first of them, with their logits row by row.
    /// Logits that are no longer wanted can be left out.
    ///
    /// # Panics
    /// When there are more states than the answer has tokens, or fewer logits than are wanted.
    pub fn feed(&mut self, states: BlocksRef<'_>, logits: &[i32]) {
        let rows = states.rows();
        if rows == 0 {
            return;
        }
        self.hidden.extend(hidden::hashes(states));
        if self.wants_logits() {
            let vocabulary = logits.len() / rows;
            for row in 0..rows {
                let index = self.judged + row;
                let position = self.prompt + index;
                let logits = &logits[row * vocabulary..][..vocabulary];
                let expected = self.sampler.sample(logits, position as u32);
                if expected != self.tokens[position] {
                    self.flaw = Some(Flaw::WrongToken { index, expected });
                    break;
                }
            }
        }
        self.judged += rows;
        assert!(
            self.judged <= self.tokens.len() - self.prompt,
            "one state for each token of the answer"
        );
    }

    /// Whether all positions have been executed.
    pub fn is_done(&self) -> bool {
        self.prompt + self.judged == self.tokens.len()
    }

    /// Discards the results so far, for when the computation behind them cannot be trusted.
    pub fn restart(&mut self) {
        self.judged = 0;
        self.hidden.clear();
        self.flaw = None;
    }

    /// The result; `None` before the end.
    pub fn finish(&self) -> Option<Checked> {
        self.is_done().then(|| Checked {
            flaw: self.flaw.or(self.at_end),
            hidden: self.hidden.clone(),
        })
    }
}
