//! Dishonest and slow trainers do not affect the result, and cost the other operators nothing.

use super::play::{assert_promoted, Play};
use noema_dishonest_trainer::Behaviour;
use noema_rounds::{Finding, Phase, Refusal, RoundOutcome, Ruling};

/// The refusal of the third trainer's contribution, in a round that is promoted nevertheless.
async fn poisoned(behaviour: Behaviour) -> Refusal {
    let mut play = Play::new(Some(behaviour));
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
    match play.ruling(3) {
        Some(Ruling::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_flipped_update_changes_nothing() {
    assert_eq!(poisoned(Behaviour::Flip).await, Refusal::DoesNotHelp);
}

#[tokio::test]
async fn random_changes_change_nothing() {
    assert_eq!(poisoned(Behaviour::Random).await, Refusal::DoesNotHelp);
}

#[tokio::test]
async fn the_work_of_another_changes_nothing() {
    assert_eq!(poisoned(Behaviour::Copy).await, Refusal::Copy);
}

#[tokio::test]
async fn bytes_that_are_no_update_change_nothing() {
    assert_eq!(poisoned(Behaviour::Garbage).await, Refusal::Malformed);
}

#[tokio::test]
async fn half_an_update_changes_nothing() {
    assert_eq!(poisoned(Behaviour::Truncate).await, Refusal::Malformed);
}

#[tokio::test]
async fn an_update_a_thousand_times_too_large_does_no_harm() {
    let mut play = Play::new(Some(Behaviour::Scale));
    let outcome = play.play().await;
    assert!(matches!(outcome, RoundOutcome::Promoted(_)), "{outcome:?}");
    // It may lower the loss of a random model, so it may be accepted; but the mean is not its update alone.
    let round = play.round();
    assert!(round.claim.unwrap().loss < round.parent_loss.unwrap());
    assert!(matches!(play.ruling(1), Some(Ruling::Accepted { .. })));
}

#[tokio::test]
async fn who_never_reveals_offends_and_the_others_go_on() {
    let mut play = Play::new(Some(Behaviour::Silent));
    let outcome = play.play().await;
    assert!(matches!(outcome, RoundOutcome::Promoted(_)), "{outcome:?}");
    assert_eq!(play.offenders(), [3]);
    assert_eq!(play.ruling(3), None);
}

#[tokio::test]
async fn an_update_that_is_no_longer_served_changes_nothing() {
    let mut play = Play::new(None);
    // Up to the scoring, where the file of the third is gone.
    play.up_to(|phase| matches!(phase, Phase::Scoring { .. }))
        .await;
    let lost = play.round().trainers[2].contribution.unwrap().update;
    play.network.shared().files.remove(&lost);
    // The third trainer does not serve it again.
    play.operators.remove(2);
    let outcome = play.play().await;
    assert!(matches!(outcome, RoundOutcome::Promoted(_)), "{outcome:?}");
    assert_eq!(play.ruling(3), Some(Ruling::Refused(Refusal::Unavailable)));
    assert!(play.round().seats().all(|seat| seat
        .sheet
        .as_ref()
        .unwrap()
        .findings
        .contains(&Finding::Unavailable)));
}

#[tokio::test]
async fn a_trainer_that_serves_drop_by_drop_costs_no_validator_anything() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Scoring { .. }))
        .await;
    let validators = [11, 12, 13].map(|number| [number; 32]);
    let drips = validators.map(|validator| ([3; 32], validator));
    play.network.shared().drips.extend(drips);
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
    assert_eq!(play.ruling(3), Some(Ruling::Refused(Refusal::Unavailable)));
}

#[tokio::test]
async fn a_validator_that_a_trainer_does_not_serve_gets_its_update_from_the_others() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Scoring { .. }))
        .await;
    let seat = play.round().seats().next().unwrap().account;
    play.network.shared().drips.insert(([3; 32], seat));
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
    // The other drawn validator and the third one, which objected, are the majority.
    assert!(matches!(play.ruling(3), Some(Ruling::Accepted { .. })));
}

#[tokio::test]
async fn peers_that_do_not_answer_are_waited_for_together() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Scoring { .. }))
        .await;
    for trainer in &play.round().trainers[1..] {
        let lost = trainer.contribution.unwrap().update;
        play.network.shared().files.remove(&lost);
    }
    play.operators.drain(..3);
    play.up_to(|phase| !matches!(phase, Phase::Scoring { .. }))
        .await;
    assert_eq!(play.network.shared().most_waiting, 2);
}
