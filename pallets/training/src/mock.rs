//! A runtime with the pallet, real bonds and checkpoints, and helpers for the tests.

use crate as pallet_training;
use codec::Encode;
use frame_support::{
    assert_ok, parameter_types,
    traits::{ConstU128, ConstU32, ConstU64, Hooks},
    BoundedVec,
};
use frame_system::EnsureRoot;
use noema_claims::{Beacon, RelayBlock};
use noema_interfaces::RelayRandomness;
use noema_protocol::{hashing, CheckpointId, FamilyId, Offence, Role, RoundId, Work};
use noema_rounds::{
    CheckpointClaim, Contribution, Dataset, Finding, Losses, Phase, RoundRules, RoundWindows,
    ScoreSheet,
};
use noema_testing::RecordedWork;
use pallet_checkpoints::{Architecture, TokenBounds, Variant, Weights};
use pallet_operators::Roles;
use sp_core::H256;
use sp_runtime::{testing::TestSignature, DispatchResult, Permill};
use std::cell::Cell;

pub(crate) use noema_testing::{IsRandom, Salt};

pub(crate) type AccountId = u64;
pub(crate) type Balance = u128;

pub(crate) const ENDOWMENT: Balance = 100_000;
pub(crate) const BOND: Balance = 1_000;
pub(crate) const WINDOW: u64 = 10;
/// Relay chain blocks by which randomness is younger than the event that it draws for.
pub(crate) const FRESHNESS: RelayBlock = 2;
pub(crate) const FAMILY: FamilyId = FamilyId(0);
pub(crate) const GENESIS: CheckpointId = CheckpointId(H256::repeat_byte(1));
pub(crate) const CHILD: CheckpointId = CheckpointId(H256::repeat_byte(2));
pub(crate) const OWNER: AccountId = 50;
/// Controllers of trainers and validators.
pub(crate) const TRAINERS: [AccountId; 3] = [1, 2, 3];
pub(crate) const VALIDATORS: [AccountId; 3] = [11, 12, 13];

noema_testing::runtime!(Test {
    2: Checkpoints = pallet_checkpoints,
    3: Operators = pallet_operators,
    4: Training = pallet_training,
});

noema_testing::system_and_balances!(
    Test, block: MockBlock, balance: Balance, existential_deposit: 1
);

impl pallet_checkpoints::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Operators = Operators;
    type CanonicalOrigin = EnsureRoot<AccountId>;
    type ForceOrigin = EnsureRoot<AccountId>;
    type FamilyDeposit = ConstU128<10>;
    type CheckpointDeposit = ConstU128<10>;
    type MaxName = ConstU32<32>;
    type MaxLicence = ConstU32<16>;
    type MaxHolders = ConstU32<8>;
    type MaxLineage = ConstU32<16>;
    type WeightInfo = pallet_checkpoints::weights::SubstrateWeight<Self>;
}

impl pallet_operators::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Checkpoints = Checkpoints;
    type Signature = TestSignature;
    type MinBond = ConstU128<100>;
    type BondUnit = ConstU128<1>;
    type ReportPeriod = ConstU64<1_000>;
    type UnbondingDelay = ConstU64<50>;
    type MaxServed = ConstU32<2>;
    type Work = ();
    type WeightInfo = pallet_operators::weights::SubstrateWeight<Self>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

parameter_types! {
    pub const FalsehoodSlash: Permill = Permill::from_percent(50);
    pub static FinalityAllowance: u32 = 0;
    pub const ScorersShare: Permill = Permill::from_percent(25);
    pub const SilenceSlash: Permill = Permill::from_percent(1);
}

