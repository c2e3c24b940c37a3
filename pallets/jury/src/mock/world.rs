//! Mocks of the other pallets: claims, disputes, operators and randomness.

use super::{AccountId, Jury};
use noema_claims::{
    Availability, Beacon, Claim, ClaimFault, ClaimOutcome, ClaimRules, ClaimStage, ClaimTerms,
    ClaimWindows, Decision, Permill, RelayBlock, Seat, SeatState,
};
use noema_economics::{draw_below, Balance};
use noema_interfaces::{
    Burden, Candidate, Claims, Disputes, Earning, Load, Operators, Referee, RelayRandomness,
    Selection, WorkCredit, MAX_TRIES,
};
use noema_protocol::{
    hashing::{blake2_256, roster_draw},
    CheckpointId, ClaimId, Job, Offence, Role,
};
use sp_core::H256;
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
};

pub(crate) const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
pub(crate) const CLAIM: ClaimId = ClaimId(1);
pub(crate) const CLAIMANT: AccountId = 1;
pub(crate) const PAYER: AccountId = 2;
/// The challenger of every challenged leaf.
pub(crate) const CHALLENGER: AccountId = 3;
/// Accounts with funds.
pub(crate) const APPELLANTS: [AccountId; 2] = [8, 9];
/// The balance of each of them.
pub(crate) const FUNDS: Balance = 100_000;
/// The bond of a validator.
pub(crate) const BOND: Balance = 10_000;
/// The part of it that is locked behind a dispute.
pub(crate) const STAKE: Balance = 1_000;
/// The stake of the claimant: more than a challenge bond, so it is the bond of an appeal.
pub(crate) const CLAIM_STAKE: Balance = 5_000;
pub(crate) const FRESHNESS: RelayBlock = 4;
/// Blocks to commit: a base of 3, and 2 for the tokens of a leaf.
pub(crate) const COMMIT_WINDOW: u32 = 5;
pub(crate) const REVEAL_WINDOW: u32 = 2;
pub(crate) const APPEAL_WINDOW: u32 = 4;

/// A dispute that was concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conclusion {
    pub(crate) leaf: u32,
    pub(crate) decision: Decision,
    pub(crate) jurors: Vec<AccountId>,
    /// The locks on their bonds when they were reported to the claims pallet.
    pub(crate) locked: Balance,
}

/// A slash that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slash {
    pub(crate) operator: AccountId,
    pub(crate) job: Job,
    pub(crate) offence: Offence,
    pub(crate) taken: Balance,
}

#[derive(Clone, Default)]
struct Operator {
    bond: Balance,
    /// The part of the bond that is not in the roster of the present term.
    added: Balance,
    locks: BTreeMap<Job, Balance>,
    is_absent: bool,
}

#[derive(Clone)]
struct WorldState {
    relay: RelayBlock,
    beacon: Beacon,
    is_random: bool,
    seed: u64,
    /// The operators that the next draws hit before random ones.
    hits: VecDeque<AccountId>,
    claims: BTreeMap<ClaimId, Claim<AccountId, u32>>,
    challengers: BTreeMap<(ClaimId, u32), Vec<AccountId>>,
    /// The backlogs of validators from checks.
    backlogs: BTreeMap<AccountId, u64>,
    operators: BTreeMap<AccountId, Operator>,
    keys: BTreeMap<AccountId, AccountId>,
    concluded: Vec<Conclusion>,
    slashes: Vec<Slash>,
}

thread_local! {
    static WORLD: RefCell<Option<WorldState>> = const { RefCell::new(None) };
}

fn world<R>(look: impl FnOnce(&mut WorldState) -> R) -> R {
    WORLD.with(|state| look(state.borrow_mut().as_mut().expect("a mock was set up")))
}

