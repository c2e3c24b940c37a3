//! The outputs of the steps of a trace, from the values of a pass: those of [`noema_trace`]'s definition, bit for bit.
//!
//! What a step writes that an operator does not keep, such as the range of a vector or the scores of attention, is
//! computed here again from what the operator reads. The few steps of a position that nothing depends on for speed are
//! computed by the definition itself.

mod attention;
mod sampling;

use super::{
    kernels::CpuKernels,
    pass::{Seen, Watch},
    rows,
};
use crate::trace::{Carried, Joiner, Part};
use noema_numerics::{
    blocks,
    experts::{self, Experts},
    head_norm::epsilon_drop,
    linear::{base_shift, output_exponent, round_sum},
    model::{Gains, Linear},
    network::{NetworkOperator, Value},
    norm::{self, Normaliser},
    tile::TILE_ROWS,
    Model, BLOCK,
};
use noema_trace::{
    LinearCut, Operation, StepPlace, StepSource, TokenList, TraceShape, PART, PART_TILES,
};
use std::{cell::RefCell, collections::BTreeMap, ops::Range};

/// Most bytes of the sums of a linear layer in parts.
const SUM_BYTES: usize = 32 << 20;

/// Appends integers.
fn write_i32(bytes: &mut Vec<u8>, values: &[i32]) {
    let start = bytes.len();
    bytes.resize(start + values.len() * 4, 0);
    for (bytes, value) in bytes[start..].as_chunks_mut().0.iter_mut().zip(values) {
        *bytes = value.to_le_bytes();
    }
}

/// Appends integers.
fn write_u64(bytes: &mut Vec<u8>, values: impl IntoIterator<Item = u64>) {
    values
        .into_iter()
        .for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
}

/// A position of the batch.
struct Row<'a> {
    position: u32,
    part: Part<'a>,
    /// Outputs of the position that the definition reads.
    recent: BTreeMap<u64, Vec<u8>>,
}

/// Records the outputs of the steps of consecutive positions while a pass executes them.
pub(super) struct Recorder<'a> {
    shape: &'a TraceShape<'a>,
    model: &'a Model<'a>,
    kernels: &'a CpuKernels,
    /// Prompt or text, and answer.
    tokens: [&'a [u32]; 2],
    /// The operation of each step of the network.
    operations: Vec<usize>,
    rows: Vec<Row<'a>>,
    /// The rows whose logits are computed.
    with_logits: Range<usize>,
    carried: &'a mut Carried,
}

/// What the definition reads.
struct Source<'a> {
    recent: &'a BTreeMap<u64, Vec<u8>>,
    carried: &'a Carried,
    tokens: [&'a [u32]; 2],
}

impl StepSource for Source<'_> {
    fn output(&self, step: u64) -> Option<&[u8]> {
        let found = self.recent.get(&step).or_else(|| self.carried.get(&step));
        found.map(Vec::as_slice)
    }

    fn tiles(&self, _: Range<u64>) -> Option<&[u8]> {
        None
    }

    fn token(&self, list: TokenList, index: u32) -> Option<u32> {
        let [given, answer] = self.tokens;
        let tokens = match list {
            TokenList::Given => given,
            TokenList::Answer => answer,
        };
        tokens.get(index as usize).copied()
    }
}

