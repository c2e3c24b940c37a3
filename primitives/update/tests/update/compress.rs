//! Compression and error feedback: changes that are not sent are kept, exactly.

use crate::common::{open, read, trainable, ANY, PARENT};
use noema_numerics::testing::Random;
use noema_update::{EncodeError, Encoder, Trainable, Update};
use proptest::prelude::*;

/// The change of each coordinate of `tensor` in the update.
fn sent(bytes: &[u8], trainable: &Trainable, tensor: u16) -> Vec<i32> {
    let update = Update::open(bytes, trainable, PARENT, ANY).unwrap();
    let mut values = vec![0; trainable.tensor(tensor).unwrap().coordinates() as usize];
    for (place, entries) in read(&update).unwrap() {
        assert_eq!(place.tensor, tensor);
        for entry in entries {
            values[place.chunk as usize * 4_096 + usize::from(entry.index)] = entry.value;
        }
    }
    values
}

fn compress(
    trainable: &Trainable,
    tensor: u16,
    bound: u16,
    deltas: &[i32],
    residual: &mut [i32],
) -> Vec<u8> {
    let mut encoder = Encoder::new(trainable, PARENT, bound).unwrap();
    encoder.compress(tensor, deltas, residual).unwrap();
    encoder.finish()
}

/// Sum of squares; exact for the sizes used here.
fn energy(values: &[i32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum()
}

/// Approximately normal: the sum of eight uniform numbers.
fn normal(random: &mut Random) -> i32 {
    (0..8).map(|_| random.within(10_000) as i32).sum()
}

#[test]
fn the_largest_changes_are_sent_the_lowest_index_first_on_ties() {
    let trainable = trainable();
    let mut deltas = vec![0; 4_096];
    for (index, delta) in [(9, 70), (100, -100), (7, 99), (4_000, 70), (8, -70)] {
        deltas[index] = delta;
    }
    let mut residual = vec![0; 4_096];
    let bytes = compress(&trainable, 2, 4, &deltas, &mut residual);
    let values = sent(&bytes, &trainable, 2);
    let indices: Vec<usize> = (0..4_096).filter(|&i| values[i] != 0).collect();
    assert_eq!(indices, [7, 8, 9, 100]);
    // (2 * 99 + 2 * 100 + 70 + 70) / (4 + 4 + 1 + 1), to nearest.
    let values = [values[7], values[8], values[9], values[100]];
    assert_eq!(values, [108, -54, 54, -108]);
    assert_eq!(residual[4_000], 70);
}

#[test]
fn small_changes_beside_a_large_one_are_kept_rather_than_blown_up() {
    let trainable = trainable();
    let mut deltas = vec![1; 4_096];
    deltas[50] = 1_000;
    let mut residual = vec![0; 4_096];
    let bytes = compress(&trainable, 2, 64, &deltas, &mut residual);
    let values = sent(&bytes, &trainable, 2);
    assert_eq!(values[50], 1_000);
    assert_eq!(energy(&values), 1e6);
}

#[test]
fn two_magnitudes_are_said_exactly() {
    let trainable = trainable();
    let mut deltas = vec![0; 4_096];
    for index in 0..40 {
        deltas[index * 100] = if index % 3 == 0 { -600 } else { 300 };
    }
    let mut residual = vec![0; 4_096];
    let bytes = compress(&trainable, 2, 64, &deltas, &mut residual);
    assert_eq!(sent(&bytes, &trainable, 2), deltas);
    assert_eq!(residual, [0; 4_096]);
}

#[test]
fn what_was_not_sent_arrives_later() {
    let trainable = trainable();
    let mut random = Random::new(3);
    let deltas: Vec<i32> = (0..4_096).map(|_| normal(&mut random)).collect();
    let mut residual = vec![0; 4_096];
    let mut arrived = vec![0i64; 4_096];
    let mut deltas_now = deltas.clone();
    let mut left = energy(&deltas);
    for _ in 0..600 {
        let bytes = compress(&trainable, 2, 64, &deltas_now, &mut residual);
        for (arrived, value) in arrived.iter_mut().zip(sent(&bytes, &trainable, 2)) {
            *arrived += i64::from(value);
        }
        assert!(energy(&residual) < left || left == 0.0);
        left = energy(&residual);
        deltas_now.fill(0);
    }
    assert!(left < energy(&deltas) / 100.0, "{left}");
    for ((&delta, &arrived), &residual) in deltas.iter().zip(&arrived).zip(&residual) {
        assert_eq!(i64::from(delta), arrived + i64::from(residual));
    }
}

#[test]
fn nothing_is_sent_of_padding() {
    let trainable = trainable();
    for tensor in 0..trainable.tensors().len() as u16 {
        let shape = trainable.tensor(tensor).unwrap();
        let deltas = vec![5; shape.coordinates() as usize];
        let mut residual = vec![0; deltas.len()];
        let bytes = compress(&trainable, tensor, 4_096, &deltas, &mut residual);
        for (coordinate, value) in (0..).zip(sent(&bytes, &trainable, tensor)) {
            assert_eq!(value, if shape.is_padding(coordinate) { 0 } else { 5 });
        }
    }
}

#[test]
fn an_unchanged_tensor_is_left_out() {
    let trainable = trainable();
    let bytes = compress(&trainable, 2, 64, &[0; 4_096], &mut [0; 4_096]);
    assert_eq!(open(&bytes, &trainable).unwrap().tensors().len(), 0);
}

#[test]
fn what_cannot_be_compressed_changes_nothing() {
    let trainable = trainable();
    let mut encoder = Encoder::new(&trainable, PARENT, 64).unwrap();
    encoder.exact(2, &[(5, 1)]).unwrap();
    let before = encoder.clone().finish();
    let rope = trainable.tensors().len() as u16;
    let mut deltas = vec![1; 2_048];
    deltas[9] = i32::MAX;
    let mut residual = vec![1; 2_048];
    let length = |found| EncodeError::Length {
        expected: 2_048,
        found,
    };
    assert_eq!(
        encoder.compress(rope, &[], &mut []),
        Err(EncodeError::UnknownTensor { tensor: rope })
    );
    assert_eq!(
        encoder.compress(2, &[0; 4_096], &mut [0; 4_096]),
        Err(EncodeError::TensorsNotAscending { tensor: 2 })
    );
    assert_eq!(
        encoder.compress(3, &deltas[1..], &mut residual),
        Err(length(2_047))
    );
    assert_eq!(
        encoder.compress(3, &deltas, &mut residual[1..]),
        Err(length(2_047))
    );
    assert_eq!(
        encoder.compress(3, &deltas, &mut residual),
        Err(EncodeError::ResidualOverflow { coordinate: 9 })
    );
    assert_eq!(residual, [1; 2_048]);
    assert_eq!(encoder.finish(), before);
}

proptest! {
    #[test]
    fn nothing_is_lost(seed: u64, bound in 1u16..300, shift in 0u32..31, extreme in any::<bool>()) {
        let trainable = trainable();
        let mut random = Random::new(seed);
        let tensor = random.below(trainable.tensors().len() as u64) as u16;
        let count = trainable.tensor(tensor).unwrap().coordinates() as usize;
        let value = |random: &mut Random| (random.bits() as i32 >> shift) / 2;
        let mut deltas: Vec<i32> = (0..count).map(|_| value(&mut random)).collect();
        let mut residual: Vec<i32> = (0..count).map(|_| value(&mut random)).collect();
        if extreme {
            (deltas[0], residual[0]) = (i32::MIN, 0);
            (deltas[1], residual[1]) = (i32::MAX, 0);
        }
        let before = residual.clone();
        let bytes = compress(&trainable, tensor, bound, &deltas, &mut residual);
        let values = sent(&bytes, &trainable, tensor);
        for i in 0..count {
            prop_assert_eq!(
                i64::from(deltas[i]) + i64::from(before[i]),
                i64::from(values[i]) + i64::from(residual[i])
            );
        }
        let wanted: Vec<f64> = (0..count)
            .map(|i| f64::from(deltas[i]) + f64::from(before[i]))
            .collect();
        let wanted: f64 = wanted.iter().map(|v| v * v).sum();
        prop_assert!(energy(&residual) <= wanted * (1.0 + 1e-12), "sending never makes it worse");
        for chunk in values.chunks(4_096) {
            let entries = chunk.iter().filter(|v| **v != 0).count();
            prop_assert!(entries <= usize::from(bound));
        }
    }
}
