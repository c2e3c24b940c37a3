//! Sessions: what the worker's parts for them know of the chain, and of other operators.

use super::operators::Recorded;
use super::ServiceError;
use crate::artefacts;
use crate::chain::{ChainError, Link};
use crate::games::ShownRows;
use crate::keys::Key;
use crate::roles::{ClaimedAnswer, LeafError, LeafSource, LoadedEngines};
use crate::store::AccountBytes;
use async_trait::async_trait;
use noema_artefacts::Fetcher;
use noema_protocol::{ClaimId, Job};
use noema_session_transport::{
    DrawnLeaf, DrawnLeaves, ServedSessions, SessionLeaf, SessionLimits, WorkerConnection,
    WorkerPatience, WorkerStore,
};
use sp_core::H256;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// What the sessions of all operators of a worker share.
pub(super) struct SessionResources {
    store: Arc<WorkerStore>,
    engines: Arc<LoadedEngines>,
    link: Arc<Link>,
    genesis: H256,
}

impl SessionResources {
    /// Opens the store of sessions at `path`.
    pub(super) fn open(
        path: &Path,
        engines: Arc<LoadedEngines>,
        link: Arc<Link>,
        genesis: H256,
    ) -> Result<Self, ServiceError> {
        Ok(Self {
            store: Arc::new(WorkerStore::open(path)?),
            engines,
            link,
            genesis,
        })
    }

    /// The sessions of an operator.
    pub(super) fn serve(&self, operator: &Recorded) -> Arc<ServedSessions> {
        ServedSessions::new(
            (operator.controller, self.genesis),
            self.store.clone(),
            self.engines.clone(),
            Arc::new(operator.key.clone()),
            Arc::new(ChainDraws(self.link.clone())),
            SessionLimits::default(),
        )
    }
}

/// The draws of validators, as the chain records them.
struct ChainDraws(Arc<Link>);

impl ChainDraws {
    async fn find(
        &self,
        claim: ClaimId,
        leaf: u32,
        key: &AccountBytes,
    ) -> Result<Option<DrawnLeaf>, ChainError> {
        let at = self.0.node()?.finalized().await?;
        let Some(validator) = at.controller_of(key).await? else {
            return Ok(None);
        };
        let Some(info) = at.claim(claim).await? else {
            return Ok(None);
        };
        let mut seats = info.claim.seats.iter();
        let is_drawn = seats.any(|seat| seat.leaf == leaf && seat.validator.0 == validator);
        let Job::Session(session, number) = info.job else {
            return Ok(None);
        };
        if !is_drawn {
            return Ok(None);
        }
        let Some(recorded) = at.session(session).await? else {
            return Ok(None);
        };
        let mut open = recorded.open_claims.into_iter();
        let found = open.find(|(other, _)| *other == number);
        Ok(found.map(|(_, open)| DrawnLeaf {
            claimant: info.claim.terms.claimant.0,
            session,
            first: open.first,
            leaves: open.leaves,
        }))
    }
}

#[async_trait]
impl DrawnLeaves for ChainDraws {
    async fn drawn(
        &self,
        claim: ClaimId,
        leaf: u32,
        key: &AccountBytes,
    ) -> Result<Option<DrawnLeaf>, String> {
        let found = self.find(claim, leaf, key).await;
        found.map_err(|error| error.to_string())
    }
}

/// Reads leaves of sessions for one operator, from their claimants or from the chain, and what was shown in games over
/// them.
pub(super) struct Leaves {
    link: Arc<Link>,
    key: Key,
    /// What was shown in games.
    rows: ShownRows,
    /// The endpoint to read over; opened at its first use if the worker shares no files.
    fetcher: OnceCell<Fetcher>,
}

impl Leaves {
    /// Reads over the endpoint of `fetcher`, or over one of its own.
    pub(super) fn new(link: Arc<Link>, key: Key, fetcher: Option<Fetcher>) -> Self {
        Self {
            link,
            key,
            rows: ShownRows::default(),
            fetcher: OnceCell::new_with(fetcher),
        }
    }

    async fn read(
        &self,
        claimed: &ClaimedAnswer,
        is_juror: bool,
    ) -> Result<SessionLeaf, LeafError> {
        let unread = |error: &dyn std::error::Error| LeafError::Unread(error.to_string());
        let node = self.link.node().map_err(|error| unread(&error))?;
        let at = node.finalized().await.map_err(|error| unread(&error))?;
        let info = at.claim(claimed.claim).await;
        let info = info.map_err(|error| unread(&error))?;
        let demand = info.and_then(|info| {
            let mut demands = info.claim.demands.into_iter();
            demands.find(|demand| demand.leaf == claimed.leaf)
        });
        if demand.as_ref().is_some_and(|demand| demand.is_posted) {
            let place = (claimed.claim, claimed.leaf);
            let is_right =
                |leaf: &SessionLeaf| leaf.is_of(claimed.root, claimed.leaves, claimed.leaf);
            let posted = node
                .posted_leaf(place, (claimed.made_at, at.number()), is_right)
                .await
                .map_err(|error| unread(&error))?;
            return posted.ok_or_else(|| {
                LeafError::Unread("it is posted, and no block has the post".into())
            });
        }
        if is_juror {
            return Err(LeafError::Demanded);
        }
        let asked = self.ask(claimed, node.genesis()).await;
        asked.map_err(|reason| match demand {
            Some(_) => LeafError::Demanded,
            None => LeafError::Unread(reason),
        })
    }

    async fn read_rows(&self, claimed: &ClaimedAnswer) -> Result<Vec<Vec<H256>>, ChainError> {
        let node = self.link.node()?;
        self.rows.read(&node, claimed).await
    }

    /// Asks the claimant.
    async fn ask(&self, claimed: &ClaimedAnswer, genesis: H256) -> Result<SessionLeaf, String> {
        let node = self.link.node().map_err(|error| error.to_string())?;
        let at = node.finalized().await.map_err(|error| error.to_string())?;
        let peer = artefacts::peer(&at, &claimed.claimant).await;
        let peer = peer
            .map_err(|error| error.to_string())?
            .ok_or_else(|| "its claimant has published no endpoint".to_owned())?;
        let fetcher = self.fetcher.get_or_try_init(artefacts::fetcher).await;
        let fetcher = fetcher.map_err(|error| error.to_string())?;
        let patience = WorkerPatience::default();
        let connected = WorkerConnection::connect(fetcher.endpoint(), &peer, patience).await;
        let connection = connected.map_err(|error| error.to_string())?;
        let leaf = connection
            .leaf(genesis, claimed.claim, claimed.leaf, &self.key)
            .await;
        connection.close();
        let leaf = leaf.map_err(|error| error.to_string())?;
        match leaf.is_of(claimed.root, claimed.leaves, claimed.leaf) {
            true => Ok(leaf),
            false => Err("its claimant sent something else".to_owned()),
        }
    }
}

#[async_trait]
impl LeafSource for Leaves {
    async fn leaf(
        &self,
        claimed: &ClaimedAnswer,
        is_juror: bool,
    ) -> Result<SessionLeaf, LeafError> {
        self.read(claimed, is_juror).await
    }

    async fn rows(&self, claimed: &ClaimedAnswer) -> Result<Vec<Vec<H256>>, LeafError> {
        let read = self.read_rows(claimed).await;
        read.map_err(|error| LeafError::Unread(error.to_string()))
    }
}
