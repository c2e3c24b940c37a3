//! The role of an operator.

use crate::{apply, sent};
use serde::{Deserialize, Serialize};

/// The role in which a bonded operator serves a checkpoint.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord, Serialize, Deserialize)]
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
