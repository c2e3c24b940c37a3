//! Activation blocks: vectors of 16-bit mantissas that share an exponent by 32.
//!
//! An element is `mantissa * 2^(shift - fraction)`, with |mantissa| ≤ 2^14, one `shift` per block
//! of 32 and one `fraction` per batch. This is the only form in which a dot product reads
//! activations.
//!
//! # From an i32 vector `v`
//! ```text
//! s_b   = max(0, L_b - 14)           L_b = bit length of max |v| in block b
//! s_b   = max(s_b, max_b(s_b) - 11)  the exponents of a vector span at most 11 bits
//! a     = round_half_up(v / 2^s_b)
//! ```
//! |v| < 2^L and s ≥ L - 14 give |a| ≤ 2^14 (2^14 itself by rounding up); i32::MIN, whose bit
//! length is 32, gives exactly -2^13. Shifts lie in `0..=18`.
//!
//! **Error:** at most `2^(s_b - 1)` units of v: half a unit in the last place of the block, which
//! is at most 2^-14 of the block's largest element or 2^-25 of the vector's, whichever is larger.

use crate::{
    fixed::{bit_length, round_shift_32},
    BLOCK,
};
use alloc::vec::Vec;
use core::ops::Range;

/// Bits of the largest mantissa: |mantissa| ≤ 2^14.
pub const MANTISSA_BITS: u32 = 14;
/// Most bits between the smallest and the largest exponent of one vector.
pub const SHIFT_SPAN: u32 = 11;

/// A batch of block-quantised vectors of equal length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    columns: usize,
    fraction: i32,
    mantissas: Vec<i16>,
    shifts: Vec<u8>,
}

/// A borrowed run of vectors of a [`Blocks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlocksRef<'a> {
    columns: usize,
    fraction: i32,
    mantissas: &'a [i16],
    shifts: &'a [u8],
}

impl Blocks {
    /// Makes room for `rows` vectors of `columns` elements (a multiple of 32) in units of `2^-fraction`, for the
    /// caller to fill: their values are unspecified. Keeps the allocation.
    ///
    /// # Panics
    /// When `columns` is not a multiple of 32.
    pub fn reset(&mut self, rows: usize, columns: usize, fraction: i32) {
        assert!(
            columns.is_multiple_of(BLOCK),
            "a vector of blocks holds a multiple of {BLOCK} elements"
        );
        self.columns = columns;
        self.fraction = fraction;
        self.mantissas.resize(rows * columns, 0);
        self.shifts.resize(rows * (columns / BLOCK), 0);
    }

    /// Block-quantises row-major `values` of `columns` elements a row, in units of `2^-fraction`.
    pub fn quantise(values: &[i32], columns: usize, fraction: i32) -> Self {
        let mut blocks = Self::default();
        quantise_rows(values, columns, fraction, &mut blocks);
        blocks
    }

    /// Block-quantises `values` into vector `row`.
    pub fn set_row(&mut self, row: usize, values: &[i32]) {
        let (mantissas, shifts) = self.row_mut(row);
        quantise(values, mantissas, shifts);
    }

    /// Mantissas and shifts of vector `row`.
    pub fn row_mut(&mut self, row: usize) -> (&mut [i16], &mut [u8]) {
        let blocks = self.columns / BLOCK;
        (
            &mut self.mantissas[row * self.columns..][..self.columns],
            &mut self.shifts[row * blocks..][..blocks],
        )
    }

    /// All mantissas and all shifts, row-major: for executors that fill rows in parallel.
    pub fn parts_mut(&mut self) -> (&mut [i16], &mut [u8]) {
        (&mut self.mantissas, &mut self.shifts)
    }

    /// Appends the vectors of `other`.
    ///
    /// # Panics
    /// When both hold vectors and these differ in length or fraction.
    pub fn append(&mut self, other: BlocksRef<'_>) {
        if self.mantissas.is_empty() {
            self.columns = other.columns;
            self.fraction = other.fraction;
        }
        assert_eq!(
            (self.columns, self.fraction),
            (other.columns, other.fraction),
            "appended vectors have the same length and unit"
        );
        self.mantissas.extend_from_slice(other.mantissas);
        self.shifts.extend_from_slice(other.shifts);
    }

