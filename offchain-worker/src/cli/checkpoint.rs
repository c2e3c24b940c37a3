//! `noema-worker checkpoint`.

use super::fetch::{fetch, FetchArgs};
use super::values::within;
use super::verify::verify;
use super::{import::behind_bar, Global};
use anyhow::Context;
use clap::{Args, Subcommand};
use noema_checkpoint::Architecture;
use noema_model::checkpoint::{OpenCheckpoint, TOKENIZER};
use noema_model::dataset::{learn_tokenizer, FEWEST_TOKENS};
use noema_model::import::{initialise, InitialOptions};
use noema_model::printable::one_line;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum CheckpointCommand {
    /// List the checkpoints on this machine.
    List {
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Show a checkpoint's manifest.
    Show {
        /// Checkpoint, by its folder or a prefix of its id.
        checkpoint: String,
        /// Print the manifest as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Fetch a checkpoint from its holders, and verify it.
    Fetch(FetchArgs),
    /// Make a checkpoint with random weights, to be trained from scratch.
    New(NewArgs),
    /// Hash a checkpoint's weights and compare them with its manifest.
    Verify {
        /// Checkpoint, by its folder or a prefix of its id.
        checkpoint: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// Tokenizer of the family: its tokenizer.json; needed unless --text is given.
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    tokenizer: Option<PathBuf>,
    /// Text to train a byte-level BPE tokenizer on, instead of --tokenizer. May be given several times.
    #[arg(long, value_name = "FILE", required_unless_present = "tokenizer")]
    text: Vec<PathBuf>,
    /// Field of a JSON object that holds a document: the texts are JSON lines [default: they are plain
    /// text].
    #[arg(long, value_name = "NAME", requires = "text")]
    text_field: Option<String>,
    /// Vocabulary of the tokenizer that is trained, in tokens.
    #[arg(
        long,
        default_value_t = 1_024,
        value_parser = within(FEWEST_TOKENS..=Architecture::MAX_VOCABULARY),
        value_name = "TOKENS",
    )]
    vocabulary: u32,
    /// Name to record.
    #[arg(long, default_value_t = InitialOptions::default().name)]
    name: String,
    /// Licence to record, such as CC0-1.0 [default: none].
    #[arg(long, default_value = "", hide_default_value = true)]
    licence: String,
    /// Transformer layers.
    #[arg(
        long,
        default_value_t = InitialOptions::default().layers,
        value_parser = within(1..=Architecture::MAX_LAYERS),
    )]
    layers: u32,
    /// Hidden size: width of the residual stream, a multiple of 32.
    #[arg(
        long,
        default_value_t = InitialOptions::default().hidden,
        value_parser = within(32..=Architecture::MAX_COLUMNS),
    )]
    hidden: u32,
    /// Query heads.
    #[arg(
        long,
        default_value_t = InitialOptions::default().heads,
        value_parser = within(1..=Architecture::MAX_COLUMNS),
    )]
    heads: u32,
    /// Key/value heads; --heads is a multiple of them.
    #[arg(
        long,
        default_value_t = InitialOptions::default().kv_heads,
        value_parser = within(1..=Architecture::MAX_COLUMNS),
    )]
    kv_heads: u32,
    /// Head size: width of a head, a multiple of 32.
    #[arg(
        long,
        default_value_t = InitialOptions::default().head_dim,
        value_parser = within(32..=Architecture::MAX_HEAD_DIM),
    )]
    head_dim: u32,
    /// Feed-forward size: width of the feed-forward layer, a multiple of 32.
    #[arg(
        long,
        default_value_t = InitialOptions::default().feed_forward,
        value_parser = within(32..=Architecture::MAX_COLUMNS),
    )]
    feed_forward: u32,
    /// Context length: the most tokens of a text.
    #[arg(
        long,
        default_value_t = InitialOptions::default().context,
        value_parser = within(1..=Architecture::MAX_CONTEXT),
        value_name = "TOKENS",
    )]
    context: u32,
    /// RoPE base: base of the rotary embedding's frequencies.
    #[arg(
        long,
        default_value_t = InitialOptions::default().rope_base,
        value_parser = within(InitialOptions::ROPE_BASES),
    )]
    rope_base: f64,
    /// Untie the output head from the token embedding: give it weights of its own.
    #[arg(long)]
    untied_head: bool,
    /// Seed of the random weights.
    #[arg(long, default_value_t = 0, value_parser = within(0..=u64::MAX))]
    seed: u64,
}

pub(super) async fn checkpoint(global: &Global, command: CheckpointCommand) -> anyhow::Result<()> {
    match command {
        CheckpointCommand::List { json } => list(global, json),
        CheckpointCommand::Show { checkpoint, json } => {
            let checkpoint = global.open_checkpoint(&checkpoint)?;
            if json {
                super::print_json(checkpoint.manifest())?;
            } else {
                show(&checkpoint);
            }
            Ok(())
        }
        CheckpointCommand::Fetch(args) => fetch(global, args).await,
        CheckpointCommand::New(args) => new(global, args),
        CheckpointCommand::Verify { checkpoint } => {
            let checkpoint = global.open_checkpoint(&checkpoint)?;
            verify(&checkpoint)?;
            println!("{} matches its manifest", checkpoint.id());
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
            Err(error) => eprintln!("{id} cannot be opened: {}", one_line(&error.to_string())),
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
        super::print_json(&rows)?;
        return Ok(());
    }
    if listed.is_empty() {
        eprintln!(
            "no checkpoints in {}; import one with: noema-worker import <GGUF file or folder>",
            library.root().display()
        );
    }
    for checkpoint in &listed {
        println!(
            "{}  {}  {} MB",
            checkpoint.id(),
            one_line(&checkpoint.manifest().name),
            checkpoint.manifest().weights_bytes / 1_000_000
        );
    }
    Ok(())
}

fn show(checkpoint: &OpenCheckpoint) {
    let manifest = checkpoint.manifest();
    let architecture = &manifest.architecture;
    println!("checkpoint     {}", checkpoint.id());
    println!("name           {}", one_line(&manifest.name));
    println!("licence        {}", one_line(&manifest.licence));
    println!("folder         {}", checkpoint.directory().display());
    println!("format         version {}", manifest.format);
    println!("numerics       version {}", manifest.numerics);
    println!("text layer     version {}", manifest.text_layer);
    println!(
        "architecture   {} layers, hidden {}, {} heads and {} for keys and values of {}, feed-forward {}",
        architecture.layers,
        architecture.hidden,
        architecture.heads,
        architecture.kv_heads,
        architecture.head_dim,
        architecture.feed_forward
    );
    if !architecture.variant.is_llama() {
        println!("variant        {}", serde_json::json!(architecture.variant));
    }
    println!(
        "tokens         {} in the vocabulary, {} in the context",
        architecture.vocabulary, architecture.context_length
    );
    println!("weights        {} bytes", manifest.weights_bytes);
    println!("weights root   {:?}", manifest.weights_root);
    println!("tokenizer      {:?}", manifest.tokenizer_hash);
    println!("chat template  {:?}", manifest.chat_template_hash);
    if let Some(frame) = &manifest.frame {
        let (before, after) = (format!("{:?}", frame.before), format!("{:?}", frame.after));
        println!(
            "frame          {}, the prompt{}, {}",
            one_line(&before),
            if frame.trims {
                " without white space at its ends"
            } else {
                ""
            },
            one_line(&after)
        );
    }
    println!("stop tokens    {:?}", manifest.stops);
    println!(
        "made from      a {} with hash {:?}",
        manifest.source.format, manifest.source.hash
    );
}
