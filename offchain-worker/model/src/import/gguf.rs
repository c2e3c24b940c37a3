//! GGUF files.
//!
//! [`header`] reads what is before the tensors' data, [`metadata`] gives typed access to its values, [`rope`] reads the
//! rotation, [`tensors`] checks the tensors and reads their rows, and [`types`] decodes the blocks of a row, most of them
//! with `candle-core`.

mod header;
mod metadata;
mod rope;
mod tensors;
mod types;

use super::{
    files::Mapped,
    gains::GainChanges,
    model::{epsilon_q32, Model, Weights, END_OF_TURN},
    model_type::{pattern, ModelType, NO_SOFT_CAP, UNROTATED_INTERVAL, WINDOWED_GROUP},
    rope::Ropes,
    tokenizer::{self, Around, Pieces, Prefix, Vocabulary},
    ImportError, ImportProgress, ImportStage, UNNAMED,
};
use header::Header;
use metadata::Metadata;
use noema_checkpoint::{
    layout::TensorRole, Architecture, AttentionWindow, ExpertMixture, LayerPattern, ManifestError,
    Source, SourceFormat, Variant, H256,
};
use std::{ops::Range, path::Path};

/// The number of softmax among the functions that llama.cpp knows for the scores of experts.
const SOFTMAX: u32 = 1;

/// A GGUF file that has a model of a known shape.
pub(super) struct File {
    contents: Contents,
    /// With the context length that the model was trained for.
    architecture: Architecture,
    ropes: Ropes,
    gains: GainChanges,
    hash: H256,
}

/// A GGUF file whose header has been read.
struct Contents {
    mapped: Mapped,
    header: Header,
    model_type: ModelType,
}

impl File {
    pub(super) fn open(path: &Path, progress: &dyn ImportProgress) -> Result<Self, ImportError> {
        let mapped = Mapped::open(path)?;
        let header = Header::read(&mapped)?;
        let model_type = model_type(&mapped.path, &header)?;
        let contents = Contents {
            mapped,
            header,
            model_type,
        };
        // Refuse a file that cannot be imported before its gigabytes are hashed.
        let mut architecture = contents.architecture()?;
        let usual = rope::rope(&contents, architecture.head_dim)?;
        let windowed = rope::windowed(&contents, architecture.head_dim)?;
        let ropes = Ropes::of(usual, windowed, &mut architecture);
        let gains = GainChanges::new(&architecture, contents.score_divisor(&architecture), false);
        progress.begin(ImportStage::Hash, contents.mapped.bytes().len() as u64);
        let hash = contents.mapped.hash(progress);
        Ok(Self {
            contents,
            architecture,
            ropes,
            gains,
            hash,
        })
    }
}

fn model_type(path: &Path, header: &Header) -> Result<ModelType, ImportError> {
    let values = &header.metadata;
    let name = Metadata { path, values }.text("general.architecture")?;
    ModelType::of_gguf(name).ok_or_else(|| {
        let what = format!("the architecture {name:?}");
        ImportError::unsupported(path, what, ModelType::hint(name))
    })
}

