//! Signing and submitting transactions, and watching them until their fate is known.

mod fate;
mod nonce;

pub use fate::Included;

use super::calls::Call;
use super::{classify, duty, root_cause, ChainError, Node, PATIENCE};
use crate::keys::Key;
use crate::roles::DutyOutcome;
use fate::{in_finalized, Fate};
use futures::future::BoxFuture;
use sp_core::H256;
use std::time::{Duration, Instant};
use subxt::config::substrate::{AccountId32, SubstrateExtrinsicParamsBuilder};
use subxt::error::{BackendError, ExtrinsicError, RpcError};
use subxt::tx::TransactionStatus;
use subxt::SubstrateConfig;

/// The number of blocks in which a transaction may be included, from the finalized block that it was signed
/// over.
const MORTALITY: u64 = 32;

/// How long a transaction is watched.
const FINAL: Duration = Duration::from_secs(300);

/// If the pool does not know the latest finalized block, a duty is signed over the block that is this many
/// blocks older: a busy node validates transactions on a block that is no longer its best one.
const BEHIND: u64 = 4;

/// The most attempts to sign a transaction of an account that the node rejects for the block that it was
/// signed over, or drops as another transaction has its nonce.
const TRIES: u32 = 4;

/// How long a transaction of an account is signed again while other transactions of the account take its
/// nonce.
const RACE: Duration = Duration::from_secs(60);

/// The time to wait for another block before the next attempt.
const NEXT_BLOCK: Duration = Duration::from_secs(3);

/// The pool's error code for a transaction that it already has.
const ALREADY_IMPORTED: i32 = 1013;

/// The node's reply to a submission.
enum Handed {
    /// The pool accepted it; the future ends when its fate is known.
    Over(BoxFuture<'static, Fate>),
    /// The pool already has it, or another transaction in its place.
    Already(String),
    /// Its pallet would refuse it, with this error.
    Refused(String),
    /// The pool rejected it.
    TurnedAway(String),
}

/// A signed transaction of an account.
struct Signed {
    account: AccountId32,
    nonce: u64,
    /// The number of the finalized block that it was signed over. A later block may include it.
    over: u64,
    hash: H256,
    bytes: Vec<u8>,
}

impl Node {
    /// Signs `call` for the next 32 blocks, with the nonce that the node reports.
    async fn sign<C: Call>(&self, call: C, key: &Key) -> Result<Signed, ChainError> {
        let account = AccountId32(key.account());
        let sign = async {
            let nonce = self.next_nonce(&account).await?;
            let at = self.client.at_current_block().await;
            let at = at.map_err(|error| classify(&self.url, "state", error))?;
            let params = SubstrateExtrinsicParamsBuilder::<SubstrateConfig>::new()
                .nonce(nonce)
                .mortal(MORTALITY)
                .build();
            let refused = |error: ExtrinsicError| classify(&self.url, &called::<C>(), error);
            let transaction = at
                .tx()
                .create_signable(
                    &subxt::tx::dynamic(C::PALLET, C::NAME, call),
                    &account,
                    params,
                )
                .await
                .map_err(refused)?
                .sign(key.pair())
                .map_err(refused)?;
            Ok(Signed {
                nonce,
                over: at.block_number(),
                hash: transaction.hash(),
                bytes: transaction.into_encoded(),
                account,
            })
        };
        tokio::time::timeout(PATIENCE, sign)
            .await
            .map_err(|_| self.silent())?
    }

    /// Submits the transaction with which the hot key `key` performs `duty`.
    async fn hand_over_duty<C: Call>(&self, duty: C, key: &Key) -> Result<Handed, ChainError> {
        let at = self
            .in_time(async { self.client.at_current_block().await.map_err(Into::into) })
            .await?;
        let call = at
            .tx()
            .call_data(&subxt::tx::dynamic(C::PALLET, C::NAME, duty))
            .map_err(|error| classify(&self.url, &called::<C>(), error))?;
        let metadata = at.metadata();
        let sign = |signed_over| duty::transaction(&metadata, signed_over, &call, key);
        let bytes = sign((at.block_number(), at.block_hash()))?;
        let reason = match self.hand_over(C::PALLET, bytes).await? {
            Handed::TurnedAway(reason) if is_ancient(&reason) => reason,
            handed => return Ok(handed),
        };
        let earlier = at.block_number().saturating_sub(BEHIND);
        let hash = self
            .in_time(async {
                let hash = self.rpc.chain_get_block_hash(Some(earlier.into())).await;
                hash.map_err(Into::into)
            })
            .await?;
        match hash {
            Some(hash) => self.hand_over(C::PALLET, sign((earlier, hash))?).await,
            None => Ok(Handed::TurnedAway(reason)),
        }
    }

