//! The operators that work on each position independently, step by step over whole rows, so that the compiler
//! can vectorise them.
//!
//! Formulas, names and bounds are those of `noema_numerics`. Sums that are known not to overflow
//! are written as wrapping ones, branches as arithmetic. Each operator is a [`Work`], compiled for
//! each instruction set.

use super::level::Work;
use noema_numerics::{
    add::add,
    blocks::{MANTISSA_BITS, SHIFT_SPAN},
    exp2::{LOG2_E_Q30, TABLE},
    fixed::{bit_length, scale_saturate},
    geglu,
    head_norm::{epsilon_drop, output_exponent},
    model::{Gains, RopeTable},
    rope::{PROJECTION_LIMIT, ROTATED_LIMIT},
    BLOCK,
};

/// `value / 2^shift` for a shift of at least 1, rounded to nearest with halves up.
#[inline(always)]
pub(crate) fn round_shift(value: i64, shift: u32) -> i64 {
    let half = value.wrapping_shr(shift - 1) & 1;
    value.wrapping_shr(shift).wrapping_add(half)
}

/// The nearest i32.
#[inline(always)]
pub(crate) fn saturate(value: i64) -> i32 {
    value.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// `noema_numerics::exp2` for `z ≤ 0`, without branches.
#[inline(always)]
pub(crate) fn exp2(z: i32) -> u32 {
    let whole = (z >> 16).unsigned_abs();
    let index = ((z >> 8) & 0xff) as usize;
    let step = TABLE[index + 1].wrapping_sub(TABLE[index]);
    // Below 2^31, so that doubling it loses nothing.
    let mantissa =
        TABLE[index].wrapping_add(step.wrapping_mul((z & 0xff) as u32).wrapping_add(128) >> 8);
    let power = (mantissa << 1).wrapping_shr(whole).wrapping_add(1) >> 1;
    if whole > 31 {
        0
    } else {
        power
    }
}

/// See [`noema_numerics::blocks::quantise`].
#[inline(always)]
pub(crate) fn quantise(values: &[i32], mantissas: &mut [i16], shifts: &mut [u8]) {
    let values = values.as_chunks::<BLOCK>().0;
    let mut widest = 0;
    for (block, shift) in values.iter().zip(shifts.iter_mut()) {
        let bits = bit_length(block.iter().fold(0, |bits, v| bits | v.unsigned_abs()));
        *shift = bits.saturating_sub(MANTISSA_BITS) as u8;
        widest = widest.max(*shift);
    }
    let least = widest.saturating_sub(SHIFT_SPAN as u8);
    let mantissas = mantissas.as_chunks_mut::<BLOCK>().0.iter_mut();
    for ((block, out), shift) in values.iter().zip(mantissas).zip(shifts) {
        *shift = (*shift).max(least);
        let s = u32::from(*shift);
        for (a, &v) in out.iter_mut().zip(block) {
            // The highest bit shifted out; zero if there is none.
            let half = v.wrapping_shl(1).wrapping_shr(s) & 1;
            *a = v.wrapping_shr(s).wrapping_add(half) as i16;
        }
    }
}

/// Writes x' to `scaled`, and returns r and the shift of x̂: see [`noema_numerics::norm`]. `drop` are the fraction
/// bits of the epsilon beyond those of a squared element.
#[inline(always)]
fn normaliser(epsilon_q32: u32, drop: u32, input: &[i32], scaled: &mut [i32]) -> (i64, u32) {
    let bits = bit_length(input.iter().fold(0, |bits, x| bits | x.unsigned_abs()));
    let h = bits.saturating_sub(24);
    let half = (1 << h) >> 1;
    let mut squares = 0u64;
    for (x, &v) in scaled.iter_mut().zip(input) {
        *x = i64::from(v).wrapping_add(half).wrapping_shr(h) as i32;
        let magnitude = u64::from(x.unsigned_abs());
        squares = squares.wrapping_add(magnitude.wrapping_mul(magnitude));
    }
    let n = input.len() as u64;
    let v = (squares + ((n * u64::from(epsilon_q32)) >> (2 * h + drop))).max(1);
    let e = v.leading_zeros() / 2;
    let e_n = n.leading_zeros() / 2;
    let (t, t_n) = ((v << (2 * e)).isqrt(), (n << (2 * e_n)).isqrt());
    (((t_n << 31) / t) as i64, 9 + e_n - e)
}

/// See [`noema_numerics::norm`].
#[inline(always)]
fn norm(gains: &Gains<'_>, epsilon_q32: u32, input: &[i32], output: &mut [i32]) {
    let (r, shift) = normaliser(epsilon_q32, 4, input, output);
    for (y, g) in output.iter_mut().zip(gains.values()) {
        let x = round_shift(i64::from(*y).wrapping_mul(r), shift);
        *y = saturate(round_shift(x.wrapping_mul(i64::from(g)), 30));
    }
}

/// See [`mod@noema_numerics::head_norm`]: a head, in place, with a buffer of the same length.
#[inline(always)]
fn head_norm(
    gains: &Gains<'_>,
    epsilon_q32: u32,
    fraction: i32,
    head: &mut [i32],
    buffer: &mut [i32],
) {
    let (r, shift) = normaliser(epsilon_q32, epsilon_drop(fraction), head, buffer);
    let exponent = output_exponent(gains, fraction);
    for ((y, &x), g) in head.iter_mut().zip(&*buffer).zip(gains.values()) {
        let x = round_shift(i64::from(x).wrapping_mul(r), shift);
        *y = scale_saturate(x.wrapping_mul(i64::from(g)), exponent);
    }
}

/// See [`noema_numerics::swiglu::gated`], and [`noema_numerics::geglu::gated`] with `GELU`: a block of elements, one
/// step after the other.
#[inline(always)]
fn gated<const GELU: bool>(gate: &[i32; BLOCK], up: &[i32; BLOCK], output: &mut [i32; BLOCK]) {
    let mut arguments = *gate;
    if GELU {
        for argument in &mut arguments {
            *argument = gelu_argument(*argument);
        }
    }
    let mut powers = [0; BLOCK];
    for (power, &argument) in powers.iter_mut().zip(&arguments) {
        let scaled = u64::from(argument.unsigned_abs()).wrapping_mul(LOG2_E_Q30 as u64);
        let z = scaled.wrapping_add(1 << 33) >> 34;
        *power = exp2((z as i32).wrapping_neg());
    }
    let mut sigmoids = [0; BLOCK];
    for ((sigmoid, &power), &argument) in sigmoids.iter_mut().zip(&powers).zip(&arguments) {
        *sigmoid = self::sigmoid(argument < 0, power);
    }
    let pairs = gate.iter().zip(up).zip(&sigmoids);
    for (product, ((&gate, &up), &sigmoid)) in output.iter_mut().zip(pairs) {
        let activated = i64::from(gate).wrapping_mul(i64::from(sigmoid));
        let activated = activated.wrapping_add(1 << 29) >> 30;
        let gated = i64::from(activated as i32).wrapping_mul(i64::from(up));
        *product = saturate(gated.wrapping_add(1 << 23) >> 24);
    }
}

/// See [`noema_numerics::geglu::argument`].
#[inline(always)]
fn gelu_argument(gate: i32) -> i32 {
    let c = i64::from(gate.clamp(-geglu::LIMIT, geglu::LIMIT));
    let square = c.wrapping_mul(c).wrapping_add(1 << 19) >> 20;
    let slope = square.wrapping_mul(geglu::CUBIC_Q30).wrapping_add(1 << 29) >> 30;
    let slope = slope.wrapping_add(geglu::LINEAR_Q20);
    (c.wrapping_mul(slope).wrapping_add(1 << 19) >> 20) as i32
}

/// `⌊n * 2^30 / (2^30 + power)⌋` with n = `power` for a negative gate and else 2^30; `power` is at most 2^30.
///
/// Numerator, divisor and their nearest integer quotient are exact as f64. The floating-point quotient is
/// never below the integer part of the exact one (an integer is a float, and rounding keeps order), and less
/// than one above it: if the remainder is negative, it is one too large.
#[inline(always)]
fn sigmoid(negative: bool, power: u32) -> i32 {
    const ONE: i32 = 1 << 30;
    /// Adding it leaves the nearest integer in the lowest bits.
    const INTEGER: f64 = (1u64 << 52) as f64;
    let power = power as i32;
    let numerator = if negative { power } else { ONE };
    let quotient = f64::from(numerator) * f64::from(ONE) / (f64::from(power) + f64::from(ONE));
    let quotient = (quotient + INTEGER).to_bits() as u32;
    let divisor = (power as u32).wrapping_add(ONE as u32);
    let product = u64::from(quotient).wrapping_mul(u64::from(divisor));
    let remainder = ((numerator as u64) << 30).wrapping_sub(product) as i64;
    (quotient as i32).wrapping_add((remainder >> 63) as i32)
}

/// See [`noema_numerics::attention::Reciprocal`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reciprocal {
    factor: i64,
    shift: u32,
}

