//! How the matrices of an operation are cut: a single one, or those of the experts of a position.

use crate::shape::{parts, LinearCut, TraceShape, PART, PART_TILES};
use core::ops::Range;
use noema_numerics::{
    layout::TensorKind,
    network::NetworkOperator,
    tile::{TILE_COLUMNS, TILE_ROWS},
};

/// Most elements of what all experts of a position return that one step reads: 16 KiB.
pub(crate) const MIXED: usize = 4_096;

impl LinearCut {
    /// Of the matrices of the `chosen` experts of a position, each of `rows` × `columns`, one below the other in the order
    /// of the routes. Each part of the rows is of one expert and as long as all others; the same part of all experts has at
    /// most [`MIXED`] elements.
    fn of_experts(chosen: usize, rows: usize, columns: usize) -> Self {
        let blocks = columns / TILE_COLUMNS;
        let all = rows / TILE_ROWS;
        let most = (PART_TILES / blocks.max(1)).min(MIXED / TILE_ROWS / chosen.max(1));
        let fits = |groups: &usize| all.is_multiple_of(*groups);
        let groups = (1..=most).rev().find(fits).unwrap_or(1);
        Self {
            blocks,
            chunks: parts(columns, PART),
            groups,
            row_parts: (chosen * (all / groups)) as u64,
        }
    }

    /// Pieces of the stage: all parts of the rows for the first part of the reduction, then for the next.
    pub(crate) const fn pieces(&self) -> u64 {
        self.chunks * self.row_parts
    }

    /// The tiles of a part of the rows and of the reduction, in a matrix of so many.
    pub(crate) fn part_tiles(&self, row: u64, chunk: u64, tiles: u64) -> Range<u64> {
        let blocks = self.blocks as u64;
        let first = row * self.groups as u64 * blocks + chunk * PART_TILES as u64;
        let end = match self.chunks {
            1 => (first + self.groups as u64 * blocks).min(tiles),
            _ => (first + PART_TILES as u64).min((row + 1) * blocks),
        };
        first..end
    }

    /// Rows of a part.
    pub const fn rows(&self) -> usize {
        self.groups * TILE_ROWS
    }
}

impl TraceShape<'_> {
    /// How the matrix of an operation is cut; `None` where it has none.
    pub fn cut(&self, operation: usize) -> Option<LinearCut> {
        let width = |value| self.network.width(value);
        match *self.operator(operation)? {
            NetworkOperator::Linear { input, output, .. } => {
                Some(LinearCut::new(width(output), width(input)))
            }
            NetworkOperator::Experts {
                weights,
                routes,
                output,
                ..
            } => {
                let TensorKind::Linear { columns, .. } = self.network.tensors().get(weights)?.kind
                else {
                    return None;
                };
                let chosen = width(routes) / 2;
                let rows = width(output).checked_div(chosen)?;
                Some(LinearCut::of_experts(chosen, rows, columns as usize))
            }
            _ => None,
        }
    }
}
