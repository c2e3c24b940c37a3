//! Generates answers of models with one executor and executes them again with every other one; see
//! `scripts/equality.sh`.

use anyhow::Result;
use clap::Parser;
use noema_equality::run::{open, Comparison, Report, Settings};
use noema_model::{
    checkpoint::OpenCheckpoint,
    import::{run_chat_template, ImportOptions},
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

/// Compare every executor of this machine, bit by bit, on models.
#[derive(Parser)]
struct Options {
    /// The models: GGUF files and Hugging Face folders. A file and a folder of one name, such as tiny.gguf and tiny,
    /// must be the same model.
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// The folder of their checkpoints.
    #[arg(long)]
    home: PathBuf,
    /// Positions of the checkpoints, instead of as many as an import gives them.
    #[arg(long)]
    context: Option<u32>,
    /// Least number of tokens to generate and to compare with each model.
    #[arg(long, default_value_t = 1_000)]
    tokens: usize,
    /// Random calls of each operator, in addition to the ends of every range.
    #[arg(long, default_value_t = 256)]
    cases: u64,
    /// Seed of all random values.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    if let Some(status) = run_chat_template() {
        return status;
    }
    match compare(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A model, and what was found with it.
struct Compared {
    name: String,
    /// Files and folders that it was imported from.
    sources: usize,
    /// Whether all of them have the same network and weights.
    is_one_model: bool,
    report: Report,
    seconds: f64,
}

impl Compared {
    fn is_equal(&self) -> bool {
        self.is_one_model && self.report.is_equal()
    }

    fn differences(&self) -> usize {
        self.report.rows.iter().map(|row| row.differences).sum()
    }
}

/// Whether all executors are equal on all models, and all sources of a model.
fn compare(options: &Options) -> Result<bool> {
    let import = ImportOptions {
        context: options.context,
        ..ImportOptions::default()
    };
    let mut models: Vec<(String, Vec<Arc<OpenCheckpoint>>)> = Vec::new();
    for path in &options.models {
        let checkpoint = Arc::new(open(path, &options.home, &import)?);
        let name = name(path);
        match models.iter_mut().find(|(other, _)| *other == name) {
            Some((_, checkpoints)) => checkpoints.push(checkpoint),
            None => models.push((name, vec![checkpoint])),
        }
    }
    let mut comparison = Comparison::new(Settings {
        tokens: options.tokens,
        cases: options.cases,
        seed: options.seed,
    })?;
    let mut compared = Vec::new();
    for (name, checkpoints) in models {
        let [first, others @ ..] = checkpoints.as_slice() else {
            continue;
        };
        let begun = Instant::now();
        compared.push(Compared {
            name,
            sources: checkpoints.len(),
            is_one_model: others.iter().all(|other| is_same(first, other)),
            report: comparison.run(first.clone())?,
            seconds: begun.elapsed().as_secs_f64(),
        });
    }
    match (options.json, compared.as_slice()) {
        (true, [one]) => println!("{}", json(one)),
        (true, all) => println!(
            "{}",
            serde_json::json!({ "models": all.iter().map(json).collect::<Vec<_>>() })
        ),
        (false, [one]) => {
            print_table(&one.report);
            print_sources(one);
        }
        (false, all) => print_models(all),
    }
    Ok(compared.iter().all(Compared::is_equal))
}

/// The name of a model: that of its folder, or of its file without the extension.
fn name(path: &Path) -> String {
    let name = match path.is_dir() {
        true => path.file_name(),
        false => path.file_stem(),
    };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether two checkpoints have the same network and weights.
fn is_same(one: &OpenCheckpoint, other: &OpenCheckpoint) -> bool {
    one.architecture() == other.architecture()
        && one.exponents() == other.exponents()
        && one.weights() == other.weights()
}

/// A line for each model.
fn print_models(all: &[Compared]) {
    println!(
        "{:<24} {:>7} {:>12} {:>7} {:>6} {:>9} {:>11} {:>9}",
        "model", "sources", "same weights", "answers", "tokens", "executors", "differences", "time"
    );
    for one in all {
        let same = match (one.sources, one.is_one_model) {
            (1, _) => "-",
            (_, true) => "yes",
            (_, false) => "NO",
        };
        println!(
            "{:<24} {:>7} {same:>12} {:>7} {:>6} {:>9} {:>11} {:>7.1} s",
            one.name,
            one.sources,
            one.report.answers,
            one.report.tokens,
            one.report.rows.len(),
            one.differences(),
            one.seconds
        );
        for row in one.report.rows.iter().filter(|row| row.differences > 0) {
            println!("    {}: {} differences", row.name, row.differences);
        }
    }
}

/// Whether the sources of a model are the same.
fn print_sources(one: &Compared) {
    let same = match one.is_one_model {
        true => "the same",
        false => "DIFFERENT",
    };
    if one.sources > 1 {
        println!("Its {} sources give {same} weights.", one.sources);
    }
}

fn print_table(report: &Report) {
    println!(
        "{} answers, {} tokens to {} tokens of prompts, generated in {:.1} s",
        report.answers, report.tokens, report.prompt_tokens, report.generating
    );
    println!(
        "{:<40} {:>14} {:>15} {:>11} {:>9}",
        "executor", "operator cases", "tokens compared", "differences", "time"
    );
    for row in &report.rows {
        let cases = row.cases.map_or("-".into(), |cases| cases.to_string());
        println!(
            "{:<40} {cases:>14} {:>15} {:>11} {:>7.1} s",
            row.name, row.tokens, row.differences, row.seconds
        );
    }
}

fn json(one: &Compared) -> serde_json::Value {
    let tenths = |seconds: f64| (seconds * 10.0).round() / 10.0;
    let report = &one.report;
    let executors: Vec<serde_json::Value> = report
        .rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "executor": row.name,
                "operator_cases": row.cases,
                "tokens": row.tokens,
                "differences": row.differences,
                "seconds": tenths(row.seconds),
            })
        })
        .collect();
    serde_json::json!({
        "model": one.name,
        "sources": one.sources,
        "same_weights": one.is_one_model,
        "answers": report.answers,
        "prompt_tokens": report.prompt_tokens,
        "tokens": report.tokens,
        "generating_seconds": tenths(report.generating),
        "executors": executors,
    })
}
