//! The world outside the pallet: operators, checkpoints, randomness and a dispute resolver.

use super::{AccountId, Balances, System, Test};
use crate::{Balance, Committee, Dispute, DisputeResolver};
use codec::Encode;
use frame_support::{
    storage::unhashed,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Precision, Preservation},
    },
};
use noema_economics::draw_weighted;
use noema_protocol::{
    hashing,
    interfaces::{
        BlockRandomness, Candidate, Checkpoints, Earning, ModelLimits, Offence, Operators, Prices,
        RecordWork, Role, Work,
    },
    CheckpointId, Job, RequestId,
};
use sp_core::H256;
use sp_runtime::DispatchResult;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// The checkpoint of the stories.
pub(crate) const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
/// What every requester and operator starts with.
pub(crate) const FUNDS: Balance = 100_000;

/// What the resolver does with a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolving {
    /// Lets the committee decide.
    Committee,
    /// Refuses it.
    Refuse,
    /// Takes it and does nothing.
    Sleep,
}

/// The committee, or one of the resolvers that a later pallet might be.
pub struct Resolver;

impl DisputeResolver<AccountId, u32> for Resolver {
    fn open(dispute: Dispute<AccountId, u32>) -> DispatchResult {
        match world(|world| world.resolving) {
            Resolving::Committee => Committee::<Test>::open(dispute),
            Resolving::Refuse => Err(sp_runtime::DispatchError::Other("refused")),
            Resolving::Sleep => Ok(()),
        }
    }

    fn advance(request: RequestId) {
        if world(|world| world.resolving) == Resolving::Committee {
            Committee::<Test>::advance(request);
        }
    }
}

#[derive(Clone)]
struct Operator {
    key: AccountId,
    role: Role,
    prices: Prices<Balance>,
    is_live: bool,
    is_busy: bool,
}

#[derive(Clone)]
struct WorldState {
    active: BTreeMap<CheckpointId, ModelLimits>,
    withdrawn: BTreeSet<CheckpointId>,
    operators: BTreeMap<AccountId, Operator>,
    earnings: Vec<(AccountId, Job, Earning, Balance)>,
    work: Vec<(Work, AccountId, u64)>,
    is_random: bool,
    salt: u64,
    resolving: Resolving,
}

impl WorldState {
    /// Nobody is there, and no checkpoint.
    const EMPTY: Self = Self {
        active: BTreeMap::new(),
        withdrawn: BTreeSet::new(),
        operators: BTreeMap::new(),
        earnings: Vec::new(),
        work: Vec::new(),
        is_random: true,
        salt: 0,
        resolving: Resolving::Committee,
    };
}

thread_local! {
    static WORLD: RefCell<WorldState> = const { RefCell::new(WorldState::EMPTY) };
}

/// A world with one active checkpoint and nobody in it.
pub(crate) fn new_world() {
    let limits = ModelLimits {
        context_length: 100,
        vocabulary: 50,
    };
    world(|world| {
        *world = WorldState::EMPTY;
        world.active.insert(CHECKPOINT, limits);
    });
}

fn world<R>(look: impl FnOnce(&mut WorldState) -> R) -> R {
    WORLD.with(|state| look(&mut state.borrow_mut()))
}

/// The operators, checkpoints and randomness of the mock runtime.
pub struct World;

/// The hot key of a controller.
pub(crate) const fn key(controller: AccountId) -> AccountId {
    controller.wrapping_add(100)
}

/// The account into which payments are moved before they are credited.
pub(crate) const PURSE: AccountId = 9_999;

/// The account that the mock keeps a bond in.
const fn purse(controller: AccountId) -> AccountId {
    controller.wrapping_add(1_000)
}

impl Checkpoints for World {
    fn active(checkpoint: &CheckpointId) -> Option<ModelLimits> {
        world(|world| world.active.get(checkpoint).copied())
    }

    fn exists(checkpoint: &CheckpointId) -> bool {
        world(|world| world.active.contains_key(checkpoint) || world.withdrawn.contains(checkpoint))
    }