    /// Submits a transaction with a call of `pallet`.
    async fn hand_over(&self, pallet: &str, bytes: Vec<u8>) -> Result<Handed, ChainError> {
        let submit = async {
            let at = self.client.at_current_block().await;
            let at = at.map_err(|error| classify(&self.url, "state", error))?;
            let mut progress = match at.tx().from_bytes(bytes).submit_and_watch().await {
                Ok(progress) => progress,
                Err(error) => {
                    let Some((code, reason)) = rejection(&error) else {
                        return Err(classify(&self.url, "transaction", error));
                    };
                    let named = duty::refusal(&at.metadata(), pallet, &reason);
                    return Ok(match named {
                        Some(error) => Handed::Refused(error),
                        None if code == ALREADY_IMPORTED || is_in_pool(&reason) => {
                            Handed::Already(reason)
                        }
                        None => Handed::TurnedAway(reason),
                    });
                }
            };
            let rpc = self.raw.clone();
            let watch = async move {
                while let Some(status) = progress.next().await {
                    match status {
                        Ok(TransactionStatus::InFinalizedBlock(block)) => {
                            let hash = block.extrinsic_hash();
                            let at = match block.at().await {
                                Ok(at) => at,
                                Err(error) => return Fate::Lost(root_cause(&error)),
                            };
                            let fate = in_finalized(&rpc, &at, hash).await;
                            return fate.unwrap_or_else(|| {
                                Fate::Lost("the block does not hold the transaction".into())
                            });
                        }
                        Ok(
                            TransactionStatus::Error { message }
                            | TransactionStatus::Invalid { message }
                            | TransactionStatus::Dropped { message },
                        ) => return Fate::Dropped(message),
                        Ok(_) => {}
                        Err(error) => return Fate::Lost(root_cause(&error)),
                    }
                }
                Fate::Lost("the connection was lost".into())
            };
            Ok(Handed::Over(Box::pin(async move {
                tokio::time::timeout(FINAL, watch)
                    .await
                    .unwrap_or(Fate::TooSlow)
            })))
        };
        tokio::time::timeout(PATIENCE, submit)
            .await
            .map_err(|_| self.silent())?
    }

    /// Performs a duty with the hot key `key`. It has no nonce, so any number of processes may submit it any
    /// number of times. The returned future ends when its fate is known.
    pub(super) async fn perform<C: Call>(
        &self,
        duty: C,
        key: &Key,
    ) -> Result<BoxFuture<'static, DutyOutcome>, ChainError> {
        let outcome = match self.hand_over_duty(duty, key).await? {
            Handed::Over(fate) => {
                return Ok(Box::pin(async move {
                    match fate.await {
                        Fate::Final(included) => DutyOutcome::Included {
                            block: included.block,
                        },
                        Fate::Failed(error, _) => DutyOutcome::Refused(error),
                        Fate::Dropped(reason) => DutyOutcome::Dropped(reason),
                        Fate::Lost(reason) => DutyOutcome::Unknown(reason),
                        Fate::TooSlow => DutyOutcome::Unknown("it was not final in time".into()),
                    }
                }));
            }
            // This process, or another one with the same hot key, has submitted it: it may be in the next
            // block.
            Handed::Already(reason) => {
                return Ok(Box::pin(async move {
                    tokio::time::sleep(NEXT_BLOCK).await;
                    DutyOutcome::Unknown(reason)
                }));
            }
            Handed::Refused(error) => DutyOutcome::Refused(error),
            Handed::TurnedAway(reason) => DutyOutcome::Dropped(reason),
        };
        Ok(Box::pin(async { outcome }))
    }

    /// Performs a duty with the hot key `key`, and waits until it is final.
    pub async fn perform_finally<C: Call>(
        &self,
        duty: C,
        key: &Key,
    ) -> Result<Included, ChainError> {
        self.send_duty(duty, key).await?.await
    }

