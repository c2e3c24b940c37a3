//! A runtime with the pallet, the operators and balances; tests control randomness and the referee.

use crate as pallet_claims;
use crate::*;
use frame_support::{
    assert_ok, parameter_types,
    traits::{
        fungible::{Inspect, InspectHold},
        ConstU32, Hooks,
    },
    weights::{Weight, WeightMeter},
};
use noema_claims::{
    merkle_root, prove_hidden, Availability, ClaimOutcome, ClaimRules, ClaimStage, ClaimTerms,
    ClaimWindows, Permill, Settlement,
};
use noema_economics::Balance;
use noema_interfaces::{Claims as _, OnClaimEnded, Operators as _, Referee};
use noema_protocol::{
    hashing, ClaimId, Job, Prices, Receipt, RequestId, SamplingParameters, SessionId,
};
use noema_sessions::{AnswerEnd, SessionReceipt};
use noema_testing::Relay;
use pallet_operators::Roles;
use sp_core::H256;
use sp_runtime::DispatchError;
use std::{cell::RefCell, collections::BTreeMap};

pub(crate) use noema_testing::{IsRandom, RecordedWork, Salt, CHECKPOINT};

pub(crate) type AccountId = u64;

/// The claimant of the tests.
pub(crate) const WORKER: AccountId = 1;
/// Another account that is no operator.
pub(crate) const OTHER: AccountId = 4;
/// The payer of the claims.
pub(crate) const PAYER: AccountId = 2;
/// An account that is no operator.
pub(crate) const STRANGER: AccountId = 3;
/// The first of the validators.
pub(crate) const VALIDATOR: AccountId = 10;
pub(crate) const VALIDATORS: u64 = 6;
pub(crate) const FUNDS: Balance = 1_000_000;
pub(crate) const BOND: Balance = 100_000;
/// Blocks in a term.
const TERM: u32 = 5;
/// Tokens of each answer, and so the number of its hidden states.
pub(crate) const POSITIONS: u32 = 11;

noema_testing::runtime!(Test {
    2: Operators = pallet_operators,
    3: Claims = pallet_claims,
});

noema_testing::system_and_balances!(
    Test, block: MockBlockU32, balance: Balance, existential_deposit: 5
);

noema_testing::operators!(Test, work: RecordedWork);

parameter_types! {
    pub static PollBudget: Weight = Weight::from_parts(250_000_000_000, u64::MAX / 2);
}

/// The calls from the pallet to other pallets.
#[derive(Default)]
pub(crate) struct Told {
    /// Disputes that the referee was given.
    pub(crate) opened: Vec<(ClaimId, u32)>,
    /// The backlogs of validators from the referee.
    pub(crate) backlogs: BTreeMap<AccountId, u64>,
    /// Claims that ended.
    pub(crate) ended: Vec<(Job, ClaimId, ClaimOutcome)>,
}

thread_local! {
    static TOLD: RefCell<Told> = RefCell::default();
}

pub(crate) fn told<R>(look: impl FnOnce(&mut Told) -> R) -> R {
    TOLD.with_borrow_mut(look)
}

/// Records the calls to other pallets.
pub struct Listener;

impl Referee<AccountId, u32> for Listener {
    fn open(claim: &ClaimOf<Test>, leaf: u32) {
        told(|told| told.opened.push((claim.id, leaf)));
    }

    fn backlog(validator: &AccountId) -> u64 {
        told(|told| told.backlogs.get(validator).copied().unwrap_or(0))
    }
}

impl OnClaimEnded<AccountId> for Listener {
    fn ended(job: Job, claim: ClaimId, outcome: ClaimOutcome, _: &Settlement<AccountId>) {
        told(|told| told.ended.push((job, claim, outcome)));
    }
}

impl Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Operators = Operators;
    type Randomness = Relay<Test>;
    type Referee = Listener;
    type OnEnded = Listener;
    type EndedWeight = ();
    type EnterWeight = ();
    type ChallengerWeight = ();
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
    type PollBudget = PollBudget;
    type MaxChallengers = ConstU32<{ MAX_SEATED_CHALLENGERS + 2 }>;
}

pub(crate) fn rules() -> ClaimRules<u32> {
    ClaimRules {
        windows: ClaimWindows {
            finality: 1,
            commit: 3,
            tokens_per_block: 50,
            reveal: 2,
            challenge: 3,
            post: 2,
        },
        freshness: 2,
        margin_percent: 200,
        min_check_rate: Permill::one(),
        validators_per_leaf: 2,
        max_draws: 3,
        validator_stake: 1_000,
        challenger_share: Permill::from_percent(50),
        challenger_cap: 4_000,
        challenge_bond: 2_000,
        juror_fee_per_token: 1,
        burned_share: Permill::from_percent(10),
    }
}

