//! Where the receipts of a gateway stand on the finalized chain, executions of their answers again, and challenges of
//! false ones, with the games that follow.

mod challenging;

use crate::chain::types::{ClaimInfo, SessionInfo};
use crate::chain::{At, ChainError, Link};
use crate::games::AccountPlayer;
use crate::keys::{address, Key};
use crate::roles::LoadedEngines;
use async_trait::async_trait;
use noema_claims::{ClaimFault, ClaimOutcome, ClaimStage};
use noema_executor::DeviceOptions;
use noema_gateway::{
    ClaimStanding, LoadModel, ReceiptFault, ReceiptRefund, ReceiptSource, ReceiptStanding,
    ReceiptState, Recomputation, RecomputeVerdict, Recomputer,
};
use noema_model::checkpoint::Library;
use noema_model::engine::Engine;
use noema_protocol::{CheckpointId, ClaimId, SessionId};
use noema_receipts::ReceiptFile;
use noema_session_transport::{
    FalseAnswer, PayerStore, ReceivedAnswer, SeenClaim, SessionModel, SessionStoreError,
    SignedVoucher,
};
use noema_sessions::{SessionReceipt, Stage};
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{watch, Mutex, OnceCell};
use tracing::warn;

/// The time between two looks at all sessions: the chain removes the record of a claim days after its end.
const WATCH: Duration = Duration::from_secs(600);
/// Answers that are removed at a time.
const TOGETHER: usize = 1_000;

/// The receipts of the sessions of one payer.
pub struct ChainReceipts {
    link: Arc<Link>,
    store: Arc<PayerStore>,
    /// Challenges false answers, and plays the games that follow; `None` where no account does.
    challenger: Option<AccountPlayer>,
    recomputer: Recomputer,
    model: Arc<LocalModel>,
    /// Executes traces; loaded for the first game.
    engine: OnceCell<Arc<Engine>>,
    /// The checkpoint that can be executed.
    checkpoint: CheckpointId,
    /// The last look at each session, by the hash of its terms. Held during a look, so that many callers at a time are
    /// one.
    looks: Mutex<HashMap<H256, Look>>,
}

/// What the chain stated of a session.
#[derive(Clone, Copy)]
struct Look {
    /// The finalized block.
    block: u64,
    /// How many answers were claimed.
    claimed: u32,
    /// Whether it has ended, with all of its claims.
    is_over: bool,
}

/// The model of a checkpoint on this machine, on the best of its devices.
pub struct LocalModel {
    /// The checkpoints of this machine.
    pub library: Library,
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// Which devices may execute it.
    pub device: DeviceOptions,
}

impl LoadModel for LocalModel {
    fn load(&self) -> Result<Arc<dyn SessionModel>, String> {
        let loaded = self.engine().map_err(|error| error.to_string());
        let engine = loaded.map_err(|reason| reason.trim_end_matches('.').to_owned())?;
        let engines = BTreeMap::from([(self.checkpoint, Arc::new(engine))]);
        Ok(Arc::new(LoadedEngines::new(engines)))
    }
}

impl LocalModel {
    /// The engine of the checkpoint, whose files are verified. Blocks until it is loaded.
    ///
    /// # Errors
    /// When this machine cannot execute it.
    pub fn engine(&self) -> Result<Engine, Box<dyn std::error::Error + Send + Sync>> {
        let device = self.device.select()?;
        let checkpoint = self.library.open(self.checkpoint)?;
        // A receipt is compared with this checkpoint, and with no other.
        checkpoint.verify(&|_| ())?;
        Ok(Engine::open(Arc::new(checkpoint), &device, None)?)
    }
}

impl ChainReceipts {
    /// The receipts in `store`, whose answers `model` can execute.
    pub fn new(link: Arc<Link>, store: Arc<PayerStore>, model: LocalModel) -> Self {
        let model = Arc::new(model);
        Self {
            link,
            store,
            challenger: None,
            checkpoint: model.checkpoint,
            recomputer: Recomputer::new(model.clone()),
            model,
            engine: OnceCell::new(),
            looks: Mutex::default(),
        }
    }

