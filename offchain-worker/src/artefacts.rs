//! Checkpoints and [`datasets`] between operators: a node shares what it holds, a newcomer fetches what
//! it lacks.
//!
//! The chain names the holders of a checkpoint, where they are, and the hash under which each shares
//! the files. None of that is believed: what arrives is the checkpoint if its manifest has the
//! checkpoint's id and its weights have the Merkle root in it, and is thrown away otherwise.

pub mod datasets;

use crate::chain::types::WireEndpoint;
use crate::chain::{At, ChainError};
use crate::checkpoint::{
    CheckpointError, Library, OpenCheckpoint, CHAT_TEMPLATE, MANIFEST, MASTERS, TOKENIZER, WEIGHTS,
};
use crate::dataset::DatasetError;
use crate::store::AccountBytes;
use noema_artefacts::{Artefacts, BlobHash, Error, Fetcher, Options, Peer, PeerId, Progress};
use noema_checkpoint::{CheckpointId, SourceFormat, H256};
use std::{
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// The most that manifest, tokenizer and chat template have together, in bytes.
const MAX_TEXTS: u64 = 256 << 20;
/// File with the secret key of an endpoint.
const SECRET: &str = "secret";
/// File with the port that the endpoint had last.
const PORT: &str = "port";

/// A holder of a checkpoint, as the chain has it.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The hash under which it shares the files.
    pub blob: BlobHash,
    /// Where it is.
    pub peer: Peer,
}

/// Why a checkpoint or a dataset does not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The chain names no holder.
    #[error("no operator has announced to hold checkpoint {0}; import it from the files it was made of, or wait until a worker that has it runs")]
    NobodyHolds(CheckpointId),
    /// The chain names holders, and none can be asked.
    #[error("checkpoint {checkpoint} is held by {holders} operators, and none has published an endpoint; they do with: noema-worker run --listen <ADDRESS:PORT>")]
    NobodyListens {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// How many hold it.
        holders: usize,
    },
    /// Nobody gave it.
    #[error("checkpoint {checkpoint} was not to be had: {}", .reasons.join("; "))]
    NotToBeHad {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// What happened with each hash that was announced.
        reasons: Vec<String>,
    },
    /// Nobody can be asked for a dataset.
    #[error("dataset {0:?} is not here, and no other operator has published an endpoint; whoever has it shares it with: noema-worker run --dataset <FOLDER> --listen <ADDRESS:PORT>")]
    NobodyShares(H256),
    /// Nobody gave a file of a dataset.
    #[error("{part} of dataset {root:?} was not to be had: {reason}")]
    PartNotToBeHad {
        /// The root of the dataset.
        root: H256,
        /// The file.
        part: String,
        /// Who was asked, and what each did.
        reason: Box<Error>,
    },
    /// What there is of a dataset cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// This machine is in the way.
    #[error(transparent)]
    Here(#[from] Error),
    /// A file or folder cannot be changed.
    #[error("{path}: {source}")]
    Place {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The check of what arrived was cut off.
    #[error("the check of what arrived ended unexpectedly")]
    CheckEnded,
}

/// Opens an endpoint that keeps its key and, if it may choose, its port, in `folder`.
pub async fn open(folder: &Path, listen: SocketAddr) -> Result<Artefacts, FetchError> {
    fs::create_dir_all(folder).map_err(place(folder))?;
    let secret = secret(folder)?;
    let remembered = folder.join(PORT);
    let options = |port| Options {
        bind: vec![SocketAddr::new(listen.ip(), port)],
        ..Options::default()
    };
    let last = fs::read_to_string(&remembered).ok();
    let last = last.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let wanted = if listen.port() == 0 {
        last
    } else {
        listen.port()
    };
    let mut opened = Artefacts::open(folder, &secret, options(wanted)).await;
    if matches!(opened, Err(Error::Bind { .. })) && wanted != listen.port() {
        opened = Artefacts::open(folder, &secret, options(0)).await;
    }
    let artefacts = opened?;
    if let Some(address) = artefacts.addresses().first() {
        fs::write(&remembered, address.port().to_string()).map_err(place(&remembered))?;
    }
    Ok(artefacts)
}

/// The hash under which a checkpoint's files are shared.
pub fn hash(checkpoint: &OpenCheckpoint) -> Result<BlobHash, Error> {
    noema_artefacts::hash_files(checkpoint.directory(), files(checkpoint))
}

/// Shares the files of a checkpoint and nothing else in its folder.
pub async fn share(artefacts: &Artefacts, checkpoint: &OpenCheckpoint) -> Result<BlobHash, Error> {
    artefacts
        .share_files(checkpoint.directory(), files(checkpoint))
        .await
}

/// Where an operator shares, if it has published that.
pub async fn peer(at: &At, operator: &AccountBytes) -> Result<Option<Peer>, ChainError> {
    Ok(at.endpoint(operator).await?.map(remote))
}

fn remote(endpoint: WireEndpoint) -> Peer {
    Peer {
        id: PeerId(endpoint.peer),
        addresses: endpoint.addresses.into_iter().map(Into::into).collect(),
    }
}

/// The holders of a checkpoint that have published where they are; at least one.
pub async fn holders(at: &At, id: CheckpointId) -> Result<Vec<Holder>, FetchError> {
    let announced = at.holders(&id).await?;
    let mut holders = Vec::new();
    for holding in &announced {
        if let Some(peer) = peer(at, &holding.holder.0).await? {
            holders.push(Holder {
                blob: BlobHash(holding.blob.0),
                peer,
            });
        }
    }
    match (announced.len(), holders.len()) {
        (0, _) => Err(FetchError::NobodyHolds(id)),
        (held, 0) => Err(FetchError::NobodyListens {
            checkpoint: id,
            holders: held,
        }),
        _ => Ok(holders),
    }
}

/// An endpoint that only fetches, from peers of both address families.
pub async fn fetcher(peers: &[Peer]) -> Result<Fetcher, FetchError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(no_randomness)?;
    let mut addresses = peers.iter().flat_map(|peer| &peer.addresses);
    let mut bind = vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))];
    if addresses.any(SocketAddr::is_ipv6) {
        bind.push(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
    }
    let options = Options {
        bind,
        ..Options::default()
    };
    Ok(Fetcher::bind(&secret, options).await?)
}

