//! What a juror says of a leaf that was challenged.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The outcome of re-executing a leaf.
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
    /// Every byte of the answer and every field of its receipt is what the checkpoint yields.
    True,
    /// Something that the receipt states is not what the checkpoint yields.
    False,
}
