//! Claiming the rewards of the operator's controller.
//!
//! Nothing is kept on disk: the chain reports the rewards that are open, and pays each epoch only once, even
//! if it is claimed repeatedly.

use super::claimed::Claims;
use super::operator::OperatorLoop;
use super::queue::OpenDuty;
use super::{Action, Duties, DutyOutcome};
use tracing::{info, warn};

/// The most claims in one turn: each takes a few calls to the node, during which the operator does nothing
/// else.
const TOGETHER: usize = 8;

/// Blocks after which rewards that could not be read are read again.
const LATER: u64 = 300;

impl OperatorLoop {
    /// Claims the rewards of epochs that ended, each once, while no other duty is open. Claims that fail are
    /// repeated when another epoch has ended.
    pub(super) async fn claim(&mut self, duties: &Duties) {
        let is_due = self.identity.claims && duties.block >= self.claims.look_at;
        // Claims must not delay duties, which have a deadline.
        let is_busy = self.executing() > 0 || !self.queue.is_empty() || !duties.due.is_empty();
        if !is_due || is_busy {
            return;
        }
        let rewards = match self.chain.rewards().await {
            Ok(rewards) => rewards,
            Err(error) => {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, %error, blocks = LATER, "cannot read the rewards to claim; trying again after some blocks");
                self.claims.look_at = duties.block.saturating_add(LATER);
                return;
            }
        };
        let open: Vec<_> = rewards
            .due
            .into_iter()
            .filter(|reward| !self.claims.claimed.contains_key(&reward.epoch))
            .take(TOGETHER)
            .collect();
        if open.is_empty() {
            self.claims = Claims {
                look_at: rewards.epoch_ends.saturating_add(1),
                ..Claims::default()
            };
        }
        for reward in open {
            self.claims.claimed.insert(reward.epoch, reward.amount);
            let action = Action::ClaimReward {
                account: self.identity.controller,
                epoch: reward.epoch,
            };
            self.perform(OpenDuty::Claim(reward.epoch), &action).await;
        }
    }

    /// Handles the outcome of the claim for an epoch.
    pub(super) fn claim_fate(&mut self, epoch: u32, outcome: &DutyOutcome) {
        if let DutyOutcome::Included { block } = outcome {
            self.metrics.rewards.inc();
            let units = self.claims.claimed.get(&epoch).copied().unwrap_or_default();
            info!(operator = %self.identity.name, epoch, units, block, "was paid for an epoch");
        }
    }
}
