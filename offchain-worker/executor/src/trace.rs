//! The trace of an answer or of the loss of a text, from a fast executor: the tree over the leaves of
//! [`noema_trace`]'s steps, bit for bit that of [`noema_trace::Tracer`].
//!
//! All tokens are known, so positions are executed in batches, as a prompt is. Nothing is stored that can be computed
//! again: see [`ExecutedTrace`] for what is.

mod kept;
#[cfg(test)]
pub(crate) mod tests;
mod tree;
mod weights;

pub use weights::WeightsTree;

pub(crate) use tree::{Found, Joiner, Part, Wanted};

use crate::{
    cpu::{CpuKernels, TraceWalk},
    Cancel, ModelSource,
};
use kept::KeptRows;
use noema_numerics::ModelError;
use noema_protocol::{
    hashing::{tokens_node, TOKENS_PER_LEAF},
    merkle::{self, Collector, Place},
};
use noema_trace::{
    leaf, Needs, StepEvidence, StepSource, TokenList, TraceError, TraceShape, TracedCheckpoint,
    TracedExecution,
};
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

/// Most nodes of the row that is kept; the rows above have as many together.
const KEPT_NODES: u64 = 1 << 18;

/// What a trace is of.
#[derive(Clone)]
pub struct TraceSubject {
    /// The checkpoint's architecture, exponents and weights.
    pub source: Arc<dyn ModelSource>,
    /// The tree over its weights; share it between the traces of a checkpoint.
    pub weights: Arc<WeightsTree>,
    /// The root of this tree in its manifest.
    pub weights_root: H256,
    /// The tokens that end an answer, in its manifest.
    pub stops: Vec<u32>,
    /// The statement.
    pub execution: TracedExecution,
    /// The prompt, or the text.
    pub given: Vec<u32>,
    /// The answer; empty for a text.
    pub answer: Vec<u32>,
}

/// Why there is no trace, or no part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceFailure {
    /// The statement has no trace.
    #[error("The statement has no trace: {0}.")]
    Shape(#[from] TraceError),
    /// The weights do not fit the architecture.
    #[error("The checkpoint cannot be executed: {0}.")]
    Model(#[from] ModelError),
    /// The tokens are not as many as the statement counts.
    #[error(
        "The statement counts {stated} tokens, but {found} are given: give those that it is about."
    )]
    Tokens {
        /// In the statement.
        stated: u32,
        /// Given.
        found: usize,
    },
    /// There is no such step or node.
    #[error("The trace has no {0}: it has as many steps as `steps` says.")]
    NoPlace(&'static str),
    /// It was cancelled.
    #[error("The trace was cancelled; nothing is left of it.")]
    Cancelled,
}

/// How far a trace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceProgress {
    /// Positions that have been executed.
    pub done: u32,
    /// Positions in all.
    pub positions: u32,
}

/// A trace that has been executed once, any part of which is executed again when it is asked for.
///
/// # Memory
/// - the nodes of one row, at most 2^18, and of those above: 16 MiB;
/// - keys and values of all positions, as many as the executor kept for the answer;
/// - of each position with logits what the next goes on from: less than 1 KiB;
/// - while it executes: the values of a batch of positions, about 64 MiB or those of one position if they are larger, and
///   the nodes that are asked for.
pub struct ExecutedTrace {
    subject: TraceSubject,
    walk: TraceWalk,
    kept: KeptRows,
    carried: Carried,
    replaced: BTreeMap<u64, Vec<u8>>,
}

/// Outputs that the steps of the next position read, by the numbers of their steps: trees of hidden states, whether the
/// answer is right so far, the loss so far.
pub(crate) type Carried = BTreeMap<u64, Vec<u8>>;

