//! `config.json` and the other settings of a Hugging Face model.

use super::super::{
    files::parse_json,
    model::epsilon_q32,
    model_type::{pattern, ModelType, NO_SOFT_CAP, UNROTATED_INTERVAL, WINDOWED_GROUP},
    tokenizer::{Added, ModelSettings},
    ImportError,
};
use noema_checkpoint::{
    Architecture, AttentionWindow, ExpertMixture, LayerPattern, ManifestError, Variant,
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// One token id or a list of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum TokenIds {
    #[default]
    None,
    One(u32),
    Many(Vec<u32>),
}

impl TokenIds {
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let ids: &[u32] = match self {
            Self::None => &[],
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        };
        ids.iter().copied()
    }
}

/// The fields of `config.json` that are read, except those about the rotation.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    #[serde(deserialize_with = "model_type")]
    pub(super) model_type: ModelType,
    #[serde(default, rename = "_name_or_path")]
    name_or_path: Option<String>,
    #[serde(default)]
    pub(super) bos_token_id: TokenIds,
    #[serde(default)]
    pub(super) eos_token_id: TokenIds,
    hidden_size: u32,
    intermediate_size: u32,
    num_hidden_layers: u32,
    num_attention_heads: u32,
    num_key_value_heads: Option<u32>,
    head_dim: Option<u32>,
    vocab_size: u32,
    max_position_embeddings: u32,
    rms_norm_eps: f64,
    #[serde(default)]
    rope_interleaved: bool,
    tie_word_embeddings: Option<bool>,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    hidden_act: Option<String>,
    /// The name of `hidden_act` in Gemma's files.
    hidden_activation: Option<String>,
    query_pre_attn_scalar: Option<f64>,
    attn_logit_softcapping: Option<f64>,
    final_logit_softcapping: Option<f64>,
    use_bidirectional_attention: Option<bool>,
    /// Gemma's layers without a window are the last of each group of so many.
    sliding_window_pattern: Option<u32>,
    /// The name in files that Transformers saved again, which have the layers' types beside it.
    #[serde(rename = "_sliding_window_pattern")]
    saved_window_pattern: Option<u32>,
    /// None if it is not stated; null if there is no window.
    #[serde(default, deserialize_with = "stated")]
    sliding_window: Option<Option<u32>>,
    #[serde(default)]
    use_sliding_window: bool,
    max_window_layers: Option<u32>,
    layer_types: Option<Vec<String>>,
    /// 1 for each layer that rotates, 0 for the others.
    no_rope_layers: Option<Vec<u32>>,
    no_rope_layer_interval: Option<u32>,
    quantization_config: Option<Value>,
    num_experts: Option<u32>,
    num_experts_per_tok: Option<u32>,
    moe_intermediate_size: Option<u32>,
    #[serde(default)]
    norm_topk_prob: bool,
    decoder_sparse_step: Option<u32>,
    /// The layers without experts.
    #[serde(default, deserialize_with = "list")]
    mlp_only_layers: Vec<u32>,
}

/// The numbers of experts of Qwen 3 MoE that are not stated.
const USUAL_EXPERTS: u32 = 128;
const USUAL_CHOSEN_EXPERTS: u32 = 8;
const USUAL_EXPERT_WIDTH: u32 = 768;

/// The window of Mistral and of Qwen if they have one and do not state it.
const USUAL_WINDOW: u32 = 4_096;
/// The first layer of Qwen that has a window, if it is not stated.
const USUAL_WINDOW_LAYERS: u32 = 28;

/// A value that may be null.
fn stated<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A list that may be null.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn model_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ModelType, D::Error> {
    let name = String::deserialize(deserializer)?;
    ModelType::of_folder(&name).ok_or_else(|| serde::de::Error::custom("another model type"))
}

/// The field of `config.json` that every architecture has.
#[derive(Debug, Deserialize)]
struct AnyConfig {
    #[serde(default)]
    model_type: String,
}

impl Config {
    /// Reads `config.json`.
    pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Self, ImportError> {
        // Another architecture is named before one of Llama's fields is missed.
        let AnyConfig { model_type } = parse_json(path, bytes)?;
        if ModelType::of_folder(&model_type).is_none() {
            let what = format!("the model type {model_type:?}");
            return Err(ImportError::unsupported(
                path,
                what,
                ModelType::hint(&model_type),
            ));
        }
        parse_json(path, bytes)
    }

    /// The name that the model was published under; `None` if only the folder that it was saved from is stated.
    pub(super) fn name(&self) -> Option<&str> {
        let name = self.name_or_path.as_deref()?;
        let is_path = name.starts_with(['/', '.', '~']) || name.contains('\\');
        (!is_path && !name.is_empty()).then_some(name)
    }

