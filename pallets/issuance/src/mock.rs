//! A runtime with the pallet and balances, and helpers for the tests.

use crate as pallet_issuance;
use frame_support::{
    pallet_prelude::ValueQuery,
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU64, Hooks},
    weights::Weight,
    Twox64Concat,
};
use noema_economics::{Balance, Permill};
use noema_interfaces::{KeepWork, RecentWork, RecordWork};
use noema_protocol::{PerWork, Work};

pub(crate) type AccountId = u64;

pub(crate) const ALICE: AccountId = 1;
pub(crate) const BOB: AccountId = 2;
/// An address without an account.
pub(crate) const UNFUNDED: AccountId = 50;
pub(crate) const TREASURY: AccountId = 99;
pub(crate) const ENDOWMENT: Balance = 10_000;
pub(crate) const EXISTENTIAL_DEPOSIT: Balance = 10;
/// Twice ten epochs of a thousand.
pub(crate) const POOL: Balance = 20_000;
pub(crate) const SUBSIDY: Balance = 1_000;
pub(crate) const EPOCHS_PER_ERA: u32 = 10;
pub(crate) const EPOCH: u64 = 5;
pub(crate) const WINDOW: u32 = 3;
/// The total issuance at genesis.
pub(crate) const GENESIS: Balance = 9 * ENDOWMENT;

noema_testing::runtime!(Test {
    2: Issuance = pallet_issuance,
});

noema_testing::system_and_balances!(
    Test, block: MockBlock, balance: Balance, existential_deposit: EXISTENTIAL_DEPOSIT
);

parameter_types! {
    pub const Shares: PerWork<Permill> = PerWork {
        inference: Permill::from_percent(40),
        check: Permill::from_percent(20),
        training: Permill::from_percent(30),
    };
}

impl pallet_issuance::Config for Test {
    type Currency = Balances;
    type Pool = ConstU128<POOL>;
    type EpochsPerEra = ConstU32<EPOCHS_PER_ERA>;
    type EpochLength = ConstU64<EPOCH>;
    type Shares = Shares;
    type ClaimWindow = ConstU32<WINDOW>;
    type TreasuryAccount = ConstU64<TREASURY>;
    type Recent = Records;
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
}

/// The work that the records of accounts keep.
#[frame_support::storage_alias]
type Recent = StorageMap<Mock, Twox64Concat, AccountId, RecentWork, ValueQuery>;

/// Keeps work as the operators' pallet does.
pub struct Records;

impl KeepWork<AccountId> for Records {
    fn recent(who: &AccountId) -> RecentWork {
        Recent::get(who)
    }

    fn forget(who: &AccountId, epoch: u32) {
        if Recent::get(who).epoch == epoch {
            Recent::remove(who);
        }
    }

    fn all_recent() -> Vec<(AccountId, RecentWork)> {
        Recent::iter().collect()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn keep(who: &AccountId, recent: RecentWork) {
        Recent::insert(who, recent);
    }
}

/// Genesis: the accounts 1 to 9 are endowed, and epochs have `epoch_length` blocks.
pub(crate) fn genesis(epoch_length: Option<u64>) -> sp_io::TestExternalities {
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=9).map(|who| (who, ENDOWMENT)).collect(),
            ..Default::default()
        },
        issuance: crate::GenesisConfig { epoch_length },
        ..Default::default()
    };
    let mut ext = noema_testing::build(genesis);
    ext.execute_with(|| System::set_block_number(1));
    ext
}

pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    genesis(None)
}

/// Runs a test and audits the state it leaves.
pub(crate) fn test(run: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        run();
        Issuance::audit().expect("the audit finds nothing");
    });
}

pub(crate) fn next_block() {
    let now = System::block_number();
    Issuance::on_idle(now, Weight::MAX);
    Issuance::audit().expect("the audit finds nothing");
    System::set_block_number(now + 1);
    Issuance::on_initialize(now + 1);
}

/// Advances to the first block of an epoch.
pub(crate) fn go_to_epoch(epoch: u32) {
    while System::block_number() < u64::from(epoch) * EPOCH {
        next_block();
    }
}

pub(crate) fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub(crate) fn answers(who: AccountId, amount: u64) {
    <Issuance as RecordWork<AccountId>>::record(Work::Inference, &who, amount);
}

pub(crate) fn checks(who: AccountId, amount: u64) {
    <Issuance as RecordWork<AccountId>>::record(Work::Check, &who, amount);
}

pub(crate) fn trains(who: AccountId, amount: u64) {
    <Issuance as RecordWork<AccountId>>::record(Work::Training, &who, amount);
}

/// Records work in the record of the account, as its credit does.
pub(crate) fn credits(work: Work, who: AccountId, amount: u64) -> bool {
    Recent::mutate(who, |recent| {
        <Issuance as RecordWork<AccountId>>::record_recent(recent, work, &who, amount)
    })
}

/// Removes the record of an account.
pub(crate) fn leaves(who: AccountId) {
    <Issuance as RecordWork<AccountId>>::enter(&who, &Recent::take(who));
}

pub(crate) fn balance(who: AccountId) -> Balance {
    use frame_support::traits::fungible::Inspect;
    Balances::total_balance(&who)
}
