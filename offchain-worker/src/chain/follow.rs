//! Following the finalized chain over a node that may disconnect and reconnect.
//!
//! subxt 0.51's `reconnecting_rpc_client` cannot replace this. It reports no reconnection before it uses the
//! new connection, and `OnlineClient` reads the genesis hash once: requests would reach a node that returns
//! with another chain before the chains are compared. While it reconnects it queues requests without an
//! error, so that each caller would wait for its timeout, and it still sends those whose callers gave up. Its
//! pings notice a node that stands still, but would replace only the probe: the link, the comparison of the
//! chains and the metric of the connection would remain.

use super::{root_cause, ChainError, ChainIdentity, Node, PATIENCE};
use crate::metrics::Metrics;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tracing::{info, warn};

/// A node that sends no block for this long is probed with a request.
const SILENCE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// A node that restarts must be found again before a job's deadline passes.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// The connection to the node, which may be lost at the moment.
pub struct Link {
    url: String,
    chain: ChainIdentity,
    node: RwLock<Option<Arc<Node>>>,
}

impl Link {
    /// A link over a new connection.
    pub fn new(node: Arc<Node>) -> Arc<Self> {
        Arc::new(Self {
            url: node.url().to_owned(),
            chain: node.chain().clone(),
            node: RwLock::new(Some(node)),
        })
    }

    /// The connection, if there is one.
    pub fn node(&self) -> Result<Arc<Node>, ChainError> {
        let node = self.node.read().unwrap_or_else(PoisonError::into_inner);
        node.clone().ok_or_else(|| ChainError::Unreachable {
            url: self.url.clone(),
            reason: "the connection was lost".into(),
        })
    }

    fn set(&self, node: Option<Arc<Node>>) {
        *self.node.write().unwrap_or_else(PoisonError::into_inner) = node;
    }
}

/// Publishes the number of each finalized block in `head` until `stop` turns true, and reconnects with
/// growing pauses when the connection is lost.
///
/// A node that returns with another chain is not followed: all records of this process belong to the chain
/// that it started with.
pub async fn follow(
    link: Arc<Link>,
    head: watch::Sender<u64>,
    metrics: Metrics,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let step = async {
            let node = match link.node() {
                Ok(node) => node,
                Err(_) => {
                    let node = Node::connect(&link.url).await?;
                    if !node.chain().continues(&link.chain) {
                        return Err(ChainError::OtherChain {
                            url: link.url.clone(),
                            found: Box::new(node.chain().clone()),
                            before: Box::new(link.chain.clone()),
                        });
                    }
                    info!(url = %link.url, "connected to the node again");
                    link.set(Some(node.clone()));
                    node
                }
            };
            follow_node(&node, &head, &metrics).await
        };
        let result = tokio::select! {
            result = step => result,
            () = crate::stopped(&mut stop) => return,
        };
        match result {
            Ok(seen) if seen => pause = FIRST_PAUSE,
            Ok(_) => {}
            Err(error) => {
                warn!(%error, pause_seconds = pause.as_secs(), "the chain cannot be followed; reconnecting after a pause");
            }
        }
        link.set(None);
        metrics.connected.set(0);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = crate::stopped(&mut stop) => return,
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// Follows one connection to its end. Returns whether it received a block.
async fn follow_node(
    node: &Node,
    head: &watch::Sender<u64>,
    metrics: &Metrics,
) -> Result<bool, ChainError> {
    let unreachable = |reason: String| ChainError::Unreachable {
        url: node.url.clone(),
        reason,
    };
    let mut blocks = tokio::time::timeout(PATIENCE, node.client.stream_blocks())
        .await
        .map_err(|_| unreachable("it does not answer in time".into()))?
        .map_err(|error| unreachable(root_cause(&error)))?;
    let mut seen = false;
    loop {
        match tokio::time::timeout(SILENCE, blocks.next()).await {
            Ok(Some(Ok(block))) => {
                seen = true;
                metrics.finalized(block.number());
                head.send_replace(block.number());
            }
            Ok(Some(Err(error))) => return Err(unreachable(root_cause(&error))),
            Ok(None) => {
                warn!(url = node.url, "the node closed the connection");
                return Ok(seen);
            }
            // With instant seal, a chain makes no blocks while it receives no transactions.
            Err(_) => {
                node.finalized().await?;
            }
        }
    }
}
