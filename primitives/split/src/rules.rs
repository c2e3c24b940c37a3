//! How the texts of a checkpoint become tokens, as its manifest would state it.

use crate::{unicode::is_composed, Cut, Table};
use alloc::{borrow::Cow, string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Most cuts before a text's tokens are found.
pub const MAX_CUTS: usize = 4;

/// Longest token with a text, in bytes.
pub const MAX_TOKEN_BYTES: usize = 512;

/// Most bytes of the tables that a step may need, with their proofs.
pub const MAX_LOOKUP_BYTES: usize = 44 << 10;

/// The mark that stands for a space.
pub(crate) const MARK: char = '\u{2581}';

/// What is done with the spaces of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Spaces {
    /// They stay as they are.
    #[codec(index = 0)]
    Kept,
    /// U+2581 stands for each.
    #[codec(index = 1)]
    Marked,
    /// The same, and one is before each text that is not empty.
    #[codec(index = 2)]
    MarkedAfterMark,
    /// The same, but not before a text that begins with one.
    #[codec(index = 3)]
    MarkedAfterOneMark,
}

/// What a word consists of before anything is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Units {
    /// Its bytes.
    #[codec(index = 0)]
    Bytes {
        /// The bytes that are no units: bit `b % 8` of byte `b / 8` is that of byte `b`.
        missing: [u8; 32],
        /// The token that stands for each missing byte; without one they vanish.
        unknown: Option<u32>,
        /// Whether a word that is a token becomes this token, whatever the merges.
        whole_words: bool,
    },
    /// Its characters, and the bytes of those that are no units.
    #[codec(index = 1)]
    Characters,
}

impl Units {
    /// Whether a byte is no unit.
    pub(crate) fn is_missing(&self, byte: u8) -> bool {
        let Self::Bytes { missing, .. } = self else {
            return false;
        };
        let bits = missing.get(usize::from(byte >> 3));
        bits.is_some_and(|bits| bits & 1u8.wrapping_shl(u32::from(byte & 7)) != 0)
    }

    /// Whether a byte vanishes.
    pub(crate) fn vanishes(&self, byte: u8) -> bool {
        let leaves_nothing = matches!(self, Self::Bytes { unknown: None, .. });
        leaves_nothing && self.is_missing(byte)
    }

    /// The token that stands for each missing byte.
    pub(crate) const fn unknown(&self) -> Option<u32> {
        match self {
            Self::Bytes { unknown, .. } => *unknown,
            Self::Characters => None,
        }
    }

    /// Whether a word that is a token becomes this token, whatever the merges.
    pub(crate) const fn has_whole_words(&self) -> bool {
        matches!(
            self,
            Self::Bytes {
                whole_words: true,
                ..
            }
        )
    }
}

/// How the texts of a checkpoint become tokens.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SplitRules {
    /// Whether a text is brought into NFC. Only texts that are certainly in NFC can be judged then.
    pub composes: bool,
    /// What is done with its spaces.
    pub spaces: Spaces,
    /// The cuts into words, each of the parts of the one before; at most [`MAX_CUTS`].
    pub cuts: Vec<Cut>,
    /// What a word consists of.
    pub units: Units,
    /// The table of [entries](crate::TokenEntry), one for each token.
    pub vocabulary: Table,
    /// The table of merges: for each pair its place in the order.
    pub merges: Table,
    /// The table of forms, each with its token: of the words that only become a token as a whole, or of the characters
    /// that are units.
    pub forms: Table,
}

impl SplitRules {
    /// The text of which the tokens are found; `None` where it is not certain that the text is in NFC, and has to be.
    pub fn prepared<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        if self.composes && !is_composed(text) {
            return None;
        }
        let begins = match self.spaces {
            Spaces::Kept => return Some(Cow::Borrowed(text)),
            Spaces::Marked => false,
            Spaces::MarkedAfterMark => true,
            Spaces::MarkedAfterOneMark => !text.starts_with([' ', MARK]),
        };
        let before = (begins && !text.is_empty()).then_some(MARK);
        let marked = text.chars().map(|character| match character {
            ' ' => MARK,
            other => other,
        });
        Some(Cow::Owned(
            before.into_iter().chain(marked).collect::<String>(),
        ))
    }
}
