//! A runtime with the pallet, the real pallets of claims and operators, and balances; tests control randomness and the
//! referee.

use crate as pallet_sessions;
use crate::*;
use codec::Encode;
use frame_support::{
    assert_ok, parameter_types,
    traits::{
        fungible::{Inspect, InspectHold},
        ConstU32, Hooks,
    },
    weights::{constants::ParityDbWeight, Weight, WeightMeter},
};
use noema_claims::{
    merkle_root, prove_hidden, Claim, ClaimOutcome, ClaimRules, ClaimWindows, Permill,
};
use noema_economics::Balance;
use noema_interfaces::{Claims as _, Operators as _, Referee};
use noema_protocol::{hashing, ClaimId, Prices, SamplingParameters, SessionId};
use noema_sessions::{
    AnswerEnd, PayerSide, SessionPrices, SessionReceipt, SessionRules, Stage, Voucher, WorkerSide,
};
use noema_testing::Relay;
use pallet_operators::Roles;
use sp_core::H256;
use sp_runtime::{testing::TestSignature, DispatchResult};
use std::collections::BTreeMap;

pub(crate) use noema_testing::{IsRandom, Salt, CHECKPOINT};

pub(crate) type AccountId = u64;

/// The workers of the tests.
pub(crate) const WORKER: AccountId = 1;
pub(crate) const OTHER_WORKER: AccountId = 4;
/// The payer of the sessions, and the key that signs its vouchers.
pub(crate) const PAYER: AccountId = 2;
pub(crate) const VOUCHER_KEY: AccountId = 77;
/// An account that is no operator.
pub(crate) const STRANGER: AccountId = 3;
/// The first of the validators.
pub(crate) const VALIDATOR: AccountId = 10;
pub(crate) const VALIDATORS: u64 = 4;
pub(crate) const FUNDS: Balance = 10_000_000;
pub(crate) const BOND: Balance = 100_000;
pub(crate) const HELD: Balance = 60_000;
pub(crate) const LEAF_TOKENS: u32 = 60;
/// Blocks in a term.
const TERM: u32 = 5;

noema_testing::runtime!(Test {
    2: Operators = pallet_operators,
    3: Claims = pallet_claims,
    4: Sessions = pallet_sessions,
});

noema_testing::system_and_balances!(
    Test, block: MockBlockU32, balance: Balance, existential_deposit: 5, db_weight: ParityDbWeight
);

noema_testing::operators!(Test, work: ());

parameter_types! {
    pub static TestRules: SessionRules = rules();
    pub static TestClaimRules: ClaimRules<u32> = claim_rules();
    pub static PollBudget: Weight = BUDGET;
}

/// Half of a block: more than most tests need.
pub(crate) const BUDGET: Weight = Weight::from_parts(500_000_000_000, 1 << 30);

/// A referee that tests conclude for.
pub struct Judge;

impl Referee<AccountId, u32> for Judge {
    fn open(_: &Claim<AccountId, u32>, _: u32) {}
    fn backlog(_: &AccountId) -> u64 {
        0
    }
}

impl pallet_claims::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Operators = Operators;
    type Randomness = Relay<Test>;
    type Referee = Judge;
    type OnEnded = Sessions;
    type EndedWeight = ();
    type EnterWeight = ();
    type ChallengerWeight = ();
    type WeightInfo = pallet_claims::weights::SubstrateWeight<Self>;
    type PollBudget = ClaimBudget;
    type MaxChallengers = ConstU32<{ pallet_claims::MAX_SEATED_CHALLENGERS + 2 }>;
}

parameter_types! {
    pub ClaimBudget: Weight = BUDGET;
}

impl Config for Test {
    type Currency = Balances;
    type Signature = TestSignature;
    type Claims = Claims;
    type Checkpoints = noema_testing::OneCheckpoint;
    type Operators = Operators;
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
    type Rules = TestRules;
    type ClaimRules = TestClaimRules;
    type PollBudget = PollBudget;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

/// The rules of sessions in a test.
pub(crate) const fn rules() -> SessionRules {
    SessionRules {
        lifetime: 60,
        close: 5,
        bytes_per_token: 4,
        cached_share: Permill::from_percent(10),
        check_share: Permill::from_percent(20),
        check_fee_per_token: 1,
        stake_percent: 100,
        min_stake: 1_000,
        stake_per_token: 10,
        min_held: 1_000,
        min_claim: 500,
        storage_price: 50,
        retention: 20,
    }
}

/// The rules of claims in a test.
pub(crate) const fn claim_rules() -> ClaimRules<u32> {
    ClaimRules {
        windows: ClaimWindows {
            finality: 2,
            commit: 3,
            tokens_per_block: 60,
            reveal: 2,
            challenge: 3,
            post: 2,
        },
        freshness: 2,
        margin_percent: 200,
        min_check_rate: Permill::from_percent(5),
        validators_per_leaf: 2,
        max_draws: 2,
        validator_stake: 5_000,
        challenger_share: Permill::from_percent(50),
        challenger_cap: 4_000,
        challenge_bond: 2_000,
        juror_fee_per_token: 1,
        burned_share: Permill::from_percent(10),
    }
}

/// A chain with two workers and validators that can be drawn.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    let validators = (0..VALIDATORS).map(|index| VALIDATOR + index);
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: [WORKER, OTHER_WORKER, PAYER, STRANGER]
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
        IsRandom::set(true);
        TestRules::set(rules());
        TestClaimRules::set(claim_rules());
        PollBudget::set(BUDGET);
        System::set_block_number(1);
        register(WORKER, true);
        register(OTHER_WORKER, true);
        validators.for_each(|validator| register(validator, false));
        blocks(3 * TERM);
    });
    ext
}

