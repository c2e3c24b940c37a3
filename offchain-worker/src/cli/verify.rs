//! The verification of a checkpoint on this machine.

use super::progress::Progress;
use noema_model::checkpoint::OpenCheckpoint;

/// Verifies the weights with a progress bar.
pub(super) fn verify(checkpoint: &OpenCheckpoint) -> anyhow::Result<()> {
    let bar = Progress::of_bytes("Verifying the weights", checkpoint.manifest().weights_bytes);
    let result = checkpoint.verify(&|bytes| bar.add(bytes));
    bar.finish();
    Ok(result?)
}