/// A chain with a worker and validators that can be drawn.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    let validators = (0..VALIDATORS).map(|index| VALIDATOR + index);
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: [WORKER, PAYER, STRANGER, OTHER]
                .into_iter()
                .chain(validators.clone())
                .map(|who| (who, FUNDS))
                .collect(),
            ..Default::default()
        },
        operators: pallet_operators::GenesisConfig { term_length: TERM },
        ..Default::default()
    };
    let mut ext = noema_testing::build(genesis);
    ext.execute_with(|| {
        told(|told| *told = Told::default());
        RecordedWork::clear();
        IsRandom::set(true);
        PollBudget::set(Weight::from_parts(250_000_000_000, u64::MAX / 2));
        System::set_block_number(1);
        let role = |worker| Roles {
            worker,
            validator: !worker,
            trainer: false,
        };
        register(WORKER, role(true));
        validators.for_each(|validator| register(validator, role(false)));
        blocks(3 * TERM);
    });
    ext
}

/// Runs a test on several chains that differ in their randomness, and audits the state it leaves: records,
/// locks, holds and the total issuance.
pub(crate) fn test(run: impl Fn()) {
    for salt in 0..8 {
        Salt::set(salt);
        new_test_ext().execute_with(|| {
            let before = Balances::total_issuance();
            run();
            assert_eq!(Claims::audit(), Ok(()));
            Operators::audit().expect("the audit finds nothing");
            assert!(Balances::total_issuance() <= before);
        });
    }
}

fn register(controller: AccountId, roles: Roles) {
    let key = key(controller);
    let possession = noema_testing::possession(key, controller, System::block_hash(0));
    let origin = RuntimeOrigin::signed(controller);
    let prices = Prices::default();
    assert_ok!(Operators::register(
        origin.clone(),
        roles,
        key,
        possession,
        prices,
        BOND
    ));
    assert_ok!(Operators::serve(origin, CHECKPOINT));
}

/// The hot key of a controller.
pub(crate) const fn key(controller: AccountId) -> AccountId {
    controller + 500
}

/// Executes blocks.
pub(crate) fn blocks(count: u32) {
    for _ in 0..count {
        let now = System::block_number() + 1;
        System::set_block_number(now);
        Claims::on_poll(now, &mut WeightMeter::new());
    }
}

/// The hidden states that executing leaf `leaf` yields.
pub(crate) fn hidden(leaf: u32) -> Vec<H256> {
    (0..POSITIONS)
        .map(|position| hashing::blake2_256(&codec::Encode::encode(&(leaf, position))))
        .collect()
}

pub(crate) fn receipt(leaf: u32) -> Receipt {
    Receipt {
        request: RequestId(leaf.into()),
        checkpoint: CHECKPOINT,
        prompt_hash: H256::zero(),
        parameters: SamplingParameters::greedy(32),
        seed: H256::zero(),
        answer_hash: H256::zero(),
        prompt_tokens: 10,
        answer_tokens: POSITIONS,
        hidden_root: merkle_root(&hidden(leaf)),
    }
}

/// A claim of one leaf: 1,000 for the answer, 200 for checks, 20,000 at stake.
pub(crate) fn terms() -> ClaimTerms<AccountId, u32> {
    ClaimTerms {
        claimant: WORKER,
        payer: PAYER,
        checkpoint: CHECKPOINT,
        root: merkle_root(&[hashing::receipt_hash(&receipt(0))]),
        leaves: 1,
        leaf_tokens: 21,
        availability: Availability::OnChain,
        payment: 1_000,
        exposure: 0,
        check_fee: 200,
        stake: 20_000,
        rules: rules(),
    }
}

/// The tokens of the prompt and of the answer of a leaf of a session.
pub(crate) fn tokens(leaf: u32) -> (Vec<u32>, Vec<u32>) {
    ((0..10).collect(), (leaf..leaf + POSITIONS).collect())
}

pub(crate) fn session_receipt(leaf: u32) -> SessionReceipt {
    let (prompt, answer) = tokens(leaf);
    SessionReceipt {
        session: SessionId(1),
        n: leaf,
        first: 0,
        terms: H256::zero(),
        checkpoint: CHECKPOINT,
        prompt_hash: hashing::tokens_hash(&prompt),
        prompt_tokens: 10,
        cached_tokens: 0,
        parameters: SamplingParameters::greedy(32),
        seed: H256::zero(),
        answer_hash: hashing::tokens_hash(&answer),
        answer_tokens: POSITIONS,
        end: AnswerEnd::Stop,
        price: 500,
        hidden_root: merkle_root(&hidden(leaf)),
    }
}

/// The hashes of the receipts of a claim of a session: three leaves, which the claimant has.
pub(crate) fn session_leaves() -> Vec<H256> {
    (0..3).map(|leaf| session_receipt(leaf).hash()).collect()
}

/// A claim of a session, each of whose leaves is checked.
pub(crate) fn session_terms() -> ClaimTerms<AccountId, u32> {
    ClaimTerms {
        root: merkle_root(&session_leaves()),
        leaves: 3,
        availability: Availability::FromClaimant,
        payment: 30_000,
        check_fee: 600,
        ..terms()
    }
}

/// Makes a claim as a pallet does, with money and lock.
pub(crate) fn make(terms: ClaimTerms<AccountId, u32>) -> Result<ClaimId, DispatchError> {
    make_with(terms, 0)
}

