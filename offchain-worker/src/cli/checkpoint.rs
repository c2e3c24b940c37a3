//! `noema-worker checkpoint`.

use super::{import::behind_bar, Global};
use crate::checkpoint::{OpenCheckpoint, TOKENIZER};
use crate::dataset::learn_tokenizer;
use crate::import::{initialise, InitialOptions};
use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

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
    /// Make a checkpoint with random weights, to be trained from nothing.
    New(NewArgs),
    /// Hash a checkpoint's weights and compare them with its manifest.
    Verify {
        /// Its folder, or the beginning of its id.
        checkpoint: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The family's tokenizer.json.
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    tokenizer: Option<PathBuf>,
    /// Learn a byte-level BPE tokenizer from these texts instead.
    #[arg(long, value_name = "FILE", required_unless_present = "tokenizer")]
    text: Vec<PathBuf>,
    /// The texts are JSON lines, with a document in this field of each.
    #[arg(long, value_name = "NAME", requires = "text")]
    text_field: Option<String>,
    /// Tokens of the tokenizer that is learnt.
    #[arg(long, default_value_t = 1_024, value_name = "TOKENS")]
    vocabulary: u32,
    /// Name to record.
    #[arg(long, default_value_t = InitialOptions::default().name)]
    name: String,
    /// Licence to record.
    #[arg(long, default_value = "")]
    licence: String,
    /// Transformer layers.
    #[arg(long, default_value_t = InitialOptions::default().layers)]
    layers: u32,
    /// Width of the residual stream, a multiple of 32.
    #[arg(long, default_value_t = InitialOptions::default().hidden)]
    hidden: u32,
    /// Query heads.
    #[arg(long, default_value_t = InitialOptions::default().heads)]
    heads: u32,
    /// Key/value heads, of which the query heads are a multiple.
    #[arg(long, default_value_t = InitialOptions::default().kv_heads)]
    kv_heads: u32,
    /// Width of a head, a multiple of 32.
    #[arg(long, default_value_t = InitialOptions::default().head_dim)]
    head_dim: u32,
    /// Width of the feed-forward layer, a multiple of 32.
    #[arg(long, default_value_t = InitialOptions::default().feed_forward)]
    feed_forward: u32,
    /// Positions that a text may have.
    #[arg(long, default_value_t = InitialOptions::default().context, value_name = "TOKENS")]
    context: u32,
    /// Base of the rotary embedding's frequencies.
    #[arg(long, default_value_t = InitialOptions::default().rope_base)]
    rope_base: f64,
    /// Give the output head weights of its own.
    #[arg(long)]
    untied_head: bool,
    /// What the weights follow from.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub(super) fn checkpoint(global: &Global, command: CheckpointCommand) -> anyhow::Result<()> {
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
        CheckpointCommand::New(args) => new(global, args),
        CheckpointCommand::Verify { checkpoint } => {
            let checkpoint = global.open_checkpoint(&checkpoint)?;
            verify(&checkpoint)?;
            println!("{} is what its manifest says", checkpoint.id());
            Ok(())
        }
    }
}

fn new(global: &Global, args: NewArgs) -> anyhow::Result<()> {
    let (path, tokenizer) = match args.tokenizer {
        Some(path) => {
            let json = std::fs::read(&path)
                .with_context(|| format!("{} could not be read", path.display()))?;
            (path, json)
        }
        None => (
            PathBuf::from(TOKENIZER),
            learn_tokenizer(&args.text, args.text_field.as_deref(), args.vocabulary)?,
        ),
    };
    let options = InitialOptions {
        name: args.name,
        licence: args.licence,
        layers: args.layers,
        hidden: args.hidden,
        heads: args.heads,
        kv_heads: args.kv_heads,
        head_dim: args.head_dim,
        feed_forward: args.feed_forward,
        context: args.context,
        rope_base: args.rope_base,
        untied_head: args.untied_head,
        seed: args.seed,
    };
    let home = global.home()?;
    let checkpoint = behind_bar(|bar| initialise(&path, tokenizer, &home, &options, bar))?;
    println!("{}", checkpoint.id());
    eprintln!("made {}", checkpoint.directory().display());
    Ok(())
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
        "made from      a {} with hash {:?}",
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
