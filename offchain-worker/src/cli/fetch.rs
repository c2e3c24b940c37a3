//! `noema-worker checkpoint fetch`.

use super::{find_checkpoint, Global};
use crate::artefacts;
use crate::chain::At;
use anyhow::{bail, Context};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use noema_protocol::CheckpointId;

#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// The beginning of its id [default: the canonical checkpoint, or the only one there is].
    checkpoint: Option<String>,
    /// The canonical checkpoint of this family, by name or number.
    #[arg(long, value_name = "FAMILY", conflicts_with = "checkpoint")]
    canonical: Option<String>,
}

pub(super) async fn fetch(global: &Global, args: FetchArgs) -> anyhow::Result<()> {
    let node = global.node().await?;
    let at = node.finalized().await?;
    let id = match &args.canonical {
        Some(family) => canonical(&at, family).await?,
        None => find_checkpoint(&at, args.checkpoint.as_deref()).await?,
    };
    let library = global.library()?;
    if let Ok(checkpoint) = library.open(id) {
        if super::checkpoint::verify(&checkpoint).is_ok() {
            println!("{id} is already here, and what its manifest says");
            return Ok(());
        }
        eprintln!("{id} is here and damaged: it is fetched anew");
    }
    let record = at.checkpoint(&id).await?;
    let record = record.with_context(|| format!("the chain does not know checkpoint {id}"))?;
    let bar = bar();
    let shown = bar.clone();
    let fetched =
        artefacts::fetch_alone(&at, &library, id, record.weights.bytes, move |progress| {
            shown.set_length(progress.total);
            shown.set_position(progress.present);
        })
        .await;
    bar.finish_and_clear();
    let checkpoint = fetched?;
    println!("{id} is in {}", checkpoint.directory().display());
    Ok(())
}

/// The canonical checkpoint of the family with this name or number.
async fn canonical(at: &At, family: &str) -> anyhow::Result<CheckpointId> {
    let families = at.families().await?;
    let found = families.iter().find(|(number, record)| {
        record.name == family.as_bytes() || number.0.to_string() == family
    });
    let Some((number, _)) = found else {
        let names = families
            .iter()
            .map(|(_, record)| String::from_utf8_lossy(&record.name));
        let names: Vec<_> = names.collect();
        bail!(
            "the chain knows no family {family}; it knows: {}",
            names.join(", ")
        );
    };
    let canonical = at.canonical(*number).await?;
    canonical.with_context(|| format!("the family {family} has no canonical checkpoint"))
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template(
        "Fetching the checkpoint      {bar:30} {decimal_bytes:>9}/{decimal_total_bytes:9} {eta}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}
