//! Generates answers with the fastest executor and re-executes them with every other one; see
//! `scripts/equality.sh`.

use anyhow::{ensure, Context, Result};
use clap::Parser;
use noema_equality::{
    compare::differences,
    plan::{splits, Plan},
    source::Source,
    subject::{self, Subject},
    Evidence, Task,
};
use noema_executor::Device;
use noema_numerics::{
    testing::{Case, Operator},
    Scalar,
};
use noema_worker::{
    checkpoint::{Library, OpenCheckpoint},
    engine::Engine,
    import::{self, ImportOptions},
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

/// Compares every executor of this machine, bit by bit, on a real model.
#[derive(Parser)]
struct Options {
    /// The model: a GGUF file or a Hugging Face folder.
    model: PathBuf,
    /// Where its checkpoint is kept.
    #[arg(long)]
    home: PathBuf,
    /// Least number of tokens to generate and to compare.
    #[arg(long, default_value_t = 1_000)]
    tokens: usize,
    /// Random calls of each operator, beside the ends of every range.
    #[arg(long, default_value_t = 256)]
    cases: u64,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What was found about one executor.
struct Row {
    name: String,
    /// Calls of operators; `None` if it only executes whole passes.
    cases: Option<usize>,
    tokens: usize,
    differences: usize,
    seconds: f64,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything is equal.
fn run(options: &Options) -> Result<bool> {
    let checkpoint = Arc::new(open(&options.model, &options.home)?);
    let engine = Engine::open(checkpoint.clone(), &Device::cpu(None), None)?;
    let source = Arc::new(Source::from(checkpoint));
    let mut subjects = subject::all();

    let cases = cases(options);
    let mut rows = Vec::new();
    for subject in &subjects {
        let begun = Instant::now();
        let operators = operators(&**subject, &cases)?;
        rows.push(Row {
            name: subject.name(),
            cases: operators.is_some().then_some(cases.len()),
            tokens: 0,
            differences: operators.unwrap_or(0),
            seconds: begun.elapsed().as_secs_f64(),
        });
    }

    let begun = Instant::now();
    let fastest = subjects.first_mut().context("There is no executor.")?;
    let answers = generate(&mut **fastest, &engine, &source, options)?;
    let generated = begun.elapsed().as_secs_f64();

    let enumerated = subjects.iter_mut().zip(&mut rows).enumerate();
    for (index, (subject, row)) in enumerated {
        let begun = Instant::now();
        let found = check(&mut **subject, index, &answers, &source)?;
        row.seconds += begun.elapsed().as_secs_f64();
        for ((_, expected), found) in answers.iter().zip(&found) {
            row.tokens += expected.tokens.len();
            row.differences += differences(expected, found);
        }
    }
    report(&answers, generated, &rows, options.json);
    Ok(rows.iter().all(|row| row.differences == 0))
}

/// The checkpoint of `model` in `home`, imported if it is not there.
fn open(model: &Path, home: &Path) -> Result<OpenCheckpoint> {
    let library = Library::new(home);
    let checkpoint = match library.ids()?.first() {
        Some(&id) => library.open(id)?,
        None => import::import(model, home, &ImportOptions::default(), &())?,
    };
    checkpoint.verify(&|_bytes| ())?;
    Ok(checkpoint)
}

/// Calls of every operator, with what the definition returns.
fn cases(options: &Options) -> Vec<(Case, Vec<u8>)> {
    let random = Operator::ALL.into_iter().flat_map(|operator| {
        (0..options.cases).map(move |case| Case::random(operator, options.seed << 32 | case))
    });
    random
        .chain(Case::extremes())
        .map(|case| {
            let expected = case.run(&Scalar);
            (case, expected)
        })
        .collect()
}

/// How many calls return something else; `None` if the executor has no single operators.
fn operators(subject: &dyn Subject, cases: &[(Case, Vec<u8>)]) -> Result<Option<usize>> {
    let mut differing = 0;
    for (case, expected) in cases {
        match subject.operator(case) {
            None => return Ok(None),
            Some(found) => differing += usize::from(found? != *expected),
        }
    }
    Ok(Some(differing))
}

/// Answers of at least the wanted number of tokens together.
fn generate(
    subject: &mut dyn Subject,
    engine: &Engine,
    source: &Arc<Source>,
    options: &Options,
) -> Result<Vec<(Task, Evidence)>> {
    let meter = Meter::new(&format!("{} generates", subject.name()), options.tokens);
    let mut plan = Plan::new(engine, options.seed);
    let mut answers: Vec<(Task, Evidence)> = Vec::new();
    let mut tokens = 0;
    while tokens < options.tokens {
        // Some end before they have as many tokens as they may: then there are others.
        let (mut tasks, mut room) = (Vec::new(), options.tokens - tokens);
        while room > 0 {
            let task = plan.next(u32::try_from(room)?)?;
            room -= task.max_tokens as usize;
            tasks.push(task);
        }
        let found = subject.execute(&tasks, source, &|tokens| meter.add(tokens))?;
        for (task, evidence) in tasks.into_iter().zip(found) {
            tokens += evidence.tokens.len();
            answers.push((task, evidence));
        }
    }
    Ok(answers)
}

/// Executes the answers again, each in one pass, split in another way.
fn check(
    subject: &mut dyn Subject,
    index: usize,
    answers: &[(Task, Evidence)],
    source: &Arc<Source>,
) -> Result<Vec<Evidence>> {
    let tokens = answers.iter().map(|(_, e)| e.tokens.len()).sum();
    let meter = Meter::new(&format!("{} checks", subject.name()), tokens);
    let tasks: Vec<Task> = answers
        .iter()
        .enumerate()
        .map(|(at, (task, evidence))| Task {
            answer: Some(evidence.tokens.clone()),
            splits: splits(index + 1, at),
            ..task.clone()
        })
        .collect();
    let found = subject.execute(&tasks, source, &|tokens| meter.add(tokens))?;
    ensure!(found.len() == answers.len(), "one execution per answer");
    Ok(found)
}

/// Says on standard error how far something is, every ten seconds.
struct Meter {
    what: String,
    total: usize,
    done: AtomicUsize,
    begun: Instant,
    said: AtomicUsize,
}

impl Meter {
    fn new(what: &str, total: usize) -> Self {
        eprintln!("    {what}");
        Self {
            what: what.into(),
            total,
            done: AtomicUsize::new(0),
            begun: Instant::now(),
            said: AtomicUsize::new(0),
        }
    }

    fn add(&self, tokens: usize) {
        let done = self.done.fetch_add(tokens, Ordering::Relaxed) + tokens;
        let seconds = self.begun.elapsed();
        let tens = seconds.as_secs() as usize / 10;
        if self.said.fetch_max(tens, Ordering::Relaxed) < tens {
            let seconds = Duration::from_secs(seconds.as_secs());
            eprintln!(
                "    {}: {done} of {} tokens in {seconds:?}",
                self.what, self.total
            );
        }
    }
}

fn report(answers: &[(Task, Evidence)], generated: f64, rows: &[Row], json: bool) {
    let tokens: usize = answers.iter().map(|(_, e)| e.tokens.len()).sum();
    let prompts: usize = answers.iter().map(|(task, _)| task.prompt.len()).sum();
    if json {
        let rows: Vec<serde_json::Value> = rows
            .iter()
            .map(|row| {
                serde_json::json!({
                    "executor": row.name,
                    "operator_cases": row.cases,
                    "tokens": row.tokens,
                    "differences": row.differences,
                    "seconds": (row.seconds * 10.0).round() / 10.0,
                })
            })
            .collect();
        let report = serde_json::json!({
            "answers": answers.len(),
            "prompt_tokens": prompts,
            "tokens": tokens,
            "generated_by": rows.first().map(|row| row["executor"].clone()),
            "generating_seconds": (generated * 10.0).round() / 10.0,
            "executors": rows,
        });
        println!("{report}");
        return;
    }
    println!(
        "{} answers, {tokens} tokens to {prompts} tokens of prompts, generated in {generated:.1} s",
        answers.len()
    );
    println!(
        "{:<40} {:>14} {:>15} {:>11} {:>9}",
        "executor", "operator cases", "tokens compared", "differences", "time"
    );
    for row in rows {
        let cases = row.cases.map_or("-".into(), |cases| cases.to_string());
        println!(
            "{:<40} {cases:>14} {:>15} {:>11} {:>7.1} s",
            row.name, row.tokens, row.differences, row.seconds
        );
    }
}
