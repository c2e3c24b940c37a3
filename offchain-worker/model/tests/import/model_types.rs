//! Each type of model has one checkpoint, whatever its format, and a network of its own.

use crate::support::{
    gguf::{self, Value},
    huggingface, import_gguf, import_into, Model, MODEL_TYPES,
};
use burn::tensor::{Device, Int, Tensor, TensorData};
use noema_checkpoint::{AttentionWindow, ExpertMixture, LayerPattern, Variant};
use noema_executor::ModelSource;
use noema_float::{FloatModel, FloatWeights, Rotary};
use noema_model::{
    checkpoint::OpenCheckpoint,
    import::{FloatSource, ImportError},
};
use noema_numerics::{transformer::LOGIT_FRACTION, Blocks, ForwardPass, Scalar, Transformer};
use serde_json::{json, Value as Json};
use std::path::Path;

fn from_folder(model: &Model, config: &Json) -> Result<OpenCheckpoint, ImportError> {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("model");
    huggingface::write(model, gguf::F32, 1, &folder);
    huggingface::json_file(&folder, "config.json", config);
    import_into(&folder, directory.path())
}

/// The variant that a model with a changed `config.json` has.
fn variant(model_type: &'static str, change: Json) -> Result<Variant, String> {
    let model = Model::of(model_type);
    let mut config = huggingface::config(&model);
    for (key, value) in change.as_object().unwrap() {
        match value {
            Json::String(text) if text == "absent" => {
                config.as_object_mut().unwrap().remove(key);
            }
            value => config[key] = value.clone(),
        }
    }
    let checkpoint = from_folder(&model, &config).map_err(|error| error.to_string())?;
    Ok(checkpoint.architecture().variant)
}

#[test]
fn each_type_is_the_same_model_in_both_formats() {
    for model_type in MODEL_TYPES {
        let model = Model::of(model_type);
        let folder = from_folder(&model, &huggingface::config(&model)).unwrap();
        let file = import_gguf(&gguf::File::new(&model).bytes()).unwrap();
        assert_eq!(folder.architecture(), file.architecture(), "{model_type}");
        assert_eq!(folder.exponents(), file.exponents(), "{model_type}");
        assert_eq!(folder.weights(), file.weights(), "{model_type}");
        file.verify(&|_| ()).unwrap();
    }
}

#[test]
fn each_type_has_its_network() {
    let of = |model_type| variant(model_type, json!({})).unwrap();
    assert_eq!(of("llama"), Variant::LLAMA);
    let window = AttentionWindow {
        positions: 5,
        layers: LayerPattern::ALL,
    };
    let mistral = Variant {
        window: Some(window),
        ..Variant::LLAMA
    };
    assert_eq!(of("mistral"), mistral);
    assert_eq!(of("phi3"), mistral);
    let qwen2 = Variant {
        projection_biases: true,
        ..Variant::LLAMA
    };
    assert_eq!(of("qwen2"), qwen2);
    let qwen3 = Variant {
        head_norms: true,
        ..Variant::LLAMA
    };
    assert_eq!(of("qwen3"), qwen3);
    let qwen3_moe = Variant {
        experts: Some(MIXTURE),
        ..qwen3
    };
    assert_eq!(of("qwen3_moe"), qwen3_moe);
    let smollm3 = Variant {
        unrotated: Some(LayerPattern::Every(4)),
        ..Variant::LLAMA
    };
    assert_eq!(of("smollm3"), smollm3);
    let gemma3 = Variant {
        head_norms: true,
        window: Some(AttentionWindow {
            positions: 5,
            layers: LayerPattern::ExceptEvery(6),
        }),
        post_norms: true,
        gelu: true,
        scaled_embedding: true,
        windowed_rope: true,
        ..Variant::LLAMA
    };
    assert_eq!(of("gemma3_text"), gemma3);
}

/// That of the small model.
const MIXTURE: ExpertMixture = ExpertMixture {
    count: 6,
    chosen: 2,
    width: 32,
    renormalised: true,
    layers: LayerPattern::ALL,
};