/// Makes a claim that costs `surplus` less than its payer has on hold for it.
pub(crate) fn make_with(
    terms: ClaimTerms<AccountId, u32>,
    surplus: Balance,
) -> Result<ClaimId, DispatchError> {
    let job = Job::Request(RequestId(NextClaim::<Test>::get().0));
    Claims::hold(&terms.payer, terms.payment + terms.check_fee + surplus)?;
    Operators::lock(&terms.claimant, job, terms.stake)?;
    Claims::make(job, terms, surplus)
}

pub(crate) fn claim(id: ClaimId) -> ClaimOf<Test> {
    Claims::claim(id).expect("the claim is kept")
}

/// Executes blocks until the claim is in a stage. Panics if that takes too long.
pub(crate) fn until(id: ClaimId, is_reached: impl Fn(&ClaimStage<u32>) -> bool) {
    for _ in 0..100 {
        if is_reached(&claim(id).stage) {
            return;
        }
        blocks(1);
    }
    panic!("not reached: {:?}", claim(id).stage);
}

pub(crate) fn until_committing(id: ClaimId) {
    until(id, |stage| matches!(stage, ClaimStage::Committing { .. }));
}

pub(crate) fn until_revealing(id: ClaimId) {
    until(id, |stage| matches!(stage, ClaimStage::Revealing { .. }));
}

pub(crate) fn until_challengeable(id: ClaimId) {
    until(id, |stage| {
        matches!(stage, ClaimStage::Challengeable { .. })
    });
}

pub(crate) fn until_ended(id: ClaimId) -> ClaimOutcome {
    until(id, |stage| matches!(stage, ClaimStage::Ended(_)));
    claim(id).outcome().expect("the claim has ended")
}

/// The validators with a seat.
pub(crate) fn seats(id: ClaimId) -> Vec<(AccountId, u32)> {
    let claim = claim(id);
    let seats = claim.seats.iter();
    seats.map(|seat| (seat.validator, seat.leaf)).collect()
}

pub(crate) fn salt(validator: AccountId) -> H256 {
    H256::from_low_u64_be(validator)
}

/// The proof that the validator has to reveal for the leaf.
pub(crate) fn proof(id: ClaimId, validator: AccountId, leaf: u32) -> noema_claims::HiddenProof {
    let claim = claim(id);
    let seat = claim
        .seats
        .iter()
        .find(|seat| (seat.validator, seat.leaf) == (validator, leaf))
        .expect("the validator was drawn");
    let position = seat.position(POSITIONS).expect("the leaf has positions");
    prove_hidden(&hidden(leaf), position).expect("the leaf has this position")
}

pub(crate) fn commitment(id: ClaimId, validator: AccountId, leaf: u32) -> H256 {
    let hidden = proof(id, validator, leaf).hidden;
    hashing::check_commitment(id, leaf, &validator, hidden, salt(validator))
}

pub(crate) fn commit(id: ClaimId, validator: AccountId, leaf: u32) {
    let commitment = commitment(id, validator, leaf);
    let origin = RuntimeOrigin::signed(key(validator));
    assert_ok!(Claims::commit_check(origin, id, leaf, commitment));
}

pub(crate) fn reveal_call(id: ClaimId, validator: AccountId, leaf: u32) -> Call<Test> {
    Call::reveal_check {
        claim: id,
        leaf,
        receipt: Box::new(receipt(leaf)),
        path: Vec::new(),
        proof: proof(id, validator, leaf),
        salt: salt(validator),
    }
}

pub(crate) fn dispatch(call: Call<Test>, key: AccountId) -> sp_runtime::DispatchResult {
    use frame_support::traits::UnfilteredDispatchable;
    call.dispatch_bypass_filter(RuntimeOrigin::signed(key))
        .map(drop)
        .map_err(|error| error.error)
}

pub(crate) fn reveal(id: ClaimId, validator: AccountId, leaf: u32) {
    assert_ok!(dispatch(reveal_call(id, validator, leaf), key(validator)));
}

/// Lets every drawn validator commit and reveal honestly.
pub(crate) fn check_honestly(id: ClaimId) {
    until_committing(id);
    let seats = seats(id);
    for (validator, leaf) in &seats {
        commit(id, *validator, *leaf);
    }
    until_revealing(id);
    for (validator, leaf) in seats {
        reveal(id, validator, leaf);
    }
}

pub(crate) fn bond(controller: AccountId) -> Balance {
    Operators::bond(&controller)
}

/// The amount that was credited to an operator and is not withdrawn.
pub(crate) fn payable(controller: AccountId) -> Balance {
    Operators::earnings(controller).map_or(0, |ledger| ledger.payable)
}

/// The amount on hold of an account for a reason.
pub(crate) fn held(account: AccountId, reason: HoldReason) -> Balance {
    Balances::balance_on_hold(&reason.into(), &account)
}

/// The sum of free and held balance.
pub(crate) fn total(account: AccountId) -> Balance {
    Balances::total_balance(&account)
}
