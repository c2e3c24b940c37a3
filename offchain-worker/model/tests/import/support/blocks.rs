//! Random blocks of every GGUF quantisation, and their values by the format's own definition.

use super::Random;
use half::f16;

/// A quantisation: its type number, bytes and values of a block, and its meaning.
pub(crate) struct Quantisation {
    pub(crate) name: &'static str,
    pub(crate) kind: u32,
    pub(crate) bytes: usize,
    pub(crate) values: usize,
    /// The offsets of a block's f16 scales.
    scales: &'static [usize],
    decode: fn(&[u8]) -> Vec<f32>,
}

/// The type whose scale is an exponent.
const MXFP4: u32 = 39;

pub(crate) const ALL: [Quantisation; 15] = [
    quantisation("Q4_0", 2, 18, 32, &[0], q4_0),
    quantisation("Q4_1", 3, 20, 32, &[0, 2], q4_1),
    quantisation("Q5_0", 6, 22, 32, &[0], q5_0),
    quantisation("Q5_1", 7, 24, 32, &[0, 2], q5_1),
    quantisation("Q8_0", 8, 34, 32, &[0], q8_0),
    quantisation("Q2_K", 10, 84, 256, &[80, 82], q2_k),
    quantisation("Q3_K", 11, 110, 256, &[108], q3_k),
    quantisation("Q4_K", 12, 144, 256, &[0, 2], q4_k),
    quantisation("Q5_K", 13, 176, 256, &[0, 2], q5_k),
    quantisation("Q6_K", 14, 210, 256, &[208], q6_k),
    quantisation("IQ4_NL", 20, 18, 32, &[0], iq4_nl),
    quantisation("IQ4_XS", 23, 136, 256, &[0], iq4_xs),
    quantisation("TQ1_0", 34, 54, 256, &[52], tq1_0),
    quantisation("TQ2_0", 35, 66, 256, &[64], tq2_0),
    quantisation("MXFP4", MXFP4, 17, 32, &[], mxfp4),
];

const fn quantisation(
    name: &'static str,
    kind: u32,
    bytes: usize,
    values: usize,
    scales: &'static [usize],
    decode: fn(&[u8]) -> Vec<f32>,
) -> Quantisation {
    Quantisation {
        name,
        kind,
        bytes,
        values,
        scales,
        decode,
    }
}

impl Quantisation {
    /// `count` blocks of random content with scales like those of a model.
    pub(crate) fn random(&self, count: usize, random: &mut Random) -> Vec<u8> {
        let mut out = Vec::with_capacity(count * self.bytes);
        for _ in 0..count {
            let mut block: Vec<u8> = (0..self.bytes).map(|_| random.byte()).collect();
            for at in self.scales {
                let scale = f16::from_f32((random.next() % 1000) as f32 / 50_000.0 - 0.01);
                block[*at..at + 2].copy_from_slice(&scale.to_le_bytes());
            }
            if self.kind == MXFP4 {
                block[0] = 118 + block[0] % 4;
            }
            out.extend(block);
        }
        out
    }

    pub(crate) fn decode(&self, bytes: &[u8]) -> Vec<f32> {
        bytes.chunks(self.bytes).flat_map(self.decode).collect()
    }
}

fn scale(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// Value `j` of thirty-two four-bit values, the second half in the high bits.
fn nibble(qs: &[u8], j: usize) -> i32 {
    i32::from(if j < 16 { qs[j] & 15 } else { qs[j - 16] >> 4 })
}

fn q4_0(b: &[u8]) -> Vec<f32> {
    let d = scale(b, 0);
    (0..32)
        .map(|j| (nibble(&b[2..], j) - 8) as f32 * d)
        .collect()
}

fn q4_1(b: &[u8]) -> Vec<f32> {
    let (d, m) = (scale(b, 0), scale(b, 2));
    (0..32).map(|j| nibble(&b[4..], j) as f32 * d + m).collect()
}

fn fifth_bit(bytes: &[u8], j: usize) -> i32 {
    let bits = u32::from_le_bytes(bytes[..4].try_into().unwrap());
    ((bits >> j & 1) << 4) as i32
}

fn q5_0(b: &[u8]) -> Vec<f32> {
    let d = scale(b, 0);
    let value = |j| nibble(&b[6..], j) | fifth_bit(&b[2..], j);
    (0..32).map(|j| (value(j) - 16) as f32 * d).collect()
}

fn q5_1(b: &[u8]) -> Vec<f32> {
    let (d, m) = (scale(b, 0), scale(b, 2));
    let value = |j| nibble(&b[8..], j) | fifth_bit(&b[4..], j);
    (0..32).map(|j| value(j) as f32 * d + m).collect()
}

fn q8_0(b: &[u8]) -> Vec<f32> {
    let d = scale(b, 0);
    b[2..].iter().map(|q| f32::from(*q as i8) * d).collect()
}

fn q2_k(b: &[u8]) -> Vec<f32> {
    let (scales, qs) = (&b[..16], &b[16..80]);
    let (d, dmin) = (scale(b, 80), scale(b, 82));
    (0..256)
        .map(|i| {
            let (half, within) = (i / 128, i % 128);
            let sc = scales[i / 16];
            let q = qs[half * 32 + within % 32] >> (within / 32 * 2) & 3;
            d * f32::from(sc & 15) * f32::from(q) - dmin * f32::from(sc >> 4)
        })
        .collect()
}

fn q3_k(b: &[u8]) -> Vec<f32> {
    let (hmask, qs, scales) = (&b[..32], &b[32..96], &b[96..108]);
    let d = scale(b, 108);
    (0..256)
        .map(|i| {
            let (half, within) = (i / 128, i % 128);
            let group = i / 16;
            let low = if group < 8 {
                scales[group] & 15
            } else {
                scales[group - 8] >> 4
            };
            let high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
            let sc = i32::from(low | high << 4) - 32;
            let q = i32::from(qs[half * 32 + within % 32] >> (within / 32 * 2) & 3);
            let bit = hmask[within % 32] >> (half * 4 + within / 32) & 1;
            let q = if bit == 0 { q - 4 } else { q };
            d * sc as f32 * q as f32
        })
        .collect()
}

/// Six-bit scale and minimum of the `j`th group of 32.
fn scale_and_minimum(packed: &[u8], j: usize) -> (f32, f32) {
    let (sc, m) = if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        (
            packed[j + 4] & 15 | packed[j - 4] >> 6 << 4,
            packed[j + 4] >> 4 | packed[j] >> 6 << 4,
        )
    };
    (f32::from(sc), f32::from(m))
}

