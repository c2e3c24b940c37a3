//! The list of steps: which there are, in which order, for an architecture and the counts of a statement.

use crate::{execution::TokenList, StepKind, TracedCheckpoint, TracedExecution};
use alloc::{vec, vec::Vec};
use core::{fmt, ops::Range};
use noema_numerics::{
    attention,
    layout::TensorKind,
    network::NetworkOperator,
    sampling::search::DIGITS,
    tile::{TILE_COLUMNS, TILE_ROWS},
    Architecture, ArchitectureError, Network, BLOCK,
};
use noema_protocol::{hashing::TOKENS_PER_LEAF, merkle};
use sp_core::H256;

/// Elements of a part of a vector: 64 blocks.
pub const PART: usize = PART_TILES * TILE_COLUMNS;
/// Tiles of a part of a matrix: 34 KiB.
pub const PART_TILES: usize = 64;
/// Most elements of the heads that attend together.
const HEADS_PART: usize = 1_024;

/// A search of sampling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// For the last of the `top_k` tokens.
    TopK,
    /// For the token at which `top_p` is reached.
    TopP,
    /// For the token that is drawn.
    Draw,
}

/// An operation of a position, by index in [`TraceShape::operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A step of the network, by index.
    Network(usize),
    /// The hash of the hidden state.
    State,
    /// The largest logit.
    Largest,
    /// A search of sampling.
    Search(Threshold),
    /// Whether the answer so far is the one that was drawn.
    Answered,
    /// The weights of the logits of a text's position.
    LossWeights,
    /// The loss of a text so far.
    Loss,
    /// Whether the given tokens exist.
    Tokens,
    /// Whether the statement is true.
    Outcome,
}

/// One step of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepPlace {
    /// The position.
    pub position: u32,
    /// The operation: those of the network in its order, then those of sampling, of the loss and of the outcome.
    pub operation: usize,
    /// The stage of the operation.
    pub stage: u32,
    /// The piece of the stage.
    pub piece: u64,
}

/// Why a statement has no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceError {
    /// The architecture is refused.
    Architecture(ArchitectureError),
    /// The checkpoint has so many exponents for so many tensors.
    Exponents {
        /// Exponents.
        found: usize,
        /// Tensors.
        expected: usize,
    },
    /// No execution has so many tokens: a prompt or an answer is empty, or they are more than the request or the
    /// context allows, or a text has fewer than two.
    Counts,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Architecture(error) => error.fmt(f),
            Self::Exponents { found, expected } => write!(
                f,
                "the checkpoint has {expected} tensors but {found} exponents are given; take those of its manifest"
            ),
            Self::Counts => f.write_str(
                "no execution has these numbers of tokens; a statement with them is false without a game",
            ),
        }
    }
}

impl core::error::Error for TraceError {}

/// How many steps an operation has before it, in its position: `fixed`, and for each kind of window as many times the
/// blocks of positions that are seen.
#[derive(Clone, Debug, Default)]
struct Start {
    fixed: u64,
    by_context: Vec<u64>,
}

/// The list of steps of a trace.
///
/// Positions follow each other; each has its operations in the order of the network, each operation its stages, each
/// stage its pieces. All counts are bounded by those of [`Architecture`]: a trace has less than 2^48 steps.
#[derive(Clone, Debug)]
pub struct TraceShape<'a> {
    pub(crate) checkpoint: TracedCheckpoint<'a>,
    pub(crate) execution: TracedExecution,
    pub(crate) network: Network,
    operations: Vec<Operation>,
    /// The operations that every position has.
    layers: usize,
    /// The operations that positions with logits have.
    wanted: usize,
    /// For each operation, and the end.
    starts: Vec<Start>,
    /// The windows of attention that the layers have.
    windows: Vec<Option<u32>>,
    pub(crate) positions: u32,
    pub(crate) first_wanted: u32,
}

/// `⌈a / b⌉` as a count of pieces.
pub(crate) fn parts(elements: usize, per_part: usize) -> u64 {
    elements.div_ceil(per_part.max(1)) as u64
}

