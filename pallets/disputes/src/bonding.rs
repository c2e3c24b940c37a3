//! The bonds of accounts that join a game, and what the loser owes the winner.

use crate::{Config, Error, GameId, GameOf, HoldReason, LineBond, Pallet};
use alloc::{vec, vec::Vec};
use frame_support::traits::{
    fungible::MutateHold,
    tokens::{Fortitude, Precision, Restriction},
    Get,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{lost_challenge, Claim, ClaimFault, ClaimOutcome};
use noema_disputes::{parts, Tariff, MAX_SIBLINGS};
use noema_economics::Balance;
use noema_interfaces::{Claims as _, Earning, Operators};
use noema_protocol::{ClaimId, Job};

type ClaimOf<T> = Claim<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
    /// What the parts of a game about a claim are counted at. A token costs what a juror of the claim would be paid.
    fn tariff(claim: ClaimId) -> Tariff {
        let per_token =
            T::Claims::claim(claim).map_or(0, |claim| claim.terms.rules.juror_fee_per_token);
        Tariff {
            per_move: T::MovePrice::get(),
            per_token,
            per_block: T::BlockPrice::get(),
        }
    }

    /// The most that a line costs a claimant, and the bond of an account that joins: as in the longest trace, for the
    /// game may not be open yet.
    pub(crate) fn line_cost(game: &GameOf<T>) -> (Balance, Balance) {
        let tariff = Self::tariff(game.terms.subject.claim);
        let effort = game.cost_of_line(MAX_SIBLINGS);
        (tariff.cost(&effort), tariff.bond(&effort))
    }

    /// Puts the bond of a line on hold.
    pub(crate) fn hold_bond(
        game: &GameOf<T>,
        from: T::AccountId,
    ) -> Result<LineBond<T::AccountId>, Error<T>> {
        let (_, amount) = Self::line_cost(game);
        T::Currency::hold(&HoldReason::Line.into(), &from, amount)
            .map_err(|_| Error::<T>::FundsTooLow)?;
        Ok(LineBond { from, amount })
    }

    pub(crate) fn release_bond(bond: &LineBond<T::AccountId>) {
        let reason = HoldReason::Line.into();
        let released =
            T::Currency::release(&reason, &bond.from, bond.amount, Precision::BestEffort);
        frame_support::defensive_assert!(released == Ok(bond.amount), "the bond is on hold");
    }

    /// Takes the bond of a line in which nothing was shown: the claimant gets the cost of the line, half of the bond at
    /// most, and the rest burns.
    pub(crate) fn forfeit_bond(game: &GameOf<T>, id: GameId, bond: &LineBond<T::AccountId>) {
        let (cost, _) = Self::line_cost(game);
        let to_claimant = lost_challenge(bond.amount, cost).to_claimant;
        let (reason, precision) = (HoldReason::Line.into(), Precision::BestEffort);
        let paid = T::Currency::transfer_on_hold(
            &reason,
            &bond.from,
            &T::Operators::purse(),
            to_claimant,
            precision,
            Restriction::Free,
            Fortitude::Force,
        )
        .unwrap_or(0);
        if paid > 0 {
            let job = Job::Dispute(id.0, id.1);
            T::Operators::credit(&game.terms.claimant, job, Earning::Dispute, paid);
        }
        let left = bond.amount.saturating_sub(paid);
        let burned = T::Currency::burn_held(&reason, &bond.from, left, precision, Fortitude::Force);
        frame_support::defensive_assert!(burned == Ok(left), "the bond is on hold");
    }

    /// The claimant, as often as the challengers owe it the fee of a juror for the cost of the game.
    pub(crate) fn parts_of_claimant(game: &GameOf<T>) -> Vec<T::AccountId> {
        let Some(claim) = T::Claims::claim(game.terms.subject.claim) else {
            return Vec::new();
        };
        let terms = &claim.terms;
        // The least stake that any challenger has: a seat's, or that of another account.
        let bond = terms.rules.challenge_bond.max(terms.stake);
        let stake = claim.seat_stake().min(bond);
        let cost = Self::tariff(claim.id).cost(&game.cost(Self::now()));
        Self::parts_of(&claim, &terms.claimant, cost, stake)
    }

    /// The account that showed a fault, as often as the claimant owes it the fee of a juror for that: out of what would
    /// burn of its stake otherwise, and no more than half of it.
    pub(crate) fn parts_of_winner(game: &GameOf<T>, winner: &T::AccountId) -> Vec<T::AccountId> {
        let subject = &game.terms.subject;
        let Some(claim) = T::Claims::claim(subject.claim) else {
            return Vec::new();
        };
        let outcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(subject.leaf));
        let burned = claim.settle(outcome).slash.map_or(0, |split| split.burned);
        let cost = Self::tariff(claim.id).cost(&game.cost_of_proof());
        Self::parts_of(&claim, winner, cost, burned)
    }

    fn parts_of(
        claim: &ClaimOf<T>,
        winner: &T::AccountId,
        cost: Balance,
        stake: Balance,
    ) -> Vec<T::AccountId> {
        let parts = parts(cost, claim.juror_fee(), stake).min(crate::MAX_PARTS);
        vec![winner.clone(); usize::try_from(parts).unwrap_or(0)]
    }
}