#[test]
fn experts_are_read_as_transformers_reads_them() {
    let experts = |dense_layers: &[usize], change: Json| {
        let model = Model {
            dense_layers: dense_layers.to_vec(),
            ..Model::of("qwen3_moe")
        };
        let mut config = huggingface::config(&model);
        for (key, value) in change.as_object().unwrap() {
            config[key] = value.clone();
        }
        from_folder(&model, &config)
            .map(|checkpoint| *checkpoint.architecture())
            .map_err(|error| error.to_string())
    };
    let all = experts(&[], json!({})).unwrap();
    assert_eq!((all.variant.experts, all.feed_forward), (Some(MIXTURE), 32));
    let by_default = experts(
        &[],
        json!({ "norm_topk_prob": null, "decoder_sparse_step": null }),
    );
    assert!(by_default.is_err(), "null is no boolean");
    let plain = experts(
        &[],
        json!({ "norm_topk_prob": false, "mlp_only_layers": null }),
    )
    .unwrap();
    let unnormalised = ExpertMixture {
        renormalised: false,
        ..MIXTURE
    };
    assert_eq!(plain.variant.experts, Some(unnormalised));
    for (dense_layers, change, layers) in [
        (
            &[0, 2][..],
            json!({ "mlp_only_layers": [], "decoder_sparse_step": 2 }),
            LayerPattern::Every(2),
        ),
        (&[0], json!({}), LayerPattern::From(1)),
        (&[3], json!({}), LayerPattern::ExceptEvery(4)),
    ] {
        let found = experts(dense_layers, change).unwrap();
        assert_eq!(
            found.variant.experts,
            Some(ExpertMixture { layers, ..MIXTURE })
        );
        assert_eq!(found.feed_forward, 64, "that of the dense layers");
    }
    let none = experts(&[0, 1, 2, 3], json!({})).unwrap();
    assert_eq!(none.variant.experts, None);
    for (dense_layers, change, words) in [
        (&[1, 2][..], json!({}), "mlp_only_layers without a pattern"),
        (
            &[],
            json!({ "decoder_sparse_step": 0 }),
            "decoder_sparse_step",
        ),
        (
            &[],
            json!({ "num_experts_per_tok": 7 }),
            "experts.chosen is 7; at most 6",
        ),
        (
            &[],
            json!({ "num_experts": 513 }),
            "experts.count is 513; at most 512",
        ),
        (
            &[],
            json!({ "moe_intermediate_size": 48 }),
            "is 48, which is not a multiple",
        ),
        (&[], json!({ "num_experts": 7 }), "mlp.gate.weight"),
        (
            &[],
            json!({ "use_sliding_window": true }),
            "a sliding window beside experts",
        ),
    ] {
        let message = experts(dense_layers, change).unwrap_err();
        assert!(message.contains(words), "{words:?} is not in: {message}");
    }
}

#[test]
fn a_file_with_experts_states_their_numbers() {
    let file = || gguf::File::new(&Model::of("qwen3_moe"));
    let refused = |file: gguf::File| import_gguf(&file.bytes()).unwrap_err().to_string();
    for (key, value, words) in [
        ("expert_count", 0, "experts.count is zero"),
        ("expert_used_count", 7, "experts.chosen is 7; at most 6"),
        ("expert_count", 5, "blk.0.ffn_gate_inp.weight"),
        (
            "expert_gating_func",
            2,
            "another qwen3moe.expert_gating_func",
        ),
    ] {
        let message = refused(file().set(&format!("qwen3moe.{key}"), Value::U32(value)));
        assert!(message.contains(words), "{words:?} is not in: {message}");
    }
    let missing = refused(file().without("qwen3moe.expert_used_count"));
    assert!(missing.contains("qwen3moe.expert_used_count"), "{missing}");
    // Two experts of half the width: what llama.cpp takes where the file does not say.
    let derived = file().without("qwen3moe.expert_feed_forward_length");
    import_gguf(&derived.bytes()).unwrap();
    let qwen3 = gguf::File::new(&Model::of("qwen3")).set("qwen3.expert_count", Value::U32(8));
    let message = refused(qwen3);
    assert!(
        message.contains("a mixture of experts of the architecture \"qwen3\""),
        "{message}"
    );
}

