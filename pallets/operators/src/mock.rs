//! A runtime with the pallet and balances, and helpers for the tests.

use crate as pallet_operators;
use crate::{Device, DeviceClass, Endpoint, NetworkAddress, Roles};
use frame_support::{
    assert_ok, parameter_types,
    traits::{ConstU32, ConstU64},
    BoundedVec,
};
use noema_interfaces::Checkpoints;
use noema_protocol::{CheckpointId, Job, ModelLimits, Offence, Prices, RequestId, Role};
use sp_core::H256;
use sp_runtime::testing::TestSignature;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

pub(crate) type AccountId = u64;
pub(crate) type Balance = u64;

pub(crate) const ALICE: AccountId = 1;
pub(crate) const BOB: AccountId = 2;
pub(crate) const CAROL: AccountId = 3;
pub(crate) const MIN_BOND: Balance = 100;
pub(crate) const ENDOWMENT: Balance = 10_000;
/// Blocks in a term.
pub(crate) const TERM: u64 = 10;
pub(crate) const LLAMA: CheckpointId = CheckpointId(H256::repeat_byte(1));
pub(crate) const OTHER: CheckpointId = CheckpointId(H256::repeat_byte(2));
pub(crate) const WORKER: Roles = Roles {
    worker: true,
    validator: false,
    trainer: false,
};
pub(crate) const VALIDATOR: Roles = Roles {
    worker: false,
    validator: true,
    trainer: false,
};
pub(crate) const BOTH: Roles = Roles {
    worker: true,
    validator: true,
    trainer: false,
};
pub(crate) const PRICES: Prices<Balance> = Prices {
    per_prompt_byte: 2,
    per_answer_token: 10,
};

noema_testing::runtime!(Test {
    2: Operators = pallet_operators,
});

noema_testing::system_and_balances!(
    Test, block: MockBlock, balance: Balance, existential_deposit: 5
);

parameter_types! {
    pub const ReportPeriod: u64 = 20;
    pub const UnbondingDelay: u64 = 50;
}

impl pallet_operators::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Checkpoints = ActiveCheckpoints;
    type Signature = TestSignature;
    type MinBond = ConstU64<MIN_BOND>;
    type BondUnit = ConstU64<10>;
    type ReportPeriod = ReportPeriod;
    type UnbondingDelay = UnbondingDelay;
    type MaxServed = ConstU32<2>;
    type Work = ();
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

thread_local! {
    static ACTIVE: RefCell<BTreeSet<CheckpointId>> = const { RefCell::new(BTreeSet::new()) };
    static CANONICAL: Cell<Option<CheckpointId>> = const { Cell::new(None) };
}

/// The checkpoints that a test activated.
pub struct ActiveCheckpoints;

impl ActiveCheckpoints {
    pub(crate) fn activate(checkpoint: CheckpointId) {
        ACTIVE.with_borrow_mut(|active| active.insert(checkpoint));
    }

    pub(crate) fn make_canonical(checkpoint: CheckpointId) {
        CANONICAL.set(Some(checkpoint));
    }
}

impl Checkpoints for ActiveCheckpoints {
    fn active(checkpoint: &CheckpointId) -> Option<ModelLimits> {
        let limits = ModelLimits {
            context_length: 2_048,
            tokens_per_byte: 1,
            template_tokens: 0,
            vocabulary: 49_152,
        };
        ACTIVE.with_borrow(|active| active.contains(checkpoint).then_some(limits))
    }

    fn exists(checkpoint: &CheckpointId) -> bool {
        Self::active(checkpoint).is_some()
    }

    /// All checkpoints are of one family.
    fn canonical_of(_: &CheckpointId) -> Option<CheckpointId> {
        CANONICAL.get()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_active(checkpoint: CheckpointId, _: ModelLimits) {
        Self::activate(checkpoint);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_canonical_of(_: CheckpointId, canonical: CheckpointId) {
        Self::make_canonical(canonical);
    }
}

/// Genesis: the accounts 1 to 9 are endowed and two checkpoints are active.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=9).map(|who| (who, ENDOWMENT)).collect(),
            ..Default::default()
        },
        operators: pallet_operators::GenesisConfig { term_length: TERM },
        ..Default::default()
    };
    let mut ext = noema_testing::build(genesis);
    ext.execute_with(|| {
        ACTIVE.with_borrow_mut(BTreeSet::clear);
        CANONICAL.set(None);
        ActiveCheckpoints::activate(LLAMA);
        ActiveCheckpoints::activate(OTHER);
        advance_to(1);
    });
    ext
}