    /// Has `account` challenge false answers, for which it puts bonds on hold, and play the games that follow.
    pub fn challenging_as(mut self, account: Key) -> Self {
        self.challenger = Some(AccountPlayer::new(self.link.clone(), account));
        self
    }

    /// Looks at all sessions now and then, challenges what is false, and removes answers that were received more than
    /// `keep` ago. Ends when `stop` is true or has lost its sender.
    pub async fn watch(&self, keep: Duration, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = crate::stopped(&mut stop) => {}
            () = self.keep_up(keep) => {}
            () = self.keep_challenging() => {}
        }
    }

    async fn keep_up(&self, keep: Duration) {
        let mut over = BTreeSet::new();
        loop {
            if let Err(fault) = self.look_at_all(&mut over).await {
                warn!(%fault, "how claims of sessions stand is not read");
            }
            if let Err(fault) = self.forget(keep).await {
                warn!(%fault, "old answers are not removed");
            }
            tokio::time::sleep(WATCH).await;
        }
    }

    async fn look_at_all(&self, over: &mut BTreeSet<H256>) -> Result<(), ReceiptFault> {
        let sessions = self.stored(PayerStore::sessions).await?;
        for terms in sessions {
            if over.contains(&terms) {
                continue;
            }
            let record = self.stored(move |store| store.get(terms)).await?;
            let Some(record) = record else { continue };
            let session = record.side.agreement().session;
            if self.look(terms, session).await?.is_over {
                over.insert(terms);
            }
        }
        Ok(())
    }

    async fn forget(&self, keep: Duration) -> Result<(), ReceiptFault> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let before = now.unwrap_or_default().saturating_sub(keep).as_secs();
        let forget = move |store: &PayerStore| store.forget(before, TOGETHER);
        while self.stored(forget).await? == TOGETHER {}
        Ok(())
    }

    /// Reads or writes the store.
    async fn stored<T: Send + 'static>(
        &self,
        using: impl FnOnce(&PayerStore) -> Result<T, SessionStoreError> + Send + 'static,
    ) -> Result<T, ReceiptFault> {
        let store = self.store.clone();
        let used = tokio::task::spawn_blocking(move || using(&store)).await;
        let used = used.map_err(|error| ReceiptFault::Unreadable(error.to_string()))?;
        used.map_err(|error| ReceiptFault::Unreadable(error.to_string()))
    }

    async fn answer(&self, receipt: H256) -> Result<ReceivedAnswer, ReceiptFault> {
        let found = self.stored(move |store| store.answer(receipt)).await?;
        found.ok_or(ReceiptFault::Unknown)
    }

    /// The hashes of `count` receipts from number `first` on; `None` where answer `n` is not among them, or one of them
    /// is not stored any longer.
    async fn bundle(
        &self,
        terms: H256,
        n: u32,
        first: u32,
        count: u32,
    ) -> Result<Option<Vec<H256>>, ReceiptFault> {
        if n < first || n.saturating_sub(first) >= count {
            return Ok(None);
        }
        self.stored(move |store| store.receipts(terms, first, count))
            .await
    }

    /// The claim of a receipt as of the last finalized block, where it is known, and whether any claim covers its answer.
    async fn claim_now(
        &self,
        receipt: &SessionReceipt,
    ) -> Result<(Option<SeenClaim>, bool), ReceiptFault> {
        let (terms, n) = (receipt.terms, receipt.n);
        let claim = self.claim_of(terms, n).await?;
        if claim.as_ref().is_some_and(SeenClaim::is_over) {
            return Ok((claim, true));
        }
        let look = self.look(terms, receipt.session).await?;
        let is_claimed = claim.is_some() || n < look.claimed;
        Ok((self.claim_of(terms, n).await?, is_claimed))
    }

    /// The claim of answer number `n`, as it was seen last.
    async fn claim_of(&self, terms: H256, n: u32) -> Result<Option<SeenClaim>, ReceiptFault> {
        let claims = self.stored(move |store| store.claims(terms)).await?;
        let mut claims = claims.into_iter().map(|(_, claim)| claim);
        Ok(claims.find(|claim| claim.covers(n)))
    }

    /// Reads how the claims of a session stand, once for each finalized block, and keeps it.
    async fn look(&self, terms: H256, session: SessionId) -> Result<Look, ReceiptFault> {
        let mut looks = self.looks.lock().await;
        let node = self.link.node().map_err(unreadable)?;
        let at = node.finalized().await.map_err(unreadable)?;
        let before = looks.get(&terms).copied();
        if let Some(look) = before.filter(|look| look.block == at.number()) {
            return Ok(look);
        }
        let info = at.session(session).await.map_err(unreadable)?;
        let look = match info.filter(|info| info.terms == Some(terms)) {
            Some(info) => self.look_at_claims(&at, terms, session, &info).await?,
            // Its record is removed some days after its end.
            None => Look {
                block: at.number(),
                claimed: before.map_or(0, |look| look.claimed),
                is_over: true,
            },
        };
        looks.insert(terms, look);
        Ok(look)
    }

    async fn look_at_claims(
        &self,
        at: &At,
        terms: H256,
        session: SessionId,
        info: &SessionInfo,
    ) -> Result<Look, ReceiptFault> {
        let account = &info.session.account;
        let seen = self.stored(move |store| store.claims(terms)).await?;
        let seen: BTreeMap<u32, SeenClaim> = seen.into_iter().collect();
        let kept = at.session_claims(session).await.map_err(unreadable)?;
        let kept: BTreeMap<u32, ClaimId> = kept.into_iter().collect();
        let mut are_over = true;
        // The last claim ends with the last claimed answer, and each begins where the one before ended.
        let mut end = account.count;
        for number in (0..account.claims).rev() {
            let before = seen.get(&number);
            if let Some(over) = before.filter(|before| before.is_over()) {
                end = over.first;
                continue;
            }
            let read = match kept.get(&number) {
                Some(claim) => claim_at(at, *claim).await.map_err(unreadable)?,
                None => None,
            };
            match (read, before) {
                (Some(read), before) => {
                    let now = seen_now(&read.0, &read.1, before, end);
                    are_over &= now.is_over();
                    end = now.first;
                    if before != Some(&now) {
                        self.stored(move |store| store.put_claim(terms, number, &now))
                            .await?;
                    }
                }
                // Its record was removed before its end was seen.
                (None, Some(before)) => end = before.first,
                (None, None) => break,
            }
        }
        Ok(Look {
            block: at.number(),
            claimed: account.count,
            is_over: are_over && matches!(account.stage, Stage::Ended(_)),
        })
    }
}