impl Reciprocal {
    #[inline(always)]
    pub(crate) fn new(sum: u64) -> Self {
        let k = 33 - sum.leading_zeros();
        let divisor = sum.wrapping_add((1 << k) >> 1).wrapping_shr(k);
        Self {
            factor: ((1u64 << 61) / divisor) as i64,
            shift: 61 + k,
        }
    }
}

/// See [`noema_numerics::attention::ratio`].
#[inline(always)]
pub(crate) fn ratio(n: i64, exponent: u32, divisor: Reciprocal) -> i32 {
    let bits = 64 - n.unsigned_abs().leading_zeros();
    let x = bits.saturating_sub(31);
    let n = n.wrapping_add((1 << x) >> 1).wrapping_shr(x);
    let shift = divisor.shift.wrapping_sub(x).wrapping_sub(exponent);
    let product = n.wrapping_mul(divisor.factor);
    // From 64 on, sign and last bit cancel out: zero, as defined.
    let half = product.wrapping_shr(shift.wrapping_sub(1).min(63)) & 1;
    saturate(product.wrapping_shr(shift.min(63)).wrapping_add(half))
}

/// See [`mod@noema_numerics::rope`]: rotates a row of whole heads at `position`.
#[inline(always)]
fn rope(table: &RopeTable<'_>, position: usize, row: &mut [i32]) {
    for head in row.chunks_exact_mut(table.half() * 2) {
        let (low, high) = head.split_at_mut(table.half());
        for ((a, b), (cos, sin)) in low.iter_mut().zip(high).zip(table.row(position)) {
            let clamp = |x: i32| x.clamp(-PROJECTION_LIMIT, PROJECTION_LIMIT);
            let (x, y) = (clamp(*a), clamp(*b));
            let product = |x: i32, y: i32| i64::from(x).wrapping_mul(i64::from(y));
            *a = rotated(product(x, cos).wrapping_sub(product(y, sin)));
            *b = rotated(product(y, cos).wrapping_add(product(x, sin)));
        }
    }
}

