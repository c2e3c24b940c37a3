//! Generates answers with one executor and executes them again with every other one; see
//! `scripts/equality.sh`.

use anyhow::Result;
use clap::Parser;
use noema_equality::run::{open, run, Report, Settings};
use noema_worker::import::{run_chat_template, ImportOptions};
use std::{path::PathBuf, process::ExitCode, sync::Arc};

/// Compare every executor of this machine, bit by bit, on a real model.
#[derive(Parser)]
struct Options {
    /// The model: a GGUF file or a Hugging Face folder.
    model: PathBuf,
    /// The folder of its checkpoint.
    #[arg(long)]
    home: PathBuf,
    /// Least number of tokens to generate and to compare.
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

/// Whether all executors are equal.
fn compare(options: &Options) -> Result<bool> {
    let checkpoint = Arc::new(open(
        &options.model,
        &options.home,
        &ImportOptions::default(),
    )?);
    let settings = Settings {
        tokens: options.tokens,
        cases: options.cases,
        seed: options.seed,
    };
    let report = run(checkpoint, &settings)?;
    match options.json {
        true => print_json(&report),
        false => print_table(&report),
    }
    Ok(report.is_equal())
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

fn print_json(report: &Report) {
    let tenths = |seconds: f64| (seconds * 10.0).round() / 10.0;
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
    let report = serde_json::json!({
        "answers": report.answers,
        "prompt_tokens": report.prompt_tokens,
        "tokens": report.tokens,
        "generating_seconds": tenths(report.generating),
        "executors": executors,
    });
    println!("{report}");
}
