//! The tree of a BLAKE3 hash, so that parts of a file are opened under the hash of the whole.
//!
//! BLAKE3 hashes runs of 1,024 bytes and joins them in a binary tree whose left part is the largest power of two of them
//! that leaves one or more: the places of nodes are those of [`noema_protocol::merkle`], where the last node of an odd
//! row moves up unchanged.

use blake3::{
    hazmat::{merge_subtrees_non_root, merge_subtrees_root, HasherExt, Mode},
    Hasher, CHUNK_LEN,
};
use core::ops::Range;
use noema_protocol::merkle::{self, Place};
use sp_core::H256;

/// Bytes of a leaf.
pub(crate) const LEAF: u64 = CHUNK_LEN as u64;

/// Leaves of a file of so many bytes.
pub(crate) const fn leaves(bytes: u64) -> u64 {
    match bytes.div_ceil(LEAF) {
        0 => 1,
        leaves => leaves,
    }
}

/// The bytes of a leaf in its file.
pub(crate) fn leaf_range(bytes: u64, leaf: u64) -> Range<u64> {
    let start = leaf.saturating_mul(LEAF).min(bytes);
    start..start.saturating_add(LEAF).min(bytes)
}

/// The node at a place of the tree of a file of `leaves` leaves, from the bytes below it.
pub(crate) fn node(leaves: u64, place: Place, bytes: &[u8]) -> H256 {
    if place.row >= merkle::height(leaves) {
        return H256(*blake3::hash(bytes).as_bytes());
    }
    // No leaf but that of an empty file is empty, and that one is the root.
    if bytes.is_empty() {
        return H256::zero();
    }
    let mut hasher = Hasher::new();
    let first = place.index.checked_shl(place.row).unwrap_or(0);
    hasher.set_input_offset(first.saturating_mul(LEAF));
    hasher.update(bytes);
    H256(hasher.finalize_non_root())
}

/// The hash of a file of `bytes` bytes, from some of its leaves, ascending, and the nodes that are missing.
pub(crate) fn hash<'a>(
    bytes: u64,
    shown: impl Iterator<Item = (u64, &'a [u8])>,
    missing: &[H256],
) -> Option<H256> {
    let leaves = leaves(bytes);
    let nodes = shown.map(|(index, bytes)| (index, node(leaves, Place { row: 0, index }, bytes)));
    let nodes: alloc::vec::Vec<_> = nodes.collect();
    merkle::root_by(leaves, &nodes, missing, |left, right, is_root| {
        H256(match is_root {
            true => *merge_subtrees_root(&left.0, &right.0, Mode::Hash).as_bytes(),
            false => merge_subtrees_non_root(&left.0, &right.0, Mode::Hash),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn opened(file: &[u8], shown: &[u64]) -> Option<H256> {
        let bytes = file.len() as u64;
        let slice = |range: Range<u64>| &file[range.start as usize..range.end as usize];
        let missing = merkle::missing(leaves(bytes), shown)?;
        let missing: Vec<H256> = missing
            .into_iter()
            .map(|place| {
                let start = leaf_range(bytes, place.index << place.row).start;
                let end = leaf_range(bytes, ((place.index + 1) << place.row) - 1).end;
                node(leaves(bytes), place, slice(start..end.max(start)))
            })
            .collect();
        let shown = shown
            .iter()
            .map(|leaf| (*leaf, slice(leaf_range(bytes, *leaf))));
        hash(bytes, shown, &missing)
    }

    #[test]
    fn any_leaves_of_a_file_yield_its_hash() {
        for length in [0, 1, 1_023, 1_024, 1_025, 2_048, 2_049, 5_000, 7_168, 9_000] {
            let file: Vec<u8> = (0..length)
                .map(|n: usize| (n * 7 + n / 256) as u8)
                .collect();
            let expected = H256(*blake3::hash(&file).as_bytes());
            let count = leaves(length as u64);
            for set in 1..1u64 << count {
                let shown: Vec<u64> = (0..count).filter(|leaf| set >> leaf & 1 == 1).collect();
                assert_eq!(opened(&file, &shown), Some(expected), "{length} {set:b}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_leaf_of_a_long_file_yields_its_hash(length in 1..200_000usize, at in any::<u64>()) {
            let file: Vec<u8> = (0..length).map(|n| (n * 31 + n / 1_000) as u8).collect();
            let expected = H256(*blake3::hash(&file).as_bytes());
            let leaf = at % leaves(length as u64);
            prop_assert_eq!(opened(&file, &[leaf]), Some(expected));
            let mut other = file.clone();
            other[leaf_range(length as u64, leaf).start as usize] ^= 1;
            prop_assert_ne!(opened(&other, &[leaf]), Some(expected));
        }
    }
}
