//! The linear layers of experts: each position is multiplied by the matrices of the experts that it is routed to.
//!
//! Shapes: the stacked matrices of n experts `[n][rows][columns]`; routes `[batch][2k]` of [`crate::route`]; input
//! `[batch][columns]`, which all experts of a position read, or `[batch][k][columns]`, of which each reads its part;
//! output `[batch][k][rows]`.
//!
//! # Formula
//! For the expert `j` at place `i` of a position's routes, [`crate::linear`]:
//! ```text
//! y_i = W_j x          or          y_i = W_j x_i
//! ```
//! An index outside `0..n` counts as the nearest one. [Routing](crate::route) writes none.
//!
//! # Bounds and error
//! Those of [`crate::linear`]: all parts of an input together have at most 1,024 blocks, and the exponents of the
//! whole input span at most 11 bits, so the exact sum may have the base of the whole input or of a part.

use crate::{linear, model::Linear, tile::TILE_ROWS, BlocksRef};

/// The matrices of a layer's experts, one below the other.
#[derive(Clone, Copy, Debug)]
pub struct Experts<'a> {
    stack: Linear<'a>,
    count: usize,
}

impl<'a> Experts<'a> {
    /// The matrices of `count` experts; `None` unless `stack` divides into as many, each of whole groups of 16 rows.
    pub const fn new(stack: Linear<'a>, count: usize) -> Option<Self> {
        let fits = count > 0 && stack.rows().is_multiple_of(count * TILE_ROWS);
        match fits {
            true => Some(Self { stack, count }),
            false => None,
        }
    }

    /// Outputs of an expert.
    pub const fn rows(&self) -> usize {
        self.stack.rows() / self.count
    }

    /// Inputs of an expert.
    pub const fn columns(&self) -> usize {
        self.stack.columns()
    }

    /// The expert that an element of routes names.
    pub fn index(&self, route: i32) -> usize {
        index(route, self.count)
    }

    /// The matrix of expert `index`, which is below the number of experts.
    pub fn matrix(&self, index: usize) -> Linear<'a> {
        let groups = self.rows() / TILE_ROWS;
        self.stack.part(index * groups..(index + 1) * groups)
    }
}

/// The expert that an element of routes names, of so many.
pub fn index(route: i32, count: usize) -> usize {
    usize::try_from(route)
        .unwrap_or(0)
        .min(count.saturating_sub(1))
}

/// The part of vector `row` of `input` that the expert at `place` reads.
pub fn input_of<'a>(
    weights: &Experts<'_>,
    input: BlocksRef<'a>,
    row: usize,
    place: usize,
) -> BlocksRef<'a> {
    let columns = weights.columns();
    let first = match input.columns() == columns {
        true => 0,
        false => place * columns,
    };
    input.part(row, first..first + columns)
}

/// Multiplies every vector of `input` by the matrices of its `chosen` experts into `output`, in units of
/// `2^-fraction`.
///
/// # Panics
/// When the shapes do not fit.
pub fn experts(
    weights: &Experts<'_>,
    chosen: usize,
    routes: &[i32],
    input: BlocksRef<'_>,
    fraction: i32,
    output: &mut [i32],
) {
    let rows = weights.rows();
    assert_eq!(
        output.len(),
        input.rows() * chosen * rows,
        "outputs of the experts"
    );
    let positions = routes
        .chunks_exact(2 * chosen)
        .zip(output.chunks_exact_mut(chosen * rows));
    for (row, (routes, output)) in positions.enumerate() {
        let places = routes.iter().zip(output.chunks_exact_mut(rows));
        for (place, (&route, output)) in places.enumerate() {
            let matrix = weights.matrix(weights.index(route));
            let input = input_of(weights, input, row, place);
            linear::linear(&matrix, input, fraction, output);
        }
    }
}
