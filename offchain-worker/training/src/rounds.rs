//! Rounds on one machine, without a chain: several trainers, each on different shards, and the next
//! checkpoint made of their contributions.

mod deal;
mod journal;
mod options;
mod overlap;

use super::{
    bits, evaluate, Judge, OtherTrainer, PlainMethod, ShardAssignment, Submitted,
    TrainableCheckpoint, TrainedUpdate, TrainingError, TrainingLoop, TrainingMethod, TrainingStep,
};
use deal::Shards;
use journal::Journal;
use noema_checkpoint::{layout::TensorKind, tile::TILE_BYTES, CheckpointId};
use noema_executor::Device;
use noema_model::{
    checkpoint::{Library, OpenCheckpoint, Successor},
    dataset::{OpenDataset, Shard},
};
use noema_rounds::{Refusal, Ruling};
use noema_update::{
    master::{self, GAIN_MAX, LEAF_BYTES, LINEAR_MAX},
    ApplyError, Limits, Update,
};
pub use options::RoundsOptions;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Thousandths of its entries that a contribution may share with an earlier one.
const MOST_SHARED: u32 = 500;

/// A trainer's results in a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContributionReport {
    /// The shards assigned to it, by their places in the dataset.
    pub shards: Vec<usize>,
    /// Loss on the trainer's own data before the round, in bits a token, by floats.
    pub loss_before: f64,
    /// The same after it, before compression.
    pub loss_after: f64,
    /// Tokens that its steps predicted in a second; 0 if the steps were made before this run continued.
    pub tokens_per_second: f64,
    /// Bytes of the contribution: of the update, or of a float for each weight; 0 if it sent none.
    pub bytes: u64,
    /// Its weight in the mean; 0 if it was refused.
    pub weight: u32,
    /// Why it was refused, if it was.
    pub refused: Option<String>,
    /// Thousandths of the smaller of the two that it shares with each contribution before it, in order; none
    /// if one of them is not an update. Empty without updates.
    pub overlap: Vec<Option<u32>>,
}

/// The results of a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundReport {
    /// The number of the round, from 1.
    pub round: u32,
    /// The resulting checkpoint.
    pub checkpoint: CheckpointId,
    /// Its loss on the evaluation shards, in bits a token, by the integer forward pass.
    pub loss: f64,
    /// The results of each trainer.
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

/// The results of all rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoundsReport {
    /// Loss of the first parent on the evaluation shards, in bits a token.
    pub loss_at_start: f64,
    /// Tokens on which the loss is computed.
    pub evaluation_tokens: u32,
    /// Weights that are trained.
    pub trained_weights: u64,
    /// Bytes of a float for each trained weight over the bytes of an update, on average.
    pub compression: f64,
    /// The rounds.
    pub rounds: Vec<RoundReport>,
}

/// An event while rounds run.
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
        step: &'a TrainingStep,
    },
    /// A round is over.
    Round(&'a RoundReport),
}

/// Rounds that are ready to run: every check that needs no loaded model has passed.
pub struct Run<'a> {
    checkpoint: OpenCheckpoint,
    dataset: &'a OpenDataset,
    shards: Shards,
    journal: Journal,
    options: RoundsOptions,
    /// The methods of trainers, by their numbers; the others have the plain one.
    methods: BTreeMap<u32, Arc<dyn TrainingMethod>>,
}

impl<'a> Run<'a> {
    /// Rounds from `checkpoint` on, or from the saved state.
    ///
    /// Shards are dealt out in an order that depends on the seed; the first ones are for evaluation.
    ///
    /// # Errors
    /// When an option is invalid, the dataset does not suit the checkpoint or has too few shards, or the
    /// state is damaged or that of other options.
    pub fn prepare(
        checkpoint: OpenCheckpoint,
        dataset: &'a OpenDataset,
        mut options: RoundsOptions,
    ) -> Result<Self, TrainingError> {
        options.validate()?;
        let architecture = checkpoint.architecture();
        options
            .training
            .select(&TrainableCheckpoint::trained(architecture)?)?;
        let context = architecture.context_length;
        let length = dataset.manifest().sequence_length;
        if length > context {
            return Err(TrainingError::SequenceLength {
                length: length as usize,
                context,
            });
        }
        let shards = Shards::deal(&checkpoint, dataset, &options)?;
        let journal = Journal::open(checkpoint.id(), dataset.root(), &mut options)?;
        Ok(Self {
            checkpoint,
            dataset,
            shards,
            journal,
            options,
            methods: BTreeMap::new(),
        })
    }

