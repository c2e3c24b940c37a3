// `noema_numerics::geglu::gelu`, in units of 2^-20.
const GELU_LIMIT = 16777216;
const LINEAR_Q20 = 1673285u;
const CUBIC_Q30 = 76616651u;

fn activated(gate: i32) -> i32 {
    let c = clamp(gate, -GELU_LIMIT, GELU_LIMIT);
    // At most 2^28.
    let square = round_shift(mul_u32(magnitude(c), magnitude(c)), 20u).x;
    let slope = LINEAR_Q20 + round_shift(mul_u32(square, CUBIC_Q30), 30u).x;
    let argument = i32(round_shift(mul_i32_u32(c, slope), 20u).x);
    return i32(round_shift(mul_i32_u32(gate, sigmoid(argument)), 30u).x);
}

