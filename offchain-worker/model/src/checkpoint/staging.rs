//! Puts a checkpoint into a library either completely or not at all.
//!
//! Everything goes to a temporary directory beside the checkpoints, is synced to disk and moved into place by
//! one rename. A file lock marks the directory as in use; the next writer removes directories whose owner is
//! gone.

use super::{CheckpointError, Library, OpenCheckpoint};
use crate::whole::{self, StagedFolder};
use noema_checkpoint::CheckpointId;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

const TEMPORARY: &str = ".import-";
const LOCK: &str = ".lock";

/// A directory that is removed unless it is published.
pub(crate) struct Staging {
    root: PathBuf,
    folder: StagedFolder,
    /// Locked while the directory is in use.
    _lock: File,
}

impl Staging {
    pub(crate) fn create(root: &Path) -> Result<Self, CheckpointError> {
        fs::create_dir_all(root).map_err(|e| CheckpointError::write(root, e))?;
        let _guard = lock(&root.join(LOCK))?;
        remove_stale(root)?;
        let folder = StagedFolder::create(root, TEMPORARY.as_ref())
            .map_err(|e| CheckpointError::write(root, e))?;
        let lock = lock(&folder.path().join(LOCK))?;
        Ok(Self {
            root: root.into(),
            folder,
            _lock: lock,
        })
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a whole file and syncs it to disk.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> Result<(), CheckpointError> {
        let path = self.path().join(name);
        File::create_new(&path)
            .and_then(|file| whole::fill(file, bytes))
            .map_err(|e| CheckpointError::write(&path, e))
    }

    /// Moves the directory to its place, unless a valid checkpoint is there already.
    pub(crate) fn publish(
        self,
        library: &Library,
        id: CheckpointId,
    ) -> Result<OpenCheckpoint, CheckpointError> {
        let place = library.path(id);
        {
            let _guard = lock(&self.root.join(LOCK))?;
            if library
                .open(id)
                .is_ok_and(|there| there.verify(&|_| ()).is_ok())
            {
                return library.open(id);
            }
            let failed = |e| CheckpointError::write(&place, e);
            if place.exists() {
                fs::remove_dir_all(&place).map_err(failed)?;
            }
            let inside = self.path().join(LOCK);
            fs::remove_file(&inside).map_err(|e| CheckpointError::write(&inside, e))?;
            self.folder.publish(&place).map_err(failed)?;
        }
        library.open(id)
    }
}

/// Removes the directories of programs that were killed. Called with the library's lock held, so
/// that no directory is between its creation and its own lock.
fn remove_stale(root: &Path) -> Result<(), CheckpointError> {
    let entries = fs::read_dir(root).map_err(|e| CheckpointError::read_error(root, e))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with(TEMPORARY) {
            continue;
        }
        let path = entry.path();
        let in_use = File::open(path.join(LOCK)).is_ok_and(|file| file.try_lock().is_err());
        if !in_use {
            fs::remove_dir_all(&path).map_err(|e| CheckpointError::write(&path, e))?;
        }
    }
    Ok(())
}

/// Creates and locks a file, waiting for its owner.
fn lock(path: &Path) -> Result<File, CheckpointError> {
    let locked = || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(file)
    };
    locked().map_err(|e| CheckpointError::write(path, e))
}
