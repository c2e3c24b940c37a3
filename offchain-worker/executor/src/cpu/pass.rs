//! One pass over the weights for several sequences: the steps of `noema_numerics::Network`, in runs that are
//! computed together.
//!
//! The positions of all segments are the rows of one batch. Linear layers, norms and activations work on each
//! row independently of its sequence; rotation, cache and attention work on the rows of one sequence at a
//! time. Long work is cut into chunks of rows, each of which passes through all layers: that bounds memory
//! and changes no bit.

use super::{
    experts::ExpertsOutput,
    kernels::{CpuKernels, LinearOutput},
    member::Member,
};
use crate::{Output, Segment};
use noema_numerics::{
    bias::bias,
    embedding::embedding,
    network::{NetworkOperator, Step, Value},
    Blocks, Kernels, KvCache, Model,
};
use std::{mem, ops::Range};

/// Rows that pass through the layers together.
const CHUNK: usize = 128;

/// Rows that pass through the output head together: bounds the memory that the kernel needs beside the
/// logits.
const HEAD_CHUNK: usize = 32;

/// Buffers of a chunk, grown to the largest chunk seen.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pieces: Vec<Piece>,
    /// The tokens of all pieces.
    tokens: Vec<u32>,
    /// Values by index.
    integers: Vec<Vec<i32>>,
    blocks: Vec<Blocks>,
}

/// Sees what the steps of a pass over a single segment read and write. The rows of the values are the positions of a
/// chunk, or those of them whose hidden vectors are requested.
pub(super) trait Watch {
    /// Before a step that works on each row by itself.
    fn before(&mut self, step: usize, seen: Seen<'_>);
    /// After a step, and those that are computed together with it.
    fn after(&mut self, step: usize, seen: Seen<'_>);
}

/// The values of a pass, by index, and the cache of its segment.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) integers: &'a [Vec<i32>],
    pub(super) blocks: &'a [Blocks],
    pub(super) cache: &'a KvCache,
}

/// The part of a segment that is in the chunk.
#[derive(Clone, Debug)]
struct Piece {
    segment: usize,
    /// Indices of its tokens in the segment.
    tokens: Range<usize>,
    /// Position of the first.
    start: usize,
}

/// A pass; its segments are valid for its members, which are in the same order.
pub(super) struct Pass<'a> {
    pub(super) model: &'a Model<'a>,
    pub(super) kernels: &'a CpuKernels,
    pub(super) members: &'a mut [Member],
    pub(super) scratch: &'a mut Scratch,
    pub(super) watch: Option<&'a mut dyn Watch>,
}

