//! Exact integer sums: the inner loops of linear layers and of attention.
//!
//! For a row group of 16 outputs and each position `p`,
//! ```text
//! sums[p][row] = sum over blocks b of (sum over k of q[row][k] * a[p][k]) * s[row] << shift[p][b]
//! ```
//! |q| ≤ 2^7 and |a| ≤ 2^14, so a block's inner sum stays within 2^26 (an i32 holds it), times a
//! u16 scale within 2^42, shifted by at most 11 within 2^53, and over at most 1024 blocks within
//! 2^63. The sums of attention are those of single blocks. Integer sums do not depend on their
//! order, so every variant gives the same bits; the tests compare each with the definition.
//!
//! The compiler does not generate packed multiply-adds from plain code (which reached a tenth of the speed),
//! hence the intrinsics: one file for each instruction set.

/// Runs a block for each position below `$n`, at most eight, unrolled: with constant indices, the sums stay
/// in registers. The compiler does not unroll loops this large by itself.
#[cfg(target_arch = "x86_64")]
macro_rules! for_each_position {
    ($p:ident < $n:expr, $body:block) => {
        for_each_position!(@ $p < $n, $body, 0 1 2 3 4 5 6 7)
    };
    (@ $p:ident < $n:expr, $body:block, $($index:literal)*) => {
        $({
            const $p: usize = $index;
            if $p < $n $body
        })*
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

use super::{
    level::Level,
    panel::{Panel, Panels},
    team::Team,
};
use noema_numerics::{
    fixed::scale_saturate,
    linear::{base_shift, output_exponent},
    model::Linear,
    tile::{Tile, TILE_BYTES, TILE_ROWS},
    BlocksRef, BLOCK,
};
use std::{cell::RefCell, marker::PhantomData, ops::Range};

/// Positions for which a tile's weights are loaded once.
const TOGETHER: usize = 8;
/// The same for mantissas that are not split into bytes.
const WORDS_TOGETHER: usize = 4;

thread_local! {
    /// Memory of an input that has been released: to allocate and clear it for each layer took longer than to fill it.
    static SPARE: RefCell<Vec<Panel<TOGETHER>>> = const { RefCell::new(Vec::new()) };
}

/// Activations in the layout that a level reads.
pub(crate) enum Input<'a> {
    /// 16-bit mantissas as they are.
    Words {
        /// The vectors.
        x: BlocksRef<'a>,
        /// The base of each vector.
        bases: Vec<u32>,
    },
    /// One position in bytes.
    One(Panels<1>),
    /// Several positions in bytes.
    Many(Panels<TOGETHER>),
}

impl<'a> Input<'a> {
    /// Prepares `x`, at least one vector, for `level`.
    pub(crate) fn new(level: Level, team: &Team, x: BlocksRef<'a>) -> Self {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Amx if x.rows() == 1 => {
                Self::One(Panels::pack(team, x, Vec::new()))
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Amx => Self::Many(Panels::pack(team, x, SPARE.take())),
            #[cfg(target_arch = "aarch64")]
            Level::NeonDot if x.rows() == 1 => Self::One(Panels::pack(team, x, Vec::new())),
            #[cfg(target_arch = "aarch64")]
            Level::NeonDot => Self::Many(Panels::pack(team, x, SPARE.take())),
            _ => Self::Words {
                x,
                bases: (0..x.rows()).map(|row| base_shift(x.row(row).1)).collect(),
            },
        }
    }

    /// Leaves the memory for the next input of this thread.
    pub(crate) fn release(self) {
        if let Self::Many(panels) = self {
            SPARE.set(panels.into_spare());
        }
    }
}

/// Results of a layer, `[position][row]`, which several threads fill.
pub(crate) struct Matrix<'a, T> {
    start: *mut T,
    positions: usize,
    rows: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: written only through `part`, whose callers use disjoint row groups.
unsafe impl<T: Send> Sync for Matrix<'_, T> {}

impl<'a, T> Matrix<'a, T> {
    /// Wraps `[position][row]` results with `rows` rows.
    pub(crate) fn new(values: &'a mut [T], rows: usize) -> Self {
        Self {
            start: values.as_mut_ptr(),
            positions: values.len() / rows,
            rows,
            owner: PhantomData,
        }
    }

    /// The results of a row group at a position: the first and their number, at most 16, fewer in the last group.
    #[inline(always)]
    fn part(&self, position: usize, group: usize) -> (*mut T, usize) {
        let first = group * TILE_ROWS;
        assert!(position < self.positions && first < self.rows);
        // Inside the borrowed slice, as `position` and the rows are below its dimensions.
        let start = self.start.wrapping_add(position * self.rows + first);
        (start, TILE_ROWS.min(self.rows - first))
    }

