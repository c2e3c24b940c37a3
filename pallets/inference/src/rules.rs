//! The rules that governance sets for requests. A request keeps the rules with which it was made.

use crate::{Balance, Load};
use noema_economics::{answer_price, quote, Permill};
use noema_protocol::{apply, request::text_bound, sent, ModelLimits, Prices};
use serde::{Deserialize, Serialize};

/// Most workers that may try one request, under any rules.
pub const MAX_ATTEMPTS: u32 = 8;

/// Most blocks for which the record of a request stays in storage after the end: about four months of blocks
/// every two seconds. Requests are pruned in order, so one that stays keeps all later ones.
pub const MAX_RETENTION: u32 = 5_000_000;

/// The bytes of storage that every request pays for in addition to prompt and answer: its record, its places
/// in the queue and on the agenda, its stake, and the claim of its answer.
pub const RECORD_BYTES: u32 = 1_500;

/// The rules of requests. Blocks are those of this chain.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestRules {
    /// Blocks to answer even the shortest request: in addition to the finality allowance, which the rules of
    /// claims state, and to the time for the work.
    pub answer: u32,
    /// Bytes of prompts that a worker must be able to read in a block.
    pub prompt_bytes_per_block: u32,
    /// Tokens of answers that a worker must be able to compute in a block.
    pub tokens_per_block: u32,
    /// Most requests that a worker has at a time.
    pub room: u32,
    /// Blocks after which a request is refunded where no worker is available that could answer it.
    pub expiry: u32,
    /// Workers that may try a request; at most [`MAX_ATTEMPTS`].
    pub max_attempts: u32,
    /// The amount set aside for checks, as a part of the highest price of the answer.
    pub check_fee: Permill,
    /// The least amount set aside for checks, for each byte of the prompt and each token that the answer may
    /// have: checks take as much work where the worker charges little or nothing.
    pub check_fee_per_token: Balance,
    /// The amount locked of the worker's bond, in percent of the highest price of the answer.
    pub stake_percent: u32,
    /// The least amount locked of the worker's bond, in the smallest unit of the token.
    pub min_stake: Balance,
    /// The least amount locked of the worker's bond, for each token that the prompt, its frame included, and
    /// the answer may have by the bounds of the checkpoint: it pays the jurors of a dispute over an answer that
    /// costs little or nothing.
    pub stake_per_token: Balance,
    /// The part of the lock that a missed deadline costs.
    pub silence_share: Permill,
    /// The price of each byte that prompt and answer may take in storage; it is burned.
    pub storage_price_per_byte: Balance,
    /// Blocks for which prompt, answer and claim stay in storage after the end, at least.
    pub body_retention: u32,
    /// Blocks for which the record of a request stays in storage after the end, at least; no more than
    /// [`MAX_RETENTION`].
    pub retention: u32,
}

/// The price of a worker for a request, and its stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssignmentTerms {
    /// The price of the longest answer that the parameters allow.
    pub answer_max: Balance,
    /// The amount set aside for checks.
    pub check_fee: Balance,
    /// The sum of both: the price limit from which the worker may have the request.
    pub total: Balance,
    /// The amount locked of the worker's bond.
    pub stake: Balance,
}

impl RequestRules {
    /// The price of a worker with `prices` for a request to a checkpoint with these `limits`, and its stake;
    /// `None` where an amount is not representable.
    pub fn terms(
        &self,
        limits: &ModelLimits,
        prices: &Prices<Balance>,
        prompt_bytes: u32,
        max_tokens: u32,
    ) -> Option<AssignmentTerms> {
        let answer_max = answer_price(prices, prompt_bytes, max_tokens).ok()?;
        let work = Balance::from(prompt_bytes).checked_add(max_tokens.into())?;
        let least = self.check_fee_per_token.checked_mul(work)?;
        let check_fee = self.check_fee.mul_ceil(answer_max).max(least);
        let total = quote(prices, prompt_bytes, max_tokens, check_fee)
            .ok()?
            .total;
        // Divided before it is multiplied where the product would be too large.
        let percent = Balance::from(self.stake_percent);
        let share = answer_max
            .checked_mul(percent)
            .map(|product| product.div_ceil(100))
            .or_else(|| answer_max.div_ceil(100).checked_mul(percent))?;
        // As many as the claim of the longest answer states.
        let tokens = limits
            .prompt_tokens(prompt_bytes)
            .checked_add(max_tokens.into())?;
        let for_work = self.stake_per_token.checked_mul(tokens.into())?;
        Some(AssignmentTerms {
            answer_max,
            check_fee,
            total,
            stake: share.max(self.min_stake).max(for_work),
        })
    }

    /// Blocks that all open answers of a worker take it.
    pub fn work(&self, load: &Load) -> u32 {
        let reading = load
            .prompt_bytes
            .div_ceil(self.prompt_bytes_per_block.max(1));
        let computing = load.tokens.div_ceil(self.tokens_per_block.max(1));
        reading.saturating_add(computing)
    }

