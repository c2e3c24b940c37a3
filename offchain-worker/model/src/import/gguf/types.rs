//! The types of tensors in GGUF files, and the values of those that are read.

use super::super::model::{decode_f32, decode_u16};
use candle_core::{
    quantized::{ggml_file::qtensor_from_ggml, GgmlDType},
    Device,
};
use half::{bf16, f16};
use std::{
    fmt,
    panic::{catch_unwind, AssertUnwindSafe},
};

/// A type by its number in the format, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TensorType(pub(super) u32);

/// A type that is read.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Values of a block.
    values: usize,
    /// Bytes of a block.
    bytes: usize,
    decoder: Decoder,
}

#[derive(Clone, Copy)]
enum Decoder {
    F32,
    F16,
    Bf16,
    /// By the library that reads blocks.
    Library(GgmlDType),
    /// By a function of one block.
    Block(fn(&[u8], &mut [f32])),
}

impl TensorType {
    pub(super) const F32: Self = Self(0);

    /// The layout of a type that is read.
    pub(super) fn layout(self) -> Option<Layout> {
        let (values, bytes, decoder) = match self.0 {
            0 => (1, 4, Decoder::F32),
            1 => (1, 2, Decoder::F16),
            2 => (32, 18, Decoder::Library(GgmlDType::Q4_0)),
            3 => (32, 20, Decoder::Library(GgmlDType::Q4_1)),
            6 => (32, 22, Decoder::Library(GgmlDType::Q5_0)),
            7 => (32, 24, Decoder::Library(GgmlDType::Q5_1)),
            8 => (32, 34, Decoder::Block(q8_0)),
            10 => (256, 84, Decoder::Library(GgmlDType::Q2K)),
            11 => (256, 110, Decoder::Library(GgmlDType::Q3K)),
            12 => (256, 144, Decoder::Library(GgmlDType::Q4K)),
            13 => (256, 176, Decoder::Library(GgmlDType::Q5K)),
            14 => (256, 210, Decoder::Library(GgmlDType::Q6K)),
            20 => (32, 18, Decoder::Block(iq4_nl)),
            23 => (256, 136, Decoder::Block(iq4_xs)),
            30 => (1, 2, Decoder::Bf16),
            34 => (256, 54, Decoder::Block(tq1_0)),
            35 => (256, 66, Decoder::Block(tq2_0)),
            39 => (32, 17, Decoder::Block(mxfp4)),
            _ => return None,
        };
        Some(Layout {
            values,
            bytes,
            decoder,
        })
    }
}

/// The name in the format; a number that has none is shown as such.
impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0 => "F32",
            1 => "F16",
            2 => "Q4_0",
            3 => "Q4_1",
            4 => "Q4_2",
            5 => "Q4_3",
            6 => "Q5_0",
            7 => "Q5_1",
            8 => "Q8_0",
            9 => "Q8_1",
            10 => "Q2_K",
            11 => "Q3_K",
            12 => "Q4_K",
            13 => "Q5_K",
            14 => "Q6_K",
            15 => "Q8_K",
            16 => "IQ2_XXS",
            17 => "IQ2_XS",
            18 => "IQ3_XXS",
            19 => "IQ1_S",
            20 => "IQ4_NL",
            21 => "IQ3_S",
            22 => "IQ2_S",
            23 => "IQ4_XS",
            24 => "I8",
            25 => "I16",
            26 => "I32",
            27 => "I64",
            28 => "F64",
            29 => "IQ1_M",
            30 => "BF16",
            31 => "Q4_0_4_4",
            32 => "Q4_0_4_8",
            33 => "Q4_0_8_8",
            34 => "TQ1_0",
            35 => "TQ2_0",
            36 => "IQ4_NL_4_4",
            37 => "IQ4_NL_4_8",
            38 => "IQ4_NL_8_8",
            39 => "MXFP4",
            40 => "NVFP4",
            41 => "Q1_0",
            number => return write!(f, "number {number}"),
        };
        f.write_str(name)
    }
}

impl Layout {
    /// Values of a block.
    pub(super) const fn values(self) -> usize {
        self.values
    }

    /// Bytes of a row of `columns` values, if they are whole blocks.
    pub(super) fn row_bytes(self, columns: usize) -> Option<u64> {
        let whole = columns.is_multiple_of(self.values);
        whole.then_some((columns / self.values) as u64 * self.bytes as u64)
    }

