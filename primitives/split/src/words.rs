//! How a text is cut into words before its tokens are found: the regular expressions of pre-tokenizers, written out.
//!
//! An expression cuts what it is given at each of its matches; the parts between two matches are parts, too. None of
//! those here looks back, so the end of a part follows from the text from its beginning on.

use crate::unicode::{is_letter, is_mark, is_number, is_numeric, is_space};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// One cut of a text, or of each part of the cut before.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Cut {
    /// Each numeric character alone: [`is_numeric`].
    #[codec(index = 0)]
    Digits,
    /// `\p{N}{1,3}`.
    #[codec(index = 1)]
    Numbers,
    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
    #[codec(index = 2)]
    Gpt2,
    /// The expressions of Llama 3, Qwen 2 and their like.
    #[codec(index = 3)]
    Words(WordRules),
}

/// What differs between expressions that are, in this order:
///
/// ```text
/// (?i:'s|'t|'re|'ve|'m|'ll|'d)    where contractions are cut off
/// [^\r\n\p{L}\p{N}]?\p{L}+        with marks as letters, [^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+
/// \p{N}{1,3}                      or \p{N}, or \p{N}+
///  ?[^\s\p{L}\p{N}]+[\r\n]*       with marks as letters, [^\s\p{L}\p{M}\p{N}]+; or without [\r\n]*
/// \s*[\r\n]+
/// \s+(?!\S)
/// \s+
/// ```
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct WordRules {
    /// Whether contractions are cut off.
    pub contractions: bool,
    /// Whether marks are letters.
    pub marks: bool,
    /// How numbers are cut.
    pub numbers: Numbers,
    /// Whether punctuation takes the line breaks behind it.
    pub breaks: bool,
}

/// How many characters of a number are a word.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Numbers {
    /// One.
    #[codec(index = 0)]
    Single,
    /// At most three.
    #[codec(index = 1)]
    Three,
    /// All.
    #[codec(index = 2)]
    All,
}

impl Cut {
    /// Bytes of the first part of `rest`, the rest of a text or of a part of the cut before. Zero only for no text.
    pub fn first(&self, rest: &str) -> usize {
        match self {
            Self::Digits => isolated(rest, is_numeric, 1),
            Self::Numbers => isolated(rest, is_number, 3),
            Self::Gpt2 => gpt2(rest),
            Self::Words(rules) => rules.first(rest),
        }
    }
}

/// The first part of a text that is cut at runs of at most `most` characters of a class.
fn isolated(rest: &str, class: impl Fn(char) -> bool, most: usize) -> usize {
    match rest.chars().next().is_some_and(&class) {
        true => run_of(rest, class, most),
        false => run(rest, |character| !class(character)),
    }
}

/// Bytes of the characters of a class with which a text begins.
fn run(text: &str, class: impl Fn(char) -> bool) -> usize {
    text.find(|character| !class(character))
        .unwrap_or(text.len())
}

/// The same for at most `most` characters.
fn run_of(text: &str, class: impl Fn(char) -> bool, most: usize) -> usize {
    let characters = text
        .chars()
        .take(most)
        .take_while(|character| class(*character));
    characters.fold(0, |bytes, character| {
        bytes.saturating_add(character.len_utf8())
    })
}

/// The text after its first `bytes` bytes.
fn after(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or_default()
}

/// A class of characters with at most one space before them.
fn spaced(rest: &str, class: impl Fn(char) -> bool) -> Option<usize> {
    let space = usize::from(rest.starts_with(' '));
    match run(after(rest, space), class) {
        0 => None,
        bytes => Some(space.saturating_add(bytes)),
    }
}

const CONTRACTIONS: [&str; 7] = ["s", "t", "re", "ve", "m", "ll", "d"];

fn gpt2(rest: &str) -> usize {
    if let Some(behind) = rest.strip_prefix('\'') {
        let found = CONTRACTIONS
            .iter()
            .find(|letters| behind.starts_with(**letters));
        if let Some(letters) = found {
            return letters.len().saturating_add(1);
        }
    }
    let other = |character| !is_space(character) && !is_letter(character) && !is_number(character);
    spaced(rest, is_letter)
        .or_else(|| spaced(rest, is_number))
        .or_else(|| spaced(rest, other))
        .unwrap_or_else(|| spaces(rest))
}

