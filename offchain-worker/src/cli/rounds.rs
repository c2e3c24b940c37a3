//! How `noema-worker run` takes part in rounds of training.

use super::run::Recorded;
use super::share::Sharing;
use super::train::TrainingArgs;
use super::Global;
use crate::chain::{ChainRounds, Link};
use crate::dataset::Dataset;
use crate::keys::address;
use crate::rounds::{Participant, Peers, Records, Setup};
use crate::training::Sabotage;
use anyhow::bail;
use clap::Args;
use noema_executor::Device;
use noema_protocol::interfaces::Role;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::info;

/// Rounds after which the learning rate has fallen, unless a horizon is given.
const ROUNDS: u32 = 16;

#[derive(Debug, Args)]
pub(super) struct RoundsArgs {
    /// Take part in rounds of training on the dataset in this folder, as a trainer or validator; see
    /// `noema-worker dataset prepare`. May be given several times.
    #[arg(long, value_name = "FOLDER")]
    dataset: Vec<PathBuf>,
    #[command(flatten)]
    training: TrainingArgs,
    /// Spoil contributions on purpose, to see that a round stands it.
    #[arg(long, value_enum, value_name = "HOW", hide = true)]
    sabotage: Option<Sabotage>,
}

/// What all participants of a process share.
pub(super) struct Surroundings<'a> {
    pub(super) global: &'a Global,
    pub(super) datasets: &'a [Arc<Dataset>],
    pub(super) device: &'a Device,
    pub(super) audits: bool,
    pub(super) link: &'a Arc<Link>,
    pub(super) sharing: Option<&'a Sharing>,
    /// Folder for their records.
    pub(super) records: &'a Path,
}

impl RoundsArgs {
    /// Whether any operator is to take part.
    pub(super) fn is_asked(&self) -> bool {
        !self.dataset.is_empty()
    }

    /// Reads the datasets.
    pub(super) fn datasets(&self) -> anyhow::Result<Vec<Arc<Dataset>>> {
        self.dataset
            .iter()
            .map(|folder| {
                let dataset = Dataset::open(folder)?;
                info!(root = ?dataset.root(), shards = dataset.len(), "has a dataset");
                Ok(Arc::new(dataset))
            })
            .collect()
    }

    /// The participant of an operator; `None` if it has no part in rounds.
    pub(super) fn participant(
        &self,
        operator: &Recorded,
        around: &Surroundings<'_>,
    ) -> anyhow::Result<Option<Participant>> {
        let role = match (operator.trainer, operator.validator) {
            (true, _) => Role::Trainer,
            (false, true) => Role::Validator,
            (false, false) => return Ok(None),
        };
        if around.datasets.is_empty() {
            return Ok(None);
        }
        let name = address(&operator.controller);
        let Some(sharing) = around.sharing else {
            bail!("the operator {name} cannot take part in rounds without sharing files with others; say where with --listen <ADDRESS:PORT>");
        };
        let library = around.global.library()?;
        let setup = Setup {
            account: operator.controller,
            role,
            audits: around.audits,
            datasets: around.datasets.to_vec(),
            library: library.clone(),
            device: around.device.clone(),
            training: self.training.options(ROUNDS),
            records: Records::new(around.records.join(&name)),
            sabotage: self.sabotage,
            name,
        };
        let ledger = ChainRounds::new(
            around.link.clone(),
            operator.key.clone(),
            operator.controller,
        );
        let peers = Peers::new(sharing.artefacts(), around.link.clone(), library);
        Ok(Some(Participant::new(
            setup,
            Arc::new(ledger),
            Arc::new(peers),
        )))
    }
}

/// Checks that a trainer has something to train on.
pub(super) fn check_trains(operator: &Recorded, args: &RoundsArgs) -> anyhow::Result<()> {
    if operator.trainer && !args.is_asked() {
        bail!(
            "the operator {} is a trainer; name the folder of the dataset with --dataset",
            address(&operator.controller)
        );
    }
    Ok(())
}
