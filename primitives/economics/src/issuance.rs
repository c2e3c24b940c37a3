//! The issuance: how much is minted, for which work, and how much never is.
//!
//! Time is divided into *epochs*, and epochs into *eras*. Each epoch has a *subsidy*, the most that
//! it may issue; the subsidy of an era is half that of the era before, rounded down, as in Bitcoin
//! (Nakamoto 2008, section 6). With `n` epochs in an era and the first subsidy `⌊pool / 2n⌋`
//!
//! ```text
//! Σ n·⌊s₀ / 2ᵏ⌋  ≤  n·s₀·Σ 2⁻ᵏ  <  2n·s₀  ≤  pool
//! ```
//!
//! so the pool is never exceeded. [`split`] divides a subsidy between the kinds of work and the treasury,
//! [`reward`] a pool between the operators that did the work. Nothing is lost to rounding: [`split`] gives
//! remainders to the treasury, and [`reward`] leaves less than one unit of a pool for each operator that
//! shares in it.

use crate::Balance;
use noema_protocol::{PerWork, Work};
use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Permill, Rounding};

/// The subsidy of every epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The subsidy of each epoch of the first era.
    pub initial: Balance,
    /// Epochs between two halvings; zero counts as one.
    pub epochs_per_era: u32,
}

impl Schedule {
    /// The schedule with the largest first subsidy whose total stays within `pool`, for any number of
    /// halvings.
    pub fn within(pool: Balance, epochs_per_era: u32) -> Self {
        let epochs = Balance::from(epochs_per_era.max(1)).saturating_mul(2);
        Self {
            initial: pool.checked_div(epochs).unwrap_or(0),
            epochs_per_era,
        }
    }

    /// The era of an epoch, both counted from zero.
    pub fn era(&self, epoch: u32) -> u32 {
        epoch.checked_div(self.epochs_per_era.max(1)).unwrap_or(0)
    }

    /// The subsidy of each epoch of `era`.
    pub fn subsidy_of_era(&self, era: u32) -> Balance {
        self.initial.checked_shr(era).unwrap_or(0)
    }

    /// The subsidy of `epoch`.
    pub fn subsidy(&self, epoch: u32) -> Balance {
        self.subsidy_of_era(self.era(epoch))
    }

    /// The number of eras with a subsidy.
    pub fn eras(&self) -> u32 {
        Balance::BITS.saturating_sub(self.initial.leading_zeros())
    }

    /// The subsidies of all epochs of `era` together.
    pub fn of_era(&self, era: u32) -> Balance {
        self.subsidy_of_era(era)
            .saturating_mul(self.epochs_per_era.max(1).into())
    }

    /// The subsidies of all epochs before `epoch` together.
    pub fn before(&self, epoch: u32) -> Balance {
        let era = self.era(epoch);
        let whole = (0..era.min(self.eras())).fold(0 as Balance, |sum, era| {
            sum.saturating_add(self.of_era(era))
        });
        let first = era.saturating_mul(self.epochs_per_era.max(1));
        let begun = Balance::from(epoch.saturating_sub(first));
        whole.saturating_add(self.subsidy_of_era(era).saturating_mul(begun))
    }

    /// The subsidies of all epochs together.
    pub fn total(&self) -> Balance {
        (0..self.eras()).fold(0 as Balance, |sum, era| {
            sum.saturating_add(self.of_era(era))
        })
    }
}

/// The division of a subsidy: the pools, `treasury` and `unminted` add up to the subsidy, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// For each kind of work, to the operators that did it.
    pub pools: PerWork<Balance>,
    /// To the treasury.
    pub treasury: Balance,
    /// Never minted.
    pub unminted: Balance,
}

/// Divides the `subsidy` of an epoch by the work that was done in it.
///
/// `shares` is each kind's part of the subsidy; the treasury gets the rest, remainders of the division
/// included. The pool of a kind is the part of its share that its `work` justifies:
///
/// - [`Work::Inference`] and [`Work::Check`] are counted in the burned part of payments, and a pool
///   is at most that. An operator that pays itself for its own requests burns at least as much as it can be
///   given, so this yields no profit.
/// - [`Work::Training`] gets the whole share if there was any.
///
/// The part of a share that its pool does not take is not minted. Shares that exceed the subsidy together are
/// cut in the order of [`Work::ALL`].
pub fn split(subsidy: Balance, work: &PerWork<u128>, shares: &PerWork<Permill>) -> Split {
    let mut left = subsidy;
    let mut unminted: Balance = 0;
    let pools = PerWork::from_fn(|kind| {
        let share = shares.get(kind).mul_floor(subsidy).min(left);
        left = left.saturating_sub(share);
        let done = *work.get(kind);
        let pool = match kind {
            Work::Inference | Work::Check => share.min(done),
            Work::Training if done > 0 => share,
            Work::Training => 0,
        };
        unminted = unminted.saturating_add(share.saturating_sub(pool));
        pool
    });
    Split {
        pools,
        treasury: left,
        unminted,
    }
}

/// The reward of an operator that did `amounts` of an epoch's `work`, out of its `pools`: of each pool, its
/// part of the work, rounded down.
///
/// Rewards of amounts that add up to the work never exceed the pools, and fall short of each pool by less
/// than one unit for each operator that shares in it.
pub fn reward<Amount: Copy + Into<u128>>(
    amounts: &PerWork<Amount>,
    work: &PerWork<u128>,
    pools: &PerWork<Balance>,
) -> Balance {
    Work::ALL.into_iter().fold(0 as Balance, |sum, kind| {
        let (amount, total): (u128, u128) = ((*amounts.get(kind)).into(), *work.get(kind));
        let part = match total {
            0 => 0,
            total => multiply_by_rational_with_rounding(
                *pools.get(kind),
                amount.min(total),
                total,
                Rounding::Down,
            )
            .unwrap_or(0),
        };
        sum.saturating_add(part)
    })
}
