//! What a validator says about an answer.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// The outcome of re-executing an answer.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub enum Verdict {
    /// Every byte of the answer and every count in its receipt is what the checkpoint yields.
    Valid,
    /// Something the receipt claims is not what the checkpoint yields.
    Invalid,
}

/// The opening of a verdict's commitment.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct VerdictReveal {
    /// The verdict.
    pub verdict: Verdict,
    /// The digest that the validator's own execution of prompt and answer yielded.
    pub digest: H256,
    /// Random bytes that kept the commitment from being guessed.
    pub salt: H256,
}
