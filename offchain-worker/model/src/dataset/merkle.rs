//! The Merkle tree over the shards of a dataset.
//!
//! `binary_merkle_tree`'s with BLAKE2b-256, as over the tiles of a checkpoint: leaf `i` is the
//! 32-byte BLAKE3 hash of shard `i`, which is hashed once; an inner node is the hash of its two
//! children; the last node of an odd row moves up unchanged. A leaf (32 bytes) can never pass for an
//! inner node (64 bytes).

use noema_checkpoint::H256;
use sp_core::Blake2Hasher;

/// Root over the hashes of shards.
pub(super) fn root(hashes: impl Iterator<Item = H256>) -> H256 {
    binary_merkle_tree::merkle_root::<Blake2Hasher, _>(hashes)
}
