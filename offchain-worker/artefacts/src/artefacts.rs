//! The endpoint and the store of shared artefacts.

use crate::{
    handshakes,
    serve::{Offer, Server},
    BlobHash, Error, Fetcher, Options, PeerId, MAX_FILES, MAX_NAME_BYTES,
};
use futures::StreamExt;
use iroh::{
    protocol::{DynProtocolHandler, Router},
    Endpoint,
};
use iroh_blobs::{
    api::{
        blobs::{AddPathOptions, ImportMode},
        TempTag,
    },
    format::collection::Collection,
    store::{
        fs::{options::Options as StoreOptions, FsStore},
        GcConfig,
    },
    BlobFormat, HashAndFormat,
};
use std::{
    ffi::OsStr,
    fmt,
    fs::{self, File, TryLockError},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// File whose lock is held by the process that shares from a folder.
const LOCK: &str = "lock";
/// Tries for a lock that is held, and the pause between them.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// A protocol that an endpoint serves beside artefacts.
pub struct Protocol {
    /// The name by which peers ask for it.
    pub alpn: &'static [u8],
    /// Serves its connections.
    pub handler: Box<dyn DynProtocolHandler>,
}

/// An endpoint that shares artefacts and fetches them.
pub struct Artefacts {
    path: PathBuf,
    store: FsStore,
    router: Router,
    fetcher: Fetcher,
    offer: Offer,
    /// Held while the store is open.
    _lock: File,
}

impl Artefacts {
    /// Listens, and opens the store in the folder `path`, which is created if it does not exist. Artefacts
    /// shared before are served again. The same `secret` gives the same [`PeerId`].
    ///
    /// After [`Error::Bind`] the store is unchanged: the same folder can be opened at another address.
    pub async fn open(
        path: impl Into<PathBuf>,
        secret: &[u8; 32],
        options: Options,
    ) -> Result<Self, Error> {
        Self::open_with(path, secret, options, Vec::new()).await
    }

    /// Opens an endpoint as [`open`](Self::open) does, which serves `protocols`, too.
    pub async fn open_with(
        path: impl Into<PathBuf>,
        secret: &[u8; 32],
        options: Options,
        protocols: Vec<Protocol>,
    ) -> Result<Self, Error> {
        let path = path.into();
        fs::create_dir_all(&path).map_err(io_at(&path))?;
        let lock = lock(&path).await?;
        // Bind first: a store closes some time after it is dropped, and until then it cannot be opened for a
        // try at another address.
        let fetcher = Fetcher::bind(secret, options.clone()).await?;
        let (store, offer) = match load(&path).await {
            Ok(opened) => opened,
            Err(error) => {
                fetcher.shutdown().await;
                return Err(error);
            }
        };
        let server = Server::new(
            &store,
            offer.clone(),
            options.max_connections,
            options.longest_connection,
        );
        let mut builder = Router::builder(fetcher.endpoint().clone())
            .incoming_filter(handshakes::filter())
            .accept(iroh_blobs::ALPN, server);
        for protocol in protocols {
            builder = builder.accept(protocol.alpn, protocol.handler);
        }
        let router = builder.spawn();
        Ok(Self {
            path,
            store,
            router,
            fetcher,
            offer,
            _lock: lock,
        })
    }

    /// Fetches from other peers over the same endpoint.
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// The endpoint, for connections of other protocols.
    pub fn endpoint(&self) -> &Endpoint {
        self.router.endpoint()
    }

    /// The public key that peers know this endpoint by.
    pub fn peer(&self) -> PeerId {
        PeerId(*self.router.endpoint().id().as_bytes())
    }

    /// Where this endpoint listens; an unspecified address means every interface.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.router.endpoint().bound_sockets()
    }

    /// Shares a file by reference: it must stay unchanged at its path. A file smaller than 16 KiB is copied.
    pub async fn share(&self, file: impl AsRef<Path>) -> Result<BlobHash, Error> {
        let tag = self.add(file.as_ref()).await?;
        self.offer(HashAndFormat::raw(tag.hash())).await
    }

    /// Shares all of these files, each as [`share`](Self::share) does, or none. The store is written once for
    /// all of them.
    pub async fn share_each(
        &self,
        files: impl IntoIterator<Item = impl AsRef<Path>>,
    ) -> Result<Vec<BlobHash>, Error> {
        let mut hashes = Vec::new();
        for file in files {
            let tag = self.add(file.as_ref()).await?;
            self.keep(HashAndFormat::raw(tag.hash())).await?;
            hashes.push(tag.hash());
        }
        self.sync().await?;
        for hash in &hashes {
            self.offer.insert(*hash);
        }
        Ok(hashes.into_iter().map(BlobHash::from).collect())
    }

    /// Shares all files of a folder under one hash, by reference. The hash depends on the names and the
    /// contents only. Hidden files are left out; a folder with subfolders is refused.
    pub async fn share_directory(&self, directory: impl AsRef<Path>) -> Result<BlobHash, Error> {
        let directory = directory.as_ref();
        self.share_files(directory, file_names(directory)?).await
    }

    /// Shares the named files of a folder and no others, as [`share_directory`](Self::share_directory) does
    /// with all of them.
    pub async fn share_files(
        &self,
        directory: impl AsRef<Path>,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<BlobHash, Error> {
        let directory = directory.as_ref();
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        names.sort();
        if names.is_empty() || names.len() > MAX_FILES {
            return Err(not_shareable(
                directory,
                format!("it has {} files", names.len()),
            ));
        }
        // Tags keep the parts from being collected before the directory is stored.
        let mut parts = Vec::with_capacity(names.len());
        for name in names {
            let tag = self.add(&directory.join(&name)).await?;
            parts.push((name, tag));
        }
        let collection: Collection = parts
            .iter()
            .map(|(name, tag)| (name.clone(), tag.hash()))
            .collect();
        let tag = collection
            .store(&self.store)
            .await
            .map_err(store_at(&self.path))?;
        self.offer(tag.hash_and_format()).await
    }

    /// Stops serving an artefact; returns whether it was served. The file stays.
    pub async fn unshare(&self, hash: BlobHash) -> Result<bool, Error> {
        let was = self.offer.remove(hash.into());
        let name = hash.to_string();
        self.store
            .tags()
            .delete(name)
            .await
            .map_err(store_at(&self.path))?;
        Ok(was)
    }

    /// Whether an artefact is served.
    pub fn is_shared(&self, hash: BlobHash) -> bool {
        self.offer.contains(hash.into())
    }

    /// The served artefacts.
    pub fn shared(&self) -> Vec<BlobHash> {
        self.offer.all().into_iter().map(BlobHash::from).collect()
    }

    /// Closes all connections and the store.
    pub async fn shutdown(self) {
        // An error here is a panic in a task of the router, which has already been printed.
        let _panicked = self.router.shutdown().await;
    }

    async fn add(&self, file: &Path) -> Result<TempTag, Error> {
        let path = fs::canonicalize(file).map_err(io_at(file))?;
        let options = AddPathOptions {
            path,
            format: BlobFormat::Raw,
            mode: ImportMode::TryReference,
        };
        let added = self.store.blobs().add_path_with_opts(options);
        added.temp_tag().await.map_err(store_at(file))
    }

    /// Makes the store keep an artefact, and lets peers request it.
    async fn offer(&self, artefact: HashAndFormat) -> Result<BlobHash, Error> {
        self.keep(artefact).await?;
        self.sync().await?;
        self.offer.insert(artefact.hash);
        Ok(artefact.hash.into())
    }

    /// Makes the store keep an artefact.
    async fn keep(&self, artefact: HashAndFormat) -> Result<(), Error> {
        let name = BlobHash::from(artefact.hash).to_string();
        let kept = self.store.tags().set(name, artefact).await;
        kept.map_err(store_at(&self.path))
    }

    /// Waits until all that the store keeps is on disk.
    async fn sync(&self) -> Result<(), Error> {
        self.store.sync_db().await.map_err(store_at(&self.path))
    }
}

impl fmt::Debug for Artefacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artefacts")
            .field("path", &self.path)
            .field("peer", &self.peer())
            .finish_non_exhaustive()
    }
}

