//! A restarted development chain has the same genesis hash, and counts from zero again: records of the old
//! chain, on disk and in memory, are not used for the new one.

use crate::fake::{
    asked, leaf, to_check, to_judge, Setting, CHECK, DISPUTE, OTHER_SEED, POINT, SEED,
};
use noema_protocol::{Job, RequestId, Verdict};
use noema_worker::roles::{Action, DutyStep};
use noema_worker::store::{JobStage, Product};
use sp_core::H256;

const REQUEST: Job = Job::Request(RequestId(1));

/// The seeds that answers were submitted for, in order.
fn seeds(setting: &Setting) -> Vec<H256> {
    let seed = |action| match action {
        Action::SubmitAnswer { receipt, .. } => Some(receipt.seed),
        _ => None,
    };
    setting
        .chain
        .performed()
        .into_iter()
        .filter_map(seed)
        .collect()
}

#[tokio::test]
async fn a_request_with_the_number_of_one_that_was_answered_is_answered() {
    let setting = Setting::expecting([asked(1, SEED)]);
    let mut process = setting.start();
    process.step().await;
    assert!(matches!(
        process.stage(REQUEST),
        Some(JobStage::Done { .. })
    ));
    drop(process);
    // The new chain is shorter than the old one.
    setting.chain.edit(|state| state.block = 3);
    setting.chain.expect([asked(1, OTHER_SEED)]);
    setting.start().step().await;
    assert_eq!(seeds(&setting), [SEED, OTHER_SEED]);
}

#[tokio::test]
async fn an_answer_for_the_old_chain_is_not_submitted_to_the_new_one() {
    let setting = Setting::expecting([asked(1, SEED)]);
    setting.fate(None);
    let mut process = setting.start();
    process.step().await;
    assert!(matches!(
        process.stage(REQUEST),
        Some(JobStage::Executed(_))
    ));
    drop(process);
    setting.chain.expect([asked(1, OTHER_SEED)]);
    setting.start().step().await;
    assert_eq!(seeds(&setting), [SEED, OTHER_SEED]);
}

#[tokio::test]
async fn a_check_and_a_verdict_of_the_old_chain_are_not_taken_for_the_new_ones() {
    let setting = Setting::idle();
    let process = setting.start();
    let (old, root) = (H256::repeat_byte(0xcc), H256::repeat_byte(0xdd));
    process.leave(CHECK, old, JobStage::Executed(Product::Challenge));
    let verdict = Product::Verdict {
        verdict: Verdict::False,
        salt: H256::zero(),
    };
    process.leave(DISPUTE, old, JobStage::Executed(verdict));
    drop(process);
    setting.chain.expect([
        to_check(DutyStep::Execute, leaf(), POINT),
        to_judge(DutyStep::Execute, leaf(), root),
    ]);
    let mut process = setting.start();
    process.step().await;
    assert!(matches!(
        process.stage(CHECK),
        Some(JobStage::Executed(Product::Check(_)))
    ));
    assert!(matches!(
        process.stage(DISPUTE),
        Some(JobStage::Executed(Product::Verdict {
            verdict: Verdict::True,
            ..
        }))
    ));
}

/// The node restarts with a new chain while the worker keeps running.
#[tokio::test]
async fn a_running_worker_notices_that_the_chain_was_begun_anew() {
    let setting = Setting::expecting([asked(1, SEED)]);
    setting.set(|model| &model.blocked, true);
    let mut process = setting.start();
    process.turn().await;
    setting.chain.edit(|state| state.block = 2);
    // The list of duties is the same.
    setting.chain.expect([asked(1, OTHER_SEED)]);
    process.turn().await;
    setting.set(|model| &model.blocked, false);
    process.settle().await;
    process.step().await;
    assert_eq!(seeds(&setting), [OTHER_SEED]);
}

#[tokio::test]
async fn what_was_read_before_the_node_was_away_is_read_again() {
    let setting = Setting::expecting([asked(1, SEED)]);
    setting.set(|model| &model.blocked, true);
    let mut process = setting.start();
    process.turn().await;
    setting.chain.edit(|state| state.away = true);
    process.try_turn().await.expect_err("the node is away");
    setting.chain.edit(|state| state.away = false);
    setting.chain.expect([asked(1, OTHER_SEED)]);
    process.turn().await;
    setting.set(|model| &model.blocked, false);
    process.settle().await;
    process.step().await;
    assert_eq!(seeds(&setting), [OTHER_SEED]);
}

/// The fate of a duty on the old chain may arrive after the new chain has started.
#[tokio::test]
async fn a_late_word_about_the_old_chain_ends_nothing_on_the_new_one() {
    let setting = Setting::expecting([asked(1, SEED)]);
    let mut process = setting.start();
    process.turn().await;
    process.operator.progress().await;
    setting.chain.edit(|state| state.block = 2);
    setting.chain.expect([asked(1, OTHER_SEED)]);
    setting.fate(None);
    process.turn().await;
    // Both the old fate and the new execution end.
    process.settle().await;
    assert_eq!(seeds(&setting), [SEED, OTHER_SEED]);
    assert!(matches!(
        process.stage(REQUEST),
        Some(JobStage::Executed(_))
    ));
}
