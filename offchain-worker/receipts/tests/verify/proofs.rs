//! Proofs that were changed, and blocks that were not trusted.

use crate::world::World;
use noema_receipts::{verify, ProofError, ReceiptError, StateProof};
use sp_core::H256;

fn refused(error: ProofError) -> ReceiptError {
    ReceiptError::Proof(error)
}

#[test]
fn a_proof_of_another_block_is_refused() {
    let world = World::claimed();
    let file = world.file();
    let proof = world.proof(&file);
    let (found, trusted) = (proof.block(), H256::repeat_byte(1));
    let error = refused(ProofError::OtherBlock { found, trusted });
    assert_eq!(verify(&file, &proof, trusted), Err(error));
}

#[test]
fn a_header_that_was_changed_has_another_hash() {
    let world = World::claimed();
    let file = world.file();
    let proof = world.proof(&file);
    let trusted = proof.block();
    type Change = fn(&mut StateProof);
    let changes: [Change; 4] = [
        |proof| proof.header.number += 1,
        |proof| proof.header.state_root = H256::zero(),
        |proof| proof.header.parent_hash = H256::repeat_byte(1),
        |proof| proof.header.extrinsics_root = H256::repeat_byte(1),
    ];
    for change in changes {
        let mut changed = proof.clone();
        change(&mut changed);
        let found = changed.block();
        let error = refused(ProofError::OtherBlock { found, trusted });
        assert_eq!(verify(&file, &changed, trusted), Err(error));
    }
}

#[test]
fn a_proof_without_one_of_its_nodes_shows_nothing() {
    let world = World::claimed();
    let file = world.file();
    let proof = world.proof(&file);
    for missing in 0..proof.nodes.len() {
        let mut short = proof.clone();
        short.nodes.remove(missing);
        let shown = verify(&file, &short, proof.block());
        assert_eq!(shown, Err(refused(ProofError::NotProven)), "{missing}");
    }
}

#[test]
fn a_proof_with_a_changed_byte_shows_nothing() {
    let world = World::claimed();
    let file = world.file();
    let proof = world.proof(&file);
    for node in 0..proof.nodes.len() {
        for place in (0..proof.nodes[node].len()).step_by(7) {
            let mut changed = proof.clone();
            changed.nodes[node][place] ^= 1;
            let shown = verify(&file, &changed, proof.block());
            assert_eq!(
                shown,
                Err(refused(ProofError::NotProven)),
                "{node}, {place}"
            );
        }
    }
}

#[test]
fn nodes_that_are_not_needed_change_nothing() {
    let world = World::claimed();
    let file = world.file();
    let mut proof = world.proof(&file);
    proof.nodes.push(vec![1, 2, 3]);
    proof.nodes.push(Vec::new());
    assert!(verify(&file, &proof, proof.block()).is_ok());
}

#[test]
fn a_proof_of_another_state_is_of_another_block() {
    let (before, after) = (World::new(), World::claimed());
    let file = after.file();
    let trusted = after.proof(&file).block();
    let earlier = before.proof(&file);
    let found = earlier.block();
    let error = refused(ProofError::OtherBlock { found, trusted });
    assert_eq!(verify(&file, &earlier, trusted), Err(error));
    // The nodes of the earlier state do not prove the later one.
    let mixed = StateProof {
        header: after.proof(&file).header,
        nodes: earlier.nodes,
    };
    let shown = verify(&file, &mixed, trusted);
    assert_eq!(shown, Err(refused(ProofError::NotProven)));
}

#[test]
fn a_proof_for_another_file_is_not_enough() {
    let world = World::claimed();
    let bare = world.bare();
    let proof = world.proof(&bare);
    let shown = verify(&world.file(), &proof, proof.block());
    assert_eq!(shown, Err(refused(ProofError::NotProven)));
}

#[test]
fn a_layout_that_is_not_known_is_refused_by_its_version() {
    for (versions, pallet, found) in [
        ([2, 1], "Sessions", 2),
        ([1, 7], "Claims", 7),
        ([0, 1], "Sessions", 0),
    ] {
        let mut world = World::claimed();
        world.versions = versions;
        let error = refused(ProofError::OtherLayout {
            pallet,
            found,
            known: 1,
        });
        assert_eq!(world.verify(&world.file()), Err(error));
    }
}
