//! A juror executes a disputed leaf, commits to its verdict, and reveals it.

use crate::fake::{leaf, to_judge, Setting, CLAIM, CONTROLLER, DISPUTE};
use noema_protocol::{hashing, Verdict};
use noema_worker::roles::{Action, Answered, DutyStep};
use noema_worker::store::{JobStage, Product};
use sp_core::H256;
use std::sync::atomic::Ordering;

const ROOT: H256 = H256::repeat_byte(0xaa);

impl Setting {
    /// A chain that expects a commitment to a verdict on this leaf.
    fn disputing(leaf: Answered) -> Self {
        Self::expecting([to_judge(DutyStep::Execute, leaf, ROOT)])
    }

    fn open_reveals(&self) {
        self.chain
            .expect([to_judge(DutyStep::Reveal, leaf(), ROOT)]);
    }
}

fn false_leaf() -> Answered {
    let mut told = leaf();
    told.receipt.hidden_root = H256::zero();
    told
}

/// The verdict of a commitment and its reveal.
fn opened(performed: &[Action]) -> Verdict {
    let [Action::CommitVerdict { commitment, .. }, Action::RevealVerdict { verdict, salt, .. }] =
        performed
    else {
        panic!("a commitment and a reveal were expected, not {performed:?}");
    };
    let expected = hashing::verdict_commitment(CLAIM, 0, &CONTROLLER, *verdict, *salt);
    assert_eq!(*commitment, expected);
    *verdict
}

#[tokio::test]
async fn a_verdict_says_what_execution_shows() {
    for (told, verdict) in [(leaf(), Verdict::True), (false_leaf(), Verdict::False)] {
        let setting = Setting::disputing(told);
        let mut process = setting.start();
        process.step().await;
        setting.chain.expect_nothing();
        process.step().await;
        setting.open_reveals();
        process.step().await;
        assert_eq!(opened(&setting.chain.performed()), verdict);
        assert!(matches!(
            process.stage(DISPUTE),
            Some(JobStage::Done { .. })
        ));
        assert_eq!(process.metrics.verdicts.get(), 1);
    }
}

#[tokio::test]
async fn an_answer_to_a_prompt_that_has_none_is_false() {
    let setting = Setting::disputing(leaf());
    setting.set(|model| &model.speechless, true);
    let mut process = setting.start();
    process.step().await;
    setting.open_reveals();
    process.step().await;
    assert_eq!(opened(&setting.chain.performed()), Verdict::False);
}

#[tokio::test]
async fn a_verdict_survives_a_kill_between_commitment_and_reveal() {
    let setting = Setting::disputing(leaf());
    let mut process = setting.start();
    process.step().await;
    drop(process);
    setting.open_reveals();
    setting.start().step().await;
    assert_eq!(opened(&setting.chain.performed()), Verdict::True);
    assert_eq!(setting.model.checks.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_verdict_on_disk_is_committed_after_a_kill() {
    let setting = Setting::disputing(leaf());
    let process = setting.start();
    let (verdict, salt) = (Verdict::False, H256::repeat_byte(9));
    let product = Product::Verdict { verdict, salt };
    process.leave(DISPUTE, ROOT, JobStage::Executed(product));
    drop(process);
    setting.start().step().await;
    assert_eq!(
        setting.chain.performed(),
        [Action::CommitVerdict {
            claim: CLAIM,
            leaf: 0,
            commitment: hashing::verdict_commitment(CLAIM, 0, &CONTROLLER, verdict, salt),
        }]
    );
    assert_eq!(setting.model.executed(), 0);
}

#[tokio::test]
async fn a_juror_whose_model_fails_says_nothing() {
    let setting = Setting::disputing(leaf());
    setting.set(|model| &model.fails, true);
    let mut process = setting.start();
    for _ in 0..8 {
        process.step().await;
        setting.blocks_pass(20);
    }
    assert!(setting.chain.performed().is_empty());
}

#[tokio::test]
async fn a_verdict_whose_opening_is_lost_is_not_guessed() {
    let setting = Setting::idle();
    setting.open_reveals();
    setting.start().step().await;
    assert!(setting.chain.performed().is_empty());
    assert_eq!(setting.model.executed(), 0);
}

/// After a dispute that the claimant won, another account may challenge the same leaf.
#[tokio::test]
async fn a_second_dispute_over_the_same_leaf_is_judged_anew() {
    let setting = Setting::disputing(leaf());
    let mut process = setting.start();
    process.step().await;
    setting.open_reveals();
    process.step().await;
    let (mut duty, task) = to_judge(DutyStep::Execute, leaf(), ROOT);
    duty.until = 200;
    setting.blocks_pass(100);
    setting.chain.expect([(duty, task)]);
    process.step().await;
    let performed = setting.chain.performed();
    let [Action::CommitVerdict {
        commitment: first, ..
    }, _, Action::CommitVerdict {
        commitment: second, ..
    }] = &performed[..]
    else {
        panic!("another commitment was expected: {performed:?}");
    };
    assert_ne!(first, second, "a revealed salt is not used again");
}