    /// Sets the results of a row group at a position; the last group may have fewer rows.
    ///
    /// # Safety
    /// No other thread sets or reads results of this group at the same time.
    #[inline(always)]
    unsafe fn set(&self, position: usize, group: usize, values: &[T; TILE_ROWS]) {
        let (target, count) = self.part(position, group);
        // SAFETY: `part` names elements of the borrowed slice. No other thread uses them.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), target, count) };
    }
}

/// What becomes of the exact sums of a layer.
pub(crate) enum Outputs<'a> {
    /// They are rounded to the units of the output.
    Rounded(Matrix<'a, i32>),
    /// They are kept, each over the base of its vector. Rows are padded to whole groups.
    Exact(Matrix<'a, i64>),
}

/// A linear layer to be computed, or a part of it.
pub(crate) struct Layer<'a> {
    /// The weights.
    pub(crate) weights: Linear<'a>,
    /// The blocks of the reduction that the input has.
    blocks: Range<usize>,
    /// The activations.
    pub(crate) input: &'a Input<'a>,
    /// The exponent that converts exact sums of a vector with base 0 to the units of the output.
    exponent: i32,
    /// The outputs.
    outputs: Outputs<'a>,
}

impl<'a> Layer<'a> {
    /// `weights` times `input`, whose elements are in units of `2^-from`, in units of `2^-to`.
    pub(crate) fn new(
        weights: &Linear<'a>,
        input: &'a Input<'a>,
        (from, to): (i32, i32),
        outputs: &'a mut [i32],
    ) -> Self {
        Self {
            weights: *weights,
            blocks: 0..weights.columns() / BLOCK,
            input,
            exponent: output_exponent(weights, 0, from, to),
            outputs: Outputs::Rounded(Matrix::new(outputs, weights.rows())),
        }
    }

    /// The exact sums over some blocks of the reduction, of which alone `input` consists.
    pub(crate) fn part(
        weights: &Linear<'a>,
        blocks: Range<usize>,
        input: &'a Input<'a>,
        sums: &'a mut [i64],
    ) -> Self {
        Self {
            weights: *weights,
            blocks,
            input,
            exponent: 0,
            outputs: Outputs::Exact(Matrix::new(sums, weights.groups() * TILE_ROWS)),
        }
    }

    /// The tiles of a row group that are multiplied.
    #[inline(always)]
    fn tiles(&self, group: usize) -> &'a [Tile] {
        &self.weights.group(group)[self.blocks.clone()]
    }

    /// Positions of the input.
    #[inline(always)]
    fn positions(&self) -> usize {
        match &self.outputs {
            Outputs::Rounded(outputs) => outputs.positions,
            Outputs::Exact(sums) => sums.positions,
        }
    }

    /// Takes the sums of a row group at a position, whose vector has this base.
    ///
    /// # Safety
    /// No other thread computes the same group at the same time.
    #[inline(always)]
    unsafe fn set(&self, (position, group): (usize, usize), sums: &[i64; TILE_ROWS], base: u32) {
        match &self.outputs {
            Outputs::Rounded(outputs) => {
                let values = narrow(sums, self.exponent + base as i32);
                // SAFETY: guaranteed by the caller.
                unsafe { outputs.set(position, group, &values) };
            }
            // SAFETY: guaranteed by the caller.
            Outputs::Exact(exact) => unsafe { exact.set(position, group, sums) },
        }
    }

    /// Computes row groups `groups`.
    ///
    /// # Safety
    /// `level` is available on this machine, and no other thread computes the same groups at the same time.
    pub(crate) unsafe fn compute(&self, level: Level, groups: Range<usize>) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            match (level, self.input) {
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, Input::Words { x, bases }) => avx2::compute(self, *x, bases, groups),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512 | Level::Amx, Input::One(panels)) => {
                    avx512::compute_one(self, panels, groups);
                }
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, Input::Many(panels)) => avx512::compute_many(self, panels, groups),
                #[cfg(target_arch = "x86_64")]
                (Level::Amx, Input::Many(panels)) => amx::compute(self, panels, groups),
                #[cfg(target_arch = "aarch64")]
                (Level::Neon, Input::Words { x, bases }) => {
                    neon::compute_words(self, *x, bases, groups);
                }
                #[cfg(target_arch = "aarch64")]
                (Level::NeonDot, Input::One(panels)) => neon::compute_bytes(self, panels, groups),
                #[cfg(target_arch = "aarch64")]
                (Level::NeonDot, Input::Many(panels)) => neon::compute_bytes(self, panels, groups),
                (_, Input::Words { x, bases }) => portable::compute(self, *x, bases, groups),
                _ => unreachable!("`Input::new` chooses the layout that the level reads"),
            }
        }
    }
}

