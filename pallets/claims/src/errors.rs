//! Errors of the pallet, each with advice.

use crate::{Config, Error};
use frame_support::pallet_macros::pallet_section;
use noema_claims::ClaimError;

#[pallet_section]
mod errors {
    #[pallet::error]
    pub enum Error<T> {
        /// No claim has this number, or it was pruned. Check the number.
        UnknownClaim,
        /// A claim has at least one leaf.
        NoLeaves,
        /// The stake is too small for the amount of the claim.
        StakeTooSmall,
        /// The claim has no leaf with this number. Leaves are counted from 0.
        UnknownLeaf,
        /// The account is not the hot key of an operator. Sign with the key set in `operators`.
        NotAnOperator,
        /// The operator was not drawn for this leaf, or has done its step.
        NotDrawn,
        /// The claim is not in the stage for this call. Commitments are accepted after `CheckDrawn`, reveals
        /// after `RevealOpened`.
        WrongStage,
        /// The window is over.
        TooLate,
        /// The validator has already committed. The first commitment counts.
        AlreadyCommitted,
        /// The validator has not committed, so it cannot reveal.
        NotCommitted,
        /// Hidden state and salt do not match the commitment. Reveal exactly the committed values.
        CommitmentDiffers,
        /// The receipt is not this leaf of the claim. Send the receipt that the claimant signed, and its
        /// path to the claim's root.
        ReceiptNotInClaim,
        /// The hidden state is not the one at the validator's position under the root in the receipt.
        HiddenStateNotInReceipt,
        /// The claim has ended.
        Ended,
        /// The claimant cannot challenge its own claim.
        OwnClaim,
        /// The account has already challenged this leaf.
        AlreadyChallenged,
        /// The leaf has as many challengers as can be recorded. The dispute is decided without another.
        ChallengersFull,
        /// The account cannot put the bond of a challenge on hold. Add funds.
        FundsTooLow,
        /// The claim does not expect this step.
        NotExpected,
        /// The operator did not make this claim. Only its claimant posts a leaf.
        NotClaimant,
        /// The tokens are not those of the receipt. Post exactly the tokens of the prompt and of the answer.
        TokensNotInReceipt,
        /// The receipt states another checkpoint than the claim, or more tokens than the claim allows a leaf. Such a
        /// leaf cannot be posted, and the claim falls.
        ReceiptNotInTerms,
        /// The leaf is on chain already. Read it there.
        LeafIsPublic,
        /// The validator, or both of the leaf, demanded it already. Wait until the claimant has posted it.
        AlreadyDemanded,
        /// The leaf is neither demanded nor in dispute, or it was posted.
        NotDemanded,
        /// As many leaves that were not drawn are in dispute as can be. Wait until one of them is decided.
        TooManyDemands,
    }
}

impl<T: Config> From<ClaimError> for Error<T> {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::NoLeaves => Self::NoLeaves,
            ClaimError::StakeTooSmall => Self::StakeTooSmall,
            ClaimError::UnknownLeaf => Self::UnknownLeaf,
            ClaimError::NotSeated => Self::NotDrawn,
            ClaimError::WrongStage => Self::WrongStage,
            ClaimError::TooLate => Self::TooLate,
            ClaimError::AlreadyCommitted => Self::AlreadyCommitted,
            ClaimError::NotCommitted => Self::NotCommitted,
            ClaimError::CommitmentDiffers => Self::CommitmentDiffers,
            ClaimError::NotInClaim => Self::HiddenStateNotInReceipt,
            ClaimError::Ended => Self::Ended,
            ClaimError::OwnClaim => Self::OwnClaim,
            ClaimError::LeafIsPublic => Self::LeafIsPublic,
            ClaimError::AlreadyDemanded => Self::AlreadyDemanded,
            ClaimError::NotDemanded => Self::NotDemanded,
            ClaimError::TooManyDemands => Self::TooManyDemands,
            _ => Self::NotExpected,
        }
    }
}
