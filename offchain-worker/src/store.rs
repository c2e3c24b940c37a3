//! The job store: the results that an operator must keep across a crash.
//!
//! A result is on disk before any other party sees it: an answer before it is submitted; the result and the
//! salt of a check, a verdict, a contribution or the scores of a round before their commitment. So a process
//! that is killed at any point neither computes another answer nor loses what it has committed to.
//! Submissions are not stored: a duty that the chain still expects is submitted again.
//!
//! Each record names its subject. A development chain that is restarted has the same genesis hash and counts
//! its requests, claims and rounds from zero again: the subject distinguishes the records of the old chain
//! from those of the new one.

mod record;

pub use record::{
    JobKey, JobRecord, JobStage, Product, StoredAnswer, StoredCheck, StoredSessionCheck, Ticket,
};

use codec::{Decode, Encode};
use noema_model::whole;
use noema_protocol::RoundId;
use record::Key;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use sp_core::H256;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// An account in its 32-byte form.
pub type AccountBytes = [u8; 32];

const JOBS: TableDefinition<'_, Key, Vec<u8>> = TableDefinition::new("jobs/3");
const CHAIN: TableDefinition<'_, &str, Vec<u8>> = TableDefinition::new("chain/1");

/// Bytes that must be free on the disk before a write. A database whose disk fills up during a write can
/// neither be written nor read.
const LEAST_ROOM: u64 = 64 << 20;

/// Records of requests and claims whose number is this much below the newest are removed.
const KEPT: u64 = 10_000;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the file open.
    #[error("the job store {0} is in use by another process; give each worker its own --store, or stop the other one")]
    InUse(PathBuf),
    /// The store belongs to another chain.
    #[error("the job store {path} was written for the chain with genesis {recorded:?}, this node runs {found:?}; use another --store, or move the file away if the old chain is gone")]
    OtherChain {
        /// The store's file.
        path: PathBuf,
        /// The chain it was written for.
        recorded: H256,
        /// The chain of the node.
        found: H256,
    },
    /// A record cannot be read back.
    #[error("the job store holds a record of {what} that this version cannot read ({source}); use the version that wrote it, or move the file away once the operator has no open jobs")]
    Unreadable {
        /// The job of the record.
        what: String,
        /// The decoder's error.
        source: codec::Error,
    },
    /// The disk is full.
    #[error("the disk of the job store {path} is full: {source}")]
    DiskFull {
        /// The store's file.
        path: PathBuf,
        /// The system's error, or the bytes that are free and needed.
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the job store failed: {0}; check that its folder exists and is writable, and that the disk has room")]
    Database(Box<redb::Error>),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// The location of a store.
pub trait StorePlace: Send + Sync + 'static {
    /// Opens the database, or creates it.
    fn open(&self) -> Result<Database, redb::DatabaseError>;

    /// Checks that there is room to write.
    fn ensure_room(&self) -> std::io::Result<()>;
}

/// A store in a file.
struct FilePlace(PathBuf);

impl StorePlace for FilePlace {
    fn open(&self) -> Result<Database, redb::DatabaseError> {
        if let Some(folder) = self.0.parent() {
            std::fs::create_dir_all(folder).map_err(redb::StorageError::from)?;
        }
        Database::create(&self.0)
    }

    fn ensure_room(&self) -> std::io::Result<()> {
        whole::ensure_room(&self.0, LEAST_ROOM)
    }
}

/// The job store of one process.
///
/// A database that failed once refuses all later accesses, including reads. So it is closed, and opened
/// again at its next use.
pub struct Store {
    path: PathBuf,
    place: Box<dyn StorePlace>,
    /// The genesis hash of its chain, once that is known.
    genesis: OnceLock<H256>,
    database: Mutex<Option<Arc<Database>>>,
}

