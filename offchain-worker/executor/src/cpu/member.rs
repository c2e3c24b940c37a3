//! An open sequence on the processor.

use crate::Sequence;
use noema_numerics::KvCache;

/// An open sequence.
pub(super) struct Member {
    pub(super) sequence: Sequence,
    pub(super) cache: KvCache,
    /// Bytes of the cache.
    pub(super) bytes: u64,
}
