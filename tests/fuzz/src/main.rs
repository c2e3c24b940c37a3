//! Runs a target on changed inputs for a time, and keeps what makes it fail.

use anyhow::{bail, Context, Result};
use clap::Parser;
use noema_fuzz::{corpus, InputPool, TARGETS};
use std::{
    fs,
    panic::{catch_unwind, AssertUnwindSafe},
    path::PathBuf,
    time::{Duration, Instant},
};

/// Runs a target on changed inputs. An input that makes it panic is written to the target's folder of the corpus, which
/// the tests replay.
#[derive(Parser)]
struct Arguments {
    /// The target; without one, they are listed
    target: Option<String>,
    /// How long to run, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Another sequence of changes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the seeds into this folder, and run nothing
    #[arg(long)]
    seeds: Option<PathBuf>,
    /// Write the shortest input of each outcome into the corpus, those of at most 4 KiB
    #[arg(long)]
    keep: bool,
}

/// Longest input that `--keep` writes.
const KEPT: usize = 4 << 10;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let Some(name) = &arguments.target else {
        TARGETS
            .iter()
            .for_each(|target| println!("{}", target.name));
        return Ok(());
    };
    let target = TARGETS.iter().find(|target| target.name == name.as_str());
    let target =
        target.with_context(|| format!("no target {name:?}; without a name, all are listed"))?;
    if let Some(folder) = &arguments.seeds {
        fs::create_dir_all(folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:04}")), seed)?;
        }
        return Ok(());
    }
    let folder = corpus(target);
    let mut pool = InputPool::new(target, arguments.seed)?;
    let until = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut runs = 0_u64;
    while Instant::now() < until {
        let input = pool.next_input();
        if catch_unwind(AssertUnwindSafe(|| pool.run(&input))).is_err() {
            fs::create_dir_all(&folder)?;
            let file = folder.join(format!("failure-{}-{runs}", arguments.seed));
            fs::write(&file, &input)?;
            bail!(
                "{name} failed after {runs} runs; the input is {}",
                file.display()
            );
        }
        runs += 1;
    }
    println!("{name}: {runs} runs, {} outcomes", pool.outcomes().len());
    for (number, (outcome, input)) in pool.outcomes().iter().enumerate() {
        println!("  {outcome}: {} bytes", input.len());
        if arguments.keep && input.len() <= KEPT {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{number:03}")), input)?;
        }
    }
    Ok(())
}
