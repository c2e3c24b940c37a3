//! A receipt as a file.

use crate::stated::{WrittenFile, FORMAT};
use crate::{AccountBytes, FileError, StateProof};
use noema_protocol::{hashing, ClaimId};
use noema_session_transport::{is_signed, ReceivedAnswer, SignedReceipt, SignedVoucher};
use noema_sessions::merkle_proof;
use sp_core::H256;

/// Most bytes of a receipt file: the tokens of a prompt of a million tokens, a proof, and more.
pub const MAX_FILE: usize = 16 << 20;

/// A receipt with its answer, and what shows where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptFile {
    /// The receipt, with the worker's signature.
    pub signed: SignedReceipt,
    /// The controller of the worker.
    pub worker: AccountBytes,
    /// The hot key that signed the receipt; `None` where it is not known any longer.
    pub key: Option<AccountBytes>,
    /// When the answer was received, in seconds since 1970.
    pub received_at: u64,
    /// The tokens of the prompt.
    pub prompt: Vec<u32>,
    /// The tokens of the answer.
    pub answer: Vec<u32>,
    /// A voucher over the receipt; `None` where none is known.
    pub voucher: Option<VoucherPath>,
    /// The claim over the receipt; `None` where none is known.
    pub claim: Option<ClaimPath>,
    /// Records of the chain; `None` in a file without proof.
    pub proof: Option<StateProof>,
}

/// A voucher over a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoucherPath {
    /// The voucher, with the payer's signature.
    pub signed: SignedVoucher,
    /// The siblings of the receipt's hash, up to the root of the voucher.
    pub path: Vec<H256>,
}

/// The claim over a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    /// The claim.
    pub claim: ClaimId,
    /// The siblings of the receipt's hash, up to the root of the claim.
    pub path: Vec<H256>,
}

impl ReceiptFile {
    /// A file of a received answer, without proof. `keys` are hot keys of the worker, of which the one that signed is
    /// taken.
    pub fn of(answer: ReceivedAnswer, keys: &[AccountBytes]) -> Self {
        let hash = answer.receipt.receipt.hash();
        let signature = &answer.receipt.signature;
        let signed_by = |key: &&AccountBytes| is_signed(key, &hash, signature);
        Self {
            key: keys.iter().find(signed_by).copied(),
            signed: answer.receipt,
            worker: answer.worker,
            received_at: answer.received_at,
            prompt: answer.prompt,
            answer: answer.answer,
            voucher: None,
            claim: None,
            proof: None,
        }
    }

    /// The answer, as a payer keeps it.
    pub fn received(&self) -> ReceivedAnswer {
        ReceivedAnswer {
            worker: self.worker,
            received_at: self.received_at,
            prompt: self.prompt.clone(),
            answer: self.answer.clone(),
            receipt: self.signed,
        }
    }

    /// The hash of the receipt.
    pub fn hash(&self) -> H256 {
        self.signed.receipt.hash()
    }

    /// Adds the voucher, where it covers the receipt. `bundle` has the hashes of the receipts that it covers, in their
    /// order.
    pub fn add_voucher(&mut self, signed: SignedVoucher, bundle: &[H256]) {
        let path = self.path(signed.voucher.first, bundle);
        self.voucher = path.map(|path| VoucherPath { signed, path });
    }

    /// Adds a claim whose leaves have these hashes, of which the first is answer number `first`.
    pub fn add_claim(&mut self, claim: ClaimId, first: u32, leaves: &[H256]) {
        let path = self.path(first, leaves);
        self.claim = path.map(|path| ClaimPath { claim, path });
    }

    fn path(&self, first: u32, leaves: &[H256]) -> Option<Vec<H256>> {
        let place = self.signed.receipt.n.checked_sub(first)?;
        let found = leaves.get(usize::try_from(place).ok()?)?;
        (*found == self.hash()).then(|| merkle_proof(leaves, place))?
    }

    /// Whether these are the tokens of the receipt; else the name of those that are not.
    pub(crate) fn check_tokens(&self) -> Result<(), &'static str> {
        let receipt = &self.signed.receipt;
        let is_stated = |tokens: &[u32], count: u32, hash: H256| {
            u32::try_from(tokens.len()) == Ok(count) && hashing::tokens_hash(tokens) == hash
        };
        if !is_stated(&self.prompt, receipt.prompt_tokens, receipt.prompt_hash) {
            return Err("prompt");
        }
        match is_stated(&self.answer, receipt.answer_tokens, receipt.answer_hash) {
            true => Ok(()),
            false => Err("answer"),
        }
    }

    /// Its JSON.
    pub fn to_json(&self) -> serde_json::Value {
        // The form has neither maps with other keys than texts, nor numbers that JSON lacks.
        serde_json::to_value(WrittenFile::from(self)).unwrap_or_default()
    }

    /// Reads the JSON of a file.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn read(text: &str) -> Result<Self, FileError> {
        if text.len() > MAX_FILE {
            return Err(FileError::TooLong(text.len()));
        }
        let form = |error: serde_json::Error| FileError::Form(error.to_string());
        let value: serde_json::Value = serde_json::from_str(text).map_err(form)?;
        match value.get("format").and_then(serde_json::Value::as_str) {
            Some(FORMAT) => {}
            Some(other) => return Err(FileError::Version(other.chars().take(64).collect())),
            None => return Err(FileError::Form("it has no `format`".to_owned())),
        }
        let written: WrittenFile = serde_json::from_value(value).map_err(form)?;
        let (hash, file) = written.into_file()?;
        match file.hash() == hash {
            true => Ok(file),
            false => Err(FileError::OtherHash),
        }
    }
}
