//! How `noema-worker run` takes part in rounds of training.

use super::run::Recorded;
use super::train::TrainingArgs;
use super::Global;
use crate::chain::{ChainRounds, Link};
use crate::checkpoint::Library;
use crate::dataset::{Dataset, DatasetError, Datasets};
use crate::keys::address;
use crate::rounds::{Choice, Participant, Peers, Records, Setup};
use crate::training::Sabotage;
use anyhow::bail;
use clap::Args;
use noema_executor::Device;
use noema_protocol::{interfaces::Role, FamilyId};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::info;

/// Rounds after which the learning rate has fallen, unless a horizon is given.
const ROUNDS: u32 = 16;

#[derive(Debug, Args)]
pub(super) struct RoundsArgs {
    /// Take part in the rounds in which this family is trained, by number, as a trainer or validator
    /// [default: as a trainer, in those of the family that has been trained for longest]. May be given
    /// several times.
    #[arg(long, value_name = "FAMILY")]
    family: Vec<u32>,
    /// Take part in rounds on the dataset in this folder, and share it. Of other datasets, what is
    /// needed is fetched from other operators. May be given several times.
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
    pub(super) library: &'a Library,
    pub(super) datasets: &'a Datasets,
    pub(super) device: &'a Device,
    pub(super) audits: bool,
    pub(super) link: &'a Arc<Link>,
    /// How files move; `None` where nothing is shared.
    pub(super) peers: Option<&'a Arc<Peers>>,
    /// Folder for their records.
    pub(super) records: &'a Path,
}

impl RoundsArgs {
    /// What an operator does in rounds, given what it does at all.
    pub(super) fn role(&self, trains: bool, validates: bool) -> Option<Role> {
        let asked = !self.family.is_empty() || !self.dataset.is_empty();
        match (trains, validates && asked) {
            (true, _) => Some(Role::Trainer),
            (false, true) => Some(Role::Validator),
            (false, false) => None,
        }
    }

    /// The datasets of this machine.
    pub(super) fn datasets(&self, global: &Global) -> anyhow::Result<Datasets> {
        let open = |folder: &PathBuf| {
            let dataset = Dataset::open(folder)?;
            info!(root = ?dataset.root(), shards = dataset.len(), "has a dataset");
            Ok(dataset)
        };
        let named = self.dataset.iter().map(open);
        let named = named.collect::<Result<_, DatasetError>>()?;
        Ok(Datasets::new(&global.home()?, named))
    }

    /// The rounds to take part in.
    fn choice(&self, datasets: &Datasets) -> Choice {
        Choice {
            families: self.family.iter().copied().map(FamilyId).collect(),
            datasets: datasets.named().map(Dataset::root).collect(),
        }
    }

    /// The participant of an operator that has this role in rounds.
    pub(super) fn participant(
        &self,
        operator: &Recorded,
        role: Role,
        around: &Surroundings<'_>,
    ) -> anyhow::Result<Participant> {
        let name = address(&operator.controller);
        let Some(peers) = around.peers else {
            bail!("the operator {name} cannot take part in rounds without sharing files with others; say where with --listen <ADDRESS:PORT>");
        };
        let setup = Setup {
            account: operator.controller,
            role,
            choice: self.choice(around.datasets),
            audits: around.audits,
            library: around.library.clone(),
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
        Ok(Participant::new(setup, Arc::new(ledger), peers.clone()))
    }
}
