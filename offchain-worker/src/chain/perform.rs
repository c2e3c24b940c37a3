//! From an operator's action to the call that its hot key submits.

use super::calls::{
    AnnounceHolding, Challenge, ClaimCheckpoint, ClaimReward, ClaimSession, CommitCheck,
    CommitContribution, CommitScores, CommitVerdict, DemandLeaf, EndSession, JoinRound, MoveCall,
    ObjectToClaim, ObjectToScores, PostLeaf, Resume, RevealCheck, RevealContribution, RevealScores,
    RevealSessionCheck, RevealVerdict, SubmitAnswer,
};
use super::types::WireSignature;
use super::{ChainError, Node};
use crate::games::Move;
use crate::keys::Key;
use crate::roles::rounds::RoundStep;
use crate::roles::{Action, DutyOutcome};
use futures::future::BoxFuture;
use noema_protocol::{ClaimId, RoundId};
use subxt::config::substrate::AccountId32;

type Fate = Result<BoxFuture<'static, DutyOutcome>, ChainError>;

/// Submits the call of `action` with the hot key `key`.
pub(super) async fn perform(node: &Node, action: &Action, key: &Key) -> Fate {
    match action.clone() {
        Action::SubmitAnswer {
            request,
            tokens,
            text,
            receipt,
        } => {
            let call = SubmitAnswer {
                request,
                tokens,
                text: text.into_bytes(),
                receipt: *receipt,
            };
            node.perform(call, key).await
        }
        Action::CommitCheck {
            claim,
            leaf,
            commitment,
        } => {
            let call = CommitCheck {
                claim,
                leaf,
                commitment,
            };
            node.perform(call, key).await
        }
        Action::RevealCheck {
            claim,
            leaf,
            receipt,
            proof,
            salt,
        } => {
            let call = RevealCheck {
                claim,
                leaf,
                receipt: *receipt,
                // The claim of a request has one leaf, whose hash is the root.
                path: Vec::new(),
                proof,
                salt,
            };
            node.perform(call, key).await
        }
        Action::RevealSessionCheck { claim, leaf, check } => {
            let call = RevealSessionCheck {
                claim,
                leaf,
                receipt: check.receipt,
                path: check.path,
                proof: check.proof,
                salt: check.salt,
            };
            node.perform(call, key).await
        }
        Action::DemandLeaf { claim, leaf } => node.perform(DemandLeaf { claim, leaf }, key).await,
        Action::PostLeaf {
            claim,
            leaf,
            posted,
        } => {
            let call = PostLeaf {
                claim,
                leaf,
                receipt: posted.receipt,
                path: posted.path,
                prompt: posted.prompt,
                answer: posted.answer,
            };
            node.perform(call, key).await
        }
        Action::ClaimSession(step) => {
            let call = ClaimSession {
                voucher: step.voucher,
                signature: WireSignature::Sr25519(step.signature),
            };
            node.perform(call, key).await
        }
        Action::EndSession { session, claimed } => {
            node.perform(EndSession { session, claimed }, key).await
        }
        Action::Challenge { claim, leaf } => node.perform(Challenge { claim, leaf }, key).await,
        Action::CommitVerdict {
            claim,
            leaf,
            commitment,
        } => {
            let call = CommitVerdict {
                claim,
                leaf,
                commitment,
            };
            node.perform(call, key).await
        }
        Action::RevealVerdict {
            claim,
            leaf,
            verdict,
            salt,
        } => {
            let call = RevealVerdict {
                claim,
                leaf,
                verdict,
                salt,
            };
            node.perform(call, key).await
        }
        Action::Move { claim, leaf, made } => perform_move(node, (claim, leaf), *made, key).await,
        Action::ClaimReward { account, epoch } => {
            let account = AccountId32(account);
            node.perform(ClaimReward { account, epoch }, key).await
        }
        Action::Round(round, step) => say(node, round, step, key).await,
        Action::AnnounceHolding { checkpoint, blob } => {
            node.perform(AnnounceHolding { checkpoint, blob }, key)
                .await
        }
        Action::Resume => node.perform(Resume {}, key).await,
    }
}

/// Submits the call of a move.
async fn perform_move(node: &Node, (claim, leaf): (ClaimId, u32), made: Move, key: &Key) -> Fate {
    match MoveCall::new(claim, leaf, made) {
        MoveCall::Open(call) => node.perform(call, key).await,
        MoveCall::Show(call) => node.perform(call, key).await,
        MoveCall::Point(call) => node.perform(call, key).await,
        MoveCall::Prove(call) => node.perform(call, key).await,
    }
}

/// Submits the call of a step of a round.
async fn say(node: &Node, round: RoundId, step: RoundStep, key: &Key) -> Fate {
    match step {
        RoundStep::Join(role) => node.perform(JoinRound { round, role }, key).await,
        RoundStep::CommitContribution(commitment) => {
            node.perform(CommitContribution { round, commitment }, key)
                .await
        }
        RoundStep::RevealContribution(contribution, salt) => {
            let call = RevealContribution {
                round,
                contribution,
                salt,
            };
            node.perform(call, key).await
        }
        RoundStep::CommitScores(commitment) => {
            node.perform(CommitScores { round, commitment }, key).await
        }
        RoundStep::RevealScores(sheet, salt) => {
            node.perform(RevealScores { round, sheet, salt }, key).await
        }
        RoundStep::Claim(claim) => node.perform(ClaimCheckpoint { round, claim }, key).await,
        RoundStep::ObjectToScores(sheet) => {
            node.perform(ObjectToScores { round, sheet }, key).await
        }
        RoundStep::ObjectToClaim(claim) => node.perform(ObjectToClaim { round, claim }, key).await,
    }
}
