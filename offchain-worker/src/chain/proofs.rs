//! Storage proofs. Nothing of them is trusted here: [`noema_receipts`] verifies them.

use super::{ChainError, Node};
use noema_receipts::{BlockHeader, StateProof};
use serde::Deserialize;
use sp_core::H256;

/// The reply of `state_getReadProof`.
#[derive(Deserialize)]
struct ReadProof {
    proof: Vec<String>,
}

impl Node {
    /// The header of a block, and the nodes of its state that prove what it has at `keys`. `None` where the node does not
    /// know the block.
    ///
    /// # Errors
    /// When the node is not reached, no longer has the state of the block, or replies with something else.
    pub async fn prove(
        &self,
        block: H256,
        keys: &[Vec<u8>],
    ) -> Result<Option<StateProof>, ChainError> {
        let keys: Vec<String> = keys.iter().map(|key| in_digits(key)).collect();
        let request = async {
            let params = subxt::rpcs::rpc_params![block];
            let header: Option<BlockHeader> = self.raw.request("chain_getHeader", params).await?;
            let Some(header) = header else {
                return Ok(None);
            };
            let params = subxt::rpcs::rpc_params![keys, block];
            let read: ReadProof = self.raw.request("state_getReadProof", params).await?;
            Ok::<_, subxt::Error>(Some((header, read.proof)))
        };
        let Some((header, proof)) = self.in_time(request).await? else {
            return Ok(None);
        };
        let nodes = proof.iter().map(|node| of_digits(node));
        let nodes: Option<Vec<_>> = nodes.collect();
        let nodes = nodes.ok_or_else(|| ChainError::Incompatible {
            what: "method state_getReadProof".to_owned(),
            reason: "its reply has no hexadecimal digits".to_owned(),
        })?;
        Ok(Some(StateProof { header, nodes }))
    }

    /// The hash of the last finalized block, in the node's word.
    ///
    /// # Errors
    /// When the node is not reached.
    pub async fn finalized_hash(&self) -> Result<H256, ChainError> {
        self.in_time(async {
            let head = self.rpc.chain_get_finalized_head().await;
            head.map_err(Into::into)
        })
        .await
    }

    /// Whether this is the finalized block with this number, in the node's word.
    ///
    /// # Errors
    /// When the node is not reached.
    pub async fn is_finalized(&self, block: H256, number: u32) -> Result<bool, ChainError> {
        if self.finalized().await?.number() < number.into() {
            return Ok(false);
        }
        let found = self
            .in_time(async {
                let hash = self.rpc.chain_get_block_hash(Some(number.into())).await;
                hash.map_err(Into::into)
            })
            .await?;
        Ok(found == Some(block))
    }
}

fn in_digits(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn of_digits(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.strip_prefix("0x")?).ok()
}
