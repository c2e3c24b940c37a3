//! What both sides keep on disk.
//!
//! A side stores what it signed before it sends it, and continues from here after a crash.

mod payer;
mod worker;

pub use payer::{FalseAnswer, PayerRecord, PayerStore, ReceivedAnswer, SeenClaim};
pub use worker::{AnswerRecord, WorkerRecord, WorkerStore};

use crate::SessionStoreError;
use codec::DecodeAll;
use redb::Database;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The bytes that must be free on the disk of a store: a database whose disk fills up during a write can neither be
/// written nor read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastRoom {
    /// Before an answer is begun: it will have to be stored.
    pub answers: u64,
    /// Before any write. What lies between the two is kept for the ends of answers that were begun, and for vouchers and
    /// claims of what was earned.
    pub writes: u64,
}

impl Default for LeastRoom {
    fn default() -> Self {
        Self {
            answers: 64 << 20,
            writes: 8 << 20,
        }
    }
}

/// Creates the tables of a database.
type Create = fn(&Database) -> Result<(), SessionStoreError>;

/// A database in a file. One that failed once refuses all later accesses, so it is closed, and opened again at its
/// next use.
struct File {
    path: PathBuf,
    create: Create,
    open: Mutex<Option<Arc<Database>>>,
    least: Mutex<LeastRoom>,
}

impl File {
    /// Opens the database at `path`, or creates it.
    fn open(path: &Path, create: Create) -> Result<Self, SessionStoreError> {
        let file = Self {
            path: path.to_owned(),
            create,
            open: Mutex::new(None),
            least: Mutex::default(),
        };
        file.read(|_| Ok(()))?;
        Ok(file)
    }

    /// Runs `using` on the database.
    fn read<T>(
        &self,
        using: impl FnOnce(&Database) -> Result<T, SessionStoreError>,
    ) -> Result<T, SessionStoreError> {
        let database = self.database()?;
        let used = using(&database);
        if matches!(used, Err(SessionStoreError::Database(_))) {
            let mut open = self.opened();
            let is_same = open
                .as_ref()
                .is_some_and(|open| Arc::ptr_eq(open, &database));
            if is_same {
                *open = None;
            }
        }
        used
    }

    /// Runs `using`, which writes, on the database.
    fn write<T>(
        &self,
        using: impl FnOnce(&Database) -> Result<T, SessionStoreError>,
    ) -> Result<T, SessionStoreError> {
        self.ensure_room(self.least().writes)?;
        self.read(using)
    }

    /// Refuses if the disk has too little room for another answer.
    fn ensure_room_for_answer(&self) -> Result<(), SessionStoreError> {
        self.ensure_room(self.least().answers)
    }

    fn ensure_room(&self, least: u64) -> Result<(), SessionStoreError> {
        ensure_room(&self.path, least).map_err(|source| SessionStoreError::DiskFull {
            path: self.path.clone(),
            source,
        })
    }

    fn set_least_room(&self, least: LeastRoom) {
        *self.least.lock().unwrap_or_else(PoisonError::into_inner) = least;
    }

    fn least(&self) -> LeastRoom {
        *self.least.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn database(&self) -> Result<Arc<Database>, SessionStoreError> {
        let mut open = self.opened();
        if let Some(database) = open.as_ref() {
            return Ok(database.clone());
        }
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(redb::StorageError::from)?;
        }
        let database = match Database::create(&self.path) {
            Ok(database) => Arc::new(database),
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => {
                return Err(SessionStoreError::InUse(self.path.clone()))
            }
            Err(error) => return Err(error.into()),
        };
        (self.create)(&database)?;
        *open = Some(database.clone());
        Ok(database)
    }

    fn opened(&self) -> MutexGuard<'_, Option<Arc<Database>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses if the disk of `path`, which need not exist, has less room than `least` bytes.
fn ensure_room(path: &Path, least: u64) -> io::Result<()> {
    let existing = path.ancestors().find(|path| path.exists());
    let disk = rustix::fs::statvfs(existing.unwrap_or(path))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < least {
        return Err(io::Error::new(
            io::ErrorKind::StorageFull,
            format!("{least} bytes are needed, but {free} are free"),
        ));
    }
    Ok(())
}

fn decode<T: DecodeAll>(what: &str, bytes: &[u8]) -> Result<T, SessionStoreError> {
    T::decode_all(&mut &bytes[..]).map_err(|source| SessionStoreError::Unreadable {
        what: what.to_owned(),
        source,
    })
}
