//! Every kernel alone, on random and extreme inputs, against the scalar definition.

use super::{device, Bench};
use crate::gpu::{
    cache::{Around, Caches},
    network::{head_norm_parameters, norm_parameters},
    plan::MOST_ROWS,
    unpack_mantissas, unpack_shifts,
    weights::{upload_rope, Matrix},
};
use noema_numerics::{
    layout::TensorRole,
    model::{Gains, Linear},
    swiglu,
    testing::{tiles, values, Random, TestModel},
    tile, Architecture, Blocks, BlocksRef, Kernels as _, KvCache, Scalar, BLOCK,
};
use proptest::prelude::*;
use std::ops::Range;

/// Blocks in the kernels' input layout: mantissas and shifts.
pub(super) fn packed(blocks: BlocksRef<'_>) -> (Vec<u32>, Vec<u32>) {
    let (mut mantissas, mut shifts) = (Vec::new(), Vec::new());
    for row in 0..blocks.rows() {
        let (row_mantissas, row_shifts) = blocks.row(row);
        for four in row_mantissas.as_chunks::<4>().0 {
            let low = four.map(|a| a as u8);
            let high = four.map(|a| ((a - i16::from(a as i8)) >> 8) as u8);
            mantissas.extend([u32::from_le_bytes(high), u32::from_le_bytes(low)]);
        }
        let base = row_shifts
            .iter()
            .copied()
            .max()
            .unwrap_or(0)
            .saturating_sub(11);
        shifts.extend(row_shifts.iter().map(|shift| u32::from(shift - base)));
        shifts.push(u32::from(base));
    }
    (mantissas, shifts)
}

/// Blocks in the kernels' output layout.
fn unpacked(
    mantissas: &[u32],
    shifts: &[u32],
    rows: usize,
    columns: usize,
    fraction: i32,
) -> Blocks {
    let mut blocks = Blocks::default();
    blocks.reset(rows, columns, fraction);
    let bytes = |words: &[u32]| crate::gpu::device::bytes_of(words);
    let shift_words = columns / BLOCK + 1;
    for row in 0..rows {
        let (to, to_shifts) = blocks.row_mut(row);
        unpack_mantissas(&bytes(&mantissas[row * columns / 2..][..columns / 2]), to);
        unpack_shifts(
            &bytes(&shifts[row * shift_words..][..shift_words]),
            to_shifts,
        );
    }
    blocks
}

