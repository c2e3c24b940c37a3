//! The operators of the transformer on all cores of a processor.
//!
//! Each gives the bits of `noema_numerics`' definition. Work is split over the threads of the
//! rayon pool it is called in: a linear layer by row groups, everything else by positions, or by
//! heads where there is one position only.

use super::{
    attend::{self, Scratch},
    dot::{self, Level},
    panel::Panels,
};
use noema_numerics::{
    attention, blocks,
    cache::LayerCache,
    linear::output_exponent,
    model::{Gains, Linear, RopeTable},
    norm, rope, swiglu,
    tile::TILE_ROWS,
    Blocks, BlocksRef, Kernels, BLOCK,
};
use rayon::prelude::*;

/// Positions that share a pass over a tile.
const TOGETHER: usize = 4;

/// Rows of work below which waking another thread costs more than it saves.
const FEWEST_GROUPS: usize = 4;

/// Executes on the processor, with the widest instructions that it has.
#[derive(Clone, Copy, Debug)]
pub struct CpuKernels {
    level: Level,
}

impl Default for CpuKernels {
    fn default() -> Self {
        Self {
            level: Level::best(),
        }
    }
}

impl CpuKernels {
    /// Name of the instruction set.
    pub const fn instructions(&self) -> &'static str {
        self.level.name()
    }

    /// One executor for each instruction set that this machine has, slowest first.
    pub fn variants() -> Vec<Self> {
        Level::available()
            .into_iter()
            .map(|level| Self { level })
            .collect()
    }

    fn linear_one(&self, weights: &Linear<'_>, x: BlocksRef<'_>, fraction: i32, y: &mut [i32]) {
        let panels = Panels::<1>::pack(x);
        let exponents = [panels.exponent(0, weights, x.fraction(), fraction)];
        let panels = panels.group(0);
        let share = weights
            .groups()
            .div_ceil(2 * rayon::current_num_threads())
            .max(FEWEST_GROUPS);
        y.par_chunks_mut(share * TILE_ROWS)
            .enumerate()
            .for_each(|(part, y)| {
                let mut outputs = [[0; TILE_ROWS]];
                for (group, y) in (part * share..).zip(y.chunks_mut(TILE_ROWS)) {
                    let tiles = weights.group(group);
                    dot::row_group(self.level, tiles, panels, &exponents, &mut outputs);
                    y.copy_from_slice(&outputs[0][..y.len()]);
                }
            });
    }

    fn linear_many(&self, weights: &Linear<'_>, x: BlocksRef<'_>, fraction: i32, y: &mut [i32]) {
        let positions = x.rows();
        let panels = Panels::<TOGETHER>::pack(x);
        let exponents: Vec<[i32; TOGETHER]> = (0..positions.div_ceil(TOGETHER))
            .map(|together| {
                std::array::from_fn(|p| {
                    let position = (together * TOGETHER + p).min(positions - 1);
                    panels.exponent(position, weights, x.fraction(), fraction)
                })
            })
            .collect();
        // By row group first, so that threads write apart; then into rows.
        let mut grouped = vec![[0i32; TILE_ROWS]; weights.groups() * positions];
        grouped
            .par_chunks_mut(positions)
            .enumerate()
            .for_each(|(group, outputs)| {
                let tiles = weights.group(group);
                let mut four = [[0; TILE_ROWS]; TOGETHER];
                let outputs = outputs.chunks_mut(TOGETHER).zip(&exponents).enumerate();
                for (together, (outputs, exponents)) in outputs {
                    let panels = panels.group(together);
                    dot::row_group(self.level, tiles, panels, exponents, &mut four);
                    outputs.copy_from_slice(&four[..outputs.len()]);
                }
            });
        y.par_chunks_mut(weights.rows())
            .enumerate()
            .for_each(|(position, y)| {
                let outputs = grouped.iter().skip(position).step_by(positions);
                for (y, output) in y.chunks_mut(TILE_ROWS).zip(outputs) {
                    y.copy_from_slice(&output[..y.len()]);
                }
            });
    }
}

