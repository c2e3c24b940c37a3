//! Merkle trees over hashes: the receipts of a claim, and the hidden states of an answer, which prove its
//! execution.
//!
//! The tree is `binary_merkle_tree`'s with BLAKE2b-256. Its leaves are 32 bytes and an inner node is 64,
//! so one never passes for the other. The tree of an answer is over the hashes of the final hidden
//! states from which its tokens are sampled, in order; that of a claim over the hashes of its receipts.

use alloc::vec::Vec;
use binary_merkle_tree::Leaf;
use codec::DecodeWithMemTracking;
use noema_protocol::{apply, encoded};
use sp_core::H256;
use sp_runtime::traits::BlakeTwo256;

/// The hidden state at one position, and its path to the root.
#[apply(encoded)]
#[derive(DecodeWithMemTracking)]
#[cfg_attr(feature = "by-name", derive(scale_encode::EncodeAsType))]
pub struct HiddenProof {
    /// The hash of the hidden state.
    pub hidden: H256,
    /// The sibling hashes from the leaf upwards.
    pub siblings: Vec<H256>,
}

/// The root over hashes: of the hidden states of an answer, or of the receipts of a claim.
pub fn merkle_root(leaves: &[H256]) -> H256 {
    binary_merkle_tree::merkle_root::<BlakeTwo256, _>(leaves)
}

/// Whether `leaf` is the leaf at `index` of `leaves` under `root`, by its `siblings` upwards.
///
/// The number of siblings is checked: in a tree of odd width the last leaf would otherwise be
/// accepted at a second place.
pub fn verify_leaf(root: H256, leaves: u32, index: u32, leaf: H256, siblings: &[H256]) -> bool {
    index < leaves
        && u32::try_from(siblings.len()) == Ok(siblings_of(leaves, index))
        && binary_merkle_tree::verify_proof::<BlakeTwo256, _, _>(
            &root,
            siblings.iter().copied(),
            leaves,
            index,
            Leaf::Value(leaf.as_bytes()),
        )
}

/// Proves the hidden state at `position`; `None` where the answer has no such position.
pub fn prove_hidden(states: &[H256], position: u32) -> Option<HiddenProof> {
    let hidden = *states.get(usize::try_from(position).ok()?)?;
    let proof = binary_merkle_tree::merkle_proof::<BlakeTwo256, _, _>(states, position);
    Some(HiddenProof {
        hidden,
        siblings: proof.proof,
    })
}

/// Whether `proof` shows the hidden state at `position` of `positions` under `root`.
pub fn verify_hidden(root: H256, positions: u32, position: u32, proof: &HiddenProof) -> bool {
    verify_leaf(root, positions, position, proof.hidden, &proof.siblings)
}

/// How many siblings the path of leaf `index` has in a tree of `width` leaves, where the last node of an odd
/// row moves up unchanged.
fn siblings_of(mut width: u32, mut index: u32) -> u32 {
    let mut count = 0u32;
    while width > 1 {
        // The last node of an odd row has no sibling.
        let is_alone = index.is_multiple_of(2) && index == width.saturating_sub(1);
        count = count.saturating_add(u32::from(!is_alone));
        index /= 2;
        width = width.div_ceil(2);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_protocol::hashing;

    fn states(count: u32) -> Vec<H256> {
        (0..count)
            .map(|index| hashing::blake2_256(&index.to_le_bytes()))
            .collect()
    }

    #[test]
    fn every_position_is_proven_at_its_place_and_at_no_other() {
        for count in 1..=33 {
            let states = states(count);
            let root = merkle_root(&states);
            for position in 0..count {
                let proof = prove_hidden(&states, position).expect("it has this position");
                for place in 0..count + 2 {
                    assert_eq!(
                        verify_hidden(root, count, place, &proof),
                        place == position,
                        "position {position} of {count} at {place}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_position_that_is_not_there_is_not_proven() {
        assert_eq!(prove_hidden(&states(3), 3), None);
        assert_eq!(prove_hidden(&[], 0), None);
    }

    #[test]
    fn a_changed_proof_is_refused() {
        let states = states(9);
        let root = merkle_root(&states);
        let proof = prove_hidden(&states, 4).expect("it has this position");
        let mut other = proof.clone();
        other.hidden = H256::repeat_byte(1);
        assert!(!verify_hidden(root, 9, 4, &other));
        for sibling in 0..proof.siblings.len() {
            let mut other = proof.clone();
            other.siblings[sibling] = H256::repeat_byte(1);
            assert!(!verify_hidden(root, 9, 4, &other));
        }
        let mut longer = proof.clone();
        longer.siblings.push(H256::zero());
        assert!(!verify_hidden(root, 9, 4, &longer));
        let mut shorter = proof;
        shorter.siblings.pop();
        assert!(!verify_hidden(root, 9, 4, &shorter));
    }
}
