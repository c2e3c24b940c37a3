//! `noema-worker programme`: training a family, as governance decides it and as anyone follows it.

mod books;
mod chart;
mod follow;
mod standings;
#[cfg(test)]
mod testing;

use super::Global;
use crate::chain::calls::Sudo;
use crate::chain::types::{CheckpointsCall, TrainingCall, WireCall};
use crate::dataset::Dataset;
use crate::keys::Key;
use anyhow::{bail, Context};
use clap::{Args, Subcommand};
use noema_protocol::FamilyId;
use noema_rounds::{Permill, Rules, Windows};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum ProgrammeCommand {
    /// Start to train a family, from a checkpoint on. For the account that governs the chain.
    Start(StartArgs),
    /// Stop training a family. For the account that governs the chain.
    Stop {
        /// Number of the family.
        #[arg(long, default_value_t = 0)]
        family: u32,
        /// Who signs: the key of `sudo`.
        #[arg(long, default_value = "//Alice", value_name = "KEY")]
        account: String,
    },
    /// Print the canonical checkpoint of a family.
    Canonical {
        /// Number of the family.
        #[arg(long, default_value_t = 0)]
        family: u32,
    },
    /// Show the rounds of a family: losses, contributions, what became of them.
    Follow(follow::FollowArgs),
}

#[derive(Debug, Args)]
pub(super) struct StartArgs {
    /// The checkpoint to start from, by the beginning of its id on chain; it becomes canonical.
    checkpoint: String,
    /// Folder of the dataset; see `noema-worker dataset prepare`.
    #[arg(long, value_name = "FOLDER")]
    dataset: PathBuf,
    /// Who signs: the key of `sudo`.
    #[arg(long, default_value = "//Alice", value_name = "KEY")]
    account: String,
    /// Blocks to join, and to reveal contributions and scores.
    #[arg(long, default_value_t = 30, value_name = "BLOCKS")]
    short_window: u32,
    /// Blocks to train.
    #[arg(long, default_value_t = 1_800, value_name = "BLOCKS")]
    training_window: u32,
    /// Blocks to score, to claim, to object and to fetch the next checkpoint.
    #[arg(long, default_value_t = 300, value_name = "BLOCKS")]
    scoring_window: u32,
    /// Contributions below which a round ends without a new checkpoint.
    #[arg(long, default_value_t = 2)]
    min_contributions: u32,
    /// Validators that are drawn to score.
    #[arg(long, default_value_t = 2)]
    validators: u32,
    /// Shards that each trainer is given.
    #[arg(long, default_value_t = 1)]
    shards_per_trainer: u32,
    /// Shards that every contribution is evaluated on.
    #[arg(long, default_value_t = 2)]
    evaluation_shards: u32,
    /// Most bytes of a compressed update.
    #[arg(long, default_value_t = 16 << 20, value_name = "BYTES")]
    max_update_bytes: u32,
    /// Most entries of a chunk of 4,096 weights in an update.
    #[arg(long, default_value_t = noema_update::DEFAULT_ENTRIES)]
    entries: u16,
    /// Percent of its entries that a contribution may share with an earlier one.
    #[arg(long, default_value_t = 50, value_name = "PERCENT")]
    max_overlap: u32,
    /// Operators that must hold the next checkpoint before it becomes canonical.
    #[arg(long, default_value_t = 2)]
    min_holders: u32,
}

pub(super) async fn programme(global: &Global, command: ProgrammeCommand) -> anyhow::Result<()> {
    match command {
        ProgrammeCommand::Start(args) => start(global, args).await,
        ProgrammeCommand::Stop { family, account } => {
            stop(global, FamilyId(family), &account).await
        }
        ProgrammeCommand::Canonical { family } => canonical(global, FamilyId(family)).await,
        ProgrammeCommand::Follow(args) => follow::follow(global, args).await,
    }
}

impl StartArgs {
    fn rules(&self) -> Rules<u32> {
        Rules {
            windows: Windows {
                registration: self.short_window,
                training: self.training_window,
                reveal: self.short_window,
                scoring: self.scoring_window,
                score_reveal: self.short_window,
                claim: self.scoring_window,
                objection: self.scoring_window,
                holding: self.scoring_window,
            },
            min_contributions: self.min_contributions,
            validators: self.validators,
            shards_per_trainer: self.shards_per_trainer,
            evaluation_shards: self.evaluation_shards,
            max_update_bytes: self.max_update_bytes,
            entries_per_chunk: self.entries,
            max_overlap: Permill::from_percent(self.max_overlap),
            min_holders: self.min_holders,
        }
    }
}

async fn start(global: &Global, args: StartArgs) -> anyhow::Result<()> {
    let governor = Key::load(&args.account)?;
    let dataset = Dataset::open(&args.dataset)?;
    let rules = args.rules();
    let recorded = dataset.recorded();
    rules
        .check(&recorded)
        .map_err(|error| anyhow::anyhow!("no round could follow these rules: {error}"))?;
    let node = global.node().await?;
    let at = node.finalized().await?;
    let checkpoint = super::find_checkpoint(&at, Some(&args.checkpoint)).await?;
    let record = at.checkpoint(&checkpoint).await?;
    let family = FamilyId(
        record
            .context("the checkpoint is gone from the chain")?
            .family,
    );
    if at.canonical(family).await? != Some(checkpoint) {
        let call = CheckpointsCall::set_canonical {
            family: family.0,
            checkpoint: checkpoint.0,
        };
        node.submit(Sudo::of(WireCall::Checkpoints(call)), &governor)
            .await?;
        if node.finalized().await?.canonical(family).await? != Some(checkpoint) {
            bail!("the chain did not make {checkpoint} canonical; is --account the key of `sudo`?");
        }
    }
    let manifest = dataset.manifest();
    let call = TrainingCall::start_programme {
        family: family.0,
        dataset: recorded.into(),
        licence: manifest.licence.clone().into_bytes(),
        source: manifest.source.clone().into_bytes(),
        rules: Box::new(rules.into()),
    };
    node.submit(Sudo::of(WireCall::Training(call)), &governor)
        .await?;
    let opened = node.finalized().await?.open_round(family).await?;
    let Some(round) = opened else {
        bail!("the chain started no programme; the event `sudo.Sudid` in the last blocks says why");
    };
    println!(
        "family {family} is trained from {checkpoint} on; round {} is open",
        round.id
    );
    Ok(())
}

async fn canonical(global: &Global, family: FamilyId) -> anyhow::Result<()> {
    let at = global.node().await?.finalized().await?;
    let canonical = at.canonical(family).await?;
    let canonical =
        canonical.with_context(|| format!("the family {family} has no canonical checkpoint"))?;
    println!("{canonical}");
    Ok(())
}

async fn stop(global: &Global, family: FamilyId, account: &str) -> anyhow::Result<()> {
    let governor = Key::load(account)?;
    let node = global.node().await?;
    let call = TrainingCall::stop_programme { family: family.0 };
    node.submit(Sudo::of(WireCall::Training(call)), &governor)
        .await?;
    let families = node.finalized().await?.trained_families().await?;
    if families.contains(&family) {
        bail!("the chain did not stop the programme; is --account the key of `sudo`?");
    }
    println!("family {family} is trained no more");
    Ok(())
}