pub(crate) fn rules() -> ClaimRules<u32> {
    ClaimRules {
        windows: ClaimWindows {
            finality: 0,
            commit: 3,
            tokens_per_block: 50,
            reveal: REVEAL_WINDOW,
            challenge: APPEAL_WINDOW,
            post: 2,
        },
        freshness: FRESHNESS,
        margin_percent: 200,
        min_check_rate: Permill::from_percent(5),
        validators_per_leaf: 2,
        max_draws: 3,
        validator_stake: STAKE,
        challenger_share: Permill::from_percent(50),
        challenger_cap: 400,
        challenge_bond: 2_000,
        juror_fee_per_token: 1,
        burned_share: Permill::from_percent(10),
    }
}

/// A claim of sixteen leaves that any account may challenge.
pub(crate) fn claim(id: ClaimId) -> Claim<AccountId, u32> {
    let terms = ClaimTerms {
        claimant: CLAIMANT,
        payer: PAYER,
        checkpoint: CHECKPOINT,
        root: H256::repeat_byte(8),
        leaves: 16,
        leaf_tokens: 100,
        availability: Availability::OnChain,
        payment: 1_000,
        exposure: 0,
        check_fee: 200,
        stake: CLAIM_STAKE,
        rules: rules(),
    };
    Claim::new(id, terms, 1, 1).expect("the terms can be claimed")
}

pub(crate) fn new_world() {
    let state = WorldState {
        relay: 100,
        beacon: Beacon::default(),
        is_random: true,
        seed: 0,
        hits: VecDeque::new(),
        claims: BTreeMap::from([(CLAIM, claim(CLAIM))]),
        challengers: BTreeMap::new(),
        backlogs: BTreeMap::new(),
        operators: BTreeMap::new(),
        keys: BTreeMap::new(),
        concluded: Vec::new(),
        slashes: Vec::new(),
    };
    WORLD.with(|world| *world.borrow_mut() = Some(state));
}

/// Sets the backlog of a validator from checks.
pub(crate) fn set_backlog(validator: AccountId, tokens: u64) {
    world(|world| world.backlogs.insert(validator, tokens));
}

pub(crate) fn set_seed(seed: u64) {
    world(|world| world.seed = seed);
}

/// Lets the next draws hit these validators, one each.
pub(crate) fn hit(validators: impl IntoIterator<Item = AccountId>) {
    world(|world| world.hits = validators.into_iter().collect());
}

/// Adds an amount to the bond of a validator that is not in the roster of the present term.
pub(crate) fn top_up(validator: AccountId, amount: Balance) {
    world(|world| {
        let operator = world
            .operators
            .get_mut(&validator)
            .expect("the operator exists");
        operator.bond += amount;
        operator.added += amount;
    });
}

/// The lock on a validator's bond behind the dispute of a test.
pub(crate) fn locked_behind(validator: AccountId) -> Option<Balance> {
    World::locked(&validator, Job::Dispute(CLAIM, super::LEAF))
}

/// The part of a bond that is not locked.
pub(crate) fn free_bond(validator: AccountId) -> Balance {
    world(|world| {
        let operator = &world.operators[&validator];
        operator.bond - operator.locks.values().sum::<Balance>()
    })
}

/// Sets whether relay chain blocks carry randomness from now on.
pub(crate) fn set_random(is_random: bool) {
    world(|world| world.is_random = is_random);
}

pub(crate) fn add_validator(controller: AccountId, bond: Balance) {
    let operator = Operator {
        bond,
        ..Default::default()
    };
    world(|world| {
        world.operators.insert(controller, operator);
        world.keys.insert(key(controller), controller);
    });
}

/// The hot key of a controller.
pub(crate) const fn key(controller: AccountId) -> AccountId {
    controller.wrapping_add(1_000)
}

/// Advances the relay chain by one block.
pub(crate) fn next_relay_block() {
    world(|world| {
        world.relay += 1;
        if world.is_random {
            let value = blake2_256(
                &[world.seed, world.relay.into()]
                    .map(u64::to_le_bytes)
                    .concat(),
            );
            world.beacon.push(world.relay, value);
        }
    });
}

