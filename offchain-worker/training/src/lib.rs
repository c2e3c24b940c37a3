//! Training: from a parent checkpoint and shards of a dataset to a compressed update, and, on one
//! machine, whole rounds of it.
//!
//! ```text
//! parent ── floats ── local steps of AdamW ── trained - parent ── largest changes ──> update
//!                                                 ▲                     │ the rest
//!                                                 └──── residual ◄──────┘
//! ```
//! - [`TrainableCheckpoint`] is a checkpoint with its masters, [`TrainingOptions`] are the options of its
//!   training;
//! - [`TrainingLoop`] makes one [`TrainedUpdate`] for each round, on any device that burn supports. Its state
//!   can be kept in a file, from which a killed trainer continues;
//! - [`TrainingMethod`] determines on which shards a trainer trains, and what it contributes;
//! - [`evaluate()`] is the loss by the integer forward pass;
//! - [`Judge`] finds the effect of a contribution on the parent, as validators do;
//! - [`rounds`] runs several trainers and their aggregation in one process, without a chain.
//!
//! The same parent, data, options and device give the same update; on other devices, floats and thus updates
//! differ. No result depends on that: an update is judged by its effect on the loss.

mod error;
mod evaluate;
mod judge;
mod method;
mod options;
mod order;
pub mod rounds;
mod state;
mod trainable;
mod trained_update;
mod training_loop;

pub use error::TrainingError;
pub use evaluate::{bits, evaluate};
pub use judge::{Judge, Submitted};
pub use method::{OtherTrainer, PlainMethod, ShardAssignment, TrainingMethod};
pub use options::{Differences, TrainingOptions};
pub use trainable::TrainableCheckpoint;
pub use trained_update::TrainedUpdate;
pub use training_loop::{TrainingLoop, TrainingStep};

use noema_checkpoint::Architecture;
use options::within;

/// Refuses a sequence on which the model cannot be trained or evaluated.
fn fits(architecture: &Architecture, tokens: &[u32]) -> Result<(), TrainingError> {
    let context = architecture.context_length;
    if !(2..=context as usize).contains(&tokens.len()) {
        return Err(TrainingError::SequenceLength {
            length: tokens.len(),
            context,
        });
    }
    let vocabulary = architecture.vocabulary;
    match tokens.iter().find(|token| **token >= vocabulary) {
        Some(&token) => Err(TrainingError::TokenBeyondVocabulary { token, vocabulary }),
        None => Ok(()),
    }
}
