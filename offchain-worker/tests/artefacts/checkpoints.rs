//! Checkpoints between operators: a fetched folder is the checkpoint, or is not kept.

use crate::support::{endpoint, Machine};
use futures::FutureExt;
use noema_artefacts::BlobHash;
use noema_checkpoint::{
    blake2_256, tiles_root, CheckpointId, Manifest, Source, SourceFormat, FORMAT, H256,
    TEXT_LAYER_VERSION,
};
use noema_model::checkpoint::{
    Library, OpenCheckpoint, CHAT_TEMPLATE, MANIFEST, TOKENIZER, WEIGHTS,
};
use noema_numerics::{layout, testing::TestModel, NUMERICS_VERSION};
use noema_worker::artefacts::{self, FetchError, Holder};
use std::{
    fs,
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

impl Machine {
    fn library(&self) -> Library {
        Library::new(self.home.path())
    }

    fn holder(&self, blob: BlobHash) -> Holder {
        let peer = self.peer();
        Holder { blob, peer }
    }

    async fn fetch(
        &self,
        id: CheckpointId,
        bytes: u64,
        holders: &[Holder],
    ) -> Result<OpenCheckpoint, FetchError> {
        let fetcher = self.artefacts.fetcher();
        artefacts::fetch(fetcher, &self.library(), id, bytes, holders, |_| {}).await
    }

    /// The contents of the library, including hidden folders.
    fn kept(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.library().root()).into_iter().flatten();
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }
}

/// Writes a small checkpoint to `folder`.
fn write(folder: &Path, template: &str) -> OpenCheckpoint {
    write_changed(folder, template, |_| ());
    OpenCheckpoint::open(folder).expect("a checkpoint")
}

