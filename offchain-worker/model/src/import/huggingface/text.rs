//! The text model of a folder whose model reads images, too.
//!
//! The larger models of Gemma 3 have their settings in `text_config`, where Transformers' usual ones are left out, and
//! their tensors beside those of the images.

use super::super::{files::parse_json, ImportError};
use serde_json::{json, Map, Value};
use std::path::Path;

/// The settings of the text model, as a `config.json` of its own: `bytes` for any other model.
pub(super) fn config(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, ImportError> {
    let mut stated: Map<String, Value> = parse_json(path, &bytes)?;
    let model_type = stated.get("model_type").and_then(Value::as_str);
    match model_type {
        Some("gemma3_text") => {}
        Some("gemma3") => match stated.remove("text_config") {
            Some(Value::Object(mut text)) => {
                text.insert("model_type".into(), "gemma3_text".into());
                for key in [
                    "_name_or_path",
                    "bos_token_id",
                    "eos_token_id",
                    "quantization_config",
                ] {
                    if let Some(value) = stated.remove(key) {
                        text.entry(key).or_insert(value);
                    }
                }
                stated = text;
            }
            _ => return Ok(bytes),
        },
        _ => return Ok(bytes),
    }
    for (key, value) in [
        ("num_attention_heads", json!(8)),
        ("num_key_value_heads", json!(4)),
        ("vocab_size", json!(262_208)),
        ("max_position_embeddings", json!(131_072)),
        ("rms_norm_eps", json!(1e-6)),
    ] {
        stated.entry(key).or_insert(value);
    }
    Ok(Value::Object(stated).to_string().into_bytes())
}

/// The name that a text model of its own has for the tensor `name`; `None` if it is one of images.
pub(super) fn tensor(name: &str) -> Option<String> {
    let inner = name.strip_prefix("model.").unwrap_or(name);
    if inner.starts_with("vision_tower.") || inner.starts_with("multi_modal_projector.") {
        return None;
    }
    if let Some(rest) = name.strip_prefix("model.language_model.") {
        return Some(format!("model.{rest}"));
    }
    let rest = name.strip_prefix("language_model.");
    Some(rest.unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_of_a_text_model_have_the_names_of_one_of_its_own() {
        let own = |name| tensor(name);
        let layer = Some("model.layers.0.mlp.up_proj.weight".to_owned());
        assert_eq!(own("model.layers.0.mlp.up_proj.weight"), layer);
        let older = "language_model.model.layers.0.mlp.up_proj.weight";
        assert_eq!(own(older), layer);
        let newer = "model.language_model.layers.0.mlp.up_proj.weight";
        assert_eq!(own(newer), layer);
        assert_eq!(own("language_model.lm_head.weight"), own("lm_head.weight"));
        assert_eq!(own("vision_tower.patch.weight"), None);
        assert_eq!(own("model.multi_modal_projector.weight"), None);
    }

    #[test]
    fn settings_of_a_text_model_are_completed() {
        let path = Path::new("config.json");
        let of = |stated: &Value| -> Value {
            let bytes = config(path, stated.to_string().into_bytes()).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        };
        let text = json!({ "hidden_size": 2_560, "num_attention_heads": 16 });
        let found = of(&json!({
            "model_type": "gemma3", "eos_token_id": [1, 106], "text_config": text
        }));
        assert_eq!(found["model_type"], "gemma3_text");
        assert_eq!(found["eos_token_id"], json!([1, 106]));
        assert_eq!(found["num_attention_heads"], 16);
        assert_eq!(found["vocab_size"], 262_208);
        let llama = json!({ "model_type": "llama", "text_config": {} });
        assert_eq!(of(&llama), llama);
    }
}
