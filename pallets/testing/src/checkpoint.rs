//! The checkpoint of mocks without the pallet of checkpoints.

use noema_interfaces::Checkpoints;
use noema_protocol::{CheckpointId, ModelLimits};
use sp_core::H256;

/// The active checkpoint of [`OneCheckpoint`].
pub const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));

/// One active checkpoint, [`CHECKPOINT`]. The one of zeros was withdrawn, and no other is known. Benchmarks choose their
/// own, so for them every checkpoint is active.
pub struct OneCheckpoint;

impl Checkpoints for OneCheckpoint {
    fn active(checkpoint: &CheckpointId) -> Option<ModelLimits> {
        (*checkpoint == CHECKPOINT || cfg!(feature = "runtime-benchmarks")).then_some(ModelLimits {
            context_length: 100,
            vocabulary: 50,
            template_tokens: 5,
            tokens_per_byte: 1,
        })
    }

    fn exists(checkpoint: &CheckpointId) -> bool {
        *checkpoint == CHECKPOINT || *checkpoint == CheckpointId::default()
    }

    fn canonical_of(_: &CheckpointId) -> Option<CheckpointId> {
        None
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_active(_: CheckpointId, _: ModelLimits) {}

    #[cfg(feature = "runtime-benchmarks")]
    fn set_canonical_of(_: CheckpointId, _: CheckpointId) {}
}
