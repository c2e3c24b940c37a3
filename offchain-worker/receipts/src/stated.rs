//! The JSON of a receipt file. Hashes, keys and signatures are hexadecimal digits after `0x`, addresses SS58, amounts
//! texts of decimal digits in the smallest unit.

use crate::proof::in_digits;
use crate::{read_header, ClaimPath, FileError, ReceiptFile, StateProof, VoucherPath};
use noema_economics::Balance;
use noema_protocol::{CheckpointId, ClaimId, SamplingParameters, SessionId};
use noema_session_transport::{SignatureBytes, SignedReceipt, SignedVoucher};
use noema_sessions::{AnswerEnd, SessionReceipt, Voucher};
use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};
use sp_core::crypto::AccountId32;
use sp_core::H256;

/// The version of the form.
pub(crate) const FORMAT: &str = "noema/receipt/1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenFile {
    format: String,
    hash: H256,
    receipt: WrittenReceipt,
    signature: Digits,
    worker: AccountId32,
    key: Option<AccountId32>,
    received_at: u64,
    prompt: Vec<u32>,
    answer: Vec<u32>,
    voucher: Option<WrittenVoucher>,
    claim: Option<WrittenClaim>,
    proof: Option<WrittenProof>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenReceipt {
    session: SessionId,
    n: u32,
    first: u32,
    terms: H256,
    checkpoint: CheckpointId,
    prompt_hash: H256,
    prompt_tokens: u32,
    cached_tokens: u32,
    parameters: SamplingParameters,
    seed: H256,
    answer_hash: H256,
    answer_tokens: u32,
    end: AnswerEnd,
    price: Amount,
    hidden_root: H256,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenVoucher {
    genesis: H256,
    session: SessionId,
    terms: H256,
    first: u32,
    count: u32,
    amount: Amount,
    dearest: Amount,
    root: H256,
    signature: Digits,
    path: Vec<H256>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClaim {
    id: ClaimId,
    path: Vec<H256>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenProof {
    header: String,
    nodes: Vec<Digits>,
}

/// An amount, as text.
#[derive(Clone, Copy)]
struct Amount(Balance);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let amount = is_plain.then(|| text.parse().ok()).flatten();
        let wrong = || D::Error::custom("an amount is a text of decimal digits");
        amount.map(Self).ok_or_else(wrong)
    }
}

/// Bytes, as hexadecimal digits.
struct Digits(Vec<u8>);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("0x{}", hex::encode(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = text
            .strip_prefix("0x")
            .and_then(|digits| hex::decode(digits).ok());
        let wrong = || D::Error::custom("bytes are hexadecimal digits after 0x");
        bytes.map(Self).ok_or_else(wrong)
    }
}

impl Digits {
    fn signature(self) -> Result<SignatureBytes, FileError> {
        let signature = self.0.try_into();
        signature.map_err(|_| FileError::Form("a signature has 64 bytes".to_owned()))
    }
}

impl From<&SessionReceipt> for WrittenReceipt {
    fn from(receipt: &SessionReceipt) -> Self {
        Self {
            session: receipt.session,
            n: receipt.n,
            first: receipt.first,
            terms: receipt.terms,
            checkpoint: receipt.checkpoint,
            prompt_hash: receipt.prompt_hash,
            prompt_tokens: receipt.prompt_tokens,
            cached_tokens: receipt.cached_tokens,
            parameters: receipt.parameters,
            seed: receipt.seed,
            answer_hash: receipt.answer_hash,
            answer_tokens: receipt.answer_tokens,
            end: receipt.end,
            price: Amount(receipt.price),
            hidden_root: receipt.hidden_root,
        }
    }
}

impl From<WrittenReceipt> for SessionReceipt {
    fn from(written: WrittenReceipt) -> Self {
        Self {
            session: written.session,
            n: written.n,
            first: written.first,
            terms: written.terms,
            checkpoint: written.checkpoint,
            prompt_hash: written.prompt_hash,
            prompt_tokens: written.prompt_tokens,
            cached_tokens: written.cached_tokens,
            parameters: written.parameters,
            seed: written.seed,
            answer_hash: written.answer_hash,
            answer_tokens: written.answer_tokens,
            end: written.end,
            price: written.price.0,
            hidden_root: written.hidden_root,
        }
    }
}

impl From<&VoucherPath> for WrittenVoucher {
    fn from(part: &VoucherPath) -> Self {
        let voucher = &part.signed.voucher;
        Self {
            genesis: voucher.genesis,
            session: voucher.session,
            terms: voucher.terms,
            first: voucher.first,
            count: voucher.count,
            amount: Amount(voucher.amount),
            dearest: Amount(voucher.dearest),
            root: voucher.root,
            signature: Digits(part.signed.signature.to_vec()),
            path: part.path.clone(),
        }
    }
}

impl TryFrom<WrittenVoucher> for VoucherPath {
    type Error = FileError;

    fn try_from(written: WrittenVoucher) -> Result<Self, FileError> {
        let voucher = Voucher {
            genesis: written.genesis,
            session: written.session,
            terms: written.terms,
            first: written.first,
            count: written.count,
            amount: written.amount.0,
            dearest: written.dearest.0,
            root: written.root,
        };
        let signature = written.signature.signature()?;
        Ok(Self {
            signed: SignedVoucher { voucher, signature },
            path: written.path,
        })
    }
}

impl From<&StateProof> for WrittenProof {
    fn from(proof: &StateProof) -> Self {
        Self {
            header: in_digits(&proof.header),
            nodes: proof.nodes.iter().cloned().map(Digits).collect(),
        }
    }
}

impl TryFrom<WrittenProof> for StateProof {
    type Error = FileError;

    fn try_from(written: WrittenProof) -> Result<Self, FileError> {
        let header = read_header(&written.header);
        Ok(Self {
            header: header.map_err(|error| FileError::Form(error.to_string()))?,
            nodes: written.nodes.into_iter().map(|node| node.0).collect(),
        })
    }
}

impl From<&ReceiptFile> for WrittenFile {
    fn from(file: &ReceiptFile) -> Self {
        Self {
            format: FORMAT.to_owned(),
            hash: file.hash(),
            receipt: (&file.signed.receipt).into(),
            signature: Digits(file.signed.signature.to_vec()),
            worker: file.worker.into(),
            key: file.key.map(Into::into),
            received_at: file.received_at,
            prompt: file.prompt.clone(),
            answer: file.answer.clone(),
            voucher: file.voucher.as_ref().map(Into::into),
            claim: file.claim.as_ref().map(|part| WrittenClaim {
                id: part.claim,
                path: part.path.clone(),
            }),
            proof: file.proof.as_ref().map(Into::into),
        }
    }
}

impl WrittenFile {
    /// The file, and the hash that it states for its receipt.
    pub(crate) fn into_file(self) -> Result<(H256, ReceiptFile), FileError> {
        let file = ReceiptFile {
            signed: SignedReceipt {
                receipt: self.receipt.into(),
                signature: self.signature.signature()?,
            },
            worker: self.worker.into(),
            key: self.key.map(Into::into),
            received_at: self.received_at,
            prompt: self.prompt,
            answer: self.answer,
            voucher: self.voucher.map(TryInto::try_into).transpose()?,
            claim: self.claim.map(|written| ClaimPath {
                claim: written.id,
                path: written.path,
            }),
            proof: self.proof.map(TryInto::try_into).transpose()?,
        };
        Ok((self.hash, file))
    }
}