impl<const P: usize> Panels<P> {
    /// Exponent that takes the exact sums of `position` to units of `2^-output`.
    fn exponent(&self, position: usize, weights: &Linear<'_>, input: i32, output: i32) -> i32 {
        output_exponent(weights, u32::from(self.least[position]), input, output)
    }
}

/// Fills each row of `output`, which has been reset, on all threads.
fn fill_rows(
    output: &mut Blocks,
    columns: usize,
    fill: impl Fn(usize, &mut [i16], &mut [u8]) + Sync,
) {
    let rows = output.rows();
    let (mantissas, shifts) = output.parts_mut();
    if rows == 1 {
        return fill(0, mantissas, shifts);
    }
    mantissas
        .par_chunks_mut(columns)
        .zip(shifts.par_chunks_mut(columns / BLOCK))
        .enumerate()
        .for_each(|(row, (mantissas, shifts))| fill(row, mantissas, shifts));
}

impl Kernels for CpuKernels {
    fn linear(
        &self,
        weights: &Linear<'_>,
        input: BlocksRef<'_>,
        fraction: i32,
        output: &mut [i32],
    ) {
        assert_eq!(input.columns(), weights.columns(), "inputs of the layer");
        assert_eq!(
            output.len(),
            input.rows() * weights.rows(),
            "outputs of the layer"
        );
        match input.rows() {
            0 => {}
            1 => self.linear_one(weights, input, fraction, output),
            _ => self.linear_many(weights, input, fraction, output),
        }
    }

    fn norm(&self, gains: &Gains<'_>, epsilon_q32: u32, input: &[i32], output: &mut Blocks) {
        let n = gains.values().len();
        output.reset(input.len() / n, n, norm::fraction(gains));
        fill_rows(output, n, |row, mantissas, shifts| {
            let mut normed = vec![0; n];
            norm::norm_row(gains, epsilon_q32, &input[row * n..][..n], &mut normed);
            blocks::quantise(&normed, mantissas, shifts);
        });
    }

    fn rope(&self, table: &RopeTable<'_>, start: usize, width: usize, rows: &mut [i32]) {
        if rows.len() == width {
            return rope::rope(table, start, width, rows);
        }
        rows.par_chunks_mut(width)
            .enumerate()
            .for_each(|(row, values)| rope::rope(table, start + row, width, values));
    }

    fn attention(
        &self,
        cache: LayerCache<'_>,
        heads: usize,
        start: usize,
        queries: &[i32],
        output: &mut [i32],
    ) {
        let head_dim = cache.head_dim();
        if !attend::supports(head_dim) {
            let width = heads * head_dim;
            let rows = output.par_chunks_mut(width).zip(queries.par_chunks(width));
            return rows.enumerate().for_each(|(row, (output, queries))| {
                attention::attention(cache, heads, start + row, queries, output);
            });
        }
        let heads_per_kv = heads / cache.heads();
        let units = output
            .par_chunks_mut(head_dim)
            .zip(queries.par_chunks(head_dim))
            .enumerate();
        units.for_each_init(Scratch::default, |scratch, (unit, (output, query))| {
            let (row, kv) = (unit / heads, unit % heads / heads_per_kv);
            let (keys, values) = (cache.keys(kv), cache.values(kv));
            let positions = start + row + 1;
            attend::head(self.level, scratch, query, keys, values, positions, output);
        });
    }

    fn swiglu(&self, gate: &[i32], up: &[i32], columns: usize, output: &mut Blocks) {
        output.reset(gate.len() / columns, columns, swiglu::PRODUCT_FRACTION);
        fill_rows(output, columns, |row, mantissas, shifts| {
            let of = row * columns..(row + 1) * columns;
            let pairs = gate[of.clone()].iter().zip(&up[of]);
            let products: Vec<i32> = pairs.map(|(&g, &u)| swiglu::gated(g, u)).collect();
            blocks::quantise(&products, mantissas, shifts);
        });
    }

    fn quantise(&self, values: &[i32], columns: usize, fraction: i32, output: &mut Blocks) {
        output.reset(values.len() / columns, columns, fraction);
        fill_rows(output, columns, |row, mantissas, shifts| {
            blocks::quantise(&values[row * columns..][..columns], mantissas, shifts);
        });
    }
}
