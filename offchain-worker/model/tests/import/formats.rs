//! Both formats give the same weights for the same model.

use crate::support::{
    self, gguf, huggingface, import_gguf, import_into, leftovers, Model, Tensor, TEMPLATE,
};
use noema_checkpoint::{blake2_256, layout::tensors, Frame, SourceFormat, TEXT_LAYER_VERSION};
use noema_model::{
    checkpoint::OpenCheckpoint,
    import::{import, ImportOptions, UNNAMED},
};
use std::path::Path;

fn from_folder(model: &Model, kind: u32, shards: usize) -> OpenCheckpoint {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(model, kind, shards, &folder);
    import_into(&folder, directory.path()).unwrap()
}

fn from_gguf(model: &Model) -> OpenCheckpoint {
    import_gguf(&gguf::File::new(model).bytes()).unwrap()
}

#[test]
fn a_folder_and_a_gguf_of_the_same_weights_have_the_same_root() {
    for model in [Model::tiny(), Model::wide()] {
        let (folder, gguf) = (from_folder(&model, gguf::F32, 1), from_gguf(&model));
        assert_eq!(folder.manifest().weights_root, gguf.manifest().weights_root);
        assert_eq!(folder.exponents(), gguf.exponents());
        assert_eq!(folder.architecture(), gguf.architecture());
        assert_eq!(folder.weights(), gguf.weights());
        assert_ne!(folder.id(), gguf.id(), "the sources differ");
    }
}

#[test]
fn an_untied_head_is_a_tensor_of_its_own() {
    let model = Model {
        tied: false,
        ..Model::tiny()
    };
    let (folder, gguf) = (from_folder(&model, gguf::F32, 1), from_gguf(&model));
    assert!(!gguf.architecture().tied_head);
    assert_eq!(folder.manifest().weights_root, gguf.manifest().weights_root);
    assert!(gguf.weights().len() > from_gguf(&Model::tiny()).weights().len());
}

#[test]
fn every_float_type_carries_the_same_model() {
    let model = Model::tiny();
    let expected = from_gguf(&model).manifest().weights_root;
    for kind in [gguf::F16, gguf::BF16] {
        let file = gguf::File::with(&model, |tensor| match tensor.shape.len() {
            1 => gguf::F32,
            _ => kind,
        });
        let gguf = import_gguf(&file.bytes()).unwrap();
        assert_eq!(gguf.manifest().weights_root, expected);
        let folder = from_folder(&model, kind, 1);
        assert_eq!(folder.manifest().weights_root, expected);
    }
}

#[test]
fn a_folder_in_several_files_is_the_same_model() {
    let model = Model::wide();
    let (one, three) = (
        from_folder(&model, gguf::BF16, 1),
        from_folder(&model, gguf::BF16, 3),
    );
    assert_eq!(one.manifest().weights_root, three.manifest().weights_root);
}

/// A folder with the model's tensors in `model.safetensors`, the tensors `again` also in `overlay.safetensors`
/// but negated, and an index with the file of each tensor. Returns the tensors that the index names.
fn overlaid(
    folder: &Path,
    again: &[usize],
    index: impl Fn(usize) -> Option<&'static str>,
) -> Vec<Tensor> {
    let model = Model::tiny();
    huggingface::write(&model, gguf::F32, 1, folder);
    let mut tensors = model.tensors();
    let mut overlay = model.tensors();
    let mut map = serde_json::Map::new();
    for (at, (tensor, other)) in tensors.iter_mut().zip(&mut overlay).enumerate() {
        other.values.iter_mut().for_each(|value| *value = -*value);
        if let Some(file) = index(at) {
            map.insert(tensor.huggingface.clone(), file.into());
            if file == OVERLAY {
                tensor.values.clone_from(&other.values);
            }
        }
    }
    let overlay: Vec<Tensor> = overlay
        .into_iter()
        .enumerate()
        .filter_map(|(at, tensor)| again.contains(&at).then_some(tensor))
        .collect();
    let bytes = huggingface::safetensors(&overlay, gguf::F32);
    std::fs::write(folder.join(OVERLAY), bytes).unwrap();
    let index = serde_json::json!({ "weight_map": map });
    huggingface::json_file(folder, "model.safetensors.index.json", &index);
    tensors
}

const SINGLE: &str = "model.safetensors";
const OVERLAY: &str = "overlay.safetensors";

