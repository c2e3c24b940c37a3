//! Disputes over steps, measured: `cargo run -p noema-trace --example disputes -- <checkpoint folder> [tokens of the
//! answer] [honest checks] [forgeries]`.
//!
//! Traces of the checkpoint's answer and of the loss of a text are built by the definition, and those of tiny models with
//! the operators that it lacks. Steps of every kind are executed from their evidence, as they are, and with one false
//! output, in a whole game. Prints one JSON object.

mod game;
mod world;

use game::{play, Forged, Played};
use noema_checkpoint::Manifest;
use noema_numerics::{
    testing::{Random, TestModel},
    Architecture, End, Network, Sampling,
};
use noema_protocol::{hashing::merkle_leaf, merkle::Place};
use noema_trace::{
    leaf, AnswerExecution, StepKind, TokensOf, TraceShape, TracedCheckpoint, TracedExecution,
};
use serde_json::json;
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    path::PathBuf,
    time::{Duration, Instant},
};
use world::{Checkpoint, Rows, World};

const SAMPLING: Sampling = Sampling {
    temperature_milli: 800,
    top_k: 40,
    top_p_milli: 950,
};
/// Tokens of the prompt.
const PROMPT: u32 = 30;

/// What was measured.
#[derive(Default)]
struct Figures {
    steps: u64,
    checks: u64,
    false_accusations: u64,
    tried: u64,
    caught: u64,
    rounds: u32,
    bytes: Vec<usize>,
    proof: usize,
    longest: Duration,
    kinds: BTreeSet<StepKind>,
}

impl Figures {
    fn add(&mut self, played: Played) {
        self.tried += 1;
        self.caught += u64::from(played.is_caught);
        self.rounds = self.rounds.max(played.rounds);
        self.bytes.push(played.bytes);
        self.proof = self.proof.max(played.proof);
    }
}

/// Some steps of each kind, `most` at most, each with the same probability.
fn choose(steps: &BTreeMap<StepKind, Vec<u64>>, most: usize, random: &mut Random) -> BTreeSet<u64> {
    let mut chosen = BTreeSet::new();
    for of_kind in steps.values() {
        let mut left = of_kind.clone();
        for _ in 0..most.min(left.len()) {
            chosen.insert(left.swap_remove(random.below(left.len() as u64) as usize));
        }
    }
    chosen
}

/// A false output: every other one differs in one bit, the others in any.
fn falsify(output: &[u8], number: u64, random: &mut Random) -> Vec<u8> {
    let mut output = output.to_vec();
    let at = random.below(output.len() as u64) as usize;
    match number.is_multiple_of(2) {
        true => output[at] ^= 1 << random.below(8),
        false => {
            output.fill_with(|| random.bits() as u8);
            output[at] ^= 1;
        }
    }
    output
}

/// Measures one execution with `checks` honest checks and `forgeries` of each kind.
fn measure(world: World, (checks, forgeries): (usize, usize), figures: &mut Figures) {
    let world: &'static World = Box::leak(Box::new(world));
    let shape = &world.shape;
    let mut leaves = Vec::with_capacity(shape.steps() as usize);
    let mut kinds: BTreeMap<StepKind, Vec<u64>> = BTreeMap::new();
    let mut tracer = world.tracer();
    while let Some((place, output)) = tracer.advance() {
        let kind = shape.kind(&place).expect("a kind");
        kinds.entry(kind).or_default().push(leaves.len() as u64);
        leaves.push(leaf(output));
    }
    assert_eq!(
        leaves.last(),
        Some(&TraceShape::outcome()),
        "a false statement"
    );
    let rows = Rows::of(leaves.iter().map(merkle_leaf).collect());
    let root = rows.node(Place {
        row: rows.rows() as u32 - 1,
        index: 0,
    });
    let mut random = Random::new(7);
    let honest = choose(&kinds, checks, &mut random);
    let forged = choose(&kinds, forgeries, &mut random);
    figures.steps = figures.steps.max(shape.steps());
    figures.kinds.extend(kinds.keys());
    let mut tracer = world.tracer();
    for step in 0..shape.steps() {
        let (_, output) = tracer.advance().expect("a step");
        let output = match honest.contains(&step) || forged.contains(&step) {
            true => output.to_vec(),
            false => continue,
        };
        if honest.contains(&step) {
            let evidence = world.evidence(&tracer, step, |place| rows.node(place));
            // The shortest of three, in which nothing else ran.
            let times = [(); 3].map(|()| {
                let started = Instant::now();
                let executed = shape.execute(root, step, &evidence);
                let is_right = executed == Ok(leaves[step as usize]);
                (started.elapsed(), is_right)
            });
            let shortest = times.iter().map(|(time, _)| *time).min();
            figures.longest = figures.longest.max(shortest.unwrap_or_default());
            figures.checks += 1;
            figures.false_accusations += u64::from(times.iter().any(|(_, is_right)| !is_right));
        }
        if forged.contains(&step) {
            let wrong = falsify(&output, figures.tried, &mut random);
            let forged = Forged::new(&rows, step, leaf(&wrong));
            let evidence = world.evidence(&tracer, step, |place| forged.node(place));
            figures.add(play(world, &rows, &forged, evidence));
        }
    }
}

