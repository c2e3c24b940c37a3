//! The Merkle tree over tiles.

use hex_literal::hex;
use noema_checkpoint::{
    join_roots, prove, tile::TILE_BYTES, tiles_root, verify_tile, weights_root, CHUNK_TILES, H256,
};
use proptest::prelude::*;

/// A file in which no two tiles are equal.
fn weights(tiles: usize) -> Vec<u8> {
    let mut bytes = vec![0; tiles * TILE_BYTES];
    for (index, tile) in bytes.chunks_mut(TILE_BYTES).enumerate() {
        tile[..8].copy_from_slice(&(index as u64).to_le_bytes());
        tile[100] = 7;
    }
    bytes
}

fn tile(weights: &[u8], index: usize) -> [u8; TILE_BYTES] {
    weights[index * TILE_BYTES..(index + 1) * TILE_BYTES]
        .try_into()
        .unwrap()
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

#[test]
fn a_tile_of_a_second_run_is_proven() {
    let weights = weights(2 * CHUNK_TILES + 5);
    let root = weights_root(&weights);
    for index in [0, CHUNK_TILES - 1, CHUNK_TILES, 2 * CHUNK_TILES + 4] {
        let proof = prove(&weights, index as u32).unwrap();
        assert!(verify_tile(&root, &proof, &tile(&weights, index)));
    }
}

#[test]
fn there_is_no_proof_beyond_the_file() {
    assert_eq!(prove(&weights(3), 3), None);
    assert_eq!(prove(&[], 0), None);
}

proptest! {
    #[test]
    fn every_tile_of_any_file_is_proven(tiles in 1usize..40, index in any::<prop::sample::Index>()) {
        let weights = weights(tiles);
        let index = index.index(tiles);
        let proof = prove(&weights, index as u32).unwrap();
        prop_assert!(verify_tile(&weights_root(&weights), &proof, &tile(&weights, index)));
    }

    #[test]
    fn a_changed_bit_or_place_is_not(
        tiles in 2usize..40,
        index in any::<prop::sample::Index>(),
        byte in 0..TILE_BYTES,
        bit in 0..8u8,
    ) {
        let weights = weights(tiles);
        let root = weights_root(&weights);
        let index = index.index(tiles);
        let mut proof = prove(&weights, index as u32).unwrap();

        let mut changed = tile(&weights, index);
        changed[byte] ^= 1 << bit;
        prop_assert!(!verify_tile(&root, &proof, &changed));

        let other = (index + 1) % tiles;
        prop_assert!(!verify_tile(&root, &proof, &tile(&weights, other)));
        if let Some(sibling) = proof.siblings.first_mut() {
            sibling.0[0] ^= 1;
            prop_assert!(!verify_tile(&root, &proof, &tile(&weights, index)));
        }
    }
}