    /// Decodes a row, of which `bytes` holds exactly `out.len()` values.
    pub(super) fn decode(self, bytes: &[u8], out: &mut [f32]) -> Result<(), String> {
        match self.decoder {
            Decoder::F32 => decode_f32(bytes, out),
            Decoder::F16 => decode_u16(bytes, out, |bits| f16::from_bits(bits).to_f32()),
            Decoder::Bf16 => decode_u16(bytes, out, |bits| bf16::from_bits(bits).to_f32()),
            Decoder::Library(kind) => return decode_by_library(kind, bytes, out),
            Decoder::Block(decode) => {
                let blocks = bytes.chunks_exact(self.bytes);
                for (block, out) in blocks.zip(out.chunks_exact_mut(self.values)) {
                    decode(block, out);
                }
            }
        }
        Ok(())
    }
}

fn decode_by_library(kind: GgmlDType, bytes: &[u8], out: &mut [f32]) -> Result<(), String> {
    // The library reads blocks in place and expects them aligned, which a row of a mapped file need not be.
    let mut aligned = vec![0u64; bytes.len().div_ceil(8)];
    let aligned: &mut [u8] = bytemuck::cast_slice_mut(&mut aligned);
    let aligned = &mut aligned[..bytes.len()];
    aligned.copy_from_slice(bytes);
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        qtensor_from_ggml(kind, aligned, vec![out.len()], &Device::Cpu)?
            .dequantize(&Device::Cpu)?
            .to_vec1::<f32>()
    }));
    match decoded {
        Ok(Ok(values)) => out.copy_from_slice(&values),
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("the decoder panicked".into()),
    }
    Ok(())
}

/// The values of the four-bit codes of IQ4_NL and IQ4_XS.
const IQ4_VALUES: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

/// The values of the four-bit codes of MXFP4, doubled: a sign, two bits of exponent and one of fraction.
const FP4_VALUES: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// The f16 in the two bytes at `at`.
fn scale(block: &[u8], at: usize) -> f32 {
    match block.get(at..) {
        Some([low, high, ..]) => f16::from_le_bytes([*low, *high]).to_f32(),
        _ => 0.0,
    }
}

/// Decodes four-bit codes: those in the low halves of the bytes, then those in the high halves. A product is exact.
fn codes(bytes: &[u8], values: &[i8; 16], scale: f32, out: &mut [f32]) {
    let low = bytes.iter().map(|byte| byte & 15);
    let high = bytes.iter().map(|byte| byte >> 4);
    for (code, out) in low.chain(high).zip(out) {
        *out = scale * f32::from(values[usize::from(code)]);
    }
}

/// `d: f16, quants: [i8; 32]`
fn q8_0(block: &[u8], out: &mut [f32]) {
    let d = scale(block, 0);
    for (byte, out) in block[2..].iter().zip(out) {
        *out = d * f32::from(*byte as i8);
    }
}

/// `d: f16, codes: [u8; 16]`
fn iq4_nl(block: &[u8], out: &mut [f32]) {
    codes(&block[2..], &IQ4_VALUES, scale(block, 0), out);
}

/// `d: f16, high bits of the scales: u16, low bits: [u8; 4], codes: [u8; 128]`; each 32 values have a scale of six
/// bits, less 32.
fn iq4_xs(block: &[u8], out: &mut [f32]) {
    let d = scale(block, 0);
    let high = u16::from_le_bytes([block[2], block[3]]);
    let low = &block[4..8];
    let groups = block[8..].chunks_exact(16).zip(out.chunks_exact_mut(32));
    for (group, (bytes, out)) in groups.enumerate() {
        let low = low[group / 2] >> (group % 2 * 4) & 15;
        let high = high >> (group * 2) & 3;
        let factor = i16::from(low) | (high << 4) as i16;
        codes(bytes, &IQ4_VALUES, d * f32::from(factor - 32), out);
    }
}

/// `exponent: u8, codes: [u8; 16]`; the scale is `2^(exponent - 127)`.
fn mxfp4(block: &[u8], out: &mut [f32]) {
    // Half the scale, since the values are doubled.
    let half = libm::scalbn(1.0, i32::from(block[0]) - 128) as f32;
    codes(&block[1..], &FP4_VALUES, half, out);
}

