//! The rules of sessions, which governance sets. A session keeps the rules with which it was opened.

use crate::{SessionPrices, SessionRulesError};
use noema_economics::{Balance, Permill};
use noema_protocol::{apply, sent, Prices};
use serde::{Deserialize, Serialize};

/// The rules of sessions. Blocks are those of this chain; amounts are in the smallest unit of the token.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionRules {
    /// Blocks after its opening, or after its last top-up, in which a session begins to close by itself.
    pub lifetime: u32,
    /// Blocks that the worker has for its last vouchers while a session closes, in addition to the finality
    /// allowance, which the rules of claims state.
    pub close: u32,
    /// How many times the price of a byte of a public prompt a token of a prompt costs.
    pub bytes_per_token: u32,
    /// The price of a token of a prompt whose keys and values are cached, as a part of the price of another.
    pub cached_share: Permill,
    /// The amount set aside for the check of a leaf, as a part of the mean price of the answers of its claim.
    pub check_share: Permill,
    /// The least amount set aside for the check of a leaf, for each token that it may have.
    pub check_fee_per_token: Balance,
    /// The stake of a claim, in percent of the price of its answers, if each cost as much as the dearest one.
    pub stake_percent: u32,
    /// The least stake of a claim.
    pub min_stake: Balance,
    /// The least stake of a claim, for each token that a leaf may have: it pays the jurors of a dispute over an
    /// answer that costs little.
    pub stake_per_token: Balance,
    /// The least amount that a payer puts on hold for a session, or adds to it.
    pub min_held: Balance,
    /// The least price of the answers of a claim while a session is open: the burned part of it pays for the
    /// storage of the claim. While the session closes, [`crate::MAX_SMALL_CLAIMS`] may be smaller.
    pub min_claim: Balance,
    /// Burned when a session is opened: for the storage of its record, and of its small claims.
    pub storage_price: Balance,
    /// Blocks for which the record of a session stays in storage after its end, and that of each of its claims after
    /// the end of the claim.
    pub retention: u32,
}

impl SessionRules {
    /// The prices of a session with a worker that states `prices` for public requests; `None` where one is not
    /// representable.
    pub fn prices(&self, prices: &Prices<Balance>) -> Option<SessionPrices> {
        let per_prompt_token = prices
            .per_prompt_byte
            .checked_mul(self.bytes_per_token.into())?;
        Some(SessionPrices {
            per_prompt_token,
            per_cached_token: self.cached_share.mul_ceil(per_prompt_token),
            per_answer_token: prices.per_answer_token,
        })
    }

    /// The stake of a claim whose leaves cost `amount`, if each cost as much as the dearest one, and have at most
    /// `leaf_tokens` tokens; [`Balance::MAX`] where it is not representable.
    pub fn stake(&self, amount: Balance, leaf_tokens: u32) -> Balance {
        let percent = Balance::from(self.stake_percent);
        // Divided before it is multiplied where the product would be too large.
        let share = amount
            .checked_mul(percent)
            .map(|product| product.div_ceil(100))
            .unwrap_or_else(|| amount.div_ceil(100).saturating_mul(percent));
        let for_work = self.stake_per_token.saturating_mul(leaf_tokens.into());
        share.max(self.min_stake).max(for_work)
    }

    /// The largest amount of a claim of equally dear answers for which `free`, the unlocked part of a bond, covers the
    /// stake; zero where it covers none.
    pub fn most_claimable(&self, free: Balance, leaf_tokens: u32) -> Balance {
        if self.stake(0, leaf_tokens) > free {
            return 0;
        }
        let percent = Balance::from(self.stake_percent.max(1));
        let whole = free.checked_div(percent).unwrap_or(0);
        let rest = free.checked_rem(percent).unwrap_or(0);
        let rest = rest.saturating_mul(100).checked_div(percent).unwrap_or(0);
        whole.saturating_mul(100).saturating_add(rest)
    }

