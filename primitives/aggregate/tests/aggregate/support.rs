//! Aggregates of a small checkpoint with padding everywhere.

use noema_aggregate::{
    AggregateExecution, AggregateResult, AggregateShape, AggregateStep, AggregateTracer,
    AggregatedUpdate, TrainedParent,
};
use noema_checkpoint::{weights_root, CheckpointId};
use noema_numerics::{
    testing::{Random, TestModel},
    Architecture,
};
use noema_protocol::{
    hashing::merkle_leaf,
    merkle::{self, Collector},
};
use noema_trace::StepEvidence;
use noema_update::{
    apply, from_weights, masters_root, overlap, Encoder, Limits, Trainable, Update,
};
use sp_core::H256;
use std::collections::BTreeMap;

pub(crate) const PARENT: CheckpointId = CheckpointId(H256::repeat_byte(7));

/// A parent, updates, and what they amount to by the definition.
pub(crate) struct World {
    pub(crate) model: TestModel,
    /// Empty where they follow from the weights.
    pub(crate) masters: Vec<u8>,
    pub(crate) files: Vec<Vec<u8>>,
    pub(crate) updates: Vec<AggregatedUpdate>,
    pub(crate) result: AggregateResult,
    pub(crate) entries: u16,
}

/// Two chunks and 7 rows of padding in the embedding; tensors of half a chunk, and of a chunk and a half.
pub(crate) fn model(seed: u64) -> TestModel {
    let architecture = Architecture {
        vocabulary: 121,
        ..TestModel::TINY
    };
    TestModel::seeded(architecture, seed)
}

/// An update of some tensors, with changes of about `2^bits`.
pub(crate) fn update(trainable: &Trainable, bound: u16, bits: u64, random: &mut Random) -> Vec<u8> {
    let mut encoder = Encoder::new(trainable, PARENT, bound).expect("a bound");
    for (index, tensor) in (0..).zip(trainable.tensors()) {
        if random.below(3) == 0 {
            continue;
        }
        let mut changes = Vec::new();
        for chunk in 0..tensor.chunks() {
            let first = u64::from(chunk) * 4_096;
            let length = tensor.chunk_coordinates(chunk) as u64;
            let scale = 1 << bits | random.below(1 << bits) as i32;
            let mut coordinates: Vec<u64> = (0..random.below(u64::from(bound) + 1))
                .map(|_| first + random.below(length))
                .filter(|coordinate| !tensor.is_padding(*coordinate))
                .collect();
            coordinates.sort_unstable();
            coordinates.dedup();
            for (place, coordinate) in coordinates.into_iter().enumerate() {
                let magnitude = scale << u32::from(place > 0 && random.below(2) == 1);
                let sign = 1 - 2 * random.below(2) as i32;
                changes.push((coordinate, sign * magnitude));
            }
        }
        encoder.exact(index, &changes).expect("changes");
    }
    encoder.finish()
}

impl World {
    /// The aggregate of these updates, each with its weight, by the definition. If `trained`, the parent has masters
    /// that do not follow from its weights.
    pub(crate) fn new(model: TestModel, trained: bool, files: Vec<(Vec<u8>, u32)>) -> Self {
        let trainable = Trainable::new(&model.architecture).expect("an architecture");
        let mut weights = model.weights.clone();
        let mut masters = from_weights(&trainable, &weights).expect("weights");
        let mut model = model;
        if trained {
            let mut random = Random::new(99);
            let earlier = update(&trainable, 64, 20, &mut random);
            let opened = Update::open(&earlier, &trainable, PARENT, Limits::default());
            let opened = [(opened.expect("an update"), 1)];
            apply(&opened, &model.exponents, &mut masters, &mut weights).expect("a successor");
            model.weights.clone_from(&weights);
        }
        let kept = if trained { masters.clone() } else { Vec::new() };
        let limits = Limits::with_entries(4_096);
        let opened: Result<Vec<_>, _> = files
            .iter()
            .map(|(bytes, weight)| Ok((Update::open(bytes, &trainable, PARENT, limits)?, *weight)))
            .collect::<Result<_, noema_update::DecodeError>>();
        let applied = opened
            .ok()
            .map(|updates| apply(&updates, &model.exponents, &mut masters, &mut weights));
        let result = match applied {
            Some(Ok(_)) => AggregateResult::Checkpoint {
                weights_root: weights_root(&weights),
                masters_root: masters_root(&masters),
            },
            _ => AggregateResult::Malformed,
        };
        let updates = files.iter().map(|(bytes, weight)| AggregatedUpdate {
            hash: H256(*blake3::hash(bytes).as_bytes()),
            bytes: bytes.len() as u32,
            weight: *weight,
        });
        Self {
            updates: updates.collect(),
            files: files.into_iter().map(|(bytes, _)| bytes).collect(),
            masters: kept,
            model,
            result,
            entries: 4_096,
        }
    }

