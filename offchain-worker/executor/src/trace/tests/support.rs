//! Executions of small models by the definition.

use crate::{
    trace::{ExecutedTrace, TraceSubject, WeightsTree},
    Cancel, CpuKernels,
};
use noema_checkpoint::weights_root;
use noema_numerics::{
    generate, seeded::TestModel, Architecture, Blocks, ForwardPass, GenerationParameters, Loss,
    Sampling, Scalar, Transformer,
};
use noema_protocol::{hashing::merkle_leaf, merkle};
use noema_trace::{
    AnswerExecution, TextExecution, TokensOf, TraceShape, TracedCheckpoint, TracedExecution, Tracer,
};
use sp_core::H256;
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

/// A seed of draws.
pub(crate) const SEED: [u8; 32] = [7; 32];

pub(crate) const fn sampling(temperature_milli: u16, top_k: u16, top_p_milli: u16) -> Sampling {
    Sampling {
        temperature_milli,
        top_k,
        top_p_milli,
    }
}

/// A model, what it was given, and what it answered.
pub(crate) struct World {
    pub(crate) model: Arc<TestModel>,
    pub(crate) given: Vec<u32>,
    pub(crate) answer: Vec<u32>,
    pub(crate) execution: TracedExecution,
    pub(crate) weights_root: H256,
}

fn tokens(count: u32, vocabulary: u32) -> Vec<u32> {
    (0..count).map(|n| (n * 37 + 11) % vocabulary).collect()
}

impl World {
    /// An answer to `prompt` tokens.
    pub(crate) fn answer(
        architecture: Architecture,
        prompt: u32,
        most: u32,
        sampling: Sampling,
    ) -> Self {
        let model = TestModel::seeded(architecture, 5);
        let given = tokens(prompt, architecture.vocabulary);
        let parameters = GenerationParameters {
            sampling,
            seed: SEED,
            max_tokens: most,
            stop_tokens: &[],
        };
        let mut transformer = Transformer::new(model.model(), Scalar, prompt + most);
        let generated = generate(&mut transformer, &given, &parameters, |_| {
            ControlFlow::Continue(())
        });
        let generated = generated.expect("an answer");
        let hidden = generated.hidden.iter();
        let hidden = hidden.map(|hash| merkle_leaf(&H256(*hash)));
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
            model: Arc::new(model),
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
            model: Arc::new(model),
            given,
            answer: Vec::new(),
            execution,
        }
    }

    pub(crate) fn with_shape<T>(&self, with: impl FnOnce(&TraceShape<'_>) -> T) -> T {
        let checkpoint = TracedCheckpoint {
            architecture: &self.model.architecture,
            exponents: &self.model.exponents,
            weights_root: self.weights_root,
            stops: &[],
        };
        with(&TraceShape::new(checkpoint, self.execution).expect("a shape"))
    }

    /// The leaves of the whole trace, by the definition.
    pub(crate) fn leaves(&self) -> Vec<H256> {
        self.with_shape(|shape| {
            let mut leaves = Vec::new();
            let mut tracer = Tracer::new(shape, &self.model.weights, &self.given, &self.answer);
            assert!(tracer.leaves(shape.steps(), |_, leaf| leaves.push(leaf)));
            leaves
        })
    }

    pub(crate) fn subject(&self) -> TraceSubject {
        let kernels = CpuKernels::with_threads(1).expect("no other thread");
        TraceSubject {
            source: self.model.clone(),
            weights: Arc::new(WeightsTree::new(self.model.clone(), kernels)),
            weights_root: self.weights_root,
            stops: Vec::new(),
            execution: self.execution,
            given: self.given.clone(),
            answer: self.answer.clone(),
        }
    }

    /// The executed trace that keeps so many nodes of a row, with some outputs replaced.
    pub(crate) fn trace(
        &self,
        kernels: &CpuKernels,
        kept: u64,
        replaced: BTreeMap<u64, Vec<u8>>,
    ) -> ExecutedTrace {
        let cancel = Cancel::default();
        let subject = self.subject();
        let trace = ExecutedTrace::keeping(
            subject,
            kernels.clone(),
            replaced,
            kept,
            &mut |_| (),
            &cancel,
        );
        trace.expect("a trace")
    }
}
