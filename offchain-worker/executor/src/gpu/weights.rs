//! The model's tensors on the device, in their stored layout.
//!
//! A tensor is one buffer, or several if it is larger than a kernel can address: matrices are cut between row
//! groups, the rotation table between positions. Matrices that share their input are neighbours in a
//! checkpoint, and one matrix here.

use super::device::{Buffer, Gpu};
use crate::ExecutorError;
use noema_numerics::{
    model::{Gains, Linear, RopeTable},
    tile::{TILE_BYTES, TILE_ROWS},
    BLOCK,
};

/// Matrices over the same inputs, stacked.
#[derive(Debug)]
pub(crate) struct Matrix {
    /// Blocks of an input.
    pub(crate) blocks: u32,
    /// Rows of all matrices together.
    pub(crate) rows: u32,
    /// Row group and exponent from which each of the one to three matrices begins.
    sections: Vec<(u32, i32)>,
    pub(crate) parts: Vec<Part>,
}

/// Consecutive rows of a tensor: row groups of a matrix, positions of the rotation table.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) buffer: Buffer,
}

impl Matrix {
    /// Uploads one to three matrices of equal columns. All but the last have whole row groups.
    pub(crate) fn upload(gpu: &Gpu, matrices: &[Linear<'_>]) -> Result<Self, ExecutorError> {
        let blocks = matrices.first().map_or(0, Linear::columns) / BLOCK;
        let mut sections = Vec::new();
        let mut groups = 0;
        let mut bytes: Vec<&[u8]> = Vec::new();
        for matrix in matrices {
            sections.push((groups, matrix.exponent()));
            groups += matrix.groups() as u32;
            bytes.push(matrix.tiles().as_flattened());
        }
        Ok(Self {
            blocks: blocks as u32,
            rows: matrices.iter().map(|matrix| matrix.rows() as u32).sum(),
            sections,
            parts: upload_parts(gpu, "weights", &bytes, blocks * TILE_BYTES)?,
        })
    }

    /// Parameters of the linear kernels for one part: see `wgsl/linear.wgsl`.
    ///
    /// Inputs are in units of `2^-input`, the outputs of each matrix in units of `2^-` its element of
    /// `outputs`.
    pub(crate) fn parameters(
        &self,
        part: &Part,
        input: i32,
        outputs: &[i32],
        add: bool,
    ) -> [u32; 12] {
        // A missing matrix begins where there is no row group.
        let section = |index: usize| self.sections.get(index).copied().unwrap_or((u32::MAX, 0));
        let exponent = |index| {
            let output = outputs.get(index).copied().unwrap_or(0);
            (section(index).1 - input + output).cast_unsigned()
        };
        [
            self.blocks,
            self.rows,
            part.first,
            part.count,
            section(1).0,
            section(2).0,
            exponent(0),
            exponent(1),
            exponent(2),
            u32::from(add),
            0,
            0,
        ]
    }

    /// Parameters of the kernel of experts for one part: see `wgsl/experts.wgsl`. The matrices are those of `count`
    /// experts, and `own_inputs` says whether each of the `chosen` ones has a part of the input.
    pub(crate) fn expert_parameters(
        &self,
        part: &Part,
        [count, chosen]: [u32; 2],
        own_inputs: bool,
        input: i32,
        outputs: &[i32],
    ) -> [u32; 11] {
        let exponents = self.sections.iter().zip(outputs);
        let mut exponents =
            exponents.map(|((_, weights), output)| (weights - input + output).cast_unsigned());
        let stacks = self.sections.len() as u32;
        [
            self.blocks,
            if own_inputs {
                chosen * self.blocks
            } else {
                self.blocks
            },
            u32::from(own_inputs),
            self.expert_groups(count),
            count,
            chosen,
            stacks,
            part.first,
            part.count,
            exponents.next().unwrap_or_default(),
            exponents.next().unwrap_or_default(),
        ]
    }

    /// Row groups that the chosen experts of a position write.
    pub(crate) fn chosen_groups(&self, [count, chosen]: [u32; 2]) -> u32 {
        self.sections.len() as u32 * chosen * self.expert_groups(count)
    }

    /// Row groups of one of `count` experts.
    fn expert_groups(&self, count: u32) -> u32 {
        self.rows / (self.sections.len() as u32 * count * TILE_ROWS as u32)
    }

    /// Parameters of the embedding kernel for one part, with its output in units of `2^-output`.
    pub(crate) fn embedding_parameters(&self, part: &Part, output: i32) -> [u32; 4] {
        let exponent = self.sections.first().map_or(0, |section| section.1);
        let exponent = (exponent + output).cast_unsigned();
        [self.blocks, part.first, part.count, exponent]
    }
}

/// Uploads the gains of a norm.
pub(crate) fn upload_gains(gpu: &Gpu, gains: &Gains<'_>) -> Result<Buffer, ExecutorError> {
    upload_vector(gpu, gains.values())
}

/// Uploads integers.
pub(crate) fn upload_vector(
    gpu: &Gpu,
    values: impl Iterator<Item = i32>,
) -> Result<Buffer, ExecutorError> {
    let bytes: Vec<u8> = values.flat_map(i32::to_le_bytes).collect();
    let buffer = gpu.storage("weights", bytes.len() as u64)?;
    gpu.upload(&buffer, 0, &bytes)?;
    Ok(buffer)
}

/// Uploads the first `positions` positions of a rotation table.
pub(crate) fn upload_rope(
    gpu: &Gpu,
    table: &RopeTable<'_>,
    positions: usize,
) -> Result<Vec<Part>, ExecutorError> {
    let row = table.half() * 8;
    let mut bytes = Vec::with_capacity(positions * row);
    for position in 0..positions {
        for (cos, sin) in table.row(position) {
            bytes.extend(cos.to_le_bytes());
            bytes.extend(sin.to_le_bytes());
        }
    }
    upload_parts(gpu, "weights", &[&bytes], row)
}

/// Uploads pieces, each a whole number of rows of `row` bytes, as one array, cut where necessary.
fn upload_parts(
    gpu: &Gpu,
    what: &'static str,
    pieces: &[&[u8]],
    row: usize,
) -> Result<Vec<Part>, ExecutorError> {
    let largest = usize::try_from(gpu.largest_binding() / row as u64).unwrap_or(usize::MAX);
    if largest == 0 {
        return Err(gpu.no_room(what, row as u64, gpu.largest_binding()));
    }
    let mut rows: usize = pieces.iter().map(|piece| piece.len() / row).sum();
    let mut pieces = pieces.iter().copied();
    let mut piece: &[u8] = &[];
    let mut parts = Vec::new();
    let mut first = 0;
    while rows > 0 {
        let count = rows.min(largest);
        let buffer = gpu.storage(what, (count * row) as u64)?;
        let mut filled = 0;
        while filled < count * row {
            if piece.is_empty() {
                piece = pieces.next().unwrap_or_default();
            }
            let (now, later) = piece.split_at(piece.len().min(count * row - filled));
            gpu.upload(&buffer, filled as u64, now)?;
            filled += now.len();
            piece = later;
        }
        parts.push(Part {
            first,
            count: count as u32,
            buffer,
        });
        first += count as u32;
        rows -= count;
    }
    Ok(parts)
}
