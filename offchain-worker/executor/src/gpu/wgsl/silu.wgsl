// `noema_numerics::swiglu::silu`: `gate * sigmoid(gate)`, in units of 2^-20.
fn activated(gate: i32) -> i32 {
    return i32(round_shift(mul_i32_u32(gate, sigmoid(gate)), 30u).x);
}

