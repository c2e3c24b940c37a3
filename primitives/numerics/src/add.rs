//! The addition to the residual stream.
//!
//! # Formula
//! ```text
//! x = x ⊕ d                    saturating, element by element, both in the same units
//! ```

/// Adds `delta` to `values`, of the same length. Inlined, so that an executor can compile it with its instructions.
#[inline(always)]
pub fn add(delta: &[i32], values: &mut [i32]) {
    for (x, &d) in values.iter_mut().zip(delta) {
        *x = x.saturating_add(d);
    }
}
