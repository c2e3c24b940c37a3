//! Which statements have a trace, which are false without one, and which another referee decides.

use crate::support::{manifest, Judge, World, CLAIM, LEAF};
use codec::{Decode, Encode};
use noema_checkpoint::{Architecture, Manifest};
use noema_disputes::{DisputedLeaf, NoTrace, Shape, StepJudge};
use noema_numerics::testing::TestModel;
use noema_protocol::{CheckpointId, ClaimId, SessionId};
use noema_referee::{DeclaredEvidence, SessionStatement, ShownCheckpoint};
use noema_sessions::{AnswerEnd, SessionReceipt};
use noema_trace::TraceShape;
use proptest::prelude::*;
use sp_core::H256;

fn shape(world: &World, statement: &SessionStatement) -> Result<Shape, NoTrace> {
    Judge::shape(&world.subject(), statement)
}

#[test]
fn a_true_statement_is_bound_to_the_steps_of_its_trace_and_to_a_true_outcome() {
    let world = World::new(TestModel::TINY, 5);
    let leaves = world.leaves();
    let expected = Shape {
        steps: leaves.len() as u64,
        result: TraceShape::outcome(),
    };
    assert_eq!(shape(&world, &world.statement()), Ok(expected));
    assert_eq!(leaves.last(), Some(&TraceShape::outcome()));
    assert_eq!(Judge::leaf(&world.statement()), world.receipt.hash());
}

#[test]
fn what_the_chain_knows_cannot_be_misstated() {
    let world = World::new(TestModel::TINY, 5);
    let changes: [fn(&mut SessionReceipt); 14] = [
        |receipt| receipt.session = SessionId(4),
        |receipt| receipt.n += 1,
        |receipt| receipt.first += 1,
        |receipt| receipt.terms = H256::zero(),
        |receipt| receipt.checkpoint = CheckpointId(H256::zero()),
        |receipt| receipt.cached_tokens -= 1,
        |receipt| receipt.cached_tokens = u32::MAX,
        |receipt| receipt.seed = H256::zero(),
        |receipt| receipt.price += 1,
        |receipt| receipt.parameters.top_p_milli = 0,
        |receipt| receipt.parameters.temperature_milli = u16::MAX,
        |receipt| receipt.parameters.max_tokens = 30,
        |receipt| receipt.prompt_tokens = u32::MAX,
        |receipt| receipt.parameters.max_tokens = 0,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut receipt = world.receipt;
        change(&mut receipt);
        let statement = SessionStatement::new(receipt, &world.manifest);
        assert_eq!(shape(&world, &statement), Err(NoTrace::False), "{index}");
    }
}

#[test]
fn a_leaf_is_stated_at_its_place_in_its_claim_alone() {
    let world = World::new(TestModel::TINY, 5);
    let others = [(ClaimId(8), LEAF), (CLAIM, LEAF + 1), (CLAIM, u32::MAX)];
    for (claim, leaf) in others {
        let subject = DisputedLeaf {
            claim,
            leaf,
            ..world.subject()
        };
        let shape = Judge::shape(&subject, &world.statement());
        assert_eq!(shape, Err(NoTrace::False));
    }
}

#[test]
fn a_receipt_with_counts_of_no_execution_is_false() {
    let world = World::new(TestModel::TINY, 5);
    let prices = |receipt: &mut SessionReceipt| {
        let answer = u128::from(receipt.answer_tokens);
        let prompt = u128::from(receipt.prompt_tokens - receipt.cached_tokens);
        receipt.price = 5 * prompt + u128::from(receipt.cached_tokens) + 20 * answer;
    };
    let counts: [fn(&mut SessionReceipt); 3] = [
        |receipt| receipt.answer_tokens = 0,
        |receipt| receipt.answer_tokens = 4,
        |receipt| (receipt.prompt_tokens, receipt.cached_tokens) = (0, 0),
    ];
    for count in counts {
        let mut receipt = world.receipt;
        count(&mut receipt);
        prices(&mut receipt);
        let statement = SessionStatement::new(receipt, &world.manifest);
        assert_eq!(shape(&world, &statement), Err(NoTrace::False));
    }
}

