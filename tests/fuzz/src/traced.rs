//! Executions of tiny models with their traces, and the nodes that prove parts of them.

use noema_checkpoint::weights_root;
use noema_numerics::{
    generate, testing::TestModel, tile::TILE_BYTES, Architecture, Blocks, ForwardPass,
    GenerationParameters, Loss, Sampling, Scalar, Transformer,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf, tokens_node, TOKENS_PER_LEAF},
    merkle::{self, Collector, Place},
};
use noema_trace::{
    AnswerExecution, StepEvidence, StepKind, TextExecution, TokenList, TokensOf, TraceShape,
    TracedCheckpoint, TracedExecution, Tracer,
};
use sp_core::H256;
use std::{collections::BTreeMap, ops::ControlFlow, sync::OnceLock};

const SAMPLING: Sampling = Sampling {
    temperature_milli: 800,
    top_k: 40,
    top_p_milli: 950,
};

/// An execution with its honest trace.
pub(crate) struct Traced {
    model: TestModel,
    given: Vec<u32>,
    answer: Vec<u32>,
    execution: TracedExecution,
    weights_root: H256,
    pub(crate) leaves: Vec<H256>,
    pub(crate) root: H256,
    /// A step of each kind, with its evidence.
    pub(crate) evidence: BTreeMap<StepKind, (u64, StepEvidence)>,
}

/// The nodes at some places of the tree over `leaves`.
fn nodes(leaves: impl ExactSizeIterator<Item = H256>, places: &[Place]) -> Vec<H256> {
    let mut collector = Collector::new(leaves.len() as u64, 0, places);
    leaves.for_each(|leaf| collector.push(leaf));
    collector.finish().expect("places of the tree")
}

impl Traced {
    fn answer(architecture: Architecture, sampling: Sampling) -> Self {
        let model = TestModel::seeded(architecture, 5);
        let (given, most) = (vec![5, 17, 99], 2);
        let parameters = GenerationParameters {
            sampling,
            seed: [7; 32],
            max_tokens: most,
            stop_tokens: &[],
        };
        let mut transformer = Transformer::new(model.model(), Scalar, 8);
        let answered = generate(&mut transformer, &given, &parameters, |_| {
            ControlFlow::Continue(())
        });
        let answered = answered.expect("an answer");
        let states = answered.hidden.iter();
        let execution = TracedExecution::Answer(AnswerExecution {
            prompt: TokensOf::new(&given),
            answer: TokensOf::new(&answered.tokens),
            end: answered.end,
            sampling,
            seed: parameters.seed,
            max_tokens: most,
            hidden_root: merkle::root(states.map(|hash| merkle_leaf(&H256(*hash)))),
        });
        Self::of(model, given, answered.tokens, execution)
    }

    fn text(architecture: Architecture) -> Self {
        let model = TestModel::seeded(architecture, 5);
        let given = vec![5, 17, 99, 4];
        let mut transformer = Transformer::new(model.model(), Scalar, 8);
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
        Self::of(model, given, Vec::new(), execution)
    }

    fn of(model: TestModel, given: Vec<u32>, answer: Vec<u32>, execution: TracedExecution) -> Self {
        let mut traced = Self {
            weights_root: weights_root(&model.weights),
            model,
            given,
            answer,
            execution,
            leaves: Vec::new(),
            root: H256::zero(),
            evidence: BTreeMap::new(),
        };
        (traced.leaves, traced.evidence) = traced.trace();
        traced.root = merkle::root(traced.leaves.iter().map(merkle_leaf));
        traced
    }

    /// The leaves, and of each kind the last step, which reads the most, with its evidence.
    fn trace(&self) -> (Vec<H256>, BTreeMap<StepKind, (u64, StepEvidence)>) {
        let shape = self.shape();
        let mut leaves = Vec::new();
        let mut tracer = self.tracer(&shape);
        assert!(tracer.leaves(shape.steps(), |_, leaf| leaves.push(leaf)));
        assert_eq!(leaves.last(), Some(&TraceShape::outcome()));
        let kind = |step| {
            let place = shape.place(step).expect("a step");
            shape.kind(&place).expect("a kind")
        };
        let last: BTreeMap<StepKind, u64> =
            (0..shape.steps()).map(|step| (kind(step), step)).collect();
        let mut evidence = BTreeMap::new();
        let mut tracer = self.tracer(&shape);
        for step in 0..shape.steps() {
            let kind = kind(step);
            if last.get(&kind) == Some(&step) {
                evidence.insert(kind, (step, self.prove(&shape, &tracer, &leaves, step)));
            }
            tracer.advance().expect("a step");
        }
        (leaves, evidence)
    }

    pub(crate) fn shape(&self) -> TraceShape<'_> {
        let checkpoint = TracedCheckpoint {
            architecture: &self.model.architecture,
            exponents: &self.model.exponents,
            weights_root: self.weights_root,
            stops: &[],
        };
        TraceShape::new(checkpoint, self.execution).expect("a shape")
    }

    fn tracer<'a>(&'a self, shape: &'a TraceShape<'a>) -> Tracer<'a> {
        Tracer::new(shape, &self.model.weights, &self.given, &self.answer)
    }

    fn prove(
        &self,
        shape: &TraceShape<'_>,
        tracer: &Tracer<'_>,
        leaves: &[H256],
        step: u64,
    ) -> StepEvidence {
        let place = shape.place(step).expect("a step");
        let needs = shape.needs(&place, shape.selected(&place, tracer));
        let needs = needs.expect("a step");
        let list = match needs.tokens.as_ref().map(|run| run.list) {
            Some(TokenList::Answer) => &self.answer,
            _ => &self.given,
        };
        let tokens = list.chunks(TOKENS_PER_LEAF).map(tokens_node);
        let tiles = self.model.weights.chunks(TILE_BYTES).map(blake2_256);
        StepEvidence {
            nodes: nodes(leaves.iter().map(merkle_leaf), &needs.nodes),
            token_nodes: nodes(tokens, &needs.token_nodes),
            tile_nodes: nodes(tiles, &needs.tile_nodes),
            ..tracer.evidence(step).expect("its inputs")
        }
    }
}

/// Executions that have all kinds of steps between them.
pub(crate) fn all() -> &'static [Traced] {
    static ALL: OnceLock<Vec<Traced>> = OnceLock::new();
    ALL.get_or_init(|| {
        vec![
            Traced::answer(TestModel::TINY, SAMPLING),
            Traced::answer(TestModel::EVERY_DIFFERENCE, Sampling::GREEDY),
            Traced::text(TestModel::GEMMA),
            Traced::answer(TestModel::EXPERTS, SAMPLING),
        ]
    })
}