impl<'a> TraceShape<'a> {
    /// The steps of an execution by a checkpoint.
    ///
    /// # Errors
    /// See [`TraceError`].
    pub fn new(
        checkpoint: TracedCheckpoint<'a>,
        execution: TracedExecution,
    ) -> Result<Self, TraceError> {
        let network = Network::new(checkpoint.architecture).map_err(TraceError::Architecture)?;
        let (found, expected) = (checkpoint.exponents.len(), network.tensors().len());
        if found != expected {
            return Err(TraceError::Exponents { found, expected });
        }
        let context = checkpoint.architecture.context_length;
        let (positions, first_wanted) = counts(&execution, context).ok_or(TraceError::Counts)?;
        let sections = network.sections();
        let mut operations: Vec<Operation> =
            sections.layers.clone().map(Operation::Network).collect();
        let layers = operations.len();
        operations.extend(sections.hidden.map(Operation::Network));
        if matches!(execution, TracedExecution::Answer(_)) {
            operations.push(Operation::State);
        }
        operations.extend(sections.logits.map(Operation::Network));
        operations.push(Operation::Largest);
        match &execution {
            TracedExecution::Answer(answer) => {
                let sampling = answer.sampling;
                if sampling.temperature_milli > 0 {
                    let searches = [
                        (sampling.top_k > 0, Threshold::TopK),
                        (sampling.top_p_milli < 1_000, Threshold::TopP),
                        (true, Threshold::Draw),
                    ];
                    let searches = searches.into_iter().filter(|(is_needed, _)| *is_needed);
                    operations.extend(searches.map(|(_, search)| Operation::Search(search)));
                }
                operations.push(Operation::Answered);
            }
            TracedExecution::Text(_) => {
                operations.extend([Operation::LossWeights, Operation::Loss]);
            }
        }
        let wanted = operations.len();
        operations.extend([Operation::Tokens, Operation::Outcome]);
        let mut shape = Self {
            checkpoint,
            execution,
            network,
            operations,
            layers,
            wanted,
            starts: Vec::new(),
            windows: Vec::new(),
            positions,
            first_wanted,
        };
        shape.count();
        Ok(shape)
    }

    /// Fills `windows` and `starts`.
    fn count(&mut self) {
        for step in self.network.steps() {
            if let NetworkOperator::Attention { window, .. } = step.operator
                && !self.windows.contains(&window)
            {
                self.windows.push(window);
            }
        }
        let mut start = Start {
            fixed: 0,
            by_context: vec![0; self.windows.len()],
        };
        let mut starts = Vec::with_capacity(self.operations.len() + 1);
        for operation in 0..self.operations.len() {
            starts.push(start.clone());
            match self.attention(operation) {
                Some((window, groups)) => {
                    let at = self.windows.iter().position(|other| *other == window);
                    if let Some(count) = at.and_then(|at| start.by_context.get_mut(at)) {
                        *count += 3 * groups;
                    }
                }
                None => {
                    let stages = (0..).map_while(|stage| self.stage(operation, stage, 0));
                    start.fixed += stages.map(|(_, pieces)| pieces).sum::<u64>();
                }
            }
        }
        starts.push(start);
        self.starts = starts;
    }

    /// Window and groups of heads of an operation that is attention.
    fn attention(&self, operation: usize) -> Option<(Option<u32>, u64)> {
        match self.operator(operation) {
            Some(NetworkOperator::Attention { window, heads, .. }) => {
                let together = self.heads_together().max(1) as u64;
                Some((*window, u64::from(*heads) / together))
            }
            _ => None,
        }
    }

    /// The operator of an operation that is a step of the network.
    pub(crate) fn operator(&self, operation: usize) -> Option<&NetworkOperator> {
        match self.operations.get(operation)? {
            Operation::Network(step) => self.network.steps().get(*step).map(|step| &step.operator),
            _ => None,
        }
    }

    /// The operations, in their order. Those of the layers are at every position; then come those of positions with
    /// logits, then those of the last position.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Operations of the layers, which every position has.
    pub const fn layer_operations(&self) -> usize {
        self.layers
    }

    /// The network.
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// What was executed.
    pub const fn execution(&self) -> &TracedExecution {
        &self.execution
    }

    /// The first position with logits; all later ones have them, too.
    pub const fn first_wanted(&self) -> u32 {
        self.first_wanted
    }

    pub(crate) fn operation(&self, operation: usize) -> Option<Operation> {
        self.operations.get(operation).copied()
    }

