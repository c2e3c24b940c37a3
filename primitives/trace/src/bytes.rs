//! Outputs of steps as bytes: integers in little-endian order.

use alloc::vec::Vec;

pub(crate) fn of_i32(values: &[i32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

pub(crate) fn of_u64(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let bytes = values.into_iter().flat_map(u64::to_le_bytes);
    bytes.collect()
}

pub(crate) fn to_i32(bytes: &[u8]) -> Vec<i32> {
    let values = bytes.as_chunks().0.iter();
    values.map(|bytes| i32::from_le_bytes(*bytes)).collect()
}

pub(crate) fn to_u64(bytes: &[u8]) -> Vec<u64> {
    let values = bytes.as_chunks().0.iter();
    values.map(|bytes| u64::from_le_bytes(*bytes)).collect()
}

pub(crate) fn to_i8(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|byte| byte.cast_signed()).collect()
}

/// The single integer.
pub(crate) fn one_u32(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// The single integer.
pub(crate) fn one_u64(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// Mantissas and shifts of blocks: two bytes an element, then one a block of 32.
pub(crate) fn to_blocks(bytes: &[u8]) -> (Vec<i16>, &[u8]) {
    let elements = bytes.len() / 65 * 32;
    let (mantissas, shifts) = bytes.split_at(elements * 2);
    let mantissas = mantissas.as_chunks().0.iter();
    (
        mantissas.map(|bytes| i16::from_le_bytes(*bytes)).collect(),
        shifts,
    )
}

/// A key or a value as the cache stores it: a byte an element, then four a block of 32.
pub(crate) fn to_stored(bytes: &[u8]) -> (Vec<i8>, Vec<u32>) {
    let elements = bytes.len() / 36 * 32;
    let (quants, scales) = bytes.split_at(elements);
    let scales = scales.as_chunks().0.iter();
    (
        to_i8(quants),
        scales.map(|bytes| u32::from_le_bytes(*bytes)).collect(),
    )
}