#[test]
fn a_tensor_in_two_files_is_read_from_the_one_in_the_index() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("overlaid");
    let index = |at| Some(if at == 4 { OVERLAY } else { SINGLE });
    let tensors = overlaid(&folder, &[4, 5], index);
    let read = import_into(&folder, directory.path()).unwrap();

    let plain = directory.path().join("plain");
    huggingface::write(&Model::tiny(), gguf::F32, 1, &plain);
    let unchanged = import_into(&plain, directory.path()).unwrap();
    std::fs::write(
        plain.join(SINGLE),
        huggingface::safetensors(&tensors, gguf::F32),
    )
    .unwrap();
    let expected = import_into(&plain, directory.path()).unwrap();
    assert_eq!(
        read.manifest().weights_root,
        expected.manifest().weights_root
    );
    assert_ne!(
        read.manifest().weights_root,
        unchanged.manifest().weights_root
    );
}

#[test]
fn a_tensor_in_two_files_that_the_index_leaves_out_is_refused_with_both() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("overlaid");
    let index = |at| match at {
        4 => None,
        5 => Some(OVERLAY),
        _ => Some(SINGLE),
    };
    overlaid(&folder, &[4, 5], index);
    let error = import_into(&folder, directory.path()).unwrap_err();
    let message = error.to_string();
    let tensor = Model::tiny().tensors().swap_remove(4).huggingface;
    for word in [SINGLE, OVERLAY, &tensor[..], "model.safetensors.index.json"] {
        assert!(message.contains(word), "{message}");
    }
    assert!(!message.contains("damaged"), "{message}");
}

#[test]
fn a_file_that_is_missing_is_named_with_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    let refused = |words: &[&str]| {
        let error = import_into(&folder, directory.path()).unwrap_err();
        let message = error.to_string();
        for word in words {
            assert!(message.contains(word), "{message}");
        }
        assert!(message.ends_with('.'), "{message}");
        assert!(leftovers(directory.path()).is_empty());
    };
    overlaid(&folder, &[4], |_| Some("model-00001-of-00002.safetensors"));
    let stale = [
        "model.safetensors.index.json cannot be used",
        "model-00001-of-00002.safetensors",
        "remove the index",
    ];
    refused(&stale);
    std::fs::remove_file(folder.join(SINGLE)).unwrap();
    refused(&["the index of the 1 safetensors files"]);
    std::fs::remove_file(folder.join("model.safetensors.index.json")).unwrap();
    refused(&[
        "1 safetensors files, but neither",
        "download model.safetensors.index.json",
    ]);
    std::fs::remove_file(folder.join(OVERLAY)).unwrap();
    refused(&["it has no model.safetensors", "download that file"]);
    std::fs::write(folder.join("model.gguf"), b"GGUF").unwrap();
    refused(&["name the GGUF file"]);
    std::fs::write(folder.join("pytorch_model.bin"), b"PK").unwrap();
    refused(&["PyTorch's format", "safe_serialization=True"]);
    std::fs::write(folder.join(SINGLE), b"PK\x03\x04 a zip archive").unwrap();
    refused(&["model.safetensors cannot be used: it is no safetensors file"]);
}

#[test]
fn the_manifest_tells_what_the_source_says() {
    let model = Model::tiny();
    for (checkpoint, format) in [
        (from_folder(&model, gguf::F32, 1), SourceFormat::HuggingFace),
        (from_gguf(&model), SourceFormat::Gguf),
    ] {
        let manifest = checkpoint.manifest();
        assert_eq!(manifest.name, "Tiny");
        assert_eq!(manifest.licence, "apache-2.0");
        assert_eq!(manifest.source.format, format);
        assert_eq!((manifest.bos, manifest.eos), (Some(1), Some(2)));
        assert_eq!(manifest.stops, [0, 2], "end of text and end of turn");
        assert_eq!(manifest.text_layer, TEXT_LAYER_VERSION);
        let bare = Frame {
            before: String::new(),
            after: String::new(),
            trims: false,
        };
        assert_eq!(manifest.frame, Some(bare));
        assert_eq!((manifest.tokens_per_byte, manifest.template_tokens), (1, 0));
        assert_eq!(manifest.architecture.context_length, 16);
        assert_eq!(manifest.architecture.norm_epsilon_q32, 42_950);
        assert_eq!(checkpoint.chat_template(), TEMPLATE);
        assert_eq!(manifest.tokenizer_hash, blake2_256(checkpoint.tokenizer()));
        checkpoint.verify(&|_| ()).unwrap();
    }
}