/// Fetches checkpoint `id` as [`fetch`] does, from those who hold it on chain, over an endpoint of its own.
///
/// # Errors
/// When nobody holds it, no holder serves it, what is served is not what was asked for, it cannot be
/// stored, the chain cannot be read, or the endpoint cannot be bound.
pub async fn fetch_alone(
    at: &At,
    library: &Library,
    id: CheckpointId,
    weights_bytes: u64,
    progress: impl Fn(Progress) + Clone + Send + Sync + 'static,
) -> Result<OpenCheckpoint, FetchError> {
    let holders = holders(at, id).await?;
    let peers: Vec<Peer> = holders.iter().map(|holder| holder.peer.clone()).collect();
    let fetcher = fetcher(&peers).await?;
    let fetched = fetch(&fetcher, library, id, weights_bytes, &holders, progress).await;
    fetcher.shutdown().await;
    fetched
}

/// Fetches checkpoint `id`, with `weights_bytes` of weights, from any of `holders` into the library.
///
/// Nothing is in the library before its id and the Merkle root of its weights have been recomputed.
pub async fn fetch(
    fetcher: &Fetcher,
    library: &Library,
    id: CheckpointId,
    weights_bytes: u64,
    holders: &[Holder],
    progress: impl Fn(Progress) + Clone + Send + Sync + 'static,
) -> Result<OpenCheckpoint, FetchError> {
    let mut by_blob = BTreeMap::<BlobHash, Vec<Peer>>::new();
    for holder in holders {
        by_blob
            .entry(holder.blob)
            .or_default()
            .push(holder.peer.clone());
    }
    // What most announced is most likely right; the others are asked all the same.
    let mut by_blob: Vec<_> = by_blob.into_iter().collect();
    by_blob.sort_by_key(|(_, peers)| std::cmp::Reverse(peers.len()));
    if by_blob.is_empty() {
        return Err(FetchError::NobodyHolds(id));
    }
    let root = library.root();
    fs::create_dir_all(root).map_err(place(root))?;
    let arriving = root.join(format!(".arriving-{}", hex::encode(id.0)));
    // Masters take four bytes a weight, and tiles a little more than one.
    let limit = weights_bytes.saturating_mul(5).saturating_add(MAX_TEXTS);
    let mut reasons = Vec::new();
    for (blob, peers) in by_blob {
        // What an earlier try did not get to check is fetched anew rather than trusted.
        remove(&arriving)?;
        let fetched = fetcher
            .fetch_directory(blob, limit, &peers, &arriving, progress.clone())
            .await;
        match fetched {
            Ok(_) => {}
            Err(error) if error.is_of_peers() => {
                reasons.push(error.to_string());
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        let folder = arriving.clone();
        let checked = tokio::task::spawn_blocking(move || check(&folder, id)).await;
        match checked.map_err(|_| FetchError::CheckEnded)? {
            Ok(()) => return deliver(&arriving, library, id),
            Err(error) => reasons.push(format!("{blob} is not the checkpoint: {error}")),
        }
        remove(&arriving)?;
    }
    Err(FetchError::NotToBeHad {
        checkpoint: id,
        reasons,
    })
}

/// Whether the files in `folder` are those of checkpoint `id` and no others.
fn check(folder: &Path, id: CheckpointId) -> Result<(), CheckpointError> {
    let checkpoint = OpenCheckpoint::open(folder)?;
    if checkpoint.id() != id {
        return Err(CheckpointError::WrongPlace {
            path: folder.to_owned(),
            found: checkpoint.id(),
        });
    }
    let known = files(&checkpoint);
    let read = |source| CheckpointError::Read {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(read)? {
        let name = entry.map_err(read)?.file_name();
        if !known.iter().any(|known| name.to_str() == Some(known)) {
            return Err(read(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{name:?} is no file of a checkpoint"),
            )));
        }
    }
    checkpoint.verify(&|_| ())?;
    if checkpoint.manifest().source.format == SourceFormat::Training {
        checkpoint.masters()?;
    }
    Ok(())
}

fn deliver(
    arriving: &Path,
    library: &Library,
    id: CheckpointId,
) -> Result<OpenCheckpoint, FetchError> {
    let at = library.path(id);
    remove(&at)?;
    fs::rename(arriving, &at).map_err(place(&at))?;
    library.open(id).map_err(|error| FetchError::Place {
        path: at,
        source: io::Error::other(error),
    })
}

/// The files of a checkpoint.
fn files(checkpoint: &OpenCheckpoint) -> Vec<&'static str> {
    let mut files = vec![MANIFEST, TOKENIZER, WEIGHTS];
    if !checkpoint.chat_template().is_empty() {
        files.push(CHAT_TEMPLATE);
    }
    if checkpoint.manifest().source.format == SourceFormat::Training {
        files.push(MASTERS);
    }
    files
}

fn remove(folder: &Path) -> Result<(), FetchError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(place(folder)(error)),
        _ => Ok(()),
    }
}

/// Reads the secret key in `folder`, or makes one that only its owner may read.
fn secret(folder: &Path) -> Result<[u8; 32], FetchError> {
    let path = folder.join(SECRET);
    match fs::read(&path) {
        Ok(bytes) => bytes.try_into().map_err(|_| {
            place(&path)(io::Error::new(
                io::ErrorKind::InvalidData,
                "is no secret key; remove it, and another is made",
            ))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(no_randomness)?;
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let written = options
                .open(&path)
                .and_then(|mut file| io::Write::write_all(&mut file, &secret));
            written.map_err(place(&path))?;
            Ok(secret)
        }
        Err(error) => Err(place(&path)(error)),
    }
}

fn no_randomness(error: getrandom::Error) -> FetchError {
    FetchError::Place {
        path: PathBuf::from("the system's randomness"),
        source: io::Error::other(error),
    }
}

fn place(path: &Path) -> impl FnOnce(io::Error) -> FetchError + '_ {
    move |source| FetchError::Place {
        path: path.to_owned(),
        source,
    }
}
