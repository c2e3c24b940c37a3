//! Reading the open rounds of training: only rounds that have changed are read again.

use super::{At, ChainError, Node};
use crate::roles::rounds::Round;
use codec::Encode;
use futures::future::try_join_all;
use noema_protocol::{FamilyId, RoundId};
use sp_core::H256;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use subxt::config::Hasher;
use subxt::dynamic::Value;

/// The open rounds as they were last read. A round with its scores has tens of kilobytes, and changes only in
/// a few blocks.
#[derive(Default)]
pub(super) struct OpenRounds(Mutex<BTreeMap<FamilyId, Round>>);

impl OpenRounds {
    /// The open round of each programme, in the order in which the programmes were started.
    pub(super) async fn read(&self, node: &Node, at: &At) -> Result<Vec<Round>, ChainError> {
        let families = at.trained_families().await?;
        let reads = families
            .into_iter()
            .map(|family| self.open_round(node, at, family));
        let open: Vec<Round> = try_join_all(reads).await?.into_iter().flatten().collect();
        *self.known() = open
            .iter()
            .map(|round| (round.family, round.clone()))
            .collect();
        Ok(open)
    }

    async fn open_round(
        &self,
        node: &Node,
        at: &At,
        family: FamilyId,
    ) -> Result<Option<Round>, ChainError> {
        let known = self.known().get(&family).cloned();
        if let Some(round) = known {
            let hash = at.block.hasher().hash(&round.encode());
            // A round that is unchanged is still open.
            if node.round_hash(at, round.id).await? == Some(hash) {
                return Ok(Some(round));
            }
        }
        at.open_round(family).await
    }

    /// The value behind the lock is consistent at any time, also after a panic.
    fn known(&self) -> MutexGuard<'_, BTreeMap<FamilyId, Round>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// The hash of a round's value in storage.
    async fn round_hash(&self, at: &At, round: RoundId) -> Result<Option<H256>, ChainError> {
        let address = subxt::dynamic::storage::<(RoundId,), Value>("Training", "Rounds");
        let storage = at.block.storage();
        let key = storage
            .entry(address)
            .and_then(|entry| entry.fetch_key((round,)))
            .map_err(|error| super::classify(&self.url, "storage Training.Rounds", error))?;
        let key = format!("0x{}", hex::encode(key));
        let params = subxt::rpcs::rpc_params![key, at.block.block_hash()];
        let request = async {
            let hash = self.raw.request("state_getStorageHash", params).await;
            hash.map_err(Into::into)
        };
        self.in_time(request).await
    }
}
