//! Activations of several positions side by side, as the dot-product kernels read them.

use noema_numerics::{BlocksRef, BLOCK};
use rayon::prelude::*;

/// Words of four mantissas in a block.
pub(crate) const WORDS: usize = BLOCK / 4;

/// One activation block of `P` positions.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct Panel<const P: usize> {
    /// `words[j][p]`: mantissas `4j..4j + 4` of position `p`, the first in the lowest 16 bits.
    pub(crate) words: [[i64; P]; WORDS],
    /// Each position's exponent less the smallest of its vector: 0 to 11.
    pub(crate) shifts: [i64; P],
}

impl<const P: usize> Panel<P> {
    const EMPTY: Self = Self {
        words: [[0; P]; WORDS],
        shifts: [0; P],
    };
}

/// Panels of a batch, and what it takes to turn exact sums back into numbers.
pub(crate) struct Panels<const P: usize> {
    /// Position groups of `P`, each a run of one panel per block; the last is filled up with zeros.
    panels: Vec<Panel<P>>,
    /// The smallest shift of each position.
    pub(crate) least: Vec<u8>,
    blocks: usize,
}

impl<const P: usize> Panels<P> {
    /// Packs every vector of `x`.
    pub(crate) fn pack(x: BlocksRef<'_>) -> Self {
        let blocks = x.columns() / BLOCK;
        let rows = x.rows();
        let least: Vec<u8> = x
            .shifts()
            .chunks_exact(blocks)
            .map(|shifts| shifts.iter().copied().min().unwrap_or(0))
            .collect();
        let mut panels = vec![Panel::EMPTY; rows.div_ceil(P) * blocks];
        let pack_group = |(group, panels): (usize, &mut [Panel<P>])| {
            for p in 0..P.min(rows - group * P) {
                let position = group * P + p;
                let (mantissas, shifts) = x.row(position);
                let blocks = mantissas.as_chunks::<BLOCK>().0;
                for ((panel, block), &shift) in panels.iter_mut().zip(blocks).zip(shifts) {
                    panel.shifts[p] = i64::from(shift - least[position]);
                    for (word, four) in panel.words.iter_mut().zip(block.as_chunks::<4>().0) {
                        word[p] = pack_four(*four);
                    }
                }
            }
        };
        if rows == 1 {
            pack_group((0, &mut panels));
        } else {
            panels
                .par_chunks_mut(blocks)
                .enumerate()
                .for_each(pack_group);
        }
        Self {
            panels,
            least,
            blocks,
        }
    }

    /// The panels of positions `P * group ..`, one per block.
    pub(crate) fn group(&self, group: usize) -> &[Panel<P>] {
        &self.panels[group * self.blocks..][..self.blocks]
    }
}

fn pack_four(four: [i16; 4]) -> i64 {
    let [a, b, c, d] = four.map(i16::to_le_bytes);
    i64::from_le_bytes([a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]])
}

/// Inverse of the packing: four mantissas of a word.
pub(crate) fn unpack_four(word: i64) -> [i16; 4] {
    let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
    [[a, b], [c, d], [e, f], [g, h]].map(i16::from_le_bytes)
}
