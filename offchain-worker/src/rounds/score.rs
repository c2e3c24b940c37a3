//! Scoring: what each contribution does to the parent, in exact integers.

use super::{Round, RoundsError};
use crate::dataset::{Dataset, Shard};
use crate::training::{evaluate, Parent};
use noema_executor::Device;
use noema_rounds::{Finding, Losses, ScoreSheet};
use noema_update::{overlap, Limits, Update};
use sp_core::H256;
use std::{collections::BTreeMap, sync::Arc};

/// What a validator got hold of, in the order of the contributions.
pub type Received = Vec<Option<Vec<u8>>>;

/// Scores the contributions of `round` to `parent`. Two honest validators that received the same
/// bytes return the same sheet, whatever they compute on.
///
/// # Errors
/// When a shard cannot be read or the device fails.
pub fn score(
    round: &Round,
    parent: &Arc<Parent>,
    dataset: &Dataset,
    device: &Device,
    received: &[Option<Vec<u8>>],
) -> Result<ScoreSheet, RoundsError> {
    let evaluation = shards(dataset, &round.evaluation)?;
    let loss_of_parent = loss(parent.clone(), device, &evaluation)?;
    let opened: Vec<Option<Result<Update<'_>, Finding>>> = round
        .contributors()
        .iter()
        .zip(received)
        .map(|(trainer, bytes)| {
            let bytes = bytes.as_deref()?;
            let contribution = trainer.contribution?;
            Some(open(
                round,
                parent,
                contribution.bytes,
                contribution.update,
                bytes,
            ))
        })
        .collect();
    // Losses of the parent on the shards of trainers, which may share them.
    let mut before = BTreeMap::<Vec<u32>, u64>::new();
    let mut findings = Vec::new();
    for (place, trainer) in round.contributors().into_iter().enumerate() {
        let update = match opened.get(place) {
            Some(Some(Ok(update))) => *update,
            Some(Some(Err(finding))) => {
                findings.push(*finding);
                continue;
            }
            _ => {
                findings.push(Finding::Unavailable);
                continue;
            }
        };
        if let Some(of) = copied(&update, &opened[..place], round) {
            findings.push(Finding::Copy { of });
            continue;
        }
        let assigned = shards(dataset, &trainer.shards)?;
        let key = trainer.shards.to_vec();
        let without = match before.get(&key) {
            Some(loss) => *loss,
            None => loss(parent.clone(), device, &assigned)?,
        };
        before.insert(key, without);
        let changed = Arc::new(parent.with(&[(update, 1)])?);
        findings.push(Finding::Scored {
            assigned: Losses {
                before: without,
                after: loss(changed.clone(), device, &assigned)?,
            },
            evaluation: loss(changed, device, &evaluation)?,
        });
    }
    Ok(ScoreSheet {
        parent: loss_of_parent,
        findings: findings.try_into().unwrap_or_default(),
    })
}

/// The updates that a round allows.
pub(super) fn limits(round: &Round) -> Limits {
    Limits {
        entries: round.rules.entries_per_chunk,
        ..Limits::default()
    }
}

fn open<'a>(
    round: &Round,
    parent: &'a Parent,
    size: u32,
    hash: H256,
    bytes: &'a [u8],
) -> Result<Update<'a>, Finding> {
    let is_named = bytes.len() as u64 == u64::from(size)
        && blake3::hash(bytes).as_bytes() == hash.as_fixed_bytes();
    if !is_named {
        return Err(Finding::Malformed);
    }
    let update = Update::open(bytes, parent.trainable(), round.parent, limits(round))
        .map_err(|_| Finding::Malformed)?;
    update.check().map_err(|_| Finding::Malformed)?;
    Ok(update)
}

/// The earliest contribution that `update` shares more with than the rules allow.
fn copied(
    update: &Update<'_>,
    earlier: &[Option<Result<Update<'_>, Finding>>],
    round: &Round,
) -> Option<u32> {
    let most = round.rules.max_overlap.deconstruct() / 1_000;
    let place = earlier.iter().position(|other| match other {
        Some(Ok(other)) => overlap(other, update).is_ok_and(|shared| shared.permill() > most),
        _ => false,
    })?;
    u32::try_from(place).ok()
}

pub(super) fn shards(dataset: &Dataset, indices: &[u32]) -> Result<Vec<Shard>, RoundsError> {
    indices
        .iter()
        .map(|index| Ok(dataset.shard(*index as usize)?))
        .collect()
}

/// The loss on all tokens of `shards`, in units of 2^-16 bit.
pub(super) fn loss(
    model: Arc<Parent>,
    device: &Device,
    shards: &[Shard],
) -> Result<u64, RoundsError> {
    let sequences = shards.iter().flat_map(Shard::sequences);
    Ok(evaluate(model, device, sequences)?.sum)
}
