//! What a worker shares with other operators.

use super::operators::Recorded;
use super::{Config, Listen, ServiceError};
use crate::artefacts::{self, FetchError};
use crate::chain::calls::{AnnounceHolding, SetEndpoint};
use crate::chain::types::WireEndpoint;
use crate::chain::{ChainError, Node};
use crate::engine::Engine;
use crate::now_and_then::NowAndThen;
use noema_artefacts::{Artefacts, BlobHash, Error, PeerId, Progress};
use noema_protocol::CheckpointId;
use sp_core::H256;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tracing::{info, warn};

/// Addresses that the chain records of an endpoint.
const ADDRESSES: usize = 4;

/// Opens the endpoint, if there is to be one, and shares the checkpoints.
pub(super) async fn open(
    config: &Config,
    folder: &Path,
    checkpoints: &BTreeMap<CheckpointId, Arc<Engine>>,
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
    let artefacts = match artefacts::open(folder, listen).await {
        Ok(artefacts) => artefacts,
        Err(FetchError::Here(error @ Error::Bind { .. }))
            if matches!(config.listen, Listen::At(_)) =>
        {
            return Err(ServiceError::Listen(error));
        }
        // Nobody asked for it, so it must not keep an operator from working.
        Err(error) if matches!(config.listen, Listen::IfPossible(_)) => {
            warn!(%error, "shares nothing with other operators");
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

/// The endpoint, and what it shares.
pub(super) struct Sharing {
    artefacts: Arc<Artefacts>,
    addresses: Vec<SocketAddr>,
    blobs: BTreeMap<CheckpointId, BlobHash>,
}

impl Sharing {
    /// Says goodbye to those who are fetching.
    pub(super) async fn shutdown(self) {
        if let Some(artefacts) = Arc::into_inner(self.artefacts) {
            artefacts.shutdown().await;
        }
    }

    /// The endpoint, to share more over it.
    pub(super) fn artefacts(&self) -> Arc<Artefacts> {
        self.artefacts.clone()
    }

    fn endpoint(&self) -> WireEndpoint {
        WireEndpoint {
            peer: self.artefacts.peer().0,
            addresses: self.addresses.iter().copied().map(Into::into).collect(),
        }
    }
}

/// Logs now and then how far the fetch of something is.
pub(super) fn log_progress(what: &'static str) -> impl Fn(Progress) + Clone + Send + Sync {
    let lines = Arc::new(NowAndThen::new());
    move |progress| {
        if lines.is_due() {
            let (arrived, all) = (progress.present, progress.total);
            info!(arrived, all, "fetches {what}, in bytes");
        }
    }
}

/// Tells the chain which operators hold the weights and where they share them, where it does not know, and
/// that nothing is shared any more where an earlier start shared from `folder` and this one does not. It is
/// no condition for serving, so a refusal is only logged.
pub(super) async fn announce(
    node: &Node,
    operators: &[Recorded],
    checkpoints: &BTreeMap<CheckpointId, Arc<Engine>>,
    sharing: Option<&Sharing>,
    folder: &Path,
) {
    let silent = match sharing {
        Some(_) => Ok(None),
        None => artefacts::silent(folder),
    };
    let silent = silent.unwrap_or_else(|error| {
        warn!(%error, "cannot tell whether files were shared before");
        None
    });
    for operator in operators {
        let name = operator.name();
        if let Some(sharing) = sharing {
            match publish(node, operator, sharing.endpoint()).await {
                Ok(true) => {
                    info!(operator = %name, "published where it shares checkpoints");
                }
                Ok(false) => {}
                Err(error) => {
                    warn!(operator = %name, %error, "could not publish where it shares checkpoints");
                }
            }
        } else if let Some(silent) = silent {
            match withdraw(node, operator, silent).await {
                Ok(true) => {
                    info!(operator = %name, "withdrew the endpoint at which nothing is shared any more");
                }
                Ok(false) => {}
                Err(error) => {
                    warn!(operator = %name, %error, "could not withdraw the endpoint at which nothing is shared");
                }
            }
        }
        for (id, engine) in checkpoints {
            if !operator.serves.contains(id) {
                continue;
            }
            let blob = sharing.and_then(|sharing| sharing.blobs.get(id).copied());
            match hold(node, operator, *id, engine, blob).await {
                Ok(true) => {
                    info!(operator = %name, checkpoint = %id, "announced to hold the weights");
                }
                Ok(false) => {}
                Err(error) => {
                    warn!(operator = %name, checkpoint = %id, %error, "could not announce to hold the weights");
                }
            }
        }
    }
}

/// Whether the endpoint was news.
async fn publish(
    node: &Node,
    operator: &Recorded,
    endpoint: WireEndpoint,
) -> Result<bool, ChainError> {
    let at = node.finalized().await?;
    let known = at.endpoint(&operator.controller).await?;
    if known.as_ref() == Some(&endpoint) {
        return Ok(false);
    }
    let endpoint = Some(endpoint);
    node.perform_finally(SetEndpoint { endpoint }, &operator.key)
        .await?;
    Ok(true)
}

/// Whether the chain had an endpoint of this key for the operator, which it has no more. One of another key
/// is of another machine, and stays.
async fn withdraw(node: &Node, operator: &Recorded, silent: PeerId) -> Result<bool, ChainError> {
    let at = node.finalized().await?;
    let known = at.endpoint(&operator.controller).await?;
    if known.is_none_or(|known| known.peer != silent.0) {
        return Ok(false);
    }
    let endpoint = None;
    node.perform_finally(SetEndpoint { endpoint }, &operator.key)
        .await?;
    Ok(true)
}

/// Announces that an operator holds a checkpoint; whether that was news. Without an endpoint, the hash
/// is computed for the first one.
pub(super) async fn hold(
    node: &Node,
    operator: &Recorded,
    id: CheckpointId,
    engine: &Arc<Engine>,
    blob: Option<BlobHash>,
) -> Result<bool, ServiceError> {
    let known = node.finalized().await?.holders(&id).await?;
    let listed = known
        .iter()
        .find(|holding| holding.holder.0 == operator.controller);
    let blob = match (listed, blob) {
        (Some(_), None) => return Ok(false),
        (Some(listed), Some(blob)) if listed.blob.0 == blob.0 => return Ok(false),
        (_, Some(blob)) => blob,
        (None, None) => {
            let engine = engine.clone();
            tokio::task::spawn_blocking(move || artefacts::hash(engine.checkpoint()))
                .await
                .map_err(|_| ServiceError::CutOff("the hashing of a checkpoint"))??
        }
    };
    let call = AnnounceHolding {
        checkpoint: id.0,
        blob: H256(blob.0),
    };
    node.perform_finally(call, &operator.key).await?;
    Ok(true)
}
