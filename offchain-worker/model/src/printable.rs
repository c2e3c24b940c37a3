//! Untrusted text, made safe for a terminal and a log.

/// Whether a terminal obeys `character` or shows text in another order because of it: control characters
/// other than line feed and tab, and direction marks.
fn is_obeyed(character: char) -> bool {
    let is_direction_mark = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    is_direction_mark || character.is_control() && !matches!(character, '\n' | '\t')
}

/// `text` without characters that control a terminal or change the order in which text is read: they are
/// replaced.
pub fn printable(text: &str) -> String {
    let shown = |character| match is_obeyed(character) {
        true => char::REPLACEMENT_CHARACTER,
        false => character,
    };
    text.chars().map(shown).collect()
}

/// The same in one line, for a log: every line break becomes a space, together with the white space next to
/// it.
pub fn one_line(text: &str) -> String {
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
pub fn printable_bytes(bytes: &[u8]) -> String {
    printable(&String::from_utf8_lossy(bytes))
}

/// The same with `mark` at the beginning of every line, so that no line can be taken for one of the program.
pub fn quoted(bytes: &[u8], mark: &str) -> String {
    let text = printable_bytes(bytes);
    let lines = text.split('\n').map(|line| format!("{mark}{line}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// `json` with the same characters escaped instead of replaced: it stays the same value.
pub fn printable_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        match is_obeyed(character) {
            // JSON has such characters only in texts, and all of them have at most 16 bits.
            true => shown.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => shown.push(character),
        }
    }
    shown
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
    fn no_line_of_a_quoted_text_is_one_of_the_program() {
        assert_eq!(
            quoted(b"Rome\n\rsettled, paid 0", "| "),
            "| Rome\n| \u{fffd}settled, paid 0"
        );
        assert_eq!(quoted(b"", "| "), "| ");
    }

    #[test]
    fn json_keeps_its_value() {
        let text = "a\u{1b}\u{7f}\u{9b}1m\u{202e}b\n";
        let json = serde_json::to_string_pretty(&[text]).expect("JSON");
        let shown = printable_json(&json);
        assert!(!shown.chars().any(is_obeyed), "{shown}");
        let read: [String; 1] = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(read, [text]);
    }

    #[test]
    fn what_people_write_stays() {
        let text = "Straße,\n\t東京 👩‍👩‍👧 – مرحبا";
        assert_eq!(printable(text), text);
    }
}
