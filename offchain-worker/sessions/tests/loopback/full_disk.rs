//! Disks without room.

use crate::support::*;
use noema_session_transport::{
    ConnectionFault, LeastRoom, SessionError, SessionStoreError, WorkerRefusal,
};
use noema_sessions::PayerPhase;

/// No disk has that.
const NO_ANSWER: LeastRoom = LeastRoom {
    answers: u64::MAX,
    writes: 0,
};
const NOTHING: LeastRoom = LeastRoom {
    answers: u64::MAX,
    writes: u64::MAX,
};

fn is_full(error: &SessionError) -> bool {
    matches!(
        error,
        SessionError::Store(SessionStoreError::DiskFull { .. })
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_cannot_store_an_answer_begins_none_and_claims_what_it_earned() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    let pending = session.ask(vec![1], greedy(9)).await.expect("is sent");
    pending.finish().await.expect("is complete");
    for least in [NO_ANSWER, NOTHING] {
        worker.store.set_least_room(least);
        let refused = session.ask(vec![2], greedy(9)).await.expect("is sent");
        let error = refused.finish().await.expect_err("there is no room");
        let no_room = ConnectionFault::Refused(WorkerRefusal::NoRoom);
        assert!(matches!(&error, SessionError::Connection(fault) if *fault == no_room));
        assert!(!error.is_breach());
        assert_eq!(world.begun(), 1);
        if least == NO_ANSWER {
            // The voucher came with the ask, and was kept.
            worker.look(&world, 2);
        }
    }
    let paid = session.side().paid();
    worker.look(&world, 5_000);
    let claims = worker.look(&world, 9_000);
    let [claim] = claims[..] else {
        panic!("{claims:?}");
    };
    assert_eq!((claim.voucher.count, claim.voucher.amount), (1, paid));
    // What follows begins another bundle, as if the claim had been stored.
    worker.store.set_least_room(LeastRoom::default());
    let pending = session.ask(vec![2], greedy(9)).await.expect("is sent");
    let answer = pending.finish().await.expect("is complete");
    assert_eq!(answer.receipt.receipt.first, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_begun_ends_within_the_room_that_is_kept_for_it() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    world.set_slow(true);
    let mut session = world.open(&payer, &worker).await;
    let mut pending = session.ask(vec![1], greedy(30)).await.expect("is sent");
    pending.next().await.expect("comes").expect("tokens");
    worker.store.set_least_room(NO_ANSWER);
    payer.store.set_least_room(NO_ANSWER);
    pending.finish().await.expect("is complete");
    session.pay().await.expect("is taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_that_cannot_store_an_answer_asks_for_none() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    payer.store.set_least_room(NO_ANSWER);
    let Err(error) = session.ask(vec![1], greedy(9)).await else {
        panic!("there is no room");
    };
    assert!(is_full(&error), "{error}");
    assert!(error.to_string().contains("is full"), "{error}");
    assert!(matches!(session.side().phase(), PayerPhase::Idle));
    assert_eq!(world.begun(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_that_cannot_store_a_voucher_does_not_send_it() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    let pending = session.ask(vec![1], greedy(9)).await.expect("is sent");
    payer.store.set_least_room(NOTHING);
    let error = pending.finish().await.expect_err("there is no room");
    assert!(is_full(&error), "{error}");
    assert_eq!(session.voucher(), None);
    session.pay().await.expect("there is nothing to pay");
    worker.look(&world, 5_000);
    assert!(worker.look(&world, 9_000).is_empty());
    payer.store.set_least_room(LeastRoom::default());
    let resumed = session.resume().await.expect("is sent");
    let answer = resumed.expect("it is open").finish().await;
    assert_eq!(
        answer.expect("comes again").tokens,
        world.expected(0, &[1], 9)
    );
    assert_eq!(world.begun(), 1);
    session.pay().await.expect("is taken");
}