    /// Refuses rules under which sessions could not be served, could not end, or would cost the chain more than
    /// their parties.
    ///
    /// # Errors
    /// The first reason found.
    pub fn check(&self) -> Result<(), SessionRulesError> {
        let refuse = |is_wrong, reason| if is_wrong { Err(reason) } else { Ok(()) };
        refuse(self.lifetime == 0, SessionRulesError::NoLifetime)?;
        refuse(self.close == 0, SessionRulesError::NoTimeToClaim)?;
        refuse(self.bytes_per_token == 0, SessionRulesError::PromptsAreFree)?;
        refuse(
            self.check_fee_per_token == 0,
            SessionRulesError::ChecksAreFree,
        )?;
        refuse(
            self.stake_percent == 0 || self.min_stake == 0 || self.stake_per_token == 0,
            SessionRulesError::NothingAtStake,
        )?;
        refuse(
            self.min_held == 0 || self.min_claim == 0 || self.storage_price == 0,
            SessionRulesError::StorageIsFree,
        )?;
        refuse(self.retention == 0, SessionRulesError::NoRetention)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: SessionRules = SessionRules {
        lifetime: 100,
        close: 10,
        bytes_per_token: 4,
        cached_share: Permill::from_percent(10),
        check_share: Permill::from_percent(20),
        check_fee_per_token: 1,
        stake_percent: 150,
        min_stake: 100,
        stake_per_token: 3,
        min_held: 1_000,
        min_claim: 50,
        storage_price: 5,
        retention: 20,
    };

    #[test]
    fn prices_follow_those_of_public_requests() {
        let prices = Prices {
            per_prompt_byte: 3,
            per_answer_token: 20,
        };
        let expected = SessionPrices {
            per_prompt_token: 12,
            per_cached_token: 2,
            per_answer_token: 20,
        };
        assert_eq!(RULES.prices(&prices), Some(expected));
        let dear = Prices {
            per_prompt_byte: Balance::MAX,
            ..prices
        };
        assert_eq!(RULES.prices(&dear), None);
    }

    #[test]
    fn a_stake_follows_amount_and_work_and_has_a_minimum() {
        assert_eq!(RULES.stake(0, 1), 100);
        assert_eq!(RULES.stake(101, 1), 152);
        assert_eq!(RULES.stake(101, 100), 300);
        assert_eq!(RULES.stake(Balance::MAX, 1), Balance::MAX);
    }

    #[test]
    fn the_most_claimable_is_what_the_bond_covers() {
        for percent in [1, 50, 99, 100, 150, 450] {
            let rules = SessionRules {
                stake_percent: percent,
                ..RULES
            };
            for free in 0..700 {
                let most = rules.most_claimable(free, 40);
                assert!(most == 0 || rules.stake(most, 40) <= free, "{free}");
                let is_enough = free >= rules.stake(0, 40);
                assert!(!is_enough || rules.stake(most + 1, 40) > free, "{free}");
            }
        }
        assert!(RULES.most_claimable(Balance::MAX, 1) > 0);
    }

    #[test]
    fn rules_that_cannot_work_are_refused_by_name() {
        type Change = fn(&mut SessionRules);
        let refusals: [(Change, SessionRulesError); 11] = [
            (|r| r.lifetime = 0, SessionRulesError::NoLifetime),
            (|r| r.close = 0, SessionRulesError::NoTimeToClaim),
            (|r| r.bytes_per_token = 0, SessionRulesError::PromptsAreFree),
            (
                |r| r.check_fee_per_token = 0,
                SessionRulesError::ChecksAreFree,
            ),
            (|r| r.stake_percent = 0, SessionRulesError::NothingAtStake),
            (|r| r.min_stake = 0, SessionRulesError::NothingAtStake),
            (|r| r.stake_per_token = 0, SessionRulesError::NothingAtStake),
            (|r| r.min_held = 0, SessionRulesError::StorageIsFree),
            (|r| r.min_claim = 0, SessionRulesError::StorageIsFree),
            (|r| r.storage_price = 0, SessionRulesError::StorageIsFree),
            (|r| r.retention = 0, SessionRulesError::NoRetention),
        ];
        assert_eq!(RULES.check(), Ok(()));
        for (change, reason) in refusals {
            let mut rules = RULES;
            change(&mut rules);
            assert_eq!(rules.check(), Err(reason));
        }
    }
}
