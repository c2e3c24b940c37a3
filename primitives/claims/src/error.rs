//! Errors of claims and of their rules.

use crate::{MAX_DRAWS, MAX_VALIDATORS_PER_LEAF};
use core::fmt;

/// Why a step of a claim is refused. A refused step changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimError {
    /// A claim has at least one leaf.
    NoLeaves,
    /// The stake is so small that more leaves would have to be drawn than can be.
    StakeTooSmall,
    /// The claim has no leaf with this number.
    UnknownLeaf,
    /// The account was not drawn for this leaf, or has done its part.
    NotSeated,
    /// Validators cannot commit or reveal now.
    WrongStage,
    /// The window is over.
    TooLate,
    /// The validator has committed already.
    AlreadyCommitted,
    /// The validator has not committed.
    NotCommitted,
    /// The revealed value is not the committed one.
    CommitmentDiffers,
    /// The hidden state is not the one at this position under the root of the claim.
    NotInClaim,
    /// The claim has ended.
    Ended,
    /// The claimant cannot challenge its own claim.
    OwnClaim,
    /// There is no such challenge.
    NotChallenged,
    /// The leaf is on chain already.
    LeafIsPublic,
    /// The leaf was demanded already.
    AlreadyDemanded,
    /// The leaf is not demanded.
    NotDemanded,
    /// As many leaves that were not drawn are in dispute as can be.
    TooManyDemands,
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLeaves => "a claim needs at least one leaf",
            Self::StakeTooSmall => "the stake is too small for the amount of the claim",
            Self::UnknownLeaf => "the claim has no leaf with this number",
            Self::NotSeated => "the account is not drawn for this leaf, or has done its part",
            Self::WrongStage => "validators cannot commit or reveal at this stage of the claim",
            Self::TooLate => "the window is over",
            Self::AlreadyCommitted => "the validator has committed already",
            Self::NotCommitted => "the validator has not committed",
            Self::CommitmentDiffers => "the revealed value is not the committed one",
            Self::NotInClaim => "the hidden state is not the one at this position of the claim",
            Self::Ended => "the claim has ended",
            Self::OwnClaim => "the claimant cannot challenge its own claim",
            Self::NotChallenged => "there is no such challenge",
            Self::LeafIsPublic => "the leaf is on chain already",
            Self::AlreadyDemanded => "the leaf was demanded already",
            Self::NotDemanded => "the leaf is not demanded",
            Self::TooManyDemands => {
                "as many leaves as can be are in dispute: wait until one is decided"
            }
        })
    }
}

impl core::error::Error for ClaimError {}

/// Why rules are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimRulesError {
    /// A window has no block.
    EmptyWindow,
    /// Re-execution would never end.
    NoTokensPerBlock,
    /// Randomness would be as old as the claim.
    NotFresh,
    /// A false claim would be expected to win.
    MarginBelowGain,
    /// A large stake would buy a claim that is never checked.
    NeverChecked,
    /// No validator, or more than [`MAX_VALIDATORS_PER_LEAF`].
    Validators,
    /// No draw, or more than [`MAX_DRAWS`].
    Draws,
    /// A whole stake or payment would go to one side: an operator could challenge itself for
    /// nothing, or would never be paid.
    WholeShare,
    /// Silence would cost nothing.
    NoValidatorStake,
    /// A false challenge would cost nothing.
    NoChallengeBond,
    /// Jurors would work for nothing, or a challenger's stake would not pay them.
    JurorsUnpaid,
}

impl fmt::Display for ClaimRulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyWindow => "every window needs at least one block",
            Self::NoTokensPerBlock => "a validator must re-execute at least one token in a block",
            Self::NotFresh => "randomness must be younger than the claim that it checks",
            Self::MarginBelowGain => "the margin must be at least 100 percent",
            Self::NeverChecked => "the least check rate must be above zero",
            Self::Validators => {
                return write!(
                    f,
                    "a leaf needs between 1 and {MAX_VALIDATORS_PER_LEAF} validators"
                )
            }
            Self::Draws => {
                return write!(
                    f,
                    "validators must be drawn between 1 and {MAX_DRAWS} times"
                )
            }
            Self::WholeShare => "the shares of challenger and burning must be below one",
            Self::NoValidatorStake => "a validator must stake something on each leaf",
            Self::NoChallengeBond => "a challenge must put something on hold",
            Self::JurorsUnpaid => {
                "each token that a juror executes must be paid for, out of the stake of a challenger"
            }
        })
    }
}

impl core::error::Error for ClaimRulesError {}