/// Seats a validator at a leaf of the claim.
pub(crate) fn seat_at(claim: ClaimId, leaf: u32, validator: AccountId) {
    let seat = Seat {
        validator,
        leaf,
        point: 0,
        state: SeatState::Seated,
    };
    world(|world| {
        let claim = world.claims.get_mut(&claim).expect("the claim was made");
        claim.seats.try_push(seat).expect("a seat is free");
    });
}

/// Challenges a leaf; the first challenge of a leaf opens the dispute.
pub(crate) fn challenge(id: ClaimId, leaf: u32, challenger: AccountId) {
    let (claim, joins) = world(|world| {
        let challengers = world.challengers.entry((id, leaf)).or_default();
        challengers.push(challenger);
        let joins = challengers.len() > 1;
        let claim = world.claims.entry(id).or_insert_with(|| claim(id));
        claim
            .challenge(&challenger, leaf, joins, 1)
            .expect("the leaf may be challenged");
        (claim.clone(), joins)
    });
    if !joins {
        Jury::open(&claim, leaf);
    }
}

/// Ends a claim for another reason than a dispute.
pub(crate) fn withhold(id: ClaimId, leaf: u32) {
    fall(id, ClaimFault::Withheld(leaf));
}

fn fall(id: ClaimId, fault: ClaimFault) {
    world(|world| {
        let claim = world.claims.get_mut(&id).expect("the claim was made");
        claim.stage = ClaimStage::Ended(ClaimOutcome::Fallen(fault));
        world.challengers.retain(|(claim, _), _| *claim != id);
    });
}

pub(crate) fn concluded() -> Vec<Conclusion> {
    world(|world| world.concluded.clone())
}

/// The conclusion of the only dispute of a test.
pub(crate) fn conclusion() -> Option<Conclusion> {
    concluded().pop()
}

pub(crate) fn slashes() -> Vec<Slash> {
    world(|world| world.slashes.clone())
}

pub(crate) fn slashed(operator: AccountId) -> Option<(Offence, Balance)> {
    let slashes = slashes();
    let mut of_operator = slashes.iter().filter(|slash| slash.operator == operator);
    let slash = of_operator.next().map(|slash| (slash.offence, slash.taken));
    assert_eq!(of_operator.next(), None, "{operator} was slashed twice");
    slash
}

pub(crate) fn has_ended(id: ClaimId) -> bool {
    world(|world| {
        world
            .claims
            .get(&id)
            .is_none_or(|claim| claim.outcome().is_some())
    })
}

/// The sum of all locks.
pub(crate) fn locked() -> Balance {
    world(|world| {
        let locks = world
            .operators
            .values()
            .flat_map(|operator| operator.locks.values());
        locks.sum()
    })
}

pub(crate) fn bonds() -> Balance {
    world(|world| world.operators.values().map(|operator| operator.bond).sum())
}

/// Locks a part of a bond behind another job.
pub(crate) fn lock_elsewhere(operator: AccountId, amount: Balance) {
    let job = Job::Check(ClaimId(99), 0);
    World::lock(&operator, job, amount).expect("the bond suffices for it");
}

/// The claims, disputes, operators and randomness of the mock runtime.
pub struct World;

impl RelayRandomness for World {
    fn relay_block() -> RelayBlock {
        world(|world| world.relay)
    }

    fn beacon() -> Beacon {
        world(|world| world.beacon)
    }
}

impl Claims<AccountId, u32> for World {
    type Error = ();

    fn hold(_: &AccountId, _: Balance) -> Result<(), ()> {
        Ok(())
    }

    fn release(_: &AccountId, amount: Balance) -> Balance {
        amount
    }

    fn make(_: Job, _: ClaimTerms<AccountId, u32>, _: Balance) -> Result<ClaimId, ()> {
        Err(())
    }

    fn prune(_: ClaimId) {}

