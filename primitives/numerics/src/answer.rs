//! Answers: generating one token by token, and checking one in a single parallel pass.
//!
//! # When an answer ends
//! After the first of: a stop token, which is part of the answer; `max_tokens` tokens; the token
//! with which prompt and answer fill the model's context. An answer therefore has at least one
//! token, and a prompt must leave room for one.
//!
//! Token `i` of an answer to `n` prompt tokens is at position `n + i` and sampled from the logits
//! of position `n + i - 1`. The answer's last token is never executed.
//!
//! # Passes
//! [`Generation`] and [`Checking`] are state machines that only name the positions to execute next, so that
//! many of them can share a transformer's passes. [`generate`] and [`check`] drive one with a transformer of
//! its own.

mod checking;
mod generation;

pub use checking::Checking;
pub use generation::Generation;

use crate::{
    error::ForwardError, sampling::Sampling, transformer::ForwardPass, Architecture, Blocks,
};
use alloc::vec::Vec;
use core::{
    fmt,
    ops::{ControlFlow, Range},
};

/// Hidden vectors that pass through the output head together; bounds the memory for logits.
const HEAD_BATCH: usize = 32;

/// Everything but the prompt that determines an answer.
#[derive(Clone, Copy, Debug)]
pub struct GenerationParameters<'a> {
    /// The choice of tokens.
    pub sampling: Sampling,
    /// Seed of the draws.
    pub seed: [u8; 32],
    /// Most tokens of the answer, at least 1.
    pub max_tokens: u32,
    /// Tokens that end an answer.
    pub stop_tokens: &'a [u32],
}

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The last token is a stop token.
    StopToken,
    /// `max_tokens` are reached.
    MaxTokens,
    /// Prompt and answer fill the context.
    ContextFull,
    /// The caller stopped it: the answer is a prefix of the real one.
    Cancelled,
}

/// A generated answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Its tokens, a closing stop token included.
    pub tokens: Vec<u32>,
    /// [Hashes](crate::hidden) of the hidden states that the tokens were sampled from, one for each.
    pub hidden: Vec<[u8; 32]>,
    /// Why it ended.
    pub end: End,
}

/// The first flaw of an answer, in the order of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// The model samples another token.
    WrongToken {
        /// Index in the answer.
        index: usize,
        /// The token that the model samples.
        expected: u32,
    },
    /// The answer stops although no rule ends it yet.
    EndsEarly {
        /// Tokens it has.
        length: usize,
    },
    /// The answer continues after its end.
    RunsOn {
        /// Tokens it should have.
        length: usize,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongToken { index, expected } => {
                write!(f, "token {index} of the answer should be {expected}")
            }
            Self::EndsEarly { length } => write!(
                f,
                "the answer stops after {length} tokens although nothing ends it there"
            ),
            Self::RunsOn { length } => {
                write!(f, "the answer goes on after its end at {length} tokens")
            }
        }
    }
}

/// Result of checking an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The first flaw, if any.
    pub flaw: Option<Flaw>,
    /// [Hashes](crate::hidden) of the hidden states from which the answer's tokens should have been sampled,
    /// up to where the answer should end or contains a token that does not exist. For a flawless answer,
    /// those of its generation.
    pub hidden: Vec<[u8; 32]>,
}

/// Consecutive positions to execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Position of the first token; every position before it is cached.
    pub start: usize,
    /// The tokens, at least one.
    pub tokens: &'a [u32],
    /// Indices of the tokens whose hidden vectors are wanted.
    pub wanted: Range<usize>,
}

/// The part of a pass that a step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepBudget {
    /// Most positions.
    pub positions: usize,
    /// Most positions whose hidden vectors are wanted; bounds the memory for logits.
    pub rows: usize,
}

impl StepBudget {
    /// No bounds: all executable positions in one step.
    pub const ALL: Self = Self {
        positions: usize::MAX,
        rows: usize::MAX,
    };
}

