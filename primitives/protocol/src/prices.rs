//! The prices of a worker.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The prices of a worker, in the smallest unit of the native token.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
pub struct Prices<Balance> {
    /// Per byte of the prompt.
    pub per_prompt_byte: Balance,
    /// Per token of the answer.
    pub per_answer_token: Balance,
}
