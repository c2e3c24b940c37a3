//! Buffers of a pass, for a bounded number of rows.

use super::{
    device::{bytes_of, Buffer, Gpu},
    kernels::Kernels,
    lower::{Lowered, Vector},
    plan::{most_window_bytes, Room, MOST_ROWS},
};
use crate::ExecutorError;
use noema_numerics::{exp2, Architecture, BLOCK};

/// Bytes for the vectors of a chunk: enough rows to fill a large device, little compared with the weights.
const VECTOR_BYTES: u64 = 48 << 20;
/// Rows of a chunk, unless memory allows even less.
const LEAST_ROWS: u64 = 8;
/// Bytes for the scores of attention, if one row needs less.
const SCORE_BYTES: u64 = 64 << 20;
/// Bytes for logits, if one row needs less.
const LOGIT_BYTES: u64 = 16 << 20;

/// The buffers, and their limits.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Rows of a chunk.
    pub(crate) rows: usize,
    /// i32 `[row]`, by place.
    integers: Vec<Buffer>,
    /// Mantissas and shifts as `wgsl/blocks.wgsl` describes, by place.
    blocks: Vec<[Buffer; 2]>,
    /// Place of each vector.
    places: Vec<usize>,
    /// i32 or u32 `[row][head][position]`.
    pub(crate) scores: Buffer,
    /// i32 `[row][vocabulary]`.
    pub(crate) logits: Buffer,
    /// The table of `noema_numerics::exp2`.
    pub(crate) powers: Buffer,
    /// Windows on the rows of a chunk, and their binding.
    pub(crate) windows: Buffer,
    pub(crate) window_group: wgpu::BindGroup,
    /// The parameters of the layout of windows.
    pub(crate) room: Room,
}

impl Scratch {
    /// Creates buffers for chunks of `rows` rows, or of a default number.
    pub(crate) fn new(
        gpu: &Gpu,
        kernels: &Kernels,
        a: &Architecture,
        lowered: &Lowered,
        rows: Option<usize>,
    ) -> Result<Self, ExecutorError> {
        let widths = |widths: &[usize]| widths.iter().map(|width| *width as u64).collect();
        let (integers, blocks): (Vec<u64>, Vec<u64>) =
            (widths(&lowered.integers), widths(&lowered.blocks));
        // Per row: four bytes for each integer, and two for each mantissa.
        let row = 4 * integers.iter().sum::<u64>() + 2 * blocks.iter().sum::<u64>();
        let widest = integers.iter().copied().max().unwrap_or(1);
        let most = gpu.largest_binding() / (4 * widest);
        let rows = match rows {
            Some(rows) => rows as u64,
            None => (VECTOR_BYTES.min(gpu.left() / 8) / row).max(LEAST_ROWS),
        }
        .clamp(1, most.clamp(1, MOST_ROWS as u64));
        let what = "the vectors of a pass";
        let shifts = |elements: u64| (elements / BLOCK as u64 + 1) * 4;

        let heads = u64::from(a.heads);
        let context = u64::from(a.context_length).next_multiple_of(BLOCK as u64);
        let score_row = heads * context * 4;
        let scores = (rows * score_row).min(SCORE_BYTES.min(gpu.left() / 8).max(score_row));
        let logit_row = u64::from(a.vocabulary) * 4;
        let logit_rows = (LOGIT_BYTES / logit_row).clamp(1, rows);

        let alignment = u64::from(gpu.raw().limits().min_uniform_buffer_offset_alignment);
        let alignment = alignment.max(16);
        let windows = gpu.buffer(
            what,
            most_window_bytes(rows, alignment),
            wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        )?;
        let window_group = kernels.bind_windows(gpu, &windows)?;
        let powers = gpu.storage(what, exp2::TABLE.len() as u64 * 4)?;
        gpu.write(&powers, 0, &bytes_of(&exp2::TABLE));
        let integers = integers
            .into_iter()
            .map(|width| gpu.storage(what, rows * width * 4))
            .collect::<Result<_, _>>()?;
        let blocks = blocks
            .into_iter()
            .map(|width| {
                let mantissas = gpu.storage(what, rows * width * 2)?;
                Ok([mantissas, gpu.storage(what, rows * shifts(width))?])
            })
            .collect::<Result<_, ExecutorError>>()?;
        Ok(Self {
            rows: rows as usize,
            integers,
            blocks,
            places: lowered.places.clone(),
            scores: gpu.storage("the scores of attention", scores)?,
            logits: gpu.storage("logits", logit_rows * logit_row)?,
            powers,
            windows,
            window_group,
            room: Room {
                alignment: alignment as usize / 4,
                logits: logit_rows as u32,
                scores: scores / 4,
                heads,
            },
        })
    }

    /// The buffer of a vector of integers.
    pub(crate) fn integers(&self, vector: Vector) -> &Buffer {
        &self.integers[self.places[vector]]
    }

    /// Mantissas and shifts of a vector of blocks.
    pub(crate) fn blocks(&self, vector: Vector) -> [&Buffer; 2] {
        self.blocks[self.places[vector]].each_ref()
    }
}
