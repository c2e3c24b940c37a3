//! A worker computes an answer once and submits it until it is on chain, whatever happens to it, to
//! the node or to the pool.

use crate::fake::{answer, job, key, Setting};
use noema_protocol::hashing;
use noema_worker::roles::{Action, LedgerError, Outcome};
use noema_worker::store::JobStage;
use std::sync::atomic::Ordering;

impl Setting {
    /// A chain that waits for the answer to request 1.
    fn asking() -> Self {
        let setting = Self::idle();
        setting.chain.edit(|state| state.duties.jobs = vec![job(1)]);
        setting
    }

    fn answers_submitted(&self) -> usize {
        let is_answer = |action: &&Action| matches!(action, Action::SubmitResult { .. });
        self.chain.performed().iter().filter(is_answer).count()
    }
}

#[tokio::test]
async fn an_answer_is_computed_and_submitted_with_its_receipt() {
    let setting = Setting::asking();
    setting.start().step().await;
    let performed = setting.chain.performed();
    let [Action::SubmitResult {
        tokens,
        text,
        receipt,
        ..
    }] = &performed[..]
    else {
        panic!("one answer was expected, not {performed:?}");
    };
    assert_eq!((tokens, text.as_str()), (&answer().tokens, "because"));
    assert_eq!(
        receipt.output_hash,
        hashing::output_hash(tokens, text.as_bytes())
    );
    assert_eq!(receipt.output_tokens, 3);
    assert_eq!(
        receipt.trace_commitment,
        hashing::trace_commitment(job(1).question.request, answer().digest)
    );
}

