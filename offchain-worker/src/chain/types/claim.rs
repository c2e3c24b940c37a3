//! Claims, their checks and disputes.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{both_ways, from_chain, Balance, BlockNumber};
use noema_claims::HiddenProof;
use noema_protocol::Job;
use serde::Serialize;
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsType;

both_ways! {
    /// [`HiddenProof`] on the wire.
    pub struct WireHiddenProof {
        /// The hash of the hidden state.
        pub hidden: H256,
        /// The sibling hashes, from the leaf upwards.
        pub siblings: Vec<H256>,
    }
}

impl From<HiddenProof> for WireHiddenProof {
    fn from(proof: HiddenProof) -> Self {
        Self {
            hidden: proof.hidden,
            siblings: proof.siblings,
        }
    }
}

from_chain! {
    /// The step that the chain expects of a validator or a juror.
    pub enum DueStep {
        /// The commitment.
        Commit,
        /// The reveal.
        Reveal,
    }
}

from_chain! {
    /// A check in which a step of an operator is due.
    pub struct CheckDue {
        /// The claim.
        pub claim: u64,
        /// The leaf.
        pub leaf: u32,
        /// The job that was claimed.
        pub job: Job,
        /// The checkpoint to execute.
        pub checkpoint: H256,
        /// The step that is due.
        pub step: DueStep,
        /// The last block in which it is accepted.
        pub until: BlockNumber,
        /// Determines the position in the answer whose hidden state has to be shown.
        pub point: u64,
    }
}

from_chain! {
    /// A dispute in which a step of an operator is due.
    pub struct VerdictDue {
        /// The claim.
        pub claim: u64,
        /// The leaf.
        pub leaf: u32,
        /// The checkpoint to execute.
        pub checkpoint: H256,
        /// The step that is due.
        pub step: DueStep,
        /// The last block in which it is accepted.
        pub until: BlockNumber,
    }
}

from_chain! {
    /// A claim, with its job and its disputes.
    pub struct ClaimInfo {
        /// The claim.
        pub claim: ClaimRecord,
        /// The job that was claimed.
        pub job: Job,
        /// The open disputes: the leaf of each, and its challengers.
        pub disputes: Vec<(u32, Vec<AccountId32>)>,
    }
}

from_chain! {
    /// A claim.
    pub struct ClaimRecord {
        /// Its terms.
        pub terms: ClaimTerms,
        /// The block of the claim.
        pub made_at: BlockNumber,
        /// Its stage.
        pub stage: ClaimStage,
        /// The leaves that were drawn for a check.
        pub drawn: Vec<u32>,
        /// The number of draws of validators.
        pub draws: u32,
        /// The validators that were drawn.
        pub seats: Vec<Seat>,
    }
}

from_chain! {
    /// The terms of a claim, fixed when it was made.
    pub struct ClaimTerms {
        /// The operator that makes the claim.
        pub claimant: AccountId32,
        /// The account that pays.
        pub payer: AccountId32,
        /// The Merkle root over the hashes of the receipts.
        pub root: H256,
        /// The number of receipts.
        pub leaves: u32,
        /// The claimant's payment when the claim is final, before a part is burned.
        pub payment: Balance,
        /// The amount set aside for checks.
        pub check_fee: Balance,
        /// The part of the claimant's bond that is locked.
        pub stake: Balance,
    }
}

from_chain! {
    /// The stage of a claim.
    pub enum ClaimStage {
        /// It waits for randomness.
        Undrawn,
        /// Validators re-execute their leaves and commit.
        Committing {
            /// The last block of the stage.
            until: BlockNumber,
        },
        /// Validators reveal their results.
        Revealing {
            /// The last block of the stage.
            until: BlockNumber,
        },
        /// The checks are over; any account may still challenge.
        Challengeable {
            /// The last block of the stage.
            until: BlockNumber,
            /// The result of the checks.
            verification: Verification,
        },
        /// It is over.
        Ended(ClaimOutcome),
    }
}

from_chain! {
    /// The result of the checks of a claim.
    pub enum Verification {
        /// No leaf was drawn.
        NotDrawn,
        /// Each drawn leaf was confirmed or challenged.
        Confirmed,
        /// A drawn leaf was confirmed by no validator.
        Unconfirmed,
    }
}

impl Verification {
    /// The result as text.
    pub const fn describe(&self) -> &'static str {
        match self {
            Self::NotDrawn => "not drawn for a check",
            Self::Confirmed => "checked",
            Self::Unconfirmed => "drawn for a check, and confirmed by no validator",
        }
    }
}

from_chain! {
    /// The outcome of a claim.
    pub enum ClaimOutcome {
        /// The claimant is paid.
        Final(Verification),
        /// No validator confirmed a leaf that was drawn: the payer is refunded, and the claimant keeps its
        /// stake.
        Unconfirmed,
        /// The payer is refunded, and the claimant loses its stake.
        Fallen(ClaimFault),
    }
}

from_chain! {
    /// Why a claim fell.
    pub enum ClaimFault {
        /// This leaf is not what the checkpoint yields.
        FalseLeaf(u32),
        /// The claimant did not post this leaf when it was demanded.
        Withheld(u32),
        /// The dispute over this leaf could not be decided.
        Undecided(u32),
    }
}

impl ClaimFault {
    /// The fault as text.
    pub const fn describe(&self) -> &'static str {
        match self {
            Self::FalseLeaf(_) => "the answer is not what the checkpoint yields",
            Self::Withheld(_) => "the claimant withheld an answer",
            Self::Undecided(_) => "a dispute over the answer could not be decided",
        }
    }
}

from_chain! {
    /// A validator that was drawn for a leaf.
    pub struct Seat {
        /// The validator's controller.
        pub validator: AccountId32,
        /// The leaf.
        pub leaf: u32,
        /// Its state.
        pub state: SeatState,
    }
}

from_chain! {
    /// The state of a drawn validator.
    pub enum SeatState {
        /// It has done nothing yet.
        Seated,
        /// It committed.
        Committed(H256),
        /// It revealed the hidden state of the claim at its position.
        Confirmed,
        /// It challenged the leaf.
        Challenged,
        /// It missed its deadline.
        Silent,
    }
}

impl SeatState {
    /// The state as text, with the validator as its subject.
    pub const fn describe(&self) -> &'static str {
        match self {
            Self::Seated => "was drawn to check the answer",
            Self::Committed(_) => "has committed to its result",
            Self::Confirmed => "found the same answer",
            Self::Challenged => "challenged the answer",
            Self::Silent => "missed its deadline",
        }
    }
}
