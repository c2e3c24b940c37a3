//! When blocks are made.

use crate::service::{Client, Pool};
use futures::{future, stream, Stream, StreamExt};
use noema_runtime::Hash;
use sc_consensus_manual_seal::EngineCommand;
use sc_transaction_pool_api::TransactionPool;
use std::{pin::Pin, sync::Arc, time::Duration};

/// Orders to make blocks.
pub(crate) type Orders = Pin<Box<dyn Stream<Item = EngineCommand<Hash>> + Send>>;

/// Most transactions that are taken for one order.
const TOGETHER: usize = 1_024;
/// How long the pool may take to learn of the block before.
const PATIENCE: Duration = Duration::from_secs(1);

fn order() -> EngineCommand<Hash> {
    EngineCommand::SealNewBlock {
        // Without it a block of one transaction would be taken for empty: manual seal counts kinds of
        // inherent data, and the runtime makes one inherent of two of them.
        create_empty: true,
        finalize: true,
        parent_hash: None,
        sender: None,
    }
}

/// An order every `interval`; none piles up while a block takes longer.
pub(crate) fn every(interval: Duration) -> Orders {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    Box::pin(stream::unfold(ticks, |mut ticks| async move {
        ticks.tick().await;
        Some((order(), ticks))
    }))
}

/// An order whenever transactions arrive, one for those that arrive together; those that wait already
/// included.
pub(crate) fn instant(client: Arc<Client>, pool: Arc<Pool>) -> Orders {
    let arriving = pool.import_notification_stream().map(drop);
    let signals = stream::once(future::ready(())).chain(arriving);
    Box::pin(signals.ready_chunks(TOGETHER).filter_map(move |_| {
        let (client, pool) = (client.clone(), pool.clone());
        async move {
            // The block before may have had them.
            let best = client.chain_info().best_hash;
            let mut ready = pool.ready_at_with_timeout(best, PATIENCE).await;
            ready.next().map(|_| order())
        }
    }))
}
