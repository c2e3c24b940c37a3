//! Signing, sending, and what becomes of it.

use super::calls::Call;
use super::events::fields;
use super::{classify, root_cause, ChainError, Node, PATIENCE};
use crate::keys::Key;
use crate::roles::Outcome;
use crate::store::Prepared;
use futures::future::BoxFuture;
use serde::Deserialize;
use sp_core::H256;
use std::time::Duration;
use subxt::config::substrate::{AccountId32, SubstrateExtrinsicParamsBuilder};
use subxt::config::Hasher;
use subxt::error::{BackendError, DispatchError, ExtrinsicError, RpcError};
use subxt::events::{Event, Events, Phase};
use subxt::ext::scale_decode::DecodeAsFields;
use subxt::rpcs::RpcClient;
use subxt::tx::TransactionStatus;
use subxt::SubstrateConfig;

/// Blocks for which a transaction may be included, counted from the finalized block it was signed
/// over.
const MORTALITY: u64 = 32;

/// How long a transaction is watched.
const FINAL: Duration = Duration::from_secs(300);

/// How often a person's transaction is signed anew after the node turned it away for its nonce or
/// for the block it was signed over.
const TRIES: u32 = 4;

/// How long to wait for another block before that.
const NEXT_BLOCK: Duration = Duration::from_secs(3);

/// What the pool calls a transaction that it has.
const ALREADY_IMPORTED: i32 = 1013;

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

    /// The fields of the event `pallet.name` that the call emitted, if it did.
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

impl Node {
    /// Signs `call` for the next 32 blocks, with the nonce that the node gives.
    pub(super) async fn prepare<C: Call>(
        &self,
        call: C,
        key: &Key,
    ) -> Result<Prepared, ChainError> {
        let what = format!("call {}.{}", C::PALLET, C::NAME);
        let account = AccountId32(key.account());
        let prepare = async {
            let nonce = self
                .rpc
                .system_account_next_index(&account)
                .await
                .map_err(|error| classify(&self.url, "nonce", error))?;
            let at = self
                .client
                .at_current_block()
                .await
                .map_err(|error| classify(&self.url, "state", error))?;
            let params = SubstrateExtrinsicParamsBuilder::<SubstrateConfig>::new()
                .nonce(nonce)
                .mortal(MORTALITY)
                .build();
            let call = subxt::tx::dynamic(C::PALLET, C::NAME, call);
            let refused = |error: ExtrinsicError| classify(&self.url, &what, error);
            let transaction = at
                .tx()
                .create_signable(&call, &account, params)
                .await
                .map_err(refused)?
                .sign(key.pair())
                .map_err(refused)?;
            Ok(Prepared {
                hash: transaction.hash(),
                bytes: transaction.into_encoded(),
                nonce,
                valid_until: at.block_number().saturating_add(MORTALITY),
            })
        };
        tokio::time::timeout(PATIENCE, prepare)
            .await
            .map_err(|_| self.silent())?
    }

    /// Hands a signed transaction to the node.
    pub(super) async fn broadcast(
        &self,
        transaction: &Prepared,
    ) -> Result<BoxFuture<'static, Outcome>, ChainError> {
        let submit = async {
            let at = self
                .client
                .at_current_block()
                .await
                .map_err(|error| classify(&self.url, "state", error))?;
            let submittable = at.tx().from_bytes(transaction.bytes.clone());
            let mut progress = match submittable.submit_and_watch().await {
                Ok(progress) => progress,
                Err(error) => return turned_away(&self.url, error),
            };
            let rpc = self.raw.clone();
            let watch = async move {
                while let Some(status) = progress.next().await {
                    match status {
                        Ok(TransactionStatus::InFinalizedBlock(block)) => {
                            return match finalized(&rpc, &block).await {
                                Ok(Ok(included)) => Outcome::Included {
                                    block: included.block,
                                },
                                Ok(Err((error, _))) => Outcome::Refused(error),
                                Err(reason) => Outcome::Unknown(reason),
                            };
                        }
                        Ok(
                            TransactionStatus::Error { message }
                            | TransactionStatus::Invalid { message }
                            | TransactionStatus::Dropped { message },
                        ) => return Outcome::Dropped(message),
                        Ok(_) => {}
                        Err(error) => return Outcome::Unknown(root_cause(&error)),
                    }
                }
                Outcome::Unknown("the connection was lost".into())
            };
            let watch = async move {
                tokio::time::timeout(FINAL, watch)
                    .await
                    .unwrap_or_else(|_| Outcome::Unknown("it was not final in time".into()))
            };
            Ok(Box::pin(watch) as BoxFuture<'static, Outcome>)
        };
        tokio::time::timeout(PATIENCE, submit)
            .await
            .map_err(|_| self.silent())?
    }

    /// Signs and sends `call`, and waits until it is final. For a person who waits in front of the
    /// terminal; an operator keeps what it signs and takes its time.
    pub async fn submit<C: Call + Clone>(
        &self,
        call: C,
        key: &Key,
    ) -> Result<Included, ChainError> {
        self.send(call, key).await?.await
    }

