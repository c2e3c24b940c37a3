//! The rules by which a claim is checked and decided, fixed when it is made.

use crate::{ClaimRulesError, RelayBlock, MAX_DRAWS, MAX_JUROR_SEATS, MAX_VALIDATORS_PER_LEAF};
use noema_economics::Balance;
use noema_protocol::{apply, sent};
use serde::{Deserialize, Serialize};
use sp_arithmetic::{
    helpers_128bit::multiply_by_rational_with_rounding,
    traits::{AtLeast32BitUnsigned, UniqueSaturatedInto},
    Permill, Rounding,
};

/// The most blocks that each step of a claim takes. Only blocks that are made count, so no deadline passes
/// while the chain stands still.
///
/// A window is `finality + base + work`: work on a finalized block can only begin when that block is final.
/// The bases are the fields `commit`, `reveal`, `challenge` and `post`; [`ClaimWindows::commit_window`] and
/// its siblings add the rest.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimWindows<BlockNumber> {
    /// Blocks that the chain may take to finalize a block.
    pub finality: BlockNumber,
    /// Blocks to re-execute a leaf and commit, in addition to the time for its tokens.
    pub commit: BlockNumber,
    /// Tokens, of prompt and answer together, that a validator re-executes in a block.
    pub tokens_per_block: u32,
    /// Blocks to reveal a commitment.
    pub reveal: BlockNumber,
    /// Blocks to challenge, once the checks are over.
    pub challenge: BlockNumber,
    /// Blocks to post a leaf that was demanded.
    pub post: BlockNumber,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> ClaimWindows<BlockNumber> {
    /// Blocks to re-execute leaves of `tokens` tokens together and to commit.
    pub fn commit_window(&self, tokens: u64) -> BlockNumber {
        self.finality
            .saturating_add(self.commit)
            .saturating_add(self.work(tokens))
    }

    fn work(&self, tokens: u64) -> BlockNumber {
        tokens
            .div_ceil(u64::from(self.tokens_per_block.max(1)))
            .unique_saturated_into()
    }

    /// Blocks to reveal. A validator may reveal on the best block: every other validator is already bound by
    /// its own commitment. The finality allowance is for a validator that waits until the end of the
    /// commitments is final.
    pub fn reveal_window(&self) -> BlockNumber {
        self.finality.saturating_add(self.reveal)
    }

    /// Blocks to execute a leaf of `tokens` tokens and challenge it.
    pub fn challenge_window(&self, tokens: u64) -> BlockNumber {
        self.finality
            .saturating_add(self.challenge)
            .saturating_add(self.work(tokens))
    }

    /// Blocks to appeal against the decision of a dispute.
    pub fn appeal_window(&self) -> BlockNumber {
        self.finality.saturating_add(self.challenge)
    }

    /// Blocks to post a demanded leaf.
    pub fn post_window(&self) -> BlockNumber {
        self.finality.saturating_add(self.post)
    }
}

/// The rules of a claim.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimRules<BlockNumber> {
    /// The most time of each step.
    pub windows: ClaimWindows<BlockNumber>,
    /// By how many relay chain blocks randomness has to be younger than the claim that it checks.
    pub freshness: RelayBlock,
    /// The expected loss of a false claim over its possible gain, in percent; at least 100.
    pub margin_percent: u32,
    /// The probability of a check however large the stake is; above zero.
    pub min_check_rate: Permill,
    /// Validators drawn for a leaf.
    pub validators_per_leaf: u32,
    /// The most draws of validators until each drawn leaf has been confirmed once.
    pub max_draws: u32,
    /// The least part of a validator's bond that is locked for each leaf that it is drawn for, and the part of a
    /// juror's that is locked for each of its seats; see [`Self::seat_stake`]. Lost by silence as well as by a false
    /// confirmation.
    pub validator_stake: Balance,
    /// The part of the claimant's stake that goes to the challenger of a claim that falls.
    pub challenger_share: Permill,
    /// The most that the challenger gets: enough to make a challenge worth its cost.
    pub challenger_cap: Balance,
    /// The amount that an account without a seat at the leaf puts on hold to challenge it; above zero.
    pub challenge_bond: Balance,
    /// The least payment of a juror, for each of its seats and each of [`crate::ClaimTerms::leaf_tokens`], the
    /// upper bound of the tokens that it executes; above zero. Without it, a verdict on an answer that costs
    /// little would not be worth the work.
    pub juror_fee_per_token: Balance,
    /// The part of each payment that is burned.
    pub burned_share: Permill,
}