impl<'a> Recorder<'a> {
    /// For a pass over `positions`, from which `joiner` takes what it wants.
    pub(super) fn new(
        (shape, model, kernels): (&'a TraceShape<'a>, &'a Model<'a>, &'a CpuKernels),
        tokens: [&'a [u32]; 2],
        positions: Range<u32>,
        joiner: &Joiner<'a>,
        carried: &'a mut Carried,
    ) -> Self {
        let mut operations = vec![0; model.network().steps().len()];
        for (index, operation) in shape.operations().iter().enumerate() {
            if let Operation::Network(step) = operation {
                operations[*step] = index;
            }
        }
        let rows: Vec<Row<'_>> = positions
            .map(|position| Row {
                position,
                part: Part::new(joiner.wanted(), shape.steps()),
                recent: BTreeMap::new(),
            })
            .collect();
        let has_logits = |row: &Row<'_>| {
            let steps = shape.first_step(shape.layer_operations(), row.position)
                ..shape.steps_at(row.position).end;
            row.position >= shape.first_wanted() && joiner.wanted().touches(steps)
        };
        let first = rows.iter().position(has_logits).unwrap_or(0);
        let end = rows
            .iter()
            .rposition(has_logits)
            .map_or(first, |last| last + 1);
        Self {
            shape,
            model,
            kernels,
            tokens,
            operations,
            rows,
            with_logits: first..end,
            carried,
        }
    }

    /// The rows whose logits are computed.
    pub(super) fn with_logits(&self) -> Range<usize> {
        self.with_logits.clone()
    }

    /// Calls `work` for each of some rows of which something of `operation` is wanted, with its index among them.
    fn each(
        &mut self,
        operation: usize,
        rows: Range<usize>,
        work: impl Fn(usize, &mut Row<'a>) + Sync,
    ) {
        let shape = self.shape;
        self.kernels.for_each(&mut self.rows[rows], |index, row| {
            if row.begin(shape, operation) {
                work(index, row);
            }
        });
    }

    /// The rows that the values of a step belong to.
    fn rows_of(&self, operation: usize) -> Range<usize> {
        match operation < self.shape.layer_operations() {
            true => 0..self.rows.len(),
            false => self.with_logits(),
        }
    }

    /// The outputs of a linear layer whose reduction has several parts.
    fn linear_in_parts(
        &mut self,
        (operation, cut): (usize, LinearCut),
        weights: &Linear<'_>,
        (input, output): (Value, Value),
        seen: Seen<'_>,
    ) {
        let (rows, kernels) = (self.rows_of(operation), self.kernels);
        let input = seen.blocks[input.index()].view();
        let width = weights.groups() * TILE_ROWS;
        let fraction = self.model.network().fraction(output);
        let exponent = output_exponent(weights, 0, input.fraction(), fraction);
        let together = (SUM_BYTES / (width * 24)).max(1);
        for first in (0..rows.len()).step_by(together) {
            let batch = first..rows.len().min(first + together);
            let count = batch.len();
            let vectors = input.slice(batch.clone());
            let (mut sums, mut totals) = (vec![0i64; count * width], vec![0i128; count * width]);
            let batch = rows.start + batch.start..rows.start + batch.end;
            let shape = self.shape;
            kernels.for_each(&mut self.rows[batch.clone()], |_, row| {
                row.begin(shape, operation);
            });
            for chunk in 0..cut.chunks {
                let start = chunk as usize * PART_TILES;
                let blocks = start..cut.blocks.min(start + PART_TILES);
                kernels.part_sums(weights, blocks.clone(), vectors, &mut sums);
                let bases = (0..count).map(|row| base_shift(&vectors.row(row).1[blocks.clone()]));
                let pairs = totals.chunks_mut(width).zip(sums.chunks(width));
                for ((totals, sums), base) in pairs.zip(bases) {
                    for (total, sum) in totals.iter_mut().zip(sums) {
                        *total += i128::from(*sum) << base;
                    }
                }
                let is_last = chunk + 1 == cut.chunks;
                kernels.for_each(&mut self.rows[batch.clone()], |index, row| {
                    let totals = &totals[index * width..][..width];
                    let rows = if is_last { weights.rows() } else { width };
                    for part in totals[..rows].chunks(cut.groups * TILE_ROWS) {
                        row.part.push(|bytes| match is_last {
                            true => part.iter().for_each(|sum| {
                                let value = round_sum(*sum, exponent);
                                bytes.extend_from_slice(&value.to_le_bytes());
                            }),
                            false => part
                                .iter()
                                .for_each(|sum| bytes.extend_from_slice(&sum.to_le_bytes())),
                        });
                    }
                });
            }
        }
    }

    /// The outputs of experts whose reduction has several parts, one position after the other.
    fn experts_in_parts(
        &mut self,
        (operation, cut): (usize, LinearCut),
        weights: &Experts<'_>,
        (routes, input, output): (Value, Value, Value),
        seen: Seen<'_>,
    ) {
        let (rows, kernels, shape) = (self.rows_of(operation), self.kernels, self.shape);
        let network = self.model.network();
        let (chosen, width) = (network.width(routes) / 2, weights.rows());
        let routes = seen.integers[routes.index()].chunks_exact(2 * chosen);
        let input = seen.blocks[input.index()].view();
        let exponent = output_exponent(
            &weights.matrix(0),
            0,
            input.fraction(),
            network.fraction(output),
        );
        let mut sums = vec![0i64; width];
        for (index, (row, routes)) in self.rows[rows].iter_mut().zip(routes).enumerate() {
            if !row.begin(shape, operation) {
                continue;
            }
            let mut totals = vec![0i128; chosen * width];
            for chunk in 0..cut.chunks {
                let start = chunk as usize * PART_TILES;
                let blocks = start..cut.blocks.min(start + PART_TILES);
                let slots = routes[..chosen].iter().zip(totals.chunks_mut(width));
                for (slot, (route, totals)) in slots.enumerate() {
                    let matrix = weights.matrix(weights.index(*route));
                    let vector = experts::input_of(weights, input, index, slot);
                    kernels.part_sums(&matrix, blocks.clone(), vector, &mut sums);
                    let base = base_shift(&vector.row(0).1[blocks.clone()]);
                    for (total, sum) in totals.iter_mut().zip(&sums) {
                        *total += i128::from(*sum) << base;
                    }
                }
                let is_last = chunk + 1 == cut.chunks;
                for part in totals.chunks(cut.rows()) {
                    row.part.push(|bytes| match is_last {
                        true => part.iter().for_each(|sum| {
                            let value = round_sum(*sum, exponent);
                            bytes.extend_from_slice(&value.to_le_bytes());
                        }),
                        false => part
                            .iter()
                            .for_each(|sum| bytes.extend_from_slice(&sum.to_le_bytes())),
                    });
                }
            }
        }
    }

    /// Steps that the definition computes, from what is at hand, one position after the other.
    fn define(&mut self, operation: usize, rows: Range<usize>) {
        let (shape, tokens) = (self.shape, self.tokens);
        for row in &mut self.rows[rows] {
            if !row.begin(shape, operation) {
                continue;
            }
            let pieces = shape
                .stage(operation, 0, row.position)
                .map_or(0, |(_, pieces)| pieces);
            for piece in 0..pieces {
                let place = StepPlace {
                    position: row.position,
                    operation,
                    stage: 0,
                    piece,
                };
                let step = shape.first_step(operation, row.position) + piece;
                let output = match self.carried.get(&step) {
                    Some(output) => output.clone(),
                    None => {
                        let source = Source {
                            recent: &row.recent,
                            carried: self.carried,
                            tokens,
                        };
                        let output = shape.output(&place, &source);
                        output.expect("the pass computed what the step reads; qed")
                    }
                };
                row.part.push(|bytes| bytes.extend_from_slice(&output));
                self.carried.insert(step, output);
            }
        }
    }

    /// The steps after the logits, which are row-major.
    pub(super) fn after_logits(&mut self, logits: &[i32]) {
        let shape = self.shape;
        let (tokens, with_logits) = (self.tokens, self.with_logits());
        let vocabulary = self.model.architecture().vocabulary as usize;
        let carried = &*self.carried;
        self.kernels
            .for_each(&mut self.rows[with_logits.clone()], |index, row| {
                let logits = &logits[index * vocabulary..][..vocabulary];
                let source = Source {
                    recent: &BTreeMap::new(),
                    carried,
                    tokens,
                };
                sampling::sample(shape, row, logits, &source);
            });
        for (operation, kind) in shape.operations().iter().enumerate() {
            match kind {
                Operation::Answered | Operation::Loss => {
                    self.define(operation, with_logits.clone());
                }
                Operation::Tokens | Operation::Outcome => {
                    let is_last = |row: &Row<'_>| row.position + 1 == shape.positions();
                    let rows = self.rows.iter().position(is_last);
                    if let Some(row) = rows.filter(|row| with_logits.contains(row)) {
                        self.define(operation, row..row + 1);
                    }
                }
                _ => {}
            }
        }
    }

    /// Gives what was found to `joiner`, in order.
    pub(super) fn finish(self, joiner: &mut Joiner<'_>) {
        let (mut rows, kernels) = (self.rows, self.kernels);
        kernels.for_each(&mut rows, |_, row| row.part.flush());
        rows.into_iter().for_each(|row| row.part.finish(joiner));
    }
}

impl Row<'_> {
    /// Prepares for the steps of an operation; returns whether anything of them is wanted.
    fn begin(&mut self, shape: &TraceShape<'_>, operation: usize) -> bool {
        let at = |operation| shape.first_step(operation, self.position);
        self.part.begin(at(operation)..at(operation + 1))
    }

    /// The parts of a vector.
    fn parts(&mut self, values: &[i32], elements: usize) {
        for part in values.chunks(elements) {
            self.part.push(|bytes| write_i32(bytes, part));
        }
    }

    /// The range of a vector up to each of its parts; returns that of the whole.
    fn ranges(&mut self, values: &[i32]) -> u32 {
        values.chunks(PART).fold(0, |range, part| {
            let range = range.max(blocks::range(part));
            self.part
                .push(|bytes| bytes.extend_from_slice(&range.to_le_bytes()));
            range
        })
    }

    /// The range of a vector and its sum of squares, up to each of its parts.
    fn squares(&mut self, values: &[i32]) -> (u32, u64) {
        let range = self.ranges(values);
        let squares = values.chunks(PART).fold(0, |sum: u64, part| {
            let sum = sum.wrapping_add(norm::squares(part, range));
            self.part
                .push(|bytes| bytes.extend_from_slice(&sum.to_le_bytes()));
            sum
        });
        (range, squares)
    }

    /// Keeps a hidden vector for the step that hashes it, which is in the next operation.
    fn keep_hidden(&mut self, (mantissas, shifts): (&[i16], &[u8])) {
        let first = self.part.next_step();
        let parts = mantissas.chunks(PART).zip(shifts.chunks(PART / BLOCK));
        for (step, (mantissas, shifts)) in (first..).zip(parts) {
            let mut output = Vec::new();
            write_blocks(&mut output, mantissas, shifts);
            self.recent.insert(step, output);
        }
    }

    /// The parts of a vector in blocks.
    fn blocks(&mut self, (mantissas, shifts): (&[i16], &[u8])) {
        for (mantissas, shifts) in mantissas.chunks(PART).zip(shifts.chunks(PART / BLOCK)) {
            self.part
                .push(|bytes| write_blocks(bytes, mantissas, shifts));
        }
    }

    fn norm(&mut self, gains: &Gains<'_>, epsilon_q32: u32, drop: u32, input: &[i32]) -> Vec<i32> {
        let (range, squares) = self.squares(input);
        let normaliser = Normaliser::of_sums(input.len(), range, squares, epsilon_q32, drop);
        let scaled = input.iter().zip(gains.values());
        let scaled: Vec<i32> = scaled
            .map(|(x, g)| norm::scale(&normaliser, *x, g))
            .collect();
        self.parts(&scaled, PART);
        scaled
    }
}

fn write_blocks(bytes: &mut Vec<u8>, mantissas: &[i16], shifts: &[u8]) {
    let start = bytes.len();
    bytes.resize(start + mantissas.len() * 2, 0);
    for (bytes, value) in bytes[start..].as_chunks_mut().0.iter_mut().zip(mantissas) {
        *bytes = value.to_le_bytes();
    }
    bytes.extend_from_slice(shifts);
}

/// A key or value as it is stored.
fn write_stored(bytes: &mut Vec<u8>, quants: &[i8], scales: &[u32]) {
    bytes.extend(quants.iter().map(|quant| quant.cast_unsigned()));
    scales
        .iter()
        .for_each(|scale| bytes.extend_from_slice(&scale.to_le_bytes()));
}

impl Watch for Recorder<'_> {
    fn before(&mut self, step: usize, seen: Seen<'_>) {
        let operation = self.operations[step];
        let network = self.model.network();
        if let NetworkOperator::HeadNorm { value, .. } = network.steps()[step].operator
            && self.shape.norms_whole(operation)
        {
            let width = network.width(value);
            let values = &seen.integers[value.index()];
            self.each(operation, self.rows_of(operation), |index, row| {
                row.squares(&values[index * width..][..width]);
            });
        }
    }

