//! The chain's side of a session: its money, what was claimed of it, and its stage.

use crate::{bundle::exposure, terms::check_fee, Agreement, ClaimRefusal, SessionRules, Voucher};
use noema_economics::Balance;
use noema_protocol::{apply, sent, stored};
use serde::Serialize;
use sp_arithmetic::traits::{AtLeast32BitUnsigned, One};

/// Most claims of a session that may be smaller than [`SessionRules::min_claim`]: while it closes, one for the
/// last whole bundle and one for the bundle after it.
pub const MAX_SMALL_CLAIMS: u32 = 2;

/// The stage of a session; `until` is its last block.
#[apply(sent)]
#[derive(Copy, Serialize)]
#[cfg_attr(feature = "by-name", derive(scale_decode::DecodeAsType))]
#[serde(rename_all = "snake_case")]
pub enum Stage<BlockNumber> {
    /// It waits for randomness that was not known when it was opened.
    Unseeded,
    /// Answers can be given and claimed.
    Open {
        /// The last block of the stage, unless the session is topped up.
        until: BlockNumber,
    },
    /// The worker can claim its last vouchers.
    Closing {
        /// The last block of the stage.
        until: BlockNumber,
    },
    /// It is over: the rest of its hold was released.
    Ended(Ended),
}

/// Why a session is over.
#[apply(sent)]
#[derive(Copy, Serialize)]
#[cfg_attr(feature = "by-name", derive(scale_decode::DecodeAsType))]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The payer closed it before it had a seed.
    Cancelled,
    /// No worker was found that serves the checkpoint within the payer's limits.
    NoWorker,
    /// It was closed, by a party or at the end of its lifetime.
    Closed,
}

/// The money of a session, and what was claimed of it. `held` is what claims took, `spent`, and the rest, exactly.
#[apply(stored)]
#[derive(Copy)]
pub struct Account<BlockNumber> {
    /// The amount that the payer put on hold, top-ups included.
    pub held: Balance,
    /// The amount that claims took: prices, and what was set aside for checks.
    pub spent: Balance,
    /// How many answers are claimed.
    pub count: u32,
    /// The price of these.
    pub amount: Balance,
    /// How many claims were made.
    pub claims: u32,
    /// How many of these were smaller than [`SessionRules::min_claim`].
    pub small_claims: u32,
    /// How many of them have not ended.
    pub open_claims: u32,
    /// The stage.
    pub stage: Stage<BlockNumber>,
}

