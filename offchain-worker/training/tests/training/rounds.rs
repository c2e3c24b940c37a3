//! Several trainers and their aggregation.

use crate::support::{divergent, options, World};
use noema_checkpoint::SourceFormat;
use noema_dishonest_trainer::{Behaviour, Dishonest};
use noema_executor::Device;
use noema_model::{
    checkpoint::{CheckpointError, Library, MASTERS},
    dataset::OpenDataset,
};
use noema_training::{
    rounds::{ContributionReport, RoundReport, RoundsEvent, RoundsOptions, RoundsReport, Run},
    ShardAssignment, TrainableCheckpoint, TrainingError, TrainingMethod, TrainingOptions,
};
use std::{
    collections::HashSet,
    fs,
    ops::ControlFlow,
    sync::{Arc, Mutex},
};

fn rounds(trainers: u32, dense: bool) -> RoundsOptions {
    RoundsOptions {
        rounds: 3,
        trainers,
        shards: 1,
        evaluation_shards: 2,
        training: options(),
        default_horizon: false,
        dense,
        judged: false,
        state: None,
    }
}

fn simulate(world: &World, options: &RoundsOptions) -> Result<RoundsReport, TrainingError> {
    run(world, prepare(world, options)?)
}

fn run(world: &World, run: Run<'_>) -> Result<RoundsReport, TrainingError> {
    let home = world.file("home");
    let device = Device::cpu(None);
    run.run(&device, &home, &mut |_| ControlFlow::Continue(()))
}

fn prepare<'a>(world: &'a World, options: &RoundsOptions) -> Result<Run<'a>, TrainingError> {
    Run::prepare(world.checkpoint(), &world.dataset, options.clone())
}

/// Rounds with judges, in which some of `trainers` have a method of their own.
fn judged(
    world: &World,
    count: u32,
    trainers: u32,
    methods: impl IntoIterator<Item = (u32, Arc<dyn TrainingMethod>)>,
) -> Vec<RoundReport> {
    let options = RoundsOptions {
        judged: true,
        rounds: count,
        ..rounds(trainers, false)
    };
    let mut prepared = prepare(world, &options).expect("is valid");
    for (trainer, method) in methods {
        prepared = prepared.with_method(trainer, method);
    }
    run(world, prepared).expect("trains").rounds
}

fn dishonest(behaviour: Behaviour) -> Arc<dyn TrainingMethod> {
    Arc::new(Dishonest::new(behaviour))
}

#[test]
fn rounds_lower_the_loss_on_data_outside_the_training_set() {
    let world = World::new();
    let report = simulate(&world, &rounds(2, false)).expect("trains");
    assert_eq!(report.rounds.len(), 3);
    let mut before = report.loss_at_start;
    for round in &report.rounds {
        assert_eq!(round.contributions.len(), 2);
        assert!(round.loss < before, "{} -> {}", before, round.loss);
        before = round.loss;
    }
    assert!(report.compression > 20.0, "{}", report.compression);
}

#[test]
fn each_round_leaves_a_checkpoint_that_is_whole() {
    let world = World::new();
    let report = simulate(&world, &rounds(2, false)).expect("trains");
    let library = Library::new(&world.file("home"));
    for round in &report.rounds {
        let checkpoint = library.open(round.checkpoint).expect("opens");
        checkpoint.verify(&|_| ()).expect("is valid");
        assert_eq!(checkpoint.manifest().source.format, SourceFormat::Training);
        checkpoint.masters().expect("are those of the manifest");
    }
    let last = library.open(report.rounds[2].checkpoint).expect("opens");
    let path = last.directory().join(MASTERS);
    let mut masters = fs::read(&path).unwrap();
    masters[5] ^= 1;
    fs::write(&path, &masters).unwrap();
    assert!(matches!(last.masters(), Err(CheckpointError::Hash { .. })));
    fs::write(&path, &masters[1..]).unwrap();
    assert!(matches!(last.masters(), Err(CheckpointError::Size { .. })));
}

