//! The trace digest: a hash that only executing the model yields.
//!
//! # Formula
//! ```text
//! d_0     = BLAKE2b-256("noema/trace")
//! d_(i+1) = BLAKE2b-256(d_i ++ mantissas as i16 LE ++ shifts as u8)
//! ```
//! over the final hidden vectors (the input of the output head) from which the tokens of an answer
//! are sampled, in order: that of the prompt's last token first, that of the answer's last token
//! not at all.

use crate::BlocksRef;
use alloc::vec::Vec;
use blake2::{digest::consts::U32, Blake2b, Digest};

/// A digest under construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    digest: [u8; 32],
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            digest: Blake2b::<U32>::digest(b"noema/trace").into(),
        }
    }
}

impl Trace {
    /// Adds hidden vectors, in order.
    pub fn add(&mut self, hidden: BlocksRef<'_>) {
        let mut bytes = Vec::with_capacity(hidden.columns() * 2);
        for row in 0..hidden.rows() {
            let (mantissas, shifts) = hidden.row(row);
            bytes.clear();
            bytes.extend(mantissas.iter().flat_map(|a| a.to_le_bytes()));
            self.digest = Blake2b::<U32>::new()
                .chain_update(self.digest)
                .chain_update(&bytes)
                .chain_update(shifts)
                .finalize()
                .into();
        }
    }

    /// The digest of everything added.
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }
}
