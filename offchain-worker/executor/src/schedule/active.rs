//! A request that is being executed.

use super::job::{Job, Need};
use crate::Sequence;

/// A request with a cache.
pub(super) struct Active {
    pub(super) job: Job,
    pub(super) sequence: Sequence,
    /// Positions that the cache has room for.
    pub(super) capacity: usize,
    /// Positions that the cache holds.
    pub(super) cached: usize,
    /// Whether the beginning of its prompt has been kept.
    pub(super) kept: bool,
}

impl Active {
    pub(super) fn need(&self) -> Need {
        self.job.need(self.cached)
    }
}