#[test]
fn the_same_rounds_make_the_same_checkpoints() {
    let world = World::new();
    let ids = || {
        let report = simulate(&world, &rounds(2, false)).expect("trains");
        let ids = report.rounds.iter().map(|round| round.checkpoint);
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(), ids());
}

#[test]
fn a_report_says_what_each_trainer_did() {
    let world = World::new();
    let report = simulate(&world, &rounds(3, false)).expect("trains");
    let mut shards = HashSet::new();
    for (place, contribution) in report.rounds[0].contributions.iter().enumerate() {
        assert!(contribution
            .shards
            .iter()
            .all(|shard| shards.insert(*shard)));
        assert!(contribution.tokens_per_second > 0.0);
        assert_eq!((contribution.weight, &contribution.refused), (1, &None));
        assert_eq!(contribution.overlap.len(), place);
        let shared = contribution.overlap.iter().flatten();
        assert!(shared.clone().count() == place && shared.clone().all(|permill| *permill < 1_000));
    }
    assert_eq!(shards.len(), 3);
}

/// The same three trainers, on the same shards, with a fourth that sends an update that makes the model worse
/// and with one that sends nothing.
#[test]
fn what_is_refused_leaves_no_trace() {
    let world = World::new();
    let with = |behaviour| judged(&world, 2, 4, [(3, dishonest(behaviour))]);
    let (poisoned, silent) = (with(Behaviour::Flip), with(Behaviour::Silent));
    for (poisoned, silent) in poisoned.iter().zip(&silent) {
        assert_eq!(poisoned.checkpoint, silent.checkpoint);
        let (flipped, nothing) = (&poisoned.contributions[3], &silent.contributions[3]);
        assert_eq!(flipped.refused.as_deref(), Some("DoesNotHelp"));
        assert_eq!(nothing.refused.as_deref(), Some("Unavailable"));
        assert_eq!((flipped.weight, nothing.weight, nothing.bytes), (0, 0, 0));
        assert_eq!(nothing.overlap, [None; 3]);
    }
}

#[test]
fn a_trainer_that_sends_nothing_weighs_nothing_without_judges_too() {
    let world = World::new();
    let prepared = prepare(&world, &rounds(2, false)).expect("is valid");
    let prepared = prepared.with_method(1, dishonest(Behaviour::Silent));
    let report = run(&world, prepared).expect("trains");
    for round in &report.rounds {
        let weights = round.contributions.iter().map(|c| c.weight);
        assert_eq!(weights.collect::<Vec<_>>(), [1, 0]);
    }
}

/// Trains on the shards of the trainer that joined first.
struct ShardsOfFirst;

impl TrainingMethod for ShardsOfFirst {
    fn shards(&self, assignment: &ShardAssignment<'_>) -> Option<Vec<u32>> {
        assignment.others.first().map(|first| first.shards.to_vec())
    }
}

#[test]
fn who_trains_on_the_shards_of_another_is_refused() {
    let world = World::new();
    let method: Arc<dyn TrainingMethod> = Arc::new(ShardsOfFirst);
    let rounds = judged(&world, 1, 2, [(1, method)]);
    let [honest, other] = &rounds[0].contributions[..] else {
        panic!("there are two trainers");
    };
    assert_ne!(honest.shards, other.shards);
    assert_eq!(other.weight, 0, "{:?}", rounds[0].contributions);
}

/// Notes the update of a trainer, or contributes the noted one at twice its scale.
struct Noted {
    update: Arc<Mutex<Vec<u8>>>,
    copies: bool,
}

impl TrainingMethod for Noted {
    fn update(
        &self,
        parent: &TrainableCheckpoint,
        entries: u16,
        trained: Vec<u8>,
    ) -> Result<Vec<u8>, TrainingError> {
        let mut noted = self.update.lock().expect("no panic");
        if self.copies {
            let copy = Dishonest::new(Behaviour::Copy);
            return copy.update(parent, entries, noted.clone());
        }
        noted.clone_from(&trained);
        Ok(trained)
    }
}