#[async_trait]
impl ReceiptSource for ChainReceipts {
    async fn standing(&self, receipt: H256) -> Result<ReceiptStanding, ReceiptFault> {
        let answer = self.answer(receipt).await?;
        let stated = &answer.receipt.receipt;
        let (terms, n) = (stated.terms, stated.n);
        let (claim, is_claimed) = self.claim_now(stated).await?;
        let record = self.stored(move |store| store.get(terms)).await?;
        let voucher = record.and_then(|record| record.side.last_voucher());
        let is_paid = voucher.is_some_and(|voucher| n < voucher.count);
        Ok(ReceiptStanding {
            session: stated.session,
            n,
            worker: address(&answer.worker),
            state: match &claim {
                Some(claim) => state(&claim.stage),
                None if is_claimed => ReceiptState::Claimed,
                None if is_paid => ReceiptState::Paid,
                None => ReceiptState::Signed,
            },
            is_disputed: claim.as_ref().is_some_and(|claim| claim.is_disputed),
            claim: claim.map(|claim| ClaimStanding {
                id: claim.claim,
                leaf: n.saturating_sub(claim.first),
                leaves: claim.leaves,
                block: claim.made_at,
                drawn: claim.drawn,
                final_at: claim.final_at,
            }),
        })
    }

    async fn file(&self, receipt: H256) -> Result<ReceiptFile, ReceiptFault> {
        let answer = self.answer(receipt).await?;
        let stated = answer.receipt.receipt;
        let (terms, n) = (stated.terms, stated.n);
        let (claim, _) = self.claim_now(&stated).await?;
        let at = self.link.node().map_err(unreadable)?.finalized().await;
        let worker = at.map_err(unreadable)?.operator(&answer.worker).await;
        let worker = worker.map_err(unreadable)?;
        let keys = worker.map(|worker| worker.operator.key.0);
        let mut file = ReceiptFile::of(answer, keys.as_slice());
        let record = self.stored(move |store| store.get(terms)).await?;
        let last = record.and_then(|record| {
            let voucher = record.side.last_voucher()?;
            let signature = record.voucher?;
            Some(SignedVoucher { voucher, signature })
        });
        if let Some(signed) = last {
            let (first, count) = (signed.voucher.first, signed.voucher.count);
            if let Some(bundle) = self
                .bundle(terms, n, first, count.saturating_sub(first))
                .await?
            {
                file.add_voucher(signed, &bundle);
            }
        }
        if let Some(claim) = claim
            && let Some(leaves) = self.bundle(terms, n, claim.first, claim.leaves).await?
        {
            file.add_claim(claim.claim, claim.first, &leaves);
        }
        Ok(file)
    }

