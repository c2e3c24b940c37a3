//! Claims of sessions: a validator reads the leaf before it checks it, and a worker claims and posts.

use crate::fake::{
    answer, facts, served, session_leaf, to_check_session, Process, Setting, CHECK, CLAIM,
    CONTROLLER, DISPUTE, GENESIS, SESSION,
};
use noema_claims::{merkle_root, verify_hidden};
use noema_protocol::{hashing, Verdict};
use noema_session_transport::{OpenBundle, SessionLeaf};
use noema_sessions::{AnswerEnd, Stage};
use noema_worker::roles::{Action, DutyOutcome, DutyStep, LeafDemand, LeafError};
use noema_worker::store::{JobStage, Product};
use sp_core::H256;
use std::sync::atomic::Ordering;

impl Setting {
    /// A chain that expects the check of this leaf, and a claimant that sends it.
    fn checking_session(leaf: &SessionLeaf) -> Self {
        let setting = Self::expecting([to_check_session(DutyStep::Execute, leaf, false)]);
        setting.leaves.send(Ok(leaf.clone()));
        setting
    }
}

fn unread() -> LeafError {
    LeafError::Unread("the claimant is away".into())
}

async fn steps(setting: &Setting, process: &mut Process, count: u32) {
    for _ in 0..count {
        process.step().await;
        setting.next_block();
    }
}

#[tokio::test]
async fn a_right_leaf_of_a_session_is_committed_to_and_shown_with_its_path() {
    let leaf = session_leaf();
    let setting = Setting::checking_session(&leaf);
    let mut process = setting.start();
    process.step().await;
    let reveal = to_check_session(DutyStep::Reveal, &leaf, false);
    setting.chain.expect([reveal]);
    setting.next_block();
    process.step().await;
    let performed = setting.chain.performed();
    let [Action::CommitCheck { commitment, .. }, Action::RevealSessionCheck { check, .. }] =
        &performed[..]
    else {
        panic!("a commitment and a reveal were expected, not {performed:?}");
    };
    let hidden = check.proof.hidden;
    let opened = hashing::check_commitment(CLAIM, 0, &CONTROLLER, hidden, check.salt);
    assert_eq!(*commitment, opened);
    assert_eq!((check.receipt, &check.path), (leaf.receipt, &leaf.path));
    assert!(verify_hidden(leaf.receipt.hidden_root, 3, 2, &check.proof));
    assert!(matches!(process.stage(CHECK), Some(JobStage::Done { .. })));
}

/// A false statement of a worker. The claim is of the leaf as it is stated.
type Lie = fn(&mut SessionLeaf);

const WRONG: H256 = H256::repeat_byte(0xee);

#[tokio::test]
async fn whatever_is_false_in_a_receipt_of_a_session_is_challenged() {
    let lies: [(&str, Lie); 11] = [
        ("session", |leaf| leaf.receipt.session.0 += 1),
        ("number", |leaf| leaf.receipt.n += 1),
        ("first answer", |leaf| leaf.receipt.first += 1),
        ("terms", |leaf| leaf.receipt.terms = WRONG),
        ("checkpoint", |leaf| leaf.receipt.checkpoint.0 = WRONG),
        ("seed", |leaf| leaf.receipt.seed = WRONG),
        ("price", |leaf| leaf.receipt.price += 1),
        ("cached tokens", |leaf| leaf.receipt.cached_tokens = 5),
        ("length", |leaf| leaf.receipt.parameters.max_tokens = 97),
        ("hidden root", |leaf| leaf.receipt.hidden_root = WRONG),
        ("tokens", |leaf| {
            leaf.answer = vec![4, 6, 7];
            leaf.receipt.answer_hash = hashing::tokens_hash(&leaf.answer);
        }),
    ];
    for (what, lie) in lies {
        let mut leaf = session_leaf();
        lie(&mut leaf);
        let setting = Setting::checking_session(&leaf);
        setting.start().step().await;
        let challenge = Action::Challenge {
            claim: CLAIM,
            leaf: 0,
        };
        assert_eq!(setting.chain.performed(), [challenge], "{what}");
    }
}

