//! The choice of the changes of a chunk that are sent, and of their scale.
//!
//! An entry is s or 2 s. Of the largest changes, those whose sending lowers the squared error
//! are kept, and `s` is the scale that lowers it most. With the changes sorted by magnitude, the
//! first `j` of `c` sent as 2 s and the others as s, the error falls by
//! ```text
//! N² / D        N = 2 Σ_{i<j} v_i + Σ_{j≤i<c} v_i      D = 4 j + (c - j)      at s = N / D
//! ```
//! Changes of at most s / 2 would make it rise again; they are left out and the rest is fitted once
//! more.
//!
//! # Bounds
//! c ≤ 2^12 and v ≤ 2^31: N ≤ 2^44, D ≤ 2^14, N² * D ≤ 2^102.

use crate::{
    reader::{Entry, SCALE_MAX},
    shape::CHUNK_COORDINATES,
};
use alloc::vec::Vec;

/// Chooses the entries of chunks; reuses its buffers.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    bound: usize,
    /// Magnitude above, index below, so that the largest key is the largest change and the lowest
    /// index on ties.
    keys: Vec<u64>,
    entries: Vec<Entry>,
}

/// Bits of an index in a key.
const INDEX_BITS: u32 = CHUNK_COORDINATES.ilog2();
const INDEX_MASK: u64 = CHUNK_COORDINATES as u64 - 1;

const fn magnitude(key: u64) -> u64 {
    key >> INDEX_BITS
}

impl Selection {
    pub(crate) const fn new(bound: usize) -> Self {
        Self {
            bound,
            keys: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// The entries that lower the squared error of `changes` most, at most the bound, by ascending index.
    /// Coordinates for which `padding` returns true are never sent.
    pub(crate) fn choose(&mut self, changes: &[i32], padding: impl Fn(usize) -> bool) -> &[Entry] {
        self.entries.clear();
        self.keys.clear();
        self.keys.extend(
            (0u64..)
                .zip(changes)
                .filter(|&(_, &change)| change != 0)
                .map(|(index, change)| {
                    u64::from(change.unsigned_abs()) << INDEX_BITS | (INDEX_MASK - index)
                })
                .filter(|key| !padding(index_of(*key))),
        );
        if self.keys.len() > self.bound {
            self.keys
                .select_nth_unstable_by(self.bound - 1, |a, b| b.cmp(a));
            self.keys.truncate(self.bound);
        }
        self.keys.sort_unstable_by(|a, b| b.cmp(a));

        let mut kept = self.keys.len();
        while kept > 0 {
            let (scale, doubled) = fit(&self.keys[..kept]);
            let worth = |key: &&u64| 2 * magnitude(**key) > scale;
            let least = self.keys[..kept].iter().take_while(worth).count();
            if least < kept {
                kept = least;
                continue;
            }
            self.entries.extend(
                self.keys[..kept]
                    .iter()
                    .enumerate()
                    .map(|(rank, &key)| entry(key, scale << u32::from(rank < doubled), changes)),
            );
            break;
        }
        self.entries.sort_unstable_by_key(|entry| entry.index);
        &self.entries
    }
}

const fn index_of(key: u64) -> usize {
    (INDEX_MASK - (key & INDEX_MASK)) as usize
}

fn entry(key: u64, magnitude: u64, changes: &[i32]) -> Entry {
    let index = index_of(key);
    let magnitude = magnitude as i32;
    let falls = changes.get(index).is_some_and(|&change| change < 0);
    Entry {
        index: index as u16,
        value: if falls { -magnitude } else { magnitude },
    }
}

/// Scale of these changes, largest first, and how many of them are sent as twice the scale; never all of
/// them.
fn fit(keys: &[u64]) -> (u64, usize) {
    let count = keys.len() as u64;
    let mut sum: u64 = keys.iter().map(|&key| magnitude(key)).sum();
    let mut divisor = count;
    let mut best = (sum, divisor, 0);
    for (doubled, &key) in (1..keys.len()).zip(keys) {
        sum += magnitude(key);
        divisor += 3;
        // sum² / divisor > best's
        let own = u128::from(sum) * u128::from(sum) * u128::from(best.1);
        let others = u128::from(best.0) * u128::from(best.0) * u128::from(divisor);
        if own > others {
            best = (sum, divisor, doubled);
        }
    }
    let (sum, divisor, doubled) = best;
    let scale = (2 * sum + divisor) / (2 * divisor).max(1);
    (scale.clamp(1, u64::from(SCALE_MAX)), doubled)
}
