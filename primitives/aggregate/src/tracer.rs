//! The trace of an aggregation, step by step, and evidence of its steps.

use crate::{
    compute::compute,
    file,
    reads::{LeafOpening, OpenedBytes, OpenedTree},
    shape::{AggregateShape, AggregateStep},
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::ops::Range;
use noema_protocol::{
    hashing::blake2_256,
    merkle::{Collector, Place},
};
use noema_trace::{leaf, StepEvidence};
use sp_core::H256;

/// Computes the steps of a trace one after another, from the parent and the updates.
///
/// Memory: the outputs of all steps but sums, masters and tiles, of which it keeps those of one tile: they are computed
/// again where a later step reads them.
///
/// It computes what the steps say, right or wrong: for a false statement, its last leaf is not
/// [`AggregateShape::outcome`].
#[derive(Debug)]
pub struct AggregateTracer<'a> {
    shape: &'a AggregateShape<'a>,
    masters: &'a [u8],
    weights: &'a [u8],
    updates: &'a [&'a [u8]],
    next: u64,
    kept: BTreeMap<u64, Vec<u8>>,
    /// Outputs that are replaced, by the numbers of their steps.
    replaced: BTreeMap<u64, Vec<u8>>,
}

impl OpenedBytes for AggregateTracer<'_> {
    fn bytes(&self, tree: OpenedTree, range: Range<u64>) -> Option<Vec<u8>> {
        Some(self.slice(tree, range)?.to_vec())
    }
}

impl<'a> AggregateTracer<'a> {
    /// A trace of the aggregation of `updates` into a parent with these masters and weights. The masters are not read
    /// where they follow from the weights.
    pub const fn new(
        shape: &'a AggregateShape<'a>,
        masters: &'a [u8],
        weights: &'a [u8],
        updates: &'a [&'a [u8]],
    ) -> Self {
        Self {
            shape,
            masters,
            weights,
            updates,
            next: 0,
            kept: BTreeMap::new(),
            replaced: BTreeMap::new(),
        }
    }

    /// Replaces the output of a step by a false one, from which the following steps go on.
    pub fn replace(&mut self, step: u64, output: Vec<u8>) {
        self.replaced.insert(step, output);
    }

    /// The number of the next step.
    pub const fn next_step(&self) -> u64 {
        self.next
    }

    /// Computes the next step, and returns it with its output; `None` at the end, or if parent or updates are not those
    /// of the shape.
    pub fn advance(&mut self) -> Option<(AggregateStep, &[u8])> {
        use AggregateStep as S;
        let number = self.next;
        let step = self.shape.step(number)?;
        let output = self.output(&step)?;
        match step {
            S::MeanNorm { tile } => {
                let parts = 0..self.shape.parts;
                parts.for_each(|part| self.forget(&S::Sum { tile, part }));
            }
            S::WeightsTree { tile } => {
                self.forget(&S::Masters { tile });
                self.forget(&S::Tile { tile });
            }
            _ => {}
        }
        self.next += 1;
        self.kept.insert(number, output);
        Some((step, self.kept.get(&number)?))
    }

    /// Computes the steps up to `end` and calls `each` with each leaf: what a tree, or a part of it, is computed from.
    /// Returns whether all were computed.
    pub fn leaves(&mut self, end: u64, mut each: impl FnMut(u64, H256)) -> bool {
        while self.next < end {
            let number = self.next;
            let Some((_, output)) = self.advance() else {
                return false;
            };
            each(number, leaf(output));
        }
        true
    }

    /// Evidence of the next step or of an earlier one, but for the nodes of the trace's tree, whose places are
    /// [`AggregateShape::missing_outputs`].
    pub fn evidence(&self, number: u64) -> Option<StepEvidence> {
        let step = self.shape.step(number)?;
        let reads = self.shape.reads(&step)?;
        let inputs = self.inputs(&reads)?;
        let numbers = reads.iter().map(|step| self.shape.number(step));
        let numbers: Vec<u64> = numbers.collect::<Option<_>>()?;
        let by_number: BTreeMap<u64, &Vec<u8>> = numbers.into_iter().zip(&inputs).collect();
        let mut evidence = StepEvidence {
            outputs: by_number.into_values().flatten().copied().collect(),
            ..StepEvidence::default()
        };
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        for opening in self.shape.openings(&step, &inputs).ok()? {
            for leaf in &opening.leaves {
                let range = self.shape.leaf_range(opening.tree, *leaf)?;
                let bytes = self.slice(opening.tree, range)?;
                evidence.tiles.extend_from_slice(bytes);
            }
            evidence.tile_nodes.extend(self.nodes(&opening)?);
        }
        Some(evidence)
    }

    fn forget(&mut self, step: &AggregateStep) {
        if let Some(number) = self.shape.number(step) {
            self.kept.remove(&number);
        }
    }

    fn output(&self, step: &AggregateStep) -> Option<Vec<u8>> {
        let number = self.shape.number(step)?;
        let known = self.replaced.get(&number).or(self.kept.get(&number));
        if let Some(known) = known {
            return Some(known.clone());
        }
        let inputs = self.inputs(&self.shape.reads(step)?)?;
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        compute(self.shape, step, &inputs, self).ok()
    }

    fn inputs(&self, reads: &[AggregateStep]) -> Option<Vec<Vec<u8>>> {
        reads.iter().map(|step| self.output(step)).collect()
    }

    fn slice(&self, tree: OpenedTree, range: Range<u64>) -> Option<&'a [u8]> {
        let bytes: &'a [u8] = match tree {
            OpenedTree::Update(update) => self.updates.get(update)?,
            OpenedTree::Masters => self.masters,
            OpenedTree::Weights => self.weights,
        };
        bytes.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
    }

    /// The nodes that prove opened leaves.
    fn nodes(&self, opening: &LeafOpening) -> Option<Vec<H256>> {
        let places = self.shape.missing(opening)?;
        let leaves = self.shape.leaves(opening.tree)?;
        if let OpenedTree::Update(update) = opening.tree {
            let bytes = self.updates.get(update)?;
            let nodes = places.iter().map(|place| {
                let range = subtree(bytes.len() as u64, place)?;
                Some(file::node(leaves, *place, self.slice(opening.tree, range)?))
            });
            return nodes.collect();
        }
        let mut collector = Collector::new(leaves, 0, &places);
        for leaf in 0..leaves {
            let range = self.shape.leaf_range(opening.tree, leaf)?;
            collector.push(blake2_256(self.slice(opening.tree, range)?));
        }
        collector.finish()
    }
}

/// The bytes of a file below a node of its tree.
fn subtree(bytes: u64, place: &Place) -> Option<Range<u64>> {
    let first = place.index.checked_shl(place.row)?;
    let last = first
        .checked_add(1u64.checked_shl(place.row)?)?
        .checked_sub(1)?;
    Some(file::leaf_range(bytes, first).start..file::leaf_range(bytes, last).end)
}
