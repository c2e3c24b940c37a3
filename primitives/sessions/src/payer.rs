//! The payer's side: it pays for an answer only after it has verified the receipt.

use crate::{
    worker::{dearest, ends_as_asked, total_with},
    Agreement, AnswerEnd, Ask, Bundle, PayerError, SessionReceipt, Voucher,
};
use noema_economics::Balance;
use noema_protocol::{apply, stored, SamplingParameters};
use sp_core::H256;

/// What the payer of a session does now.
#[apply(stored)]
#[derive(Copy)]
pub enum PayerPhase {
    /// It may ask.
    Idle,
    /// It waits for the receipt of its ask.
    Asked {
        /// The ask.
        ask: Ask,
        /// Whether it told the worker to end the answer early.
        is_ended: bool,
    },
}

/// A session as its payer keeps it: at most 1.5 KiB, however many answers. A payer stores it before it sends the
/// message that follows from a step, and continues from the store after a crash.
///
/// The payer owes exactly the prices of the receipts that it has verified. It loses nothing where it stops, beside
/// the tokens of an answer that it does not get to the end.
#[apply(stored)]
pub struct PayerSide {
    agreement: Agreement,
    /// The session's hold.
    held: Balance,
    /// The amount that earlier bundles take from the hold.
    committed: Balance,
    bundle: Bundle,
    phase: PayerPhase,
}

impl PayerSide {
    /// A session without answers, with `held` on hold.
    pub fn new(agreement: Agreement, held: Balance) -> Self {
        Self {
            agreement,
            held,
            committed: 0,
            bundle: Bundle::default(),
            phase: PayerPhase::Idle,
        }
    }

    /// The part of the terms that receipts and vouchers depend on.
    pub const fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// What it does now.
    pub const fn phase(&self) -> &PayerPhase {
        &self.phase
    }

    /// The present bundle.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Takes the session's hold, top-ups included.
    pub const fn set_held(&mut self, held: Balance) {
        self.held = held;
    }

    /// The price of all answers that are paid.
    pub const fn paid(&self) -> Balance {
        self.bundle.total()
    }

    /// Asks for the next answer. Returns the ask, to be sent with the tokens of the prompt and the last voucher.
    ///
    /// # Errors
    /// See [`PayerError`].
    pub fn ask(
        &mut self,
        prompt_hash: H256,
        prompt_tokens: u32,
        parameters: SamplingParameters,
    ) -> Result<Ask, PayerError> {
        if !matches!(self.phase, PayerPhase::Idle) {
            return Err(PayerError::Busy);
        }
        if prompt_tokens == 0 {
            return Err(PayerError::NoPrompt);
        }
        parameters.validate().map_err(|_| PayerError::Parameters)?;
        let most_tokens = prompt_tokens.checked_add(parameters.max_tokens.into());
        if most_tokens.is_none_or(|tokens| tokens > self.agreement.leaf_tokens) {
            return Err(PayerError::TooLong);
        }
        let ask = Ask {
            n: self.bundle.count(),
            prompt_hash,
            prompt_tokens,
            parameters,
        };
        let total = dearest(&self.agreement, &ask)
            .and_then(|price| total_with(&self.agreement, self.committed, &self.bundle, price))
            .ok_or(PayerError::Overflow)?;
        if total > self.held {
            return Err(PayerError::HoldTooLow);
        }
        self.phase = PayerPhase::Asked {
            ask,
            is_ended: false,
        };
        Ok(ask)
    }

    /// Records that the worker was told to end the answer early. Nothing changes where none was asked for.
    pub const fn end_answer(&mut self) {
        if let PayerPhase::Asked { is_ended, .. } = &mut self.phase {
            *is_ended = true;
        }
    }

    /// Takes back an ask that the worker refused.
    pub const fn withdraw_ask(&mut self) {
        self.phase = PayerPhase::Idle;
    }

    /// Verifies the receipt of the answer with `answer_tokens` tokens and the hash `answer_hash`, as received.
    /// `least_cached` is the least number of cached tokens that the payer expects, zero for none: the chain cannot
    /// verify what a worker has cached, so a receipt with fewer is refused rather than paid at the price of others.
    /// `is_signed` states whether the worker's hot key signed the receipt's hash; it is called last. Returns the
    /// voucher to be signed, stored and sent.
    ///
    /// # Errors
    /// See [`PayerError`].
    pub fn receive(
        &mut self,
        receipt: &SessionReceipt,
        (answer_hash, answer_tokens): (H256, u32),
        least_cached: u32,
        is_signed: impl FnOnce(&H256) -> bool,
    ) -> Result<Voucher, PayerError> {
        let PayerPhase::Asked { ask, is_ended } = self.phase else {
            return Err(PayerError::NotAsked);
        };
        let agreement = &self.agreement;
        let is_of_session = receipt.session == agreement.session
            && receipt.terms == agreement.terms
            && receipt.checkpoint == agreement.checkpoint;
        if !is_of_session {
            return Err(PayerError::OtherSession);
        }
        let is_of_ask = receipt.n == ask.n
            && receipt.prompt_hash == ask.prompt_hash
            && receipt.prompt_tokens == ask.prompt_tokens
            && receipt.parameters == ask.parameters
            && receipt.seed == agreement.seed_of(ask.n);
        if !is_of_ask {
            return Err(PayerError::OtherAsk);
        }
        if receipt.answer_hash != answer_hash || receipt.answer_tokens != answer_tokens {
            return Err(PayerError::OtherAnswer);
        }
        let is_end_told = receipt.end != AnswerEnd::ByPayer || is_ended;
        if !is_end_told || !ends_as_asked(&ask, answer_tokens, receipt.end) {
            return Err(PayerError::WrongEnd);
        }
        if receipt.cached_tokens < least_cached {
            return Err(PayerError::TooFewCached);
        }
        let price = agreement
            .prices
            .price(ask.prompt_tokens, receipt.cached_tokens, answer_tokens);
        if price != Some(receipt.price) {
            return Err(PayerError::WrongPrice);
        }
        let bundle = self.bundle.with(receipt).ok_or(PayerError::WrongBundle)?;
        let mut committed = self.committed;
        if receipt.first != self.bundle.first() {
            let closed = agreement
                .claim_total(self.bundle.leaves(), self.bundle.amount())
                .ok_or(PayerError::Overflow)?;
            committed = committed.checked_add(closed).ok_or(PayerError::Overflow)?;
        }
        if !is_signed(&receipt.hash()) {
            return Err(PayerError::WrongSignature);
        }
        let voucher = bundle.voucher(agreement);
        self.bundle = bundle;
        self.committed = committed;
        self.phase = PayerPhase::Idle;
        Ok(voucher)
    }

    /// The voucher that was made last; `None` before the first. A payer that does not know whether the worker has
    /// it sends it again.
    pub fn last_voucher(&self) -> Option<Voucher> {
        (self.bundle.leaves() > 0).then(|| self.bundle.voucher(&self.agreement))
    }
}