/// Runs a test on several chains that differ in their randomness, and audits the state it leaves: records, locks,
/// holds and the total issuance.
pub(crate) fn test(run: impl Fn()) {
    for salt in 0..4 {
        Salt::set(salt);
        new_test_ext().execute_with(|| {
            let before = Balances::total_issuance();
            run();
            audit();
            assert!(Balances::total_issuance() <= before);
        });
    }
}

pub(crate) fn audit() {
    assert_eq!(Sessions::audit(), Ok(()));
    assert_eq!(Claims::audit(), Ok(()));
    Operators::audit().expect("the audit finds nothing");
}

fn register(controller: AccountId, is_worker: bool) {
    let key = key(controller);
    let possession = noema_testing::possession(key, controller, System::block_hash(0));
    let origin = RuntimeOrigin::signed(controller);
    let roles = Roles {
        worker: is_worker,
        validator: !is_worker,
        trainer: false,
    };
    let prices = Prices {
        per_prompt_byte: 1,
        per_answer_token: 10,
    };
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
        Sessions::on_poll(now, &mut WeightMeter::new());
    }
}

/// Prices that cover those of every worker.
pub(crate) const ANY_PRICE: SessionPrices = SessionPrices {
    per_prompt_token: 1_000,
    per_cached_token: 1_000,
    per_answer_token: 1_000,
};

/// Opens a session with a worker.
pub(crate) fn open_with(
    worker: Option<AccountId>,
    amount: Balance,
) -> Result<SessionId, sp_runtime::DispatchError> {
    let id = NextSession::<Test>::get();
    frame_support::storage::with_storage_layer(|| {
        Sessions::open_session(
            RuntimeOrigin::signed(PAYER),
            CHECKPOINT,
            worker,
            VOUCHER_KEY,
            LEAF_TOKENS,
            ANY_PRICE,
            amount,
        )
    })?;
    Ok(id)
}

/// Opens a session with [`WORKER`] and waits for its seed.
pub(crate) fn open() -> SessionId {
    let id = open_with(Some(WORKER), HELD).expect("the session can be opened");
    blocks(2);
    assert!(matches!(stage(id), Stage::Open { .. }));
    id
}

pub(crate) fn session(id: SessionId) -> SessionOf<Test> {
    crate::Sessions::<Test>::get(id).expect("the session is kept")
}

pub(crate) fn stage(id: SessionId) -> Stage<u32> {
    session(id).account.stage
}

/// The two sides of a session, and the receipts of the answers so far.
pub(crate) struct Sides {
    pub(crate) payer: PayerSide,
    pub(crate) worker: WorkerSide,
    pub(crate) receipts: Vec<SessionReceipt>,
}

impl Sides {
    pub(crate) fn of(id: SessionId) -> Self {
        let terms = Sessions::session_terms(id).expect("the session has a seed");
        let agreement = terms.agreement(Sessions::genesis());
        let held = session(id).account.held;
        Self {
            payer: PayerSide::new(agreement, held),
            worker: WorkerSide::new(agreement, held, Balance::MAX, Balance::MAX),
            receipts: Vec::new(),
        }
    }

    /// One answer of `tokens` tokens, paid. Returns the voucher.
    pub(crate) fn answer(&mut self, tokens: u16) -> Voucher {
        let parameters = SamplingParameters::greedy(tokens);
        let prompt: Vec<u32> = (0..10).collect();
        let asked = self
            .payer
            .ask(hashing::tokens_hash(&prompt), 10, parameters)
            .expect("the payer may ask");
        self.worker.ask(&asked).expect("the worker serves");
        let n = asked.n;
        let answer = (answer_hash(n, tokens), u32::from(tokens));
        let root = merkle_root(&hidden(n, tokens.into()));
        let receipt = self
            .worker
            .finish(0, answer, AnswerEnd::Length, root)
            .expect("the answer is as asked");
        let voucher = self
            .payer
            .receive(&receipt, answer, 0, |_| true)
            .expect("the receipt is right");
        self.worker
            .pay(&voucher, |_| true)
            .expect("the voucher is right");
        self.receipts.push(receipt);
        voucher
    }
}

fn answer_hash(n: u32, tokens: u16) -> H256 {
    let answer: Vec<u32> = (0..tokens).map(|token| n + u32::from(token)).collect();
    hashing::tokens_hash(&answer)
}

