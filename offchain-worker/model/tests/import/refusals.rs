//! Valid models that the numerics do not define are refused by name.

use crate::support::{
    gguf::{self, Value},
    huggingface, import_gguf, import_into, leftovers, Model,
};
use serde_json::{json, Value as Json};

/// The message with which a changed GGUF file is refused.
fn refused(change: impl FnOnce(gguf::File) -> gguf::File) -> String {
    let file = change(gguf::File::new(&Model::tiny()));
    import_gguf(&file.bytes()).unwrap_err().to_string()
}

/// The message with which a folder with a changed `config.json` is refused.
fn folder_refused(change: impl FnOnce(&mut Json)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&Model::tiny(), gguf::F32, 1, &folder);
    let mut config = huggingface::config(&Model::tiny());
    change(&mut config);
    huggingface::json_file(&folder, "config.json", &config);
    let error = import_into(&folder, directory.path()).unwrap_err();
    assert!(leftovers(directory.path()).is_empty());
    error.to_string()
}

#[track_caller]
fn assert_says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
    assert!(message.ends_with('.'), "{message}");
}

#[test]
fn another_architecture_is_refused() {
    for name in ["gemma3n", "qwen2moe", "mistral"] {
        let message = refused(|file| file.set("general.architecture", name));
        let words = [
            &format!("the architecture {name:?}")[..],
            "Llama",
            "SmolLM3",
        ];
        assert_says(&message, &words);
    }
    for name in ["gemma3n_text", "qwen2_vl", "mixtral"] {
        let message = folder_refused(|config| config["model_type"] = name.into());
        let words = [&format!("the model type {name:?}")[..], "Llama", "SmolLM3"];
        assert_says(&message, &words);
    }
}

#[test]
fn a_kind_of_rotary_scaling_may_be_stated_under_both_its_names() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&Model::tiny(), gguf::F32, 1, &folder);
    let root = |key: &str, scaling: Json| {
        let mut config = huggingface::config(&Model::tiny());
        config[key] = scaling;
        huggingface::json_file(&folder, "config.json", &config);
        let checkpoint = import_into(&folder, directory.path()).unwrap();
        checkpoint.manifest().weights_root
    };
    let llama_3 = json!({
        "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8
    });
    let mut seen = Vec::new();
    for (kind, settings) in [
        ("default", json!({})),
        ("linear", json!({ "factor": 4.0 })),
        ("llama3", llama_3),
    ] {
        let with = |names: &[&str]| {
            let mut settings = settings.clone();
            for name in names {
                settings[*name] = kind.into();
            }
            settings
        };
        let newer = root("rope_scaling", with(&["rope_type"]));
        assert_eq!(newer, root("rope_scaling", with(&["type"])));
        assert_eq!(newer, root("rope_scaling", with(&["rope_type", "type"])));
        assert_eq!(newer, root("rope_parameters", with(&["type", "rope_type"])));
        assert!(!seen.contains(&newer), "{kind}");
        seen.push(newer);
    }
}

#[test]
fn settings_of_the_rotation_that_contradict_each_other_are_refused() {
    let scaling = json!({ "rope_type": "linear", "type": "llama3", "factor": 4.0 });
    let message = folder_refused(|config| config["rope_scaling"] = scaling);
    assert_says(
        &message,
        &["config.json states rope_type \"linear\"", "type \"llama3\""],
    );
    let message = folder_refused(|config| config["rope_parameters"] = json!({ "rope_theta": 5.0 }));
    assert_says(&message, &["rope_theta", "in several places"]);
    let message = folder_refused(|config| {
        config["rope_parameters"] = json!({ "rope_type": "linear", "factor": 4.0 });
        config["rope_scaling"] = json!({ "rope_type": "linear", "factor": 2.0 });
    });
    assert_says(&message, &["rope_scaling", "in several places"]);
}

#[test]
fn a_setting_of_the_wrong_kind_is_no_damage() {
    for value in [
        json!("64"),
        json!(null),
        json!(-1),
        json!(1e30),
        json!([64]),
    ] {
        let message = folder_refused(|config| config["hidden_size"] = value);
        assert_says(&message, &["config.json cannot be used", "u32", "correct"]);
        assert!(!message.contains("damaged"), "{message}");
    }
    let message = folder_refused(|config| {
        config.as_object_mut().unwrap().remove("rms_norm_eps");
    });
    assert_says(&message, &["cannot be used: missing field `rms_norm_eps`"]);
    // The architecture is named, not the fields that it lacks.
    let message = folder_refused(|config| *config = json!({ "model_type": "gpt2" }));
    assert_says(&message, &["the model type \"gpt2\""]);
}

