//! The division of money and stakes when a claim is over.

use crate::{Claim, ClaimFault, ClaimOutcome, SeatState, MAX_DRAWN_LEAVES};
use alloc::vec::Vec;
use noema_economics::{burn_part, Balance, NetPayment};

/// The division of the payer's money and of the locked stakes.
///
/// `claimant`, `validators` and `payer` together, including the burned parts, are
/// [`crate::ClaimTerms::payment`] and [`crate::ClaimTerms::check_fee`], exactly. A lock that neither `slash`
/// nor `false_confirmations` names is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement<AccountId> {
    /// To the claimant.
    pub claimant: NetPayment,
    /// To each validator, once for each leaf that it confirmed.
    pub validators: Vec<(AccountId, NetPayment)>,
    /// Back to the payer.
    pub payer: Balance,
    /// The division of the claimant's stake, where the claim fell.
    pub slash: Option<StakeSplit<AccountId>>,
    /// Validators that confirmed the false leaf: each loses [`crate::ClaimRules::seat_stake`], and all of it
    /// is burned.
    pub false_confirmations: Vec<AccountId>,
}

/// The division of the stake of a claim that fell: the three parts add up to the stake, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StakeSplit<AccountId> {
    /// To the challengers that showed the fault, in equal parts.
    pub challengers: Balance,
    /// To validators that confirmed other leaves: they did their part, and the payer pays nothing.
    pub validators: Vec<(AccountId, Balance)>,
    /// Destroyed.
    pub burned: Balance,
}

/// The division of the bond of a challenge that was wrong: the two parts add up to the bond, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostChallenge {
    /// To the claimant, for its work in the dispute.
    pub to_claimant: Balance,
    /// Destroyed.
    pub burned: Balance,
}

/// Divides the bond of a challenge that was wrong: the claimant gets the `cost` of its dispute, at most half
/// of the bond, so that challenging one's own claim is a loss.
pub fn lost_challenge(bond: Balance, cost: Balance) -> LostChallenge {
    let to_claimant = cost.min(bond / 2);
    LostChallenge {
        to_claimant,
        burned: bond.saturating_sub(to_claimant),
    }
}

/// The payment for each of `seats` seats of jurors out of `fund`: `fee`, or an equal part of a fund that does
/// not suffice for all. The sum never exceeds the fund.
pub fn juror_share(fund: Balance, seats: usize, fee: Balance) -> Balance {
    let seats = Balance::try_from(seats).unwrap_or(Balance::MAX);
    fund.checked_div(seats).map_or(0, |most| fee.min(most))
}

impl<AccountId: Clone + PartialEq, BlockNumber> Claim<AccountId, BlockNumber> {
    /// The payment of a juror for one seat, and of the claimant for its work in a dispute that it wins: as
    /// much as for a check, and no less than the rules state for the tokens of the leaf.
    pub fn juror_fee(&self) -> Balance {
        let terms = &self.terms;
        let least = terms.rules.least_juror_fee(terms.leaf_tokens);
        self.fee_per_check().max(least)
    }

    /// The payment of one validator for one leaf, before a part is burned: an equal part of the check fee for
    /// each validator that every leaf that can be drawn may have.
    pub fn fee_per_check(&self) -> Balance {
        let terms = &self.terms;
        let checks = Balance::from(terms.leaves.min(MAX_DRAWN_LEAVES))
            .saturating_mul(terms.rules.validators_per_leaf.into())
            .max(1);
        terms.check_fee.checked_div(checks).unwrap_or(0)
    }

    /// The settlement of the claim where it ends with `outcome`.
    pub fn settle(&self, outcome: ClaimOutcome) -> Settlement<AccountId> {
        match outcome {
            ClaimOutcome::Final(_) => self.settle_final(),
            ClaimOutcome::Unconfirmed => self.settle_unconfirmed(),
            ClaimOutcome::Fallen(fault) => self.settle_fallen(fault),
        }
    }

    /// The payment of a validator for a leaf that it confirmed. A validator that demanded the leaf works for
    /// nothing: otherwise it could have any leaf posted on chain at the cost of others.
    fn fee_of(&self, validator: &AccountId, leaf: u32) -> Balance {
        let mut demands = self.demands.iter();
        match demands.any(|demand| demand.leaf == leaf && demand.by == *validator) {
            true => 0,
            false => self.fee_per_check(),
        }
    }

    /// The price of a leaf that a validator has demanded by itself: the least fee of a juror, for each token that is
    /// posted.
    pub fn demand_price(&self) -> Balance {
        let terms = &self.terms;
        terms.rules.least_juror_fee(terms.leaf_tokens)
    }