#[test]
fn weights_are_what_the_source_holds_to_within_half_a_step() {
    use noema_checkpoint::{
        layout::TensorKind,
        tile::{decode, TILE_BYTES, TILE_COLUMNS, TILE_ROWS},
    };
    let model = Model::wide();
    let checkpoint = from_gguf(&model);
    let specs = tensors(checkpoint.architecture()).unwrap();
    let source = model.tensors();
    for ((spec, exponent), tensor) in specs.iter().zip(checkpoint.exponents()).zip(&source) {
        let TensorKind::Linear { columns, .. } = spec.kind else {
            continue;
        };
        let columns = columns as usize;
        let unit = 2f64.powi((*exponent).into());
        let start = spec.offset_bytes() as usize;
        let bytes = &checkpoint.weights()[start..start + spec.bytes() as usize];
        for (index, tile) in bytes.as_chunks::<TILE_BYTES>().0.iter().enumerate() {
            let (quants, scales) = decode(tile);
            let group = index / (columns / TILE_COLUMNS);
            let block = index % (columns / TILE_COLUMNS);
            for (row, (quants, scale)) in quants.iter().zip(scales).enumerate() {
                let scale = f64::from(scale) * unit;
                let first = (group * TILE_ROWS + row) * columns + block * TILE_COLUMNS;
                for (at, quant) in (first..).zip(quants) {
                    let expected = f64::from(tensor.values.get(at).copied().unwrap_or(0.0));
                    let found = f64::from(*quant) * scale;
                    assert!(
                        (found - expected).abs() <= scale * 0.51,
                        "{} at {at}: {found} for {expected}",
                        spec.name()
                    );
                }
            }
        }
    }
}

#[test]
fn a_model_has_one_id_whatever_its_file_or_folder_is_called() {
    let model = Model::tiny();
    let home = tempfile::tempdir().unwrap();
    let mut config = huggingface::config(&model);
    for name in [None, Some("/home/alice/runs/7"), Some("./runs/7"), Some("")] {
        match name {
            None => drop(config.as_object_mut().unwrap().remove("_name_or_path")),
            Some(name) => config["_name_or_path"] = name.into(),
        }
        let id = |place: &str| {
            let folder = home.path().join(place);
            huggingface::write(&model, gguf::F32, 1, &folder);
            huggingface::json_file(&folder, "config.json", &config);
            let checkpoint = import_into(&folder, home.path()).unwrap();
            assert_eq!(checkpoint.manifest().name, UNNAMED);
            checkpoint.id()
        };
        assert_eq!(id("here"), id("there"));
    }
    let file = gguf::File::new(&model).without("general.name");
    for (file, name) in [
        (file.clone(), UNNAMED),
        (file.clone().set("general.name", ""), UNNAMED),
        (file.clone().set("general.basename", "Tiny"), "Tiny"),
        (
            file.set("general.basename", "Tiny")
                .set("general.size_label", "17K")
                .set("general.finetune", "Instruct"),
            "Tiny-17K-Instruct",
        ),
    ] {
        let id = |place: &str| {
            let source = home.path().join(place);
            std::fs::write(&source, file.bytes()).unwrap();
            let checkpoint = import_into(&source, home.path()).unwrap();
            assert_eq!(checkpoint.manifest().name, name);
            checkpoint.id()
        };
        assert_eq!(id("here.gguf"), id("there.gguf"));
    }
}

#[test]
fn options_replace_what_the_source_says() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("model.gguf");
    std::fs::write(&source, gguf::File::new(&Model::tiny()).bytes()).unwrap();
    let options = ImportOptions {
        context: Some(5),
        name: Some("Mine".into()),
        licence: Some("mit".into()),
        ..support::options()
    };
    let checkpoint = import(&source, directory.path(), &options, &()).unwrap();
    assert_eq!(checkpoint.manifest().name, "Mine");
    assert_eq!(checkpoint.manifest().licence, "mit");
    assert_eq!(checkpoint.architecture().context_length, 5);

    let longer = ImportOptions {
        context: Some(17),
        ..support::options()
    };
    let error = import(&source, directory.path(), &longer, &()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "A context of 17 positions was asked for; the model has 1 to 16."
    );
    assert!(leftovers(directory.path()).is_empty());
}
