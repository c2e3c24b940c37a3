//! Operators and their bonds in storage, so that a refused call leaves them unchanged.

use super::{
    world::{world, Operator},
    AccountId, Balances, World,
};
use crate::Balance;
use frame_support::{
    pallet_prelude::{OptionQuery, ValueQuery},
    storage_alias,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Precision, Preservation},
    },
    Twox64Concat,
};
use noema_economics::draw_weighted;
use noema_interfaces::{
    Burden, Candidate, Earning, Load, Operators, Selection, WorkCredit, MAX_TRIES,
};
use noema_protocol::{CheckpointId, Job, Offence, Prices, Role};
use sp_core::H256;

/// The bond of a worker in tests, unless a test sets another.
pub(crate) const BOND: Balance = 100_000;
/// Its prices.
pub(crate) const PRICES: Prices<Balance> = Prices {
    per_prompt_byte: 1,
    per_answer_token: 10,
};

#[storage_alias]
type Locks =
    StorageDoubleMap<World, Twox64Concat, AccountId, Twox64Concat, Job, Balance, OptionQuery>;

#[storage_alias]
type Absent = StorageMap<World, Twox64Concat, AccountId, (), OptionQuery>;

#[storage_alias]
type Loads = StorageMap<World, Twox64Concat, AccountId, Load, ValueQuery>;

/// The load of a worker.
pub(crate) fn load(worker: AccountId) -> Load {
    Loads::get(worker)
}

/// The hot key of a controller.
pub(crate) const fn key(controller: AccountId) -> AccountId {
    controller + 100_000
}

/// The account in which the mock keeps a bond.
const fn vault(controller: AccountId) -> AccountId {
    controller + 200_000
}

impl Operators<AccountId, Balance> for World {
    type Error = ();

    fn controller_of(key: &AccountId) -> Option<AccountId> {
        world(|world| {
            let mut operators = world.operators.iter();
            operators
                .find(|(_, operator)| operator.key == *key)
                .map(|(controller, _)| *controller)
        })
    }

    fn draw(
        role: Role,
        checkpoint: &CheckpointId,
        randomness: H256,
        wanted: u32,
        mut suits: impl FnMut(&Candidate<AccountId, Balance>) -> bool,
    ) -> Selection<AccountId, Balance> {
        let mut tries = 0;
        let candidates = Self::roster(role, checkpoint);
        let weights = candidates.iter().map(|candidate| candidate.bond);
        let drawn = draw_weighted(weights, randomness.0, candidates.len() as u32)
            .into_iter()
            .take(MAX_TRIES as usize)
            .map(|index| candidates[index].clone())
            .inspect(|_| tries += 1)
            .filter(|candidate| suits(candidate))
            .take(wanted as usize)
            .collect();
        Selection {
            candidates: drawn,
            tries,
            absent: 0,
        }
    }

    fn roster(role: Role, checkpoint: &CheckpointId) -> Vec<Candidate<AccountId, Balance>> {
        let operators = world(|world| world.operators.clone());
        operators
            .into_iter()
            .filter(|(controller, operator)| {
                role == Role::Worker
                    && operator.is_listed
                    && operator.checkpoints.contains(checkpoint)
                    && !Absent::contains_key(controller)
            })
            .map(|(controller, operator)| {
                let bond = Self::bond(&controller).min(operator.bond);
                Candidate {
                    controller,
                    bond,
                    free: bond.saturating_sub(locked_of(&controller)),
                    prices: operator.prices,
                    load: Loads::get(controller),
                }
            })
            .collect()
    }

    fn serves(_: Role, checkpoint: &CheckpointId, controller: &AccountId) -> bool {
        world(|world| {
            let operator = world.operators.get(controller);
            operator.is_some_and(|operator| operator.checkpoints.contains(checkpoint))
        })
    }

    fn live_bond(_: Role, controller: &AccountId) -> Option<Balance> {
        (!Absent::contains_key(controller)).then(|| Self::bond(controller))
    }

    fn bond(controller: &AccountId) -> Balance {
        Balances::total_balance(&vault(*controller))
    }

    fn lock(controller: &AccountId, job: Job, amount: Balance) -> Result<(), ()> {
        let is_free = locked_of(controller) + amount <= Self::bond(controller);
        if !is_free || Locks::contains_key(controller, job) {
            return Err(());
        }
        Locks::insert(controller, job, amount);
        Ok(())
    }