#[inline(always)]
fn rotated(value: i64) -> i32 {
    let limit = i64::from(ROTATED_LIMIT);
    (value.wrapping_add(1 << 29) >> 30).clamp(-limit, limit) as i32
}

/// See [`mod@noema_numerics::cache`]: quantises a head's key, or its value, which is clamped.
///
/// Dividend and divisor are exact as f64. A quotient that is not an integer is at least 1 over the divisor,
/// so more than 2^-26, away from the next integer; that is far more than the rounding of a quotient below
/// 2^9, so its integer part is that of the exact one.
#[inline(always)]
fn cache<const LIMIT: i32>(vector: &[i32], quants: &mut [i8], scales: &mut [u32]) {
    let blocks = vector.as_chunks::<BLOCK>().0.iter();
    let quants = quants.as_chunks_mut::<BLOCK>().0.iter_mut();
    for ((block, quants), scale) in blocks.zip(quants).zip(scales) {
        let mut vector = *block;
        let mut largest = 0;
        for v in &mut vector {
            *v = (*v).clamp(-LIMIT, LIMIT);
            largest = largest.max(v.unsigned_abs());
        }
        *scale = largest.div_ceil(127).max(1);
        let divisor = 2.0 * f64::from(*scale);
        let shift = 255.0 * f64::from(*scale);
        for (q, &v) in quants.iter_mut().zip(&vector) {
            // 127 too large, so that it is not negative; below 256.
            let quotient = (2.0 * f64::from(v) + shift) / divisor;
            // SAFETY: a number from 0 to 255.
            let quotient: i32 = unsafe { quotient.to_int_unchecked() };
            *q = quotient.wrapping_sub(127) as i8;
        }
    }
}

