//! The calls of an operator.

use super::rounds::RoundStep;
use crate::games::Move;
use crate::store::{AccountBytes, StoredSessionCheck};
use noema_claims::HiddenProof;
use noema_protocol::{CheckpointId, ClaimId, Receipt, RequestId, RoundId, SessionId, Verdict};
use noema_session_transport::{ClaimStep, SessionLeaf};
use sp_core::H256;
use std::fmt;

/// A call of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Submits an answer and its receipt.
    SubmitAnswer {
        /// The request.
        request: RequestId,
        /// The tokens.
        tokens: Vec<u32>,
        /// The text.
        text: String,
        /// The receipt.
        receipt: Box<Receipt>,
    },
    /// Commits to the result of a check.
    CommitCheck {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The hash.
        commitment: H256,
    },
    /// Reveals the result of a check.
    RevealCheck {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The receipt of the leaf.
        receipt: Box<Receipt>,
        /// The proof of the hidden state at the validator's position.
        proof: HiddenProof,
        /// The salt of the commitment.
        salt: H256,
    },
    /// Reveals the result of a check of an answer of a session.
    RevealSessionCheck {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The result.
        check: Box<StoredSessionCheck>,
    },
    /// Demands that the claimant posts a leaf.
    DemandLeaf {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
    /// Posts a leaf that was demanded or challenged.
    PostLeaf {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The leaf itself.
        posted: Box<SessionLeaf>,
    },
    /// Claims the answers of a bundle of a session.
    ClaimSession(Box<ClaimStep>),
    /// Waives the rest of the window for the last vouchers of a session that closes.
    EndSession {
        /// The session.
        session: SessionId,
        /// How many of its answers are claimed.
        claimed: u32,
    },
    /// Challenges a leaf.
    Challenge {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
    /// Commits to a verdict.
    CommitVerdict {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The hash.
        commitment: H256,
    },
    /// Reveals a verdict.
    RevealVerdict {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The verdict.
        verdict: Verdict,
        /// The salt of the commitment.
        salt: H256,
    },
    /// Makes a move in a game.
    Move {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The move.
        made: Box<Move>,
    },
    /// Claims the reward for an epoch.
    ClaimReward {
        /// The account that is paid: the controller.
        account: AccountBytes,
        /// The epoch.
        epoch: u32,
    },
    /// Takes a step of a round of training.
    Round(RoundId, RoundStep),
    /// Announces that the operator holds a checkpoint.
    AnnounceHolding {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The hash under which it is shared.
        blob: H256,
    },
    /// Ends an absence.
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
            Self::RevealSessionCheck { claim, leaf, .. } => {
                write!(f, "reveal of a check of leaf {leaf} of claim {claim}")
            }
            Self::DemandLeaf { claim, leaf } => {
                write!(f, "demand for leaf {leaf} of claim {claim}")
            }
            Self::PostLeaf { claim, leaf, .. } => {
                write!(f, "post of leaf {leaf} of claim {claim}")
            }
            Self::ClaimSession(step) => {
                let voucher = &step.voucher;
                write!(
                    f,
                    "claim of answers {} to {} of session {}",
                    voucher.first,
                    voucher.count.saturating_sub(1),
                    voucher.session
                )
            }
            Self::EndSession { session, .. } => write!(f, "end of session {session}"),
            Self::Challenge { claim, leaf } => {
                write!(f, "challenge of leaf {leaf} of claim {claim}")
            }
            Self::CommitVerdict { claim, leaf, .. } => {
                write!(f, "commitment to a verdict on leaf {leaf} of claim {claim}")
            }
            Self::RevealVerdict { claim, leaf, .. } => {
                write!(f, "reveal of a verdict on leaf {leaf} of claim {claim}")
            }
            Self::Move { claim, leaf, made } => {
                write!(f, "{made} in the game over leaf {leaf} of claim {claim}")
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