    /// The validators that pay [`Self::demand_price`] out of their locks, and the leaf of each: they demanded a leaf
    /// that was posted and that they confirmed, and no other validator of the leaf shared the demand.
    ///
    /// The chain cannot know whether the claimant did not serve the leaf, or the validator did not want to read it. A
    /// claimant that serves none has both validators demand the leaf, and none of them pays; one that serves a single
    /// validator, or a validator that demands what it could read, makes the validator pay a bounded price.
    pub fn lone_demands(&self) -> impl Iterator<Item = (&AccountId, u32)> {
        let lone = self.demands.iter();
        let lone = lone.filter(|demand| demand.is_posted && !demand.is_shared);
        lone.filter(move |demand| {
            let mut confirmed = self.confirmed();
            confirmed.any(|seat| seat == (&demand.by, demand.leaf))
        })
        .map(|demand| (&demand.by, demand.leaf))
    }

    fn confirmed(&self) -> impl Iterator<Item = (&AccountId, u32)> {
        self.seats
            .iter()
            .filter(|seat| seat.state == SeatState::Confirmed)
            .map(|seat| (&seat.validator, seat.leaf))
    }

    fn settle_final(&self) -> Settlement<AccountId> {
        let terms = &self.terms;
        let burned_share = terms.rules.burned_share;
        let mut fund = terms.check_fee;
        let mut validators = Vec::new();
        for (validator, leaf) in self.confirmed() {
            let paid = self.fee_of(validator, leaf).min(fund);
            fund = fund.saturating_sub(paid);
            validators.push((validator.clone(), burn_part(paid, burned_share)));
        }
        Settlement {
            claimant: burn_part(terms.payment, burned_share),
            validators,
            payer: fund,
            slash: None,
            false_confirmations: Vec::new(),
        }
    }

    fn settle_unconfirmed(&self) -> Settlement<AccountId> {
        let settlement = self.settle_final();
        let terms = &self.terms;
        let refunded = self.unconfirmed_part();
        let paid = terms.payment.saturating_sub(refunded);
        // Validators that confirmed other leaves are paid.
        Settlement {
            claimant: burn_part(paid, terms.rules.burned_share),
            payer: settlement.payer.saturating_add(refunded),
            ..settlement
        }
    }

    /// The part of the payment that goes back to the payer where no validator confirmed some of the drawn leaves: the
    /// price of the dearest leaf for each of them, or everything where they are more than half of those that were
    /// drawn.
    ///
    /// Every validator that was drawn for such a leaf was silent, in each draw, and lost its stake. If the whole
    /// payment depended on each leaf, validators could be silent for the payer of a large claim; if silence cost the
    /// payer nothing, claims would be paid where there is no validator. The leaves that are confirmed stay a sample of
    /// the others, which the claimant could not choose.
    fn unconfirmed_part(&self) -> Balance {
        let terms = &self.terms;
        let is_confirmed = |leaf: u32| self.confirmed().any(|(_, confirmed)| confirmed == leaf);
        let drawn = self.drawn.iter();
        let open = drawn.filter(|leaf| !is_confirmed(**leaf)).count();
        if open.saturating_mul(2) > self.drawn.len() {
            return terms.payment;
        }
        let exposure = terms.exposure.max(terms.payment);
        let dearest = exposure.div_ceil(terms.leaves.max(1).into());
        let open = Balance::try_from(open).unwrap_or(Balance::MAX);
        dearest.saturating_mul(open).min(terms.payment)
    }

    fn settle_fallen(&self, fault: ClaimFault) -> Settlement<AccountId> {
        let terms = &self.terms;
        let rules = &terms.rules;
        let challengers = match fault {
            // No challenger has shown a fault.
            ClaimFault::Undecided(_) => 0,
            _ => rules
                .challenger_share
                .mul_floor(terms.stake)
                .min(rules.challenger_cap),
        };
        let mut left = terms.stake.saturating_sub(challengers);
        let mut validators = Vec::new();
        let mut false_confirmations = Vec::new();
        for (validator, leaf) in self.confirmed() {
            if fault == ClaimFault::FalseLeaf(leaf) {
                // A false leaf is confirmed only by validators that did not execute it.
                false_confirmations.push(validator.clone());
            } else {
                let paid = self.fee_of(validator, leaf).min(left);
                left = left.saturating_sub(paid);
                validators.push((validator.clone(), paid));
            }
        }
        Settlement {
            claimant: NetPayment::default(),
            validators: Vec::new(),
            payer: terms.payment.saturating_add(terms.check_fee),
            slash: Some(StakeSplit {
                challengers,
                validators,
                burned: left,
            }),
            false_confirmations,
        }
    }
}
