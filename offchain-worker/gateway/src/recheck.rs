//! Executes a part of the received answers again, and leaves the workers of false ones.

use crate::market::WorkerId;
use crate::metrics::GatewayMetrics;
use crate::{Pool, ReceiptFault, ReceiptSource, RecomputeVerdict};
use noema_session_transport::SignedReceipt;
use sp_core::H256;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

/// Most answers that wait to be executed again.
const MOST_WAITING: usize = 1_024;
/// The time between two looks at an execution.
const LOOK: Duration = Duration::from_millis(500);
/// Looks at an execution that waits for too many others.
const MOST_BUSY: u32 = 1_200;

/// Chooses answers, and has them executed again one after the other. Which ones, no worker can know.
pub struct Rechecks {
    /// An answer is chosen where a random number is below this.
    below: u64,
    chosen: mpsc::Sender<Chosen>,
    /// Taken by [`run`](Self::run).
    queue: Mutex<Option<mpsc::Receiver<Chosen>>>,
    metrics: GatewayMetrics,
}

/// An answer that is to be executed again.
struct Chosen {
    worker: WorkerId,
    receipt: H256,
}

impl Rechecks {
    /// Chooses the part `part`, from 0 to 1, of all answers, and those that a caller wants to be verified.
    pub fn new(part: f64, metrics: GatewayMetrics) -> Arc<Self> {
        let (chosen, queue) = mpsc::channel(MOST_WAITING);
        Arc::new(Self {
            // A conversion of floats saturates.
            below: (part * 2f64.powi(64)) as u64,
            chosen,
            queue: Mutex::new(Some(queue)),
            metrics,
        })
    }

    /// Chooses an answer, or not.
    pub(crate) fn received(&self, worker: WorkerId, signed: &SignedReceipt, is_wanted: bool) {
        if !is_wanted && !self.is_drawn() {
            return;
        }
        let receipt = signed.receipt.hash();
        if self.chosen.try_send(Chosen { worker, receipt }).is_err() {
            self.metrics.unverified.inc();
            warn!(
                ?receipt,
                "too many answers wait to be executed again; this one is not"
            );
        }
    }

    fn is_drawn(&self) -> bool {
        match self.below {
            0 => false,
            u64::MAX => true,
            below => getrandom::u64().is_ok_and(|drawn| drawn < below),
        }
    }

    /// Executes what is chosen with `source`. A worker whose answer is false is left by `pool`, and challenged on chain.
    /// Ends when `stop` is true or has lost its sender. Only the first call has an effect.
    pub async fn run(
        &self,
        source: &dyn ReceiptSource,
        pool: &Pool,
        mut stop: watch::Receiver<bool>,
    ) {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut queue) = queue else { return };
        let verifies = async {
            while let Some(chosen) = queue.recv().await {
                self.verify(source, pool, &chosen).await;
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = verifies => {}
        }
    }

    async fn verify(&self, source: &dyn ReceiptSource, pool: &Pool, chosen: &Chosen) {
        let receipt = chosen.receipt;
        match executed(source, receipt).await {
            Ok(RecomputeVerdict::Same) => {
                self.metrics.verified.inc();
                info!(?receipt, "an answer is the same, bit for bit");
            }
            Ok(RecomputeVerdict::Differs(token)) => {
                self.metrics.falsified.inc();
                error!(?receipt, token, "an answer is false; its worker is left");
                pool.leave(chosen.worker);
                match source.challenge(receipt).await {
                    Ok(()) => warn!(
                        ?receipt,
                        "the false answer is challenged once it is claimed"
                    ),
                    Err(fault) => error!(?receipt, %fault, "the false answer is not challenged"),
                }
            }
            Err(fault) => {
                self.metrics.unverified.inc();
                warn!(?receipt, %fault, "an answer is not executed again");
            }
        }
    }
}

/// The result of executing the answer of a receipt again.
async fn executed(
    source: &dyn ReceiptSource,
    receipt: H256,
) -> Result<RecomputeVerdict, ReceiptFault> {
    let mut busy: u32 = 0;
    let mut progress = loop {
        match source.recompute(receipt).await {
            Ok(progress) => break progress,
            // Callers may have begun many.
            Err(ReceiptFault::Busy) if busy < MOST_BUSY => busy = busy.saturating_add(1),
            Err(fault) => return Err(fault),
        }
        tokio::time::sleep(LOOK).await;
    };
    loop {
        if let Some(verdict) = progress.verdict {
            return Ok(verdict);
        }
        tokio::time::sleep(LOOK).await;
        progress = source.recomputation(receipt).await?;
    }
}
