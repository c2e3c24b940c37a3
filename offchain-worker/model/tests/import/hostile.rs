//! Files that were cut off, altered, or made hostile give an error that names the problem and the byte, never
//! a panic, and leave nothing behind.

use crate::support::{gguf, huggingface, import_into, leftovers, Model, MODEL_TYPES};
use noema_model::import::ImportError;
use proptest::prelude::*;
use serde_json::{json, Value as Json};
use std::{path::Path, sync::LazyLock};

static GGUF: LazyLock<Vec<u8>> = LazyLock::new(|| gguf::File::new(&Model::tiny()).bytes());

/// Imports `bytes` as `name` and returns the refusal, if it is refused.
fn attempt(name: &str, bytes: &[u8]) -> Result<(), ImportError> {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join(name);
    std::fs::write(&source, bytes).unwrap();
    let outcome = import_into(&source, directory.path());
    assert!(leftovers(directory.path()).is_empty());
    outcome.map(|checkpoint| checkpoint.verify(&|_| ()).unwrap())
}

fn refusal(bytes: &[u8]) -> String {
    attempt("model.gguf", bytes).unwrap_err().to_string()
}

/// The header's fixed part with these counts, and nothing after it.
fn header(version: u32, tensors: u64, values: u64) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(tensors.to_le_bytes());
    bytes.extend(values.to_le_bytes());
    bytes
}

#[test]
fn what_is_no_model_at_all_is_refused() {
    assert!(refusal(b"").contains("it is empty"));
    for bytes in [&b"G"[..], b"%PDF-1.7", &[0; 4096]] {
        let message = refusal(bytes);
        assert!(
            message.contains("does not begin with the letters GGUF"),
            "{message}"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let error = import_into(directory.path(), directory.path()).unwrap_err();
    assert!(
        error.to_string().contains("it has no config.json"),
        "{error}"
    );
    let error = import_into(Path::new("/dev/zero"), directory.path()).unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
    let missing = directory.path().join("nothing");
    let error = import_into(&missing, directory.path()).unwrap_err();
    assert!(error.to_string().contains("could not be read"), "{error}");
}

#[test]
fn counts_that_no_file_could_hold_are_refused() {
    for (tensors, values) in [
        (u64::MAX, 0),
        (0, u64::MAX),
        (1 << 30, 1 << 30),
        (1 << 20, 0),
    ] {
        let message = refusal(&header(3, tensors, values));
        assert!(message.contains("is damaged at byte 24"), "{message}");
    }
}

#[test]
fn a_version_that_does_not_exist_is_refused() {
    for version in [0, 1, 4, 3u32.swap_bytes()] {
        refusal(&header(version, 0, 0));
    }
}

#[test]
fn lengths_that_reach_beyond_the_file_are_refused() {
    let mut key = header(3, 0, 1);
    key.extend(u64::MAX.to_le_bytes());
    let mut list = header(3, 0, 1);
    list.extend(1u64.to_le_bytes());
    list.extend(b"k");
    list.extend(9u32.to_le_bytes());
    list.extend(0u32.to_le_bytes());
    list.extend((1u64 << 40).to_le_bytes());
    for mut bytes in [key, list] {
        bytes.extend([0; 64]);
        let message = refusal(&bytes);
        assert!(message.contains("is damaged at byte"), "{message}");
    }
}

#[test]
fn lists_nested_without_end_are_refused() {
    let mut bytes = header(3, 0, 1);
    bytes.extend(1u64.to_le_bytes());
    bytes.extend(b"k");
    bytes.extend(9u32.to_le_bytes());
    for _ in 0..100_000 {
        bytes.extend(9u32.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
    }
    let message = refusal(&bytes);
    assert!(message.contains("is damaged at byte"), "{message}");
}

#[test]
fn an_alignment_of_zero_is_refused() {
    let file = gguf::File::new(&Model::tiny());
    let file = file.set("general.alignment", gguf::Value::U32(0));
    let message = refusal(&file.bytes());
    assert!(message.contains("states general.alignment"), "{message}");
}

#[test]
fn the_same_name_twice_is_refused() {
    let mut file = gguf::File::new(&Model::tiny());
    file.metadata.push(("general.name".into(), "Again".into()));
    let message = refusal(&file.bytes());
    assert!(message.contains("the same name"), "{message}");
}

#[test]
fn dimensions_whose_product_overflows_are_refused() {
    let mut file = gguf::File::new(&Model::tiny());
    file.tensor("token_embd.weight").1 = vec![usize::MAX, usize::MAX];
    refusal(&file.bytes());
    file.tensor("token_embd.weight").1 = vec![32, 1 << 20];
    refusal(&file.bytes());
}

#[test]
fn a_model_cut_off_anywhere_is_refused() {
    let bytes = &*GGUF;
    for step in 0..64 {
        let message = refusal(&bytes[..bytes.len() * step / 64]);
        assert!(message.ends_with('.'), "{message}");
    }
    let message = refusal(&bytes[..bytes.len() - 1]);
    assert!(
        message.contains("output_norm.weight") && message.contains("the file ends at byte"),
        "{message}"
    );
}

#[test]
fn a_folder_cut_off_anywhere_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&Model::tiny(), gguf::F32, 1, &folder);
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let path = folder.join(name);
        let whole = std::fs::read(&path).unwrap();
        for step in 0..32 {
            std::fs::write(&path, &whole[..whole.len() * step / 32]).unwrap();
            let error = import_into(&folder, directory.path()).unwrap_err();
            assert!(error.to_string().contains("tiny"), "{error}");
            assert!(leftovers(directory.path()).is_empty());
        }
        std::fs::write(&path, &whole).unwrap();
    }
    import_into(&folder, directory.path()).unwrap();
}

