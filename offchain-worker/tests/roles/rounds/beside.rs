//! Checks and rounds of a validator do not wait for each other.

use super::play::{assert_promoted, Play, Start, LONE, WINDOW};
use crate::fake::{asked, leaf, to_check, CHECK, POINT, SEED};
use noema_rounds::Phase;
use noema_worker::roles::rounds::RoundStep;
use noema_worker::roles::{Action, DutyStep, Reward, Rewards};
use noema_worker::store::{JobStage, Product};
use std::sync::atomic::Ordering;
use std::time::Duration;

fn checks(start: &mut Start) {
    start.identity.validates = true;
}

fn commits_check(action: &Action) -> bool {
    matches!(action, Action::CommitCheck { .. })
}

fn joins(action: &Action) -> bool {
    matches!(action, Action::Round(_, RoundStep::Join(_)))
}

#[tokio::test]
async fn a_round_that_takes_long_delays_no_check() {
    let mut play = Play::without_operators(20 * WINDOW);
    play.add(LONE, checks);
    play.network.shared().stalled.insert([LONE; 32]);
    play.take_turns().await;
    assert!(
        play.operators[0].1.operator.is_busy(),
        "it waits for the dataset"
    );
    play.end_block();
    play.chain
        .expect([to_check(DutyStep::Execute, leaf(), POINT)]);
    let (chain, (_, process)) = (play.chain.clone(), &mut play.operators[0]);
    process.turn().await;
    let checked = async {
        while chain.performed().is_empty() {
            process.operator.progress().await;
        }
    };
    let checked = tokio::time::timeout(Duration::from_secs(60), checked).await;
    checked.expect("the check goes on");
    let performed = play.chain.performed();
    assert!(
        matches!(&performed[..], [action] if commits_check(action)),
        "{performed:?}"
    );

    play.network.shared().stalled.clear();
    play.end_block();
    play.take_turns().await;
    assert!(play.chain.performed().iter().any(joins));
}

#[tokio::test]
async fn a_check_that_takes_long_delays_no_round() {
    let mut play = Play::without_operators(20 * WINDOW);
    play.add(LONE, checks);
    play.model.blocked.store(true, Ordering::SeqCst);
    play.chain
        .expect([to_check(DutyStep::Execute, leaf(), POINT)]);
    let (_, process) = &mut play.operators[0];
    process.step().await;
    assert!(process.operator.is_busy(), "the check is executed");
    assert!(play.chain.performed().iter().any(joins));

    play.model.blocked.store(false, Ordering::SeqCst);
    play.operators[0].1.settle().await;
    assert!(play.chain.performed().iter().any(commits_check));
}

#[tokio::test]
async fn a_validator_checks_and_scores_at_once() {
    let mut play = Play::new(None);
    play.add(LONE, checks);
    for (place, phase) in [
        |phase: &Phase<u32>| matches!(phase, Phase::Training { .. }),
        |phase: &Phase<u32>| matches!(phase, Phase::Claiming { .. }),
    ]
    .into_iter()
    .enumerate()
    {
        let step = [DutyStep::Execute, DutyStep::Reveal][place];
        play.chain.expect([to_check(step, leaf(), POINT)]);
        play.up_to(phase).await;
        let (_, process) = &play.operators[6];
        match (step, process.stage(CHECK)) {
            (DutyStep::Execute, Some(JobStage::Executed(Product::Check(_))))
            | (DutyStep::Reveal, Some(JobStage::Done { .. })) => {}
            (step, stage) => panic!("{step:?}: {stage:?}"),
        }
    }
    play.chain.expect_nothing();
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
    assert!(play.round().participants().any(|who| *who == [LONE; 32]));
}

#[tokio::test]
async fn who_takes_part_in_rounds_alone_needs_no_model() {
    let mut play = Play::without_operators(20 * WINDOW);
    play.add(LONE, |_| ());
    play.take_turns().await;
    assert!(play.chain.performed().iter().any(joins));
    assert_eq!(play.model.executed(), 0);
}

#[tokio::test]
async fn a_round_keeps_no_operator_from_its_reward() {
    let mut play = Play::without_operators(20 * WINDOW);
    play.add(LONE, |start| start.identity.claims = true);
    play.network.shared().stalled.insert([LONE; 32]);
    play.chain.edit(|state| {
        state.rewards = Some(Rewards {
            due: vec![Reward {
                epoch: 3,
                amount: 100,
            }],
            epoch_ends: 20,
        });
    });
    play.take_turns().await;
    let performed = play.chain.performed();
    assert!(
        matches!(performed[..], [Action::ClaimReward { epoch: 3, .. }]),
        "{performed:?}"
    );
}

/// An operator that does not take part in rounds ignores them.
#[tokio::test]
async fn an_operator_without_a_role_in_rounds_leaves_them_alone() {
    let mut play = Play::without_operators(20 * WINDOW);
    play.add(LONE, |start| {
        start.identity.serves = true;
        start.identity.rounds = None;
    });
    play.chain.expect([asked(1, SEED)]);
    play.take_turns().await;
    let performed = play.chain.performed();
    assert!(
        matches!(performed[..], [Action::SubmitAnswer { .. }]),
        "{performed:?}"
    );
    assert!(!play.home(LONE).join("rounds").exists());
}
