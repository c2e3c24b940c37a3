//! Many games with liars, and what came of them.

use super::{Duel, DuelEnd, Party, Traced, World};
use crate::{top, TraceSource};
use noema_numerics::testing::Random;
use noema_trace::{leaf, StepEvidence, StepKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What came of games: numbers for a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Games with a claimant that forged a step or its statement, and an honest challenger.
    pub forgeries_tried: u64,
    /// Those in which the claim fell.
    pub forgeries_caught: u64,
    /// Honest traces whose steps, or whole claim, an honest challenger checked or a liar accused.
    pub honest_checks: u64,
    /// Those in which the claim fell.
    pub false_accusations: u64,
    /// Forgeries that were caught at each kind of step.
    pub kinds: BTreeMap<StepKind, u64>,
    /// Most rows of eight nodes that were shown in a game.
    pub most_rows: u32,
    /// Most bytes of evidence.
    pub most_evidence_bytes: usize,
    /// Most blocks that a game took.
    pub most_blocks: u32,
}

/// A world with its honest trace.
#[derive(Debug)]
struct Arena {
    world: Arc<World>,
    honest: Traced,
    /// The steps of each kind, each with the length of its output.
    steps: BTreeMap<StepKind, Vec<(u64, Vec<u8>)>>,
}

/// Worlds in which games are played.
#[derive(Debug)]
pub struct Trials {
    arenas: Vec<Arena>,
    random: Random,
    tally: Tally,
}

impl Trials {
    /// In all worlds; `seed` decides everything.
    pub fn new(seed: u64) -> Self {
        let arenas = World::all().into_iter().map(|world| {
            let world = Arc::new(world);
            let honest = Traced::honest(world.clone());
            let mut steps: BTreeMap<StepKind, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
            honest.each_output(|step, kind, output| {
                let of_kind = steps.entry(kind).or_default();
                of_kind.push((step, output.to_vec()));
            });
            Arena {
                world,
                honest,
                steps,
            }
        });
        Self {
            arenas: arenas.collect(),
            random: Random::new(seed),
            tally: Tally::default(),
        }
    }

    /// What came of the games so far.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The kinds of steps that the worlds have.
    pub fn kinds(&self) -> impl Iterator<Item = StepKind> {
        let kinds = self.arenas.iter().flat_map(|arena| arena.steps.keys());
        let kinds: BTreeSet<StepKind> = kinds.copied().collect();
        kinds.into_iter()
    }

    /// Plays games in which the claimant forged one step of each kind in each world, `times` times, and either goes on
    /// from that or not; and games in which its statement is false and its trace is not.
    pub fn forge(&mut self, times: u32) {
        for place in 0..self.arenas.len() {
            let kinds: Vec<StepKind> = self.arenas[place].steps.keys().copied().collect();
            for _ in 0..times {
                for kind in &kinds {
                    self.forge_step(place, *kind);
                }
                self.forge_statement(place);
            }
        }
    }

    fn forge_step(&mut self, place: usize, kind: StepKind) {
        let arena = &self.arenas[place];
        let of_kind = &arena.steps[&kind];
        let (step, output) = &of_kind[self.random.below(of_kind.len() as u64) as usize];
        let (mut forged, random) = (output.clone(), &mut self.random);
        if random.below(2) == 0 {
            forged.fill_with(|| random.bits() as u8);
        }
        let at = random.below(forged.len() as u64) as usize;
        forged[at] = output[at] ^ (1 << random.below(8));
        // The last leaf is bound by the statement: with another one, no trace is opened.
        let is_last = *step + 1 == arena.honest.steps();
        let goes_on = !is_last && random.below(2) == 0;
        let trace = match goes_on {
            true => Traced::forged(arena.world.clone(), BTreeMap::from([(*step, forged)]), true),
            false => arena.honest.with(*step, &forged),
        };
        let step = *step;
        let world = arena.world.clone();
        let ended = self.lie(place, world, &trace);
        if let Some(wrong) = ended {
            assert_eq!(wrong, step, "the first step that was forged is found");
            *self.tally.kinds.entry(kind).or_default() += 1;
        }
    }

    fn forge_statement(&mut self, place: usize) {
        let false_world = Arc::new(self.arenas[place].world.falsified(&mut self.random));
        let own = Traced::honest(false_world.clone());
        let trace = Traced::forged(false_world.clone(), BTreeMap::new(), true);
        let random = Random::new(self.random.bits());
        let duel = Duel::new(
            false_world,
            Party::Plays(&trace),
            Party::Plays(&own),
            random,
        );
        let ended = duel.play();
        self.note_forgery(&ended);
        if ended.wrong_step().is_some() {
            *self.tally.kinds.entry(StepKind::Outcome).or_default() += 1;
        }
    }

    /// A game of a lying claimant, in each of its manners. Returns the step that was proven.
    fn lie(&mut self, place: usize, world: Arc<World>, trace: &Traced) -> Option<u64> {
        let random = Random::new(self.random.bits());
        let claimant = match self.random.below(6) {
            0 => Party::FallsSilent(trace, self.random.below(4) as u32),
            1 => Party::Anything(trace),
            _ => Party::Plays(trace),
        };
        let challenger = Party::Plays(&self.arenas[place].honest);
        let ended = Duel::new(world, claimant, challenger, random).play();
        self.note_forgery(&ended);
        ended.wrong_step()
    }

    fn note_forgery(&mut self, ended: &DuelEnd) {
        let tally = &mut self.tally;
        tally.forgeries_tried += 1;
        tally.forgeries_caught += u64::from(ended.fell());
        tally.most_rows = tally.most_rows.max(ended.rows);
        tally.most_evidence_bytes = tally.most_evidence_bytes.max(ended.evidence_bytes);
        tally.most_blocks = tally.most_blocks.max(ended.blocks);
    }

    /// Checks each step of each honest trace: the chain computes the leaf that the trace has.
    pub fn check_steps(&mut self) {
        for arena in &self.arenas {
            let shape = arena.world.shape();
            let honest = &arena.honest;
            let tally = &mut self.tally;
            honest.each_step(|step, kind, output, own| {
                let mut trace = honest;
                let nodes = TraceSource::nodes(&mut trace, &own.nodes);
                let evidence = StepEvidence {
                    nodes: nodes.expect("its nodes"),
                    ..own.evidence.clone()
                };
                let root = TraceSource::nodes(&mut trace, &[top(honest.steps())]);
                let root = root.expect("a root")[0];
                let executed = shape.execute(root, step, &evidence);
                tally.honest_checks += 1;
                let is_right = executed == Ok(leaf(output));
                assert!(is_right, "{kind} {step}: {executed:?}");
                tally.false_accusations += u64::from(!is_right);
            });
        }
    }

    /// Plays `games` games in which the claimant is honest: against a challenger that finds nothing wrong, one that
    /// falls silent, and one that makes any moves.
    pub fn accuse(&mut self, games: u32) {
        for _ in 0..games {
            let place = self.random.below(self.arenas.len() as u64) as usize;
            let arena = &self.arenas[place];
            let honest = &arena.honest;
            let challenger = match self.random.below(4) {
                0 => Party::Plays(honest),
                1 => Party::FallsSilent(honest, 0),
                _ => Party::Anything(honest),
            };
            let random = Random::new(self.random.bits());
            let duel = Duel::new(
                arena.world.clone(),
                Party::Plays(honest),
                challenger,
                random,
            );
            let ended = duel.play();
            self.tally.honest_checks += 1;
            self.tally.false_accusations += u64::from(ended.fell());
            self.tally.most_blocks = self.tally.most_blocks.max(ended.blocks);
        }
    }
}
