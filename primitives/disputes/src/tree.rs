//! The Merkle tree over the steps of a trace, by which a claimant is bound to each of them.
//!
//! The leaf of a step is the hash of its result. The tree is that of a claim's receipts: BLAKE2b-256 over the 32
//! bytes of a leaf and over the 64 bytes of two nodes; the last node of an odd row moves up unchanged. The number of
//! siblings is checked, so a path holds at one place only.

use noema_protocol::{
    apply,
    hashing::merkle_leaf,
    merkle::{self, Place},
    sent,
};
use sp_core::H256;

/// Most steps of a trace: 70 billion weights at 32,768 positions have a thousandth of that.
pub const MAX_STEPS: u64 = 1 << 48;
/// Most siblings of a leaf.
pub const MAX_SIBLINGS: u32 = 48;
/// Most rows by which one row that the claimant shows is below its node.
pub const MAX_ROW_BITS: u8 = 10;
/// Most nodes in a row that the claimant shows: 32 KiB.
pub const MAX_ROW: u32 = 1 << MAX_ROW_BITS;

/// The tree to which a claimant is bound: at least one step, [`MAX_STEPS`] at most.
#[apply(sent)]
#[derive(Copy)]
pub struct Tree {
    /// The root over the leaves of all steps.
    root: H256,
    /// The number of steps.
    steps: u64,
}

impl Tree {
    /// The tree with a root over `steps` leaves; `None` for no steps, or more than [`MAX_STEPS`].
    pub const fn new(root: H256, steps: u64) -> Option<Self> {
        match steps {
            1..=MAX_STEPS => Some(Self { root, steps }),
            _ => None,
        }
    }

    /// The root.
    pub const fn root(&self) -> H256 {
        self.root
    }

    /// The number of steps.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// How many rows the root is above the leaves.
    pub const fn height(&self) -> u32 {
        merkle::height(self.steps)
    }

    /// The place of the root.
    pub fn top(&self) -> Place {
        Place {
            row: self.height(),
            index: 0,
        }
    }

    /// The number of nodes in a row.
    const fn width(&self, row: u32) -> u64 {
        merkle::row_width(self.steps, row)
    }

    /// Whether the tree has this place.
    pub fn has(&self, node: &Place) -> bool {
        node.row <= self.height() && node.index < self.width(node.row)
    }

    /// Whether `hash` is the node at a place, by its `siblings` upwards.
    pub fn verify(&self, node: &Place, hash: H256, siblings: &[H256]) -> bool {
        // The rows above a node are those of a tree whose leaves are in its row.
        self.has(node)
            && merkle::root_of(self.width(node.row), &[(node.index, hash)], siblings)
                == Some(self.root)
    }

    /// Whether `leaf` is the leaf of a step, by its `siblings` upwards.
    pub fn verify_step(&self, step: u64, leaf: &H256, siblings: &[H256]) -> bool {
        self.verify(&Place::of_leaf(step), merkle_leaf(leaf), siblings)
    }

    /// The first place of the row `bits` rows below a node, or of the leaves where these are nearer, and the number of
    /// nodes there that are below the node; `None` for a leaf, or a place that the tree does not have.
    pub fn row_below(&self, node: &Place, bits: u8) -> Option<(Place, u32)> {
        let drop = node.row.min(bits.min(MAX_ROW_BITS).into());
        if drop == 0 || !self.has(node) {
            return None;
        }
        let row = node.row.checked_sub(drop)?;
        let index = node.index.checked_shl(drop)?;
        let most = 1u64.checked_shl(drop)?;
        let count = self.width(row).checked_sub(index)?.min(most);
        Some((Place { row, index }, u32::try_from(count).ok()?))
    }

