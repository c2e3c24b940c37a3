//! `noema-worker checkpoint`.

use super::fetch::{fetch, FetchArgs};
use super::Global;
use crate::checkpoint::OpenCheckpoint;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

#[derive(Debug, Subcommand)]
pub(super) enum CheckpointCommand {
    /// List the checkpoints on this machine.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a checkpoint's manifest.
    Show {
        /// Its folder, or the beginning of its id.
        checkpoint: String,
        /// Print the manifest as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Fetch a checkpoint from the operators that hold it, and verify it.
    Fetch(FetchArgs),
    /// Hash a checkpoint's weights and compare them with its manifest.
    Verify {
        /// Its folder, or the beginning of its id.
        checkpoint: String,
    },
}

pub(super) async fn checkpoint(global: &Global, command: CheckpointCommand) -> anyhow::Result<()> {
    match command {
        CheckpointCommand::List { json } => list(global, json),
        CheckpointCommand::Show { checkpoint, json } => {
            let checkpoint = global.open_checkpoint(&checkpoint)?;
            if json {
                println!("{}", serde_json::to_string_pretty(checkpoint.manifest())?);
            } else {
                show(&checkpoint);
            }
            Ok(())
        }
        CheckpointCommand::Fetch(args) => fetch(global, args).await,
        CheckpointCommand::Verify { checkpoint } => {
            let checkpoint = global.open_checkpoint(&checkpoint)?;
            verify(&checkpoint)?;
            println!("{} is what its manifest says", checkpoint.id());
            Ok(())
        }
    }
}

fn list(global: &Global, json: bool) -> anyhow::Result<()> {
    let library = global.library()?;
    let mut listed = Vec::new();
    for id in library.ids()? {
        match library.open(id) {
            Ok(checkpoint) => listed.push(checkpoint),
            Err(error) => eprintln!("{id} cannot be opened: {error}"),
        }
    }
    if json {
        let rows: Vec<_> = listed
            .iter()
            .map(|checkpoint| {
                serde_json::json!({
                    "id": checkpoint.id(),
                    "name": checkpoint.manifest().name,
                    "weights_bytes": checkpoint.manifest().weights_bytes,
                    "folder": checkpoint.directory(),
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    if listed.is_empty() {
        eprintln!(
            "no checkpoints in {}; make one with: noema-worker import <GGUF file or folder>",
            library.root().display()
        );
    }
    for checkpoint in &listed {
        println!(
            "{}  {}  {} MB",
            checkpoint.id(),
            checkpoint.manifest().name,
            checkpoint.manifest().weights_bytes / 1_000_000
        );
    }
    Ok(())
}

fn show(checkpoint: &OpenCheckpoint) {
    let manifest = checkpoint.manifest();
    let architecture = &manifest.architecture;
    println!("checkpoint     {}", checkpoint.id());
    println!("name           {}", manifest.name);
    println!("licence        {}", manifest.licence);
    println!("folder         {}", checkpoint.directory().display());
    println!("numerics       version {}", manifest.numerics);
    println!("architecture   {architecture:?}");
    println!("weights        {} bytes", manifest.weights_bytes);
    println!("weights root   {:?}", manifest.weights_root);
    println!("tokenizer      {:?}", manifest.tokenizer_hash);
    println!("chat template  {:?}", manifest.chat_template_hash);
    println!("stop tokens    {:?}", manifest.stops);
    println!(
        "imported from  a {} with hash {:?}",
        manifest.source.format, manifest.source.hash
    );
}

/// Hashes the weights behind a bar.
pub(super) fn verify(checkpoint: &OpenCheckpoint) -> anyhow::Result<()> {
    let style = ProgressStyle::with_template(
        "Verifying the weights        {bar:30} {decimal_bytes:>9}/{decimal_total_bytes:9} {eta}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(checkpoint.manifest().weights_bytes).with_style(style);
    let result = checkpoint.verify(&|bytes| bar.inc(bytes));
    bar.finish_and_clear();
    Ok(result?)
}