#[test]
fn a_git_lfs_pointer_or_a_web_page_in_the_place_of_a_file_is_named() {
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 269060552\n",
        "a".repeat(64)
    );
    let page = "\n<!DOCTYPE html>\n<html><title>Sign in</title></html>\n";
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&Model::tiny(), gguf::F32, 1, &folder);
    let index = json!({ "weight_map": {} });
    huggingface::json_file(&folder, "model.safetensors.index.json", &index);
    for name in [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
        "model.safetensors.index.json",
    ] {
        let path = folder.join(name);
        let sound = std::fs::read(&path).unwrap();
        std::fs::write(&path, &pointer).unwrap();
        let message = import_into(&folder, directory.path()).unwrap_err();
        let words = [name, "a git-lfs pointer to a file of 269060552 bytes"];
        assert_says(&message.to_string(), &words);
        assert_says(&message.to_string(), &["git lfs pull"]);
        std::fs::write(&path, page).unwrap();
        let message = import_into(&folder, directory.path()).unwrap_err();
        assert_says(&message.to_string(), &[name, "a web page"]);
        std::fs::write(&path, sound).unwrap();
    }
    assert!(leftovers(directory.path()).is_empty());
    import_into(&folder, directory.path()).unwrap();
    let message = import_gguf(pointer.as_bytes()).unwrap_err().to_string();
    assert_says(&message, &["a git-lfs pointer to a file", "git lfs pull"]);
    let message = import_gguf(page.as_bytes()).unwrap_err().to_string();
    assert_says(&message, &["a web page"]);
}

#[test]
fn settings_in_another_encoding_are_refused_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&Model::tiny(), gguf::F32, 1, &folder);
    let config = huggingface::config(&Model::tiny()).to_string();
    let utf16 = config.encode_utf16().flat_map(u16::to_le_bytes);
    for (bytes, words) in [
        (
            format!("\u{feff}{config}").into_bytes(),
            "a byte order mark",
        ),
        (utf16.collect(), "in UTF-16LE"),
        (
            b"{\"model_type\": \"llama\xe9\"}".to_vec(),
            "not UTF-8 from byte 21",
        ),
        (Vec::new(), "it is empty"),
    ] {
        std::fs::write(folder.join("config.json"), bytes).unwrap();
        let message = import_into(&folder, directory.path()).unwrap_err();
        assert_says(&message.to_string(), &["config.json cannot be used", words]);
    }
}

#[test]
fn tensors_that_would_be_ignored_are_refused() {
    let message = refused(|mut file| {
        let data = gguf::Data {
            kind: gguf::F32,
            bytes: vec![0; 128],
        };
        file.tensors
            .push(("blk.0.attn_output.bias".into(), vec![32], data));
        file
    });
    assert_says(
        &message,
        &["the tensor blk.0.attn_output.bias", "\"llama\""],
    );
    let message = folder_refused(|config| config["attention_bias"] = true.into());
    assert_says(&message, &["biases"]);
}

#[test]
fn a_tokenizer_whose_tokens_have_no_bound_is_refused() {
    let refused = |change: fn(&mut Json)| {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("tiny");
        huggingface::write(&Model::tiny(), gguf::F32, 1, &folder);
        let mut tokenizer = huggingface::tokenizer(&Model::tiny());
        change(&mut tokenizer);
        huggingface::json_file(&folder, "tokenizer.json", &tokenizer);
        let error = import_into(&folder, directory.path()).unwrap_err();
        assert!(leftovers(directory.path()).is_empty());
        error.to_string()
    };
    let message = refused(|json| json["normalizer"] = json!({ "type": "Lowercase" }));
    assert_says(&message, &["normalizer Lowercase", "NFC"]);
    let message = refused(|json| json["model"]["dropout"] = 0.5.into());
    assert_says(&message, &["dropout", "null"]);
}

