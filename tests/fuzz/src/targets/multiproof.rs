//! Proofs of leaves and nodes in Merkle trees: none is accepted but of what the tree has, at its place.

use codec::{Decode, DecodeAll, Encode};
use noema_disputes::Tree;
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf},
    merkle::{self, Collector, Place},
};
use noema_sessions::{merkle_proof, verify_leaf};
use sp_core::H256;

#[derive(Encode, Decode)]
struct Proof {
    /// Leaves of the honest tree, at most.
    leaves: u8,
    /// Leaves of another tree.
    others: u64,
    /// Places of leaves with their nodes.
    shown: Vec<(u64, H256)>,
    missing: Vec<H256>,
    /// A node of the tree, with the nodes above in `missing`, and the rows between it and those in `shown`.
    node: Place,
    bits: u8,
}

fn leaf(index: u64) -> H256 {
    blake2_256(&index.to_le_bytes())
}

/// The nodes at some places of the honest tree.
fn nodes(leaves: u64, places: &[Place]) -> Vec<H256> {
    let mut collector = Collector::new(leaves, 0, places);
    (0..leaves).for_each(|index| collector.push(merkle_leaf(&leaf(index))));
    collector.finish().expect("places of the tree")
}

/// Whether `row` is accepted below a node that the honest tree has; if so, it is that of the tree.
fn is_row(tree: &Tree, node: &Place, bits: u8, row: &[H256]) -> bool {
    let hash = nodes(tree.steps(), &[*node])[0];
    if !tree.verify_row(node, hash, bits, row) {
        return false;
    }
    let (first, count) = tree.row_below(node, bits).expect("a row that was verified");
    let places = (0..u64::from(count)).map(|offset| Place {
        row: first.row,
        index: first.index + offset,
    });
    assert_eq!(nodes(tree.steps(), &places.collect::<Vec<_>>()), row);
    true
}

pub(super) fn run(bytes: &[u8]) -> String {
    let Ok(proof) = Proof::decode_all(&mut &bytes[..]) else {
        return "undecodable".into();
    };
    let leaves = u64::from(proof.leaves).max(1);
    let root = merkle::root((0..leaves).map(|index| merkle_leaf(&leaf(index))));
    let indices: Vec<u64> = proof.shown.iter().map(|(index, _)| *index).collect();
    let found = merkle::root_of(leaves, &proof.shown, &proof.missing);
    let places = merkle::missing(leaves, &indices);
    let fits = places.as_ref().map(Vec::len) == Some(proof.missing.len());
    assert_eq!(
        found.is_some(),
        fits,
        "a proof has exactly the nodes that are missing"
    );
    if found == Some(root) {
        let honest = indices.iter().map(|index| merkle_leaf(&leaf(*index)));
        assert!(proof.shown.iter().map(|(_, node)| *node).eq(honest));
        assert_eq!(
            places.map(|places| nodes(leaves, &places)),
            Some(proof.missing.clone())
        );
    }
    // No tree, however large, makes it run for long.
    let other = merkle::root_of(proof.others, &proof.shown, &proof.missing);
    let tree = Tree::new(root, leaves).expect("a tree");
    let hash = proof.shown.first().map_or(H256::zero(), |(_, hash)| *hash);
    let is_node = tree.verify(&proof.node, hash, &proof.missing);
    if is_node {
        assert_eq!(nodes(leaves, &[proof.node]), [hash]);
    }
    let row: Vec<H256> = proof.shown.iter().map(|(_, hash)| *hash).collect();
    let is_row = tree.has(&proof.node) && is_row(&tree, &proof.node, proof.bits, &row);
    let index = indices.first().map_or(0, |index| *index as u32);
    let claimed = verify_leaf(root, leaves as u32, index, &hash, &proof.missing);
    if claimed {
        assert_eq!(hash, leaf(index.into()));
    }
    format!(
        "{fits} {} {} {is_node} {is_row} {claimed}",
        found == Some(root),
        other.is_some()
    )
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (leaves, indices) in [
        (1_u64, &[0_u64][..]),
        (7, &[6]),
        (13, &[2, 3, 12]),
        (64, &[0, 1, 2, 40]),
        (200, &[199]),
    ] {
        let top = Place {
            row: merkle::height(leaves),
            index: 0,
        };
        let places = merkle::missing(leaves, indices).expect("places in order");
        let honest = Proof {
            leaves: leaves as u8,
            others: leaves << 40,
            shown: indices
                .iter()
                .map(|index| (*index, merkle_leaf(&leaf(*index))))
                .collect(),
            missing: nodes(leaves, &places),
            node: Place {
                row: 0,
                index: indices[0],
            },
            bits: 10,
        };
        seeds.push(honest.encode());
        let all: Vec<H256> = (0..leaves).map(leaf).collect();
        let of_leaf = Proof {
            shown: vec![(indices[0], leaf(indices[0]))],
            missing: merkle_proof(&all, indices[0] as u32).expect("a leaf"),
            ..honest
        };
        seeds.push(of_leaf.encode());
        let row = Proof {
            shown: (0..leaves)
                .map(|index| (index, merkle_leaf(&leaf(index))))
                .collect(),
            missing: Vec::new(),
            node: top,
            ..of_leaf
        };
        seeds.push(row.encode());
    }
    seeds
}