impl pallet_training::Config for Test {
    type Operators = Operators;
    type Lineage = Checkpoints;
    type Randomness = Relay;
    type Freshness = ConstU32<FRESHNESS>;
    type Work = RecordedWork;
    type ProgrammeOrigin = EnsureRoot<AccountId>;
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
    type MaxProgrammes = ConstU32<2>;
    type MaxText = ConstU32<64>;
    type Retention = ConstU32<2>;
    type ScorersShare = ScorersShare;
    type FinalityAllowance = FinalityAllowance;
    type FalsehoodSlash = FalsehoodSlash;
    type SilenceSlash = SilenceSlash;
    type SilenceCap = ConstU128<1_000_000>;
}

/// A relay chain with one block for each of this chain's.
pub struct Relay;

impl RelayRandomness for Relay {
    fn relay_block() -> RelayBlock {
        u32::try_from(System::block_number()).expect("the block number is small")
    }

    fn beacon() -> Beacon {
        BEACON.get()
    }
}

/// Brings the value of the present relay chain block.
fn bring_value() {
    let at = Relay::relay_block();
    let mut beacon = BEACON.get();
    beacon.push(at, hashing::blake2_256(&(at, Salt::get()).encode()));
    BEACON.set(beacon);
}

thread_local! {
    static BEACON: Cell<Beacon> = Cell::default();
}

pub(crate) fn work() -> Vec<(Work, AccountId, u64)> {
    RecordedWork::all()
}

pub(crate) fn dataset() -> Dataset {
    Dataset {
        root: H256::repeat_byte(3),
        manifest: H256::repeat_byte(4),
        shards: 20,
        shard_tokens: 1_000,
    }
}

pub(crate) fn rules() -> RoundRules<u64> {
    RoundRules {
        windows: RoundWindows {
            registration: WINDOW,
            training: WINDOW,
            reveal: WINDOW,
            scoring: WINDOW,
            score_reveal: WINDOW,
            claim: WINDOW,
            objection: WINDOW,
            holding: WINDOW,
        },
        min_contributions: 2,
        validators: 2,
        shards_per_trainer: 2,
        evaluation_shards: 3,
        max_update_bytes: 1_000,
        entries_per_chunk: 64,
        max_overlap: Permill::from_percent(50),
        min_holders: 2,
    }
}

/// Genesis: a family with a canonical checkpoint, three trainers and three validators.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    let endowed = TRAINERS.into_iter().chain(VALIDATORS).chain([OWNER]);
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: endowed.map(|who| (who, ENDOWMENT)).collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext = noema_testing::build(genesis);
    ext.execute_with(|| {
        RecordedWork::clear();
        BEACON.set(Beacon::default());
        IsRandom::set(true);
        System::set_block_number(1);
        family();
        for trainer in TRAINERS {
            operator(trainer, Role::Trainer, BOND);
        }
        for validator in VALIDATORS {
            operator(validator, Role::Validator, BOND);
        }
    });
    ext
}

/// Runs a test and audits the state it leaves.
pub(crate) fn test(run: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        run();
        Training::audit().expect("the audit finds nothing");
        Checkpoints::audit().expect("the audit finds nothing");
        Operators::audit().expect("the audit finds nothing");
    });
}

/// Registers a family like the one that trains.
pub(crate) fn another_family() -> FamilyId {
    let family = pallet_checkpoints::NextFamily::<Test>::get();
    register_family("another family");
    family
}

fn family() {
    register_family("a family");
    publish(GENESIS, None);
    assert_ok!(Checkpoints::set_canonical(root(), FAMILY, GENESIS));
}

fn register_family(name: &str) {
    let architecture = Architecture {
        layers: 1,
        hidden: 32,
        heads: 2,
        kv_heads: 1,
        head_dim: 16,
        feed_forward: 64,
        vocabulary: 256,
        context_length: 128,
        norm_epsilon_q32: 42_950,
        tied_head: true,
        variant: Variant::LLAMA,
    };
    assert_ok!(Checkpoints::register_family(
        signed(OWNER),
        text(name),
        architecture,
        H256::repeat_byte(9),
        1,
        1
    ));
}

