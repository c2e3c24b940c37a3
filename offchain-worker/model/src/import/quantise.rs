//! From floating-point rows to tiles.
//!
//! A weight becomes `q * s * 2^E`: `E` for the whole tensor, `s` for 32 inputs of a row, `q` in
//! -127..=127. `E` is the smallest exponent with which every scale fits 16 bits. For each block
//! several scales are tried and the one with the least squared error is kept, the first of them if
//! several are equal. That recovers the grid of a source that was itself quantised in blocks of 32.
//!
//! Only additions, multiplications and divisions are used, each sum in a fixed order, so the result
//! is the same everywhere.

use super::{
    model::{tensor_error, Weights},
    ImportError, ImportProgress,
};
use noema_checkpoint::{
    layout::{TensorKind, TensorSpec},
    tile::{encode, TILE_BYTES, TILE_COLUMNS, TILE_ROWS},
};
use rayon::prelude::*;
use std::io::Write;

/// The largest magnitudes tried for the largest weight of a block. A block whose weights lie on `n` levels is
/// met exactly by one of them if `n` is a power of two up to 16.
const PEAKS: std::ops::RangeInclusive<u16> = 112..=127;

/// Row groups that are in memory at once.
const BATCH: usize = 128;

type Block = [f32; TILE_COLUMNS];

/// Reads a linear tensor, writes its tiles in order and returns its exponent.
pub(super) fn linear(
    weights: &dyn Weights,
    spec: &TensorSpec,
    rows: usize,
    columns: usize,
    out: &mut dyn Write,
    progress: &dyn ImportProgress,
) -> Result<i8, Fault> {
    let groups = rows.div_ceil(TILE_ROWS);
    let read = |group: usize| {
        let rows = group * TILE_ROWS..rows.min((group + 1) * TILE_ROWS);
        let mut values = vec![0.0; TILE_ROWS * columns];
        let filled = &mut values[..rows.len() * columns];
        weights.read(spec.role, spec.layer, rows, columns, filled)?;
        Ok::<_, ImportError>(values)
    };
    let largest = (0..groups)
        .into_par_iter()
        .map(|group| {
            let values = read(group)?;
            largest(&values).ok_or_else(|| not_finite(weights, spec))
        })
        .try_reduce(|| 0.0, |a, b| Ok(a.max(b)))?;
    let exponent = scale_exponent(largest);
    let unit = libm::scalbn(1.0, -i32::from(exponent));

    for first in (0..groups).step_by(BATCH) {
        let tiles = (first..groups.min(first + BATCH))
            .into_par_iter()
            .map(|group| Ok(group_tiles(&read(group)?, columns, unit)))
            .collect::<Result<Vec<_>, ImportError>>()?;
        for bytes in tiles {
            out.write_all(&bytes).map_err(Fault::Write)?;
            progress.advance(bytes.len() as u64);
        }
    }
    Ok(exponent)
}

