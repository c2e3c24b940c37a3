//! The judgement on evidence of a step.
//!
//! Evidence is [`StepEvidence`]: `outputs` and `nodes` are those of the trace, as for every trace; `tiles` are the leaves
//! that the step opens, whole and one after another, and `tile_nodes` the nodes that prove them, tree by tree; it has no
//! tokens.

use crate::{
    compute::{compute, ComputeError},
    file,
    reads::{LeafOpening, OpenedBytes, OpenedTree},
    shape::{AggregateShape, AggregateStep},
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::ops::Range;
use noema_protocol::{hashing::blake2_256, merkle};
use noema_trace::{leaf, EvidenceRefusal, StepEvidence, StepJudgement};
use sp_core::H256;

/// Leaves that have been verified, by tree, with their first bytes.
#[derive(Default)]
struct Verified<'a>(BTreeMap<OpenedTree, Vec<(u64, &'a [u8])>>);

impl OpenedBytes for Verified<'_> {
    fn bytes(&self, tree: OpenedTree, range: Range<u64>) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        let mut next = range.start;
        for (start, leaf) in self.0.get(&tree).into_iter().flatten() {
            if next >= range.end {
                break;
            }
            if let Some(skip) = next.checked_sub(*start)
                && let Some(rest) = leaf.get(usize::try_from(skip).ok()?..)
            {
                let wanted = usize::try_from(range.end - next).ok()?.min(rest.len());
                found.extend_from_slice(rest.get(..wanted)?);
                next += wanted as u64;
            }
        }
        (next >= range.end).then_some(found)
    }
}

impl From<ComputeError> for EvidenceRefusal {
    fn from(error: ComputeError) -> Self {
        match error {
            // What is missing is refused before.
            ComputeError::Missing => Self::OutputBytes,
            ComputeError::Impossible => Self::ImpossibleInput,
        }
    }
}

impl AggregateShape<'_> {
    /// The leaf that a step has in a true trace whose earlier leaves are those of the trace with this `root`: computed
    /// from the evidence, which must be exactly what the step reads.
    ///
    /// Total: no evidence makes it panic, and what it costs is bounded by the kind of the step.
    ///
    /// # Errors
    /// Where the evidence is not what the step reads.
    pub fn execute(
        &self,
        root: H256,
        number: u64,
        evidence: &StepEvidence,
    ) -> Result<H256, EvidenceRefusal> {
        let step = self.step(number).ok_or(EvidenceRefusal::NoStep)?;
        if !evidence.tokens.is_empty() || !evidence.token_nodes.is_empty() {
            return Err(EvidenceRefusal::Tokens);
        }
        let reads = self.reads(&step).ok_or(EvidenceRefusal::NoStep)?;
        let inputs = self.verify_outputs(root, &reads, evidence)?;
        let opened = self.verify_openings(&step, &inputs, evidence)?;
        Ok(leaf(&compute(self, &step, &inputs, &opened)?))
    }

    /// Whether `claimed` is the leaf of a step; see [`Self::execute`].
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub fn judge(
        &self,
        root: H256,
        number: u64,
        evidence: &StepEvidence,
        claimed: H256,
    ) -> Result<StepJudgement, EvidenceRefusal> {
        let leaf = self.execute(root, number, evidence)?;
        Ok(StepJudgement::of(leaf, claimed))
    }

    /// The outputs that a step reads, in the order of `reads`.
    fn verify_outputs<'e>(
        &self,
        root: H256,
        reads: &[AggregateStep],
        evidence: &'e StepEvidence,
    ) -> Result<Vec<&'e [u8]>, EvidenceRefusal> {
        let numbered = reads
            .iter()
            .map(|step| Some((self.number(step)?, self.output_bytes(step)?)));
        let numbered: Option<Vec<(u64, usize)>> = numbered.collect();
        let numbered = numbered.ok_or(EvidenceRefusal::NoStep)?;
        let outputs = evidence.outputs_of(root, self.steps(), numbered.clone())?;
        let inputs = numbered.iter().map(|(number, _)| {
            let at = outputs.binary_search_by_key(number, |(step, _)| *step);
            outputs.get(at.ok()?).map(|(_, output)| *output)
        });
        let inputs: Option<Vec<&[u8]>> = inputs.collect();
        inputs.ok_or(EvidenceRefusal::OutputBytes)
    }

    fn verify_openings<'e>(
        &self,
        step: &AggregateStep,
        inputs: &[&[u8]],
        evidence: &'e StepEvidence,
    ) -> Result<Verified<'e>, EvidenceRefusal> {
        let refused = EvidenceRefusal::Tiles;
        let (mut bytes, mut nodes) = (evidence.tiles.as_slice(), evidence.tile_nodes.as_slice());
        let mut verified = Verified::default();
        for opening in self.openings(step, inputs)? {
            // A place that is not in its tree comes from an output that no step writes.
            let missing = self
                .missing(&opening)
                .ok_or(EvidenceRefusal::ImpossibleInput)?;
            let (own, others) = nodes.split_at_checked(missing.len()).ok_or(refused)?;
            nodes = others;
            let mut leaves = Vec::with_capacity(opening.leaves.len());
            for leaf in &opening.leaves {
                let range = self.leaf_range(opening.tree, *leaf).ok_or(refused)?;
                let length = usize::try_from(range.end - range.start).map_err(|_| refused)?;
                let (leaf, others) = bytes.split_at_checked(length).ok_or(refused)?;
                bytes = others;
                leaves.push((range.start, leaf));
            }
            let root = self.root_from(&opening, &leaves, own).ok_or(refused)?;
            if self.root_of(opening.tree) != Some(root) {
                return Err(refused);
            }
            verified.0.insert(opening.tree, leaves);
        }
        match bytes.is_empty() && nodes.is_empty() {
            true => Ok(verified),
            false => Err(refused),
        }
    }

    fn root_from(
        &self,
        opening: &LeafOpening,
        leaves: &[(u64, &[u8])],
        nodes: &[H256],
    ) -> Option<H256> {
        let shown = opening.leaves.iter().copied();
        let shown = shown.zip(leaves.iter().map(|(_, bytes)| *bytes));
        match opening.tree {
            OpenedTree::Update(update) => {
                let bytes = self.execution.updates.get(update)?.bytes;
                file::hash(bytes.into(), shown, nodes)
            }
            OpenedTree::Masters | OpenedTree::Weights => {
                let shown = shown.map(|(leaf, bytes)| (leaf, blake2_256(bytes)));
                let shown: Vec<(u64, H256)> = shown.collect();
                merkle::root_of(self.leaves(opening.tree)?, &shown, nodes)
            }
        }
    }
}