impl TraceSubject {
    fn shape<T>(
        &self,
        with: impl FnOnce(&TraceShape<'_>) -> Result<T, TraceFailure>,
    ) -> Result<T, TraceFailure> {
        let model = self.source.model()?;
        let checkpoint = TracedCheckpoint {
            architecture: model.architecture(),
            exponents: model.exponents(),
            weights_root: self.weights_root,
            stops: &self.stops,
        };
        with(&TraceShape::new(checkpoint, self.execution)?)
    }

    fn tokens(&self, list: TokenList) -> &[u32] {
        match list {
            TokenList::Given => &self.given,
            TokenList::Answer => &self.answer,
        }
    }

    /// Refuses other numbers of tokens than the statement's.
    fn validate(&self) -> Result<(), TraceFailure> {
        let counts = match &self.execution {
            TracedExecution::Answer(answer) => [answer.prompt.count, answer.answer.count],
            TracedExecution::Text(text) => [text.tokens.count, 0],
        };
        for (stated, found) in counts
            .into_iter()
            .zip([self.given.len(), self.answer.len()])
        {
            if stated as usize != found {
                return Err(TraceFailure::Tokens { stated, found });
            }
        }
        Ok(())
    }
}

impl ExecutedTrace {
    /// Executes the whole trace once. `progress` is called after each batch of positions.
    ///
    /// # Errors
    /// See [`TraceFailure`].
    pub fn new(
        subject: TraceSubject,
        kernels: CpuKernels,
        progress: &mut dyn FnMut(TraceProgress),
        cancel: &Cancel,
    ) -> Result<Self, TraceFailure> {
        Self::with_replaced(subject, kernels, BTreeMap::new(), progress, cancel)
    }

    /// A false trace: the outputs of some steps, by number, are replaced. All other outputs are those of the true
    /// computation.
    ///
    /// # Errors
    /// See [`TraceFailure`].
    #[cfg(feature = "testing")]
    pub fn falsified(
        subject: TraceSubject,
        kernels: CpuKernels,
        replaced: BTreeMap<u64, Vec<u8>>,
        progress: &mut dyn FnMut(TraceProgress),
        cancel: &Cancel,
    ) -> Result<Self, TraceFailure> {
        Self::with_replaced(subject, kernels, replaced, progress, cancel)
    }

    fn with_replaced(
        subject: TraceSubject,
        kernels: CpuKernels,
        replaced: BTreeMap<u64, Vec<u8>>,
        progress: &mut dyn FnMut(TraceProgress),
        cancel: &Cancel,
    ) -> Result<Self, TraceFailure> {
        Self::keeping(subject, kernels, replaced, KEPT_NODES, progress, cancel)
    }

    /// As [`Self::new`], with at most `kept` nodes of a row.
    fn keeping(
        subject: TraceSubject,
        kernels: CpuKernels,
        replaced: BTreeMap<u64, Vec<u8>>,
        kept: u64,
        progress: &mut dyn FnMut(TraceProgress),
        cancel: &Cancel,
    ) -> Result<Self, TraceFailure> {
        subject.validate()?;
        let (steps, positions) = subject.shape(|shape| Ok((shape.steps(), shape.positions())))?;
        let mut trace = Self {
            walk: TraceWalk::new(subject.source.clone(), kernels, positions)?,
            kept: KeptRows::new(steps, kept),
            carried: Carried::new(),
            subject,
            replaced,
        };
        let wanted = Wanted::all(&trace.replaced, steps, trace.kept.row());
        let (subject, walk) = (&trace.subject, &mut trace.walk);
        let (kept, carried) = (&mut trace.kept, &mut trace.carried);
        subject.shape(|shape| {
            let mut joiner = Joiner::new(steps, &wanted);
            let mut done = 0;
            while done < positions {
                if cancel.is_cancelled() {
                    return Err(TraceFailure::Cancelled);
                }
                done = walk.batch(
                    shape,
                    subject.lists(),
                    done..positions,
                    &mut joiner,
                    carried,
                )?;
                kept.take(&mut joiner.found().nodes);
                progress(TraceProgress { done, positions });
            }
            Ok(())
        })?;
        trace.kept.finish();
        Ok(trace)
    }

    /// Number of steps.
    pub const fn steps(&self) -> u64 {
        self.kept.leaves()
    }

    /// The root of the tree.
    pub fn root(&self) -> H256 {
        self.kept.root()
    }

    /// The statement and its tokens.
    pub const fn subject(&self) -> &TraceSubject {
        &self.subject
    }

