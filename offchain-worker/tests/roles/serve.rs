//! A worker computes an answer once and submits it until it is on chain, despite failures of the worker, the
//! node or the pool.

use crate::fake::{answer, asked, leaf, Process, Setting, OTHER_SEED, SEED};
use noema_protocol::{Job, RequestId};
use noema_worker::roles::{Action, ChainViewError, DutyOutcome, Pace};
use noema_worker::store::{JobStage, Product, StoredAnswer};
use std::sync::atomic::Ordering;
use std::time::Duration;

const REQUEST: Job = Job::Request(RequestId(1));

impl Setting {
    /// A chain that expects the answer to request 1.
    fn asking() -> Self {
        Self::expecting([asked(1, SEED)])
    }

    fn answers_submitted(&self) -> usize {
        let is_answer = |action: &&Action| matches!(action, Action::SubmitAnswer { .. });
        self.chain.performed().iter().filter(is_answer).count()
    }

    fn answers_computed(&self) -> u32 {
        self.model.answers.load(Ordering::SeqCst)
    }

    /// A chain that expects the answer to request 1, and a process whose model is computing it until it is no
    /// longer blocked.
    async fn computing() -> (Self, Process) {
        let setting = Self::asking();
        setting.set(|model| &model.blocked, true);
        let mut process = setting.start();
        process.turn().await;
        (setting, process)
    }

    /// Takes `count` steps, and lets `blocks` pass after each.
    async fn steps(&self, process: &mut Process, count: u32, blocks: u64) {
        for _ in 0..count {
            process.step().await;
            self.blocks_pass(blocks);
        }
    }
}

#[tokio::test]
async fn an_answer_is_computed_and_submitted_with_its_receipt() {
    let setting = Setting::asking();
    let mut process = setting.start();
    process.step().await;
    assert_eq!(
        setting.chain.performed(),
        [Action::SubmitAnswer {
            request: RequestId(1),
            tokens: vec![5, 6, 7],
            text: "because".into(),
            receipt: Box::new(leaf().receipt),
        }]
    );
    assert_eq!(process.metrics.jobs.get(), 1);
    assert_eq!(process.metrics.answers.get(), 1);
    assert_eq!(process.metrics.tokens.get(), 3);
}

#[tokio::test]
async fn a_job_that_stays_listed_until_its_answer_is_final_is_not_answered_again() {
    let setting = Setting::asking();
    let mut process = setting.start();
    for _ in 0..3 {
        process.step().await;
    }
    assert_eq!(setting.answers_submitted(), 1);
    assert_eq!(setting.answers_computed(), 1);
}

#[tokio::test]
async fn a_process_killed_while_it_computes_computes_again() {
    let (setting, process) = Setting::computing().await;
    drop(process);
    setting.set(|model| &model.blocked, false);
    setting.start().step().await;
    assert_eq!(setting.answers_submitted(), 1);
}

#[tokio::test]
async fn a_process_killed_before_it_submits_does_not_compute_again() {
    let setting = Setting::asking();
    let process = setting.start();
    let answer = answer();
    let stored = StoredAnswer {
        tokens: answer.tokens,
        text: answer.text,
        receipt: Box::new(leaf().receipt),
    };
    process.leave(REQUEST, SEED, JobStage::Executed(Product::Answer(stored)));
    drop(process);
    setting.start().step().await;
    assert_eq!(setting.answers_submitted(), 1);
    assert_eq!(setting.answers_computed(), 0);
}

#[tokio::test]
async fn a_process_killed_after_it_submits_submits_the_same_answer() {
    let setting = Setting::asking();
    setting.fate(None);
    let mut process = setting.start();
    process.step().await;
    drop(process);
    setting.start().step().await;
    let performed = setting.chain.performed();
    assert_eq!(performed.len(), 2);
    assert_eq!(performed.first(), performed.last());
    assert_eq!(setting.answers_computed(), 1);
}

#[tokio::test]
async fn an_answer_under_way_is_not_submitted_again() {
    let setting = Setting::asking();
    setting.fate(None);
    let mut process = setting.start();
    setting.steps(&mut process, 3, 1).await;
    assert_eq!(setting.answers_submitted(), 1);
}

