//! A validator commits to the hidden state at its position before it reveals it, and challenges false leaves.

use crate::fake::{answer, leaf, state_output, to_check, Setting, CHECK, CLAIM, CONTROLLER, POINT};
use noema_claims::{merkle_root, prove_hidden, verify_hidden, HiddenProof};
use noema_protocol::{hashing, RequestId, SamplingParameters};
use noema_worker::roles::{Action, Answered, DutyOutcome, DutyStep};
use noema_worker::store::{JobStage, Product, StoredCheck};
use sp_core::H256;
use std::sync::atomic::Ordering;

impl Setting {
    /// A chain that expects a commitment to the check of this leaf.
    fn checking(leaf: Answered) -> Self {
        Self::expecting([to_check(DutyStep::Execute, leaf, POINT)])
    }

    fn reveal(&self) {
        self.chain
            .expect([to_check(DutyStep::Reveal, leaf(), POINT)]);
    }

    fn checks_made(&self) -> u32 {
        self.model.checks.load(Ordering::SeqCst)
    }
}

fn stored() -> StoredCheck {
    StoredCheck {
        receipt: Box::new(leaf().receipt),
        proof: prove_hidden(&answer().hidden, 2).expect("an answer of three tokens"),
        salt: H256::repeat_byte(3),
    }
}

fn commitment(proof: &HiddenProof, salt: H256) -> H256 {
    hashing::check_commitment(CLAIM, 0, &CONTROLLER, proof.hidden, salt)
}

/// Asserts that a commitment and its reveal were performed.
fn assert_opens(performed: &[Action]) {
    let [Action::CommitCheck {
        claim,
        leaf: 0,
        commitment: committed,
    }, Action::RevealCheck {
        receipt,
        proof,
        salt,
        ..
    }] = performed
    else {
        panic!("a commitment and a reveal were expected, not {performed:?}");
    };
    assert_eq!(*claim, CLAIM);
    assert_eq!(*committed, commitment(proof, *salt));
    assert_eq!(**receipt, leaf().receipt);
    assert!(verify_hidden(receipt.hidden_root, 3, 2, proof));
}

#[tokio::test]
async fn a_right_answer_is_committed_to_and_then_shown() {
    let setting = Setting::checking(leaf());
    let mut process = setting.start();
    process.step().await;
    // Other validators still commit.
    setting.chain.expect_nothing();
    setting.next_block();
    process.step().await;
    setting.reveal();
    setting.next_block();
    process.step().await;
    assert_opens(&setting.chain.performed());
    assert!(matches!(process.stage(CHECK), Some(JobStage::Done { .. })));
    assert_eq!(process.metrics.checks.get(), 1);
    assert_eq!(process.metrics.checks_valid.get(), 1);
    assert_eq!(setting.times_read(), 1, "the result to reveal is on disk");
}

#[tokio::test]
async fn each_validator_shows_its_own_position() {
    for (point, position) in [(0, 0), (u64::MAX / 2, 1), (POINT, 2)] {
        let setting = Setting::expecting([to_check(DutyStep::Execute, leaf(), point)]);
        let mut process = setting.start();
        process.step().await;
        let Some(JobStage::Executed(Product::Check(check))) = process.stage(CHECK) else {
            panic!("a check is on disk");
        };
        let root = leaf().receipt.hidden_root;
        assert!(verify_hidden(root, 3, position, &check.proof), "{position}");
    }
}

/// A false statement of a worker.
type Lie = fn(&mut Answered);

const WRONG: H256 = H256::repeat_byte(0xee);

