//! Progress: a bar on a terminal, or a line at intervals without one.

use crate::now_and_then::NowAndThen;
use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};
use std::fmt::Display;
use std::sync::Arc;

/// A progress display. Its clones share one state.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    unit: Unit,
    lines: Lines,
}

/// The unit that is counted.
#[derive(Clone, Copy)]
enum Unit {
    Bytes,
    Of(&'static str),
}

impl Progress {
    /// Counts bytes up to `all`; 0 if the total is not known yet.
    pub(super) fn of_bytes(what: &'static str, all: u64) -> Self {
        Self::new(what, all, Unit::Bytes)
    }

    /// Counts things with this name.
    pub(super) fn of(what: &'static str, things: &'static str, all: u64) -> Self {
        Self::new(what, all, Unit::Of(things))
    }

    fn new(what: &'static str, all: u64, unit: Unit) -> Self {
        let template = match unit {
            Unit::Bytes => {
                "{msg:28} {bar:30} {decimal_bytes:>9}/{decimal_total_bytes:9} {eta}".to_owned()
            }
            Unit::Of(things) => format!("{{msg:28}} {{bar:30}} {{pos}}/{{len}} {things} {{eta}}"),
        };
        let style = ProgressStyle::with_template(&template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(all).with_style(style).with_message(what);
        Self {
            lines: Lines::beside(&bar),
            bar,
            what,
            unit,
        }
    }

    /// Adds to the progress.
    pub(super) fn add(&self, done: u64) {
        self.bar.inc(done);
        self.line();
    }

    /// Sets the progress and the total.
    pub(super) fn set(&self, done: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(done);
        self.line();
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self) {
        self.lines.say(|| {
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            line(self.what, self.unit, done, all)
        });
    }
}

/// The progress as text.
fn line(what: &str, unit: Unit, done: u64, all: u64) -> String {
    match unit {
        Unit::Bytes => format!("{what}: {} of {}", DecimalBytes(done), DecimalBytes(all)),
        Unit::Of(things) => format!("{what}: {done} of {all} {things}"),
    }
}

/// Lines on standard error in place of a bar if there is no terminal.
#[derive(Clone)]
pub(super) struct Lines(Option<Arc<NowAndThen>>);

impl Lines {
    /// Lines if `bar` is hidden, and none if it is shown.
    pub(super) fn beside(bar: &ProgressBar) -> Self {
        Self(bar.is_hidden().then(|| Arc::new(NowAndThen::new())))
    }

    /// Writes a line if one is due.
    pub(super) fn say<L: Display>(&self, line: impl FnOnce() -> L) {
        if self.0.as_ref().is_some_and(|lines| lines.is_due()) {
            eprintln!("{}", line());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_done_of_how_much() {
        assert_eq!(
            line(
                "Fetching the checkpoint",
                Unit::Bytes,
                12_300_000,
                148_000_000
            ),
            "Fetching the checkpoint: 12.30 MB of 148.00 MB"
        );
        assert_eq!(
            line("Predicting", Unit::Of("windows"), 3, 8),
            "Predicting: 3 of 8 windows"
        );
    }

    #[test]
    fn without_a_terminal_there_are_lines() {
        let hidden = ProgressBar::hidden();
        assert!(Lines::beside(&hidden).0.is_some());
    }
}