    fn claim(id: ClaimId) -> Option<Claim<AccountId, u32>> {
        world(|world| world.claims.get(&id).cloned())
    }

    fn kept() -> Vec<(ClaimId, Job)> {
        Vec::new()
    }

    fn owed() -> Vec<(AccountId, Balance)> {
        Vec::new()
    }

    fn held(_: &AccountId) -> Balance {
        0
    }
}

impl Disputes<AccountId> for World {
    fn challengers(claim: ClaimId, leaf: u32) -> Vec<AccountId> {
        world(|world| {
            let challengers = world.challengers.get(&(claim, leaf));
            challengers.cloned().unwrap_or_default()
        })
    }

    /// As the claims pallet does: the claim falls unless the leaf is true, and it keeps no dispute over it.
    fn conclude(id: ClaimId, leaf: u32, decision: Decision, jurors: &[AccountId]) {
        let job = Job::Dispute(id, leaf);
        let locked = jurors
            .iter()
            .filter_map(|juror| Self::locked(juror, job))
            .sum();
        let is_open = world(|world| {
            let is_open = world.challengers.remove(&(id, leaf)).is_some();
            world.concluded.push(Conclusion {
                leaf,
                decision,
                jurors: jurors.to_vec(),
                locked,
            });
            if let Some(claim) = world.claims.get_mut(&id) {
                claim.disputes -= 1;
            }
            is_open
        });
        assert!(is_open, "a dispute is concluded once");
        if decision != Decision::True {
            fall(id, ClaimFault::FalseLeaf(leaf));
        }
    }
}

impl Operators<AccountId, Balance> for World {
    type Error = ();

    fn controller_of(key: &AccountId) -> Option<AccountId> {
        world(|world| world.keys.get(key).copied())
    }

    /// As the real rosters do: by weight, each try separately, and each operator at most once.
    fn draw(
        role: Role,
        checkpoint: &CheckpointId,
        randomness: H256,
        wanted: u32,
        mut suits: impl FnMut(&Candidate<AccountId, Balance>) -> bool,
    ) -> Selection<AccountId, Balance> {
        let roster = Self::roster(role, checkpoint);
        while let Some(next) = world(|world| world.hits.pop_front()) {
            let hit = roster.iter().find(|one| one.controller == next);
            if let Some(candidate) = hit.filter(|candidate| suits(candidate)) {
                return Selection {
                    candidates: vec![candidate.clone()],
                    tries: 1,
                    absent: 0,
                };
            }
        }
        let total: Balance = roster.iter().map(|candidate| candidate.bond).sum();
        let (mut seen, mut drawn) = (Vec::new(), Vec::new());
        for n in 0..MAX_TRIES {
            if total == 0 || drawn.len() >= wanted as usize {
                break;
            }
            let mut point = draw_below(total, roster_draw(randomness, n).0);
            let candidate = roster.iter().find(|candidate| {
                let is_hit = point < candidate.bond;
                point = point.saturating_sub(candidate.bond);
                is_hit
            });
            let candidate = candidate.expect("the point is below the total");
            if seen.contains(&candidate.controller) {
                continue;
            }
            seen.push(candidate.controller);
            if suits(candidate) {
                drawn.push(candidate.clone());
            }
        }
        Selection {
            candidates: drawn,
            tries: seen.len() as u32,
            absent: 0,
        }
    }

    fn roster(role: Role, checkpoint: &CheckpointId) -> Vec<Candidate<AccountId, Balance>> {
        if role != Role::Validator || *checkpoint != CHECKPOINT {
            return Vec::new();
        }
        world(|world| {
            let present = world
                .operators
                .iter()
                .filter(|(_, operator)| !operator.is_absent);
            present
                .map(|(controller, operator)| {
                    let bond = operator.bond.saturating_sub(operator.added);
                    let locked = operator.locks.values().sum();
                    Candidate {
                        controller: *controller,
                        bond,
                        free: bond.saturating_sub(locked),
                        prices: Default::default(),
                        load: Default::default(),
                    }
                })
                .collect()
        })
    }

