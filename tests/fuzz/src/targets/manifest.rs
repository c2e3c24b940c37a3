//! Manifests of checkpoints, as JSON and as SCALE, and of datasets: what is read is written the same, and what is
//! checked has a network.

use crate::input::Input;
use codec::{DecodeAll, Encode};
use noema_checkpoint::{Frame, Manifest, Source, SourceFormat, FORMAT, TEXT_LAYER_VERSION};
use noema_model::dataset::{DatasetManifest, ShardEntry};
use noema_numerics::{layout, testing::TestModel, Network, NUMERICS_VERSION};
use noema_protocol::hashing::blake2_256;
use sp_core::H256;
use std::path::Path;

fn check(manifest: &Manifest) -> String {
    let id = manifest.id();
    let text = serde_json::to_string(manifest).expect("JSON");
    let read: Manifest = serde_json::from_str(&text).expect("what was written");
    assert_eq!((read.id(), &read), (id, manifest));
    let bytes = manifest.encode();
    assert_eq!(Manifest::decode_all(&mut &bytes[..]).as_ref(), Ok(manifest));
    match manifest.check() {
        Ok(()) => {
            let network = Network::new(&manifest.architecture).expect("a network");
            assert_eq!(network.tensors().len(), manifest.exponents.len());
            "right".into()
        }
        // The name of the variant alone.
        Err(error) => variant(&format!("{error:?}")),
    }
}

/// The name of a variant without its fields.
pub(super) fn variant(debug: &str) -> String {
    let end = debug.find(|char: char| !char.is_alphanumeric());
    debug[..end.unwrap_or(debug.len())].into()
}

pub(super) fn run(bytes: &[u8]) -> String {
    let mut input = Input(bytes);
    match input.u8() {
        0 => match serde_json::from_slice::<Manifest>(input.rest()) {
            Ok(manifest) => format!("json {}", check(&manifest)),
            Err(error) => format!("json {:?}", error.classify()),
        },
        1 => match Manifest::decode_all(&mut input.rest()) {
            Ok(manifest) => format!("scale {}", check(&manifest)),
            Err(_) => "scale".into(),
        },
        _ => match DatasetManifest::parse(Path::new("manifest.json"), input.rest()) {
            Ok(manifest) => {
                assert!(manifest.bytes() > 0 && manifest.repeated() < manifest.shards.len());
                "dataset right".into()
            }
            Err(error) => format!("dataset {}", variant(&format!("{error:?}"))),
        },
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for architecture in [TestModel::EVERY_DIFFERENCE, TestModel::SOME_EXPERTS] {
        let manifest = Manifest {
            format: FORMAT,
            numerics: NUMERICS_VERSION,
            text_layer: TEXT_LAYER_VERSION,
            name: "tiny".into(),
            licence: "apache-2.0".into(),
            architecture,
            exponents: vec![-20; layout::tensor_count(&architecture).expect("an architecture")],
            weights_root: H256::repeat_byte(1),
            weights_bytes: layout::weights_bytes(&architecture).expect("an architecture"),
            tokenizer_hash: H256::repeat_byte(2),
            chat_template_hash: blake2_256(b"[{{ messages[0].content }}]"),
            frame: Some(Frame {
                before: "[".into(),
                after: "]".into(),
                trims: false,
            }),
            tokens_per_byte: 1,
            template_tokens: 20,
            bos: Some(1),
            eos: Some(2),
            stops: vec![0, 2],
            source: Source {
                format: SourceFormat::Gguf,
                hash: H256::repeat_byte(3),
            },
        };
        let json = serde_json::to_vec(&manifest).expect("JSON");
        seeds.push([&[0][..], &json].concat());
        seeds.push([&[1][..], &manifest.encode()].concat());
    }
    let hash = H256::repeat_byte(4);
    let shard = ShardEntry { hash, sequences: 3 };
    let mut dataset = DatasetManifest {
        format: 1,
        source: "a text".into(),
        licence: "none".into(),
        tokenizer_hash: H256::repeat_byte(2),
        sequence_length: 128,
        shards: vec![shard],
        root: noema_protocol::merkle::root([noema_protocol::hashing::merkle_leaf(&hash)]),
    };
    for _ in 0..2 {
        let json = serde_json::to_vec(&dataset).expect("JSON");
        seeds.push([&[2][..], &json].concat());
        dataset.shards.push(dataset.shards[0].clone());
    }
    seeds
}
