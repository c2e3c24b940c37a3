//! A fake network between operators, with slow, missing and stalled transfers.

use async_trait::async_trait;
use noema_model::checkpoint::OpenCheckpoint;
use noema_model::dataset::{Datasets, OpenDataset, MANIFEST};
use noema_protocol::CheckpointId;
use noema_worker::artefacts::FetchError;
use noema_worker::roles::rounds::{Exchange, Round, RoundsError};
use noema_worker::store::AccountBytes;
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The files that operators share, and the faults of transfers.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) files: BTreeMap<H256, Vec<u8>>,
    /// The files of the operator that prepared the dataset and takes no part in rounds.
    pub(crate) prepared: BTreeMap<H256, Vec<u8>>,
    pub(crate) checkpoints: BTreeMap<CheckpointId, PathBuf>,
    /// The operators that share each file.
    pub(crate) sharers: BTreeSet<(AccountBytes, H256)>,
    /// Pairs of a sharing operator and a receiver between which transfers never end.
    pub(crate) drips: BTreeSet<(AccountBytes, AccountBytes)>,
    /// The operators whose fetch of a dataset stalls.
    pub(crate) stalled: BTreeSet<AccountBytes>,
    /// The operators that wait for a transfer that never ends, or for a dataset.
    pub(crate) waiting_for_more: BTreeSet<AccountBytes>,
    /// The operators that requested each update.
    pub(crate) asked: Vec<(AccountBytes, H256)>,
    /// Unanswered requests for updates, now and at most.
    waiting: u32,
    pub(crate) most_waiting: u32,
}

#[derive(Clone, Default)]
pub(crate) struct Network(Arc<Mutex<Shared>>);

impl Network {
    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().expect("no test thread has panicked")
    }

    /// The network for the operator of this account.
    pub(crate) fn of(&self, account: AccountBytes, datasets: Datasets) -> FakePeers {
        FakePeers {
            account,
            network: self.clone(),
            datasets,
        }
    }
}

pub(crate) struct FakePeers {
    account: AccountBytes,
    network: Network,
    datasets: Datasets,
}

impl FakePeers {
    fn fetch(&self, round: &Round, hash: H256, into: &Path) -> Result<(), RoundsError> {
        let shared = self.network.shared();
        let served = shared.files.get(&hash).or(shared.prepared.get(&hash));
        let no_holder = || RoundsError::exchange(FetchError::NoSharingOperator(round.dataset.root));
        let bytes = served.ok_or_else(no_holder)?;
        fs::create_dir_all(into.parent().expect("a file in a folder")).expect("is made");
        fs::write(into, bytes).expect("is written");
        Ok(())
    }

    async fn is_stalled(&self) {
        while self.network.shared().stalled.contains(&self.account) {
            self.network.shared().waiting_for_more.insert(self.account);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[async_trait]
impl Exchange for FakePeers {
    async fn share(&self, file: &Path) -> Result<H256, RoundsError> {
        let bytes = fs::read(file).expect("is there");
        let hash = H256(*blake3::hash(&bytes).as_bytes());
        let mut shared = self.network.shared();
        shared.files.insert(hash, bytes);
        shared.sharers.insert((self.account, hash));
        Ok(hash)
    }

    async fn share_checkpoint(&self, checkpoint: &OpenCheckpoint) -> Result<H256, RoundsError> {
        let folder = checkpoint.directory().to_owned();
        let mut shared = self.network.shared();
        shared.checkpoints.insert(checkpoint.id(), folder);
        Ok(checkpoint.id().0)
    }

    async fn fetch_update(
        &self,
        from: &[AccountBytes],
        update: H256,
        _: u32,
        into: PathBuf,
    ) -> Result<Option<Vec<u8>>, RoundsError> {
        if let Ok(here) = fs::read(&into) {
            return Ok(Some(here));
        }
        let drips = {
            let mut shared = self.network.shared();
            shared.asked.push((self.account, update));
            let mut sharers = from.iter();
            let giver = sharers.find(|account| shared.sharers.contains(&(**account, update)));
            let drips = giver.is_some_and(|giver| shared.drips.contains(&(*giver, self.account)));
            let served = giver
                .and_then(|_| shared.files.get(&update))
                .filter(|_| !drips);
            if let Some(served) = served {
                fs::create_dir_all(into.parent().expect("a file in a folder")).expect("is made");
                fs::write(into, served).expect("is written");
                return Ok(Some(served.clone()));
            }
            shared.waiting += 1;
            shared.most_waiting = shared.most_waiting.max(shared.waiting);
            drips
        };
        if drips {
            self.network.shared().waiting_for_more.insert(self.account);
            std::future::pending::<()>().await;
        }
        // Lets the other requests start meanwhile.
        tokio::task::yield_now().await;
        self.network.shared().waiting -= 1;
        Ok(None)
    }

    async fn share_dataset(&self, round: &Round) -> Result<(), RoundsError> {
        if let Some(dataset) = self.datasets.open(&round.dataset)? {
            let here = dataset.files().filter(|(_, path)| path.exists());
            let read = here.map(|(hash, path)| (hash, fs::read(path).expect("is there")));
            self.network.shared().files.extend(read);
        }
        Ok(())
    }

    async fn dataset(&self, round: &Round, shards: &[u32]) -> Result<OpenDataset, RoundsError> {
        self.is_stalled().await;
        let recorded = &round.dataset;
        if self.datasets.open(recorded)?.is_none() {
            let path = self.datasets.path(recorded.root).join(MANIFEST);
            self.fetch(round, recorded.manifest, &path)?;
        }
        let dataset = self.datasets.open(recorded)?.expect("was fetched");
        for index in shards.iter().map(|index| *index as usize) {
            let path = dataset.shard_path(index)?;
            if !path.exists() {
                self.fetch(round, dataset.shard_hash(index)?, &path)?;
            }
        }
        self.share_dataset(round).await?;
        Ok(dataset)
    }

    async fn fetch_checkpoint(&self, id: CheckpointId) -> Result<OpenCheckpoint, RoundsError> {
        let folder = self.network.shared().checkpoints.get(&id).cloned();
        Ok(OpenCheckpoint::open(&folder.expect("a holder"))?)
    }
}