    /// The last operation before `before` that is `wanted`.
    pub(crate) fn before(
        &self,
        before: usize,
        mut wanted: impl FnMut(usize, Operation) -> bool,
    ) -> Option<usize> {
        let earlier = self.operations.get(..before)?;
        let mut earlier = earlier.iter().enumerate().rev();
        earlier
            .find(|(index, operation)| wanted(*index, **operation))
            .map(|(index, _)| index)
    }

    const fn architecture(&self) -> &Architecture {
        self.checkpoint.architecture
    }

    /// Query heads that attend together: they share keys and values.
    pub const fn heads_together(&self) -> usize {
        let architecture = self.architecture();
        let share = architecture.heads_per_kv();
        let mut together = HEADS_PART / architecture.head_dim as usize;
        if together > share {
            together = share;
        }
        while together > 1 && !share.is_multiple_of(together) {
            together -= 1;
        }
        if together == 0 {
            1
        } else {
            together
        }
    }

    /// Heads in a piece that treats each head alone.
    pub const fn heads_in_part(&self) -> usize {
        PART / self.architecture().head_dim as usize
    }

    /// The blocks of 32 positions that a position sees.
    pub fn seen_blocks(window: Option<u32>, position: u32) -> Range<u64> {
        let seen = attention::seen(window, position as usize);
        (seen.start / BLOCK) as u64..seen.end.div_ceil(BLOCK) as u64
    }

    /// Kind and number of pieces of a stage of an operation at a position.
    pub fn stage(&self, operation: usize, stage: u32, position: u32) -> Option<(StepKind, u64)> {
        use StepKind as K;
        let listed = |stages: &[(StepKind, u64)]| stages.get(stage as usize).copied();
        let vocabulary = parts(self.architecture().vocabulary as usize, PART);
        let width = |value| parts(self.network.width(value), PART);
        match *self.operations.get(operation)? {
            Operation::Network(step) => match self.network.steps().get(step)?.operator {
                NetworkOperator::Embedding { output, .. } => {
                    listed(&[(K::Embedding, width(output))])
                }
                NetworkOperator::Norm { input, .. } => {
                    let parts = width(input);
                    listed(&[
                        (K::NormRange, parts),
                        (K::NormSquares, parts),
                        (K::NormScale, parts),
                        (K::BlocksRange, parts),
                        (K::BlocksWrite, parts),
                    ])
                }
                NetworkOperator::Linear { .. } => {
                    listed(&[(K::Linear, self.cut(operation)?.pieces())])
                }
                NetworkOperator::Bias { value, .. } => listed(&[(K::Bias, width(value))]),
                NetworkOperator::HeadNorm { value, .. } if self.norms_whole(operation) => {
                    let parts = width(value);
                    listed(&[
                        (K::NormRange, parts),
                        (K::NormSquares, parts),
                        (K::NormScale, parts),
                    ])
                }
                NetworkOperator::HeadNorm { value, .. } => {
                    listed(&[(K::HeadNorm, self.head_parts(self.network.width(value)))])
                }
                NetworkOperator::Rope { value, .. } => {
                    listed(&[(K::Rope, self.head_parts(self.network.width(value)))])
                }
                NetworkOperator::Store { .. } => {
                    let heads = u64::from(self.architecture().kv_heads);
                    listed(&[(K::StoreKey, heads), (K::StoreValue, heads)])
                }
                NetworkOperator::Attention { window, .. } => {
                    let (_, groups) = self.attention(operation)?;
                    let blocks = Self::seen_blocks(window, position);
                    let pieces = (blocks.end - blocks.start) * groups;
                    listed(&[(K::Scores, pieces), (K::Sums, pieces), (K::Mix, pieces)])
                }
                NetworkOperator::Quantise { input, .. } => {
                    let parts = width(input);
                    listed(&[(K::BlocksRange, parts), (K::BlocksWrite, parts)])
                }
                NetworkOperator::Swiglu { output, .. } => {
                    let parts = width(output);
                    listed(&[
                        (K::Swiglu, parts),
                        (K::BlocksRange, parts),
                        (K::BlocksWrite, parts),
                    ])
                }
                NetworkOperator::Geglu { output, .. } => {
                    let parts = width(output);
                    listed(&[
                        (K::Geglu, parts),
                        (K::BlocksRange, parts),
                        (K::BlocksWrite, parts),
                    ])
                }
                NetworkOperator::Add { value, .. } => listed(&[(K::Add, width(value))]),
                NetworkOperator::Route { .. } => listed(&[(K::Route, 1)]),
                NetworkOperator::Experts { .. } => {
                    listed(&[(K::Experts, self.cut(operation)?.pieces())])
                }
                NetworkOperator::Mix { output, .. } => {
                    let parts = parts(self.network.width(output), self.mixed_elements(operation)?);
                    listed(&[(K::MixExperts, parts)])
                }
            },
            Operation::State => listed(&[(K::State, 1)]),
            Operation::Largest => listed(&[(K::Largest, vocabulary)]),
            Operation::Search(_) if stage >= 2 * DIGITS => None,
            Operation::Search(_) => match stage.is_multiple_of(2) {
                true => Some((K::Count, vocabulary)),
                false => Some((K::Select, 1)),
            },
            Operation::Answered => listed(&[(K::Answered, 1)]),
            Operation::LossWeights => listed(&[(K::LossWeights, vocabulary)]),
            Operation::Loss => listed(&[(K::Loss, 1)]),
            Operation::Tokens => {
                let given = self.execution.tokens(TokenList::Given).count as usize;
                listed(&[(K::Tokens, parts(given, TOKENS_PER_LEAF))])
            }
            Operation::Outcome => listed(&[(K::Outcome, 1)]),
        }
    }

