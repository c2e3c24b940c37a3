//! Applying updates: the exact mean, in any order, all or nothing.

use crate::common::{checkpoint, exponents, open, read, trainable, update, PARENT};
use noema_checkpoint::{weights_root, CheckpointId, H256};
use noema_numerics::{
    layout::TensorKind,
    testing::{Random, TestModel},
    tile::{self, TILE_BYTES},
    Architecture,
};
use noema_update::{
    apply, from_weights,
    master::{from_bytes, requantise, GAIN_MAX, LEAF_BYTES, LINEAR_MAX},
    masters_root, Applied, ApplyError, DecodeError, Encoder, Limits, Sums, Trainable, Update,
    MAX_UPDATES,
};
use proptest::prelude::*;

/// A checkpoint with its masters.
#[derive(Clone, Debug, PartialEq)]
struct State {
    masters: Vec<u8>,
    weights: Vec<u8>,
}

impl State {
    fn new() -> Self {
        let weights = checkpoint().weights;
        let masters = from_weights(&trainable(), &weights).unwrap();
        Self { masters, weights }
    }

    fn apply(&mut self, updates: &[(Update<'_>, u32)]) -> Result<Applied, ApplyError> {
        let (masters, weights) = (&mut self.masters, &mut self.weights);
        apply(updates, &exponents(), masters, weights)
    }

    fn roots(&self) -> (H256, H256) {
        (masters_root(&self.masters), weights_root(&self.weights))
    }

    fn leaf(&self, tile: u64) -> [i32; 512] {
        let bytes = &self.masters[tile as usize * LEAF_BYTES..][..LEAF_BYTES];
        from_bytes(bytes.try_into().unwrap())
    }

    fn tile(&self, tile: u64) -> &[u8; TILE_BYTES] {
        self.weights[tile as usize * TILE_BYTES..][..TILE_BYTES]
            .try_into()
            .unwrap()
    }

    /// Master of a coordinate of tensor `index`.
    fn master(&self, index: u16, coordinate: u64) -> i32 {
        let first = trainable().tensor(index).unwrap().offset_tiles();
        self.leaf(first + coordinate / 512)[coordinate as usize % 512]
    }
}

/// An update of one tensor.
fn single(trainable: &Trainable, tensor: u16, changes: &[(u64, i32)]) -> Vec<u8> {
    let mut encoder = Encoder::new(trainable, PARENT, 64).unwrap();
    encoder.exact(tensor, changes).unwrap();
    encoder.finish()
}

fn opened<'a>(bytes: &'a [Vec<u8>], trainable: &'a Trainable) -> Vec<Update<'a>> {
    bytes
        .iter()
        .map(|bytes| open(bytes, trainable).unwrap())
        .collect()
}

/// The squared norm of an update, in units of 4^`unit`.
fn squared_norm(update: &Update<'_>, unit: i8) -> u128 {
    let exponents = exponents();
    let mut norm = 0;
    for (place, entries) in read(update).unwrap() {
        let squares = entries.iter().map(|e| i128::from(e.value).pow(2) as u128);
        let finer = unit - exponents[usize::from(place.tensor)];
        norm += squares.sum::<u128>() / 4u128.pow(finer as u32);
    }
    norm
}

/// The exponent of the unit in which norms are compared.
fn coarsest(updates: &[(Update<'_>, u32)]) -> i8 {
    let touched = updates.iter().flat_map(|(update, _)| update.tensors());
    let unit = touched.map(|tensor| exponents()[usize::from(tensor)]).max();
    unit.unwrap_or(0)
}

/// The median of the squared norms, and the factor that multiplies the changes of each update, in units of
/// 2^-32.
fn expected_factors(updates: &[(Update<'_>, u32)]) -> (u128, Vec<u128>) {
    let unit = coarsest(updates);
    let norms: Vec<u128> = updates
        .iter()
        .map(|(update, _)| squared_norm(update, unit))
        .collect();
    let mut moving: Vec<u128> = norms.iter().copied().filter(|n| *n > 0).collect();
    moving.sort_unstable();
    let median = match moving.len() {
        0 => 0,
        count => moving[(count - 1) / 2],
    };
    let factors = norms.iter().map(|&n| match n > median {
        false => 1 << 32,
        true => {
            let excess = n.ilog2().saturating_sub(63);
            (((median >> excess) << 64) / (n >> excess)).isqrt()
        }
    });
    (median, factors.collect())
}

/// The mean of a sum, stretched by `g`.
fn stretched(sum: i128, total: i128, g: i128) -> i128 {
    let doubled = (2 * sum.abs() * g + (total << 32)) / (total << 33);
    doubled.min(i128::from(i32::MAX)) * sum.signum()
}

/// The factor that multiplies the mean, in units of 2^-32.
fn expected_stretch(updates: &[(Update<'_>, u32)], median: u128, sums: &[i128]) -> i128 {
    let weights = || updates.iter().map(|(_, weight)| u128::from(*weight));
    let total: u128 = weights().sum();
    let most = ((total * total) << 64) / weights().map(|weight| weight * weight).sum::<u128>();
    let unit = coarsest(updates);
    let mut norm = 0u128;
    for (tensor, exponent) in trainable().tensors().iter().zip(exponents()) {
        let start = tensor.offset_tiles() as usize * 512;
        let coordinates = &sums[start..start + tensor.tiles() as usize * 512];
        for chunk in coordinates.chunks(4_096) {
            let mean = |sum: &i128| stretched(*sum, total as i128, 1 << 32).unsigned_abs();
            let squares: u128 = chunk.iter().map(|sum| mean(sum).pow(2)).sum();
            norm += squares >> (2 * (i32::from(unit) - i32::from(exponent)).max(0));
        }
    }
    let excess = median.checked_ilog2().unwrap_or(0).saturating_sub(63);
    let square = match norm >> excess {
        0 => most,
        norm => (((median >> excess) << 64) / norm).min(most),
    };
    square.isqrt().max(1 << 32) as i128
}

/// The masters by the formula, computed one by one with wide integers.
fn expected_masters(state: &State, updates: &[(Update<'_>, u32)]) -> Vec<i32> {
    let trainable = trainable();
    let mut sums = vec![0i128; state.masters.len() / 4];
    let (median, factors) = expected_factors(updates);
    for ((update, weight), factor) in updates.iter().zip(factors) {
        for (place, entries) in read(update).unwrap() {
            let tensor = trainable.tensor(place.tensor).unwrap();
            let first = tensor.offset_tiles() as usize * 512 + place.chunk as usize * 4_096;
            for entry in entries {
                let value = i128::from(entry.value);
                let clipped = (value.abs() * factor as i128 + (1 << 31)) >> 32;
                sums[first + usize::from(entry.index)] +=
                    i128::from(*weight) * clipped * value.signum();
            }
        }
    }
    let total: i128 = updates.iter().map(|(_, weight)| i128::from(*weight)).sum();
    let g = expected_stretch(updates, median, &sums);
    let mut masters = Vec::new();
    for tensor in trainable.tensors() {
        let limit = match tensor.kind() {
            TensorKind::Gain { .. } => i128::from(GAIN_MAX),
            _ => i128::from(LINEAR_MAX),
        };
        for tile in tensor.offset_tiles()..tensor.offset_tiles() + tensor.tiles() {
            for (offset, master) in state.leaf(tile).into_iter().enumerate() {
                let sum = sums[tile as usize * 512 + offset];
                masters.push(match stretched(sum, total, g) {
                    0 => master,
                    change => (i128::from(master) + change).clamp(-limit, limit) as i32,
                });
            }
        }
    }
    masters
}

#[test]
fn halves_of_the_mean_go_away_from_zero() {
    let trainable = trainable();
    // Both change a weight elsewhere by the same amount, so both have the same size.
    let ballasted = |change| {
        let mut encoder = Encoder::new(&trainable, PARENT, 64).unwrap();
        if change != 0 {
            encoder.exact(2, &[(40, change)]).unwrap();
        }
        encoder.exact(3, &[(0, 1 << 29)]).unwrap();
        encoder.finish()
    };
    for (a, b, weights, mean) in [
        (3, 0, (1, 1), 2),
        (-3, 0, (1, 1), -2),
        (3, -2, (1, 1), 1),
        (-3, 2, (1, 1), -1),
        (1, 0, (1, 2), 0),
        (1, 0, (1, 1), 1),
        (100, -50, (1, 3), -13),
    ] {
        let bytes = [a, b].map(ballasted);
        let updates = opened(&bytes, &trainable);
        let mut state = State::new();
        let before = state.master(2, 40);
        state
            .apply(&[(updates[0], weights.0), (updates[1], weights.1)])
            .unwrap();
        assert_eq!(state.master(2, 40) - before, mean, "{a} {b}");
    }
}

#[test]
fn an_update_a_thousand_times_as_large_counts_as_one_of_its_direction() {
    let trainable = trainable();
    let changes = [(10, 1_000), (20, -1_000), (10, 1_000_000)];
    let bytes = changes.map(|change| single(&trainable, 2, &[change]));
    let [small, other, large] = opened(&bytes, &trainable)[..] else {
        unreachable!()
    };
    let (mut clipped, mut expected) = (State::new(), State::new());
    clipped
        .apply(&[(small, 1), (other, 2), (large, 3)])
        .unwrap();
    expected
        .apply(&[(small, 1), (other, 2), (small, 3)])
        .unwrap();
    assert_eq!(clipped, expected);
    // Of two, the larger is clipped; a single update is its own median.
    let before = State::new().master(2, 10);
    let mut two = State::new();
    two.apply(&[(small, 1), (large, 1)]).unwrap();
    assert_eq!(two.master(2, 10), before + 1_000);
    let mut alone = State::new();
    alone.apply(&[(large, 1)]).unwrap();
    assert_eq!(
        alone.master(2, 10),
        (before + 1_000_000).min(LINEAR_MAX),
        "nothing to compare it with"
    );
}

#[test]
fn the_mean_is_as_long_as_the_median_where_updates_differ() {
    let trainable = trainable();
    let updates = |changes: &[&[(u64, i32)]]| -> Vec<Vec<u8>> {
        let single = |change: &&[(u64, i32)]| single(&trainable, 2, change);
        changes.iter().map(single).collect()
    };
    for (changes, weights, expected) in [
        // Orthogonal: as far as one alone, in the direction of both.
        (updates(&[&[(0, 1_000)], &[(1, 1_000)]]), [1, 1], [707, 707]),
        // The larger is clipped first.
        (updates(&[&[(0, 1_000)], &[(1, 9_000)]]), [1, 1], [707, 707]),
        // As if the first were almost alone.
        (
            updates(&[&[(0, 1_000)], &[(1, 1_000)]]),
            [99, 1],
            [1_000, 10],
        ),
        // Partly in the same direction.
        (
            updates(&[&[(0, 1_000), (1, 1_000)], &[(0, 1_000), (2, 1_000)]]),
            [1, 1],
            [1_155, 577],
        ),
        // Mostly opposed: the remainder is not stretched beyond the bound for orthogonal updates.
        (
            updates(&[&[(0, 1_000), (1, 500)], &[(0, -1_000), (1, 500)]]),
            [1, 1],
            [0, 707],
        ),
    ] {
        let opened = opened(&changes, &trainable);
        let mut state = State::new();
        let before = state.clone();
        state
            .apply(&[(opened[0], weights[0]), (opened[1], weights[1])])
            .unwrap();
        let moved = [0, 1].map(|at| state.master(2, at) - before.master(2, at));
        assert_eq!(moved, expected, "{weights:?}");
    }
}

#[test]
fn sizes_are_compared_in_the_same_unit() {
    let trainable = trainable();
    let mut exponents = exponents();
    exponents[3] = exponents[2] - 3;
    let bytes = [
        single(&trainable, 2, &[(0, 100)]),
        single(&trainable, 3, &[(0, 800)]),
        single(&trainable, 2, &[(1, 600)]),
    ];
    let updates: Vec<_> = opened(&bytes, &trainable)
        .into_iter()
        .map(|update| (update, 1))
        .collect();
    let mut state = State::new();
    let before = state.clone();
    apply(&updates, &exponents, &mut state.masters, &mut state.weights).unwrap();
    let change = |tensor, at| state.master(tensor, at) - before.master(tensor, at);
    // A third of 100 and of 800, times the root of three.
    assert_eq!([change(2, 0), change(3, 0), change(2, 1)], [58, 462, 58]);
}

#[test]
fn masters_stop_at_the_ends_of_their_range() {
    let trainable = trainable();
    let far = (1 << 30) - 1;
    for (tensor, limit) in [(2, LINEAR_MAX), (1, GAIN_MAX)] {
        for sign in [1, -1] {
            let bytes = [single(&trainable, tensor, &[(9, sign * far)])];
            let update = opened(&bytes, &trainable)[0];
            let mut state = State::new();
            // A gain starts above 2^29, so two changes take it below the other end.
            for _ in 0..2 {
                state.apply(&[(update, 1)]).unwrap();
            }
            assert_eq!(state.master(tensor, 9), sign * limit);
            let applied = state.apply(&[(update, 1)]).unwrap();
            assert_eq!(applied, Applied::default(), "it cannot go further");
        }
    }
}

#[test]
fn a_gain_is_stored_as_it_is_and_its_neighbours_stay() {
    let trainable = trainable();
    let bytes = [single(&trainable, 1, &[(63, -12_345)])];
    let mut state = State::new();
    let before = state.clone();
    let applied = state.apply(&[(opened(&bytes, &trainable)[0], 9)]).unwrap();
    assert_eq!(
        applied,
        Applied {
            masters: 1,
            tiles: 1
        }
    );
    let first = trainable.tensor(1).unwrap().offset_tiles();
    let (old, new) = (before.tile(first), state.tile(first));
    assert_eq!(old[..252], new[..252]);
    assert_eq!(old[256..], new[256..]);
    let gain = i32::from_le_bytes(new[252..256].try_into().unwrap());
    assert_eq!(gain, before.master(1, 63) - 12_345);
    assert_eq!(gain, state.master(1, 63));
}

#[test]
fn blocks_without_a_change_keep_their_bytes() {
    let trainable = trainable();
    let gate = trainable.tensor(7).unwrap();
    let at = gate.coordinate(37, 40).unwrap(); // row 5 of a tile
    let bytes = [single(&trainable, 7, &[(at, 1)])];
    let mut state = State::new();
    let before = state.clone();
    let applied = state.apply(&[(opened(&bytes, &trainable)[0], 1)]).unwrap();
    assert_eq!(
        applied,
        Applied {
            masters: 1,
            tiles: 1
        }
    );
    let changed = gate.offset_tiles() + at / 512;
    let (old, new) = (
        tile::decode(before.tile(changed)),
        tile::decode(state.tile(changed)),
    );
    let all = tile::decode(&requantise(&state.leaf(changed)));
    assert_ne!(old.1[5], new.1[5], "this block is requantised");
    for row in 0..16 {
        let expected = if row == 5 { &all } else { &old };
        assert_eq!((new.0[row], new.1[row]), (expected.0[row], expected.1[row]));
    }
    for other in (0..trainable.weights_bytes() / 544).filter(|tile| *tile != changed) {
        assert_eq!(before.tile(other), state.tile(other));
    }
}

#[test]
fn small_changes_add_up_until_a_tile_moves() {
    let trainable = trainable();
    let bytes = [single(&trainable, 2, &[(77, 100)])];
    let update = opened(&bytes, &trainable)[0];
    let mut state = State::new();
    state.apply(&[(update, 1)]).unwrap();
    let tile = trainable.tensor(2).unwrap().offset_tiles();
    let quant = |state: &State| state.tile(tile)[77] as i8;
    let (first, scale) = (quant(&state), tile::scales(state.tile(tile))[77 / 4 % 16]);
    for _ in 0..=u32::from(scale) / 100 {
        state.apply(&[(update, 1)]).unwrap();
    }
    assert_eq!(quant(&state), first + 1);
}

#[test]
fn what_cannot_be_applied_changes_nothing() {
    let trainable = trainable();
    let other = Trainable::new(&TestModel::TINY).unwrap();
    let elsewhere = CheckpointId(H256::repeat_byte(8));
    let good = update(&trainable, 64, 1);
    let mut bad = update(&trainable, 64, 2);
    bad.push(0);
    let foreign = Encoder::new(&trainable, elsewhere, 64).unwrap().finish();
    let good = open(&good, &trainable).unwrap();
    let bad = open(&bad, &trainable).unwrap();
    let foreign = Update::open(&foreign, &trainable, elsewhere, Limits::default()).unwrap();
    let nothing = Encoder::new(&other, PARENT, 64).unwrap().finish();
    let shaped = open(&nothing, &other).unwrap();

    let mut state = State::new();
    let before = state.clone();
    let decode = DecodeError::TrailingBytes { count: 1 };
    for (updates, error) in [
        (vec![], ApplyError::NoUpdates),
        (
            vec![(good, 1); MAX_UPDATES + 1],
            ApplyError::TooManyUpdates(MAX_UPDATES + 1),
        ),
        (
            vec![(good, 1), (good, 0)],
            ApplyError::ZeroWeight { update: 1 },
        ),
        (
            vec![(good, u32::MAX), (good, 1)],
            ApplyError::WeightsTooLarge,
        ),
        (
            vec![(good, 1), (foreign, 1)],
            ApplyError::OtherParent { update: 1 },
        ),
        (
            vec![(good, 1), (shaped, 1)],
            ApplyError::OtherParent { update: 1 },
        ),
        (
            vec![(good, 1), (bad, 1)],
            ApplyError::Decode {
                update: 1,
                error: decode,
            },
        ),
    ] {
        assert_eq!(state.apply(&updates), Err(error));
        assert_eq!(state, before);
    }

    let (masters, weights) = (state.masters.len() as u64, state.weights.len() as u64);
    let (expected, found) = (exponents().len(), exponents().len() - 1);
    assert_eq!(
        apply(
            &[(good, 1)],
            &exponents()[1..],
            &mut state.masters,
            &mut state.weights
        ),
        Err(ApplyError::ExponentsLength { expected, found })
    );
    assert_eq!(
        apply(
            &[(good, 1)],
            &exponents(),
            &mut state.masters[1..],
            &mut state.weights
        ),
        Err(ApplyError::MastersLength {
            expected: masters,
            found: masters - 1
        })
    );
    assert_eq!(
        apply(
            &[(good, 1)],
            &exponents(),
            &mut state.masters,
            &mut state.weights[1..]
        ),
        Err(ApplyError::WeightsLength {
            expected: weights,
            found: weights - 1
        })
    );
    assert_eq!(state, before);
}

#[test]
fn as_many_and_as_heavy_as_allowed_are_applied() {
    let trainable = trainable();
    let bytes = [single(&trainable, 2, &[(77, 1_000)])];
    let update = opened(&bytes, &trainable)[0];
    for updates in [
        vec![(update, 1); MAX_UPDATES],
        vec![(update, u32::MAX)],
        vec![(update, 1 << 31), (update, (1 << 31) - 1)],
    ] {
        let mut state = State::new();
        let before = state.master(2, 77);
        state.apply(&updates).unwrap();
        assert_eq!(state.master(2, 77), before + 1_000);
    }
}

#[test]
fn the_rotation_table_stays() {
    let trainable = trainable();
    let bytes = [update(&trainable, 64, 3)];
    let mut state = State::new();
    let before = state.clone();
    state.apply(&[(opened(&bytes, &trainable)[0], 1)]).unwrap();
    let rope = trainable.tiles() as usize * TILE_BYTES;
    assert_ne!(before.weights[..rope], state.weights[..rope]);
    assert_eq!(before.weights[rope..], state.weights[rope..]);
}

#[test]
fn weights_of_any_bytes_can_be_changed() {
    let architecture = Architecture {
        layers: 1,
        ..checkpoint().architecture
    };
    let trainable = Trainable::new(&architecture).unwrap();
    let mut random = Random::new(11);
    let mut weights: Vec<u8> = (0..trainable.weights_bytes())
        .map(|_| random.bits() as u8)
        .collect();
    let mut masters = from_weights(&trainable, &weights).unwrap();
    let bytes = update(&trainable, 4_096, 12);
    let update = open(&bytes, &trainable).unwrap();
    let exponents = vec![0; trainable.tensors().len() + 1];
    let applied = apply(&[(update, 1)], &exponents, &mut masters, &mut weights).unwrap();
    assert!(applied.masters > 1_000 && applied.masters <= update.check().unwrap().entries);
}

/// Sets of updates with weights, of any size that is quick to apply.
fn sets() -> impl Strategy<Value = Vec<(Vec<u8>, u32)>> {
    let weight = prop_oneof![1u32..10, 1u32..1 << 29];
    prop::collection::vec((any::<u64>(), 1u16..300, weight), 1..6).prop_map(|set| {
        let trainable = trainable();
        let updates = set.into_iter();
        updates
            .map(|(seed, bound, weight)| (update(&trainable, bound, seed), weight))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn masters_are_those_of_the_formula(set in sets()) {
        let trainable = trainable();
        let updates: Vec<_> = set.iter().map(|(b, w)| (open(b, &trainable).unwrap(), *w)).collect();
        let mut state = State::new();
        let before = state.clone();
        let expected = expected_masters(&before, &updates);
        let applied = state.apply(&updates).unwrap();
        let (found, old) = (masters(&state), masters(&before));
        prop_assert_eq!(&found, &expected);
        let changed = found.iter().zip(&old).filter(|(a, b)| a != b).count();
        prop_assert_eq!(applied.masters, changed as u64);
        let changed = found.chunks(512).zip(old.chunks(512)).filter(|(a, b)| a != b).count();
        prop_assert_eq!(applied.tiles, changed as u64);
        // In blocks that changed, every weight is its master rounded, at most half a scale away.
        for tensor in trainable.tensors() {
            let linear = matches!(tensor.kind(), TensorKind::Linear { .. });
            for tile in tensor.offset_tiles()..tensor.offset_tiles() + tensor.tiles() {
                let (leaf, was) = (state.leaf(tile), before.leaf(tile));
                let (now, all) = (state.tile(tile), requantise(&leaf));
                for row in (0..16).filter(|_| linear) {
                    let changes = (0..32).any(|k| {
                        let at = tile::quant_offset(row, k);
                        leaf[at] != was[at]
                    });
                    let source = if changes { &all } else { before.tile(tile) };
                    let (a, b) = (tile::decode(now), tile::decode(source));
                    prop_assert_eq!((a.0[row], a.1[row]), (b.0[row], b.1[row]));
                }
            }
        }
    }

    #[test]
    fn the_order_of_updates_does_not_matter(set in sets(), seed: u64) {
        let trainable = trainable();
        let mut updates: Vec<_> =
            set.iter().map(|(b, w)| (open(b, &trainable).unwrap(), *w)).collect();
        let mut first = State::new();
        let applied = first.apply(&updates).unwrap();
        let mut random = Random::new(seed);
        for i in (1..updates.len()).rev() {
            updates.swap(i, random.below(i as u64 + 1) as usize);
        }
        let mut second = State::new();
        prop_assert_eq!(second.apply(&updates).unwrap(), applied);
        prop_assert_eq!(first.roots(), second.roots());
    }

    #[test]
    fn sums_chunk_by_chunk_are_the_same(set in sets()) {
        let trainable = trainable();
        let updates: Vec<_> = set.iter().map(|(b, w)| (open(b, &trainable).unwrap(), *w)).collect();
        let mut whole = State::new();
        let applied = whole.apply(&updates).unwrap();
        let mut streamed = State::new();
        let mut total = Applied::default();
        let mut sums = Sums::new(&updates, &exponents()).unwrap();
        let mut last = None;
        while let Some(sum) = sums.next().unwrap() {
            prop_assert!(last < Some(sum.place()));
            last = Some(sum.place());
            let range = sum.tiles().start as usize..sum.tiles().end as usize;
            prop_assert_eq!(sum.changes().len(), range.len() * 512);
            let leaves = &mut streamed.masters.as_chunks_mut().0[range.clone()];
            total += sum.apply(leaves, &mut streamed.weights.as_chunks_mut().0[range]);
        }
        prop_assert_eq!(total, applied);
        prop_assert_eq!(whole, streamed);
    }

    #[test]
    fn an_update_twice_is_the_update(seed: u64, weight in 1u32..1 << 30) {
        let trainable = trainable();
        let bytes = update(&trainable, 64, seed);
        let update = open(&bytes, &trainable).unwrap();
        let (mut once, mut twice) = (State::new(), State::new());
        once.apply(&[(update, 1)]).unwrap();
        twice.apply(&[(update, weight), (update, 2 * weight)]).unwrap();
        prop_assert_eq!(once, twice);
    }
}

fn masters(state: &State) -> Vec<i32> {
    let words = state.masters.as_chunks().0;
    words
        .iter()
        .map(|&bytes| i32::from_le_bytes(bytes))
        .collect()
}
