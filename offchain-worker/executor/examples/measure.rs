//! The speed at which a checkpoint answers, reads a prompt and checks an answer on this processor: `cargo run
//! -p noema-executor --example measure -- <checkpoint folder> [threads] [rounds] [map|copy] [prompt] [answer] [prefill]
//! [together]`. `copy` reads the weights into large pages instead of mapping them; `prompt` and `answer` are the numbers
//! of tokens of what is answered, `prefill` is that of a prompt that is only read, and `together` that of answers at
//! once: 0 for none, which leaves their figures out.
//!
//! Prints one JSON object: medians over the rounds, and the peak of resident memory. Tokens are arbitrary;
//! speed does not depend on them.

use noema_executor::{
    cpu::CpuWeights, Cancel, CpuExecutor, CpuKernels, CpuOptions, ModelSource, ScheduleOptions,
    Scheduler,
};
use noema_numerics::{
    check, generate, Architecture, Blocks, ForwardPass, GenerationParameters, Model, ModelError,
    Sampling, Transformer,
};
use serde::Deserialize;
use std::{
    error::Error,
    fs::{read, File},
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
    thread,
    time::Instant,
};

/// What is measured.
#[derive(Clone, Copy)]
struct Size {
    /// Tokens of the prompt that is answered.
    prompt: usize,
    /// Tokens of the answer.
    answer: usize,
    /// Tokens of the prompt that is only read.
    prefill: usize,
    /// Answers that share passes, in the shared measurement; 0 for none.
    together: usize,
}

/// The part of a checkpoint's manifest that execution needs.
#[derive(Deserialize)]
struct Manifest {
    architecture: Architecture,
    exponents: Vec<i8>,
}

struct Lent {
    manifest: Manifest,
    weights: CpuWeights,
}

impl ModelSource for Lent {
    fn model(&self) -> Result<Model<'_>, ModelError> {
        let Manifest {
            architecture,
            exponents,
        } = &self.manifest;
        Model::new(architecture, exponents, &self.weights)
    }
}

/// Seconds of each round.
#[derive(Default)]
struct Times {
    prefill: Vec<f64>,
    first: Vec<f64>,
    answer: Vec<f64>,
    check: Vec<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("a checkpoint folder is needed")?);
    let threads = arguments.next().map_or(Ok(1), |n| n.parse())?;
    let rounds = arguments.next().map_or(Ok(5), |n| n.parse())?;

    let manifest: Manifest = serde_json::from_slice(&read(folder.join("manifest.json"))?)?;
    let file = File::open(folder.join("weights.bin"))?;
    let weights = match arguments.next().as_deref() {
        Some("copy") => CpuWeights::copy(&file)?,
        // SAFETY: the files of a checkpoint are never written to.
        _ => unsafe { CpuWeights::map(&file)? },
    };
    let size = Size {
        prompt: arguments.next().map_or(Ok(32), |n| n.parse())?,
        answer: arguments.next().map_or(Ok(128), |n| n.parse())?,
        prefill: arguments.next().map_or(Ok(512), |n| n.parse())?,
        together: arguments.next().map_or(Ok(8), |n| n.parse())?,
    };
    let lent = Arc::new(Lent { manifest, weights });
    let model = lent.model()?;

    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let (times, peak) = pool
        .install(|| -> Result<_, Box<dyn Error + Send + Sync>> {
            let mut transformer = Transformer::new(model, CpuKernels::default(), 1_024);
            let mut times = Times::default();
            // One round to warm up.
            for round in 0..=rounds {
                measure(&mut transformer, size, &mut times)?;
                if round == 0 {
                    times = Times::default();
                }
            }
            Ok((times, peak_memory_mib()))
        })
        .map_err(|error| error.to_string())?;

    let decode = times.answer.iter().zip(&times.first);
    let decode: Vec<f64> = decode
        .map(|(answer, first)| (size.answer - 1) as f64 / (answer - first))
        .collect();
    let prefill: Vec<f64> = times
        .prefill
        .iter()
        .map(|t| size.prefill as f64 / t)
        .collect();
    let ratio = times.check.iter().zip(&times.answer);
    let ratio: Vec<f64> = ratio.map(|(check, answer)| check / answer).collect();
    let mut figures = serde_json::json!({
        "threads": threads,
        "prefill_tokens_per_s": median(prefill),
        "decode_tokens_per_s": median(decode),
        "first_token_ms": 1_000.0 * median(times.first),
        "answer_s": median(times.answer),
        "check_s": median(times.check),
        "check_over_answer": median(ratio),
        "peak_rss_mib": peak,
    });
    if size.together > 0 {
        let together = together(&lent, threads, rounds, size)?;
        let name = format!("batch{}", size.together);
        figures[format!("{name}_speedup")] = together.speedup.into();
        figures[format!("{name}_tokens_per_s")] = together.tokens_per_s.into();
    }
    println!("{figures}");
    Ok(())
}

