//! The steps of attention: blocks of 32 positions, groups of heads that share keys and values.

use super::{write_i32, write_u64, Row};
use noema_numerics::{
    attention::{self, Query, Reciprocal, WeightScale},
    cache::LayerCache,
    BLOCK,
};

/// What is carried from block to block of positions, of one head.
struct Head {
    /// `z_t` by position from the first block on; zero where it is not seen.
    logits: Vec<i32>,
    /// `e_t`, likewise.
    powers: Vec<u32>,
    largest: i32,
    sum: u64,
    /// The largest weight of each block of values.
    weights: Vec<u64>,
    mixed: Vec<[i64; BLOCK]>,
}

/// The steps of one position, in the order of the trace.
pub(super) fn attention(
    cache: LayerCache<'_>,
    (together, window): (usize, Option<u32>),
    row: &mut Row<'_>,
    queries: &[i32],
) {
    let head_dim = cache.head_dim();
    let blocks = head_dim / BLOCK;
    let seen = attention::seen(window, row.position as usize);
    // Whole blocks of positions, from the first that is seen.
    let first = seen.start / BLOCK * BLOCK;
    let seen = seen.start - first..seen.end - first;
    let padded = seen.end.next_multiple_of(BLOCK);
    let share = queries.len() / head_dim / cache.heads();
    let stored = |head: usize| {
        let keys = cache.keys(head / share).after(first, head_dim);
        (keys, cache.values(head / share).after(first, head_dim))
    };

    let queries = queries.chunks_exact(head_dim).enumerate();
    let mut heads: Vec<Head> = queries
        .map(|(head, query)| {
            let (query, (keys, _)) = (Query::new(query), stored(head));
            let mut logits = vec![0; padded];
            for position in seen.clone() {
                let quants = &keys.quants[position * head_dim..][..head_dim];
                logits[position] = query.logit(quants, &keys.scales[position * blocks..][..blocks]);
            }
            Head {
                logits,
                powers: vec![0; padded],
                largest: i32::MIN,
                sum: 0,
                weights: vec![0; blocks],
                mixed: vec![[0; BLOCK]; blocks],
            }
        })
        .collect();

    // Which positions of a block are seen.
    let within = |block: usize| {
        let start = seen.start.max(block * BLOCK);
        start..seen.end.min((block + 1) * BLOCK)
    };
    for block in 0..padded / BLOCK {
        for group in heads.chunks_mut(together) {
            for head in group.iter_mut() {
                let own = head.logits[within(block)].iter().copied().max();
                head.largest = head.largest.max(own.unwrap_or(i32::MIN));
            }
            row.part.push(|bytes| {
                for head in group.iter() {
                    write_i32(bytes, &head.logits[block * BLOCK..][..BLOCK]);
                }
                for head in group.iter() {
                    write_i32(bytes, &[head.largest]);
                }
            });
        }
    }
    for head in &mut heads {
        for position in seen.clone() {
            head.powers[position] = attention::power(head.logits[position], head.largest);
        }
    }
    for block in 0..padded / BLOCK {
        for (group, heads) in heads.chunks_mut(together).enumerate() {
            for (index, head) in heads.iter_mut().enumerate() {
                let (_, values) = stored(group * together + index);
                for position in within(block) {
                    let power = u64::from(head.powers[position]);
                    head.sum += power;
                    let scales = &values.scales[position * blocks..][..blocks];
                    for (largest, scale) in head.weights.iter_mut().zip(scales) {
                        *largest = (*largest).max(power * u64::from(*scale));
                    }
                }
            }
            row.part.push(|bytes| {
                write_u64(bytes, heads.iter().map(|head| head.sum));
                write_u64(
                    bytes,
                    heads.iter().flat_map(|head| head.weights.iter().copied()),
                );
            });
        }
    }
    for block in 0..padded / BLOCK {
        for (group, heads) in heads.chunks_mut(together).enumerate() {
            for (index, head) in heads.iter_mut().enumerate() {
                let (_, values) = stored(group * together + index);
                mix(head, block, head_dim, (values.quants, values.scales));
            }
            let is_last = block + 1 == padded / BLOCK;
            row.part.push(|bytes| match is_last {
                false => {
                    let sums = heads.iter().flat_map(|head| head.mixed.as_flattened());
                    write_u64(bytes, sums.map(|sum| sum.cast_unsigned()));
                }
                true => heads.iter().for_each(|head| {
                    let divisor = Reciprocal::new(head.sum);
                    for (sums, largest) in head.mixed.iter().zip(&head.weights) {
                        let exponent = WeightScale::new(*largest).sum_exponent();
                        write_i32(
                            bytes,
                            &sums.map(|sum| attention::ratio(sum, exponent, divisor)),
                        );
                    }
                }),
            });
        }
    }
}

/// Adds what a block of positions contributes.
fn mix(head: &mut Head, block: usize, head_dim: usize, (quants, scales): (&[i8], &[u32])) {
    let blocks = head_dim / BLOCK;
    let powers = &head.powers[block * BLOCK..][..BLOCK];
    let scales = &scales[block * BLOCK * blocks..][..BLOCK * blocks];
    let rows = &quants[block * BLOCK * head_dim..][..BLOCK * head_dim];
    for (part, (sums, largest)) in head.mixed.iter_mut().zip(&head.weights).enumerate() {
        let scale = WeightScale::new(*largest);
        let mut weights = [0; BLOCK];
        let pairs = powers.iter().zip(scales.iter().skip(part).step_by(blocks));
        for (weight, (power, s)) in weights.iter_mut().zip(pairs) {
            *weight = scale.scale(u64::from(*power) * u64::from(*s));
        }
        let rows = rows.chunks_exact(head_dim);
        let rows = rows.map(|row| &row.as_chunks::<BLOCK>().0[part]);
        attention::mix(&weights, scale, rows, sums);
    }
}
