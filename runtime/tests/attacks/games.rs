//! Disputes over the answers of sessions, which the chain decides by executing one step: one honest party is
//! enough, though all others lie.

use crate::{
    answer::{manifest, tree, World},
    world::*,
};
use frame_support::assert_ok;
use noema_checkpoint::Manifest;
use noema_claims::{merkle_root, ClaimFault, ClaimOutcome};
use noema_disputes::{GameEnd, Place, StepProof};
use noema_interfaces::Claims as _;
use noema_numerics::testing::TestModel;
use noema_protocol::{merkle, ClaimId, Prices, Role, SessionId};
use noema_referee::{DeclaredEvidence, SessionStatement};
use noema_runtime::{
    constants::UNIT, Claims, Disputes, Jury, Operators, Runtime, RuntimeEvent, RuntimeOrigin,
    Sessions, System,
};
use noema_sessions::{SessionPrices, SessionReceipt, Voucher};
use noema_trace::TraceShape;
use sp_core::{Pair, H256};
use sp_runtime::{DispatchResult, MultiSignature};

const ARCHITECTURE: noema_numerics::Architecture = noema_numerics::Architecture {
    layers: 1,
    ..TestModel::TINY
};
/// Three tokens cost more than the least claim.
const SESSION_PRICES: Prices<u128> = Prices {
    per_prompt_byte: UNIT / 1_000,
    per_answer_token: UNIT / 5,
};
/// The seed of voucher keys.
const VOUCHERS: u32 = 150;

/// A session of `WORKER` with `ASKER`, about a checkpoint with this manifest.
fn open_session(manifest: &Manifest) -> SessionId {
    let checkpoint = manifest.id();
    publish_checkpoint(checkpoint);
    register(WORKER, Role::Worker, BOND, SESSION_PRICES);
    let origin = RuntimeOrigin::signed(who(WORKER));
    assert_ok!(Operators::serve(origin, checkpoint));
    notice();
    let id = pallet_sessions::NextSession::<Runtime>::get();
    let most = SessionPrices {
        per_prompt_token: UNIT,
        per_cached_token: UNIT,
        per_answer_token: UNIT,
    };
    assert_ok!(Sessions::open_session(
        RuntimeOrigin::signed(who(ASKER)),
        checkpoint,
        Some(who(WORKER)),
        pair(VOUCHERS).public().into(),
        64,
        most,
        100 * UNIT
    ));
    notice();
    id
}

/// Claims one answer of a session, which `STRANGER` challenges, and posts it: a game begins.
fn dispute(id: SessionId, receipt: SessionReceipt, prompt: &[u32], answer: &[u32]) -> ClaimId {
    let terms = Sessions::session_terms(id).expect("the session is open");
    let agreement = terms.agreement(System::block_hash(0));
    let voucher = Voucher {
        genesis: agreement.genesis,
        session: id,
        terms: agreement.terms,
        first: 0,
        count: 1,
        amount: receipt.price,
        dearest: receipt.price,
        root: merkle_root(&[receipt.hash()]),
    };
    let signature = pair(VOUCHERS).sign(voucher.payload().as_bytes());
    let claim = pallet_claims::NextClaim::<Runtime>::get();
    let signature = MultiSignature::from(signature);
    assert_ok!(Sessions::claim(by(WORKER), Box::new(voucher), signature));
    challenge(STRANGER, claim);
    assert!(Disputes::game(claim, 0).is_none(), "the leaf is not posted");
    assert_ok!(Claims::post_leaf(
        by(WORKER),
        claim,
        0,
        Box::new(receipt),
        Vec::new(),
        prompt.to_vec(),
        answer.to_vec()
    ));
    assert!(Disputes::game(claim, 0).is_some());
    assert!(Jury::dispute(claim, 0).is_none(), "no jury is asked");
    claim
}

/// The worker shows a trace with these leaves.
fn open(claim: ClaimId, statement: &SessionStatement, leaves: &[H256]) -> DispatchResult {
    let last = leaves.len() as u64 - 1;
    Disputes::open_trace(
        by(WORKER),
        claim,
        0,
        Box::new(statement.clone()),
        Vec::new(),
        tree(leaves).root(),
        siblings(leaves, last),
    )
}

/// The nodes that prove a step.
fn siblings(leaves: &[H256], step: u64) -> Vec<H256> {
    let steps = leaves.len() as u64;
    let places = merkle::missing(steps, &[step]).expect("a step");
    let mut collector = merkle::Collector::new(steps, 0, &places);
    let nodes = leaves.iter().map(noema_protocol::hashing::merkle_leaf);
    nodes.for_each(|node| collector.push(node));
    match places.is_empty() {
        true => Vec::new(),
        false => collector.finish().expect("places of the tree"),
    }
}

