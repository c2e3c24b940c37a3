//! The rotation table: cosines and sines of the rotary position embedding, frozen as integers.
//!
//! For position `p` and pair `i` of the `r` rotated elements of a head, the angle is `p * f_i` with
//! `f_i = base^(-2i/r)`, changed by the model's scaling. Both functions are evaluated in f64 by the
//! `libm` crate, never by the system's library, multiplied by the attention factor, and rounded to Q30
//! half away from zero.
//!
//! # Attention factor
//! YaRN and longrope multiply the cosines and sines of both queries and keys by a factor `a`, so the part of a
//! score that comes from rotated elements is multiplied by `a²`. The table multiplies the same cosines and sines
//! and is used for both, so nothing else changes. Query weights could not hold the factor: they would need `a²`, in
//! the rows of rotated elements only.
//!
//! # Partial rotation
//! Where a model rotates only the first `r` of `d` elements of a head, elements `i` and `i + r/2` are a pair. The
//! table pairs `i` with `i + d/2`. Scores do not change when the elements of queries and keys are reordered alike,
//! so the import reads the rows of both, their biases and the gains of their norms in another order,
//! [`Rope::stored_row`], and the table's other pairs have cosine 1 and sine 0.

use noema_checkpoint::{layout::TensorRole, tile::TILE_BYTES, Architecture, LayerPattern};
use noema_float::Rotation;
use std::{f64::consts::PI, iter::repeat_n};

/// How a model rotates queries and keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rope {
    pub(super) base: f64,
    /// Elements of a head that are rotated, the first ones; an even number, see [`rotated_width`].
    pub(super) rotated: usize,
    pub(super) scaling: Scaling,
    /// Multiplies cosines and sines; see [`attention_factor`].
    pub(super) attention_factor: f64,
}

/// How the frequencies differ from `base^(-2i/r)`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scaling {
    None,
    /// All divided by a factor.
    Linear(f64),
    /// Llama 3: long wavelengths divided by `factor`, short ones kept, those between interpolated.
    Llama3 {
        factor: f64,
        low_frequency_factor: f64,
        high_frequency_factor: f64,
        original_context: f64,
    },
    /// Each divided by its own factor, as GGUF stores Llama 3's scaling.
    Factors(Vec<f64>),
    Yarn(Yarn),
    Long(Long),
}

/// YaRN (Peng et al., 2023): frequencies that turn at least `beta_fast` times within the original context are
/// kept, those that turn at most `beta_slow` times are divided by `factor`, those between interpolated.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Yarn {
    pub(super) factor: f64,
    pub(super) beta_fast: f64,
    pub(super) beta_slow: f64,
    pub(super) original_context: f64,
    /// Whether the interpolation begins and ends at whole pairs.
    pub(super) is_truncated: bool,
}

/// Longrope (Ding et al., 2024): each frequency divided by its own factor, of which there are two lists.
///
/// Transformers takes the long ones for a text of more than `original_context` tokens, llama.cpp for a context of
/// more positions. A table serves all texts of a checkpoint, so it follows llama.cpp. A table of at most
/// `original_context` positions is what both use.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Long {
    pub(super) short: Vec<f32>,
    pub(super) long: Vec<f32>,
    pub(super) original_context: f64,
}

/// How the layers of a model rotate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ropes {
    pub(super) usual: Rope,
    /// Of the layers with a window, where it differs.
    pub(super) windowed: Option<Rope>,
}

impl Ropes {
    /// The same in all layers.
    pub(super) const fn alike(usual: Rope) -> Self {
        Self {
            usual,
            windowed: None,
        }
    }

    /// The rotations of a model of `architecture`, which learns whether there are two, from that of layers without a
    /// window and of those with one.
    pub(super) fn of(usual: Rope, windowed: Option<Rope>, architecture: &mut Architecture) -> Self {
        let layers = architecture.variant.window.map(|window| window.layers);
        let (usual, windowed) = match (windowed, layers) {
            (Some(windowed), Some(LayerPattern::ALL)) => (windowed, None),
            (Some(windowed), Some(_)) if windowed != usual => (usual, Some(windowed)),
            _ => (usual, None),
        };
        architecture.variant.windowed_rope = windowed.is_some();
        Self { usual, windowed }
    }