/// Every field of the receipt is compared with the result of the execution.
#[tokio::test]
async fn whatever_is_false_in_an_answer_is_challenged() {
    let lies: [(&str, Lie); 12] = [
        ("request", |leaf| leaf.receipt.request = RequestId(2)),
        ("checkpoint", |leaf| leaf.receipt.checkpoint.0 = WRONG),
        ("prompt hash", |leaf| leaf.receipt.prompt_hash = WRONG),
        ("parameters", |leaf| {
            leaf.receipt.parameters = SamplingParameters::greedy(9);
        }),
        ("seed", |leaf| leaf.receipt.seed = WRONG),
        ("answer hash", |leaf| leaf.receipt.answer_hash = WRONG),
        ("prompt tokens", |leaf| leaf.receipt.prompt_tokens = 3),
        ("answer tokens", |leaf| leaf.receipt.answer_tokens = 4),
        ("hidden root", |leaf| leaf.receipt.hidden_root = WRONG),
        ("one hidden state", |leaf| {
            let mut hidden = answer().hidden;
            hidden[0] = WRONG;
            leaf.receipt.hidden_root = merkle_root(&hidden);
        }),
        ("tokens", |leaf| {
            leaf.tokens = vec![4, 6, 7];
            state_output(leaf);
        }),
        ("text", |leaf| {
            leaf.text = "never".into();
            state_output(leaf);
        }),
    ];
    for (what, lie) in lies {
        let mut told = leaf();
        lie(&mut told);
        let setting = Setting::checking(told);
        let mut process = setting.start();
        process.step().await;
        assert_eq!(
            setting.chain.performed(),
            [Action::Challenge {
                claim: CLAIM,
                leaf: 0
            }],
            "{what}"
        );
        assert!(
            matches!(process.stage(CHECK), Some(JobStage::Done { .. })),
            "{what}"
        );
        assert_eq!(process.metrics.challenges.get(), 1, "{what}");
        assert_eq!(process.metrics.checks_invalid.get(), 1, "{what}");
    }
}

#[tokio::test]
async fn an_answer_to_a_prompt_that_has_none_is_challenged() {
    let setting = Setting::checking(leaf());
    setting.set(|model| &model.speechless, true);
    setting.start().step().await;
    assert!(matches!(
        setting.chain.performed()[..],
        [Action::Challenge { .. }]
    ));
}

/// A failed execution does not make the answer false.
#[tokio::test]
async fn a_check_that_cannot_be_executed_is_no_challenge() {
    let setting = Setting::checking(leaf());
    setting.set(|model| &model.fails, true);
    let mut process = setting.start();
    for _ in 0..8 {
        process.step().await;
        setting.blocks_pass(20);
    }
    assert_eq!(setting.checks_made(), 3);
    assert!(setting.chain.performed().is_empty());
    assert_eq!(process.stage(CHECK), None);
}

#[tokio::test]
async fn a_reveal_survives_a_kill_after_the_commitment() {
    let setting = Setting::checking(leaf());
    let mut process = setting.start();
    process.step().await;
    drop(process);
    setting.reveal();
    setting.start().step().await;
    assert_opens(&setting.chain.performed());
    assert_eq!(setting.checks_made(), 1);
}

#[tokio::test]
async fn a_check_that_was_not_committed_before_a_kill_is_committed_after_it() {
    let setting = Setting::checking(leaf());
    let process = setting.start();
    let subject = H256::from_low_u64_be(POINT);
    process.leave(CHECK, subject, JobStage::Executed(Product::Check(stored())));
    drop(process);
    setting.start().step().await;
    let StoredCheck { proof, salt, .. } = stored();
    assert_eq!(
        setting.chain.performed(),
        [Action::CommitCheck {
            claim: CLAIM,
            leaf: 0,
            commitment: commitment(&proof, salt),
        }]
    );
    assert_eq!(setting.checks_made(), 0);
}

#[tokio::test]
async fn a_check_killed_while_it_is_executed_is_executed_again() {
    let setting = Setting::checking(leaf());
    setting.set(|model| &model.blocked, true);
    let mut process = setting.start();
    process.turn().await;
    drop(process);
    setting.set(|model| &model.blocked, false);
    setting.start().step().await;
    assert!(matches!(
        setting.chain.performed()[..],
        [Action::CommitCheck { .. }]
    ));
}