    /// Whether an operation is a norm in place of a whole vector, not of each head.
    pub fn norms_whole(&self, operation: usize) -> bool {
        let Some(NetworkOperator::HeadNorm { gains, .. }) = self.operator(operation) else {
            return false;
        };
        let kind = self.network.tensors().get(*gains).map(|tensor| tensor.kind);
        let length = self.architecture().head_dim;
        kind != Some(TensorKind::Gain { length })
    }

    fn head_parts(&self, width: usize) -> u64 {
        parts(
            width,
            self.heads_in_part() * self.architecture().head_dim as usize,
        )
    }

    /// The operations that a position has.
    pub const fn operations_at(&self, position: u32) -> usize {
        if position + 1 == self.positions {
            self.operations.len()
        } else if position >= self.first_wanted {
            self.wanted
        } else {
            self.layers
        }
    }

    /// Index in its position of the first step of an operation.
    fn start(&self, operation: usize, position: u32) -> u64 {
        let Some(start) = self.starts.get(operation) else {
            return 0;
        };
        let windows = self.windows.iter().zip(&start.by_context);
        windows.fold(start.fixed, |sum, (window, count)| {
            let blocks = Self::seen_blocks(*window, position);
            sum + count * (blocks.end - blocks.start)
        })
    }

    /// Steps of all positions before this one.
    fn before_position(&self, position: u32) -> u64 {
        let end = |operation: usize, positions: u64| {
            let start = self.starts.get(operation);
            start.map_or(0, |start| start.fixed * positions)
        };
        let count = u64::from(position);
        let wanted = u64::from(position.saturating_sub(self.first_wanted));
        // The operations after the layers do not depend on the context.
        let layers = end(self.layers, count) + end(self.wanted, wanted) - end(self.layers, wanted);
        let last = match position >= self.positions {
            true => end(self.operations.len(), 1) - end(self.wanted, 1),
            false => 0,
        };
        let counts = self.starts.get(self.layers).map(|start| &start.by_context);
        let windows = self.windows.iter().zip(counts.into_iter().flatten());
        windows.fold(layers + last, |sum, (window, times)| {
            sum + times * blocks_seen_before(*window, position)
        })
    }

    /// The number of the first step of an operation at a position that has it; at the end of the operations, of the
    /// next position.
    pub fn first_step(&self, operation: usize, position: u32) -> u64 {
        self.before_position(position) + self.start(operation, position)
    }

    /// Number of steps.
    pub fn steps(&self) -> u64 {
        self.before_position(self.positions)
    }

    /// Positions that are executed: those of prompt and answer but the last token.
    pub const fn positions(&self) -> u32 {
        self.positions
    }

    /// The steps of a position.
    pub fn steps_at(&self, position: u32) -> Range<u64> {
        let position = position.min(self.positions);
        let next = position.saturating_add(1).min(self.positions);
        self.before_position(position)..self.before_position(next)
    }