#[test]
fn false_answers_have_traces_that_do_not_support_them() {
    let world = World::new(TestModel::TINY, 5);
    let changes: [fn(&mut SessionReceipt); 4] = [
        |receipt| receipt.hidden_root.0[0] ^= 1,
        |receipt| receipt.answer_hash.0[0] ^= 1,
        |receipt| receipt.prompt_hash.0[0] ^= 1,
        |receipt| receipt.end = AnswerEnd::ByPayer,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut lying = World::new(TestModel::TINY, 5);
        change(&mut lying.receipt);
        assert!(shape(&world, &lying.statement()).is_ok(), "{index}");
        // Where the hashes of tokens are wrong, no evidence with these tokens is accepted.
        if index == 0 || index == 3 {
            let leaves = lying.leaves();
            assert_ne!(leaves.last(), Some(&TraceShape::outcome()), "{index}");
        }
    }
}

#[test]
fn the_manifest_is_that_of_the_checkpoint() {
    let world = World::new(TestModel::TINY, 5);
    let right = world.statement();
    let with = |manifest: Vec<u8>| SessionStatement {
        manifest,
        ..right.clone()
    };
    let other = manifest(&TestModel::seeded(TestModel::TINY, 6)).encode();
    assert_eq!(shape(&world, &with(other)), Err(NoTrace::False));
    assert_eq!(shape(&world, &with(Vec::new())), Err(NoTrace::False));
    for at in 0..right.manifest.len() {
        let mut changed = right.manifest.clone();
        changed[at] ^= 1;
        assert_eq!(shape(&world, &with(changed)), Err(NoTrace::False), "{at}");
    }
    let longer = [right.manifest.as_slice(), &[0]].concat();
    assert_eq!(shape(&world, &with(longer)), Err(NoTrace::False));
    let shorter = right.manifest[1..].to_vec();
    assert_eq!(shape(&world, &with(shorter)), Err(NoTrace::False));
}

/// The checkpoint of `bytes`, whatever these are.
fn shown(bytes: &[u8]) -> Result<ShownCheckpoint, NoTrace> {
    ShownCheckpoint::new(&Manifest::id_of(bytes), bytes)
}

#[test]
fn a_manifest_that_is_none_is_false_and_one_of_another_version_is_not() {
    let world = World::new(TestModel::TINY, 5);
    let manifest = world.manifest.encode();
    assert!(shown(&manifest).is_ok());
    let is_false = |bytes: &[u8]| shown(bytes).err() == Some(NoTrace::False);
    assert!(is_false(&[]));
    assert!(is_false(&manifest[..manifest.len() - 1]));
    assert!(is_false(&[manifest.as_slice(), &[0]].concat()));
    let mut long = world.manifest.clone();
    long.licence = "x".repeat(Manifest::MAX_BYTES);
    assert!(is_false(&long.encode()));
    let versions: [fn(&mut Manifest); 3] = [
        |manifest| manifest.numerics += 1,
        |manifest| manifest.format += 1,
        |manifest| manifest.format = 0,
    ];
    for version in versions {
        let mut other = world.manifest.clone();
        version(&mut other);
        assert_eq!(shown(&other.encode()).err(), Some(NoTrace::NoSteps));
    }
    // Another version of the text layer changes nothing about tokens.
    let mut other = world.manifest.clone();
    other.text_layer += 1;
    assert!(shown(&other.encode()).is_ok());
}

#[test]
fn an_architecture_that_is_none_is_false() {
    let world = World::new(TestModel::TINY, 5);
    let changes: [fn(&mut Manifest); 3] = [
        |manifest| manifest.architecture.hidden = 65,
        |manifest| manifest.architecture.layers = u32::MAX,
        |manifest| manifest.exponents.truncate(3),
    ];
    for change in changes {
        let mut other = world.manifest.clone();
        change(&mut other);
        let checkpoint = shown(&other.encode()).expect("a manifest");
        let shape = checkpoint.shape(world.statement().execution());
        assert_eq!(shape.err(), Some(NoTrace::False));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_judge_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        at in 0..2_000usize,
        by in any::<u8>(),
    ) {
        let _ = SessionStatement::decode(&mut &bytes[..]);
        let _ = DeclaredEvidence::decode(&mut &bytes[..]);
        let _ = shown(&bytes);
        let world = World::new(Architecture { layers: 1, ..TestModel::TINY }, 5);
        let mut manifest = world.manifest.encode();
        let at = at % manifest.len();
        manifest[at] = by;
        if let Ok(checkpoint) = shown(&manifest) {
            let _ = checkpoint.shape(world.statement().execution());
        }
    }
}