#[tokio::test]
async fn an_answer_that_got_lost_is_submitted_as_long_as_the_chain_waits_for_it() {
    let setting = Setting::asking();
    setting.fate(Some(DutyOutcome::Dropped("the pool is full".into())));
    let mut process = setting.start();
    setting.steps(&mut process, 12, 1).await;
    assert_eq!(setting.answers_submitted(), 12);
    setting.fate(Some(DutyOutcome::Included { block: 44 }));
    process.step().await;
    process.step().await;
    assert_eq!(setting.answers_submitted(), 13);
    assert_eq!(process.stage(REQUEST), Some(JobStage::Done { block: 44 }));
}

/// The pool holds one transaction for a duty: the transaction of another process with the same hot key blocks
/// that of this one, and has the same effect.
#[tokio::test]
async fn an_answer_that_another_process_submitted_does_no_harm() {
    let setting = Setting::asking();
    let reason = "Priority is too low: (18446744073709551615 vs 18446744073709551615)";
    setting.fate(Some(DutyOutcome::Unknown(reason.into())));
    let mut process = setting.start();
    process.step().await;
    // It is on chain, and the chain no longer expects it.
    setting.next_block();
    setting.chain.expect_nothing();
    process.step().await;
    process.step().await;
    assert_eq!(setting.answers_submitted(), 1);
}

#[tokio::test]
async fn a_refused_answer_is_submitted_less_and_less_often() {
    let setting = Setting::asking();
    let refusal = DutyOutcome::Refused("Inference::AlreadyAnswered".into());
    setting.fate(Some(refusal));
    let mut process = setting.start();
    setting.steps(&mut process, 40, 1).await;
    assert_eq!(setting.answers_submitted(), 6);
    assert_eq!(setting.answers_computed(), 1);
}

#[tokio::test]
async fn an_answer_that_left_the_list_because_it_is_on_chain_is_noted_as_such() {
    let setting = Setting::asking();
    let mut process = setting.start();
    process.turn().await;
    process.operator.progress().await;
    setting.chain.expect_nothing();
    process.turn().await;
    process.settle().await;
    assert_eq!(process.stage(REQUEST), Some(JobStage::Done { block: 11 }));
}

