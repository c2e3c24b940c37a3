//! Serving shared artefacts to a bounded number of peers.

use futures::TryFutureExt;
use iroh::{
    endpoint::Connection,
    protocol::{AcceptError, ProtocolHandler},
};
use iroh_blobs::{
    api::Store,
    protocol::ERR_LIMIT,
    provider::events::{
        AbortReason, EventMask, EventSender, ObserveMode, ProviderMessage, RequestMode,
    },
    BlobsProtocol, Hash,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::Semaphore;

/// Requests from peers that wait for a decision.
const DECISIONS: usize = 64;

/// The hashes that peers may request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offer(Arc<RwLock<BTreeSet<Hash>>>);

impl Offer {
    pub(crate) fn insert(&self, hash: Hash) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(hash);
    }

    pub(crate) fn remove(&self, hash: Hash) -> bool {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&hash)
    }

    pub(crate) fn all(&self) -> Vec<Hash> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .copied()
            .collect()
    }

    pub(crate) fn contains(&self, hash: Hash) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&hash)
    }
}

/// Serves the offered artefacts to a bounded number of connections at a time.
#[derive(Debug)]
pub(crate) struct Server {
    blobs: BlobsProtocol,
    connections: Arc<Semaphore>,
    longest: Duration,
}

impl Server {
    /// Serves `offer` from `store` to at most `connections` at a time, each for at most `longest`; a peer
    /// that is cut off resumes with its next connection.
    pub(crate) fn new(store: &Store, offer: Offer, connections: usize, longest: Duration) -> Self {
        let mask = EventMask {
            get: RequestMode::Intercept,
            get_many: RequestMode::Disabled,
            push: RequestMode::Disabled,
            observe: ObserveMode::Intercept,
            ..EventMask::DEFAULT
        };
        let (events, mut requests) = EventSender::channel(DECISIONS, mask);
        tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                decide(&offer, request).await;
            }
        });
        Self {
            blobs: BlobsProtocol::new(store, Some(events)),
            connections: Arc::new(Semaphore::new(connections)),
            longest,
        }
    }
}

/// Accepts a request if it names an offered artefact.
async fn decide(offer: &Offer, request: ProviderMessage) {
    // If the peer has gone, the answer is dropped.
    let _gone = match request {
        ProviderMessage::GetRequestReceived(get) => {
            let allowed = offer.contains(get.inner.request.hash);
            get.tx
                .send(allowed.then_some(()).ok_or(AbortReason::Permission))
                .await
        }
        ProviderMessage::ObserveRequestReceived(observe) => {
            observe.tx.send(Err(AbortReason::Permission)).await
        }
        _ => Ok(()),
    };
}

impl ProtocolHandler for Server {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        let Ok(_permit) = self.connections.clone().try_acquire_owned() else {
            connection.close(ERR_LIMIT, b"busy");
            return Ok(());
        };
        let served = self.blobs.accept(connection.clone());
        tokio::time::timeout(self.longest, served)
            .unwrap_or_else(|_| {
                connection.close(ERR_LIMIT, b"time limit reached");
                Ok(())
            })
            .await
    }

    async fn shutdown(&self) {
        self.blobs.shutdown().await;
    }
}
