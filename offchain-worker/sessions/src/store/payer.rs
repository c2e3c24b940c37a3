//! The store of a payer.

mod received;

use super::{decode, File, LeastRoom};
use crate::{AccountBytes, SessionStoreError, SignatureBytes, SignedReceipt};
use codec::{Decode, Encode};
use noema_claims::ClaimStage;
use noema_protocol::{ClaimId, SessionId};
use noema_sessions::PayerSide;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use sp_core::H256;
use std::path::Path;

/// The hash of a session's terms, and the number of an answer or of a claim in it.
type InSession = ([u8; 32], u32);
/// When an answer was received, and its place.
type Received = (u64, [u8; 32], u32);

/// The sessions of a payer, by the hash of their terms.
const SESSIONS: TableDefinition<'_, [u8; 32], Vec<u8>> = TableDefinition::new("payer/1");
/// The answers, by the hash of the terms and their number.
const ANSWERS: TableDefinition<'_, InSession, Vec<u8>> = TableDefinition::new("received/1");
/// The place of each answer, by the hash of its receipt.
const PLACES: TableDefinition<'_, [u8; 32], InSession> = TableDefinition::new("places/1");
/// The hashes of the receipts, by the time at which they were received.
const TIMES: TableDefinition<'_, Received, [u8; 32]> = TableDefinition::new("times/1");
/// The claims, by the hash of the terms and their number.
const CLAIMS: TableDefinition<'_, InSession, Vec<u8>> = TableDefinition::new("payer-claims/1");

/// The answers that were found to be false, by the hash of the receipt.
const FALSE: TableDefinition<'_, [u8; 32], Vec<u8>> = TableDefinition::new("false/1");

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

/// An answer that a payer received and signed a voucher for, with everything that executing it again needs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReceivedAnswer {
    /// The controller of the worker.
    pub worker: AccountBytes,
    /// The time at which it was received, in seconds since 1970.
    pub received_at: u64,
    /// The tokens of the prompt.
    pub prompt: Vec<u32>,
    /// The tokens of the answer.
    pub answer: Vec<u32>,
    /// The receipt, which is verified.
    pub receipt: SignedReceipt,
}

/// A claim of a session, as its payer saw it last on the finalized chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SeenClaim {
    /// The claim.
    pub claim: ClaimId,
    /// The number of the answer that is its first leaf.
    pub first: u32,
    /// The number of its leaves.
    pub leaves: u32,
    /// The block that carries it.
    pub made_at: u32,
    /// Its stage. A claim that has ended does not change any more.
    pub stage: ClaimStage<u32>,
    /// The leaves that were drawn for a check; `None` while the draw is due.
    pub drawn: Option<Vec<u32>>,
    /// Whether a dispute over one of its leaves is open.
    pub is_disputed: bool,
    /// The last block in which it can be challenged; `None` until it was seen after its checks.
    pub final_at: Option<u32>,
}

impl SeenClaim {
    /// Whether answer number `n` is one of its leaves.
    pub const fn covers(&self, n: u32) -> bool {
        self.first <= n && n < self.first.saturating_add(self.leaves)
    }

    /// Whether it has ended.
    pub const fn is_over(&self) -> bool {
        matches!(self.stage, ClaimStage::Ended(_))
    }
}

