//! Shared artefacts can be fetched.

use crate::support::{assert_same, bytes, checkpoint, open, options, write, Node, LIMIT};
use noema_artefacts::{hash_file, hash_files, Error, PeerFault};
use std::{
    fs,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_arrives_whole_and_clears_up_after_itself() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    for (seed, length) in [(1, 5_000_000), (2, 100), (3, 0)] {
        let file = holder.path("update");
        write(&file, seed, length);
        let hash = holder.artefacts.share(&file).await.expect("shared");
        assert_eq!(hash_file(&file).expect("read"), hash);
        let into = newcomer.path(&format!("fetched-{seed}"));
        let seen = Arc::new(AtomicU64::new(0));
        let told = seen.clone();
        let fetched = newcomer
            .artefacts
            .fetcher()
            .fetch_file(hash, LIMIT, &[holder.peer()], &into, move |progress| {
                told.store(progress.present, Ordering::Relaxed);
                assert_eq!(progress.total, length as u64);
            })
            .await
            .expect("fetched");
        assert_eq!(fetched.bytes, length as u64);
        assert_eq!(fetched.received, length as u64);
        assert_eq!(seen.load(Ordering::Relaxed), length as u64);
        assert!(fs::read(&into).expect("a file") == bytes(seed, length));
        assert!(!newcomer.path(&format!(".fetched-{seed}.fetching")).exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_has_one_hash_on_every_machine() {
    let (first, second, third) = (
        Node::start(1).await,
        Node::start(2).await,
        Node::start(3).await,
    );
    checkpoint(&first.path("mine"), 7, 3_000_000);
    let hash = first
        .artefacts
        .share_directory(first.path("mine"))
        .await
        .expect("shared");
    let into = second.path("theirs");
    let peers = [first.peer()];
    let fetched = second
        .artefacts
        .fetcher()
        .fetch_directory(hash, LIMIT, &peers, &into, |_| {})
        .await;
    assert_eq!(fetched.expect("fetched").from, [first.artefacts.peer()]);
    assert_same(&first.path("mine"), &into);
    let names = ["weights.tiles", "tokenizer.json", "manifest.bin"];
    assert_eq!(hash_files(&into, names).expect("read"), hash);

    assert_eq!(
        second
            .artefacts
            .share_directory(&into)
            .await
            .expect("shared"),
        hash
    );
    first.artefacts.shutdown().await;
    let peers = [second.peer()];
    let again = third.path("again");
    third
        .artefacts
        .fetcher()
        .fetch_directory(hash, LIMIT, &peers, &again, |_| {})
        .await
        .expect("fetched");
    assert_same(&into, &again);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_are_shared_at_once_and_each_is_served() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    let none = holder.artefacts.share_each([] as [&str; 0]).await;
    assert_eq!(none.expect("nothing to share"), []);
    let files: Vec<_> = (0..300)
        .map(|i| holder.path(&format!("shard-{i}")))
        .collect();
    for (seed, file) in (1..).zip(&files) {
        // Some files are so small that they are copied.
        write(file, seed, 100 * seed as usize);
    }
    let shared = holder.artefacts.share_each(&files).await.expect("shared");
    for (file, hash) in files.iter().zip(&shared) {
        assert_eq!(hash_file(file).expect("read"), *hash);
        assert!(holder.artefacts.is_shared(*hash));
        assert!(!newcomer.artefacts.is_shared(*hash));
    }
    for place in [0, 299] {
        let into = newcomer.path(&format!("fetched-{place}"));
        let fetcher = newcomer.artefacts.fetcher();
        let fetched = fetcher
            .fetch_file(shared[place], LIMIT, &[holder.peer()], &into, |_| {})
            .await;
        fetched.expect("fetched");
        assert!(fs::read(&into).expect("a file") == fs::read(&files[place]).expect("a file"));
    }
    // The files before a missing one are not offered.
    write(&holder.path("new"), 1_000, 30_000);
    let missing = [holder.path("new"), holder.path("absent")];
    let refused = holder.artefacts.share_each(&missing).await;
    assert!(matches!(refused, Err(Error::Io { .. })), "{refused:?}");
    let new = hash_file(&missing[0]).expect("read");
    assert!(!holder.artefacts.is_shared(new));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_not_stored_twice() {
    let node = Node::start(1).await;
    write(&node.path("large"), 1, 8_000_000);
    node.artefacts
        .share(node.path("large"))
        .await
        .expect("shared");
    let data = node.path("artefacts").join("data");
    let stored: u64 = fs::read_dir(data)
        .expect("the store's folder")
        .map(|entry| {
            entry
                .and_then(|entry| entry.metadata())
                .expect("a file")
                .len()
        })
        .sum();
    assert!(stored < 100_000, "{stored} bytes beside a file of 8 MB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_key_and_what_is_shared() {
    let newcomer = Node::start(2).await;
    let Node { artefacts, home } = Node::start(1).await;
    checkpoint(&home.path().join("mine"), 7, 300_000);
    let kept = artefacts
        .share_directory(home.path().join("mine"))
        .await
        .expect("shared");
    let file = home.path().join("mine/weights.tiles");
    let dropped = artefacts.share(&file).await.expect("shared");
    assert!(artefacts.unshare(dropped).await.expect("unshared"));
    let id = artefacts.peer();
    artefacts.shutdown().await;

    let artefacts = open(home.path(), 1, options()).await;
    assert_eq!(artefacts.peer(), id);
    assert_eq!(artefacts.shared(), [kept]);
    let peers = [Node { artefacts, home }];
    let into = newcomer.path("theirs");
    let holders: Vec<_> = peers.iter().map(Node::peer).collect();
    newcomer
        .artefacts
        .fetcher()
        .fetch_directory(kept, LIMIT, &holders, &into, |_| {})
        .await
        .expect("fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_shared_is_served() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    checkpoint(&holder.path("mine"), 7, 300_000);
    let directory = holder
        .artefacts
        .share_directory(holder.path("mine"))
        .await
        .expect("shared");
    let part = newcomer
        .artefacts
        .share(holder.path("mine/weights.tiles"))
        .await
        .expect("shared");
    let into = newcomer.path("theirs");
    let peers = [holder.peer()];
    // The holder has the file in a directory that it shares, but never offered it by itself.
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_file(part, LIMIT, &peers, &into, |_| {})
        .await;
    let Err(Error::NoHolder { hash, asked }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (hash, asked.0),
        (part, vec![(holder.peer(), PeerFault::NotShared)])
    );

    let file = holder.path("mine/weights.tiles");
    let whole = holder.artefacts.share(file).await.expect("shared");
    let fetcher = newcomer.artefacts.fetcher();
    let refused = fetcher
        .fetch_directory(whole, LIMIT, &peers, &into, |_| {})
        .await;
    let Err(Error::NoHolder { asked, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(asked.0, [(holder.peer(), PeerFault::NotADirectory)]);

    assert!(holder.artefacts.unshare(directory).await.expect("unshared"));
    assert!(!holder
        .artefacts
        .unshare(directory)
        .await
        .expect("unshared before"));
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_directory(directory, LIMIT, &peers, &into, |_| {})
        .await;
    assert!(
        matches!(refused, Err(Error::NoHolder { .. })),
        "{refused:?}"
    );
    assert!(!into.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plain_folder_is_not_shared() {
    let node = Node::start(1).await;
    fs::create_dir_all(node.path("nested/inner")).expect("a folder");
    fs::create_dir(node.path("empty")).expect("a folder");
    for name in ["nested", "empty"] {
        let refused = node.artefacts.share_directory(node.path(name)).await;
        assert!(
            matches!(refused, Err(Error::NotShareable { .. })),
            "{refused:?}"
        );
    }
    let absent = node.artefacts.share(node.path("absent")).await;
    assert!(matches!(absent, Err(Error::Io { .. })), "{absent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_fetches_to_one_place_do_not_disturb_each_other() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    checkpoint(&holder.path("mine"), 7, 3_000_000);
    let shared = holder.artefacts.share_directory(holder.path("mine")).await;
    let hash = shared.expect("shared");
    let (peers, into) = ([holder.peer()], newcomer.path("theirs"));
    let fetcher = newcomer.artefacts.fetcher();
    let (left, right) = tokio::join!(
        fetcher.fetch_directory(hash, LIMIT, &peers, &into, |_| {}),
        fetcher.fetch_directory(hash, LIMIT, &peers, &into, |_| {}),
    );
    let (fetched, refused) = if left.is_ok() {
        (left, right)
    } else {
        (right, left)
    };
    fetched.expect("one of them fetched it");
    assert!(
        matches!(refused, Err(Error::Exists { .. } | Error::Busy { .. })),
        "{refused:?}"
    );
    assert_same(&holder.path("mine"), &into);
}
