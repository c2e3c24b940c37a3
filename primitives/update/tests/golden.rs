//! Frozen bytes and roots: a change of any is another format, or another next checkpoint.

mod common;

use common::{checkpoint, open, trainable, update, PARENT};
use noema_checkpoint::weights_root;
use noema_numerics::testing::Random;
use noema_update::{apply, from_weights, masters_root, Encoder};
use sp_core::blake2_256;

#[test]
fn an_update_has_these_bytes() {
    let trainable = trainable();
    let mut encoder = Encoder::new(&trainable, PARENT, 4).unwrap();
    encoder.exact(1, &[(0, 7), (63, -14)]).unwrap();
    encoder
        .exact(3, &[(5, -1_000_000), (6, 1_000_000), (2_047, 2_000_000)])
        .unwrap();
    let bytes = encoder.finish();
    let hex: String = bytes[38..]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, "GOLDEN_A");
}

#[test]
fn updates_have_these_hashes() {
    let trainable = trainable();
    let hash = |bytes: &[u8]| format!("{:?}", noema_checkpoint::H256(blake2_256(bytes)));
    assert_eq!(hash(&update(&trainable, 64, 1)), "GOLDEN_B");

    let mut random = Random::new(2);
    let mut encoder = Encoder::new(&trainable, PARENT, 64).unwrap();
    let mut residuals = Vec::new();
    for (index, tensor) in (0..).zip(trainable.tensors()) {
        let deltas: Vec<i32> = (0..tensor.coordinates())
            .map(|_| (0..8).map(|_| random.within(9_999) as i32).sum())
            .collect();
        let mut residual = vec![0; deltas.len()];
        encoder.compress(index, &deltas, &mut residual).unwrap();
        residuals.extend(residual.iter().flat_map(|r| r.to_le_bytes()));
    }
    assert_eq!(hash(&encoder.finish()), "GOLDEN_C");
    assert_eq!(hash(&residuals), "GOLDEN_D");
}

#[test]
fn the_next_checkpoint_has_these_roots() {
    let trainable = trainable();
    let mut weights = checkpoint().weights;
    let mut masters = from_weights(&trainable, &weights).unwrap();
    let roots = |masters: &[u8], weights: &[u8]| {
        [masters_root(masters), weights_root(weights)].map(|root| format!("{root:?}"))
    };
    assert_eq!(roots(&masters, &weights), ["GOLDEN_E", "GOLDEN_F"]);
    let bytes: Vec<Vec<u8>> = (1..4).map(|seed| update(&trainable, 64, seed)).collect();
    let updates: Vec<_> = bytes
        .iter()
        .zip(1..)
        .map(|(bytes, weight)| (open(bytes, &trainable).unwrap(), weight))
        .collect();
    apply(&updates, &mut masters, &mut weights).unwrap();
    assert_eq!(roots(&masters, &weights), ["GOLDEN_G", "GOLDEN_H"]);
}
