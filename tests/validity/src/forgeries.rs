//! Candidates that validators have to refuse.

use crate::{
    chain::{Candidate, Chain},
    validator::Validator,
};
use anyhow::{ensure, Context, Result};
use codec::Encode;
use noema_runtime::VERSION;
use sp_keyring::Sr25519Keyring;
use sp_runtime::traits::{BlakeTwo256, Hash as _, Header as _};

/// The number of flipped bytes, spread over the nodes of the proof.
const FLIPS: usize = 32;
/// Transactions of every block: its time, and the data of its relay chain parent.
const INHERENTS: usize = 2;

/// Forges the block `largest` and the last one with a transaction of an account, and checks that all
/// forgeries are refused. Returns their number.
pub(crate) fn all_are_refused(
    chain: &Chain,
    validator: &Validator,
    best: u32,
    largest: u32,
) -> Result<usize> {
    let mut forgeries = flipped(&Candidate::new(chain, validator, largest)?);
    let busy = (1..=best)
        .rev()
        .find(|&number| chain.transactions(number).is_ok_and(|n| n > INHERENTS))
        .context("no block has a transaction of an account")?;
    let genuine = Candidate::new(chain, validator, busy)?;
    forgeries.push(("a seal of another author", sealed_by_another(&genuine)));
    forgeries.push(("a missing transaction", without_last(&genuine)));
    forgeries.push(("another relay chain parent", with_another_relay(&genuine)));
    for (what, forgery) in &forgeries {
        ensure!(
            validator.validate(forgery).is_err(),
            "{what} was not refused"
        );
    }
    Ok(forgeries.len())
}

/// One flipped bit each in the last byte of a node.
fn flipped(genuine: &Candidate) -> Vec<(&'static str, Candidate)> {
    let nodes = genuine.proof.encoded_nodes.len();
    (0..nodes)
        .step_by(nodes.div_ceil(FLIPS).max(1))
        .map(|node| {
            let mut forgery = genuine.clone();
            if let Some(byte) = forgery
                .proof
                .encoded_nodes
                .get_mut(node)
                .and_then(|node| node.last_mut())
            {
                *byte ^= 1;
            }
            ("a flipped byte in the proof", forgery)
        })
        .collect()
}

fn sealed_by_another(genuine: &Candidate) -> Candidate {
    let mut forgery = genuine.clone();
    forgery.seal(Sr25519Keyring::Bob);
    forgery
}

/// The block without its last transaction, with a matching header, sealed by its author.
fn without_last(genuine: &Candidate) -> Candidate {
    let mut forgery = genuine.clone();
    forgery.block.extrinsics.pop();
    let encoded = forgery.block.extrinsics.iter().map(Encode::encode);
    let root =
        BlakeTwo256::ordered_trie_root(encoded.collect(), VERSION.extrinsics_root_state_version());
    forgery.block.header.set_extrinsics_root(root);
    forgery.seal(Sr25519Keyring::Alice);
    forgery
}

fn with_another_relay(genuine: &Candidate) -> Candidate {
    let mut forgery = genuine.clone();
    let root = &mut forgery.relay.relay_parent_storage_root;
    *root = BlakeTwo256::hash(root.as_ref());
    forgery
}
