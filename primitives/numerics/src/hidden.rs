//! The hash of a final hidden state, which only execution of the model yields.
//!
//! # Formula
//! ```text
//! h_i = BLAKE2b-256("noema/hidden" ++ mantissas as i16 LE ++ shifts as u8)
//! ```
//! of the final hidden state (the input of the output head, as [`blocks`](crate::blocks)) from which
//! token `i` of an answer is sampled. State 0 is that at the prompt's last token; at the answer's last
//! token there is none, since it is not executed. The number of elements and their unit follow from
//! the checkpoint, so neither is hashed.

use crate::BlocksRef;
use alloc::vec::Vec;
use blake2::{digest::consts::U32, Blake2b, Digest};

/// Separates these hashes from all others.
const DOMAIN: &[u8] = b"noema/hidden";

/// The hash of each of `states`, in order.
pub fn hashes(states: BlocksRef<'_>) -> impl Iterator<Item = [u8; 32]> + '_ {
    let mut bytes = Vec::with_capacity(states.columns() * 2);
    (0..states.rows()).map(move |row| {
        let (mantissas, shifts) = states.row(row);
        bytes.clear();
        bytes.extend(mantissas.iter().flat_map(|mantissa| mantissa.to_le_bytes()));
        hash(&bytes, shifts)
    })
}

/// The hash of a state, from the bytes of its mantissas and its shifts.
pub fn hash(mantissas: &[u8], shifts: &[u8]) -> [u8; 32] {
    Blake2b::<U32>::new()
        .chain_update(DOMAIN)
        .chain_update(mantissas)
        .chain_update(shifts)
        .finalize()
        .into()
}