#[test]
fn a_template_that_does_not_frame_its_message_is_refused() {
    for (template, problem) in [
        (
            "{{ messages[0].content | upper }}",
            "leaves the message out",
        ),
        (
            "{% if '<think>' in messages[0].content %}{{ raise_exception('no') }}{% endif %}\
             {{ messages[0].content }}",
            "fails on a message",
        ),
        ("{% if %}", "which does not compile"),
        ("{{ messages | tojson }}", "like"),
    ] {
        let message = refused(|file| file.set("tokenizer.chat_template", template));
        assert_says(&message, &["a chat template", problem]);
    }
}

#[test]
fn a_missing_tensor_is_refused() {
    let message = refused(|mut file| {
        file.tensors
            .retain(|tensor| tensor.0 != "blk.0.ffn_up.weight");
        file
    });
    assert_says(
        &message,
        &["does not contain the tensor blk.0.ffn_up.weight"],
    );
}

#[test]
fn more_layers_than_the_file_can_hold_are_refused() {
    let message = refused(|file| file.set("llama.block_count", Value::U32(1_000)));
    assert_says(&message, &["llama.block_count", "1000"]);
    let message = folder_refused(|config| config["num_hidden_layers"] = 1_000.into());
    assert_says(&message, &["num_hidden_layers", "1000"]);
}

#[test]
fn widths_that_the_numerics_cannot_hold_are_refused() {
    let message = refused(|file| file.set("llama.feed_forward_length", Value::U32(63)));
    assert_says(&message, &["feed_forward is 63", "multiple of 32"]);
    let message = refused(|file| file.set("llama.attention.head_count", Value::U32(0)));
    assert_says(&message, &["heads is zero"]);
    let message = folder_refused(|config| config["num_attention_heads"] = 0.into());
    assert_says(&message, &["heads is zero"]);
}

#[test]
fn a_shape_that_contradicts_the_metadata_is_refused() {
    let message = refused(|file| file.set("llama.feed_forward_length", Value::U32(96)));
    assert_says(
        &message,
        &["Tensor blk.0.ffn_gate.weight", "[64, 32]", "[96, 32]"],
    );
    let message = folder_refused(|config| config["intermediate_size"] = 96.into());
    assert_says(
        &message,
        &["Tensor model.layers.0.mlp.gate_proj.weight", "[96, 32]"],
    );
}

#[test]
fn a_weight_that_is_not_a_number_is_refused() {
    let message = refused(|mut file| {
        let (_, _, data) = file.tensor("blk.0.attn_v.weight");
        data.bytes[400..404].copy_from_slice(&f32::NAN.to_le_bytes());
        file
    });
    assert_says(
        &message,
        &["Tensor blk.0.attn_v.weight", "not a finite number"],
    );
    let message = refused(|mut file| {
        let (_, _, data) = file.tensor("output_norm.weight");
        data.bytes[..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
        file
    });
    assert_says(
        &message,
        &["Tensor output_norm.weight", "not a finite number"],
    );
}

#[test]
fn partial_rotation_and_experts_are_refused() {
    let message = refused(|file| file.set("llama.rope.dimension_count", Value::U32(16)));
    assert_says(&message, &["llama.rope.dimension_count 16"]);
    let message = refused(|file| file.set("llama.expert_count", Value::U32(8)));
    assert_says(&message, &["a mixture of experts"]);
    let message = folder_refused(|config| config["partial_rotary_factor"] = 0.5.into());
    assert_says(&message, &["only a part of each head"]);
}

#[test]
fn metadata_of_another_type_is_refused() {
    let message = refused(|file| file.set("llama.block_count", "one"));
    assert_says(&message, &["llama.block_count", "not a number"]);
    let message = refused(|file| file.without("llama.embedding_length"));
    assert_says(
        &message,
        &["does not contain the metadata llama.embedding_length"],
    );
}

#[test]
fn an_epsilon_beyond_its_range_is_refused() {
    let key = "llama.attention.layer_norm_rms_epsilon";
    for value in [-1.0, 2.0, f32::NAN] {
        let message = refused(|file| file.set(key, Value::F32(value)));
        assert_says(&message, &[key, "not between 0 and 1"]);
    }
}

#[test]
fn an_index_that_points_out_of_the_folder_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&Model::tiny(), gguf::F32, 2, &folder);
    let index = json!({ "weight_map": { "model.norm.weight": "../secret.safetensors" } });
    huggingface::json_file(&folder, "model.safetensors.index.json", &index);
    let error = import_into(&folder, directory.path()).unwrap_err();
    assert_says(
        &error.to_string(),
        &["\"../secret.safetensors\"", "not a plain name"],
    );
}
