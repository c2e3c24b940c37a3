//! The key/value cache: keys, rotated in most layers, and values of earlier positions as int8 with integer scales.
//!
//! # Formula
//! For each block of 32 elements of a head's vector `v` (units of 2^-16):
//! ```text
//! s = max(1, ⌈max|v| / 127⌉)        q = ⌊(2v + s) / 2s⌋        v ≈ q * s
//! ```
//! # Bounds
//! Keys are clamped to 2^27, which changes only those that are not rotated, and values to 2^26: s ≤ 2^20.02 and
//! 2^19.02; |q| ≤ 127.
//!
//! # Error
//! At most s / 2 = 1/254 of the block's largest element, rounded up to whole units.

use crate::{
    rope::{clamp_projection, clamp_rotated},
    Architecture, BLOCK,
};
use alloc::{vec, vec::Vec};

/// Cached keys and values of every layer, for a limited number of positions.
///
/// Elements lie `[layer][key/value head][position][element]`, scales
/// `[layer][key/value head][position][block]`. There is room for whole blocks of positions,
/// so a block of 32 can always be read.
#[derive(Clone, Debug)]
pub struct KvCache {
    layers: usize,
    heads: usize,
    head_dim: usize,
    limit: usize,
    capacity: usize,
    length: usize,
    keys: Vec<i8>,
    values: Vec<i8>,
    key_scales: Vec<u32>,
    value_scales: Vec<u32>,
}

/// Keys and values of one layer.
#[derive(Clone, Copy, Debug)]
pub struct LayerCache<'a> {
    heads: usize,
    head_dim: usize,
    capacity: usize,
    keys: &'a [i8],
    values: &'a [i8],
    key_scales: &'a [u32],
    value_scales: &'a [u32],
}

/// Keys or values of one head: quants `[position][element]`, scales `[position][block]`.
#[derive(Clone, Copy, Debug)]
pub struct HeadCache<'a> {
    /// Quants by position and element.
    pub quants: &'a [i8],
    /// Scales by position and block of 32 elements.
    pub scales: &'a [u32],
}

impl HeadCache<'_> {
    /// The positions of a head of width `head_dim` after the first `positions`.
    ///
    /// # Panics
    /// When there are fewer.
    #[must_use]
    pub fn after(self, positions: usize, head_dim: usize) -> Self {
        let elements = positions * head_dim;
        Self {
            quants: &self.quants[elements..],
            scales: &self.scales[elements / BLOCK..],
        }
    }
}

impl KvCache {
    /// An empty cache for `capacity` positions, at most the architecture's context.
    pub fn new(architecture: &Architecture, capacity: u32) -> Self {
        let capacity = capacity.min(architecture.context_length);
        let padded = (capacity as usize).next_multiple_of(BLOCK);
        let heads = architecture.kv_heads as usize;
        let head_dim = architecture.head_dim as usize;
        let elements = architecture.layers as usize * heads * padded * head_dim;
        Self {
            layers: architecture.layers as usize,
            heads,
            head_dim,
            limit: capacity as usize,
            capacity: padded,
            length: 0,
            keys: vec![0; elements],
            values: vec![0; elements],
            key_scales: vec![0; elements / BLOCK],
            value_scales: vec![0; elements / BLOCK],
        }
    }

    /// Bytes that a cache for `capacity` positions takes.
    pub fn bytes(architecture: &Architecture, capacity: u32) -> u64 {
        let capacity = capacity.min(architecture.context_length);
        let padded = u64::from(capacity).next_multiple_of(BLOCK as u64);
        let elements = u64::from(architecture.layers)
            * u64::from(architecture.kv_heads)
            * u64::from(architecture.head_dim)
            * padded;
        // Keys and values: a byte an element, a scale of four bytes a block.
        2 * (elements + elements / BLOCK as u64 * 4)
    }

    /// Positions that fit.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Positions that are valid in every layer.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Removes the positions from `length` on; the prefix stays valid.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Declares positions `0..length` valid, after every layer has stored them.
    ///
    /// # Panics
    /// When that many do not fit.
    pub fn extend_to(&mut self, length: usize) {
        assert!(length <= self.limit, "cached positions");
        self.length = length;
    }

    /// Replaces the content by the first `positions` positions of `from`, a cache of the same architecture.
    ///
    /// # Panics
    /// When `from` does not hold that many, or they do not fit.
    pub fn copy_prefix(&mut self, from: &Self, positions: usize) {
        assert!(positions <= from.length, "positions to copy are cached");
        assert_eq!(
            (self.layers, self.heads, self.head_dim),
            (from.layers, from.heads, from.head_dim),
            "caches of one architecture"
        );
        self.extend_to(positions);
        let elements = positions * self.head_dim;
        let blocks = elements / BLOCK;
        for head in 0..self.layers * self.heads {
            let to = head * self.capacity * self.head_dim;
            let at = head * from.capacity * from.head_dim;
            self.keys[to..][..elements].copy_from_slice(&from.keys[at..][..elements]);
            self.values[to..][..elements].copy_from_slice(&from.values[at..][..elements]);
            let (to, at) = (to / BLOCK, at / BLOCK);
            self.key_scales[to..][..blocks].copy_from_slice(&from.key_scales[at..][..blocks]);
            self.value_scales[to..][..blocks].copy_from_slice(&from.value_scales[at..][..blocks]);
        }
    }

