//! SmolLM2: a trace of some tokens comes to the answer of the definition.
//!
//! `NOEMA_SMOLLM2_CHECKPOINT=<folder of its checkpoint> NOEMA_TRACE_TOKENS=100 cargo test -p noema-trace smollm2`

use noema_checkpoint::Manifest;
use noema_numerics::{generate, GenerationParameters, Model, Sampling, Scalar, Transformer};
use noema_protocol::{hashing::merkle_leaf, merkle};
use noema_trace::{
    AnswerExecution, TokensOf, TraceShape, TracedCheckpoint, TracedExecution, Tracer,
};
use sp_core::H256;
use std::{ops::ControlFlow, path::PathBuf, time::Instant};

#[test]
fn a_trace_ends_with_the_answer_of_smollm2() {
    let Some(folder) = std::env::var_os("NOEMA_SMOLLM2_CHECKPOINT").map(PathBuf::from) else {
        eprintln!("SKIPPED: NOEMA_SMOLLM2_CHECKPOINT does not name the folder of the checkpoint.");
        return;
    };
    let most =
        std::env::var("NOEMA_TRACE_TOKENS").map_or(4, |count| count.parse().expect("a number"));
    let manifest = std::fs::read(folder.join("manifest.json")).expect("a manifest");
    let manifest: Manifest = serde_json::from_slice(&manifest).expect("a manifest");
    let weights = std::fs::read(folder.join("weights.bin")).expect("weights");
    let model = Model::new(&manifest.architecture, &manifest.exponents, &weights).expect("a model");
    let given: Vec<u32> = (0..8).map(|n| n * 331 + 1_000).collect();
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
    let started = Instant::now();
    let mut transformer = Transformer::new(model, Scalar, most + 8);
    let answer = generate(&mut transformer, &given, &parameters, |_| {
        ControlFlow::Continue(())
    });
    let answer = answer.expect("an answer");
    let answered = started.elapsed();
    let hidden = answer.hidden.iter().map(|hash| merkle_leaf(&H256(*hash)));
    let checkpoint = TracedCheckpoint {
        architecture: &manifest.architecture,
        exponents: &manifest.exponents,
        weights_root: manifest.weights_root,
        stops: &manifest.stops,
    };
    let execution = TracedExecution::Answer(AnswerExecution {
        prompt: TokensOf::new(&given),
        answer: TokensOf::new(&answer.tokens),
        end: answer.end,
        sampling,
        seed: [9; 32],
        max_tokens: most,
        hidden_root: merkle::root(hidden),
    });
    let shape = TraceShape::new(checkpoint, execution).expect("a shape");
    let mut tracer = Tracer::new(&shape, &weights, &given, &answer.tokens);
    let mut last = None;
    let started = Instant::now();
    assert!(tracer.leaves(shape.steps(), |_, leaf| last = Some(leaf)));
    println!(
        "{} tokens, {} steps: answer {:.1} s, trace {:.1} s",
        answer.tokens.len(),
        shape.steps(),
        answered.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );
    assert_eq!(last, Some(TraceShape::outcome()));
}
