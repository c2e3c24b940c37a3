//! Checkpoints and [`datasets`] between operators: a node shares those it holds, and fetches those it lacks.
//!
//! The chain lists the holders of a checkpoint, their endpoints, and the hash under which each shares the
//! files. None of that is trusted: the files are accepted if their manifest has the checkpoint's id and their
//! weights have the Merkle root in it, and are deleted otherwise.

pub mod datasets;
mod seek;

use crate::chain::types::WireEndpoint;
use crate::chain::{At, ChainError, Node};
use crate::keys::address;
use crate::store::AccountBytes;
use futures::future::{BoxFuture, FutureExt};
use noema_artefacts::{
    is_shared_from, Artefacts, BlobHash, Error, FetchProgress, Fetcher, Options, Peer, PeerId,
    Protocol,
};
use noema_checkpoint::{CheckpointId, SourceFormat, H256};
use noema_model::checkpoint::{
    recorded_id, CheckpointError, Library, OpenCheckpoint, CHAT_TEMPLATE, MANIFEST, MASTERS,
    TOKENIZER, WEIGHTS,
};
use noema_model::dataset::DatasetError;
use noema_model::whole;
use seek::{seek, ALL};
use std::{
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};
use tracing::warn;

/// Most bytes of manifest, tokenizer and chat template together.
const MAX_TEXTS: u64 = 256 << 20;
/// File with the secret key of an endpoint.
const SECRET: &str = "secret";
/// File with the last port of the endpoint.
const PORT: &str = "port";

/// A holder of a checkpoint, as recorded on chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The hash under which it shares the files.
    pub blob: BlobHash,
    /// Its endpoint.
    pub peer: Peer,
}

/// Why a checkpoint or a dataset is not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The chain names no holder.
    #[error("no operator has announced to hold checkpoint {0}; import it from its source files, or wait for a worker that holds it")]
    NoHolder(CheckpointId),
    /// The chain names holders, and none has an endpoint.
    #[error("checkpoint {checkpoint} is held by {holders} operators, and none has published an endpoint; an operator publishes one with: noema-worker run --listen <ADDRESS:PORT>")]
    NoReachablePeer {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The number of its holders.
        holders: usize,
    },
    /// No holder sent it.
    #[error("checkpoint {checkpoint} was not to be had: {}", .reasons.join("; "))]
    Unavailable {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The result for each announced hash.
        reasons: Vec<String>,
        /// Whether every failure was that holders were not reached, or could not send it now.
        may_pass: bool,
    },
    /// This release cannot run the checkpoint.
    #[error("checkpoint {checkpoint} needs another release of this program: {reason}")]
    OtherRelease {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// What this release does not have.
        reason: Box<CheckpointError>,
    },
    /// No peer is known for a dataset.
    #[error("dataset {0:?} is not on this machine, and no other operator has published an endpoint; an operator that has it shares it with: noema-worker run --dataset <FOLDER> --listen <ADDRESS:PORT>")]
    NoSharingOperator(H256),
    /// No peer sent a file of a dataset.
    #[error("{part} of dataset {root:?} cannot be fetched: {reason}")]
    PartUnavailable {
        /// The root of the dataset.
        root: H256,
        /// The file.
        part: String,
        /// The peers asked, and the fault of each.
        reason: Box<Error>,
    },
    /// The local part of a dataset cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// This machine failed to share or fetch.
    #[error(transparent)]
    Here(#[from] Error),
    /// A file or folder cannot be changed.
    #[error("{path}: {source}")]
    Place {
        /// The file or folder.
        path: PathBuf,
        /// The system's message.
        source: io::Error,
    },
    /// The caller cancelled the fetch.
    #[error("the fetch was interrupted; what arrived is kept, and the next fetch resumes")]
    Interrupted,
    /// The check of the fetched files ended early.
    #[error("the check of the fetched files ended unexpectedly")]
    CheckEnded,
}

impl FetchError {
    fn other_release(checkpoint: CheckpointId, reason: CheckpointError) -> Self {
        let reason = Box::new(reason);
        Self::OtherRelease { checkpoint, reason }
    }