    /// An aggregate of updates that differ in length, bound and weight.
    pub(crate) fn random(count: usize, trained: bool, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let model = model(seed);
        let trainable = Trainable::new(&model.architecture).expect("an architecture");
        let files = (0..count).map(|_| {
            let bound = 1 << random.below(9);
            let bits = random.below(24);
            let weight = 1 + random.below(1 << 16) as u32;
            (update(&trainable, bound, bits, &mut random), weight)
        });
        let files = files.collect();
        Self::new(model, trained, files)
    }

    /// How much two updates share, one of which has a part of the other's entries.
    pub(crate) fn overlap(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let model = model(seed);
        let trainable = Trainable::new(&model.architecture).expect("an architecture");
        let one = update(&trainable, 64, 12, &mut random);
        let opened = Update::open(&one, &trainable, PARENT, Limits::default());
        let mut reader = opened.expect("an update").reader();
        let mut encoder = Encoder::new(&trainable, PARENT, 64).expect("a bound");
        let (often, mut changes) = (1 + random.below(4), BTreeMap::new());
        while let Some(chunk) = reader.next().expect("chunks") {
            let of_tensor: &mut Vec<(u64, i32)> = changes.entry(chunk.place.tensor).or_default();
            for entry in chunk.entries {
                if random.below(often) > 0 {
                    continue;
                }
                let first = u64::from(chunk.place.chunk) * 4_096;
                let turned = if random.below(5) == 0 { -1 } else { 1 };
                let change = 500 * entry.value.signum() * turned;
                of_tensor.push((first + u64::from(entry.index), change));
            }
        }
        for (tensor, changes) in changes {
            encoder.exact(tensor, &changes).expect("changes");
        }
        let mut world = Self::new(model, false, vec![(one, 1), (encoder.finish(), 1)]);
        let [first, second] = [0, 1].map(|file| {
            Update::open(&world.files[file], &trainable, PARENT, Limits::default())
                .expect("an update")
        });
        let found = overlap(&first, &second).expect("well-formed updates");
        let most = match random.below(2) {
            0 => found.permill(),
            _ => random.below(1_000) as u32,
        };
        world.result = AggregateResult::Overlap {
            most,
            exceeds: found.permill() > most,
        };
        world
    }

    pub(crate) fn parent(&self) -> TrainedParent<'_> {
        TrainedParent {
            id: PARENT,
            architecture: &self.model.architecture,
            exponents: &self.model.exponents,
            weights_root: weights_root(&self.model.weights),
            masters_root: (!self.masters.is_empty()).then(|| masters_root(&self.masters)),
        }
    }

    pub(crate) fn shape(&self) -> AggregateShape<'_> {
        self.shape_of(self.result)
    }

    /// With another result.
    pub(crate) fn shape_of(&self, result: AggregateResult) -> AggregateShape<'_> {
        let execution = AggregateExecution {
            updates: &self.updates,
            entries: self.entries,
            result,
        };
        AggregateShape::new(self.parent(), execution).expect("a shape")
    }

    /// Computes with a tracer.
    pub(crate) fn trace<'a, T>(
        &'a self,
        shape: &'a AggregateShape<'a>,
        with: impl FnOnce(AggregateTracer<'_>) -> T,
    ) -> T {
        let files: Vec<&[u8]> = self.files.iter().map(Vec::as_slice).collect();
        let weights = &self.model.weights;
        with(AggregateTracer::new(shape, &self.masters, weights, &files))
    }

    /// The leaves of the whole trace.
    pub(crate) fn leaves(&self, shape: &AggregateShape<'_>) -> Vec<H256> {
        self.leaves_with(shape, &[])
    }

    /// The leaves of a trace that goes on from false outputs as far as it can; zeros after that.
    pub(crate) fn leaves_with(
        &self,
        shape: &AggregateShape<'_>,
        replaced: &[(u64, Vec<u8>)],
    ) -> Vec<H256> {
        let mut leaves = Vec::new();
        let all = self.trace(shape, |mut tracer| {
            for (step, output) in replaced {
                tracer.replace(*step, output.clone());
            }
            tracer.leaves(shape.steps(), |_, leaf| leaves.push(leaf))
        });
        assert!(
            all || !replaced.is_empty(),
            "no step after {}",
            leaves.len()
        );
        leaves.resize(shape.steps() as usize, H256::zero());
        leaves
    }
}

/// Adds the nodes that prove evidence of `step` in a trace with these leaves.
pub(crate) fn prove(
    shape: &AggregateShape<'_>,
    leaves: &[H256],
    step: &AggregateStep,
    evidence: &mut StepEvidence,
) {
    let places = shape.missing_outputs(step).expect("a step");
    let mut collector = Collector::new(leaves.len() as u64, 0, &places);
    leaves
        .iter()
        .for_each(|leaf| collector.push(merkle_leaf(leaf)));
    evidence.nodes = collector.finish().expect("places of the tree");
}

pub(crate) fn root(leaves: &[H256]) -> H256 {
    merkle::root(leaves.iter().map(merkle_leaf))
}
