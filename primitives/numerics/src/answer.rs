//! Answers: generating one token by token, and checking one in a single parallel pass.
//!
//! # When an answer ends
//! After the first of: a stop token, which is part of the answer; `max_tokens` tokens; the token
//! with which prompt and answer fill the model's context. An answer therefore has at least one
//! token, and a prompt must leave room for one.
//!
//! Token `i` of an answer to `n` prompt tokens is at position `n + i` and sampled from the logits
//! of position `n + i - 1`. The answer's last token is never executed.

use crate::{
    error::ForwardError,
    sampling::{Sampler, Sampling},
    trace::Trace,
    transformer::Executor,
    Blocks,
};
use alloc::vec::Vec;
use core::{fmt, ops::ControlFlow};

/// Hidden vectors that pass through the output head together: bounds the memory for logits.
const HEAD_BATCH: usize = 16;

/// Everything but the prompt that determines an answer.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// How tokens are chosen.
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
    /// [`Trace`] digest of the hidden vectors they were sampled from.
    pub digest: [u8; 32],
    /// Why it ended.
    pub end: End,
}

/// What is wrong with an answer: the first thing, in the order of its tokens.
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
    /// The answer stops although nothing ends it yet.
    EndsEarly {
        /// Tokens it has.
        length: usize,
    },
    /// The answer goes on after its end.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What is wrong with it, if anything.
    pub flaw: Option<Flaw>,
    /// [`Trace`] digest of the hidden vectors that the answer's tokens should have been sampled
    /// from, up to where the answer should end or names a token that does not exist. Equals that
    /// of generation for a flawless answer.
    pub digest: [u8; 32],
}

/// Most tokens that an answer to `prompt` can have.
fn limit(
    executor: &impl Executor,
    prompt: &[u32],
    request: &Request<'_>,
) -> Result<usize, ForwardError> {
    if prompt.is_empty() {
        return Err(ForwardError::EmptyPrompt);
    }
    if request.max_tokens == 0 {
        return Err(ForwardError::NoTokens);
    }
    let context = executor.architecture().context_length as usize;
    match context.checked_sub(prompt.len()) {
        None | Some(0) => Err(ForwardError::ContextFull {
            needed: prompt.len() + 1,
            capacity: context,
        }),
        Some(room) => Ok(room.min(request.max_tokens as usize)),
    }
}

/// Positions of the cache that answering with at most `max_tokens` needs; the last token of an
/// answer is not executed.
pub const fn positions_needed(prompt_tokens: usize, max_tokens: u32) -> usize {
    prompt_tokens + (max_tokens as usize).saturating_sub(1)
}

/// Generates the answer to `prompt`, token by token. `on_token` sees each and can stop it.
///
/// Cached positions that agree with `prompt` are not known to be so: the pass starts at position
/// 0. To reuse a prefix see [`generate_after`].
pub fn generate(
    executor: &mut impl Executor,
    prompt: &[u32],
    request: &Request<'_>,
    on_token: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<Generated, ForwardError> {
    generate_after(executor, 0, prompt, request, on_token)
}

/// As [`generate`], where the caller knows that the first `reuse` tokens of the prompt are those
/// of the executor's first cached positions. At least the last token is executed again.
pub fn generate_after(
    executor: &mut impl Executor,
    reuse: usize,
    prompt: &[u32],
    request: &Request<'_>,
    mut on_token: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<Generated, ForwardError> {
    let limit = limit(executor, prompt, request)?;
    let mut sampler = Sampler::new(request.sampling, request.seed);
    let mut trace = Trace::default();
    let mut hidden = Blocks::default();
    let mut logits = Vec::new();
    let mut tokens = Vec::new();

    let reuse = reuse.min(prompt.len() - 1);
    let rest = &prompt[reuse..];
    executor.forward(reuse, rest, rest.len() - 1..rest.len(), &mut hidden)?;
    loop {
        trace.add(hidden.view());
        executor.logits(hidden.view(), &mut logits);
        let position = prompt.len() + tokens.len();
        let token = sampler.sample(&logits, position as u32);
        tokens.push(token);
        let flow = on_token(token);
        let end = if request.stop_tokens.contains(&token) {
            Some(End::StopToken)
        } else if tokens.len() == request.max_tokens as usize {
            Some(End::MaxTokens)
        } else if tokens.len() == limit {
            Some(End::ContextFull)
        } else if flow.is_break() {
            Some(End::Cancelled)
        } else {
            None
        };
        if let Some(end) = end {
            return Ok(Generated {
                tokens,
                digest: trace.digest(),
                end,
            });
        }
        hidden.clear();
        executor.forward(position, &[token], 0..1, &mut hidden)?;
    }
}

/// Checks `answer` to `prompt` in one parallel pass over both.
///
/// Errors concern the prompt and the request only; whatever is wrong with the answer is a
/// [`Flaw`].
pub fn check(
    executor: &mut impl Executor,
    prompt: &[u32],
    answer: &[u32],
    request: &Request<'_>,
) -> Result<Checked, ForwardError> {
    let limit = limit(executor, prompt, request)?;
    let vocabulary = executor.architecture().vocabulary;
    // The part that could be an answer: up to its end or to a token that does not exist, which
    // cannot be executed but is compared.
    let last = |token: &u32| request.stop_tokens.contains(token) || *token >= vocabulary;
    let length = answer
        .iter()
        .position(last)
        .map_or(answer.len(), |index| index + 1)
        .min(limit);
    let candidate = &answer[..length];
    let mut trace = Trace::default();
    let Some((final_token, executed)) = candidate.split_last() else {
        return Ok(Checked {
            flaw: Some(Flaw::EndsEarly { length: 0 }),
            digest: trace.digest(),
        });
    };

    let mut hidden = Blocks::default();
    let mut tokens = Vec::with_capacity(prompt.len() + executed.len());
    tokens.extend_from_slice(prompt);
    tokens.extend_from_slice(executed);
    executor.forward(0, &tokens, prompt.len() - 1..tokens.len(), &mut hidden)?;
    trace.add(hidden.view());

    let mut sampler = Sampler::new(request.sampling, request.seed);
    let mut logits = Vec::new();
    let mut flaw = None;
    for start in (0..length).step_by(HEAD_BATCH) {
        let end = length.min(start + HEAD_BATCH);
        executor.logits(hidden.view().slice(start..end), &mut logits);
        flaw = (start..end)
            .zip(logits.chunks_exact(vocabulary as usize))
            .find_map(|(index, logits)| {
                let expected = sampler.sample(logits, (prompt.len() + index) as u32);
                (expected != candidate[index]).then_some(Flaw::WrongToken { index, expected })
            });
        if flaw.is_some() {
            break;
        }
    }
    let flaw = flaw.or_else(|| {
        let ended = length == limit || request.stop_tokens.contains(final_token);
        if !ended {
            Some(Flaw::EndsEarly { length })
        } else if answer.len() > length {
            Some(Flaw::RunsOn { length })
        } else {
            None
        }
    });
    Ok(Checked {
        flaw,
        digest: trace.digest(),
    })
}
