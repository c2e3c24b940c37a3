//! The Merkle tree over a weights file: one leaf per 544-byte tile.
//!
//! The tree is that of [`noema_protocol::merkle`] with BLAKE2b-256: a leaf is hashed once, an inner node is
//! the hash of its two children, and the last node of an odd row moves up unchanged. A leaf (544
//! bytes) can never pass for an inner node (64 bytes).
//!
//! Because odd nodes move up unchanged, the tree over a file equals the tree over the roots of its
//! aligned runs of 2^k tiles. [`tiles_root`] of each run and [`join_roots`] of the results give the
//! same root as [`weights_root`], so that many threads can hash a large file and none has to keep
//! all of its leaf hashes.

use noema_numerics::tile::TILE_BYTES;
use noema_protocol::{hashing::blake2_256, merkle};
use sp_core::H256;

/// Number of tiles in the runs that [`weights_root`] hashes one at a time: 2.1 MiB of weights.
pub const CHUNK_TILES: usize = 4096;

const CHUNK_BYTES: usize = CHUNK_TILES * TILE_BYTES;

/// Root of the tree over `tiles`, a whole number of tiles.
///
/// A trailing part of a tile would be hashed as a shorter leaf, which no weights file has:
/// [`crate::Manifest::check`] refuses such a size.
pub fn tiles_root(tiles: &[u8]) -> H256 {
    merkle::root(tiles.chunks(TILE_BYTES).map(blake2_256))
}

/// Root over the roots of consecutive runs, each of [`CHUNK_TILES`] tiles but the last, which may
/// be shorter.
pub fn join_roots(roots: impl IntoIterator<Item = H256>) -> H256 {
    merkle::root(roots)
}

/// Root of a whole weights file.
pub fn weights_root(weights: &[u8]) -> H256 {
    join_roots(weights.chunks(CHUNK_BYTES).map(tiles_root))
}
