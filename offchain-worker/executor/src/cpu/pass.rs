//! One pass over the weights for several sequences.
//!
//! The positions of all segments are the rows of one batch. Linear layers, norms and activations work on each
//! row independently of its sequence; rotation, cache and attention work on the rows of one sequence at a
//! time. Long work is cut into chunks of rows, each of which passes through all layers: that bounds memory
//! and changes no bit.

use super::{
    kernels::{CpuKernels, LinearOutput},
    member::Member,
};
use crate::{Output, Segment};
use noema_numerics::{
    embedding::embedding,
    model::Layer,
    swiglu::GATE_FRACTION,
    transformer::{ATTENTION_FRACTION, LOGIT_FRACTION, RESIDUAL_FRACTION},
    Blocks, Kernels, Model,
};
use std::ops::Range;

/// Rows that pass through the layers together.
const CHUNK: usize = 128;

/// Rows that pass through the output head together: bounds the memory that the kernel needs beside the
/// logits.
const HEAD_CHUNK: usize = 32;

/// Buffers of a chunk, grown to the largest chunk seen.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pieces: Vec<Piece>,
    residual: Vec<i32>,
    normed: Blocks,
    queries: Vec<i32>,
    keys: Vec<i32>,
    values: Vec<i32>,
    mixed: Vec<i32>,
    gate: Vec<i32>,
    up: Vec<i32>,
    product: Blocks,
    delta: Vec<i32>,
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
}

