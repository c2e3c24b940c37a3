//! The time to trace an answer over that of answering: `cargo run -p noema-executor --example trace -- <checkpoint
//! folder> [threads] [rounds] [prompt] [answer]`.
//!
//! Prints one JSON object: medians over the rounds. Tokens are arbitrary; the answer is drawn with `top_k` and `top_p`,
//! which has the most steps.

use noema_checkpoint::Manifest;
use noema_executor::{
    cpu::CpuWeights, Cancel, CpuKernels, ExecutedTrace, ModelSource, TraceSubject, WeightsTree,
};
use noema_numerics::{generate, GenerationParameters, Model, ModelError, Sampling, Transformer};
use noema_protocol::{hashing::merkle_leaf, merkle};
use noema_trace::{AnswerExecution, TokensOf, TracedExecution};
use sp_core::H256;
use std::{
    error::Error,
    fs::{read, File},
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

const SAMPLING: Sampling = Sampling {
    temperature_milli: 900,
    top_k: 50,
    top_p_milli: 950,
};
const SEED: [u8; 32] = [9; 32];

struct Lent {
    manifest: Manifest,
    weights: CpuWeights,
}

impl ModelSource for Lent {
    fn model(&self) -> Result<Model<'_>, ModelError> {
        let Manifest {
            architecture,
            exponents,
            ..
        } = &self.manifest;
        Model::new(architecture, exponents, &self.weights)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("a checkpoint folder is needed")?);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |n| n.parse());
    let (threads, rounds) = (number(1)?, number(5)?);
    let (prompt, most) = (number(30)?, number(100)?);

    let manifest: Manifest = serde_json::from_slice(&read(folder.join("manifest.json"))?)?;
    // SAFETY: the files of a checkpoint are never written to.
    let weights = unsafe { CpuWeights::map(&File::open(folder.join("weights.bin"))?)? };
    let vocabulary = manifest.architecture.vocabulary as usize;
    let weights_root = manifest.weights_root;
    let lent = Arc::new(Lent { manifest, weights });
    let kernels = CpuKernels::with_threads(threads)?;
    let tree = Arc::new(WeightsTree::new(lent.clone(), kernels.clone()));

    let given: Vec<u32> = (0..prompt)
        .map(|i| (i * 7_919 % vocabulary) as u32)
        .collect();
    let parameters = GenerationParameters {
        sampling: SAMPLING,
        seed: SEED,
        max_tokens: most as u32,
        stop_tokens: &[],
    };
    let (mut answers, mut traces, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut steps = 0;
    // One round to warm up.
    for round in 0..=rounds {
        let begun = Instant::now();
        let positions = (prompt + most) as u32;
        let mut transformer = Transformer::new(lent.model()?, kernels.clone(), positions);
        let answer = generate(&mut transformer, &given, &parameters, |_| {
            ControlFlow::Continue(())
        })?;
        let answered = begun.elapsed().as_secs_f64();
        let hidden = answer.hidden.iter().map(|hash| merkle_leaf(&H256(*hash)));
        let subject = TraceSubject {
            source: lent.clone(),
            weights: tree.clone(),
            weights_root,
            stops: Vec::new(),
            execution: TracedExecution::Answer(AnswerExecution {
                prompt: TokensOf::new(&given),
                answer: TokensOf::new(&answer.tokens),
                end: answer.end,
                sampling: SAMPLING,
                seed: SEED,
                max_tokens: most as u32,
                hidden_root: merkle::root(hidden),
            }),
            given: given.clone(),
            answer: answer.tokens,
        };
        let begun = Instant::now();
        let cancel = Cancel::default();
        let mut trace = ExecutedTrace::new(subject, kernels.clone(), &mut |_| (), &cancel)?;
        let traced = begun.elapsed().as_secs_f64();
        if !trace.outcome(&cancel)? {
            return Err("the trace of a true answer says that it is false".into());
        }
        steps = trace.steps();
        if round > 0 {
            answers.push(answered);
            traces.push(traced);
            ratios.push(traced / answered);
        }
    }
    let figures = serde_json::json!({
        "threads": threads,
        "instructions": kernels.instructions(),
        "prompt_tokens": prompt,
        "answer_tokens": most,
        "trace_steps": steps,
        "answer_s": median(answers),
        "trace_s": median(traces),
        "trace_over_answer": median(ratios),
    });
    println!("{figures}");
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
