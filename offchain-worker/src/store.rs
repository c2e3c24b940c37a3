//! What an operator must remember across a crash: how far it got with each job.
//!
//! Every stage is on disk before the step that follows it is visible to others: an answer is stored
//! before it is submitted, the salt of a verdict before its commitment. So a process that is killed at
//! any point neither computes another answer nor loses a verdict that it has committed to. What was
//! handed to the node is not stored: a duty that the chain still expects is handed over again.

use codec::{Decode, Encode};
use noema_protocol::{RequestId, VerdictReveal};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use sp_core::H256;
use std::path::{Path, PathBuf};

/// An account in its 32-byte form.
pub type AccountBytes = [u8; 32];

type Key = (AccountBytes, u64, u32);

const JOBS: TableDefinition<'_, Key, Vec<u8>> = TableDefinition::new("jobs/2");
const CHECKS: TableDefinition<'_, Key, Vec<u8>> = TableDefinition::new("checks/2");
const AUDITS: TableDefinition<'_, Key, Vec<u8>> = TableDefinition::new("audits/2");
const CHAIN: TableDefinition<'_, &str, Vec<u8>> = TableDefinition::new("chain/1");

/// Records of requests this much older than the newest are forgotten.
const KEPT: u64 = 10_000;

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the file open.
    #[error("the job store {0} is in use by another process; give each worker its own --store, or stop the other one")]
    InUse(PathBuf),
    /// The folder of the store cannot be made.
    #[error("cannot create the folder of the job store {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
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
    #[error("the job store holds a record of {what} that this version cannot read: {source}")]
    Unreadable {
        /// What the record is about.
        what: &'static str,
        /// What the decoder said.
        source: codec::Error,
    },
    /// The database failed.
    #[error("the job store failed: {0}")]
    Database(Box<redb::Error>),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// An answer as it is submitted, and the digest behind its trace commitment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredAnswer {
    /// Tokens of the prompt, chat template included.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub tokens: Vec<u32>,
    /// Text of the answer.
    pub text: String,
    /// The digest that only execution yields.
    pub digest: H256,
}

/// How far a worker got with an answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum JobStage {
    /// Seen on chain; the answer is being computed.
    Received,
    /// Computed: this is what is submitted.
    Executed(StoredAnswer),
    /// Nothing is left to do.
    Done(String),
}

/// How far a validator got with a check.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum CheckStage {
    /// Seen on chain; the answer is being re-executed.
    Received,
    /// Re-executed: this is what is committed to, then revealed.
    Executed(VerdictReveal),
    /// Nothing is left to do.
    Done(String),
}

/// How far a validator got with an answer that it audits of its own accord.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum AuditStage {
    /// Seen on chain; the answer is being re-executed.
    Received,
    /// Re-executed and found wrong: this digest is what the objection carries.
    Wrong(H256),
    /// Nothing is left to do.
    Done(String),
}

/// Names a record: whose it is, which request, and which attempt or round of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobKey {
    /// The operator's controller.
    pub operator: AccountBytes,
    /// The request.
    pub request: RequestId,
    /// The attempt of an answer, or the round of a check.
    pub round: u32,
}

impl JobKey {
    fn encoded(&self) -> Key {
        (self.operator, self.request.0, self.round)
    }
}

/// A kind of record that the store keeps.
pub trait Stage: Encode + Decode {
    /// What a record is called in messages.
    const WHAT: &'static str;
    #[doc(hidden)]
    const TABLE: TableDefinition<'static, Key, Vec<u8>>;
    /// Whether nothing is left to do.
    fn is_done(&self) -> bool;
}