/// Publishes a checkpoint of the family in the owner's name.
pub(crate) fn publish(checkpoint: CheckpointId, parent: Option<CheckpointId>) {
    assert_ok!(try_publish(checkpoint, FAMILY, parent));
}

/// Calls `register_checkpoint` with arbitrary weights.
pub(crate) fn try_publish(
    checkpoint: CheckpointId,
    family: FamilyId,
    parent: Option<CheckpointId>,
) -> DispatchResult {
    Checkpoints::register_checkpoint(
        signed(OWNER),
        checkpoint,
        family,
        parent,
        Weights {
            root: H256::repeat_byte(7),
            bytes: 544,
        },
        TokenBounds {
            tokens_per_byte: 1,
            template_tokens: 0,
        },
        text("MIT"),
        H256::repeat_byte(8),
    )
}

/// Registers an operator.
pub(crate) fn operator(controller: AccountId, role: Role, bond: Balance) {
    let roles = Roles {
        worker: false,
        validator: role == Role::Validator,
        trainer: role == Role::Trainer,
    };
    let key = key_of(controller);
    assert_ok!(Operators::register(
        signed(controller),
        roles,
        key,
        noema_testing::possession(key, controller, System::block_hash(0)),
        Default::default(),
        bond
    ));
}

pub(crate) fn start() -> DispatchResult {
    Training::start_programme(
        root(),
        FAMILY,
        dataset(),
        text("CC0-1.0"),
        text("a dictionary"),
        rules(),
    )
}

pub(crate) fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub(crate) fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

/// The hot key of a controller, in the tests.
pub(crate) fn key_of(controller: AccountId) -> AccountId {
    controller + 100
}

/// The origin that the hot key of a controller signs.
pub(crate) fn by(controller: AccountId) -> RuntimeOrigin {
    signed(key_of(controller))
}

pub(crate) fn text<S: frame_support::traits::Get<u32>>(text: &str) -> BoundedVec<u8, S> {
    BoundedVec::truncate_from(text.as_bytes().to_vec())
}

/// Ends blocks until the family's round is in another phase, or another round is open.
pub(crate) fn pass_window() {
    let before = Training::open_round(FAMILY).map(|round| (round.id, round.phase));
    for _ in 0..=WINDOW + u64::from(FRESHNESS) + 1 {
        end_block();
        if Training::open_round(FAMILY).map(|round| (round.id, round.phase)) != before {
            return;
        }
    }
    panic!("{before:?} did not end");
}

pub(crate) fn end_block() {
    let now = System::block_number();
    if IsRandom::get() {
        bring_value();
    }
    Training::on_finalize(now);
    System::set_block_number(now + 1);
    Training::on_initialize(now + 1);
}

pub(crate) fn round() -> crate::RoundOf<Test> {
    Training::open_round(FAMILY).expect("a round is open")
}

pub(crate) fn phase() -> Phase<u64> {
    round().phase
}

pub(crate) fn salt(account: AccountId) -> H256 {
    H256::from_low_u64_be(account)
}

pub(crate) fn contribution(account: AccountId) -> Contribution {
    Contribution {
        update: H256::from_low_u64_be(account + 1_000),
        bytes: 100,
    }
}

pub(crate) fn commitment(round: RoundId, account: AccountId) -> H256 {
    let Contribution { update, bytes } = contribution(account);
    hashing::contribution_commitment(round, &account, update, bytes, salt(account))
}

pub(crate) fn helpful() -> Finding {
    Finding::Scored {
        assigned: Losses {
            before: 1_000,
            after: 900,
        },
        evaluation: 950,
    }
}

pub(crate) fn harmful() -> Finding {
    Finding::Scored {
        assigned: Losses {
            before: 1_000,
            after: 1_900,
        },
        evaluation: 1_950,
    }
}

pub(crate) fn sheet(findings: &[Finding]) -> ScoreSheet {
    ScoreSheet {
        parent: 1_000,
        findings: findings.to_vec().try_into().expect("the list is short"),
    }
}

