//! Rounds on one machine, without a chain: several trainers, each on shards of its own, and the next
//! checkpoint made of what they contribute.

mod deal;
mod journal;

use super::{
    bits, evaluate, Contribution, Judge, Parent, Sabotage, Step, Submitted, Trainer, TrainingError,
    TrainingOptions,
};
use crate::{
    checkpoint::{Library, OpenCheckpoint, Successor},
    dataset::{Dataset, Shard},
};
use deal::Shards;
use journal::Journal;
use noema_checkpoint::{layout::TensorKind, tile::TILE_BYTES, CheckpointId};
use noema_executor::Device;
use noema_rounds::Ruling;
use noema_update::{
    apply,
    master::{self, GAIN_MAX, LEAF_BYTES, LINEAR_MAX},
    ApplyError, Limits, Update,
};
use serde::{Deserialize, Serialize};
use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Thousandths of its entries that a contribution may share with an earlier one.
const MOST_SHARED: u32 = 500;

/// How rounds are run.
#[derive(Clone, Debug)]
pub struct RoundsOptions {
    /// Rounds to run.
    pub rounds: u32,
    /// Trainers that take part in each.
    pub trainers: u32,
    /// Shards that each trainer has in a round.
    pub shards: u32,
    /// Shards that nobody trains on and the loss is taken on.
    pub evaluation_shards: u32,
    /// How each trainer trains; the seed of trainer `i` is `i` more.
    pub training: TrainingOptions,
    /// Average what the trainers changed without compressing it: what compression is compared with.
    pub dense: bool,
    /// Judge the contributions as validators do, refuse those that do not help, and weigh the others
    /// by how much they do; otherwise all weigh the same.
    pub judged: bool,
    /// The last trainer spoils its contributions in this way.
    pub sabotage: Option<Sabotage>,
    /// Folder for the trainers' states and the rounds that are over, from which a run that was
    /// stopped or killed goes on.
    pub state: Option<PathBuf>,
}

/// What a trainer did in a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContributionReport {
    /// Loss on the trainer's own data before the round, in bits a token.
    pub loss_before: f64,
    /// The same after it, before compression.
    pub loss_after: f64,
    /// Bytes of the contribution: of the update, or of a float for each weight.
    pub bytes: u64,
    /// Its weight in the mean; 0 if it was refused.
    pub weight: u32,
}

/// What a round did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundReport {
    /// Which round, from 1.
    pub round: u32,
    /// The checkpoint that it made.
    pub checkpoint: CheckpointId,
    /// Its loss on the evaluation shards, in bits a token, by the integer forward pass.
    pub loss: f64,
    /// What each trainer did.
    pub contributions: Vec<ContributionReport>,
    /// Seconds that its trainers took, one after the other.
    pub training_seconds: f64,
    /// Seconds that judging all contributions took.
    pub judging_seconds: f64,
    /// Seconds that aggregation took.
    pub aggregation_seconds: f64,
    /// Seconds that the evaluation took.
    pub evaluation_seconds: f64,
}

/// What all rounds did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoundsReport {
    /// Loss of the first parent on the evaluation shards, in bits a token.
    pub loss_at_start: f64,
    /// Tokens that the loss is taken on.
    pub evaluation_tokens: u32,
    /// Weights that are trained.
    pub trained_weights: u64,
    /// Bytes of a float for each trained weight over the bytes of an update, on average.
    pub compression: f64,
    /// The rounds.
    pub rounds: Vec<RoundReport>,
}

/// What is told while rounds run.
#[derive(Clone, Copy, Debug)]
pub enum RoundsEvent<'a> {
    /// The loss of the first parent.
    Start(f64),
    /// A trainer, from 0, made a step of a round, from 1.
    Step {
        /// The round.
        round: u32,
        /// The trainer.
        trainer: u32,
        /// The step.
        step: &'a Step,
    },
    /// A round is over.
    Round(&'a RoundReport),
}

