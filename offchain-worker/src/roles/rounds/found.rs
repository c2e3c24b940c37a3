//! From what was found for a round to what is said of it.

use super::{Duty, Round, RoundStep, Work};
use crate::store::Product;
use noema_protocol::{hashing, CheckpointId};
use noema_rounds::Claim;
use sp_core::H256;

/// What a task found for a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::roles) enum Found {
    /// There is nothing to do yet.
    Nothing,
    /// What others may want is shared.
    Shared,
    /// Everything is here that it takes to take part; the parent is shared under this hash.
    Ready(H256),
    /// What is committed to, and kept until it is revealed.
    Product(Product),
    /// What the next checkpoint is.
    Claim(Claim),
    /// The next checkpoint is here, and shared under this hash.
    Held(CheckpointId, H256),
}

impl Found {
    /// The checkpoint that is here, and the hash under which it is shared.
    pub(in crate::roles) fn holding(&self, round: &Round) -> Option<(CheckpointId, H256)> {
        match self {
            Self::Ready(blob) => Some((round.parent, *blob)),
            Self::Held(checkpoint, blob) => Some((*checkpoint, *blob)),
            Self::Nothing | Self::Shared | Self::Product(_) | Self::Claim(_) => None,
        }
    }
}

impl Work {
    /// What is said to `round` of what was found for `duty`; `None` where there is nothing to say.
    pub(in crate::roles) fn step(
        &self,
        duty: Duty,
        round: &Round,
        found: &Found,
    ) -> Option<RoundStep> {
        let (id, account) = (round.id, &self.account);
        Some(match (duty, found) {
            (Duty::Join, Found::Ready(_)) => RoundStep::Join(self.role),
            (Duty::Contribute, Found::Product(Product::Contribution { contribution, salt })) => {
                RoundStep::CommitContribution(hashing::contribution_commitment(
                    id,
                    account,
                    contribution.update,
                    contribution.bytes,
                    *salt,
                ))
            }
            (
                Duty::RevealContribution,
                Found::Product(Product::Contribution { contribution, salt }),
            ) => RoundStep::RevealContribution(*contribution, *salt),
            (Duty::Score, Found::Product(Product::Scores { sheet, salt })) => {
                RoundStep::CommitScores(hashing::score_commitment(id, account, sheet, *salt))
            }
            (Duty::RevealScores, Found::Product(Product::Scores { sheet, salt })) => {
                RoundStep::RevealScores(sheet.clone(), *salt)
            }
            (Duty::AuditScores, Found::Product(Product::Scores { sheet, .. }))
                if !round.agrees(sheet) =>
            {
                RoundStep::ObjectToScores(sheet.clone())
            }
            (Duty::Claim, Found::Claim(claim)) => RoundStep::Claim(*claim),
            (Duty::AuditClaim, Found::Claim(claim)) if round.claim != Some(*claim) => {
                RoundStep::ObjectToClaim(*claim)
            }
            _ => return None,
        })
    }
}