#[test]
fn a_window_is_read_as_transformers_reads_it() {
    let window = |model_type, change| variant(model_type, change).map(|variant| variant.window);
    let from = |positions, first| {
        Ok(Some(AttentionWindow {
            positions,
            layers: LayerPattern::From(first),
        }))
    };
    assert_eq!(
        window("mistral", json!({ "sliding_window": null })),
        Ok(None)
    );
    let absent = json!({ "sliding_window": "absent" });
    assert_eq!(window("mistral", absent), from(4_096, 0));
    assert_eq!(window("llama", json!({ "sliding_window": 7 })), Ok(None));
    assert_eq!(window("phi3", json!({ "sliding_window": 7 })), from(7, 0));
    assert_eq!(
        window("phi3", json!({ "sliding_window": "absent" })),
        Ok(None)
    );
    for model_type in ["qwen2", "qwen3"] {
        let used = |last: Json| json!({ "use_sliding_window": true, "sliding_window": 7, "max_window_layers": last });
        assert_eq!(window(model_type, used(json!(2))), from(7, 2));
        assert_eq!(window(model_type, used(json!(4))), Ok(None));
        assert_eq!(window(model_type, used(json!(null))), Ok(None));
        let mut typed = used(json!(2));
        let (full, sliding) = ("full_attention", "sliding_attention");
        typed["layer_types"] = json!([sliding, full, sliding, full]);
        let expected = AttentionWindow {
            positions: 7,
            layers: LayerPattern::ExceptEvery(2),
        };
        assert_eq!(window(model_type, typed), Ok(Some(expected)));
    }
    let typed = json!({
        "layer_types": "absent", "use_sliding_window": true, "sliding_window": 7
    });
    let expected = AttentionWindow {
        positions: 7,
        layers: LayerPattern::Every(4),
    };
    assert_eq!(window("smollm3", typed), Ok(Some(expected)));
}

#[test]
fn layers_without_rotation_are_listed_or_follow_an_interval() {
    let unrotated = |change| variant("smollm3", change).map(|variant| variant.unrotated);
    let listed = |layers: [u32; 4]| unrotated(json!({ "no_rope_layers": layers }));
    assert_eq!(listed([1, 1, 1, 1]), Ok(None));
    assert_eq!(listed([1, 0, 1, 0]), Ok(Some(LayerPattern::Every(2))));
    assert_eq!(listed([1, 1, 0, 0]), Ok(Some(LayerPattern::From(2))));
    let every = |interval| {
        unrotated(json!({ "no_rope_layers": "absent", "no_rope_layer_interval": interval }))
    };
    assert_eq!(every(json!("absent")), Ok(Some(LayerPattern::Every(4))));
    assert_eq!(every(json!(null)), Ok(Some(LayerPattern::Every(4))));
    assert_eq!(every(json!(2)), Ok(Some(LayerPattern::Every(2))));
    assert_eq!(every(json!(9)), Ok(None));
}

#[test]
fn layers_that_cannot_be_stated_are_refused_with_the_setting() {
    let refused = |model_type, change: Json, words: &[&str]| {
        let message = variant(model_type, change).unwrap_err();
        for word in words {
            assert!(message.contains(word), "{word:?} is not in: {message}");
        }
        assert!(message.ends_with('.'), "{message}");
    };
    let layers = |layers: &[u32]| json!({ "no_rope_layers": layers });
    refused(
        "smollm3",
        layers(&[0, 1, 1, 0]),
        &["no_rope_layers without a pattern"],
    );
    refused(
        "smollm3",
        layers(&[1, 0]),
        &["no_rope_layers", "2 entries for 4 layers"],
    );
    let interval = json!({ "no_rope_layers": null, "no_rope_layer_interval": 0 });
    refused(
        "smollm3",
        interval,
        &["no_rope_layer_interval", "not a positive number"],
    );
    let types = |kind: &str| json!({ "layer_types": vec![kind; 4] });
    refused(
        "qwen3",
        types("chunked_attention"),
        &["layers of the type \"chunked_attention\""],
    );
    refused(
        "qwen3",
        types("sliding_attention"),
        &["layer_types", "no sliding_window"],
    );
    refused(
        "qwen2",
        json!({ "attention_bias": true }),
        &["attention_bias"],
    );
    let zero = json!({ "sliding_window": 0 });
    refused("mistral", zero, &["window is zero"]);
}

