//! Datasets between operators: the needed files arrive, verified, and are shared further.

use crate::support::Machine;
use noema_artefacts::Error;
use noema_checkpoint::H256;
use noema_model::dataset::{
    learn_tokenizer, prepare, DatasetError, Datasets, OpenDataset, PrepareOptions, MANIFEST, SHARDS,
};
use noema_rounds::Dataset as Recorded;
use noema_worker::artefacts::{datasets, FetchError};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

impl Machine {
    fn datasets(&self) -> Datasets {
        Datasets::new(self.home.path(), Vec::new())
    }

    async fn fetch_shards(
        &self,
        recorded: &Recorded,
        shards: &[u32],
        from: &[&Machine],
    ) -> Result<OpenDataset, FetchError> {
        let peers: Vec<_> = from.iter().map(|machine| machine.peer()).collect();
        let fetcher = self.artefacts.fetcher();
        datasets::fetch(fetcher, &self.datasets(), recorded, shards, &peers, |_| ()).await
    }

    async fn share_dataset(&self, dataset: &OpenDataset) {
        let shared = datasets::share(&self.artefacts, dataset).await;
        shared.expect("can be shared");
    }
}

/// A dataset of shards of 8 sequences of 16 tokens in a folder, at least six of them.
fn make(folder: &Path) -> OpenDataset {
    let text = folder.join("text.txt");
    let lines = (0..150).map(|i| format!("{} sheep jump over {} fences.\n", i * i, i % 7));
    fs::write(&text, lines.collect::<String>()).expect("is written");
    let inputs = [text];
    let tokenizer = folder.join("tokenizer.json");
    let json = learn_tokenizer(&inputs, None, 288).expect("is learnt");
    fs::write(&tokenizer, json).expect("is written");
    let options = PrepareOptions {
        sequence_length: 16,
        shard_sequences: 8,
        ..Default::default()
    };
    let place = folder.join("dataset");
    let prepared = prepare(&inputs, &tokenizer, &place, &options, &|_| ());
    let dataset = prepared.expect("is prepared").dataset;
    assert!(dataset.len() >= 6);
    dataset
}

/// The machine that prepared the dataset and shares all of it.
async fn preparer() -> (Machine, OpenDataset) {
    let machine = Machine::start().await;
    let dataset = make(machine.home.path());
    machine.share_dataset(&dataset).await;
    (machine, dataset)
}

fn hashes(dataset: &OpenDataset, shards: &[u32]) -> BTreeSet<String> {
    let hash = |index: &u32| dataset.shard_hash(*index as usize).expect("is a shard");
    shards
        .iter()
        .map(|index| hex::encode(hash(index)))
        .collect()
}

