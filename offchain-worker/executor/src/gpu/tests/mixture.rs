//! The kernels of a mixture of experts alone, against the scalar definition.

use super::{device, operators::packed, Bench};
use crate::gpu::{kernels::over_two, weights::Matrix};
use noema_numerics::{
    experts::Experts,
    model::Linear,
    testing::{tiles, values, Random},
    tile::TILE_BYTES,
    Blocks, Kernels as _, Scalar,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn routes_are_exact(
        seed: u64,
        count in prop::sample::select(vec![1usize, 2, 16, 63, 64, 65, 128, 512]),
        chosen in 1usize..33,
        renormalised: bool,
        batch in 1usize..6,
        kept_bits in 0u32..32,
    ) {
        let Some(device) = device() else { return Ok(()) };
        let bench = Bench::new(device);
        let chosen = chosen.min(count);
        let mut random = Random::new(seed);
        let mut scores = values(batch * count, &mut random);
        // Many are equal if few bits are kept.
        scores.iter_mut().for_each(|score| *score &= i32::MIN >> kept_bits);
        let mut expected = vec![0; batch * 2 * chosen];
        Scalar.route(&scores, count, chosen, renormalised, &mut expected);

        let input = bench.upload_i32(&scores);
        let output = bench.room(expected.len());
        let powers = bench.upload(&noema_numerics::exp2::TABLE);
        let kernel = &bench.kernels.route;
        let parameters = [count as u32, chosen as u32, u32::from(renormalised)];
        let bound = kernel.bind(bench.gpu, &parameters, &[&output, &input, &powers]).expect("a device");
        bench.run(kernel, &bound, &[0; 8], [batch as u32, 1, 1]);
        prop_assert_eq!(bench.download_i32(&output, expected.len()), expected);
    }

    #[test]
    fn experts_are_exact(
        seed: u64,
        numbers in (1u32..7, 1u32..6),
        groups in 1usize..4,
        blocks in 1usize..20,
        batch in 1usize..20,
        stacks in 1usize..3,
        own_inputs: bool,
    ) {
        let Some(device) = device() else { return Ok(()) };
        let bench = Bench::new(device);
        let mut random = Random::new(seed);
        let (count, chosen) = (numbers.0 as usize, numbers.1 as usize);
        let (rows, columns) = (groups * 16, blocks * 32);
        let bytes: Vec<Vec<u8>> =
            (0..stacks).map(|_| tiles(count * rows, columns, &mut random)).collect();
        let stacked = |bytes, exponent| {
            Linear::new(count * rows, columns, exponent, bytes).expect("a matrix")
        };
        let matrices: Vec<Linear<'_>> =
            bytes.iter().zip([-20, -23]).map(|(bytes, exponent)| stacked(bytes, exponent)).collect();
        let outputs = [9, 14];
        let width = if own_inputs { chosen * columns } else { columns };
        let x = Blocks::quantise(&values(batch * width, &mut random), width, 16);
        let mut routes = values(batch * 2 * chosen, &mut random);
        for route in &mut routes {
            if random.below(8) > 0 {
                *route = random.below(count as u64) as i32;
            }
        }
        let part = chosen * rows;
        let products: Vec<Vec<i32>> = matrices
            .iter()
            .zip(outputs)
            .map(|(matrix, fraction)| {
                let weights = Experts::new(*matrix, count).expect("whole groups of rows");
                let mut output = vec![0; batch * part];
                Scalar.experts(&weights, chosen, &routes, x.view(), fraction, &mut output);
                output
            })
            .collect();
        // Those of both stacks lie in a row.
        let expected: Vec<i32> = (0..batch)
            .flat_map(|row| products.iter().flat_map(move |output| &output[row * part..][..part]))
            .copied()
            .collect();

        let (mantissas, shifts) = packed(x.view());
        let (mantissas, shifts) = (bench.upload(&mantissas), bench.upload(&shifts));
        let routes = bench.upload_i32(&routes);
        // In parts of two row groups, so that an expert may be in several.
        let gpu = bench.gpu.narrow(((2 * blocks * TILE_BYTES) as u64).next_multiple_of(256));
        let matrix = Matrix::upload(&gpu, &matrices).expect("room");
        let output = bench.room(expected.len());
        let kernel = &bench.kernels.experts;
        let numbers = [numbers.0, numbers.1];
        let (x, z) = over_two(matrix.chosen_groups(numbers));
        for part in &matrix.parts {
            let parameters = matrix.expert_parameters(part, numbers, own_inputs, 16, &outputs);
            let buffers = [&mantissas, &shifts, &part.buffer, &routes, &output];
            let bound = kernel.bind(bench.gpu, &parameters, &buffers).expect("a device");
            bench.run(kernel, &bound, &[0; 8], [x, batch as u32, z]);
        }
        prop_assert_eq!(bench.download_i32(&output, expected.len()), expected);
    }

    #[test]
    fn mixed_outputs_are_exact(seed: u64, chosen in 1usize..33, blocks in 1usize..12, batch in 1usize..6) {
        let Some(device) = device() else { return Ok(()) };
        let bench = Bench::new(device);
        let mut random = Random::new(seed);
        let columns = blocks * 32;
        let input = values(batch * chosen * columns, &mut random);
        let mut routes = values(batch * 2 * chosen, &mut random);
        for weight in &mut routes {
            if random.below(8) > 0 {
                *weight = random.below((1 << 24) + 1) as i32;
            }
        }
        let before = values(batch * columns, &mut random);
        let mut mixed = vec![0; batch * columns];
        Scalar.mix(chosen, &routes, &input, columns, &mut mixed);
        let sums: Vec<i32> = before.iter().zip(&mixed).map(|(x, d)| x.saturating_add(*d)).collect();

        let (input, routes) = (bench.upload_i32(&input), bench.upload_i32(&routes));
        let kernel = &bench.kernels.mix;
        let words = (columns / 4) as u32;
        for (add, expected) in [(0, &mixed), (1, &sums)] {
            let output = bench.upload_i32(&before);
            let parameters = [words, chosen as u32, add];
            let bound = kernel.bind(bench.gpu, &parameters, &[&output, &input, &routes]).expect("a device");
            bench.run(kernel, &bound, &[0; 8], [words.div_ceil(64), batch as u32, 1]);
            prop_assert_eq!(&bench.download_i32(&output, expected.len()), expected);
        }
    }
}
