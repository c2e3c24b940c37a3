//! Operators resume rounds from disk after a restart, and tell records of different rounds apart.

use super::play::{assert_promoted, Play, WINDOW};
use noema_protocol::{FamilyId, Job, RoundId};
use noema_rounds::{Phase, Rejection, RoundOutcome};
use noema_worker::roles::rounds::{Round, RoundStep};
use noema_worker::roles::Action;
use noema_worker::store::{JobKey, JobRecord, JobStage, Product};
use sp_core::H256;
use std::fs;
use std::time::Duration;
use tokio::sync::watch;

#[tokio::test]
async fn an_operator_that_starts_anew_keeps_its_word() {
    let mut play = Play::new(None);
    for reveals in [
        |phase: &Phase<u32>| matches!(phase, Phase::Revealing { .. }),
        |phase: &Phase<u32>| matches!(phase, Phase::ScoreRevealing { .. }),
    ] {
        play.up_to(reveals).await;
        // All operators lose what is not on disk.
        play.start(None);
    }
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
}

#[tokio::test]
async fn a_commitment_that_is_on_disk_is_handed_over_without_training_again() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Training { .. }))
        .await;
    // It trains, but its commitment is dropped.
    let lost = noema_worker::roles::DutyOutcome::Dropped("the test lets it go".into());
    play.chain.edit(|state| state.fate = Some(lost));
    play.take_turns().await;
    let included = noema_worker::roles::DutyOutcome::Included { block: 0 };
    play.chain.edit(|state| {
        state.fate = Some(included);
        state.performed.clear();
    });
    let update = fs::metadata(play.files(1).update(RoundId(7))).expect("is there");
    play.start(None);
    fs::remove_file(play.files(1).trainer_state(FamilyId(0))).expect("is removed");
    play.take_turns().await;
    let again = fs::metadata(play.files(1).update(RoundId(7))).expect("is there");
    assert_eq!(again.modified().unwrap(), update.modified().unwrap());
    let committed = play.round().trainers;
    assert!(committed.iter().all(|trainer| trainer.commitment.is_some()));
    play.end_block();
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
}

#[tokio::test]
async fn scores_of_a_chain_that_was_begun_anew_are_not_taken_for_these() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Claiming { .. }))
        .await;
    // The same genesis: the round has the same number and the same parent, but other shards. One of the
    // validators still has its old records.
    let stale = play.round().seats().next().unwrap().account[0];
    play.operators.clear();
    for number in [1, 2, 3, 11, 12, 13] {
        if number == stale {
            continue;
        }
        fs::remove_file(play.home(number).join("jobs.redb")).expect("is removed");
        let files = play.home(number).join("rounds");
        if files.exists() {
            fs::remove_dir_all(files).expect("is removed");
        }
    }
    play.chain.edit(|state| {
        let last = state.rounds[0].clone();
        state.block = 2;
        state.rounds[0] = Round::open(
            last.id,
            last.family,
            last.parent,
            last.dataset,
            last.rules,
            2,
        );
    });
    play.start(None);
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
}

/// The same while the operators keep running: results and shared files of the old round are not used for the
/// new one.
#[tokio::test]
async fn running_operators_notice_that_the_chain_was_begun_anew() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Scoring { .. }))
        .await;
    play.chain.edit(|state| {
        let last = state.rounds[0].clone();
        state.block = 2;
        state.holders.clear();
        state.rounds[0] = Round::open(
            last.id,
            last.family,
            last.parent,
            last.dataset,
            last.rules,
            2,
        );
    });
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
}

/// The same parent with other shards, for trainers that keep running and for trainers that restart.
#[tokio::test]
async fn rounds_without_a_checkpoint_are_followed_by_others_from_the_same_parent() {
    let mut play = Play::new(None);
    for starts_anew in [false, true] {
        play.up_to(|phase| matches!(phase, Phase::Holding { .. }))
            .await;
        while play.round().outcome().is_none() {
            play.end_block();
        }
        let rejected = RoundOutcome::Rejected(Rejection::TooFewHolders);
        assert_eq!(play.round().outcome(), Some(rejected));
        play.open_next();
        if starts_anew {
            play.start(None);
        }
    }
    let outcome = play.play().await;
    assert_promoted(&play, outcome);
}