    /// Signs and sends `call`, as [`Self::submit`] does; what comes back waits until it is final. So
    /// one account can send several calls that share a block.
    pub async fn send<C: Call + Clone>(
        &self,
        call: C,
        key: &Key,
    ) -> Result<BoxFuture<'static, Result<Included, ChainError>>, ChainError> {
        let name = format!("{}.{}", C::PALLET, C::NAME);
        let mut tries = 0;
        loop {
            tries += 1;
            let transaction = self.prepare(call.clone(), key).await?;
            let at = self
                .in_time(async { self.client.at_current_block().await.map_err(Into::into) })
                .await?;
            let submittable = at.tx().from_bytes(transaction.bytes);
            let mut progress = match submittable.submit_and_watch().await {
                Ok(progress) => progress,
                Err(error) => match rejection(&error) {
                    // Another program signs with the same account: the nonce is taken.
                    Some((_, reason)) if tries < TRIES && is_nonce_race(&reason) => continue,
                    Some((_, reason)) if tries < TRIES && is_ancient(&reason) => {
                        tokio::time::sleep(NEXT_BLOCK).await;
                        continue;
                    }
                    Some((_, reason)) => {
                        return Err(ChainError::Rejected { call: name, reason });
                    }
                    None => return Err(classify(&self.url, &name, error)),
                },
            };
            let (url, rpc, what) = (self.url.clone(), self.raw.clone(), name.clone());
            let wait = async move {
                let unreachable = |reason: String| ChainError::Unreachable {
                    url: url.clone(),
                    reason,
                };
                while let Some(status) = progress.next().await {
                    match status.map_err(|error| classify(&url, &name, error))? {
                        TransactionStatus::InFinalizedBlock(block) => {
                            return match finalized(&rpc, &block).await {
                                Ok(Ok(included)) => Ok(included),
                                Ok(Err((error, docs))) => Err(ChainError::Refused {
                                    call: name,
                                    error,
                                    docs,
                                }),
                                Err(reason) => Err(unreachable(reason)),
                            };
                        }
                        TransactionStatus::Error { message }
                        | TransactionStatus::Invalid { message }
                        | TransactionStatus::Dropped { message } => {
                            return Err(ChainError::Rejected {
                                call: name,
                                reason: message,
                            });
                        }
                        _ => {}
                    }
                }
                Err(unreachable("the connection was lost".into()))
            };
            return Ok(Box::pin(async move {
                tokio::time::timeout(FINAL, wait)
                    .await
                    .unwrap_or(Err(ChainError::TooSlow(what)))
            }));
        }
    }

    fn silent(&self) -> ChainError {
        ChainError::Unreachable {
            url: self.url.clone(),
            reason: "it does not answer in time".into(),
        }
    }
}

type InBlock = subxt::tx::TransactionInBlock<
    SubstrateConfig,
    subxt::client::OnlineClientAtBlockImpl<SubstrateConfig>,
>;

/// The events of a finalized transaction; or the error by name, and what the runtime says about it;
/// or why neither could be read.
async fn finalized(
    rpc: &RpcClient,
    found: &InBlock,
) -> Result<Result<Included, (String, String)>, String> {
    let at = found.at().await.map_err(|error| root_cause(&error))?;
    let hash = found.extrinsic_hash();
    let index = position(rpc, found.block_hash(), |bytes| {
        at.hasher().hash(bytes) == hash
    })
    .await?
    .ok_or("the block does not hold the transaction")?;
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
        return Ok(Ok(included));
    };
    let error = DispatchError::decode_from(failed.field_bytes(), at.metadata())
        .map_err(|error| root_cause(&error))?;
    Ok(Err(match error {
        DispatchError::Module(error) => {
            let docs = match error.details() {
                Ok(details) => details.variant.docs.join(" ").trim().to_owned(),
                Err(_) => String::new(),
            };
            (error.details_string(), docs)
        }
        other => (other.to_string(), String::new()),
    }))
}

/// The position in a block of the extrinsic that `is_it` recognises. Nodes give extrinsics as
/// hexadecimal or as arrays of bytes, depending on the block type they are built with.
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

/// What the pool said, if it was the pool that refused.
fn rejection(error: &ExtrinsicError) -> Option<(i32, String)> {
    let ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
        subxt::rpcs::Error::User(said),
    ))) = error
    else {
        return None;
    };
    let detail = said.data.as_ref().map(|data| {
        let text = data.get();
        serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned())
    });
    let reason = match detail {
        Some(detail) => format!("{}: {detail}", said.message),
        None => said.message.clone(),
    };
    Some((said.code, reason))
}

/// Whether the pool does not know the block that a transaction was signed over. That of a node which
/// has just started does not, until the node has made a block.
fn is_ancient(reason: &str) -> bool {
    reason.contains("ancient birth block")
}

fn is_nonce_race(reason: &str) -> bool {
    ["outdated", "Priority is too low", "Stale"]
        .iter()
        .any(|sign| reason.contains(sign))
}

fn turned_away(
    url: &str,
    error: ExtrinsicError,
) -> Result<BoxFuture<'static, Outcome>, ChainError> {
    match rejection(&error) {
        // It is where it should be; look again when it had time to get into a block.
        Some((ALREADY_IMPORTED, _)) => Ok(Box::pin(async {
            tokio::time::sleep(PATIENCE).await;
            Outcome::Unknown("the node has it already".into())
        })),
        Some((_, reason)) => Ok(Box::pin(async { Outcome::Dropped(reason) })),
        None => Err(classify(url, "transaction", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_nonce_is_told_from_other_refusals() {
        assert!(is_nonce_race(
            "Invalid Transaction: Transaction is outdated"
        ));
        assert!(is_nonce_race("Priority is too low: (1 vs 1)"));
        assert!(!is_nonce_race(
            "Invalid Transaction: Inability to pay some fees"
        ));
    }
}
