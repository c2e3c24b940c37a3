//! A tiny computation with real steps, the parties of a game about it, and the referee's book of clocks.

use noema_disputes::{
    DisputedLeaf, EvidenceError, Game, GameRules, GameTerms, NoTrace, Place, Shape, StepJudge,
    StepProof, Tree,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf, merkle_node},
    CheckpointId, ClaimId,
};
use sp_core::H256;
use std::collections::BTreeMap;

pub(crate) type TestGame = Game<u32, u32>;

pub(crate) const CLAIMANT: u32 = 1;
pub(crate) const TOKENS: u64 = 100;
pub(crate) const RULES: GameRules<u32> = GameRules {
    per_move: 5,
    tokens_per_block: 100,
    row_bits: 2,
};

pub(crate) fn subject() -> DisputedLeaf {
    DisputedLeaf {
        claim: ClaimId(1),
        leaf: 0,
        checkpoint: CheckpointId(H256::repeat_byte(7)),
    }
}

pub(crate) fn terms() -> GameTerms<u32, u32> {
    GameTerms {
        claimant: CLAIMANT,
        subject: subject(),
        tokens: TOKENS,
        rules: RULES,
    }
}

/// States that a computation of `steps` steps from `seed` has a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    pub(crate) result: H256,
}

/// Leaves of earlier steps, each with its path.
pub(crate) type Inputs = Vec<(H256, Vec<H256>)>;

/// Step `s` hashes the leaves of step `s − 1` and of step `s / 2`; the first one hashes the seed.
pub(crate) struct Hashes;

/// The steps whose leaves a step reads.
pub(crate) fn inputs_of(step: u64) -> Vec<u64> {
    match step {
        0 => Vec::new(),
        _ => vec![step - 1, step / 2],
    }
}

pub(crate) fn step(seed: u64, step: u64, inputs: &[H256]) -> H256 {
    let mut bytes = [seed.to_le_bytes(), step.to_le_bytes()].concat();
    inputs
        .iter()
        .for_each(|input| bytes.extend(input.as_bytes()));
    blake2_256(&bytes)
}

impl StepJudge for Hashes {
    type Statement = Statement;
    type Evidence = Inputs;

    fn leaf(statement: &Statement) -> H256 {
        let Statement {
            seed,
            steps,
            result,
        } = statement;
        let bytes = [&seed.to_le_bytes()[..], &steps.to_le_bytes(), &result.0].concat();
        blake2_256(&bytes)
    }

    fn shape(_: &DisputedLeaf, statement: &Statement) -> Result<Shape, NoTrace> {
        Ok(Shape {
            steps: statement.steps,
            result: statement.result,
        })
    }

    fn execute(
        _: &DisputedLeaf,
        statement: &Statement,
        trace: &Tree,
        place: u64,
        evidence: &Inputs,
    ) -> Result<H256, EvidenceError> {
        let places = inputs_of(place);
        if places.len() != evidence.len() {
            return Err(EvidenceError::Malformed);
        }
        let mut inputs = evidence.iter().zip(places);
        if !inputs.all(|((leaf, path), place)| trace.verify_step(place, leaf, path)) {
            return Err(EvidenceError::NotInTrace);
        }
        let inputs: Vec<_> = evidence.iter().map(|(leaf, _)| *leaf).collect();
        Ok(step(statement.seed, place, &inputs))
    }
}

/// A trace that a party has: all leaves, and all rows of its tree.
#[derive(Clone)]
pub(crate) struct Trace {
    pub(crate) leaves: Vec<H256>,
    rows: Vec<Vec<H256>>,
}

impl Trace {
    pub(crate) fn of(leaves: Vec<H256>) -> Self {
        let mut rows = vec![leaves.iter().map(merkle_leaf).collect::<Vec<_>>()];
        while let Some(last) = rows.last().filter(|row| row.len() > 1) {
            rows.push(above(last));
        }
        Self { leaves, rows }
    }

    /// What the computation yields, with the leaf of each step in `forged` replaced: later steps go on from there.
    pub(crate) fn forged(seed: u64, steps: u64, forged: &BTreeMap<u64, H256>) -> Self {
        let mut leaves: Vec<H256> = Vec::new();
        for place in 0..steps {
            let inputs: Vec<_> = inputs_of(place)
                .into_iter()
                .map(|input| leaves[input as usize])
                .collect();
            let right = step(seed, place, &inputs);
            leaves.push(forged.get(&place).copied().unwrap_or(right));
        }
        Self::of(leaves)
    }

    pub(crate) fn right(seed: u64, steps: u64) -> Self {
        Self::forged(seed, steps, &BTreeMap::new())
    }

    pub(crate) fn steps(&self) -> u64 {
        self.leaves.len() as u64
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::new(self.rows[self.rows.len() - 1][0], self.steps()).expect("it has steps")
    }

    pub(crate) fn result(&self) -> H256 {
        self.leaves[self.leaves.len() - 1]
    }

    pub(crate) fn statement(&self, seed: u64) -> Statement {
        Statement {
            seed,
            steps: self.steps(),
            result: self.result(),
        }
    }