    async fn recompute(&self, receipt: H256) -> Result<Recomputation, ReceiptFault> {
        let answer = self.answer(receipt).await?;
        let checkpoint = answer.receipt.receipt.checkpoint;
        if checkpoint != self.checkpoint {
            return Err(ReceiptFault::NoWeights(format!(
                "it is {checkpoint}; start the gateway with --checkpoint {checkpoint}"
            )));
        }
        self.recomputer.begin(answer).await
    }

    async fn recomputation(&self, receipt: H256) -> Result<Recomputation, ReceiptFault> {
        self.recomputer.progress(receipt)
    }

    async fn challenge(&self, receipt: H256) -> Result<(), ReceiptFault> {
        let answer = self.answer(receipt).await?;
        let stated = answer.receipt.receipt;
        // A bond is at stake: a device that failed once must not lose it.
        if self.recomputer.confirm(answer).await? == RecomputeVerdict::Same {
            return Err(ReceiptFault::True);
        }
        let found = FalseAnswer {
            receipt,
            terms: stated.terms,
            session: stated.session,
            n: stated.n,
            is_settled: false,
        };
        self.stored(move |store| store.put_false(&found)).await
    }
}

fn unreadable(error: impl std::fmt::Display) -> ReceiptFault {
    ReceiptFault::Unreadable(error.to_string())
}

async fn claim_at(at: &At, claim: ClaimId) -> Result<Option<(ClaimId, ClaimInfo)>, ChainError> {
    let info = at.claim(claim).await?;
    Ok(info.map(|info| (claim, info)))
}

/// How a claim stands whose last leaf is the answer before number `end`, where it was not seen before.
fn seen_now(claim: &ClaimId, info: &ClaimInfo, before: Option<&SeenClaim>, end: u32) -> SeenClaim {
    let record = &info.claim;
    let leaves = record.terms.leaves;
    SeenClaim {
        claim: *claim,
        first: before.map_or_else(|| end.saturating_sub(leaves), |before| before.first),
        leaves,
        made_at: record.made_at,
        stage: record.stage,
        drawn: match record.stage {
            ClaimStage::Undrawn => None,
            _ => Some(record.drawn.clone()),
        },
        is_disputed: !info.disputes.is_empty(),
        final_at: match record.stage {
            ClaimStage::Challengeable { until, .. } => Some(until),
            _ => before.and_then(|before| before.final_at),
        },
    }
}

