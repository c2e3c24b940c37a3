//! Evidence: right, falsified, and of something else.

use crate::support::{tree, Judge, World};
use noema_disputes::{DisputedLeaf, EvidenceError, StepJudge};
use noema_numerics::{testing::TestModel, Architecture};
use noema_protocol::{CheckpointId, ClaimId};
use noema_referee::{DeclaredEvidence, SessionStatement};
use noema_trace::StepKind;
use sp_core::H256;
use std::{cell::RefCell, collections::BTreeMap};

const SMALL: Architecture = Architecture {
    layers: 1,
    ..TestModel::TINY
};

/// Evidence of the first two steps of each kind.
fn samples(world: &World, leaves: &[H256]) -> Vec<(u64, DeclaredEvidence)> {
    let mut samples = Vec::new();
    let seen = RefCell::new(BTreeMap::<StepKind, u32>::new());
    let wanted = |_, kind| {
        let mut seen = seen.borrow_mut();
        let times = seen.entry(kind).or_default();
        *times += 1;
        *times <= 2
    };
    world.evidence(leaves, wanted, |step, evidence| {
        samples.push((step, evidence));
    });
    samples
}

#[test]
fn no_step_of_an_honest_trace_is_found_wrong() {
    let world = World::new(SMALL, 5);
    let leaves = world.leaves();
    let tree = tree(&leaves);
    let (subject, statement) = (world.subject(), world.statement());
    for (step, evidence) in samples(&world, &leaves) {
        let found = Judge::execute(&subject, &statement, &tree, step, &evidence);
        assert_eq!(found, Ok(leaves[step as usize]), "{}", evidence.kind);
    }
}

#[test]
fn a_falsified_leaf_is_found_by_its_step() {
    let world = World::new(SMALL, 5);
    let honest = world.leaves();
    for (step, _) in samples(&world, &honest) {
        let mut leaves = honest.clone();
        leaves[step as usize] = H256::repeat_byte(3);
        let tree = tree(&leaves);
        world.evidence(
            &leaves,
            |other, _| other == step,
            |step, evidence| {
                let (subject, statement) = (world.subject(), world.statement());
                let found = Judge::execute(&subject, &statement, &tree, step, &evidence);
                assert_eq!(found, Ok(honest[step as usize]), "{}", evidence.kind);
            },
        );
    }
}

#[test]
fn evidence_of_another_kind_is_refused_before_it_is_read() {
    let world = World::new(SMALL, 5);
    let leaves = world.leaves();
    let tree = tree(&leaves);
    for (step, evidence) in samples(&world, &leaves) {
        for kind in StepKind::ALL.iter().filter(|kind| **kind != evidence.kind) {
            let other = DeclaredEvidence {
                kind: *kind,
                inputs: evidence.inputs.clone(),
            };
            let found = Judge::execute(&world.subject(), &world.statement(), &tree, step, &other);
            assert_eq!(found, Err(EvidenceError::Malformed));
        }
    }
}

#[test]
fn evidence_of_something_else_shows_nothing() {
    let world = World::new(SMALL, 5);
    let leaves = world.leaves();
    let trace = tree(&leaves);
    let (subject, statement) = (world.subject(), world.statement());
    // Another checkpoint of the same shape, and an answer of it.
    let other = World::new(SMALL, 6);
    let other_leaves = other.leaves();
    let others = samples(&other, &other_leaves);
    for ((step, evidence), (_, foreign)) in samples(&world, &leaves).into_iter().zip(others) {
        let honest = leaves[step as usize];
        let execute = |subject: &DisputedLeaf, statement: &SessionStatement, step, evidence: &_| {
            Judge::execute(subject, statement, &trace, step, evidence)
        };
        let kind = evidence.kind;
        // Of another trace.
        let reads = !evidence.inputs.outputs.is_empty();
        if reads {
            let found = Judge::execute(&subject, &statement, &tree(&other_leaves), step, &evidence);
            assert_eq!(found, Err(EvidenceError::NotInTrace), "{kind}");
        }
        // With inputs of another checkpoint.
        let found = execute(&subject, &statement, step, &foreign);
        assert!(found.is_err() || found == Ok(honest), "{kind}: {found:?}");
        // About another checkpoint.
        let of_other = DisputedLeaf {
            checkpoint: CheckpointId(H256::zero()),
            ..subject
        };
        let found = execute(&of_other, &statement, step, &evidence);
        assert_eq!(found, Err(EvidenceError::NotInCheckpoint));
        let found = execute(&subject, &other.statement(), step, &evidence);
        assert_eq!(found, Err(EvidenceError::NotInCheckpoint));
        // Of another position, or of none.
        for elsewhere in [
            step + 1,
            step.wrapping_sub(1),
            leaves.len() as u64,
            u64::MAX,
        ] {
            let found = execute(&subject, &statement, elsewhere, &evidence);
            let there = usize::try_from(elsewhere)
                .ok()
                .and_then(|at| leaves.get(at));
            assert!(
                found.is_err() || found.ok().as_ref() == there,
                "{kind} at {elsewhere}"
            );
        }
        // The claim does not matter: the statement was compared with it before.
        let of_claim = DisputedLeaf {
            claim: ClaimId(1),
            ..subject
        };
        assert_eq!(execute(&of_claim, &statement, step, &evidence), Ok(honest));
    }
}