/// The challenger has the chain execute a step of a trace with these leaves.
fn prove(
    claim: ClaimId,
    statement: &SessionStatement,
    leaves: &[H256],
    step: u64,
    evidence: DeclaredEvidence,
) -> DispatchResult {
    let proof = StepProof {
        step,
        node: noema_protocol::hashing::merkle_leaf(&leaves[step as usize]),
        siblings: siblings(leaves, step),
        evidence,
    };
    let origin = RuntimeOrigin::signed(who(STRANGER));
    Disputes::prove(
        origin,
        claim,
        0,
        Box::new(statement.clone()),
        Box::new(proof),
    )
    .map(drop)
    .map_err(|failed| failed.error)
}

/// An honest answer in a session.
fn answered() -> (SessionId, World) {
    let model = TestModel::seeded(ARCHITECTURE, 5);
    let manifest = manifest(&model);
    let id = open_session(&manifest);
    let terms = Sessions::session_terms(id).expect("the session is open");
    let agreement = terms.agreement(System::block_hash(0));
    (id, World::of(model, manifest, &agreement, (0, 0)))
}

fn evidence(world: &World, leaves: &[H256], step: u64) -> DeclaredEvidence {
    let mut found = None;
    world.evidence(
        leaves,
        |other, _| other == step,
        |_, evidence| found = Some(evidence),
    );
    found.expect("the trace has this step")
}

fn outcome(claim: ClaimId) -> Option<ClaimOutcome> {
    Claims::claim(claim).and_then(|claim| claim.outcome())
}

fn until(mut is_over: impl FnMut() -> bool) {
    for _ in 0..4_000 {
        if is_over() {
            return;
        }
        block();
    }
    panic!("it does not end");
}

#[test]
fn an_honest_worker_wins_against_every_proof_and_loses_nothing() {
    chain(11, || {
        let (id, world) = answered();
        let before = wealth([WORKER]);
        let challenger = wealth([STRANGER]);
        let claim = dispute(id, world.receipt, &world.given, &world.answer);
        let leaves = world.leaves();
        let statement = world.statement();
        assert_ok!(open(claim, &statement, &leaves));
        // The only proof that the challenger has: the step is right.
        let step = leaves.len() as u64 / 2;
        assert_ok!(prove(
            claim,
            &statement,
            &leaves,
            step,
            evidence(&world, &leaves, step)
        ));
        assert!(Disputes::game(claim, 0).is_some_and(|info| info.lines.is_empty()));
        until(|| Disputes::game(claim, 0).is_none());
        until(|| outcome(claim).is_some());
        assert!(!matches!(outcome(claim), Some(ClaimOutcome::Fallen(_))));
        assert!(wealth([WORKER]) >= before, "it is paid for the game");
        assert!(wealth([STRANGER]) < challenger);
    });
}

#[test]
fn a_falsified_step_of_any_part_makes_the_claim_fall() {
    for share in [0, 1, 5, 8, 9] {
        chain(12, || {
            let (id, world) = answered();
            let before = [wealth([WORKER]), wealth([STRANGER])];
            let claim = dispute(id, world.receipt, &world.given, &world.answer);
            let honest = world.leaves();
            let mut leaves = honest.clone();
            let step = (honest.len() - 2) * share / 10;
            leaves[step] = H256::repeat_byte(9);
            let statement = world.statement();
            assert_ok!(open(claim, &statement, &leaves));
            let evidence = evidence(&world, &leaves, step as u64);
            assert_ok!(prove(claim, &statement, &leaves, step as u64, evidence));
            let fallen = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));
            assert_eq!(outcome(claim), Some(fallen), "step {step}");
            assert!(wealth([WORKER]) < before[0]);
            assert!(wealth([STRANGER]) > before[1]);
        });
    }
}

#[test]
fn a_false_answer_falls_by_its_last_step_where_everything_before_is_honest() {
    chain(13, || {
        let (id, mut world) = answered();
        world.receipt.hidden_root = H256::repeat_byte(3);
        let claim = dispute(id, world.receipt, &world.given, &world.answer);
        let mut leaves = world.leaves();
        let statement = world.statement();
        assert!(
            open(claim, &statement, &leaves).is_err(),
            "the outcome is false"
        );
        let last = leaves.len() - 1;
        leaves[last] = TraceShape::outcome();
        assert_ok!(open(claim, &statement, &leaves));
        let evidence = evidence(&world, &leaves, last as u64);
        assert_ok!(prove(claim, &statement, &leaves, last as u64, evidence));
        let fallen = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));
        assert_eq!(outcome(claim), Some(fallen));
    });
}

