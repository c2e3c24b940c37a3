//! The validators' claims of the next checkpoint.

use crate::{CheckpointClaim, Hearing, Phase, Round, RoundError};
use alloc::vec::Vec;
use codec::Encode;
use noema_economics::majority;
use sp_arithmetic::traits::AtLeast32BitUnsigned;

/// The decision over the validators' claims.
pub(crate) enum Decision {
    /// The claims differ, and not all validators were heard.
    Contested,
    /// No validator claimed a checkpoint, or no majority agrees.
    Nothing,
    /// The claim is recorded.
    Decided,
}

impl<AccountId, BlockNumber> Round<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// Records a validator's claim of the next checkpoint.
    ///
    /// # Errors
    /// Outside the claiming, for accounts other than validators that are heard, and for a second claim.
    pub fn claim(
        &mut self,
        account: &AccountId,
        claim: CheckpointClaim,
        now: BlockNumber,
    ) -> Result<(), RoundError> {
        match self.phase {
            Phase::Claiming { until } if now <= until => {}
            Phase::Claiming { .. }
            | Phase::Objectable { .. }
            | Phase::Holding { .. }
            | Phase::Closed(_) => return Err(RoundError::TooLate),
            _ => return Err(RoundError::TooEarly),
        }
        let validator = self.validator(account)?;
        if validator.seat == Hearing::Unheard {
            return Err(RoundError::NotDrawn);
        }
        if validator.claim.is_some() {
            return Err(RoundError::AlreadyClaimed);
        }
        validator.claim = Some(claim);
        Ok(())
    }

    /// Objects to the decided next checkpoint with another claim: all validators of the round are heard.
    ///
    /// # Errors
    /// Outside the time for objections, for a validator that has been heard, and for the claim that was
    /// decided.
    pub fn object_to_claim(
        &mut self,
        account: &AccountId,
        claim: CheckpointClaim,
        now: BlockNumber,
    ) -> Result<(), RoundError> {
        match self.phase {
            Phase::Objectable { until } if now <= until => {}
            Phase::Objectable { .. } | Phase::Holding { .. } | Phase::Closed(_) => {
                return Err(RoundError::TooLate);
            }
            _ => return Err(RoundError::TooEarly),
        }
        let decided = self.claim;
        let validator = self.unheard(account)?;
        if decided.is_none_or(|decided| decided == claim) {
            return Err(RoundError::NothingToObject);
        }
        validator.claim = Some(claim);
        self.claim = None;
        self.widen_claims();
        let until = now.saturating_add(self.rules.windows.claim);
        self.phase = Phase::Claiming { until };
        Ok(())
    }

    /// Counts the claims and records the decision.
    pub(crate) fn decide_claim(&mut self) -> Decision {
        let claims: Vec<_> = self
            .validators
            .iter()
            .filter_map(|validator| Some((validator.claim?, validator.bond)))
            .collect();
        let is_contested = claims
            .iter()
            .any(|(a, _)| claims.iter().any(|(b, _)| a != b));
        if is_contested && !self.widened && self.has_unheard() {
            return Decision::Contested;
        }
        self.claim = majority(&claims).copied();
        match self.claim {
            Some(_) => Decision::Decided,
            None => Decision::Nothing,
        }
    }

    /// Lets every validator of the round be heard on the next checkpoint.
    pub(crate) fn widen_claims(&mut self) {
        self.widened = true;
        for validator in self.validators.iter_mut() {
            if validator.seat == Hearing::Unheard {
                validator.seat = Hearing::Claim;
            }
        }
    }
}
