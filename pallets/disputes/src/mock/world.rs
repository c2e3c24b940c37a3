//! The accounts and claims of the tests, and their moves.

use super::*;
use crate::{Call, Error, Event, Games, HoldReason, Lines};
use frame_support::{
    assert_ok,
    dispatch::{Pays, PostDispatchInfo},
    traits::{
        fungible::{Inspect, InspectHold},
        Hooks,
    },
    weights::WeightMeter,
    BoundedVec,
};
use noema_claims::{
    merkle_root, Availability, Claim, ClaimOutcome, ClaimRules, ClaimStage, ClaimTerms,
    ClaimWindows, Permill,
};
use noema_disputes::{Line, Place, StepProof};
use noema_interfaces::{Claims as _, Operators as _};
use noema_protocol::{ClaimId, Job, Prices, RequestId};
pub(crate) use noema_testing::CHECKPOINT;
use pallet_operators::Roles;
use sp_runtime::DispatchResult;

/// The claimant.
pub(crate) const WORKER: AccountId = 1;
pub(crate) const PAYER: AccountId = 2;
/// Accounts that are no operators.
pub(crate) const CHALLENGER: AccountId = 3;
pub(crate) const OTHER: AccountId = 4;
pub(crate) const THIRD: AccountId = 5;
pub(crate) const OUTSIDER: AccountId = 6;
/// The first of the validators.
pub(crate) const VALIDATOR: AccountId = 10;
pub(crate) const VALIDATORS: u64 = 4;
pub(crate) const FUNDS: Balance = 10_000_000;
pub(crate) const BOND: Balance = 5_000_000;
/// The stake of a claim, and of an account that challenges it.
pub(crate) const STAKE: Balance = 20_000;
pub(crate) const TOKENS: u64 = 20;
/// Blocks of a term.
const TERM: u32 = 5;
/// Game time for a move, beside the time for its work.
pub(crate) const PER_MOVE: u32 = 3;
/// Game time to build a trace.
pub(crate) const WORK: u32 = 2;
/// The seed of the computations of the tests, and their number of steps.
pub(crate) const SEED: u64 = 5;
pub(crate) const STEPS: u64 = 60;

parameter_types! {
    /// The weight that each block has left at its end.
    pub static Idle: Weight = Weight::MAX;
}

/// The referee of what the judge has no steps for: it keeps a list.
pub struct Others;

parameter_types! {
    /// The disputes that were handed over.
    pub static HandedOver: Vec<(ClaimId, u32)> = Vec::new();
}

impl noema_interfaces::Referee<AccountId, u32> for Others {
    fn open(claim: &Claim<AccountId, u32>, leaf: u32) {
        HandedOver::mutate(|disputes| disputes.push((claim.id, leaf)));
    }

    fn backlog(_: &AccountId) -> u64 {
        0
    }
}

pub(crate) fn rules() -> ClaimRules<u32> {
    ClaimRules {
        windows: ClaimWindows {
            finality: 1,
            commit: 30,
            tokens_per_block: 50,
            reveal: 2,
            challenge: 10,
            post: 2,
        },
        freshness: 2,
        margin_percent: 200,
        min_check_rate: Permill::from_parts(1),
        validators_per_leaf: 2,
        max_draws: 3,
        validator_stake: 1_000,
        challenger_share: Permill::from_percent(50),
        challenger_cap: 8_000,
        challenge_bond: 2_000,
        juror_fee_per_token: 1,
        burned_share: Permill::from_percent(10),
    }
}

/// A right trace.
pub(crate) fn right() -> Trace {
    Trace::right(SEED, STEPS)
}

/// A trace in which step 20 has another value, and all later ones follow from that.
pub(crate) fn wrong() -> Trace {
    Trace::forged(SEED, STEPS, &[(20, 1)])
}