    /// That of a table.
    pub(super) fn table(&self, role: TensorRole) -> &Rope {
        match (role, &self.windowed) {
            (TensorRole::WindowedRope, Some(windowed)) => windowed,
            _ => &self.usual,
        }
    }
}

impl Rope {
    /// Whole heads rotated without scaling.
    pub(super) fn plain(base: f64, head_dim: u32) -> Self {
        Self {
            base,
            rotated: head_dim as usize,
            scaling: Scaling::None,
            attention_factor: 1.0,
        }
    }

    /// Rotations of the pairs of a head of width `head_dim`, in a context of `positions`.
    pub(super) fn rotations(&self, head_dim: usize, positions: usize) -> Vec<Rotation> {
        let frequencies = self.frequencies(positions);
        let fixed = (head_dim / 2).saturating_sub(frequencies.len());
        let rotated = frequencies.into_iter().map(|angle| Rotation {
            angle,
            scale: self.attention_factor,
        });
        rotated.chain(repeat_n(Rotation::NONE, fixed)).collect()
    }

    /// The frequencies of the rotated pairs, in radians a position.
    fn frequencies(&self, positions: usize) -> Vec<f64> {
        let width = self.rotated as f64;
        (0..self.rotated / 2)
            .map(|i| {
                let exponent = (2 * i) as f64 / width;
                let frequency = 1.0 / libm::pow(self.base, exponent);
                match &self.scaling {
                    Scaling::None => frequency,
                    Scaling::Linear(factor) => frequency / factor,
                    Scaling::Factors(factors) => frequency / factors.get(i).unwrap_or(&1.0),
                    Scaling::Long(long) => frequency / long.factor(i, positions),
                    Scaling::Yarn(yarn) => {
                        let (first, last) = yarn.interpolated(self.base, width);
                        // Transformers does the same where both are equal.
                        let pairs = if first == last { 0.001 } else { last - first };
                        let ramp = ((i as f64 - first) / pairs).clamp(0.0, 1.0);
                        frequency / yarn.factor * ramp + frequency * (1.0 - ramp)
                    }
                    Scaling::Llama3 {
                        factor,
                        low_frequency_factor,
                        high_frequency_factor,
                        original_context,
                    } => {
                        let wavelength = 2.0 * PI / frequency;
                        if wavelength < original_context / high_frequency_factor {
                            frequency
                        } else if wavelength > original_context / low_frequency_factor {
                            frequency / factor
                        } else {
                            let smooth = (original_context / wavelength - low_frequency_factor)
                                / (high_frequency_factor - low_frequency_factor);
                            let divisor = 1.0 / ((1.0 - smooth) / factor + smooth);
                            // In a GGUF file the divisors are f32. A folder of the same model has the same
                            // rotations.
                            frequency / f64::from(divisor as f32)
                        }
                    }
                }
            })
            .collect()
    }

    /// The most positions of a table that is the reference's for every text, if there is such a limit.
    pub(super) fn short_context(&self) -> Option<u32> {
        match &self.scaling {
            Scaling::Long(long) => Some((long.original_context as u32).max(1)),
            _ => None,
        }
    }

    /// Row of the source, which has the rotated elements of each head first, for `row` of the checkpoint.
    pub(super) fn stored_row(&self, row: usize, head_dim: usize) -> usize {
        let (head, element) = (row / head_dim, row % head_dim);
        let (half, pairs) = (head_dim / 2, self.rotated / 2);
        let element = match (element / half, element % half) {
            (0, pair) if pair < pairs => pair,
            (0, pair) => pair + pairs,
            (_, pair) if pair < pairs => pair + pairs,
            (_, pair) => pair + half,
        };
        head * head_dim + element
    }

    /// The elements of whole heads in the order of the checkpoint, from those in the order of the source.
    pub(super) fn reordered<T: Copy>(&self, stored: &[T], head_dim: usize) -> Vec<T> {
        (0..stored.len())
            .filter_map(|row| stored.get(self.stored_row(row, head_dim)).copied())
            .collect()
    }

