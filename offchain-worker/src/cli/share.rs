//! What `noema-worker run` shares with other operators.

use super::run::Recorded;
use crate::artefacts;
use crate::chain::calls::{AnnounceHolding, SetEndpoint};
use crate::chain::types::WireEndpoint;
use crate::chain::{ChainError, Node};
use crate::engine::Engine;
use crate::keys::address;
use anyhow::bail;
use clap::Args;
use noema_artefacts::{Artefacts, BlobHash};
use noema_protocol::CheckpointId;
use sp_core::H256;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use tracing::{info, warn};

/// Addresses that the chain records of an endpoint.
const ADDRESSES: usize = 4;

#[derive(Debug, Args)]
pub(super) struct ShareArgs {
    /// Share the loaded checkpoints, and what rounds of training take, with other operators here (UDP),
    /// or `off` [default: a free port of 127.0.0.1 with development keys, off with any other].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<Listen>,
    /// Where others reach what --listen opens, if that is another address; up to four.
    #[arg(long, value_name = "ADDRESS:PORT")]
    public_address: Vec<SocketAddr>,
}

/// Where files are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listen {
    Off,
    At(SocketAddr),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| {
                format!("`{text}` is neither off nor an address with a port such as 0.0.0.0:4433")
            }),
        }
    }
}

impl ShareArgs {
    /// Opens the endpoint, if there is to be one, and shares the checkpoints.
    pub(super) async fn open(
        &self,
        folder: &Path,
        keys: &[String],
        checkpoints: &BTreeMap<CheckpointId, Arc<Engine>>,
    ) -> anyhow::Result<Option<Sharing>> {
        let development = keys.iter().all(|key| key.starts_with("//"));
        let listen = match self.listen {
            Some(Listen::At(address)) => address,
            None if development => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            Some(Listen::Off) | None => return Ok(None),
        };
        if listen.ip().is_unspecified() && self.public_address.is_empty() {
            bail!("--listen {listen} is every address of this machine; say with --public-address which of them others reach");
        }
        if self.public_address.len() > ADDRESSES {
            bail!("--public-address may be given {ADDRESSES} times");
        }
        let artefacts = match artefacts::open(folder, listen).await {
            Ok(artefacts) => artefacts,
            // Nobody asked for it, so it must not keep an operator from working.
            Err(error) if self.listen.is_none() => {
                warn!(%error, "shares nothing with other operators");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let addresses = if self.public_address.is_empty() {
            artefacts.addresses()
        } else {
            self.public_address.clone()
        };
        let mut blobs = BTreeMap::new();
        for (id, engine) in checkpoints {
            blobs.insert(
                *id,
                artefacts::share(&artefacts, engine.checkpoint()).await?,
            );
        }
        for stale in artefacts.shared() {
            if !blobs.values().any(|blob| *blob == stale) {
                artefacts.unshare(stale).await?;
            }
        }
        info!(peer = %artefacts.peer(), ?addresses, "shares its checkpoints");
        Ok(Some(Sharing {
            artefacts: Arc::new(artefacts),
            addresses,
            blobs,
        }))
    }
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

/// Tells the chain which operators hold the weights and where they share them, where it does not know.
/// It is no condition for serving, so a refusal is only logged.
pub(super) async fn announce(
    node: &Node,
    operators: &[Recorded],
    checkpoints: &BTreeMap<CheckpointId, Arc<Engine>>,
    sharing: Option<&Sharing>,
) {
    for operator in operators {
        let name = address(&operator.controller);
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

/// Announces that an operator holds a checkpoint; whether that was news. Without an endpoint, the hash
/// is computed for the first one.
pub(super) async fn hold(
    node: &Node,
    operator: &Recorded,
    id: CheckpointId,
    engine: &Arc<Engine>,
    blob: Option<BlobHash>,
) -> anyhow::Result<bool> {
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
            tokio::task::spawn_blocking(move || artefacts::hash(engine.checkpoint())).await??
        }
    };
    let call = AnnounceHolding {
        checkpoint: id.0,
        blob: H256(blob.0),
    };
    node.perform_finally(call, &operator.key).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_takes_an_address_or_off() {
        assert_eq!("off".parse(), Ok(Listen::Off));
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 4_433));
        assert_eq!("127.0.0.1:4433".parse(), Ok(Listen::At(here)));
        for wrong in ["on", "127.0.0.1", "example.org:4433", "http://127.0.0.1:1"] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
