//! Datasets between operators, file by file: an operator that has the manifest knows the hash and the size of
//! each shard, fetches those that it needs, and shares those that it has.

use super::{join, no_randomness, place, remote, seek::seek, FetchError};
use crate::chain::types::WireEndpoint;
use crate::chain::{At, Node};
use crate::store::AccountBytes;
use futures::{stream, FutureExt, StreamExt, TryStreamExt};
use noema_artefacts::{Artefacts, BlobHash, Error, Fetcher, Peer, PeerId};
use noema_checkpoint::H256;
use noema_model::dataset::{
    DatasetError, Datasets, OpenDataset, MANIFEST, MAX_MANIFEST_BYTES, SHARDS,
};
use noema_rounds::Dataset as Recorded;
use std::{
    collections::BTreeSet,
    fs, io,
    path::Path,
    sync::{
        atomic::{AtomicU64, Ordering},
        Mutex, PoisonError,
    },
    time::Duration,
};
use tracing::warn;

/// Most peers that are asked for a file.
const MOST_ASKED: usize = 64;
/// Shards that are fetched at a time.
const TOGETHER: usize = 4;

/// The peers that may have a dataset: first `participants`, then other operators with a published endpoint.
/// The order is random, so that not all operators ask the same peers first. `own` is not asked.
///
/// # Errors
/// When the chain cannot be read, or no peer is known.
pub async fn peers(
    at: &At,
    recorded: &Recorded,
    participants: &BTreeSet<AccountBytes>,
    own: Option<PeerId>,
) -> Result<Vec<Peer>, FetchError> {
    let endpoints = at.endpoints().await?;
    let (near, far): (Vec<_>, Vec<_>) = endpoints
        .into_iter()
        .partition(|(operator, _)| participants.contains(operator));
    let mut peers = Vec::new();
    for mut group in [near, far] {
        shuffle(&mut group)?;
        let group = group
            .into_iter()
            .map(|(operator, endpoint)| remote(&operator, endpoint));
        peers.extend(group.filter(|peer| Some(peer.id) != own));
    }
    let peers = join(peers);
    if peers.is_empty() {
        return Err(FetchError::NoSharingOperator(recorded.root));
    }
    Ok(peers)
}

fn shuffle(operators: &mut [(AccountBytes, WireEndpoint)]) -> Result<(), FetchError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(no_randomness)?;
    operators
        .sort_by_cached_key(|(_, endpoint)| *blake3::keyed_hash(&key, &endpoint.peer).as_bytes());
    Ok(())
}

/// Shares the files of a dataset that are on this machine.
pub async fn share(artefacts: &Artefacts, dataset: &OpenDataset) -> Result<(), Error> {
    let unshared = dataset
        .files()
        .filter(|(hash, path)| !artefacts.is_shared(BlobHash(hash.0)) && path.exists())
        .map(|(_, path)| path);
    artefacts.share_each(unshared).await?;
    Ok(())
}

/// The dataset that `recorded` names, if it is on this machine with all the shards `wanted`.
///
/// # Errors
/// When the local files cannot be read.
pub async fn find(
    datasets: &Datasets,
    recorded: &Recorded,
    wanted: &[u32],
) -> Result<Option<OpenDataset>, FetchError> {
    let Some(dataset) = datasets.open(recorded)? else {
        return Ok(None);
    };
    let lacking = lacking(&dataset, wanted).await?;
    Ok(lacking.is_empty().then_some(dataset))
}

/// Fetches the missing files of the dataset that `recorded` names, of its shards only those `wanted`, from
/// any of `peers`, of which at most a bounded number are asked. Damaged files are fetched again. `progress`
/// gets the bytes of each of these shards once it is on this machine.
///
/// Every file is verified against its hash as it arrives, has at most the bytes that manifest and chain
/// give it, and is kept in part if the fetch is interrupted.
///
/// # Errors
/// When no peer sends one of the files, the manifest is not of that dataset, or this machine fails to store
/// them.
pub async fn fetch(
    fetcher: &Fetcher,
    datasets: &Datasets,
    recorded: &Recorded,
    wanted: &[u32],
    peers: &[Peer],
    progress: impl Fn(u64) + Send + Sync,
) -> Result<OpenDataset, FetchError> {
    let source = Source {
        fetcher,
        root: recorded.root,
        peers: Mutex::new(peers.iter().take(MOST_ASKED).cloned().collect()),
    };
    let dataset = match datasets.open(recorded)? {
        Some(dataset) => dataset,
        None => {
            manifest(&source, datasets, recorded).await?;
            let opened = datasets.open(recorded)?;
            opened.ok_or(FetchError::CheckEnded)?
        }
    };
    let shards = dataset.directory().join(SHARDS);
    fs::create_dir_all(&shards).map_err(place(&shards))?;
    let lacking = lacking(&dataset, wanted).await?;
    for &index in wanted {
        if !lacking.contains(&index) {
            progress(dataset.shard_bytes(index as usize)?);
        }
    }
    stream::iter(lacking)
        .map(Ok)
        .try_for_each_concurrent(TOGETHER, |index| shard(&source, &dataset, index, &progress))
        .await?;
    Ok(dataset)
}

