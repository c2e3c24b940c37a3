//! The whole comparison on models.

use crate::{
    compare::differences,
    meter::Meter,
    plan::{splits, Plan},
    source::SharedModel,
    subject::{self, Subject},
    Evidence, Task,
};
use anyhow::{ensure, Context, Result};
use noema_executor::Device;
use noema_model::{
    checkpoint::OpenCheckpoint,
    engine::Engine,
    import::{self, ImportOptions},
};
use noema_numerics::{
    testing::{Case, TensorOperator},
    Scalar,
};
use std::{path::Path, sync::Arc, time::Instant};

/// The extent of the comparison.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Least number of tokens to generate and to compare.
    pub tokens: usize,
    /// Random calls of each operator, in addition to the ends of every range.
    pub cases: u64,
    /// Seed of all random values.
    pub seed: u64,
}

/// The result.
#[derive(Clone, Debug)]
pub struct Report {
    /// Answers that were generated.
    pub answers: usize,
    /// Tokens of their prompts.
    pub prompt_tokens: usize,
    /// Their tokens.
    pub tokens: usize,
    /// Seconds that the first of the rows took to generate them.
    pub generating: f64,
    /// One for each executor.
    pub rows: Vec<Row>,
}

/// The result for one executor.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Calls of operators; `None` if it only executes whole passes.
    pub cases: Option<usize>,
    /// Tokens that it re-executed.
    pub tokens: usize,
    /// Calls and tokens that differ, including hashes of hidden states.
    pub differences: usize,
    /// Seconds of the whole.
    pub seconds: f64,
}

impl Report {
    /// Whether there is no difference.
    pub fn is_equal(&self) -> bool {
        self.rows.iter().all(|row| row.differences == 0)
    }
}

/// The executors of this machine, to be compared on any number of models.
pub struct Comparison {
    subjects: Vec<Box<dyn Subject>>,
    /// A row for each executor, with its calls of operators and without tokens.
    operators: Vec<Row>,
    settings: Settings,
}

impl Comparison {
    /// Compares calls of operators, which need no model.
    ///
    /// # Errors
    /// When an executor refuses a call. A difference is no error.
    pub fn new(settings: Settings) -> Result<Self> {
        let subjects = subject::all();
        let cases = cases(&settings);
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
        Ok(Self {
            subjects,
            operators: rows,
            settings,
        })
    }

    /// Generates answers of `checkpoint` with the first executor, and executes them again with each. The report has
    /// the calls of operators, too.
    ///
    /// # Errors
    /// When the checkpoint cannot be opened or an executor refuses a task. A difference is no error.
    pub fn run(&mut self, checkpoint: Arc<OpenCheckpoint>) -> Result<Report> {
        let engine = Engine::open(checkpoint.clone(), &Device::cpu(None), None)?;
        let source = Arc::new(SharedModel::from(checkpoint));

        let begun = Instant::now();
        let first = self.subjects.first_mut().context("There is no executor.")?;
        let answers = generate(&mut **first, &engine, &source, &self.settings)?;
        let generating = begun.elapsed().as_secs_f64();

        let mut rows = self.operators.clone();
        let enumerated = self.subjects.iter_mut().zip(&mut rows).enumerate();
        for (index, (subject, row)) in enumerated {
            let begun = Instant::now();
            let found = check(&mut **subject, index, &answers, &source)?;
            row.seconds += begun.elapsed().as_secs_f64();
            for ((_, expected), found) in answers.iter().zip(&found) {
                row.tokens += expected.tokens.len();
                row.differences += differences(expected, found);
            }
        }
        Ok(Report {
            answers: answers.len(),
            prompt_tokens: answers.iter().map(|(task, _)| task.prompt.len()).sum(),
            tokens: answers.iter().map(|(_, e)| e.tokens.len()).sum(),
            generating,
            rows,
        })
    }
}

/// The checkpoint of `model` in `home`, imported with `options` if it is missing.
///
/// # Errors
/// When it cannot be imported or opened, or does not match its manifest.
pub fn open(model: &Path, home: &Path, options: &ImportOptions) -> Result<OpenCheckpoint> {
    let checkpoint = import::import(model, home, options, &())?;
    checkpoint.verify(&|_bytes| ())?;
    Ok(checkpoint)
}

/// Calls of every operator, with the results of the definition.
fn cases(settings: &Settings) -> Vec<(Case, Vec<u8>)> {
    let random = TensorOperator::ALL.into_iter().flat_map(|operator| {
        (0..settings.cases).map(move |case| Case::random(operator, settings.seed << 32 | case))
    });
    random
        .chain(Case::extremes())
        .map(|case| {
            let expected = case.run(&Scalar);
            (case, expected)
        })
        .collect()
}

/// The number of calls with another result; `None` if the executor has no single operators.
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

/// Answers with at least the wanted number of tokens in total.
fn generate(
    subject: &mut dyn Subject,
    engine: &Engine,
    source: &Arc<SharedModel>,
    settings: &Settings,
) -> Result<Vec<(Task, Evidence)>> {
    let meter = Meter::new(&format!("{} generates", subject.name()), settings.tokens);
    let mut plan = Plan::new(engine, settings.seed, settings.tokens);
    let mut answers: Vec<(Task, Evidence)> = Vec::new();
    let mut tokens = 0;
    while tokens < settings.tokens {
        // Some end before their limit; further ones replace the missing tokens.
        let (mut tasks, mut room) = (Vec::new(), settings.tokens - tokens);
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

/// Executes the answers again, each in one pass, with other splits.
fn check(
    subject: &mut dyn Subject,
    index: usize,
    answers: &[(Task, Evidence)],
    source: &Arc<SharedModel>,
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