/// An answer that its payer executed again, with another result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FalseAnswer {
    /// The hash of its receipt.
    pub receipt: H256,
    /// The hash of the terms of its session.
    pub terms: H256,
    /// Its session.
    pub session: SessionId,
    /// Its number in the session.
    pub n: u32,
    /// Whether a challenge of it is on chain, or can no longer be made.
    pub is_settled: bool,
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

    /// Writes a session, and the answer that it received with it, if any; on return both are on disk.
    ///
    /// # Errors
    /// When the disk is full or the database fails.
    pub fn put(
        &self,
        record: &PayerRecord,
        answer: Option<&ReceivedAnswer>,
    ) -> Result<(), SessionStoreError> {
        let terms = record.side.agreement().terms.0;
        self.0.write(|database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(SESSIONS)?;
                table.insert(terms, record.encode())?;
                if let Some(answer) = answer {
                    let receipt = &answer.receipt.receipt;
                    let (n, hash) = (receipt.n, receipt.hash().0);
                    let mut table = transaction.open_table(ANSWERS)?;
                    table.insert((terms, n), answer.encode())?;
                    let mut table = transaction.open_table(PLACES)?;
                    table.insert(hash, (terms, n))?;
                    let mut table = transaction.open_table(TIMES)?;
                    table.insert((answer.received_at, terms, n), hash)?;
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// The answer whose receipt has this hash.
    ///
    /// # Errors
    /// When the database fails, or another version wrote the record.
    pub fn answer(&self, receipt: H256) -> Result<Option<ReceivedAnswer>, SessionStoreError> {
        self.0.read(|database| {
            let transaction = database.begin_read()?;
            let places = transaction.open_table(PLACES)?;
            let place = places.get(receipt.0)?;
            let Some(place) = place.map(|place| place.value()) else {
                return Ok(None);
            };
            let answers = transaction.open_table(ANSWERS)?;
            let record = answers.get(place)?;
            record
                .map(|bytes| decode("an answer", &bytes.value()))
                .transpose()
        })
    }

    /// The hashes of the terms of all sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub fn sessions(&self) -> Result<Vec<H256>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(SESSIONS)?;
            let mut sessions = Vec::new();
            for entry in table.iter()? {
                sessions.push(H256(entry?.0.value()));
            }
            Ok(sessions)
        })
    }

    /// All sessions.
    ///
    /// # Errors
    /// When the database fails, or another version wrote a record.
    pub fn records(&self) -> Result<Vec<PayerRecord>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(SESSIONS)?;
            let mut records = Vec::new();
            for entry in table.iter()? {
                records.push(decode("a session", &entry?.1.value())?);
            }
            Ok(records)
        })
    }

    /// The answers that were found to be false.
    ///
    /// # Errors
    /// When the database fails, or another version wrote a record.
    pub fn false_answers(&self) -> Result<Vec<FalseAnswer>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(FALSE)?;
            let mut answers = Vec::new();
            for entry in table.iter()? {
                answers.push(decode("a false answer", &entry?.1.value())?);
            }
            Ok(answers)
        })
    }

    /// Writes what is known of a false answer.
    ///
    /// # Errors
    /// When the disk is full or the database fails.
    pub fn put_false(&self, answer: &FalseAnswer) -> Result<(), SessionStoreError> {
        self.0.write(|database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(FALSE)?;
                table.insert(answer.receipt.0, answer.encode())?;
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// The claims of the session with these terms, by their numbers in it.
    ///
    /// # Errors
    /// When the database fails, or another version wrote a record.
    pub fn claims(&self, terms: H256) -> Result<Vec<(u32, SeenClaim)>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(CLAIMS)?;
            let mut claims = Vec::new();
            for entry in table.range((terms.0, 0)..=(terms.0, u32::MAX))? {
                let (key, bytes) = entry?;
                claims.push((key.value().1, decode("a claim", &bytes.value())?));
            }
            Ok(claims)
        })
    }

    /// Writes claim `number` of the session with these terms.
    ///
    /// # Errors
    /// When the disk is full or the database fails.
    pub fn put_claim(
        &self,
        terms: H256,
        number: u32,
        claim: &SeenClaim,
    ) -> Result<(), SessionStoreError> {
        self.0.write(|database| {
            let transaction = database.begin_write()?;
            {
                let mut table = transaction.open_table(CLAIMS)?;
                table.insert((terms.0, number), claim.encode())?;
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// Removes answers that were received before `time`, the oldest first and `most` of them at most. Returns how many
    /// were removed.
    ///
    /// # Errors
    /// When the disk is full or the database fails.
    pub fn forget(&self, time: u64, most: usize) -> Result<usize, SessionStoreError> {
        let is_old = |place: &Received| place.0 < time;
        let has_any = self.0.read(|database| {
            let table = database.begin_read()?.open_table(TIMES)?;
            let first = table.first()?.map(|(place, _)| place.value());
            Ok(first.as_ref().is_some_and(is_old))
        })?;
        // Usually there are none: then nothing is written.
        if !has_any {
            return Ok(0);
        }
        self.0.write(|database| {
            let transaction = database.begin_write()?;
            let mut removed = 0usize;
            {
                let mut times = transaction.open_table(TIMES)?;
                let mut answers = transaction.open_table(ANSWERS)?;
                let mut places = transaction.open_table(PLACES)?;
                while removed < most {
                    let first = times.first()?;
                    let first = first.map(|(place, hash)| (place.value(), hash.value()));
                    let Some((place, hash)) = first.filter(|(place, _)| is_old(place)) else {
                        break;
                    };
                    times.remove(place)?;
                    answers.remove((place.1, place.2))?;
                    places.remove(hash)?;
                    removed = removed.saturating_add(1);
                }
            }
            transaction.commit()?;
            Ok(removed)
        })
    }
}

fn create(database: &Database) -> Result<(), SessionStoreError> {
    let transaction = database.begin_write()?;
    transaction.open_table(SESSIONS)?;
    transaction.open_table(ANSWERS)?;
    transaction.open_table(PLACES)?;
    transaction.open_table(TIMES)?;
    transaction.open_table(CLAIMS)?;
    transaction.open_table(FALSE)?;
    transaction.commit()?;
    Ok(())
}