/// Fetches the dataset that `recorded` names with all its shards, as [`fetch`] does, from the peers that the
/// chain names, over its own endpoint. While no shard arrives, it checks whether the chain names other peers;
/// peers that cannot be reached are asked again until no shard has arrived for `wait`. `progress` gets the
/// bytes of the shards that are on this machine, and of all shards.
///
/// # Errors
/// As [`fetch`], and when `stop` ends before the fetch.
pub async fn fetch_alone(
    node: &Node,
    datasets: &Datasets,
    recorded: &Recorded,
    participants: &BTreeSet<AccountBytes>,
    progress: impl Fn(u64, u64) + Send + Sync,
    wait: Duration,
    stop: impl Future<Output = ()>,
) -> Result<OpenDataset, FetchError> {
    let fetcher = super::fetcher().await?;
    let arrived = AtomicU64::new(0);
    let shards: Vec<u32> = (0..recorded.shards).collect();
    let look = || {
        let found =
            async move { peers(&node.finalized().await?, recorded, participants, None).await };
        found.boxed()
    };
    let attempt = |peers: Vec<Peer>| {
        let (fetcher, shards, progress, arrived) = (&fetcher, &shards, &progress, &arrived);
        let fetched = async move {
            // The list of shards determines how much there is to fetch.
            let listed = fetch(fetcher, datasets, recorded, &[], &peers, |_| ()).await?;
            let all = listed.manifest().bytes();
            arrived.store(0, Ordering::Relaxed);
            let told = |bytes: u64| {
                let before = arrived.fetch_add(bytes, Ordering::Relaxed);
                progress(before.saturating_add(bytes), all);
            };
            fetch(fetcher, datasets, recorded, shards, &peers, told).await
        };
        fetched.boxed()
    };
    let fetched = seek(&look, &attempt, &arrived, wait, stop).await;
    fetcher.shutdown().await;
    fetched
}

/// The sources of a dataset's files.
struct Source<'a> {
    fetcher: &'a Fetcher,
    root: H256,
    /// The peer that sent the last file is asked first for the next: it is reachable and has the dataset.
    peers: Mutex<Vec<Peer>>,
}

impl Source<'_> {
    /// Fetches a file of at most `limit` bytes, called `name` in errors.
    async fn file(
        &self,
        name: impl FnOnce() -> String,
        hash: H256,
        limit: u64,
        into: &Path,
    ) -> Result<(), FetchError> {
        let peers = self.peers();
        let fetched = self
            .fetcher
            .fetch_file(BlobHash(hash.0), limit, &peers, into, |_| ())
            .await;
        match fetched {
            Ok(fetched) => {
                self.prefer(fetched.from.last());
                Ok(())
            }
            // Another process fetched it.
            Err(Error::Exists { .. }) => Ok(()),
            Err(reason) if reason.is_of_peers() => Err(FetchError::PartUnavailable {
                root: self.root,
                part: name(),
                reason: Box::new(reason),
            }),
            Err(error) => Err(error.into()),
        }
    }

    fn peers(&self) -> Vec<Peer> {
        let peers = self.peers.lock();
        peers.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn prefer(&self, giver: Option<&PeerId>) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        peers.sort_by_key(|peer| Some(&peer.id) != giver);
    }
}

/// Fetches the manifest and replaces the old one.
async fn manifest(
    source: &Source<'_>,
    datasets: &Datasets,
    recorded: &Recorded,
) -> Result<(), FetchError> {
    let folder = datasets.path(recorded.root);
    fs::create_dir_all(&folder).map_err(place(&folder))?;
    let path = folder.join(MANIFEST);
    remove(&path)?;
    let name = || "the manifest".to_owned();
    let hash = recorded.manifest;
    source.file(name, hash, MAX_MANIFEST_BYTES, &path).await
}

async fn shard(
    source: &Source<'_>,
    dataset: &OpenDataset,
    index: u32,
    progress: &(impl Fn(u64) + Sync),
) -> Result<(), FetchError> {
    let place = index as usize;
    let (hash, bytes) = (dataset.shard_hash(place)?, dataset.shard_bytes(place)?);
    let name = || format!("shard {index}");
    source
        .file(name, hash, bytes, &dataset.shard_path(place)?)
        .await?;
    progress(bytes);
    Ok(())
}

/// The shards of `wanted` that are not on this machine. A damaged one is removed.
async fn lacking(dataset: &OpenDataset, wanted: &[u32]) -> Result<BTreeSet<u32>, FetchError> {
    let (dataset, wanted) = (dataset.clone(), wanted.to_vec());
    let look = move || -> Result<_, FetchError> {
        let mut lacking = BTreeSet::new();
        for index in wanted {
            match dataset.shard(index as usize) {
                Ok(_) => continue,
                Err(DatasetError::Read { source, .. })
                    if source.kind() == io::ErrorKind::NotFound => {}
                Err(error @ (DatasetError::ShardHash { .. } | DatasetError::Oversized { .. })) => {
                    warn!(%error, "removing a damaged shard");
                    remove(&dataset.shard_path(index as usize)?)?;
                }
                Err(error) => return Err(error.into()),
            }
            lacking.insert(index);
        }
        Ok(lacking)
    };
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|_| FetchError::CheckEnded)?
}

fn remove(file: &Path) -> Result<(), FetchError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(place(file)(error)),
        _ => Ok(()),
    }
}
