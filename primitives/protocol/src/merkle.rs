//! Merkle trees of which several leaves are shown at once, and of which parts are computed from a stream of leaves.
//!
//! The tree is that of `binary-merkle-tree` with BLAKE2b-256: an inner node is the hash of its two children, and the
//! last node of an odd row moves up unchanged. Its lowest row are the *nodes* of the leaves, which the user of the
//! tree hashes: a tile by [`blake2_256`](crate::hashing::blake2_256), a hash by
//! [`merkle_leaf`](crate::hashing::merkle_leaf).
//!
//! A proof of several leaves is the list of the nodes that are missing to compute the root, row by row from the lowest
//! and from left to right. Which places these are follows from the width of the tree and the places of the leaves, so
//! a proof says nothing about places, and holds with exactly as many nodes as are missing: a leaf of a tree of odd
//! width is not accepted at a second place.

use crate::{apply, hashing::merkle_node, sent};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use sp_core::H256;

/// A place in a tree: the row, counted from the lowest, and the index in it.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord)]
pub struct Place {
    /// The row; zero is that of the leaves.
    pub row: u32,
    /// The index in the row.
    pub index: u64,
}

impl Place {
    /// The place of a leaf.
    pub const fn of_leaf(leaf: u64) -> Self {
        Self {
            row: 0,
            index: leaf,
        }
    }

    /// Whether it is `other`, or a place below that.
    pub fn is_within(&self, other: &Self) -> bool {
        let above = other.row.checked_sub(self.row);
        above.and_then(|above| self.index.checked_shr(above)) == Some(other.index)
    }
}

/// Nodes in a row of a tree with so many leaves.
pub const fn row_width(leaves: u64, row: u32) -> u64 {
    match (leaves.checked_sub(1), row < u64::BITS) {
        (Some(last), true) => (last >> row).saturating_add(1),
        (Some(_), false) => 1,
        (None, _) => 0,
    }
}

/// Rows above the leaves.
pub const fn height(leaves: u64) -> u32 {
    match leaves.checked_sub(1) {
        Some(last) => u64::BITS.saturating_sub(last.leading_zeros()),
        None => 0,
    }
}

/// The row above a row that begins at an even index. The last node of an odd row moves up unchanged.
pub fn row_above(row: &[H256]) -> Vec<H256> {
    let pairs = row.chunks(2).filter_map(|pair| match pair {
        [left, right] => Some(merkle_node(left, right)),
        [alone] => Some(*alone),
        _ => None,
    });
    pairs.collect()
}

/// The root over the nodes of leaves; zero without any.
pub fn root(nodes: impl IntoIterator<Item = H256>) -> H256 {
    let mut row: Vec<H256> = nodes.into_iter().collect();
    while row.len() > 1 {
        row = row_above(&row);
    }
    row.first().copied().unwrap_or_default()
}

/// One row of a proof: calls `missing` for the index of each node that is missing, in order, and `above` for each node
/// of the next row with the index of its left child's and whether both, only one, or an only child is there.
fn climb<T: Copy>(
    width: u64,
    row: &[(u64, T)],
    mut missing: impl FnMut(u64) -> Option<T>,
    join: impl Fn(T, T) -> T,
) -> Option<Vec<(u64, T)>> {
    let mut above = Vec::with_capacity(row.len());
    let mut nodes = row.iter().copied().peekable();
    while let Some((index, node)) = nodes.next() {
        let next = index.checked_add(1)?;
        let parent = if index & 1 == 1 {
            join(missing(index.checked_sub(1)?)?, node)
        } else if let Some((_, right)) = nodes.next_if(|(other, _)| *other == next) {
            join(node, right)
        } else if next == width {
            node
        } else {
            join(node, missing(next)?)
        };
        above.push((index >> 1, parent));
    }
    Some(above)
}

/// Whether these are places in the row of `leaves` leaves, in order, each once, and at least one.
fn are_places(leaves: u64, mut places: impl Iterator<Item = u64>) -> bool {
    let Some(mut last) = places.next() else {
        return false;
    };
    for place in places {
        if place <= last {
            return false;
        }
        last = place;
    }
    last < leaves
}

/// The places of the nodes in a proof of the leaves at `indices`, which are ascending; `None` where they are not
/// places of different leaves in order.
pub fn missing(leaves: u64, indices: &[u64]) -> Option<Vec<Place>> {
    if !are_places(leaves, indices.iter().copied()) {
        return None;
    }
    let mut found = Vec::new();
    let mut known: Vec<(u64, ())> = indices.iter().map(|index| (*index, ())).collect();
    for row in 0..height(leaves) {
        let note = |index| {
            found.push(Place { row, index });
            Some(())
        };
        known = climb(row_width(leaves, row), &known, note, |(), ()| ())?;
    }
    Some(found)
}

