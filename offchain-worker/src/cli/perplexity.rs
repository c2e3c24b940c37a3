//! `noema-worker perplexity`.

use super::device::DeviceArgs;
use super::Global;
use crate::engine::Engine;
use crate::reference::{perplexity as measure, PerplexityOptions};
use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use noema_executor::{DeviceChoice, DeviceOptions};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct PerplexityArgs {
    /// The GGUF file or Hugging Face folder that the checkpoint was imported from.
    source: PathBuf,
    /// The text to predict, UTF-8.
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// Least number of tokens to predict.
    #[arg(long, default_value_t = PerplexityOptions::default().tokens)]
    tokens: usize,
    /// Tokens that are read together.
    #[arg(long, default_value_t = PerplexityOptions::default().window)]
    window: usize,
    /// The checkpoint, by its folder or the beginning of its id [default: what importing the
    /// source yields].
    #[arg(long)]
    checkpoint: Option<String>,
    #[command(flatten)]
    device: DeviceArgs,
    /// What executes the float model: `auto`, `cpu`, `gpu` or `gpu:<index>`.
    #[arg(long, default_value_t = DeviceChoice::Cpu, value_name = "DEVICE")]
    float_device: DeviceChoice,
    /// Print JSON.
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
    let style = ProgressStyle::with_template("Predicting {bar:30} {pos}/{len} windows {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::no_length().with_style(style);
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
        &mut |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        },
    )?;
    bar.finish_and_clear();
    if args.json {
        let value = serde_json::json!({
            "tokens": found.tokens,
            "integer": found.integer,
            "float": found.float,
            "ratio": found.ratio,
            "ratio_se": found.ratio_se,
            "same_top": found.same_top,
        });
        println!("{}", serde_json::to_string_pretty(&value)?);
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
