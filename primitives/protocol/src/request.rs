//! The parameters of a request, and the receipt that binds the answer.

use crate::{apply, sent, CheckpointId, RequestId};
use core::fmt;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// The choice of the next token, in integers.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
pub struct SamplingParameters {
    /// Most tokens the answer may have, at least 1; a stop token ends it earlier.
    pub max_tokens: u16,
    /// Temperature in thousandths; 0 takes the most likely token every time.
    pub temperature_milli: u16,
    /// Only the `top_k` most likely tokens are drawn from; 0 means all.
    pub top_k: u16,
    /// Only the most likely tokens that together reach this probability, in thousandths, are drawn
    /// from; 1000 means all.
    pub top_p_milli: u16,
}

/// Most bytes of an answer's text for each requested token.
///
/// A token can stand for hundreds of bytes, and the chain must bound its storage in advance. Text beyond
/// [`text_bound`] is cut there; the tokens are not.
pub const TEXT_BYTES_PER_TOKEN: u32 = 8;

/// Most bytes of the text of an answer for which `max_tokens` tokens were requested. Its text is the longest
/// prefix of whole characters, of the text of its tokens, that is no longer than this.
pub const fn text_bound(max_tokens: u32) -> u32 {
    max_tokens.saturating_mul(TEXT_BYTES_PER_TOKEN)
}

/// Why sampling parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterError {
    /// `max_tokens` is zero.
    NoTokens,
    /// `temperature_milli` is above [`SamplingParameters::MAX_TEMPERATURE_MILLI`].
    TemperatureTooHigh,
    /// `top_p_milli` is zero or above 1000.
    TopPOutOfRange,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTokens => "max_tokens must be at least 1",
            Self::TemperatureTooHigh => "the temperature must be at most 10 (10000 thousandths)",
            Self::TopPOutOfRange => "top_p must lie between 0.001 and 1 (1 to 1000 thousandths)",
        })
    }
}

impl core::error::Error for ParameterError {}

impl SamplingParameters {
    /// Highest temperature, in thousandths.
    pub const MAX_TEMPERATURE_MILLI: u16 = 10_000;
    /// `top_p_milli` that leaves every token in.
    pub const ALL: u16 = 1_000;

    /// The most likely token every time, up to `max_tokens` of them.
    pub const fn greedy(max_tokens: u16) -> Self {
        Self {
            max_tokens,
            temperature_milli: 0,
            top_k: 0,
            top_p_milli: Self::ALL,
        }
    }

    /// Refuses values that no executor defines.
    pub fn validate(&self) -> Result<(), ParameterError> {
        if self.max_tokens == 0 {
            return Err(ParameterError::NoTokens);
        }
        if self.temperature_milli > Self::MAX_TEMPERATURE_MILLI {
            return Err(ParameterError::TemperatureTooHigh);
        }
        if self.top_p_milli == 0 || self.top_p_milli > Self::ALL {
            return Err(ParameterError::TopPOutOfRange);
        }
        Ok(())
    }
}

/// A worker's statement about its answer. Facts outside the receipt are not claimed.
///
/// The chain compares every field that it knows itself; a validator verifies the others by re-execution.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
pub struct Receipt {
    /// The request that is answered.
    pub request: RequestId,
    /// The checkpoint that answered.
    pub checkpoint: CheckpointId,
    /// [`crate::hashing::prompt_hash`] of the prompt's bytes.
    pub prompt_hash: H256,
    /// The parameters as requested.
    pub parameters: SamplingParameters,
    /// The sampling seed that the chain drew.
    pub seed: H256,
    /// [`crate::hashing::answer_hash`] of the tokens and the text of the answer.
    pub answer_hash: H256,
    /// Tokens of the prompt, its frame included.
    pub prompt_tokens: u32,
    /// Tokens of the answer, a closing stop token included.
    pub answer_tokens: u32,
    /// The Merkle root over the hashes of the final hidden states from which the answer's tokens are sampled,
    /// one for each of `answer_tokens`. Only execution yields them.
    pub hidden_root: H256,
}