#[test]
fn an_error_in_json_names_its_byte() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&Model::tiny(), gguf::F32, 1, &folder);
    std::fs::write(folder.join("config.json"), "{\n  \"model_type\": llama\n}").unwrap();
    let error = import_into(&folder, directory.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("config.json is damaged at byte 19"),
        "{error}"
    );
}

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..8)
        .prop_map(|letters| letters.into_iter().collect::<String>())
}

/// A number of the size that counts have, or any other.
fn any_number() -> impl Strategy<Value = u32> {
    prop_oneof![0..300u32, any::<u32>()]
}

fn any_metadata() -> impl Strategy<Value = gguf::Value> {
    prop_oneof![
        any_number().prop_map(gguf::Value::U32),
        any::<f32>().prop_map(gguf::Value::F32),
        any_text().prop_map(gguf::Value::Text),
        prop::collection::vec(any_text(), 0..4).prop_map(gguf::Value::Texts),
        prop::collection::vec(any::<i32>(), 0..4).prop_map(gguf::Value::Numbers),
    ]
}

/// Dimensions and type of a tensor.
fn any_shape() -> impl Strategy<Value = (Vec<usize>, u8)> {
    let dim = prop_oneof![0..300usize, any::<usize>()];
    (prop::collection::vec(dim, 0..6), any::<u8>())
}

/// The smallest model of each type.
fn any_model() -> impl Strategy<Value = Model> {
    prop::sample::select(MODEL_TYPES.to_vec()).prop_map(|model_type| Model {
        model_type,
        biases: model_type == "qwen2",
        ..Model::tiny()
    })
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any_number().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any_text().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(any_text(), inner, 0..4)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_prefix_of_a_model_is_refused(end in 0..GGUF.len()) {
        prop_assert!(attempt("model.gguf", &GGUF[..end]).is_err());
    }

    #[test]
    fn any_changed_byte_is_refused_or_imported(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        in_header in any::<bool>(),
    ) {
        let mut bytes = GGUF.clone();
        let end = if in_header { bytes.len() / 4 } else { bytes.len() };
        for (at, value) in changes {
            let at = at.index(end);
            bytes[at] = value;
        }
        let _ = attempt("model.gguf", &bytes);
    }

    #[test]
    fn any_header_is_refused_or_imported(
        model in any_model(),
        values in prop::collection::vec((any::<prop::sample::Index>(), any_metadata()), 0..4),
        tensor in any::<prop::sample::Index>(),
        shape in prop::option::of(any_shape()),
    ) {
        let mut file = gguf::File::new(&model);
        for (at, value) in values {
            let at = at.index(file.metadata.len());
            file.metadata[at].1 = value;
        }
        if let Some((dims, kind)) = shape {
            let at = tensor.index(file.tensors.len());
            let (_, old, data) = &mut file.tensors[at];
            *old = dims;
            data.kind = kind.into();
        }
        let _ = attempt("model.gguf", &file.bytes());
    }

    #[test]
    fn any_settings_of_a_folder_are_refused_or_imported(
        model in any_model(),
        name in prop::sample::select(vec![
            "config.json",
            "generation_config.json",
            "tokenizer_config.json",
            "model.safetensors.index.json",
        ]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("tiny");
        huggingface::write(&model, gguf::F32, 2, &folder);
        let mut settings = match std::fs::read(folder.join(name)) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap(),
            Err(_) => json!({ "eos_token_id": 2 }),
        };
        let fields = settings.as_object_mut().unwrap();
        let keys: Vec<String> = fields.keys().cloned().collect();
        for (at, value) in changes {
            fields.insert(at.get(&keys).clone(), value);
        }
        huggingface::json_file(&folder, name, &settings);
        let _ = import_into(&folder, directory.path());
        prop_assert!(leftovers(directory.path()).is_empty());
    }

    #[test]
    fn any_changed_byte_of_a_folder_is_refused_or_imported(
        file in prop::sample::select(vec!["config.json", "tokenizer.json", "model.safetensors"]),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("tiny");
        huggingface::write(&Model::tiny(), gguf::F32, 1, &folder);
        let path = folder.join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        // In the file of tensors, changes of the header are the dangerous ones.
        let end = bytes.len().min(2048);
        bytes[at.index(end)] = value;
        std::fs::write(&path, bytes).unwrap();
        let _ = import_into(&folder, directory.path());
        prop_assert!(leftovers(directory.path()).is_empty());
    }
}
