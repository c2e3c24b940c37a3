//! Classes of characters, and texts that NFC leaves as they are.

use crate::tables::{COMPOSITION, LETTERS, MARKS, NUMBERS, NUMERIC, SPACES};

/// Whether a character is in a class, which is a list of the characters at which it begins and ends in turn.
fn is_in(class: &[u32], character: char) -> bool {
    let bounds = class.partition_point(|bound| *bound <= u32::from(character));
    bounds & 1 == 1
}

/// `\p{L}`.
pub fn is_letter(character: char) -> bool {
    is_in(&LETTERS, character)
}

/// `\p{M}`.
pub fn is_mark(character: char) -> bool {
    is_in(&MARKS, character)
}

/// `\p{N}`.
pub fn is_number(character: char) -> bool {
    is_in(&NUMBERS, character)
}

/// What cuts digits apart: [`char::is_numeric`] of the text layer, whose tables are younger than those of `\p{N}`.
pub fn is_numeric(character: char) -> bool {
    is_in(&NUMERIC, character)
}

/// `\s`, and what a frame that trims leaves out: what Unicode calls `White_Space`.
pub fn is_space(character: char) -> bool {
    is_in(&SPACES, character)
}

/// The canonical combining class of a character, or `None` where NFC may change it or join it to another one.
pub fn composition(character: char) -> Option<u8> {
    let bounds = COMPOSITION.partition_point(|bound| bound >> 8 <= u32::from(character));
    let before = bounds.checked_sub(1).and_then(|at| COMPOSITION.get(at));
    match before.map_or(0, |bound| bound.to_le_bytes()[0]) {
        u8::MAX => None,
        class => Some(class),
    }
}

/// Whether a text is certainly in NFC: the quick check of UAX #15, with "maybe" as no.
pub fn is_composed(text: &str) -> bool {
    let mut last = 0;
    text.chars().all(|character| {
        let class = composition(character);
        let follows = class.is_some_and(|class| class == 0 || class >= last);
        last = class.unwrap_or_default();
        follows
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_their_characters() {
        assert!("aéß東ªᴬ".chars().all(is_letter));
        assert!("0٣½Ⅷ".chars().all(is_number));
        assert!(" \t\n\u{85}\u{a0}\u{3000}".chars().all(is_space));
        assert!("\u{301}\u{93f}".chars().all(is_mark));
        assert!("_-🙂\u{200b}"
            .chars()
            .all(|c| !is_letter(c) && !is_number(c) && !is_space(c)));
        assert!(is_numeric('\u{11de0}') && !is_number('\u{11de0}'));
    }

    #[test]
    fn only_texts_that_are_certainly_composed_pass() {
        for text in ["", "abc", "é", "東京", "각", "ก\u{e48}", "x\u{327}\u{5b0}"] {
            assert_eq!(is_composed(text), !text.contains('\u{327}'), "{text:?}");
        }
        for text in ["e\u{301}", "\u{344}", "\u{1100}\u{1161}", "a\u{345}\u{5b0}"] {
            assert!(!is_composed(text), "{text:?}");
        }
    }
}
