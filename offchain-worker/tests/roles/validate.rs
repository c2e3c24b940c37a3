//! A validator commits before it reveals, reveals what it committed to, and objects to what is
//! wrong.

use crate::fake::{answered, check, key, reveal, Setting, CONTROLLER};
use noema_protocol::{hashing, RequestId, Verdict};
use noema_worker::roles::{Action, Outcome, Phase};
use noema_worker::store::{AuditStage, CheckStage};
use std::sync::atomic::Ordering;

impl Setting {
    /// A chain that waits for a commitment about request 1.
    fn checking() -> Self {
        let setting = Self::idle();
        setting.phase(Phase::Commit);
        setting
    }

    /// A chain with an answer that may be objected to, and nothing to check.
    fn settling() -> Self {
        let setting = Self::idle();
        setting
            .chain
            .edit(|state| state.duties.open_answers = vec![answered(1)]);
        setting
    }

    fn phase(&self, phase: Phase) {
        self.chain
            .edit(|state| state.duties.checks = vec![check(1, phase)]);
    }
}

#[tokio::test]
async fn a_verdict_is_committed_and_then_revealed() {
    let setting = Setting::checking();
    let mut process = setting.start();
    process.step().await;
    setting.phase(Phase::Committed);
    process.step().await;
    setting.phase(Phase::Reveal);
    process.step().await;
    let performed = setting.chain.performed();
    let [Action::CommitVerdict { commitment, .. }, Action::RevealVerdict { reveal, .. }] =
        &performed[..]
    else {
        panic!("a commitment and a reveal were expected, not {performed:?}");
    };
    assert_eq!(reveal.verdict, Verdict::Valid);
    assert_eq!(
        *commitment,
        hashing::verdict_commitment(RequestId(1), &CONTROLLER, reveal)
    );
    assert!(matches!(
        process.record(&key(1)),
        Some(CheckStage::Done(why)) if why.contains("revealed")
    ));
}

#[tokio::test]
async fn a_wrong_answer_is_called_invalid() {
    let setting = Setting::checking();
    setting.model.finds_wrong.store(true, Ordering::SeqCst);
    let mut process = setting.start();
    process.step().await;
    setting.phase(Phase::Reveal);
    process.step().await;
    assert!(matches!(
        setting.chain.performed()[..],
        [_, Action::RevealVerdict { reveal, .. }] if reveal.verdict == Verdict::Invalid
    ));
}

#[tokio::test]
async fn a_reveal_survives_a_kill_after_the_commitment() {
    let setting = Setting::checking();
    let mut process = setting.start();
    process.step().await;
    drop(process);
    setting.phase(Phase::Reveal);
    setting.start().step().await;
    let performed = setting.chain.performed();
    let [Action::CommitVerdict { commitment, .. }, Action::RevealVerdict { reveal, .. }] =
        &performed[..]
    else {
        panic!("a commitment and a reveal were expected, not {performed:?}");
    };
    assert_eq!(
        *commitment,
        hashing::verdict_commitment(RequestId(1), &CONTROLLER, reveal)
    );
    assert_eq!(setting.model.checks.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_verdict_that_was_not_committed_before_a_kill_is_committed_after_it() {
    let setting = Setting::checking();
    let process = setting.start();
    process.leave(&key(1), &CheckStage::Executed(reveal()));
    drop(process);
    setting.start().step().await;
    let expected = hashing::verdict_commitment(RequestId(1), &CONTROLLER, &reveal());
    assert_eq!(
        setting.chain.performed(),
        vec![Action::CommitVerdict {
            request: RequestId(1),
            commitment: expected
        }]
    );
    assert_eq!(setting.model.checks.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_committed_is_followed_while_others_still_commit() {
    let setting = Setting::checking();
    let mut process = setting.start();
    process.step().await;
    setting.phase(Phase::Committed);
    process.step().await;
    let following = setting.chain.edit(|state| state.following.clone());
    assert_eq!(following, vec![RequestId(1)]);
    assert_eq!(setting.chain.performed().len(), 1, "it waits");
}

#[tokio::test]
async fn a_commitment_whose_opening_is_lost_is_not_guessed() {
    let setting = Setting::checking();
    setting.phase(Phase::Reveal);
    let mut process = setting.start();
    process.step().await;
    assert!(setting.chain.performed().is_empty());
    assert!(matches!(process.record(&key(1)), Some(CheckStage::Done(_))));
}

#[tokio::test]
async fn a_lost_commitment_is_handed_over_again_for_the_same_verdict() {
    let setting = Setting::checking();
    setting
        .chain
        .edit(|state| state.fate = Some(Outcome::Dropped("the pool is full".into())));
    let mut process = setting.start();
    process.step().await;
    setting.chain.edit(|state| {
        state.duties.block += 1;
        state.fate = Some(Outcome::Included { block: 44 });
    });
    process.step().await;
    let performed = setting.chain.performed();
    assert_eq!(performed.len(), 2);
    assert_eq!(performed.first(), performed.last());
}

#[tokio::test]
async fn a_check_that_the_chain_no_longer_lists_is_dropped() {
    let setting = Setting::checking();
    let mut process = setting.start();
    process.step().await;
    setting.chain.edit(|state| state.duties.checks.clear());
    process.step().await;
    assert!(matches!(process.record(&key(1)), Some(CheckStage::Done(_))));
}

#[tokio::test]
async fn a_second_seat_in_the_same_request_is_a_check_of_its_own() {
    let setting = Setting::checking();
    let mut process = setting.start();
    process.step().await;
    setting.chain.edit(|state| {
        for check in &mut state.duties.checks {
            check.round = 4;
        }
    });
    process.step().await;
    assert_eq!(setting.model.checks.load(Ordering::SeqCst), 2);
    assert_eq!(setting.chain.performed().len(), 2);
}

#[tokio::test]
async fn an_auditor_objects_once_to_a_wrong_answer() {
    let setting = Setting::settling();
    setting.model.finds_wrong.store(true, Ordering::SeqCst);
    let mut process = setting.start_auditing();
    process.step().await;
    process.step().await;
    assert!(matches!(
        setting.chain.performed()[..],
        [Action::Object { request, .. }] if request == RequestId(1)
    ));
}

#[tokio::test]
async fn an_auditor_lets_a_right_answer_stand() {
    let setting = Setting::settling();
    let mut process = setting.start_auditing();
    process.step().await;
    process.step().await;
    assert!(setting.chain.performed().is_empty());
    assert_eq!(setting.model.checks.load(Ordering::SeqCst), 1);
    assert!(matches!(process.record(&key(1)), Some(AuditStage::Done(_))));
}

#[tokio::test]
async fn an_operator_that_does_not_audit_leaves_open_answers_alone() {
    let setting = Setting::settling();
    setting.start().step().await;
    assert_eq!(setting.model.checks.load(Ordering::SeqCst), 0);
}
