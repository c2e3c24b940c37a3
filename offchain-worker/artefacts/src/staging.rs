//! Staging of an artefact until it is complete: a folder beside its destination.

use crate::{
    artefacts::{io_at, plain_name, store_at},
    kind::Kind,
    BlobHash, Error,
};
use iroh_blobs::{
    api::blobs::{ExportMode, ExportOptions},
    format::collection::Collection,
    store::fs::FsStore,
    Hash, HashAndFormat,
};
use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Tries while another fetch to the same destination is under way, and the pause between them. A dropped
/// fetch still has to close its store.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// Where the artefact is put before it is moved to its destination.
const OUT: &str = "out";

/// The blocks of one artefact that have arrived. One process has them open at a time.
pub(crate) struct Staging {
    into: PathBuf,
    root: PathBuf,
    folder: PathBuf,
    pub(crate) store: FsStore,
    kind: Kind,
    hash: Hash,
    _lock: File,
}

impl Staging {
    /// Opens what an earlier fetch of `hash` to `into` left, or starts an empty staging folder.
    pub(crate) async fn open(into: &Path, kind: Kind, hash: BlobHash) -> Result<Self, Error> {
        let name = into.file_name().unwrap_or(OsStr::new("artefact"));
        let mut staged = OsString::from(".");
        staged.push(name);
        staged.push(".fetching");
        let root = into.with_file_name(staged);
        ensure_absent(into)?;
        let lock = lock(&root, into).await?;
        // The previous owner of the lock may have fetched it.
        ensure_absent(into)?;
        let folder = root.join(hash.to_string());
        // An interrupted delivery has moved files out of the store, so the fetch cannot resume.
        let usable = !folder.join(OUT).exists();
        forget_others(&root, usable.then_some(&folder))?;
        fs::create_dir_all(&folder).map_err(io_at(&folder))?;
        let store = FsStore::load(&folder).await.map_err(store_at(&folder))?;
        Ok(Self {
            into: into.to_owned(),
            root,
            folder,
            store,
            kind,
            hash: hash.into(),
            _lock: lock,
        })
    }

    /// The content to request.
    pub(crate) fn content(&self) -> HashAndFormat {
        match self.kind {
            Kind::File => HashAndFormat::raw(self.hash),
            Kind::Directory => HashAndFormat::hash_seq(self.hash),
        }
    }

    /// The bytes that have arrived, including the list of a directory.
    pub(crate) async fn present(&self) -> Result<u64, Error> {
        let local = self.store.remote().local(self.content()).await;
        Ok(local.map_err(store_at(&self.folder))?.local_bytes())
    }

    /// Refuses if the disk has no room for `missing` further bytes and their hashes.
    pub(crate) fn ensure_room(&self, missing: u64) -> Result<(), Error> {
        let needed = missing.saturating_add(missing / 128);
        let free = free(&self.folder)?;
        if free < needed {
            return Err(Error::DiskFull {
                path: self.folder.clone(),
                needed,
                free,
            });
        }
        Ok(())
    }

    /// Moves the complete artefact to its destination in one step and removes the staging folder.
    pub(crate) async fn deliver(self) -> Result<(), Error> {
        let out = self.folder.join(OUT);
        let written = self.write(&out).await;
        self.close().await;
        written?;
        fs::rename(&out, &self.into).map_err(io_at(&self.into))?;
        self.clear_up();
        let folder = self.into.parent().filter(|f| !f.as_os_str().is_empty());
        sync(folder.unwrap_or(Path::new(".")))
    }

    /// Ends a fetch that did not succeed; the blocks that arrived stay.
    pub(crate) async fn suspend(self) {
        let nothing = self.present().await.is_ok_and(|bytes| bytes == 0);
        self.close().await;
        if nothing {
            self.clear_up();
        }
    }

    /// Removes files that are no longer needed. A fetch that waits for the lock may be about to use the
    /// folder again; then the folder stays.
    fn clear_up(&self) {
        if let Err(error) = fs::remove_dir_all(&self.root) {
            tracing::debug!(folder = %self.root.display(), %error, "cannot remove the staging folder");
        }
    }

    async fn close(&self) {
        if let Err(error) = self.store.shutdown().await {
            tracing::warn!(folder = %self.folder.display(), %error, "the artefact store did not close");
        }
    }

    async fn write(&self, out: &Path) -> Result<(), Error> {
        match self.kind {
            Kind::File => self.write_file(self.hash, out).await,
            Kind::Directory => {
                let collection = Collection::load(self.hash, &*self.store).await;
                let collection =
                    collection.map_err(|error| self.malformed(format!("{error:#}")))?;
                let mut names: Vec<_> = collection.iter().map(|(name, _)| name).collect();
                names.sort();
                names.dedup();
                if names.len() != collection.len() {
                    return Err(self.malformed("two files have the same name".to_owned()));
                }
                fs::create_dir(out).map_err(io_at(out))?;
                for (name, hash) in collection.iter() {
                    let name = plain_name(OsStr::new(name))
                        .ok_or_else(|| self.malformed(format!("{name:?} is not a plain name")))?;
                    self.write_file(*hash, &out.join(name)).await?;
                }
                sync(out)
            }
        }
    }

    async fn write_file(&self, hash: Hash, target: &Path) -> Result<(), Error> {
        let options = ExportOptions {
            hash,
            mode: ExportMode::TryReference,
            target: target.to_owned(),
        };
        let exported = self.store.blobs().export_with_opts(options);
        exported.finish().await.map_err(store_at(target))?;
        sync(target)
    }

    fn malformed(&self, reason: String) -> Error {
        Error::Malformed {
            hash: self.hash.into(),
            reason,
        }
    }
}

/// Syncs a file, or the entries of a folder, to disk.
fn sync(path: &Path) -> Result<(), Error> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(io_at(path))
}

/// Bytes free on the disk of `path`.
fn free(path: &Path) -> Result<u64, Error> {
    let disk = rustix::fs::statvfs(path).map_err(|error| io_at(path)(error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn ensure_absent(into: &Path) -> Result<(), Error> {
    if into.exists() {
        return Err(Error::Exists {
            path: into.to_owned(),
        });
    }
    Ok(())
}

/// Creates the folder and locks it.
async fn lock(root: &Path, into: &Path) -> Result<File, Error> {
    let path = root.join("lock");
    for _ in 0..TRIES {
        fs::create_dir_all(root).map_err(io_at(root))?;
        let file = match File::create(&path) {
            // The previous owner of the lock removed the folder in between.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            created => created.map_err(io_at(&path))?,
        };
        match file.try_lock() {
            Ok(()) if is_at(&file, &path) => return Ok(file),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(source)) => return Err(io_at(&path)(source)),
        }
    }
    Err(Error::Busy {
        path: into.to_owned(),
    })
}

/// Whether `path` still refers to `file`, and not to a later one.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let there = fs::metadata(path).map(identity).ok();
    there.is_some() && there == file.metadata().map(identity).ok()
}

/// Removes what other fetches to the same destination left, except `folder`.
fn forget_others(root: &Path, folder: Option<&PathBuf>) -> Result<(), Error> {
    for entry in fs::read_dir(root).map_err(io_at(root))? {
        let path = entry.map_err(io_at(root))?.path();
        if path.is_dir() && Some(&path) != folder {
            fs::remove_dir_all(&path).map_err(io_at(&path))?;
        }
    }
    Ok(())
}