#[test]
fn a_file_with_windows_in_some_layers_is_refused() {
    for model_type in ["qwen2", "smollm3"] {
        let key = format!("{model_type}.attention.sliding_window");
        let file = gguf::File::new(&Model::of(model_type)).set(&key, Value::U32(7));
        let error = import_gguf(&file.bytes()).unwrap_err().to_string();
        assert!(error.contains("a sliding window in some layers"), "{error}");
        assert!(error.contains("Hugging Face folder"), "{error}");
        let none = file.set(&key, Value::U32(0));
        import_gguf(&none.bytes()).unwrap();
    }
}

#[test]
fn fused_matrices_are_split_into_those_of_their_roles() {
    let fused = Model::of("phi3");
    let phi = from_folder(&fused, &huggingface::config(&fused)).unwrap();
    let split = Model::of("mistral");
    let mistral = from_folder(&split, &huggingface::config(&split)).unwrap();
    assert_eq!(phi.architecture(), mistral.architecture());
    assert_eq!(phi.exponents(), mistral.exponents());
    assert_eq!(phi.weights(), mistral.weights());
}

#[test]
fn fused_matrices_of_another_shape_are_refused_by_name() {
    let model = Model::of("phi3");
    let mut config = huggingface::config(&model);
    config["num_key_value_heads"] = json!(1);
    let error = from_folder(&model, &config).unwrap_err().to_string();
    assert!(error.contains("self_attn.qkv_proj.weight"), "{error}");
    assert!(
        error.contains("[256, 64]; the model needs [192, 64]"),
        "{error}"
    );
    let file = gguf::File::new(&model).set("phi3.feed_forward_length", Value::U32(32));
    let error = import_gguf(&file.bytes()).unwrap_err().to_string();
    assert!(error.contains("blk.0.ffn_up.weight"), "{error}");
    assert!(
        error.contains("[128, 64]; the model needs [64, 64]"),
        "{error}"
    );
}

#[test]
fn a_part_of_each_head_of_phi_is_rotated_alike_in_both_formats() {
    let model = Model::of("phi3");
    let mut config = huggingface::config(&model);
    config["partial_rotary_factor"] = json!(0.75);
    let part = from_folder(&model, &config).unwrap();
    let file = gguf::File::new(&model).set("phi3.rope.dimension_count", Value::U32(24));
    let file = import_gguf(&file.bytes()).unwrap();
    assert_eq!(part.weights(), file.weights());
    let whole = from_folder(&model, &huggingface::config(&model)).unwrap();
    assert_ne!(part.weights(), whole.weights());
    let file =
        gguf::File::new(&Model::of("qwen3")).set("qwen3.rope.dimension_count", Value::U32(24));
    let error = import_gguf(&file.bytes()).unwrap_err().to_string();
    assert!(error.contains("qwen3.rope.dimension_count 24"), "{error}");
}

