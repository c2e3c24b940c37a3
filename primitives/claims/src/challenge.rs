//! Challenges, open to any account, and demands, with which a drawn validator asks for a leaf that it cannot
//! read. A challenge of a leaf that is not on chain demands it, too: jurors have to read it, and a claimant that
//! withholds it from them loses the claim.
//!
//! The claim only counts disputes. The pallet keeps challengers and their bonds, and its referee decides; a
//! decided dispute comes back as [`Claim::conclude_dispute`].

use crate::{
    Availability, Claim, ClaimEffect, ClaimError, ClaimFault, ClaimOutcome, ClaimStage, Decision,
    Demand, RelayBlock, SeatState, MAX_DRAWN_LEAVES,
};
use alloc::vec::Vec;
use codec::Encode;
use sp_arithmetic::traits::AtLeast32BitUnsigned;

impl<AccountId, BlockNumber> Claim<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// Records the assertion of `challenger` that `leaf` is false. `joins` states that a dispute over the
    /// leaf is open already: equal challenges share one. A validator that was drawn for the leaf, and whose
    /// time is not over, has then done its part. Where the leaf is not on chain, the claimant has to post it.
    ///
    /// # Errors
    /// [`ClaimError::Ended`], [`ClaimError::TooLate`], [`ClaimError::UnknownLeaf`],
    /// [`ClaimError::OwnClaim`], or [`ClaimError::TooManyDemands`] where as many leaves that were not drawn are in
    /// dispute as can be.
    pub fn challenge(
        &mut self,
        challenger: &AccountId,
        leaf: u32,
        joins: bool,
        now: BlockNumber,
    ) -> Result<(), ClaimError> {
        match self.stage {
            ClaimStage::Ended(_) => return Err(ClaimError::Ended),
            ClaimStage::Challengeable { until, .. } if until < now => {
                return Err(ClaimError::TooLate)
            }
            _ => {}
        }
        if leaf >= self.terms.leaves {
            return Err(ClaimError::UnknownLeaf);
        }
        if *challenger == self.terms.claimant {
            return Err(ClaimError::OwnClaim);
        }
        self.demand_disputed(challenger, leaf, now)?;
        if !joins {
            self.disputes = self.disputes.saturating_add(1);
        }
        if self.has_open_seat(challenger, leaf, now)
            && let Ok(seat) = self.seat_mut(challenger, leaf)
        {
            seat.state = SeatState::Challenged;
        }
        Ok(())
    }

    /// Demands a leaf in dispute that is not on chain and not demanded. Validators that were drawn for it may wait for
    /// the post, too: their window to commit restarts when the leaf is due.
    fn demand_disputed(
        &mut self,
        challenger: &AccountId,
        leaf: u32,
        now: BlockNumber,
    ) -> Result<(), ClaimError> {
        let is_demanded = self.demands.iter().any(|demand| demand.leaf == leaf);
        if is_demanded || self.is_on_chain(leaf) {
            return Ok(());
        }
        if !self.drawn.contains(&leaf) {
            // Places are kept for the leaves that are drawn.
            let others = self.demands.iter();
            let others = others.filter(|demand| !self.drawn.contains(&demand.leaf));
            if u32::try_from(others.count()).is_ok_and(|count| count >= MAX_DRAWN_LEAVES) {
                return Err(ClaimError::TooManyDemands);
            }
        }
        let until = now.saturating_add(self.terms.rules.windows.post_window());
        let demand = Demand {
            leaf,
            by: challenger.clone(),
            until,
            is_posted: false,
            is_shared: false,
        };
        self.demands
            .try_push(demand)
            .map_err(|_| ClaimError::TooManyDemands)?;
        let is_in_time = matches!(self.stage, ClaimStage::Committing { until } if now <= until);
        let is_awaited = self.seats.iter().any(|seat| {
            seat.leaf == leaf && seat.state == SeatState::Seated && seat.validator != *challenger
        });
        if is_in_time && is_awaited {
            self.restart_commits(until);
        }
        Ok(())
    }

    /// Restarts the window to commit of a check that is in it, for validators that read a leaf in block `posted` at the
    /// latest. A window never becomes shorter.
    fn restart_commits(&mut self, posted: BlockNumber) {
        let windows = &self.terms.rules.windows;
        let again = posted.saturating_add(windows.commit_window(self.terms.leaf_tokens));
        if let ClaimStage::Committing { until } = &mut self.stage {
            *until = (*until).max(again);
        }
    }

    /// Whether `validator` was drawn for `leaf` and can still do its part in block `now`.
    pub fn has_open_seat(&self, validator: &AccountId, leaf: u32, now: BlockNumber) -> bool {
        let is_in_time = match self.stage {
            ClaimStage::Committing { until } | ClaimStage::Revealing { until } => now <= until,
            _ => false,
        };
        let is_open = |state| matches!(state, SeatState::Seated | SeatState::Committed(_));
        is_in_time
            && self.seats.iter().any(|seat| {
                seat.leaf == leaf && seat.validator == *validator && is_open(seat.state)
            })
    }

    /// Takes the referee's decision of the dispute over `leaf`, on top of relay chain block `relay`. The
    /// claim falls unless the leaf is true. A dispute that the claimant wins confirms only its own leaf:
    /// validators are drawn again for a leaf that none has confirmed, as often as the rules allow.
    ///
    /// # Errors
    /// [`ClaimError::Ended`] or [`ClaimError::NotChallenged`].
    pub fn conclude_dispute(
        &mut self,
        leaf: u32,
        decision: Decision,
        relay: RelayBlock,
    ) -> Result<Vec<ClaimEffect<AccountId>>, ClaimError> {
        if self.outcome().is_some() {
            return Err(ClaimError::Ended);
        }
        self.disputes = self
            .disputes
            .checked_sub(1)
            .ok_or(ClaimError::NotChallenged)?;
        let mut effects = Vec::new();
        let fault = match decision {
            Decision::True => None,
            Decision::False => Some(ClaimFault::FalseLeaf(leaf)),
            Decision::Undecided => Some(ClaimFault::Undecided(leaf)),
        };
        if let Some(fault) = fault {
            self.end(ClaimOutcome::Fallen(fault), &mut effects);
            return Ok(effects);
        }
        let refuted = self
            .seats
            .iter_mut()
            .filter(|seat| seat.leaf == leaf && seat.state == SeatState::Challenged);
        refuted.for_each(|seat| seat.state = SeatState::Refuted);
        // The place of a leaf that was not drawn is free for the next challenge.
        let drawn = &self.drawn;
        self.demands
            .retain(|demand| demand.leaf != leaf || drawn.contains(&leaf));
        let is_checked = matches!(self.stage, ClaimStage::Challengeable { .. });
        let is_open = self.unconfirmed().next().is_some();
        if is_checked && is_open && self.draws < self.terms.rules.max_draws {
            self.unknown_since = relay;
            self.stage = ClaimStage::Undrawn;
        }
        Ok(effects)
    }

    /// Demands that the claimant posts `leaf` on chain. Only a validator that was drawn for the leaf and has
    /// not committed can; its window to commit restarts when the leaf is due. It is not paid for this check.
    ///
    /// A second validator of the leaf shares the demand, also after the leaf was posted: see [`Self::lone_demands`].
    ///
    /// # Errors
    /// [`ClaimError::WrongStage`], [`ClaimError::TooLate`], [`ClaimError::LeafIsPublic`],
    /// [`ClaimError::NotSeated`] or [`ClaimError::AlreadyDemanded`].
    pub fn demand(
        &mut self,
        validator: &AccountId,
        leaf: u32,
        now: BlockNumber,
    ) -> Result<(), ClaimError> {
        match self.stage {
            ClaimStage::Committing { until } if now <= until => {}
            ClaimStage::Committing { .. } => return Err(ClaimError::TooLate),
            _ => return Err(ClaimError::WrongStage),
        }
        if self.terms.availability == Availability::OnChain {
            return Err(ClaimError::LeafIsPublic);
        }
        if self.seat_mut(validator, leaf)?.state != SeatState::Seated {
            return Err(ClaimError::NotSeated);
        }
        let mut demands = self.demands.iter_mut();
        if let Some(demand) = demands.find(|demand| demand.leaf == leaf) {
            if demand.is_shared || demand.by == *validator {
                return Err(ClaimError::AlreadyDemanded);
            }
            demand.is_shared = true;
            return Ok(());
        }
        let posted = now.saturating_add(self.terms.rules.windows.post_window());
        let demand = Demand {
            leaf,
            by: validator.clone(),
            until: posted,
            is_posted: false,
            is_shared: false,
        };
        // There is room: only drawn leaves have seats, and each is demanded once.
        self.demands
            .try_push(demand)
            .map_err(|_| ClaimError::AlreadyDemanded)?;
        self.restart_commits(posted);
        Ok(())
    }

    /// Takes the leaf that was demanded; the caller has verified that it is the claim's. Returns the
    /// validator that demanded it.
    ///
    /// # Errors
    /// [`ClaimError::NotDemanded`] or [`ClaimError::TooLate`].
    pub fn post(&mut self, leaf: u32, now: BlockNumber) -> Result<&AccountId, ClaimError> {
        let demand = self
            .demands
            .iter_mut()
            .find(|demand| demand.leaf == leaf && !demand.is_posted)
            .ok_or(ClaimError::NotDemanded)?;
        if demand.until < now {
            return Err(ClaimError::TooLate);
        }
        demand.is_posted = true;
        Ok(&demand.by)
    }
}
