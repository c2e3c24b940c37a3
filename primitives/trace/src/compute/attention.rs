//! Attention in blocks of positions.

use super::{Computation, ComputeError, Inputs, StepSource};
use crate::bytes;
use alloc::{vec, vec::Vec};
use core::ops::{Range, RangeInclusive};
use noema_numerics::{
    attention::{self, Query, Reciprocal, WeightScale},
    BLOCK,
};

/// Largest scale of a stored key or value.
const MAX_SCALE: u32 = 1 << 21;
/// Largest weight of a position.
const MAX_WEIGHT: u64 = 1 << 52;
/// Largest sum of a mixed value.
const MAX_SUM: u64 = 1 << 50;
/// Range of a sum of weights.
const SUMS: RangeInclusive<u64> = 1 << 30..=1 << 48;

/// Quants and scales of a stored key or value.
type Stored = (Vec<i8>, Vec<u32>);

impl<S: StepSource> Computation<'_, S> {
    pub(super) fn scores(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let attended = self.shape.attended(self.place);
        let attended = attended.ok_or(ComputeError::Missing)?;
        let queries = inputs.integers()?;
        let head_dim = queries.len() / attended.heads.max(1);
        let keys = self.stored(&mut inputs, attended.positions.len())?;
        let before = match attended.is_first {
            true => None,
            false => Some(inputs.integers()?),
        };
        let (mut logits, mut largest) = (Vec::new(), Vec::new());
        for (head, query) in queries.chunks_exact(head_dim.max(1)).enumerate() {
            let query = Query::new(query);
            let mut scores = [0; BLOCK];
            let seen = scores.iter_mut().skip(attended.offset).zip(&keys);
            for (score, (quants, scales)) in seen {
                *score = query.logit(quants, scales);
            }
            let seen = scores.iter().skip(attended.offset).take(keys.len());
            let own = seen.copied().max().unwrap_or(i32::MIN);
            let earlier = before
                .as_ref()
                .map(|before| before.get(attended.heads * BLOCK + head).copied());
            largest.push(match earlier {
                Some(earlier) => own.max(earlier.ok_or(ComputeError::Missing)?),
                None => own,
            });
            logits.extend(scores);
        }
        logits.extend(largest);
        Ok(bytes::of_i32(&logits))
    }

    /// Keys or values of some positions.
    fn stored(&self, inputs: &mut Inputs, positions: usize) -> Result<Vec<Stored>, ComputeError> {
        let mut stored = Vec::with_capacity(positions);
        for _ in 0..positions {
            let (quants, scales) = bytes::to_stored(&inputs.next()?);
            if scales.iter().any(|scale| *scale > MAX_SCALE) {
                return Err(ComputeError::Impossible);
            }
            stored.push((quants, scales));
        }
        Ok(stored)
    }

    /// `e_t` of each head for the positions of the block, zero where they are not seen.
    fn powers(
        &self,
        inputs: &mut Inputs,
        heads: usize,
        seen: Range<usize>,
    ) -> Result<Vec<[u32; BLOCK]>, ComputeError> {
        let (scores, last) = (inputs.integers()?, inputs.integers()?);
        let largest = last.get(heads * BLOCK..).ok_or(ComputeError::Missing)?;
        let scores = scores.as_chunks::<BLOCK>().0.iter().zip(largest);
        let powers = scores.map(|(scores, largest)| {
            let mut powers = [0; BLOCK];
            let places = powers.iter_mut().zip(scores);
            for (power, score) in places.skip(seen.start).take(seen.len()) {
                *power = attention::power(*score, *largest);
            }
            powers
        });
        Ok(powers.collect())
    }

    pub(super) fn sums(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let attended = self.shape.attended(self.place);
        let attended = attended.ok_or(ComputeError::Missing)?;
        let count = attended.positions.len();
        let seen = attended.offset..attended.offset + count;
        let powers = self.powers(&mut inputs, attended.heads, seen)?;
        let values = self.stored(&mut inputs, count)?;
        let blocks = values.first().map_or(0, |(_, scales)| scales.len());
        let mut output = match attended.is_first {
            true => vec![0; attended.heads * (1 + blocks)],
            false => bytes::to_u64(&inputs.next()?),
        };
        let at = attended.heads.min(output.len());
        let (sums, largest) = output.split_at_mut(at);
        let heads = powers
            .iter()
            .zip(sums)
            .zip(largest.chunks_mut(blocks.max(1)));
        for ((powers, sum), largest) in heads {
            for (power, (_, scales)) in powers.iter().skip(attended.offset).zip(&values) {
                *sum = sum.wrapping_add((*power).into());
                for (largest, scale) in largest.iter_mut().zip(scales) {
                    *largest = (*largest).max(u64::from(*power) * u64::from(*scale));
                }
            }
        }
        Ok(bytes::of_u64(output))
    }

    pub(super) fn mix(&self, mut inputs: Inputs) -> Result<Vec<u8>, ComputeError> {
        let attended = self.shape.attended(self.place);
        let attended = attended.ok_or(ComputeError::Missing)?;
        let count = attended.positions.len();
        let seen = attended.offset..attended.offset + count;
        let powers = self.powers(&mut inputs, attended.heads, seen)?;
        let sums = bytes::to_u64(&inputs.next()?);
        let values = self.stored(&mut inputs, count)?;
        let blocks = values.first().map_or(0, |(_, scales)| scales.len());
        let (divisors, largest) = sums.split_at(attended.heads.min(sums.len()));
        let mut mixed: Vec<[i64; BLOCK]> = match attended.is_first {
            true => vec![[0; BLOCK]; attended.heads * blocks],
            false => {
                let before = bytes::to_u64(&inputs.next()?);
                let before = before.as_chunks::<BLOCK>().0.iter();
                before.map(|block| block.map(u64::cast_signed)).collect()
            }
        };
        let heads = powers
            .iter()
            .zip(mixed.chunks_mut(blocks.max(1)))
            .zip(largest.chunks(blocks.max(1)));
        for ((powers, mixed), largest) in heads {
            for (block, (sums, largest)) in mixed.iter_mut().zip(largest).enumerate() {
                let scale = weight_scale(*largest)?;
                let mut weights = [0; BLOCK];
                let places = weights.iter_mut().zip(powers).skip(attended.offset);
                for ((weight, power), (_, scales)) in places.zip(&values) {
                    let s = scales.get(block).copied().unwrap_or(0);
                    *weight = scale.scale(u64::from(*power) * u64::from(s));
                }
                let nothing = [0; BLOCK];
                let hidden = core::iter::repeat_n(&nothing, attended.offset);
                let rows = values.iter().map(|(quants, _)| {
                    let rows = quants.as_chunks::<BLOCK>().0;
                    rows.get(block).unwrap_or(&nothing)
                });
                attention::mix(&weights, scale, hidden.chain(rows), sums);
            }
        }
        if !attended.is_last {
            let mixed = mixed.as_flattened().iter().map(|sum| sum.cast_unsigned());
            return Ok(bytes::of_u64(mixed));
        }
        let mut output = Vec::with_capacity(mixed.len() * BLOCK);
        let heads = mixed
            .chunks(blocks.max(1))
            .zip(largest.chunks(blocks.max(1)))
            .zip(divisors);
        for ((mixed, largest), divisor) in heads {
            if !SUMS.contains(divisor) {
                return Err(ComputeError::Impossible);
            }
            let divisor = Reciprocal::new(*divisor);
            for (sums, largest) in mixed.iter().zip(largest) {
                let exponent = weight_scale(*largest)?.sum_exponent();
                for sum in sums {
                    if sum.unsigned_abs() > MAX_SUM {
                        return Err(ComputeError::Impossible);
                    }
                    output.push(attention::ratio(*sum, exponent, divisor));
                }
            }
        }
        Ok(bytes::of_i32(&output))
    }
}

fn weight_scale(largest: u64) -> Result<WeightScale, ComputeError> {
    match largest {
        0..=MAX_WEIGHT => Ok(WeightScale::new(largest)),
        _ => Err(ComputeError::Impossible),
    }
}