/// The next of `tokens` after the first `cached` positions, where hidden vectors are wanted from
/// position `due` on, which is that of a token.
fn step(tokens: &[u32], due: usize, cached: usize, room: StepBudget) -> Option<Step<'_>> {
    let start = cached.min(due);
    let end = tokens
        .len()
        .min(start.saturating_add(room.positions))
        .min(due.saturating_add(room.rows));
    (start < end).then(|| Step {
        start,
        tokens: &tokens[start..end],
        wanted: due.min(end) - start..end - start,
    })
}

/// Most tokens that an answer to `prompt` can have.
fn answer_limit(
    architecture: &Architecture,
    prompt: &[u32],
    request: &GenerationParameters<'_>,
) -> Result<usize, ForwardError> {
    if prompt.is_empty() {
        return Err(ForwardError::EmptyPrompt);
    }
    if request.max_tokens == 0 {
        return Err(ForwardError::NoTokens);
    }
    let vocabulary = architecture.vocabulary;
    let unknown = prompt.iter().position(|&token| token >= vocabulary);
    let context = architecture.context_length as usize;
    match (context.checked_sub(prompt.len()), unknown) {
        (None | Some(0), _) => Err(ForwardError::ContextFull {
            needed: prompt.len() + 1,
            capacity: context,
        }),
        (_, Some(index)) => Err(ForwardError::TokenOutOfRange {
            index,
            token: prompt[index],
            vocabulary,
        }),
        (Some(room), None) => Ok(room.min(request.max_tokens as usize)),
    }
}

/// Positions of the cache that are needed to answer with at most `max_tokens`; the last token of an answer is
/// not executed.
pub const fn positions_needed(prompt_tokens: usize, max_tokens: u32) -> usize {
    prompt_tokens + (max_tokens as usize).saturating_sub(1)
}

/// Generates the answer to `prompt`, token by token. `on_token` sees each and can stop it.
///
/// Cached positions are not compared with `prompt`: the pass starts at position 0. To reuse a prefix see
/// [`generate_after`].
pub fn generate(
    transformer: &mut impl ForwardPass,
    prompt: &[u32],
    request: &GenerationParameters<'_>,
    on_token: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<Generated, ForwardError> {
    generate_after(transformer, 0, prompt, request, on_token)
}

/// As [`generate`], where the caller knows that the first `reuse` tokens of the prompt are those
/// of the transformer's first cached positions. At least the last token is executed again.
pub fn generate_after(
    transformer: &mut impl ForwardPass,
    reuse: usize,
    prompt: &[u32],
    request: &GenerationParameters<'_>,
    mut on_token: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<Generated, ForwardError> {
    let mut generation = Generation::new(transformer.architecture(), prompt, request)?;
    let mut cached = reuse;
    let mut hidden = Blocks::default();
    let mut logits = Vec::new();
    while let Some(step) = generation.step(cached, StepBudget::ALL) {
        cached = step.start + step.tokens.len();
        hidden.clear();
        transformer.forward(step.start, step.tokens, step.wanted, &mut hidden)?;
        transformer.logits(hidden.view(), &mut logits);
        let token = generation.feed(hidden.view(), &logits);
        if token.is_some_and(|token| on_token(token).is_break()) {
            generation.cancel();
        }
    }
    Ok(generation.finish())
}

/// Checks `answer` to `prompt` in one parallel pass over both.
///
/// Errors concern the prompt and the request only; an error in the answer is a [`Flaw`].
pub fn check(
    transformer: &mut impl ForwardPass,
    prompt: &[u32],
    answer: &[u32],
    request: &GenerationParameters<'_>,
) -> Result<Checked, ForwardError> {
    let mut checking = Checking::new(transformer.architecture(), prompt, answer, request)?;
    let mut hidden = Blocks::default();
    if let Some(step) = checking.step(0, StepBudget::ALL) {
        transformer.forward(step.start, step.tokens, step.wanted, &mut hidden)?;
    }
    let mut logits = Vec::new();
    for start in (0..hidden.rows()).step_by(HEAD_BATCH) {
        let rows = hidden
            .view()
            .slice(start..hidden.rows().min(start + HEAD_BATCH));
        if checking.wants_logits() {
            transformer.logits(rows, &mut logits);
        }
        checking.feed(rows, &logits);
    }
    Ok(checking
        .finish()
        .expect("an unbounded step executes everything; qed"))
}