/// `WORDS_TOGETHER` neighbouring vectors with their bases; the last is repeated if there are fewer.
#[derive(Clone, Copy)]
struct Words<'a> {
    mantissas: [&'a [[i16; BLOCK]]; WORDS_TOGETHER],
    shifts: [&'a [u8]; WORDS_TOGETHER],
    bases: [u32; WORDS_TOGETHER],
}

impl<'a> Words<'a> {
    fn new(x: BlocksRef<'a>, bases: &[u32], first: usize) -> Self {
        let position = |p: usize| (first + p).min(x.rows() - 1);
        Self {
            mantissas: std::array::from_fn(|p| x.row(position(p)).0.as_chunks().0),
            shifts: std::array::from_fn(|p| x.row(position(p)).1),
            bases: std::array::from_fn(|p| bases[position(p)]),
        }
    }

    /// The exponent of a block over the base of its vector: 0 to 11.
    #[inline(always)]
    fn shift(&self, p: usize, block: usize) -> u32 {
        u32::from(self.shifts[p][block]) - self.bases[p]
    }
}

/// `dots[i] = Σ_k query[i % B][k] * keys[i][k]`.
///
/// # Panics
/// Unless there are as many dots as keys, a multiple of 16.
pub(crate) fn block_dots<const B: usize>(
    level: Level,
    query: &[[i16; BLOCK]; B],
    keys: &[[i8; BLOCK]],
    dots: &mut [i32],
) {
    assert!(keys.len() == dots.len() && keys.len().is_multiple_of(16));
    match level {
        Level::Portable => portable::block_dots(query, keys, dots),
        #[cfg(target_arch = "aarch64")]
        Level::Neon | Level::NeonDot => portable::block_dots(query, keys, dots),
        // SAFETY: `Level::available` offers the level only if the features are present.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2::block_dots(query, keys, dots) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Amx => unsafe { avx512::block_dots(query, keys, dots) },
    }
}

/// `Σ_t weights[t] * rows[t][block][k]` for each `k`.
pub(crate) fn weighted_sum<const B: usize>(
    level: Level,
    weights: &[i16; BLOCK],
    rows: &[[[i8; BLOCK]; B]; BLOCK],
    block: usize,
) -> [i32; BLOCK] {
    match level {
        Level::Portable => portable::weighted_sum(weights, rows, block),
        #[cfg(target_arch = "aarch64")]
        Level::Neon | Level::NeonDot => portable::weighted_sum(weights, rows, block),
        // SAFETY: `Level::available` offers the level only if the features are present.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2::weighted_sum(weights, rows, block) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Amx => unsafe { avx512::weighted_sum(weights, rows, block) },
    }
}

/// `sums * 2^exponent`, rounded to nearest with halves up, as the nearest i32. The usual case is written out,
/// so that it is vectorised where it is compiled into such a kernel.
#[inline(always)]
fn narrow(sums: &[i64; TILE_ROWS], exponent: i32) -> [i32; TILE_ROWS] {
    if (-62..=-1).contains(&exponent) {
        let drop = exponent.unsigned_abs();
        sums.map(|sum| {
            let half = sum.wrapping_shr(drop - 1) & 1;
            let rounded = sum.wrapping_shr(drop).wrapping_add(half);
            rounded.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
        })
    } else {
        sums.map(|sum| scale_saturate(sum, exponent))
    }
}

/// Prefetch distance ahead of the weights in use: some tiles, and across the border of their page, where the
/// processor does not prefetch by itself. Measured: 2 KiB gave 26 % over no prefetch, 16 KiB less again.
#[cfg(target_arch = "x86_64")]
const PREFETCH_BYTES: usize = 2_048;

/// Prefetches the tile some way after `tile`, even if it belongs to another layer.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch(tile: &Tile, ahead: usize) {
    for line in 0..TILE_BYTES.div_ceil(64) {
        prefetch_line(tile, ahead, line);
    }
}

/// Prefetches one line of that tile.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch_line(tile: &Tile, ahead: usize, line: usize) {
    use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
    let at = tile.as_ptr().wrapping_add(ahead + 64 * line);
    // SAFETY: a prefetch of any address is allowed, and changes nothing but speed.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
}

/// Two neighbouring weights as one 32-bit lane.
#[inline(always)]
#[cfg(target_arch = "x86_64")]
fn pair(weights: &[i16; 2]) -> i32 {
    let ([a, b], [c, d]) = (weights[0].to_le_bytes(), weights[1].to_le_bytes());
    i32::from_le_bytes([a, b, c, d])
}
