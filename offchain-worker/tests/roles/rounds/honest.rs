//! Honest operators produce a checkpoint with a lower loss, and fetch only what they need.

use super::play::{assert_promoted, Play, FAMILIES, LONE, WINDOW};
use noema_dishonest_trainer::Behaviour;
use noema_model::checkpoint::Library;
use noema_protocol::RoundId;
use noema_rounds::{Phase, Rejection, RoundOutcome, Ruling};
use noema_worker::roles::rounds::Round;
use noema_worker::roles::Action;
use noema_worker::store::AccountBytes;
use std::fs;

#[tokio::test]
async fn honest_operators_make_a_better_checkpoint_and_agree_on_it() {
    let mut play = Play::new(None);
    let RoundOutcome::Promoted(id) = play.play().await else {
        panic!("{:?}", play.round());
    };
    let round = play.round();
    assert!(!round.widened);
    assert!(play.offenders().is_empty());
    let claim = round.claim.unwrap();
    assert!(claim.loss < round.parent_loss.unwrap());
    assert_eq!(claim.checkpoint, id);
    // All operators that computed it have the same files.
    for number in [1, 2, 11] {
        let library = Library::new(&play.home(number));
        let held = library.open(id).expect("is held");
        held.verify(&|_| ()).expect("is sound");
        assert_eq!(held.manifest().source.hash, claim.masters_root);
    }
}

#[tokio::test]
async fn each_fetches_of_the_dataset_only_what_it_needs() {
    let mut play = Play::new(None);
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
    let round = play.round();
    for trainer in &round.trainers {
        assert_eq!(
            play.shards(trainer.account[0]),
            play.names(trainer.shards.iter())
        );
    }
    let assigned = round
        .trainers
        .iter()
        .flat_map(|trainer| trainer.shards.iter());
    let scored = play.names(assigned.chain(round.evaluation.iter()));
    assert!(scored.len() < round.dataset.shards as usize);
    // Validators that were not drawn verified it, too.
    for number in [11, 12, 13] {
        assert_eq!(play.shards(number), scored);
    }
}

#[tokio::test]
async fn what_was_fetched_outlives_who_prepared_it() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Claiming { .. }))
        .await;
    play.network.shared().prepared.clear();
    // One of the claiming validators lost its disk.
    let claims = play.round().seats().next().unwrap().account[0];
    fs::remove_dir_all(play.datasets(claims)).expect("is removed");
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
    assert_eq!(
        play.shards(claims),
        play.names(play.round().evaluation.iter())
    );
}

#[tokio::test]
async fn one_operator_takes_part_in_the_rounds_of_two_families() {
    let mut play = Play::new(None);
    play.chain.edit(|state| {
        let first = state.rounds[0].clone();
        let id = RoundId(first.id.0 + 1);
        let now = state.block as u32;
        let parent = first.parent;
        state.rounds.push(Round::open(
            id,
            FAMILIES[1],
            parent,
            first.dataset,
            first.rules,
            now,
        ));
    });
    let first = play.play().await;
    let other = loop {
        let other = play.chain.edit(|state| state.rounds[1].clone());
        if let Some(outcome) = other.outcome() {
            break outcome;
        }
        play.take_turns().await;
        play.end_block();
    };
    assert_promoted(&play, first);
    assert_promoted(&play, other);
}

#[tokio::test]
async fn without_holders_the_parent_stays() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Holding { .. }))
        .await;
    play.operators.clear();
    let outcome = play.play().await;
    assert_eq!(outcome, RoundOutcome::Rejected(Rejection::TooFewHolders));
}

#[tokio::test]
async fn trainers_fetch_what_was_accepted_alone() {
    let mut play = Play::new(Some(Behaviour::Garbage));
    let outcome = play.play().await;
    assert!(matches!(outcome, RoundOutcome::Promoted(_)), "{outcome:?}");
    let trainers = play.round().trainers;
    let shared = play.network.shared();
    let asked = |update| {
        let by = |who: &AccountBytes| trainers.iter().any(|trainer| trainer.account == *who);
        let mut all = shared.asked.iter();
        all.any(|(who, what)| by(who) && *what == update)
    };
    for trainer in &trainers {
        let is_accepted = matches!(trainer.ruling, Some(Ruling::Accepted { .. }));
        let update = trainer.contribution.expect("was revealed").update;
        assert_eq!(asked(update), is_accepted, "{:?}", trainer.ruling);
    }
}

#[tokio::test]
async fn a_checkpoint_that_is_held_is_announced_once() {
    let mut play = Play::without_operators(WINDOW);
    play.add(LONE, |_| ());
    for _ in 0..3 {
        // The round ends without trainers.
        while play.round().outcome().is_none() {
            play.take_turns().await;
            play.end_block();
        }
        // No round is open for a while.
        play.take_turns().await;
        play.open_next();
    }
    let performed = play.chain.performed();
    let is_word = |action: &&Action| matches!(action, Action::AnnounceHolding { .. });
    assert_eq!(performed.iter().filter(is_word).count(), 1);
    let joins = |action: &&Action| matches!(action, Action::Round(..));
    assert_eq!(performed.iter().filter(joins).count(), 3);
}