    fn serves(_: Role, _: &CheckpointId, _: &AccountId) -> bool {
        true
    }

    fn live_bond(_: Role, controller: &AccountId) -> Option<Balance> {
        Some(Self::bond(controller))
    }

    fn bond(controller: &AccountId) -> Balance {
        world(|world| {
            world
                .operators
                .get(controller)
                .map_or(0, |operator| operator.bond)
        })
    }

    fn lock(controller: &AccountId, job: Job, amount: Balance) -> Result<(), ()> {
        world(|world| {
            let operator = world.operators.get_mut(controller).ok_or(())?;
            let locked: Balance = operator.locks.values().sum();
            if locked + amount > operator.bond || operator.locks.contains_key(&job) {
                return Err(());
            }
            operator.locks.insert(job, amount);
            Ok(())
        })
    }

    fn lock_drawn(
        candidate: &Candidate<AccountId, Balance>,
        job: Job,
        amount: Balance,
        _: Burden,
    ) -> Result<(), ()> {
        let controller = &candidate.controller;
        let locks = Self::jobs(controller).into_iter();
        let locked: Balance = locks.filter_map(|job| Self::locked(controller, job)).sum();
        if locked + amount > candidate.bond {
            return Err(());
        }
        Self::lock(controller, job, amount)
    }

    fn locked(controller: &AccountId, job: Job) -> Option<Balance> {
        world(|world| world.operators.get(controller)?.locks.get(&job).copied())
    }

    fn jobs(controller: &AccountId) -> Vec<Job> {
        world(|world| {
            let operator = world.operators.get(controller);
            operator.map_or(Vec::new(), |operator| {
                operator.locks.keys().copied().collect()
            })
        })
    }

    fn release(controller: &AccountId, job: Job) {
        world(|world| {
            let operator = world
                .operators
                .get_mut(controller)
                .expect("the operator exists");
            operator.locks.remove(&job);
        });
    }

    fn change_load(_: &AccountId, _: impl FnOnce(Load) -> Load) {}

    fn loads() -> Vec<(AccountId, Load)> {
        Vec::new()
    }

    fn check_backlog(validator: &AccountId) -> u64 {
        world(|world| world.backlogs.get(validator).copied().unwrap_or(0))
    }

    fn change_check_backlog(_: &AccountId, _: impl FnOnce(u64) -> u64) {}

    fn check_backlogs() -> Vec<(AccountId, u64)> {
        Vec::new()
    }

    fn slash(
        controller: &AccountId,
        job: Job,
        offence: Offence,
        amount: Balance,
        shares: &[(AccountId, Balance)],
    ) -> Balance {
        assert!(shares.is_empty(), "all of it burns");
        world(|world| {
            let operator = world
                .operators
                .get_mut(controller)
                .expect("the operator exists");
            let lock = operator.locks.get_mut(&job).expect("the job has a lock");
            let taken = amount.min(*lock);
            *lock -= taken;
            operator.bond -= taken;
            operator.is_absent = true;
            world.slashes.push(Slash {
                operator: *controller,
                job,
                offence,
                taken,
            });
            taken
        })
    }

    fn spend(_: &AccountId, _: Job, _: Balance) -> Balance {
        unreachable!("a jury charges no operator")
    }

    fn purse() -> AccountId {
        9_999
    }

    fn credit(_: &AccountId, _: Job, _: Earning, _: Balance) {}

    fn release_paid(_: &AccountId, _: Job, _: WorkCredit<Balance>) -> bool {
        false
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register(controller: &AccountId, key: &AccountId, _: Role, _: &CheckpointId) {
        add_validator(*controller, BOND);
        world(|world| world.keys.insert(*key, *controller));
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for World {
    fn challenged(_: CheckpointId) -> (ClaimId, u32) {
        new_world();
        challenge(CLAIM, 0, CHALLENGER);
        (CLAIM, 0)
    }
}