#[tokio::test]
async fn a_job_given_to_another_is_dropped_while_it_is_computed() {
    let (setting, mut process) = Setting::computing().await;
    setting.chain.expect_nothing();
    process.step().await;
    assert_eq!(setting.answers_submitted(), 0);
    assert!(!process.operator.is_busy(), "the execution was cancelled");
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_not_submitted() {
    let (setting, mut process) = Setting::computing().await;
    setting.chain.expect_nothing();
    process.turn().await;
    setting.set(|model| &model.blocked, false);
    process.settle().await;
    assert_eq!(setting.answers_submitted(), 0);
}

#[tokio::test]
async fn an_answer_waits_for_a_node_that_is_away() {
    let (setting, mut process) = Setting::computing().await;
    setting.chain.edit(|state| state.away = true);
    assert!(matches!(
        process.try_turn().await,
        Err(ChainViewError::Unreachable(_))
    ));
    setting.set(|model| &model.blocked, false);
    process.settle().await;
    assert_eq!(setting.answers_submitted(), 0);
    setting.chain.edit(|state| state.away = false);
    process.step().await;
    assert_eq!(setting.answers_submitted(), 1);
    assert_eq!(setting.answers_computed(), 1);
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_read_again() {
    let setting = Setting::asking();
    setting.chain.edit(|state| state.unreadable = true);
    let mut process = setting.start();
    process.step().await;
    assert_eq!(setting.answers_computed(), 0);
    setting.chain.edit(|state| state.unreadable = false);
    setting.next_block();
    process.step().await;
    assert_eq!(setting.answers_submitted(), 1);
}

#[tokio::test]
async fn a_job_is_read_once_however_long_it_takes() {
    let setting = Setting::asking();
    setting.set(|model| &model.blocked, true);
    let mut process = setting.start();
    for _ in 0..5 {
        process.turn().await;
        setting.next_block();
    }
    assert_eq!(setting.times_read(), 1);
}

#[tokio::test]
async fn a_model_that_fails_is_tried_again_a_bounded_number_of_times() {
    let setting = Setting::asking();
    setting.set(|model| &model.fails, true);
    let mut process = setting.start();
    setting.steps(&mut process, 8, 20).await;
    assert_eq!(setting.answers_computed(), 3);
    assert_eq!(process.metrics.execution_failures.get(), 3);
}

#[tokio::test]
async fn what_can_never_be_answered_is_tried_once_until_the_chain_draws_anew() {
    let setting = Setting::asking();
    setting.set(|model| &model.refuses, true);
    let mut process = setting.start();
    setting.steps(&mut process, 8, 20).await;
    assert_eq!(setting.answers_computed(), 1);
    assert_eq!(process.metrics.execution_failures.get(), 1);
    let (mut duty, task) = asked(1, OTHER_SEED);
    duty.until = 600;
    setting.chain.expect([(duty, task)]);
    process.step().await;
    assert_eq!(setting.answers_computed(), 2);
}

#[tokio::test]
async fn a_job_on_which_the_model_failed_is_taken_up_after_a_new_start() {
    let setting = Setting::asking();
    setting.set(|model| &model.fails, true);
    let mut process = setting.start();
    setting.steps(&mut process, 8, 20).await;
    drop(process);
    setting.set(|model| &model.fails, false);
    setting.start().step().await;
    assert_eq!(setting.answers_submitted(), 1);
}

#[tokio::test]
async fn a_job_waits_until_its_checkpoint_is_loaded() {
    let setting = Setting::asking();
    setting.set(|model| &model.is_empty, true);
    let mut process = setting.start();
    process.step().await;
    assert_eq!(setting.answers_computed(), 0);
    setting.set(|model| &model.is_empty, false);
    process.step().await;
    assert_eq!(setting.answers_submitted(), 1);
}

#[tokio::test]
async fn a_request_that_comes_back_to_the_same_worker_is_answered_anew() {
    let (setting, mut process) = Setting::computing().await;
    // The deadline has passed, and the worker was drawn again with another seed.
    let (mut duty, task) = asked(1, OTHER_SEED);
    duty.until = 60;
    setting.chain.expect([(duty, task)]);
    process.turn().await;
    setting.set(|model| &model.blocked, false);
    // The execution for the old seed ends before that for the new one can start.
    process.settle().await;
    process.step().await;
    let performed = setting.chain.performed();
    assert!(
        matches!(&performed[..], [Action::SubmitAnswer { receipt, .. }] if receipt.seed == OTHER_SEED),
        "{performed:?}"
    );
}

#[tokio::test]
async fn an_absence_is_ended_once_while_that_is_under_way() {
    let setting = Setting::idle();
    setting.chain.edit(|state| state.is_absent = true);
    setting.fate(None);
    let mut process = setting.start();
    process.step().await;
    process.step().await;
    assert_eq!(setting.chain.performed(), vec![Action::Resume]);
}

/// An operator with many jobs executes a bounded number at a time, and starts another when one ends.
#[tokio::test]
async fn no_more_runs_at_once_than_may() {
    let setting = Setting::expecting((1..=40).map(|request| asked(request, SEED)));
    setting.set(|model| &model.blocked, true);
    let mut process = setting.start();
    process.step().await;
    assert_eq!(
        setting.answers_computed() as usize,
        Pace::default().together
    );

    setting.set(|model| &model.blocked, false);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    // No block follows the first: the other jobs start when others end.
    let (_head, blocks) = tokio::sync::watch::channel(10);
    let running = tokio::spawn(process.operator.run(blocks, stopped));
    for _ in 0..6_000 {
        if setting.answers_submitted() == 40 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    running.await.expect("ends");
    assert_eq!(setting.answers_submitted(), 40);
    assert_eq!(setting.answers_computed(), 40);
    assert_eq!(setting.times_read(), 40, "each job is read once");
}

/// A busy model has not failed: the operator never gives up on the job for that.
#[tokio::test]
async fn a_busy_model_is_asked_again() {
    let setting = Setting::asking();
    setting.set(|model| &model.busy, true);
    let mut process = setting.start();
    setting.steps(&mut process, 6, 1).await;
    assert_eq!(setting.answers_submitted(), 0);
    setting.set(|model| &model.busy, false);
    process.step().await;
    assert_eq!(setting.answers_submitted(), 1);
}
