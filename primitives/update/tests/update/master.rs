//! Masters, their leaves and root, and requantisation to tiles.

use crate::common::{checkpoint, trainable};
use noema_checkpoint::{join_roots, H256};
use noema_numerics::{
    layout::{self, TensorKind, TensorRole},
    testing::Random,
    tile::{self, TILE_BYTES},
};
use noema_update::{
    from_weights,
    master::{
        from_bytes, leaves, of_tile, requantise, requantise_row, run_root, to_bytes, LEAF_BYTES,
        LINEAR_MAX, RUN_LEAVES,
    },
    masters_root, ApplyError,
};
use proptest::prelude::*;
use sp_core::Blake2Hasher;

#[test]
fn masters_are_the_weights_that_the_model_computes_with() {
    let checkpoint = checkpoint();
    let model = checkpoint.model();
    let trainable = trainable();
    let masters: Vec<[i32; 512]> = leaves(&trainable, &checkpoint.weights).unwrap().collect();
    let at = |coordinate: u64, first: u64| {
        masters[(first + coordinate / 512) as usize][(coordinate % 512) as usize]
    };
    let weights = model.linear(model.index(TensorRole::Gate, Some(0)));
    let gate = trainable.tensor(7).unwrap();
    for (row, column) in [(0, 0), (95, 63), (17, 40), (3, 33)] {
        let (q, s) = weights.weight(row, column);
        let coordinate = gate.coordinate(row as u32, column as u32).unwrap();
        assert_eq!(
            at(coordinate, gate.offset_tiles()),
            i32::from(q) * i32::from(s)
        );
    }
    let norm = trainable.tensor(1).unwrap();
    let gains = model.gains(model.index(TensorRole::AttentionNorm, Some(0)));
    for (index, gain) in gains.values().enumerate() {
        let coordinate = norm.coordinate(0, index as u32).unwrap();
        assert_eq!(at(coordinate, norm.offset_tiles()), gain);
    }
}

#[test]
fn every_weight_has_one_coordinate_and_padding_has_none() {
    let trainable = trainable();
    for tensor in trainable.tensors() {
        let (rows, columns) = match tensor.kind() {
            TensorKind::Linear { rows, columns } => (rows, columns),
            TensorKind::Gain { length } => (1, length),
            other => panic!("{other:?} is not trainable"),
        };
        let mut seen = vec![false; tensor.coordinates() as usize];
        for row in 0..rows {
            for column in 0..columns {
                let at = tensor.coordinate(row, column).unwrap() as usize;
                assert!(!std::mem::replace(&mut seen[at], true));
            }
        }
        for (coordinate, seen) in (0..).zip(seen) {
            assert_eq!(tensor.is_padding(coordinate), !seen);
        }
        assert_eq!(tensor.coordinate(rows, 0), None);
        assert_eq!(tensor.coordinate(0, columns), None);
        let chunks = 0..tensor.chunks();
        let coordinates: usize = chunks.map(|chunk| tensor.chunk_coordinates(chunk)).sum();
        assert_eq!(coordinates as u64, tensor.coordinates());
        assert_eq!(tensor.chunk_coordinates(tensor.chunks()), 0);
    }
}

#[test]
fn all_tensors_but_the_rotation_table_are_trainable() {
    let checkpoint = checkpoint();
    let specs = layout::tensors(&checkpoint.architecture).unwrap();
    let trainable = trainable();
    assert_eq!(trainable.tensors().len() + 1, specs.len());
    for (tensor, spec) in trainable.tensors().iter().zip(&specs) {
        assert_eq!(
            (tensor.kind(), tensor.offset_tiles(), tensor.tiles()),
            (spec.kind, spec.offset_tiles, spec.tiles)
        );
    }
    let rope = specs.last().unwrap();
    assert_eq!(trainable.tiles(), rope.offset_tiles);
    assert_eq!(trainable.weights_bytes(), checkpoint.weights.len() as u64);
    let tile = [1; TILE_BYTES];
    assert_eq!(of_tile(rope.kind, &tile), [0; 512]);
}

#[test]
fn a_leaf_of_gains_ends_with_zeros() {
    let leaf = of_tile(TensorKind::Gain { length: 200 }, &[1; TILE_BYTES]);
    assert_eq!(leaf[..136], [0x0101_0101; 136]);
    assert_eq!(leaf[136..], [0; 376]);
}