#[test]
fn the_rotations_of_gemma_are_those_of_its_kinds_of_layers() {
    let model = Model::of("gemma3_text");
    let of = |change: Json| {
        let mut config = huggingface::config(&model);
        for (key, value) in change.as_object().unwrap() {
            config[key] = value.clone();
        }
        from_folder(&model, &config).map_err(|error| error.to_string())
    };
    let usual = of(json!({})).unwrap();
    // What Transformers takes for them, and how later versions state them.
    let unstated = of(json!({ "rope_theta": null, "rope_local_base_freq": null })).unwrap();
    assert_eq!(unstated.weights(), usual.weights());
    let newer = json!({
        "rope_theta": null, "rope_local_base_freq": null, "rope_parameters": {
            "full_attention": { "rope_type": "default", "rope_theta": 1_000_000.0 },
            "sliding_attention": { "rope_type": "default", "rope_theta": 10_000.0 }
        }
    });
    assert_eq!(of(newer).unwrap().weights(), usual.weights());
    let linear = json!({ "rope_scaling": { "rope_type": "linear", "factor": 8.0 } });
    let linear = of(linear).unwrap();
    assert_ne!(linear.weights(), usual.weights());
    let file = gguf::File::new(&model)
        .set("gemma3.rope.scaling.type", "linear")
        .set("gemma3.rope.scaling.factor", Value::F32(8.0));
    let file = import_gguf(&file.bytes()).unwrap();
    assert_eq!(file.weights(), linear.weights());
    let file = gguf::File::new(&model).set("gemma3.rope.freq_base_swa", Value::F32(500.0));
    let other = of(json!({ "rope_local_base_freq": 500.0 })).unwrap();
    assert_eq!(
        import_gguf(&file.bytes()).unwrap().weights(),
        other.weights()
    );

    // One rotation has one table.
    let windowed_rope = |change| of(change).unwrap().architecture().variant.windowed_rope;
    assert!(!windowed_rope(
        json!({ "rope_local_base_freq": 1_000_000.0 })
    ));
    assert!(!windowed_rope(json!({ "sliding_window_pattern": 9 })));
    let full = vec!["full_attention"; 7];
    let none = of(json!({ "layer_types": full })).unwrap();
    assert_eq!(none.architecture().variant.window, None);
    assert!(!none.architecture().variant.windowed_rope);
}

#[test]
fn the_text_model_is_taken_from_a_folder_that_reads_images_too() {
    let model = Model::of("gemma3_text");
    let plain = huggingface::config(&model);
    let own = from_folder(&model, &plain).unwrap();
    for prefix in ["language_model.model.", "model.language_model."] {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("model");
        huggingface::write(&model, gguf::F32, 1, &folder);
        let config = json!({
            "model_type": "gemma3", "bos_token_id": 1, "eos_token_id": 2, "text_config": plain,
            "vision_config": { "model_type": "siglip_vision_model" }
        });
        huggingface::json_file(&folder, "config.json", &config);
        let mut tensors = huggingface::tensors(&model);
        for tensor in &mut tensors {
            tensor.huggingface = tensor.huggingface.replacen("model.", prefix, 1);
        }
        let image = tensors[1].huggingface.replacen(prefix, "vision_tower.", 1);
        tensors.push(crate::support::Tensor {
            gguf: String::new(),
            huggingface: image,
            shape: vec![2],
            values: vec![0.5, 1.5],
        });
        let data = huggingface::safetensors(&tensors, gguf::F32);
        std::fs::write(folder.join("model.safetensors"), data).unwrap();
        let found = import_into(&folder, directory.path()).unwrap();
        assert_eq!(found.architecture(), own.architecture());
        assert_eq!(found.weights(), own.weights());
    }
}

#[test]
fn gemma_may_divide_scores_by_the_root_of_another_number() {
    let model = Model::of("gemma3_text");
    let mut config = huggingface::config(&model);
    let usual = from_folder(&model, &config).unwrap();
    config["query_pre_attn_scalar"] = json!(8);
    let other = from_folder(&model, &config).unwrap();
    // The gains of the queries' norm are twice as large: their exponents are one more.
    let changed = usual.exponents().iter().zip(other.exponents());
    let changed: Vec<i8> = changed.map(|(a, b)| b - a).collect();
    assert_eq!(changed.iter().filter(|change| **change == 1).count(), 7);
    assert_eq!(usual.weights(), other.weights());
    config["query_pre_attn_scalar"] = json!(0);
    let error = from_folder(&model, &config).unwrap_err().to_string();
    assert!(
        error.contains("query_pre_attn_scalar, which is 0"),
        "{error}"
    );
}

