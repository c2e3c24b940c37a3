//! `noema-worker import`.

use super::values::within;
use super::{progress, Global};
use clap::Args;
use noema_checkpoint::Architecture;
use noema_model::checkpoint::OpenCheckpoint;
use noema_model::import::{ImportOptions, ImportProgress, ImportStage, UNNAMED};
use noema_model::printable::one_line;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Model to import: a GGUF file, or a Hugging Face folder with config.json, safetensors and
    /// tokenizer.json or tokenizer.model.
    source: PathBuf,
    /// Context length: the most tokens of prompt and answer together [default: that of the model, at most
    /// 8192; with longrope at most that of its short factors].
    #[arg(long, value_parser = within(1..=Architecture::MAX_CONTEXT), value_name = "TOKENS")]
    context: Option<u32>,
    /// Name to record [default: that in the source's metadata, or `unnamed`].
    #[arg(long)]
    name: Option<String>,
    /// Licence to record, such as Apache-2.0 [default: that of the source].
    #[arg(long)]
    licence: Option<String>,
}

/// A progress bar for the current stage.
#[derive(Default)]
struct Bar {
    bar: Mutex<Option<progress::Progress>>,
}

impl ImportProgress for Bar {
    fn begin(&self, stage: ImportStage, total: u64) {
        let bar = progress::Progress::of_bytes(stage.describe(), total);
        let mut current = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(done) = current.replace(bar) {
            done.finish();
        }
    }

    fn advance(&self, units: u64) {
        let current = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = current.as_ref() {
            bar.add(units);
        }
    }
}

pub(super) fn import(global: &Global, args: ImportArgs) -> anyhow::Result<()> {
    let options = ImportOptions {
        context: args.context,
        name: args.name,
        licence: args.licence,
        program: None,
    };
    let checkpoint = with_progress(&args.source, &global.home()?, &options)?;
    println!("{}", checkpoint.id());
    eprintln!(
        "imported {} to {}",
        one_line(&checkpoint.manifest().name),
        checkpoint.directory().display()
    );
    if checkpoint.manifest().name == UNNAMED {
        eprintln!("the source states no name; import it with --name to record one, which gives another id");
    }
    Ok(())
}

/// Imports with a progress bar.
pub(super) fn with_progress(
    source: &Path,
    home: &Path,
    options: &ImportOptions,
) -> anyhow::Result<OpenCheckpoint> {
    behind_bar(|bar| noema_model::import::import(source, home, options, bar))
}

/// Does `work` with a progress bar.
pub(super) fn behind_bar<T, E: std::error::Error + Send + Sync + 'static>(
    work: impl FnOnce(&dyn ImportProgress) -> Result<T, E>,
) -> anyhow::Result<T> {
    let bar = Bar::default();
    let result = work(&bar);
    let bar = bar.bar.into_inner();
    if let Some(bar) = bar.unwrap_or_else(PoisonError::into_inner) {
        bar.finish();
    }
    Ok(result?)
}