/// Reads a gain, writes its tiles and returns its exponent.
pub(super) fn gain(
    weights: &dyn Weights,
    spec: &TensorSpec,
    length: usize,
    out: &mut dyn Write,
    progress: &dyn ImportProgress,
) -> Result<i8, Fault> {
    let mut values = vec![0.0; length];
    weights.read(spec.role, spec.layer, 0..1, length, &mut values)?;
    let largest = largest(&values).ok_or_else(|| not_finite(weights, spec))?;
    let exponent = gain_exponent(largest);
    let mut bytes = Vec::with_capacity(length * 4 + TILE_BYTES);
    for value in values {
        let scaled = libm::scalbn(f64::from(value), -i32::from(exponent));
        bytes.extend((libm::round(scaled) as i32).to_le_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(TILE_BYTES), 0);
    out.write_all(&bytes).map_err(Fault::Write)?;
    progress.advance(bytes.len() as u64);
    Ok(exponent)
}

/// An error that ends the writing of a tensor: of the source or the disk.
#[derive(Debug)]
pub(super) enum Fault {
    Source(ImportError),
    Write(std::io::Error),
}

impl From<ImportError> for Fault {
    fn from(error: ImportError) -> Self {
        Self::Source(error)
    }
}

fn not_finite(weights: &dyn Weights, spec: &TensorSpec) -> ImportError {
    let shape = match spec.kind {
        TensorKind::Gain { .. } if spec.role.is_bias() => "bias",
        TensorKind::Gain { .. } => "gain",
        _ => "weight",
    };
    tensor_error(
        weights,
        spec.role,
        spec.layer,
        format!("has a {shape} that is not a finite number"),
    )
}

/// Largest magnitude, or `None` if one is not finite.
fn largest(values: &[f32]) -> Option<f32> {
    // A NaN or an infinity makes the sum of `0 * x` a NaN; `max` alone would ignore a NaN.
    let (mut largest, mut poison) = (0.0f32, 0.0f32);
    for value in values {
        largest = largest.max(value.abs());
        poison += value * 0.0;
    }
    (poison == 0.0).then_some(largest)
}

/// Smallest `e` with `x <= 2^e`, within an i8. `x` is not negative; zero gives 0.
fn ceil_log2(x: f64) -> i8 {
    if x == 0.0 {
        return 0;
    }
    // x = fraction * 2^exponent with fraction in [1/2, 1).
    let (fraction, exponent) = libm::frexp(x);
    let exponent = if fraction == 0.5 {
        exponent - 1
    } else {
        exponent
    };
    exponent.clamp(-128, 127) as i8
}

/// The exponent with which every scale that may be tried is at most 65,535.
fn scale_exponent(largest: f32) -> i8 {
    let peak = f64::from(*PEAKS.start() - 1);
    ceil_log2(f64::from(largest) / (peak * 65_535.0))
}

/// The exponent that puts the largest gain into `2^29..2^30`.
fn gain_exponent(largest: f32) -> i8 {
    if largest == 0.0 {
        return 0;
    }
    let (_, exponent) = libm::frexp(f64::from(largest));
    let exponent = exponent - 30;
    // Rounding may carry the largest gain to exactly 2^30.
    let rounded = libm::round(libm::scalbn(f64::from(largest), -exponent));
    let exponent = exponent + i32::from(rounded >= 1_073_741_824.0);
    exponent.clamp(-128, 127) as i8
}

/// The tiles of sixteen rows.
fn group_tiles(values: &[f32], columns: usize, unit: f64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(columns / TILE_COLUMNS * TILE_BYTES);
    for start in (0..columns).step_by(TILE_COLUMNS) {
        let mut quants = [[0; TILE_COLUMNS]; TILE_ROWS];
        let mut scales = [0; TILE_ROWS];
        for (row, (scale, quants)) in scales.iter_mut().zip(&mut quants).enumerate() {
            let values = &values[row * columns + start..];
            let block: Block = std::array::from_fn(|k| (f64::from(values[k]) * unit) as f32);
            (*scale, *quants) = best(&block);
        }
        bytes.extend(encode(&quants, &scales));
    }
    bytes
}

/// Scale and quants of a block with the least squared error among those tried. Values are in units
/// of `2^E`.
fn best(block: &Block) -> (u16, [i8; TILE_COLUMNS]) {
    let peak = block.iter().fold(0.0f32, |peak, v| peak.max(v.abs()));
    let mut best = (f32::INFINITY, 0, [0.0; TILE_COLUMNS]);
    if peak == 0.0 {
        return (0, [0; TILE_COLUMNS]);
    }
    for magnitude in PEAKS.rev() {
        let first = whole_scale(peak / f32::from(magnitude));
        let quants = round_to(block, first);
        let (cross, square) = (dot(block, &quants), dot(&quants, &quants));
        // The best scale for these quants, and the best quants for that scale.
        let scale = if square > 0.0 {
            whole_scale(cross / square)
        } else {
            first
        };
        let quants = round_to(block, scale);
        let scale_f32 = f32::from(scale);
        let error: Block = std::array::from_fn(|k| block[k] - quants[k] * scale_f32);
        let error = dot(&error, &error);
        if error < best.0 {
            best = (error, scale, quants);
        }
        // What a block was quantised to is met exactly, by the first magnitude if those were 8 bits.
        if error == 0.0 {
            break;
        }
    }
    let (_, scale, quants) = best;
    (scale, quants.map(|q| q as i8))
}

/// `scale` as a whole number of units from 1 to 65,535.
fn whole_scale(scale: f32) -> u16 {
    round(scale).clamp(1.0, 65_535.0) as u16
}

fn round_to(block: &Block, scale: u16) -> Block {
    let inverse = 1.0 / f32::from(scale);
    block.map(|v| round(v * inverse).clamp(-127.0, 127.0))
}

/// Nearest whole number, halves to even, of a value below 2^22 in magnitude.
fn round(value: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT) - SHIFT
}

