//! Dishonest trainers, to see that a round stands them.

use super::{Parent, TrainingError};
use clap::ValueEnum;
use noema_update::{ApplyError, Encoder, Limits, Update, CHUNK_COORDINATES};
use serde::{Deserialize, Serialize};

/// How a trainer spoils its contribution on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sabotage {
    /// Every change has the other sign: the loss rises.
    Flip,
    /// Every change is a thousand times as large.
    Scale,
    /// The changes are of other coordinates than those that were trained.
    Shift,
    /// The bytes are no update.
    Garbage,
    /// The bytes end in the middle.
    Truncate,
    /// It trains on shards that it was not given.
    OtherShards,
    /// It commits and never reveals.
    Silent,
}

impl Sabotage {
    /// What becomes of an honest update of `parent`.
    ///
    /// # Errors
    /// When `bytes` is no update of `parent`.
    pub fn spoil(
        self,
        parent: &Parent,
        entries: u16,
        bytes: Vec<u8>,
    ) -> Result<Vec<u8>, TrainingError> {
        let change: fn(i32) -> i32 = match self {
            Self::Flip => |value| -value,
            Self::Scale => |value| value.saturating_mul(1_000).clamp(-(1 << 29), 1 << 29),
            Self::Shift => |value| value,
            Self::Garbage => return Ok(bytes.iter().map(|byte| byte ^ 0xa5).collect()),
            Self::Truncate => {
                let half = bytes.len() / 2;
                return Ok(bytes.into_iter().take(half).collect());
            }
            Self::OtherShards | Self::Silent => return Ok(bytes),
        };
        let limits = Limits {
            entries,
            ..Limits::default()
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
                changes.extend(
                    chunk
                        .entries
                        .iter()
                        .map(|entry| (first + u64::from(entry.index), change(entry.value))),
                );
            }
            if self == Self::Shift {
                changes = shifted(changes);
            }
            // A magnitude that cannot be written down is left as it was.
            if encoder.exact(tensor, &changes).is_err() {
                return Ok(bytes.clone());
            }
        }
        Ok(encoder.finish())
    }
}

/// The same coordinates with the next one's change each.
fn shifted(changes: Vec<(u64, i32)>) -> Vec<(u64, i32)> {
    let values: Vec<i32> = changes.iter().map(|(_, value)| -*value).collect();
    let turned = values.iter().cycle().skip(1);
    changes
        .iter()
        .zip(turned)
        .map(|((coordinate, _), value)| (*coordinate, *value))
        .collect()
}