#[test]
fn a_copy_is_refused_at_any_scale() {
    let world = World::new();
    let update = Arc::<Mutex<Vec<u8>>>::default();
    let method = |copies| -> Arc<dyn TrainingMethod> {
        let update = Arc::clone(&update);
        Arc::new(Noted { update, copies })
    };
    let rounds = judged(&world, 1, 3, [(0, method(false)), (2, method(true))]);
    let copy = &rounds[0].contributions[2];
    assert_eq!(copy.refused.as_deref(), Some("Copy"));
    assert_eq!(copy.overlap[0], Some(1_000));
}

#[test]
fn dense_averaging_is_there_to_compare_with() {
    let world = World::new();
    let report = simulate(&world, &rounds(1, true)).expect("trains");
    assert_eq!(report.compression, 1.0);
    let last = report.rounds.last().expect("three rounds");
    assert!(last.loss < report.loss_at_start - 0.5);
    // With one trainer, the next parent is the trainer's result, up to rounding.
    let library = Library::new(&world.file("home"));
    let checkpoint = library.open(last.checkpoint).expect("opens");
    checkpoint.verify(&|_| ()).expect("is valid");
}

/// Stops in the second of three rounds, when the first of two trainers already has its update.
#[test]
fn rounds_that_were_stopped_go_on() {
    let world = World::new();
    let whole = simulate(&world, &rounds(2, false)).expect("trains");
    let options = RoundsOptions {
        state: Some(world.file("states")),
        ..rounds(2, false)
    };
    let run = prepare(&world, &options).expect("is valid");
    let stopped = run.run(
        &Device::cpu(None),
        &world.file("home"),
        &mut |event| match event {
            RoundsEvent::Step {
                round: 2,
                trainer: 1,
                step,
            } if step.done == 4 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        },
    );
    assert!(matches!(stopped, Err(TrainingError::Stopped { step: 4 })));
    let resumed = simulate(&world, &options).expect("continues");
    let results = |report: &RoundsReport| {
        let bytes = |c: &ContributionReport| c.bytes;
        let of = |round: &RoundReport| {
            let bytes = round.contributions.iter().map(bytes);
            (round.checkpoint, bytes.collect::<Vec<_>>())
        };
        report.rounds.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(results(&resumed), results(&whole));

    let mut other = RoundsOptions {
        trainers: 1,
        ..options
    };
    other.training.learning_rate = 0.25;
    let refused = prepare(&world, &other).err().expect("is refused");
    assert!(matches!(refused, TrainingError::OtherState { .. }));
    let message = refused.to_string();
    let differing = "--trainers was 2 and is 1, --learning-rate was 0.005 and is 0.25. Give those";
    assert!(message.contains(differing), "{message}");
    assert!(message.contains("or remove"), "{message}");
}

fn with_state(world: &World, count: u32) -> RoundsOptions {
    let base = options();
    RoundsOptions {
        rounds: count,
        training: TrainingOptions {
            horizon: TrainingOptions::default_horizon(count, base.steps, base.warmup),
            ..base
        },
        default_horizon: true,
        state: Some(world.file("states")),
        ..rounds(1, false)
    }
}

/// The learning rate of completed rounds was set by the horizon of their run.
#[test]
fn rounds_go_on_with_more_of_them_and_the_horizon_they_had() {
    let world = World::new();
    let ids = |report: &RoundsReport| {
        let ids = report.rounds.iter().map(|round| round.checkpoint);
        ids.collect::<Vec<_>>()
    };
    let two = simulate(&world, &with_state(&world, 2)).expect("trains");
    let run = prepare(&world, &with_state(&world, 4)).expect("continues");
    assert_eq!(run.options().training.horizon, 24);
    let four = simulate(&world, &with_state(&world, 4)).expect("continues");
    assert_eq!(ids(&four).len(), 4);
    assert_eq!(ids(&four)[..2], ids(&two));
    let fewer = simulate(&world, &with_state(&world, 1)).expect("is over");
    assert_eq!(ids(&fewer), ids(&two)[..1]);
    let again = simulate(&world, &with_state(&world, 4)).expect("is over");
    assert_eq!(ids(&again), ids(&four), "completed rounds are kept");

    let asked = RoundsOptions {
        default_horizon: false,
        ..with_state(&world, 4)
    };
    let refused = prepare(&world, &asked).err().expect("is refused");
    let message = refused.to_string();
    assert!(
        message.contains("--horizon was 24 and is 48. Give"),
        "{message}"
    );
}

#[test]
fn rounds_that_diverged_do_not_block_those_with_other_options() {
    let world = World::new();
    let diverging = RoundsOptions {
        training: divergent(),
        ..with_state(&world, 2)
    };
    let diverged = simulate(&world, &diverging);
    assert!(matches!(diverged, Err(TrainingError::Diverged { .. })));
    let sane = simulate(&world, &with_state(&world, 2)).expect("starts over");
    let without_state = RoundsOptions {
        state: None,
        ..with_state(&world, 2)
    };
    let expected = simulate(&world, &without_state).expect("trains");
    assert_eq!(sane.rounds.len(), 2);
    let last = |report: &RoundsReport| report.rounds[1].checkpoint;
    assert_eq!(last(&sane), last(&expected));
}

/// A run that was stopped in its first step leaves no state that could conflict with other options.
#[test]
fn a_state_without_a_step_does_not_block_other_options() {
    let world = World::new();
    let began = prepare(&world, &with_state(&world, 2)).expect("is valid");
    let mut seen = 0;
    let home = world.file("home");
    let gone = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        began.run(&Device::cpu(None), &home, &mut |_| {
            seen += 1;
            panic!("killed");
        })
    }));
    assert!(gone.is_err() && seen == 1);
    let other = RoundsOptions {
        trainers: 2,
        ..with_state(&world, 2)
    };
    assert!(prepare(&world, &other).is_ok());
}

