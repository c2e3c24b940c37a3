//! Sharing checkpoints with other operators.

use super::{Config, Listen, ServiceError};
use crate::artefacts::{self, FetchError};
use crate::chain::types::WireEndpoint;
use crate::now_and_then::NowAndThen;
use noema_artefacts::{Artefacts, BlobHash, Error, FetchProgress, Protocol};
use noema_model::engine::Engine;
use noema_protocol::CheckpointId;
use noema_session_transport::{Acceptor, ALPN};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tracing::{info, warn};

/// The most addresses of an endpoint that the chain records.
const ADDRESSES: usize = 4;

/// Opens the endpoint, if one is configured, and shares the checkpoints. Sessions are accepted there, too.
pub(super) async fn open(
    config: &Config,
    folder: &Path,
    checkpoints: &BTreeMap<CheckpointId, Arc<Engine>>,
    acceptor: &Acceptor,
) -> Result<Option<Sharing>, ServiceError> {
    let public = &config.public_addresses;
    let listen = match config.listen {
        Listen::Off => return Ok(None),
        Listen::At(address) | Listen::IfPossible(address) => address,
    };
    if listen.ip().is_unspecified() && public.is_empty() {
        return Err(ServiceError::NoPublicAddress(listen));
    }
    if public.len() > ADDRESSES {
        return Err(ServiceError::TooManyAddresses(ADDRESSES));
    }
    let protocols = || {
        let handler = acceptor.clone().into();
        vec![Protocol {
            alpn: ALPN,
            handler,
        }]
    };
    let artefacts = match artefacts::open_with(folder, listen, protocols).await {
        Ok(artefacts) => artefacts,
        Err(FetchError::Here(error @ Error::Bind { .. }))
            if matches!(config.listen, Listen::At(_)) =>
        {
            return Err(ServiceError::Listen(error));
        }
        // The address is a default, so its failure must not keep the operators from working.
        Err(error) if matches!(config.listen, Listen::IfPossible(_)) => {
            warn!(%error, "shares no files with other operators");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let addresses = match public.is_empty() {
        true => artefacts.addresses(),
        false => public.clone(),
    };
    let mut blobs = BTreeMap::new();
    for (id, engine) in checkpoints {
        let blob = artefacts::share(&artefacts, engine.checkpoint()).await?;
        blobs.insert(*id, blob);
    }
    for stale in artefacts.shared() {
        if !blobs.values().any(|blob| *blob == stale) {
            artefacts.unshare(stale).await?;
        }
    }
    let places: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    info!(peer = %artefacts.peer(), addresses = places.join(", "), "shares its checkpoints");
    Ok(Some(Sharing {
        artefacts: Arc::new(artefacts),
        addresses,
        blobs,
    }))
}

/// The endpoint at which the checkpoints are shared, and their hashes.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) endpoint: WireEndpoint,
    pub(super) blobs: BTreeMap<CheckpointId, BlobHash>,
}

/// The open endpoint and the checkpoints that it shares.
pub(super) struct Sharing {
    artefacts: Arc<Artefacts>,
    addresses: Vec<SocketAddr>,
    blobs: BTreeMap<CheckpointId, BlobHash>,
}

impl Sharing {
    /// Closes the open connections.
    pub(super) async fn shutdown(self) {
        if let Some(artefacts) = Arc::into_inner(self.artefacts) {
            artefacts.shutdown().await;
        }
    }

    /// The endpoint.
    pub(super) fn artefacts(&self) -> Arc<Artefacts> {
        self.artefacts.clone()
    }

    /// The endpoint and the hashes, as they are announced.
    pub(super) fn shared(&self) -> Shared {
        let addresses = self.addresses.iter().copied().map(Into::into);
        Shared {
            endpoint: WireEndpoint {
                peer: self.artefacts.peer().0,
                addresses: addresses.collect(),
            },
            blobs: self.blobs.clone(),
        }
    }
}

/// Logs the progress of a fetch at intervals.
pub(super) fn log_progress(what: &'static str) -> impl Fn(FetchProgress) + Clone + Send + Sync {
    let lines = Arc::new(NowAndThen::new());
    move |progress| {
        if lines.is_due() {
            let (arrived, all) = (progress.present, progress.total);
            info!(arrived, all, "fetches {what}, in bytes");
        }
    }
}
