//! `noema-worker perplexity`.

use super::device::DeviceArgs;
use super::progress::Progress;
use super::values::within;
use super::Global;
use anyhow::Context;
use clap::Args;
use noema_checkpoint::Architecture;
use noema_executor::{DeviceChoice, DeviceOptions};
use noema_model::engine::Engine;
use noema_model::reference::{perplexity as measure, PerplexityOptions};
use std::path::PathBuf;
use std::sync::Arc;

/// The most tokens to predict: more than any text that fits into memory.
const MOST_TOKENS: usize = 1_000_000_000;

#[derive(Debug, Args)]
pub(super) struct PerplexityArgs {
    /// Source of the checkpoint: the GGUF file or Hugging Face folder that it was imported from.
    source: PathBuf,
    /// Text to predict, a file in UTF-8.
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// The least number of tokens to predict; the text must have at least as many.
    #[arg(
        long,
        default_value_t = PerplexityOptions::default().tokens,
        value_parser = within(1..=MOST_TOKENS),
    )]
    tokens: usize,
    /// Window: tokens that are read together, at most the context length of the checkpoint.
    #[arg(
        long,
        default_value_t = PerplexityOptions::default().window,
        value_parser = within(2..=Architecture::MAX_CONTEXT as usize),
        value_name = "TOKENS",
    )]
    window: usize,
    /// Checkpoint, by its folder or a prefix of its id [default: the import of the source].
    #[arg(long)]
    checkpoint: Option<String>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Device that executes the float model: `auto`, `cpu`, `gpu`, or `gpu:<index>` such as gpu:0.
    #[arg(long, default_value_t = DeviceChoice::Cpu, value_name = "DEVICE")]
    float_device: DeviceChoice,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn perplexity(global: &Global, args: PerplexityArgs) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&args.text)
        .with_context(|| format!("cannot read {} as UTF-8", args.text.display()))?;
    let checkpoint = match &args.checkpoint {
        Some(name) => global.open_checkpoint(name)?,
        None => super::import::with_progress(&args.source, &global.home()?, &Default::default())?,
    };
    let device = args.device.options().select()?;
    let float_device = DeviceOptions {
        choice: args.float_device,
        ..Default::default()
    };
    let float_device = float_device.select()?;
    let engine = Engine::open(Arc::new(checkpoint), &device, None)?;
    let bar = Progress::of("Predicting", "windows", 0);
    let options = PerplexityOptions {
        window: args.window,
        tokens: args.tokens,
    };
    let found = measure(
        &engine,
        &args.source,
        &float_device,
        &text,
        options,
        &(),
        &mut |done, all| bar.set(done as u64, all as u64),
    )?;
    bar.finish();
    if args.json {
        let value = serde_json::json!({
            "tokens": found.tokens,
            "integer": found.integer,
            "float": found.float,
            "ratio": found.ratio,
            "ratio_se": found.ratio_se,
            "same_top": found.same_top,
        });
        super::print_json(&value)?;
        return Ok(());
    }
    println!("tokens predicted     {}", found.tokens);
    println!("perplexity, integer  {:.4}", found.integer);
    println!("perplexity, float    {:.4}", found.float);
    println!(
        "ratio                {:.5} ± {:.5}",
        found.ratio, found.ratio_se
    );
    println!("same top token       {:.1} %", found.same_top * 100.0);
    Ok(())
}
