//! What a step reads of earlier steps.

use crate::{
    shape::{LinearCut, Operation, StepPlace, Threshold, TraceShape, PART},
    StepKind, StepSource, TracedExecution,
};
use alloc::{vec, vec::Vec};
use core::ops::Range;
use noema_numerics::{
    attention,
    network::{NetworkOperator, Value},
    BLOCK,
};

/// Consecutive leaves of one stage, and the bytes of them that a step reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// The first of them.
    pub(crate) first: StepPlace,
    /// Their number.
    pub(crate) count: u64,
    /// The bytes, counted from the first of the first leaf; none for all.
    pub(crate) bytes: Option<Range<usize>>,
}

impl Read {
    pub(crate) const fn one(place: StepPlace) -> Self {
        Self {
            first: place,
            count: 1,
            bytes: None,
        }
    }

    /// The leaves.
    pub(crate) fn places(&self) -> impl Iterator<Item = StepPlace> {
        let first = self.first;
        (0..self.count).map(move |offset| StepPlace {
            piece: first.piece + offset,
            ..first
        })
    }
}

/// Elements `part` of a vector of `width`, by parts of [`PART`].
pub(crate) fn part(width: usize, part: u64) -> Range<usize> {
    let start = (part as usize * PART).min(width);
    start..(start + PART).min(width)
}

