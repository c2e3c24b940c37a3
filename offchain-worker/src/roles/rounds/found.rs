//! From the result of a task for a round to the step that follows.

use super::{Round, RoundDuty, RoundStep, RoundWork};
use crate::store::Product;
use noema_protocol::{hashing, CheckpointId};
use noema_rounds::CheckpointClaim;
use sp_core::H256;

/// The result of a task for a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::roles) enum Found {
    /// There is nothing to do yet.
    Nothing,
    /// All files that other participants may need are shared.
    Shared,
    /// The operator has everything that it needs to take part; the parent is shared under this hash.
    Ready(H256),
    /// The result that is committed to, and kept until it is revealed.
    Product(Product),
    /// The claim of the next checkpoint.
    Claim(CheckpointClaim),
    /// The next checkpoint is on this machine, and shared under this hash.
    Held(CheckpointId, H256),
}

impl Found {
    /// The checkpoint that is on this machine, and the hash under which it is shared.
    pub(in crate::roles) fn holding(&self, round: &Round) -> Option<(CheckpointId, H256)> {
        match self {
            Self::Ready(blob) => Some((round.parent, *blob)),
            Self::Held(checkpoint, blob) => Some((*checkpoint, *blob)),
            Self::Nothing | Self::Shared | Self::Product(_) | Self::Claim(_) => None,
        }
    }
}

impl RoundWork {
    /// The step of `round` that follows from the result for `duty`; `None` if there is none.
    pub(in crate::roles) fn step(
        &self,
        duty: RoundDuty,
        round: &Round,
        found: &Found,
    ) -> Option<RoundStep> {
        let (id, account) = (round.id, &self.account);
        Some(match (duty, found) {
            (RoundDuty::Join, Found::Ready(_)) => RoundStep::Join(self.role),
            (
                RoundDuty::Contribute,
                Found::Product(Product::Contribution { contribution, salt }),
            ) => RoundStep::CommitContribution(hashing::contribution_commitment(
                id,
                account,
                contribution.update,
                contribution.bytes,
                *salt,
            )),
            (
                RoundDuty::RevealContribution,
                Found::Product(Product::Contribution { contribution, salt }),
            ) => RoundStep::RevealContribution(*contribution, *salt),
            (RoundDuty::Score, Found::Product(Product::Scores { sheet, salt })) => {
                RoundStep::CommitScores(hashing::score_commitment(id, account, sheet, *salt))
            }
            (RoundDuty::RevealScores, Found::Product(Product::Scores { sheet, salt })) => {
                RoundStep::RevealScores(sheet.clone(), *salt)
            }
            (RoundDuty::AuditScores, Found::Product(Product::Scores { sheet, .. }))
                if !round.agrees(sheet) =>
            {
                RoundStep::ObjectToScores(sheet.clone())
            }
            (RoundDuty::Claim, Found::Claim(claim)) => RoundStep::Claim(*claim),
            (RoundDuty::AuditClaim, Found::Claim(claim)) if round.claim != Some(*claim) => {
                RoundStep::ObjectToClaim(*claim)
            }
            _ => return None,
        })
    }
}
