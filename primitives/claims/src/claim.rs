//! The record of a claim.

use crate::{ClaimRules, RelayBlock, MAX_DEMANDS, MAX_DRAWN_LEAVES, MAX_SEATS};
use noema_economics::Balance;
use noema_protocol::{apply, sent, stored, CheckpointId, ClaimId};
use serde::Serialize;
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// An operator's assertion of work done and to be paid for: a Merkle root over receipts, with a part of its
/// bond behind it.
#[apply(stored)]
pub struct Claim<AccountId, BlockNumber> {
    /// Its number.
    pub id: ClaimId,
    /// The terms, fixed when it was made.
    pub terms: ClaimTerms<AccountId, BlockNumber>,
    /// The block that carries it.
    pub made_at: BlockNumber,
    /// Randomness for the next draw has to be younger than this relay chain block.
    pub unknown_since: RelayBlock,
    /// The stage, which determines what may be done now.
    pub stage: ClaimStage<BlockNumber>,
    /// The leaves that were drawn for a check, in the order of the draw.
    pub drawn: BoundedVec<u32, ConstU32<MAX_DRAWN_LEAVES>>,
    /// How many draws of validators were made.
    pub draws: u32,
    /// How many draws found no validator.
    pub fruitless: u32,
    /// The validators that were drawn.
    pub seats: BoundedVec<Seat<AccountId>, ConstU32<MAX_SEATS>>,
    /// Leaves whose dispute is open.
    pub disputes: u32,
    /// Leaves that validators demanded to see, or that are in dispute and not on chain, each at most once.
    pub demands: BoundedVec<Demand<AccountId, BlockNumber>, ConstU32<MAX_DEMANDS>>,
}

/// The terms of a claim, fixed when it was made.
#[apply(stored)]
pub struct ClaimTerms<AccountId, BlockNumber> {
    /// The operator that makes the claim.
    pub claimant: AccountId,
    /// The account that pays.
    pub payer: AccountId,
    /// The checkpoint that is stated to have answered.
    pub checkpoint: CheckpointId,
    /// The Merkle root over the hashes of the receipts.
    pub root: H256,
    /// The number of receipts.
    pub leaves: u32,
    /// The most tokens, of prompt and answer together, that one leaf has.
    pub leaf_tokens: u64,
    /// Where the leaves can be read.
    pub availability: Availability,
    /// The claimant's payment where the claim becomes final, before a part is burned.
    pub payment: Balance,
    /// The price of all leaves together, if each cost as much as the dearest one: false leaves win no more than
    /// their number times the dearest price. Where it is below the payment, the payment counts.
    pub exposure: Balance,
    /// Set aside for checks; the unspent part goes back to the payer.
    pub check_fee: Balance,
    /// The locked part of the claimant's bond.
    pub stake: Balance,
    /// The rules, as they were when the claim was made.
    pub rules: ClaimRules<BlockNumber>,
}

/// Where the leaves of a claim can be read.
#[apply(sent)]
#[derive(Copy)]
pub enum Availability {
    /// On chain.
    OnChain,
    /// With the claimant, which has to post on chain a leaf that a validator demands, or that is challenged.
    FromClaimant,
}

/// The stage of a claim, which determines what may be done; `until` is its last block.
#[apply(sent)]
#[derive(Copy, Serialize)]
#[cfg_attr(feature = "by-name", derive(scale_decode::DecodeAsType))]
#[serde(rename_all = "snake_case")]
pub enum ClaimStage<BlockNumber> {
    /// It waits for randomness that was not known when it was made, or when the last draw ended.
    Undrawn,
    /// Validators re-execute their leaves and commit.
    Committing {
        /// The last block of the stage.
        until: BlockNumber,
    },
    /// Validators reveal their commitments.
    Revealing {
        /// The last block of the stage.
        until: BlockNumber,
    },
    /// The checks are over; every account may still challenge.
    Challengeable {
        /// The last block of the stage.
        until: BlockNumber,
        /// The result of the checks.
        verification: Verification,
    },
    /// It is over.
    Ended(ClaimOutcome),
}

/// The result of the checks of a claim.
#[apply(sent)]
#[derive(Copy, Serialize)]
#[cfg_attr(feature = "by-name", derive(scale_decode::DecodeAsType))]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// No leaf was drawn.
    NotDrawn,
    /// Each drawn leaf was re-executed by a validator that showed the claim's own hidden state, or
    /// was challenged.
    Confirmed,
    /// Some drawn leaf was confirmed by no validator.
    Unconfirmed,
}

