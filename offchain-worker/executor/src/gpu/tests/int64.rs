//! The 64-bit arithmetic of the kernels.

use super::{device, Bench};
use crate::gpu::kernels::{Access, Kernel, EXP2, INT64};
use noema_numerics::{exp2, fixed, testing::Random};

const NAMES: [&str; 21] = [
    "add64",
    "sub64",
    "negate64",
    "mul_u32",
    "mul_i32",
    "mul_i32_u32",
    "shl64",
    "shr_u64",
    "shr_i64",
    "round_shift",
    "round_shift_32",
    "saturate_i32",
    "scale_saturate",
    "saturating_add",
    "div_u64",
    "isqrt_u64",
    "bit_length_u64",
    "less_u64",
    "dot4I8Packed",
    "exp2_power",
    "magnitude",
];

#[derive(Clone, Copy, Debug)]
struct Operands {
    a: u64,
    b: u64,
    shift: u32,
}

/// The expected result of each function.
fn expected(o: Operands) -> [u64; 21] {
    let Operands { a, b, shift } = o;
    let (signed, x, y) = (a.cast_signed(), a as i32, b as i32);
    let (low_a, low_b) = (a as u32, b as u32);
    let divisor = low_b.max(1);
    let dividend = (((a >> 32) % u64::from(divisor)) << 32) | u64::from(low_a);
    let word = |value: i32| u64::from(value.cast_unsigned());
    let dot: i32 = (0..4)
        .map(|i| i32::from((a >> (8 * i)) as i8) * i32::from((b >> (8 * i)) as i8))
        .sum();
    [
        a.wrapping_add(b),
        a.wrapping_sub(b),
        a.wrapping_neg(),
        u64::from(low_a) * u64::from(low_b),
        (i64::from(x) * i64::from(y)).cast_unsigned(),
        (i64::from(x) * i64::from(low_b)).cast_unsigned(),
        a << (shift % 64),
        a >> (shift % 64),
        (signed >> (shift % 64)).cast_unsigned(),
        fixed::round_shift(signed, shift).cast_unsigned(),
        word(fixed::round_shift_32(x, shift % 32)),
        word(fixed::saturate(signed)),
        word(fixed::scale_saturate(signed, shift.cast_signed() - 70)),
        word(x.saturating_add(y)),
        dividend / u64::from(divisor),
        a.isqrt(),
        u64::from(64 - a.leading_zeros()),
        u64::from(a < b),
        word(dot),
        u64::from(exp2::exp2(x.min(0))),
        u64::from(x.unsigned_abs()),
    ]
}

/// Values at which carries and signs change, and others of any length.
fn operands() -> Vec<Operands> {
    let mut edges = vec![0u64];
    for bit in [0, 1, 15, 16, 17, 30, 31, 32, 33, 47, 48, 62, 63] {
        let power = 1u64 << bit;
        edges.extend([power - 1, power, power + 1, power.wrapping_neg(), !power]);
    }
    let mut random = Random::new(7);
    let mut operands = Vec::new();
    for &a in &edges {
        for &b in &edges {
            operands.push(Operands {
                a,
                b,
                shift: random.below(140) as u32,
            });
        }
    }
    for shift in 0..140 {
        for a in [u64::MAX, 1 << 63, i64::MAX as u64, random.bits()] {
            operands.push(Operands { a, b: !a, shift });
        }
    }
    // Every power of two with a fraction, and divisors just below and above their digits.
    for z in 0..40_000u64 {
        operands.push(Operands {
            a: (z * 53).wrapping_neg() >> random.below(33),
            b: random.bits() >> random.below(64),
            shift: random.below(140) as u32,
        });
    }
    operands
}

#[test]
fn every_function_is_that_of_rust() {
    let Some(device) = device() else { return };
    let bench = Bench::new(device);
    let kernel = Kernel::new(
        bench.gpu,
        bench.kernels.window(),
        "test of int64",
        &[INT64, EXP2, include_str!("int64.wgsl")],
        &[Access::Read, Access::Write, Access::Read],
    )
    .expect("the kernel compiles");
    let operands = operands();
    let words: Vec<u32> = operands
        .iter()
        .flat_map(|o| {
            [
                o.a as u32,
                (o.a >> 32) as u32,
                o.b as u32,
                (o.b >> 32) as u32,
                o.shift,
                0,
            ]
        })
        .collect();
    let input = bench.upload(&words);
    let output = bench.room(operands.len() * NAMES.len() * 2);
    let powers = bench.upload(&exp2::TABLE);
    let count = operands.len() as u32;
    let bound = kernel
        .bind(bench.gpu, &[count], &[&input, &output, &powers])
        .expect("a device");
    bench.run(&kernel, &bound, &[0; 8], [count.div_ceil(64), 1, 1]);
    let found = bench.download(&output, operands.len() * NAMES.len() * 2);
    let found = found.as_chunks::<2>().0.chunks_exact(NAMES.len());
    for (o, found) in operands.iter().zip(found) {
        for ((name, expected), &[low, high]) in NAMES.iter().zip(expected(*o)).zip(found) {
            let found = (u64::from(high) << 32) | u64::from(low);
            assert_eq!(found, expected, "{name} of {o:x?}");
        }
    }
}
