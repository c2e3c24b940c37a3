//! A game between two parties, by the rules of the chain.

use super::{Traced, World, WorldJudge};
use crate::{
    challenger_move, claimant_moves, source::siblings, ChallengerMove, ClaimantMove, TraceSource,
};
use noema_disputes::{
    DisputedLeaf, Fault, Game, GameEnd, GameRules, GameStage, GameTerms, Line, Place, Proven, Side,
    StepProof, Tree,
};
use noema_numerics::testing::Random;
use noema_protocol::{CheckpointId, ClaimId};
use noema_trace::StepEvidence;
use sp_core::H256;
use std::sync::Arc;

/// The challenger of a game; it is the account that has the only line.
const CHALLENGER: u32 = 2;
/// Small rows, so that small traces take several.
const RULES: GameRules<u32> = GameRules {
    per_move: 10,
    tokens_per_block: 100,
    row_bits: 3,
};
const TOKENS: u64 = 100;

/// A side of a game.
#[derive(Clone, Copy, Debug)]
pub enum Party<'a> {
    /// It plays as [`claimant_moves`] and [`challenger_move`] say, from this trace, true or forged.
    Plays(&'a Traced),
    /// As [`Self::Plays`], but makes only so many moves.
    FallsSilent(&'a Traced, u32),
    /// It makes any moves, right and wrong ones, with what it knows from this trace.
    Anything(&'a Traced),
}

/// How a game ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuelEnd {
    /// Whether the claim fell, and why.
    pub end: GameEnd,
    /// Rows that were shown.
    pub rows: u32,
    /// Most bytes of the evidence of a proof.
    pub evidence_bytes: usize,
    /// Blocks that it took.
    pub blocks: u32,
}

impl DuelEnd {
    /// The step that was proven to be wrong.
    pub const fn wrong_step(&self) -> Option<u64> {
        match self.end {
            GameEnd::Fallen(Fault::WrongStep(step)) => Some(step),
            _ => None,
        }
    }

    /// Whether the claim fell.
    pub const fn fell(&self) -> bool {
        matches!(self.end, GameEnd::Fallen(_))
    }
}

/// A game about what a world states.
#[derive(Debug)]
pub struct Duel<'a> {
    statement: Arc<World>,
    claimant: Party<'a>,
    challenger: Party<'a>,
    random: Random,
    game: Game<u32, u32>,
    line: Option<Line<u32>>,
    rows: Vec<Vec<H256>>,
    claimant_moved: u32,
    challenger_moved: u32,
    evidence_bytes: usize,
    now: u32,
}

impl<'a> Duel<'a> {
    /// A game about `statement`. `random` decides what is left open.
    pub fn new(
        statement: Arc<World>,
        claimant: Party<'a>,
        challenger: Party<'a>,
        random: Random,
    ) -> Self {
        let terms = GameTerms {
            claimant: 1,
            subject: DisputedLeaf {
                claim: ClaimId(1),
                leaf: 0,
                checkpoint: CheckpointId(H256::repeat_byte(7)),
            },
            tokens: TOKENS,
            rules: RULES,
        };
        let mut game = Game::new(terms, 0, TOKENS);
        let line = game.join(0, TOKENS).ok();
        Self {
            statement,
            claimant,
            challenger,
            random,
            game,
            line,
            rows: Vec::new(),
            claimant_moved: 0,
            challenger_moved: 0,
            evidence_bytes: 0,
            now: 0,
        }
    }

    /// Plays to the end.
    ///
    /// # Panics
    /// Where a party that plays has no move or one that is refused, or the game does not end within its bound.
    pub fn play(mut self) -> DuelEnd {
        let bound = 200 + self.game.longest_line(48, TOKENS);
        while self.now <= bound {
            self.expire();
            if self.game.end().is_none() {
                self.moves();
            }
            if let Some(end) = self.game.end() {
                return DuelEnd {
                    end,
                    rows: self.game.shown,
                    evidence_bytes: self.evidence_bytes,
                    blocks: self.now,
                };
            }
            self.now += 1;
        }
        panic!("the game does not end within {bound} blocks");
    }

    fn expire(&mut self) {
        self.game.expire(self.now);
        let (Some(line), None) = (&self.line, self.game.end()) else {
            return;
        };
        if self.game.expire_line(line, self.now).is_some() {
            self.line = None;
        }
    }

    fn moves(&mut self) {
        let is_opening = matches!(self.game.stage, GameStage::Opening { .. });
        let side = match &self.line {
            _ if is_opening => Side::Claimant,
            Some(line) => line.turn.side,
            None => return,
        };
        match (side, self.claimant, self.challenger) {
            (Side::Claimant, Party::Plays(trace), _) => self.claim(trace, false),
            (Side::Claimant, Party::FallsSilent(trace, most), _) => {
                if self.claimant_moved < most {
                    self.claim(trace, false);
                }
            }
            (Side::Claimant, Party::Anything(trace), _) => self.claim(trace, true),
            (Side::Challenger, _, Party::Plays(trace)) => self.challenge(trace),
            (Side::Challenger, _, Party::FallsSilent(trace, most)) => {
                if self.challenger_moved < most {
                    self.challenge(trace);
                }
            }
            (Side::Challenger, _, Party::Anything(trace)) => self.accuse(trace),
        }
    }