#[test]
fn what_gemma_has_and_no_operator_computes_is_refused_by_name() {
    for (change, words) in [
        (
            json!({ "final_logit_softcapping": 30.0 }),
            "final_logit_softcapping",
        ),
        (
            json!({ "attn_logit_softcapping": 50.0 }),
            "attn_logit_softcapping",
        ),
        (
            json!({ "use_bidirectional_attention": true }),
            "later positions",
        ),
        (
            json!({ "hidden_activation": "gelu" }),
            "an activation other",
        ),
        (json!({ "model_type": "gemma2" }), "Gemma 2 caps scores"),
        (json!({ "model_type": "gemma3" }), "import a GGUF file"),
    ] {
        let message = variant("gemma3_text", change).unwrap_err();
        assert!(message.contains(words), "{words:?} is not in: {message}");
        assert!(message.ends_with('.'), "{message}");
    }
    let model = Model::of("gemma3_text");
    let file = gguf::File::new(&model).set("gemma3.final_logit_softcapping", Value::F32(30.0));
    let error = import_gguf(&file.bytes()).unwrap_err().to_string();
    assert!(error.contains("gemma3.final_logit_softcapping"), "{error}");
    let file = gguf::File::new(&model).set("general.architecture", "gemma2");
    let error = import_gguf(&file.bytes()).unwrap_err().to_string();
    assert!(error.contains("Gemma 2 caps scores"), "{error}");
}

#[test]
fn biases_of_a_llama_file_are_in_the_order_of_its_rows() {
    let model = Model {
        biases: true,
        ..Model::of("llama")
    };
    let llama = import_gguf(&gguf::File::new(&model).bytes()).unwrap();
    let qwen = import_gguf(&gguf::File::new(&Model::of("qwen2")).bytes()).unwrap();
    assert!(llama.architecture().variant.projection_biases);
    assert_eq!(llama.weights(), qwen.weights());
}

/// Logits of `tokens` by the float model of `source`.
fn float_logits(source: &Path, tokens: &[u32]) -> Vec<f64> {
    let source = FloatSource::open(source, &()).unwrap();
    let device = Device::flex();
    let model = FloatModel::load(&source, &device).unwrap();
    let rotary = Rotary::new(&source.rotations(tokens.len()), tokens.len(), &device);
    let ids: Vec<i64> = tokens.iter().map(|token| i64::from(*token)).collect();
    let shape = [1, ids.len()];
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, shape), &device);
    let logits = model.logits(model.hidden(ids, &rotary));
    let logits: Vec<f32> = logits.into_data().try_into_vec().unwrap();
    logits.into_iter().map(f64::from).collect()
}

/// The same by the integers of its checkpoint.
fn integer_logits(checkpoint: &OpenCheckpoint, tokens: &[u32]) -> Vec<f64> {
    let mut transformer = Transformer::new(checkpoint.model().unwrap(), Scalar, 16);
    let (mut hidden, mut logits) = (Blocks::default(), Vec::new());
    transformer
        .forward(0, tokens, 0..tokens.len(), &mut hidden)
        .unwrap();
    transformer.logits(hidden.view(), &mut logits);
    let unit = f64::powi(2.0, -LOGIT_FRACTION);
    logits
        .into_iter()
        .map(|logit| f64::from(logit) * unit)
        .collect()
}

/// Mean square of the differences, in parts of the mean square of the first.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let differences = square(&mut a.iter().zip(b).map(|(a, b)| a - b));
    differences / square(&mut a.iter().copied())
}

#[test]
fn each_checkpoint_agrees_with_the_float_model_of_its_source() {
    let tokens: Vec<u32> = (0..14).map(|i| i * 37 % 250).collect();
    let directory = tempfile::tempdir().unwrap();
    let mut plain = None;
    for model_type in MODEL_TYPES {
        let source = directory.path().join(model_type);
        huggingface::write(&Model::of(model_type), gguf::F32, 1, &source);
        let checkpoint = import_into(&source, directory.path()).unwrap();
        let float = float_logits(&source, &tokens);
        let integer = integer_logits(&checkpoint, &tokens);
        let apart = difference(&float, &integer);
        assert!(apart < 1e-3, "{model_type}: {apart}");
        // What distinguishes the type changes the logits much more.
        let plain = plain.get_or_insert_with(|| float.clone());
        let distinct = difference(plain, &integer);
        assert!(
            model_type == "llama" || distinct > 1e-2,
            "{model_type}: {distinct}"
        );
    }
}