#[test]
fn a_receipt_that_misstates_its_session_has_no_trace() {
    chain(14, || {
        let (id, mut world) = answered();
        // The payer is in on it: it signed the price.
        world.receipt.price += UNIT;
        let claim = dispute(id, world.receipt, &world.given, &world.answer);
        let opened = open(claim, &world.statement(), &world.leaves());
        assert_eq!(
            opened,
            Err(pallet_disputes::Error::<Runtime>::NoShape.into())
        );
        until(|| outcome(claim).is_some());
        let fallen = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));
        assert_eq!(outcome(claim), Some(fallen));
    });
}

#[test]
fn proofs_about_something_else_are_refused_and_cost_no_more_than_a_line() {
    chain(15, || {
        let (id, world) = answered();
        let claim = dispute(id, world.receipt, &world.given, &world.answer);
        let leaves = world.leaves();
        let statement = world.statement();
        assert_ok!(open(claim, &statement, &leaves));
        let step = leaves.len() as u64 / 2;
        let right = evidence(&world, &leaves, step);
        let refused = |statement: &SessionStatement, step, evidence: &DeclaredEvidence, who| {
            let last = leaves.len() as u64 - 1;
            let proof = StepProof {
                step,
                node: H256::zero(),
                siblings: siblings(&leaves, last.min(step)),
                evidence: evidence.clone(),
            };
            let (statement, proof) = (Box::new(statement.clone()), Box::new(proof));
            let origin = RuntimeOrigin::signed(who);
            Disputes::prove(origin, claim, 0, statement, proof).is_err()
        };
        // An account without a line: nothing is at stake but the fee.
        let other = World::of(
            TestModel::seeded(ARCHITECTURE, 6),
            manifest(&TestModel::seeded(ARCHITECTURE, 6)),
            &Sessions::session_terms(id)
                .expect("the session is open")
                .agreement(System::block_hash(0)),
            (0, 0),
        );
        assert!(refused(&other.statement(), step, &right, who(WATCHER)));
        assert!(
            refused(&statement, step, &right, who(WATCHER)),
            "another node"
        );
        let mut long = right.clone();
        long.inputs.outputs = vec![0; pallet_disputes::MAX_EVIDENCE_BYTES];
        assert!(refused(&statement, step, &long, who(WATCHER)));
        let mut manifest = statement.clone();
        manifest.manifest.push(0);
        assert!(refused(&manifest, step, &right, who(WATCHER)));
        assert!(refused(&statement, u64::MAX, &right, who(WATCHER)));
        assert!(Disputes::game(claim, 0).is_some());
        assert_eq!(outcome(claim), None);
        let place = Place::of_leaf(step);
        let pointed = Disputes::point(
            RuntimeOrigin::signed(who(STRANGER)),
            claim,
            0,
            place,
            H256::zero(),
            Vec::new(),
        );
        assert!(pointed.is_err(), "a leaf has no row below it");
    });
}

#[test]
fn a_jury_decides_about_a_checkpoint_that_has_no_steps_here() {
    chain(16, || {
        let model = TestModel::seeded(ARCHITECTURE, 5);
        let mut manifest = manifest(&model);
        manifest.numerics += 1;
        let id = open_session(&manifest);
        let terms = Sessions::session_terms(id).expect("the session is open");
        let agreement = terms.agreement(System::block_hash(0));
        let world = World::of(model, manifest, &agreement, (0, 0));
        let claim = dispute(id, world.receipt, &world.given, &world.answer);
        assert_ok!(Disputes::open_trace(
            by(WORKER),
            claim,
            0,
            Box::new(world.statement()),
            Vec::new(),
            H256::zero(),
            Vec::new()
        ));
        let stage = |info: pallet_disputes::GameInfo<_, _>| info.game.end();
        let handed_over = Some(Some(GameEnd::HandedOver));
        assert_eq!(Disputes::game(claim, 0).map(stage), handed_over);
        until(|| Jury::dispute(claim, 0).is_some());
        assert!(Disputes::game(claim, 0).is_none());
        assert_eq!(outcome(claim), None);
        audit();
    });
}

#[test]
fn juries_decide_about_public_requests() {
    chain(17, || {
        register(WORKER, Role::Worker, BOND, PRICES);
        notice();
        let id = ask(ASKER);
        block();
        let claim = submit(WORKER, id, true).expect("it is the worker's");
        challenge(STRANGER, claim);
        assert!(Jury::dispute(claim, 0).is_some());
        assert!(Disputes::game(claim, 0).is_none());
        let events = System::events().into_iter();
        let begun = events.filter(|record| matches!(record.event, RuntimeEvent::Disputes(_)));
        assert_eq!(begun.count(), 0);
    });
}
