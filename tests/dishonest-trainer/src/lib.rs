//! Trainers that break the rules of a round on purpose, to test that rounds withstand them.
//!
//! [`Dishonest`] is the method of such a trainer: it wraps the method of `noema-worker`, so everything else is
//! that of an honest one. The program `noema-dishonest-trainer` runs it against a chain, or in rounds on one
//! machine.

use clap::ValueEnum;
use noema_training::{
    PlainMethod, ShardAssignment, TrainableCheckpoint, TrainingError, TrainingMethod,
};
use noema_update::{ApplyError, Encoder, Limits, Update, CHUNK_COORDINATES, SCALE_MAX};
use std::collections::BTreeSet;

/// A way to break the rules of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Behaviour {
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
    /// It trains on shards that are assigned to no trainer.
    OtherShards,
    /// It repeats the work of the trainer that joined first, once that one has committed, and sends it at
    /// twice the scale.
    Copy,
    /// It commits and never reveals.
    Silent,
}

/// Size of random changes, relative to those of an honest trainer.
const LOUD: i32 = 64;

/// The method of a trainer that breaks the rules of a round.
#[derive(Clone, Copy, Debug)]
pub struct Dishonest {
    honest: PlainMethod,
    behaviour: Behaviour,
}

impl Dishonest {
    /// A trainer that breaks the rules in this way, and no other.
    pub const fn new(behaviour: Behaviour) -> Self {
        Self {
            honest: PlainMethod,
            behaviour,
        }
    }
}

impl TrainingMethod for Dishonest {
    fn shards(&self, assignment: &ShardAssignment<'_>) -> Option<Vec<u32>> {
        match self.behaviour {
            Behaviour::OtherShards => {
                let others = assignment.others.iter();
                let assigned: BTreeSet<u32> = others
                    .flat_map(|other| other.shards)
                    .chain(assignment.own)
                    .copied()
                    .collect();
                let free = (0..assignment.dataset).filter(|shard| !assigned.contains(shard));
                Some(free.take(assignment.own.len()).collect())
            }
            Behaviour::Copy => {
                let first = assignment.others.first()?;
                first.has_committed.then(|| first.shards.to_vec())
            }
            _ => self.honest.shards(assignment),
        }
    }

    fn update(
        &self,
        parent: &TrainableCheckpoint,
        entries: u16,
        trained: Vec<u8>,
    ) -> Result<Vec<u8>, TrainingError> {
        let update = self.honest.update(parent, entries, trained)?;
        let factor = match self.behaviour {
            Behaviour::Flip => -1,
            Behaviour::Copy => 2,
            Behaviour::Random => LOUD,
            Behaviour::Scale => 1_000,
            Behaviour::Garbage => return Ok(update.iter().map(|byte| byte ^ 0xa5).collect()),
            Behaviour::Truncate => {
                let half = update.len() / 2;
                return Ok(update.into_iter().take(half).collect());
            }
            Behaviour::OtherShards | Behaviour::Silent => return Ok(update),
        };
        let is_random = self.behaviour == Behaviour::Random;
        scaled(parent, entries, &update, factor, is_random)
    }

    fn reveals(&self) -> bool {
        self.behaviour != Behaviour::Silent && self.honest.reveals()
    }
}

/// The update `bytes` of `parent` with all changes multiplied by `factor`, and with random signs if
/// `is_random`.
fn scaled(
    parent: &TrainableCheckpoint,
    entries: u16,
    bytes: &[u8],
    factor: i32,
    is_random: bool,
) -> Result<Vec<u8>, TrainingError> {
    let limits = Limits::with_entries(entries);
    // The draws follow from the update, so a trainer that restarts sends the same.
    let mut draws = blake3::Hasher::new().update(bytes).finalize_xof();
    let mut sign = || {
        let mut draw = [0];
        draws.fill(&mut draw);
        match is_random && draw[0] % 2 == 0 {
            true => -1,
            false => 1,
        }
    };
    let malformed = |error| ApplyError::Decode { update: 0, error };
    let update = Update::open(bytes, parent.trainable(), parent.id(), limits).map_err(malformed)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use noema_training::OtherTrainer;

    fn selected(behaviour: Behaviour, has_committed: bool) -> Option<Vec<u32>> {
        let others: [[u32; 2]; 2] = [[3, 5], [0, 4]];
        let others = others.iter().map(|shards| OtherTrainer {
            shards,
            has_committed,
        });
        Dishonest::new(behaviour).shards(&ShardAssignment {
            own: &[1, 2],
            others: others.collect(),
            dataset: 9,
        })
    }

    #[test]
    fn other_shards_are_assigned_to_no_trainer() {
        let free = Some(vec![6, 7]);
        assert_eq!(selected(Behaviour::OtherShards, false), free);
    }

    #[test]
    fn a_copy_waits_for_the_commitment_of_its_original() {
        assert_eq!(selected(Behaviour::Copy, false), None);
        assert_eq!(selected(Behaviour::Copy, true), Some(vec![3, 5]));
    }

    #[test]
    fn every_other_behaviour_trains_on_the_assigned_shards() {
        assert_eq!(selected(Behaviour::Flip, false), Some(vec![1, 2]));
        assert_eq!(selected(Behaviour::Silent, true), Some(vec![1, 2]));
    }
}
