//! Writes a Hugging Face folder.

use super::{gguf, Model, Tensor, CONTROL, EXPERTS, MERGES, TEMPLATE};
use safetensors::{serialize, tensor::TensorView, Dtype};
use serde_json::{json, Value};
use std::{collections::BTreeMap, fs, path::Path};

pub(crate) fn config(model: &Model) -> Value {
    let mut config = json!({
        "model_type": model.model_type,
        "_name_or_path": "Tiny",
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": model.hidden,
        "intermediate_size": model.feed_forward,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads,
        "num_key_value_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "vocab_size": model.tokens.len(),
        "max_position_embeddings": model.context,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": model.tied
    });
    let more = match model.model_type {
        "gemma3_text" => json!({
            "hidden_act": null, "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": model.head_dim,
            "sliding_window": model.window(), "sliding_window_pattern": 6, "rope_theta": 1_000_000.0,
            "rope_local_base_freq": 10_000.0, "attn_logit_softcapping": null, "final_logit_softcapping": null
        }),
        "mistral" | "phi3" => json!({ "sliding_window": model.window() }),
        "qwen2" => json!({
            "use_sliding_window": false, "sliding_window": 32_768, "max_window_layers": 2
        }),
        "qwen3" => json!({ "attention_bias": false, "use_sliding_window": false }),
        "qwen3_moe" => json!({
            "attention_bias": false, "use_sliding_window": false, "norm_topk_prob": true,
            "num_experts": EXPERTS[0], "num_experts_per_tok": EXPERTS[1],
            "moe_intermediate_size": EXPERTS[2], "decoder_sparse_step": 1,
            "mlp_only_layers": model.dense_layers
        }),
        "smollm3" => json!({
            "attention_bias": false, "mlp_bias": false, "no_rope_layers": [1, 1, 1, 0],
            "layer_types": vec!["full_attention"; model.layers]
        }),
        _ => json!({}),
    };
    for (key, value) in more.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    config
}

pub(crate) fn tokenizer(model: &Model) -> Value {
    let ids: BTreeMap<&str, usize> = model.tokens.iter().map(String::as_str).zip(0..).collect();
    let added: Vec<Value> = CONTROL
        .iter()
        .filter(|token| ids.contains_key(**token))
        .map(|token| {
            json!({
                "id": ids[token], "content": token, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true
            })
        })
        .collect();
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true
    });
    json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": byte_level,
        "post_processor": null,
        "decoder": byte_level,
        "model": { "type": "BPE", "vocab": ids, "merges": MERGES }
    })
}

/// The tensors of a folder: each matrix of experts is several there.
fn in_folder(tensors: &[Tensor]) -> Vec<(String, &[usize], &[f32])> {
    let mut list = Vec::new();
    for tensor in tensors {
        let (count, dropped) = match tensor.huggingface.contains('*') {
            true => (tensor.shape[0], 1),
            false => (1, 0),
        };
        let parts = tensor.values.chunks(tensor.values.len() / count);
        for (expert, values) in parts.enumerate() {
            let name = tensor.huggingface.replace('*', &expert.to_string());
            list.push((name, &tensor.shape[dropped..], values));
        }
    }
    list
}

pub(crate) fn safetensors(tensors: &[Tensor], kind: u32) -> Vec<u8> {
    let dtype = match kind {
        gguf::F16 => Dtype::F16,
        gguf::BF16 => Dtype::BF16,
        _ => Dtype::F32,
    };
    let tensors = in_folder(tensors);
    let data: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, values)| gguf::floats(kind, values))
        .collect();
    let views = tensors.iter().zip(&data).map(|((name, shape, _), bytes)| {
        let view = TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
        (name.clone(), view)
    });
    serialize(views, None).unwrap()
}

/// The tensors as a folder has them.
pub(crate) fn tensors(model: &Model) -> Vec<Tensor> {
    let mut tensors = model.tensors();
    if model.has_offset() {
        let norms = tensors
            .iter_mut()
            .filter(|tensor| tensor.huggingface.ends_with("norm.weight"));
        norms.for_each(|tensor| tensor.values.iter_mut().for_each(|value| *value -= 1.0));
    }
    tensors
}

/// Writes `model` with tensors of the float type `kind`, in `shards` safetensors files.
pub(crate) fn write(model: &Model, kind: u32, shards: usize, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    json_file(folder, "config.json", &config(model));
    json_file(folder, "tokenizer.json", &tokenizer(model));
    json_file(
        folder,
        "tokenizer_config.json",
        &json!({
            "bos_token": "<|im_start|>",
            "eos_token": { "content": "<|im_end|>" },
            "chat_template": TEMPLATE
        }),
    );
    fs::write(
        folder.join("README.md"),
        "---\nlicense: apache-2.0\n---\n# Tiny\n",
    )
    .unwrap();
    let tensors = tensors(model);
    if shards == 1 {
        fs::write(
            folder.join("model.safetensors"),
            safetensors(&tensors, kind),
        )
        .unwrap();
        return;
    }
    let mut map = BTreeMap::new();
    for (index, part) in tensors.chunks(tensors.len().div_ceil(shards)).enumerate() {
        let name = format!("model-{index:05}.safetensors");
        fs::write(folder.join(&name), safetensors(part, kind)).unwrap();
        for (tensor, _, _) in in_folder(part) {
            map.insert(tensor, name.clone());
        }
    }
    json_file(
        folder,
        "model.safetensors.index.json",
        &json!({ "metadata": {}, "weight_map": map }),
    );
}

pub(crate) fn json_file(folder: &Path, name: &str, value: &Value) {
    fs::write(folder.join(name), value.to_string()).unwrap();
}