fn q4_k(b: &[u8]) -> Vec<f32> {
    let (d, dmin) = (scale(b, 0), scale(b, 2));
    let (packed, qs) = (&b[4..16], &b[16..144]);
    (0..256)
        .map(|i| {
            let (sc, m) = scale_and_minimum(packed, i / 32);
            let q = qs[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
            d * sc * f32::from(q) - dmin * m
        })
        .collect()
}

fn q5_k(b: &[u8]) -> Vec<f32> {
    let (d, dmin) = (scale(b, 0), scale(b, 2));
    let (packed, qh, qs) = (&b[4..16], &b[16..48], &b[48..176]);
    (0..256)
        .map(|i| {
            let (sc, m) = scale_and_minimum(packed, i / 32);
            let q = qs[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
            let q = q + (qh[i % 32] >> (i / 32) & 1) * 16;
            d * sc * f32::from(q) - dmin * m
        })
        .collect()
}

fn q6_k(b: &[u8]) -> Vec<f32> {
    let (ql, qh, scales) = (&b[..128], &b[128..192], &b[192..208]);
    let d = scale(b, 208);
    (0..256)
        .map(|i| {
            let (half, within) = (i / 128, i % 128);
            let (quarter, l) = (within / 32, within % 32);
            let low = ql[half * 64 + quarter % 2 * 32 + l] >> (quarter / 2 * 4) & 15;
            let high = qh[half * 32 + l] >> (quarter * 2) & 3;
            let q = i32::from(low | high << 4) - 32;
            let sc = scales[half * 8 + quarter * 2 + l / 16] as i8;
            d * f32::from(sc) * q as f32
        })
        .collect()
}

const IQ4_VALUES: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

fn iq4_nl(b: &[u8]) -> Vec<f32> {
    let d = scale(b, 0);
    let value = |j| f32::from(IQ4_VALUES[nibble(&b[2..], j) as usize]);
    (0..32).map(|j| d * value(j)).collect()
}

fn iq4_xs(b: &[u8]) -> Vec<f32> {
    let d = scale(b, 0);
    let high = u16::from_le_bytes([b[2], b[3]]);
    (0..256)
        .map(|i| {
            let group = i / 32;
            let low = b[4 + group / 2] >> (group % 2 * 4) & 15;
            let sc = i32::from(low) | i32::from(high >> (group * 2) & 3) << 4;
            let code = nibble(&b[8 + group * 16..], i % 32) as usize;
            d * (sc - 32) as f32 * f32::from(IQ4_VALUES[code])
        })
        .collect()
}

/// Digit `n` in base three of a byte that stands for a fraction of 256.
fn digit(byte: u8, n: usize) -> f32 {
    let shifted = u32::from(byte) * 3u32.pow(n as u32) % 256;
    (shifted * 3 / 256) as f32
}

fn tq1_0(b: &[u8]) -> Vec<f32> {
    let d = scale(b, 52);
    (0..256)
        .map(|i| {
            let (byte, n) = match i {
                0..160 => (i % 32, i / 32),
                160..240 => (32 + (i - 160) % 16, (i - 160) / 16),
                _ => (48 + (i - 240) % 4, (i - 240) / 4),
            };
            d * (digit(b[byte], n) - 1.0)
        })
        .collect()
}

fn tq2_0(b: &[u8]) -> Vec<f32> {
    let d = scale(b, 64);
    (0..256)
        .map(|i| {
            let code = b[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
            d * (f32::from(code) - 1.0)
        })
        .collect()
}

/// A sign, two bits of exponent and one of fraction.
fn fp4(code: i32) -> f32 {
    let (sign, exponent, fraction) = (code >> 3, code >> 1 & 3, (code & 1) as f32);
    let magnitude = if exponent == 0 {
        fraction / 2.0
    } else {
        (1.0 + fraction / 2.0) * (1 << (exponent - 1)) as f32
    };
    if sign == 1 {
        -magnitude
    } else {
        magnitude
    }
}

fn mxfp4(b: &[u8]) -> Vec<f32> {
    let d = 2f32.powi(i32::from(b[0]) - 127);
    (0..32).map(|j| d * fp4(nibble(&b[1..], j))).collect()
}