impl TraceShape<'_> {
    /// The step that wrote `value` last before `operation`.
    pub(crate) fn writer(&self, value: Value, operation: usize) -> Option<usize> {
        self.before(operation, |index, _| {
            self.operator(index).and_then(NetworkOperator::output) == Some(value)
        })
    }

    /// Place of the first leaf of what an operation writes, and the elements of a leaf.
    pub(crate) fn result(&self, operation: usize, position: u32) -> Option<(StepPlace, usize)> {
        let operator = self.operator(operation)?;
        let head_dim = self.checkpoint.architecture.head_dim as usize;
        let at = |stage, piece, elements| {
            let place = StepPlace {
                position,
                operation,
                stage,
                piece,
            };
            Some((place, elements))
        };
        match *operator {
            NetworkOperator::Embedding { .. }
            | NetworkOperator::Bias { .. }
            | NetworkOperator::Add { .. } => at(0, 0, PART),
            NetworkOperator::Norm { .. } => at(4, 0, PART),
            NetworkOperator::Quantise { .. } => at(1, 0, PART),
            NetworkOperator::Swiglu { .. } | NetworkOperator::Geglu { .. } => at(2, 0, PART),
            NetworkOperator::HeadNorm { .. } if self.norms_whole(operation) => at(2, 0, PART),
            NetworkOperator::Linear { .. } | NetworkOperator::Experts { .. } => {
                let cut = self.cut(operation)?;
                let last = cut.chunks.saturating_sub(1) * cut.row_parts;
                at(0, last, cut.rows())
            }
            NetworkOperator::HeadNorm { .. } | NetworkOperator::Rope { .. } => {
                at(0, 0, self.heads_in_part() * head_dim)
            }
            NetworkOperator::Attention { heads, .. } => {
                let together = self.heads_together();
                let groups = u64::from(heads) / together as u64;
                let (_, pieces) = self.stage(operation, 2, position)?;
                at(2, pieces.saturating_sub(groups), together * head_dim)
            }
            NetworkOperator::Route { output, .. } => at(0, 0, self.network.width(output)),
            NetworkOperator::Mix { .. } => at(0, 0, self.mixed_elements(operation)?),
            NetworkOperator::Store { .. } => None,
        }
    }

    /// The leaves that hold `elements`, each of `bytes`, of what `operation` wrote.
    fn elements_of(
        &self,
        operation: usize,
        position: u32,
        elements: Range<usize>,
        bytes: usize,
    ) -> Option<Read> {
        let (first, per_leaf) = self.result(operation, position)?;
        let (from, to) = (elements.start / per_leaf, elements.end.div_ceil(per_leaf));
        let skip = (elements.start - from * per_leaf) * bytes;
        Some(Read {
            first: StepPlace {
                piece: first.piece + from as u64,
                ..first
            },
            count: (to - from) as u64,
            bytes: Some(skip..skip + elements.len() * bytes),
        })
    }

    /// Integers `elements` of `value`, as they are before `place`'s operation.
    pub(crate) fn integers(
        &self,
        value: Value,
        place: &StepPlace,
        elements: Range<usize>,
    ) -> Option<Read> {
        let writer = self.writer(value, place.operation)?;
        self.elements_of(writer, place.position, elements, 4)
    }

    /// Part `part` of `value`, which is in blocks.
    pub(crate) fn blocks(&self, value: Value, place: &StepPlace, part: u64) -> Option<Read> {
        let writer = self.writer(value, place.operation)?;
        let (first, _) = self.result(writer, place.position)?;
        Some(Read::one(StepPlace {
            piece: first.piece + part,
            ..first
        }))
    }

    /// The last leaf of a stage of the same operation.
    fn last_of(&self, place: &StepPlace, stage: u32) -> Option<Read> {
        let (_, pieces) = self.stage(place.operation, stage, place.position)?;
        Some(Read::one(StepPlace {
            stage,
            piece: pieces.checked_sub(1)?,
            ..*place
        }))
    }

    /// The last leaf of the last stage of an operation.
    fn end_of(&self, operation: usize, position: u32) -> Option<Read> {
        let mut stages =
            (0..).map_while(|stage| Some((stage, self.stage(operation, stage, position)?)));
        let (stage, (_, pieces)) = stages.by_ref().last()?;
        Some(Read::one(StepPlace {
            position,
            operation,
            stage,
            piece: pieces.checked_sub(1)?,
        }))
    }

    /// The last operation before `operation` of this kind.
    fn operation_before(&self, operation: usize, wanted: Operation) -> Option<usize> {
        self.before(operation, |_, other| other == wanted)
    }

    /// The same step of the position before, from the first with logits on.
    fn at_position_before(&self, place: &StepPlace) -> Option<Read> {
        let position = place.position.checked_sub(1)?;
        (position >= self.first_wanted).then_some(Read::one(StepPlace { position, ..*place }))
    }

    /// The search whose result `operation`, a search or the end of sampling, goes on from.
    pub(crate) fn search_before(&self, operation: usize) -> Option<usize> {
        self.before(operation, |_, other| matches!(other, Operation::Search(_)))
    }

    /// The positions of block `block` that `position` sees, the heads, and the key/value head, of a piece of attention.
    pub(crate) fn attended(&self, place: &StepPlace) -> Option<Attended> {
        let NetworkOperator::Attention {
            cache,
            heads,
            window,
            queries,
            ..
        } = *self.operator(place.operation)?
        else {
            return None;
        };
        let together = self.heads_together();
        let groups = u64::from(heads) / together as u64;
        let blocks = Self::seen_blocks(window, place.position);
        let (chunk, group) = (place.piece / groups, place.piece % groups);
        let first = (blocks.start + chunk) * BLOCK as u64;
        let seen = attention::seen(window, place.position as usize);
        let from = (seen.start as u64).max(first);
        let to = (seen.end as u64).min(first + BLOCK as u64);
        let head = group as usize * together;
        Some(Attended {
            cache,
            queries,
            heads: together,
            first_head: head,
            kv_head: head / self.checkpoint.architecture.heads_per_kv(),
            positions: from as u32..to as u32,
            offset: (from - first) as usize,
            is_first: chunk == 0,
            is_last: blocks.start + chunk + 1 == blocks.end,
            last_piece: StepPlace {
                piece: (blocks.end - blocks.start - 1) * groups + group,
                ..*place
            },
            piece_before: place
                .piece
                .checked_sub(groups)
                .map(|piece| StepPlace { piece, ..*place }),
        })
    }

    /// The stored keys (stage 0) or values (stage 1) that a piece of attention reads.
    fn stored(&self, place: &StepPlace, attended: &Attended, stage: u32) -> Option<Vec<Read>> {
        let operation = self.before(place.operation, |index, _| {
            matches!(self.operator(index), Some(NetworkOperator::Store { cache, .. }) if *cache == attended.cache)
        })?;
        let reads = attended.positions.clone().map(|position| {
            Read::one(StepPlace {
                position,
                operation,
                stage,
                piece: attended.kv_head as u64,
            })
        });
        Some(reads.collect())
    }

    /// What a step reads of earlier steps, in the order in which [`compute`](crate::compute) takes it; `None` where
    /// there is no such step. The output of the piece before comes last, where there is one.
    pub(crate) fn reads(&self, place: &StepPlace) -> Option<Vec<Read>> {
        use StepKind as K;
        let kind = self.kind(place)?;
        let StepPlace {
            position, piece, ..
        } = *place;
        let before = piece
            .checked_sub(1)
            .map(|piece| Read::one(StepPlace { piece, ..*place }));
        let vocabulary = part(self.checkpoint.architecture.vocabulary as usize, piece);
        let logits = |elements| self.integers(self.network.logits(), place, elements);
        let largest = || {
            let operation = self.operation_before(place.operation, Operation::Largest)?;
            self.end_of(operation, position)
        };
        let mut reads = match kind {
            K::Embedding | K::Tokens => vec![],
            K::NormRange => vec![self.norm_input(place)?],
            K::NormSquares => vec![self.norm_input(place)?, self.last_of(place, 0)?],
            K::NormScale => vec![
                self.norm_input(place)?,
                self.last_of(place, 0)?,
                self.last_of(place, 1)?,
            ],
            K::BlocksRange => vec![self.unquantised(place)?],
            K::BlocksWrite => vec![
                self.unquantised(place)?,
                self.last_of(place, place.stage.checked_sub(1)?)?,
            ],
            K::Linear => return self.linear_reads(place),
            K::Bias | K::HeadNorm | K::Rope => {
                let value = self.operator(place.operation)?.output()?;
                vec![self.integers(value, place, self.piece_elements(place)?)?]
            }
            K::StoreKey | K::StoreValue => {
                let NetworkOperator::Store { keys, values, .. } =
                    *self.operator(place.operation)?
                else {
                    return None;
                };
                let value = if kind == K::StoreKey { keys } else { values };
                vec![self.integers(value, place, self.piece_elements(place)?)?]
            }
            K::Scores | K::Sums | K::Mix => return self.attention_reads(kind, place),
            K::Route => {
                let NetworkOperator::Route { scores, .. } = *self.operator(place.operation)? else {
                    return None;
                };
                vec![self.integers(scores, place, 0..self.network.width(scores))?]
            }
            K::Experts | K::MixExperts => return self.experts_reads(kind, place),
            K::Swiglu | K::Geglu | K::Add => {
                let elements = self.piece_elements(place)?;
                let inputs = self.operator(place.operation)?.inputs();
                inputs
                    .map(|value| self.integers(value, place, elements.clone()))
                    .collect::<Option<_>>()?
            }
            K::State => {
                let hidden = self.network.hidden();
                let parts = self.network.width(hidden).div_ceil(PART) as u64;
                let blocks = (0..parts).map(|part| self.blocks(hidden, place, part));
                let mut reads = blocks.collect::<Option<Vec<_>>>()?;
                reads.extend(self.at_position_before(place));
                reads
            }
            K::Largest => vec![logits(vocabulary)?],
            K::Count => {
                let mut reads = vec![logits(vocabulary)?, largest()?];
                if let Some(stage) = place.stage.checked_sub(1) {
                    reads.push(self.last_of(place, stage)?);
                }
                reads
            }
            K::Select => {
                let mut reads = vec![self.last_of(place, place.stage.checked_sub(1)?)?];
                match place.stage.checked_sub(2) {
                    Some(stage) => reads.push(self.last_of(place, stage)?),
                    None => {
                        let earlier = self.search_before(place.operation);
                        reads.extend(earlier.and_then(|search| self.end_of(search, position)));
                    }
                }
                reads
            }
            K::Answered => {
                let drawn = self.search_before(place.operation);
                let drawn = match drawn {
                    Some(search) => self.end_of(search, position)?,
                    None => largest()?,
                };
                let mut reads = vec![drawn];
                reads.extend(self.at_position_before(place));
                reads
            }
            K::LossWeights => vec![logits(vocabulary)?, largest()?],
            K::Loss => {
                let weights = self.operation_before(place.operation, Operation::LossWeights)?;
                let mut reads = vec![self.end_of(weights, position)?];
                reads.extend(self.at_position_before(place));
                reads
            }
            K::Outcome => {
                let ends = match self.execution {
                    TracedExecution::Answer(_) => {
                        &[Operation::Answered, Operation::State, Operation::Tokens][..]
                    }
                    TracedExecution::Text(_) => &[Operation::Loss, Operation::Tokens][..],
                };
                let ends = ends.iter().map(|end| {
                    self.end_of(self.operation_before(place.operation, *end)?, position)
                });
                ends.collect::<Option<_>>()?
            }
        };
        match kind {
            K::NormRange | K::NormSquares | K::BlocksRange => reads.extend(before),
            K::Largest | K::Count | K::LossWeights | K::Tokens => reads.extend(before),
            _ => {}
        }
        Some(reads)
    }

    /// The elements that a piece of an element-wise operator writes.
    pub(crate) fn piece_elements(&self, place: &StepPlace) -> Option<Range<usize>> {
        let head_dim = self.checkpoint.architecture.head_dim as usize;
        let piece = place.piece as usize;
        let by = |length: usize, width: usize| {
            let start = (piece * length).min(width);
            start..(start + length).min(width)
        };
        Some(match *self.operator(place.operation)? {
            NetworkOperator::HeadNorm { value, .. } if self.norms_whole(place.operation) => {
                by(PART, self.network.width(value))
            }
            NetworkOperator::HeadNorm { value, .. } | NetworkOperator::Rope { value, .. } => {
                by(self.heads_in_part() * head_dim, self.network.width(value))
            }
            NetworkOperator::Store { keys, .. } => by(head_dim, self.network.width(keys)),
            NetworkOperator::Embedding { output: value, .. }
            | NetworkOperator::Norm { output: value, .. }
            | NetworkOperator::Bias { value, .. }
            | NetworkOperator::Quantise { output: value, .. }
            | NetworkOperator::Swiglu { output: value, .. }
            | NetworkOperator::Geglu { output: value, .. }
            | NetworkOperator::Route { output: value, .. }
            | NetworkOperator::Add { value, .. } => by(PART, self.network.width(value)),
            NetworkOperator::Mix { output, .. } => by(
                self.mixed_elements(place.operation)?,
                self.network.width(output),
            ),
            NetworkOperator::Linear { .. }
            | NetworkOperator::Attention { .. }
            | NetworkOperator::Experts { .. } => return None,
        })
    }

    fn norm_input(&self, place: &StepPlace) -> Option<Read> {
        let (NetworkOperator::Norm { input, .. } | NetworkOperator::HeadNorm { value: input, .. }) =
            *self.operator(place.operation)?
        else {
            return None;
        };
        self.integers(input, place, self.piece_elements(place)?)
    }

    /// The part of a vector that is written as blocks.
    fn unquantised(&self, place: &StepPlace) -> Option<Read> {
        match *self.operator(place.operation)? {
            NetworkOperator::Quantise { input, .. } => {
                self.integers(input, place, self.piece_elements(place)?)
            }
            NetworkOperator::Norm { .. } => Some(Read::one(StepPlace { stage: 2, ..*place })),
            NetworkOperator::Swiglu { .. } | NetworkOperator::Geglu { .. } => {
                Some(Read::one(StepPlace { stage: 0, ..*place }))
            }
            _ => None,
        }
    }

    fn linear_reads(&self, place: &StepPlace) -> Option<Vec<Read>> {
        let (input, _, cut) = self.linear(place)?;
        let mut reads = vec![self.blocks(input, place, place.piece / cut.row_parts)?];
        let before = place.piece.checked_sub(cut.row_parts);
        reads.extend(before.map(|piece| Read::one(StepPlace { piece, ..*place })));
        Some(reads)
    }

    /// Input, matrix and cut of a linear layer.
    pub(crate) fn linear(&self, place: &StepPlace) -> Option<(Value, usize, LinearCut)> {
        match *self.operator(place.operation)? {
            NetworkOperator::Linear { weights, input, .. } => {
                Some((input, weights, self.cut(place.operation)?))
            }
            _ => None,
        }
    }

    fn attention_reads(&self, kind: StepKind, place: &StepPlace) -> Option<Vec<Read>> {
        let attended = self.attended(place)?;
        let scores = |place: &StepPlace| Read::one(StepPlace { stage: 0, ..*place });
        let mut reads = match kind {
            StepKind::Scores => {
                let head_dim = self.checkpoint.architecture.head_dim as usize;
                let first = attended.first_head * head_dim;
                let elements = first..first + attended.heads * head_dim;
                let mut reads = vec![self.integers(attended.queries, place, elements)?];
                reads.extend(self.stored(place, &attended, 0)?);
                reads
            }
            StepKind::Sums | StepKind::Mix => {
                let mut reads = vec![scores(place), scores(&attended.last_piece)];
                if kind == StepKind::Mix {
                    reads.push(Read::one(StepPlace {
                        stage: 1,
                        ..attended.last_piece
                    }));
                }
                reads.extend(self.stored(place, &attended, 1)?);
                reads
            }
            _ => return None,
        };
        reads.extend(attended.piece_before.map(Read::one));
        Some(reads)
    }

    /// The rows that a piece of a linear layer, or of experts, writes.
    pub(crate) fn linear_rows(&self, place: &StepPlace) -> Option<Range<usize>> {
        let output = self.operator(place.operation)?.output()?;
        let cut = self.cut(place.operation)?;
        let first = (place.piece % cut.row_parts) as usize * cut.rows();
        Some(first..(first + cut.rows()).min(self.network.width(output)))
    }

    /// What a source has of `read`.
    pub(crate) fn collect(&self, read: &Read, source: &impl StepSource) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        for place in read.places() {
            found.extend_from_slice(source.output(self.number(&place)?)?);
        }
        match &read.bytes {
            Some(bytes) => found.get(bytes.clone()).map(<[u8]>::to_vec),
            None => Some(found),
        }
    }

    pub(crate) fn threshold(&self, operation: usize) -> Option<Threshold> {
        match self.operation(operation)? {
            Operation::Search(threshold) => Some(threshold),
            _ => None,
        }
    }
}

/// A piece of attention: some heads of a position, and a block of the positions that it sees.
pub(crate) struct Attended {
    cache: u32,
    queries: Value,
    /// Heads.
    pub(crate) heads: usize,
    first_head: usize,
    kv_head: usize,
    /// The positions of the block that are seen.
    pub(crate) positions: Range<u32>,
    /// Positions of the block before these.
    pub(crate) offset: usize,
    /// Whether it is the first block.
    pub(crate) is_first: bool,
    /// Whether it is the last block.
    pub(crate) is_last: bool,
    last_piece: StepPlace,
    piece_before: Option<StepPlace>,
}
