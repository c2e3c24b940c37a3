//! What was executed: what a statement says about prompt, answer and checkpoint.

use noema_numerics::{Architecture, End, Sampling};
use noema_protocol::hashing;
use sp_core::H256;

/// Tokens that are known by their hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokensOf {
    /// Their number.
    pub count: u32,
    /// [`hashing::tokens_hash`].
    pub hash: H256,
}

impl TokensOf {
    /// Of these tokens.
    pub fn new(tokens: &[u32]) -> Self {
        Self {
            count: u32::try_from(tokens.len()).unwrap_or(u32::MAX),
            hash: hashing::tokens_hash(tokens),
        }
    }
}

/// An answer, as a receipt states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerExecution {
    /// The prompt.
    pub prompt: TokensOf,
    /// The answer.
    pub answer: TokensOf,
    /// Why it ended. [`End::MaxTokens`] and [`End::ContextFull`] are the same statement.
    pub end: End,
    /// How it was sampled.
    pub sampling: Sampling,
    /// The seed of the draws.
    pub seed: [u8; 32],
    /// Most tokens that it could have.
    pub max_tokens: u32,
    /// The Merkle root over the hashes of its hidden states.
    pub hidden_root: H256,
}

/// The loss of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextExecution {
    /// The text.
    pub tokens: TokensOf,
    /// The sum of the losses of all tokens but the first, in units of 2^-16 bit.
    pub loss: u64,
}

/// What was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TracedExecution {
    /// An answer.
    Answer(AnswerExecution),
    /// The loss of a text.
    Text(TextExecution),
}

/// What a trace needs to know of a checkpoint, all of it in the manifest.
#[derive(Clone, Copy, Debug)]
pub struct TracedCheckpoint<'a> {
    /// Its architecture.
    pub architecture: &'a Architecture,
    /// The exponent of each tensor, in canonical order.
    pub exponents: &'a [i8],
    /// The Merkle root over its tiles.
    pub weights_root: H256,
    /// The tokens that end an answer.
    pub stops: &'a [u32],
}

/// Which tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenList {
    /// The prompt of an answer, or a text.
    Given,
    /// The answer.
    Answer,
}

impl TracedExecution {
    /// The tokens of a list.
    pub(crate) const fn tokens(&self, list: TokenList) -> TokensOf {
        match (self, list) {
            (Self::Answer(answer), TokenList::Answer) => answer.answer,
            (Self::Answer(answer), TokenList::Given) => answer.prompt,
            (Self::Text(text), _) => text.tokens,
        }
    }
}