    /// Whether `row` is the row `bits` rows below a node with this hash, see [`Self::row_below`].
    pub fn verify_row(&self, node: &Place, hash: H256, bits: u8, row: &[H256]) -> bool {
        let Some((first, count)) = self.row_below(node, bits) else {
            return false;
        };
        if u32::try_from(row.len()) != Ok(count) {
            return false;
        }
        let mut row = row.to_vec();
        for _ in first.row..node.row {
            row = merkle::row_above(&row);
        }
        row == [hash]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_protocol::hashing::blake2_256;

    /// All rows of the tree over `count` leaves, the leaves' first.
    fn rows(count: u64) -> Vec<Vec<H256>> {
        let leaf = |step: u64| merkle_leaf(&blake2_256(&step.to_le_bytes()));
        let mut rows = vec![(0..count).map(leaf).collect::<Vec<_>>()];
        while rows[rows.len() - 1].len() > 1 {
            rows.push(merkle::row_above(&rows[rows.len() - 1]));
        }
        rows
    }

    fn tree(rows: &[Vec<H256>]) -> Tree {
        Tree::new(rows[rows.len() - 1][0], rows[0].len() as u64).expect("it has steps")
    }

    fn siblings(rows: &[Vec<H256>], node: Place) -> Vec<H256> {
        let mut index = node.index as usize;
        let mut siblings = Vec::new();
        for row in &rows[node.row as usize..] {
            siblings.extend(row.get(index ^ 1));
            index >>= 1;
        }
        siblings
    }

    fn places(rows: &[Vec<H256>]) -> Vec<Place> {
        let heights = rows.iter().enumerate();
        let places = heights.flat_map(|(height, row)| {
            (0..row.len() as u64).map(move |index| Place {
                row: height as u32,
                index,
            })
        });
        places.collect()
    }

    #[test]
    fn a_tree_has_a_step_and_no_more_than_can_be() {
        let new = |steps| Tree::new(H256::zero(), steps);
        assert_eq!(new(0), None);
        assert_eq!(new(MAX_STEPS + 1), None);
        let heights = [1, 2, 3, 4, 5, MAX_STEPS].map(|steps| new(steps).map(|tree| tree.height()));
        assert_eq!(heights, [0, 1, 2, 2, 3, 48].map(Some));
        assert_eq!(MAX_SIBLINGS, MAX_STEPS.ilog2());
    }

    #[test]
    fn every_node_is_proven_at_its_place_and_at_no_other() {
        for count in 1..=19 {
            let rows = rows(count);
            let tree = tree(&rows);
            for node in places(&rows) {
                let hash = rows[node.row as usize][node.index as usize];
                let path = siblings(&rows, node);
                for place in places(&rows) {
                    let is_there = tree.verify(&place, hash, &path);
                    // A node that moved up unchanged is at each place that it passed, with one path.
                    let same = rows[place.row as usize][place.index as usize] == hash;
                    assert_eq!(is_there, same, "{node:?} of {count} at {place:?}");
                }
                let outside = Place {
                    index: rows[node.row as usize].len() as u64,
                    ..node
                };
                assert!(!tree.verify(&outside, hash, &path));
                let longer: Vec<_> = path.iter().copied().chain([hash]).collect();
                assert!(!tree.verify(&node, hash, &longer));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!tree.verify(&node, hash, shorter));
                }
            }
        }
    }

    #[test]
    fn a_row_is_that_of_its_node_and_of_no_other() {
        for count in 1..=40 {
            let rows = rows(count);
            let tree = tree(&rows);
            for node in places(&rows) {
                let hash = rows[node.row as usize][node.index as usize];
                for bits in 0..=4 {
                    let Some((first, width)) = tree.row_below(&node, bits) else {
                        assert!(node.row == 0 || bits == 0);
                        assert!(!tree.verify_row(&node, hash, bits, &[hash]));
                        continue;
                    };
                    assert!(first.is_within(&node));
                    let start = first.index as usize;
                    let row = &rows[first.row as usize][start..start + width as usize];
                    assert!(tree.verify_row(&node, hash, bits, row));
                    let mut other = row.to_vec();
                    other[0] = H256::zero();
                    assert!(!tree.verify_row(&node, hash, bits, &other));
                    assert!(!tree.verify_row(&node, hash, bits, &row[1..]));
                    let longer: Vec<_> = row.iter().copied().chain([hash]).collect();
                    assert!(!tree.verify_row(&node, hash, bits, &longer));
                    assert!(!tree.verify_row(&node, H256::zero(), bits, row));
                }
            }
        }
    }

    #[test]
    fn a_row_has_32_kibibytes_at_most() {
        let tree = Tree::new(H256::zero(), MAX_STEPS).expect("it has steps");
        let row = tree.row_below(&tree.top(), u8::MAX);
        let first = Place { row: 38, index: 0 };
        assert_eq!(row, Some((first, MAX_ROW)));
    }
}
