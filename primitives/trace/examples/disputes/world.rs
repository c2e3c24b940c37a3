//! An execution with its whole honest trace in memory, and the evidence of its steps.

use noema_numerics::{
    generate, tile::TILE_BYTES, Architecture, Blocks, ForwardPass, GenerationParameters, Loss,
    Model, Sampling, Scalar, Transformer,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf, tokens_node, TOKENS_PER_LEAF},
    merkle::{self, Place},
};
use noema_trace::{
    AnswerExecution, StepEvidence, TextExecution, TokenList, TokensOf, TraceShape,
    TracedCheckpoint, TracedExecution, Tracer,
};
use sp_core::H256;
use std::ops::ControlFlow;

/// All rows of a Merkle tree, the nodes of the leaves first.
pub(crate) struct Rows(Vec<Vec<H256>>);

impl Rows {
    pub(crate) fn of(nodes: Vec<H256>) -> Self {
        let mut rows = vec![nodes];
        while let Some(row) = rows.last().filter(|row| row.len() > 1) {
            let above = merkle::row_above(row);
            rows.push(above);
        }
        Self(rows)
    }

    pub(crate) fn node(&self, place: Place) -> H256 {
        self.0[place.row as usize][place.index as usize]
    }

    pub(crate) const fn rows(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn width(&self, row: u32) -> u64 {
        self.0[row as usize].len() as u64
    }

    fn nodes(&self, places: &[Place]) -> Vec<H256> {
        places.iter().map(|place| self.node(*place)).collect()
    }
}

/// A checkpoint that lasts as long as the program.
#[derive(Clone, Copy)]
pub(crate) struct Checkpoint {
    pub(crate) architecture: &'static Architecture,
    pub(crate) exponents: &'static [i8],
    pub(crate) weights: &'static [u8],
    pub(crate) stops: &'static [u32],
}

impl Checkpoint {
    fn model(&self) -> Model<'static> {
        Model::new(self.architecture, self.exponents, self.weights).expect("a model")
    }
}

pub(crate) struct World {
    checkpoint: Checkpoint,
    pub(crate) shape: TraceShape<'static>,
    given: Vec<u32>,
    answer: Vec<u32>,
    /// Of the tiles, and of the tokens of prompt and answer.
    tiles: Rows,
    given_rows: Rows,
    answer_rows: Rows,
}

fn token_rows(tokens: &[u32]) -> Rows {
    Rows::of(tokens.chunks(TOKENS_PER_LEAF).map(tokens_node).collect())
}

/// Tokens that differ from each other.
fn tokens(count: u32, vocabulary: u32) -> Vec<u32> {
    (0..count).map(|n| (n * 331 + 1_000) % vocabulary).collect()
}

impl World {
    /// An answer of the definition.
    pub(crate) fn answer(
        checkpoint: Checkpoint,
        prompt: u32,
        most: u32,
        sampling: Sampling,
    ) -> Self {
        let given = tokens(prompt, checkpoint.architecture.vocabulary);
        let parameters = GenerationParameters {
            sampling,
            seed: [9; 32],
            max_tokens: most,
            stop_tokens: checkpoint.stops,
        };
        let mut transformer = Transformer::new(checkpoint.model(), Scalar, prompt + most);
        let answer = generate(&mut transformer, &given, &parameters, |_| {
            ControlFlow::Continue(())
        });
        let answer = answer.expect("an answer");
        let states = answer.hidden.iter();
        let execution = TracedExecution::Answer(AnswerExecution {
            prompt: TokensOf::new(&given),
            answer: TokensOf::new(&answer.tokens),
            end: answer.end,
            sampling,
            seed: parameters.seed,
            max_tokens: most,
            hidden_root: merkle::root(states.map(|hash| merkle_leaf(&H256(*hash)))),
        });
        Self::of(checkpoint, given, answer.tokens, execution)
    }

    /// The loss of a text, by the definition.
    pub(crate) fn text(checkpoint: Checkpoint, count: u32) -> Self {
        let given = tokens(count, checkpoint.architecture.vocabulary);
        let mut transformer = Transformer::new(checkpoint.model(), Scalar, count);
        let read = given.len() - 1;
        let (mut hidden, mut logits) = (Blocks::default(), Vec::new());
        let pass = transformer.forward(0, &given[..read], 0..read, &mut hidden);
        pass.expect("a pass");
        transformer.logits(hidden.view(), &mut logits);
        let mut loss = Loss::default();
        loss.add(&given[1..], &logits).expect("a loss");
        let execution = TracedExecution::Text(TextExecution {
            tokens: TokensOf::new(&given),
            loss: loss.sum,
        });
        Self::of(checkpoint, given, Vec::new(), execution)
    }

    fn of(
        checkpoint: Checkpoint,
        given: Vec<u32>,
        answer: Vec<u32>,
        execution: TracedExecution,
    ) -> Self {
        let tiles = Rows::of(
            checkpoint
                .weights
                .chunks(TILE_BYTES)
                .map(blake2_256)
                .collect(),
        );
        let traced = TracedCheckpoint {
            architecture: checkpoint.architecture,
            exponents: checkpoint.exponents,
            weights_root: tiles.0[tiles.0.len() - 1][0],
            stops: checkpoint.stops,
        };
        Self {
            shape: TraceShape::new(traced, execution).expect("a shape"),
            given_rows: token_rows(&given),
            answer_rows: token_rows(&answer),
            checkpoint,
            given,
            answer,
            tiles,
        }
    }

    pub(crate) fn tracer(&self) -> Tracer<'_> {
        Tracer::new(
            &self.shape,
            self.checkpoint.weights,
            &self.given,
            &self.answer,
        )
    }

    /// Evidence of a step that `tracer` has come to, with the nodes that prove it in the trace of `rows`.
    pub(crate) fn evidence(
        &self,
        tracer: &Tracer<'_>,
        step: u64,
        node: impl Fn(Place) -> H256,
    ) -> StepEvidence {
        let place = self.shape.place(step).expect("a step");
        let selected = self.shape.selected(&place, tracer);
        let needs = self.shape.needs(&place, selected).expect("its needs");
        let tokens = match needs.tokens.as_ref().map(|run| run.list) {
            Some(TokenList::Answer) => &self.answer_rows,
            _ => &self.given_rows,
        };
        StepEvidence {
            nodes: needs.nodes.iter().map(|place| node(*place)).collect(),
            token_nodes: tokens.nodes(&needs.token_nodes),
            tile_nodes: self.tiles.nodes(&needs.tile_nodes),
            ..tracer.evidence(step).expect("its inputs")
        }
    }
}
