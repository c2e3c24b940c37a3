//! The keys of the records in the state that show where a receipt stands.

use crate::{AccountBytes, ReceiptFile};
use codec::Encode;
use noema_protocol::{ClaimId, SessionId};
use sp_io::hashing::{blake2_128, twox_128, twox_64};

/// A pallet whose records are read, with the version of their layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The name of the pallet.
    pub(crate) pallet: &'static str,
    /// The storage version.
    pub(crate) version: u16,
}

/// The layouts that [`crate::records`] has.
pub(crate) const LAYOUTS: [Layout; 2] = [SESSIONS, CLAIMS];

const SESSIONS: Layout = Layout {
    pallet: "Sessions",
    version: 1,
};
const CLAIMS: Layout = Layout {
    pallet: "Claims",
    version: 1,
};

/// The key of what `pallet` stores as `entry`.
fn entry(pallet: &str, entry: &str) -> Vec<u8> {
    [twox_128(pallet.as_bytes()), twox_128(entry.as_bytes())].concat()
}

/// The key of a value in the map `pallet.map`, whose keys are hashed with Twox64Concat.
fn in_map(pallet: &str, map: &str, key: &impl Encode) -> Vec<u8> {
    let key = key.encode();
    [entry(pallet, map), twox_64(&key).to_vec(), key].concat()
}

/// The key of a pallet's storage version.
pub(crate) fn version(layout: Layout) -> Vec<u8> {
    entry(layout.pallet, ":__STORAGE_VERSION__:")
}

/// The key of the hash of the genesis block.
pub(crate) fn genesis() -> Vec<u8> {
    in_map("System", "BlockHash", &0u32)
}

/// The key of a session.
pub(crate) fn session(session: SessionId) -> Vec<u8> {
    in_map(SESSIONS.pallet, "Sessions", &session)
}

/// The key of a claim.
pub(crate) fn claim(claim: ClaimId) -> Vec<u8> {
    in_map(CLAIMS.pallet, "Claims", &claim)
}

/// The key of the controller for which a hot key submits; its map hashes with Blake2_128Concat.
pub(crate) fn controller(key: &AccountBytes) -> Vec<u8> {
    [
        entry("Operators", "Keys"),
        blake2_128(key).to_vec(),
        key.to_vec(),
    ]
    .concat()
}

/// The keys of all records that a proof for this file covers.
pub fn proof_keys(file: &ReceiptFile) -> Vec<Vec<u8>> {
    let mut keys: Vec<_> = LAYOUTS.into_iter().map(version).collect();
    keys.push(genesis());
    keys.push(session(file.signed.receipt.session));
    keys.extend(file.claim.as_ref().map(|part| claim(part.claim)));
    keys.extend(file.key.as_ref().map(controller));
    keys
}