    /// Whether the peers are the cause, and not this machine: other peers, or a later fetch, may help.
    pub fn is_of_peers(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::PartUnavailable { .. }
        )
    }

    /// Whether the same peers may send it later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable { may_pass, .. } => *may_pass,
            Self::PartUnavailable { reason, .. } => reason.may_pass(),
            _ => false,
        }
    }
}

/// Opens an endpoint that keeps its key and its port in `folder`. If `listen` has port 0, it takes the last
/// port again, or another one if that is taken.
pub async fn open(folder: &Path, listen: SocketAddr) -> Result<Artefacts, FetchError> {
    open_with(folder, listen, Vec::new).await
}

/// Opens an endpoint as [`open`] does, which serves `protocols`, too.
pub async fn open_with(
    folder: &Path,
    listen: SocketAddr,
    protocols: impl Fn() -> Vec<Protocol>,
) -> Result<Artefacts, FetchError> {
    fs::create_dir_all(folder).map_err(place(folder))?;
    let secret = secret(folder)?;
    let remembered = folder.join(PORT);
    let options = |port| Options {
        bind: vec![SocketAddr::new(listen.ip(), port)],
        ..Options::default()
    };
    let wanted = match listen.port() {
        0 => last_port(&remembered)?,
        given => given,
    };
    let mut opened = Artefacts::open_with(folder, &secret, options(wanted), protocols()).await;
    if let Err(error @ Error::Bind { .. }) = &opened
        && wanted != listen.port()
    {
        warn!(%error, "the last port for sharing files is taken; sharing at another port");
        opened = Artefacts::open_with(folder, &secret, options(0), protocols()).await;
    }
    let artefacts = opened?;
    if let Some(address) = artefacts.addresses().first() {
        fs::write(&remembered, address.port().to_string()).map_err(place(&remembered))?;
    }
    Ok(artefacts)
}

