//! `noema-worker checkpoint fetch`.

use super::progress::Progress;
use super::signals::stop_at_signal;
use super::verify::verify;
use super::{find_checkpoint, Global};
use crate::artefacts;
use crate::chain::At;
use anyhow::{bail, Context};
use clap::Args;
use noema_model::printable::one_line;
use noema_protocol::CheckpointId;
use std::time::Duration;

/// The time to wait for holders that are unreachable.
pub(super) const WAIT: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// Checkpoint, by a prefix of its id on chain [default: the canonical checkpoint, or the only one].
    checkpoint: Option<String>,
    /// Family whose canonical checkpoint is fetched, by name or number, instead of the checkpoint.
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
        if verify(&checkpoint).is_ok() {
            println!("{id} is already on this machine and matches its manifest");
            return Ok(());
        }
        eprintln!("{id} is damaged on this machine and is fetched again");
    }
    let record = at.checkpoint(&id).await?;
    let record = record.with_context(|| format!("the chain does not know checkpoint {id}"))?;
    let bar = Progress::of_bytes("Fetching the checkpoint", 0);
    let shown = bar.clone();
    let told = move |progress: noema_artefacts::FetchProgress| {
        shown.set(progress.present, progress.total);
    };
    let mut stop = stop_at_signal();
    let stopped = crate::stopped(&mut stop);
    let bytes = record.weights.bytes;
    let fetched = artefacts::fetch_alone(&node, &library, id, bytes, told, WAIT, stopped).await;
    bar.finish();
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
            .map(|(_, record)| one_line(&String::from_utf8_lossy(&record.name)));
        let names: Vec<_> = names.collect();
        bail!(
            "the chain knows no family {family}; it knows: {}",
            names.join(", ")
        );
    };
    let canonical = at.canonical(*number).await?;
    canonical.with_context(|| format!("the family {family} has no canonical checkpoint"))
}
