//! Token embedding: a row of the embedding tensor as fixed point.
//!
//! # Formula
//! `x[k] = saturate_i32(round_half_up(q[k] * s * 2^(E + 14)))`, in units of 2^-14, with the scale
//! of the row's block.
//!
//! # Bounds and error
//! |q * s| ≤ 2^23. Half a unit over the stored weight.

use crate::{
    fixed::scale_saturate,
    model::Linear,
    tile::{self, Tile, TILE_COLUMNS, TILE_ROWS},
    units::RESIDUAL_FRACTION,
};

/// Writes the embedding of `token` to `output`.
///
/// # Panics
/// When there is no such row or `output` is not one row.
pub fn embedding(table: &Linear<'_>, token: usize, output: &mut [i32]) {
    assert!(token < table.rows(), "a row of the embedding");
    assert_eq!(output.len(), table.columns(), "one row");
    let tiles = table.group(token / TILE_ROWS);
    embed_blocks(tiles, token % TILE_ROWS, table.exponent(), output);
}

/// Writes some consecutive blocks of an embedding, from their tiles: the row in a tile is below 16.
pub fn embed_blocks(tiles: &[Tile], row: usize, exponent: i32, output: &mut [i32]) {
    let exponent = exponent + RESIDUAL_FRACTION;
    let row = row % TILE_ROWS;
    for (tile, output) in tiles.iter().zip(output.chunks_mut(TILE_COLUMNS)) {
        let scale = i64::from(tile::scales(tile)[row]);
        for (column, x) in output.iter_mut().enumerate() {
            let q = i8::from_le_bytes([tile[tile::quant_offset(row, column)]]);
            *x = scale_saturate(i64::from(q) * scale, exponent);
        }
    }
}
