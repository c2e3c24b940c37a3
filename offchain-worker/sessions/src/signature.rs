//! Signatures of voucher keys and hot keys.

use crate::{AccountBytes, SignatureBytes};
use sp_core::{
    sr25519::{Pair, Public, Signature},
    Pair as _, H256,
};

/// A key that signs.
pub trait Sign: Send + Sync + 'static {
    /// The account of the key: its public key.
    fn account(&self) -> AccountBytes;

    /// Its signature over the 32 bytes of `payload`.
    fn sign(&self, payload: &H256) -> SignatureBytes;
}

/// Whether the key of `account` signed the 32 bytes of `payload`.
pub fn is_signed(account: &AccountBytes, payload: &H256, signature: &SignatureBytes) -> bool {
    let (public, signature) = (Public::from_raw(*account), Signature::from_raw(*signature));
    Pair::verify(&signature, payload.as_bytes(), &public)
}
