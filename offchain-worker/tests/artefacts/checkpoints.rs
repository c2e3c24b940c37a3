//! Checkpoints between operators: what is fetched is the checkpoint, or is not kept.

use crate::support::{endpoint, Machine};
use noema_artefacts::BlobHash;
use noema_checkpoint::{
    blake2_256, tiles_root, CheckpointId, Manifest, Source, SourceFormat, FORMAT, H256,
};
use noema_numerics::{layout, testing::TestModel, NUMERICS_VERSION};
use noema_worker::{
    artefacts::{self, FetchError, Holder},
    checkpoint::{Library, OpenCheckpoint, CHAT_TEMPLATE, MANIFEST, TOKENIZER, WEIGHTS},
};
use std::{
    fs,
    path::{Path, PathBuf},
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

    /// What is in the library, hidden folders too.
    fn kept(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.library().root()).into_iter().flatten();
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }
}

/// Writes a small checkpoint to `folder`.
fn write(folder: &Path, template: &str) -> OpenCheckpoint {
    let model = TestModel::tiny(11);
    let tokenizer = b"{}";
    let manifest = Manifest {
        format: FORMAT,
        numerics: NUMERICS_VERSION,
        name: "tiny".into(),
        licence: String::new(),
        architecture: model.architecture,
        exponents: model.exponents,
        weights_root: tiles_root(&model.weights),
        weights_bytes: layout::weights_bytes(&model.architecture).expect("a valid architecture"),
        tokenizer_hash: blake2_256(tokenizer),
        chat_template_hash: blake2_256(template.as_bytes()),
        bos: None,
        stops: vec![1],
        source: Source {
            format: SourceFormat::Gguf,
            hash: H256::zero(),
        },
    };
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
    OpenCheckpoint::open(folder).expect("a checkpoint")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_should_arrive_verified_and_have_the_same_hash_there() {
    for template in ["", "{{ messages[0].content }}"] {
        let (holder, newcomer) = (Machine::start().await, Machine::start().await);
        let checkpoint = write(&holder.home.path().join("mine"), template);
        // A private file in the folder is not for others.
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
async fn what_is_not_the_checkpoint_should_not_be_kept() {
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
    let Err(FetchError::NotToBeHad { reasons, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(reasons.len(), wrong.len());
    assert!(newcomer.kept().is_empty(), "{:?}", newcomer.kept());

    wrong.push(holder.holder(good));
    newcomer.fetch(id, bytes, &wrong).await.expect("fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_the_only_holder_should_be_said() {
    let (holder, newcomer) = (Machine::start().await, Machine::start().await);
    let checkpoint = write(&holder.home.path().join("mine"), "");
    let (id, bytes) = (checkpoint.id(), checkpoint.manifest().weights_bytes);
    let blob = artefacts::share(&holder.artefacts, &checkpoint)
        .await
        .expect("shared");
    let holders = [holder.holder(blob)];
    let peer = holder.artefacts.peer();
    holder.artefacts.shutdown().await;
    let error = newcomer
        .fetch(id, bytes, &holders)
        .await
        .expect_err("nobody is there");
    let told = error.to_string();
    assert!(
        told.contains(&id.to_string()) && told.contains(&peer.to_string()),
        "{told}"
    );
    let nobody = newcomer.fetch(id, bytes, &[]).await;
    assert!(
        matches!(nobody, Err(FetchError::NobodyHolds(_))),
        "{nobody:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_should_keep_its_key_and_port() {
    let Machine { home, artefacts } = Machine::start().await;
    let (peer, addresses) = (artefacts.peer(), artefacts.addresses());
    artefacts.shutdown().await;
    let artefacts = endpoint(home.path()).await;
    assert_eq!((artefacts.peer(), artefacts.addresses()), (peer, addresses));
}
