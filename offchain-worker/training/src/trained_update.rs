//! The result of a round for one trainer: an update, and the losses before and after it.

use noema_checkpoint::H256;

/// A trainer's contribution to a round.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainedUpdate {
    /// The update.
    pub bytes: Vec<u8>,
    /// BLAKE3 of the update.
    pub hash: H256,
    /// Loss of the parent on the trainer's data, in bits a token, by floats.
    pub loss_before: f64,
    /// Loss of the trained model, before compression.
    pub loss_after: f64,
    /// Steps that were made.
    pub steps: u32,
}