    /// Most rows of nodes that a claimant has to show until a step is found, if each is `bits` rows of the tree below the
    /// one before it.
    pub fn rows_shown(&self, bits: u32) -> u32 {
        merkle::height(self.steps()).div_ceil(bits.max(1))
    }

    /// The number of a step; `None` where there is no such step.
    pub fn number(&self, place: &StepPlace) -> Option<u64> {
        let StepPlace {
            position,
            operation,
            stage,
            piece,
        } = *place;
        if position >= self.positions || operation >= self.operations_at(position) {
            return None;
        }
        let (_, pieces) = self.stage(operation, stage, position)?;
        let earlier = (0..stage).map_while(|stage| self.stage(operation, stage, position));
        let offset: u64 = earlier.map(|(_, pieces)| pieces).sum();
        let first = self.before_position(position) + self.start(operation, position);
        (piece < pieces).then_some(first + offset + piece)
    }

    /// The place of a step by its number; `None` beyond the last.
    pub fn place(&self, step: u64) -> Option<StepPlace> {
        if step >= self.steps() {
            return None;
        }
        let position = last_below(self.positions as usize, |position| {
            self.before_position(position as u32) <= step
        });
        let position = u32::try_from(position).ok()?;
        let mut rest = step - self.before_position(position);
        let operation = last_below(self.operations_at(position), |operation| {
            self.start(operation, position) <= rest
        });
        rest -= self.start(operation, position);
        for stage in 0.. {
            let (_, pieces) = self.stage(operation, stage, position)?;
            if rest < pieces {
                return Some(StepPlace {
                    position,
                    operation,
                    stage,
                    piece: rest,
                });
            }
            rest -= pieces;
        }
        None
    }

    /// The kind of a step; `None` where there is no such step.
    pub fn kind(&self, place: &StepPlace) -> Option<StepKind> {
        let (kind, pieces) = self.stage(place.operation, place.stage, place.position)?;
        (place.piece < pieces).then_some(kind)
    }

    /// The leaf that the last step has where the statement is true.
    pub fn outcome() -> H256 {
        crate::leaf(&[1])
    }
}

/// The last of `count` for which a condition holds that holds up to some of them, the first among these.
fn last_below(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => low = middle,
            false => high = middle,
        }
    }
    low
}

/// Positions that are executed, and the first with logits.
fn counts(execution: &TracedExecution, context: u32) -> Option<(u32, u32)> {
    match execution {
        TracedExecution::Answer(answer) => {
            let (prompt, length) = (answer.prompt.count, answer.answer.count);
            let room = context.checked_sub(prompt)?.min(answer.max_tokens);
            let last = prompt.checked_sub(1)?;
            let positions = last.checked_add(length)?;
            (length > 0 && length <= room).then_some((positions, last))
        }
        TracedExecution::Text(text) => {
            let positions = text.tokens.count.checked_sub(1)?;
            (positions > 0 && positions <= context).then_some((positions, 0))
        }
    }
}

/// Sum over all positions before `position` of the blocks that each sees.
fn blocks_seen_before(window: Option<u32>, position: u32) -> u64 {
    // Σ ⌊j / 32⌋ for j below n.
    let floors = |n: u64| {
        let (whole, rest) = (n / BLOCK as u64, n % BLOCK as u64);
        BLOCK as u64 * (whole * whole.saturating_sub(1) / 2) + whole * rest
    };
    let count = u64::from(position);
    let hidden = window.map_or(0, |window| {
        // The first position that is seen is p + 1 - window, from where that is positive.
        (count + 1).saturating_sub(u64::from(window))
    });
    floors(count) + count - floors(hidden)
}

/// How a matrix is cut: parts of the reduction, and parts of the rows, each of at most [`PART_TILES`] tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearCut {
    /// Blocks of the reduction.
    pub blocks: usize,
    /// Parts of the reduction.
    pub chunks: u64,
    /// Groups of 16 rows in a part of the rows.
    pub groups: usize,
    /// Parts of the rows.
    pub row_parts: u64,
}

impl LinearCut {
    /// That of a matrix of `rows` outputs by `columns` inputs.
    pub fn new(rows: usize, columns: usize) -> Self {
        let blocks = columns / TILE_COLUMNS;
        let groups = (PART_TILES / blocks.max(1)).max(1);
        Self {
            blocks,
            chunks: parts(columns, PART),
            groups,
            row_parts: parts(rows, groups * TILE_ROWS),
        }
    }
}
