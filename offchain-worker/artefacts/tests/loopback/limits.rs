//! Limits that the two sides of a transfer enforce.

use crate::support::{checkpoint, options, Node, LIMIT};
use noema_artefacts::{is_shared_from, Artefacts, Error, Options, PeerFault};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_limit_is_refused_before_it_is_sent() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    checkpoint(&holder.path("mine"), 7, 2_000_000);
    let directory = holder
        .artefacts
        .share_directory(holder.path("mine"))
        .await
        .expect("shared");
    let file = holder
        .artefacts
        .share(holder.path("mine/weights.tiles"))
        .await
        .expect("shared");
    let peers = [holder.peer()];
    let into = newcomer.path("theirs");
    let untouched = |_| panic!("something was sent");
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_directory(directory, 2_000_000, &peers, &into, untouched)
        .await;
    assert!(
        matches!(
            refused,
            Err(Error::TooLarge {
                limit: 2_000_000,
                ..
            })
        ),
        "{refused:?}"
    );
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_file(file, 1_999_999, &peers, &into, untouched)
        .await;
    let Err(Error::TooLarge { bytes, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(bytes, 2_000_000);
    newcomer
        .artefacts
        .fetcher()
        .fetch_file(file, 2_000_000, &peers, &into, |_| {})
        .await
        .expect("fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_already_there_is_left_alone() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    let hash = holder.share_file("update", 7, 1_000).await;
    let into = newcomer.path("theirs");
    fs::write(&into, b"something else").expect("a file");
    let peers = [holder.peer()];
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_file(hash, LIMIT, &peers, &into, |_| {})
        .await;
    assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
    assert_eq!(fs::read(&into).expect("a file"), b"something else");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_connections_are_served_than_allowed() {
    let none = Options {
        max_connections: 0,
        ..options()
    };
    let (holder, newcomer) = (Node::start_with(1, none).await, Node::start(2).await);
    let hash = holder.share_file("update", 7, 200_000).await;
    let into = newcomer.path("theirs");
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_file(hash, LIMIT, &[holder.peer()], &into, |_| {})
        .await;
    let Err(Error::NoHolder { asked, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(asked.0, [(holder.peer(), PeerFault::Busy)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_named() {
    let holder = Node::start(1).await;
    let same = Options {
        bind: holder.artefacts.addresses(),
        ..options()
    };
    let home = tempfile::tempdir().expect("a folder");
    let refused = Artefacts::open(home.path(), &[2; 32], same).await;
    assert!(matches!(refused, Err(Error::Bind { .. })), "{refused:?}");
    let opened = Artefacts::open(home.path(), &[2; 32], options()).await;
    opened.expect("the store is not in use any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_used_by_one_process_and_says_so() {
    let holder = Node::start(1).await;
    let path = holder.path("artefacts");
    let refused = Artefacts::open(&path, &[2; 32], options()).await;
    assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
    assert!(is_shared_from(&path).expect("read"));
    holder.artefacts.shutdown().await;
    assert!(!is_shared_from(&path).expect("read"));
    assert!(!is_shared_from(holder.home.path()).expect("read"));
}
