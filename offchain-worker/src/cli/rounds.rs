//! Options of `noema-worker run` for rounds of training.

use super::train::TrainingArgs;
use super::values::within;
use crate::service::RoundsConfig;
use clap::Args;
use noema_protocol::FamilyId;
use std::path::PathBuf;

/// The rounds after which the learning rate has fallen, unless a horizon is given.
const ROUNDS: u32 = 16;

#[derive(Debug, Args)]
pub(super) struct RoundsArgs {
    /// Family, by number, in whose rounds of training to take part as a trainer or validator. May be given
    /// several times [default: as a trainer, the family that has been trained for longest].
    #[arg(long, value_parser = within(0..=u32::MAX), value_name = "FAMILY")]
    family: Vec<u32>,
    /// Dataset, by its folder, in whose rounds of training to take part, and to share. May be given several
    /// times [default: none; missing shards are fetched from other operators].
    #[arg(long, value_name = "FOLDER")]
    dataset: Vec<PathBuf>,
    /// As a validator, also verify rounds for which other validators were drawn, and object to wrong
    /// decisions.
    #[arg(long)]
    audit_rounds: bool,
    #[command(flatten)]
    training: TrainingArgs,
}

impl RoundsArgs {
    /// The configuration for a worker.
    pub(super) fn config(&self) -> RoundsConfig {
        RoundsConfig {
            families: self.family.iter().copied().map(FamilyId).collect(),
            datasets: self.dataset.clone(),
            audits: self.audit_rounds,
            training: self.training.options(ROUNDS),
            ..RoundsConfig::default()
        }
    }
}
