//! While the job store fails, an operator does no work that needs it, but all other work.

use crate::fake::{asked, leaf, to_check, Disk, Setting, CHECK, POINT, SEED};
use noema_protocol::{ClaimId, Job, RequestId};
use noema_worker::roles::{Action, Duty, DutyOutcome, DutyStep, Part, Task};
use noema_worker::store::JobStage;
use std::sync::atomic::Ordering;

const REQUEST: Job = Job::Request(RequestId(1));

/// A check of another claim that this process has not committed to.
fn another_check() -> (Duty, Task) {
    let (mut duty, task) = to_check(DutyStep::Execute, leaf(), POINT);
    if let Part::Check { claim, .. } = &mut duty.part {
        *claim = ClaimId(6);
    }
    (duty, task)
}

#[tokio::test]
async fn what_was_computed_while_the_disk_was_full_is_handed_over_once_it_is_stored() {
    let setting = Setting::expecting([asked(1, SEED)]);
    let disk = Disk::default();
    let mut process = setting.start_with(disk.store());
    process.turn().await;
    disk.is_full.store(true, Ordering::SeqCst);
    process.settle().await;
    assert!(setting.chain.performed().is_empty(), "it is not on disk");
    assert!(process.metrics.store_errors.get() > 0);
    for _ in 0..3 {
        setting.next_block();
        process.step().await;
    }
    assert!(setting.chain.performed().is_empty());
    let trouble =
        |process: &crate::fake::Process| process.metrics.health.trouble_of("job store of test");
    assert!(trouble(&process).is_some());

    disk.is_full.store(false, Ordering::SeqCst);
    setting.next_block();
    process.step().await;
    let performed = setting.chain.performed();
    assert!(
        matches!(performed[..], [Action::SubmitAnswer { .. }]),
        "{performed:?}"
    );
    assert_eq!(setting.model.executed(), 1, "it is not computed again");
    assert!(matches!(
        process.stage(REQUEST),
        Some(JobStage::Done { .. })
    ));
    assert_eq!(trouble(&process), None);
}

#[tokio::test]
async fn what_is_on_disk_is_revealed_while_the_disk_is_full() {
    let setting = Setting::expecting([to_check(DutyStep::Execute, leaf(), POINT)]);
    let disk = Disk::default();
    let mut process = setting.start_with(disk.store());
    process.step().await;
    assert!(matches!(process.stage(CHECK), Some(JobStage::Executed(_))));

    disk.is_full.store(true, Ordering::SeqCst);
    setting
        .chain
        .expect([another_check(), to_check(DutyStep::Reveal, leaf(), POINT)]);
    setting.fate(Some(DutyOutcome::Dropped("the test lets it go".into())));
    for _ in 0..3 {
        setting.next_block();
        process.step().await;
    }
    let is_reveal = |action: &Action| matches!(action, Action::RevealCheck { .. });
    assert!(setting.chain.performed().iter().any(is_reveal));
}

#[tokio::test]
async fn an_operator_whose_store_cannot_be_read_resumes_and_tries_again() {
    let setting = Setting::expecting([asked(1, SEED)]);
    setting.chain.edit(|state| state.is_absent = true);
    let disk = Disk::default();
    disk.is_away.store(true, Ordering::SeqCst);
    let mut process = setting.start_with(disk.store());
    process.step().await;
    assert_eq!(setting.chain.performed(), [Action::Resume]);
    assert_eq!(setting.model.executed(), 0, "earlier work is not on record");

    disk.is_away.store(false, Ordering::SeqCst);
    setting.chain.edit(|state| state.is_absent = false);
    setting.next_block();
    process.step().await;
    assert_eq!(setting.model.executed(), 1);
    assert!(disk.opened.load(Ordering::SeqCst) > 1);
}

#[tokio::test]
async fn a_write_that_fails_is_tried_again_on_a_database_that_is_opened_anew() {
    let setting = Setting::expecting([asked(1, SEED)]);
    let disk = Disk::default();
    let mut process = setting.start_with(disk.store());
    process.turn().await;
    disk.is_away.store(true, Ordering::SeqCst);
    process.settle().await;
    assert!(setting.chain.performed().is_empty(), "it is not on disk");

    disk.is_away.store(false, Ordering::SeqCst);
    setting.next_block();
    process.step().await;
    assert_eq!(setting.chain.performed().len(), 1);
    assert_eq!(setting.model.executed(), 1, "it is not computed again");
}
