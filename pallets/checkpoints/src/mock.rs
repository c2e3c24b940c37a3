//! A runtime with the pallet and balances, and helpers for the tests.

use crate as pallet_checkpoints;
use crate::{Architecture, TokenBounds, Variant, Weights};
use frame_support::{
    assert_ok,
    traits::{ConstU32, ConstU64},
    BoundedVec,
};
use frame_system::EnsureRoot;
use noema_interfaces::{Burden, Candidate, Earning, Load, Operators, Selection, WorkCredit};
use noema_protocol::{CheckpointId, FamilyId, Job, Offence, Role};
use sp_core::H256;
use sp_runtime::DispatchError;
use std::{cell::RefCell, collections::BTreeMap};

pub(crate) type AccountId = u64;
pub(crate) type Balance = u64;

pub(crate) const ALICE: AccountId = 1;
pub(crate) const BOB: AccountId = 2;
pub(crate) const BLOB: H256 = H256::repeat_byte(7);
pub(crate) const FAMILY_DEPOSIT: Balance = 100;
pub(crate) const CHECKPOINT_DEPOSIT: Balance = 30;
pub(crate) const ENDOWMENT: Balance = 10_000;
pub(crate) const LLAMA: FamilyId = FamilyId(0);
pub(crate) const ARCHITECTURE: Architecture = Architecture {
    layers: 30,
    hidden: 576,
    heads: 9,
    kv_heads: 3,
    head_dim: 64,
    feed_forward: 1_536,
    vocabulary: 49_152,
    context_length: 2_048,
    norm_epsilon_q32: 42_950,
    tied_head: true,
    variant: Variant::LLAMA,
};
pub(crate) const TOKENS: TokenBounds = TokenBounds {
    tokens_per_byte: 1,
    template_tokens: 40,
};

noema_testing::runtime!(Test {
    2: Checkpoints = pallet_checkpoints,
});

noema_testing::system_and_balances!(
    Test, block: MockBlock, balance: Balance, existential_deposit: 1
);

impl pallet_checkpoints::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Operators = Bonded;
    type CanonicalOrigin = EnsureRoot<AccountId>;
    type ForceOrigin = EnsureRoot<AccountId>;
    type FamilyDeposit = ConstU64<FAMILY_DEPOSIT>;
    type CheckpointDeposit = ConstU64<CHECKPOINT_DEPOSIT>;
    type MaxName = ConstU32<32>;
    type MaxLicence = ConstU32<16>;
    type MaxHolders = ConstU32<3>;
    type MaxLineage = ConstU32<4>;
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
}

thread_local! {
    /// Controllers by hot key.
    static BONDED: RefCell<BTreeMap<AccountId, AccountId>> = const { RefCell::new(BTreeMap::new()) };
}

/// The operators that a test bonded. The pallet reads only their keys and bonds.
pub struct Bonded;

impl Bonded {
    /// Bonds `controller` with the hot key [`key_of`] it.
    pub(crate) fn add(controller: AccountId) {
        BONDED.with_borrow_mut(|bonded| bonded.insert(key_of(controller), controller));
    }

    pub(crate) fn remove(controller: AccountId) {
        BONDED.with_borrow_mut(|bonded| bonded.retain(|_, other| *other != controller));
    }
}

impl Operators<AccountId, Balance> for Bonded {
    type Error = DispatchError;

    fn controller_of(key: &AccountId) -> Option<AccountId> {
        BONDED.with_borrow(|bonded| bonded.get(key).copied())
    }

    fn draw(
        _: Role,
        _: &CheckpointId,
        _: H256,
        _: u32,
        _: impl FnMut(&Candidate<AccountId, Balance>) -> bool,
    ) -> Selection<AccountId, Balance> {
        Selection {
            candidates: Vec::new(),
            tries: 0,
            absent: 0,
        }
    }

    fn roster(_: Role, _: &CheckpointId) -> Vec<Candidate<AccountId, Balance>> {
        Vec::new()
    }

    fn serves(_: Role, _: &CheckpointId, _: &AccountId) -> bool {
        false
    }

    fn live_bond(_: Role, controller: &AccountId) -> Option<Balance> {
        Some(Self::bond(controller)).filter(|bond| *bond > 0)
    }

    fn bond(controller: &AccountId) -> Balance {
        BONDED.with_borrow(|bonded| bonded.values().any(|other| other == controller).into())
    }

    fn lock(_: &AccountId, _: Job, _: Balance) -> Result<(), DispatchError> {
        Ok(())
    }