impl Contents {
    fn metadata(&self) -> Metadata<'_> {
        Metadata {
            path: &self.mapped.path,
            values: &self.header.metadata,
        }
    }

    /// The name of a metadata value of the architecture.
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.model_type.name_in_gguf())
    }

    /// What scores are divided by the root of, if that is not the width of a head: files do not say so, but llama.cpp
    /// knows the largest model by its layers.
    fn score_divisor(&self, architecture: &Architecture) -> Option<f64> {
        const LARGEST: u32 = 62;
        let is_largest = self.model_type.is_gemma() && architecture.layers == LARGEST;
        is_largest.then(|| f64::from(architecture.hidden / architecture.heads))
    }

    /// What distinguishes the network of so many layers from that of Llama 2.
    fn variant(&self, layers: u32) -> Result<Variant, ImportError> {
        let (metadata, path) = (self.metadata(), &self.mapped.path);
        let windowed = match metadata.optional_u32(&self.key("attention.sliding_window"))? {
            None | Some(0) => None,
            Some(positions) => Some(positions),
        };
        let pattern_key = self.key("attention.sliding_window_pattern");
        let is_simple = matches!(self.model_type, ModelType::Llama | ModelType::Phi3)
            && !self.header.metadata.contains_key(&pattern_key);
        let is_gemma = self.model_type.is_gemma();
        if windowed.is_some() && !is_simple && !is_gemma {
            return Err(ImportError::unsupported(
                path,
                "a sliding window in some layers of a GGUF file",
                "import the model's Hugging Face folder, which names the layers",
            ));
        }
        let unrotated = match self.model_type {
            ModelType::SmolLm3 => {
                let layer = |layer: u32| LayerPattern::Every(UNROTATED_INTERVAL).contains(layer);
                let selected: Vec<bool> = (0..layers).map(layer).collect();
                pattern(&selected).ok().flatten()
            }
            _ => None,
        };
        let layers = match is_gemma {
            true => {
                let stated = metadata.optional_u32(&pattern_key)?;
                let group = LayerPattern::ExceptEvery(stated.unwrap_or(WINDOWED_GROUP));
                let selected: Vec<bool> = (0..layers).map(|layer| group.contains(layer)).collect();
                pattern(&selected).ok().flatten()
            }
            false => Some(LayerPattern::ALL),
        };
        Ok(Variant {
            projection_biases: self.model_type.has_biases()
                || !self.model_type.has_fused_matrices() && tensors::has_biases(self),
            head_norms: self.model_type.has_head_norms(),
            experts: self.experts()?,
            unrotated,
            window: windowed
                .zip(layers)
                .map(|(positions, layers)| AttentionWindow { positions, layers }),
            post_norms: is_gemma,
            gelu: is_gemma,
            scaled_embedding: is_gemma,
            windowed_rope: false,
        })
    }

    /// The experts, which all layers of a type that has them have: llama.cpp reads no other files.
    fn experts(&self) -> Result<Option<ExpertMixture>, ImportError> {
        let (metadata, path) = (self.metadata(), &self.mapped.path);
        let stated = |name: &str| metadata.optional_u32(&self.key(name));
        if !self.model_type.has_experts() {
            return match stated("expert_count")? {
                None | Some(0) => Ok(None),
                Some(_) => Err(ImportError::unsupported(
                    path,
                    format!(
                        "a mixture of experts of the architecture {:?}",
                        self.model_type.name_in_gguf()
                    ),
                    "that of Qwen 3 MoE is",
                )),
            };
        }
        if stated("expert_gating_func")?.is_some_and(|function| function != SOFTMAX) {
            return Err(ImportError::unsupported(
                path,
                format!("another {}", self.key("expert_gating_func")),
                "the softmax of the experts' scores is",
            ));
        }
        let chosen = metadata.u32(&self.key("expert_used_count"))?;
        let width = match stated("expert_feed_forward_length")? {
            Some(width) => width,
            // As llama.cpp divides it.
            None => metadata
                .u32(&self.key("feed_forward_length"))?
                .checked_div(chosen)
                .unwrap_or(0),
        };
        Ok(Some(ExpertMixture {
            count: metadata.u32(&self.key("expert_count"))?,
            chosen,
            width,
            renormalised: true,
            layers: LayerPattern::ALL,
        }))
    }

    /// The shape, with the context length the model was trained for.
    fn architecture(&self) -> Result<Architecture, ImportError> {
        let metadata = self.metadata();
        let path = &self.mapped.path;
        if metadata.optional_u32("split.count")?.unwrap_or(1) > 1 {
            return Err(ImportError::unsupported(
                path,
                "a model split over several files",
                "join the parts with llama.cpp's gguf-split first",
            ));
        }
        for name in ["attn_logit_softcapping", "final_logit_softcapping"] {
            let key = self.key(name);
            if metadata.optional_f64(&key)?.unwrap_or(0.0) != 0.0 {
                return Err(ImportError::unsupported(path, key, NO_SOFT_CAP));
            }
        }
        let hidden = metadata.u32(&self.key("embedding_length"))?;
        let heads = metadata.u32(&self.key("attention.head_count"))?;
        let head_dim = match metadata.optional_u32(&self.key("attention.key_length"))? {
            Some(length) => length,
            None => hidden.checked_div(heads).unwrap_or(0),
        };
        let mut widths = vec!["attention.value_length"];
        if !self.model_type.may_rotate_parts() {
            widths.push("rope.dimension_count");
        }
        for name in widths {
            let key = self.key(name);
            let length = metadata.optional_u32(&key)?.unwrap_or(head_dim);
            if length != head_dim {
                return Err(ImportError::unsupported(
                    path,
                    format!("{key} {length} with heads of width {head_dim}"),
                    "both must be equal",
                ));
            }
        }
        let epsilon = metadata.f64(&self.key("attention.layer_norm_rms_epsilon"))?;
        let architecture = Architecture {
            layers: metadata.u32(&self.key("block_count"))?,
            hidden,
            heads,
            kv_heads: metadata
                .optional_u32(&self.key("attention.head_count_kv"))?
                .unwrap_or(heads),
            head_dim,
            feed_forward: match self.experts()? {
                Some(experts) => experts.width,
                None => metadata.u32(&self.key("feed_forward_length"))?,
            },
            vocabulary: tensors::vocabulary(self)?,
            context_length: metadata
                .u32(&self.key("context_length"))?
                .min(Architecture::MAX_CONTEXT),
            norm_epsilon_q32: epsilon_q32(epsilon).ok_or_else(|| {
                ImportError::value(
                    path,
                    self.key("attention.layer_norm_rms_epsilon"),
                    format!("which is {epsilon} and not between 0 and 1"),
                )
            })?,
            tied_head: !self.header.tensors.contains_key("output.weight"),
            variant: Variant::LLAMA,
        };
        architecture
            .validate()
            .map_err(ManifestError::Architecture)?;
        let architecture = Architecture {
            variant: self.variant(architecture.layers)?,
            ..architecture
        };
        tensors::check(self, &architecture)?;
        Ok(architecture)
    }

    fn vocabulary(&self, count: u32) -> Result<Vocabulary, ImportError> {
        let metadata = self.metadata();
        let path = &self.mapped.path;
        let model = match metadata.text("tokenizer.ggml.model")? {
            "gpt2" => Pieces::ByteLevel {
                rules: metadata
                    .optional_text("tokenizer.ggml.pre")?
                    .unwrap_or("default")
                    .into(),
                merges: metadata.texts("tokenizer.ggml.merges")?,
            },
            "llama" => Pieces::SentencePiece {
                scores: metadata.floats("tokenizer.ggml.scores")?,
                prefix: match metadata.optional_bool("tokenizer.ggml.add_space_prefix")? {
                    Some(false) => Prefix::None,
                    _ => Prefix::EachPart,
                },
            },
            kind => return Err(ImportError::unsupported(
                path,
                format!("the tokenizer model {kind:?}"),
                "GGUF files with byte-level BPE (\"gpt2\") and with SentencePiece (\"llama\") can \
                     be imported; for others import the model's Hugging Face folder, which carries \
                     its tokenizer",
            )),
        };
        let tokens = metadata.texts("tokenizer.ggml.tokens")?;
        if tokens.len() != count as usize {
            return Err(ImportError::tokenizer(
                path,
                format!("it has {} tokens, but the model {count}", tokens.len()),
            ));
        }
        // What llama.cpp takes for them where a file with SentencePiece does not say.
        let usual = |id| {
            let exists = matches!(model, Pieces::SentencePiece { .. }) && id < count;
            exists.then_some(id)
        };
        let around = |name: &str, usual: Option<u32>| {
            let token = metadata.optional_u32(&format!("tokenizer.ggml.{name}_token_id"))?;
            Ok::<_, ImportError>(Around {
                token: token.or(usual),
                is_added: metadata.optional_bool(&format!("tokenizer.ggml.add_{name}_token"))?,
            })
        };
        Ok(Vocabulary {
            tokens,
            kinds: metadata.integers("tokenizer.ggml.token_type")?,
            bos: around("bos", usual(1))?,
            eos: around("eos", usual(2))?,
            model,
        })
    }

    /// The name in the metadata: in one value, or in the parts of which llama.cpp composes a file's name.
    fn name(&self) -> Result<String, ImportError> {
        let metadata = self.metadata();
        let stated = |key: &str| {
            let text = metadata.optional_text(key);
            text.map(|text| text.filter(|text| !text.is_empty()))
        };
        if let Some(name) = stated("general.name")? {
            return Ok(name.into());
        }
        let Some(base) = stated("general.basename")? else {
            return Ok(UNNAMED.into());
        };
        let rest = [stated("general.size_label")?, stated("general.finetune")?];
        let parts = [Some(base)].into_iter().chain(rest).flatten();
        Ok(parts.collect::<Vec<_>>().join("-"))
    }
}

