//! The model types that can be imported, and what each says about its network beyond the dimensions.

use noema_checkpoint::LayerPattern;

/// The model types that can be imported, for messages.
pub(super) const SUPPORTED: &str =
    "Gemma 3, Llama 2 and 3, Mistral, Phi-3 and Phi-4-mini, Qwen 2, 2.5, 3 and 3 MoE, SmolLM2 and SmolLM3 can be imported";

/// The type of a model, by which its settings and tensors are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelType {
    /// Llama 2 and 3, SmolLM2; in GGUF files Mistral, too.
    Llama,
    Mistral,
    /// Qwen 2 and 2.5.
    Qwen2,
    Qwen3,
    /// Qwen 3 with experts.
    Qwen3Moe,
    SmolLm3,
    /// Phi-3, Phi-3.5 and Phi-4-mini.
    Phi3,
    /// The text models of Gemma 3.
    Gemma3,
}

impl ModelType {
    const ALL: [Self; 8] = [
        Self::Llama,
        Self::Mistral,
        Self::Qwen2,
        Self::Qwen3,
        Self::Qwen3Moe,
        Self::SmolLm3,
        Self::Phi3,
        Self::Gemma3,
    ];

    /// Its name in messages, and in files that do not have another.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Mistral => "mistral",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Qwen3Moe => "qwen3_moe",
            Self::SmolLm3 => "smollm3",
            Self::Phi3 => "phi3",
            Self::Gemma3 => "gemma3",
        }
    }

    /// Its name as `model_type` in `config.json`.
    const fn name_in_folder(self) -> &'static str {
        match self {
            Self::Gemma3 => "gemma3_text",
            other => other.name(),
        }
    }

    /// Its name in GGUF files.
    pub(super) const fn name_in_gguf(self) -> &'static str {
        match self {
            Self::Mistral => Self::Llama.name(),
            Self::Qwen3Moe => "qwen3moe",
            other => other.name(),
        }
    }

    /// The type that `config.json` calls so.
    pub(super) fn of_folder(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name_in_folder() == name)
    }

    /// The type that a GGUF file calls so.
    pub(super) fn of_gguf(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name_in_gguf() == name)
    }

    /// What to do with a model of another type.
    pub(super) fn hint(name: &str) -> &'static str {
        match name {
            "gemma" | "gemma2" => {
                "Gemma 3 can be imported; Gemma 1 has no norms of heads, and Gemma 2 caps scores and logits softly, \
                 for which there is no operator"
            }
            "gemma3" => {
                "its config.json has no text_config: import a GGUF file of it, which has its text model alone, or save \
                 the text model as Gemma3ForCausalLM"
            }
            _ => SUPPORTED,
        }
    }

    /// Whether queries, keys and values always have biases.
    pub(super) const fn has_biases(self) -> bool {
        matches!(self, Self::Qwen2)
    }

    /// Whether the heads of queries and keys are normed.
    pub(super) const fn has_head_norms(self) -> bool {
        matches!(self, Self::Qwen3 | Self::Qwen3Moe | Self::Gemma3)
    }

    /// Whether layers have experts.
    pub(super) const fn has_experts(self) -> bool {
        matches!(self, Self::Qwen3Moe)
    }

    /// Whether what sublayers add is normed, the feed-forward layer is gated by GELU, the embedding is scaled, and layers
    /// with a window have a rotation of their own.
    pub(super) const fn is_gemma(self) -> bool {
        matches!(self, Self::Gemma3)
    }

    /// Whether the projections to queries, keys and values are one matrix, and the gate and up projections another.
    pub(super) const fn has_fused_matrices(self) -> bool {
        matches!(self, Self::Phi3)
    }

    /// Whether a model may rotate only the first elements of each head.
    pub(super) const fn may_rotate_parts(self) -> bool {
        matches!(self, Self::Phi3)
    }

    /// The base of the rotation, if `config.json` does not state it.
    pub(super) const fn rope_base(self) -> f64 {
        match self {
            Self::SmolLm3 => 2_000_000.0,
            Self::Gemma3 => 1_000_000.0,
            _ => 10_000.0,
        }
    }

    /// Whether GGUF files have the two rows of queries and keys next to each other that are rotated together.
    pub(super) const fn is_interleaved_in_gguf(self) -> bool {
        matches!(self, Self::Llama | Self::Mistral | Self::SmolLm3)
    }
}

/// What to do with a model that caps scores or logits.
pub(super) const NO_SOFT_CAP: &str =
    "there is no operator for soft caps of scores and logits; the text models of Gemma 3 have none";

/// SmolLM3 does not rotate the last of each group of so many layers, unless `config.json` says otherwise.
pub(super) const UNROTATED_INTERVAL: u32 = 4;

/// All but the last of each group of so many layers of Gemma 3 have a window, unless the model says otherwise.
pub(super) const WINDOWED_GROUP: u32 = 6;

/// The base of the rotation in Gemma's layers with a window, unless the model states it.
pub(super) const WINDOWED_BASE: f64 = 10_000.0;

/// The pattern of the layers that are selected, if any are.
///
/// # Errors
/// When no pattern selects exactly these.
pub(super) fn pattern(selected: &[bool]) -> Result<Option<LayerPattern>, NoPattern> {
    let position = |wanted: bool| selected.iter().position(|one| *one == wanted);
    let Some(first) = position(true) else {
        return Ok(None);
    };
    let group = |last: usize| last as u32 + 1;
    // Groups have at least two layers.
    let candidates = [
        (first > 0).then(|| LayerPattern::Every(group(first))),
        Some(LayerPattern::From(first as u32)),
        position(false).map(|last| LayerPattern::ExceptEvery(group(last))),
    ];
    let fits = |pattern: &LayerPattern| {
        let mut layers = (0..).zip(selected);
        layers.all(|(layer, one)| pattern.contains(layer) == *one)
    };
    let found = candidates.into_iter().flatten().find(fits);
    found.map(Some).ok_or(NoPattern)
}

/// No pattern of layers fits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoPattern;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_of_layers_has_its_pattern() {
        let of = |selected: &str| {
            let selected: Vec<bool> = selected.bytes().map(|byte| byte == b'x').collect();
            pattern(&selected)
        };
        assert_eq!(of("...."), Ok(None));
        assert_eq!(of("xxxx"), Ok(Some(LayerPattern::ALL)));
        assert_eq!(of("..xx"), Ok(Some(LayerPattern::From(2))));
        assert_eq!(of("...x"), Ok(Some(LayerPattern::Every(4))));
        assert_eq!(of("...x...x."), Ok(Some(LayerPattern::Every(4))));
        assert_eq!(of("xxxxx.xxxxx.xx"), Ok(Some(LayerPattern::ExceptEvery(6))));
        assert_eq!(of("x.x."), Ok(Some(LayerPattern::ExceptEvery(2))));
        assert_eq!(of("x..x"), Err(NoPattern));
    }
}