/// No device is involved, so no model is loaded.
#[test]
fn options_are_checked_before_a_model_is_loaded() {
    let world = World::new();
    let refusal = |edit: &dyn Fn(&mut RoundsOptions)| {
        let mut options = rounds(1, false);
        edit(&mut options);
        let refused = prepare(&world, &options).err().expect("is refused");
        refused.to_string()
    };
    let rate = refusal(&|options| options.training.learning_rate = 2.0);
    assert!(rate.starts_with("--learning-rate must be from"), "{rate}");
    let rounds = refusal(&|options| options.rounds = 0);
    assert!(rounds.starts_with("--rounds must be from 1"), "{rounds}");
    let tensor = refusal(&|options| options.training.tensors = vec!["layers.99.*".into()]);
    assert!(tensor.contains("layers.99.*"), "{tensor}");
    let shards = refusal(&|options| options.shards = 99);
    assert!(shards.contains("101 are needed, of which 2"), "{shards}");
}

#[test]
fn a_dataset_that_does_not_suit_is_refused() {
    let mut world = World::new();
    let mut many = rounds(1, false);
    many.trainers = world.dataset.len() as u32;
    let refused = simulate(&world, &many);
    assert!(matches!(refused, Err(TrainingError::TooFewShards { .. })));

    let directory = world.file("dataset");
    let path = directory.join("manifest.json");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["tokenizer_hash"] = serde_json::json!(noema_checkpoint::H256::zero());
    fs::write(&path, manifest.to_string()).unwrap();
    world.dataset = OpenDataset::open(&directory).expect("is well-formed");
    let refused = simulate(&world, &rounds(1, false));
    assert!(matches!(refused, Err(TrainingError::OtherTokenizer)));
}
