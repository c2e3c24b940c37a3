//! The text around a prompt.

use alloc::string::String;
use codec::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The text that a checkpoint puts around a prompt: that of its chat template around the only message of a
/// user, up to where the answer begins.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// The text before the prompt.
    pub before: String,
    /// The text after it.
    pub after: String,
    /// Whether white space at both ends of the prompt is left out: what Unicode calls `White_Space`.
    pub trims: bool,
}

impl Frame {
    /// Most bytes of the text before and after a prompt together.
    pub const MAX_BYTES: usize = 1 << 13;

    /// The bytes of the text before and after a prompt together.
    pub fn bytes(&self) -> usize {
        self.before.len().saturating_add(self.after.len())
    }

    /// The part of `prompt` that is in the frame.
    pub fn content<'a>(&self, prompt: &'a str) -> &'a str {
        match self.trims {
            true => prompt.trim(),
            false => prompt,
        }
    }

    /// `prompt` in its frame.
    pub fn around(&self, prompt: &str) -> String {
        [
            self.before.as_str(),
            self.content(prompt),
            self.after.as_str(),
        ]
        .concat()
    }
}