    fn canonical_of(_: &CheckpointId) -> Option<CheckpointId> {
        None
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_active(checkpoint: CheckpointId, limits: ModelLimits) {
        world(|world| world.active.insert(checkpoint, limits));
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_canonical_of(_: CheckpointId, _: CheckpointId) {}
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
    ) -> Vec<Candidate<AccountId, Balance>> {
        let candidates = Self::roster(role, checkpoint);
        let weights = candidates.iter().map(|candidate| candidate.bond);
        draw_weighted(weights, randomness.0, candidates.len() as u32)
            .into_iter()
            .map(|index| candidates[index].clone())
            .filter(|candidate| suits(candidate))
            .take(wanted as usize)
            .collect()
    }

    fn roster(role: Role, checkpoint: &CheckpointId) -> Vec<Candidate<AccountId, Balance>> {
        if *checkpoint != CHECKPOINT {
            return Vec::new();
        }
        world(|world| world.operators.clone())
            .into_iter()
            .filter(|(_, operator)| operator.role == role && operator.is_live)
            .map(|(controller, operator)| Candidate {
                controller,
                bond: Self::bond(&controller),
                prices: operator.prices,
            })
            .collect()
    }

    fn serves(role: Role, checkpoint: &CheckpointId, controller: &AccountId) -> bool {
        let operator = world(|world| world.operators.get(controller).cloned());
        *checkpoint == CHECKPOINT && operator.is_some_and(|operator| operator.role == role)
    }

    fn live_bond(role: Role, controller: &AccountId) -> Option<Balance> {
        world(|world| world.operators.get(controller).cloned())
            .filter(|operator| operator.role == role && operator.is_live)
            .map(|_| Self::bond(controller))
    }

    fn bond(controller: &AccountId) -> Balance {
        Balances::total_balance(&purse(*controller))
    }

    fn lock(controller: &AccountId, job: Job, amount: Balance) -> Result<(), ()> {
        let is_busy = world(|world| world.operators[controller].is_busy);
        let mut locks = locks(*controller);
        if is_busy || locks.insert(job, amount).is_some() {
            return Err(());
        }
        unhashed::put(&locks_key(*controller), &locks);
        Ok(())
    }

    fn locked(controller: &AccountId, job: Job) -> Option<Balance> {
        locks(*controller).get(&job).copied()
    }

    fn jobs(controller: &AccountId) -> Vec<Job> {
        locks(*controller).into_keys().collect()
    }

    fn release(controller: &AccountId, job: Job) {
        let mut locks = locks(*controller);
        locks.remove(&job);
        unhashed::put(&locks_key(*controller), &locks);
    }

    fn slash(
        controller: &AccountId,
        job: Job,
        _offence: Offence,
        amount: Balance,
        shares: &[(AccountId, Balance)],
    ) -> Balance {
        let mut locks = locks(*controller);
        let locked = locks.get(&job).copied().unwrap_or(0);
        let purse = purse(*controller);
        let taken = amount.min(locked).min(Balances::total_balance(&purse));
        if taken > 0 {
            locks.insert(job, locked - taken);
            unhashed::put(&locks_key(*controller), &locks);
        }
        let mut left = taken;
        for (to, share) in shares {
            let share = left.min(*share);
            Balances::transfer(&purse, to, share, Preservation::Expendable).expect("winners exist");
            left -= share;
            if share > 0 {
                world(|world| world.earnings.push((*to, job, Earning::Dispute, share)));
            }
        }
        Balances::burn_from(
            &purse,
            left,
            Preservation::Expendable,
            Precision::Exact,
            Fortitude::Force,
        )
        .expect("the purse holds it");
        taken
    }

    fn purse() -> AccountId {
        PURSE
    }

    /// Withdrawn at once.
    fn credit(controller: &AccountId, job: Job, kind: Earning, amount: Balance) {
        Balances::transfer(&PURSE, controller, amount, Preservation::Preserve)
            .expect("the payment is in the purse");
        world(|world| world.earnings.push((*controller, job, kind, amount)));
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register(controller: &AccountId, key: &AccountId, role: Role, _: &CheckpointId) {
        // Benchmarks begin without the state of genesis.
        Balances::set_balance(&PURSE, Balances::minimum_balance());
        add_operator(*controller, role, FUNDS);
        world(|world| {
            let operator = world.operators.get_mut(controller);
            operator.expect("it was just added").key = *key;
        });
    }
}

impl RecordWork<AccountId> for World {
    fn record(work: Work, who: &AccountId, amount: u64) {
        world(|world| world.work.push((work, *who, amount)));
    }
}

impl BlockRandomness for World {
    fn random(subject: &[u8]) -> Option<H256> {
        let (is_random, salt) = world(|world| (world.is_random, world.salt));
        let seed = (System::block_number(), salt, subject).encode();
        is_random.then(|| hashing::blake2_256(&seed))
    }
}

pub(crate) fn add_operator(controller: AccountId, role: Role, bond: Balance) {
    let prices = match role {
        Role::Worker => Prices {
            per_prompt_byte: 1,
            per_output_token: 10,
        },
        Role::Validator | Role::Trainer => Prices::default(),
    };
    let operator = Operator {
        key: key(controller),
        role,
        prices,
        is_live: true,
        is_busy: false,
    };
    Balances::set_balance(&controller, FUNDS);
    Balances::set_balance(&purse(controller), bond);
    world(|world| world.operators.insert(controller, operator));
}

/// Whether an operator is present.
pub(crate) fn set_live(controller: AccountId, is_live: bool) {
    world(|world| {
        let operator = world.operators.get_mut(&controller);
        operator.expect("it is registered").is_live = is_live;
    });
}

/// Whether all of an operator's bond is locked.
pub(crate) fn set_busy(controller: AccountId, is_busy: bool) {
    world(|world| {
        let operator = world.operators.get_mut(&controller);
        operator.expect("it is registered").is_busy = is_busy;
    });
}

pub(crate) fn set_price(controller: AccountId, prices: Prices<Balance>) {
    world(|world| {
        let operator = world.operators.get_mut(&controller);
        operator.expect("it is registered").prices = prices;
    });
}

/// Behind how many requests a part of an operator's bond is locked.
pub(crate) fn engaged(controller: AccountId) -> usize {
    locks(controller).len()
}

fn locks(controller: AccountId) -> BTreeMap<Job, Balance> {
    unhashed::get_or_default(&locks_key(controller))
}

/// In storage, for a call that is refused must leave it as it was.
fn locks_key(controller: AccountId) -> Vec<u8> {
    (b"locks", controller).encode()
}

pub(crate) fn earnings() -> Vec<(AccountId, Job, Earning, Balance)> {
    world(|world| world.earnings.clone())
}

/// What was noted of the work that was done.
pub(crate) fn work() -> Vec<(Work, AccountId, u64)> {
    world(|world| world.work.clone())
}

pub(crate) fn bond(controller: AccountId) -> Balance {
    World::bond(&controller)
}

/// What the randomness of all blocks depends on.
pub(crate) fn set_salt(salt: u64) {
    world(|world| world.salt = salt);
}

pub(crate) fn set_random(is_random: bool) {
    world(|world| world.is_random = is_random);
}

pub(crate) fn set_resolving(resolving: Resolving) {
    world(|world| world.resolving = resolving);
}

pub(crate) fn withdraw_checkpoint() {
    world(|world| {
        world.active.remove(&CHECKPOINT);
        world.withdrawn.insert(CHECKPOINT);
    });
}
