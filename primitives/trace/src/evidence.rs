//! Evidence of a step, and the judgement on it.

use crate::{
    compute::{compute, ComputeError},
    needs::{token_leaves, Needs, TokenRun},
    reads::Read,
    StepPlace, StepSource, TokenList, TraceShape,
};
use alloc::vec::Vec;
use codec::DecodeWithMemTracking;
use core::{fmt, ops::Range};
use noema_numerics::tile::TILE_BYTES;
use noema_protocol::{
    apply, encoded,
    hashing::{blake2_256, merkle_leaf, tokens_hash_of, tokens_node},
    merkle,
};
use sp_core::H256;

/// What a step is computed from, with the nodes that prove it: at most [`MAX_EVIDENCE_BYTES`] for checkpoints of up to
/// 70 billion weights.
#[apply(encoded)]
#[derive(Default, DecodeWithMemTracking)]
pub struct StepEvidence {
    /// The outputs that the step reads, in the order of the steps that wrote them, one after another.
    pub outputs: Vec<u8>,
    /// The nodes of the trace's tree that are missing to prove them.
    pub nodes: Vec<H256>,
    /// The tokens of the leaf of the prompt, the text or the answer that the step reads.
    pub tokens: Vec<u32>,
    /// The nodes of the tokens' tree that are missing to prove them.
    pub token_nodes: Vec<H256>,
    /// The tiles that the step reads, one after another.
    pub tiles: Vec<u8>,
    /// The nodes of the weights' tree that are missing to prove them.
    pub tile_nodes: Vec<H256>,
}

/// Most bytes of evidence of a step of a checkpoint of up to 70 billion weights at 32,768 positions.
pub const MAX_EVIDENCE_BYTES: usize = 64 * 1024;

/// Why evidence is refused. It then says nothing about the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvidenceRefusal {
    /// The trace has no such step.
    NoStep,
    /// The outputs do not have the length that the step reads.
    OutputBytes,
    /// The outputs are not those of the trace at these places.
    Outputs,
    /// The tokens are not those of the statement, or more or fewer than the step reads.
    Tokens,
    /// The tiles are not those of the checkpoint, or more or fewer than the step reads.
    Tiles,
    /// An output that the step reads cannot be the output of its own step: that one is false, and is to be shown instead.
    ImpossibleInput,
}

impl fmt::Display for EvidenceRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoStep => "the trace has no step with this number",
            Self::OutputBytes => "the outputs do not have as many bytes as the step reads; give all of them, whole",
            Self::Outputs => "the outputs are not in the trace at these places, or nodes are missing or too many",
            Self::Tokens => "the tokens are not those of the statement that the step reads",
            Self::Tiles => "the tiles are not those of the checkpoint that the step reads",
            Self::ImpossibleInput => {
                "an output that the step reads cannot come from its own step; show that one to be false"
            }
        })
    }
}

impl core::error::Error for EvidenceRefusal {}

/// What the computation of a step shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepJudgement {
    /// The trace has the leaf that the step yields.
    Right,
    /// The step yields another leaf: the trace is false.
    Wrong {
        /// The leaf that the step yields.
        leaf: H256,
    },
}

/// The leaf of a step: the hash of its output.
pub fn leaf(output: &[u8]) -> H256 {
    blake2_256(output)
}

/// The parts of evidence that have been verified.
struct Verified<'a> {
    /// Outputs by the numbers of their steps, ascending.
    outputs: Vec<(u64, &'a [u8])>,
    run: Option<TokenRun>,
    tokens: &'a [u32],
    tiles: Range<u64>,
    tile_bytes: &'a [u8],
}

impl StepSource for Verified<'_> {
    fn output(&self, step: u64) -> Option<&[u8]> {
        let at = self.outputs.binary_search_by_key(&step, |(step, _)| *step);
        self.outputs.get(at.ok()?).map(|(_, bytes)| *bytes)
    }

    fn tiles(&self, tiles: Range<u64>) -> Option<&[u8]> {
        (tiles == self.tiles).then_some(self.tile_bytes)
    }

    fn token(&self, list: TokenList, index: u32) -> Option<u32> {
        let run = self.run.as_ref().filter(|run| run.list == list)?;
        let at = index.checked_sub(run.tokens.start)?;
        self.tokens.get(usize::try_from(at).ok()?).copied()
    }
}

