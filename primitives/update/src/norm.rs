//! Squared norms of changes to several tensors, each in units of its own.
//!
//! # Formula
//! `d` are changes, in units of 2^E_t in tensor t; E is the largest exponent of the tensors that the updates
//! touch. The inner sum is over one chunk:
//! ```text
//! n = Σ ⌊(Σ d²) / 4^(E - E_t)⌋        in units of 4^E
//! ```
//!
//! # Bounds
//! |d| < 2^31, and a chunk has 2^12 of them: Σ d² < 2^74. There are fewer than 2^32 chunks: n < 2^106.

use crate::update::Update;

/// The common unit in which the norms of all tensors are summed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale<'a> {
    exponents: &'a [i8],
    /// E
    unit: i8,
}

impl<'a> Scale<'a> {
    /// The unit of the coarsest tensor that `updates` touch. `exponents` has one for each tensor of the
    /// checkpoint, in canonical order.
    pub(crate) fn new(updates: &[(Update<'_>, u32)], exponents: &'a [i8]) -> Self {
        let mut scale = Self { exponents, unit: 0 };
        let touched = updates.iter().flat_map(|(update, _)| update.tensors());
        let coarsest = touched.map(|tensor| scale.exponent(tensor)).max();
        scale.unit = coarsest.unwrap_or_default();
        scale
    }

    /// The squared norm of changes in one chunk of a tensor.
    pub(crate) fn squared_norm(&self, tensor: u16, changes: impl Iterator<Item = i32>) -> u128 {
        in_unit(squares(changes), self.unit, self.exponent(tensor))
    }

    fn exponent(&self, tensor: u16) -> i8 {
        let exponent = self.exponents.get(usize::from(tensor));
        exponent.copied().unwrap_or_default()
    }
}

/// `Σ d²` of changes, at most those of a chunk.
pub fn squares(changes: impl Iterator<Item = i32>) -> u128 {
    let squares = changes.map(|change| {
        let magnitude = u128::from(change.unsigned_abs());
        magnitude * magnitude
    });
    squares.sum()
}

/// `⌊squares / 4^(unit - exponent)⌋`: a sum of squares in units of `4^exponent`, in those of `4^unit`.
pub fn in_unit(squares: u128, unit: i8, exponent: i8) -> u128 {
    let finer = unit.abs_diff(exponent);
    squares.checked_shr(2 * u32::from(finer)).unwrap_or(0)
}

/// `⌊2^64 ⌊a / 2^e⌋ / ⌊b / 2^e⌋⌋`, with `e` the bits of the larger beyond 64; `None` where that divides by 0.
pub(crate) fn ratio(a: u128, b: u128) -> Option<u128> {
    let excess = (u128::BITS - a.max(b).leading_zeros()).saturating_sub(u64::BITS);
    ((a >> excess) << 64).checked_div(b >> excess)
}
