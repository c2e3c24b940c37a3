//! Connections beyond the bounds.

use crate::support::*;
use iroh::endpoint::{ConnectionError, VarInt};
use noema_session_transport::{AcceptorLimits, ToWorker};
use noema_sessions::{Ended, Stage};
use std::time::Duration;
use tokio::time::timeout;

/// The code with which the worker closes a connection.
async fn code(raw: &Raw) -> VarInt {
    let closed = timeout(LONG, raw.connection.closed()).await;
    match closed.expect("it is closed in time") {
        ConnectionError::ApplicationClosed(closed) => closed.error_code,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_have_few_places_and_little_time() {
    let mut world = World::new();
    world.limits = AcceptorLimits {
        strangers: 3,
        strangers_of_network: 2,
        patience: Duration::from_secs(2),
        ..AcceptorLimits::default()
    };
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    let strangers = [
        Raw::connect(&endpoint, &worker.peer()).await,
        Raw::connect(&endpoint, &worker.peer()).await,
    ];
    let third = Raw::connect(&endpoint, &worker.peer()).await;
    assert_eq!(code(&third).await, VarInt::from_u32(1), "busy");
    // One that has proven itself goes on.
    let pending = session.ask(vec![1], greedy(3)).await.expect("is sent");
    assert_eq!(pending.finish().await.expect("is complete").tokens.len(), 3);
    for stranger in &strangers {
        assert_eq!(code(stranger).await, VarInt::from_u32(4), "silent");
    }
    Raw::opened(&endpoint, &worker.peer()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_open_on_few_connections() {
    let mut world = World::new();
    world.limits.connections_of_session = 2;
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let oldest = Raw::opened(&endpoint, &worker.peer()).await;
    let _second = Raw::opened(&endpoint, &worker.peer()).await;
    let third = Raw::opened(&endpoint, &worker.peer()).await;
    assert_eq!(code(&oldest).await, VarInt::from_u32(5), "replaced");
    let ask = crate::breaches::ask(0, &[1], None);
    assert!(third.say(&ask).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_outlives_its_session_for_a_while_only() {
    let mut world = World::new();
    world.limits.patience = Duration::from_millis(300);
    world.limits.unused = Duration::from_millis(600);
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let raw = Raw::opened(&endpoint, &worker.peer()).await;
    let open = timeout(Duration::from_secs(2), raw.connection.closed()).await;
    assert!(open.is_err(), "its session is served");
    world.facts.stage = Stage::Ended(Ended::Closed);
    worker.look(&world, 2);
    assert_eq!(code(&raw).await, VarInt::from_u32(6), "unused");
    let gone = raw.say(&ToWorker::End).await;
    assert_eq!(gone, None);
}
