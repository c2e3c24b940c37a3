#![doc = include_str!("../README.md")]

mod error;
mod file;
mod keys;
mod proof;
mod records;
mod stated;
mod verify;

pub use error::{FileError, ProofError, ReceiptError};
pub use file::{ClaimPath, ReceiptFile, VoucherPath, MAX_FILE};
pub use keys::proof_keys;
pub use proof::{read_header, BlockHeader, StateProof};
pub use records::{ClaimEntry, SessionEntry};
pub use verify::{verify, ProvenClaim, ProvenVoucher, Standing, Verified};

/// An account in its 32-byte form.
pub(crate) type AccountBytes = [u8; 32];
