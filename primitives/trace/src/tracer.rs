//! The trace of an execution, step by step: what executors' traces are compared with.

use crate::{
    compute::compute, leaf, StepEvidence, StepKind, StepPlace, StepSource, TokenList, TraceShape,
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::ops::Range;
use noema_numerics::tile::TILE_BYTES;
use sp_core::H256;

/// Computes the steps of a trace one after another, from weights and tokens.
///
/// Memory: the outputs of one position, and of every position its keys and values and the few that the next position
/// goes on from.
///
/// It computes what the steps say, right or wrong: for a false statement, its last leaf is not
/// [`TraceShape::outcome`].
#[derive(Debug)]
pub struct Tracer<'a> {
    shape: &'a TraceShape<'a>,
    weights: &'a [u8],
    given: &'a [u32],
    answer: &'a [u32],
    next: u64,
    /// The position of the next step.
    position: u32,
    /// Outputs of the position.
    outputs: Vec<Vec<u8>>,
    /// The number of the first of these.
    first: u64,
    /// What later positions read.
    kept: BTreeMap<u64, Vec<u8>>,
    /// Outputs that are replaced, by the numbers of their steps.
    replaced: BTreeMap<u64, Vec<u8>>,
}

impl StepSource for Tracer<'_> {
    fn output(&self, step: u64) -> Option<&[u8]> {
        match step.checked_sub(self.first) {
            Some(offset) => self.outputs.get(usize::try_from(offset).ok()?),
            None => self.kept.get(&step),
        }
        .map(Vec::as_slice)
    }

    fn tiles(&self, tiles: Range<u64>) -> Option<&[u8]> {
        let byte = |tile: u64| usize::try_from(tile).ok()?.checked_mul(TILE_BYTES);
        self.weights.get(byte(tiles.start)?..byte(tiles.end)?)
    }

    fn token(&self, list: TokenList, index: u32) -> Option<u32> {
        let tokens = match list {
            TokenList::Given => self.given,
            TokenList::Answer => self.answer,
        };
        tokens.get(usize::try_from(index).ok()?).copied()
    }
}

impl<'a> Tracer<'a> {
    /// A trace of `given`, a prompt or a text, and `answer`, which is empty for a text. `weights` are the checkpoint's.
    pub const fn new(
        shape: &'a TraceShape<'a>,
        weights: &'a [u8],
        given: &'a [u32],
        answer: &'a [u32],
    ) -> Self {
        Self {
            shape,
            weights,
            given,
            answer,
            next: 0,
            position: 0,
            outputs: Vec::new(),
            first: 0,
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

    /// Computes the next step, and returns its place and its output; `None` at the end, or if weights or tokens are not
    /// those of the shape.
    pub fn advance(&mut self) -> Option<(StepPlace, &[u8])> {
        let place = self.shape.place(self.next)?;
        if place.position != self.position || self.next == 0 {
            self.begin(place.position);
        }
        let output = match self.replaced.remove(&self.next) {
            Some(output) => output,
            None => compute(self.shape, &place, self).ok()?,
        };
        self.outputs.push(output);
        self.next += 1;
        Some((place, self.outputs.last()?))
    }

    /// Keeps of the position so far what later ones read, and begins the next.
    fn begin(&mut self, position: u32) {
        let outputs = core::mem::take(&mut self.outputs);
        for (step, output) in (self.first..).zip(outputs) {
            let place = self.shape.place(step);
            let kind = place.and_then(|place| self.shape.kind(&place));
            let is_kept = kind.is_some_and(|kind| {
                matches!(
                    kind,
                    StepKind::StoreKey
                        | StepKind::StoreValue
                        | StepKind::State
                        | StepKind::Answered
                        | StepKind::Loss
                )
            });
            if is_kept {
                self.kept.insert(step, output);
            }
        }
        self.position = position;
        self.first = self.next;
    }

    /// Computes the steps up to `end` and calls `leaf` with each leaf: what a tree, or a part of it, is computed from.
    /// Returns whether all were computed.
    pub fn leaves(&mut self, end: u64, mut each: impl FnMut(u64, H256)) -> bool {
        while self.next < end {
            let step = self.next;
            let Some((_, output)) = self.advance() else {
                return false;
            };
            each(step, leaf(output));
        }
        true
    }

    /// Evidence of the next step or of one of the present position, but for the nodes of the three trees: what it reads
    /// is what was computed so far.
    pub fn evidence(&self, step: u64) -> Option<StepEvidence> {
        self.shape.evidence(step, self)
    }
}