    /// The tensor's bytes: for each position and pair, cosine and sine as little-endian i32 in
    /// units of 2^-30, padded to whole tiles.
    pub(super) fn table(&self, positions: usize, head_dim: usize) -> Vec<u8> {
        let rotations = self.rotations(head_dim, positions);
        let content = positions * rotations.len() * 8;
        let mut bytes = Vec::with_capacity(content.next_multiple_of(TILE_BYTES));
        for position in 0..positions {
            for Rotation { angle, scale } in &rotations {
                let (sin, cos) = libm::sincos(position as f64 * angle);
                bytes.extend(q30(scale * cos).to_le_bytes());
                bytes.extend(q30(scale * sin).to_le_bytes());
            }
        }
        bytes.resize(content.next_multiple_of(TILE_BYTES), 0);
        bytes
    }
}

impl Yarn {
    /// The first and the last pair whose frequencies are interpolated, of `width` rotated elements.
    fn interpolated(&self, base: f64, width: f64) -> (f64, f64) {
        let pair = |turns: f64| {
            let wavelengths = self.original_context / (turns * 2.0 * PI);
            width * libm::log(wavelengths) / (2.0 * libm::log(base))
        };
        let (first, last) = (pair(self.beta_fast), pair(self.beta_slow));
        let (first, last) = if self.is_truncated {
            (libm::floor(first), libm::ceil(last))
        } else {
            (first, last)
        };
        (first.max(0.0), last.min(width - 1.0))
    }

    /// The attention factor that belongs to a factor: `0.1 mscale ln(factor) + 1`.
    pub(super) fn attention_factor(factor: f64, mscale: f64) -> f64 {
        if factor <= 1.0 {
            1.0
        } else {
            0.1 * mscale * libm::log(factor) + 1.0
        }
    }
}

impl Long {
    /// The factor of a pair in a context of `positions`.
    fn factor(&self, pair: usize, positions: usize) -> f64 {
        let factors = if positions as f64 > self.original_context {
            &self.long
        } else {
            &self.short
        };
        factors.get(pair).map_or(1.0, |factor| f64::from(*factor))
    }
}

/// An attention factor as the reference multiplies by it, in f32; `None` if the table cannot hold it.
///
/// GGUF files state it in f32, so a file and a folder of the same model have the same table.
pub(super) fn attention_factor(stated: f64) -> Option<f64> {
    let factor = f64::from(stated as f32);
    (factor > 0.0 && factor < 2.0).then_some(factor)
}

/// The number of rotated elements of a head of width `head_dim`; `None` unless they are pairs of the head.
pub(super) fn rotated_width(rotated: u32, head_dim: u32) -> Option<usize> {
    let is_sound = (2..=head_dim).contains(&rotated) && rotated.is_multiple_of(2);
    is_sound.then_some(rotated as usize)
}

