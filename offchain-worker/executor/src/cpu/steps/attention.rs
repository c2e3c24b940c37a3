//! The steps of attention: blocks of 32 positions, groups of heads that share keys and values.

use super::{write_i32, write_u64, Row};
use crate::cpu::{attend, level::Level};
use noema_numerics::{
    attention::{self, Query, Reciprocal, WeightScale},
    blocks,
    cache::{HeadCache, LayerCache},
    BLOCK,
};
use std::{cell::RefCell, ops::Range};

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
    level: Level,
    cache: LayerCache<'_>,
    (together, window): (usize, Option<u32>),
    row: &mut Row<'_>,
    queries: &[i32],
) {
    let head_dim = cache.head_dim();
    let parts = head_dim / BLOCK;
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
        .map(|(head, query)| Head {
            logits: logits(level, query, stored(head).0, seen.clone()),
            powers: vec![0; padded],
            largest: i32::MIN,
            sum: 0,
            weights: vec![0; parts],
            mixed: vec![[0; BLOCK]; parts],
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
                    let scales = &values.scales[position * parts..][..parts];
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
                mix(level, head, block, values.after(block * BLOCK, head_dim));
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

/// `z_t` of the positions of whole blocks, zero where they are not seen.
fn logits(level: Level, query: &[i32], keys: HeadCache<'_>, seen: Range<usize>) -> Vec<i32> {
    thread_local!(static SCRATCH: RefCell<attend::Scratch> = RefCell::default());
    let (head_dim, padded) = (query.len(), seen.end.next_multiple_of(BLOCK));
    let mut logits = vec![0; padded];
    if attend::supports(head_dim) {
        SCRATCH.with_borrow_mut(|scratch| {
            let found = attend::logits(level, scratch, query, keys, padded);
            logits[seen.clone()].copy_from_slice(&found[seen]);
        });
        return logits;
    }
    let query = Query::new(query);
    for position in seen {
        let key = keys.after(position, head_dim);
        logits[position] = query.logit(&key.quants[..head_dim], &key.scales[..head_dim / BLOCK]);
    }
    logits
}

/// Adds what a block of positions contributes; `values` begin with it.
fn mix(level: Level, head: &mut Head, block: usize, values: HeadCache<'_>) {
    let parts = head.weights.len();
    let powers = &head.powers[block * BLOCK..][..BLOCK];
    let quants = &values.quants[..BLOCK * parts * BLOCK];
    for (part, (sums, largest)) in head.mixed.iter_mut().zip(&head.weights).enumerate() {
        let scale = WeightScale::new(*largest);
        let mut weights = [0; BLOCK];
        let pairs = powers
            .iter()
            .zip(values.scales.iter().skip(part).step_by(parts));
        for (weight, (power, s)) in weights.iter_mut().zip(pairs) {
            *weight = scale.scale(u64::from(*power) * u64::from(*s));
        }
        if attend::supports(parts * BLOCK) {
            // That of the largest weight, as rounding keeps their order.
            let range = blocks::range(&[scale.scale(*largest)]);
            let (mut mantissas, mut shifts) = ([0; BLOCK], [0; 1]);
            blocks::quantise_part(&weights, range, &mut mantissas, &mut shifts);
            let shift = u32::from(shifts[0]) - blocks::least_shift(range);
            let products = attend::products(level, &mantissas, quants, part);
            for (sum, product) in sums.iter_mut().zip(products) {
                *sum += i64::from(product) << shift;
            }
        } else {
            let rows = quants.chunks_exact(parts * BLOCK);
            let rows = rows.map(|row| &row.as_chunks::<BLOCK>().0[part]);
            attention::mix(&weights, scale, rows, sums);
        }
    }
}