impl Pass<'_> {
    /// Runs every segment and replaces `output`.
    pub(super) fn run(&mut self, segments: &[Segment<'_>], output: &mut Output) {
        output.hidden.clear();
        for (segment, member) in segments.iter().zip(self.members.iter_mut()) {
            member.cache.truncate(segment.start);
        }
        let mut next = (0, 0);
        while self.take_chunk(segments, &mut next) {
            self.layers(segments);
            self.collect(segments, &mut output.hidden);
        }
        self.head(output);
    }

    /// Fills the chunk from `next`, a segment and an index of its tokens; returns whether any tokens were
    /// left.
    fn take_chunk(&mut self, segments: &[Segment<'_>], next: &mut (usize, usize)) -> bool {
        let pieces = &mut self.scratch.pieces;
        pieces.clear();
        let mut room = CHUNK;
        while let (Some(segment), 1..) = (segments.get(next.0), room) {
            let end = segment.tokens.len().min(next.1 + room);
            if next.1 < end {
                room -= end - next.1;
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

    /// Runs the chunk through all layers; its residual stream is left in the scratch.
    fn layers(&mut self, segments: &[Segment<'_>]) {
        let architecture = self.model.architecture();
        let hidden = architecture.hidden as usize;
        let table = self.model.token_embedding();
        let s = &mut *self.scratch;
        let rows = s.pieces.iter().map(|piece| piece.tokens.len()).sum();
        let tokens = s
            .pieces
            .iter()
            .flat_map(|piece| &segments[piece.segment].tokens[piece.tokens.clone()]);
        let x = sized(&mut s.residual, rows * hidden);
        for (row, &token) in x.chunks_exact_mut(hidden).zip(tokens) {
            embedding(&table, token as usize, row);
        }
        for index in 0..architecture.layers as usize {
            let layer = self.model.layer(index);
            self.attend(index, &layer, rows);
            self.feed_forward(&layer, rows);
        }
        for piece in &self.scratch.pieces {
            let cache = &mut self.members[piece.segment].cache;
            cache.extend_to(piece.start + piece.tokens.len());
        }
    }

    fn attend(&mut self, index: usize, layer: &Layer<'_>, rows: usize) {
        let a = self.model.architecture();
        let (width, kv_width) = (a.attention_width(), a.kv_width());
        let (kernels, s) = (self.kernels, &mut *self.scratch);
        kernels.norm(
            &layer.attention_norm,
            a.norm_epsilon_q32,
            &s.residual,
            &mut s.normed,
        );
        let input = s.normed.view();
        let queries = sized(&mut s.queries, rows * width);
        let keys = sized(&mut s.keys, rows * kv_width);
        let values = sized(&mut s.values, rows * kv_width);
        let mut layers = [
            (layer.query, &mut *queries),
            (layer.key, &mut *keys),
            (layer.value, &mut *values),
        ]
        .map(|(weights, output)| LinearOutput { weights, output });
        kernels.linears(&mut layers, input, ATTENTION_FRACTION);
        let attention = Attention {
            model: self.model,
            kernels,
            layer: index,
        };
        let rows = Rows {
            queries,
            keys,
            values,
            mixed: sized(&mut s.mixed, rows * width),
        };
        attention.pieces(&s.pieces, self.members, rows);

        kernels.quantise(&s.mixed, width, ATTENTION_FRACTION, &mut s.product);
        let delta = sized(&mut s.delta, s.residual.len());
        kernels.linear(
            &layer.attention_output,
            s.product.view(),
            RESIDUAL_FRACTION,
            delta,
        );
        add(&mut s.residual, delta);
    }

    fn feed_forward(&mut self, layer: &Layer<'_>, rows: usize) {
        let a = self.model.architecture();
        let columns = a.feed_forward as usize;
        let (kernels, s) = (self.kernels, &mut *self.scratch);
        kernels.norm(
            &layer.feed_forward_norm,
            a.norm_epsilon_q32,
            &s.residual,
            &mut s.normed,
        );
        let input = s.normed.view();
        let gate = sized(&mut s.gate, rows * columns);
        let up = sized(&mut s.up, rows * columns);
        let mut layers = [(layer.gate, &mut *gate), (layer.up, &mut *up)]
            .map(|(weights, output)| LinearOutput { weights, output });
        kernels.linears(&mut layers, input, GATE_FRACTION);
        kernels.swiglu(gate, up, columns, &mut s.product);
        let delta = sized(&mut s.delta, s.residual.len());
        kernels.linear(&layer.down, s.product.view(), RESIDUAL_FRACTION, delta);
        add(&mut s.residual, delta);
    }

    /// Appends the final hidden vectors that the chunk's pieces request.
    fn collect(&mut self, segments: &[Segment<'_>], hidden: &mut Blocks) {
        let width = self.model.architecture().hidden as usize;
        let epsilon = self.model.architecture().norm_epsilon_q32;
        let gains = self.model.final_norm();
        let s = &mut *self.scratch;
        let mut norm = |rows: Range<usize>| {
            if !rows.is_empty() {
                let rows = &s.residual[rows.start * width..rows.end * width];
                self.kernels.norm(&gains, epsilon, rows, &mut s.normed);
                hidden.append(s.normed.view());
            }
        };
        // Consecutive rows, such as those of decoding sequences, are normalised together.
        let mut pending = 0..0;
        let mut row = 0;
        for piece in &s.pieces {
            let wanted = &segments[piece.segment].wanted;
            let from = wanted.start.max(piece.tokens.start);
            let to = wanted.end.min(piece.tokens.end);
            if from < to {
                let rows = row + from - piece.tokens.start..row + to - piece.tokens.start;
                if pending.end == rows.start {
                    pending.end = rows.end;
                } else {
                    norm(std::mem::replace(&mut pending, rows));
                }
            }
            row += piece.tokens.len();
        }
        norm(pending);
    }

    fn head(&self, output: &mut Output) {
        let head = self.model.output_head();
        let rows = output.hidden.rows();
        let logits = sized(&mut output.logits, rows * head.rows());
        let chunks = logits.chunks_mut(HEAD_CHUNK * head.rows());
        for (start, logits) in (0..rows).step_by(HEAD_CHUNK).zip(chunks) {
            let hidden = output
                .hidden
                .view()
                .slice(start..rows.min(start + HEAD_CHUNK));
            self.kernels.linear(&head, hidden, LOGIT_FRACTION, logits);
        }
    }
}

/// Parameters of the attention of one layer.
struct Attention<'a> {
    model: &'a Model<'a>,
    kernels: &'a CpuKernels,
    layer: usize,
}

/// Projected rows of some pieces, and the output of their attention.
struct Rows<'a> {
    queries: &'a mut [i32],
    keys: &'a mut [i32],
    values: &'a mut [i32],
    mixed: &'a mut [i32],
}

impl<'a> Rows<'a> {
    /// The first `rows`, and the rest.
    fn split_at(self, rows: usize, width: usize, kv_width: usize) -> (Self, Self) {
        let (queries, more_queries) = self.queries.split_at_mut(rows * width);
        let (keys, more_keys) = self.keys.split_at_mut(rows * kv_width);
        let (values, more_values) = self.values.split_at_mut(rows * kv_width);
        let (mixed, more_mixed) = self.mixed.split_at_mut(rows * width);
        let first = Rows {
            queries,
            keys,
            values,
            mixed,
        };
        let rest = Rows {
            queries: more_queries,
            keys: more_keys,
            values: more_values,
            mixed: more_mixed,
        };
        (first, rest)
    }
}

/// A piece with its cache and its rows.
struct Attending<'a> {
    start: usize,
    member: &'a mut Member,
    rows: Rows<'a>,
}

impl Attention<'_> {
    /// Rotates, caches and attends for every piece: pieces of many rows on all threads, one by one; then the
    /// others on one thread each.
    fn pieces(&self, pieces: &[Piece], members: &mut [Member], mut rows: Rows<'_>) {
        let a = self.model.architecture();
        let mut members = members.iter_mut().enumerate();
        let mut short = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let count = piece.tokens.len();
            let (of_piece, rest) = rows.split_at(count, a.attention_width(), a.kv_width());
            rows = rest;
            // Pieces are in the order of the segments; a chunk has each segment at most once.
            let Some((_, member)) = members.find(|(segment, _)| *segment == piece.segment) else {
                break;
            };
            let mut attending = Attending {
                start: piece.start,
                member,
                rows: of_piece,
            };
            if count < self.kernels.threads() && pieces.len() > 1 {
                short.push(attending);
            } else {
                self.piece(&mut attending);
            }
        }
        self.kernels
            .for_each(&mut short, |_, attending| self.piece(attending));
    }

    fn piece(&self, piece: &mut Attending<'_>) {
        let a = self.model.architecture();
        let table = self.model.rope();
        let (kernels, start) = (self.kernels, piece.start);
        let Rows {
            queries,
            keys,
            values,
            mixed,
        } = &mut piece.rows;
        kernels.rope(&table, start, a.attention_width(), queries);
        kernels.rope(&table, start, a.kv_width(), keys);
        let cache = &mut piece.member.cache;
        kernels.store(cache, self.layer, start, keys, values);
        let cache = cache.layer(self.layer);
        kernels.attention(cache, a.heads as usize, start, queries, mixed);
    }
}

/// `buffer` with exactly `length` elements; their values are unspecified.
fn sized(buffer: &mut Vec<i32>, length: usize) -> &mut [i32] {
    buffer.resize(length, 0);
    buffer
}

fn add(residual: &mut [i32], delta: &[i32]) {
    for (x, &d) in residual.iter_mut().zip(delta) {
        *x = x.saturating_add(d);
    }
}
