//! The worker's side: it gives no answer while one is unpaid, or that the chain would not pay.

use crate::{Agreement, AnswerEnd, Ask, Bundle, SessionReceipt, Voucher, WorkerError};
use alloc::vec::Vec;
use noema_economics::Balance;
use noema_protocol::{apply, stored};
use sp_core::H256;

/// What the worker of a session does now.
#[apply(stored)]
#[derive(Copy)]
// There is one in each session, of about the size of the rest of the state.
#[allow(clippy::large_enum_variant)]
pub enum WorkerPhase {
    /// It waits for an ask.
    Idle,
    /// It computes an answer.
    Answering(Ask),
    /// It waits for the voucher that pays this receipt.
    Unpaid(SessionReceipt),
}

/// A session as its worker keeps it: at most 2.8 KiB, however many answers. A worker stores it before it sends the
/// message that follows from a step, and continues from the store after a crash; an answer in progress is lost
/// then, and can be asked for again.
///
/// The worker loses at most one answer: the one that is in progress or unpaid. All others are covered by the
/// vouchers of [`Self::claimable`], within the session's hold, and their stake within
/// [`Self::set_free_bond`].
#[apply(stored)]
pub struct WorkerSide {
    agreement: Agreement,
    /// The session's hold, on the finalized chain.
    held: Balance,
    /// The unlocked part of the bond, for the stakes of answers without a claim.
    free_bond: Balance,
    /// The most that an answer may cost in addition to what the payer has paid so far.
    credit: Balance,
    /// The amount that earlier bundles take from the hold, claimed or not.
    committed: Balance,
    /// The bundle before the present one, while it is not claimed.
    closed: Option<Bundle>,
    bundle: Bundle,
    phase: WorkerPhase,
}

impl WorkerSide {
    /// A session without answers, with `held` on hold. See [`Self::set_free_bond`], and [`Self::set_credit`].
    ///
    /// The agreement has to be that of the finalized chain: a reorganization can change the seed, and no voucher over
    /// the former terms is paid.
    pub fn new(agreement: Agreement, held: Balance, free_bond: Balance, credit: Balance) -> Self {
        Self {
            agreement,
            held,
            free_bond,
            credit,
            committed: 0,
            closed: None,
            bundle: Bundle::default(),
            phase: WorkerPhase::Idle,
        }
    }

    /// The part of the terms that receipts and vouchers depend on.
    pub const fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// What it does now.
    pub const fn phase(&self) -> &WorkerPhase {
        &self.phase
    }

    /// The present bundle.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The bundle that waits for its claim.
    pub const fn closed(&self) -> Option<&Bundle> {
        self.closed.as_ref()
    }

    /// Takes the session's hold, top-ups included, from the finalized chain.
    pub const fn set_held(&mut self, held: Balance) {
        self.held = held;
    }

    /// Sets the part of the bond, on the finalized chain, that the worker keeps unlocked for this session. It covers the
    /// stake of the bundle that waits for its claim and that of the present one: both are claimed while the session
    /// closes, and each has at least the least stake of a claim.
    pub const fn set_free_bond(&mut self, free: Balance) {
        self.free_bond = free;
    }

    /// Sets how much more than what was paid in this session so far an answer may cost.
    ///
    /// A payer that does not pay for an answer loses [`crate::SessionRules::storage_price`], which burned when the
    /// session was opened. With a credit of that amount, opening sessions for one unpaid answer each yields no more
    /// than it costs. A longer answer is asked for in parts; what was computed is cached.
    pub const fn set_credit(&mut self, credit: Balance) {
        self.credit = credit;
    }

    /// The price of all paid answers without a claim.
    pub fn unclaimed(&self) -> Balance {
        let closed = self.closed.as_ref().map_or(0, Bundle::amount);
        closed.saturating_add(self.bundle.amount())
    }