fn terms(traces: &[Trace]) -> ClaimTerms<AccountId, u32> {
    ClaimTerms {
        claimant: WORKER,
        payer: PAYER,
        checkpoint: CHECKPOINT,
        root: merkle_root(&leaves(traces)),
        leaves: traces.len() as u32,
        leaf_tokens: TOKENS,
        availability: Availability::OnChain,
        payment: 10,
        exposure: 0,
        check_fee: 4,
        stake: STAKE,
        rules: rules(),
    }
}

fn leaves(traces: &[Trace]) -> Vec<H256> {
    use noema_disputes::StepJudge;
    let leaves = traces.iter().map(|trace| Sums::leaf(&trace.statement()));
    leaves.collect()
}

/// The siblings of a leaf of a claim.
pub(crate) fn claim_path(traces: &[Trace], leaf: u32) -> Vec<H256> {
    let proof = noema_claims::prove_hidden(&leaves(traces), leaf);
    proof.expect("the claim has this leaf").siblings
}

/// A claim of the results of these traces, of which no leaf is drawn.
pub(crate) fn make(traces: &[Trace]) -> ClaimId {
    make_with(terms(traces))
}

/// A claim whose leaf is always drawn.
pub(crate) fn make_checked(trace: &Trace) -> ClaimId {
    let mut terms = terms(core::slice::from_ref(trace));
    terms.rules.min_check_rate = Permill::one();
    make_with(terms)
}

fn make_with(terms: ClaimTerms<AccountId, u32>) -> ClaimId {
    let job = Job::Request(RequestId(pallet_claims::NextClaim::<Test>::get().0));
    assert_ok!(Claims::hold(&terms.payer, terms.payment + terms.check_fee));
    assert_ok!(Operators::lock(&terms.claimant, job, terms.stake));
    Claims::make(job, terms, 0).expect("the terms can be claimed")
}

pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    let validators = (0..VALIDATORS).map(|index| VALIDATOR + index);
    let accounts = [WORKER, PAYER, CHALLENGER, OTHER, THIRD, OUTSIDER];
    let accounts = accounts.into_iter().chain(validators.clone());
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: accounts.map(|who| (who, FUNDS)).collect(),
            ..Default::default()
        },
        operators: pallet_operators::GenesisConfig { term_length: TERM },
        ..Default::default()
    };
    let mut ext = noema_testing::build(genesis);
    ext.execute_with(|| {
        Idle::set(Weight::MAX);
        MaxTurnsPerBlock::set(64);
        HandedOver::set(Vec::new());
        System::set_block_number(1);
        register(WORKER, roles(true));
        validators.for_each(|validator| register(validator, roles(false)));
        blocks(3 * TERM);
    });
    ext
}

/// Runs a test, and audits the state that it leaves: records, locks, holds and the total issuance.
pub(crate) fn test(run: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        let before = Balances::total_issuance();
        run();
        audit();
        assert!(Balances::total_issuance() <= before);
    });
}

pub(crate) fn audit() {
    assert_eq!(Disputes::audit(), Ok(()));
    assert_eq!(Claims::audit(), Ok(()));
    Operators::audit().expect("the audit finds nothing");
}

