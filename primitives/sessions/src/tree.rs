//! The Merkle tree over the receipts of a bundle.
//!
//! It is the tree of a claim: BLAKE2b-256 over the 32 bytes of a leaf, and over the 64 bytes of two nodes, so one
//! never passes for the other. The last node of an odd row moves up unchanged. [`ReceiptTree`] keeps one hash for
//! each bit of the number of leaves, so adding a leaf and computing the root need no earlier leaf.

use alloc::vec::Vec;
use noema_protocol::{
    apply,
    hashing::{merkle_leaf, merkle_node},
    merkle, stored,
};
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// Most siblings of a leaf: one for each row below the root, of 2^32 leaves.
pub const MAX_SIBLINGS: u32 = 32;

/// A tree that grows by one leaf at a time: at most 1,033 bytes, whatever the number of leaves.
#[apply(stored)]
#[derive(Default)]
pub struct ReceiptTree {
    /// The number of leaves.
    leaves: u32,
    /// The roots of the complete subtrees, the largest first: one for each bit of the number of leaves.
    peaks: BoundedVec<H256, ConstU32<MAX_SIBLINGS>>,
}

impl ReceiptTree {
    /// The number of leaves.
    pub const fn leaves(&self) -> u32 {
        self.leaves
    }

    /// Adds a leaf, in two hashes on average. Returns whether there was room: a tree has at most 2^32 - 1 leaves.
    #[must_use]
    pub fn push(&mut self, leaf: &H256) -> bool {
        let Some(leaves) = self.leaves.checked_add(1) else {
            return false;
        };
        let mut added = merkle_leaf(leaf);
        for _ in 0..self.leaves.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                added = merkle_node(&left, &added);
            }
        }
        // There is room: one peak for each of the 32 bits of the number of leaves.
        if self.peaks.try_push(added).is_err() {
            return false;
        }
        self.leaves = leaves;
        true
    }

    /// The root, in at most 31 hashes; zero for a tree without leaves.
    pub fn root(&self) -> H256 {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return H256::zero();
        };
        peaks.fold(*last, |right, left| merkle_node(left, &right))
    }

    /// The root with one more leaf; `None` where there is no room.
    pub fn root_with(&self, leaf: &H256) -> Option<H256> {
        let mut larger = self.clone();
        larger.push(leaf).then(|| larger.root())
    }
}

/// The siblings of the leaf at `index`, upwards; `None` where there is no such leaf. Hashes every leaf.
pub fn merkle_proof(leaves: &[H256], index: u32) -> Option<Vec<H256>> {
    let mut index = usize::try_from(index).ok()?;
    leaves.get(index)?;
    let mut row: Vec<H256> = leaves.iter().map(merkle_leaf).collect();
    let mut siblings = Vec::new();
    while row.len() > 1 {
        siblings.extend(row.get(index ^ 1));
        row = merkle::row_above(&row);
        index >>= 1;
    }
    Some(siblings)
}

/// Whether `leaf` is the leaf at `index` of `leaves` under `root`, by its `siblings` upwards.
///
/// Every sibling is used, and each row that has one takes one: so a proof holds at one place only, in a tree of
/// odd width, too.
pub fn verify_leaf(root: H256, leaves: u32, index: u32, leaf: &H256, siblings: &[H256]) -> bool {
    let node = (u64::from(index), merkle_leaf(leaf));
    merkle::root_of(leaves.into(), &[node], siblings) == Some(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_protocol::hashing::blake2_256;

    fn leaves(count: u32) -> Vec<H256> {
        let leaf = |n: u32| blake2_256(&n.to_le_bytes());
        (0..count).map(leaf).collect()
    }

    fn tree(leaves: &[H256]) -> ReceiptTree {
        let mut tree = ReceiptTree::default();
        for leaf in leaves {
            assert!(tree.push(leaf));
        }
        tree
    }

    /// The root, row by row.
    fn root_by_rows(leaves: &[H256]) -> H256 {
        let mut row: Vec<H256> = leaves.iter().map(merkle_leaf).collect();
        while row.len() > 1 {
            let pairs = row.chunks(2);
            row = pairs
                .map(|pair| match pair {
                    [left, right] => merkle_node(left, right),
                    other => other[0],
                })
                .collect();
        }
        row.first().copied().unwrap_or_default()
    }

    #[test]
    fn a_tree_that_grew_has_the_root_of_its_rows() {
        for count in 0..=130 {
            let leaves = leaves(count);
            let tree = tree(&leaves);
            assert_eq!(tree.leaves(), count);
            assert_eq!(tree.root(), root_by_rows(&leaves), "{count} leaves");
        }
    }

    #[test]
    fn a_root_with_one_more_leaf_is_that_of_the_larger_tree() {
        let leaves = leaves(20);
        for count in 0..19 {
            let smaller = tree(&leaves[..count]);
            let larger = tree(&leaves[..count + 1]);
            assert_eq!(smaller.root_with(&leaves[count]), Some(larger.root()));
        }
    }

    #[test]
    fn every_leaf_is_proven_at_its_place_and_at_no_other() {
        for count in 1..=21 {
            let leaves = leaves(count);
            let root = tree(&leaves).root();
            for (index, leaf) in leaves.iter().enumerate() {
                let siblings = merkle_proof(&leaves, index as u32).expect("there is this leaf");
                for place in 0..count + 2 {
                    assert_eq!(
                        verify_leaf(root, count, place, leaf, &siblings),
                        place == index as u32,
                        "leaf {index} of {count} at {place}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_changed_proof_is_refused() {
        let leaves = leaves(9);
        let root = tree(&leaves).root();
        let siblings = merkle_proof(&leaves, 4).expect("there is this leaf");
        assert!(!verify_leaf(root, 9, 4, &leaves[5], &siblings));
        for change in 0..siblings.len() {
            let mut other = siblings.clone();
            other[change] = H256::repeat_byte(1);
            assert!(!verify_leaf(root, 9, 4, &leaves[4], &other));
        }
        let mut longer = siblings.clone();
        longer.push(H256::zero());
        assert!(!verify_leaf(root, 9, 4, &leaves[4], &longer));
        assert!(!verify_leaf(root, 9, 4, &leaves[4], &siblings[1..]));
        assert_eq!(merkle_proof(&leaves, 9), None);
        assert_eq!(merkle_proof(&[], 0), None);
    }

    #[test]
    fn a_full_tree_takes_no_further_leaf() {
        let mut tree = ReceiptTree {
            leaves: u32::MAX,
            peaks: Default::default(),
        };
        assert!(!tree.push(&H256::zero()));
        assert_eq!(tree.root_with(&H256::zero()), None);
    }

    #[test]
    fn a_tree_takes_a_kilobyte_at_most() {
        use codec::{Encode, MaxEncodedLen};
        let tree = tree(&leaves(4_095));
        assert_eq!(tree.encoded_size(), 4 + 1 + 12 * 32);
        assert!(ReceiptTree::max_encoded_len() <= 1_033);
    }
}
