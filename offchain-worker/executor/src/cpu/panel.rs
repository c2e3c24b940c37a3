//! Activations in the layout of the byte kernels: mantissas in two bytes, several positions together.
//!
//! A mantissa is `256 * high + low` with `low` in -128..=127; |mantissa| ≤ 2^14 keeps `high` in -64..=64. A
//! dot product with int8 weights thus becomes two dot products of bytes.

use super::team::Team;
use noema_numerics::{linear::base_shift, BlocksRef, BLOCK};

/// One activation block of `P` positions.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Panel<const P: usize> {
    /// High bytes by position.
    pub(crate) high: [[i8; BLOCK]; P],
    /// Low bytes by position.
    pub(crate) low: [[i8; BLOCK]; P],
    /// Each position's exponent over the base of its vector: 0 to 11.
    pub(crate) shifts: [u32; P],
    /// Each position's sum of mantissas times -128: the correction for weights that are stored 128 too large.
    pub(crate) offsets: [i32; P],
}

impl<const P: usize> Panel<P> {
    const EMPTY: Self = Self {
        high: [[0; BLOCK]; P],
        low: [[0; BLOCK]; P],
        shifts: [0; P],
        offsets: [0; P],
    };

    /// Sets position `p`. Inlined into its callers, to be compiled with their instructions.
    #[inline(always)]
    fn set(&mut self, p: usize, mantissas: &[i16; BLOCK], shift: u32) {
        // Three loops over arrays of their own, as the compiler vectorises nothing else.
        let (mut high, mut low, mut sum) = ([0; BLOCK], [0; BLOCK], 0i32);
        for (low, &a) in low.iter_mut().zip(mantissas) {
            *low = a as i8;
        }
        for (high, &a) in high.iter_mut().zip(mantissas) {
            *high = (a.wrapping_add(128) >> 8) as i8;
        }
        for &a in mantissas {
            sum = sum.wrapping_add(i32::from(a));
        }
        (self.high[p], self.low[p]) = (high, low);
        self.shifts[p] = shift;
        self.offsets[p] = sum.wrapping_mul(-128);
    }
}

/// Panels of a batch.
pub(crate) struct Panels<const P: usize> {
    /// Groups of `P` positions, each a run of one panel per block, and memory that is not used. Values past the last position
    /// are those of an earlier batch.
    panels: Vec<Panel<P>>,
    /// The base of each position's vector.
    bases: Vec<u32>,
    blocks: usize,
}

impl<const P: usize> Panels<P> {
    /// Packs every vector of `x`, in the memory of `spare`.
    pub(crate) fn pack(team: &Team, x: BlocksRef<'_>, spare: Vec<Panel<P>>) -> Self {
        let blocks = x.columns() / BLOCK;
        let bases = (0..x.rows()).map(|row| base_shift(x.row(row).1)).collect();
        let used = x.rows().div_ceil(P) * blocks;
        let mut panels = spare;
        if panels.len() < used {
            panels.resize(used, Panel::EMPTY);
        }
        team.run_pieces(&mut panels[..used], blocks, &|group, panels| {
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the feature is present.
                return unsafe { fill_avx2(x, group * P, panels) };
            }
            fill(x, group * P, panels);
        });
        Self {
            panels,
            bases,
            blocks,
        }
    }

    /// The memory, for other vectors.
    pub(crate) fn into_spare(self) -> Vec<Panel<P>> {
        self.panels
    }

    /// Positions.
    pub(crate) fn positions(&self) -> usize {
        self.bases.len()
    }

    /// The base of the vector at `position`.
    pub(crate) fn base(&self, position: usize) -> u32 {
        self.bases[position]
    }

    /// The bases of every group, group by group.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn all(&self) -> &[Panel<P>] {
        &self.panels[..self.positions().div_ceil(P) * self.blocks]
    }

    /// The panels of positions `P * group ..`, one per block.
    pub(crate) fn group(&self, group: usize) -> &[Panel<P>] {
        &self.panels[group * self.blocks..][..self.blocks]
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2<const P: usize>(x: BlocksRef<'_>, first: usize, panels: &mut [Panel<P>]) {
    fill(x, first, panels);
}

/// Packs the vectors from `first` on, at most `P` of them.
#[inline(always)]
fn fill<const P: usize>(x: BlocksRef<'_>, first: usize, panels: &mut [Panel<P>]) {
    for p in 0..P.min(x.rows() - first) {
        let (mantissas, shifts) = x.row(first + p);
        let base = base_shift(shifts);
        let blocks = mantissas.as_chunks::<BLOCK>().0.iter().zip(shifts);
        for (panel, (block, &shift)) in panels.iter_mut().zip(blocks) {
            panel.set(p, block, u32::from(shift) - base);
        }
    }
}
