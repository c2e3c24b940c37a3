//! Scoring: the sheet of a validator.

use super::{Round, RoundsError};
use noema_executor::Device;
use noema_model::dataset::{OpenDataset, Shard};
use noema_rounds::ScoreSheet;
use noema_training::{Judge, Submitted, TrainableCheckpoint};
use noema_update::Limits;
use std::sync::Arc;

/// The shards that scoring needs: those of the evaluation and those of all contributors.
pub(super) fn needed(round: &Round) -> Vec<u32> {
    let assigned = round.contributors().into_iter();
    let assigned = assigned.flat_map(|trainer| trainer.shards.iter());
    round.evaluation.iter().chain(assigned).copied().collect()
}

/// Scores the contributions of `round` to `parent`, given the bytes that were available, in the order of the
/// contributions.
///
/// # Errors
/// If a shard cannot be read or the device fails.
pub fn score(
    round: &Round,
    parent: &Arc<TrainableCheckpoint>,
    dataset: &OpenDataset,
    device: &Device,
    received: &[Option<Vec<u8>>],
) -> Result<ScoreSheet, RoundsError> {
    let evaluation = shards(dataset, &round.evaluation)?;
    let contributors = round.contributors();
    let mut assigned = Vec::with_capacity(contributors.len());
    for trainer in &contributors {
        assigned.push(shards(dataset, &trainer.shards)?);
    }
    let submitted: Vec<Submitted<'_>> = contributors
        .iter()
        .zip(&assigned)
        .enumerate()
        .map(|(place, (trainer, assigned))| Submitted {
            bytes: received.get(place).and_then(Option::as_deref).map(|bytes| {
                match trainer.contribution {
                    Some(named) if is_named(named, bytes) => bytes,
                    // Bytes with another hash or size are not the update.
                    _ => &[],
                }
            }),
            assigned,
        })
        .collect();
    let judge = judge(round, parent, &evaluation, device);
    let (parent, findings) = judge.judge(&submitted)?;
    Ok(ScoreSheet {
        parent,
        findings: findings.try_into().unwrap_or_default(),
    })
}

/// The judge of the contributions of `round`.
pub(super) fn judge<'a>(
    round: &Round,
    parent: &'a Arc<TrainableCheckpoint>,
    evaluation: &'a [Shard],
    device: &'a Device,
) -> Judge<'a> {
    Judge {
        parent,
        evaluation,
        limits: limits(round),
        most_shared: round.rules.max_overlap.deconstruct() / 1_000,
        device,
    }
}

/// The limits of updates in a round.
pub(super) fn limits(round: &Round) -> Limits {
    Limits::with_entries(round.rules.entries_per_chunk)
}

fn is_named(named: noema_rounds::Contribution, bytes: &[u8]) -> bool {
    bytes.len() as u64 == u64::from(named.bytes)
        && blake3::hash(bytes).as_bytes() == named.update.as_fixed_bytes()
}

pub(super) fn shards(dataset: &OpenDataset, indices: &[u32]) -> Result<Vec<Shard>, RoundsError> {
    indices
        .iter()
        .map(|index| Ok(dataset.shard(*index as usize)?))
        .collect()
}