/// Whether a process shares files from the folder `path`.
pub fn is_shared_from(path: impl AsRef<Path>) -> Result<bool, Error> {
    let path = path.as_ref();
    if !path.join(LOCK).exists() {
        return Ok(false);
    }
    match try_lock(path) {
        Ok(_) => Ok(false),
        Err(Error::InUse { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Locks the folder until the file is closed. It retries for a moment, since [`is_shared_from`] also takes
/// the lock.
async fn lock(path: &Path) -> Result<File, Error> {
    for _ in 0..TRIES {
        match try_lock(path) {
            Err(Error::InUse { .. }) => tokio::time::sleep(PAUSE).await,
            locked => return locked,
        }
    }
    try_lock(path)
}

fn try_lock(path: &Path) -> Result<File, Error> {
    let file = path.join(LOCK);
    let lock = File::create(&file).map_err(io_at(&file))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(io_at(&file)(source)),
    }
}

/// Opens the store, and returns it with what it shares.
async fn load(path: &Path) -> Result<(FsStore, Offer), Error> {
    let mut options = StoreOptions::new(path);
    // An artefact that is no longer shared leaves only a tree of hashes to collect, 1/256 of the file.
    options.gc = Some(GcConfig {
        interval: Duration::from_secs(600),
        add_protected: None,
    });
    let loaded = FsStore::load_with_opts(path.join("blobs.db"), options).await;
    let store = loaded.map_err(store_at(path))?;
    match shared(&store).await {
        Ok(offer) => Ok((store, offer)),
        Err(reason) => {
            // The first error names the cause; an error on closing adds nothing.
            let _broken = store.shutdown().await;
            Err(store_at(path)(reason))
        }
    }
}

async fn shared(store: &FsStore) -> Result<Offer, String> {
    let offer = Offer::default();
    let mut tags = store
        .tags()
        .list()
        .await
        .map_err(|error| error.to_string())?;
    while let Some(tag) = tags.next().await {
        offer.insert(tag.map_err(|error| error.to_string())?.hash);
    }
    Ok(offer)
}

/// The names of the files in a folder, sorted.
fn file_names(directory: &Path) -> Result<Vec<String>, Error> {
    let refuse = |reason| not_shareable(directory, reason);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(io_at(directory))? {
        let entry = entry.map_err(io_at(directory))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let is_file = fs::metadata(entry.path())
            .map_err(io_at(&entry.path()))?
            .is_file();
        match plain_name(&name).filter(|_| is_file) {
            Some(name) => names.push(name.to_owned()),
            None => return Err(refuse(format!("{name:?} is not a file with a plain name"))),
        }
    }
    Ok(names)
}

fn not_shareable(directory: &Path, reason: String) -> Error {
    Error::NotShareable {
        path: directory.to_owned(),
        reason,
    }
}

/// `name`, if it can name a file in a folder on every system and nothing outside it.
pub(crate) fn plain_name(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?;
    let plain = !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && !name.starts_with('.')
        && !name
            .chars()
            .any(|c| c.is_control() || matches!(c, '/' | '\\' | ':'));
    plain.then_some(name)
}

pub(crate) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::Io {
        path: path.to_owned(),
        source,
    }
}

pub(crate) fn store_at<E: fmt::Display>(path: &Path) -> impl FnOnce(E) -> Error + '_ {
    move |reason| Error::Store {
        path: path.to_owned(),
        reason: format!("{reason:#}"),
    }
}