#[tokio::test]
async fn what_is_on_disk_of_rounds_that_are_over_is_removed() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Revealing { .. }))
        .await;
    let key = JobKey {
        operator: [1; 32],
        job: Job::Round(RoundId(7)),
    };
    let has_record = |play: &Play| {
        let (_, process) = &play.operators[0];
        process.store.get(&key).expect("readable").is_some()
    };
    let files = play.files(1);
    assert!(has_record(&play) && files.update(RoundId(7)).exists());
    // An earlier version left records in files.
    fs::write(files.folder(RoundId(7)).join("contribution"), [1, 2, 3]).expect("is written");
    play.chain.edit(|state| {
        state.rounds[0].stop();
    });
    play.take_turns().await;
    assert!(!has_record(&play) && !files.folder(RoundId(7)).exists());
    assert!(
        files.trainer_state(FamilyId(0)).exists(),
        "the trainer's state is kept"
    );
}

#[tokio::test]
async fn a_record_of_another_round_of_the_same_number_is_none() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Revealing { .. }))
        .await;
    let (_, process) = &play.operators[0];
    let key = JobKey {
        operator: [1; 32],
        job: Job::Round(RoundId(7)),
    };
    let record = process
        .store
        .get(&key)
        .expect("readable")
        .expect("is there");
    assert!(matches!(
        record.stage,
        JobStage::Executed(Product::Contribution { .. })
    ));
    let other = JobRecord {
        subject: H256::repeat_byte(8),
        ..record
    };
    process.store.put(&key, &other).expect("written");
    play.take_turns().await;
    let troubles = play.troubles();
    assert!(
        matches!(&troubles[..], [(1, trouble)] if trouble.contains("cannot be revealed")),
        "{troubles:?}"
    );
    let revealed = play.chain.performed();
    let is_reveal =
        |action: &&Action| matches!(action, Action::Round(_, RoundStep::RevealContribution(..)));
    assert_eq!(revealed.iter().filter(is_reveal).count(), 2);
}

/// A trainer that would train for hours.
async fn train_for_long(play: &mut Play) {
    play.start_with(|number, start| {
        if number == 1 {
            start.setup.training.steps = 1_000_000;
            start.setup.training.save_every = 10;
        }
    });
    play.up_to(|phase| matches!(phase, Phase::Training { .. }))
        .await;
    play.operators.truncate(1);
}

async fn until(is_so: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not happen in time");
}

#[tokio::test]
async fn a_stop_waits_until_a_trainer_has_saved_its_state() {
    let mut play = Play::without_operators(WINDOW);
    train_for_long(&mut play).await;
    let state = play.files(1).trainer_state(FamilyId(0));
    let (_, process) = play.operators.remove(0);
    let (stop, stopped) = watch::channel(false);
    let (_head, blocks) = watch::channel(1);
    let running = tokio::spawn(process.operator.run(blocks, stopped));
    until(|| state.exists()).await;
    fs::remove_file(&state).expect("is removed");
    stop.send_replace(true);
    let ended = tokio::time::timeout(Duration::from_secs(120), running).await;
    ended.expect("stops in time").expect("ends");
    assert!(state.exists(), "it resumes from there");
}

#[tokio::test]
async fn a_trainer_whose_phase_is_over_saves_its_state() {
    let mut play = Play::without_operators(WINDOW);
    train_for_long(&mut play).await;
    let state = play.files(1).trainer_state(FamilyId(0));
    let (_, process) = &mut play.operators[0];
    process.turn().await;
    until(|| state.exists()).await;
    for _ in 0..=WINDOW {
        play.chain.edit(|state| state.end_block());
    }
    fs::remove_file(&state).expect("is removed");
    process.turn().await;
    process.operator.progress().await;
    assert!(state.exists(), "it resumes from there");
    assert!(play.troubles().is_empty());
}