pub(crate) fn claim() -> CheckpointClaim {
    CheckpointClaim {
        checkpoint: CHILD,
        weights_root: H256::repeat_byte(4),
        masters_root: H256::repeat_byte(5),
        loss: 930,
    }
}

pub(crate) fn join_all() {
    let id = round().id;
    for trainer in TRAINERS {
        assert_ok!(Training::join_round(by(trainer), id, Role::Trainer));
    }
    for validator in VALIDATORS {
        assert_ok!(Training::join_round(by(validator), id, Role::Validator));
    }
}

/// Runs a new round up to the scoring.
pub(crate) fn play_to_scoring() {
    join_all();
    pass_window();
    let id = round().id;
    for trainer in TRAINERS {
        let commitment = commitment(id, trainer);
        assert_ok!(Training::commit_contribution(by(trainer), id, commitment));
    }
    pass_window();
    for trainer in TRAINERS {
        let contribution = contribution(trainer);
        assert_ok!(Training::reveal_contribution(
            by(trainer),
            id,
            contribution,
            salt(trainer)
        ));
    }
    pass_window();
    assert!(matches!(phase(), Phase::Scoring { .. }));
}

pub(crate) fn seated() -> Vec<AccountId> {
    round().seats().map(|validator| validator.account).collect()
}

pub(crate) fn unheard() -> AccountId {
    let seated = seated();
    VALIDATORS
        .into_iter()
        .find(|account| !seated.contains(account))
        .expect("not all were drawn")
}

/// Lets each of these validators score, with these findings.
pub(crate) fn score(sheets: &[(AccountId, [Finding; 3])]) {
    let id = round().id;
    for (validator, findings) in sheets {
        let commitment =
            hashing::score_commitment(id, validator, &sheet(findings), salt(*validator));
        assert_ok!(Training::commit_scores(by(*validator), id, commitment));
    }
    pass_window();
    for (validator, findings) in sheets {
        assert_ok!(Training::reveal_scores(
            by(*validator),
            id,
            sheet(findings),
            salt(*validator)
        ));
    }
    pass_window();
}

/// Runs a new round up to the claims: all contributions help.
pub(crate) fn play_to_claiming() {
    play_to_scoring();
    let sheets: Vec<_> = seated()
        .into_iter()
        .map(|validator| (validator, [helpful(); 3]))
        .collect();
    score(&sheets);
    assert!(matches!(phase(), Phase::Claiming { .. }));
}

/// Runs a new round until its checkpoint can be held.
pub(crate) fn play_to_holding(claim: CheckpointClaim) {
    play_to_claiming();
    let id = round().id;
    for validator in seated() {
        assert_ok!(Training::claim_checkpoint(by(validator), id, claim));
    }
    pass_window();
    pass_window();
    assert!(matches!(phase(), Phase::Holding { .. }));
}

pub(crate) fn hold(controller: AccountId, checkpoint: CheckpointId) {
    assert_ok!(Checkpoints::announce_holding(
        by(controller),
        checkpoint,
        checkpoint.0
    ));
}

pub(crate) fn bond(controller: AccountId) -> Balance {
    Operators::operator(controller)
        .expect("the operator is registered")
        .operator
        .bond
}

/// The offence of an operator's last slash.
pub(crate) fn offence(operator: AccountId) -> Option<Offence> {
    let events = System::events().into_iter().rev();
    events
        .filter_map(|record| match record.event {
            RuntimeEvent::Operators(pallet_operators::Event::Slashed {
                controller,
                offence,
                ..
            }) if controller == operator => Some(offence),
            _ => None,
        })
        .next()
}

/// The number of locks on a bond.
pub(crate) fn locks(controller: AccountId) -> u32 {
    Operators::operator(controller)
        .expect("the operator is registered")
        .operator
        .locks
}