    /// Replaces the method of a trainer, by its number from 0. A method that waits for other trainers gets the
    /// assigned shards; one that does not reveal its contribution sends nothing. The saved state does not
    /// contain the methods, and dense averaging has no updates that they could change.
    #[must_use]
    pub fn with_method(mut self, trainer: u32, method: Arc<dyn TrainingMethod>) -> Self {
        self.methods.insert(trainer, method);
        self
    }

    /// The options, with the horizon of the saved state.
    pub fn options(&self) -> &RoundsOptions {
        &self.options
    }

    /// Runs the rounds; each round's checkpoint is written to the library under `home`. `progress` can stop
    /// at any step.
    ///
    /// # Errors
    /// When training fails. A state saved before training diverged does not prevent a run with other options:
    /// it starts over.
    pub fn run(
        mut self,
        device: &Device,
        home: &Path,
        progress: &mut dyn FnMut(RoundsEvent<'_>) -> ControlFlow<()>,
    ) -> Result<RoundsReport, TrainingError> {
        // From here on every trainer's state belongs to a run whose options are known.
        self.journal.save()?;
        let ran = rounds(&mut self, device, home, progress);
        if let Err(TrainingError::Diverged { .. }) = ran {
            self.journal.note_divergence();
        }
        ran
    }
}

fn rounds(
    run: &mut Run<'_>,
    device: &Device,
    home: &Path,
    progress: &mut dyn FnMut(RoundsEvent<'_>) -> ControlFlow<()>,
) -> Result<RoundsReport, TrainingError> {
    let Run {
        checkpoint,
        dataset,
        shards,
        journal,
        options,
        methods,
    } = run;
    let (dataset, options) = (*dataset, &*options);
    let library = Library::new(home);
    let mut parent = Arc::new(TrainableCheckpoint::read(checkpoint)?);
    let start = evaluate(parent.clone(), device, shards.evaluation())?;
    let _ = progress(RoundsEvent::Start(bits(&start)));
    let mut over = journal.rounds.iter().take(options.rounds as usize);
    for report in over.clone() {
        shards.skip(options.trainers as usize * options.shards as usize);
        let _ = progress(RoundsEvent::Round(report));
    }
    if let Some(last) = over.next_back() {
        *checkpoint = library.open(last.checkpoint)?;
        parent = Arc::new(TrainableCheckpoint::read(checkpoint)?);
    }

    let mut trainers = (0..options.trainers)
        .map(|index| trainer(&parent, index, device, options))
        .collect::<Result<Vec<_>, _>>()?;
    let trained_weights = trainers.first().map_or(0, TrainingLoop::trained_weights);
    let first = journal.rounds.len() as u32 + 1;
    for round in first..=options.rounds {
        let began = Instant::now();
        let mut made: Vec<Made> = Vec::new();
        for (index, trainer) in (0..).zip(&mut trainers) {
            if round > first {
                trainer.next_round(parent.clone())?;
            }
            let (places, assigned): (Vec<_>, Vec<_>) =
                shards.next(dataset, options.shards)?.into_iter().unzip();
            let method: &dyn TrainingMethod = match methods.get(&index) {
                Some(method) => &**method,
                None => &PlainMethod,
            };
            let others = other_shards(method, dataset, &places, &made)?;
            let given = others.as_deref().unwrap_or(&assigned);
            let batch = options.training.batch;
            let (contribution, tokens_per_second) = train(trainer, given, batch, &mut |step| {
                progress(RoundsEvent::Step {
                    round,
                    trainer: index,
                    step,
                })
            })?;
            let bytes = match method.reveals() {
                true => {
                    let entries = options.training.entries;
                    Some(method.update(&parent, entries, contribution.bytes)?)
                }
                false => None,
            };
            made.push(Made {
                report: ContributionReport {
                    shards: places,
                    loss_before: contribution.loss_before,
                    loss_after: contribution.loss_after,
                    tokens_per_second,
                    bytes: match &bytes {
                        Some(_) if options.dense => trained_weights * 4,
                        bytes => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
                    },
                    weight: 0,
                    refused: None,
                    overlap: Vec::new(),
                },
                bytes,
                assigned,
            });
        }
        let training_seconds = began.elapsed().as_secs_f64();

        let began = Instant::now();
        let rulings = if options.judged {
            weigh(&parent, device, shards.evaluation_shards(), &made, options)?
        } else {
            made.iter().map(unjudged).collect()
        };
        let judging_seconds = began.elapsed().as_secs_f64();
        for (made, ruling) in made.iter_mut().zip(rulings) {
            match ruling {
                Ruling::Accepted { weight } => made.report.weight = weight,
                Ruling::Refused(refusal) => made.report.refused = Some(format!("{refusal:?}")),
            }
        }
        if !options.dense {
            let sent: Vec<_> = made.iter().map(|made| made.bytes.as_deref()).collect();
            let shared = overlap::shared(
                &parent,
                Limits::with_entries(options.training.entries),
                &sent,
            );
            for (made, shared) in made.iter_mut().zip(shared) {
                made.report.overlap = shared;
            }
        }

        let began = Instant::now();
        let (masters, weights) = if options.dense {
            let changes = trainers.iter_mut().map(TrainingLoop::changes);
            average(&parent, &changes.collect::<Result<Vec<_>, _>>()?)
        } else {
            aggregate(&parent, &made, options.training.entries)?
        };
        let aggregation_seconds = began.elapsed().as_secs_f64();
        let successor = Successor {
            weights: &weights,
            masters: &masters,
        };
        *checkpoint = successor.write(checkpoint, &library)?;
        parent = Arc::new(TrainableCheckpoint::new(
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
            contributions: made.into_iter().map(|made| made.report).collect(),
            training_seconds,
            judging_seconds,
            aggregation_seconds,
            evaluation_seconds: began.elapsed().as_secs_f64(),
        };
        let _ = progress(RoundsEvent::Round(&report));
        journal.push(report)?;
    }
    let mut rounds = journal.rounds.clone();
    rounds.truncate(options.rounds as usize);
    let sent: Vec<u64> = rounds
        .iter()
        .flat_map(|round| round.contributions.iter().map(|c| c.bytes))
        .filter(|bytes| *bytes > 0)
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

/// The state file of trainer `index`.
fn trainer_state(folder: &Path, index: u32) -> PathBuf {
    folder.join(format!("trainer-{index}.state"))
}

fn trainer(
    parent: &Arc<TrainableCheckpoint>,
    index: u32,
    device: &Device,
    options: &RoundsOptions,
) -> Result<TrainingLoop, TrainingError> {
    let mut training = options.training.clone();
    training.seed = training.seed.wrapping_add(u64::from(index));
    let state = options.state.as_ref();
    let state = state.map(|folder| trainer_state(folder, index));
    TrainingLoop::new(parent.clone(), training, device, state.as_deref())
}

/// The shards that a trainer's method selects, if they are not those at `places`, which are assigned to it;
/// `made` is the work of the trainers before it.
fn other_shards(
    method: &dyn TrainingMethod,
    dataset: &OpenDataset,
    places: &[usize],
    made: &[Made],
) -> Result<Option<Vec<Shard>>, TrainingError> {
    let numbers = |places: &[usize]| -> Vec<u32> { places.iter().map(|at| *at as u32).collect() };
    let own = numbers(places);
    let before: Vec<Vec<u32>> = made.iter().map(|m| numbers(&m.report.shards)).collect();
    let others = before.iter().map(|shards| OtherTrainer {
        shards,
        has_committed: true,
    });
    let selected = method.shards(&ShardAssignment {
        own: &own,
        others: others.collect(),
        dataset: dataset.len() as u32,
    });
    let Some(selected) = selected.filter(|selected| *selected != own) else {
        return Ok(None);
    };
    let mut shards = Vec::with_capacity(selected.len());
    for place in selected {
        shards.push(dataset.shard(place as usize)?);
    }
    Ok(Some(shards))
}

/// Trains on `shards` for a round, `batch` sequences a step: the contribution, and the tokens that the steps
/// predicted in a second.
fn train(
    trainer: &mut TrainingLoop,
    shards: &[Shard],
    batch: u32,
    progress: &mut dyn FnMut(&TrainingStep) -> ControlFlow<()>,
) -> Result<(TrainedUpdate, f64), TrainingError> {
    let sequences: Vec<&[u32]> = shards.iter().flat_map(Shard::sequences).collect();
    let (mut steps, mut seconds) = (0u32, 0.0);
    let contribution = trainer.run(&sequences, &mut |step| {
        steps += 1;
        seconds += step.seconds;
        progress(step)
    })?;
    let predicted = sequences.first().map_or(0, |tokens| tokens.len() - 1);
    let tokens = f64::from(steps) * f64::from(batch) * predicted as f64;
    let rate = if seconds > 0.0 { tokens / seconds } else { 0.0 };
    Ok((contribution, rate))
}

/// A trainer's work in a round.
struct Made {
    report: ContributionReport,
    /// The bytes that it sent, if any.
    bytes: Option<Vec<u8>>,
    assigned: Vec<Shard>,
}

/// Without judges, all contributions have the same weight.
fn unjudged(made: &Made) -> Ruling {
    match made.bytes {
        Some(_) => Ruling::Accepted { weight: 1 },
        None => Ruling::Refused(Refusal::Unavailable),
    }
}

/// The validators' rulings on the contributions.
fn weigh(
    parent: &Arc<TrainableCheckpoint>,
    device: &Device,
    evaluation: &[Shard],
    made: &[Made],
    options: &RoundsOptions,
) -> Result<Vec<Ruling>, TrainingError> {
    let judge = Judge {
        parent,
        evaluation,
        limits: Limits::with_entries(options.training.entries),
        most_shared: MOST_SHARED,
        device,
    };
    let submitted: Vec<Submitted<'_>> = made
        .iter()
        .map(|made| Submitted {
            bytes: made.bytes.as_deref(),
            assigned: &made.assigned,
        })
        .collect();
    let (loss, findings) = judge.judge(&submitted)?;
    let findings: Vec<_> = findings.into_iter().map(Some).collect();
    Ok(noema_rounds::accept(loss, &findings))
}

/// Masters and tiles of `parent` with the contributions, each with its weight, applied; the parent's if none
/// has any.
fn aggregate(
    parent: &TrainableCheckpoint,
    made: &[Made],
    entries: u16,
) -> Result<(Vec<u8>, Vec<u8>), TrainingError> {
    let mut updates = Vec::with_capacity(made.len());
    for (index, made) in made.iter().enumerate() {
        let Some(bytes) = made.bytes.as_deref().filter(|_| made.report.weight > 0) else {
            continue;
        };
        let update = Update::open(
            bytes,
            parent.trainable(),
            parent.id(),
            Limits::with_entries(entries),
        );
        let update = update.map_err(|error| ApplyError::Decode {
            update: index,
            error,
        })?;
        updates.push((update, made.report.weight));
    }
    let changed = match updates.is_empty() {
        true => parent.clone(),
        false => parent.with(&updates)?,
    };
    Ok(changed.into_state())
}

/// Masters and tiles of `parent` with the mean of uncompressed changes applied.
fn average(parent: &TrainableCheckpoint, changes: &[Vec<(usize, Vec<i32>)>]) -> (Vec<u8>, Vec<u8>) {
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
