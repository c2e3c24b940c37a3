//! A game about a trace in which one step is false, with both sides played.

use crate::world::{Rows, World};
use codec::Encode;
use noema_disputes::{
    DisputedLeaf, EvidenceError, Fault, Game, GameRules, GameTerms, NoTrace, Shape, StepJudge,
    StepProof, Tree, MAX_ROW_BITS,
};
use noema_protocol::{
    hashing::{merkle_leaf, merkle_node},
    merkle::{self, Place},
    CheckpointId, ClaimId,
};
use noema_trace::{StepEvidence, TraceShape};
use sp_core::H256;

/// Executes steps of an execution that lasts as long as the program.
pub(crate) struct TraceJudge;

impl StepJudge for TraceJudge {
    type Statement = &'static World;
    type Evidence = StepEvidence;

    fn leaf(_: &&'static World) -> H256 {
        H256::zero()
    }

    fn shape(_: &DisputedLeaf, world: &&'static World) -> Result<Shape, NoTrace> {
        Ok(Shape {
            steps: world.shape.steps(),
            result: TraceShape::outcome(),
        })
    }

    fn execute(
        _: &DisputedLeaf,
        world: &&'static World,
        trace: &Tree,
        step: u64,
        evidence: &StepEvidence,
    ) -> Result<H256, EvidenceError> {
        let executed = world.shape.execute(trace.root(), step, evidence);
        executed.map_err(|_| EvidenceError::Malformed)
    }
}

/// The tree of an honest trace, with another leaf for one step.
pub(crate) struct Forged<'a> {
    rows: &'a Rows,
    step: u64,
    /// The nodes above the leaf, one for each row.
    path: Vec<H256>,
}

impl<'a> Forged<'a> {
    pub(crate) fn new(rows: &'a Rows, step: u64, leaf: H256) -> Self {
        let mut path = vec![merkle_leaf(&leaf)];
        for row in 0..rows.rows() as u32 - 1 {
            let index = step >> row;
            let own = path[row as usize];
            let sibling = Place {
                row,
                index: index ^ 1,
            };
            path.push(match sibling.index < rows.width(row) {
                true if index & 1 == 1 => merkle_node(&rows.node(sibling), &own),
                true => merkle_node(&own, &rows.node(sibling)),
                false => own,
            });
        }
        Self { rows, step, path }
    }

    pub(crate) fn node(&self, place: Place) -> H256 {
        match self.step >> place.row == place.index {
            true => self.path[place.row as usize],
            false => self.rows.node(place),
        }
    }

    fn siblings(&self, node: &Place) -> Vec<H256> {
        let row = node.row;
        let places = merkle::missing(self.rows.width(row), &[node.index]).expect("a node");
        let above = places.iter().map(|place| Place {
            row: row + place.row,
            ..*place
        });
        above.map(|place| self.node(place)).collect()
    }
}

/// What a game took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Played {
    /// Whether the claim fell by the false step.
    pub(crate) is_caught: bool,
    /// Rows that the claimant showed.
    pub(crate) rounds: u32,
    /// Bytes of all moves.
    pub(crate) bytes: usize,
    /// Bytes of the proof.
    pub(crate) proof: usize,
}

/// Plays a game in which the challenger follows the first difference from its own trace, `honest`, and proves the step.
/// `evidence` is that of the step in the forged trace.
pub(crate) fn play(
    world: &'static World,
    honest: &Rows,
    forged: &Forged<'_>,
    evidence: StepEvidence,
) -> Played {
    let subject = DisputedLeaf {
        claim: ClaimId(1),
        leaf: 0,
        checkpoint: CheckpointId(H256::zero()),
    };
    let rules = GameRules {
        per_move: 10,
        tokens_per_block: 100,
        row_bits: MAX_ROW_BITS,
    };
    let terms = GameTerms {
        claimant: 1_u32,
        subject,
        tokens: 1,
        rules,
    };
    let mut played = Played::default();
    let mut game = Game::new(terms, 0_u32, 1);
    let steps = world.shape.steps();
    let root = forged.path[forged.path.len() - 1];
    let last = forged.siblings(&Place::of_leaf(steps - 1));
    // A receipt of a session has 245 bytes.
    played.bytes += (root, &last).encoded_size() + 245;
    let Ok(tree) = game.open::<TraceJudge>(&world, root, &last, 0) else {
        // The false step is the outcome: the claimant has no trace to show, and loses by silence.
        played.is_caught = forged.step + 1 == steps;
        return played;
    };
    let mut line = game.join(0, 1).expect("an open game");
    let mut node = tree.top();
    while node.row > 0 {
        let hash = forged.node(node);
        let siblings = forged.siblings(&node);
        played.bytes += (node, hash, &siblings).encoded_size();
        let pointed = game.point(&mut line, (node, hash), &siblings, 0, 1);
        pointed.expect("a node of the trace");
        let (first, count) = tree.row_below(&node, rules.row_bits).expect("a row");
        let below = |offset: u64| Place {
            index: first.index + offset,
            ..first
        };
        let row: Vec<H256> = (0..count.into())
            .map(|offset| forged.node(below(offset)))
            .collect();
        played.bytes += row.encoded_size();
        let shown = game.show(&mut line, &row, 0, 1);
        shown.expect("the row below the node");
        played.rounds += 1;
        let differs = |(offset, shown): &(u64, &H256)| honest.node(below(*offset)) != **shown;
        let (offset, _) = (0..).zip(&row).find(differs).expect("a difference");
        node = below(offset);
    }
    let proof = StepProof {
        step: node.index,
        node: forged.path[0],
        siblings: forged.siblings(&node),
        evidence,
    };
    played.proof = proof.encoded_size();
    played.bytes += played.proof;
    let proven = game.prove::<TraceJudge>(&world, &proof);
    played.is_caught = proven == Ok(Fault::WrongStep(forged.step));
    played
}