/// How a claim ended.
#[apply(sent)]
#[derive(Copy, Serialize)]
#[cfg_attr(feature = "by-name", derive(scale_decode::DecodeAsType))]
#[serde(rename_all = "snake_case")]
pub enum ClaimOutcome {
    /// The claimant is paid. The result of the checks is not [`Verification::Unconfirmed`].
    Final(Verification),
    /// A leaf was drawn for a check, and no validator confirmed it: the payer has its price back, or everything where
    /// that holds for more than half of the drawn leaves. The claimant keeps its stake.
    Unconfirmed,
    /// The payer has everything back, and the claimant loses its stake.
    Fallen(ClaimFault),
}

/// Why a claim fell.
#[apply(sent)]
#[derive(Copy, Serialize)]
#[cfg_attr(feature = "by-name", derive(scale_decode::DecodeAsType))]
#[serde(rename_all = "snake_case")]
pub enum ClaimFault {
    /// The checkpoint does not yield this leaf.
    FalseLeaf(u32),
    /// The claimant did not post this leaf when it was demanded.
    Withheld(u32),
    /// The dispute over this leaf could not be decided, so the chain cannot judge the validators that
    /// confirmed it.
    Undecided(u32),
}

impl ClaimFault {
    /// The leaf.
    pub const fn leaf(&self) -> u32 {
        match self {
            Self::FalseLeaf(leaf) | Self::Withheld(leaf) | Self::Undecided(leaf) => *leaf,
        }
    }
}

/// A validator that was drawn for a leaf.
#[apply(stored)]
pub struct Seat<AccountId> {
    /// The validator.
    pub validator: AccountId,
    /// The leaf.
    pub leaf: u32,
    /// Where in the answer the hidden state is that this validator has to show, as a fraction of the answer
    /// in units of 2^-64; see [`Seat::position`].
    pub point: u64,
    /// The state of its part.
    pub state: SeatState,
}

impl<AccountId> Seat<AccountId> {
    /// The position that this validator has to show, of `positions` hidden states; `None` where there
    /// is none.
    pub fn position(&self, positions: u32) -> Option<u32> {
        let scaled = u128::from(self.point).saturating_mul(u128::from(positions));
        let position = u32::try_from(scaled.checked_shr(64)?).ok()?;
        (position < positions).then_some(position)
    }
}

/// The state of a drawn validator's part.
#[apply(sent)]
#[derive(Copy, Serialize)]
#[cfg_attr(feature = "by-name", derive(scale_decode::DecodeAsType))]
#[serde(rename_all = "snake_case")]
pub enum SeatState {
    /// Nothing yet.
    Seated,
    /// It committed.
    Committed(H256),
    /// It showed the hidden state that the claim has at its position.
    Confirmed,
    /// It challenged the leaf.
    Challenged,
    /// It challenged the leaf, which is true, and lost its stake.
    Refuted,
    /// It did not do its part in time, and lost its stake.
    Silent,
}

/// A leaf that the claimant has to post on chain.
#[apply(stored)]
pub struct Demand<AccountId, BlockNumber> {
    /// The leaf.
    pub leaf: u32,
    /// The validator that demanded it, or the first challenger.
    pub by: AccountId,
    /// The last block in which the claimant may post it.
    pub until: BlockNumber,
    /// Whether the claimant has posted it.
    pub is_posted: bool,
    /// Whether another validator that was drawn for the leaf demanded it, too.
    pub is_shared: bool,
}

impl<AccountId, BlockNumber: Copy> Claim<AccountId, BlockNumber> {
    /// Whether `leaf` is on chain.
    pub fn is_on_chain(&self, leaf: u32) -> bool {
        let mut demands = self.demands.iter();
        self.terms.availability == Availability::OnChain
            || demands.any(|demand| demand.leaf == leaf && demand.is_posted)
    }

    /// The part of a validator's bond that is locked for its seat at a leaf.
    pub fn seat_stake(&self) -> Balance {
        self.terms.rules.seat_stake(self.terms.leaf_tokens)
    }

    /// How the claim ended, if it has.
    pub const fn outcome(&self) -> Option<ClaimOutcome> {
        match self.stage {
            ClaimStage::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }
}