fn clamp(values: Vec<i32>) -> Vec<i32> {
    let clamped = values.into_iter().map(|v| v.clamp(-(1 << 27), 1 << 27));
    clamped.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn linear_layers_are_exact(
        seed: u64,
        rows in 1usize..150,
        blocks in 1usize..40,
        batch in 1usize..70,
        exponent in -70i8..8,
        fraction in -8i32..24,
        skipped in 0usize..3,
    ) {
        let Some(device) = device() else { return Ok(()) };
        let bench = Bench::new(device);
        let mut random = Random::new(seed);
        let columns = blocks * 32;
        let bytes = tiles(rows, columns, &mut random);
        let weights = Linear::new(rows, columns, exponent, &bytes).expect("a matrix");
        let x = Blocks::quantise(&values((skipped + batch) * columns, &mut random), columns, 16);
        let before = values(batch * rows, &mut random);
        let mut product = vec![0; batch * rows];
        Scalar.linear(&weights, x.view().slice(skipped..skipped + batch), fraction, &mut product);
        let sums: Vec<i32> = before.iter().zip(&product).map(|(x, d)| x.saturating_add(*d)).collect();

        let (mantissas, shifts) = packed(x.view());
        let (mantissas, shifts) = (bench.upload(&mantissas), bench.upload(&shifts));
        // In parts of two row groups, so that the second does not begin at row 0.
        let part = (2 * blocks * tile::TILE_BYTES) as u64;
        let gpu = bench.gpu.narrow(part.next_multiple_of(256));
        let matrix = Matrix::upload(&gpu, &[weights]).expect("room");
        for (add, expected) in [(false, &product), (true, &sums)] {
            for variant in 0..3 {
                let output = bench.upload_i32(&before);
                for part in &matrix.parts {
                    let parameters = matrix.parameters(part, 16, &[fraction], add);
                    let (kernel, groups) = bench.kernels.every_linear(batch as u32, part.count)[variant];
                    let bound = kernel
                        .bind(bench.gpu, &parameters, &[&mantissas, &shifts, &part.buffer, &output])
                        .expect("a device");
                    let window = [batch as u32, skipped as u32, 0, 0, 0, 0, 0, 0];
                    bench.run(kernel, &bound, &window, groups);
                }
                let found = bench.download_i32(&output, batch * rows);
                prop_assert_eq!(&found, expected, "variant {}, add {}", variant, add);
            }
        }
    }

    #[test]
    fn operators_by_position_are_exact(
        seed: u64,
        blocks in prop::sample::select(vec![1usize, 2, 3, 7, 33, 47, 100]),
        batch in 1usize..6,
    ) {
        let Some(device) = device() else { return Ok(()) };
        let bench = Bench::new(device);
        let (gpu, kernels) = (bench.gpu, bench.kernels);
        let mut random = Random::new(seed);
        let columns = blocks * 32;
        let (a, b) = (
            values(batch * columns, &mut random),
            values(batch * columns, &mut random),
        );
        let gains: Vec<i32> = (0..columns)
            .map(|_| random.within((1 << 30) - 1) as i32)
            .collect();
        let gain_bytes: Vec<u8> = gains.iter().flat_map(|g| g.to_le_bytes()).collect();
        let epsilon = random.bits() as u32 >> random.below(32);

        let mantissas = bench.room(batch * columns / 2);
        let shifts = bench.room(batch * (blocks + 1));
        let work = bench.room(batch * columns);
        let groups = [batch as u32, 1, 1];
        let take = |fraction| {
            let mantissas = bench.download(&mantissas, batch * columns / 2);
            let shifts = bench.download(&shifts, batch * (blocks + 1));
            unpacked(&mantissas, &shifts, batch, columns, fraction)
        };
        let input = bench.upload_i32(&a);
        let mut expected = Blocks::default();

        let bound = kernels
            .quantise
            .bind(gpu, &[blocks as u32], &[&mantissas, &shifts, &input])
            .expect("a device");
        bench.run(&kernels.quantise, &bound, &[0; 8], groups);
        Scalar.quantise(&a, columns, 16, &mut expected);
        prop_assert_eq!(&take(16), &expected);

        // In reverse order, to gather.
        let gain_buffer = bench.upload_i32(&gains);
        let bound = kernels
            .norm
            .bind(
                gpu,
                &norm_parameters(columns, epsilon, true),
                &[&mantissas, &shifts, &input, &work, &gain_buffer],
            )
            .expect("a device");
        let mut window = vec![0; 4];
        for row in (0..batch as u32).rev() {
            window.extend([row, 0, 0, 0]);
        }
        bench.run(&kernels.norm, &bound, &window, groups);
        let reversed: Vec<i32> = a.rchunks_exact(columns).flatten().copied().collect();
        Scalar.norm(&Gains::new(-29, &gain_bytes), epsilon, &reversed, &mut expected);
        prop_assert_eq!(&take(expected.view().fraction()), &expected);

        let pairs = a.chunks_exact(columns).zip(b.chunks_exact(columns));
        let both: Vec<i32> = pairs.flat_map(|(a, b)| [a, b].concat()).collect();
        let both = bench.upload_i32(&both);
        let powers = bench.upload(&noema_numerics::exp2::TABLE);
        let bound = kernels
            .swiglu
            .bind(gpu, &[blocks as u32], &[&mantissas, &shifts, &both, &work, &powers])
            .expect("a device");
        bench.run(&kernels.swiglu, &bound, &[0; 8], groups);
        Scalar.swiglu(&a, &b, columns, &mut expected);
        prop_assert_eq!(&take(swiglu::PRODUCT_FRACTION), &expected);

        let bound = kernels
            .geglu
            .bind(gpu, &[blocks as u32], &[&mantissas, &shifts, &both, &work, &powers])
            .expect("a device");
        bench.run(&kernels.geglu, &bound, &[0; 8], groups);
        Scalar.geglu(&a, &b, columns, &mut expected);
        prop_assert_eq!(&take(swiglu::PRODUCT_FRACTION), &expected);

        for fraction in [14, 16] {
            let gains = Gains::new(-29, &gain_bytes);
            let parameters = head_norm_parameters([columns, 0, columns], epsilon, fraction, &gains);
            let rows = bench.upload_i32(&a);
            let bound = kernels
                .head_norm
                .bind(gpu, &parameters, &[&rows, &gain_buffer])
                .expect("a device");
            bench.run(&kernels.head_norm, &bound, &[0; 8], [1, batch as u32, 1]);
            let mut normed = a.clone();
            Scalar.head_norm(&gains, epsilon, fraction, &mut normed);
            prop_assert_eq!(&bench.download_i32(&rows, batch * columns), &normed);
        }

        let sums = bench.upload_i32(&a);
        let deltas = bench.upload_i32(&b);
        let words = (columns / 4) as u32;
        let bound = kernels.add.bind(gpu, &[words], &[&sums, &deltas]).expect("a device");
        bench.run(&kernels.add, &bound, &[0; 8], [words.div_ceil(64), batch as u32, 1]);
        let expected: Vec<i32> = a.iter().zip(&b).map(|(a, b)| a.saturating_add(*b)).collect();
        prop_assert_eq!(&bench.download_i32(&sums, batch * columns), &expected);
    }

    #[test]
    fn the_cache_and_attention_are_exact(
        seed: u64,
        head_blocks in prop::sample::select(vec![1u32, 2, 3, 4, 5, 16]),
        kv_heads in 1u32..3,
        per_kv in 1u32..4,
        start in prop::sample::select(vec![0usize, 1, 31, 32, 33, 70, 500, 900]),
        batch in 1usize..40,
        window in prop::option::of(1u32..600),
    ) {
        let Some(device) = device() else { return Ok(()) };
        let mut random = Random::new(seed);
        let a = Architecture {
            layers: 1,
            heads: kv_heads * per_kv,
            kv_heads,
            head_dim: head_blocks * 32,
            context_length: 960,
            ..TestModel::TINY
        };
        attend(&Bench::new(device), a, window, start..start + batch, &mut random)?;
    }
}