    /// The amount burned for the storage of a request: its prompt, the longest text and the most tokens that
    /// its answer may have, at four bytes a token, and [`RECORD_BYTES`]. `None` where that amount is not
    /// representable.
    pub fn storage_price(&self, prompt_bytes: u32, max_tokens: u32) -> Option<Balance> {
        let tokens = Balance::from(max_tokens).checked_mul(4)?;
        Balance::from(prompt_bytes)
            .checked_add(text_bound(max_tokens).into())?
            .checked_add(tokens)?
            .checked_add(RECORD_BYTES.into())?
            .checked_mul(self.storage_price_per_byte)
    }

    /// The part of `stake` that a missed deadline costs.
    pub fn silence(&self, stake: Balance) -> Balance {
        self.silence_share.mul_ceil(stake).min(stake)
    }

    /// Refuses rules under which requests could not be answered, could not end, or would cost the chain more
    /// than their requesters.
    ///
    /// # Errors
    /// The first reason found.
    pub fn check(&self) -> Result<(), Unworkable> {
        let refuse = |is_wrong, reason| if is_wrong { Err(reason) } else { Ok(()) };
        refuse(self.answer == 0, Unworkable::NoTimeToAnswer)?;
        refuse(
            self.prompt_bytes_per_block == 0 || self.tokens_per_block == 0,
            Unworkable::NoSpeed,
        )?;
        refuse(self.room == 0, Unworkable::NoRoom)?;
        refuse(self.expiry == 0, Unworkable::ExpiresAtOnce)?;
        refuse(
            !(1..=MAX_ATTEMPTS).contains(&self.max_attempts),
            Unworkable::Attempts,
        )?;
        refuse(self.check_fee_per_token == 0, Unworkable::ChecksAreFree)?;
        refuse(
            self.stake_percent == 0 || self.min_stake == 0 || self.stake_per_token == 0,
            Unworkable::NothingAtStake,
        )?;
        refuse(self.silence_share.is_zero(), Unworkable::SilenceIsFree)?;
        refuse(self.storage_price_per_byte == 0, Unworkable::StorageIsFree)?;
        refuse(
            self.body_retention == 0 || self.body_retention > self.retention,
            Unworkable::Retention,
        )?;
        refuse(self.retention > MAX_RETENTION, Unworkable::RetentionTooLong)
    }
}

/// The reason for which rules are unworkable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unworkable {
    /// There is no time to answer.
    NoTimeToAnswer,
    /// No speed is required, so no deadline grows with the work.
    NoSpeed,
    /// A worker may not have any request.
    NoRoom,
    /// A request would expire in the block in which it is made.
    ExpiresAtOnce,
    /// No worker may try a request, or more than [`MAX_ATTEMPTS`].
    Attempts,
    /// Validators would check the answers of a worker that charges nothing without payment.
    ChecksAreFree,
    /// A worker would stake nothing.
    NothingAtStake,
    /// A missed deadline would cost nothing.
    SilenceIsFree,
    /// Storage would not be paid for.
    StorageIsFree,
    /// Prompt and answer would be removed at the end of the request, or would outlive its record.
    Retention,
    /// The record would stay for more than [`MAX_RETENTION`] blocks.
    RetentionTooLong,
}

impl core::fmt::Display for Unworkable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoTimeToAnswer => "a worker needs at least one block to answer",
            Self::NoSpeed => "a worker must read and compute something in each block",
            Self::NoRoom => "a worker must have room for at least one request",
            Self::ExpiresAtOnce => "a request must wait for at least one block",
            Self::Attempts => "between 1 and 8 workers may try a request",
            Self::ChecksAreFree => "each byte and token that is checked must cost something",
            Self::NothingAtStake => "a worker must stake something on each answer",
            Self::SilenceIsFree => "a missed deadline must cost something",
            Self::StorageIsFree => "each byte in storage must cost something",
            Self::Retention => {
                "prompt and answer must stay for at least one block, and no longer than the record"
            }
            Self::RetentionTooLong => "a record must stay for at most 5,000,000 blocks",
        })
    }
}

impl core::error::Error for Unworkable {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::{rules, LIMITS};

    const PRICES: Prices<Balance> = Prices {
        per_prompt_byte: 1,
        per_answer_token: 10,
    };

    #[test]
    fn terms_follow_prices_and_shares() {
        let rules = RequestRules {
            check_fee: Permill::from_percent(25),
            check_fee_per_token: 1,
            stake_percent: 300,
            min_stake: 100,
            ..rules()
        };
        let terms = |bytes, tokens| rules.terms(&LIMITS, &PRICES, bytes, tokens);
        let expected = AssignmentTerms {
            answer_max: 176,
            check_fee: 44,
            total: 220,
            stake: 528,
        };
        assert_eq!(terms(16, 16), Some(expected));
        assert_eq!(terms(1, 1).map(|terms| terms.stake), Some(100));
        // 70 for each token are more than three times the price of 11, and than the minimum: one of the byte,
        // five of the frame and one of the answer.
        let by_work = RequestRules {
            stake_per_token: 70,
            ..rules
        };
        let stake = |limits: &ModelLimits| {
            let terms = by_work.terms(limits, &PRICES, 1, 1)?;
            Some(terms.stake)
        };
        assert_eq!(stake(&LIMITS), Some(490));
        let three = ModelLimits {
            tokens_per_byte: 3,
            ..LIMITS
        };
        assert_eq!(stake(&three), Some(630));
        let dear = Prices {
            per_prompt_byte: Balance::MAX,
            per_answer_token: 0,
        };
        assert_eq!(rules.terms(&LIMITS, &dear, 1, 1), None);
    }

