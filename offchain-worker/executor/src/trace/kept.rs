//! The upper rows of a tree.

use super::tree::{row_above, Node};
use noema_protocol::merkle::{height, row_width, Place};
use sp_core::H256;
use std::{collections::BTreeSet, ops::Range};

/// The nodes of one row of a tree, and those of all rows above.
#[derive(Debug)]
pub(super) struct KeptRows {
    leaves: u64,
    row: u32,
    /// The lowest first.
    rows: Vec<Vec<Node>>,
}

impl KeptRows {
    /// Of a tree of `leaves` leaves: the lowest row with at most `most` nodes, at least one.
    pub(super) fn new(leaves: u64, most: u64) -> Self {
        let is_kept = |row: &u32| row_width(leaves, *row) <= most.max(1);
        let row = (0..=height(leaves)).find(is_kept).unwrap_or(height(leaves));
        Self {
            leaves,
            row,
            rows: vec![vec![Node::default(); row_width(leaves, row) as usize]],
        }
    }

    /// Leaves of the tree.
    pub(super) const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// The lowest row that is kept.
    pub(super) const fn row(&self) -> u32 {
        self.row
    }

    /// Takes those of some nodes that are in the row.
    pub(super) fn take(&mut self, nodes: &mut Vec<(Place, Node)>) {
        let row = self.row;
        for (place, node) in nodes.drain(..).filter(|(place, _)| place.row == row) {
            self.rows[0][place.index as usize] = node;
        }
    }

    /// Computes the rows above, when the whole row was taken.
    pub(super) fn finish(&mut self) {
        self.rows.truncate(1);
        while let Some(row) = self.rows.last().filter(|row| row.len() > 1) {
            self.rows.push(row_above(row));
        }
    }

    /// A node that is kept.
    pub(super) fn node(&self, place: Place) -> Option<H256> {
        let row = self.rows.get(place.row.checked_sub(self.row)? as usize)?;
        row.get(place.index as usize).copied().map(H256)
    }

    /// The root.
    pub(super) fn root(&self) -> H256 {
        let root = self.rows.last().and_then(|row| row.first());
        root.copied().map_or_else(H256::zero, H256)
    }

    /// The leaves from which nodes below the row follow: ranges in order, apart from each other.
    pub(super) fn below(&self, places: &BTreeSet<Place>) -> Vec<Range<u64>> {
        let ranges = places.iter().map(|place| {
            let first = place.index << place.row;
            let end = (place.index + 1) << place.row;
            first.min(self.leaves)..end.min(self.leaves)
        });
        let mut ranges: Vec<Range<u64>> = ranges.filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<u64>> = Vec::new();
        for range in ranges {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }
}
