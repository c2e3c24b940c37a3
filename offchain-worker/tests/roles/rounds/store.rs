//! While the job store fails, an operator does no work in rounds that needs a record, but all other work.

use super::play::{assert_promoted, Play, LONE, WINDOW};
use crate::fake::Disk;
use noema_rounds::{Hearing, Phase};
use noema_worker::roles::rounds::RoundStep;
use noema_worker::roles::Action;
use std::sync::atomic::Ordering;

fn joins(action: &Action) -> bool {
    matches!(action, Action::Round(_, RoundStep::Join(_)))
}

#[tokio::test]
async fn who_cannot_remember_does_not_join() {
    let mut play = Play::without_operators(20 * WINDOW);
    let disk = Disk::default();
    disk.is_full.store(true, Ordering::SeqCst);
    play.add(LONE, |start| start.store = disk.store());
    for _ in 0..3 {
        play.take_turns().await;
        play.end_block();
    }
    assert!(play.chain.performed().is_empty());
    let part = format!("job store of {LONE}");
    let metrics = play.operators[0].1.metrics.clone();
    assert!(metrics.health.trouble_of(&part).is_some());

    disk.is_full.store(false, Ordering::SeqCst);
    play.take_turns().await;
    assert!(play.chain.performed().iter().any(joins));
    assert_eq!(metrics.health.trouble_of(&part), None);
}

#[tokio::test]
async fn what_was_found_while_the_disk_was_full_is_committed_once_it_is_stored() {
    let mut play = Play::without_operators(WINDOW);
    let disk = Disk::default();
    play.start_with(|number, start| {
        if number == 1 {
            start.store = disk.store();
        }
    });
    play.up_to(|phase| matches!(phase, Phase::Training { .. }))
        .await;
    disk.is_full.store(true, Ordering::SeqCst);
    play.take_turns().await;
    let has_committed = |play: &Play| play.round().trainers[0].commitment.is_some();
    assert!(!has_committed(&play), "it is not on disk");
    assert!(play.operators[0].1.metrics.store_errors.get() > 0);
    play.end_block();

    disk.is_full.store(false, Ordering::SeqCst);
    play.take_turns().await;
    assert!(has_committed(&play));
    play.end_block();
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
}

/// A claim can be computed again at any time, and so can the next checkpoint.
#[tokio::test]
async fn who_cannot_read_the_store_claims_and_holds_all_the_same() {
    let mut play = Play::without_operators(WINDOW);
    let disks: Vec<_> = (0..3).map(|_| Disk::default()).collect();
    play.start_with(|number, start| {
        if number > 10 {
            start.store = disks[usize::from(number) - 11].store();
        }
    });
    play.up_to(|phase| matches!(phase, Phase::Claiming { .. }))
        .await;
    for disk in &disks {
        disk.is_away.store(true, Ordering::SeqCst);
    }
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
    let round = play.round();
    let seats = round
        .validators
        .iter()
        .filter(|who| who.seat == Hearing::Scores);
    assert!(seats.map(|who| who.claim).all(|claim| claim.is_some()));
}

#[tokio::test]
async fn what_is_on_disk_of_a_round_is_revealed_while_the_disk_is_full() {
    let mut play = Play::without_operators(WINDOW);
    let disk = Disk::default();
    play.start_with(|number, start| {
        if number == 1 {
            start.store = disk.store();
        }
    });
    play.up_to(|phase| matches!(phase, Phase::Revealing { .. }))
        .await;
    disk.is_full.store(true, Ordering::SeqCst);
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
}