/// The names in the folder of shards, including hidden ones.
fn kept(dataset: &OpenDataset) -> BTreeSet<String> {
    let entries = fs::read_dir(dataset.directory().join(SHARDS)).expect("a folder");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    entries
        .map(|entry| name(entry).into_string().expect("a plain name"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shards_that_are_asked_for_arrive_and_no_others() {
    let (preparer, whole) = preparer().await;
    let newcomer = Machine::start().await;
    let recorded = whole.recorded();
    let none = datasets::find(&newcomer.datasets(), &recorded, &[]).await;
    assert!(none.expect("is readable").is_none());

    let listed = newcomer.fetch_shards(&recorded, &[], &[&preparer]).await;
    let listed = listed.expect("the manifest is fetched");
    assert_eq!(listed.manifest(), whole.manifest());
    assert_eq!(listed.directory(), newcomer.datasets().path(whole.root()));
    assert!(kept(&listed).is_empty());

    let arrived = AtomicU64::new(0);
    let told = |bytes| {
        arrived.fetch_add(bytes, Ordering::Relaxed);
    };
    let (fetcher, peers) = (newcomer.artefacts.fetcher(), [preparer.peer()]);
    let local = newcomer.datasets();
    let fetched = datasets::fetch(fetcher, &local, &recorded, &[3, 1], &peers, told).await;
    let fetched = fetched.expect("the shards are fetched");
    assert_eq!(kept(&fetched), hashes(&whole, &[1, 3]));
    let bytes = |index| whole.shard_bytes(index).expect("is a shard");
    assert_eq!(arrived.into_inner(), bytes(1) + bytes(3));
    for index in [1, 3] {
        assert_eq!(fetched.shard(index).unwrap(), whole.shard(index).unwrap());
    }
    let found = datasets::find(&local, &recorded, &[3]).await;
    assert!(found.expect("is readable").is_some());
    let found = datasets::find(&local, &recorded, &[3, 4]).await;
    assert!(found.expect("is readable").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_is_served_without_who_prepared_it() {
    let (preparer, whole) = preparer().await;
    let (first, second, third) = (
        Machine::start().await,
        Machine::start().await,
        Machine::start().await,
    );
    let recorded = whole.recorded();
    for (machine, shards) in [(&first, [0, 1]), (&second, [2, 3])] {
        let fetched = machine.fetch_shards(&recorded, &shards, &[&preparer]).await;
        machine.share_dataset(&fetched.expect("fetched")).await;
    }
    preparer.artefacts.shutdown().await;

    let both = [&first, &second];
    let fetched = third.fetch_shards(&recorded, &[0, 1, 2, 3], &both).await;
    let fetched = fetched.expect("each has a half");
    assert_eq!(kept(&fetched), hashes(&whole, &[0, 1, 2, 3]));

    // No peer has the next one, and all peers are named.
    let refused = third.fetch_shards(&recorded, &[3, 4], &both).await;
    let error = refused.expect_err("no peer has it");
    let told = error.to_string();
    assert!(
        matches!(error, FetchError::PartUnavailable { .. }),
        "{told}"
    );
    let named = [first.artefacts.peer(), second.artefacts.peer()].map(|peer| peer.to_string());
    assert!(told.contains("shard 4"), "{told}");
    assert!(named.iter().all(|peer| told.contains(peer)), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_is_fetched_anew() {
    let (preparer, whole) = preparer().await;
    let newcomer = Machine::start().await;
    let recorded = whole.recorded();
    let from = [&preparer];
    let fetch = || newcomer.fetch_shards(&recorded, &[0, 1, 2], &from);
    let fetched = fetch().await.expect("fetched");
    let path = |index| fetched.shard_path(index).expect("is a shard");
    let sound = fs::read(path(0)).expect("is there");
    fs::write(path(0), &sound[1..]).expect("is written");
    fs::write(path(1), [&sound[..], &[0]].concat()).expect("is written");
    fs::remove_file(path(2)).expect("is removed");
    fs::write(fetched.directory().join(MANIFEST), "{}").expect("is written");
    let fetched = fetch().await.expect("fetched");
    for index in [0, 1, 2] {
        assert_eq!(fetched.shard(index).unwrap(), whole.shard(index).unwrap());
    }
    assert_eq!(fetched.manifest(), whole.manifest());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_of_another_dataset_is_refused() {
    let (preparer, whole) = preparer().await;
    let newcomer = Machine::start().await;
    let recorded = whole.recorded();
    let others = [
        Recorded {
            root: H256::repeat_byte(1),
            ..recorded
        },
        Recorded {
            shards: recorded.shards - 1,
            ..recorded
        },
        Recorded {
            shard_tokens: recorded.shard_tokens - 1,
            ..recorded
        },
    ];
    for other in others {
        let refused = newcomer.fetch_shards(&other, &[0], &[&preparer]).await;
        assert!(
            matches!(
                refused,
                Err(FetchError::Dataset(DatasetError::OtherDataset { .. }))
            ),
            "{refused:?}"
        );
    }
    let nowhere = Recorded {
        manifest: H256::repeat_byte(2),
        ..recorded
    };
    let refused = newcomer.fetch_shards(&nowhere, &[], &[&preparer]).await;
    let told = refused.expect_err("no peer has it").to_string();
    assert!(told.contains("the manifest of dataset"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_is_larger_than_the_manifest_says_is_not_kept() {
    let preparer = Machine::start().await;
    let dataset = make(preparer.home.path());
    // The root covers only the hashes.
    let path = dataset.directory().join(MANIFEST);
    let text = fs::read(&path).expect("is there");
    let mut manifest: serde_json::Value = serde_json::from_slice(&text).expect("is JSON");
    for shard in manifest["shards"].as_array_mut().expect("a list") {
        shard["sequences"] = 1.into();
    }
    fs::write(&path, manifest.to_string()).expect("is written");
    let liar = OpenDataset::open(dataset.directory()).expect("a manifest");
    preparer.share_dataset(&liar).await;
    let newcomer = Machine::start().await;
    let refused = newcomer
        .fetch_shards(&liar.recorded(), &[0], &[&preparer])
        .await;
    let Err(FetchError::PartUnavailable { reason, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(matches!(*reason, Error::TooLarge { .. }), "{reason}");
    let listed = newcomer.datasets().open(&liar.recorded());
    assert!(kept(&listed.unwrap().unwrap()).is_empty());
}
