//! A small computation with real steps: the value of step `s` is that of step `s − 1`, times that of step `s / 2`,
//! plus the seed and `s`, modulo 2^64. The first value is the seed. A leaf is the hash of a value.

use crate::StepWeight;
use codec::{DecodeWithMemTracking, Encode};
use frame_support::weights::Weight;
use noema_disputes::{
    DisputedLeaf, EvidenceError, NoTrace, Place, Shape, StepJudge, StepProof, Tree,
};
use noema_protocol::{
    apply, encoded,
    hashing::{blake2_256, merkle_leaf, merkle_node},
};
use sp_core::H256;
use std::collections::BTreeMap;

/// States the last value of a computation.
#[apply(encoded)]
#[derive(DecodeWithMemTracking)]
pub struct SumStatement {
    /// The first value.
    pub seed: u64,
    /// The number of steps.
    pub steps: u64,
    /// The last value.
    pub result: u64,
}

/// The values of earlier steps, each with its path.
pub(crate) type SumInputs = Vec<(u64, Vec<H256>)>;

/// The seed of computations for which there are no steps.
pub(crate) const STEPLESS: u64 = u64::MAX;

/// Judges steps of the computation.
pub struct Sums;

/// The hash of a value: the leaf of its step.
pub(crate) fn leaf_of(value: u64) -> H256 {
    blake2_256(&value.to_le_bytes())
}

fn inputs_of(step: u64) -> Vec<u64> {
    match step {
        0 => Vec::new(),
        _ => vec![step - 1, step / 2],
    }
}

fn value(seed: u64, step: u64, inputs: &[u64]) -> u64 {
    let product = inputs
        .iter()
        .fold(1u64, |product, input| product.wrapping_mul(*input));
    match step {
        0 => seed,
        _ => product.wrapping_add(seed).wrapping_add(step),
    }
}

impl StepJudge for Sums {
    type Statement = SumStatement;
    type Evidence = SumInputs;

    fn leaf(statement: &SumStatement) -> H256 {
        statement.using_encoded(blake2_256)
    }

    /// The chain knows that no computation has the seed zero, and has no steps for those from [`STEPLESS`].
    fn shape(_: &DisputedLeaf, statement: &SumStatement) -> Result<Shape, NoTrace> {
        match statement.seed {
            0 => Err(NoTrace::False),
            STEPLESS => Err(NoTrace::NoSteps),
            _ => Ok(Shape {
                steps: statement.steps,
                result: leaf_of(statement.result),
            }),
        }
    }

    fn execute(
        _: &DisputedLeaf,
        statement: &SumStatement,
        trace: &Tree,
        step: u64,
        evidence: &SumInputs,
    ) -> Result<H256, EvidenceError> {
        let places = inputs_of(step);
        if places.len() != evidence.len() {
            return Err(EvidenceError::Malformed);
        }
        let mut inputs = evidence.iter().zip(places);
        if !inputs.all(|((input, path), place)| trace.verify_step(place, &leaf_of(*input), path)) {
            return Err(EvidenceError::NotInTrace);
        }
        let inputs: Vec<_> = evidence.iter().map(|(input, _)| *input).collect();
        Ok(leaf_of(value(statement.seed, step, &inputs)))
    }
}

impl StepWeight<SumInputs> for Sums {
    fn weigh(evidence: &SumInputs) -> Weight {
        let hashes = evidence.iter().map(|(_, path)| path.len() as u64 + 1);
        Weight::from_parts(1_000_000, 0).saturating_mul(hashes.sum())
    }

    fn heaviest() -> Weight {
        Weight::from_parts(100_000_000, 0)
    }
}

/// A trace: all values, and all rows of its tree.
#[derive(Clone)]
pub(crate) struct Trace {
    seed: u64,
    values: Vec<u64>,
    rows: Vec<Vec<H256>>,
}

impl Trace {
    /// The trace of a computation in which the values of some steps are replaced; later steps go on from there.
    pub(crate) fn forged(seed: u64, steps: u64, forged: &[(u64, u64)]) -> Self {
        let forged: BTreeMap<_, _> = forged.iter().copied().collect();
        let mut values = Vec::new();
        for step in 0..steps {
            let inputs: Vec<u64> = inputs_of(step)
                .into_iter()
                .map(|place| values[place as usize])
                .collect();
            let right = value(seed, step, &inputs);
            values.push(forged.get(&step).copied().unwrap_or(right));
        }
        let leaves = values.iter().map(|value| merkle_leaf(&leaf_of(*value)));
        let mut rows = vec![leaves.collect::<Vec<_>>()];
        while let Some(last) = rows.last().filter(|row| row.len() > 1) {
            let pairs = last.chunks(2);
            let above = pairs.map(|pair| match pair {
                [left, right] => merkle_node(left, right),
                alone => alone[0],
            });
            rows.push(above.collect());
        }
        Self { seed, values, rows }
    }

    pub(crate) fn right(seed: u64, steps: u64) -> Self {
        Self::forged(seed, steps, &[])
    }

    pub(crate) fn statement(&self) -> SumStatement {
        SumStatement {
            seed: self.seed,
            steps: self.values.len() as u64,
            result: self.values[self.values.len() - 1],
        }
    }

    pub(crate) fn tree(&self) -> Tree {
        let root = self.rows[self.rows.len() - 1][0];
        Tree::new(root, self.values.len() as u64).expect("it has steps")
    }

    pub(crate) fn hash(&self, node: Place) -> H256 {
        self.rows[node.row as usize][node.index as usize]
    }

    pub(crate) fn path(&self, node: Place) -> Vec<H256> {
        let mut siblings = Vec::new();
        let mut index = node.index as usize;
        for row in &self.rows[node.row as usize..] {
            siblings.extend(row.get(index ^ 1));
            index >>= 1;
        }
        siblings
    }

    /// The siblings of the last leaf.
    pub(crate) fn last_path(&self) -> Vec<H256> {
        self.path(Place::of_leaf(self.values.len() as u64 - 1))
    }

    pub(crate) fn row_below(&self, node: Place) -> Vec<H256> {
        let below = self.tree().row_below(&node, 2);
        let (first, count) = below.expect("the node is above the leaves");
        let start = first.index as usize;
        self.rows[first.row as usize][start..start + count as usize].to_vec()
    }

    /// The proof about a step from the values of this trace, right or wrong.
    pub(crate) fn proof(&self, step: u64) -> StepProof<SumInputs> {
        let inputs = inputs_of(step).into_iter();
        StepProof {
            step,
            node: self.hash(Place::of_leaf(step)),
            siblings: self.path(Place::of_leaf(step)),
            evidence: inputs
                .map(|place| {
                    (
                        self.values[place as usize],
                        self.path(Place::of_leaf(place)),
                    )
                })
                .collect(),
        }
    }
}