/// Rows that a claimant shows at most for an answer of so many tokens.
fn rounds(checkpoint: &Checkpoint, tokens: u32) -> u32 {
    let of = |count| TokensOf {
        count,
        hash: H256::zero(),
    };
    let execution = TracedExecution::Answer(AnswerExecution {
        prompt: of(PROMPT),
        answer: of(tokens),
        end: End::MaxTokens,
        sampling: SAMPLING,
        seed: [0; 32],
        max_tokens: tokens,
        hidden_root: H256::zero(),
    });
    let traced = TracedCheckpoint {
        architecture: checkpoint.architecture,
        exponents: checkpoint.exponents,
        weights_root: H256::zero(),
        stops: &[],
    };
    let shape = TraceShape::new(traced, execution).expect("a shape");
    shape.rows_shown(noema_disputes::MAX_ROW_BITS.into())
}

/// The shape of a model without weights.
fn shape_of(architecture: &'static Architecture) -> Checkpoint {
    let tensors = Network::new(architecture)
        .expect("a network")
        .tensors()
        .len();
    Checkpoint {
        architecture,
        exponents: vec![-30; tensors].leak(),
        weights: &[],
        stops: &[],
    }
}

fn tiny(architecture: Architecture) -> Checkpoint {
    let model: &'static TestModel = Box::leak(Box::new(TestModel::seeded(architecture, 5)));
    Checkpoint {
        architecture: &model.architecture,
        exponents: &model.exponents,
        weights: &model.weights,
        stops: &[],
    }
}

fn load(folder: PathBuf) -> Result<Checkpoint, Box<dyn Error>> {
    let manifest = std::fs::read(folder.join("manifest.json"))?;
    let manifest: &'static Manifest = Box::leak(Box::new(serde_json::from_slice(&manifest)?));
    Ok(Checkpoint {
        architecture: &manifest.architecture,
        exponents: &manifest.exponents,
        weights: std::fs::read(folder.join("weights.bin"))?.leak(),
        stops: &manifest.stops,
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name the folder of a checkpoint")?;
    let mut number = |otherwise: u32| match arguments.next() {
        Some(text) => text.parse(),
        None => Ok(otherwise),
    };
    let (tokens, checks, forgeries) = (number(100)?, number(700)?, number(60)?);
    let numbers = (checks as usize, forgeries as usize);
    let checkpoint = load(folder.into())?;
    let mut figures = Figures::default();
    measure(
        World::answer(checkpoint, PROMPT, tokens, SAMPLING),
        numbers,
        &mut figures,
    );
    let rounds_played = figures.rounds;
    measure(World::text(checkpoint, 40), numbers, &mut figures);
    let (real_checks, real_forgeries) = (figures.checks, figures.tried);
    // The operators that the checkpoint does not have.
    for world in [
        World::answer(tiny(TestModel::EVERY_DIFFERENCE), 40, 4, SAMPLING),
        World::answer(tiny(TestModel::SOME_EXPERTS), 40, 4, SAMPLING),
        World::text(tiny(TestModel::GEMMA_EXPERTS), 40),
    ] {
        measure(world, numbers, &mut figures);
    }
    if figures.kinds.len() != StepKind::ALL.len() {
        return Err(format!("only these kinds of steps were met: {:?}", figures.kinds).into());
    }
    figures.bytes.sort_unstable();
    let bytes = |part: usize| figures.bytes.get(figures.bytes.len() * part / 1_000);
    println!(
        "{}",
        json!({
            "steps": figures.steps,
            "dispute_rounds": rounds_played,
            "dispute_rounds_1000": rounds(&checkpoint, 1_000),
            "dispute_rounds_8b_100": rounds(&shape_of(&TestModel::LLAMA_8B), 100),
            "dispute_rounds_8b_1000": rounds(&shape_of(&TestModel::LLAMA_8B), 1_000),
            "dispute_rounds_70b_100": rounds(&shape_of(&TestModel::LLAMA_70B), 100),
            "dispute_rounds_70b_1000": rounds(&shape_of(&TestModel::LLAMA_70B), 1_000),
            "dispute_bytes": figures.bytes.last(),
            "dispute_bytes_median": bytes(500),
            "step_proof_kib_max": figures.proof as f64 / 1_024.0,
            "step_native_ms_max": figures.longest.as_secs_f64() * 1e3,
            "honest_checks": figures.checks,
            "honest_checks_of_the_checkpoint": real_checks,
            "false_accusations": figures.false_accusations,
            "forgeries_tried": figures.tried,
            "forgeries_tried_of_the_checkpoint": real_forgeries,
            "forgeries_caught": figures.caught,
        })
    );
    Ok(())
}
