//! The role of an operator.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The role in which a bonded operator serves a checkpoint.
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
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
pub enum Role {
    /// Answers requests.
    Worker,
    /// Re-executes answers.
    Validator,
    /// Contributes updates to rounds of training.
    Trainer,
}