/// `codes: [u8; 48], rest: [u8; 4], d: f16`; a byte is a fraction whose first five digits in base three, four in
/// `rest`, are codes of 0 to 2 for -1 to 1.
fn tq1_0(block: &[u8], out: &mut [f32]) {
    let d = scale(block, 52);
    let parts = [(&block[..32], 5), (&block[32..48], 5), (&block[48..52], 4)];
    let mut out = out.iter_mut();
    for (bytes, digits) in parts {
        let mut power = 1u8;
        for _ in 0..digits {
            for (byte, out) in bytes.iter().zip(&mut out) {
                let digit = (u16::from(byte.wrapping_mul(power)) * 3) >> 8;
                *out = d * (f32::from(digit) - 1.0);
            }
            power = power.wrapping_mul(3);
        }
    }
}

/// `codes: [u8; 64], d: f16`; a byte has four codes of 0 to 2 for -1 to 1, 32 values apart.
fn tq2_0(block: &[u8], out: &mut [f32]) {
    let d = scale(block, 64);
    let halves = block[..64].chunks_exact(32).zip(out.chunks_exact_mut(128));
    for (bytes, out) in halves {
        for (part, out) in out.chunks_exact_mut(32).enumerate() {
            for (byte, out) in bytes.iter().zip(out) {
                let code = byte >> (part * 2) & 3;
                *out = d * (f32::from(code) - 1.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_the_size_that_the_library_expects() {
        for number in 0..64 {
            let Some(layout) = TensorType(number).layout() else {
                continue;
            };
            if let Decoder::Library(kind) = layout.decoder {
                let expected = (kind.block_size(), kind.type_size());
                assert_eq!((layout.values, layout.bytes), expected, "{number}");
            }
        }
    }

    /// What gguf-py makes of blocks whose byte `i` is `(37 i + 11) mod 251`, with a scale of 0.5: the first four and
    /// the last four values, and the sum of all values, each times its place from 1.
    #[test]
    fn blocks_have_the_values_that_the_format_defines() {
        let half = f16::from_f32(0.5).to_le_bytes();
        let expected = [
            (
                8,
                0,
                [42.5_f32, 61.0, -48.5, -30.0],
                [58.5_f32, -51.0, -32.5, -14.0],
                -1_432.0,
            ),
            (
                20,
                0,
                [-17.5, 12.5, 56.5, -24.5],
                [-52.0, -24.5, -11.0, 0.5],
                -2_308.5,
            ),
            (
                23,
                0,
                [-0.5, -34.5, 41.5, 5.0],
                [75.0, -187.5, -397.5, -667.5],
                -569_565.0,
            ),
            (
                34,
                52,
                [-0.5, -0.5, -0.5, 0.0],
                [-0.5, -0.5, 0.5, 0.5],
                -74.0,
            ),
            (
                35,
                64,
                [1.0, -0.5, 0.0, 0.5],
                [1.0, -0.5, -0.5, 0.0],
                7_959.5,
            ),
            (
                39,
                0,
                [0.0, 0.75, -0.25, -1.5],
                [-1.5, 0.125, 0.5, 1.0],
                44.75,
            ),
        ];
        for (number, at, first, last, sum) in expected {
            let layout = TensorType(number).layout().unwrap();
            let byte = |i: usize| ((37 * i + 11) % 251) as u8;
            let mut block: Vec<u8> = (0..layout.bytes).map(byte).collect();
            if number == 39 {
                block[0] = 125;
            } else {
                block[at..at + 2].copy_from_slice(&half);
            }
            let mut values = vec![0.0; layout.values];
            layout.decode(&block, &mut values).unwrap();
            assert_eq!(values[..4], first, "{number}");
            assert_eq!(values[layout.values - 4..], last, "{number}");
            let weighted = (1u16..)
                .zip(&values)
                .map(|(i, v)| f64::from(i) * f64::from(*v));
            assert_eq!(weighted.sum::<f64>(), sum, "{number}");
        }
    }

    #[test]
    fn rows_of_whole_blocks_have_a_size() {
        let q4_k = TensorType(12).layout().unwrap();
        assert_eq!(q4_k.row_bytes(512), Some(288));
        assert_eq!(q4_k.row_bytes(32), None);
    }

    #[test]
    fn every_type_that_is_read_has_a_name() {
        for number in 0..64 {
            let kind = TensorType(number);
            let named = !kind.to_string().starts_with("number");
            assert!(named || kind.layout().is_none(), "{kind}");
        }
        assert_eq!(TensorType(20).to_string(), "IQ4_NL");
        assert_eq!(TensorType(77).to_string(), "number 77");
    }
}
