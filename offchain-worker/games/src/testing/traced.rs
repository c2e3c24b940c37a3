//! Traces of worlds, computed by the definition: all nodes are kept.

use super::{
    world::{nodes, rows},
    World,
};
use crate::{OwnEvidence, TraceSource};
use noema_protocol::{
    hashing::{merkle_leaf, tokens_node, TOKENS_PER_LEAF},
    merkle::Place,
};
use noema_trace::{leaf, StepEvidence, StepKind, TokenList, TraceShape, Tracer};
use sp_core::H256;
use std::{collections::BTreeMap, sync::Arc};

/// The trace has no such step or node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trace has no such step or node")]
pub struct NoPlace;

/// A trace of a world.
#[derive(Clone, Debug)]
pub struct Traced {
    world: Arc<World>,
    /// All rows of the tree, the leaves' first.
    rows: Vec<Vec<H256>>,
}

impl Traced {
    /// What the steps yield.
    pub fn honest(world: Arc<World>) -> Self {
        Self::forged(world, BTreeMap::new(), false)
    }

    /// A trace in which the outputs of some steps are `forged`, and everything after them follows from these. It ends
    /// with the result that is stated, whatever follows, if it is to be `opened`.
    pub fn forged(world: Arc<World>, forged: BTreeMap<u64, Vec<u8>>, opened: bool) -> Self {
        let mut nodes = Vec::new();
        {
            let shape = world.shape();
            let mut tracer = world.tracer(&shape);
            for (step, output) in forged {
                tracer.replace(step, output);
            }
            tracer.leaves(shape.steps(), |_, leaf| nodes.push(merkle_leaf(&leaf)));
            // What follows from outputs that no step can have is anything.
            nodes.resize(shape.steps() as usize, merkle_leaf(&H256::zero()));
        }
        if let (true, Some(last)) = (opened, nodes.last_mut()) {
            *last = merkle_leaf(&TraceShape::outcome());
        }
        Self::over(world, nodes)
    }

    fn over(world: Arc<World>, nodes: Vec<H256>) -> Self {
        Self {
            world,
            rows: rows(nodes),
        }
    }

    /// This trace with the output of one step forged, and nothing after it changed.
    #[must_use]
    pub fn with(&self, step: u64, output: &[u8]) -> Self {
        let mut nodes = self.rows[0].clone();
        nodes[step as usize] = merkle_leaf(&leaf(output));
        Self::over(self.world.clone(), nodes)
    }

    /// Calls `each` with the number, the kind and the output of each step, one after the other, without forgeries.
    ///
    /// # Panics
    /// Where a step cannot be computed: never.
    pub fn each_output(&self, mut each: impl FnMut(u64, StepKind, &[u8])) {
        let shape = self.world.shape();
        let mut tracer = self.world.tracer(&shape);
        for step in 0..shape.steps() {
            let (place, output) = tracer.advance().expect("a step");
            let kind = shape.kind(&place).expect("a kind");
            each(step, kind, output);
        }
    }

    /// As [`Self::each_output`], with the evidence of each step.
    ///
    /// # Panics
    /// Where a step cannot be computed: never.
    pub fn each_step(&self, mut each: impl FnMut(u64, StepKind, &[u8], &OwnEvidence)) {
        let shape = self.world.shape();
        let mut tracer = self.world.tracer(&shape);
        for step in 0..shape.steps() {
            let evidence = self.proven(&shape, step, &tracer).expect("a step");
            let (place, output) = tracer.advance().expect("a step");
            let kind = shape.kind(&place).expect("a kind");
            each(step, kind, output, &evidence);
        }
    }

    /// Adds the nodes that prove tokens and tiles to the evidence of a step that `tracer` has come to.
    fn proven(
        &self,
        shape: &TraceShape<'_>,
        step: u64,
        tracer: &Tracer<'_>,
    ) -> Option<OwnEvidence> {
        let needs = shape.needs_of(step, tracer)?;
        let list = match needs.tokens.as_ref().map(|run| run.list) {
            Some(TokenList::Answer) => &self.world.answer,
            _ => &self.world.given,
        };
        let tokens = rows(list.chunks(TOKENS_PER_LEAF).map(tokens_node).collect());
        Some(OwnEvidence {
            evidence: StepEvidence {
                token_nodes: nodes(&tokens, &needs.token_nodes)?,
                tile_nodes: nodes(&self.world.tiles, &needs.tile_nodes)?,
                ..tracer.evidence(step)?
            },
            nodes: needs.nodes,
        })
    }
}

impl TraceSource for &Traced {
    type Error = NoPlace;

    fn steps(&self) -> u64 {
        self.rows[0].len() as u64
    }

    fn nodes(&mut self, places: &[Place]) -> Result<Vec<H256>, NoPlace> {
        nodes(&self.rows, places).ok_or(NoPlace)
    }

    fn evidence(&mut self, step: u64) -> Result<OwnEvidence, NoPlace> {
        let shape = self.world.shape();
        let mut tracer = self.world.tracer(&shape);
        let is_there = tracer.leaves(step, |_, _| ());
        let proven = self.proven(&shape, step, &tracer);
        proven.filter(|_| is_there).ok_or(NoPlace)
    }
}

impl Traced {
    /// The number of steps.
    pub fn steps(&self) -> u64 {
        TraceSource::steps(&self)
    }
}