    /// Accepts an ask. The same ask again, while it is answered, is accepted, too.
    ///
    /// # Errors
    /// See [`WorkerError`].
    pub fn ask(&mut self, ask: &Ask) -> Result<(), WorkerError> {
        match &self.phase {
            WorkerPhase::Idle => {}
            WorkerPhase::Answering(present) if present == ask => return Ok(()),
            WorkerPhase::Answering(_) => return Err(WorkerError::Busy),
            WorkerPhase::Unpaid(_) => return Err(WorkerError::Unpaid),
        }
        let agreement = &self.agreement;
        if ask.n != self.bundle.count() || ask.n == u32::MAX {
            return Err(WorkerError::WrongNumber);
        }
        if ask.prompt_tokens == 0 {
            return Err(WorkerError::NoPrompt);
        }
        ask.parameters
            .validate()
            .map_err(|_| WorkerError::Parameters)?;
        let most_tokens = ask
            .prompt_tokens
            .checked_add(ask.parameters.max_tokens.into());
        if most_tokens.is_none_or(|tokens| tokens > agreement.leaf_tokens) {
            return Err(WorkerError::TooLong);
        }
        let price = dearest(agreement, ask).ok_or(WorkerError::Overflow)?;
        if price > self.credit.saturating_add(self.bundle.total()) {
            return Err(WorkerError::CreditTooLow);
        }
        let stake = |exposure| agreement.rules.stake(exposure, agreement.leaf_tokens);
        let closed = self
            .closed
            .as_ref()
            .map_or(0, |closed| stake(closed.exposure()));
        if closed.saturating_add(stake(self.bundle.exposure_with(price))) > self.free_bond {
            return Err(WorkerError::ClaimFirst);
        }
        let total = total_with(agreement, self.committed, &self.bundle, price)
            .ok_or(WorkerError::Overflow)?;
        if total > self.held {
            return Err(WorkerError::HoldTooLow);
        }
        self.phase = WorkerPhase::Answering(*ask);
        Ok(())
    }

    /// Drops an answer in progress, of which nothing was sent: after a crash, or where no executor is left.
    pub const fn drop_answer(&mut self) {
        if matches!(self.phase, WorkerPhase::Answering(_)) {
            self.phase = WorkerPhase::Idle;
        }
    }

    /// Ends the answer in progress. Returns its receipt, to be signed and sent.
    ///
    /// A payer that ends an answer gets at least its first token: otherwise it could have prompts read for nothing.
    ///
    /// # Errors
    /// [`WorkerError::NotAnswering`], [`WorkerError::WrongAnswer`] or [`WorkerError::Overflow`].
    pub fn finish(
        &mut self,
        cached_tokens: u32,
        (answer_hash, answer_tokens): (H256, u32),
        end: AnswerEnd,
        hidden_root: H256,
    ) -> Result<SessionReceipt, WorkerError> {
        let WorkerPhase::Answering(ask) = &self.phase else {
            return Err(WorkerError::NotAnswering);
        };
        let agreement = &self.agreement;
        if !ends_as_asked(ask, answer_tokens, end) || cached_tokens > ask.prompt_tokens {
            return Err(WorkerError::WrongAnswer);
        }
        let price = agreement
            .prices
            .price(ask.prompt_tokens, cached_tokens, answer_tokens)
            .ok_or(WorkerError::Overflow)?;
        let receipt = SessionReceipt {
            session: agreement.session,
            n: ask.n,
            first: self.bundle.first(),
            terms: agreement.terms,
            checkpoint: agreement.checkpoint,
            prompt_hash: ask.prompt_hash,
            prompt_tokens: ask.prompt_tokens,
            cached_tokens,
            parameters: ask.parameters,
            seed: agreement.seed_of(ask.n),
            answer_hash,
            answer_tokens,
            end,
            price,
            hidden_root,
        };
        self.phase = WorkerPhase::Unpaid(receipt);
        Ok(receipt)
    }

    /// Takes a voucher. `is_signed` states whether the voucher key signed the payload; it is only called for the
    /// voucher that is expected. Those of [`Self::claimable`] are accepted again, with a signature that is right: a
    /// caller that stores voucher and signature must not lose the one that it has.
    ///
    /// # Errors
    /// [`WorkerError::NothingUnpaid`], [`WorkerError::OldVoucher`], [`WorkerError::WrongVoucher`] or
    /// [`WorkerError::WrongSignature`].
    pub fn pay(
        &mut self,
        voucher: &Voucher,
        is_signed: impl FnOnce(&H256) -> bool,
    ) -> Result<(), WorkerError> {
        let WorkerPhase::Unpaid(receipt) = &self.phase else {
            if !self.claimable().contains(voucher) {
                return Err(WorkerError::NothingUnpaid);
            }
            return match is_signed(&voucher.payload()) {
                true => Ok(()),
                false => Err(WorkerError::WrongSignature),
            };
        };
        if voucher.count <= receipt.n {
            return Err(WorkerError::OldVoucher);
        }
        let paid = self
            .bundle
            .with(receipt)
            .filter(|paid| paid.voucher(&self.agreement) == *voucher)
            .ok_or(WorkerError::WrongVoucher)?;
        if !is_signed(&voucher.payload()) {
            return Err(WorkerError::WrongSignature);
        }
        self.bundle = paid;
        self.phase = WorkerPhase::Idle;
        Ok(())
    }

