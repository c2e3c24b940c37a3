//! Buffers of a pass, for a bounded number of rows.

use super::{
    device::{bytes_of, Buffer, Gpu},
    kernels::Kernels,
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
    /// i32 `[row][hidden]`.
    pub(crate) residual: Buffer,
    /// Blocks of the linear layers' inputs, as `wgsl/blocks.wgsl` describes.
    pub(crate) mantissas: Buffer,
    pub(crate) shifts: Buffer,
    /// i32 `[row]`: queries, keys and values, or gates and ups.
    pub(crate) wide: Buffer,
    /// i32 `[row]`: the input of the next block quantisation.
    pub(crate) narrow: Buffer,
    /// i32 or u32 `[row][head][position]`.
    pub(crate) scores: Buffer,
    /// Blocks of the final hidden vectors.
    pub(crate) hidden_mantissas: Buffer,
    pub(crate) hidden_shifts: Buffer,
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
        rows: Option<usize>,
    ) -> Result<Self, ExecutorError> {
        let hidden = u64::from(a.hidden);
        let attention = a.attention_width() as u64;
        let projected = attention + 2 * a.kv_width() as u64;
        let gated = u64::from(a.feed_forward);
        let vector = hidden.max(attention).max(gated);
        let wide = projected.max(2 * gated);
        // Per row: elements of every vector, and two bytes for each mantissa.
        let row = 4 * (hidden + wide + vector) + 2 * (vector + hidden);
        let most = gpu.largest_binding() / (4 * wide);
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
        Ok(Self {
            rows: rows as usize,
            residual: gpu.storage(what, rows * hidden * 4)?,
            mantissas: gpu.storage(what, rows * vector * 2)?,
            shifts: gpu.storage(what, rows * shifts(vector))?,
            wide: gpu.storage(what, rows * wide * 4)?,
            narrow: gpu.storage(what, rows * vector * 4)?,
            scores: gpu.storage("the scores of attention", scores)?,
            hidden_mantissas: gpu.storage(what, rows * hidden * 2)?,
            hidden_shifts: gpu.storage(what, rows * shifts(hidden))?,
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
}