/// The last port of an endpoint; 0 if there was none.
fn last_port(remembered: &Path) -> Result<u16, FetchError> {
    match fs::read_to_string(remembered) {
        Ok(text) => Ok(text.trim().parse().unwrap_or_else(|_| {
            let file = remembered.display();
            warn!(%file, "not a port; sharing at a free one");
            0
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(place(remembered)(error)),
    }
}

/// The key of the endpoint in `folder` if no process shares over it at present; `None` if it never existed,
/// or a process shares over it.
///
/// # Errors
/// When the folder cannot be read.
pub fn silent(folder: &Path) -> Result<Option<PeerId>, FetchError> {
    if !folder.join(SECRET).exists() || is_shared_from(folder)? {
        return Ok(None);
    }
    Ok(Some(PeerId::of_secret(&secret(folder)?)))
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

/// The endpoint of an operator, if it has published one.
pub async fn peer(at: &At, operator: &AccountBytes) -> Result<Option<Peer>, ChainError> {
    let endpoint = at.endpoint(operator).await?;
    Ok(endpoint.map(|endpoint| remote(operator, endpoint)))
}

fn remote(operator: &AccountBytes, endpoint: WireEndpoint) -> Peer {
    Peer {
        id: PeerId(endpoint.peer),
        addresses: endpoint.addresses.into_iter().map(Into::into).collect(),
        names: vec![address(operator)],
    }
}

/// Merges operators that share over one endpoint into one peer, and keeps the order. A key that is published
/// with other addresses makes another peer, since any operator can publish the key of another.
fn join(operators: impl IntoIterator<Item = Peer>) -> Vec<Peer> {
    let mut peers = Vec::<Peer>::new();
    let mut places = BTreeMap::new();
    for peer in operators {
        let place = *places
            .entry((peer.id, peer.addresses.clone()))
            .or_insert(peers.len());
        match peers.get_mut(place) {
            Some(known) => known.names.extend(peer.names),
            None => peers.push(peer),
        }
    }
    peers
}

/// The holders of a checkpoint that have published an endpoint; at least one.
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
        (0, _) => Err(FetchError::NoHolder(id)),
        (held, 0) => Err(FetchError::NoReachablePeer {
            checkpoint: id,
            holders: held,
        }),
        _ => Ok(holders),
    }
}

/// An endpoint that only fetches, over each address family that this machine has.
pub async fn fetcher() -> Result<Fetcher, FetchError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(no_randomness)?;
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let options = |bind| Options {
        bind,
        ..Options::default()
    };
    match Fetcher::bind(&secret, options(vec![v4, v6])).await {
        Err(Error::Bind { .. }) => Ok(Fetcher::bind(&secret, options(vec![v4])).await?),
        bound => Ok(bound?),
    }
}

/// Fetches checkpoint `id` as [`fetch`] does, from the holders that the chain names, over its own endpoint.
/// While nothing arrives, it checks whether the chain names other holders or other endpoints; holders that
/// cannot be reached are asked again until nothing has arrived for `wait`.
///
/// # Errors
/// When it has no holder, no holder serves it, the served files are not the checkpoint, this release cannot run
/// it, it cannot be stored, the chain cannot be read, the endpoint cannot be bound, or `stop` ends before the fetch.
pub async fn fetch_alone(
    node: &Node,
    library: &Library,
    id: CheckpointId,
    weights_bytes: u64,
    progress: impl Fn(FetchProgress) + Clone + Send + Sync + 'static,
    wait: Duration,
    stop: impl Future<Output = ()>,
) -> Result<OpenCheckpoint, FetchError> {
    let look = || async move { holders(&node.finalized().await?, id).await }.boxed();
    fetch_from(look, library, id, weights_bytes, progress, wait, stop).await
}

/// Fetches checkpoint `id` as [`fetch_alone`] does, from the holders that `look` finds.
///
/// # Errors
/// As [`fetch_alone`], and those of `look`.
pub async fn fetch_from<'a>(
    look: impl Fn() -> BoxFuture<'a, Result<Vec<Holder>, FetchError>> + Sync,
    library: &'a Library,
    id: CheckpointId,
    weights_bytes: u64,
    progress: impl Fn(FetchProgress) + Clone + Send + Sync + 'static,
    wait: Duration,
    stop: impl Future<Output = ()>,
) -> Result<OpenCheckpoint, FetchError> {
    let fetcher = fetcher().await?;
    let arrived = Arc::new(AtomicU64::new(0));
    let attempt = |holders: Vec<Holder>| {
        let (fetcher, progress) = (fetcher.clone(), progress.clone());
        let counted = arrived.clone();
        let progress = move |made: FetchProgress| {
            let arrived = match made.present < made.total {
                true => made.present,
                false => ALL,
            };
            counted.store(arrived, Ordering::Relaxed);
            progress(made);
        };
        async move { fetch(&fetcher, library, id, weights_bytes, &holders, progress).await }.boxed()
    };
    let fetched = seek(&look, &attempt, &arrived, wait, stop).await;
    fetcher.shutdown().await;
    fetched
}