/// How far the receipts of a claim in this stage are.
const fn state(stage: &ClaimStage<u32>) -> ReceiptState {
    match stage {
        ClaimStage::Undrawn | ClaimStage::Committing { .. } | ClaimStage::Revealing { .. } => {
            ReceiptState::Claimed
        }
        ClaimStage::Challengeable { .. } => ReceiptState::Checked,
        ClaimStage::Ended(ClaimOutcome::Final(_)) => ReceiptState::Final,
        ClaimStage::Ended(ClaimOutcome::Unconfirmed) => {
            ReceiptState::Refunded(ReceiptRefund::Unconfirmed)
        }
        ClaimStage::Ended(ClaimOutcome::Fallen(fault)) => ReceiptState::Refunded(match fault {
            ClaimFault::FalseLeaf(_) => ReceiptRefund::FalseLeaf,
            ClaimFault::Withheld(_) => ReceiptRefund::Withheld,
            ClaimFault::Undecided(_) => ReceiptRefund::Undecided,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::types::{ClaimRecord, ClaimTerms};
    use noema_claims::Verification;
    use noema_protocol::Job;
    use subxt::config::substrate::AccountId32;

    fn info(stage: ClaimStage<u32>, drawn: &[u32]) -> ClaimInfo {
        ClaimInfo {
            claim: ClaimRecord {
                terms: ClaimTerms {
                    claimant: AccountId32([1; 32]),
                    payer: AccountId32([2; 32]),
                    root: H256::zero(),
                    leaves: 4,
                    payment: 0,
                    check_fee: 0,
                    stake: 0,
                },
                made_at: 7,
                stage,
                drawn: drawn.to_vec(),
                draws: 0,
                seats: Vec::new(),
                demands: Vec::new(),
            },
            job: Job::Session(SessionId(1), 0),
            disputes: Vec::new(),
        }
    }

    #[test]
    fn a_claim_is_followed_to_its_end() {
        let claim = ClaimId(3);
        let see = |stage, drawn: &[u32], before| seen_now(&claim, &info(stage, drawn), before, 10);
        let undrawn = see(ClaimStage::Undrawn, &[], None);
        assert_eq!((undrawn.first, undrawn.leaves), (6, 4));
        assert_eq!((&undrawn.drawn, undrawn.final_at), (&None, None));
        assert_eq!(state(&undrawn.stage), ReceiptState::Claimed);
        let verification = Verification::Confirmed;
        let until = 900;
        let stage = ClaimStage::Challengeable {
            until,
            verification,
        };
        // The next claim moves the end of the claimed answers, and not this claim.
        let checked = seen_now(&claim, &info(stage, &[2]), Some(&undrawn), 30);
        assert_eq!((checked.first, checked.final_at), (6, Some(900)));
        assert_eq!(checked.drawn, Some(vec![2]));
        assert_eq!(state(&checked.stage), ReceiptState::Checked);
        let ended = ClaimStage::Ended(ClaimOutcome::Final(verification));
        let over = see(ended, &[2], Some(&checked));
        assert!(over.is_over());
        assert_eq!(over.final_at, Some(900));
        assert_eq!(state(&over.stage), ReceiptState::Final);
    }

    #[test]
    fn a_claim_that_is_not_final_is_refunded_for_a_reason() {
        for (outcome, reason) in [
            (ClaimOutcome::Unconfirmed, ReceiptRefund::Unconfirmed),
            (
                ClaimOutcome::Fallen(ClaimFault::FalseLeaf(1)),
                ReceiptRefund::FalseLeaf,
            ),
            (
                ClaimOutcome::Fallen(ClaimFault::Withheld(1)),
                ReceiptRefund::Withheld,
            ),
            (
                ClaimOutcome::Fallen(ClaimFault::Undecided(1)),
                ReceiptRefund::Undecided,
            ),
        ] {
            let refunded = ReceiptState::Refunded(reason);
            assert_eq!(state(&ClaimStage::Ended(outcome)), refunded);
        }
    }
}