    /// Whether the last step says that the statement is true.
    ///
    /// # Errors
    /// See [`TraceFailure`].
    pub fn outcome(&mut self, cancel: &Cancel) -> Result<bool, TraceFailure> {
        let last = self.steps() - 1;
        Ok(self.leaf(last, cancel)? == TraceShape::outcome())
    }

    /// The output of a step.
    ///
    /// # Errors
    /// Where there is no such step, or when cancelled.
    pub fn output(&mut self, step: u64, cancel: &Cancel) -> Result<Vec<u8>, TraceFailure> {
        if step >= self.steps() {
            return Err(TraceFailure::NoPlace("such step"));
        }
        let outputs = BTreeSet::from([step]);
        let mut found = self.find(outputs, BTreeSet::new(), cancel)?;
        found
            .outputs
            .remove(&step)
            .ok_or(TraceFailure::NoPlace("output of the step"))
    }

    /// The leaf of a step: the hash of its output.
    ///
    /// # Errors
    /// As [`Self::output`].
    pub fn leaf(&mut self, step: u64, cancel: &Cancel) -> Result<H256, TraceFailure> {
        Ok(leaf(&self.output(step, cancel)?))
    }

    /// The nodes `bits` rows below a node, from left to right; those of the leaves if it is not as high.
    ///
    /// # Errors
    /// Where there is no such node, or when cancelled.
    pub fn row(
        &mut self,
        node: Place,
        bits: u32,
        cancel: &Cancel,
    ) -> Result<Vec<H256>, TraceFailure> {
        let bits = bits.min(node.row);
        let row = node.row - bits;
        if node.index >= merkle::row_width(self.steps(), node.row)
            || node.row > merkle::height(self.steps())
        {
            return Err(TraceFailure::NoPlace("such node"));
        }
        let first = node.index << bits;
        let end = ((node.index + 1) << bits).min(merkle::row_width(self.steps(), row));
        let places = (first..end).map(|index| Place { row, index });
        self.nodes(&places.collect::<Vec<_>>(), cancel)
    }

    /// The nodes at some places.
    ///
    /// # Errors
    /// Where there is no such node, or when cancelled.
    pub fn nodes(&mut self, places: &[Place], cancel: &Cancel) -> Result<Vec<H256>, TraceFailure> {
        let found = self.find(BTreeSet::new(), places.iter().copied().collect(), cancel)?;
        self.found_nodes(places, &found)
    }

    /// The siblings that prove a node: those of it and of the nodes above it, the lowest first, but where a node moves up
    /// unchanged.
    ///
    /// # Errors
    /// Where there is no such node, or when cancelled.
    pub fn path(&mut self, node: Place, cancel: &Cancel) -> Result<Vec<H256>, TraceFailure> {
        let places = path_places(self.steps(), node);
        self.nodes(&places, cancel)
    }

    /// Evidence of a step, complete: [`TraceShape::execute`] accepts it with the [root](Self::root).
    ///
    /// # Errors
    /// Where there is no such step, or when cancelled.
    pub fn evidence(&mut self, step: u64, cancel: &Cancel) -> Result<StepEvidence, TraceFailure> {
        let none = TraceFailure::NoPlace("such step");
        let of_tokens = Gathered::tokens(&self.subject);
        let reads = self.subject.shape(|shape| {
            let needs = shape.needs_of(step, &of_tokens);
            needs.ok_or(none.clone())
        })?;
        let outputs = reads.steps.iter().copied().collect();
        let found = self.find(outputs, reads.nodes.iter().copied().collect(), cancel)?;
        let mut source = Gathered {
            outputs: found.outputs.clone(),
            ..Gathered::tokens(&self.subject)
        };
        let (needs, mut evidence) = self.subject.shape(|shape| {
            // Which tiles a step reads can follow from outputs.
            let needs = shape.needs_of(step, &source).ok_or(none.clone())?;
            source.tiles = self.subject.weights.bytes(&needs.tiles)?;
            source.run = needs.tiles.clone();
            let evidence = shape.evidence(step, &source).ok_or(none.clone())?;
            Ok((needs, evidence))
        })?;
        evidence.nodes = self.found_nodes(&needs.nodes, &found)?;
        evidence.token_nodes = self.token_nodes(&needs).ok_or(none)?;
        evidence.tile_nodes = self.subject.weights.nodes(&needs.tile_nodes)?;
        Ok(evidence)
    }

