//! Announcements of a worker's operators on chain: their endpoint, the weights that they hold, and the
//! device that they run on.
//!
//! No announcement is a condition for serving. Each one waits until it is final, which can take longer
//! than a deadline, so announcements run in a task beside the operators' duties. The endpoints that could not
//! be announced are named in `/health`, which stays well: a restart would not help.

use super::operators::Recorded;
use super::share::Shared;
use super::ServiceError;
use crate::artefacts;
use crate::chain::calls::{AnnounceHolding, ReportDevice, SetEndpoint};
use crate::chain::types::{Status, WireDevice, WireDeviceClass};
use crate::chain::{Link, Node};
use crate::metrics::Metrics;
use crate::roles::LoadedEngines;
use futures::future::{join_all, BoxFuture};
use noema_artefacts::{BlobHash, PeerId};
use noema_executor::{self_test, Device, DeviceClass};
use noema_model::engine::Engine;
use noema_protocol::{CheckpointId, MAX_HOLDERS};
use sp_core::H256;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{info, warn};

/// Bytes of a device's name that the chain records.
const DEVICE_NAME_BYTES: usize = 64;
/// The first pause before failed announcements are repeated: the chain refuses two reports within a short
/// time.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// The endpoint of a worker.
#[derive(Clone)]
pub(super) enum Endpoint {
    /// The worker shares files at this endpoint.
    Open(Shared),
    /// An earlier start shared files under this key, and this one shares none.
    Silent(PeerId),
    /// The worker has no endpoint to announce or to withdraw.
    None,
}

/// Announces whatever the chain does not have yet.
#[derive(Clone)]
pub(super) struct Announcer {
    link: Arc<Link>,
    operators: Arc<[Recorded]>,
    /// Holds the loaded checkpoints.
    engines: Arc<LoadedEngines>,
    endpoint: Endpoint,
    device: WireDevice,
    metrics: Metrics,
}

impl Announcer {
    /// An announcer that has announced nothing yet.
    pub(super) fn new(
        link: Arc<Link>,
        operators: &[Recorded],
        engines: Arc<LoadedEngines>,
        endpoint: Endpoint,
        device: &Device,
        metrics: Metrics,
    ) -> Self {
        Self {
            link,
            operators: operators.into(),
            engines,
            endpoint,
            device: on_chain(device),
            metrics,
        }
    }

    /// Announces everything for every operator, repeats that after growing pauses until nothing fails, and
    /// then waits until `stop` turns true.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let done = async {
            let mut pause = FIRST_PAUSE;
            while !self.announce().await {
                let retry_seconds = pause.as_secs();
                info!(
                    retry_seconds,
                    "failed announcements are repeated after a pause"
                );
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = done => {}
            () = crate::stopped(&mut stop) => {}
        }
    }

    /// Announces once for every operator. Returns whether the chain has everything now.
    async fn announce(&self) -> bool {
        // Other operators look up endpoints before they fetch anything, so these come first.
        let operators = self.operators.iter();
        let endpoints = join_all(operators.map(|operator| self.announce_endpoint(operator))).await;
        let failed = endpoints.iter().filter(|done| !**done).count();
        let failures = i64::try_from(failed).unwrap_or(i64::MAX);
        self.metrics.unannounced_endpoints.set(failures);
        let mut done = failed == 0;
        // In turn: without an endpoint, each operator hashes the weights.
        for operator in self.operators.iter() {
            done &= self.announce_holdings(operator).await;
        }
        done
    }

    /// Boxed, since the compiler cannot prove otherwise that the future is `Send`.
    fn announce_endpoint<'a>(&'a self, operator: &'a Recorded) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let what = match &self.endpoint {
                Endpoint::Open(_) => "its endpoint",
                Endpoint::Silent(_) => "that it no longer shares files",
                Endpoint::None => return true,
            };
            let name = operator.name();
            let set = self.set_endpoint(operator).await;
            note(&self.metrics, &name, what, &set);
            told(&name, what, set)
        })
    }

    /// Announces holdings and device. Boxed for the same reason.
    fn announce_holdings<'a>(&'a self, operator: &'a Recorded) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let name = operator.name();
            let mut holdings = true;
            for id in &operator.serves {
                // A checkpoint that was unloaded meanwhile is no longer served.
                let Some(engine) = self.engines.loaded(id) else {
                    continue;
                };
                let held = self.hold(operator, *id, &engine).await;
                let what = format!("that it holds the weights of checkpoint {id}");
                holdings &= told(&name, &what, held);
            }
            let device = told(&name, "its device", self.report(operator).await);
            holdings && device
        })
    }

    /// Announces a holding. Returns whether it was new to the chain.
    async fn hold(
        &self,
        operator: &Recorded,
        id: CheckpointId,
        engine: &Arc<Engine>,
    ) -> Result<bool, ServiceError> {
        let blob = match &self.endpoint {
            Endpoint::Open(shared) => shared.blobs.get(&id).copied(),
            Endpoint::Silent(_) | Endpoint::None => None,
        };
        let node = self.link.node()?;
        hold(&node, operator, id, engine, blob).await
    }

    /// Publishes or withdraws the operator's endpoint. Returns whether that was new to the chain.
    async fn set_endpoint(&self, operator: &Recorded) -> Result<bool, ServiceError> {
        let node = self.link.node()?;
        let at = node.finalized().await?;
        let known = at.endpoint(&operator.controller).await?;
        let endpoint = match &self.endpoint {
            Endpoint::Open(shared) if known.as_ref() != Some(&shared.endpoint) => {
                Some(shared.endpoint.clone())
            }
            // An endpoint with another key belongs to another machine and stays.
            Endpoint::Silent(peer) if known.as_ref().is_some_and(|e| e.peer == peer.0) => None,
            Endpoint::Open(_) | Endpoint::Silent(_) | Endpoint::None => return Ok(false),
        };
        node.perform_finally(SetEndpoint { endpoint }, &operator.key)
            .await?;
        Ok(true)
    }

    /// Reports the device. Returns whether it was new to the chain.
    async fn report(&self, operator: &Recorded) -> Result<bool, ServiceError> {
        let node = self.link.node()?;
        let at = node.finalized().await?;
        let info = at.operator(&operator.controller).await?;
        let recorded = info.and_then(|info| info.device);
        if recorded.is_some_and(|report| report.device == self.device) {
            return Ok(false);
        }
        let device = self.device.clone();
        node.perform_finally(ReportDevice { device }, &operator.key)
            .await?;
        Ok(true)
    }
}

