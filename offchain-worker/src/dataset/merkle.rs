//! The Merkle tree over the shards of a dataset.
//!
//! `binary_merkle_tree`'s with BLAKE2b-256, as over the tiles of a checkpoint: leaf `i` is the
//! 32-byte BLAKE3 hash of shard `i`, which is hashed once; an inner node is the hash of its two
//! children; the last node of an odd row moves up unchanged. A leaf (32 bytes) can never pass for an
//! inner node (64 bytes).

use binary_merkle_tree::Leaf;
use codec::{Decode, Encode};
use noema_checkpoint::H256;
use sp_core::Blake2Hasher;

/// Root over the hashes of shards.
pub(super) fn root(hashes: impl Iterator<Item = H256>) -> H256 {
    binary_merkle_tree::merkle_root::<Blake2Hasher, _>(hashes)
}

/// Proves leaf `index`, which exists.
pub(super) fn prove(hashes: impl Iterator<Item = H256>, index: u32) -> ShardProof {
    let leaves: Vec<H256> = hashes.collect();
    let proof = binary_merkle_tree::merkle_proof::<Blake2Hasher, _, _>(leaves, index);
    ShardProof {
        shards: proof.number_of_leaves,
        index,
        siblings: proof.proof,
    }
}

/// Proves the position of a shard in a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShardProof {
    /// Number of shards of the dataset.
    pub shards: u32,
    /// The index of the shard, from 0.
    pub index: u32,
    /// The sibling hashes from the leaf upwards.
    pub siblings: Vec<H256>,
}

impl ShardProof {
    /// Whether the shard with BLAKE3 hash `hash` is the one that this proves, in the dataset with root
    /// `root`.
    pub fn holds(&self, root: &H256, hash: &H256) -> bool {
        // The crate below accepts any number of siblings: with one too few, a node that moves up would prove
        // a second place.
        self.index < self.shards
            && self.siblings.len() == siblings(self.shards, self.index)
            && binary_merkle_tree::verify_proof::<Blake2Hasher, _, _>(
                root,
                self.siblings.iter().copied(),
                self.shards,
                self.index,
                Leaf::Value(hash.as_bytes()),
            )
    }
}

/// Siblings on the way from leaf `index` of `leaves` to the root.
fn siblings(leaves: u32, index: u32) -> usize {
    let (mut width, mut place, mut count) = (leaves, index, 0);
    while width > 1 {
        count += usize::from(place ^ 1 < width);
        (width, place) = (width.div_ceil(2), place / 2);
    }
    count
}
