//! The state of the mocks: checkpoints, and the relay chain.

use super::AccountId;
use codec::Encode;
use noema_claims::{Beacon, RelayBlock};
use noema_interfaces::Checkpoints;
use noema_protocol::{hashing, CheckpointId, ModelLimits, Prices};
use sp_core::H256;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// The checkpoint of most tests.
pub(crate) const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
/// Another one.
pub(crate) const OTHER_CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(8));
/// Its bounds.
pub(crate) const LIMITS: ModelLimits = ModelLimits {
    context_length: 100,
    vocabulary: 50,
    tokens_per_byte: 1,
    template_tokens: 5,
};

#[derive(Clone)]
pub(super) struct Operator {
    pub(super) key: AccountId,
    pub(super) checkpoints: BTreeSet<CheckpointId>,
    pub(super) prices: Prices<crate::Balance>,
    /// In the roster of the present term.
    pub(super) is_listed: bool,
    /// The part of its bond that is in that roster.
    pub(super) bond: crate::Balance,
}

pub(super) struct WorldState {
    pub(super) active: BTreeMap<CheckpointId, ModelLimits>,
    pub(super) withdrawn: BTreeSet<CheckpointId>,
    pub(super) operators: BTreeMap<AccountId, Operator>,
    pub(super) beacon: Beacon,
    pub(super) relay: RelayBlock,
    pub(super) is_random: bool,
    pub(super) salt: u64,
    pub(super) refuses_claims: bool,
}

thread_local! {
    static WORLD: RefCell<Option<WorldState>> = const { RefCell::new(None) };
}

/// A state with one active checkpoint and no operator.
pub(super) fn new_world() {
    WORLD.set(Some(WorldState {
        active: BTreeMap::from([(CHECKPOINT, LIMITS)]),
        withdrawn: BTreeSet::new(),
        operators: BTreeMap::new(),
        beacon: Beacon::default(),
        relay: 1_000,
        is_random: true,
        salt: 0,
        refuses_claims: false,
    }));
}

pub(super) fn world<R>(look: impl FnOnce(&mut WorldState) -> R) -> R {
    WORLD.with_borrow_mut(|state| look(state.as_mut().expect("a test begins with a world")))
}

/// The operators, checkpoints and claims of the mock runtime.
pub struct World;

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

/// Adds a block of the relay chain.
pub(super) fn next_relay_block() {
    world(|world| {
        world.relay += 1;
        if world.is_random {
            let value = hashing::blake2_256(&(world.relay, world.salt).encode());
            world.beacon.push(world.relay, value);
        }
    });
}

/// Sets whether blocks of the relay chain have randomness.
pub(crate) fn set_random(is_random: bool) {
    world(|world| world.is_random = is_random);
}

/// Sets whether claims are refused.
pub(crate) fn set_refuses_claims(refuses_claims: bool) {
    world(|world| world.refuses_claims = refuses_claims);
}

pub(crate) fn add_checkpoint(checkpoint: CheckpointId, limits: ModelLimits) {
    world(|world| world.active.insert(checkpoint, limits));
}

pub(crate) fn withdraw_checkpoint(checkpoint: CheckpointId) {
    world(|world| {
        world.active.remove(&checkpoint);
        world.withdrawn.insert(checkpoint);
    });
}