    fn token_nodes(&self, needs: &Needs) -> Option<Vec<H256>> {
        let Some(run) = &needs.tokens else {
            return Some(Vec::new());
        };
        let leaves = self.subject.tokens(run.list).chunks(TOKENS_PER_LEAF);
        let mut collector = Collector::new(leaves.len() as u64, 0, &needs.token_nodes);
        leaves.for_each(|tokens| collector.push(tokens_node(tokens)));
        collector.finish()
    }

    fn found_nodes(&self, places: &[Place], found: &Collected) -> Result<Vec<H256>, TraceFailure> {
        let nodes = places.iter().map(|place| {
            let node = self
                .kept
                .node(*place)
                .or_else(|| found.nodes.get(place).copied());
            node.ok_or(TraceFailure::NoPlace("such node"))
        });
        nodes.collect()
    }

    /// Executes the positions again in which these outputs are, and from which those nodes follow that are not kept.
    fn find(
        &mut self,
        outputs: BTreeSet<u64>,
        places: BTreeSet<Place>,
        cancel: &Cancel,
    ) -> Result<Collected, TraceFailure> {
        let places: BTreeSet<Place> = places
            .into_iter()
            .filter(|place| place.row < self.kept.row())
            .collect();
        let mut found = Collected::default();
        if outputs.is_empty() && places.is_empty() {
            return Ok(found);
        }
        let ranges = self.kept.below(&places);
        let wanted = Wanted {
            ranges,
            places,
            outputs,
            ..Wanted::new(&self.replaced)
        };
        let (subject, walk, carried) = (&self.subject, &mut self.walk, &mut self.carried);
        subject.shape(|shape| {
            let mut joiner = Joiner::new(shape.steps(), &wanted);
            for run in wanted.positions(shape) {
                let mut next = run.start;
                while next < run.end {
                    if cancel.is_cancelled() {
                        return Err(TraceFailure::Cancelled);
                    }
                    next =
                        walk.batch(shape, subject.lists(), next..run.end, &mut joiner, carried)?;
                    found.take(joiner.found());
                }
            }
            Ok(())
        })?;
        Ok(found)
    }
}

impl TraceSubject {
    fn lists(&self) -> [&[u32]; 2] {
        [&self.given, &self.answer]
    }
}

/// The places of the siblings of a node and of those above it, the lowest first.
fn path_places(leaves: u64, node: Place) -> Vec<Place> {
    let rows = node.row..merkle::height(leaves);
    let siblings = rows.map(|row| Place {
        row,
        index: (node.index >> (row - node.row)) ^ 1,
    });
    siblings
        .filter(|place| place.index < merkle::row_width(leaves, place.row))
        .collect()
}

/// What was found, by place.
#[derive(Default)]
struct Collected {
    nodes: BTreeMap<Place, H256>,
    outputs: BTreeMap<u64, Vec<u8>>,
}

impl Collected {
    fn take(&mut self, found: &mut Found) {
        self.nodes.extend(
            found
                .nodes
                .drain(..)
                .map(|(place, node)| (place, H256(node))),
        );
        self.outputs.extend(found.outputs.drain(..));
    }
}

/// What one step reads.
struct Gathered<'a> {
    subject: &'a TraceSubject,
    outputs: BTreeMap<u64, Vec<u8>>,
    tiles: Vec<u8>,
    run: Range<u64>,
}

impl<'a> Gathered<'a> {
    /// Tokens alone.
    const fn tokens(subject: &'a TraceSubject) -> Self {
        Self {
            subject,
            outputs: BTreeMap::new(),
            tiles: Vec::new(),
            run: 0..0,
        }
    }
}

impl StepSource for Gathered<'_> {
    fn output(&self, step: u64) -> Option<&[u8]> {
        self.outputs.get(&step).map(Vec::as_slice)
    }

    fn tiles(&self, tiles: Range<u64>) -> Option<&[u8]> {
        (tiles == self.run).then_some(&self.tiles)
    }

    fn token(&self, list: TokenList, index: u32) -> Option<u32> {
        self.subject.tokens(list).get(index as usize).copied()
    }
}
