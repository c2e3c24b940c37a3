//! Limiting the rate of a log message.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The least time between two messages.
const PAUSE: Duration = Duration::from_secs(10);

/// Decides when a message is due again.
#[derive(Debug)]
pub(crate) struct NowAndThen {
    pause: Duration,
    last: Mutex<Option<Instant>>,
}

impl NowAndThen {
    /// No message was due yet.
    pub(crate) const fn new() -> Self {
        Self {
            pause: PAUSE,
            last: Mutex::new(None),
        }
    }

    /// Whether a message is due: the first time, and when the last one is long enough ago.
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