impl<BlockNumber> ClaimRules<BlockNumber> {
    /// The least payment of a juror for a seat in a dispute over a leaf of `tokens` tokens.
    pub fn least_juror_fee(&self, tokens: u64) -> Balance {
        self.juror_fee_per_token.saturating_mul(tokens.into())
    }

    /// The least stake of a claimant that pays every seat of a dispute over a leaf of `tokens` tokens, in
    /// addition to the challengers, where the leaf is false. [`Balance::MAX`] where no stake does.
    pub fn stake_for_jurors(&self, tokens: u64) -> Balance {
        const ONE: Balance = 1_000_000;
        let fees = self
            .least_juror_fee(tokens)
            .saturating_mul(MAX_JUROR_SEATS.into());
        let left = ONE.saturating_sub(self.challenger_share.deconstruct().into());
        multiply_by_rational_with_rounding(fees, ONE, left, Rounding::Up).unwrap_or(Balance::MAX)
    }

    /// The least stake of a challenger that pays every seat of a dispute over a leaf of `tokens` tokens, and as
    /// much to the claimant, where the leaf is true.
    pub fn challenge_for_jurors(&self, tokens: u64) -> Balance {
        self.least_juror_fee(tokens)
            .saturating_mul(Balance::from(MAX_JUROR_SEATS).saturating_add(1))
    }

    /// The part of a validator's bond that is locked for its seat at a leaf of `tokens` tokens: enough to pay every
    /// juror, and the claimant, where the validator challenges a leaf that is true.
    pub fn seat_stake(&self, tokens: u64) -> Balance {
        self.validator_stake.max(self.challenge_for_jurors(tokens))
    }
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> ClaimRules<BlockNumber> {
    /// Refuses rules under which a claim could not be checked or could not end, or under which a false claim
    /// would pay.
    ///
    /// # Errors
    /// See [`ClaimRulesError`].
    pub fn check(&self) -> Result<(), ClaimRulesError> {
        let ClaimWindows {
            commit,
            tokens_per_block,
            reveal,
            challenge,
            post,
            ..
        } = self.windows;
        if [commit, reveal, challenge, post]
            .iter()
            .any(|window| window.is_zero())
        {
            return Err(ClaimRulesError::EmptyWindow);
        }
        if tokens_per_block == 0 {
            return Err(ClaimRulesError::NoTokensPerBlock);
        }
        if self.freshness == 0 {
            return Err(ClaimRulesError::NotFresh);
        }
        if self.margin_percent < 100 {
            return Err(ClaimRulesError::MarginBelowGain);
        }
        if self.min_check_rate.is_zero() {
            return Err(ClaimRulesError::NeverChecked);
        }
        if !(1..=MAX_VALIDATORS_PER_LEAF).contains(&self.validators_per_leaf) {
            return Err(ClaimRulesError::Validators);
        }
        if !(1..=MAX_DRAWS).contains(&self.max_draws) {
            return Err(ClaimRulesError::Draws);
        }
        if self.challenger_share.is_one() || self.burned_share.is_one() {
            return Err(ClaimRulesError::WholeShare);
        }
        if self.validator_stake == 0 {
            return Err(ClaimRulesError::NoValidatorStake);
        }
        if self.challenge_bond == 0 {
            return Err(ClaimRulesError::NoChallengeBond);
        }
        if self.juror_fee_per_token == 0 || self.challenge_for_jurors(1) > self.validator_stake {
            return Err(ClaimRulesError::JurorsUnpaid);
        }
        Ok(())
    }
}