impl Stage for JobStage {
    const WHAT: &'static str = "an answer";
    const TABLE: TableDefinition<'static, Key, Vec<u8>> = JOBS;
    fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl Stage for CheckStage {
    const WHAT: &'static str = "a check";
    const TABLE: TableDefinition<'static, Key, Vec<u8>> = CHECKS;
    fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl Stage for AuditStage {
    const WHAT: &'static str = "an audit";
    const TABLE: TableDefinition<'static, Key, Vec<u8>> = AUDITS;
    fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// The job store of one process.
pub struct Store {
    database: Database,
    path: PathBuf,
}

impl Store {
    /// Opens the store at `path`, or makes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
                path: folder.to_owned(),
                source,
            })?;
        }
        let database = match Database::create(path) {
            Ok(database) => database,
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => {
                return Err(StoreError::InUse(path.to_owned()))
            }
            Err(error) => return Err(error.into()),
        };
        let transaction = database.begin_write()?;
        for table in [JOBS, CHECKS, AUDITS] {
            transaction.open_table(table)?;
        }
        transaction.open_table(CHAIN)?;
        transaction.commit()?;
        Ok(Self {
            database,
            path: path.to_owned(),
        })
    }

    /// Ties the store to the chain with this genesis hash; refuses if it belongs to another.
    pub fn bind(&self, genesis: H256) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
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
    pub fn get<S: Stage>(&self, key: &JobKey) -> Result<Option<S>, StoreError> {
        let table = self.database.begin_read()?.open_table(S::TABLE)?;
        let record = table.get(key.encoded())?;
        record
            .map(|bytes| decode::<S>(S::WHAT, &bytes.value()))
            .transpose()
    }

    /// Writes the record at `key`; on return it is on disk.
    pub fn put<S: Stage>(&self, key: &JobKey, stage: &S) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(S::TABLE)?;
            table.insert(key.encoded(), stage.encode())?;
            if let Some(oldest) = key.request.0.checked_sub(KEPT) {
                let first = (key.operator, 0, 0);
                let last = (key.operator, oldest, 0);
                table.retain_in(first..last, |_, _| false)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The records of `operator` that something is left to do for, oldest request first.
    pub fn open_records<S: Stage>(
        &self,
        operator: &AccountBytes,
    ) -> Result<Vec<(JobKey, S)>, StoreError> {
        let table = self.database.begin_read()?.open_table(S::TABLE)?;
        let mut found = Vec::new();
        for entry in table.range((*operator, 0, 0)..=(*operator, u64::MAX, u32::MAX))? {
            let (key, bytes) = entry?;
            let (operator, request, round) = key.value();
            let stage = decode::<S>(S::WHAT, &bytes.value())?;
            if !stage.is_done() {
                let key = JobKey {
                    operator,
                    request: RequestId(request),
                    round,
                };
                found.push((key, stage));
            }
        }
        Ok(found)
    }
}

fn decode<T: Decode>(what: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    T::decode(&mut &bytes[..]).map_err(|source| StoreError::Unreadable { what, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(request: u64) -> JobKey {
        JobKey {
            operator: [7; 32],
            request: RequestId(request),
            round: 1,
        }
    }

    #[test]
    fn a_record_survives_a_restart() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("jobs.redb");
        let store = Store::open(&path).expect("a new store opens");
        store.put(&key(3), &JobStage::Received).expect("written");
        drop(store);
        let store = Store::open(&path).expect("the store opens again");
        assert_eq!(
            store.get::<JobStage>(&key(3)).expect("readable"),
            Some(JobStage::Received)
        );
    }

    #[test]
    fn what_is_done_is_not_open() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&folder.path().join("jobs.redb")).expect("a new store opens");
        store.put(&key(1), &JobStage::Received).expect("written");
        store
            .put(&key(2), &JobStage::Done("settled".into()))
            .expect("written");
        let open = store.open_records::<JobStage>(&[7; 32]).expect("readable");
        assert_eq!(open, vec![(key(1), JobStage::Received)]);
        assert!(store
            .open_records::<JobStage>(&[8; 32])
            .expect("readable")
            .is_empty());
    }

    #[test]
    fn old_records_are_forgotten() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&folder.path().join("jobs.redb")).expect("a new store opens");
        store.put(&key(1), &JobStage::Received).expect("written");
        store
            .put(&key(KEPT + 2), &JobStage::Received)
            .expect("written");
        assert_eq!(store.get::<JobStage>(&key(1)).expect("readable"), None);
    }

    #[test]
    fn a_store_serves_one_chain() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&folder.path().join("jobs.redb")).expect("a new store opens");
        store.bind(H256::repeat_byte(1)).expect("the first chain");
        store.bind(H256::repeat_byte(1)).expect("the same chain");
        assert!(matches!(
            store.bind(H256::repeat_byte(2)),
            Err(StoreError::OtherChain { .. })
        ));
    }

    #[test]
    fn two_processes_cannot_share_a_store() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("jobs.redb");
        let _store = Store::open(&path).expect("a new store opens");
        assert!(matches!(Store::open(&path), Err(StoreError::InUse(_))));
    }
}
