//! Transactions of one account that two programs sign with the same nonce.

use super::fate::{in_finalized, Fate};
use super::{Signed, MORTALITY, NEXT_BLOCK, RACE};
use crate::chain::{ChainError, Node};
use std::time::Instant;
use subxt::config::substrate::AccountId32;

impl Node {
    /// The nonce of the account's next transaction, after those in the pool.
    pub(super) async fn next_nonce(&self, account: &AccountId32) -> Result<u64, ChainError> {
        self.in_time(async {
            let nonce = self.rpc.system_account_next_index(account).await;
            nonce.map_err(Into::into)
        })
        .await
    }

    /// The fate of a transaction that the pool has accepted and then dropped, for this reason; `None` if another
    /// transaction has its nonce, so that the call can be signed again.
    ///
    /// A pool accepts two transactions with one nonce that arrive at the same time, and drops the one that is
    /// not included. It also drops a transaction that it considers again after a block has included it, and
    /// other nodes may have a copy of it. So only finalized blocks decide: once the nonce is used there, either
    /// they hold the transaction, or no block can include it.
    pub(super) async fn after_drop(
        &self,
        signed: &Signed,
        reason: String,
    ) -> Result<Option<Fate>, ChainError> {
        let start = Instant::now();
        while start.elapsed() < RACE {
            let (finalized, used) = self
                .in_time(async {
                    let at = self.client.at_current_block().await?;
                    let used = at.tx().account_nonce(&signed.account).await?;
                    Ok::<_, subxt::Error>((at.block_number(), used))
                })
                .await?;
            if used > signed.nonce {
                let last = finalized.min(signed.over.saturating_add(MORTALITY));
                return self.search(signed, last).await;
            }
            // No other transaction has its nonce: it was dropped for what it says.
            if self.next_nonce(&signed.account).await? <= signed.nonce {
                break;
            }
            tokio::time::sleep(NEXT_BLOCK).await;
        }
        Ok(Some(Fate::Dropped(reason)))
    }

    /// The fate of a transaction in the finalized blocks up to the block `last`, if one of them holds it.
    async fn search(&self, signed: &Signed, last: u64) -> Result<Option<Fate>, ChainError> {
        for number in signed.over.saturating_add(1)..=last {
            let block = async { self.client.at_block(number).await.map_err(Into::into) };
            let at = self.in_time(block).await?;
            let fate = in_finalized(&self.raw, &at, signed.hash).await;
            if fate.is_some() {
                return Ok(fate);
            }
        }
        Ok(None)
    }
}