    /// Closes the present bundle, and begins the next one with the next answer. Returns the voucher to claim with.
    ///
    /// Only one bundle at a time waits for its claim. A worker claims before an ask would be refused as
    /// [`WorkerError::ClaimFirst`], and when the session closes. The stake of a claim follows its dearest answer, so
    /// a worker also begins a bundle before an answer that is much dearer than those before it.
    ///
    /// # Errors
    /// [`WorkerError::Busy`] while an answer is in progress, [`WorkerError::Unpaid`], [`WorkerError::NotClaimed`],
    /// [`WorkerError::NothingToClaim`], [`WorkerError::TooSmall`] or [`WorkerError::Overflow`].
    pub fn close_bundle(&mut self) -> Result<Voucher, WorkerError> {
        match self.phase {
            WorkerPhase::Idle => {}
            WorkerPhase::Answering(_) => return Err(WorkerError::Busy),
            WorkerPhase::Unpaid(_) => return Err(WorkerError::Unpaid),
        }
        let amount = self.bundle.amount();
        if amount > 0 && amount < self.agreement.rules.min_claim {
            return Err(WorkerError::TooSmall);
        }
        self.close_paid()
    }

    /// Closes the present bundle where the session closes: the answer in progress, or the unpaid one, is lost.
    ///
    /// # Errors
    /// [`WorkerError::NotClaimed`], [`WorkerError::NothingToClaim`] or [`WorkerError::Overflow`].
    pub fn close_last(&mut self) -> Result<Voucher, WorkerError> {
        let voucher = self.close_paid()?;
        self.phase = WorkerPhase::Idle;
        Ok(voucher)
    }

    fn close_paid(&mut self) -> Result<Voucher, WorkerError> {
        if self.closed.is_some() {
            return Err(WorkerError::NotClaimed);
        }
        if self.bundle.amount() == 0 {
            return Err(WorkerError::NothingToClaim);
        }
        let total = self
            .agreement
            .claim_total(self.bundle.leaves(), self.bundle.amount())
            .and_then(|total| total.checked_add(self.committed))
            .ok_or(WorkerError::Overflow)?;
        let next = self.bundle.next();
        let closed = core::mem::replace(&mut self.bundle, next);
        let voucher = closed.voucher(&self.agreement);
        self.committed = total;
        self.closed = Some(closed);
        Ok(voucher)
    }

    /// Takes the number of answers that are claimed, from the finalized chain.
    ///
    /// Where the present bundle is claimed, too, the next one begins: the chain takes no further voucher of a bundle
    /// that is claimed, so an unpaid answer of it is lost.
    pub fn set_claimed(&mut self, count: u32) {
        let is_claimed = |bundle: &Bundle| bundle.leaves() > 0 && bundle.count() <= count;
        if self.closed.as_ref().is_some_and(is_claimed) {
            self.closed = None;
        }
        if self.closed.is_none() && is_claimed(&self.bundle) && self.close_paid().is_ok() {
            self.closed = None;
            if matches!(self.phase, WorkerPhase::Unpaid(_)) {
                self.phase = WorkerPhase::Idle;
            }
        }
    }

    /// The vouchers without a claim, in the order in which the chain accepts them, two at most: their signatures
    /// have to be kept.
    ///
    /// That of the present bundle is claimed only while the session closes. Before, the bundle has to be closed: the
    /// chain takes no further voucher of a bundle that is claimed, so its later answers would not be paid.
    pub fn claimable(&self) -> Vec<Voucher> {
        let present = Some(&self.bundle).filter(|bundle| bundle.leaves() > 0);
        let bundles = self.closed.iter().chain(present);
        bundles
            .map(|bundle| bundle.voucher(&self.agreement))
            .collect()
    }
}

/// The highest price of an answer.
pub(crate) fn dearest(agreement: &Agreement, ask: &Ask) -> Option<Balance> {
    agreement
        .prices
        .price(ask.prompt_tokens, 0, ask.parameters.max_tokens.into())
}

/// The amount that all claims take where the present bundle gets one more answer of `price`.
pub(crate) fn total_with(
    agreement: &Agreement,
    committed: Balance,
    bundle: &Bundle,
    price: Balance,
) -> Option<Balance> {
    let amount = bundle.amount().checked_add(price)?;
    let leaves = bundle.leaves().checked_add(1)?;
    agreement
        .claim_total(leaves, amount)?
        .checked_add(committed)
}

/// Whether an answer of that many tokens may end like this.
pub(crate) fn ends_as_asked(ask: &Ask, answer_tokens: u32, end: AnswerEnd) -> bool {
    let most = u32::from(ask.parameters.max_tokens);
    match end {
        AnswerEnd::Length => answer_tokens == most && most > 0,
        AnswerEnd::Stop | AnswerEnd::ByPayer => (1..=most).contains(&answer_tokens),
    }
}
