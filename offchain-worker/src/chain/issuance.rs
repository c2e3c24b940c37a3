//! Reading the subsidy: what an epoch is worth, and what an account is due.

use super::types::{
    Balance, BlockNumber, Claimable, ClosedEpoch, PendingReward, RunningEpoch, ScheduledEpoch,
    WirePerWork,
};
use super::{At, ChainError};
use crate::store::AccountBytes;
use noema_economics::Permill;
use noema_protocol::interfaces::PerWork;
use serde::Serialize;
use subxt::config::substrate::AccountId32;

/// What everybody did in an epoch, and what they share for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Its number.
    pub number: u32,
    /// Whether it is over. If not, it is told as if it ended now: more work of others makes less of
    /// each.
    pub is_closed: bool,
    /// All its work.
    pub work: PerWork<u128>,
    /// What those who did each kind share, in the smallest unit.
    pub pools: PerWork<Balance>,
}

impl Epoch {
    /// What `amounts` of its work are due, in the smallest unit.
    pub fn reward(&self, amounts: &PerWork<u64>) -> Balance {
        noema_economics::reward(amounts, &self.work, &self.pools)
    }

    /// The epoch that runs, as if it ended now, where `shares` are the kinds' parts of a subsidy.
    fn so_far(running: &RunningEpoch, shares: &PerWork<Permill>) -> Self {
        let work = running.work.clone().into();
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
            work: closed.work.into(),
            pools: closed.pools.into(),
        }
    }
}

/// What an account is due of the subsidies, in the smallest unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dues {
    /// All that it can claim now.
    pub pending: Balance,
    /// That, epoch by epoch, the oldest first.
    pub epochs: Vec<Claimable>,
    /// The epoch that runs; `None` where the issuance never started.
    pub running: Option<RunningDues>,
}

/// What an account may be due for the epoch that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunningDues {
    /// The epoch.
    pub epoch: u32,
    /// Its last block.
    pub ends_at: BlockNumber,
    /// What the account would be due if it ended now.
    pub estimate: Balance,
}

impl At {
    /// What an account can claim, and what the epoch that runs may add.
    pub async fn dues(&self, account: &AccountBytes) -> Result<Dues, ChainError> {
        let pending = self.pending_reward(account).await?;
        let running = match self.running_epoch().await? {
            Some(running) => Some(RunningDues {
                epoch: running.number,
                ends_at: running.scheduled.ends_at,
                estimate: Epoch::so_far(&running, &self.subsidy_shares()?)
                    .reward(&pending.running.amounts()),
            }),
            None => None,
        };
        Ok(Dues {
            pending: pending.total,
            epochs: pending.due(),
            running,
        })
    }

    /// What an account is due of the subsidies, as the chain tells it.
    pub async fn pending_reward(
        &self,
        account: &AccountBytes,
    ) -> Result<PendingReward, ChainError> {
        self.view("Issuance", "pending_reward", (AccountId32(*account),))
            .await
    }

    /// The epoch that runs; `None` where the issuance never started.
    pub async fn running_epoch(&self) -> Result<Option<RunningEpoch>, ChainError> {
        self.view("Issuance", "epoch", ()).await
    }

    /// The number of the epoch that runs.
    pub async fn current_epoch(&self) -> Result<u32, ChainError> {
        let epoch = self.storage("Issuance", "CurrentEpoch", ()).await?;
        Ok(epoch.unwrap_or_default())
    }

    /// The blocks and the subsidy of any epoch; `None` where the issuance never started.
    pub async fn scheduled_epoch(&self, epoch: u32) -> Result<Option<ScheduledEpoch>, ChainError> {
        self.view("Issuance", "schedule", (epoch,)).await
    }

    /// Epochs after its own during which a reward can be claimed.
    pub fn claim_window(&self) -> Result<u32, ChainError> {
        self.constant("Issuance", "ClaimWindow")
    }

    /// Each kind of work's part of a subsidy.
    fn subsidy_shares(&self) -> Result<PerWork<Permill>, ChainError> {
        let shares: WirePerWork = self.constant("Issuance", "Shares")?;
        let shares: PerWork<u128> = shares.into();
        Ok(PerWork::from_fn(|kind| {
            Permill::from_parts(u32::try_from(*shares.get(kind)).unwrap_or(u32::MAX))
        }))
    }

    /// What an epoch is worth to those who worked in it; `None` where nobody did before it ended,
    /// where it has expired, and where it has not begun.
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

    fn all(training: u128) -> WirePerWork {
        WirePerWork {
            inference: 0,
            check: 0,
            training,
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
