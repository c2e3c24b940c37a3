//! What stands around the text of a prompt.

use crate::unicode::is_space;
use alloc::{string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// What stands around the text of a prompt: the frame of a checkpoint, cut at the special tokens beside the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Framing {
    /// The tokens before the text.
    pub before: Vec<u32>,
    /// What begins the text.
    pub begins: String,
    /// What ends the text.
    pub ends: String,
    /// The tokens after the text.
    pub after: Vec<u32>,
    /// Whether white space at both ends of the prompt is left out.
    pub trims: bool,
    /// Whether white space at the beginning of the text is left out.
    pub strips_begin: bool,
    /// Whether white space at the end of the text is left out.
    pub strips_end: bool,
}

impl Framing {
    /// Most bytes of a framing, encoded.
    pub const MAX_BYTES: usize = 8 << 10;

    /// The text of which the tokens between `before` and `after` are.
    pub fn text(&self, prompt: &str) -> String {
        let content = match self.trims {
            true => prompt.trim_matches(is_space),
            false => prompt,
        };
        let text = [self.begins.as_str(), content, self.ends.as_str()].concat();
        let mut rest = text.as_str();
        if self.strips_begin {
            rest = rest.trim_start_matches(is_space);
        }
        if self.strips_end {
            rest = rest.trim_end_matches(is_space);
        }
        rest.into()
    }
}