impl TraceShape<'_> {
    /// Evidence of a step from a source that has what it reads, but for the nodes of the three trees: those at the
    /// places of [`Self::needs_of`].
    pub fn evidence(&self, step: u64, source: &impl StepSource) -> Option<StepEvidence> {
        let needs = self.needs_of(step, source)?;
        let tokens = needs.tokens.iter();
        let tokens = tokens.flat_map(|run| {
            let tokens = run.tokens.clone();
            tokens.map(|index| source.token(run.list, index))
        });
        let mut outputs = Vec::with_capacity(needs.bytes);
        for step in &needs.steps {
            outputs.extend_from_slice(source.output(*step)?);
        }
        Some(StepEvidence {
            outputs,
            tokens: tokens.collect::<Option<_>>()?,
            tiles: match needs.tiles.is_empty() {
                true => Vec::new(),
                false => source.tiles(needs.tiles)?.to_vec(),
            },
            ..StepEvidence::default()
        })
    }

    /// What evidence of a step consists of, with [what its tiles depend on](Self::selected) from a source: without the
    /// tiles of experts where it does not have the routes.
    pub fn needs_of(&self, step: u64, source: &impl StepSource) -> Option<Needs> {
        let place = self.place(step)?;
        self.needs(&place, self.selected(&place, source))
    }

    /// The leaf that `step` has in a true trace whose earlier leaves are those of the trace with this `root`: computed
    /// from the evidence, which must be exactly what the step reads.
    ///
    /// Total: no evidence makes it panic, and what it costs is bounded by the kind of the step.
    ///
    /// # Errors
    /// Where the evidence is not what the step reads.
    pub fn execute(
        &self,
        root: H256,
        step: u64,
        evidence: &StepEvidence,
    ) -> Result<H256, EvidenceRefusal> {
        let place = self.place(step).ok_or(EvidenceRefusal::NoStep)?;
        let verified = self.verify(root, &place, evidence)?;
        match compute(self, &place, &verified) {
            Ok(output) => Ok(leaf(&output)),
            // What is missing is refused before.
            Err(ComputeError::Missing) => Err(EvidenceRefusal::OutputBytes),
            Err(ComputeError::Impossible) => Err(EvidenceRefusal::ImpossibleInput),
        }
    }

    /// Whether `claimed` is the leaf of a step; see [`Self::execute`].
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub fn judge(
        &self,
        root: H256,
        step: u64,
        evidence: &StepEvidence,
        claimed: H256,
    ) -> Result<StepJudgement, EvidenceRefusal> {
        let leaf = self.execute(root, step, evidence)?;
        Ok(StepJudgement::of(leaf, claimed))
    }

    fn verify<'a>(
        &self,
        root: H256,
        place: &StepPlace,
        evidence: &'a StepEvidence,
    ) -> Result<Verified<'a>, EvidenceRefusal> {
        let run = self.token_run(place);
        self.verify_tokens(run.as_ref(), evidence)?;
        let mut verified = Verified {
            outputs: self.verify_outputs(root, place, evidence)?,
            run,
            tokens: &evidence.tokens,
            tiles: 0..0,
            tile_bytes: &[],
        };
        // Which tiles follows from a token or an output that is verified by now.
        let run = self.tile_run(place, self.selected(place, &verified));
        let (tiles, _) = run.ok_or(EvidenceRefusal::NoStep)?;
        self.verify_tiles(&tiles, evidence)?;
        verified.tiles = tiles;
        verified.tile_bytes = &evidence.tiles;
        Ok(verified)
    }

    fn verify_tokens(
        &self,
        run: Option<&TokenRun>,
        evidence: &StepEvidence,
    ) -> Result<(), EvidenceRefusal> {
        let refused = EvidenceRefusal::Tokens;
        let Some(run) = run else {
            let is_empty = evidence.tokens.is_empty() && evidence.token_nodes.is_empty();
            return is_empty.then_some(()).ok_or(refused);
        };
        if evidence.tokens.len() != run.tokens.len() {
            return Err(refused);
        }
        let of = self.execution.tokens(run.list);
        let shown = [(run.leaf, tokens_node(&evidence.tokens))];
        let root = merkle::root_of(token_leaves(of.count), &shown, &evidence.token_nodes);
        match root.map(|root| tokens_hash_of(of.count.into(), root)) == Some(of.hash) {
            true => Ok(()),
            false => Err(refused),
        }
    }

    fn verify_tiles(
        &self,
        tiles: &Range<u64>,
        evidence: &StepEvidence,
    ) -> Result<(), EvidenceRefusal> {
        let refused = EvidenceRefusal::Tiles;
        let (shown, rest): (&[[u8; TILE_BYTES]], _) = evidence.tiles.as_chunks();
        if !rest.is_empty() || shown.len() as u64 != tiles.end.saturating_sub(tiles.start) {
            return Err(refused);
        }
        if shown.is_empty() {
            return evidence.tile_nodes.is_empty().then_some(()).ok_or(refused);
        }
        let nodes = tiles.clone().zip(shown.iter().map(|tile| blake2_256(tile)));
        let nodes: Vec<(u64, H256)> = nodes.collect();
        let root = merkle::root_of(self.network.tiles(), &nodes, &evidence.tile_nodes);
        match root == Some(self.checkpoint.weights_root) {
            true => Ok(()),
            false => Err(refused),
        }
    }

    fn verify_outputs<'a>(
        &self,
        root: H256,
        place: &StepPlace,
        evidence: &'a StepEvidence,
    ) -> Result<Vec<(u64, &'a [u8])>, EvidenceRefusal> {
        let reads = self.reads(place).ok_or(EvidenceRefusal::NoStep)?;
        let mut steps = Vec::new();
        for place in reads.iter().flat_map(Read::places) {
            let step = self.number(&place).ok_or(EvidenceRefusal::NoStep)?;
            let bytes = self.output_bytes(&place).ok_or(EvidenceRefusal::NoStep)?;
            steps.push((step, bytes));
        }
        evidence.outputs_of(root, self.steps(), steps)
    }
}

