//! An operator that lacks what a round needs does not join it, and a refused step is not repeated forever.

use super::play::{assert_promoted, Play, LONE, WINDOW};
use noema_protocol::FamilyId;
use noema_rounds::Phase;
use noema_worker::roles::rounds::RoundStep;
use noema_worker::roles::{Action, DutyOutcome};
use std::fs;

#[tokio::test]
async fn who_cannot_get_the_dataset_does_not_join() {
    let mut play = Play::new(None);
    play.network.shared().prepared.clear();
    play.take_turns().await;
    let troubles = play.troubles();
    assert_eq!(troubles.len(), 6);
    for (_, trouble) in &troubles {
        assert!(
            trouble.contains("no other operator has published an endpoint"),
            "{trouble}"
        );
    }
    assert_eq!(play.round().participants().count(), 0);
}

#[tokio::test]
async fn who_gets_the_dataset_later_joins_then() {
    let mut play = Play::new(None);
    let prepared = std::mem::take(&mut play.network.shared().prepared);
    play.take_turns().await;
    play.end_block();
    play.network.shared().prepared = prepared;
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
}

/// Runs a round in which the third trainer cannot train: this affects no other operator, and it loses
/// nothing. Returns its reasons.
async fn without_the_third(mut play: Play) -> Vec<String> {
    let mut troubles = Vec::new();
    while play.round().outcome().is_none() {
        play.take_turns().await;
        troubles.extend(play.troubles());
        play.end_block();
    }
    let outcome = play.round().outcome().expect("is over");
    assert_promoted(&play, outcome);
    let joined: Vec<_> = play.round().trainers.iter().map(|t| t.account[0]).collect();
    assert_eq!(joined, [1, 2]);
    assert!(!troubles.is_empty());
    let is_third = |(number, trouble)| (number == 3).then_some(trouble);
    let troubles: Option<_> = troubles.into_iter().map(is_third).collect();
    troubles.expect("no other operator has troubles")
}

#[tokio::test]
async fn a_trainer_whose_state_is_damaged_does_not_join() {
    let play = Play::new(None);
    let state = play.files(3).trainer_state(FamilyId(0));
    fs::create_dir_all(state.parent().expect("a folder")).expect("is made");
    fs::write(state, b"something else").expect("is written");
    for trouble in without_the_third(play).await {
        assert!(trouble.contains("trainer.state is damaged"), "{trouble}");
    }
}

#[tokio::test]
async fn a_trainer_whose_options_were_changed_does_not_join() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Holding { .. }))
        .await;
    while play.round().outcome().is_none() {
        play.end_block();
    }
    play.open_next();
    play.start_with(|number, start| {
        if number == 3 {
            start.setup.training.learning_rate /= 2.0;
        }
    });
    for trouble in without_the_third(play).await {
        assert!(
            trouble.contains("a training with other options"),
            "{trouble}"
        );
    }
}

/// How often the lone operator submitted its entry.
fn entries(play: &Play) -> usize {
    let performed = play.chain.performed();
    let is_entry = |action: &&Action| matches!(action, Action::Round(_, RoundStep::Join(_)));
    performed.iter().filter(is_entry).count()
}

#[tokio::test]
async fn a_refused_step_is_handed_over_less_and_less_often() {
    let mut play = Play::without_operators(20 * WINDOW);
    play.add(LONE, |_| ());
    let refused = DutyOutcome::Refused("Training::TooManyValidators".into());
    play.chain.edit(|state| state.fate = Some(refused));
    for _ in 0..40 {
        play.take_turns().await;
        play.end_block();
    }
    assert_eq!(entries(&play), 6);
    assert!(play.troubles().is_empty(), "it could go on");
}

#[tokio::test]
async fn a_lost_step_is_handed_over_at_each_block_until_it_is_done() {
    let mut play = Play::without_operators(20 * WINDOW);
    play.add(LONE, |_| ());
    let lost = DutyOutcome::Dropped("the pool is full".into());
    play.chain.edit(|state| state.fate = Some(lost));
    for _ in 0..5 {
        play.take_turns().await;
        play.end_block();
    }
    assert_eq!(entries(&play), 5);
    play.chain
        .edit(|state| state.fate = Some(DutyOutcome::Included { block: 0 }));
    for _ in 0..3 {
        play.take_turns().await;
        play.end_block();
    }
    assert_eq!(entries(&play), 6, "it has joined");
    assert_eq!(play.round().participants().count(), 1);
}

#[tokio::test]
async fn a_step_whose_fate_is_open_is_not_handed_over_again() {
    let mut play = Play::without_operators(20 * WINDOW);
    play.add(LONE, |_| ());
    play.chain.edit(|state| state.fate = None);
    for _ in 0..3 {
        play.operators[0].1.step().await;
        play.end_block();
    }
    assert_eq!(entries(&play), 1);
}