    /// The claimant moves, or moves something else.
    fn claim(&mut self, mut trace: &Traced, is_garbled: bool) {
        let lines = self.line.map(|line| (CHALLENGER, line));
        let moves = claimant_moves(&mut trace, &self.game, lines.as_slice(), 8);
        // No trace supports what it claimed.
        let Ok(moves) = moves else { return };
        for next in moves {
            self.claimant_moved += 1;
            let garbles = is_garbled && self.random.below(3) == 0;
            let garbage = H256::from_low_u64_be(self.random.bits());
            match next {
                ClaimantMove::Open(mut opening) => {
                    if garbles {
                        opening.root = garbage;
                    }
                    let opened = self.game.open::<WorldJudge>(
                        &self.statement,
                        opening.root,
                        &opening.siblings,
                        self.now,
                    );
                    assert_eq!(opened.is_err(), garbles, "{opened:?}");
                }
                ClaimantMove::Show { mut row, .. } => {
                    if garbles {
                        row[0] = garbage;
                    }
                    let Some(line) = &mut self.line else { return };
                    let shown = self.game.show(line, &row, self.now, TOKENS);
                    assert_eq!(shown.is_err(), garbles, "{shown:?}");
                    if shown.is_ok() {
                        self.rows.push(row);
                    }
                }
            }
        }
    }

    /// The challenger plays.
    fn challenge(&mut self, mut trace: &Traced) {
        let Some(mut line) = self.line else { return };
        let found = challenger_move(&mut trace, &self.game, &line, &self.rows);
        self.challenger_moved += 1;
        match found.expect("it knows its trace and all rows") {
            // The claim is right: the challenge was not.
            None => {}
            Some(ChallengerMove::Point {
                node,
                hash,
                siblings,
            }) => {
                let pointed = self
                    .game
                    .point(&mut line, (node, hash), &siblings, self.now, TOKENS);
                assert_eq!(pointed, Ok(()));
                self.line = Some(line);
            }
            Some(ChallengerMove::Prove(proof)) => {
                let proven = self.prove(&line, &proof);
                let step = proof.step;
                assert_eq!(proven, Some(Proven::Fallen(Fault::WrongStep(step))));
            }
        }
    }

    fn prove(&mut self, line: &Line<u32>, proof: &StepProof<StepEvidence>) -> Option<Proven> {
        let evidence = &proof.evidence;
        let nodes = evidence.nodes.len() + evidence.token_nodes.len() + evidence.tile_nodes.len();
        let bytes = evidence.outputs.len() + evidence.tiles.len();
        let bytes = bytes + 32 * nodes + 4 * evidence.tokens.len();
        self.evidence_bytes = self.evidence_bytes.max(bytes);
        let proven = self
            .game
            .prove_in::<WorldJudge>(line, &self.statement, proof, self.now);
        if let Ok(Proven::Refuted(_)) = proven {
            self.line = None;
        }
        proven.ok()
    }

    /// A challenger that accuses falsely, with all nodes of the claimant's trace.
    fn accuse(&mut self, mut trace: &Traced) {
        let Some(mut line) = self.line else { return };
        let steps = trace.steps();
        match self.random.below(4) {
            0 => {}
            1 | 2 => {
                let row = 1 + self.random.below(6) as u32;
                let index = self.random.below(steps) >> row;
                let node = Place { row, index };
                let Ok(hash) = trace.nodes(&[node]) else {
                    return;
                };
                let tree = Tree::new(H256::zero(), steps);
                let path = tree.map(|tree| siblings(&tree, node)).unwrap_or_default();
                let mut path = trace.nodes(&path).expect("its path");
                if self.random.below(4) == 0 {
                    path.pop();
                }
                let pointed = self
                    .game
                    .point(&mut line, (node, hash[0]), &path, self.now, TOKENS);
                if pointed.is_ok() {
                    self.line = Some(line);
                }
            }
            _ => {
                let step = self.random.below(steps);
                let proof = self.false_proof(trace, step);
                self.prove(&line, &proof);
            }
        }
    }

    /// A proof about a step that is right, right itself or changed in some way.
    fn false_proof(&mut self, mut trace: &Traced, step: u64) -> StepProof<StepEvidence> {
        let own = trace.evidence(step).expect("a step");
        let node = Place::of_leaf(step);
        let tree = Tree::new(H256::zero(), trace.steps()).expect("a tree");
        let path = siblings(&tree, node);
        let mut evidence = StepEvidence {
            nodes: trace.nodes(&own.nodes).expect("its nodes"),
            ..own.evidence
        };
        let random = &mut self.random;
        let garbage = H256::from_low_u64_be(random.bits());
        let flip = |bytes: &mut Vec<u8>, random: &mut Random| {
            if !bytes.is_empty() {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << random.below(8);
            }
        };
        let mut proof = StepProof {
            step,
            node: trace.nodes(&[node]).expect("its node")[0],
            siblings: trace.nodes(&path).expect("its path"),
            evidence: StepEvidence::default(),
        };
        match random.below(9) {
            0 => flip(&mut evidence.outputs, random),
            1 => flip(&mut evidence.tiles, random),
            2 => evidence.tokens.iter_mut().for_each(|token| *token ^= 1),
            3 => evidence.nodes.push(garbage),
            4 => {
                evidence.tile_nodes.pop();
            }
            5 => proof.step = random.below(trace.steps() + 2),
            6 => proof.node = garbage,
            7 => proof.siblings.reverse(),
            _ => {}
        }
        proof.evidence = evidence;
        proof
    }
}
