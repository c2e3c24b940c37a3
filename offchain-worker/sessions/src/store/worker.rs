//! The store of a worker.

use super::{decode, File, LeastRoom};
use crate::{AccountBytes, SessionStoreError, SignatureBytes, SignedReceipt};
use codec::{Decode, Encode};
use noema_protocol::SessionId;
use noema_sessions::WorkerSide;
use redb::{Database, ReadableDatabase, TableDefinition};
use sp_core::H256;
use std::ops::RangeInclusive;
use std::path::Path;

/// The worker's controller, and the number of the session.
type ServedKey = (AccountBytes, u64);
/// The same, and the number of the answer.
type AnswerKey = (AccountBytes, u64, u32);

const SESSIONS: TableDefinition<'_, ServedKey, Vec<u8>> = TableDefinition::new("worker/1");
const ANSWERS: TableDefinition<'_, AnswerKey, Vec<u8>> = TableDefinition::new("answers/1");
/// The hashes of the receipts: a path in a claim needs those of all its answers.
const LEAVES: TableDefinition<'_, AnswerKey, [u8; 32]> = TableDefinition::new("leaves/1");

/// The latest finalized block in which a session was first seen.
const BLOCK: TableDefinition<'_, (), u64> = TableDefinition::new("block/1");

/// A session as its worker keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WorkerRecord {
    /// The side.
    pub side: WorkerSide,
    /// The signature of the last voucher of the present bundle.
    pub present: Option<SignatureBytes>,
    /// The signature of the voucher of the bundle that waits for its claim.
    pub closed: Option<SignatureBytes>,
}

/// An answer of a session, to be shown to the payer again, and to validators.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AnswerRecord {
    /// The tokens of the prompt.
    pub prompt: Vec<u32>,
    /// The tokens of the answer.
    pub answer: Vec<u32>,
    /// The receipt.
    pub receipt: SignedReceipt,
}

/// The sessions of the workers of a process on disk.
pub struct WorkerStore(File);

impl WorkerStore {
    /// Opens the store at `path`, or creates it.
    ///
    /// # Errors
    /// When another process has it open, or the database fails.
    pub fn open(path: &Path) -> Result<Self, SessionStoreError> {
        Ok(Self(File::open(path, create)?))
    }

    /// Refuses if the disk has too little room for another answer.
    ///
    /// # Errors
    /// [`SessionStoreError::DiskFull`].
    pub fn ensure_room_for_answer(&self) -> Result<(), SessionStoreError> {
        self.0.ensure_room_for_answer()
    }

    /// Sets the bytes that must be free on the disk.
    pub fn set_least_room(&self, least: LeastRoom) {
        self.0.set_least_room(least);
    }

    /// A session of the worker with this controller.
    ///
    /// # Errors
    /// When the database fails, or another version wrote the record.
    pub fn get(
        &self,
        worker: AccountBytes,
        session: SessionId,
    ) -> Result<Option<WorkerRecord>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(SESSIONS)?;
            let record = table.get((worker, session.0))?;
            record
                .map(|bytes| decode("a session", &bytes.value()))
                .transpose()
        })
    }

    /// Writes a session, and the answer that it gave with it, if any; on return both are on disk.
    ///
    /// # Errors
    /// When the disk is full or the database fails.
    pub fn put(
        &self,
        worker: AccountBytes,
        record: &WorkerRecord,
        answer: Option<&AnswerRecord>,
    ) -> Result<(), SessionStoreError> {
        let session = record.side.agreement().session.0;
        self.0.write(|database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(SESSIONS)?;
                table.insert((worker, session), record.encode())?;
                if let Some(answer) = answer {
                    let receipt = &answer.receipt.receipt;
                    let key = (worker, session, receipt.n);
                    let mut table = transaction.open_table(ANSWERS)?;
                    table.insert(key, answer.encode())?;
                    let mut table = transaction.open_table(LEAVES)?;
                    table.insert(key, receipt.hash().0)?;
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// Answer number `n` of a session.
    ///
    /// # Errors
    /// When the database fails, or another version wrote the record.
    pub fn answer(
        &self,
        worker: AccountBytes,
        session: SessionId,
        n: u32,
    ) -> Result<Option<AnswerRecord>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(ANSWERS)?;
            let record = table.get((worker, session.0, n))?;
            record
                .map(|bytes| decode("an answer", &bytes.value()))
                .transpose()
        })
    }

    /// The hashes of the receipts of answers `first` to `last`, in order, as far as they are there.
    ///
    /// # Errors
    /// When the database fails.
    pub fn leaves(
        &self,
        worker: AccountBytes,
        session: SessionId,
        answers: RangeInclusive<u32>,
    ) -> Result<Vec<H256>, SessionStoreError> {
        let (first, last) = answers.into_inner();
        let range = (worker, session.0, first)..=(worker, session.0, last);
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(LEAVES)?;
            let mut leaves = Vec::new();
            for entry in table.range(range)? {
                leaves.push(H256(entry?.1.value()));
            }
            Ok(leaves)
        })
    }

    /// The sessions of a worker.
    ///
    /// # Errors
    /// When the database fails.
    pub fn sessions(&self, worker: AccountBytes) -> Result<Vec<SessionId>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(SESSIONS)?;
            let mut sessions = Vec::new();
            for entry in table.range((worker, 0)..=(worker, u64::MAX))? {
                sessions.push(SessionId(entry?.0.value().1));
            }
            Ok(sessions)
        })
    }

    /// The latest finalized block in which a session was first seen.
    ///
    /// # Errors
    /// When the database fails.
    pub fn block(&self) -> Result<u64, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(BLOCK)?;
            let block = table.get(())?;
            Ok(block.map_or(0, |block| block.value()))
        })
    }

    /// Records that a session was first seen in this block.
    ///
    /// # Errors
    /// When the disk is full or the database fails.
    pub fn set_block(&self, block: u64) -> Result<(), SessionStoreError> {
        self.0.write(|database| {
            let transaction = database.begin_write()?;
            transaction.open_table(BLOCK)?.insert((), block)?;
            transaction.commit()?;
            Ok(())
        })
    }

    /// Removes the answers of a session before number `before`, or the whole session.
    ///
    /// # Errors
    /// When the disk is full or the database fails.
    pub fn forget(
        &self,
        worker: AccountBytes,
        session: SessionId,
        before: Option<u32>,
    ) -> Result<(), SessionStoreError> {
        let last = match before {
            Some(0) => return Ok(()),
            Some(before) => before.saturating_sub(1),
            None => u32::MAX,
        };
        let answers = || (worker, session.0, 0)..=(worker, session.0, last);
        let has_any = self.0.read(|database| {
            let table = database.begin_read()?.open_table(LEAVES)?;
            let has_any = table.range(answers())?.next().is_some();
            Ok(has_any)
        })?;
        // Usually there are none: then nothing is written.
        if !has_any && before.is_some() {
            return Ok(());
        }
        self.0.write(|database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(ANSWERS)?;
                table.retain_in(answers(), |_, _| false)?;
                let mut table = transaction.open_table(LEAVES)?;
                table.retain_in(answers(), |_, _| false)?;
                if before.is_none() {
                    let mut table = transaction.open_table(SESSIONS)?;
                    table.remove((worker, session.0))?;
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }
}

fn create(database: &Database) -> Result<(), SessionStoreError> {
    let transaction = database.begin_write()?;
    transaction.open_table(SESSIONS)?;
    transaction.open_table(ANSWERS)?;
    transaction.open_table(LEAVES)?;
    transaction.open_table(BLOCK)?;
    transaction.commit()?;
    Ok(())
}