    fn lock_drawn(
        _: &Candidate<AccountId, Balance>,
        _: Job,
        _: Balance,
        _: Burden,
    ) -> Result<(), DispatchError> {
        Ok(())
    }

    fn locked(_: &AccountId, _: Job) -> Option<Balance> {
        None
    }

    fn jobs(_: &AccountId) -> Vec<Job> {
        Vec::new()
    }

    fn release(_: &AccountId, _: Job) {}

    fn change_load(_: &AccountId, _: impl FnOnce(Load) -> Load) {}

    fn loads() -> Vec<(AccountId, Load)> {
        Vec::new()
    }

    fn check_backlog(_: &AccountId) -> u64 {
        0
    }

    fn change_check_backlog(_: &AccountId, _: impl FnOnce(u64) -> u64) {}

    fn check_backlogs() -> Vec<(AccountId, u64)> {
        Vec::new()
    }

    fn slash(_: &AccountId, _: Job, _: Offence, _: Balance, _: &[(AccountId, Balance)]) -> Balance {
        0
    }

    fn spend(_: &AccountId, _: Job, _: Balance) -> Balance {
        0
    }

    fn purse() -> AccountId {
        0
    }

    fn credit(_: &AccountId, _: Job, _: Earning, _: Balance) {}

    fn release_paid(_: &AccountId, _: Job, _: WorkCredit<Balance>) -> bool {
        false
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register(controller: &AccountId, key: &AccountId, _: Role, _: &CheckpointId) {
        BONDED.with_borrow_mut(|bonded| bonded.insert(*key, *controller));
    }
}

/// Genesis: the accounts 1 to 9 are endowed and no operator is bonded.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=9).map(|who| (who, ENDOWMENT)).collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext = noema_testing::build(genesis);
    ext.execute_with(|| {
        BONDED.with_borrow_mut(BTreeMap::clear);
        System::set_block_number(1);
    });
    ext
}

/// Runs a test and audits the state it leaves.
pub(crate) fn test(run: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        run();
        Checkpoints::audit().expect("the audit finds nothing");
    });
}

pub(crate) fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub(crate) fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

pub(crate) fn key_of(controller: AccountId) -> AccountId {
    controller + 100
}

pub(crate) fn text<S: frame_support::traits::Get<u32>>(text: &str) -> BoundedVec<u8, S> {
    BoundedVec::truncate_from(text.as_bytes().to_vec())
}

pub(crate) fn id(n: u8) -> CheckpointId {
    CheckpointId(H256::repeat_byte(n))
}

/// Registers a family of this name.
pub(crate) fn family(owner: AccountId, name: &str) {
    let tokenizer = H256::repeat_byte(9);
    let origin = signed(owner);
    assert_ok!(Checkpoints::register_family(
        origin,
        text(name),
        ARCHITECTURE,
        tokenizer,
        1,
        2
    ));
}

/// Calls `register_checkpoint` with arbitrary weights.
pub(crate) fn try_checkpoint(
    publisher: AccountId,
    family: FamilyId,
    n: u8,
    parent: Option<u8>,
) -> Result<(), DispatchError> {
    try_bounded(publisher, family, n, parent, TOKENS)
}

/// Like [`try_checkpoint`], with these token bounds.
pub(crate) fn try_bounded(
    publisher: AccountId,
    family: FamilyId,
    n: u8,
    parent: Option<u8>,
    tokens: TokenBounds,
) -> Result<(), DispatchError> {
    let weights = Weights {
        root: H256::repeat_byte(7),
        bytes: 544,
    };
    let source = H256::repeat_byte(8);
    let (parent, licence) = (parent.map(id), text("Apache-2.0"));
    let origin = signed(publisher);
    Checkpoints::register_checkpoint(
        origin,
        id(n),
        family,
        parent,
        weights,
        tokens,
        licence,
        source,
    )
}

pub(crate) fn checkpoint(publisher: AccountId, n: u8, parent: Option<u8>) {
    assert_ok!(try_checkpoint(publisher, LLAMA, n, parent));
}

/// Makes a checkpoint canonical, so that others can be made from it.
pub(crate) fn canonical(n: u8) {
    assert_ok!(Checkpoints::set_canonical(root(), LLAMA, id(n)));
}

pub(crate) fn held(reason: crate::HoldReason, who: AccountId) -> Balance {
    use frame_support::traits::fungible::hold::Inspect;
    Balances::balance_on_hold(&reason.into(), &who)
}
