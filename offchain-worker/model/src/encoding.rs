//! Recognising texts that are not UTF-8.

/// The byte order mark that may stand before a text in UTF-8; it is no part of the text.
pub(crate) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How many bytes at the beginning of a text show its encoding.
const BEGINNING_BYTES: usize = 4096;

/// The encoding, by its IANA name, if the first bytes of a text, at most 4,096, show another one than UTF-8.
///
/// UTF-16 is also recognised without a byte order mark, if most characters are Latin: each has a zero byte then,
/// always on the same side.
pub(crate) fn other_than_utf8(text: &[u8]) -> Option<&'static str> {
    let beginning = text.get(..BEGINNING_BYTES).unwrap_or(text);
    match beginning {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("UTF-16"),
        _ => {}
    }
    let pairs = beginning.as_chunks::<2>().0;
    if pairs.len() < 4 {
        return None;
    }
    let high_first = pairs.iter().filter(|[first, _]| *first == 0).count();
    let low_first = pairs.iter().filter(|[_, second]| *second == 0).count();
    let most = |zeros: usize| zeros > pairs.len() / 2;
    let few = |zeros: usize| zeros <= pairs.len() / 8;
    if most(low_first) && few(high_first) {
        Some("UTF-16LE")
    } else if most(high_first) && few(low_first) {
        Some("UTF-16BE")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn other_encodings_are_recognised() {
        let text = "The ledger – remembers.";
        let marked = format!("\u{feff}{text}");
        for (bytes, expected) in [
            (utf16(&marked, u16::to_le_bytes), "UTF-16"),
            (utf16(&marked, u16::to_be_bytes), "UTF-16"),
            (utf16(text, u16::to_le_bytes), "UTF-16LE"),
            (utf16(text, u16::to_be_bytes), "UTF-16BE"),
            (b"\xff\xfe\0\0T\0\0\0".to_vec(), "UTF-32"),
        ] {
            assert_eq!(other_than_utf8(&bytes), Some(expected));
        }
    }

    #[test]
    fn texts_in_utf8_are_not_mistaken_for_another_encoding() {
        for text in [
            "",
            "a",
            "\u{feff}The ledger",
            "Straße 東京 🦀",
            "\0",
            "\0\0\0\0",
        ] {
            assert_eq!(other_than_utf8(text.as_bytes()), None, "{text:?}");
        }
    }
}
