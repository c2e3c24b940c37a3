//! What the vocabulary says about a token.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// A token that another one begins or ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct MergePart {
    /// The token.
    pub token: u32,
    /// The latest place in the order of merges, from 1, among those that make it; zero for a unit.
    pub time: u32,
    /// The latest place among those merges that come after its own part on the same side is made, if that part has the
    /// same time.
    pub end: u32,
}

impl MergePart {
    /// A token that is a unit, or as if it were one.
    pub(crate) const fn unit(token: u32) -> Self {
        Self {
            token,
            time: 0,
            end: 0,
        }
    }
}

/// What the vocabulary says about a token: a leaf of its table, at the number of the token.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum TokenEntry {
    /// No text becomes it.
    #[codec(index = 0)]
    Never,
    /// Its text becomes it: a unit, or what merges make of the units of its text.
    #[codec(index = 1)]
    Piece {
        /// Its text.
        bytes: Vec<u8>,
        /// What it begins with: itself, the left part of its last merge, the left part of that, down to a unit.
        left: Vec<MergePart>,
        /// What it ends with: itself, the right part of its last merge, down to a unit.
        right: Vec<MergePart>,
    },
    /// Only a whole word becomes it.
    #[codec(index = 2)]
    Word {
        /// The word.
        bytes: Vec<u8>,
    },
    /// It stands for a byte of a character that is no unit.
    #[codec(index = 3)]
    Byte(u8),
}
