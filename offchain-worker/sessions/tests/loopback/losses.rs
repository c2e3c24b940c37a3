//! Peers that fall silent, and workers that come back as others.

use crate::support::*;
use noema_session_transport::{ConnectionFault, SessionError};
use std::sync::atomic::Ordering;
use std::sync::{mpsc, Arc};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_falls_silent_is_noticed_within_ten_seconds() {
    let world = Arc::new(World::new());
    world.set_slow(true);
    let (peer, known) = mpsc::channel();
    let (freeze, frozen) = tokio::sync::oneshot::channel::<()>();
    let (thaw, thawed) = mpsc::channel::<()>();
    let frozen_world = world.clone();
    let worker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let worker = frozen_world.worker().await;
            peer.send(worker.peer()).expect("the test waits");
            let _ = frozen.await;
            // Nothing of this worker runs any more, as if its machine had lost power.
            let _ = thawed.recv();
        });
    });
    let peer = known.recv().expect("the worker runs");
    let payer = world.payer().await;
    let mut session = world.open_at(&payer, &peer).await.expect("it opens");
    let mut pending = session.ask(vec![1], greedy(300)).await.expect("is sent");
    pending.next().await.expect("comes").expect("tokens");
    freeze.send(()).expect("the worker waits");
    let begun = Instant::now();
    let error = loop {
        match pending.next().await {
            Ok(tokens) => assert!(tokens.is_some(), "it was frozen"),
            Err(error) => break error,
        }
    };
    let time = begun.elapsed();
    let is_broken = matches!(error, SessionError::Connection(ConnectionFault::Broken(_)));
    assert!(is_broken, "{error}");
    assert!(time < Duration::from_secs(12), "{time:?}");
    drop(thaw);
    worker.join().expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_with_another_hot_key_and_endpoint_signs_what_is_unpaid_again() {
    let mut world = World::new();
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    let pending = session.ask(vec![1, 2], greedy(10)).await.expect("is sent");
    // The receipt is signed with the first key, and does not arrive.
    wait_until(|| world.model.computed.load(Ordering::SeqCst) == 10).await;
    drop(pending);
    drop(session);
    let raw = Raw::opened(&endpoint, &worker.peer()).await;
    let ask = crate::breaches::ask(0, &[1, 2], None);
    assert!(raw.say(&ask).await.is_some());
    worker.kill().await;
    world.hot_key = TestKey::new(21);
    world.endpoint = 22;
    let worker = world.worker().await;
    let mut session = world.open(&payer, &worker).await;
    let resumed = session.resume().await.expect("is sent");
    let answer = resumed.expect("it is open").finish().await;
    let tokens = answer.expect("is complete").tokens;
    assert_eq!(tokens, world.expected(0, &[1, 2], 10));
    session.pay().await.expect("is taken");
    let pending = session.ask(vec![3], greedy(5)).await.expect("is sent");
    pending.finish().await.expect("is complete");
    session.pay().await.expect("is taken");
    assert_eq!(world.begun(), 2);
    worker.look(&world, 5_000);
    let claims = worker.look(&world, 9_000);
    assert_eq!(claims[0].voucher.count, 2);
    assert_eq!(claims[0].voucher.amount, session.side().paid());
}