/// The root of a tree of `leaves` leaves, from the nodes of some of them, with their indices in ascending order, and
/// the nodes that are missing; `None` where these are not exactly those of [`missing`].
pub fn root_of(leaves: u64, nodes: &[(u64, H256)], missing: &[H256]) -> Option<H256> {
    root_by(leaves, nodes, missing, |left, right, _| {
        merkle_node(&left, &right)
    })
}

/// As [`root_of`], of a tree with the same places whose nodes are joined in another way: `join` is given two nodes and
/// whether the one above them is the root.
pub fn root_by(
    leaves: u64,
    nodes: &[(u64, H256)],
    missing: &[H256],
    join: impl Fn(H256, H256, bool) -> H256,
) -> Option<H256> {
    if !are_places(leaves, nodes.iter().map(|(index, _)| *index)) {
        return None;
    }
    let mut missing = missing.iter().copied();
    let mut known = nodes.to_vec();
    let height = height(leaves);
    for row in 0..height {
        let is_root = row.saturating_add(1) == height;
        let join = |left, right| join(left, right, is_root);
        known = climb(row_width(leaves, row), &known, |_| missing.next(), join)?;
    }
    match (missing.next(), known.as_slice()) {
        (None, [(_, root)]) => Some(*root),
        _ => None,
    }
}

/// Adds the node of a leaf to the roots of the complete subtrees over the `earlier` leaves, the largest first; `None`
/// where these are not as many as so many leaves have.
pub fn add_to_peaks(peaks: &mut Vec<H256>, earlier: u64, node: H256) -> Option<()> {
    let mut added = node;
    for _ in 0..earlier.trailing_ones() {
        added = merkle_node(&peaks.pop()?, &added);
    }
    peaks.push(added);
    Some(())
}

/// The root over the leaves of complete subtrees with these roots, the largest first; `None` without any.
pub fn root_of_peaks(peaks: &[H256]) -> Option<H256> {
    let peaks = peaks.iter().rev().copied();
    peaks.reduce(|right, left| merkle_node(&left, &right))
}

/// Finds nodes of a tree while its leaves pass by, in memory for one node of each row and for those that are wanted.
#[derive(Clone, Debug)]
pub struct Collector {
    leaves: u64,
    next: u64,
    /// The last left child of each row that waits for its sibling.
    waiting: Vec<Option<H256>>,
    wanted: BTreeMap<Place, usize>,
    found: Vec<Option<H256>>,
}

impl Collector {
    /// Finds the nodes at the places `wanted` in a tree of `leaves` leaves, from the leaf `first` on. A node is found
    /// if all leaves below it pass by.
    pub fn new(leaves: u64, first: u64, wanted: &[Place]) -> Self {
        Self {
            leaves,
            next: first,
            waiting: vec![None; height(leaves) as usize],
            wanted: wanted.iter().copied().zip(0..).collect(),
            found: vec![None; wanted.len()],
        }
    }

    /// Takes the node of the next leaf. Those after the last are ignored.
    pub fn push(&mut self, node: H256) {
        let (mut place, mut node) = (
            Place {
                row: 0,
                index: self.next,
            },
            node,
        );
        if self.next >= self.leaves {
            return;
        }
        self.next = self.next.saturating_add(1);
        loop {
            if let Some(found) = self
                .wanted
                .get(&place)
                .and_then(|slot| self.found.get_mut(*slot))
            {
                *found = Some(node);
            }
            let width = row_width(self.leaves, place.row);
            let Some(waiting) = self.waiting.get_mut(place.row as usize) else {
                return;
            };
            if place.index & 1 == 1 {
                // Without a left sibling, the stream began between the two.
                let Some(left) = waiting.take() else {
                    return;
                };
                node = merkle_node(&left, &node);
            } else if place.index.saturating_add(1) < width {
                *waiting = Some(node);
                return;
            }
            place = Place {
                row: place.row.saturating_add(1),
                index: place.index >> 1,
            };
        }
    }

