//! The Merkle tree over tiles.

use hex_literal::hex;
use noema_checkpoint::{join_roots, tile::TILE_BYTES, tiles_root, weights_root, CHUNK_TILES, H256};

/// A file in which no two tiles are equal.
fn weights(tiles: usize) -> Vec<u8> {
    let mut bytes = vec![0; tiles * TILE_BYTES];
    for (index, tile) in bytes.chunks_mut(TILE_BYTES).enumerate() {
        tile[..8].copy_from_slice(&(index as u64).to_le_bytes());
        tile[100] = 7;
    }
    bytes
}

#[test]
fn the_root_is_frozen() {
    // Python: leaves and nodes by hashlib.blake2b(digest_size=32), odd nodes moved up.
    assert_eq!(
        weights_root(&weights(1)),
        H256(hex!(
            "54ccc05dabdccfcb429009f4ad4429375b9826ab78e560d4d8c4951bae2cf49a"
        ))
    );
    assert_eq!(
        weights_root(&weights(7)),
        H256(hex!(
            "7e5efd95250eb3a4a54a943c6956871574c127ecaa034b03bbd157ece14abc61"
        ))
    );
}

#[test]
fn runs_give_the_root_of_the_whole() {
    for tiles in [1, 2, CHUNK_TILES - 1, CHUNK_TILES, 2 * CHUNK_TILES + 5] {
        let weights = weights(tiles);
        assert_eq!(weights_root(&weights), tiles_root(&weights), "{tiles}");
        let runs = weights.chunks(CHUNK_TILES * TILE_BYTES).map(tiles_root);
        assert_eq!(join_roots(runs), tiles_root(&weights), "{tiles}");
    }
}
