//! `noema-worker programme`: starting and stopping the training of a family for governance, and following it.

mod books;
mod chart;
mod follow;
mod standings;
#[cfg(test)]
mod testing;

use super::dataset::warn_of_repeated_shards;
use super::values::within;
use super::Global;
use crate::chain::calls::Sudo;
use crate::chain::types::{CheckpointsCall, TrainingCall, WireCall};
use crate::keys::Key;
use anyhow::{bail, Context};
use clap::{Args, Subcommand};
use noema_model::dataset::OpenDataset;
use noema_protocol::{FamilyId, MAX_HOLDERS};
use noema_rounds::{
    Permill, RoundRules, RoundWindows, MAX_ASSIGNED_SHARDS, MAX_EVALUATION_SHARDS, MAX_TRAINERS,
    MAX_VALIDATORS,
};
use noema_training::TrainingOptions;
use std::path::PathBuf;

/// The longest window of a round, in blocks: a year of blocks of six seconds.
const LONGEST_WINDOW: u32 = 5_256_000;
/// The largest `--max-update-bytes`.
const LARGEST_UPDATE: u32 = 1 << 30;

#[derive(Debug, Subcommand)]
pub(super) enum ProgrammeCommand {
    /// Start to train a family from a checkpoint; needs the `sudo` key.
    Start(StartArgs),
    /// Stop training a family; needs the `sudo` key.
    Stop {
        /// Family, by its number.
        #[arg(long, default_value_t = 0, value_parser = within(0..=u32::MAX))]
        family: u32,
        /// Key of `sudo`, which signs: a key file or a development key.
        #[arg(long, default_value = "//Alice", value_name = "KEY")]
        account: String,
    },
    /// Print the canonical checkpoint of a family.
    Canonical {
        /// Family, by its number.
        #[arg(long, default_value_t = 0, value_parser = within(0..=u32::MAX))]
        family: u32,
    },
    /// Show the rounds of a family: losses, contributions, rulings and rewards.
    Follow(follow::FollowArgs),
}

#[derive(Debug, Args)]
pub(super) struct StartArgs {
    /// Checkpoint to start from, by a prefix of its id on chain; it becomes canonical.
    checkpoint: String,
    /// Dataset to train on, by its folder; see `noema-worker dataset prepare`.
    #[arg(long, value_name = "FOLDER")]
    dataset: PathBuf,
    /// Key of `sudo`, which signs: a key file or a development key.
    #[arg(long, default_value = "//Alice", value_name = "KEY")]
    account: String,
    /// Short window, in blocks: for joining, and for revealing contributions and scores.
    #[arg(
        long,
        default_value_t = 30,
        value_parser = within(1..=LONGEST_WINDOW),
        value_name = "BLOCKS",
    )]
    short_window: u32,
    /// Training window, in blocks: for training and committing a contribution.
    #[arg(
        long,
        default_value_t = 1_800,
        value_parser = within(1..=LONGEST_WINDOW),
        value_name = "BLOCKS",
    )]
    training_window: u32,
    /// Scoring window, in blocks: each for scoring, claiming, objecting and fetching the next checkpoint.
    #[arg(
        long,
        default_value_t = 300,
        value_parser = within(1..=LONGEST_WINDOW),
        value_name = "BLOCKS",
    )]
    scoring_window: u32,
    /// Least number of contributions: with fewer, a round ends without a new checkpoint.
    #[arg(
        long,
        default_value_t = 2,
        value_parser = within(2..=MAX_TRAINERS),
        value_name = "CONTRIBUTIONS",
    )]
    min_contributions: u32,
    /// Validators to draw for scoring.
    #[arg(long, default_value_t = 2, value_parser = within(1..=MAX_VALIDATORS))]
    validators: u32,
    /// Shards for each trainer.
    #[arg(
        long,
        default_value_t = 1,
        value_parser = within(1..=MAX_ASSIGNED_SHARDS),
        value_name = "SHARDS",
    )]
    shards_per_trainer: u32,
    /// Evaluation shards, on which every contribution is evaluated.
    #[arg(
        long,
        default_value_t = 2,
        value_parser = within(1..=MAX_EVALUATION_SHARDS),
        value_name = "SHARDS",
    )]
    evaluation_shards: u32,
    /// The largest update, in bytes after compression.
    #[arg(
        long,
        default_value_t = 16 << 20,
        value_parser = within(1..=LARGEST_UPDATE),
        value_name = "BYTES",
    )]
    max_update_bytes: u32,
    /// Density of updates: the most entries of a chunk of 4,096 weights.
    #[arg(
        long,
        default_value_t = noema_update::DEFAULT_ENTRIES,
        value_parser = within(TrainingOptions::ENTRIES),
    )]
    entries: u16,
    /// Largest overlap: percent of its entries that a contribution may share with an earlier one before it
    /// counts as a copy.
    #[arg(long, default_value_t = 50, value_parser = within(0..=100u32), value_name = "PERCENT")]
    max_overlap: u32,
    /// Least number of holders: operators that must hold the next checkpoint before it becomes canonical.
    #[arg(
        long,
        default_value_t = 2,
        value_parser = within(1..=MAX_HOLDERS),
        value_name = "OPERATORS",
    )]
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
    fn rules(&self) -> RoundRules<u32> {
        RoundRules {
            windows: RoundWindows {
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
    let dataset = OpenDataset::open(&args.dataset)?;
    warn_of_repeated_shards(&dataset);
    let rules = args.rules();
    let recorded = dataset.recorded();
    rules
        .check(&recorded)
        .map_err(|error| anyhow::anyhow!("the rules do not allow a round: {error}"))?;
    let node = global.node().await?;
    let at = node.finalized().await?;
    let checkpoint = super::find_checkpoint(&at, Some(&args.checkpoint)).await?;
    let record = at.checkpoint(&checkpoint).await?;
    let family = record
        .context("the checkpoint is no longer on chain")?
        .family;
    if at.canonical(family).await? != Some(checkpoint) {
        let call = CheckpointsCall::set_canonical { family, checkpoint };
        node.submit(Sudo::of(WireCall::Checkpoints(call)), &governor)
            .await?;
        if node.finalized().await?.canonical(family).await? != Some(checkpoint) {
            bail!("the chain did not make {checkpoint} canonical; is --account the key of `sudo`?");
        }
    }
    let manifest = dataset.manifest();
    let call = TrainingCall::start_programme {
        family,
        dataset: recorded,
        licence: manifest.licence.clone().into_bytes(),
        source: manifest.source.clone().into_bytes(),
        rules: Box::new(rules),
    };
    node.submit(Sudo::of(WireCall::Training(call)), &governor)
        .await?;
    let opened = node.finalized().await?.open_round(family).await?;
    let Some(round) = opened else {
        bail!("the chain started no programme; see the event `sudo.Sudid` in the last blocks for the reason");
    };
    println!(
        "family {family} is trained from checkpoint {checkpoint}; round {} is open",
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
    let call = TrainingCall::stop_programme { family };
    node.submit(Sudo::of(WireCall::Training(call)), &governor)
        .await?;
    let families = node.finalized().await?.trained_families().await?;
    if families.contains(&family) {
        bail!("the chain did not stop the programme; is --account the key of `sudo`?");
    }
    println!("family {family} is no longer trained");
    Ok(())
}
