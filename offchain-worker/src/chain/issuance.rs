//! Reading the subsidy: the pools of an epoch, and the rewards of an account.

use super::types::{
    Balance, BlockNumber, Claimable, ClosedEpoch, PendingReward, RunningEpoch, ScheduledEpoch,
};
use super::{At, ChainError};
use crate::store::AccountBytes;
use noema_economics::Permill;
use noema_protocol::PerWork;
use serde::Serialize;
use subxt::config::substrate::AccountId32;

/// The work of all operators in an epoch, and the pools that they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Its number.
    pub number: u32,
    /// Whether it is over. If not, the values are as if it ended now: more work of other operators lowers
    /// each reward.
    pub is_closed: bool,
    /// All work that was done in it.
    pub work: PerWork<u128>,
    /// The pool of each kind of work, in the smallest unit.
    pub pools: PerWork<Balance>,
}

impl Epoch {
    /// The reward for `amounts` of its work, in the smallest unit.
    pub fn reward(&self, amounts: &PerWork<u64>) -> Balance {
        noema_economics::reward(amounts, &self.work, &self.pools)
    }

    /// The current epoch, as if it ended now; `shares` are the parts of a subsidy for each kind of work.
    fn so_far(running: &RunningEpoch, shares: &PerWork<Permill>) -> Self {
        let work = running.work;
        Self {
            number: running.number,
            is_closed: false,
            pools: noema_economics::split(running.scheduled.subsidy, &work, shares).pools,
            work,
        }
    }

    fn closed(number: u32, closed: ClosedEpoch) -> Self {
        Self {
            number,
            is_closed: true,
            work: closed.work,
            pools: closed.pools,
        }
    }
}

/// The rewards of an account, in the smallest unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dues {
    /// The total that it can claim now.
    pub pending: Balance,
    /// The same by epoch, the oldest first.
    pub epochs: Vec<Claimable>,
    /// The current epoch; `None` if the issuance has not started.
    pub running: Option<RunningDues>,
}

/// The expected reward of an account for the current epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunningDues {
    /// The epoch.
    pub epoch: u32,
    /// Its last block.
    pub ends_at: BlockNumber,
    /// The reward if it ended now.
    pub estimate: Balance,
}

impl At {
    /// The rewards that an account can claim, and the estimate for the current epoch.
    pub async fn dues(&self, account: &AccountBytes) -> Result<Dues, ChainError> {
        let pending = self.pending_reward(account).await?;
        let running = match self.running_epoch().await? {
            Some(running) => Some(RunningDues {
                epoch: running.number,
                ends_at: running.scheduled.ends_at,
                estimate: Epoch::so_far(&running, &self.subsidy_shares()?).reward(&pending.running),
            }),
            None => None,
        };
        Ok(Dues {
            pending: pending.total,
            epochs: pending.due(),
            running,
        })
    }

    /// The rewards of an account, as the chain reports them.
    pub async fn pending_reward(
        &self,
        account: &AccountBytes,
    ) -> Result<PendingReward, ChainError> {
        self.view("Issuance", "pending_reward", (AccountId32(*account),))
            .await
    }

    /// The current epoch; `None` if the issuance has not started.
    pub async fn running_epoch(&self) -> Result<Option<RunningEpoch>, ChainError> {
        self.view("Issuance", "epoch", ()).await
    }

    /// The number of the current epoch.
    pub async fn current_epoch(&self) -> Result<u32, ChainError> {
        let epoch = self.storage("Issuance", "CurrentEpoch", ()).await?;
        Ok(epoch.unwrap_or_default())
    }

    /// The last block and the subsidy of an epoch; `None` if the issuance has not started.
    pub async fn scheduled_epoch(&self, epoch: u32) -> Result<Option<ScheduledEpoch>, ChainError> {
        self.view("Issuance", "schedule", (epoch,)).await
    }

    /// The number of epochs after its own in which a reward can be claimed.
    pub fn claim_window(&self) -> Result<u32, ChainError> {
        self.constant("Issuance", "ClaimWindow")
    }

    /// The part of a subsidy for each kind of work.
    fn subsidy_shares(&self) -> Result<PerWork<Permill>, ChainError> {
        let shares: PerWork<u32> = self.constant("Issuance", "Shares")?;
        Ok(PerWork::from_fn(|kind| {
            Permill::from_parts(*shares.get(kind))
        }))
    }

    /// The work and the pools of an epoch; `None` if it ended without work, has expired, or has not begun.
    pub async fn epoch(&self, number: u32) -> Result<Option<Epoch>, ChainError> {
        let closed: Option<ClosedEpoch> = self.storage("Issuance", "Epochs", (number,)).await?;
        if let Some(closed) = closed {
            return Ok(Some(Epoch::closed(number, closed)));
        }
        match self.running_epoch().await? {
            Some(running) if running.number == number => {
                Ok(Some(Epoch::so_far(&running, &self.subsidy_shares()?)))
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(amount: u64) -> PerWork<u64> {
        PerWork {
            training: amount,
            ..PerWork::default()
        }
    }

    fn all(training: u128) -> PerWork<u128> {
        PerWork {
            training,
            ..PerWork::default()
        }
    }

    #[test]
    fn a_running_epoch_is_worth_what_it_would_be_if_it_ended_now() {
        let running = RunningEpoch {
            number: 3,
            scheduled: ScheduledEpoch {
                ends_at: 239,
                subsidy: 1_000,
            },
            work: all(40),
        };
        let shares = PerWork {
            training: Permill::from_percent(30),
            ..PerWork::default()
        };
        let epoch = Epoch::so_far(&running, &shares);
        assert_eq!((epoch.number, epoch.is_closed), (3, false));
        assert_eq!(epoch.reward(&training(10)), 75);
        assert_eq!(epoch.reward(&training(0)), 0);
        let later = RunningEpoch {
            work: all(80),
            ..running
        };
        let epoch = Epoch::so_far(&later, &shares);
        assert_eq!(epoch.reward(&training(10)), 37, "others did more");
    }

    #[test]
    fn a_closed_epoch_is_worth_its_pools() {
        let closed = ClosedEpoch {
            work: all(4),
            pools: all(300),
        };
        let epoch = Epoch::closed(7, closed);
        assert!(epoch.is_closed);
        assert_eq!(epoch.reward(&training(1)), 75);
    }
}