impl Pass<'_> {
    /// Runs every segment and replaces `output`.
    pub(super) fn run(&mut self, segments: &[Segment<'_>], output: &mut Output) {
        let network = self.model.network();
        let values = network.values().len();
        self.scratch.integers.resize_with(values, Vec::new);
        self.scratch.blocks.resize_with(values, Blocks::default);
        output.hidden.clear();
        for (segment, member) in segments.iter().zip(self.members.iter_mut()) {
            member.cache.truncate(segment.start);
        }
        let sections = network.sections();
        let hidden = network.hidden().index();
        let mut next = (0, 0);
        while self.take_chunk(segments, &mut next) {
            self.steps(sections.layers.clone(), CHUNK);
            for piece in &self.scratch.pieces {
                let cache = &mut self.members[piece.segment].cache;
                cache.extend_to(piece.start + piece.tokens.len());
            }
            if self.keep_wanted(segments) > 0 {
                self.steps(sections.hidden.clone(), CHUNK);
                output.hidden.append(self.scratch.blocks[hidden].view());
            }
        }
        // The head reads and writes the output in place.
        let logits = network.logits().index();
        mem::swap(&mut output.hidden, &mut self.scratch.blocks[hidden]);
        mem::swap(&mut output.logits, &mut self.scratch.integers[logits]);
        self.steps(sections.logits, HEAD_CHUNK);
        mem::swap(&mut output.hidden, &mut self.scratch.blocks[hidden]);
        mem::swap(&mut output.logits, &mut self.scratch.integers[logits]);
    }

    /// Fills the chunk from `next`, a segment and an index of its tokens; returns whether any tokens were
    /// left.
    fn take_chunk(&mut self, segments: &[Segment<'_>], next: &mut (usize, usize)) -> bool {
        let Scratch { pieces, tokens, .. } = self.scratch;
        pieces.clear();
        tokens.clear();
        let mut room = CHUNK;
        while let (Some(segment), 1..) = (segments.get(next.0), room) {
            let end = segment.tokens.len().min(next.1 + room);
            if next.1 < end {
                room -= end - next.1;
                tokens.extend(&segment.tokens[next.1..end]);
                pieces.push(Piece {
                    segment: next.0,
                    tokens: next.1..end,
                    start: segment.start + next.1,
                });
            }
            *next = match end == segment.tokens.len() {
                true => (next.0 + 1, 0),
                false => (next.0, end),
            };
        }
        !pieces.is_empty()
    }

    /// Keeps only the requested rows of the residual stream; returns how many.
    fn keep_wanted(&mut self, segments: &[Segment<'_>]) -> usize {
        let network = self.model.network();
        let (residual, width) = (network.residual(), network.width(network.residual()));
        let Scratch {
            pieces, integers, ..
        } = self.scratch;
        let residual = &mut integers[residual.index()];
        let (mut row, mut kept) = (0, 0);
        for piece in pieces.iter() {
            let wanted = &segments[piece.segment].wanted;
            let from = wanted.start.max(piece.tokens.start);
            let to = wanted.end.min(piece.tokens.end);
            if from < to {
                let rows = row + from - piece.tokens.start..row + to - piece.tokens.start;
                let count = rows.len();
                residual.copy_within(rows.start * width..rows.end * width, kept * width);
                kept += count;
            }
            row += piece.tokens.len();
        }
        residual.truncate(kept * width);
        kept
    }

    /// Runs some steps of the network over the vectors in the scratch; linear layers over at most `most` rows at a time.
    fn steps(&mut self, steps: Range<usize>, most: usize) {
        let network = self.model.network();
        let mut next = steps.start;
        for run in network.steps()[steps].chunk_by(|a, b| a.operator.joins(&b.operator)) {
            match run {
                [Step { operator, .. }, ..] if operator.is_by_sequence() => self.by_sequence(run),
                [Step {
                    operator: NetworkOperator::Linear { input, .. },
                    ..
                }, ..] => self.linears(run, *input, most),
                [Step {
                    operator: NetworkOperator::Experts { routes, input, .. },
                    ..
                }, ..] => self.experts(run, *routes, *input),
                _ => {
                    for (index, step) in (next..).zip(run) {
                        self.watch(|watch, seen| watch.before(index, seen));
                        self.by_row(&step.operator);
                    }
                }
            }
            for index in next..next + run.len() {
                self.watch(|watch, seen| watch.after(index, seen));
            }
            next += run.len();
        }
    }

    /// Shows the values to the one who watches.
    fn watch(&mut self, show: impl FnOnce(&mut dyn Watch, Seen<'_>)) {
        if let (Some(watch), [member]) = (self.watch.as_deref_mut(), &*self.members) {
            let Scratch {
                integers, blocks, ..
            } = &*self.scratch;
            let seen = Seen {
                integers,
                blocks,
                cache: &member.cache,
            };
            show(watch, seen);
        }
    }

    /// Runs an operator that works on each row independently of the others.
    fn by_row(&mut self, operator: &NetworkOperator) {
        let (model, network, kernels) = (self.model, self.model.network(), self.kernels);
        let Scratch {
            tokens,
            integers,
            blocks,
            ..
        } = self.scratch;
        match *operator {
            NetworkOperator::Embedding { table, output } => {
                let (table, width) = (model.linear(table), network.width(output));
                let rows = sized(&mut integers[output.index()], tokens.len() * width);
                for (row, &token) in rows.chunks_exact_mut(width).zip(tokens.iter()) {
                    match (token as usize) < table.rows() {
                        true => embedding(&table, token as usize, row),
                        // Refused before a pass, but traces of false statements have such tokens.
                        false => row.fill(0),
                    }
                }
            }
            NetworkOperator::Norm {
                gains,
                epsilon_q32,
                input,
                output,
            } => kernels.norm(
                &model.gains(gains),
                epsilon_q32,
                &integers[input.index()],
                &mut blocks[output.index()],
            ),
            NetworkOperator::Bias { biases, value } => bias(
                &model.gains(biases),
                network.fraction(value),
                &mut integers[value.index()],
            ),
            NetworkOperator::HeadNorm {
                gains,
                epsilon_q32,
                value,
            } => kernels.head_norm(
                &model.gains(gains),
                epsilon_q32,
                network.fraction(value),
                &mut integers[value.index()],
            ),
            NetworkOperator::Quantise { input, output } => kernels.quantise(
                &integers[input.index()],
                network.width(input),
                network.fraction(input),
                &mut blocks[output.index()],
            ),
            NetworkOperator::Swiglu { gate, up, output } => kernels.swiglu(
                &integers[gate.index()],
                &integers[up.index()],
                network.width(output),
                &mut blocks[output.index()],
            ),
            NetworkOperator::Geglu { gate, up, output } => kernels.geglu(
                &integers[gate.index()],
                &integers[up.index()],
                network.width(output),
                &mut blocks[output.index()],
            ),
            NetworkOperator::Add { delta, value } => {
                let mut sum = mem::take(&mut integers[value.index()]);
                kernels.add(&integers[delta.index()], &mut sum);
                integers[value.index()] = sum;
            }
            NetworkOperator::Route {
                renormalised,
                scores,
                output,
            } => {
                let (count, width) = (network.width(scores), network.width(output));
                let mut routes = mem::take(&mut integers[output.index()]);
                let scores = &integers[scores.index()];
                let rows = sized(&mut routes, scores.len() / count * width);
                kernels.route(scores, count, width / 2, renormalised, rows);
                integers[output.index()] = routes;
            }
            NetworkOperator::Mix {
                routes,
                input,
                output,
            } => {
                let (chosen, columns) = (network.width(routes) / 2, network.width(output));
                let mut mixed = mem::take(&mut integers[output.index()]);
                let (routes, input) = (&integers[routes.index()], &integers[input.index()]);
                let rows = sized(&mut mixed, input.len() / chosen);
                kernels.mix(chosen, routes, input, columns, rows);
                integers[output.index()] = mixed;
            }
            NetworkOperator::Linear { .. }
            | NetworkOperator::Experts { .. }
            | NetworkOperator::Rope { .. }
            | NetworkOperator::Store { .. }
            | NetworkOperator::Attention { .. } => {
                unreachable!("{} is run with others", operator.name())
            }
        }
    }

    /// Runs linear layers over the same input.
    fn linears(&mut self, run: &[Step], input: Value, most: usize) {
        let (model, network) = (self.model, self.model.network());
        let Scratch {
            integers, blocks, ..
        } = self.scratch;
        let input = blocks[input.index()].view();
        let mut layers: Vec<(Value, usize, Vec<i32>)> = run
            .iter()
            .filter_map(|step| match step.operator {
                NetworkOperator::Linear {
                    weights, output, ..
                } => {
                    let mut rows = mem::take(&mut integers[output.index()]);
                    sized(&mut rows, input.rows() * network.width(output));
                    Some((output, weights, rows))
                }
                _ => None,
            })
            .collect();
        for first in (0..input.rows()).step_by(most) {
            let rows = first..input.rows().min(first + most);
            let mut outputs: Vec<LinearOutput<'_>> = layers
                .iter_mut()
                .map(|(output, weights, vectors)| {
                    let width = network.width(*output);
                    LinearOutput {
                        weights: model.linear(*weights),
                        fraction: network.fraction(*output),
                        output: &mut vectors[rows.start * width..rows.end * width],
                    }
                })
                .collect();
            self.kernels.linears(&mut outputs, input.slice(rows));
        }
        for (output, _, vectors) in layers {
            integers[output.index()] = vectors;
        }
    }

    /// Runs layers of the same experts over the same routes and input.
    fn experts(&mut self, run: &[Step], routes: Value, input: Value) {
        let (model, network) = (self.model, self.model.network());
        let Scratch {
            integers, blocks, ..
        } = self.scratch;
        let input = blocks[input.index()].view();
        let mut outputs: Vec<(Value, usize, u32, Vec<i32>)> = run
            .iter()
            .filter_map(|step| match step.operator {
                NetworkOperator::Experts {
                    weights,
                    count,
                    output,
                    ..
                } => {
                    let mut rows = mem::take(&mut integers[output.index()]);
                    sized(&mut rows, input.rows() * network.width(output));
                    Some((output, weights, count, rows))
                }
                _ => None,
            })
            .collect();
        let mut layers: Vec<ExpertsOutput<'_>> = outputs
            .iter_mut()
            .map(|(output, weights, count, rows)| ExpertsOutput {
                weights: model.experts(*weights, *count as usize),
                fraction: network.fraction(*output),
                output: rows,
            })
            .collect();
        let chosen = network.width(routes) / 2;
        let routes = &integers[routes.index()];
        self.kernels
            .expert_layers(&mut layers, chosen, routes, input);
        for (output, _, _, rows) in outputs {
            integers[output.index()] = rows;
        }
    }

    /// Runs operators that work on one sequence at a time: pieces of many rows on all threads, one by one;
    /// then the others on one thread each.
    fn by_sequence(&mut self, run: &[Step]) {
        let network = self.model.network();
        let Scratch {
            pieces, integers, ..
        } = self.scratch;
        let rows: usize = pieces.iter().map(|piece| piece.tokens.len()).sum();
        let mut values = Vec::new();
        for step in run {
            let of_step = step.operator.inputs().chain(step.operator.output());
            of_step.for_each(|value| {
                if !values.contains(&value) {
                    values.push(value);
                }
            });
        }
        let mut vectors: Vec<Vec<i32>> = values
            .iter()
            .map(|value| {
                let mut vectors = mem::take(&mut integers[value.index()]);
                sized(&mut vectors, rows * network.width(*value));
                vectors
            })
            .collect();
        let sequential = Sequential {
            model: self.model,
            kernels: self.kernels,
            run,
            values: &values,
        };
        let mut rest: Vec<&mut [i32]> = vectors.iter_mut().map(Vec::as_mut_slice).collect();
        let mut members = self.members.iter_mut().enumerate();
        let mut short = Vec::with_capacity(pieces.len());
        for piece in pieces.iter() {
            let count = piece.tokens.len();
            // Pieces are in the order of the segments; a chunk has each segment at most once.
            let Some((_, member)) = members.find(|(segment, _)| *segment == piece.segment) else {
                break;
            };
            let mut part = Part {
                start: piece.start,
                member,
                vectors: sequential.split(&mut rest, count),
            };
            if count < self.kernels.threads() && pieces.len() > 1 {
                short.push(part);
            } else {
                sequential.part(&mut part);
            }
        }
        self.kernels
            .for_each(&mut short, |_, part| sequential.part(part));
        drop(short);
        for (value, vectors) in values.iter().zip(vectors) {
            integers[value.index()] = vectors;
        }
    }
}

/// Operators that work on one sequence at a time, and the values that they use.
struct Sequential<'a> {
    model: &'a Model<'a>,
    kernels: &'a CpuKernels,
    run: &'a [Step],
    values: &'a [Value],
}

/// A piece with its cache and its rows of each value.
struct Part<'a> {
    start: usize,
    member: &'a mut Member,
    vectors: Vec<&'a mut [i32]>,
}

impl Sequential<'_> {
    /// Splits the first `count` rows of each value from the rest.
    fn split<'a>(&self, rest: &mut [&'a mut [i32]], count: usize) -> Vec<&'a mut [i32]> {
        let network = self.model.network();
        let values = rest.iter_mut().zip(self.values);
        values
            .map(|(rest, value)| {
                let length = count * network.width(*value);
                let (rows, more) = mem::take(rest).split_at_mut(length);
                *rest = more;
                rows
            })
            .collect()
    }

    /// Place of a value of the run in [`Part::vectors`].
    fn place(&self, value: Value) -> usize {
        let found = self.values.iter().position(|other| *other == value);
        found.expect("the values of the run are listed; qed")
    }

    fn part(&self, part: &mut Part<'_>) {
        let (kernels, network) = (self.kernels, self.model.network());
        let Part {
            start,
            member,
            vectors,
        } = part;
        let cache = &mut member.cache;
        for step in self.run {
            match step.operator {
                NetworkOperator::Rope { table, value } => {
                    let (table, width) = (self.model.rope(table), network.width(value));
                    kernels.rope(&table, *start, width, vectors[self.place(value)]);
                }
                NetworkOperator::Store {
                    cache: index,
                    keys,
                    values,
                } => {
                    let (keys, values) = (self.place(keys), self.place(values));
                    let (keys, values) = (&*vectors[keys], &*vectors[values]);
                    kernels.store(cache, index as usize, *start, keys, values);
                }
                NetworkOperator::Attention {
                    cache: index,
                    heads,
                    window,
                    queries,
                    output,
                    ..
                } => {
                    let places = [self.place(queries), self.place(output)];
                    let [queries, output] = vectors
                        .get_disjoint_mut(places)
                        .expect("attention writes another value than it reads; qed");
                    let layer = cache.layer(index as usize);
                    kernels.attention(layer, heads as usize, window, *start, queries, output);
                }
                operator => unreachable!("{} works by row", operator.name()),
            }
        }
    }
}

/// `buffer` with exactly `length` elements; their values are unspecified.
fn sized(buffer: &mut Vec<i32>, length: usize) -> &mut [i32] {
    buffer.resize(length, 0);
    buffer
}
