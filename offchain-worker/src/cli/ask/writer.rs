//! An answer on a terminal, as it comes.

use noema_model::printable::printable;
use std::io::{self, Write};

/// What every line of an answer begins with, so that none can be taken for one of the program.
const MARK: &str = "| ";

/// Writes text piece by piece, each line after a mark.
pub(super) struct Writer<W> {
    out: W,
    /// Whether the next character begins a line.
    is_at_start: bool,
    has_written: bool,
}

impl<W: Write> Writer<W> {
    /// A writer to `out`.
    pub(super) const fn new(out: W) -> Self {
        Self {
            out,
            is_at_start: true,
            has_written: false,
        }
    }

    /// Writes a piece at once.
    pub(super) fn write(&mut self, piece: &str) -> io::Result<()> {
        for line in printable(piece).split_inclusive('\n') {
            if self.is_at_start {
                write!(self.out, "{MARK}")?;
            }
            write!(self.out, "{line}")?;
            self.is_at_start = line.ends_with('\n');
            self.has_written = true;
        }
        self.out.flush()
    }

    /// Ends the last line.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if self.has_written && !self.is_at_start {
            writeln!(self.out)?;
            self.is_at_start = true;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[&str]) -> String {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        for piece in pieces {
            writer.write(piece).expect("memory");
        }
        writer.end().expect("memory");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn each_line_begins_with_a_mark_wherever_pieces_end() {
        assert_eq!(written(&["a", "b\nc", "\n", "\nd"]), "| ab\n| c\n| \n| d\n");
        assert_eq!(written(&["a\n"]), "| a\n");
        assert_eq!(written(&["", ""]), "");
    }

    #[test]
    fn a_terminal_has_nothing_to_obey() {
        assert_eq!(
            written(&["a\u{1b}[2J", "\r\u{9b}b"]),
            "| a\u{fffd}[2J\u{fffd}\u{fffd}b\n"
        );
    }
}
