//! An answer of a small model in a session, with its statement and its trace.

use noema_checkpoint::{
    layout, weights_root, Manifest, Source, SourceFormat, FORMAT, TEXT_LAYER_VERSION,
};
use noema_disputes::Tree;
use noema_numerics::{
    generate, testing::TestModel, tile::TILE_BYTES, GenerationParameters, Sampling, Scalar,
    Transformer, NUMERICS_VERSION,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf, tokens_hash, tokens_node, TOKENS_PER_LEAF},
    merkle::{self, Collector, Place},
    SamplingParameters,
};
use noema_referee::{DeclaredEvidence, SessionStatement, ShownCheckpoint};
use noema_sessions::{Agreement, AnswerEnd, SessionReceipt};
use noema_trace::{StepKind, TokenList, TraceShape, Tracer};
use sp_core::H256;
use std::ops::ControlFlow;

/// Tokens of the prompt.
pub(crate) const PROMPT: u32 = 35;
pub(crate) const PARAMETERS: SamplingParameters = SamplingParameters {
    max_tokens: 3,
    temperature_milli: 800,
    top_k: 40,
    top_p_milli: 950,
};

/// An answer, with its prompt and its receipt.
pub(crate) struct World {
    pub(crate) model: TestModel,
    pub(crate) manifest: Manifest,
    pub(crate) given: Vec<u32>,
    pub(crate) answer: Vec<u32>,
    pub(crate) receipt: SessionReceipt,
}

/// A manifest of weights with this architecture.
pub(crate) fn manifest(model: &TestModel) -> Manifest {
    let architecture = model.architecture;
    Manifest {
        format: FORMAT,
        numerics: NUMERICS_VERSION,
        text_layer: TEXT_LAYER_VERSION,
        name: "tiny".into(),
        licence: String::new(),
        architecture,
        exponents: model.exponents.clone(),
        weights_root: weights_root(&model.weights),
        weights_bytes: layout::weights_bytes(&architecture).expect("a layout"),
        tokenizer_hash: H256::zero(),
        chat_template_hash: H256::zero(),
        frame: None,
        tokens_per_byte: 1,
        template_tokens: 0,
        bos: None,
        eos: None,
        stops: vec![0],
        source: Source {
            format: SourceFormat::Random,
            hash: H256::zero(),
        },
    }
}

impl World {
    /// The answer of a model to the ask for the leaf of a claim whose first leaf is the answer `first` of its session,
    /// as the definition generates it.
    pub(crate) fn of(
        model: TestModel,
        manifest: Manifest,
        agreement: &Agreement,
        (first, leaf): (u32, u32),
    ) -> Self {
        let architecture = model.architecture;
        let given: Vec<u32> = (0..PROMPT)
            .map(|n| (n * 37 + 11) % architecture.vocabulary)
            .collect();
        let n = first + leaf;
        let parameters = GenerationParameters {
            sampling: Sampling {
                temperature_milli: PARAMETERS.temperature_milli,
                top_k: PARAMETERS.top_k,
                top_p_milli: PARAMETERS.top_p_milli,
            },
            seed: agreement.seed_of(n).0,
            max_tokens: PARAMETERS.max_tokens.into(),
            stop_tokens: &manifest.stops,
        };
        let positions = PROMPT + u32::from(PARAMETERS.max_tokens);
        let mut transformer = Transformer::new(model.model(), Scalar, positions);
        let generated = generate(&mut transformer, &given, &parameters, |_| {
            ControlFlow::Continue(())
        });
        let generated = generated.expect("an answer");
        let hidden = generated
            .hidden
            .iter()
            .map(|hash| merkle_leaf(&H256(*hash)));
        let answer = generated.tokens;
        let stops = answer
            .last()
            .is_some_and(|last| manifest.stops.contains(last));
        let answer_tokens = answer.len() as u32;
        let price = agreement.prices.price(PROMPT, 5, answer_tokens);
        let receipt = SessionReceipt {
            session: agreement.session,
            n,
            first,
            terms: agreement.terms,
            checkpoint: agreement.checkpoint,
            prompt_hash: tokens_hash(&given),
            prompt_tokens: PROMPT,
            cached_tokens: 5,
            parameters: PARAMETERS,
            seed: agreement.seed_of(n),
            answer_hash: tokens_hash(&answer),
            answer_tokens,
            end: if stops {
                AnswerEnd::Stop
            } else {
                AnswerEnd::Length
            },
            price: price.expect("a price"),
            hidden_root: merkle::root(hidden),
        };
        Self {
            model,
            manifest,
            given,
            answer,
            receipt,
        }
    }

