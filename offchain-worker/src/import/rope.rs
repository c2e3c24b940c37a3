//! The rotation table: cosines and sines of the rotary position embedding, frozen as integers.
//!
//! For position `p` and pair `i` of a head of width `d` the angle is `p * f_i` with
//! `f_i = base^(-2i/d)`, changed by the model's scaling. Both functions are evaluated in f64 by the
//! `libm` crate, never by the system's library, and rounded to Q30 half away from zero.

use noema_checkpoint::tile::TILE_BYTES;
use noema_float::Rotation;

/// How a model rotates queries and keys.
pub(super) struct Rope {
    pub(super) base: f64,
    pub(super) scaling: Scaling,
}

/// How the frequencies differ from `base^(-2i/d)`.
#[derive(Clone, PartialEq)]
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
    Factors(Vec<f32>),
}

impl Rope {
    /// The rotations of the pairs of a head of width `head_dim`, in a context of `positions`.
    pub(super) fn rotations(&self, head_dim: usize, _positions: usize) -> Vec<Rotation> {
        let frequencies = self.frequencies(head_dim).into_iter();
        let rotation = |angle| Rotation { angle, scale: 1.0 };
        frequencies.map(rotation).collect()
    }

    /// The frequencies of a head of width `head_dim`, in radians a position.
    fn frequencies(&self, head_dim: usize) -> Vec<f64> {
        (0..head_dim / 2)
            .map(|i| {
                let exponent = (2 * i) as f64 / head_dim as f64;
                let frequency = 1.0 / libm::pow(self.base, exponent);
                match &self.scaling {
                    Scaling::None => frequency,
                    Scaling::Linear(factor) => frequency / factor,
                    Scaling::Factors(factors) => {
                        frequency / factors.get(i).map_or(1.0, |f| f64::from(*f))
                    }
                    Scaling::Llama3 {
                        factor,
                        low_frequency_factor,
                        high_frequency_factor,
                        original_context,
                    } => {
                        let wavelength = 2.0 * core::f64::consts::PI / frequency;
                        if wavelength < original_context / high_frequency_factor {
                            frequency
                        } else if wavelength > original_context / low_frequency_factor {
                            frequency / factor
                        } else {
                            let smooth = (original_context / wavelength - low_frequency_factor)
                                / (high_frequency_factor - low_frequency_factor);
                            (1.0 - smooth) * frequency / factor + smooth * frequency
                        }
                    }
                }
            })
            .collect()
    }

    /// The tensor's bytes: for each position and pair, cosine and sine as little-endian i32 in
    /// units of 2^-30, padded to whole tiles.
    pub(super) fn table(&self, positions: usize, head_dim: usize) -> Vec<u8> {
        let frequencies = self.frequencies(head_dim);
        let content = positions * frequencies.len() * 8;
        let mut bytes = Vec::with_capacity(content.next_multiple_of(TILE_BYTES));
        for position in 0..positions {
            for frequency in &frequencies {
                let (sin, cos) = libm::sincos(position as f64 * frequency);
                bytes.extend(q30(cos).to_le_bytes());
                bytes.extend(q30(sin).to_le_bytes());
            }
        }
        bytes.resize(content.next_multiple_of(TILE_BYTES), 0);
        bytes
    }
}

/// `value`, at most 1 in magnitude, in units of 2^-30; halves round away from zero.
fn q30(value: f64) -> i32 {
    libm::round(value * 1_073_741_824.0) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(base: f64) -> Rope {
        Rope {
            base,
            scaling: Scaling::None,
        }
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
            base: 10_000.0,
            scaling: Scaling::Linear(2.0),
        };
        let (scaled, plain) = (scaled.table(3, 64), plain(10_000.0).table(2, 64));
        assert_eq!(scaled[512..768], plain[256..512]);
    }

    #[test]
    fn llama_3_keeps_high_frequencies_and_divides_low_ones() {
        let rope = Rope {
            base: 500_000.0,
            scaling: Scaling::Llama3 {
                factor: 8.0,
                low_frequency_factor: 1.0,
                high_frequency_factor: 4.0,
                original_context: 8_192.0,
            },
        };
        let (scaled, original) = (rope.frequencies(128), plain(500_000.0).frequencies(128));
        assert_eq!(scaled[0], original[0]);
        assert_eq!(scaled[63], original[63] / 8.0);
        assert!(scaled.windows(2).all(|pair| pair[0] > pair[1]));
    }
}
