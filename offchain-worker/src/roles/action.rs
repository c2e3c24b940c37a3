//! What an operator sends to the chain.

use super::rounds::RoundStep;
use crate::store::AccountBytes;
use noema_claims::HiddenProof;
use noema_protocol::{CheckpointId, ClaimId, Receipt, RequestId, RoundId, Verdict};
use sp_core::H256;
use std::fmt;

/// What an operator sends to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// An answer and its receipt.
    SubmitAnswer {
        /// The request.
        request: RequestId,
        /// The tokens.
        tokens: Vec<u32>,
        /// The text.
        text: String,
        /// What is stated.
        receipt: Box<Receipt>,
    },
    /// The hash of what a check found.
    CommitCheck {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The hash.
        commitment: H256,
    },
    /// What a check found.
    RevealCheck {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The receipt of the leaf.
        receipt: Box<Receipt>,
        /// The hidden state at the validator's position.
        proof: HiddenProof,
        /// The salt of the commitment.
        salt: H256,
    },
    /// The word that a leaf is false.
    Challenge {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
    /// The hash of a verdict.
    CommitVerdict {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The hash.
        commitment: H256,
    },
    /// A verdict.
    RevealVerdict {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// What the juror says.
        verdict: Verdict,
        /// The salt of the commitment.
        salt: H256,
    },
    /// A claim of the reward of an epoch.
    ClaimReward {
        /// Who is paid: the controller.
        account: AccountBytes,
        /// The epoch.
        epoch: u32,
    },
    /// A step of a round of training.
    Round(RoundId, RoundStep),
    /// The word that the operator holds a checkpoint, under this hash.
    AnnounceHolding {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The hash under which it is shared.
        blob: H256,
    },
    /// The end of an absence.
    Resume,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SubmitAnswer { request, .. } => write!(f, "answer to request {request}"),
            Self::CommitCheck { claim, leaf, .. } => {
                write!(f, "commitment to a check of leaf {leaf} of claim {claim}")
            }
            Self::RevealCheck { claim, leaf, .. } => {
                write!(f, "reveal of a check of leaf {leaf} of claim {claim}")
            }
            Self::Challenge { claim, leaf } => {
                write!(f, "challenge of leaf {leaf} of claim {claim}")
            }
            Self::CommitVerdict { claim, leaf, .. } => {
                write!(f, "commitment to a verdict on leaf {leaf} of claim {claim}")
            }
            Self::RevealVerdict { claim, leaf, .. } => {
                write!(f, "reveal of a verdict on leaf {leaf} of claim {claim}")
            }
            Self::ClaimReward { epoch, .. } => write!(f, "claim for epoch {epoch}"),
            Self::Round(round, step) => write!(f, "{step} for round {round}"),
            Self::AnnounceHolding { checkpoint, .. } => {
                write!(f, "announcement to hold checkpoint {checkpoint}")
            }
            Self::Resume => f.write_str("end of the absence"),
        }
    }
}