    #[test]
    fn checks_of_answers_that_cost_little_are_paid_by_the_work() {
        let rules = RequestRules {
            check_fee: Permill::from_percent(25),
            check_fee_per_token: 3,
            ..rules()
        };
        let terms = |prices, bytes, tokens| {
            let terms = rules.terms(&LIMITS, &prices, bytes, tokens)?;
            Some((terms.answer_max, terms.check_fee, terms.total))
        };
        let free = Prices {
            per_prompt_byte: 0,
            per_answer_token: 0,
        };
        assert_eq!(terms(free, 100, 20), Some((0, 360, 360)));
        assert_eq!(terms(PRICES, 100, 20), Some((300, 360, 660)));
        // A quarter of the price is more than the minimum.
        assert_eq!(terms(PRICES, 1, 1_000), Some((10_001, 3_003, 13_004)));
        assert_eq!(terms(PRICES, 1, 0), Some((1, 3, 4)));
        let dear = Prices {
            per_answer_token: 1_000,
            ..PRICES
        };
        assert_eq!(terms(dear, 100, 20), Some((20_100, 5_025, 25_125)));
        let most = RequestRules {
            check_fee_per_token: Balance::MAX,
            ..rules
        };
        assert_eq!(
            most.terms(&LIMITS, &PRICES, 1, 1),
            None,
            "the amount is not representable"
        );
        assert!(most.terms(&LIMITS, &PRICES, u32::MAX, u32::MAX).is_none());
    }

    #[test]
    fn work_grows_with_all_that_a_worker_has() {
        let rules = RequestRules {
            prompt_bytes_per_block: 100,
            tokens_per_block: 20,
            ..rules()
        };
        let work = |tokens, prompt_bytes| {
            rules.work(&Load {
                open: 1,
                tokens,
                prompt_bytes,
            })
        };
        assert_eq!(work(0, 0), 0);
        assert_eq!(work(1, 1), 2);
        assert_eq!(work(40, 4_800), 50);
    }

    #[test]
    fn storage_is_paid_by_the_byte() {
        let rules = RequestRules {
            storage_price_per_byte: 3,
            ..rules()
        };
        // 10 bytes of prompt, 2 tokens of 4 bytes, up to 16 bytes of text, and the records.
        assert_eq!(rules.storage_price(10, 2), Some(3 * (10 + 8 + 16 + 1_500)));
        let dear = RequestRules {
            storage_price_per_byte: Balance::MAX,
            ..rules
        };
        assert_eq!(dear.storage_price(10, 2), None);
    }

    #[test]
    fn rules_that_cannot_work_are_refused_by_name() {
        type Change = fn(&mut RequestRules);
        let refusals: [(Change, Unworkable); 17] = [
            (|r| r.answer = 0, Unworkable::NoTimeToAnswer),
            (|r| r.prompt_bytes_per_block = 0, Unworkable::NoSpeed),
            (|r| r.tokens_per_block = 0, Unworkable::NoSpeed),
            (|r| r.room = 0, Unworkable::NoRoom),
            (|r| r.expiry = 0, Unworkable::ExpiresAtOnce),
            (|r| r.max_attempts = 0, Unworkable::Attempts),
            (|r| r.max_attempts = MAX_ATTEMPTS + 1, Unworkable::Attempts),
            (|r| r.check_fee_per_token = 0, Unworkable::ChecksAreFree),
            (|r| r.stake_percent = 0, Unworkable::NothingAtStake),
            (|r| r.min_stake = 0, Unworkable::NothingAtStake),
            (|r| r.stake_per_token = 0, Unworkable::NothingAtStake),
            (
                |r| r.silence_share = Permill::zero(),
                Unworkable::SilenceIsFree,
            ),
            (|r| r.storage_price_per_byte = 0, Unworkable::StorageIsFree),
            (|r| r.body_retention = 0, Unworkable::Retention),
            (
                |r| r.body_retention = r.retention + 1,
                Unworkable::Retention,
            ),
            (|r| r.retention = 0, Unworkable::Retention),
            (
                |r| r.retention = MAX_RETENTION + 1,
                Unworkable::RetentionTooLong,
            ),
        ];
        assert_eq!(rules().check(), Ok(()));
        for (change, reason) in refusals {
            let mut rules = rules();
            change(&mut rules);
            assert_eq!(rules.check(), Err(reason));
        }
    }
}