    fn after(&mut self, step: usize, seen: Seen<'_>) {
        let operation = self.operations[step];
        let (shape, model, kernels) = (self.shape, self.model, self.kernels);
        let network = model.network();
        let rows = self.rows_of(operation);
        let vector = |value: Value, row: usize| {
            let width = network.width(value);
            &seen.integers[value.index()][row * width..][..width]
        };
        let heads = shape.heads_in_part() * model.architecture().head_dim as usize;
        match network.steps()[step].operator {
            NetworkOperator::Embedding { output: value, .. }
            | NetworkOperator::Bias { value, .. }
            | NetworkOperator::Add { value, .. } => {
                self.each(operation, rows, |index, row| {
                    row.parts(vector(value, index), PART);
                });
            }
            NetworkOperator::Norm {
                gains,
                epsilon_q32,
                input,
                output,
            } => {
                let (gains, drop) = (model.gains(gains), epsilon_drop(network.fraction(input)));
                let is_hidden = output == network.hidden();
                self.each(operation, rows, |index, row| {
                    let scaled = row.norm(&gains, epsilon_q32, drop, vector(input, index));
                    row.ranges(&scaled);
                    let vector = seen.blocks[output.index()].view().row(index);
                    if is_hidden {
                        row.keep_hidden(vector);
                    }
                    row.blocks(vector);
                });
            }
            NetworkOperator::Linear {
                weights,
                input,
                output,
            } => {
                let weights = model.linear(weights);
                let cut = LinearCut::new(weights.rows(), weights.columns());
                if cut.chunks > 1 {
                    self.linear_in_parts((operation, cut), &weights, (input, output), seen);
                } else {
                    self.each(operation, rows, |index, row| {
                        row.parts(vector(output, index), cut.groups * TILE_ROWS);
                    });
                }
            }
            NetworkOperator::HeadNorm { value, .. } if shape.norms_whole(operation) => {
                // The stages before this one are recorded before the step.
                let width = network.width(value);
                let skipped = 2 * width.div_ceil(PART) as u64;
                self.each(operation, rows, |index, row| {
                    row.part.skip(skipped);
                    row.parts(vector(value, index), PART);
                });
            }
            NetworkOperator::HeadNorm { value, .. } | NetworkOperator::Rope { value, .. } => {
                self.each(operation, rows, |index, row| {
                    row.parts(vector(value, index), heads);
                });
            }
            NetworkOperator::Store { cache, .. } => {
                let layer = seen.cache.layer(cache as usize);
                let (heads, head_dim) = (layer.heads(), layer.head_dim());
                self.each(operation, rows, |_, row| {
                    let at = row.position as usize * head_dim;
                    let blocks = at / BLOCK..(at + head_dim) / BLOCK;
                    let keys = (0..heads).map(|head| layer.keys(head));
                    for stored in keys.chain((0..heads).map(|head| layer.values(head))) {
                        let quants = &stored.quants[at..at + head_dim];
                        let scales = &stored.scales[blocks.clone()];
                        row.part.push(|bytes| write_stored(bytes, quants, scales));
                    }
                });
            }
            NetworkOperator::Attention {
                cache,
                window,
                queries,
                ..
            } => {
                let layer = seen.cache.layer(cache as usize);
                let together = shape.heads_together();
                self.each(operation, rows, |index, row| {
                    let queries = vector(queries, index);
                    attention::attention(kernels.level, layer, (together, window), row, queries);
                });
            }
            NetworkOperator::Quantise { input, output } => {
                self.each(operation, rows, |index, row| {
                    row.ranges(vector(input, index));
                    row.blocks(seen.blocks[output.index()].view().row(index));
                });
            }
            NetworkOperator::Swiglu { gate, up, output } => {
                self.each(operation, rows, |index, row| {
                    let pair = (vector(gate, index), vector(up, index));
                    let written = seen.blocks[output.index()].view().row(index);
                    gated::<false>(kernels, row, pair, written);
                });
            }
            NetworkOperator::Geglu { gate, up, output } => {
                self.each(operation, rows, |index, row| {
                    let pair = (vector(gate, index), vector(up, index));
                    let written = seen.blocks[output.index()].view().row(index);
                    gated::<true>(kernels, row, pair, written);
                });
            }
            NetworkOperator::Route { output, .. } => {
                let width = network.width(output);
                self.each(operation, rows, |index, row| {
                    row.parts(vector(output, index), width);
                });
            }
            NetworkOperator::Experts {
                weights,
                count,
                routes,
                input,
                output,
            } => {
                let cut = shape.cut(operation).expect("experts have matrices; qed");
                if cut.chunks > 1 {
                    let weights = model.experts(weights, count as usize);
                    self.experts_in_parts(
                        (operation, cut),
                        &weights,
                        (routes, input, output),
                        seen,
                    );
                } else {
                    self.each(operation, rows, |index, row| {
                        row.parts(vector(output, index), cut.rows());
                    });
                }
            }
            NetworkOperator::Mix { output, .. } => {
                let elements = shape.mixed_elements(operation).expect("a mixture; qed");
                self.each(operation, rows, |index, row| {
                    row.parts(vector(output, index), elements);
                });
            }
        }
        if shape.operations().get(operation + 1) == Some(&Operation::State) {
            self.define(operation + 1, self.with_logits());
        }
    }
}

/// The steps of a gated product, of which the operator keeps only the blocks.
fn gated<const GELU: bool>(
    kernels: &CpuKernels,
    row: &mut Row<'_>,
    (gate, up): (&[i32], &[i32]),
    written: (&[i16], &[u8]),
) {
    thread_local!(static BUFFERS: RefCell<(Vec<i32>, Vec<i16>, Vec<u8>)> = RefCell::default());
    BUFFERS.with_borrow_mut(|(products, mantissas, shifts)| {
        products.resize(gate.len(), 0);
        mantissas.resize(gate.len(), 0);
        shifts.resize(gate.len() / BLOCK, 0);
        kernels.level.run(rows::Gated::<GELU> {
            gate,
            up,
            buffer: products,
            mantissas,
            shifts,
        });
        row.parts(products, PART);
        row.ranges(products);
    });
    row.blocks(written);
}
