//! Every GGUF quantisation has the meaning that the format defines: a file of quantised blocks and a file of
//! their values give the same weights.

use crate::support::{
    blocks::{Quantisation, ALL},
    gguf, import_gguf, Model, Random,
};
use noema_checkpoint::H256;

/// Writes the same blocks to several tensors, quantised or as F32.
fn root(quantisation: &Quantisation, as_floats: bool) -> H256 {
    let model = Model::wide();
    let mut file = gguf::File::new(&model);
    let mut random = Random(u64::from(quantisation.kind));
    for name in [
        "token_embd.weight",
        "blk.0.attn_q.weight",
        "blk.0.ffn_gate.weight",
        "blk.1.ffn_down.weight",
    ] {
        let (_, dims, data) = file.tensor(name);
        let count = dims.iter().product::<usize>() / quantisation.values;
        let blocks = quantisation.random(count, &mut random);
        *data = if as_floats {
            gguf::Data {
                kind: gguf::F32,
                bytes: gguf::floats(gguf::F32, &quantisation.decode(&blocks)),
            }
        } else {
            gguf::Data {
                kind: quantisation.kind,
                bytes: blocks,
            }
        };
    }
    let checkpoint = import_gguf(&file.bytes()).unwrap();
    checkpoint.manifest().weights_root
}

#[test]
fn every_quantisation_is_decoded_as_defined() {
    for quantisation in &ALL {
        assert_eq!(
            root(quantisation, false),
            root(quantisation, true),
            "{}",
            quantisation.name
        );
    }
}

#[test]
fn types_that_are_not_read_are_refused_by_their_names() {
    for (kind, name) in [
        (9, "Q8_1"),
        (16, "IQ2_XXS"),
        (21, "IQ3_S"),
        (28, "F64"),
        (31, "Q4_0_4_4"),
        (40, "NVFP4"),
        (77, "number 77"),
    ] {
        let mut file = gguf::File::new(&Model::tiny());
        file.tensor("blk.0.ffn_up.weight").2.kind = kind;
        let error = import_gguf(&file.bytes()).unwrap_err().to_string();
        let named = format!("the type {name} for the tensor blk.0.ffn_up.weight, which is not");
        assert!(error.contains(&named), "{error}");
        assert!(error.contains("F16 or Q8_0"), "{error}");
        assert!(!error.contains("damaged"), "{error}");
    }
}

#[test]
fn rows_that_are_not_whole_blocks_are_refused() {
    let mut file = gguf::File::new(&Model::tiny());
    let (_, _, data) = file.tensor("blk.0.ffn_up.weight");
    data.kind = 12;
    let error = import_gguf(&file.bytes()).unwrap_err().to_string();
    assert!(
        error.contains("blk.0.ffn_up.weight") && error.contains("Q4_K"),
        "{error}"
    );
}