    /// Submits a duty as [`Self::perform_finally`] does; the returned future waits until it is final.
    pub async fn send_duty<C: Call>(
        &self,
        duty: C,
        key: &Key,
    ) -> Result<BoxFuture<'static, Result<Included, ChainError>>, ChainError> {
        let (call, url) = (called::<C>(), self.url.clone());
        match self.hand_over_duty(duty, key).await? {
            Handed::Over(fate) => Ok(Box::pin(async move { fate.await.included(&url, call) })),
            Handed::Refused(reason) | Handed::Already(reason) | Handed::TurnedAway(reason) => {
                Err(ChainError::Rejected { call, reason })
            }
        }
    }

    /// Signs and submits `call`, and waits until it is final. If another transaction of the account takes the
    /// nonce after the pool has accepted this one, signs it again.
    pub async fn submit<C: Call + Clone>(
        &self,
        call: C,
        key: &Key,
    ) -> Result<Included, ChainError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (signed, fate) = self.hand_over_signed(&call, key).await?;
            let fate = match fate.await {
                Fate::Dropped(reason) if tries < TRIES => {
                    match self.after_drop(&signed, reason).await? {
                        Some(fate) => fate,
                        None => continue,
                    }
                }
                fate => fate,
            };
            return fate.included(&self.url, called::<C>());
        }
    }

    /// Signs and submits `call`; the returned future waits until it is final. So one account can submit several
    /// calls that share a block.
    pub async fn send<C: Call + Clone>(
        &self,
        call: C,
        key: &Key,
    ) -> Result<BoxFuture<'static, Result<Included, ChainError>>, ChainError> {
        let (_, fate) = self.hand_over_signed(&call, key).await?;
        let url = self.url.clone();
        Ok(Box::pin(
            async move { fate.await.included(&url, called::<C>()) },
        ))
    }

    /// Signs `call` until the pool accepts it.
    async fn hand_over_signed<C: Call + Clone>(
        &self,
        call: &C,
        key: &Key,
    ) -> Result<(Signed, BoxFuture<'static, Fate>), ChainError> {
        let start = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            let signed = self.sign(call.clone(), key).await?;
            let reason = match self.hand_over(C::PALLET, signed.bytes.clone()).await? {
                Handed::Over(fate) => return Ok((signed, fate)),
                Handed::Refused(reason) | Handed::Already(reason) | Handed::TurnedAway(reason) => {
                    reason
                }
            };
            // Another program that signs with the same account has taken the nonce.
            if start.elapsed() < RACE && is_nonce_race(&reason) {
                tokio::time::sleep(stagger()).await;
                continue;
            }
            if tries < TRIES && is_ancient(&reason) {
                tokio::time::sleep(NEXT_BLOCK).await;
                continue;
            }
            return Err(ChainError::Rejected {
                call: called::<C>(),
                reason,
            });
        }
    }

    fn silent(&self) -> ChainError {
        ChainError::Unreachable {
            url: self.url.clone(),
            reason: "it does not answer in time".into(),
        }
    }
}

/// A random pause of up to half a second before the nonce is read again, so that programs that sign with one
/// account do not retry at the same time.
fn stagger() -> Duration {
    let mut random = [0];
    // Without randomness they do, and need more attempts.
    let _ = getrandom::fill(&mut random);
    Duration::from_millis(2 * u64::from(random[0]))
}

fn called<C: Call>() -> String {
    format!("{}.{}", C::PALLET, C::NAME)
}

/// The pool's error code and reason, if the pool refused the transaction.
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

/// Whether the pool does not know the block that a transaction was signed over. This happens on a node that
/// has just started and made no block yet, and on a busy node.
fn is_ancient(reason: &str) -> bool {
    reason.contains("ancient birth block")
}

fn is_nonce_race(reason: &str) -> bool {
    ["outdated", "Priority is too low", "Stale"]
        .iter()
        .any(|sign| reason.contains(sign))
}

/// Whether the pool holds another transaction for the same duty or with the same nonce, with at least the
/// same priority.
fn is_in_pool(reason: &str) -> bool {
    reason.contains("Priority is too low")
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
