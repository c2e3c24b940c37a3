//! Vouchers: what the payer owes.

use noema_economics::Balance;
use noema_protocol::{apply, hashing, sent, SessionId};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// The payer's statement of what it owes for all answers up to `count`: 144 bytes, and a signature. The last one
/// replaces all earlier ones of its bundle.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
pub struct Voucher {
    /// The hash of the chain's genesis block.
    pub genesis: H256,
    /// The session.
    pub session: SessionId,
    /// The hash of the session's terms.
    pub terms: H256,
    /// The number of the first answer of the bundle: how many answers earlier claims cover.
    pub first: u32,
    /// How many answers of the session are paid, those of earlier bundles included.
    pub count: u32,
    /// The price of all of them, in the smallest unit of the token.
    pub amount: Balance,
    /// The price of the dearest answer of the bundle: stake and draws of its claim follow it.
    pub dearest: Balance,
    /// The Merkle root over the receipts of the bundle: of answers `first` to `count - 1`.
    pub root: H256,
}

impl Voucher {
    /// The payload that the voucher key signs.
    pub fn payload(&self) -> H256 {
        hashing::voucher_payload(self)
    }
}