    /// Stores rotated keys and values of consecutive positions from `start` in `layer`; both
    /// row-major `[position][head][element]` in units of 2^-16.
    ///
    /// # Panics
    /// When layer or positions are outside the cache.
    pub fn store(&mut self, layer: usize, start: usize, keys: &[i32], values: &[i32]) {
        self.store_by(layer, start, keys, values, quantise_key, quantise_value);
    }

    /// As [`store`](Self::store), for executors with faster implementations of [`quantise_key`] and
    /// [`quantise_value`].
    ///
    /// # Panics
    /// When layer or positions are outside the cache.
    pub fn store_by(
        &mut self,
        layer: usize,
        start: usize,
        keys: &[i32],
        values: &[i32],
        quantise_key: impl Fn(&[i32], &mut [i8], &mut [u32]),
        quantise_value: impl Fn(&[i32], &mut [i8], &mut [u32]),
    ) {
        let width = self.heads * self.head_dim;
        let rows = keys.chunks_exact(width).zip(values.chunks_exact(width));
        for (offset, (keys, values)) in rows.enumerate() {
            let position = start + offset;
            assert!(
                layer < self.layers && position < self.limit,
                "a cached position"
            );
            for head in 0..self.heads {
                let source = head * self.head_dim..(head + 1) * self.head_dim;
                let row = (layer * self.heads + head) * self.capacity + position;
                let elements = row * self.head_dim..(row + 1) * self.head_dim;
                let blocks = elements.start / BLOCK..elements.end / BLOCK;
                quantise_key(
                    &keys[source.clone()],
                    &mut self.keys[elements.clone()],
                    &mut self.key_scales[blocks.clone()],
                );
                quantise_value(
                    &values[source],
                    &mut self.values[elements],
                    &mut self.value_scales[blocks],
                );
            }
        }
    }

    /// Keys and values of `layer`.
    ///
    /// # Panics
    /// When there is no such layer.
    pub fn layer(&self, layer: usize) -> LayerCache<'_> {
        let elements = self.heads * self.capacity * self.head_dim;
        let of = layer * elements..(layer + 1) * elements;
        let scales = of.start / BLOCK..of.end / BLOCK;
        LayerCache {
            heads: self.heads,
            head_dim: self.head_dim,
            capacity: self.capacity,
            keys: &self.keys[of.clone()],
            values: &self.values[of],
            key_scales: &self.key_scales[scales.clone()],
            value_scales: &self.value_scales[scales],
        }
    }
}

impl<'a> LayerCache<'a> {
    /// Key/value heads.
    pub const fn heads(&self) -> usize {
        self.heads
    }

    /// Elements of a head.
    pub const fn head_dim(&self) -> usize {
        self.head_dim
    }

    /// Keys of head `head`.
    pub fn keys(&self, head: usize) -> HeadCache<'a> {
        self.head(head, self.keys, self.key_scales)
    }

    /// Values of head `head`.
    pub fn values(&self, head: usize) -> HeadCache<'a> {
        self.head(head, self.values, self.value_scales)
    }

    fn head(&self, head: usize, quants: &'a [i8], scales: &'a [u32]) -> HeadCache<'a> {
        let elements = self.capacity * self.head_dim;
        let blocks = elements / BLOCK;
        HeadCache {
            quants: &quants[head * elements..][..elements],
            scales: &scales[head * blocks..][..blocks],
        }
    }
}

/// Quantises a head's key, which is clamped, as the module describes: quants by element, scales by block.
pub fn quantise_key(key: &[i32], quants: &mut [i8], scales: &mut [u32]) {
    quantise(key, clamp_rotated, quants, scales);
}

/// The same for a value, which is clamped.
pub fn quantise_value(value: &[i32], quants: &mut [i8], scales: &mut [u32]) {
    quantise(value, clamp_projection, quants, scales);
}

/// Quantises a head's vector, as the module describes, after `clamp`.
fn quantise(vector: &[i32], clamp: impl Fn(i32) -> i32, quants: &mut [i8], scales: &mut [u32]) {
    let blocks = vector
        .as_chunks::<BLOCK>()
        .0
        .iter()
        .zip(quants.as_chunks_mut::<BLOCK>().0)
        .zip(scales);
    for ((vector, quants), scale) in blocks {
        let vector = vector.map(&clamp);
        let largest = vector.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0);
        *scale = largest.div_ceil(127).max(1);
        let s = i64::from(*scale);
        for (q, v) in quants.iter_mut().zip(vector) {
            *q = (2 * i64::from(v) + s).div_euclid(2 * s) as i8;
        }
    }
}