    pub(super) fn architecture(&self, path: &Path) -> Result<Architecture, ImportError> {
        let strange = [
            (
                self.attention_bias,
                "biases of the output of attention (attention_bias)",
            ),
            (self.mlp_bias, "biases of the feed-forward layer (mlp_bias)"),
            (self.rope_interleaved, "interleaved rotary pairs"),
            (
                self.model_type.has_experts() && self.use_sliding_window,
                "a sliding window beside experts (use_sliding_window)",
            ),
            (
                self.quantization_config.is_some(),
                "weights that are already quantised",
            ),
            (
                self.has_other_activation(),
                "an activation other than that of its type, SiLU or gelu_pytorch_tanh",
            ),
            (
                self.use_bidirectional_attention == Some(true),
                "attention to later positions",
            ),
        ];
        if let Some((_, what)) = strange.into_iter().find(|(found, _)| *found) {
            return Err(ImportError::unsupported(
                path,
                what,
                "a model with none of this, of the same type, can be imported",
            ));
        }
        let caps = [
            (self.attn_logit_softcapping, "attn_logit_softcapping"),
            (self.final_logit_softcapping, "final_logit_softcapping"),
        ];
        if let Some((_, key)) = caps.into_iter().find(|(cap, _)| cap.is_some()) {
            return Err(ImportError::unsupported(path, key, NO_SOFT_CAP));
        }
        let head_dim = self.head_dim.unwrap_or_else(|| match self.model_type {
            ModelType::Qwen3 => 128,
            ModelType::Gemma3 => 256,
            _ => {
                let heads = self.num_attention_heads;
                self.hidden_size.checked_div(heads).unwrap_or(0)
            }
        });
        let ties = matches!(self.model_type, ModelType::SmolLm3 | ModelType::Gemma3);
        let experts = self.experts(path)?;
        let epsilon = self.rms_norm_eps;
        let architecture = Architecture {
            layers: self.num_hidden_layers,
            hidden: self.hidden_size,
            heads: self.num_attention_heads,
            kv_heads: self.num_key_value_heads.unwrap_or(self.num_attention_heads),
            head_dim,
            feed_forward: match experts {
                Some(experts) if experts.layers == LayerPattern::ALL => experts.width,
                _ => self.intermediate_size,
            },
            vocabulary: self.vocab_size,
            context_length: self.max_position_embeddings.min(Architecture::MAX_CONTEXT),
            norm_epsilon_q32: epsilon_q32(epsilon).ok_or_else(|| {
                let problem = format!("which is {epsilon} and not between 0 and 1");
                ImportError::value(path, "rms_norm_eps", problem)
            })?,
            tied_head: self.tie_word_embeddings.unwrap_or(ties),
            variant: Variant::LLAMA,
        };
        let validate = |architecture: &Architecture| {
            architecture.validate().map_err(ManifestError::Architecture)
        };
        validate(&architecture)?;
        let architecture = Architecture {
            variant: self.variant(path, experts)?,
            ..architecture
        };
        validate(&architecture)?;
        Ok(architecture)
    }

    /// Whether the feed-forward layer has another activation than models of its type.
    fn has_other_activation(&self) -> bool {
        let usual = match self.model_type {
            ModelType::Gemma3 => "gelu_pytorch_tanh",
            _ => "silu",
        };
        let stated = [&self.hidden_act, &self.hidden_activation].into_iter();
        let mut stated = stated.flatten();
        stated.any(|activation| activation != usual)
    }

    /// What scores are divided by the root of, if that is not the width of a head.
    pub(super) fn score_divisor(&self, path: &Path) -> Result<Option<f64>, ImportError> {
        const USUAL: f64 = 256.0;
        if self.model_type != ModelType::Gemma3 {
            return Ok(None);
        }
        match self.query_pre_attn_scalar.unwrap_or(USUAL) {
            divisor if divisor.is_finite() && divisor > 0.0 => Ok(Some(divisor)),
            divisor => {
                let problem = format!("which is {divisor} and not a positive number");
                Err(ImportError::value(path, "query_pre_attn_scalar", problem))
            }
        }
    }