#[tokio::test]
async fn a_challenge_that_was_not_handed_over_before_a_kill_is_after_it() {
    let setting = Setting::checking(leaf());
    let process = setting.start();
    let subject = H256::from_low_u64_be(POINT);
    process.leave(CHECK, subject, JobStage::Executed(Product::Challenge));
    drop(process);
    setting.start().step().await;
    assert!(matches!(
        setting.chain.performed()[..],
        [Action::Challenge { .. }]
    ));
    assert_eq!(setting.checks_made(), 0);
}

#[tokio::test]
async fn a_reveal_killed_on_its_way_is_handed_over_again() {
    let setting = Setting::checking(leaf());
    let mut process = setting.start();
    process.step().await;
    setting.reveal();
    setting.fate(None);
    process.step().await;
    drop(process);
    setting.start().step().await;
    let performed = setting.chain.performed();
    assert_eq!(performed.len(), 3);
    assert_eq!(performed[1], performed[2]);
}

#[tokio::test]
async fn a_commitment_whose_opening_is_lost_is_not_guessed() {
    let setting = Setting::idle();
    setting.reveal();
    let mut process = setting.start();
    process.step().await;
    assert!(setting.chain.performed().is_empty());
    assert_eq!(setting.checks_made(), 0);
}

#[tokio::test]
async fn a_lost_commitment_is_handed_over_again_for_the_same_finding() {
    let setting = Setting::checking(leaf());
    setting.fate(Some(DutyOutcome::Dropped("the pool is full".into())));
    let mut process = setting.start();
    process.step().await;
    setting.next_block();
    setting.fate(Some(DutyOutcome::Included { block: 44 }));
    process.step().await;
    let performed = setting.chain.performed();
    assert_eq!(performed.len(), 2);
    assert_eq!(performed.first(), performed.last());
}

#[tokio::test]
async fn a_refused_challenge_is_tried_less_and_less_often() {
    let mut told = leaf();
    told.receipt.prompt_tokens = 3;
    let setting = Setting::checking(told);
    setting.fate(Some(DutyOutcome::Refused("Claims::Ended".into())));
    let mut process = setting.start();
    for _ in 0..40 {
        process.step().await;
        setting.next_block();
    }
    assert_eq!(setting.chain.performed().len(), 6);
    assert_eq!(setting.checks_made(), 1);
}

#[tokio::test]
async fn a_check_that_the_chain_no_longer_lists_is_dropped() {
    let setting = Setting::checking(leaf());
    setting.set(|model| &model.blocked, true);
    let mut process = setting.start();
    process.turn().await;
    setting.chain.expect_nothing();
    process.step().await;
    assert!(!process.operator.is_busy());
    assert!(setting.chain.performed().is_empty());
}

/// Both processes execute; the one that commits first also reveals, and the chain refuses the other.
#[tokio::test]
async fn two_processes_with_one_hot_key_do_not_mix_their_salts() {
    let setting = Setting::checking(leaf());
    let (mut process, mut twin) = (setting.start(), setting.start_twin());
    process.step().await;
    setting.fate(Some(DutyOutcome::Unknown("already imported".into())));
    twin.step().await;
    setting.reveal();
    setting.fate(Some(DutyOutcome::Refused(
        "Claims::CommitmentDiffers".into(),
    )));
    twin.step().await;
    setting.fate(Some(DutyOutcome::Included { block: 12 }));
    process.step().await;
    let performed = setting.chain.performed();
    let [first, second, of_twin, of_first] = &performed[..] else {
        panic!("each commits and reveals once: {performed:?}");
    };
    assert_opens(&[first.clone(), of_first.clone()]);
    assert_opens(&[second.clone(), of_twin.clone()]);
    assert_ne!(first, second, "salts are random");
    assert!(matches!(process.stage(CHECK), Some(JobStage::Done { .. })));
}
