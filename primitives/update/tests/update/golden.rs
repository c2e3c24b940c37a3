//! Frozen bytes and roots: a change of any means another format, or another next checkpoint. To print them:
//!
//! ```sh
//! cargo test -p noema-update --test update golden -- --nocapture
//! ```

use crate::common::{checkpoint, exponents, open, trainable, update, PARENT};
use noema_checkpoint::{blake2_256, weights_root};
use noema_numerics::testing::Random;
use noema_update::{apply, from_weights, masters_root, Encoder, Trainable};

const FROZEN: [(&str, &str); 8] = [
    ("bytes", "04000200010003001207a0cf9b40425fa00040fc02"),
    (
        "update",
        "0xd492e7399ae75d25ac0a3d666e089212bb261506a0585e9f2c96c6979a42c676",
    ),
    (
        "compressed",
        "0xf0e600fd9ab8dc620e53f20a99f0e9473c227f58181268179093c61240006fb7",
    ),
    (
        "residuals",
        "0x86acad14c71e273f53d348b1f7fe660f485b36ae6a2715abc12077897f65bedd",
    ),
    (
        "masters",
        "0xc4d532690b9fa534d56ed3c92e7caee0bde0f951878bf5ec57022f508afda84e",
    ),
    (
        "weights",
        "0xc773d19564e4c53a774e6d2472dfd758fa970894079851d3fd1d8599d240ee17",
    ),
    (
        "next_masters",
        "0x540b312c65f7503b2b5ac919c5af7fa8c50d69eeb2e5a8652811eb44502db046",
    ),
    (
        "next_weights",
        "0x4837fe90a857c548b6ed59f7e8e73d03ca2b8be5c481e88bc16a5966886255e9",
    ),
];

/// The bytes after the parent in an update that uses both magnitudes and signs.
fn bytes(trainable: &Trainable) -> String {
    let mut encoder = Encoder::new(trainable, PARENT, 4).unwrap();
    encoder.exact(1, &[(0, 7), (63, -14)]).unwrap();
    let changes = [(5, -1_000_000), (6, 1_000_000), (2_047, 2_000_000)];
    encoder.exact(3, &changes).unwrap();
    let bytes = encoder.finish();
    bytes[38..]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// An update that compresses changes of every tensor, and its residual.
fn compressed(trainable: &Trainable) -> [Vec<u8>; 2] {
    let mut random = Random::new(2);
    let mut encoder = Encoder::new(trainable, PARENT, 64).unwrap();
    let mut residuals = Vec::new();
    for (index, tensor) in (0..).zip(trainable.tensors()) {
        let deltas: Vec<i32> = (0..tensor.coordinates())
            .map(|_| (0..8).map(|_| random.within(9_999) as i32).sum())
            .collect();
        let mut residual = vec![0; deltas.len()];
        encoder.compress(index, &deltas, &mut residual).unwrap();
        residuals.extend(residual.iter().flat_map(|r| r.to_le_bytes()));
    }
    [encoder.finish(), residuals]
}

fn results() -> Vec<String> {
    let trainable = trainable();
    let hash = |bytes: &[u8]| format!("{:?}", blake2_256(bytes));
    let mut results = vec![bytes(&trainable), hash(&update(&trainable, 64, 1))];
    results.extend(compressed(&trainable).map(|bytes| hash(&bytes)));

    let mut weights = checkpoint().weights;
    let mut masters = from_weights(&trainable, &weights).unwrap();
    let roots = |masters: &[u8], weights: &[u8]| {
        [masters_root(masters), weights_root(weights)].map(|root| format!("{root:?}"))
    };
    results.extend(roots(&masters, &weights));
    let bytes: Vec<Vec<u8>> = (1..4).map(|seed| update(&trainable, 64, seed)).collect();
    let updates: Vec<_> = bytes
        .iter()
        .zip(1..)
        .map(|(bytes, weight)| (open(bytes, &trainable).unwrap(), weight))
        .collect();
    apply(&updates, &exponents(), &mut masters, &mut weights).unwrap();
    results.extend(roots(&masters, &weights));
    results
}

#[test]
fn bytes_and_roots_are_the_frozen_ones() {
    let results = results();
    assert_eq!(results.len(), FROZEN.len());
    for ((name, _), found) in FROZEN.iter().zip(&results) {
        println!("{name} {found}");
    }
    for ((name, frozen), found) in FROZEN.iter().zip(&results) {
        assert_eq!(frozen, found, "{name}");
    }
}
