//! Orders to make and to finalize blocks.

use crate::client::{Client, Pool};
use futures::{future, stream, Stream, StreamExt};
use noema_runtime::{BlockNumber, Hash};
use sc_client_api::{BlockBackend, BlockchainEvents};
use sc_consensus_manual_seal::EngineCommand;
use sc_transaction_pool_api::TransactionPool;
use std::{pin::Pin, sync::Arc, time::Duration};

/// Orders to make blocks and to finalize them.
pub(crate) type Orders = Pin<Box<dyn Stream<Item = EngineCommand<Hash>> + Send>>;

/// Most transactions that one order takes.
const TOGETHER: usize = 1_024;
/// The longest wait for the pool to process the parent block.
const PATIENCE: Duration = Duration::from_secs(1);

fn seal(finalize: bool) -> EngineCommand<Hash> {
    EngineCommand::SealNewBlock {
        // Otherwise a block of one transaction would count as empty: manual seal counts kinds of inherent
        // data, and the runtime makes one inherent of two of them.
        create_empty: true,
        finalize,
        parent_hash: None,
        sender: None,
    }
}

/// An order every `interval`, finalized at once if `finalize`; orders do not accumulate while a block takes
/// longer.
pub(crate) fn every(interval: Duration, finalize: bool) -> Orders {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    Box::pin(stream::unfold(ticks, move |mut ticks| async move {
        ticks.tick().await;
        Some((seal(finalize), ticks))
    }))
}

/// An order whenever transactions arrive, one for those that arrive together, including those already
/// waiting. The block is finalized at once if `finalize`.
pub(crate) fn instant(client: Arc<Client>, pool: Arc<Pool>, finalize: bool) -> Orders {
    let arriving = pool.import_notification_stream().map(drop);
    let signals = stream::once(future::ready(())).chain(arriving);
    Box::pin(signals.ready_chunks(TOGETHER).filter_map(move |_| {
        let (client, pool) = (client.clone(), pool.clone());
        async move {
            // The parent may contain them already.
            let best = client.chain_info().best_hash;
            let mut ready = pool.ready_at_with_timeout(best, PATIENCE).await;
            ready.next().map(|_| seal(finalize))
        }
    }))
}

/// Orders to finalize the block that is `lag` behind the best one: at the start, for blocks of an earlier
/// run, and with each block. Blocks that are final already, by an earlier order or over RPC, stay final.
pub(crate) fn finalize_behind(client: Arc<Client>, lag: u32) -> Orders {
    let imported = client.import_notification_stream().map(drop);
    let signals = stream::once(future::ready(())).chain(imported);
    Box::pin(signals.filter_map(move |()| {
        let chain = client.chain_info();
        let due = due(chain.best_number, chain.finalized_number, lag);
        let order = due.and_then(|number| match client.block_hash(number) {
            Ok(Some(hash)) => Some(EngineCommand::FinalizeBlock {
                hash,
                sender: None,
                justification: None,
            }),
            // The next block brings another order.
            Ok(None) => {
                log::warn!("Block {number} is due to be finalized, but is missing");
                None
            }
            Err(error) => {
                log::warn!("Block {number} is due to be finalized, but cannot be read: {error}");
                None
            }
        });
        future::ready(order)
    }))
}

/// The block to finalize, `lag` behind the best one; `None` if that is final.
fn due(best: BlockNumber, finalized: BlockNumber, lag: u32) -> Option<BlockNumber> {
    best.checked_sub(lag).filter(|&number| number > finalized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finality_follows_the_best_block_and_never_goes_back() {
        assert_eq!(due(0, 0, 15), None);
        assert_eq!(due(15, 0, 15), None, "the genesis block is final");
        assert_eq!(due(16, 0, 15), Some(1));
        assert_eq!(due(17, 1, 15), Some(2));
        assert_eq!(due(40, 2, 15), Some(25), "it catches up at once");
        assert_eq!(due(41, 41, 15), None, "an order over RPC was ahead of it");
        assert_eq!(due(41, 30, 20), None, "the lag was shorter before");
    }
}
