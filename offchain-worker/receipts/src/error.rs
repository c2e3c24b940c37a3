//! Why a receipt is not verified.

use noema_protocol::{ClaimId, SessionId};
use sp_core::H256;

/// Why a text is no receipt file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It is too long.
    #[error("it has {0} bytes, more than a receipt file can have")]
    TooLong(usize),
    /// It is not the JSON of a receipt file.
    #[error("it is no receipt file: {0}")]
    Form(String),
    /// Another version of this program wrote it.
    #[error("its form is `{0}`, and this program reads `noema/receipt/1`; use the program that wrote it")]
    Version(String),
    /// The hash in it is not that of the receipt in it.
    #[error("the hash in it is not that of its receipt: it was changed, or damaged; get it again")]
    OtherHash,
}

/// Why a storage proof shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// A text is no header.
    #[error("it is no header: expected the JSON of `chain_getHeader`, or 0x and the digits of the encoded header")]
    Header,
    /// The header is not that of the block that is trusted.
    #[error("the proof is of block {found:?}, and the block that you trust is {trusted:?}; make a proof of that block with: noema-worker receipt prove --at {trusted:?}")]
    OtherBlock {
        /// The hash of the header in the proof.
        found: H256,
        /// The hash that is trusted.
        trusted: H256,
    },
    /// The nodes do not lead from the state root to each record.
    #[error("the proof does not lead from the state root of the block to each record: it was changed, or is of another file; make it again with: noema-worker receipt prove")]
    NotProven,
    /// A record cannot be decoded.
    #[error("the block's record of {0} cannot be read; update this program")]
    Undecodable(&'static str),
    /// A pallet has another layout.
    #[error("the block has version {found} of the records of {pallet}, and this program reads version {known}; update this program")]
    OtherLayout {
        /// The pallet.
        pallet: &'static str,
        /// Its storage version in the block.
        found: u16,
        /// The version that this program reads.
        known: u16,
    },
}

/// Why a receipt does not stand where its file says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The proof shows nothing.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The tokens in the file are not those of the receipt.
    #[error("the tokens of the {0} in the file are not those that the receipt states: the file was changed")]
    OtherTokens(&'static str),
    /// The state has no such session.
    #[error("the block has no session {0} with a worker and a seed: it was removed after its end, or never was; use a proof of a block in which it is")]
    NoSession(SessionId),
    /// The receipt is of other terms than the session on chain.
    #[error("the receipt is of other terms than session {0} of this chain: it is of another chain, or false")]
    OtherTerms(SessionId),
    /// A field of the receipt is not what its session requires.
    #[error("the receipt is false: its {0} is not what its session requires")]
    FalseField(&'static str),
    /// The worker's signature is not of the key in the file.
    #[error("the signature of the receipt is not of the key in the file")]
    WrongSignature,
    /// The key that signed is not the worker's, or no key is in the file.
    #[error("no key in the file is shown to be the worker's hot key, and nothing else covers the receipt: anyone could have written it; use a proof of a block in which the worker had that key")]
    UnknownKey,
    /// The voucher in the file is not one over the receipt.
    #[error("the voucher in the file is not one of this session over this receipt: the file was changed")]
    OtherVoucher,
    /// The voucher is not signed by the voucher key of the session.
    #[error("the voucher in the file is not signed by the voucher key of the session")]
    UnsignedVoucher,
    /// The state has no such claim.
    #[error("the block has no claim {0}: it was removed after its end, or never was; use a proof of a block in which it is")]
    NoClaim(ClaimId),
    /// The claim is not one over the receipt.
    #[error("claim {0} is not one of this session over this receipt: the file was changed, or the receipt is false")]
    OtherClaim(ClaimId),
    /// Claims cover the answer, and the file does not show in which it is.
    #[error("claims of session {session} cover answer {n}, and the file does not show which; bring it up to date with: noema-worker receipt prove")]
    ClaimNotShown {
        /// The session.
        session: SessionId,
        /// The number of the answer.
        n: u32,
    },
}
