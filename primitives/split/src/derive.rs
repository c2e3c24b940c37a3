//! The entries of a vocabulary: what BPE makes of the text of each token.

use crate::{MergePart, Pair, TokenEntry, Units, MAX_TOKEN_BYTES};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use core::fmt;

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenForm {
    /// No text.
    None,
    /// A text, in the bytes that a step compares.
    Text(Vec<u8>),
    /// A byte of a character that is no unit.
    Byte(u8),
}

/// A merge of two tokens into a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    /// The left one.
    pub left: u32,
    /// The right one.
    pub right: u32,
    /// What they become.
    pub merged: u32,
}

/// Why the split of a text by a tokenizer cannot be judged step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsupported {
    /// It has a part, named here, for which there is no step.
    Part(String),
    /// A text can become this special token.
    Special(u32),
    /// This token has more than [`MAX_TOKEN_BYTES`] bytes.
    LongToken(u32),
    /// This merge, by its place from 0, names a token that has no text, or makes another text than that of its parts.
    Merge(u32),
    /// A step may need this number of bytes of its tables, more than [`MAX_LOOKUP_BYTES`](crate::MAX_LOOKUP_BYTES).
    Lookups(usize),
    /// This byte is no unit, and no token stands for it.
    Byte(u8),
    /// The frame has this number of bytes with its tokens, more than [`Framing::MAX_BYTES`](crate::Framing::MAX_BYTES).
    Framing(usize),
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(part) => write!(f, "its tokenizer has {part}"),
            Self::Special(token) => write!(f, "a text can become its special token {token}"),
            Self::LongToken(token) => {
                write!(f, "its token {token} has more than {MAX_TOKEN_BYTES} bytes")
            }
            Self::Merge(merge) => write!(f, "its merge {merge} does not join two texts"),
            Self::Lookups(bytes) => {
                write!(
                    f,
                    "the proof about two of its tokens may have {bytes} bytes"
                )
            }
            Self::Byte(byte) => write!(f, "no token stands for its byte {byte:#04x}"),
            Self::Framing(bytes) => write!(f, "its frame has {bytes} bytes with its tokens"),
        }
    }
}

impl core::error::Error for Unsupported {}

/// Merges by pair: the place in the order, from 1, and what they make.
pub(crate) type Merges = BTreeMap<Pair, (u32, u32)>;

/// The merges of a list; of two for the same pair, the later counts.
pub(crate) fn by_pair(forms: &[TokenForm], merges: &[Merge]) -> Result<Merges, Unsupported> {
    let text = |token: u32| match forms.get(token as usize) {
        Some(TokenForm::Text(text)) => Some(text.as_slice()),
        _ => None,
    };
    let mut found = Merges::new();
    for (merge, order) in merges.iter().zip(1u32..) {
        let parts = text(merge.left).zip(text(merge.right));
        let joined = parts.map(|(left, right)| [left, right].concat());
        if joined.is_none() || joined.as_deref() != text(merge.merged) {
            return Err(Unsupported::Merge(order.saturating_sub(1)));
        }
        found.insert((merge.left, merge.right), (order, merge.merged));
    }
    Ok(found)
}

/// The units of a vocabulary by their text.
pub(crate) fn units_of(forms: &[TokenForm], units: &Units) -> BTreeMap<Vec<u8>, u32> {
    let is_unit = |text: &[u8]| match units {
        Units::Bytes { .. } => text.len() == 1,
        Units::Characters => core::str::from_utf8(text).is_ok_and(|text| text.chars().count() == 1),
    };
    let texts = forms
        .iter()
        .zip(0..)
        .filter_map(|(form, token)| match form {
            TokenForm::Text(text) if is_unit(text) => Some((text.clone(), token)),
            _ => None,
        });
    texts.collect()
}

/// How BPE makes a token of its own text: its last merge.
struct Last {
    pair: Pair,
    order: u32,
    /// The latest place in the order among all its merges.
    time: u32,
}