    /// The nodes in the order of `wanted`; `None` if one was not found.
    pub fn finish(self) -> Option<Vec<H256>> {
        self.found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_within_itself_and_those_above() {
        let place = |row, index| Place { row, index };
        assert!(place(0, 5).is_within(&place(0, 5)));
        assert!(place(0, 5).is_within(&place(1, 2)));
        assert!(!place(0, 5).is_within(&place(1, 3)));
        assert!(!place(1, 2).is_within(&place(0, 5)));
        assert!(!place(0, u64::MAX).is_within(&place(u32::MAX, 0)));
    }
    use crate::hashing::blake2_256;

    fn nodes(count: u64) -> Vec<H256> {
        (0..count).map(|n| blake2_256(&n.to_le_bytes())).collect()
    }

    fn top(leaves: u64) -> Place {
        Place {
            row: height(leaves),
            index: 0,
        }
    }

    fn collect(nodes: &[H256], wanted: &[Place]) -> Vec<H256> {
        let mut collector = Collector::new(nodes.len() as u64, 0, wanted);
        nodes.iter().for_each(|node| collector.push(*node));
        collector.finish().expect("all leaves passed by")
    }

    /// Leaves of `count` by the bits of `set`.
    fn chosen(count: u64, set: u64) -> Vec<u64> {
        (0..count).filter(|index| set >> index & 1 == 1).collect()
    }

    #[test]
    fn any_leaves_are_proven_at_their_places_and_at_no_others() {
        for count in 1..=9u64 {
            let nodes = nodes(count);
            let root = root(nodes.iter().copied());
            assert_eq!(collect(&nodes, &[top(count)]), [root]);
            for set in 1..1u64 << count {
                let indices = chosen(count, set);
                let places = missing(count, &indices).expect("places in order");
                let proof = collect(&nodes, &places);
                let shown = |at: &[u64]| {
                    let nodes = indices.iter().map(|index| nodes[*index as usize]);
                    let shown: Vec<_> = at.iter().copied().zip(nodes).collect();
                    root_of(count, &shown, &proof) == Some(root)
                };
                assert!(shown(&indices));
                for other in 1..1u64 << count {
                    if other != set && other.count_ones() == set.count_ones() {
                        assert!(
                            !shown(&chosen(count, other)),
                            "{set:b} of {count} at {other:b}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_changed_proof_is_refused() {
        let nodes = nodes(11);
        let root = root(nodes.iter().copied());
        let indices = [2, 3, 10];
        let proof = collect(&nodes, &missing(11, &indices).expect("places in order"));
        let shown: Vec<_> = indices.iter().map(|i| (*i, nodes[*i as usize])).collect();
        assert_eq!(root_of(11, &shown, &proof), Some(root));
        for change in 0..proof.len() {
            let mut other = proof.clone();
            other[change] = H256::zero();
            assert_ne!(root_of(11, &shown, &other), Some(root));
        }
        let longer: Vec<_> = proof.iter().copied().chain([H256::zero()]).collect();
        assert_eq!(root_of(11, &shown, &longer), None);
        assert_eq!(root_of(11, &shown, &proof[1..]), None);
        let swapped = [shown[1], shown[0], shown[2]];
        assert_eq!(root_of(11, &swapped, &proof), None);
        let twice = [shown[0], shown[0], shown[2]];
        assert_eq!(root_of(11, &twice, &proof), None);
        assert_eq!(root_of(11, &[(11, nodes[0])], &proof), None);
        assert_eq!(root_of(11, &[], &proof), None);
        assert_eq!(root_of(0, &[], &[]), None);
    }

    #[test]
    fn a_part_of_a_tree_is_found_from_its_own_leaves() {
        let nodes = nodes(13);
        for row in 0..=4u32 {
            for index in 0..row_width(13, row) {
                let wanted = Place { row, index };
                let first = index << row;
                let mut part = Collector::new(13, first, &[wanted]);
                for node in nodes.iter().skip(first as usize).take(1 << row) {
                    part.push(*node);
                }
                let part = part.finish().expect("its leaves passed by");
                assert_eq!(part, collect(&nodes, &[wanted]), "{wanted:?}");
            }
        }
        assert_eq!(Collector::new(13, 0, &[top(13)]).finish(), None);
    }

    #[test]
    fn a_root_follows_from_the_complete_subtrees() {
        let mut peaks = Vec::new();
        assert_eq!(root_of_peaks(&peaks), None);
        for count in 1..40u64 {
            let nodes = nodes(count);
            let added = add_to_peaks(&mut peaks, count - 1, nodes[count as usize - 1]);
            assert_eq!(added, Some(()));
            assert_eq!(peaks.len() as u32, count.count_ones());
            assert_eq!(root_of_peaks(&peaks), Some(root(nodes)));
        }
        assert_eq!(add_to_peaks(&mut Vec::new(), 1, H256::zero()), None);
    }

    #[test]
    fn a_tree_has_the_rows_of_its_leaves() {
        let rows = |leaves| (0..=height(leaves)).map(move |row| row_width(leaves, row));
        assert!(rows(11).eq([11, 6, 3, 2, 1]));
        assert!(rows(1).eq([1]));
        assert_eq!((height(0), row_width(0, 0)), (0, 0));
        assert_eq!((height(u64::MAX), row_width(u64::MAX, 64)), (64, 1));
    }
}
