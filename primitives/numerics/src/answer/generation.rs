//! Generating an answer, independent of how its positions are executed.

use super::{answer_limit, step, End, Generated, GenerationParameters, Step, StepBudget};
use crate::{error::ForwardError, hidden, sampling::Sampler, Architecture, BlocksRef};
use alloc::vec::Vec;

/// An answer in progress.
///
/// [`step`](Self::step) names the positions to execute next, [`feed`](Self::feed) takes their results and
/// yields the next token. No state of the execution is kept here: the caller states how many positions are
/// cached, so the very next step refills a cache that was lost.
#[derive(Clone, Debug)]
pub struct Generation {
    /// Prompt and answer.
    tokens: Vec<u32>,
    prompt: usize,
    limit: usize,
    max_tokens: usize,
    stop_tokens: Vec<u32>,
    sampler: Sampler,
    hidden: Vec<[u8; 32]>,
    end: Option<End>,
}

impl Generation {
    /// Starts the answer to `prompt` by a model of this shape.
    ///
    /// # Errors
    /// When the prompt leaves no room for an answer or has tokens that do not exist, or no tokens are
    /// requested.
    pub fn new(
        architecture: &Architecture,
        prompt: &[u32],
        request: &GenerationParameters<'_>,
    ) -> Result<Self, ForwardError> {
        let limit = answer_limit(architecture, prompt, request)?;
        Ok(Self {
            tokens: prompt.to_vec(),
            prompt: prompt.len(),
            limit,
            max_tokens: request.max_tokens as usize,
            stop_tokens: request.stop_tokens.to_vec(),
            sampler: Sampler::new(request.sampling, request.seed),
            hidden: Vec::new(),
            end: None,
        })
    }

    /// Positions of the cache that the whole answer can need.
    pub const fn positions(&self) -> usize {
        self.prompt + self.limit - 1
    }

    /// Every token so far: the prompt, then the answer.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// The prompt.
    pub fn prompt(&self) -> &[u32] {
        &self.tokens[..self.prompt]
    }

    /// The answer so far.
    pub fn answer(&self) -> &[u32] {
        &self.tokens[self.prompt..]
    }

    /// How the answer ended; `None` before its end.
    pub const fn end(&self) -> Option<End> {
        self.end
    }

    /// The next positions to execute after the first `cached` ones; `None` if `room` is too small for any, or
    /// at the end. The last known token is always executed, cached or not.
    pub fn step(&self, cached: usize, room: StepBudget) -> Option<Step<'_>> {
        match self.end {
            Some(_) => None,
            None => step(&self.tokens, self.tokens.len() - 1, cached, room),
        }
    }

    /// Takes the hidden state that the last step wanted, with its logits, and returns the token that they
    /// yield. A step that wanted no state yields no token.
    ///
    /// # Panics
    /// When there is more than one state.
    pub fn feed(&mut self, states: BlocksRef<'_>, logits: &[i32]) -> Option<u32> {
        if states.rows() == 0 || self.end.is_some() {
            return None;
        }
        assert_eq!(states.rows(), 1, "a step wants the last token's state");
        self.hidden.extend(hidden::hashes(states));
        let token = self.sampler.sample(logits, self.tokens.len() as u32);
        self.tokens.push(token);
        let length = self.tokens.len() - self.prompt;
        self.end = if self.stop_tokens.contains(&token) {
            Some(End::StopToken)
        } else if length == self.max_tokens {
            Some(End::MaxTokens)
        } else if length == self.limit {
            Some(End::ContextFull)
        } else {
            None
        };
        Some(token)
    }

    /// Ends the answer where it is, unless it has ended.
    pub fn cancel(&mut self) {
        self.end.get_or_insert(End::Cancelled);
    }

    /// Discards the answer so far, for when the computation behind it cannot be trusted.
    pub fn restart(&mut self) {
        self.tokens.truncate(self.prompt);
        self.hidden.clear();
        self.end = None;
    }

    /// The answer; one that has not ended counts as cancelled.
    pub fn finish(mut self) -> Generated {
        Generated {
            tokens: self.tokens.split_off(self.prompt),
            hidden: self.hidden,
            end: self.end.unwrap_or(End::Cancelled),
        }
    }
}