/// The tokens that BPE makes of their own text.
struct Made {
    last: BTreeMap<u32, Last>,
    /// The tokens that are units.
    units: BTreeSet<u32>,
}

/// The entries of the tokens, and the words that only become a token as a whole.
pub(crate) fn entries(
    forms: &[TokenForm],
    merges: &Merges,
    units: &Units,
) -> Result<Vec<TokenEntry>, Unsupported> {
    let of_text = units_of(forms, units);
    let mut made = Made {
        last: BTreeMap::new(),
        units: of_text.values().copied().collect(),
    };
    for (form, token) in forms.iter().zip(0..) {
        let TokenForm::Text(text) = form else {
            continue;
        };
        if text.len() > MAX_TOKEN_BYTES {
            return Err(Unsupported::LongToken(token));
        }
        let symbols = symbols(text, &of_text, units);
        if let Some(last) = symbols.and_then(|symbols| last_merge(symbols, merges, token)) {
            made.last.insert(token, last);
        }
    }
    let entries = forms.iter().zip(0..).map(|(form, token)| match form {
        TokenForm::None => Ok(TokenEntry::Never),
        TokenForm::Byte(byte) => Ok(TokenEntry::Byte(*byte)),
        TokenForm::Text(text) if made.is_piece(token) => Ok(TokenEntry::Piece {
            bytes: text.clone(),
            left: made.parts(token, true),
            right: made.parts(token, false),
        }),
        TokenForm::Text(text) if units.has_whole_words() => Ok(TokenEntry::Word {
            bytes: text.clone(),
        }),
        TokenForm::Text(_) => Ok(TokenEntry::Never),
    });
    entries.collect()
}

/// The units of a text; `None` if a part of it is none.
fn symbols(text: &[u8], of_text: &BTreeMap<Vec<u8>, u32>, units: &Units) -> Option<Vec<u32>> {
    let unit = |text: &[u8]| of_text.get(text).copied();
    match units {
        Units::Bytes { .. } => text.chunks(1).map(unit).collect(),
        Units::Characters => {
            let text = core::str::from_utf8(text).ok()?;
            let mut bytes = [0; 4];
            let characters = text.chars();
            characters
                .map(|character| unit(character.encode_utf8(&mut bytes).as_bytes()))
                .collect()
        }
    }
}

/// The last merge of BPE over these units, if it makes `token` of all of them.
fn last_merge(mut symbols: Vec<u32>, merges: &Merges, token: u32) -> Option<Last> {
    let mut last = None;
    let mut time = 0;
    loop {
        let pairs = symbols.windows(2).enumerate().filter_map(|(at, pair)| {
            let pair = (*pair.first()?, *pair.last()?);
            let (order, merged) = merges.get(&pair)?;
            Some((*order, at, pair, *merged))
        });
        let Some((order, at, pair, merged)) = pairs.min() else {
            return last.filter(|_| symbols == [token]);
        };
        symbols.splice(at..at.saturating_add(2), [merged]);
        time = order.max(time);
        last = Some(Last { pair, order, time });
    }
}

impl Made {
    fn is_piece(&self, token: u32) -> bool {
        self.units.contains(&token) || self.last.contains_key(&token)
    }

    fn time(&self, token: u32) -> u32 {
        self.last.get(&token).map_or(0, |last| last.time)
    }

    /// The parts on one side of a token, from itself down to a unit.
    fn parts(&self, token: u32, is_left: bool) -> Vec<MergePart> {
        let mut parts = Vec::new();
        let mut next = token;
        while let Some(Last { pair, order, time }) = self.last.get(&next) {
            // Merges of the same time are made from left to right. So those of a right part are made after its left
            // neighbour, and before the two are merged.
            let end = match is_left && self.time(pair.1) == *time {
                true => *time,
                false => *order,
            };
            parts.push(MergePart {
                token: next,
                time: *time,
                end,
            });
            next = match is_left {
                true => pair.0,
                false => pair.1,
            };
        }
        parts.push(MergePart::unit(next));
        parts
    }
}
