//! Evidence of steps of honest traces: whatever is accepted yields the leaf that the trace has.

use crate::{input::Input, traced};
use codec::{DecodeAll, Encode};
use noema_trace::StepEvidence;

pub(super) fn run(bytes: &[u8]) -> String {
    let mut input = Input(bytes);
    let traced = input.choose(traced::all());
    let shape = traced.shape();
    let step = u64::from(input.u32()) % (shape.steps() + 1);
    let Ok(evidence) = StepEvidence::decode_all(&mut input.rest()) else {
        return "undecodable".into();
    };
    let kind = shape.place(step).and_then(|place| shape.kind(&place));
    let kind = kind.map_or("none", |kind| kind.name());
    match shape.execute(traced.root, step, &evidence) {
        Ok(leaf) => {
            assert_eq!(leaf, traced.leaves[step as usize], "another leaf of {kind}");
            format!("{kind}: right")
        }
        Err(refusal) => format!("{kind}: {refusal:?}"),
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, traced) in traced::all().iter().enumerate() {
        for (step, evidence) in traced.evidence.values() {
            let mut seed = vec![number as u8];
            seed.extend((*step as u32).to_le_bytes());
            evidence.encode_to(&mut seed);
            seeds.push(seed);
        }
    }
    seeds
}