/// The roles of a worker, or of a validator.
const fn roles(worker: bool) -> Roles {
    Roles {
        worker,
        validator: !worker,
        trainer: false,
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

/// Ends the present block, and executes others up to their transactions.
pub(crate) fn blocks(count: u32) {
    for _ in 0..count {
        Disputes::on_idle(System::block_number(), Idle::get());
        let now = System::block_number() + 1;
        System::set_block_number(now);
        Claims::on_poll(now, &mut WeightMeter::new());
        Disputes::on_poll(now, &mut WeightMeter::new());
    }
}

pub(crate) fn challenge(who: AccountId, claim: ClaimId, leaf: u32) -> DispatchResult {
    Claims::challenge(RuntimeOrigin::signed(who), claim, leaf)
}

/// A claim of one trace that `CHALLENGER` has challenged.
pub(crate) fn challenged(trace: &Trace) -> ClaimId {
    let claim = make(core::slice::from_ref(trace));
    assert_ok!(challenge(CHALLENGER, claim, 0));
    claim
}

/// The same, with the trace opened.
pub(crate) fn opened(trace: &Trace) -> ClaimId {
    let claim = challenged(trace);
    assert_ok!(open(claim, trace));
    claim
}

pub(crate) fn open_call(claim: ClaimId, trace: &Trace) -> Call<Test> {
    Call::open_trace {
        claim,
        leaf: 0,
        statement: Box::new(trace.statement()),
        path: Vec::new(),
        root: trace.tree().root(),
        siblings: trace.last_path(),
    }
}

/// The claimant shows its trace of the only leaf of a claim.
pub(crate) fn open(claim: ClaimId, trace: &Trace) -> DispatchResult {
    dispatch(open_call(claim, trace), key(WORKER)).map(drop)
}

pub(crate) fn point_call(claim: ClaimId, trace: &Trace, node: Place) -> Call<Test> {
    Call::point {
        claim,
        leaf: 0,
        node,
        hash: trace.hash(node),
        siblings: trace.path(node),
    }
}

pub(crate) fn point(who: AccountId, claim: ClaimId, trace: &Trace, node: Place) -> DispatchResult {
    let done = dispatch(point_call(claim, trace, node), who)?;
    assert_eq!(done.pays_fee, Pays::No, "it is paid for by the bond");
    Ok(())
}

pub(crate) fn show_call(
    claim: ClaimId,
    trace: &Trace,
    node: Place,
    challengers: &[AccountId],
) -> Call<Test> {
    Call::show {
        claim,
        leaf: 0,
        challengers: BoundedVec::truncate_from(challengers.to_vec()),
        row: BoundedVec::truncate_from(trace.row_below(node)),
    }
}

/// The claimant shows the row below a node.
pub(crate) fn show(
    claim: ClaimId,
    trace: &Trace,
    node: Place,
    challengers: &[AccountId],
) -> DispatchResult {
    dispatch(show_call(claim, trace, node, challengers), key(WORKER)).map(drop)
}

pub(crate) fn prove_call(claim: ClaimId, trace: &Trace, proof: StepProof<SumInputs>) -> Call<Test> {
    Call::prove {
        claim,
        leaf: 0,
        statement: Box::new(trace.statement()),
        proof: Box::new(proof),
    }
}

pub(crate) fn prove(
    who: AccountId,
    claim: ClaimId,
    trace: &Trace,
    step: u64,
) -> Result<Pays, sp_runtime::DispatchError> {
    dispatch(prove_call(claim, trace, trace.proof(step)), who).map(|done| done.pays_fee)
}

/// Executes a call as if `who` had signed it.
pub(crate) fn dispatch(
    call: Call<Test>,
    who: AccountId,
) -> Result<PostDispatchInfo, sp_runtime::DispatchError> {
    use frame_support::{storage::with_storage_layer, traits::UnfilteredDispatchable};
    with_storage_layer(|| call.dispatch_bypass_filter(RuntimeOrigin::signed(who)))
        .map_err(|error| error.error)
}

/// The node in the row `height` that has a step below it.
pub(crate) const fn above(step: u64, height: u32) -> Place {
    Place {
        row: height,
        index: step >> height,
    }
}

/// A challenger goes down to a step, as fast as it can, and the claimant shows it each row.
pub(crate) fn descend(who: AccountId, claim: ClaimId, trace: &Trace, step: u64) {
    let mut height = trace.tree().height();
    let player = Disputes::player(&who);
    while height > 0 {
        let node = above(step, height);
        assert_ok!(point(who, claim, trace, node));
        assert_ok!(show(claim, trace, node, &[player]));
        height = height.saturating_sub(2);
    }
}

pub(crate) fn claim(id: ClaimId) -> Claim<AccountId, u32> {
    Claims::claim(id).expect("the claim is kept")
}

pub(crate) fn outcome(id: ClaimId) -> Option<ClaimOutcome> {
    claim(id).outcome()
}

pub(crate) fn game(id: ClaimId) -> crate::GameOf<Test> {
    Games::<Test>::get(id, 0).expect("the game is open").game
}

pub(crate) fn has_game(id: ClaimId) -> bool {
    Games::<Test>::contains_key(id, 0)
}

pub(crate) fn line(id: ClaimId, challenger: AccountId) -> Line<u32> {
    let open = Lines::<Test>::get((id, 0), challenger);
    open.expect("the line is open").line
}

pub(crate) fn has_line(id: ClaimId, challenger: AccountId) -> bool {
    Lines::<Test>::contains_key((id, 0), challenger)
}

/// The last game time in which the side that has to move in a line may.
pub(crate) fn until(id: ClaimId, challenger: AccountId) -> u32 {
    game(id)
        .until(&line(id, challenger))
        .expect("the trace is open")
}

/// Executes blocks up to a game time. Each has room.
pub(crate) fn go_to(time: u32) {
    let now = Disputes::now();
    blocks(time.checked_sub(now).expect("the time has not passed"));
    assert_eq!(Disputes::now(), time);
}

/// Executes blocks until the claim has ended.
pub(crate) fn until_ended(id: ClaimId) -> ClaimOutcome {
    for _ in 0..300 {
        if let Some(outcome) = outcome(id) {
            return outcome;
        }
        blocks(1);
    }
    panic!("not reached: {:?}", claim(id).stage);
}

/// Executes blocks until all accounts can challenge the claim for the last time.
pub(crate) fn until_challengeable(id: ClaimId) -> u32 {
    for _ in 0..100 {
        if let ClaimStage::Challengeable { until, .. } = claim(id).stage {
            return until;
        }
        blocks(1);
    }
    panic!("not reached: {:?}", claim(id).stage);
}

/// The first validator that is drawn for a claim.
pub(crate) fn drawn(id: ClaimId) -> AccountId {
    for _ in 0..40 {
        if let Some(seat) = claim(id).seats.first() {
            return seat.validator;
        }
        blocks(1);
    }
    panic!("none is drawn: {:?}", claim(id).stage);
}

/// The funds of an account that are on hold for lines.
pub(crate) fn bonded(who: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Line.into(), &who)
}

/// The sum of free and held balance.
pub(crate) fn total(account: AccountId) -> Balance {
    Balances::total_balance(&account)
}

/// All that an operator has: its account, and its credit. The bond is on hold of the account.
pub(crate) fn wealth(operator: AccountId) -> Balance {
    total(operator) + Operators::earnings(operator).map_or(0, |ledger| ledger.payable)
}

pub(crate) fn events() -> Vec<Event<Test>> {
    let events = System::events().into_iter();
    events
        .filter_map(|record| match record.event {
            RuntimeEvent::Disputes(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub(crate) fn refused<T>(error: Error<Test>) -> Result<T, sp_runtime::DispatchError> {
    Err(error.into())
}

#[cfg(feature = "runtime-benchmarks")]
pub struct WrongAnswers;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId, SumStatement, SumInputs> for WrongAnswers {
    fn challenged(_: noema_protocol::CheckpointId) -> (ClaimId, u32) {
        // A benchmark is run more than once, and the storage of the last run is wiped.
        if Operators::bond(&WORKER) == 0 {
            for who in [WORKER, PAYER, CHALLENGER] {
                <Balances as frame_support::traits::fungible::Mutate<_>>::set_balance(&who, FUNDS);
            }
            register(WORKER, roles(true));
        }
        (challenged(&wrong()), 0)
    }

    fn hot_key(_: ClaimId) -> AccountId {
        key(WORKER)
    }

    fn wrong_trace(_: ClaimId, _: u32) -> crate::WrongTrace<SumStatement, SumInputs> {
        let trace = wrong();
        crate::WrongTrace {
            statement: trace.statement(),
            path: Vec::new(),
            root: trace.tree().root(),
            siblings: trace.last_path(),
            proof: trace.proof(20),
        }
    }
}
