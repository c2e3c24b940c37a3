//! Changed inputs: small changes of one input, and parts of two.

use noema_numerics::testing::Random;

/// Most bytes of an input.
pub(crate) const MAX_INPUT: usize = 1 << 17;

/// Numbers at which lengths, counts and sums go wrong.
const NUMBERS: [u64; 12] = [
    0,
    1,
    2,
    31,
    32,
    255,
    1 << 15,
    u16::MAX as u64,
    i32::MAX as u64,
    u32::MAX as u64,
    i64::MAX as u64,
    u64::MAX,
];

fn index(random: &mut Random, length: usize) -> usize {
    random.below(length.max(1) as u64) as usize
}

/// A range of `length` bytes, seldom a long one.
fn range(random: &mut Random, length: usize) -> core::ops::Range<usize> {
    let start = index(random, length);
    let most = match random.below(4) {
        0 => length - start,
        _ => (length - start).min(40),
    };
    start..start + index(random, most + 1)
}

/// An input made of `input` by one to four changes, with parts of `other`.
pub(crate) fn mutate(input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        change(&mut bytes, other, random);
    }
    bytes.truncate(MAX_INPUT);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let length = bytes.len();
    let at = index(random, length);
    match random.below(9) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.bits() as u8;
            }
        }
        2 => {
            bytes.drain(range(random, length));
        }
        3 => {
            let copied = bytes[range(random, length)].to_vec();
            let at = index(random, length + 1);
            bytes.splice(at..at, copied);
        }
        4 => {
            let number = NUMBERS[index(random, NUMBERS.len())].to_le_bytes();
            let width = 1 << random.below(4);
            for (byte, new) in bytes[at..].iter_mut().zip(&number[..width]) {
                *byte = *new;
            }
        }
        5 => {
            let copied = other[range(random, other.len())].to_vec();
            let at = index(random, length + 1);
            bytes.splice(at..at, copied);
        }
        6 => {
            // The beginning of one, and the end of the other from the same place on.
            if let Some(end) = other.get(at..) {
                bytes.truncate(at);
                bytes.extend_from_slice(end);
            }
        }
        7 => bytes.truncate(at),
        _ => {
            let count = 1 + random.below(8);
            bytes.extend((0..count).map(|_| random.bits() as u8));
        }
    }
}
