//! The comparison on SmolLM2-135M-Instruct, with few tokens; `scripts/equality.sh` runs more. And a trace of it.
//!
//! `NOEMA_SMOLLM2_GGUF=<path to SmolLM2-135M-Instruct.Q4_1.gguf> NOEMA_TRACE_TOKENS=100 cargo test -p noema-equality
//! --test equality smollm2`; passes with a remark where the first is not set. The second is the length of the answer
//! that is traced.

use noema_equality::run::{open, Comparison, Settings};
use noema_executor::{Cancel, CpuKernels, ExecutedTrace, ModelSource, TraceSubject, WeightsTree};
use noema_model::{checkpoint::OpenCheckpoint, import::ImportOptions};
use noema_numerics::{generate, GenerationParameters, Sampling, Transformer};
use noema_protocol::{
    hashing::merkle_leaf,
    merkle::{self, Place},
};
use noema_trace::{
    AnswerExecution, TokensOf, TraceShape, TracedCheckpoint, TracedExecution, Tracer,
};
use sp_core::H256;
use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// The imported model, if there is a file of it.
fn checkpoint() -> Option<Arc<OpenCheckpoint>> {
    static CHECKPOINT: OnceLock<Option<Arc<OpenCheckpoint>>> = OnceLock::new();
    let checkpoint = CHECKPOINT.get_or_init(|| {
        let source = std::env::var_os("NOEMA_SMOLLM2_GGUF").map(PathBuf::from);
        let Some(source) = source.filter(|source| source.is_file()) else {
            eprintln!("SKIPPED: NOEMA_SMOLLM2_GGUF does not name the model's file.");
            return None;
        };
        // The folder of the worker's tests.
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smollm2");
        let options = ImportOptions {
            program: Some(env!("CARGO_BIN_EXE_noema-equality").into()),
            ..ImportOptions::default()
        };
        let checkpoint = open(&source, &home, &options).expect("the model is imported");
        Some(Arc::new(checkpoint))
    });
    checkpoint.clone()
}

#[test]
fn every_executor_agrees_on_the_real_model() {
    let Some(checkpoint) = checkpoint() else {
        return;
    };
    let settings = Settings {
        tokens: 24,
        cases: 16,
        seed: 3,
    };
    let mut comparison = Comparison::new(settings).expect("every operator executes");
    let report = comparison.run(checkpoint).expect("everything executes");
    for row in &report.rows {
        assert_eq!(row.differences, 0, "{}", row.name);
        assert_eq!(row.tokens, report.tokens);
    }
    assert!(report.tokens >= 24);
}

#[test]
fn the_trace_of_the_real_model_is_that_of_the_definition() {
    let Some(checkpoint) = checkpoint() else {
        return;
    };
    let most = std::env::var("NOEMA_TRACE_TOKENS").map_or(2, |n| n.parse().expect("a number"));
    let kernels = CpuKernels::with_threads(2).expect("a thread");
    let manifest = checkpoint.manifest();
    let given: Vec<u32> = (0..6).map(|n| n * 331 + 1_000).collect();
    let sampling = Sampling {
        temperature_milli: 900,
        top_k: 50,
        top_p_milli: 950,
    };
    let parameters = GenerationParameters {
        sampling,
        seed: [9; 32],
        max_tokens: most,
        stop_tokens: &manifest.stops,
    };
    let model = checkpoint.model().expect("its weights");
    let mut transformer = Transformer::new(model.clone(), kernels.clone(), most + 6);
    let answer = generate(&mut transformer, &given, &parameters, |_| {
        ControlFlow::Continue(())
    });
    let answer = answer.expect("an answer");
    let hidden = answer.hidden.iter().map(|hash| merkle_leaf(&H256(*hash)));
    let execution = TracedExecution::Answer(AnswerExecution {
        prompt: TokensOf::new(&given),
        answer: TokensOf::new(&answer.tokens),
        end: answer.end,
        sampling,
        seed: [9; 32],
        max_tokens: most,
        hidden_root: merkle::root(hidden),
    });
    let subject = TraceSubject {
        source: checkpoint.clone(),
        weights: Arc::new(WeightsTree::new(checkpoint.clone(), kernels.clone())),
        weights_root: manifest.weights_root,
        stops: manifest.stops.clone(),
        execution,
        given: given.clone(),
        answer: answer.tokens.clone(),
    };
    let cancel = Cancel::default();
    let trace = ExecutedTrace::new(subject, kernels, &mut |_| (), &cancel);
    let mut trace = trace.expect("a trace");
    assert_eq!(trace.outcome(&cancel), Ok(true));

    let of = TracedCheckpoint {
        architecture: &manifest.architecture,
        exponents: &manifest.exponents,
        weights_root: manifest.weights_root,
        stops: &manifest.stops,
    };
    let shape = TraceShape::new(of, execution).expect("a shape");
    let mut tracer = Tracer::new(&shape, model.weights(), &given, &answer.tokens);
    let mut collector = merkle::Collector::new(
        shape.steps(),
        0,
        &[Place {
            row: merkle::height(shape.steps()),
            index: 0,
        }],
    );
    assert!(tracer.leaves(shape.steps(), |_, leaf| collector.push(merkle_leaf(&leaf))));
    assert_eq!(collector.finish(), Some(vec![trace.root()]));
    // Some steps of every position, with tiles of every matrix among them.
    for step in (0..shape.steps()).step_by(4_999) {
        let evidence = trace.evidence(step, &cancel).expect("a step");
        let leaf = trace.leaf(step, &cancel).expect("a step");
        assert_eq!(shape.execute(trace.root(), step, &evidence), Ok(leaf));
    }
}
