//! The format: encoding and decoding agree, every update has one byte string, and all other bytes are refused
//! with their error.

use crate::common::{changes, encode_again, open, read, trainable, update, ANY, PARENT};
use noema_checkpoint::{CheckpointId, H256};
use noema_numerics::testing::Random;
use noema_update::{
    ChunkPlace, DecodeError, EncodeError, Encoder, Entry, Limits, Summary, Trainable, Update,
    SCALE_MAX,
};
use proptest::prelude::*;

/// An update composed bit by bit.
struct Draft {
    bytes: Vec<u8>,
    bits: usize,
}

impl Draft {
    /// The header of an update of these tensors with up to `bound` entries a chunk.
    fn new(bound: u16, tensors: &[u16]) -> Self {
        let mut bytes = b"NUPD\x01\x00".to_vec();
        bytes.extend([7; 32]);
        bytes.extend(bound.to_le_bytes());
        bytes.extend((tensors.len() as u16).to_le_bytes());
        bytes.extend(tensors.iter().flat_map(|t| t.to_le_bytes()));
        let bits = bytes.len() * 8;
        Self { bytes, bits }
    }

    /// Appends the lowest `count` bits of `value`, the lowest first.
    fn put(mut self, value: u32, count: u32) -> Self {
        for bit in 0..count {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
        self
    }

    /// Appends a gap of fewer than 2^r.
    fn gap(self, gap: u32, r: u32) -> Self {
        self.put(1, 1).put(gap, r)
    }

    fn error(&self) -> DecodeError {
        let trainable = trainable();
        match open(&self.bytes, &trainable) {
            Ok(update) => update.check().unwrap_err(),
            Err(error) => error,
        }
    }
}

/// Changes `edit` of a valid update's header.
fn header(edit: impl FnOnce(&mut Vec<u8>)) -> DecodeError {
    let trainable = trainable();
    let mut bytes = update(&trainable, 64, 1);
    edit(&mut bytes);
    open(&bytes, &trainable).unwrap_err()
}

const FIRST: ChunkPlace = ChunkPlace {
    tensor: 3,
    chunk: 0,
};

#[test]
fn bits_are_where_the_format_says() {
    // Tensor 3 has 2,048 coordinates. k = 3: two bits of count. Two entries: r = 10. Scale 5 is
    // 0b101: two bits after the highest.
    let draft = Draft::new(3, &[3])
        .put(2, 2)
        .put(2, 5)
        .put(0b01, 2)
        .gap(6, 10)
        .put(1, 1)
        .put(0, 1)
        .put(0b10, 2) // one zero and a one: the gap is at least 2^10
        .put(17, 10)
        .put(0, 1)
        .put(1, 1);
    let trainable = trainable();
    let mut encoder = Encoder::new(&trainable, PARENT, 3).unwrap();
    encoder.exact(3, &[(6, -5), (7 + 1_024 + 17, 10)]).unwrap();
    assert_eq!(encoder.finish(), draft.bytes);
    let update = open(&draft.bytes, &trainable).unwrap();
    let entry = |index, value| Entry { index, value };
    assert_eq!(
        read(&update),
        Ok(vec![(FIRST, vec![entry(6, -5), entry(1_048, 10)])])
    );
    let summary = Summary {
        tensors: 1,
        coordinates: 2_048,
        entries: 2,
    };
    assert_eq!(update.check(), Ok(summary));
}

#[test]
fn an_update_of_nothing_is_its_header() {
    let trainable = trainable();
    let mut encoder = Encoder::new(&trainable, PARENT, 64).unwrap();
    encoder.exact(0, &[]).unwrap();
    let bytes = encoder.finish();
    assert_eq!(bytes, Draft::new(64, &[]).bytes);
    assert_eq!(
        open(&bytes, &trainable).unwrap().check(),
        Ok(Summary::default())
    );
}

#[test]
fn a_header_of_something_else_is_refused() {
    assert_eq!(header(|b| b[0] = b'n'), DecodeError::NotAnUpdate);
    assert_eq!(header(|b| b[4] = 2), DecodeError::UnknownVersion(2));
    let mut other = [7; 32];
    other[31] = 8;
    assert_eq!(
        header(|b| b[37] = 8),
        DecodeError::OtherParent {
            expected: PARENT,
            found: CheckpointId(H256(other))
        }
    );
}

#[test]
fn a_header_that_ends_early_is_refused() {
    let trainable = trainable();
    let bytes = Draft::new(64, &[0, 1, 2]).bytes;
    for length in 0..bytes.len() {
        assert_eq!(
            open(&bytes[..length], &trainable).unwrap_err(),
            DecodeError::Truncated
        );
    }
}

#[test]
fn bounds_outside_the_format_are_refused() {
    for found in [0, 4_097, u16::MAX] {
        assert_eq!(
            Draft::new(found, &[]).error(),
            DecodeError::BoundOutOfRange {
                found,
                limit: 4_096
            }
        );
    }
    let generous = Limits {
        entries: u16::MAX,
        ..ANY
    };
    let bytes = Draft::new(4_097, &[]).bytes;
    assert_eq!(
        Update::open(&bytes, &trainable(), PARENT, generous).unwrap_err(),
        DecodeError::BoundOutOfRange {
            found: 4_097,
            limit: 4_096
        }
    );
}

#[test]
fn tensors_out_of_order_or_unknown_are_refused() {
    for tensors in [[2, 1], [2, 2]] {
        let tensor = tensors[1];
        assert_eq!(
            Draft::new(64, &tensors).error(),
            DecodeError::TensorsNotAscending { tensor }
        );
    }
    let rope = trainable().tensors().len() as u16;
    assert_eq!(
        Draft::new(64, &[rope]).error(),
        DecodeError::NotTrainable { tensor: rope }
    );
    for tensor in [rope + 1, u16::MAX] {
        assert_eq!(
            Draft::new(64, &[tensor]).error(),
            DecodeError::UnknownTensor { tensor }
        );
    }
}

#[test]
fn what_the_receiver_does_not_accept_is_refused() {
    let trainable = trainable();
    let bytes = update(&trainable, 64, 1);
    let open = |limits| Update::open(&bytes, &trainable, PARENT, limits).map(|_| ());
    let length = bytes.len();
    let found = u16::from_le_bytes([bytes[40], bytes[41]]);
    assert_eq!(
        open(Limits {
            bytes: length - 1,
            ..ANY
        }),
        Err(DecodeError::TooLong {
            length,
            limit: length - 1
        })
    );
    assert_eq!(
        open(Limits {
            tensors: found - 1,
            ..ANY
        }),
        Err(DecodeError::TooManyTensors {
            found,
            limit: found - 1
        })
    );
    assert_eq!(
        open(Limits { entries: 63, ..ANY }),
        Err(DecodeError::BoundOutOfRange {
            found: 64,
            limit: 63
        })
    );
    assert_eq!(
        open(Limits {
            bytes: length,
            tensors: found,
            entries: 64
        }),
        Ok(())
    );
    assert_eq!(open(Limits::default()), Ok(()));
}

#[test]
fn chunks_with_too_many_entries_are_refused() {
    assert_eq!(
        Draft::new(4, &[3]).put(5, 3).put(0, 32).error(),
        DecodeError::TooManyEntries {
            place: FIRST,
            found: 5
        }
    );
    // As many as the bound allows, but not as many as there are coordinates.
    assert_eq!(
        Draft::new(4_096, &[3]).put(2_049, 13).put(0, 32).error(),
        DecodeError::TooManyEntries {
            place: FIRST,
            found: 2_049
        }
    );
}

#[test]
fn scales_beyond_the_largest_or_not_the_smallest_are_refused() {
    assert_eq!(
        Draft::new(1, &[3]).put(1, 1).put(30, 5).put(0, 32).error(),
        DecodeError::ScaleTooLarge(FIRST)
    );
    // One entry of a chunk of 2,048: r = 11.
    let draft = Draft::new(1, &[3])
        .put(1, 1)
        .put(0, 5)
        .gap(0, 11)
        .put(0, 1)
        .put(1, 1);
    assert_eq!(draft.error(), DecodeError::ScaleNotMinimal(FIRST));
}

#[test]
fn indices_beyond_the_chunk_or_in_padding_are_refused() {
    let start = |bound| Draft::new(bound, &[3]).put(2, 2).put(0, 5);
    // 2,047 is the last; the next can only be beyond.
    let draft = start(2)
        .put(0b10, 2)
        .put(1_023, 10)
        .put(0, 2)
        .gap(0, 10)
        .put(0, 2);
    assert_eq!(draft.error(), DecodeError::IndexOutOfRange(FIRST));
    assert_eq!(
        start(2).put(0, 32).put(0, 32).error(),
        DecodeError::IndexOutOfRange(FIRST)
    );
    // A norm of 64 gains: index 64 is padding.
    let draft = Draft::new(1, &[1]).put(1, 1).put(0, 5).gap(64, 9).put(0, 2);
    let place = ChunkPlace {
        tensor: 1,
        chunk: 0,
    };
    assert_eq!(
        draft.error(),
        DecodeError::IndexInPadding { place, index: 64 }
    );
}

#[test]
fn listed_tensors_without_entries_are_refused() {
    assert_eq!(
        Draft::new(1, &[3]).put(0, 1).error(),
        DecodeError::UntouchedTensor { tensor: 3 }
    );
}

#[test]
fn bits_and_bytes_beyond_the_end_are_refused() {
    let draft = || Draft::new(1, &[3]).put(1, 1).put(0, 5).gap(9, 11).put(0, 2);
    assert_eq!(
        draft().put(1, 1).error(),
        DecodeError::PaddingBits { tensor: 3 }
    );
    let trainable = trainable();
    let mut bytes = draft().bytes;
    assert!(open(&bytes, &trainable).unwrap().check().is_ok());
    for count in 1..20 {
        bytes.push(0);
        assert_eq!(
            open(&bytes, &trainable).unwrap().check(),
            Err(DecodeError::TrailingBytes { count })
        );
    }
}

#[test]
fn an_update_cut_anywhere_is_refused() {
    let trainable = trainable();
    let bytes = update(&trainable, 64, 2);
    for length in 42..bytes.len() {
        let opened = open(&bytes[..length], &trainable);
        let error = opened.and_then(|update| update.check()).unwrap_err();
        assert_eq!(error, DecodeError::Truncated, "{length}");
    }
}

#[test]
fn what_cannot_be_written_is_refused_and_leaves_no_trace() {
    let trainable = trainable();
    assert_eq!(
        Encoder::new(&trainable, PARENT, 0).unwrap_err(),
        EncodeError::BoundOutOfRange(0)
    );
    assert_eq!(
        Encoder::new(&trainable, PARENT, 4_097).unwrap_err(),
        EncodeError::BoundOutOfRange(4_097)
    );
    let mut encoder = Encoder::new(&trainable, PARENT, 2).unwrap();
    encoder.exact(2, &[(5, 1)]).unwrap();
    let before = encoder.clone().finish();
    let rope = trainable.tensors().len() as u16;
    let max = SCALE_MAX as i32;
    for (tensor, changes, error) in [
        (rope, vec![], EncodeError::UnknownTensor { tensor: rope }),
        (
            2,
            vec![(6, 1)],
            EncodeError::TensorsNotAscending { tensor: 2 },
        ),
        (
            3,
            vec![(6, 1), (6, 1)],
            EncodeError::CoordinatesNotAscending { coordinate: 6 },
        ),
        (
            3,
            vec![(6, 1), (5, 1)],
            EncodeError::CoordinatesNotAscending { coordinate: 5 },
        ),
        (
            3,
            vec![(2_048, 1)],
            EncodeError::CoordinateOutOfRange { coordinate: 2_048 },
        ),
        (
            6,
            vec![(64, 1)],
            EncodeError::CoordinateInPadding { coordinate: 64 },
        ),
        (
            3,
            vec![(1, 1), (2, 1), (3, 1)],
            EncodeError::TooManyEntries(FIRST),
        ),
        (3, vec![(1, 1), (2, 0)], EncodeError::ZeroEntry(FIRST)),
        (3, vec![(1, 1), (2, 3)], EncodeError::NotOneScale(FIRST)),
        (3, vec![(1, max + 1)], EncodeError::NotOneScale(FIRST)),
        (3, vec![(1, i32::MIN)], EncodeError::NotOneScale(FIRST)),
    ] {
        assert_eq!(encoder.exact(tensor, &changes), Err(error));
    }
    assert_eq!(encoder.finish(), before);
}

#[test]
fn the_largest_scale_can_be_written_and_read() {
    let trainable = trainable();
    let max = SCALE_MAX as i32;
    let mut encoder = Encoder::new(&trainable, PARENT, 2).unwrap();
    encoder.exact(3, &[(0, -max), (2_047, -2 * max)]).unwrap();
    let bytes = encoder.finish();
    let entries = read(&open(&bytes, &trainable).unwrap())
        .unwrap()
        .remove(0)
        .1;
    assert_eq!(
        entries.iter().map(|e| e.value).collect::<Vec<_>>(),
        [-max, -2 * max]
    );
}

#[test]
fn a_full_chunk_of_any_changes_takes_at_most_a_sixth_of_a_bit_a_weight() {
    let trainable = trainable();
    let mut random = Random::new(8);
    for _ in 0..200 {
        let mut encoder = Encoder::new(&trainable, PARENT, 64).unwrap();
        let changes = changes(&trainable, 2, 64, &mut random);
        encoder.exact(2, &changes).unwrap();
        let bits = encoder.finish().len().saturating_sub(44) * 8;
        assert!(bits as f64 <= 0.17 * 4_096.0, "{bits}");
    }
}

/// Whether `bytes` decode; if they do, they are the only encoding of their update.
fn canonical(bytes: &[u8], trainable: &Trainable) -> Result<bool, TestCaseError> {
    let Ok(update) = open(bytes, trainable) else {
        return Ok(false);
    };
    let Ok(again) = encode_again(&update) else {
        prop_assert!(update.check().is_err());
        return Ok(false);
    };
    prop_assert_eq!(again, bytes);
    Ok(true)
}

proptest! {
    #[test]
    fn what_is_written_is_read(seed: u64, bound in 1u16..=4_096) {
        let trainable = trainable();
        let mut random = Random::new(seed);
        let tensor = random.below(trainable.tensors().len() as u64) as u16;
        let changes = changes(&trainable, tensor, usize::from(bound), &mut random);
        let mut encoder = Encoder::new(&trainable, PARENT, bound).unwrap();
        encoder.exact(tensor, &changes).unwrap();
        let bytes = encoder.finish();
        let update = open(&bytes, &trainable).unwrap();
        let found: Vec<(u64, i32)> = read(&update)
            .unwrap()
            .iter()
            .flat_map(|(place, entries)| {
                let first = u64::from(place.chunk) * 4_096;
                entries.iter().map(move |e| (first + u64::from(e.index), e.value))
            })
            .collect();
        prop_assert_eq!(update.bound(), bound);
        prop_assert_eq!(update.check().unwrap().entries, changes.len() as u64);
        prop_assert_eq!(found, changes);
    }

    #[test]
    fn an_update_has_one_byte_string(seed: u64, bound in 1u16..200) {
        let trainable = trainable();
        prop_assert!(canonical(&update(&trainable, bound, seed), &trainable)?);
    }

    #[test]
    fn damaged_bytes_are_refused_or_another_update(
        seed: u64,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0u32..8), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let trainable = trainable();
        let mut bytes = update(&trainable, 64, seed);
        for (index, bit) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        canonical(&bytes, &trainable)?;
    }

    #[test]
    fn random_bytes_are_refused_or_an_update(
        bound in 1u16..=4_096,
        tensors in prop::collection::btree_set(0u16..20, 0..4),
        body in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let tensors: Vec<u16> = tensors.into_iter().collect();
        let mut bytes = Draft::new(bound, &tensors).bytes;
        bytes.extend(body);
        canonical(&bytes, &trainable())?;
    }
}