#[test]
fn weights_of_another_architecture_have_no_masters() {
    let checkpoint = checkpoint();
    let weights = &checkpoint.weights[..checkpoint.weights.len() - 1];
    assert_eq!(
        from_weights(&trainable(), weights),
        Err(ApplyError::WeightsLength {
            expected: checkpoint.weights.len() as u64,
            found: weights.len() as u64,
        })
    );
}

#[test]
fn the_root_is_that_of_the_tree_over_all_leaves() {
    let mut random = Random::new(4);
    for count in [
        1,
        2,
        3,
        RUN_LEAVES - 1,
        RUN_LEAVES,
        RUN_LEAVES + 1,
        2 * RUN_LEAVES + 3,
    ] {
        let masters: Vec<u8> = (0..count * LEAF_BYTES)
            .map(|_| random.bits() as u8)
            .collect();
        let tree: H256 =
            binary_merkle_tree::merkle_root::<Blake2Hasher, _>(masters.chunks(LEAF_BYTES));
        assert_eq!(masters_root(&masters), tree, "{count}");
        let runs = masters.chunks(RUN_LEAVES * LEAF_BYTES).map(run_root);
        assert_eq!(join_roots(runs), tree, "{count}");
    }
}

#[test]
fn rows_at_the_ends_of_the_range_keep_to_it() {
    assert_eq!(requantise_row(&[0; 32]), (0, [0; 32]));
    for (end, q) in [
        (LINEAR_MAX, 127),
        (-LINEAR_MAX, -127),
        (i32::MAX, 127),
        (i32::MIN, -127),
    ] {
        let mut row = [0; 32];
        row[3] = end;
        row[4] = 1;
        let (scale, quants) = requantise_row(&row);
        assert_eq!((scale, quants[3], quants[4]), (65_279, q, 0));
    }
    let mut row = [0; 32];
    row[0] = 1;
    row[1] = -127;
    let (scale, quants) = requantise_row(&row);
    assert_eq!((scale, quants[0], quants[1]), (1, 1, -127));
    row[1] = -128;
    // 128 / 2 is 64, and half of 2 rounds away from zero.
    let (scale, quants) = requantise_row(&row);
    assert_eq!((scale, quants[0], quants[1]), (2, 1, -64));
}

#[test]
fn a_tile_is_its_rows() {
    let mut random = Random::new(6);
    let leaf: [i32; 512] = std::array::from_fn(|_| random.within(i64::from(LINEAR_MAX)) as i32);
    let (quants, scales) = tile::decode(&requantise(&leaf));
    for row in 0..16 {
        let masters = std::array::from_fn(|k| leaf[tile::quant_offset(row, k)]);
        assert_eq!(requantise_row(&masters), (scales[row], quants[row]));
    }
}

proptest! {
    #[test]
    fn quants_are_the_nearest_at_the_smallest_scale(seed: u64, shift in 0u32..24) {
        let mut random = Random::new(seed);
        let limit = i64::from(LINEAR_MAX) >> shift;
        let row: [i32; 32] = std::array::from_fn(|_| random.within(limit) as i32);
        let (scale, quants) = requantise_row(&row);
        let largest = row.iter().map(|m| i64::from(m.abs())).max().unwrap();
        let s = i64::from(scale);
        if largest > 0 {
            prop_assert!(2 * largest < 255 * s && 2 * largest >= 255 * (s - 1));
        }
        for (&m, &q) in row.iter().zip(&quants) {
            let rest = i64::from(m) - i64::from(q) * s;
            prop_assert!(2 * rest.abs() <= s && q != i8::MIN);
            if 2 * rest.abs() == s {
                prop_assert!(rest == 0 || (rest < 0) == (m > 0), "halves go away from zero");
            }
        }
    }

    #[test]
    fn a_leaf_survives_its_stored_form(seed: u64) {
        let mut random = Random::new(seed);
        let leaf: [i32; 512] = std::array::from_fn(|_| random.bits() as i32);
        prop_assert_eq!(from_bytes(&to_bytes(&leaf)), leaf);
    }
}