/// `\s+(?!\S)|\s+`.
fn spaces(rest: &str) -> usize {
    let all = run(rest, is_space);
    if all == rest.len() {
        return all;
    }
    // The last one is left to what follows, unless it is the only one.
    let last = rest
        .get(..all)
        .and_then(|spaces| spaces.chars().next_back());
    let before = all.saturating_sub(last.map_or(0, char::len_utf8));
    match before {
        0 => all,
        before => before,
    }
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`. Without regard to case, `s` is also U+017F.
fn contraction(rest: &str) -> Option<usize> {
    let behind = rest.strip_prefix('\'')?;
    let bytes = CONTRACTIONS.iter().find_map(|letters| {
        let mut found = behind.chars();
        let mut bytes = 0usize;
        for letter in letters.chars() {
            let other = found.next()?;
            let is_same = other.eq_ignore_ascii_case(&letter) || letter == 's' && other == 'ſ';
            bytes = bytes.saturating_add(is_same.then_some(other.len_utf8())?);
        }
        Some(bytes)
    });
    Some(bytes?.saturating_add(1))
}

fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n')
}

impl WordRules {
    fn first(&self, rest: &str) -> usize {
        if self.contractions
            && let Some(bytes) = contraction(rest)
        {
            return bytes;
        }
        self.letters(rest)
            .or_else(|| self.number(rest))
            .or_else(|| self.punctuation(rest))
            .or_else(|| breaks(rest))
            .unwrap_or_else(|| spaces(rest))
    }

    fn is_letter(&self, character: char) -> bool {
        is_letter(character) || self.marks && is_mark(character)
    }

    fn letters(&self, rest: &str) -> Option<usize> {
        let first = rest.chars().next()?;
        let before = match self.is_letter(first) {
            true => 0,
            false if is_break(first) || is_number(first) => return None,
            false => first.len_utf8(),
        };
        match run(after(rest, before), |character| self.is_letter(character)) {
            0 => None,
            bytes => Some(before.saturating_add(bytes)),
        }
    }

    fn number(&self, rest: &str) -> Option<usize> {
        let most = match self.numbers {
            Numbers::Single => 1,
            Numbers::Three => 3,
            Numbers::All => usize::MAX,
        };
        match run_of(rest, is_number, most) {
            0 => None,
            bytes => Some(bytes),
        }
    }

    fn punctuation(&self, rest: &str) -> Option<usize> {
        let other =
            |character| !is_space(character) && !self.is_letter(character) && !is_number(character);
        let bytes = spaced(rest, other)?;
        let breaks = match self.breaks {
            true => run(after(rest, bytes), is_break),
            false => 0,
        };
        Some(bytes.saturating_add(breaks))
    }
}

/// `\s*[\r\n]+`.
fn breaks(rest: &str) -> Option<usize> {
    let spaces = rest.get(..run(rest, is_space))?;
    Some(spaces.rfind(is_break)?.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn cut(cut: Cut, mut rest: &str) -> Vec<&str> {
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let (part, others) = rest.split_at(cut.first(rest));
            parts.push(part);
            rest = others;
        }
        parts
    }

    const LLAMA_3: Cut = Cut::Words(WordRules {
        contractions: true,
        marks: false,
        numbers: Numbers::Three,
        breaks: true,
    });

    #[test]
    fn texts_are_cut_into_words() {
        assert_eq!(cut(Cut::Digits, "a12b"), ["a", "1", "2", "b"]);
        assert_eq!(cut(Cut::Numbers, "a1234b"), ["a", "123", "4", "b"]);
        assert_eq!(
            cut(Cut::Gpt2, "I'll  go,\n\n now 'RE 12"),
            ["I", "'ll", " ", " go", ",", "\n\n", " now", " '", "RE", " 12"]
        );
        assert_eq!(
            cut(LLAMA_3, "I'LL (go),\n \n now  x1234 'ſ"),
            ["I", "'LL", " (", "go", "),\n", " \n", " now", " ", " x", "123", "4", " '", "ſ"]
        );
        assert_eq!(cut(LLAMA_3, "a'ſ \t"), ["a", "'ſ", " \t"]);
    }

    proptest! {
        #[test]
        fn every_part_has_at_least_one_character(text in "\\PC*[ \\n\\r\u{301}'a1]*") {
            let single = WordRules { contractions: false, marks: true, numbers: Numbers::Single, breaks: false };
            for rules in [Cut::Digits, Cut::Numbers, Cut::Gpt2, LLAMA_3, Cut::Words(single)] {
                let parts = cut(rules, &text);
                prop_assert!(parts.iter().all(|part| !part.is_empty()));
                prop_assert_eq!(parts.concat(), text.as_str());
            }
        }
    }
}