/// `value`, below 2 in magnitude, in units of 2^-30; halves round away from zero.
fn q30(value: f64) -> i32 {
    libm::round(value * 1_073_741_824.0) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(base: f64) -> Rope {
        Rope::plain(base, 64)
    }

    #[test]
    fn the_first_position_is_not_rotated() {
        let table = plain(10_000.0).table(1, 64);
        assert_eq!(table.len(), TILE_BYTES);
        assert_eq!(table[..8], [0, 0, 0, 64, 0, 0, 0, 0]);
    }

    #[test]
    fn the_first_pair_turns_one_radian_a_position() {
        let table = plain(10_000.0).table(2, 64);
        let at = 64 * 4;
        let cos = i32::from_le_bytes(table[at..at + 4].try_into().unwrap());
        // cos(1) * 2^30 = 580145183.41…
        assert_eq!(cos, 580_145_183);
    }

    #[test]
    fn linear_scaling_stretches_positions() {
        let scaled = Rope {
            scaling: Scaling::Linear(2.0),
            ..plain(10_000.0)
        };
        let (scaled, plain) = (scaled.table(3, 64), plain(10_000.0).table(2, 64));
        assert_eq!(scaled[512..768], plain[256..512]);
    }

    #[test]
    fn llama_3_keeps_high_frequencies_and_divides_low_ones() {
        let original = Rope::plain(500_000.0, 128);
        let rope = Rope {
            scaling: Scaling::Llama3 {
                factor: 8.0,
                low_frequency_factor: 1.0,
                high_frequency_factor: 4.0,
                original_context: 8_192.0,
            },
            ..original.clone()
        };
        let (scaled, original) = (rope.frequencies(1), original.frequencies(1));
        assert_eq!(scaled[0], original[0]);
        assert_eq!(scaled[63], original[63] / 8.0);
        assert!(scaled.windows(2).all(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn llama_3_turns_as_with_the_factors_of_a_file() {
        let plain = Rope::plain(500_000.0, 128);
        let scaled = Rope {
            scaling: Scaling::Llama3 {
                factor: 8.0,
                low_frequency_factor: 1.0,
                high_frequency_factor: 4.0,
                original_context: 8_192.0,
            },
            ..plain.clone()
        };
        let scaled = scaled.frequencies(1);
        let unscaled = plain.frequencies(1);
        let factors: Vec<f64> = unscaled
            .iter()
            .zip(&scaled)
            .map(|(unscaled, scaled)| f64::from((unscaled / scaled) as f32))
            .collect();
        assert!(factors.iter().any(|factor| *factor > 1.0 && *factor < 8.0));
        let of_file = Rope {
            scaling: Scaling::Factors(factors),
            ..plain
        };
        assert_eq!(of_file.frequencies(1), scaled);
    }

    #[test]
    fn a_table_holds_attention_factors_below_two() {
        for factor in [0.0, -1.0, 2.0, 1.999_999_999, 1e300, f64::NAN] {
            assert_eq!(attention_factor(factor), None, "{factor}");
        }
        let largest = attention_factor(1.999_999_8).unwrap();
        let rope = Rope {
            attention_factor: largest,
            ..plain(10_000.0)
        };
        let cos = i32::from_le_bytes(rope.table(1, 64)[..4].try_into().unwrap());
        assert_eq!(f64::from(cos), largest * 1_073_741_824.0);
    }

    /// The elements of a head turned as in Transformers: `i` and `i + r/2` of the first `r` are a pair.
    fn turned(rope: &Rope, head: &[f64], position: f64) -> Vec<f64> {
        let mut out = head.to_vec();
        for (i, frequency) in rope.frequencies(1).iter().enumerate() {
            let (sin, cos) = libm::sincos(position * frequency);
            let j = i + rope.rotated / 2;
            out[i] = head[i] * cos - head[j] * sin;
            out[j] = head[j] * cos + head[i] * sin;
        }
        out
    }

    #[test]
    fn reordered_heads_with_a_partial_table_turn_as_the_source_s() {
        let rope = Rope {
            rotated: 48,
            ..plain(10_000.0)
        };
        let head: Vec<f64> = (0..64).map(|i| f64::from(i * i % 37) - 18.0).collect();
        let (rotations, x) = (rope.rotations(64, 1), rope.reordered(&head, 64));
        let expected = rope.reordered(&turned(&rope, &head, 9.0), 64);
        for (i, rotation) in rotations.iter().enumerate() {
            let (sin, cos) = libm::sincos(9.0 * rotation.angle);
            assert_eq!(x[i] * cos - x[i + 32] * sin, expected[i]);
            assert_eq!(x[i + 32] * cos + x[i] * sin, expected[i + 32]);
        }
        let mut rows: Vec<usize> = (0..128).map(|row| rope.stored_row(row, 64)).collect();
        assert!(rows[..64].iter().all(|row| *row < 64));
        rows.sort_unstable();
        assert_eq!(rows, Vec::from_iter(0..128));
    }

    #[test]
    fn a_fully_rotated_head_keeps_its_order() {
        let rows = (0..128).map(|row| plain(10_000.0).stored_row(row, 64));
        assert_eq!(Vec::from_iter(rows), Vec::from_iter(0..128));
    }
}
