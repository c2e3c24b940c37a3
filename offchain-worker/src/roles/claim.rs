//! Claiming what the operator's controller is due of subsidies.
//!
//! Nothing of it is kept on disk: the chain pays each epoch once, however often it is asked to, and says
//! what it still owes.

use super::operator::Operator;
use super::queue::OpenDuty;
use super::{Action, Duties, Outcome};
use std::collections::BTreeMap;
use tracing::{info, warn};

/// Most claims that are sent at one look: each takes a few calls to the node, during which nothing
/// else is done.
const TOGETHER: usize = 8;

/// Blocks after which a chain that could not tell what it owes is asked again.
const LATER: u64 = 300;

/// What was done about rewards since the running epoch began.
#[derive(Default)]
pub(super) struct Claims {
    /// The block from which there may be something to claim.
    look_at: u64,
    /// The epochs that were claimed, with what each owed.
    claimed: BTreeMap<u32, u128>,
}

impl Operator {
    /// Claims what epochs that ended owe, each of them once, while nothing else is to be done. What
    /// fails is tried again when another epoch has ended.
    pub(super) async fn claim(&mut self, duties: &Duties) {
        let is_due = self.identity.claims && duties.block >= self.claims.look_at;
        // What a claim could hold up in the pool has a deadline; a claim has none that matters.
        let is_busy = self.executing() > 0 || !self.queue.is_empty() || !duties.due.is_empty();
        if !is_due || is_busy {
            return;
        }
        let rewards = match self.ledger.rewards().await {
            Ok(rewards) => rewards,
            Err(error) => {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, %error, blocks = LATER, "cannot read what there is to claim; trying again after some blocks");
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

    /// Notes what became of the claim for an epoch.
    pub(super) fn claim_fate(&mut self, epoch: u32, outcome: &Outcome) {
        if let Outcome::Included { block } = outcome {
            self.metrics.rewards.inc();
            let units = self.claims.claimed.get(&epoch).copied().unwrap_or_default();
            info!(operator = %self.identity.name, epoch, units, block, "was paid for an epoch");
        }
    }
}