/// Runs a test and audits the state it leaves.
pub(crate) fn test(run: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        run();
        Operators::audit().expect("the audit finds nothing");
    });
}

pub(crate) fn advance_to(block: u64) {
    System::set_block_number(block);
}

pub(crate) fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// The hot key of a controller in the tests.
pub(crate) fn key_of(controller: AccountId) -> AccountId {
    controller + 100
}

/// The signature of `key` that it submits for `controller`.
pub(crate) fn possession(controller: AccountId, key: AccountId) -> TestSignature {
    noema_testing::possession(key, controller, System::block_hash(0))
}

pub(crate) fn register(controller: AccountId, roles: Roles, bond: Balance) {
    let key = key_of(controller);
    assert_ok!(Operators::register(
        signed(controller),
        roles,
        key,
        possession(controller, key),
        PRICES,
        bond
    ));
}

/// Registers an operator that serves [`LLAMA`].
pub(crate) fn serving(controller: AccountId, roles: Roles, bond: Balance) {
    register(controller, roles, bond);
    assert_ok!(Operators::serve(signed(controller), LLAMA));
}

/// Advances to the first block of the term `terms` later.
pub(crate) fn pass_terms(terms: u64) {
    advance_to((System::block_number() / TERM + terms) * TERM);
}

/// The operators that can be drawn in `role` for `checkpoint` now, with their weights.
pub(crate) fn drawable(role: Role, checkpoint: CheckpointId) -> Vec<(AccountId, u64)> {
    let drawable = Operators::drawable(role, checkpoint);
    drawable
        .into_iter()
        .map(|operator| (operator.controller, operator.weight))
        .collect()
}

/// Up to `wanted` operators, drawn now with the randomness `random`.
pub(crate) fn draw(role: Role, random: u8, wanted: u32) -> Vec<AccountId> {
    let randomness = H256::repeat_byte(random);
    let drawn = <Operators as noema_interfaces::Operators<_, _>>::draw(
        role,
        &LLAMA,
        randomness,
        wanted,
        |_| true,
    );
    drawn
        .candidates
        .into_iter()
        .map(|candidate| candidate.controller)
        .collect()
}

/// The job of the request `request`.
pub(crate) const fn job(request: u64) -> Job {
    Job::Request(RequestId(request))
}

/// Locks `amount` behind a job of `controller` and slashes it. The part that is not in `shares` burns.
pub(crate) fn convict(
    controller: AccountId,
    request: u64,
    amount: Balance,
    shares: &[(AccountId, Balance)],
) -> Balance {
    use noema_interfaces::Operators as _;
    assert_ok!(Operators::lock(&controller, job(request), amount));
    let taken = Operators::slash(
        &controller,
        job(request),
        Offence::FalseAnswer,
        amount,
        shares,
    );
    Operators::release(&controller, job(request));
    taken
}

pub(crate) fn gpu() -> Device {
    Device {
        class: DeviceClass::Gpu,
        name: BoundedVec::truncate_from(b"NVIDIA L4".to_vec()),
        self_test: H256::repeat_byte(7),
    }
}

pub(crate) fn endpoint() -> Endpoint {
    let address = NetworkAddress::Ipv4 {
        address: [203, 0, 113, 7],
        port: 4_433,
    };
    Endpoint {
        peer: [9; 32],
        addresses: BoundedVec::truncate_from(vec![address]),
    }
}

pub(crate) fn held(who: AccountId) -> Balance {
    use frame_support::traits::fungible::hold::Inspect;
    Balances::balance_on_hold(&crate::HoldReason::Bond.into(), &who)
}

/// The sum of free and held balance.
pub(crate) fn total(who: AccountId) -> Balance {
    use frame_support::traits::fungible::Inspect;
    Balances::total_balance(&who)
}

pub(crate) fn transfer_to_purse(from: AccountId, amount: Balance) {
    use frame_support::traits::{fungible::Mutate, tokens::Preservation};
    let purse = <Operators as noema_interfaces::Operators<_, _>>::purse();
    assert_ok!(Balances::transfer(
        &from,
        &purse,
        amount,
        Preservation::Preserve
    ));
}

/// Pays `amount` from the balance of `from` to an operator, for an answer.
pub(crate) fn pay(from: AccountId, to: AccountId, amount: Balance) {
    transfer_to_purse(from, amount);
    <Operators as noema_interfaces::Operators<_, _>>::credit(
        &to,
        job(1),
        noema_interfaces::Earning::Answer,
        amount,
    );
}