impl File {
    pub(super) fn model(&self) -> Result<Model, ImportError> {
        let metadata = self.contents.metadata();
        let path = &self.contents.mapped.path;
        let architecture = self.architecture;
        let vocabulary = self.contents.vocabulary(architecture.vocabulary)?;
        let tokenizer = tokenizer::build(path, &vocabulary)?;
        tokenizer::check(path, &tokenizer, architecture.vocabulary)?;

        let mut stops = Vec::from_iter(vocabulary.eos.token);
        for key in ["eot", "eom"] {
            stops.extend(metadata.optional_u32(&format!("tokenizer.ggml.{key}_token_id"))?);
        }
        for (id, (token, kind)) in (0..).zip(vocabulary.tokens.iter().zip(&vocabulary.kinds)) {
            if *kind == tokenizer::CONTROL && END_OF_TURN.contains(&token.as_str()) {
                stops.push(id);
            }
        }
        stops.sort_unstable();
        stops.dedup();
        Ok(Model {
            name: self.contents.name()?,
            licence: metadata
                .optional_text("general.license")?
                .unwrap_or_default()
                .into(),
            source: Source {
                format: SourceFormat::Gguf,
                hash: self.hash,
            },
            ropes: self.ropes.clone(),
            architecture,
            tokenizer,
            chat_template: metadata
                .optional_text("tokenizer.chat_template")?
                .unwrap_or_default()
                .into(),
            bos: vocabulary.bos.token,
            eos: vocabulary.eos.token,
            stops,
        })
    }
}

impl Weights for File {
    fn path(&self) -> &Path {
        &self.contents.mapped.path
    }

    fn read(
        &self,
        role: TensorRole,
        layer: Option<u32>,
        rows: Range<usize>,
        columns: usize,
        out: &mut [f32],
    ) -> Result<(), ImportError> {
        tensors::read(self, role, layer, rows, columns, out)
    }

    fn release(&self) {
        self.contents.mapped.release();
    }

    fn locate(&self, role: TensorRole, layer: Option<u32>) -> (String, u64) {
        tensors::locate(&self.contents, role, layer)
    }
}
