//! The store of a payer.

use super::{decode, File};
use crate::{SessionStoreError, SignatureBytes, SignedReceipt};
use codec::{Decode, Encode};
use noema_sessions::PayerSide;
use redb::{Database, ReadableDatabase, TableDefinition};
use sp_core::H256;
use std::path::Path;

/// The sessions of a payer, by the hash of their terms.
const SESSIONS: TableDefinition<'_, [u8; 32], Vec<u8>> = TableDefinition::new("payer/1");
/// The receipts, by the hash of the terms and the number of the answer.
const RECEIPTS: TableDefinition<'_, ([u8; 32], u32), Vec<u8>> = TableDefinition::new("receipts/1");

/// A session as its payer keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PayerRecord {
    /// The side.
    pub side: PayerSide,
    /// The tokens of the prompt that was asked for last, while its answer is not received.
    pub prompt: Vec<u32>,
    /// The signature of the last voucher; `None` before the first.
    pub voucher: Option<SignatureBytes>,
}

/// The sessions of a payer on disk.
pub struct PayerStore(File);

impl PayerStore {
    /// Opens the store at `path`, or creates it.
    ///
    /// # Errors
    /// When another process has it open, or the database fails.
    pub fn open(path: &Path) -> Result<Self, SessionStoreError> {
        Ok(Self(File::open(path, create)?))
    }

    /// The session with these terms.
    ///
    /// # Errors
    /// When the database fails, or another version wrote the record.
    pub fn get(&self, terms: H256) -> Result<Option<PayerRecord>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(SESSIONS)?;
            let record = table.get(terms.0)?;
            record
                .map(|bytes| decode("a session", &bytes.value()))
                .transpose()
        })
    }

    /// Writes a session, and the receipt that it received with it, if any; on return both are on disk.
    ///
    /// # Errors
    /// When the disk is full or the database fails.
    pub fn put(
        &self,
        record: &PayerRecord,
        receipt: Option<&SignedReceipt>,
    ) -> Result<(), SessionStoreError> {
        let terms = record.side.agreement().terms.0;
        self.0.write(|database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(SESSIONS)?;
                table.insert(terms, record.encode())?;
                if let Some(signed) = receipt {
                    let mut table = transaction.open_table(RECEIPTS)?;
                    table.insert((terms, signed.receipt.n), signed.encode())?;
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// The receipt of answer number `n`.
    ///
    /// # Errors
    /// When the database fails, or another version wrote the record.
    pub fn receipt(&self, terms: H256, n: u32) -> Result<Option<SignedReceipt>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(RECEIPTS)?;
            let record = table.get((terms.0, n))?;
            record
                .map(|bytes| decode("a receipt", &bytes.value()))
                .transpose()
        })
    }
}

fn create(database: &Database) -> Result<(), SessionStoreError> {
    let transaction = database.begin_write()?;
    transaction.open_table(SESSIONS)?;
    transaction.open_table(RECEIPTS)?;
    transaction.commit()?;
    Ok(())
}
