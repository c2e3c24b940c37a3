//! The progress of a long step.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Prints the progress to standard error, every ten seconds.
pub(crate) struct Meter {
    what: String,
    total: usize,
    done: AtomicUsize,
    begun: Instant,
    said: AtomicUsize,
}

impl Meter {
    pub(crate) fn new(what: &str, total: usize) -> Self {
        eprintln!("    {what}");
        Self {
            what: what.into(),
            total,
            done: AtomicUsize::new(0),
            begun: Instant::now(),
            said: AtomicUsize::new(0),
        }
    }

    pub(crate) fn add(&self, tokens: usize) {
        let done = self.done.fetch_add(tokens, Ordering::Relaxed) + tokens;
        let seconds = self.begun.elapsed();
        let tens = seconds.as_secs() as usize / 10;
        if self.said.fetch_max(tens, Ordering::Relaxed) < tens {
            let seconds = Duration::from_secs(seconds.as_secs());
            eprintln!(
                "    {}: {done} of {} tokens in {seconds:?}",
                self.what, self.total
            );
        }
    }
}