#[tokio::test]
async fn a_job_that_stays_listed_is_not_answered_again() {
    let setting = Setting::asking();
    let mut process = setting.start();
    for _ in 0..3 {
        process.step().await;
    }
    assert_eq!(setting.answers_submitted(), 1);
    assert_eq!(setting.model.answers.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_process_killed_while_it_computes_computes_again() {
    let setting = Setting::asking();
    let process = setting.start();
    process.leave(&key(1), &JobStage::Received);
    drop(process);
    setting.start().step().await;
    assert_eq!(setting.answers_submitted(), 1);
}

#[tokio::test]
async fn a_process_killed_before_it_submits_does_not_compute_again() {
    let setting = Setting::asking();
    let process = setting.start();
    process.leave(&key(1), &JobStage::Executed(answer()));
    drop(process);
    setting.start().step().await;
    assert_eq!(setting.answers_submitted(), 1);
    assert_eq!(setting.model.answers.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_process_killed_after_it_submits_submits_the_same_answer() {
    let setting = Setting::asking();
    setting.chain.edit(|state| state.fate = None);
    let mut process = setting.start();
    process.step().await;
    drop(process);
    setting.start().step().await;
    let performed = setting.chain.performed();
    assert_eq!(performed.len(), 2);
    assert_eq!(performed.first(), performed.last());
    assert_eq!(setting.model.answers.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_under_way_is_not_submitted_again() {
    let setting = Setting::asking();
    setting.chain.edit(|state| state.fate = None);
    let mut process = setting.start();
    for _ in 0..3 {
        process.step().await;
        setting.chain.edit(|state| state.duties.block += 1);
    }
    assert_eq!(setting.answers_submitted(), 1);
}

#[tokio::test]
async fn an_answer_that_got_lost_is_submitted_as_long_as_the_chain_waits_for_it() {
    let setting = Setting::asking();
    setting
        .chain
        .edit(|state| state.fate = Some(Outcome::Dropped("the pool is full".into())));
    let mut process = setting.start();
    for _ in 0..12 {
        process.step().await;
        setting.chain.edit(|state| state.duties.block += 1);
    }
    assert_eq!(setting.answers_submitted(), 12);
    setting.chain.edit(|state| {
        state.fate = Some(Outcome::Included { block: 44 });
    });
    process.step().await;
    process.step().await;
    assert_eq!(setting.answers_submitted(), 13);
    assert!(matches!(
        process.record(&key(1)),
        Some(JobStage::Done(why)) if why == "answered in block 44"
    ));
}

/// The pool holds one transaction for a duty: that of another process with the same hot key is in
/// the way of this one's, and does the same.
#[tokio::test]
async fn an_answer_that_another_process_submitted_does_no_harm() {
    let setting = Setting::asking();
    let reason = "Priority is too low: (18446744073709551615 vs 18446744073709551615)";
    setting
        .chain
        .edit(|state| state.fate = Some(Outcome::Unknown(reason.into())));
    let mut process = setting.start();
    process.step().await;
    // It is on chain, and the chain waits for it no more.
    setting.chain.edit(|state| {
        state.duties.block += 1;
        state.duties.jobs.clear();
    });
    process.step().await;
    process.step().await;
    assert_eq!(setting.answers_submitted(), 1);
    assert!(matches!(process.record(&key(1)), Some(JobStage::Done(_))));
}

#[tokio::test]
async fn a_refused_answer_is_submitted_less_and_less_often() {
    let setting = Setting::asking();
    setting.chain.edit(|state| {
        state.fate = Some(Outcome::Refused("Inference::AlreadyAnswered".into()));
    });
    let mut process = setting.start();
    for _ in 0..40 {
        process.step().await;
        setting.chain.edit(|state| state.duties.block += 1);
    }
    assert_eq!(setting.answers_submitted(), 6);
    assert_eq!(setting.model.answers.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_that_left_the_list_because_it_is_on_chain_is_noted_as_such() {
    let setting = Setting::asking();
    let mut process = setting.start();
    process.turn().await;
    process
        .operator
        .progress()
        .await
        .expect("the answer is there");
    setting.chain.edit(|state| state.duties.jobs.clear());
    process.turn().await;
    process.settle().await;
    assert!(matches!(
        process.record(&key(1)),
        Some(JobStage::Done(why)) if why == "answered in block 11"
    ));
}

#[tokio::test]
async fn a_job_given_to_another_is_dropped_while_it_is_computed() {
    let setting = Setting::asking();
    setting.model.blocked.store(true, Ordering::SeqCst);
    let mut process = setting.start();
    process.turn().await;
    setting.chain.edit(|state| state.duties.jobs.clear());
    process.step().await;
    assert_eq!(setting.answers_submitted(), 0);
    assert!(matches!(process.record(&key(1)), Some(JobStage::Done(_))));
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_not_submitted() {
    let setting = Setting::asking();
    setting.model.blocked.store(true, Ordering::SeqCst);
    let mut process = setting.start();
    process.turn().await;
    setting.chain.edit(|state| state.duties.jobs.clear());
    setting.model.blocked.store(false, Ordering::SeqCst);
    process.settle().await;
    assert_eq!(setting.answers_submitted(), 0);
}

#[tokio::test]
async fn an_answer_waits_for_a_node_that_is_away() {
    let setting = Setting::asking();
    setting.model.blocked.store(true, Ordering::SeqCst);
    let mut process = setting.start();
    process.turn().await;
    setting.chain.edit(|state| state.away = true);
    setting.model.blocked.store(false, Ordering::SeqCst);
    process.settle().await;
    assert!(matches!(
        process.try_turn().await,
        Err(LedgerError::Unreachable(_))
    ));
    assert_eq!(setting.answers_submitted(), 0);
    setting.chain.edit(|state| state.away = false);
    process.step().await;
    assert_eq!(setting.answers_submitted(), 1);
    assert_eq!(setting.model.answers.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_model_that_fails_is_tried_again_a_bounded_number_of_times() {
    let setting = Setting::asking();
    setting.model.fails.store(true, Ordering::SeqCst);
    let mut process = setting.start();
    for _ in 0..8 {
        process.step().await;
        setting.chain.edit(|state| state.duties.block += 20);
    }
    assert_eq!(setting.model.answers.load(Ordering::SeqCst), 3);
    assert!(matches!(process.record(&key(1)), Some(JobStage::Done(_))));
}

#[tokio::test]
async fn a_job_for_a_checkpoint_that_is_not_loaded_is_left() {
    let setting = Setting::asking();
    setting.chain.edit(|state| {
        for job in &mut state.duties.jobs {
            job.question.checkpoint.0 .0 = [8; 32];
        }
    });
    let mut process = setting.start();
    process.step().await;
    assert_eq!(setting.model.answers.load(Ordering::SeqCst), 0);
    assert!(matches!(process.record(&key(1)), Some(JobStage::Done(_))));
}

#[tokio::test]
async fn a_second_attempt_at_the_same_request_is_a_job_of_its_own() {
    let setting = Setting::asking();
    let mut process = setting.start();
    process.step().await;
    setting.chain.edit(|state| {
        for job in &mut state.duties.jobs {
            job.attempt = 1;
        }
    });
    process.step().await;
    assert_eq!(setting.answers_submitted(), 2);
}

#[tokio::test]
async fn an_absence_is_ended_once_while_that_is_under_way() {
    let setting = Setting::asking();
    setting.chain.edit(|state| {
        state.duties.jobs.clear();
        state.duties.is_absent = true;
        state.fate = None;
    });
    let mut process = setting.start();
    process.step().await;
    process.step().await;
    assert_eq!(setting.chain.performed(), vec![Action::Resume]);
}

/// An operator of many jobs executes a bounded number at once, and begins another when one ends.
#[tokio::test]
async fn no_more_runs_at_once_than_may() {
    let setting = Setting::asking();
    setting
        .chain
        .edit(|state| state.duties.jobs = (1..=40).map(job).collect());
    setting.model.blocked.store(true, Ordering::SeqCst);
    let mut process = setting.start();
    process.turn().await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let together = noema_worker::roles::Pace::default().together;
    assert_eq!(
        setting.model.answers.load(Ordering::SeqCst) as usize,
        together
    );

    setting.model.blocked.store(false, Ordering::SeqCst);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    // No block comes after the first: all that is left begins as room is made.
    let (_head, blocks) = tokio::sync::watch::channel(10);
    let running = tokio::spawn(process.operator.run(blocks, stopped));
    for _ in 0..200 {
        if setting.answers_submitted() == 40 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    running.await.expect("ends").expect("the store works");
    assert_eq!(setting.answers_submitted(), 40);
    assert_eq!(setting.model.answers.load(Ordering::SeqCst), 40);
}

/// A model without room has not failed: the job is not given up, however often that happens.
#[tokio::test]
async fn a_busy_model_is_asked_again() {
    let setting = Setting::asking();
    setting.model.busy.store(true, Ordering::SeqCst);
    let mut process = setting.start();
    for _ in 0..6 {
        process.step().await;
        setting.chain.edit(|state| state.duties.block += 1);
    }
    assert_eq!(setting.answers_submitted(), 0);
    setting.model.busy.store(false, Ordering::SeqCst);
    process.step().await;
    assert_eq!(setting.answers_submitted(), 1);
}