/// What a claim asserts and takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimPart {
    /// Its number in the session, counted from zero.
    pub number: u32,
    /// The number of its answers.
    pub leaves: u32,
    /// Their price.
    pub payment: Balance,
    /// Their price, if each cost as much as the dearest one.
    pub exposure: Balance,
    /// The amount set aside for checks.
    pub check_fee: Balance,
    /// The amount to lock of the worker's bond.
    pub stake: Balance,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Account<BlockNumber> {
    /// The account of a session that is opened with `held` on hold.
    pub const fn new(held: Balance) -> Self {
        Self {
            held,
            spent: 0,
            count: 0,
            amount: 0,
            claims: 0,
            small_claims: 0,
            open_claims: 0,
            stage: Stage::Unseeded,
        }
    }

    /// The part of the hold that no claim took.
    pub const fn left(&self) -> Balance {
        self.held.saturating_sub(self.spent)
    }

    /// Why the session is over, if it is.
    pub const fn ended(&self) -> Option<Ended> {
        match self.stage {
            Stage::Ended(why) => Some(why),
            _ => None,
        }
    }

    /// Opens the session in block `now`: its seed and its worker are known.
    ///
    /// # Errors
    /// [`ClaimRefusal::Closing`] where that was done before.
    pub fn seed(&mut self, rules: &SessionRules, now: BlockNumber) -> Result<(), ClaimRefusal> {
        if !matches!(self.stage, Stage::Unseeded) {
            return Err(ClaimRefusal::Closing);
        }
        self.stage = Stage::Open {
            until: now.saturating_add(rules.lifetime.into()),
        };
        Ok(())
    }

    /// Ends a session without a seed.
    ///
    /// # Errors
    /// [`ClaimRefusal::Closing`] where it has one.
    pub fn abort(&mut self, why: Ended) -> Result<(), ClaimRefusal> {
        if !matches!(self.stage, Stage::Unseeded) {
            return Err(ClaimRefusal::Closing);
        }
        self.stage = Stage::Ended(why);
        Ok(())
    }

    /// Adds `amount` to the hold, and restarts the lifetime.
    ///
    /// # Errors
    /// [`ClaimRefusal::NotSeeded`], [`ClaimRefusal::Closing`], [`ClaimRefusal::Ended`] or
    /// [`ClaimRefusal::Overflow`].
    pub fn top_up(
        &mut self,
        rules: &SessionRules,
        amount: Balance,
        now: BlockNumber,
    ) -> Result<(), ClaimRefusal> {
        match self.stage {
            Stage::Unseeded => return Err(ClaimRefusal::NotSeeded),
            Stage::Open { until } if now <= until => {}
            Stage::Open { .. } | Stage::Closing { .. } => return Err(ClaimRefusal::Closing),
            Stage::Ended(_) => return Err(ClaimRefusal::Ended),
        }
        self.held = self
            .held
            .checked_add(amount)
            .ok_or(ClaimRefusal::Overflow)?;
        self.stage = Stage::Open {
            until: now.saturating_add(rules.lifetime.into()),
        };
        Ok(())
    }

    /// Takes the voucher of the next bundle. The caller has verified its signature.
    ///
    /// # Errors
    /// See [`ClaimRefusal`].
    pub fn claim(
        &mut self,
        agreement: &Agreement,
        voucher: &Voucher,
        now: BlockNumber,
    ) -> Result<ClaimPart, ClaimRefusal> {
        let may_be_small = match self.stage {
            Stage::Unseeded => return Err(ClaimRefusal::NotSeeded),
            Stage::Open { .. } => false,
            Stage::Closing { until } if now <= until => self.small_claims < MAX_SMALL_CLAIMS,
            Stage::Closing { .. } | Stage::Ended(_) => return Err(ClaimRefusal::Ended),
        };
        let is_of_session = voucher.genesis == agreement.genesis
            && voucher.session == agreement.session
            && voucher.terms == agreement.terms;
        if !is_of_session {
            return Err(ClaimRefusal::OtherTerms);
        }
        if voucher.first != self.count {
            return Err(ClaimRefusal::NotNext);
        }
        let leaves = voucher.count.saturating_sub(self.count);
        let payment = voucher.amount.saturating_sub(self.amount);
        if leaves == 0 || payment == 0 {
            return Err(ClaimRefusal::NothingToClaim);
        }
        let is_small = payment < agreement.rules.min_claim;
        if is_small && !may_be_small {
            return Err(ClaimRefusal::TooSmall);
        }
        let check_fee = check_fee(&agreement.rules, agreement.leaf_tokens, leaves, payment)
            .ok_or(ClaimRefusal::Overflow)?;
        let total = payment
            .checked_add(check_fee)
            .ok_or(ClaimRefusal::Overflow)?;
        if total > self.left() {
            return Err(ClaimRefusal::HoldTooLow);
        }
        // A payer that signs a dearest price below the mean has a weaker check of its own answers only.
        let exposure = exposure(leaves, voucher.dearest).max(payment);
        let part = ClaimPart {
            number: self.claims,
            leaves,
            payment,
            exposure,
            check_fee,
            stake: agreement.rules.stake(exposure, agreement.leaf_tokens),
        };
        self.spent = self.spent.saturating_add(total);
        self.count = voucher.count;
        self.amount = voucher.amount;
        self.claims = self.claims.saturating_add(1);
        self.small_claims = self.small_claims.saturating_add(is_small.into());
        self.open_claims = self.open_claims.saturating_add(1);
        Ok(part)
    }

    /// Takes the end of a claim. A session whose claim fell begins to close, `finality` blocks being the finality
    /// allowance.
    pub fn end_claim(
        &mut self,
        fell: bool,
        rules: &SessionRules,
        now: BlockNumber,
        finality: BlockNumber,
    ) {
        self.open_claims = self.open_claims.saturating_sub(1);
        if fell && matches!(self.stage, Stage::Open { .. }) {
            self.begin_closing(rules, now, finality);
        }
    }

    /// The payer closes the session. Before it has a seed that ends it; later the worker has a window for its
    /// last vouchers.
    ///
    /// # Errors
    /// [`ClaimRefusal::Closing`] or [`ClaimRefusal::Ended`].
    pub fn close_by_payer(
        &mut self,
        rules: &SessionRules,
        now: BlockNumber,
        finality: BlockNumber,
    ) -> Result<(), ClaimRefusal> {
        match self.stage {
            Stage::Unseeded => self.stage = Stage::Ended(Ended::Cancelled),
            Stage::Open { .. } => self.begin_closing(rules, now, finality),
            Stage::Closing { .. } => return Err(ClaimRefusal::Closing),
            Stage::Ended(_) => return Err(ClaimRefusal::Ended),
        }
        Ok(())
    }

    /// The worker closes the session, and has a window for its last vouchers like any other.
    ///
    /// # Errors
    /// [`ClaimRefusal::NotSeeded`], [`ClaimRefusal::Closing`] or [`ClaimRefusal::Ended`].
    pub fn close_by_worker(
        &mut self,
        rules: &SessionRules,
        now: BlockNumber,
        finality: BlockNumber,
    ) -> Result<(), ClaimRefusal> {
        match self.stage {
            Stage::Unseeded => return Err(ClaimRefusal::NotSeeded),
            Stage::Open { .. } => self.begin_closing(rules, now, finality),
            Stage::Closing { .. } => return Err(ClaimRefusal::Closing),
            Stage::Ended(_) => return Err(ClaimRefusal::Ended),
        }
        Ok(())
    }

    /// The worker of a closing session, of which `claimed` answers are claimed, waives the rest of its window.
    ///
    /// This is no second close: a payer that closes at the same time, or an account that repeats the worker's
    /// close, would otherwise end the window. And where the worker's last claim is included after it, or never, it
    /// is refused.
    ///
    /// # Errors
    /// [`ClaimRefusal::NotClosing`], [`ClaimRefusal::OtherCount`] or [`ClaimRefusal::Ended`].
    pub fn end_by_worker(&mut self, claimed: u32) -> Result<(), ClaimRefusal> {
        match self.stage {
            Stage::Unseeded | Stage::Open { .. } => return Err(ClaimRefusal::NotClosing),
            Stage::Closing { .. } if claimed != self.count => return Err(ClaimRefusal::OtherCount),
            Stage::Closing { .. } => self.stage = Stage::Ended(Ended::Closed),
            Stage::Ended(_) => return Err(ClaimRefusal::Ended),
        }
        Ok(())
    }

    fn begin_closing(&mut self, rules: &SessionRules, now: BlockNumber, finality: BlockNumber) {
        self.stage = Stage::Closing {
            until: now
                .saturating_add(finality)
                .saturating_add(rules.close.into()),
        };
    }

    /// Advances the session at the beginning of block `now`, before its transactions: a stage ends with the block
    /// before. Returns whether its stage changed.
    pub fn advance(
        &mut self,
        rules: &SessionRules,
        now: BlockNumber,
        finality: BlockNumber,
    ) -> bool {
        match self.stage {
            Stage::Open { until } if until < now => self.begin_closing(rules, now, finality),
            Stage::Closing { until } if until < now => self.stage = Stage::Ended(Ended::Closed),
            _ => return false,
        }
        true
    }

    /// The block in which [`Self::advance`] has an effect; `None` where it waits for randomness or has ended.
    pub fn due(&self) -> Option<BlockNumber> {
        match self.stage {
            Stage::Open { until } | Stage::Closing { until } => {
                Some(until.saturating_add(One::one()))
            }
            Stage::Unseeded | Stage::Ended(_) => None,
        }
    }
}
