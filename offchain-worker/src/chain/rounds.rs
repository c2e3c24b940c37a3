//! The chain as one participant in rounds of training sees it.

use super::calls::{
    AnnounceHolding, Call, ClaimCheckpoint, CommitContribution, CommitScores, JoinRound,
    ObjectToClaim, ObjectToScores, RevealContribution, RevealScores,
};
use super::{ChainError, Link};
use crate::keys::Key;
use crate::roles::LedgerError;
use crate::rounds::{Round, RoundLedger, Step};
use crate::store::AccountBytes;
use async_trait::async_trait;
use noema_protocol::{CheckpointId, RoundId};
use sp_core::H256;
use std::sync::Arc;
use tracing::{info, warn};

/// Signs with one hot key.
pub struct ChainRounds {
    link: Arc<Link>,
    key: Key,
    controller: AccountBytes,
}

impl ChainRounds {
    /// What the operator with this hot key sees of rounds, and sends.
    pub fn new(link: Arc<Link>, key: Key, controller: AccountBytes) -> Self {
        Self {
            link,
            key,
            controller,
        }
    }

    async fn submit<C: Call>(&self, call: C) -> Result<(), LedgerError> {
        let name = C::NAME;
        match self.link.node()?.perform_finally(call, &self.key).await {
            Ok(included) => {
                info!(call = name, block = included.block, "is final");
                Ok(())
            }
            // The chain has its reasons, which the next look shows.
            Err(error @ (ChainError::Refused { .. } | ChainError::Rejected { .. })) => {
                warn!(call = name, %error, "was refused");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl RoundLedger for ChainRounds {
    async fn open_rounds(&self) -> Result<(u32, Vec<Round>), LedgerError> {
        let at = self.link.node()?.finalized().await?;
        let mut rounds = Vec::new();
        for family in at.trained_families().await? {
            rounds.extend(at.open_round(family).await?);
        }
        Ok((u32::try_from(at.number()).unwrap_or(u32::MAX), rounds))
    }

    async fn send(&self, round: RoundId, step: Step) -> Result<(), LedgerError> {
        let round = round.0;
        match step {
            Step::Join(role) => {
                let role = role.into();
                self.submit(JoinRound { round, role }).await
            }
            Step::CommitContribution(commitment) => {
                self.submit(CommitContribution { round, commitment }).await
            }
            Step::RevealContribution(contribution, salt) => {
                let contribution = contribution.into();
                self.submit(RevealContribution {
                    round,
                    contribution,
                    salt,
                })
                .await
            }
            Step::CommitScores(commitment) => self.submit(CommitScores { round, commitment }).await,
            Step::RevealScores(sheet, salt) => {
                let sheet = sheet.into();
                self.submit(RevealScores { round, sheet, salt }).await
            }
            Step::Claim(claim) => {
                let claim = claim.into();
                self.submit(ClaimCheckpoint { round, claim }).await
            }
            Step::ObjectToScores(sheet) => {
                let sheet = sheet.into();
                self.submit(ObjectToScores { round, sheet }).await
            }
            Step::ObjectToClaim(claim) => {
                let claim = claim.into();
                self.submit(ObjectToClaim { round, claim }).await
            }
        }
    }

    async fn announce_holding(
        &self,
        checkpoint: CheckpointId,
        blob: H256,
    ) -> Result<(), LedgerError> {
        let known = self
            .link
            .node()?
            .finalized()
            .await?
            .holders(&checkpoint)
            .await?;
        let is_known = known
            .iter()
            .any(|holding| holding.holder.0 == self.controller && holding.blob == blob);
        if is_known {
            return Ok(());
        }
        let checkpoint = checkpoint.0;
        self.submit(AnnounceHolding { checkpoint, blob }).await
    }
}
