//! Files between participants, by content hash.

use super::{Exchange, Round, RoundsError};
use crate::artefacts::{self, datasets, FetchError};
use crate::chain::{At, ChainError, Link};
use crate::checkpoint::{Library, OpenCheckpoint};
use crate::dataset::{Dataset, Datasets};
use crate::roles::LedgerError;
use crate::store::AccountBytes;
use async_trait::async_trait;
use noema_artefacts::{Artefacts, BlobHash};
use noema_protocol::CheckpointId;
use sp_core::H256;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;
use tracing::{debug, info};

/// Shares over one endpoint, and finds others by what the chain records of them.
pub struct Peers {
    artefacts: Arc<Artefacts>,
    link: Arc<Link>,
    library: Library,
    datasets: Datasets,
    /// Held by the participant that fetches: another one waits and finds what it needs.
    fetching: Mutex<()>,
}

impl Peers {
    /// Shares over `artefacts`; fetched checkpoints go to `library`, datasets to `datasets`.
    pub fn new(
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
        let node = self.link.node().map_err(ledger)?;
        node.finalized().await.map_err(ledger)
    }
}

fn ledger(error: ChainError) -> RoundsError {
    RoundsError::Ledger(LedgerError::from(error))
}

#[async_trait]
impl Exchange for Peers {
    async fn share(&self, file: &Path) -> Result<H256, RoundsError> {
        Ok(H256(self.artefacts.share(file).await?.0))
    }

    async fn share_checkpoint(&self, checkpoint: &OpenCheckpoint) -> Result<H256, RoundsError> {
        Ok(H256(artefacts::share(&self.artefacts, checkpoint).await?.0))
    }

    async fn fetch_update(
        &self,
        from: &[AccountBytes],
        update: H256,
        longest: u32,
        into: PathBuf,
    ) -> Result<Option<Vec<u8>>, RoundsError> {
        let failed = |path: PathBuf| move |source| RoundsError::Record { path, source };
        if let Ok(bytes) = tokio::fs::read(&into).await {
            return Ok(Some(bytes));
        }
        let at = self.now().await?;
        let mut peers = Vec::with_capacity(from.len());
        for account in from {
            peers.extend(artefacts::peer(&at, account).await.map_err(ledger)?);
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
                debug!(update = %hash, %error, "an update is not to be had");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn share_dataset(&self, round: &Round) -> Result<(), RoundsError> {
        let Some(dataset) = self.datasets.open(&round.dataset)? else {
            return Ok(());
        };
        Ok(datasets::share(&self.artefacts, &dataset).await?)
    }

    async fn dataset(&self, round: &Round, shards: &[u32]) -> Result<Dataset, RoundsError> {
        let recorded = &round.dataset;
        let _one_at_a_time = self.fetching.lock().await;
        if let Some(dataset) = datasets::find(&self.datasets, recorded, shards).await? {
            return Ok(dataset);
        }
        let own = self.artefacts.peer();
        let at = self.now().await?;
        let participants = round.participants().copied().collect();
        let peers = datasets::peers(&at, recorded, &participants, Some(own)).await?;
        info!(root = ?recorded.root, ?shards, "fetches what is missing of a dataset");
        let fetcher = self.artefacts.fetcher();
        let dataset =
            datasets::fetch(fetcher, &self.datasets, recorded, shards, &peers, |_| ()).await?;
        datasets::share(&self.artefacts, &dataset).await?;
        Ok(dataset)
    }

    async fn fetch_checkpoint(
        &self,
        checkpoint: CheckpointId,
    ) -> Result<OpenCheckpoint, RoundsError> {
        let at = self.now().await?;
        let record = at.checkpoint(&checkpoint).await.map_err(ledger)?;
        let Some(record) = record else {
            return Err(FetchError::NobodyHolds(checkpoint).into());
        };
        let holders = artefacts::holders(&at, checkpoint).await?;
        let weights = record.weights.bytes;
        let fetcher = self.artefacts.fetcher();
        let fetched = artefacts::fetch(
            fetcher,
            &self.library,
            checkpoint,
            weights,
            &holders,
            |_| (),
        )
        .await?;
        Ok(fetched)
    }
}
