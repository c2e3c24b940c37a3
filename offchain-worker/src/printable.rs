//! Untrusted text, made safe for a terminal and a log.

/// `text` without characters that control a terminal or change the order in which text is read: control
/// characters other than line feed and tab, and direction marks are replaced.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => character,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                char::REPLACEMENT_CHARACTER
            }
            _ if character.is_control() => char::REPLACEMENT_CHARACTER,
            _ => character,
        })
        .collect()
}

/// The same in one line, for a log: every line break becomes a space, together with the white space next to
/// it.
pub(crate) fn one_line(text: &str) -> String {
    let breaks = |character| {
        matches!(
            character,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let lines = text
        .split(breaks)
        .map(str::trim)
        .filter(|line| !line.is_empty());
    printable(&lines.collect::<Vec<_>>().join(" "))
}

/// The same for bytes; invalid UTF-8 is replaced, too.
pub(crate) fn printable_bytes(bytes: &[u8]) -> String {
    printable(&String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_nothing_to_obey() {
        assert_eq!(
            printable("a\u{1b}[2Jb\r\u{9b}1m\u{7}"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}1m\u{fffd}"
        );
        assert_eq!(printable("pay \u{202e}ecila"), "pay \u{fffd}ecila");
        assert_eq!(printable_bytes(&[b'x', 0xff]), "x\u{fffd}");
    }

    #[test]
    fn a_reason_of_many_lines_is_one() {
        let dump = "no: \u{1b}[1m\n   1 > {{ x }}\r\n\n     i ^^^\u{2028}the end\n";
        assert_eq!(one_line(dump), "no: \u{fffd}[1m 1 > {{ x }} i ^^^ the end");
        assert_eq!(one_line(" one  line "), "one  line");
    }

    #[test]
    fn what_people_write_stays() {
        let text = "Straße,\n\t東京 👩‍👩‍👧 – مرحبا";
        assert_eq!(printable(text), text);
    }
}