    fn lock_drawn(
        candidate: &Candidate<AccountId, Balance>,
        job: Job,
        amount: Balance,
        burden: Burden,
    ) -> Result<(), ()> {
        let controller = &candidate.controller;
        if locked_of(controller) + amount > candidate.bond {
            return Err(());
        }
        Self::lock(controller, job, amount)?;
        let Burden::Request {
            tokens,
            prompt_bytes,
        } = burden
        else {
            unreachable!("the pallet draws for requests")
        };
        Self::change_load(controller, |load| load.with(tokens, prompt_bytes));
        Ok(())
    }

    fn locked(controller: &AccountId, job: Job) -> Option<Balance> {
        Locks::get(controller, job)
    }

    fn jobs(controller: &AccountId) -> Vec<Job> {
        Locks::iter_key_prefix(controller).collect()
    }

    fn release(controller: &AccountId, job: Job) {
        Locks::remove(controller, job);
    }

    fn change_load(controller: &AccountId, change: impl FnOnce(Load) -> Load) {
        Loads::insert(controller, change(Loads::get(controller)));
    }

    fn loads() -> Vec<(AccountId, Load)> {
        Loads::iter().collect()
    }

    fn check_backlog(_: &AccountId) -> u64 {
        0
    }

    fn change_check_backlog(_: &AccountId, _: impl FnOnce(u64) -> u64) {}

    fn check_backlogs() -> Vec<(AccountId, u64)> {
        Vec::new()
    }

    fn slash(
        controller: &AccountId,
        job: Job,
        _offence: Offence,
        amount: Balance,
        _shares: &[(AccountId, Balance)],
    ) -> Balance {
        let locked = Locks::get(controller, job).unwrap_or(0);
        let taken = Balances::burn_from(
            &vault(*controller),
            amount.min(locked),
            Preservation::Expendable,
            Precision::BestEffort,
            Fortitude::Force,
        )
        .expect("a best effort");
        if locked > 0 {
            Locks::insert(controller, job, locked - taken);
        }
        Absent::insert(controller, ());
        taken
    }

    fn spend(_: &AccountId, _: Job, _: Balance) -> Balance {
        unreachable!("the pallet charges no operator")
    }

    fn purse() -> AccountId {
        unreachable!("the pallet pays no operator")
    }

    fn credit(_: &AccountId, _: Job, _: Earning, _: Balance) {
        unreachable!("the pallet pays no operator")
    }

    fn release_paid(_: &AccountId, _: Job, _: WorkCredit<Balance>) -> bool {
        unreachable!("the pallet pays no operator")
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register(controller: &AccountId, key: &AccountId, _: Role, checkpoint: &CheckpointId) {
        add_worker(*controller, *checkpoint, BOND);
        world(|world| {
            let operator = world.operators.get_mut(controller);
            operator.expect("the operator was just added").key = *key;
        });
    }
}

/// Registers a worker for a checkpoint, or one more checkpoint of a worker.
pub(crate) fn add_worker(controller: AccountId, checkpoint: CheckpointId, bond: Balance) {
    Balances::set_balance(&vault(controller), bond);
    Balances::set_balance(&controller, 10);
    world(|world| {
        let operator = world.operators.entry(controller).or_insert(Operator {
            key: key(controller),
            checkpoints: Default::default(),
            prices: PRICES,
            is_listed: true,
            bond,
        });
        operator.checkpoints.insert(checkpoint);
    });
}

fn with_operator(controller: AccountId, change: impl FnOnce(&mut Operator)) {
    world(|world| {
        let operator = world.operators.get_mut(&controller);
        change(operator.expect("the operator is registered"));
    });
}

/// Adds an amount to a bond that is not in the roster of the present term.
pub(crate) fn add_to_bond(controller: AccountId, amount: Balance) {
    Balances::set_balance(&vault(controller), bond(controller) + amount);
}

/// Sets whether a worker is in the roster of the present term.
pub(crate) fn set_listed(controller: AccountId, is_listed: bool) {
    with_operator(controller, |operator| operator.is_listed = is_listed);
}

pub(crate) fn set_prices(controller: AccountId, per_answer_token: Balance) {
    with_operator(controller, |operator| {
        operator.prices.per_answer_token = per_answer_token;
    });
}

/// Ends the absence of an operator.
pub(crate) fn resume(controller: AccountId) {
    Absent::remove(controller);
}

pub(crate) fn is_absent(controller: AccountId) -> bool {
    Absent::contains_key(controller)
}

pub(crate) fn bond(controller: AccountId) -> Balance {
    World::bond(&controller)
}

/// The amount locked of an operator's bond.
fn locked_of(controller: &AccountId) -> Balance {
    Locks::iter_prefix_values(controller).sum()
}

/// The amounts locked behind each of an operator's jobs.
pub(crate) fn locks(controller: AccountId) -> Vec<(Job, Balance)> {
    Locks::iter_prefix(controller).collect()
}
