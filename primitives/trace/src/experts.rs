//! The pieces of a mixture of experts, and what they read.

use crate::{
    cut::MIXED,
    reads::Read,
    shape::{LinearCut, StepPlace, TraceShape, PART},
    StepKind,
};
use alloc::{vec, vec::Vec};
use core::ops::Range;
use noema_numerics::{
    network::{NetworkOperator, Value},
    tile::TILE_COLUMNS,
};

/// A piece of the products of a position's experts: some rows of the matrix of one of them, and a part of its inputs.
pub(crate) struct ExpertPiece {
    /// Blocks.
    pub(crate) input: Value,
    weights: usize,
    /// Experts of the layer.
    pub(crate) count: usize,
    pub(crate) cut: LinearCut,
    /// Which of the experts in the routes.
    pub(crate) slot: usize,
    /// The part of its rows.
    row: u64,
    /// The part of the reduction.
    chunk: u64,
    /// The elements of the input.
    pub(crate) elements: Range<usize>,
}

impl TraceShape<'_> {
    pub(crate) fn expert_piece(&self, place: &StepPlace) -> Option<ExpertPiece> {
        let NetworkOperator::Experts {
            weights,
            count,
            routes,
            input,
            ..
        } = *self.operator(place.operation)?
        else {
            return None;
        };
        let cut = self.cut(place.operation)?;
        let chosen = self.network.width(routes) as u64 / 2;
        let (chunk, row) = (place.piece / cut.row_parts, place.piece % cut.row_parts);
        let rows = cut.row_parts.checked_div(chosen)?;
        let slot = row.checked_div(rows)? as usize;
        let columns = cut.blocks * TILE_COLUMNS;
        // All experts read the whole input, or each its part.
        let first = match self.network.width(input) == columns {
            true => 0,
            false => slot * columns,
        };
        let from = chunk as usize * PART;
        Some(ExpertPiece {
            input,
            weights,
            count: count as usize,
            cut,
            slot,
            row: row % rows,
            chunk,
            elements: first + from..first + (from + PART).min(columns),
        })
    }

    /// The tiles of a piece, of expert `expert` of the layer.
    pub(crate) fn expert_tiles(&self, place: &StepPlace, expert: u32) -> Option<Range<u64>> {
        let piece = self.expert_piece(place)?;
        if expert as usize >= piece.count {
            return None;
        }
        let tensor = self.network.tensors().get(piece.weights)?;
        let tiles = tensor.tiles.checked_div(piece.count as u64)?;
        let start = tensor.offset_tiles + u64::from(expert) * tiles;
        let tiles = piece.cut.part_tiles(piece.row, piece.chunk, tiles);
        Some(start + tiles.start..start + tiles.end)
    }

    /// Elements of a piece of a mixture: whole leaves of what an expert returns, and of all experts at most `MIXED`.
    pub fn mixed_elements(&self, operation: usize) -> Option<usize> {
        let NetworkOperator::Mix { routes, input, .. } = *self.operator(operation)? else {
            return None;
        };
        let chosen = self.network.width(routes) / 2;
        let (_, leaf) = self.result(self.writer(input, operation)?, 0)?;
        let most = MIXED.checked_div(chosen)?.min(PART);
        Some(leaf.max(most.checked_div(leaf)? * leaf))
    }

    /// Routes of the position that an operation reads.
    pub(crate) fn routes_of(&self, place: &StepPlace) -> Option<Read> {
        let (NetworkOperator::Experts { routes, .. } | NetworkOperator::Mix { routes, .. }) =
            *self.operator(place.operation)?
        else {
            return None;
        };
        self.integers(routes, place, 0..self.network.width(routes))
    }

    /// What the steps of experts read: routes; the leaves with the part of the input, whole, and the sums so far; or the
    /// part of what each expert returns.
    pub(crate) fn experts_reads(&self, kind: StepKind, place: &StepPlace) -> Option<Vec<Read>> {
        let mut reads = vec![self.routes_of(place)?];
        match kind {
            StepKind::Experts => {
                let piece = self.expert_piece(place)?;
                let leaves = piece.elements.start / PART..piece.elements.end.div_ceil(PART);
                for leaf in leaves {
                    reads.push(self.blocks(piece.input, place, leaf as u64)?);
                }
                let before = place.piece.checked_sub(piece.cut.row_parts);
                reads.extend(before.map(|piece| Read::one(StepPlace { piece, ..*place })));
            }
            StepKind::MixExperts => {
                let NetworkOperator::Mix { routes, input, .. } = *self.operator(place.operation)?
                else {
                    return None;
                };
                let elements = self.piece_elements(place)?;
                let chosen = self.network.width(routes) / 2;
                let columns = self.network.width(input).checked_div(chosen)?;
                for slot in 0..chosen {
                    let first = slot * columns;
                    let elements = first + elements.start..first + elements.end;
                    reads.push(self.integers(input, place, elements)?);
                }
            }
            _ => return None,
        }
        Some(reads)
    }
}