    /// What distinguishes the network from that of Llama 2. The number of layers has been validated.
    fn variant(&self, path: &Path, experts: Option<ExpertMixture>) -> Result<Variant, ImportError> {
        let rotates = self.rotates(path)?;
        let unrotated: Vec<bool> = rotates.iter().map(|rotates| !rotates).collect();
        Ok(Variant {
            projection_biases: self.model_type.has_biases(),
            head_norms: self.model_type.has_head_norms(),
            unrotated: self.pattern(path, "no_rope_layers", &unrotated)?,
            window: self.window(path, &rotates)?,
            post_norms: self.model_type.is_gemma(),
            gelu: self.model_type.is_gemma(),
            scaled_embedding: self.model_type.is_gemma(),
            // The rotations are read separately.
            windowed_rope: false,
            experts,
        })
    }

    /// The experts, and the layers that have them, if any do.
    fn experts(&self, path: &Path) -> Result<Option<ExpertMixture>, ImportError> {
        let layers = self.num_hidden_layers;
        if !self.model_type.has_experts() || layers > Architecture::MAX_LAYERS {
            return Ok(None);
        }
        let step = self.decoder_sparse_step.unwrap_or(1);
        if step == 0 {
            let problem = "which is not a positive number";
            return Err(ImportError::value(path, "decoder_sparse_step", problem));
        }
        let is_sparse =
            |layer: u32| !self.mlp_only_layers.contains(&layer) && (layer + 1).is_multiple_of(step);
        let sparse: Vec<bool> = (0..layers).map(is_sparse).collect();
        let layers = self.pattern(path, "decoder_sparse_step and mlp_only_layers", &sparse)?;
        Ok(layers.map(|layers| ExpertMixture {
            count: self.num_experts.unwrap_or(USUAL_EXPERTS),
            chosen: self.num_experts_per_tok.unwrap_or(USUAL_CHOSEN_EXPERTS),
            width: self.moe_intermediate_size.unwrap_or(USUAL_EXPERT_WIDTH),
            renormalised: self.norm_topk_prob,
            layers,
        }))
    }

    /// Whether each layer rotates.
    fn rotates(&self, path: &Path) -> Result<Vec<bool>, ImportError> {
        if self.model_type != ModelType::SmolLm3 {
            return Ok(vec![true; self.num_hidden_layers as usize]);
        }
        if let Some(layers) = &self.no_rope_layers {
            self.one_per_layer(path, "no_rope_layers", layers.len())?;
            return Ok(layers.iter().map(|rotates| *rotates != 0).collect());
        }
        let interval = self.no_rope_layer_interval.unwrap_or(UNROTATED_INTERVAL);
        if interval == 0 {
            let problem = "which is not a positive number";
            return Err(ImportError::value(path, "no_rope_layer_interval", problem));
        }
        let unrotated = LayerPattern::Every(interval);
        let layers = 0..self.num_hidden_layers;
        Ok(layers.map(|layer| !unrotated.contains(layer)).collect())
    }

    /// The window of attention, and the layers that have it; `rotates` says which rotate.
    fn window(
        &self,
        path: &Path,
        rotates: &[bool],
    ) -> Result<Option<AttentionWindow>, ImportError> {
        let usual = self.sliding_window.unwrap_or(Some(USUAL_WINDOW));
        let positions = match self.model_type {
            ModelType::Mistral | ModelType::Gemma3 => usual,
            ModelType::Qwen2 | ModelType::Qwen3 if self.use_sliding_window => usual,
            ModelType::SmolLm3 if self.use_sliding_window => self.sliding_window.flatten(),
            ModelType::Phi3 => self.sliding_window.flatten(),
            _ => None,
        };
        let layers: Vec<bool> = match (&self.layer_types, self.model_type) {
            (Some(types), _) => self.windowed(path, types)?,
            _ if positions.is_none() => return Ok(None),
            (None, ModelType::SmolLm3) => rotates.iter().map(|rotates| !rotates).collect(),
            (None, ModelType::Qwen2 | ModelType::Qwen3) => {
                let first = self.max_window_layers.unwrap_or(USUAL_WINDOW_LAYERS);
                let layers = 0..self.num_hidden_layers;
                layers.map(|layer| layer >= first).collect()
            }
            (None, ModelType::Gemma3) => {
                let stated = self.sliding_window_pattern.or(self.saved_window_pattern);
                let group = stated.unwrap_or(WINDOWED_GROUP);
                let windowed = LayerPattern::ExceptEvery(group);
                let layers = 0..self.num_hidden_layers;
                layers.map(|layer| windowed.contains(layer)).collect()
            }
            (None, _) => vec![true; rotates.len()],
        };
        let layers = self.pattern(path, "layer_types", &layers)?;
        match (positions, layers) {
            (_, None) => Ok(None),
            (Some(positions), Some(layers)) => Ok(Some(AttentionWindow { positions, layers })),
            (None, Some(_)) => Err(ImportError::value(
                path,
                "layer_types",
                "with \"sliding_attention\", but no sliding_window that is used",
            )),
        }
    }

