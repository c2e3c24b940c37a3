//! Executions of small models, with everything that evidence of their steps is made of.

use noema_checkpoint::weights_root;
use noema_numerics::{
    generate, testing::TestModel, tile::TILE_BYTES, Architecture, Blocks, End, ForwardPass,
    GenerationParameters, Loss, Sampling, Scalar, Transformer,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf, tokens_node, TOKENS_PER_LEAF},
    merkle::{self, Collector, Place},
};
use noema_trace::{
    AnswerExecution, StepEvidence, TextExecution, TokensOf, TraceShape, TracedCheckpoint,
    TracedExecution, Tracer,
};
use sp_core::H256;
use std::ops::ControlFlow;

/// A seed of draws.
pub(crate) const SEED: [u8; 32] = [7; 32];

/// A model, what it was given, and what it answered.
pub(crate) struct World {
    pub(crate) model: TestModel,
    pub(crate) stops: Vec<u32>,
    pub(crate) given: Vec<u32>,
    pub(crate) answer: Vec<u32>,
    pub(crate) execution: TracedExecution,
    pub(crate) weights_root: H256,
}

/// Tokens that differ from each other.
pub(crate) fn tokens(count: u32, vocabulary: u32) -> Vec<u32> {
    (0..count).map(|n| (n * 37 + 11) % vocabulary).collect()
}

impl World {
    /// An answer to `prompt` tokens, as the definition generates it.
    pub(crate) fn answer(
        architecture: Architecture,
        prompt: u32,
        most: u32,
        sampling: Sampling,
    ) -> Self {
        Self::answer_until(architecture, prompt, most, sampling, &[], u32::MAX)
    }

    /// As [`answer`](Self::answer), with stop tokens, ended by the payer after `cancel` tokens.
    pub(crate) fn answer_until(
        architecture: Architecture,
        prompt: u32,
        most: u32,
        sampling: Sampling,
        stops: &[u32],
        cancel: u32,
    ) -> Self {
        let model = TestModel::seeded(architecture, 5);
        let given = tokens(prompt, architecture.vocabulary);
        let parameters = GenerationParameters {
            sampling,
            seed: SEED,
            max_tokens: most,
            stop_tokens: stops,
        };
        let mut transformer = Transformer::new(model.model(), Scalar, prompt + most);
        let mut count = 0;
        let generated = generate(&mut transformer, &given, &parameters, |_| {
            count += 1;
            match count < cancel {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        let generated = generated.expect("an answer");
        let hidden = generated
            .hidden
            .iter()
            .map(|hash| merkle_leaf(&H256(*hash)));
        let execution = TracedExecution::Answer(AnswerExecution {
            prompt: TokensOf::new(&given),
            answer: TokensOf::new(&generated.tokens),
            end: generated.end,
            sampling,
            seed: SEED,
            max_tokens: most,
            hidden_root: merkle::root(hidden),
        });
        Self {
            weights_root: weights_root(&model.weights),
            model,
            stops: stops.to_vec(),
            given,
            answer: generated.tokens,
            execution,
        }
    }

    /// The loss of a text of so many tokens.
    pub(crate) fn text(architecture: Architecture, count: u32) -> Self {
        let model = TestModel::seeded(architecture, 5);
        let given = tokens(count, architecture.vocabulary);
        let mut transformer = Transformer::new(model.model(), Scalar, count);
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
        Self {
            weights_root: weights_root(&model.weights),
            model,
            stops: Vec::new(),
            given,
            answer: Vec::new(),
            execution,
        }
    }

    pub(crate) fn shape(&self) -> TraceShape<'_> {
        TraceShape::new(self.checkpoint(), self.execution).expect("a shape")
    }

    pub(crate) fn checkpoint(&self) -> TracedCheckpoint<'_> {
        TracedCheckpoint {
            architecture: &self.model.architecture,
            exponents: &self.model.exponents,
            weights_root: self.weights_root,
            stops: &self.stops,
        }
    }

    pub(crate) fn tracer<'a>(&'a self, shape: &'a TraceShape<'a>) -> Tracer<'a> {
        Tracer::new(shape, &self.model.weights, &self.given, &self.answer)
    }

    /// The leaves of the whole trace.
    pub(crate) fn leaves(&self, shape: &TraceShape<'_>) -> Vec<H256> {
        let mut leaves = Vec::new();
        let all = self
            .tracer(shape)
            .leaves(shape.steps(), |_, leaf| leaves.push(leaf));
        assert!(all, "a step cannot be computed after {}", leaves.len());
        leaves
    }

    /// Evidence of `step`, which `tracer` has come to, with the nodes that prove it in a trace with these leaves.
    pub(crate) fn evidence(
        &self,
        shape: &TraceShape<'_>,
        leaves: &[H256],
        step: u64,
        tracer: &Tracer<'_>,
    ) -> StepEvidence {
        let mut evidence = tracer.evidence(step).expect("its inputs");
        let place = shape.place(step).expect("a step");
        let needs = shape.needs(&place, shape.selected(&place, tracer));
        let needs = needs.expect("a step");
        let list = match needs.tokens.as_ref().map(|run| run.list) {
            Some(noema_trace::TokenList::Answer) => &self.answer,
            _ => &self.given,
        };
        evidence.nodes = nodes(leaves.iter().map(merkle_leaf), &needs.nodes);
        evidence.token_nodes = nodes(
            list.chunks(TOKENS_PER_LEAF).map(tokens_node),
            &needs.token_nodes,
        );
        evidence.tile_nodes = nodes(
            self.model.weights.chunks(TILE_BYTES).map(blake2_256),
            &needs.tile_nodes,
        );
        evidence
    }
}

/// The nodes at some places of the tree over `leaves`.
pub(crate) fn nodes(leaves: impl Iterator<Item = H256>, places: &[Place]) -> Vec<H256> {
    if places.is_empty() {
        return Vec::new();
    }
    let leaves: Vec<H256> = leaves.collect();
    let mut collector = Collector::new(leaves.len() as u64, 0, places);
    leaves.iter().for_each(|leaf| collector.push(*leaf));
    collector.finish().expect("places of the tree")
}

/// Why an answer ended.
pub(crate) const fn end_of(world: &World) -> Option<End> {
    match &world.execution {
        TracedExecution::Answer(answer) => Some(answer.end),
        TracedExecution::Text(_) => None,
    }
}
