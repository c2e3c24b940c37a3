//! Everything that a step reads, and the bytes that it takes: outputs of earlier steps, tokens, tiles.

use crate::{
    bytes,
    execution::TokenList,
    reads::Read,
    shape::{StepPlace, TraceShape, PART_TILES},
    StepKind, StepSource,
};
use alloc::{collections::BTreeSet, vec, vec::Vec};
use core::ops::Range;
use noema_numerics::{
    experts,
    layout::{TensorKind, TensorSpec},
    network::NetworkOperator,
    tile::{TILE_BYTES, TILE_ROWS},
    BLOCK,
};
use noema_protocol::{
    hashing::TOKENS_PER_LEAF,
    merkle::{self, Place},
};

/// Tokens that a step reads: a leaf of the tree of a prompt or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRun {
    /// Of which.
    pub list: TokenList,
    /// The leaf of the tree of [`tokens_hash`](noema_protocol::hashing::tokens_hash).
    pub leaf: u64,
    /// Its tokens, by their index in the list.
    pub tokens: Range<u32>,
    /// The one that matters, by its index in the list; none for all.
    pub one: Option<u32>,
}

/// Everything that evidence of a step consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The numbers of the steps whose outputs are read, ascending.
    pub steps: Vec<u64>,
    /// Bytes of these outputs together.
    pub bytes: usize,
    /// The places of the trace's nodes that prove them.
    pub nodes: Vec<Place>,
    /// The tokens.
    pub tokens: Option<TokenRun>,
    /// The nodes of their tree that prove them.
    pub token_nodes: Vec<Place>,
    /// The tiles, by index in the weights.
    pub tiles: Range<u64>,
    /// The nodes of the weights' tree that prove them.
    pub tile_nodes: Vec<Place>,
}

impl Needs {
    /// Bytes of evidence: with the lengths of its six parts, at most four bytes each.
    pub fn evidence_bytes(&self) -> usize {
        let nodes = self.nodes.len() + self.token_nodes.len() + self.tile_nodes.len();
        let tokens = self.tokens.as_ref().map_or(0, |run| run.tokens.len());
        let tiles = (self.tiles.end - self.tiles.start) as usize;
        6 * 4 + self.bytes + 32 * nodes + 4 * tokens + TILE_BYTES * tiles
    }
}