/// A row to be normalised and quantised.
pub(crate) struct Norm<'a> {
    pub(crate) gains: Gains<'a>,
    pub(crate) epsilon_q32: u32,
    pub(crate) input: &'a [i32],
    /// As long as the row, with unspecified values.
    pub(crate) buffer: &'a mut [i32],
    pub(crate) mantissas: &'a mut [i16],
    pub(crate) shifts: &'a mut [u8],
}

impl Work for Norm<'_> {
    #[inline(always)]
    fn run(self) {
        norm(&self.gains, self.epsilon_q32, self.input, self.buffer);
        quantise(self.buffer, self.mantissas, self.shifts);
    }
}

/// A head to be normalised.
pub(crate) struct HeadNorm<'a> {
    pub(crate) gains: Gains<'a>,
    pub(crate) epsilon_q32: u32,
    pub(crate) fraction: i32,
    pub(crate) head: &'a mut [i32],
    /// As long as the head, with unspecified values.
    pub(crate) buffer: &'a mut [i32],
}

impl Work for HeadNorm<'_> {
    #[inline(always)]
    fn run(self) {
        let Self {
            gains,
            epsilon_q32,
            fraction,
            head,
            buffer,
        } = self;
        head_norm(&gains, epsilon_q32, fraction, head, buffer);
    }
}

/// A row to be gated, by SiLU or by GELU, and quantised.
pub(crate) struct Gated<'a, const GELU: bool> {
    pub(crate) gate: &'a [i32],
    pub(crate) up: &'a [i32],
    /// As long as the row, with unspecified values.
    pub(crate) buffer: &'a mut [i32],
    pub(crate) mantissas: &'a mut [i16],
    pub(crate) shifts: &'a mut [u8],
}

impl<const GELU: bool> Work for Gated<'_, GELU> {
    #[inline(always)]
    fn run(self) {
        let gates = self.gate.as_chunks().0.iter();
        let pairs = gates.zip(self.up.as_chunks().0);
        for (products, (gates, ups)) in self.buffer.as_chunks_mut().0.iter_mut().zip(pairs) {
            gated::<GELU>(gates, ups, products);
        }
        quantise(self.buffer, self.mantissas, self.shifts);
    }
}

/// A row to be quantised.
pub(crate) struct Quantise<'a> {
    pub(crate) values: &'a [i32],
    pub(crate) mantissas: &'a mut [i16],
    pub(crate) shifts: &'a mut [u8],
}

impl Work for Quantise<'_> {
    #[inline(always)]
    fn run(self) {
        quantise(self.values, self.mantissas, self.shifts);
    }
}

/// Elements to be added to others.
pub(crate) struct Add<'a> {
    pub(crate) delta: &'a [i32],
    /// As many, which are changed.
    pub(crate) values: &'a mut [i32],
}

impl Work for Add<'_> {
    #[inline(always)]
    fn run(self) {
        add(self.delta, self.values);
    }
}

/// A row of whole heads to be rotated.
pub(crate) struct Rope<'a> {
    pub(crate) table: RopeTable<'a>,
    pub(crate) position: usize,
    pub(crate) row: &'a mut [i32],
}

impl Work for Rope<'_> {
    #[inline(always)]
    fn run(self) {
        rope(&self.table, self.position, self.row);
    }
}

/// A head's key or value, to be clamped and cached.
pub(crate) struct Cache<'a, const LIMIT: i32> {
    pub(crate) vector: &'a [i32],
    pub(crate) quants: &'a mut [i8],
    pub(crate) scales: &'a mut [u32],
}

