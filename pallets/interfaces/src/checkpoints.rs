//! What pallets read about checkpoints.

use noema_protocol::{CheckpointId, ModelLimits};

/// Read access to checkpoints.
pub trait Checkpoints {
    /// The bounds of an active checkpoint; `None` for one that is unknown or withdrawn.
    fn active(checkpoint: &CheckpointId) -> Option<ModelLimits>;

    /// Whether a checkpoint is active.
    fn is_active(checkpoint: &CheckpointId) -> bool {
        Self::active(checkpoint).is_some()
    }

    /// Whether the checkpoint was ever registered.
    fn exists(checkpoint: &CheckpointId) -> bool;

    /// The canonical checkpoint of the family that `checkpoint` belongs to.
    fn canonical_of(checkpoint: &CheckpointId) -> Option<CheckpointId>;

    /// Makes the next registrations succeed: `checkpoint` is active with these `limits`.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_active(checkpoint: CheckpointId, limits: ModelLimits);

    /// Makes `canonical` the canonical checkpoint of the family of `checkpoint`; both are active.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_canonical_of(checkpoint: CheckpointId, canonical: CheckpointId);
}