/// Records in the metrics whether the chain has an operator's endpoint now.
fn note(metrics: &Metrics, operator: &str, what: &str, news: &Result<bool, ServiceError>) {
    let part = format!("endpoint of operator {operator}");
    match news {
        Ok(_) => metrics.degraded.is_well(&part),
        Err(error) => {
            let reason = format!("could not announce {what}: {error}");
            metrics.degraded.is_troubled(&part, &reason);
        }
    }
}

/// Logs the outcome of an announcement. Returns whether the chain has it now.
fn told(operator: &str, what: &str, news: Result<bool, ServiceError>) -> bool {
    match news {
        Ok(true) => info!(%operator, "announced {what}"),
        Ok(false) => {}
        Err(error) => {
            warn!(%operator, %error, "could not announce {what}");
            return false;
        }
    }
    true
}

/// Announces that an operator holds a checkpoint, if the chain takes the announcement: not of a listed holder,
/// of a withdrawn checkpoint, or beside as many holders as it lists. Returns whether it was new to the chain.
/// Without an endpoint, the hash is computed.
pub(super) async fn hold(
    node: &Node,
    operator: &Recorded,
    id: CheckpointId,
    engine: &Arc<Engine>,
    blob: Option<BlobHash>,
) -> Result<bool, ServiceError> {
    let at = node.finalized().await?;
    let holders = at.holders(&id).await?;
    let mut listed = holders.iter().map(|holding| &holding.holder.0);
    let is_listed = listed.any(|holder| *holder == operator.controller);
    let is_full = holders.len() >= MAX_HOLDERS as usize;
    let record = at.checkpoint(&id).await?;
    let is_active = record.is_some_and(|record| matches!(record.status, Status::Active));
    if is_listed || is_full || !is_active {
        return Ok(false);
    }
    let blob = match blob {
        Some(blob) => blob,
        None => {
            let engine = engine.clone();
            tokio::task::spawn_blocking(move || artefacts::hash(engine.checkpoint()))
                .await
                .map_err(|_| ServiceError::CutOff("the hashing of a checkpoint"))??
        }
    };
    let call = AnnounceHolding {
        checkpoint: id,
        blob: H256(blob.0),
    };
    node.perform_finally(call, &operator.key).await?;
    Ok(true)
}

/// The device as the chain records it, with the hash of the self-test that it passed.
fn on_chain(device: &Device) -> WireDevice {
    let name = device.to_string();
    let end = name.floor_char_boundary(DEVICE_NAME_BYTES);
    WireDevice {
        class: match device.class() {
            DeviceClass::Cpu => WireDeviceClass::Cpu,
            DeviceClass::Gpu => WireDeviceClass::Gpu,
        },
        name: name.as_bytes()[..end].to_vec(),
        self_test: H256(self_test::golden_hash()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_noted_until_the_chain_has_it() {
        let metrics = Metrics::new();
        let refused = Err(ServiceError::NotRegistered("A".into()));
        note(&metrics, "A", "its endpoint", &refused);
        let told = metrics.degraded.trouble_of("endpoint of operator A");
        assert_eq!(
            told.as_deref(),
            Some("could not announce its endpoint: the operator A is not registered")
        );
        assert_eq!(metrics.health.trouble_of("endpoint of operator A"), None);
        note(&metrics, "A", "its endpoint", &Ok(true));
        let told = metrics.degraded.trouble_of("endpoint of operator A");
        assert_eq!(told, None);
    }
}
