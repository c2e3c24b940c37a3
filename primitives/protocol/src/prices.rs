//! The prices of a worker.

use crate::{apply, sent};
use serde::{Deserialize, Serialize};

/// The prices of a worker, in the smallest unit of the native token.
#[apply(sent)]
#[derive(Copy, Default, Serialize, Deserialize)]
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
