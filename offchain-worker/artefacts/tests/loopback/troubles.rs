//! Holders that disappear, send wrong bytes or are unreachable, and interrupted fetches.

use crate::support::{assert_same, bytes, checkpoint, options, Liar, Node, LIMIT};
use noema_artefacts::{BlobHash, Error, FetchProgress, Options, Peer, PeerFault, PeerId};
use std::{
    fs::{self, File},
    net::{SocketAddr, UdpSocket},
    path::Path,
    process::Command,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc, Arc, Mutex,
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::block_in_place};

const LARGE: usize = 24_000_000;
/// Names to the process to be killed the artefact to fetch, and how much of it.
const VICTIM: &str = "NOEMA_ARTEFACTS_VICTIM";

/// Pauses a fetch once more than `bytes` have arrived. Returns its progress callback, a notification that it
/// is paused, and a guard: the fetch continues when the guard is dropped.
fn hold_after(
    bytes: u64,
) -> (
    impl Fn(FetchProgress) + Send + Sync + 'static,
    Arc<Notify>,
    mpsc::Sender<()>,
) {
    let (hold, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let held = Arc::new(Notify::new());
    let arrived = held.clone();
    let progress = move |progress: FetchProgress| {
        if progress.present > bytes {
            arrived.notify_one();
            let gate = gate.lock().expect("no test thread has panicked");
            let _dropped = block_in_place(|| gate.recv());
        }
    };
    (progress, held, hold)
}

/// Starts a fetch and drops it when a third of `LARGE` has arrived. Waits until its store is closed.
async fn interrupt(newcomer: &Node, holder: &Node, hash: BlobHash) {
    let (progress, held, hold) = hold_after(LARGE as u64 / 3);
    let peers = [holder.peer()];
    let fetch = newcomer.artefacts.fetcher().fetch_directory(
        hash,
        LIMIT,
        &peers,
        newcomer.path("theirs"),
        progress,
    );
    tokio::select! {
        fetched = fetch => panic!("{fetched:?} before it was interrupted"),
        () = held.notified() => {}
    }
    drop(hold);
    let lock = newcomer.path(".theirs.fetching").join("lock");
    let closed = async {
        while File::open(&lock).is_ok_and(|lock| lock.try_lock().is_err()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(60), closed).await;
    closed.expect("a fetch that was dropped closes its store");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_fetch_goes_on_where_it_was() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    checkpoint(&holder.path("mine"), 7, LARGE);
    let hash = holder
        .artefacts
        .share_directory(holder.path("mine"))
        .await
        .expect("shared");
    interrupt(&newcomer, &holder, hash).await;
    assert!(!newcomer.path("theirs").exists());

    let peers = [holder.peer()];
    let into = newcomer.path("theirs");
    let fetched = newcomer
        .artefacts
        .fetcher()
        .fetch_directory(hash, LIMIT, &peers, &into, |_| {})
        .await;
    let fetched = fetched.expect("fetched");
    assert!(fetched.bytes > LARGE as u64);
    let rest = LARGE as u64 - LARGE as u64 / 3;
    assert!(fetched.received < rest + 500_000, "{fetched:?}");
    assert!(fetched.received > 0);
    assert_same(&holder.path("mine"), &into);
}

/// Runs [`victim`] in a separate process until `arrived` bytes have arrived.
async fn kill(holder: &Node, hash: BlobHash, into: &Path, arrived: u64) {
    let peer = holder.peer();
    let told = format!(
        "{} {} {hash} {} {arrived}",
        peer.id,
        peer.addresses[0],
        into.display()
    );
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child
        .args(["--exact", "troubles::victim", "--ignored", "--nocapture"])
        .env(VICTIM, told);
    let ended = tokio::task::spawn_blocking(move || child.output());
    let ended = ended.await.expect("watched").expect("a process");
    assert_eq!(ended.status.code(), None, "it was not killed: {ended:?}");
    assert!(!into.exists());
}

/// Kills a fetch when each of these numbers of bytes has arrived, and then lets it complete. Returns the
/// number of bytes that the last fetch found on disk.
async fn kept_when_killed(arrived: &[u64]) -> u64 {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    checkpoint(&holder.path("mine"), 7, LARGE);
    let shared = holder.artefacts.share_directory(holder.path("mine")).await;
    let hash = shared.expect("shared");
    let into = newcomer.path("theirs");
    for arrived in arrived {
        kill(&holder, hash, &into, *arrived).await;
    }
    let peers = [holder.peer()];
    let fetcher = newcomer.artefacts.fetcher();
    let fetched = fetcher
        .fetch_directory(hash, LIMIT, &peers, &into, |_| {})
        .await;
    let fetched = fetched.expect("fetched");
    assert_same(&holder.path("mine"), &into);
    fetched.bytes - fetched.received
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_was_killed_goes_on_where_it_was() {
    for arrived in [1 << 20, LARGE as u64 / 3] {
        // Data not yet written to disk is lost.
        let kept = kept_when_killed(&[arrived]).await;
        assert!(kept > arrived / 4, "{kept} of {arrived}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_is_killed_again_and_again_ends() {
    const STEP: u64 = 6_000_000;
    let kept = kept_when_killed(&[STEP, 2 * STEP, 3 * STEP]).await;
    assert!(kept > 2 * STEP, "{kept}");
}

/// Run by [`kill`]. It ends without cleaning up, as with `kill -9`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the tests that kill it"]
async fn victim() {
    let told = std::env::var(VICTIM).expect("the tests above set it");
    let parts: Vec<_> = told.split(' ').collect();
    let [id, address, hash, into, arrived] = parts[..] else {
        panic!("{told}");
    };
    let address: SocketAddr = address.parse().expect("an address");
    let peer = Peer::new(id.parse().expect("an id"), [address]);
    let enough: u64 = arrived.parse().expect("a number");
    let node = Node::start(9).await;
    let hash = hash.parse().expect("a hash");
    let progress = move |progress: FetchProgress| {
        if progress.present > enough {
            std::process::abort();
        }
    };
    let fetcher = node.artefacts.fetcher();
    let fetched = fetcher
        .fetch_directory(hash, LIMIT, &[peer], into, progress)
        .await;
    fetched.expect("fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_was_cut_off_begins_anew() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    checkpoint(&holder.path("mine"), 7, LARGE);
    let hash = holder
        .artefacts
        .share_directory(holder.path("mine"))
        .await
        .expect("shared");
    interrupt(&newcomer, &holder, hash).await;
    let staged = newcomer.path(".theirs.fetching").join(hash.to_string());
    fs::create_dir(staged.join("out")).expect("a folder");
    let into = newcomer.path("theirs");
    let peers = [holder.peer()];
    let fetcher = newcomer.artefacts.fetcher();
    let fetched = fetcher
        .fetch_directory(hash, LIMIT, &peers, &into, |_| {})
        .await;
    let fetched = fetched.expect("fetched");
    assert_eq!(fetched.received, fetched.bytes);
    assert_same(&holder.path("mine"), &into);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_passes_to_the_next_holder() {
    let (first, second) = (Node::start(1).await, Node::start(2).await);
    let newcomer = Node::start(3).await;
    for holder in [&first, &second] {
        checkpoint(&holder.path("mine"), 7, LARGE);
    }
    let hash = first
        .artefacts
        .share_directory(first.path("mine"))
        .await
        .expect("shared");
    second
        .artefacts
        .share_directory(second.path("mine"))
        .await
        .expect("shared");
    interrupt(&newcomer, &first, hash).await;
    let peers = [first.peer(), second.peer()];
    first.artefacts.shutdown().await;

    let into = newcomer.path("theirs");
    let fetched = newcomer
        .artefacts
        .fetcher()
        .fetch_directory(hash, LIMIT, &peers, &into, |_| {})
        .await;
    let fetched = fetched.expect("fetched");
    assert_eq!(fetched.from, [second.artefacts.peer()]);
    assert!(
        fetched.received < LARGE as u64 - LARGE as u64 / 3 + 500_000,
        "{fetched:?}"
    );
    assert_same(&second.path("mine"), &into);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_away_do_not_keep_the_others_waiting() {
    const AWAY: u8 = 8;
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    let hash = holder.share_file("update", 7, 200_000).await;
    // The listener at that address never answers.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let away = |number| {
        let address = silent.local_addr().expect("is bound");
        Peer::new(PeerId::of_secret(&[number; 32]), [address])
    };
    let mut peers: Vec<_> = (100..100 + AWAY).map(away).collect();
    peers.push(holder.peer());
    let into = newcomer.path("theirs");
    let begun = Instant::now();
    let fetcher = newcomer.artefacts.fetcher();
    let fetched = fetcher.fetch_file(hash, LIMIT, &peers, &into, |_| {}).await;
    assert_eq!(fetched.expect("fetched").from, [holder.artefacts.peer()]);
    let in_turn = options().patience * u32::from(AWAY);
    assert!(begun.elapsed() < in_turn / 2, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bytes_are_refused_and_named() {
    let (holder, newcomer, liar) = (
        Node::start(1).await,
        Node::start(2).await,
        Liar::start(3).await,
    );
    let hash = holder.share_file("update", 7, 200_000).await;
    let into = newcomer.path("theirs");
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_file(hash, LIMIT, &[liar.peer()], &into, |_| {})
        .await;
    let Err(Error::Corrupt { asked, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(asked.0, [(liar.peer(), PeerFault::Corrupt)]);
    assert!(!into.exists());
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_directory(hash, LIMIT, &[liar.peer()], &into, |_| {})
        .await;
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");

    let peers = [liar.peer(), holder.peer()];
    let fetched = newcomer
        .artefacts
        .fetcher()
        .fetch_file(hash, LIMIT, &peers, &into, |_| {})
        .await;
    assert_eq!(fetched.expect("fetched").from, [holder.artefacts.peer()]);
    assert!(fs::read(&into).expect("a file") == bytes(7, 200_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_after_it_was_shared_does_not_arrive() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    let hash = holder.share_file("update", 7, 2_000_000).await;
    let mut changed = bytes(7, 2_000_000);
    changed[1_500_000] ^= 1;
    fs::write(holder.path("update"), changed).expect("a file");
    let into = newcomer.path("theirs");
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_file(hash, LIMIT, &[holder.peer()], &into, |_| {})
        .await;
    assert!(
        matches!(refused, Err(Error::NoHolder { .. } | Error::Corrupt { .. })),
        "{refused:?}"
    );
    assert!(!into.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_holder_it_is_said_who_was_asked() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    let hash = holder.share_file("update", 7, 200_000).await;
    let named = Peer {
        names: vec!["5Grw".to_owned(), "5FHn".to_owned()],
        ..holder.peer()
    };
    let peers = [named];
    let into = newcomer.path("theirs");
    let no_holder = newcomer
        .artefacts
        .fetcher()
        .fetch_file(hash, LIMIT, &[], &into, |_| {})
        .await;
    assert!(
        matches!(no_holder, Err(Error::NoHolder { .. })),
        "{no_holder:?}"
    );

    holder.artefacts.shutdown().await;
    let gone = newcomer
        .artefacts
        .fetcher()
        .fetch_file(hash, LIMIT, &peers, &into, |_| {})
        .await;
    let Err(error @ Error::NotConnected { .. }) = gone else {
        panic!("{gone:?}");
    };
    let told = error.to_string();
    let [id, address] = [peers[0].id.to_string(), peers[0].addresses[0].to_string()];
    let who = format!("5Grw, 5FHn (peer {id} at {address}) not reached");
    assert!(
        told.contains(&hash.to_string()) && told.contains(&who),
        "{told}"
    );
    assert!(!into.exists() && !newcomer.path(".theirs.fetching").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_the_only_holder_in_the_middle_is_said() {
    let newcomer = Node::start(2).await;
    let holder = Node::start(1).await;
    checkpoint(&holder.path("mine"), 7, LARGE);
    let hash = holder
        .artefacts
        .share_directory(holder.path("mine"))
        .await
        .expect("shared");
    let peers = [holder.peer()];
    let (progress, held, hold) = hold_after(0);
    let fetch = newcomer.artefacts.fetcher().fetch_directory(
        hash,
        LIMIT,
        &peers,
        newcomer.path("theirs"),
        progress,
    );
    let leave = async {
        held.notified().await;
        holder.artefacts.shutdown().await;
        drop(hold);
    };
    let (fetched, ()) = tokio::join!(fetch, leave);
    assert!(
        matches!(
            fetched,
            Err(Error::NoHolder { .. } | Error::NotConnected { .. })
        ),
        "{fetched:?}"
    );
    assert!(!newcomer.path("theirs").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_at_the_address_is_refused() {
    let (holder, newcomer) = (Node::start(1).await, Node::start(2).await);
    let hash = holder.share_file("update", 7, 200_000).await;
    let impostor = Peer {
        id: Node::start(3).await.artefacts.peer(),
        ..holder.peer()
    };
    let no_key = Peer {
        id: PeerId([0xff; 32]),
        ..holder.peer()
    };
    let into = newcomer.path("theirs");
    let refused = newcomer
        .artefacts
        .fetcher()
        .fetch_file(hash, LIMIT, &[impostor, no_key], &into, |_| {})
        .await;
    assert!(
        matches!(refused, Err(Error::NotConnected { .. })),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_holder_is_left() {
    let impatient = Options {
        patience: Duration::from_secs(4),
        least_bytes: u64::MAX,
        ..options()
    };
    let longer = impatient.patience + Duration::from_millis(500);
    let (holder, newcomer) = (Node::start(1).await, Node::start_with(2, impatient).await);
    let hash = holder.share_file("update", 7, LARGE).await;
    let into = newcomer.path("theirs");
    // No holder sends as much as required while each third takes so long, so each round ends early; still,
    // each transfers some bytes.
    let next = AtomicU64::new(0);
    let progress = move |progress: FetchProgress| {
        if progress.present > next.load(Ordering::Relaxed) {
            next.store(progress.present + LARGE as u64 / 3, Ordering::Relaxed);
            block_in_place(|| std::thread::sleep(longer));
        }
    };
    let fetched = newcomer
        .artefacts
        .fetcher()
        .fetch_file(hash, LIMIT, &[holder.peer()], &into, progress)
        .await;
    assert_eq!(fetched.expect("fetched").bytes, LARGE as u64);
}