/// Writes a small checkpoint whose manifest is changed; returns its id.
fn write_changed(
    folder: &Path,
    template: &str,
    change: impl FnOnce(&mut Manifest),
) -> CheckpointId {
    let model = TestModel::tiny(11);
    let tokenizer = b"{}";
    let mut manifest = Manifest {
        format: FORMAT,
        numerics: NUMERICS_VERSION,
        text_layer: TEXT_LAYER_VERSION,
        name: "tiny".into(),
        licence: String::new(),
        architecture: model.architecture,
        exponents: model.exponents,
        weights_root: tiles_root(&model.weights),
        weights_bytes: layout::weights_bytes(&model.architecture).expect("a valid architecture"),
        tokenizer_hash: blake2_256(tokenizer),
        chat_template_hash: blake2_256(template.as_bytes()),
        frame: None,
        tokens_per_byte: 1,
        template_tokens: 0,
        bos: None,
        eos: None,
        stops: vec![1],
        source: Source {
            format: SourceFormat::Gguf,
            hash: H256::zero(),
        },
    };
    change(&mut manifest);
    let id = manifest.id();
    let manifest = serde_json::to_vec(&manifest).expect("JSON");
    fs::create_dir_all(folder).expect("the test's folder can be written");
    let files: [(&str, &[u8]); 3] = [
        (MANIFEST, &manifest),
        (TOKENIZER, tokenizer),
        (WEIGHTS, &model.weights),
    ];
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).expect("the test's folder can be written");
    }
    if !template.is_empty() {
        fs::write(folder.join(CHAT_TEMPLATE), template).expect("the test's folder can be written");
    }
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_arrives_verified_and_has_the_same_hash_there() {
    for template in ["", "{{ messages[0].content }}"] {
        let (holder, newcomer) = (Machine::start().await, Machine::start().await);
        let checkpoint = write(&holder.home.path().join("mine"), template);
        // A private file in the folder must not be shared.
        fs::write(checkpoint.directory().join("notes.txt"), "private").expect("written");
        let blob = artefacts::share(&holder.artefacts, &checkpoint)
            .await
            .expect("shared");
        assert_eq!(artefacts::hash(&checkpoint).expect("read"), blob);
        let bytes = checkpoint.manifest().weights_bytes;
        let holders = [holder.holder(blob)];
        let fetched = newcomer
            .fetch(checkpoint.id(), bytes, &holders)
            .await
            .expect("fetched");
        assert_eq!(fetched.id(), checkpoint.id());
        assert_eq!(
            fetched.directory(),
            newcomer.library().path(checkpoint.id())
        );
        assert_eq!(newcomer.kept(), [fetched.directory()]);
        assert!(!fetched.directory().join("notes.txt").exists());
        fetched.verify(&|_| ()).expect("whole");
        let again = artefacts::share(&newcomer.artefacts, &fetched)
            .await
            .expect("shared");
        assert_eq!(again, blob);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_checkpoint_is_not_kept() {
    let (liar, holder, newcomer) = (
        Machine::start().await,
        Machine::start().await,
        Machine::start().await,
    );
    let checkpoint = write(&holder.home.path().join("mine"), "");
    let (id, bytes) = (checkpoint.id(), checkpoint.manifest().weights_bytes);
    let good = artefacts::share(&holder.artefacts, &checkpoint)
        .await
        .expect("shared");

    let other = write(&liar.home.path().join("other"), "another template");
    let tampered = liar.home.path().join("tampered");
    write(&tampered, "");
    let mut weights = fs::read(tampered.join(WEIGHTS)).expect("weights");
    weights[7] ^= 1;
    fs::write(tampered.join(WEIGHTS), weights).expect("weights");
    let extended = liar.home.path().join("extended");
    write(&extended, "");
    fs::write(extended.join("run.sh"), "rm -rf /").expect("written");
    let no_checkpoint = liar.home.path().join("nothing");
    fs::create_dir(&no_checkpoint).expect("a folder");
    fs::write(no_checkpoint.join("x"), "x").expect("written");

    let mut wrong = Vec::new();
    for folder in [other.directory(), &tampered, &extended, &no_checkpoint] {
        let blob = liar
            .artefacts
            .share_directory(folder)
            .await
            .expect("shared");
        assert_ne!(blob, good);
        wrong.push(liar.holder(blob));
    }
    let refused = newcomer.fetch(id, bytes, &wrong).await;
    let Err(FetchError::Unavailable { reasons, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(reasons.len(), wrong.len());
    assert!(newcomer.kept().is_empty(), "{:?}", newcomer.kept());

    wrong.push(holder.holder(good));
    newcomer.fetch(id, bytes, &wrong).await.expect("fetched");
}

/// Whether a fetch ended because the checkpoint needs another release, with these words.
fn needs_other_release(fetched: &Result<OpenCheckpoint, FetchError>, words: &str) -> bool {
    match fetched {
        Err(error @ FetchError::OtherRelease { .. }) => error.to_string().contains(words),
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_release_is_fetched_once() {
    let (holder, newcomer) = (Machine::start().await, Machine::start().await);
    let folder = holder.home.path().join("later");
    let id = write_changed(&folder, "", |manifest| manifest.text_layer += 1);
    let shared = holder.artefacts.share_directory(&folder).await;
    let holders = [holder.holder(shared.expect("shared"))];
    let fetched = newcomer.fetch(id, 0, &holders).await;
    let words = format!("checkpoint {id} needs another release");
    assert!(needs_other_release(&fetched, &words), "{fetched:?}");
    assert!(needs_other_release(&fetched, "of the text layer"));

    holder.artefacts.shutdown().await;
    let again = newcomer.fetch(id, 0, &holders).await;
    assert!(needs_other_release(&again, &words), "{again:?}");
    let kept = newcomer.kept();
    fs::rename(&kept[0], newcomer.library().path(id)).expect("renamed");
    let here = newcomer.fetch(id, 0, &holders).await;
    assert!(needs_other_release(&here, &words), "{here:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_states_another_format_keeps_none_from_the_checkpoint() {
    let (liar, holder, newcomer) = (
        Machine::start().await,
        Machine::start().await,
        Machine::start().await,
    );
    let folder = liar.home.path().join("later");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join(MANIFEST), r#"{ "format": 99 }"#).expect("written");
    let shared = liar.artefacts.share_directory(&folder).await;
    let mut holders = vec![liar.holder(shared.expect("shared"))];
    let checkpoint = write(&holder.home.path().join("mine"), "");
    let (id, bytes) = (checkpoint.id(), checkpoint.manifest().weights_bytes);
    let refused = newcomer.fetch(id, bytes, &holders).await;
    assert!(needs_other_release(&refused, "format 99"), "{refused:?}");
    assert!(newcomer.kept().is_empty(), "{:?}", newcomer.kept());

    let shared = artefacts::share(&holder.artefacts, &checkpoint).await;
    holders.push(holder.holder(shared.expect("shared")));
    newcomer.fetch(id, bytes, &holders).await.expect("fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_the_only_holder_is_said() {
    let (holder, newcomer) = (Machine::start().await, Machine::start().await);
    let checkpoint = write(&holder.home.path().join("mine"), "");
    let (id, bytes) = (checkpoint.id(), checkpoint.manifest().weights_bytes);
    let blob = artefacts::share(&holder.artefacts, &checkpoint)
        .await
        .expect("shared");
    let mut gone = holder.holder(blob);
    // Two operators of one machine.
    gone.peer.names.push("5Grw".to_owned());
    let mut other = gone.clone();
    other.peer.names = vec!["5FHn".to_owned()];
    let holders = [gone, other];
    let (peer, address) = (holder.artefacts.peer(), holder.artefacts.addresses()[0]);
    holder.artefacts.shutdown().await;
    let error = newcomer
        .fetch(id, bytes, &holders)
        .await
        .expect_err("no peer answers");
    let told = error.to_string();
    assert!(
        told.contains(&id.to_string())
            && told.contains(&format!(
                "5Grw, 5FHn (peer {peer} at {address}) not reached"
            )),
        "{told}"
    );
    let no_holder = newcomer.fetch(id, bytes, &[]).await;
    assert!(
        matches!(no_holder, Err(FetchError::NoHolder(_))),
        "{no_holder:?}"
    );
}

/// Binds an address of an endpoint that was shut down: the last of the tasks that hold its socket ends a
/// moment later.
async fn take(address: SocketAddr) -> UdpSocket {
    let free = async {
        loop {
            match UdpSocket::bind(address) {
                Ok(socket) => return socket,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    let free = tokio::time::timeout(Duration::from_secs(60), free).await;
    free.expect("an endpoint that was shut down frees its port")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_keeps_its_key_and_port() {
    let Machine { home, artefacts } = Machine::start().await;
    let (peer, addresses) = (artefacts.peer(), artefacts.addresses());
    artefacts.shutdown().await;
    drop(take(addresses[0]).await);
    let artefacts = endpoint(home.path()).await;
    assert_eq!((artefacts.peer(), artefacts.addresses()), (peer, addresses));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_whose_port_is_taken_moves_to_another() {
    let Machine { home, artefacts } = Machine::start().await;
    let (peer, addresses) = (artefacts.peer(), artefacts.addresses());
    artefacts.shutdown().await;
    let _other = take(addresses[0]).await;
    let artefacts = endpoint(home.path()).await;
    assert_eq!(artefacts.peer(), peer);
    assert_ne!(artefacts.addresses(), addresses);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_silent_only_while_no_process_shares_over_it() {
    let Machine { home, artefacts } = Machine::start().await;
    let peer = artefacts.peer();
    let folder = home.path().join("artefacts");
    assert_eq!(artefacts::silent(&folder).expect("read"), None);
    artefacts.shutdown().await;
    assert_eq!(artefacts::silent(&folder).expect("read"), Some(peer));
    let never = home.path().join("never");
    assert_eq!(artefacts::silent(&never).expect("read"), None);
    assert!(!never.exists());
}

/// A machine that shares a checkpoint, and another that will fetch it.
async fn holder_and_newcomer() -> (Machine, Machine, OpenCheckpoint, Holder) {
    let (holder, newcomer) = (Machine::start().await, Machine::start().await);
    let checkpoint = write(&holder.home.path().join("mine"), "");
    let shared = artefacts::share(&holder.artefacts, &checkpoint).await;
    let listed = holder.holder(shared.expect("shared"));
    (holder, newcomer, checkpoint, listed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_notices_that_a_holder_has_moved() {
    let (_holder, newcomer, checkpoint, listed) = holder_and_newcomer().await;
    // The listener at the holder's address never answers.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let mut before = listed.clone();
    before.peer.addresses = vec![silent.local_addr().expect("is bound")];
    let looks = AtomicU32::new(0);
    let look = || {
        let now = match looks.fetch_add(1, Ordering::Relaxed) {
            0 => before.clone(),
            _ => listed.clone(),
        };
        async move { Ok(vec![now]) }.boxed()
    };
    let library = newcomer.library();
    let (id, bytes) = (checkpoint.id(), checkpoint.manifest().weights_bytes);
    let (once, unending) = (Duration::ZERO, std::future::pending());
    let fetched = artefacts::fetch_from(look, &library, id, bytes, |_| (), once, unending).await;
    assert_eq!(fetched.expect("fetched").id(), id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_is_given_up_ends() {
    let (_holder, newcomer, checkpoint, listed) = holder_and_newcomer().await;
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let mut away = listed;
    away.peer.addresses = vec![silent.local_addr().expect("is bound")];
    let look = || {
        let away = away.clone();
        async move { Ok(vec![away]) }.boxed()
    };
    let library = newcomer.library();
    let stop = tokio::time::sleep(Duration::from_millis(100));
    let (id, wait) = (checkpoint.id(), Duration::from_secs(60));
    let ended = artefacts::fetch_from(look, &library, id, 0, |_| (), wait, stop).await;
    assert!(matches!(ended, Err(FetchError::Interrupted)), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_before_a_kill_is_checked_and_not_fetched_again() {
    let (holder, newcomer, checkpoint, listed) = holder_and_newcomer().await;
    let (id, bytes) = (checkpoint.id(), checkpoint.manifest().weights_bytes);
    holder.artefacts.shutdown().await;
    let root = newcomer.library().root().to_owned();
    let arriving = root.join(format!(".arriving-{}", hex::encode(id.0)));
    write(&arriving, "another template");
    let refused = newcomer
        .fetch(id, bytes, std::slice::from_ref(&listed))
        .await;
    refused.expect_err("the fetched files are another checkpoint, and no holder has the right one");
    assert!(newcomer.kept().is_empty(), "{:?}", newcomer.kept());

    write(&arriving, "");
    let fetched = newcomer.fetch(id, bytes, &[listed]).await;
    assert_eq!(fetched.expect("it is here").id(), id);
    assert_eq!(newcomer.kept(), [newcomer.library().path(id)]);
}