    /// Removes all vectors; keeps the allocation.
    pub fn clear(&mut self) {
        self.mantissas.clear();
        self.shifts.clear();
    }

    /// Number of vectors.
    pub fn rows(&self) -> usize {
        self.view().rows()
    }

    /// All vectors, borrowed.
    pub fn view(&self) -> BlocksRef<'_> {
        BlocksRef {
            columns: self.columns,
            fraction: self.fraction,
            mantissas: &self.mantissas,
            shifts: &self.shifts,
        }
    }
}

impl<'a> BlocksRef<'a> {
    /// Number of vectors.
    pub fn rows(&self) -> usize {
        self.mantissas.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Elements of a vector.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// An element is `mantissa * 2^(shift - fraction)`.
    pub const fn fraction(&self) -> i32 {
        self.fraction
    }

    /// All mantissas, row-major.
    pub const fn mantissas(&self) -> &'a [i16] {
        self.mantissas
    }

    /// All shifts, row-major, one per block of 32.
    pub const fn shifts(&self) -> &'a [u8] {
        self.shifts
    }

    /// Mantissas and shifts of vector `row`.
    pub fn row(&self, row: usize) -> (&'a [i16], &'a [u8]) {
        let blocks = self.columns / BLOCK;
        (
            &self.mantissas[row * self.columns..][..self.columns],
            &self.shifts[row * blocks..][..blocks],
        )
    }

    /// Some elements of vector `row`, from and to multiples of 32.
    ///
    /// # Panics
    /// When the vector does not have them.
    #[must_use]
    pub fn part(&self, row: usize, columns: Range<usize>) -> Self {
        let (mantissas, shifts) = self.row(row);
        Self {
            columns: columns.len(),
            shifts: &shifts[columns.start / BLOCK..columns.end / BLOCK],
            mantissas: &mantissas[columns],
            fraction: self.fraction,
        }
    }

    /// Vectors `range`, borrowed.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let blocks = self.columns / BLOCK;
        Self {
            mantissas: &self.mantissas[range.start * self.columns..range.end * self.columns],
            shifts: &self.shifts[range.start * blocks..range.end * blocks],
            ..*self
        }
    }
}

/// Block-quantises row-major `values` of `columns` elements a row into `output`, which is
/// replaced.
///
/// # Panics
/// When `columns` is zero or not a multiple of 32, or `values` is not whole rows.
pub fn quantise_rows(values: &[i32], columns: usize, fraction: i32, output: &mut Blocks) {
    assert!(
        columns > 0 && values.len().is_multiple_of(columns),
        "rows of {columns} elements"
    );
    output.reset(values.len() / columns, columns, fraction);
    for (row, values) in values.chunks_exact(columns).enumerate() {
        output.set_row(row, values);
    }
}

/// Block-quantises one vector, as the module describes.
///
/// `values` and `mantissas` have the same length, a multiple of 32; `shifts` one element per 32.
pub fn quantise(values: &[i32], mantissas: &mut [i16], shifts: &mut [u8]) {
    quantise_part(values, range(values), mantissas, shifts);
}

/// Bit length of the largest magnitude of some elements: that of a vector is the largest of its parts.
pub fn range(values: &[i32]) -> u32 {
    // The bit length of the largest is that of all or-ed together.
    bit_length(values.iter().fold(0, |bits, v| bits | v.unsigned_abs()))
}

/// The least exponent of the blocks of a vector with this [`range`].
pub const fn least_shift(range: u32) -> u32 {
    range.saturating_sub(MANTISSA_BITS + SHIFT_SPAN)
}

/// Block-quantises some consecutive blocks of a vector with this [`range`], as [`quantise`] the whole.
pub fn quantise_part(values: &[i32], of: u32, mantissas: &mut [i16], shifts: &mut [u8]) {
    let least = least_shift(of);
    for ((block, out), shift) in values
        .chunks_exact(BLOCK)
        .zip(mantissas.chunks_exact_mut(BLOCK))
        .zip(shifts.iter_mut())
    {
        let s = range(block).saturating_sub(MANTISSA_BITS).max(least);
        *shift = s as u8;
        for (a, &v) in out.iter_mut().zip(block) {
            *a = round_shift_32(v, s) as i16;
        }
    }
}