/// Sum of products in a fixed order: eight lanes, then the lanes in pairs.
fn dot(a: &Block, b: &Block) -> f32 {
    let mut lanes = [0.0f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squared_error(block: &Block, scale: u16, quants: &[i8; TILE_COLUMNS]) -> f64 {
        let error = |(v, q): (&f32, &i8)| {
            let error = f64::from(*v) - f64::from(*q) * f64::from(scale);
            error * error
        };
        block.iter().zip(quants).map(error).sum()
    }

    #[test]
    fn a_block_of_eight_bit_quants_is_recovered() {
        let block: Block = std::array::from_fn(|k| (k as f32 * 8.0 - 127.0) * 3_000.0);
        let (scale, quants) = best(&block);
        assert_eq!(scale, 3_000);
        assert_eq!(squared_error(&block, scale, &quants), 0.0);
    }

    #[test]
    fn a_block_of_four_bit_quants_is_recovered() {
        let block: Block = std::array::from_fn(|k| ((k % 16) as f32 - 8.0) * 30_000.0);
        let (scale, quants) = best(&block);
        assert_eq!(squared_error(&block, scale, &quants), 0.0);
        assert_eq!(scale, 2_000);
    }

    #[test]
    fn the_search_is_never_worse_than_the_largest_magnitude() {
        let mut state = 1u32;
        for _ in 0..1_000 {
            let block: Block = std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 4.0 - 2_097_152.0
            });
            let peak = block.iter().fold(0.0f32, |peak, v| peak.max(v.abs()));
            let plain = whole_scale(peak / 127.0);
            let quants = round_to(&block, plain).map(|q| q as i8);
            let (scale, found) = best(&block);
            let (found, plain) = (
                squared_error(&block, scale, &found),
                squared_error(&block, plain, &quants),
            );
            assert!(found <= plain * 1.001, "{found} > {plain}");
        }
    }

    #[test]
    fn scales_of_any_tensor_fit_sixteen_bits() {
        for largest in [1e-38f32, 1e-9, 0.3, 1.0, 7.5, 65_535.0, 1e9, f32::MAX] {
            let exponent = scale_exponent(largest);
            let in_units = libm::scalbn(f64::from(largest), -i32::from(exponent));
            assert!(in_units / 112.0 <= 65_535.0, "{largest}");
            if exponent > -128 {
                assert!(in_units / 112.0 > 32_000.0, "{largest}");
            }
        }
    }

    #[test]
    fn the_largest_gain_uses_thirty_bits() {
        for largest in [1e-6f32, 0.3, 0.999_999_94, 1.0, 1.999_999_9, 12.5] {
            let exponent = gain_exponent(largest);
            let scaled = libm::scalbn(f64::from(largest), -i32::from(exponent));
            assert!((536_870_912.0..1_073_741_824.0).contains(&libm::round(scaled)));
        }
    }

    #[test]
    fn what_is_not_finite_is_noticed() {
        assert_eq!(largest(&[1.0, -2.0]), Some(2.0));
        assert_eq!(largest(&[1.0, f32::NAN]), None);
        assert_eq!(largest(&[f32::NEG_INFINITY, 1.0]), None);
    }
}
