//! The resources that the operators of a worker need in rounds of training.

use super::operators::Recorded;
use super::peers::Peers;
use super::{Config, ServiceError};
use crate::chain::Link;
use crate::roles::rounds::{Choice, Exchange, Files, Setup};
use noema_artefacts::Artefacts;
use noema_executor::Device;
use noema_model::checkpoint::Library;
use noema_model::dataset::{DatasetError, Datasets, OpenDataset};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::info;

/// The datasets of this machine.
pub(super) fn datasets(config: &Config) -> Result<Datasets, ServiceError> {
    let open = |folder: &PathBuf| {
        let dataset = OpenDataset::open(folder)?;
        info!(root = ?dataset.root(), shards = dataset.len(), "opened a dataset");
        Ok(dataset)
    };
    let named = config.rounds.datasets.iter().map(open);
    let named = named.collect::<Result<_, DatasetError>>()?;
    Ok(Datasets::new(&config.home, named))
}

/// Resources for rounds that all operators of a worker share.
pub(super) struct Resources {
    library: Library,
    datasets: Datasets,
    device: Device,
    peers: Arc<Peers>,
}

impl Resources {
    /// Resources that are fetched over `artefacts` into `library` and `datasets`.
    pub(super) fn new(
        artefacts: Arc<Artefacts>,
        link: Arc<Link>,
        library: Library,
        datasets: Datasets,
        device: Device,
    ) -> Self {
        let peers = Peers::new(artefacts, link, library.clone(), datasets.clone());
        Self {
            library,
            datasets,
            device,
            peers: Arc::new(peers),
        }
    }

    /// The setup of an operator, with a folder of its own in `files`.
    pub(super) fn setup(&self, operator: &Recorded, config: &Config, files: &Path) -> Setup {
        let rounds = &config.rounds;
        Setup {
            choice: Choice {
                families: rounds.families.clone(),
                datasets: self.datasets.named().map(OpenDataset::root).collect(),
            },
            audits: rounds.audits,
            library: self.library.clone(),
            device: self.device.clone(),
            training: rounds.training.clone(),
            method: rounds.method.clone(),
            files: Files::new(files.join(operator.name())),
        }
    }

    /// The transfer of files, shared by all operators.
    pub(super) fn exchange(&self) -> Arc<dyn Exchange> {
        self.peers.clone()
    }
}
