//! The verdict of a juror on a challenged leaf.

use crate::{apply, sent};
use serde::{Deserialize, Serialize};

/// The outcome of re-executing a leaf.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
pub enum Verdict {
    /// The checkpoint yields every byte of the answer and every field of its receipt.
    True,
    /// The checkpoint does not yield some statement of the receipt.
    False,
}