    /// Whether each layer has a window, by its type.
    fn windowed(&self, path: &Path, types: &[String]) -> Result<Vec<bool>, ImportError> {
        self.one_per_layer(path, "layer_types", types.len())?;
        let is_windowed = |kind: &String| match kind.as_str() {
            "full_attention" => Ok(false),
            "sliding_attention" => Ok(true),
            other => Err(ImportError::unsupported(
                path,
                format!("layers of the type {other:?}"),
                "those of full_attention and sliding_attention are",
            )),
        };
        types.iter().map(is_windowed).collect()
    }

    /// Refuses a list of another length than the number of layers.
    fn one_per_layer(&self, path: &Path, key: &str, length: usize) -> Result<(), ImportError> {
        let layers = self.num_hidden_layers;
        match length == layers as usize {
            true => Ok(()),
            false => {
                let problem = format!("with {length} entries for {layers} layers");
                Err(ImportError::value(path, key, problem))
            }
        }
    }

    /// The pattern of the selected layers.
    fn pattern(
        &self,
        path: &Path,
        key: &str,
        selected: &[bool],
    ) -> Result<Option<LayerPattern>, ImportError> {
        pattern(selected).map_err(|_| {
            let what = format!("{key} without a pattern");
            let hint = "the layers from one on, every so many layers, and all but those are";
            ImportError::unsupported(path, what, hint)
        })
    }
}

/// The fields of `generation_config.json` that are read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct GenerationConfig {
    #[serde(default)]
    pub(super) eos_token_id: TokenIds,
}

/// The fields of `tokenizer_config.json` that are read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TokenizerConfig {
    #[serde(default)]
    bos_token: Value,
    #[serde(default)]
    eos_token: Value,
    #[serde(default)]
    chat_template: Value,
    #[serde(default)]
    add_bos_token: Value,
    #[serde(default)]
    add_eos_token: Value,
    #[serde(default)]
    add_prefix_space: Value,
    #[serde(default)]
    legacy: Value,
    #[serde(default)]
    added_tokens_decoder: Value,
}

impl TokenizerConfig {
    pub(super) fn bos(&self) -> Option<&str> {
        content(&self.bos_token)
    }

    pub(super) fn eos(&self) -> Option<&str> {
        content(&self.eos_token)
    }

    /// What is said about a `tokenizer.model`, together with `added`, the ids in `added_tokens.json`. A token
    /// of both is as this file says.
    pub(super) fn model_settings(
        &self,
        added: BTreeMap<String, u32>,
        path: &Path,
    ) -> Result<ModelSettings, ImportError> {
        let mut tokens: BTreeMap<u32, Added> = added
            .into_iter()
            .map(|(content, id)| {
                let is_special = false;
                (
                    id,
                    Added {
                        id,
                        content,
                        is_special,
                    },
                )
            })
            .collect();
        for (id, token) in self.added_tokens_decoder.as_object().into_iter().flatten() {
            let (Ok(id), Some(content)) = (id.parse::<u32>(), content(token)) else {
                continue;
            };
            let is_set = |name: &str| token.get(name).and_then(Value::as_bool) == Some(true);
            if ["lstrip", "rstrip", "single_word"].into_iter().any(is_set) {
                return Err(ImportError::unsupported(
                    path,
                    format!("the added token {content:?}, which takes the spaces next to it"),
                    "save the tokenizer as tokenizer.json, with `use_fast=True` in Transformers",
                ));
            }
            let added = Added {
                id,
                content: content.to_owned(),
                is_special: is_set("special"),
            };
            tokens.insert(id, added);
        }
        Ok(ModelSettings {
            bos: self.bos().map(str::to_owned),
            eos: self.eos().map(str::to_owned),
            adds_bos: self.add_bos_token.as_bool(),
            adds_eos: self.add_eos_token.as_bool(),
            adds_space: self.add_prefix_space.as_bool(),
            is_legacy: self.legacy.as_bool() != Some(false),
            added: tokens.into_values().collect(),
        })
    }

    /// The template, the one named "default" if there are several; empty if there is none.
    pub(super) fn chat_template(&self) -> String {
        let template = match &self.chat_template {
            Value::Array(templates) => templates
                .iter()
                .find(|template| template.get("name").and_then(Value::as_str) == Some("default"))
                .and_then(|template| template.get("template")),
            template => Some(template),
        };
        template
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }
}

/// The text of a token, which is written as a string or as an object with settings.
fn content(token: &Value) -> Option<&str> {
    token
        .as_str()
        .or_else(|| token.get("content").and_then(Value::as_str))
}