#[tokio::test]
async fn a_leaf_that_is_withheld_is_demanded_once_and_checked_when_it_is_posted() {
    let leaf = session_leaf();
    let setting = Setting::checking_session(&leaf);
    let mut other = leaf.clone();
    other.answer.push(1);
    // Bytes that are not the leaf are no leaf.
    for sent in [Err(unread()), Ok(other), Err(unread())] {
        setting.leaves.send(sent);
        let mut process = setting.start();
        steps(&setting, &mut process, 3).await;
        assert!(setting.chain.performed().is_empty(), "not yet");
    }
    let mut process = setting.start();
    steps(&setting, &mut process, 4).await;
    let demand = Action::DemandLeaf {
        claim: CLAIM,
        leaf: 0,
    };
    assert_eq!(setting.chain.performed(), std::slice::from_ref(&demand));
    setting.leaves.send(Err(LeafError::Demanded));
    steps(&setting, &mut process, 6).await;
    assert_eq!(setting.chain.performed(), [demand], "once");
    assert_eq!(setting.model.checks.load(Ordering::SeqCst), 0);
    setting.leaves.send(Ok(leaf));
    steps(&setting, &mut process, 1).await;
    let performed = setting.chain.performed();
    assert!(
        matches!(performed[1..], [Action::CommitCheck { .. }]),
        "{performed:?}"
    );
}

#[tokio::test]
async fn a_juror_judges_a_posted_leaf_of_a_session() {
    for (verdict, is_true) in [(Verdict::True, true), (Verdict::False, false)] {
        let mut leaf = session_leaf();
        if !is_true {
            leaf.receipt.end = AnswerEnd::Length;
            leaf.receipt.seed = WRONG;
        }
        let setting = Setting::expecting([to_check_session(DutyStep::Execute, &leaf, true)]);
        setting.leaves.send(Ok(leaf));
        let mut process = setting.start();
        process.step().await;
        let stage = process.stage(DISPUTE);
        let Some(JobStage::Executed(Product::Verdict { verdict: found, .. })) = stage else {
            panic!("a verdict is expected, not {stage:?}");
        };
        assert_eq!(found, verdict);
    }
}

#[tokio::test]
async fn a_session_that_closes_is_claimed_until_the_chain_has_the_claim_and_then_ended() {
    let setting = Setting::idle();
    let sessions = served(setting.folder());
    let mut facts = facts();
    facts.stage = Stage::Closing { until: 20 };
    setting
        .chain
        .edit(|state| state.sessions = vec![facts.clone()]);
    setting.fate(Some(DutyOutcome::Dropped("the pool is full".into())));
    let mut process = setting.start_serving(sessions);
    steps(&setting, &mut process, 1).await;
    setting.fate(Some(DutyOutcome::Included { block: 12 }));
    steps(&setting, &mut process, 1).await;
    let claims = setting.chain.performed();
    let [Action::ClaimSession(first), Action::ClaimSession(again)] = &claims[..] else {
        panic!("two claims are expected, not {claims:?}");
    };
    assert_eq!(first, again);
    assert_eq!(first.signature, [7; 64]);
    let voucher = first.voucher;
    assert_eq!(
        (voucher.session, voucher.first, voucher.count),
        (SESSION, 0, 1)
    );
    assert_eq!(voucher.genesis, GENESIS);
    facts.claimed = 1;
    setting.chain.edit(|state| state.sessions = vec![facts]);
    setting.fate(None);
    steps(&setting, &mut process, 3).await;
    let end = Action::EndSession {
        session: SESSION,
        claimed: 1,
    };
    assert_eq!(setting.chain.performed()[2..], [end]);
}

#[tokio::test]
async fn a_demanded_leaf_is_posted_also_of_a_session_that_has_ended() {
    for has_ended in [false, true] {
        let setting = Setting::idle();
        let sessions = served(setting.folder());
        let mut facts = facts();
        facts.claimed = 1;
        facts.open_claims = vec![OpenBundle {
            number: 3,
            claim: CLAIM,
            first: 0,
            leaves: 1,
        }];
        setting.chain.edit(|state| {
            state.demands = vec![LeafDemand {
                claim: CLAIM,
                leaf: 0,
                session: SESSION,
                number: 3,
                until: 30,
            }];
            match has_ended {
                true => state.ended_sessions = vec![facts],
                false => state.sessions = vec![facts],
            }
        });
        let mut process = setting.start_serving(sessions);
        process.step().await;
        let performed = setting.chain.performed();
        let [Action::PostLeaf { claim, posted, .. }] = &performed[..] else {
            panic!("a post is expected, not {performed:?}");
        };
        assert_eq!(*claim, CLAIM);
        let root = merkle_root(&[posted.receipt.hash()]);
        assert!(posted.is_of(root, 1, 0));
        assert_eq!(posted.answer, answer().tokens);
        // What an open claim needs is kept.
        process.step().await;
    }
}