impl StepEvidence {
    /// The outputs of `reads`, steps with the bytes of their outputs, in a trace of `steps` steps with this root: by
    /// the numbers of the steps, ascending. The outputs that the evidence shows must be exactly these.
    ///
    /// # Errors
    /// [`EvidenceRefusal::OutputBytes`] or [`EvidenceRefusal::Outputs`].
    pub fn outputs_of(
        &self,
        root: H256,
        steps: u64,
        mut reads: Vec<(u64, usize)>,
    ) -> Result<Vec<(u64, &[u8])>, EvidenceRefusal> {
        reads.sort_unstable();
        reads.dedup();
        let mut rest = self.outputs.as_slice();
        let mut outputs = Vec::with_capacity(reads.len());
        for (step, bytes) in reads {
            let (output, others) = rest
                .split_at_checked(bytes)
                .ok_or(EvidenceRefusal::OutputBytes)?;
            outputs.push((step, output));
            rest = others;
        }
        if !rest.is_empty() {
            return Err(EvidenceRefusal::OutputBytes);
        }
        let refused = EvidenceRefusal::Outputs;
        if outputs.is_empty() {
            return self.nodes.is_empty().then_some(outputs).ok_or(refused);
        }
        let nodes = outputs
            .iter()
            .map(|(step, output)| (*step, merkle_leaf(&leaf(output))));
        let nodes: Vec<(u64, H256)> = nodes.collect();
        match merkle::root_of(steps, &nodes, &self.nodes) == Some(root) {
            true => Ok(outputs),
            false => Err(refused),
        }
    }
}

impl StepJudgement {
    /// The judgement on a step that has the leaf `claimed` and yields `leaf`.
    pub fn of(leaf: H256, claimed: H256) -> Self {
        match leaf == claimed {
            true => Self::Right,
            false => Self::Wrong { leaf },
        }
    }
}