impl<const LIMIT: i32> Work for Cache<'_, LIMIT> {
    #[inline(always)]
    fn run(self) {
        cache::<LIMIT>(self.vector, self.quants, self.scales);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_numerics::{
        attention, cache as cache_definition, exp2 as definition, swiglu, testing::Random,
    };

    #[test]
    fn powers_are_those_of_the_definition() {
        for z in (-(40 << 16)..=0).chain([i32::MIN, i32::MIN + 1, -(33 << 16)]) {
            assert_eq!(exp2(z), definition::exp2(z), "{z}");
        }
    }

    #[test]
    fn gates_are_those_of_the_definition() {
        let mut random = Random::new(3);
        let extremes = [0, 1, -1, i32::MAX, i32::MIN, i32::MIN + 1];
        let around_one = -(1 << 12)..1 << 12;
        let steps = (-(1 << 15)..1 << 15).map(|step| step << 11);
        let mut gates: Vec<i32> = extremes
            .into_iter()
            .chain(around_one)
            .chain(steps)
            .collect();
        gates.extend((0..1_000_000).map(|_| (random.bits() as i32) >> random.below(20)));
        for gates in gates.as_chunks::<BLOCK>().0 {
            let ups = std::array::from_fn(|_| match random.below(8) {
                0 => i32::MAX,
                1 => i32::MIN,
                _ => (random.bits() as i32) >> random.below(32),
            });
            let mut found = [0; BLOCK];
            gated::<false>(gates, &ups, &mut found);
            let expected: [i32; BLOCK] = std::array::from_fn(|i| swiglu::gated(gates[i], ups[i]));
            assert_eq!(found, expected, "{gates:?} {ups:?}");
            gated::<true>(gates, &ups, &mut found);
            let expected: [i32; BLOCK] = std::array::from_fn(|i| geglu::gated(gates[i], ups[i]));
            assert_eq!(found, expected, "{gates:?} {ups:?}");
        }
    }

    #[test]
    fn quotients_are_those_of_integers() {
        let exact = |negative: bool, power: u64| {
            let numerator = if negative { power } else { 1 << 30 };
            ((numerator << 30) / ((1 << 30) + power)) as i32
        };
        let mut random = Random::new(4);
        let near_powers = (0..=30).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        let drawn = (0..2_000_000).map(|_| random.below((1 << 30) + 1) >> random.below(24));
        for power in near_powers.chain(drawn).filter(|&power| power <= 1 << 30) {
            for negative in [false, true] {
                let found = sigmoid(negative, power as u32);
                assert_eq!(found, exact(negative, power), "{negative} {power}");
            }
        }
    }

    #[test]
    fn cached_quants_are_those_of_the_definition() {
        let mut random = Random::new(5);
        for round in 0..20_000 {
            let drop = random.below(32);
            let vector: [i32; BLOCK] = std::array::from_fn(|i| match (round % 4, i) {
                (0, 0) => i32::MAX >> drop,
                (1, 0) => i32::MIN >> drop,
                // Quotients in the middle between two integers, where rounding is decided.
                (2, _) => ((1i64 << 26 >> drop) * (2 * i as i64 - 31) / 254) as i32,
                _ => (random.bits() as i32) >> drop,
            });
            let (mut found, mut expected) = (([0; BLOCK], [0; 1]), ([0; BLOCK], [0; 1]));
            cache::<ROTATED_LIMIT>(&vector, &mut found.0, &mut found.1);
            cache_definition::quantise_key(&vector, &mut expected.0, &mut expected.1);
            assert_eq!(found, expected, "{vector:?}");
            cache::<PROJECTION_LIMIT>(&vector, &mut found.0, &mut found.1);
            cache_definition::quantise_value(&vector, &mut expected.0, &mut expected.1);
            assert_eq!(found, expected, "{vector:?}");
        }
    }

    #[test]
    fn ratios_are_those_of_the_definition() {
        let mut random = Random::new(6);
        for _ in 0..1_000_000 {
            let sum = match random.below(8) {
                0 => 1 << 30,
                1 => 1 << 47,
                _ => (1 << 30) + (random.below((1 << 47) - (1 << 30) + 1) >> random.below(18)),
            };
            let n = match random.below(8) {
                0 => 1i64 << random.below(50),
                1 => -(1i64 << random.below(50)),
                _ => random.within(1 << 49) >> random.below(50),
            };
            let exponent = random.below(27) as u32;
            assert_eq!(
                ratio(n, exponent, Reciprocal::new(sum)),
                attention::ratio(n, exponent, attention::Reciprocal::new(sum)),
                "{n} {exponent} {sum}"
            );
        }
    }
}