/// Fetches checkpoint `id`, with `weights_bytes` of weights, from any of `holders` into the library.
///
/// The checkpoint enters the library only after its id and the Merkle root of its weights have been
/// recomputed. The files of one that this release cannot run are kept outside it, so that they are fetched
/// only once.
pub async fn fetch(
    fetcher: &Fetcher,
    library: &Library,
    id: CheckpointId,
    weights_bytes: u64,
    holders: &[Holder],
    progress: impl Fn(FetchProgress) + Clone + Send + Sync + 'static,
) -> Result<OpenCheckpoint, FetchError> {
    let mut by_blob = BTreeMap::<BlobHash, Vec<Peer>>::new();
    for holder in holders {
        by_blob
            .entry(holder.blob)
            .or_default()
            .push(holder.peer.clone());
    }
    // The hash that most holders announced is most likely right; the others are tried all the same.
    let mut by_blob: Vec<_> = by_blob.into_iter().collect();
    by_blob.sort_by_key(|(_, peers)| std::cmp::Reverse(peers.len()));
    if by_blob.is_empty() {
        return Err(FetchError::NoHolder(id));
    }
    if let Err(error) = library.open(id)
        && error.is_of_other_release()
    {
        return Err(FetchError::other_release(id, error));
    }
    let root = library.root();
    fs::create_dir_all(root).map_err(place(root))?;
    let arriving = root.join(format!(".arriving-{}", hex::encode(id.0)));
    // Masters take four bytes a weight, and tiles a little more than one.
    let limit = weights_bytes.saturating_mul(5).saturating_add(MAX_TEXTS);
    // Files that an earlier try fetched but did not check, or could not, are checked now.
    if arriving.exists() {
        match check_apart(&arriving, id).await? {
            Ok(()) => return deliver(&arriving, library, id),
            Err(Fault::Release(error)) => return Err(FetchError::other_release(id, error)),
            Err(_) => {}
        }
    }
    let (mut reasons, mut may_pass) = (Vec::new(), true);
    let mut of_other_format = Vec::new();
    for (blob, peers) in by_blob {
        let peers = join(peers);
        remove(&arriving)?;
        let fetched = fetcher
            .fetch_directory(blob, limit, &peers, &arriving, progress.clone())
            .await;
        match fetched {
            Ok(fetched) => {
                // Also needed if all files were here already.
                let from = fetched.from.last().copied();
                if let Some(from) = from.or_else(|| peers.first().map(|peer| peer.id)) {
                    let (present, total) = (fetched.bytes, fetched.bytes);
                    progress(FetchProgress {
                        present,
                        total,
                        from,
                    });
                }
            }
            Err(error) if error.is_of_peers() => {
                may_pass &= error.may_pass();
                reasons.push(error.to_string());
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        match check_apart(&arriving, id).await? {
            Ok(()) => return deliver(&arriving, library, id),
            Err(Fault::Release(error)) => return Err(FetchError::other_release(id, error)),
            Err(Fault::Format(error)) => {
                may_pass = false;
                reasons.push(format!("{blob} is of another release: {error}"));
                of_other_format.push(error);
            }
            Err(Fault::Files(error)) => {
                may_pass = false;
                reasons.push(format!("{blob} is not the checkpoint: {error}"));
            }
        }
        remove(&arriving)?;
    }
    if of_other_format.len() == reasons.len()
        && let Some(error) = of_other_format.pop()
    {
        return Err(FetchError::other_release(id, error));
    }
    Err(FetchError::Unavailable {
        checkpoint: id,
        reasons,
        may_pass,
    })
}

/// Why fetched files do not enter the library.
enum Fault {
    /// They are the checkpoint, but this release cannot run it.
    Release(CheckpointError),
    /// They have another format. Only a release that reads it can tell whether they are the checkpoint.
    Format(CheckpointError),
    /// They are not the checkpoint.
    Files(CheckpointError),
}

impl Fault {
    /// The fault of the files in `folder`, which are not checkpoint `id` because of `error`.
    fn of(folder: &Path, id: CheckpointId, error: CheckpointError) -> Self {
        match error {
            CheckpointError::Format { .. } => Self::Format(error),
            // The id is the hash of the manifest, so it proves what the manifest states.
            _ if error.is_of_other_release() && recorded_id(folder) == Some(id) => {
                Self::Release(error)
            }
            _ => Self::Files(error),
        }
    }
}

/// Checks the files in `folder` on a blocking thread.
async fn check_apart(folder: &Path, id: CheckpointId) -> Result<Result<(), Fault>, FetchError> {
    let folder = folder.to_owned();
    let checked = tokio::task::spawn_blocking(move || {
        check(&folder, id).map_err(|error| Fault::of(&folder, id, error))
    });
    checked.await.map_err(|_| FetchError::CheckEnded)
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
                format!("{name:?} is not a file of a checkpoint"),
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
    whole::publish(arriving, &at).map_err(place(&at))?;
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

/// Reads the secret key in `folder`, or creates one that only its owner may read.
fn secret(folder: &Path) -> Result<[u8; 32], FetchError> {
    let path = folder.join(SECRET);
    match fs::read(&path) {
        Ok(bytes) => bytes.try_into().map_err(|_| {
            place(&path)(io::Error::new(
                io::ErrorKind::InvalidData,
                "is not a secret key; remove it, and a new one is created",
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
