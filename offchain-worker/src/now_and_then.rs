//! Saying something now and then, however often it changes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long after it was said, the next is said.
const PAUSE: Duration = Duration::from_secs(10);

/// Says when something is to be said again.
#[derive(Debug)]
pub(crate) struct NowAndThen {
    pause: Duration,
    last: Mutex<Option<Instant>>,
}

impl NowAndThen {
    /// Nothing was said yet.
    pub(crate) const fn new() -> Self {
        Self {
            pause: PAUSE,
            last: Mutex::new(None),
        }
    }

    /// Whether it is time: the first time, and when the last time is long enough ago.
    pub(crate) fn is_due(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| last.elapsed() >= self.pause);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_first_and_then_after_a_pause() {
        let mut said = NowAndThen::new();
        assert!(said.is_due());
        assert!(!said.is_due());
        said.pause = Duration::ZERO;
        assert!(said.is_due());
    }
}
