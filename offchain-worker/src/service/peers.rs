//! The transfer of files between the operators of a round, by content hash.

use super::share::log_progress;
use crate::artefacts::{self, datasets, FetchError};
use crate::chain::{At, Link};
use crate::roles::rounds::{Exchange, Round, RoundsError};
use crate::store::AccountBytes;
use async_trait::async_trait;
use noema_artefacts::{Artefacts, BlobHash};
use noema_model::checkpoint::{Library, OpenCheckpoint};
use noema_model::dataset::{Datasets, OpenDataset};
use noema_protocol::CheckpointId;
use sp_core::H256;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;
use tracing::{debug, info};

/// Shares over one endpoint, and finds other operators by their endpoints on chain.
pub(super) struct Peers {
    artefacts: Arc<Artefacts>,
    link: Arc<Link>,
    library: Library,
    datasets: Datasets,
    /// Held while an operator fetches: other operators of this worker wait, and then find the files here.
    fetching: Mutex<()>,
}

impl Peers {
    /// Shares over `artefacts`; fetched checkpoints go to `library`, datasets to `datasets`.
    pub(super) fn new(
        artefacts: Arc<Artefacts>,
        link: Arc<Link>,
        library: Library,
        datasets: Datasets,
    ) -> Self {
        Self {
            artefacts,
            link,
            library,
            datasets,
            fetching: Mutex::new(()),
        }
    }

    async fn now(&self) -> Result<At, RoundsError> {
        let node = self.link.node().map_err(RoundsError::exchange)?;
        node.finalized().await.map_err(RoundsError::exchange)
    }
}

#[async_trait]
impl Exchange for Peers {
    async fn share(&self, file: &Path) -> Result<H256, RoundsError> {
        let shared = self.artefacts.share(file).await;
        Ok(H256(shared.map_err(RoundsError::exchange)?.0))
    }

    async fn share_checkpoint(&self, checkpoint: &OpenCheckpoint) -> Result<H256, RoundsError> {
        let shared = artefacts::share(&self.artefacts, checkpoint).await;
        Ok(H256(shared.map_err(RoundsError::exchange)?.0))
    }

    async fn fetch_update(
        &self,
        from: &[AccountBytes],
        update: H256,
        longest: u32,
        into: PathBuf,
    ) -> Result<Option<Vec<u8>>, RoundsError> {
        let failed = |path: PathBuf| move |source| RoundsError::File { path, source };
        if let Ok(bytes) = tokio::fs::read(&into).await {
            return Ok(Some(bytes));
        }
        let at = self.now().await?;
        let mut peers = Vec::with_capacity(from.len());
        for account in from {
            let peer = artefacts::peer(&at, account).await;
            peers.extend(peer.map_err(RoundsError::exchange)?);
        }
        if peers.is_empty() {
            return Ok(None);
        }
        if let Some(folder) = into.parent() {
            tokio::fs::create_dir_all(folder)
                .await
                .map_err(failed(folder.to_owned()))?;
        }
        let hash = BlobHash(update.0);
        let fetched = self
            .artefacts
            .fetcher()
            .fetch_file(hash, longest.into(), &peers, &into, |_| ())
            .await;
        match fetched {
            Ok(_) => {
                let bytes = tokio::fs::read(&into).await.map_err(failed(into))?;
                Ok(Some(bytes))
            }
            Err(error) if error.is_of_peers() => {
                debug!(update = %hash, %error, "an update is not available");
                Ok(None)
            }
            Err(error) => Err(RoundsError::exchange(error)),
        }
    }

    async fn share_dataset(&self, round: &Round) -> Result<(), RoundsError> {
        let Some(dataset) = self.datasets.open(&round.dataset)? else {
            return Ok(());
        };
        let shared = datasets::share(&self.artefacts, &dataset).await;
        shared.map_err(RoundsError::exchange)
    }

    async fn dataset(&self, round: &Round, shards: &[u32]) -> Result<OpenDataset, RoundsError> {
        let recorded = &round.dataset;
        let _one_at_a_time = self.fetching.lock().await;
        let found = datasets::find(&self.datasets, recorded, shards).await;
        if let Some(dataset) = found.map_err(RoundsError::exchange)? {
            return Ok(dataset);
        }
        let own = self.artefacts.peer();
        let at = self.now().await?;
        let participants = round.participants().copied().collect();
        let peers = datasets::peers(&at, recorded, &participants, Some(own)).await;
        let peers = peers.map_err(RoundsError::exchange)?;
        info!(root = ?recorded.root, shards = shards.len(), "fetches the missing parts of a dataset");
        let fetcher = self.artefacts.fetcher();
        let dataset =
            datasets::fetch(fetcher, &self.datasets, recorded, shards, &peers, |_| ()).await;
        let dataset = dataset.map_err(RoundsError::exchange)?;
        let shared = datasets::share(&self.artefacts, &dataset).await;
        shared.map_err(RoundsError::exchange)?;
        Ok(dataset)
    }

    async fn fetch_checkpoint(
        &self,
        checkpoint: CheckpointId,
    ) -> Result<OpenCheckpoint, RoundsError> {
        let at = self.now().await?;
        let record = at.checkpoint(&checkpoint).await;
        let Some(record) = record.map_err(RoundsError::exchange)? else {
            return Err(RoundsError::exchange(FetchError::NoHolder(checkpoint)));
        };
        let holders = artefacts::holders(&at, checkpoint).await;
        let holders = holders.map_err(RoundsError::exchange)?;
        let weights = record.weights.bytes;
        let fetcher = self.artefacts.fetcher();
        let fetched = artefacts::fetch(
            fetcher,
            &self.library,
            checkpoint,
            weights,
            &holders,
            log_progress("a checkpoint of a round"),
        )
        .await;
        fetched.map_err(|error| match error {
            FetchError::OtherRelease { .. } => RoundsError::OtherRelease(Box::new(error)),
            error => RoundsError::exchange(error),
        })
    }
}
