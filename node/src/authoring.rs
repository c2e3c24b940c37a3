//! When blocks are made.

use futures::{stream, Stream, StreamExt};
use noema_runtime::Hash;
use sc_consensus_manual_seal::EngineCommand;
use sc_transaction_pool_api::TransactionPool;
use std::{pin::Pin, sync::Arc, time::Duration};

/// Orders to make blocks.
pub(crate) type Orders = Pin<Box<dyn Stream<Item = EngineCommand<Hash>> + Send>>;

fn order(create_empty: bool) -> EngineCommand<Hash> {
    EngineCommand::SealNewBlock {
        create_empty,
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
        Some((order(true), ticks))
    }))
}

/// An order for every transaction that is ready, those that wait already included.
pub(crate) fn instant<P: TransactionPool + 'static>(pool: &Arc<P>) -> Orders {
    // Heard of twice is harmless, missed is not.
    let arriving = pool.import_notification_stream();
    let waiting = pool.status().ready > 0;
    Box::pin(stream::iter(waiting.then(|| order(false))).chain(arriving.map(|_| order(false))))
}