/// The hidden states that executing answer `n` yields.
pub(crate) fn hidden(n: u32, tokens: u32) -> Vec<H256> {
    (0..tokens)
        .map(|position| hashing::blake2_256(&(n, position).encode()))
        .collect()
}

/// The price of an answer of `tokens` tokens to a prompt of ten.
pub(crate) const fn price(tokens: Balance) -> Balance {
    10 * 4 + 10 * tokens
}

pub(crate) fn sign(voucher: &Voucher) -> TestSignature {
    TestSignature(VOUCHER_KEY, voucher.payload().as_bytes().to_vec())
}

pub(crate) fn claim_call(voucher: &Voucher) -> Call<Test> {
    Call::claim {
        voucher: Box::new(*voucher),
        signature: sign(voucher),
    }
}

pub(crate) fn dispatch(call: Call<Test>, by: AccountId) -> DispatchResult {
    use frame_support::traits::UnfilteredDispatchable;
    frame_support::storage::with_storage_layer(|| {
        call.dispatch_bypass_filter(RuntimeOrigin::signed(by))
            .map(drop)
            .map_err(|error| error.error)
    })
}

pub(crate) fn claim(voucher: &Voucher) -> DispatchResult {
    dispatch(claim_call(voucher), key(WORKER))
}

pub(crate) fn close(id: SessionId, by: AccountId) -> DispatchResult {
    dispatch(Call::close_session { session: id }, by)
}

/// Waives the rest of the worker's window, as `by`.
pub(crate) fn end(id: SessionId, by: AccountId) -> DispatchResult {
    let claimed = session(id).account.count;
    let call = Call::end_session {
        session: id,
        claimed,
    };
    dispatch(call, by)
}

/// Lets every drawn validator check the claim of the receipts honestly.
pub(crate) fn check(id: ClaimId, receipts: &[SessionReceipt]) {
    let leaves: Vec<H256> = receipts.iter().map(SessionReceipt::hash).collect();
    let seats = |state: fn(&noema_claims::SeatState) -> bool| -> Vec<(AccountId, u32)> {
        let claim = Claims::claim(id).expect("the claim is kept");
        let seats = claim.seats.iter().filter(|seat| state(&seat.state));
        seats.map(|seat| (seat.validator, seat.leaf)).collect()
    };
    let proof = |validator: AccountId, leaf: u32| {
        let claim = Claims::claim(id).expect("the claim is kept");
        let mut all = claim.seats.iter();
        let seat = all.find(|seat| (seat.validator, seat.leaf) == (validator, leaf));
        let receipt = &receipts[leaf as usize];
        let position = seat
            .expect("the validator was drawn")
            .position(receipt.answer_tokens)
            .expect("the leaf has positions");
        let hidden = hidden(receipt.n, receipt.answer_tokens);
        prove_hidden(&hidden, position).expect("the leaf has this position")
    };
    let salt = H256::repeat_byte(3);
    for (validator, leaf) in seats(|state| matches!(state, noema_claims::SeatState::Seated)) {
        let hidden = proof(validator, leaf).hidden;
        let commitment = hashing::check_commitment(id, leaf, &validator, hidden, salt);
        let origin = RuntimeOrigin::signed(key(validator));
        assert_ok!(Claims::commit_check(origin, id, leaf, commitment));
    }
    for (validator, leaf) in seats(|state| matches!(state, noema_claims::SeatState::Committed(_))) {
        assert_ok!(Claims::reveal_session_check(
            RuntimeOrigin::signed(key(validator)),
            id,
            leaf,
            Box::new(receipts[leaf as usize]),
            noema_sessions::merkle_proof(&leaves, leaf).expect("the claim has this leaf"),
            proof(validator, leaf),
            salt,
        ));
    }
}

/// Executes blocks until the claim has ended, with every drawn validator honest.
pub(crate) fn until_ended(id: ClaimId, receipts: &[SessionReceipt]) -> ClaimOutcome {
    for _ in 0..100 {
        let claim = Claims::claim(id).expect("the claim is kept");
        if let Some(outcome) = claim.outcome() {
            return outcome;
        }
        check(id, receipts);
        blocks(1);
    }
    panic!("the claim does not end");
}

/// The number of claims whose records are kept.
pub(crate) fn kept_claims() -> usize {
    Claims::kept().len()
}

/// The amounts that were credited to operators and are not withdrawn.
pub(crate) fn payable(controller: AccountId) -> Balance {
    Operators::earnings(controller).map_or(0, |ledger| ledger.payable)
}

/// The amount on hold of an account for sessions and their claims.
pub(crate) fn held(account: AccountId) -> Balance {
    Balances::balance_on_hold(&pallet_claims::HoldReason::Payment.into(), &account)
}

/// The sum of free and held balance.
pub(crate) fn total(account: AccountId) -> Balance {
    Balances::total_balance(&account)
}

pub(crate) fn bond(controller: AccountId) -> Balance {
    Operators::bond(&controller)
}

/// The worker of each open session, by its number.
pub(crate) fn workers() -> BTreeMap<SessionId, Option<AccountId>> {
    crate::Sessions::<Test>::iter()
        .map(|(id, session)| (id, session.worker))
        .collect()
}