impl TraceShape<'_> {
    /// The tokens that a step reads.
    pub(crate) fn token_run(&self, place: &StepPlace) -> Option<TokenRun> {
        let run = |list: TokenList, one: u32| {
            let leaf = u64::from(one) / TOKENS_PER_LEAF as u64;
            Some(TokenRun {
                list,
                leaf,
                tokens: self.leaf_tokens(list, leaf),
                one: Some(one),
            })
        };
        let at = |position: u32| {
            let given = self.execution.tokens(TokenList::Given).count;
            match position.checked_sub(given) {
                Some(index) => run(TokenList::Answer, index),
                None => run(TokenList::Given, position),
            }
        };
        match self.kind(place)? {
            StepKind::Embedding => at(place.position),
            StepKind::Answered => run(
                TokenList::Answer,
                place.position.checked_sub(self.first_wanted)?,
            ),
            StepKind::LossWeights => at(place.position.checked_add(1)?),
            StepKind::Tokens => Some(TokenRun {
                list: TokenList::Given,
                leaf: place.piece,
                tokens: self.leaf_tokens(TokenList::Given, place.piece),
                one: None,
            }),
            _ => None,
        }
    }

    /// The tokens of a leaf of a list.
    fn leaf_tokens(&self, list: TokenList, leaf: u64) -> Range<u32> {
        let count = u64::from(self.execution.tokens(list).count);
        let first = leaf.saturating_mul(TOKENS_PER_LEAF as u64).min(count);
        let end = (first + TOKENS_PER_LEAF as u64).min(count);
        first as u32..end as u32
    }

    /// What the tiles of a step depend on beside its place: for an embedding its token, for experts the one in the
    /// routes of the position. `None` for other kinds, and where the source does not have it.
    pub fn selected(&self, place: &StepPlace, source: &impl StepSource) -> Option<u32> {
        match self.kind(place)? {
            StepKind::Embedding => {
                let run = self.token_run(place)?;
                source.token(run.list, run.one?)
            }
            StepKind::Experts => {
                let piece = self.expert_piece(place)?;
                let routes = self.collect(&self.routes_of(place)?, source)?;
                let route = *bytes::to_i32(&routes).get(piece.slot)?;
                u32::try_from(experts::index(route, piece.count)).ok()
            }
            _ => None,
        }
    }

    /// The tiles that a step reads, given [what they depend on](Self::selected), and how many bytes of the first to skip.
    pub(crate) fn tile_run(
        &self,
        place: &StepPlace,
        selected: Option<u32>,
    ) -> Option<(Range<u64>, usize)> {
        let kind = self.kind(place)?;
        let operator = self.operator(place.operation);
        let tensor = || {
            let index = operator.and_then(NetworkOperator::tensor)?;
            self.network.tensors().get(index)
        };
        let none = Some((0..0, 0));
        match kind {
            StepKind::Embedding => {
                let tensor = tensor()?;
                let token = selected?;
                if token >= self.checkpoint.architecture.vocabulary {
                    return none;
                }
                let TensorKind::Linear { columns, .. } = tensor.kind else {
                    return None;
                };
                let blocks = u64::from(columns) / BLOCK as u64;
                let row = tensor.offset_tiles + u64::from(token) / TILE_ROWS as u64 * blocks;
                let first = place.piece * PART_TILES as u64;
                let end = (first + PART_TILES as u64).min(blocks);
                Some((row + first..row + end, 0))
            }
            StepKind::Linear => {
                let (_, weights, cut) = self.linear(place)?;
                let tensor = self.network.tensors().get(weights)?;
                let (chunk, row) = (place.piece / cut.row_parts, place.piece % cut.row_parts);
                let tiles = cut.part_tiles(row, chunk, tensor.tiles);
                let start = tensor.offset_tiles;
                Some((start + tiles.start..start + tiles.end, 0))
            }
            StepKind::Experts => Some((self.expert_tiles(place, selected?)?, 0)),
            StepKind::NormScale | StepKind::Bias => {
                let elements = self.piece_elements(place)?;
                Some(bytes_of(tensor()?, elements.start * 4..elements.end * 4))
            }
            StepKind::HeadNorm => {
                let head_dim = self.checkpoint.architecture.head_dim as usize;
                Some(bytes_of(tensor()?, 0..head_dim * 4))
            }
            StepKind::Rope => {
                let tensor = tensor()?;
                let TensorKind::Rope { half, .. } = tensor.kind else {
                    return None;
                };
                let row = half as usize * 8;
                let first = place.position as usize * row;
                Some(bytes_of(tensor, first..first + row))
            }
            _ => none,
        }
    }

    /// What evidence of a step consists of. `selected` is [what its tiles depend on](Self::selected); without it, and
    /// for a token outside the vocabulary, no tiles of an embedding or of experts are among it. `None` where there is no
    /// such step, or no such expert.
    pub fn needs(&self, place: &StepPlace, selected: Option<u32>) -> Option<Needs> {
        let mut steps = BTreeSet::new();
        let mut bytes = 0;
        for place in self.reads(place)?.iter().flat_map(Read::places) {
            if steps.insert(self.number(&place)?) {
                bytes += self.output_bytes(&place)?;
            }
        }
        let steps: Vec<u64> = steps.into_iter().collect();
        let proof = |width: u64, places: &[u64]| match places {
            [] => Some(vec![]),
            _ => merkle::missing(width, places),
        };
        let tokens = self.token_run(place);
        let token_nodes = match &tokens {
            Some(run) => {
                let count = self.execution.tokens(run.list).count;
                proof(token_leaves(count), &[run.leaf])?
            }
            None => vec![],
        };
        let (tiles, _) = match (self.kind(place)?, selected) {
            (StepKind::Embedding | StepKind::Experts, None) => (0..0, 0),
            _ => self.tile_run(place, selected)?,
        };
        let shown: Vec<u64> = tiles.clone().collect();
        Some(Needs {
            nodes: proof(self.steps(), &steps)?,
            steps,
            bytes,
            tokens,
            token_nodes,
            tile_nodes: proof(self.network.tiles(), &shown)?,
            tiles,
        })
    }

    /// Bytes of the output of a step; `None` where there is no such step.
    pub fn output_bytes(&self, place: &StepPlace) -> Option<usize> {
        use StepKind as K;
        let head_dim = self.checkpoint.architecture.head_dim as usize;
        let integers = || Some(self.piece_elements(place)?.len() * 4);
        Some(match self.kind(place)? {
            K::Embedding
            | K::NormScale
            | K::Bias
            | K::HeadNorm
            | K::Rope
            | K::Swiglu
            | K::Geglu
            | K::Route
            | K::MixExperts
            | K::Add => integers()?,
            K::NormRange | K::BlocksRange => 4,
            K::NormSquares | K::Loss | K::Largest => 8,
            K::BlocksWrite => {
                let elements = self.piece_elements(place)?.len();
                elements * 2 + elements / BLOCK
            }
            K::Linear | K::Experts => {
                let cut = self.cut(place.operation)?;
                match place.piece / cut.row_parts + 1 == cut.chunks {
                    true => self.linear_rows(place)?.len() * 4,
                    false => cut.rows() * 16,
                }
            }
            K::StoreKey | K::StoreValue => head_dim + head_dim / BLOCK * 4,
            K::Scores => self.attended(place)?.heads * (BLOCK + 1) * 4,
            K::Sums => self.attended(place)?.heads * (1 + head_dim / BLOCK) * 8,
            K::Mix => {
                let attended = self.attended(place)?;
                let element = if attended.is_last { 4 } else { 8 };
                attended.heads * head_dim * element
            }
            K::State => {
                let states = place.position.checked_sub(self.first_wanted)? + 1;
                states.count_ones() as usize * 32
            }
            K::Count => noema_numerics::sampling::search::VALUES * 16,
            K::Select => 52,
            K::LossWeights => 16,
            K::Answered | K::Tokens | K::Outcome => 1,
        })
    }
}

/// Leaves of the tree over so many tokens.
pub(crate) fn token_leaves(count: u32) -> u64 {
    u64::from(count).div_ceil(TOKENS_PER_LEAF as u64)
}

/// The tiles that hold these bytes of a tensor, and the bytes of the first that come before.
fn bytes_of(tensor: &TensorSpec, bytes: Range<usize>) -> (Range<u64>, usize) {
    let (first, end) = (bytes.start / TILE_BYTES, bytes.end.div_ceil(TILE_BYTES));
    let tiles = tensor.offset_tiles + first as u64..tensor.offset_tiles + end as u64;
    (tiles, bytes.start - first * TILE_BYTES)
}