impl Store {
    /// Opens the store at `path`, or creates it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let store = Self::at(path);
        store.with(|_| Ok(()))?;
        Ok(store)
    }

    /// The store at `path`, which is opened or created at its first use.
    pub fn at(path: &Path) -> Self {
        Self::over(path, FilePlace(path.to_owned()))
    }

    /// The store at `place`; errors name it `path`.
    pub fn over(path: &Path, place: impl StorePlace) -> Self {
        Self {
            path: path.to_owned(),
            place: Box::new(place),
            genesis: OnceLock::new(),
            database: Mutex::new(None),
        }
    }

    /// Binds the store to the chain with this genesis hash. Fails, now and whenever the store is opened
    /// again, if it belongs to another chain.
    pub fn bind(&self, genesis: H256) -> Result<(), StoreError> {
        self.genesis.get_or_init(|| genesis);
        self.with(|database| self.tie(database, genesis))
    }

    /// Checks that the store can be written.
    pub fn check(&self) -> Result<(), StoreError> {
        self.ensure_room()?;
        self.with(|database| {
            let transaction = database.begin_write()?;
            transaction
                .open_table(CHAIN)?
                .insert("checked", Vec::new())?;
            transaction.commit()?;
            Ok(())
        })
    }

    /// Runs `using` on the database, which is opened if it is closed.
    fn with<T>(
        &self,
        using: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database()?;
        let used = using(&database);
        if matches!(used, Err(StoreError::Database(_))) {
            let mut open = self.open_database();
            if open
                .as_ref()
                .is_some_and(|open| Arc::ptr_eq(open, &database))
            {
                *open = None;
            }
        }
        used
    }

    fn ensure_room(&self) -> Result<(), StoreError> {
        let has_room = self.place.ensure_room();
        has_room.map_err(|source| StoreError::DiskFull {
            path: self.path.clone(),
            source,
        })
    }

    fn database(&self) -> Result<Arc<Database>, StoreError> {
        let mut open = self.open_database();
        if let Some(database) = open.as_ref() {
            return Ok(database.clone());
        }
        let database = match self.place.open() {
            Ok(database) => Arc::new(database),
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => {
                return Err(StoreError::InUse(self.path.clone()))
            }
            Err(error) => return Err(error.into()),
        };
        let transaction = database.begin_write()?;
        transaction.open_table(JOBS)?;
        transaction.open_table(CHAIN)?;
        transaction.commit()?;
        if let Some(genesis) = self.genesis.get() {
            self.tie(&database, *genesis)?;
        }
        *open = Some(database.clone());
        Ok(database)
    }

    fn open_database(&self) -> MutexGuard<'_, Option<Arc<Database>>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tie(&self, database: &Database, genesis: H256) -> Result<(), StoreError> {
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(CHAIN)?;
            let recorded = table.get("genesis")?.map(|bytes| bytes.value());
            match recorded {
                Some(bytes) => {
                    let recorded = decode::<H256>("the chain", &bytes)?;
                    if recorded != genesis {
                        return Err(StoreError::OtherChain {
                            path: self.path.clone(),
                            recorded,
                            found: genesis,
                        });
                    }
                }
                None => {
                    table.insert("genesis", genesis.encode())?;
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The record at `key`.
    pub fn get(&self, key: &JobKey) -> Result<Option<JobRecord>, StoreError> {
        self.with(|database| {
            let table = database.begin_read()?.open_table(JOBS)?;
            let record = table.get(key.encoded())?;
            record
                .map(|bytes| decode(&key.job.to_string(), &bytes.value()))
                .transpose()
        })
    }

    /// Writes the record at `key`; on return it is on disk.
    pub fn put(&self, key: &JobKey, record: &JobRecord) -> Result<(), StoreError> {
        self.ensure_room()?;
        self.with(|database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(JOBS)?;
                let (operator, kind, number, leaf) = key.encoded();
                table.insert((operator, kind, number, leaf), record.encode())?;
                if let Some(oldest) = number.checked_sub(KEPT) {
                    let old = (operator, kind, 0, 0)..(operator, kind, oldest, 0);
                    table.retain_in(old, |_, _| false)?;
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// Removes an operator's records of all rounds but those that are `open`.
    pub fn forget_rounds(
        &self,
        operator: AccountBytes,
        open: &BTreeSet<RoundId>,
    ) -> Result<(), StoreError> {
        let rounds = record::rounds_of(operator);
        let is_over = |key: &Key| !open.contains(&RoundId(key.2));
        let has_any = self.with(|database| {
            let table = database.begin_read()?.open_table(JOBS)?;
            for found in table.range(rounds.clone())? {
                if is_over(&found?.0.value()) {
                    return Ok(true);
                }
            }
            Ok(false)
        })?;
        // Usually there are none: then nothing is written.
        if !has_any {
            return Ok(());
        }
        self.ensure_room()?;
        self.with(|database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(JOBS)?;
                table.retain_in(rounds, |key, _| !is_over(&key))?;
            }
            transaction.commit()?;
            Ok(())
        })
    }
}

fn decode<T: Decode>(what: &str, bytes: &[u8]) -> Result<T, StoreError> {
    T::decode(&mut &bytes[..]).map_err(|source| StoreError::Unreadable {
        what: what.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_protocol::{ClaimId, Job, RequestId, Verdict};
    use noema_rounds::{Contribution, ScoreSheet};

    fn key(job: Job) -> JobKey {
        JobKey {
            operator: [7; 32],
            job,
        }
    }

    fn request(number: u64) -> JobKey {
        key(Job::Request(RequestId(number)))
    }

    fn record(block: u64) -> JobRecord {
        JobRecord {
            subject: H256::repeat_byte(1),
            stage: JobStage::Done { block },
        }
    }

    fn new_store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&folder.path().join("jobs.redb")).expect("a new store opens");
        (folder, store)
    }

    #[test]
    fn a_record_survives_a_restart() {
        let (folder, store) = new_store();
        let record = JobRecord {
            subject: H256::repeat_byte(2),
            stage: JobStage::Executed(Product::Verdict {
                verdict: Verdict::False,
                salt: H256::repeat_byte(3),
            }),
        };
        store.put(&request(3), &record).expect("written");
        drop(store);
        let store = Store::open(&folder.path().join("jobs.redb")).expect("the store opens again");
        assert_eq!(store.get(&request(3)).expect("readable"), Some(record));
    }

    #[test]
    fn jobs_of_the_same_number_are_kept_apart() {
        let (_folder, store) = new_store();
        let jobs = [
            Job::Request(RequestId(1)),
            Job::Check(ClaimId(1), 0),
            Job::Check(ClaimId(1), 1),
            Job::Dispute(ClaimId(1), 0),
            Job::Round(RoundId(1)),
        ];
        for (block, job) in (0..).zip(jobs) {
            store.put(&key(job), &record(block)).expect("written");
        }
        for (block, job) in (0..).zip(jobs) {
            let found = store.get(&key(job)).expect("readable");
            assert_eq!(found, Some(record(block)), "{job}");
        }
        let other = JobKey {
            operator: [8; 32],
            ..request(1)
        };
        assert_eq!(store.get(&other).expect("readable"), None);
    }

    #[test]
    fn old_records_are_forgotten_kind_by_kind() {
        let (_folder, store) = new_store();
        let check = key(Job::Check(ClaimId(1), 0));
        for key in [&request(1), &check, &request(KEPT + 2)] {
            store.put(key, &record(1)).expect("written");
        }
        assert_eq!(store.get(&request(1)).expect("readable"), None);
        assert_eq!(store.get(&check).expect("readable"), Some(record(1)));
    }

    fn round(number: u64) -> JobKey {
        key(Job::Round(RoundId(number)))
    }

    #[test]
    fn what_was_done_in_a_round_survives_a_restart() {
        let (folder, store) = new_store();
        let salt = H256::repeat_byte(3);
        let contribution = Contribution {
            update: H256::repeat_byte(1),
            bytes: 5,
        };
        let sheet = ScoreSheet {
            parent: 7,
            findings: Default::default(),
        };
        let products = [
            Product::Contribution { contribution, salt },
            Product::Scores { sheet, salt },
        ];
        let records = products.map(|product| JobRecord {
            subject: H256::repeat_byte(2),
            stage: JobStage::Executed(product),
        });
        for (number, record) in (1..).zip(&records) {
            store.put(&round(number), record).expect("written");
        }
        drop(store);
        let store = Store::open(&folder.path().join("jobs.redb")).expect("the store opens again");
        for (number, record) in (1..).zip(records) {
            let found = store.get(&round(number)).expect("readable");
            assert_eq!(found, Some(record));
        }
    }

    #[test]
    fn rounds_that_are_over_are_forgotten_and_nothing_else() {
        let (_folder, store) = new_store();
        let other = JobKey {
            operator: [8; 32],
            ..round(1)
        };
        let check = key(Job::Check(ClaimId(1), 0));
        for key in [&round(1), &round(2), &round(3), &other, &check] {
            store.put(key, &record(1)).expect("written");
        }
        let open = [RoundId(1), RoundId(3), RoundId(4)].into();
        store.forget_rounds([7; 32], &open).expect("removed");
        let is_kept = |key: &JobKey| store.get(key).expect("readable").is_some();
        assert_eq!([1, 2, 3].map(|n| is_kept(&round(n))), [true, false, true]);
        assert!(is_kept(&other) && is_kept(&check));
    }

    #[test]
    fn a_store_serves_one_chain() {
        let (_folder, store) = new_store();
        store.bind(H256::repeat_byte(1)).expect("the first chain");
        store.bind(H256::repeat_byte(1)).expect("the same chain");
        assert!(matches!(
            store.bind(H256::repeat_byte(2)),
            Err(StoreError::OtherChain { .. })
        ));
    }

    #[test]
    fn two_processes_cannot_share_a_store() {
        let (folder, _store) = new_store();
        let path = folder.path().join("jobs.redb");
        assert!(matches!(Store::open(&path), Err(StoreError::InUse(_))));
    }
}