fn measure(
    transformer: &mut Transformer<'_, CpuKernels>,
    size: Size,
    times: &mut Times,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let vocabulary = transformer.architecture().vocabulary as usize;
    let token = |i: usize| (i * 7_919 % vocabulary) as u32;
    let tokens: Vec<u32> = (0..size.prefill.max(size.prompt)).map(token).collect();
    let (mut hidden, mut logits) = (Blocks::default(), Vec::new());

    let begun = Instant::now();
    let last = size.prefill - 1..size.prefill;
    transformer.forward(0, &tokens[..size.prefill], last, &mut hidden)?;
    transformer.logits(hidden.view(), &mut logits);
    times.prefill.push(begun.elapsed().as_secs_f64());

    let request = GenerationParameters {
        sampling: Sampling::GREEDY,
        seed: [0; 32],
        max_tokens: size.answer as u32,
        stop_tokens: &[],
    };
    let prompt = &tokens[..size.prompt];
    let begun = Instant::now();
    let mut first = None;
    let answer = generate(transformer, prompt, &request, |_| {
        first.get_or_insert_with(|| begun.elapsed().as_secs_f64());
        ControlFlow::Continue(())
    })?;
    times.answer.push(begun.elapsed().as_secs_f64());
    times.first.push(first.unwrap_or_default());

    let begun = Instant::now();
    let checked = check(transformer, prompt, &answer.tokens, &request)?;
    times.check.push(begun.elapsed().as_secs_f64());
    if checked.flaw.is_some() || checked.hidden != answer.hidden {
        return Err(format!("the check disagrees with the answer: {:?}", checked.flaw).into());
    }
    Ok(())
}

/// Several answers at once, as medians over the rounds.
struct Together {
    /// Their tokens a second over those of one answer.
    speedup: f64,
    /// Their tokens a second, the reading of the prompts included.
    tokens_per_s: f64,
}

fn together(
    lent: &Arc<Lent>,
    threads: usize,
    rounds: usize,
    size: Size,
) -> Result<Together, Box<dyn Error>> {
    let options = CpuOptions {
        threads: Some(threads),
        ..CpuOptions::default()
    };
    let executor = CpuExecutor::new(lent.clone(), options)?;
    let options = ScheduleOptions {
        prefix: 0,
        ..ScheduleOptions::default()
    };
    let scheduler = Scheduler::start(Box::new(executor), None, None, options)?;
    let vocabulary = lent.manifest.architecture.vocabulary as usize;
    let answer = &|index: usize| {
        let token = |i: usize| ((i + index * 61) * 7_919 % vocabulary) as u32;
        let prompt: Vec<u32> = (0..size.prompt).map(token).collect();
        let request = GenerationParameters {
            sampling: Sampling::GREEDY,
            seed: [0; 32],
            max_tokens: size.answer as u32,
            stop_tokens: &[],
        };
        let mut on_token = |_| ControlFlow::Continue(());
        scheduler.answer(&prompt, &request, &Cancel::default(), &mut on_token)
    };
    let seconds = |count: usize| -> Result<f64, Box<dyn Error>> {
        let begun = Instant::now();
        let answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..count)
                .map(|index| scope.spawn(move || answer(index)))
                .collect();
            threads
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect()
        });
        for answer in answers {
            answer.map_err(|_| "an answer panicked")??;
        }
        Ok(begun.elapsed().as_secs_f64())
    };
    seconds(1)?;
    let (mut speedups, mut speeds) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for _ in 0..rounds {
        let (alone, all) = (seconds(1)?, seconds(size.together)?);
        speedups.push(size.together as f64 * alone / all);
        speeds.push((size.together * size.answer) as f64 / all);
    }
    Ok(Together {
        speedup: median(speedups),
        tokens_per_s: median(speeds),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The peak of this process's resident memory; 0 if the system does not report it.
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_024
}