    pub(crate) fn hash(&self, node: Place) -> Option<H256> {
        let row = self.rows.get(node.row as usize)?;
        row.get(usize::try_from(node.index).ok()?).copied()
    }

    pub(crate) fn row_below(&self, node: Place, bits: u8) -> Vec<H256> {
        let below = self.tree().row_below(&node, bits);
        let (first, count) = below.expect("the node is above the leaves");
        let start = first.index as usize;
        self.rows[first.row as usize][start..start + count as usize].to_vec()
    }

    pub(crate) fn path(&self, node: Place) -> Vec<H256> {
        path(&self.tree(), node, |sibling| self.hash(sibling)).expect("the trace has all nodes")
    }

    /// The proof about a step from the leaves of this trace, right or wrong.
    pub(crate) fn proof(&self, place: u64) -> StepProof<Inputs> {
        let evidence = inputs_of(place).into_iter();
        StepProof {
            step: place,
            node: self.rows[0][place as usize],
            siblings: self.path(Place::of_leaf(place)),
            evidence: evidence
                .map(|input| {
                    (
                        self.leaves[input as usize],
                        self.path(Place::of_leaf(input)),
                    )
                })
                .collect(),
        }
    }
}

fn above(row: &[H256]) -> Vec<H256> {
    let pairs = row.chunks(2);
    pairs
        .map(|pair| match pair {
            [left, right] => merkle_node(left, right),
            alone => alone[0],
        })
        .collect()
}

/// The siblings of a node upwards, where all of them are known.
fn path(tree: &Tree, mut node: Place, known: impl Fn(Place) -> Option<H256>) -> Option<Vec<H256>> {
    let mut siblings = Vec::new();
    while node.row < tree.height() {
        let sibling = Place {
            index: node.index ^ 1,
            ..node
        };
        if tree.has(&sibling) {
            siblings.push(known(sibling)?);
        }
        node = Place {
            row: node.row + 1,
            index: node.index >> 1,
        };
    }
    Some(siblings)
}

/// A challenger that knows the right trace, and of the claimant's only what was shown.
pub(crate) struct Honest {
    own: Trace,
    tree: Tree,
    shown: BTreeMap<Place, H256>,
    /// The leaf of the step that differs first, once its row was shown.
    pub(crate) at: Place,
    pub(crate) hash: H256,
}

impl Honest {
    pub(crate) fn new(own: Trace, tree: Tree) -> Self {
        let top = tree.top();
        Self {
            own,
            shown: BTreeMap::from([(top, tree.root())]),
            at: top,
            hash: tree.root(),
            tree,
        }
    }

    /// Whether the claimant's trace is another one.
    pub(crate) fn disagrees(&self) -> bool {
        self.own.hash(self.tree.top()) != Some(self.tree.root())
    }

    /// A node of the claimant's trace: one that was shown, or one before the first that differs.
    fn known(&self, node: Place) -> Option<H256> {
        let shown = self.shown.get(&node).copied();
        let first = self.at.index << self.at.row;
        let end = (node.index + 1) << node.row;
        shown.or_else(|| (end <= first).then(|| self.own.hash(node)).flatten())
    }

    fn path(&self, node: Place) -> Vec<H256> {
        path(&self.tree, node, |sibling| self.known(sibling))
            .expect("all siblings were shown, or are before the first difference")
    }

    /// The node to point to next.
    pub(crate) fn point(&self) -> ((Place, H256), Vec<H256>) {
        ((self.at, self.hash), self.path(self.at))
    }

    /// Reads the row below its node, and finds the first that differs.
    pub(crate) fn read(&mut self, row: &[H256]) {
        let (first, _) = self
            .tree
            .row_below(&self.at, RULES.row_bits)
            .expect("the node is above the leaves");
        let (mut nodes, mut height) = (row.to_vec(), first.row);
        while height <= self.at.row {
            let start = first.index >> (height - first.row);
            for (offset, hash) in (0..).zip(&nodes) {
                let node = Place {
                    row: height,
                    index: start + offset,
                };
                self.shown.insert(node, *hash);
            }
            nodes = above(&nodes);
            height += 1;
        }
        let mut places = (first.index..).zip(row);
        let place = places.find(|(index, hash)| {
            let node = Place {
                index: *index,
                ..first
            };
            self.own.hash(node) != Some(**hash)
        });
        let (index, hash) = place.expect("a row below a node that differs has one");
        self.at = Place { index, ..first };
        self.hash = *hash;
    }

    /// The proof about the first step that differs, once its row was shown.
    pub(crate) fn proof(&self) -> StepProof<Inputs> {
        assert_eq!(self.at.row, 0);
        let evidence = inputs_of(self.at.index).into_iter().map(|input| {
            (
                self.own.leaves[input as usize],
                self.path(Place::of_leaf(input)),
            )
        });
        StepProof {
            step: self.at.index,
            node: self.hash,
            siblings: self.path(self.at),
            evidence: evidence.collect(),
        }
    }
}
