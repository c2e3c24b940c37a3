//! The checks of drawn validators: commitment, then reveal.
//!
//! A validator commits to the hash of the hidden state at the position that was drawn for it, before
//! any validator reveals. Only execution yields it: another validator's reveal shows another position,
//! and comes too late to commit to. The claim's own root verifies what is revealed, so no validator
//! can confirm a leaf with a hidden state that the claimant did not assert. A validator that finds another
//! hidden state, another token or another end does not vote: it challenges, which counts as its part too.

use crate::{Claim, ClaimError, ClaimStage, HiddenProof, Seat, SeatState};
use codec::Encode;
use noema_protocol::hashing::check_commitment;
use sp_arithmetic::traits::AtLeast32BitUnsigned;
use sp_core::H256;

impl<AccountId, BlockNumber> Claim<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// Takes the commitment of `validator` to the hidden state that it computed of `leaf`.
    ///
    /// # Errors
    /// [`ClaimError::WrongStage`], [`ClaimError::TooLate`], [`ClaimError::NotSeated`] or
    /// [`ClaimError::AlreadyCommitted`].
    pub fn commit(
        &mut self,
        validator: &AccountId,
        leaf: u32,
        commitment: H256,
        now: BlockNumber,
    ) -> Result<(), ClaimError> {
        match self.stage {
            ClaimStage::Committing { until } if now <= until => {}
            ClaimStage::Committing { .. } | ClaimStage::Revealing { .. } => {
                return Err(ClaimError::TooLate)
            }
            ClaimStage::Ended(_) => return Err(ClaimError::Ended),
            _ => return Err(ClaimError::WrongStage),
        }
        let state = &mut self.seat_mut(validator, leaf)?.state;
        match state {
            SeatState::Seated => *state = SeatState::Committed(commitment),
            SeatState::Committed(_) => return Err(ClaimError::AlreadyCommitted),
            _ => return Err(ClaimError::NotSeated),
        }
        Ok(())
    }

    /// Takes the reveal of `validator`: the hidden state at its position of `leaf`, proven under
    /// `hidden_root`, the root over the `positions` hidden states in the leaf's receipt.
    ///
    /// The caller has verified that the receipt is the leaf of the claim.
    ///
    /// # Errors
    /// [`ClaimError::WrongStage`], [`ClaimError::TooLate`], [`ClaimError::NotSeated`],
    /// [`ClaimError::NotCommitted`], [`ClaimError::CommitmentDiffers`] or
    /// [`ClaimError::NotInClaim`].
    #[allow(clippy::too_many_arguments)]
    pub fn reveal(
        &mut self,
        validator: &AccountId,
        leaf: u32,
        (hidden_root, positions): (H256, u32),
        proof: &HiddenProof,
        salt: H256,
        now: BlockNumber,
    ) -> Result<(), ClaimError> {
        match self.stage {
            ClaimStage::Revealing { until } if now <= until => {}
            ClaimStage::Revealing { .. } => return Err(ClaimError::TooLate),
            ClaimStage::Ended(_) => return Err(ClaimError::Ended),
            _ => return Err(ClaimError::WrongStage),
        }
        let id = self.id;
        let seat = self.seat_mut(validator, leaf)?;
        let commitment = match seat.state {
            SeatState::Committed(commitment) => commitment,
            SeatState::Seated => return Err(ClaimError::NotCommitted),
            _ => return Err(ClaimError::NotSeated),
        };
        if check_commitment(id, leaf, validator, proof.hidden, salt) != commitment {
            return Err(ClaimError::CommitmentDiffers);
        }
        let position = seat.position(positions).ok_or(ClaimError::NotInClaim)?;
        if !crate::verify_hidden(hidden_root, positions, position, proof) {
            return Err(ClaimError::NotInClaim);
        }
        seat.state = SeatState::Confirmed;
        Ok(())
    }

    /// The seat of a validator at a leaf.
    pub(crate) fn seat_mut(
        &mut self,
        validator: &AccountId,
        leaf: u32,
    ) -> Result<&mut Seat<AccountId>, ClaimError> {
        self.seats
            .iter_mut()
            .find(|seat| seat.leaf == leaf && seat.validator == *validator)
            .ok_or(ClaimError::NotSeated)
    }
}
