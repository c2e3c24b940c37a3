//! Dishonest trainers, to test that rounds withstand them.

use super::{TrainableCheckpoint, TrainingError};
use clap::ValueEnum;
use noema_update::{ApplyError, Encoder, Limits, Update, CHUNK_COORDINATES, SCALE_MAX};
use serde::{Deserialize, Serialize};

/// A way to spoil a contribution on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sabotage {
    /// Every change has the other sign: the loss rises.
    Flip,
    /// Every change is a thousand times as large.
    Scale,
    /// Every change has a random sign and is large: a well-formed update without information.
    Random,
    /// The bytes are not an update.
    Garbage,
    /// The bytes end in the middle.
    Truncate,
    /// It trains on shards that were not assigned to it.
    OtherShards,
    /// It repeats the work of the trainer that joined first, once that one has committed, and sends it at
    /// twice the scale.
    Copy,
    /// It commits and never reveals.
    Silent,
}

/// Size of random changes, relative to those of an honest trainer.
const LOUD: i32 = 64;

impl Sabotage {
    /// Spoils an honest update of `parent`.
    ///
    /// # Errors
    /// When `bytes` is not an update of `parent`.
    pub fn spoil(
        self,
        parent: &TrainableCheckpoint,
        entries: u16,
        bytes: Vec<u8>,
    ) -> Result<Vec<u8>, TrainingError> {
        let factor = match self {
            Self::Flip => -1,
            Self::Copy => 2,
            Self::Random => LOUD,
            Self::Scale => 1_000,
            Self::Garbage => return Ok(bytes.iter().map(|byte| byte ^ 0xa5).collect()),
            Self::Truncate => {
                let half = bytes.len() / 2;
                return Ok(bytes.into_iter().take(half).collect());
            }
            Self::OtherShards | Self::Silent => return Ok(bytes),
        };
        let limits = Limits::with_entries(entries);
        // The draws follow from the update, so a trainer that restarts sends the same.
        let mut draws = blake3::Hasher::new().update(&bytes).finalize_xof();
        let mut sign = || {
            let mut draw = [0];
            draws.fill(&mut draw);
            match self {
                Self::Random if draw[0] % 2 == 0 => -1,
                _ => 1,
            }
        };
        let malformed = |error| ApplyError::Decode { update: 0, error };
        let update =
            Update::open(&bytes, parent.trainable(), parent.id(), limits).map_err(malformed)?;
        let mut encoder = Encoder::new(parent.trainable(), parent.id(), entries)?;
        let mut reader = update.reader();
        for tensor in update.tensors() {
            let mut changes = Vec::new();
            while reader.place().is_some_and(|place| place.tensor == tensor) {
                let Some(chunk) = reader.next().map_err(malformed)? else {
                    break;
                };
                let first = u64::from(chunk.place.chunk) * CHUNK_COORDINATES as u64;
                // The magnitudes of a chunk are its scale and twice its scale, so they grow together.
                let largest = chunk.entries.iter().map(|entry| entry.value.unsigned_abs());
                let most = (SCALE_MAX / largest.max().unwrap_or(1).max(1)).max(1);
                let factor = factor.min(i32::try_from(most).unwrap_or(i32::MAX));
                changes.extend(chunk.entries.iter().map(|entry| {
                    let coordinate = first + u64::from(entry.index);
                    (coordinate, entry.value.saturating_mul(sign() * factor))
                }));
            }
            encoder.exact(tensor, &changes)?;
        }
        Ok(encoder.finish())
    }
}
