//! An operator moves in games, as the claimant and as a challenger: each move is on disk before it is sent, and none
//! waits for answers.

use crate::fake::{
    asked, open_game, session_leaf, to_move, Setting, CLAIM, CONTROLLER, DISPUTE, POINTED, SEED,
};
use noema_disputes::Side;
use noema_worker::games::{Move, PlayedGame};
use noema_worker::roles::{Action, DutyOutcome, LeafError};
use noema_worker::store::{JobStage, Product};
use sp_core::H256;
use std::sync::atomic::Ordering;

const CHALLENGER: [u8; 32] = [3; 32];

/// A game in which the operator has to point.
fn pointing() -> PlayedGame {
    open_game(CONTROLLER, Side::Challenger, None)
}

/// The same game after a row was shown.
fn going_on() -> PlayedGame {
    open_game(CONTROLLER, Side::Challenger, Some(POINTED))
}

fn made(setting: &Setting) -> Vec<Move> {
    let performed = setting.chain.performed();
    let moves = performed.into_iter().map(|action| match action {
        Action::Move { claim, leaf, made } => {
            assert_eq!((claim, leaf), (CLAIM, 0));
            *made
        }
        other => panic!("a move was expected, not {other}"),
    });
    moves.collect()
}

#[tokio::test]
async fn each_move_is_made_once() {
    let setting = Setting::expecting([to_move(pointing())]);
    let mut process = setting.start();
    process.step().await;
    process.step().await;
    setting.next_block();
    setting.chain.expect([to_move(going_on())]);
    process.step().await;
    let siblings = |row: &[H256]| Move::Point {
        node: POINTED,
        hash: H256::repeat_byte(6),
        siblings: row.to_vec(),
    };
    let rows = [H256::repeat_byte(4)];
    assert_eq!(made(&setting), [siblings(&[]), siblings(&rows)]);
    assert_eq!(setting.model.moves.load(Ordering::SeqCst), 2);
    assert_eq!(process.metrics.moves.get(), 2);
}

#[tokio::test]
async fn a_claimant_shows_its_row() {
    let open = open_game(CHALLENGER, Side::Claimant, Some(POINTED));
    let setting = Setting::expecting([to_move(open)]);
    setting.start().step().await;
    let shown = Move::Show {
        node: POINTED,
        challengers: vec![CHALLENGER],
        row: Vec::new(),
    };
    assert_eq!(made(&setting), [shown]);
}

#[tokio::test]
async fn a_move_is_on_disk_before_it_is_sent_and_survives_a_kill() {
    let setting = Setting::expecting([to_move(pointing())]);
    setting.fate(Some(DutyOutcome::Dropped("the pool is full".into())));
    let mut process = setting.start();
    process.step().await;
    assert!(matches!(
        process.stage(DISPUTE),
        Some(JobStage::Executed(Product::Move(_)))
    ));
    drop(process);
    setting.fate(Some(DutyOutcome::Included { block: 1 }));
    setting.next_block();
    let mut process = setting.start();
    process.step().await;
    assert_eq!(setting.model.moves.load(Ordering::SeqCst), 1, "not again");
    assert_eq!(made(&setting).len(), 2);
    assert!(matches!(
        process.stage(DISPUTE),
        Some(JobStage::Done { .. })
    ));
}

#[tokio::test]
async fn a_move_of_another_chain_is_not_sent() {
    let setting = Setting::expecting([to_move(pointing())]);
    let process = setting.start();
    let stale = Product::Move(Box::new(Move::Point {
        node: POINTED,
        hash: H256::zero(),
        siblings: Vec::new(),
    }));
    process.leave(DISPUTE, H256::repeat_byte(7), JobStage::Executed(stale));
    drop(process);
    setting.start().step().await;
    assert_eq!(setting.model.moves.load(Ordering::SeqCst), 1);
    assert_ne!(
        made(&setting),
        [Move::Point {
            node: POINTED,
            hash: H256::zero(),
            siblings: Vec::new(),
        }]
    );
}

#[tokio::test]
async fn no_move_waits_for_answers() {
    let requests = (0..64).map(|request| asked(request, SEED));
    let setting = Setting::expecting(requests);
    setting.set(|model| &model.blocked, true);
    let mut process = setting.start();
    process.step().await;
    let answers = setting.model.answers.load(Ordering::SeqCst);
    assert!(answers < 64, "others wait for these");
    let requests = (0..64).map(|request| asked(request, SEED));
    setting.chain.expect(requests.chain([to_move(pointing())]));
    process.step().await;
    assert_eq!(setting.model.moves.load(Ordering::SeqCst), 1, "it began");
    assert_eq!(setting.model.answers.load(Ordering::SeqCst), answers);
}

#[tokio::test]
async fn a_leaf_that_cannot_be_read_yet_is_read_at_the_next_block() {
    let setting = Setting::expecting([to_move(pointing())]);
    let unread = LeafError::Unread("the node is busy".into());
    setting.leaves.send(Err(unread));
    let mut process = setting.start();
    process.step().await;
    assert!(made(&setting).is_empty());
    setting.leaves.send(Ok(session_leaf()));
    setting.next_block();
    process.step().await;
    assert_eq!(made(&setting).len(), 1);
}

#[test]
fn a_turn_stays_the_same_while_its_move_is_due() {
    let open = open_game(CHALLENGER, Side::Claimant, Some(POINTED));
    let mut more = open.clone();
    let mut later = more.lines[0].1;
    later.turn.since += 5;
    more.lines.push(([9; 32], later));
    assert_eq!(open.turn(), more.turn(), "the first is answered first");
    more.lines.remove(0);
    assert_ne!(open.turn(), more.turn());
    assert_ne!(pointing().turn(), going_on().turn());
}