    pub(crate) fn statement(&self) -> SessionStatement {
        SessionStatement::new(self.receipt, &self.manifest)
    }

    /// Calls `then` with the shape of the trace.
    pub(crate) fn with_shape<R>(&self, then: impl FnOnce(&TraceShape<'_>) -> R) -> R {
        let statement = self.statement();
        let shown = ShownCheckpoint::new(&self.manifest.id(), &statement.manifest);
        let shown = shown.expect("its manifest");
        then(&shown.shape(statement.execution()).expect("a shape"))
    }

    pub(crate) fn tracer<'a>(&'a self, shape: &'a TraceShape<'a>) -> Tracer<'a> {
        Tracer::new(shape, &self.model.weights, &self.given, &self.answer)
    }

    /// The leaves of the whole trace.
    pub(crate) fn leaves(&self) -> Vec<H256> {
        self.with_shape(|shape| {
            let mut leaves = Vec::new();
            let all = self
                .tracer(shape)
                .leaves(shape.steps(), |_, leaf| leaves.push(leaf));
            assert!(all, "a step cannot be computed after {}", leaves.len());
            leaves
        })
    }

    /// Calls `with` with the evidence of each step that `wanted` selects, in a trace with these leaves.
    pub(crate) fn evidence(
        &self,
        leaves: &[H256],
        wanted: impl Fn(u64, StepKind) -> bool,
        mut with: impl FnMut(u64, DeclaredEvidence),
    ) {
        self.with_shape(|shape| {
            let mut tracer = self.tracer(shape);
            for step in 0..shape.steps() {
                let place = shape.place(step).expect("a step");
                let kind = shape.kind(&place).expect("a step");
                if wanted(step, kind) {
                    let mut inputs = tracer.evidence(step).expect("its inputs");
                    let run = shape.needs(&place, None).expect("a step").tokens;
                    let list = match run.as_ref().map(|run| run.list) {
                        Some(TokenList::Answer) => &self.answer,
                        _ => &self.given,
                    };
                    let token = run.and_then(|run| list.get(run.one? as usize).copied());
                    let needs = shape.needs(&place, token).expect("a step");
                    inputs.nodes = nodes(leaves.iter().map(merkle_leaf), &needs.nodes);
                    let tokens = list.chunks(TOKENS_PER_LEAF).map(tokens_node);
                    inputs.token_nodes = nodes(tokens, &needs.token_nodes);
                    let tiles = self.model.weights.chunks(TILE_BYTES).map(blake2_256);
                    inputs.tile_nodes = nodes(tiles, &needs.tile_nodes);
                    with(step, DeclaredEvidence { kind, inputs });
                }
                tracer.advance().expect("a step");
            }
        });
    }
}

/// The tree over the leaves of a trace.
pub(crate) fn tree(leaves: &[H256]) -> Tree {
    let root = merkle::root(leaves.iter().map(merkle_leaf));
    Tree::new(root, leaves.len() as u64).expect("it has steps")
}

/// The nodes at some places of the tree over `leaves`.
fn nodes(leaves: impl Iterator<Item = H256>, places: &[Place]) -> Vec<H256> {
    if places.is_empty() {
        return Vec::new();
    }
    let leaves: Vec<H256> = leaves.collect();
    let mut collector = Collector::new(leaves.len() as u64, 0, places);
    leaves.iter().for_each(|leaf| collector.push(*leaf));
    collector.finish().expect("places of the tree")
}