/// Runs rounds from `checkpoint`; each round's checkpoint goes to the library under `home`.
/// `progress` can stop at any step.
///
/// Shards are dealt out in an order that follows from the seed; the first of it are for evaluation.
///
/// # Errors
/// When the dataset is not the checkpoint's, has too few shards, or training fails.
pub fn run(
    checkpoint: OpenCheckpoint,
    dataset: &Dataset,
    device: &Device,
    home: &Path,
    options: &RoundsOptions,
    progress: &mut dyn FnMut(RoundsEvent<'_>) -> ControlFlow<()>,
) -> Result<RoundsReport, TrainingError> {
    let mut shards = Shards::deal(&checkpoint, dataset, options)?;
    let library = Library::new(home);
    let mut journal = Journal::open(checkpoint.id(), dataset.root(), options)?;
    let mut checkpoint = checkpoint;
    let mut parent = Arc::new(Parent::read(&checkpoint)?);
    let start = evaluate(parent.clone(), device, shards.evaluation())?;
    let _ = progress(RoundsEvent::Start(bits(&start)));
    for report in &journal.rounds {
        shards.skip(options.trainers as usize * options.shards as usize);
        let _ = progress(RoundsEvent::Round(report));
    }
    if let Some(last) = journal.rounds.last() {
        checkpoint = library.open(last.checkpoint)?;
        parent = Arc::new(Parent::read(&checkpoint)?);
    }

    let mut trainers = (0..options.trainers)
        .map(|index| trainer(&parent, index, device, options))
        .collect::<Result<Vec<_>, _>>()?;
    let trained_weights = trainers.first().map_or(0, Trainer::trained_weights);
    let first = journal.rounds.len() as u32 + 1;
    for round in first..=options.rounds {
        let began = Instant::now();
        let (mut contributions, mut assigned) = (Vec::new(), Vec::new());
        for (index, trainer) in (0..).zip(&mut trainers) {
            if round > first {
                trainer.next_round(parent.clone())?;
            }
            let own = shards.next(dataset, options.shards)?;
            let sequences: Vec<&[u32]> = own.iter().flat_map(Shard::sequences).collect();
            let mut contribution = trainer.run(&sequences, &mut |step| {
                progress(RoundsEvent::Step {
                    round,
                    trainer: index,
                    step,
                })
            })?;
            let spoils = options.sabotage.filter(|_| index + 1 == options.trainers);
            if let Some(sabotage) = spoils {
                let entries = options.training.entries;
                contribution.bytes = sabotage.spoil(&parent, entries, contribution.bytes)?;
            }
            contributions.push(contribution);
            assigned.push(own);
        }
        let training_seconds = began.elapsed().as_secs_f64();

        let began = Instant::now();
        let given = if options.judged {
            let evaluation = shards.evaluation_shards();
            weigh(
                &parent,
                device,
                evaluation,
                &contributions,
                &assigned,
                options,
            )?
        } else {
            vec![1; contributions.len()]
        };
        let judging_seconds = began.elapsed().as_secs_f64();

        let began = Instant::now();
        let (masters, weights) = if options.dense {
            let changes = trainers.iter_mut().map(Trainer::changes);
            average(&parent, &changes.collect::<Result<Vec<_>, _>>()?)
        } else {
            aggregate(&parent, &contributions, &given, options.training.entries)?
        };
        let aggregation_seconds = began.elapsed().as_secs_f64();
        let successor = Successor {
            weights: &weights,
            masters: &masters,
        };
        checkpoint = successor.write(&checkpoint, &library)?;
        parent = Arc::new(Parent::new(
            checkpoint.id(),
            checkpoint.architecture(),
            checkpoint.exponents(),
            weights,
            masters,
        )?);

        let began = Instant::now();
        let loss = evaluate(parent.clone(), device, shards.evaluation())?;
        let report = RoundReport {
            round,
            checkpoint: checkpoint.id(),
            loss: bits(&loss),
            contributions: contributions
                .iter()
                .zip(&given)
                .map(|(c, weight)| ContributionReport {
                    weight: *weight,
                    loss_before: c.loss_before,
                    loss_after: c.loss_after,
                    bytes: if options.dense {
                        trained_weights * 4
                    } else {
                        c.bytes.len() as u64
                    },
                })
                .collect(),
            training_seconds,
            judging_seconds,
            aggregation_seconds,
            evaluation_seconds: began.elapsed().as_secs_f64(),
        };
        let _ = progress(RoundsEvent::Round(&report));
        journal.push(report)?;
    }
    let rounds = journal.rounds;
    let sent: Vec<u64> = rounds
        .iter()
        .flat_map(|round| round.contributions.iter().map(|c| c.bytes))
        .collect();
    let mean = sent.iter().sum::<u64>() as f64 / sent.len().max(1) as f64;
    Ok(RoundsReport {
        loss_at_start: bits(&start),
        evaluation_tokens: start.tokens,
        trained_weights,
        compression: trained_weights as f64 * 4.0 / mean.max(1.0),
        rounds,
    })
}

fn trainer(
    parent: &Arc<Parent>,
    index: u32,
    device: &Device,
    options: &RoundsOptions,
) -> Result<Trainer, TrainingError> {
    let mut training = options.training.clone();
    training.seed = training.seed.wrapping_add(u64::from(index));
    let state = options
        .state
        .as_ref()
        .map(|folder| folder.join(format!("trainer-{index}.state")));
    Trainer::new(parent.clone(), training, device, state.as_deref())
}

/// The weight of each contribution as validators find it; 0 for one that is refused.
fn weigh(
    parent: &Arc<Parent>,
    device: &Device,
    evaluation: &[Shard],
    contributions: &[Contribution],
    assigned: &[Vec<Shard>],
    options: &RoundsOptions,
) -> Result<Vec<u32>, TrainingError> {
    let judge = Judge {
        parent,
        evaluation,
        limits: limits(options.training.entries),
        most_shared: MOST_SHARED,
        device,
    };
    let submitted: Vec<Submitted<'_>> = contributions
        .iter()
        .zip(assigned)
        .map(|(contribution, assigned)| Submitted {
            bytes: Some(&contribution.bytes),
            assigned,
        })
        .collect();
    let (loss, findings) = judge.judge(&submitted)?;
    let findings: Vec<_> = findings.into_iter().map(Some).collect();
    let rulings = noema_rounds::accept(loss, &findings);
    Ok(rulings
        .into_iter()
        .map(|ruling| match ruling {
            Ruling::Accepted { weight } => weight,
            Ruling::Refused(_) => 0,
        })
        .collect())
}

fn limits(entries: u16) -> Limits {
    Limits {
        entries,
        ..Limits::default()
    }
}

/// Masters and tiles of what the contributions, each with its weight, make of `parent`; the parent's
/// where none has any.
fn aggregate(
    parent: &Parent,
    contributions: &[Contribution],
    given: &[u32],
    entries: u16,
) -> Result<(Vec<u8>, Vec<u8>), TrainingError> {
    let (mut masters, mut weights) = (parent.masters().to_vec(), parent.weights().to_vec());
    let mut updates = Vec::with_capacity(contributions.len());
    for (index, (contribution, weight)) in contributions.iter().zip(given).enumerate() {
        if *weight == 0 {
            continue;
        }
        let bytes = &contribution.bytes;
        let update = Update::open(bytes, parent.trainable(), parent.id(), limits(entries));
        let update = update.map_err(|error| ApplyError::Decode {
            update: index,
            error,
        })?;
        updates.push((update, *weight));
    }
    if !updates.is_empty() {
        apply(&updates, parent.exponents(), &mut masters, &mut weights)?;
    }
    Ok((masters, weights))
}

/// Masters and tiles of what the mean of uncompressed changes makes of `parent`.
fn average(parent: &Parent, changes: &[Vec<(usize, Vec<i32>)>]) -> (Vec<u8>, Vec<u8>) {
    let (mut masters, mut weights) = (parent.masters().to_vec(), parent.weights().to_vec());
    let leaves = masters.as_chunks_mut::<LEAF_BYTES>().0;
    let tiles = weights.as_chunks_mut::<TILE_BYTES>().0;
    let trained = changes.first().map(Vec::as_slice).unwrap_or_default();
    for (place, (index, _)) in trained.iter().enumerate() {
        let spec = &parent.specs()[*index];
        let gain = matches!(spec.kind, TensorKind::Gain { .. });
        let limit = i64::from(if gain { GAIN_MAX } else { LINEAR_MAX });
        for tile in 0..spec.tiles as usize {
            let at = spec.offset_tiles as usize + tile;
            let mut leaf = master::from_bytes(&leaves[at]);
            let coordinates = tile * leaf.len()..;
            for (coordinate, m) in coordinates.zip(&mut leaf) {
                let own = changes
                    .iter()
                    .map(|own| i64::from(own[place].1[coordinate]));
                let mean = own.sum::<i64>() / changes.len() as i64;
                *m = (i64::from(*m) + mean).clamp(-limit, limit) as i32;
            }
            leaves[at] = master::to_bytes(&leaf);
            if gain {
                tiles[at].copy_from_slice(&leaves[at][..TILE_BYTES]);
            } else {
                tiles[at] = master::requantise(&leaf);
            }
        }
    }
    (masters, weights)
}