/// Stores all positions up to the end of `asked`, and attends with those.
fn attend(
    bench: &Bench<'_>,
    a: Architecture,
    window: Option<u32>,
    asked: Range<usize>,
    random: &mut Random,
) -> Result<(), TestCaseError> {
    let (start, batch) = (asked.start, asked.len());
    let (width, kv_width) = (a.attention_width(), a.kv_width());
    let model = TestModel::seeded(a, random.bits());
    let model = model.model();
    let table = model.rope(model.index(TensorRole::Rope, None));
    let positions = start + batch;
    let queries = clamp(values(positions * width, random));
    let keys = values(positions * kv_width, random);
    let stored = values(positions * kv_width, random);

    let mut cache = KvCache::new(&a, a.context_length);
    let (mut rotated, mut rotated_keys) = (queries.clone(), keys.clone());
    Scalar.rope(&table, 0, width, &mut rotated);
    Scalar.rope(&table, 0, kv_width, &mut rotated_keys);
    cache.store(0, 0, &rotated_keys, &stored);
    let mut expected = vec![0; batch * width];
    let asked = &rotated[start * width..];
    Scalar.attention(
        cache.layer(0),
        a.heads as usize,
        window,
        start,
        asked,
        &mut expected,
    );

    let rows = queries
        .chunks_exact(width)
        .zip(keys.chunks_exact(kv_width))
        .zip(stored.chunks_exact(kv_width));
    let projected: Vec<i32> = rows.flat_map(|((q, k), v)| [q, k, v].concat()).collect();
    let projected = bench.upload_i32(&projected);
    let row_words = width + 2 * kv_width;
    let stride = positions.next_multiple_of(BLOCK);
    let scores = bench.room(batch * a.heads as usize * stride);
    let mixed = bench.room(positions * width);
    let powers = bench.upload(&noema_numerics::exp2::TABLE);
    // The rotation table in parts, so that some begin past position 0.
    let part = (300 * a.head_dim as u64 * 4).next_multiple_of(256);
    let rope =
        upload_rope(&bench.gpu.narrow(part), &table, a.context_length as usize).expect("room");
    let around = [Around {
        kernels: bench.kernels,
        rope: &rope,
        projected: &projected,
        window,
        powers: &powers,
        scores: &scores,
        mixed: &mixed,
    }];
    let mut caches = Caches::new(&a);
    let other = caches.reserve(bench.gpu, &around, 70).expect("room");
    let place = caches.reserve(bench.gpu, &around, positions).expect("room");
    caches.release(other);
    let entry = |position: usize| [0, position as u32, place.page, place.slab];
    let rows_of = |range: Range<usize>| {
        let mut words = vec![range.len() as u32, range.start as u32, stride as u32, 0];
        words.extend(range.flat_map(entry));
        words
    };
    let layer = &caches.slab(place.slab).expect("a slab").layers[0];
    let units = a.heads + 2 * a.kv_heads;
    for first in (0..positions).step_by(MOST_ROWS) {
        let rows = first..positions.min(first + MOST_ROWS);
        for bound in &layer.rope {
            let groups = [units, rows.len() as u32, 1];
            bench.run(&bench.kernels.rope, bound, &rows_of(rows.clone()), groups);
        }
    }
    let found = bench.download_i32(&projected, positions * row_words);
    let found: Vec<i32> = found
        .chunks_exact(row_words)
        .flat_map(|row| &row[..width])
        .copied()
        .collect();
    prop_assert!(found == rotated, "rotated queries differ");

    let groups = [a.heads, batch as u32, 1];
    bench.run(
        &bench.kernels.attention,
        &layer.attention,
        &rows_of(start..positions),
        groups,
    );
    let found = bench.download_i32(&mixed, positions * width);
    prop_assert_eq!(&found[start * width..], &expected);
    Ok(())
}
