//! The fate of a transaction: its block and events, or its error.

use crate::chain::events::fields;
use crate::chain::{root_cause, Block, ChainError};
use serde::Deserialize;
use sp_core::H256;
use subxt::config::Hasher;
use subxt::error::DispatchError;
use subxt::events::{Event, Events, Phase};
use subxt::ext::scale_decode::DecodeAsFields;
use subxt::rpcs::RpcClient;
use subxt::SubstrateConfig;

/// A transaction in a finalized block whose call succeeded.
pub struct Included {
    /// The block's number.
    pub block: u64,
    /// The transaction's hash.
    pub hash: H256,
    index: u32,
    events: Events<SubstrateConfig>,
}

impl Included {
    /// The events that the transaction itself emitted.
    fn own_events(&self) -> impl Iterator<Item = Event<'_, SubstrateConfig>> {
        let own = Phase::ApplyExtrinsic(self.index);
        self.events
            .iter()
            .flatten()
            .filter(move |event| event.phase() == own)
    }

    /// The fields of the event `pallet.name`, if the call emitted one.
    pub fn event<E: DecodeAsFields>(
        &self,
        pallet: &str,
        name: &str,
    ) -> Result<Option<E>, ChainError> {
        for event in self.own_events() {
            if event.pallet_name() == pallet && event.event_name() == name {
                return fields(&event).map(Some);
            }
        }
        Ok(None)
    }
}

/// The fate of a transaction in the pool.
pub(super) enum Fate {
    /// It is in a finalized block and its call succeeded.
    Final(Box<Included>),
    /// It is in a finalized block and its call failed: the name of the error, and its documentation in the
    /// runtime.
    Failed(String, String),
    /// The pool dropped it.
    Dropped(String),
    /// The connection was lost before its fate was known.
    Lost(String),
    /// It was not final in time.
    TooSlow,
}

impl Fate {
    pub(super) fn included(self, url: &str, call: String) -> Result<Included, ChainError> {
        match self {
            Self::Final(included) => Ok(*included),
            Self::Failed(error, docs) => Err(ChainError::Refused { call, error, docs }),
            Self::Dropped(reason) => Err(ChainError::Rejected { call, reason }),
            Self::TooSlow => Err(ChainError::TooSlow(call)),
            Self::Lost(reason) => Err(ChainError::Unreachable {
                url: url.to_owned(),
                reason,
            }),
        }
    }
}

/// The fate of the transaction with this hash in the finalized block `at`; `None` if the block does not hold
/// it. [`Fate::Lost`] if the block cannot be read.
pub(super) async fn in_finalized(rpc: &RpcClient, at: &Block, hash: H256) -> Option<Fate> {
    read_fate(rpc, at, hash)
        .await
        .unwrap_or_else(|reason| Some(Fate::Lost(reason)))
}

/// The same, or why the block cannot be read.
async fn read_fate(rpc: &RpcClient, at: &Block, hash: H256) -> Result<Option<Fate>, String> {
    let is_it = |bytes: &[u8]| at.hasher().hash(bytes) == hash;
    let Some(index) = position(rpc, at.block_hash(), is_it).await? else {
        return Ok(None);
    };
    let events = at
        .events()
        .fetch()
        .await
        .map_err(|error| root_cause(&error))?;
    let included = Included {
        block: at.block_number(),
        hash,
        index,
        events,
    };
    let failed = included
        .own_events()
        .find(|event| event.pallet_name() == "System" && event.event_name() == "ExtrinsicFailed");
    let Some(failed) = failed else {
        return Ok(Some(Fate::Final(Box::new(included))));
    };
    let error = DispatchError::decode_from(failed.field_bytes(), at.metadata())
        .map_err(|error| root_cause(&error))?;
    Ok(Some(match error {
        DispatchError::Module(error) => {
            let docs = match error.details() {
                Ok(details) => details.variant.docs.join(" ").trim().to_owned(),
                Err(_) => String::new(),
            };
            Fate::Failed(error.details_string(), docs)
        }
        other => Fate::Failed(other.to_string(), String::new()),
    }))
}

/// The position in a block of the extrinsic that `is_it` recognises. Nodes encode extrinsics in hexadecimal
/// or as arrays of bytes, depending on the block type that they are built with.
async fn position(
    rpc: &RpcClient,
    block: H256,
    is_it: impl Fn(&[u8]) -> bool,
) -> Result<Option<u32>, String> {
    #[derive(Deserialize)]
    struct Signed {
        block: Body,
    }
    #[derive(Deserialize)]
    struct Body {
        extrinsics: Vec<Extrinsic>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Extrinsic {
        Hex(String),
        Bytes(Vec<u8>),
    }
    let signed: Option<Signed> = rpc
        .request("chain_getBlock", subxt::rpcs::rpc_params![block])
        .await
        .map_err(|error| root_cause(&error))?;
    let extrinsics = signed
        .ok_or("the node has lost the block")?
        .block
        .extrinsics;
    let position = extrinsics
        .into_iter()
        .position(|extrinsic| match extrinsic {
            Extrinsic::Bytes(bytes) => is_it(&bytes),
            Extrinsic::Hex(text) => {
                hex::decode(text.trim_start_matches("0x")).is_ok_and(|bytes| is_it(&bytes))
            }
        });
    Ok(position.and_then(|position| u32::try_from(position).ok()))
}
