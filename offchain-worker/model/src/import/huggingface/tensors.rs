//! The tensors of a folder's safetensors files.

use super::{
    super::{
        files::Mapped,
        fused::{first_row, Fused},
        model::{decode_f32, decode_u16},
        model_type::ModelType,
        ImportError,
    },
    text,
};
use half::{bf16, f16};
use noema_checkpoint::{
    layout::{tensors, TensorKind, TensorRole},
    Architecture, ManifestError,
};
use safetensors::{tensor::TensorInfo, Dtype, SafeTensorError, SafeTensors};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Range,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

const SINGLE: &str = "model.safetensors";
pub(super) const INDEX: &str = "model.safetensors.index.json";
const HEADER_LENGTH: u64 = 8;

/// [`INDEX`]: which file holds which tensor.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Index {
    #[serde(default)]
    weight_map: BTreeMap<String, String>,
}

/// One tensor: its file, and its place in the file.
struct Located {
    file: usize,
    info: TensorInfo,
    /// First byte of the tensor in its file.
    start: u64,
}

/// All safetensors files of a folder.
pub(super) struct Shards {
    folder: PathBuf,
    model_type: ModelType,
    files: Vec<Mapped>,
    tensors: BTreeMap<String, Located>,
}

/// Name of a tensor in the file, or of the one that it is a part of; the rotation table is not in the file. Of the
/// matrices of experts, `*` is the place of the expert's number.
fn name(model_type: ModelType, role: TensorRole, layer: Option<u32>) -> String {
    let own = match role {
        TensorRole::TokenEmbedding => "model.embed_tokens",
        TensorRole::AttentionNorm => "input_layernorm",
        TensorRole::Query => "self_attn.q_proj",
        TensorRole::Key => "self_attn.k_proj",
        TensorRole::Value => "self_attn.v_proj",
        TensorRole::AttentionOutput => "self_attn.o_proj",
        TensorRole::FeedForwardNorm if model_type.is_gemma() => "pre_feedforward_layernorm",
        TensorRole::FeedForwardNorm => "post_attention_layernorm",
        TensorRole::Gate => "mlp.gate_proj",
        TensorRole::Up => "mlp.up_proj",
        TensorRole::Down => "mlp.down_proj",
        TensorRole::FinalNorm => "model.norm",
        TensorRole::OutputHead => "lm_head",
        TensorRole::QueryBias => "self_attn.q_proj",
        TensorRole::KeyBias => "self_attn.k_proj",
        TensorRole::ValueBias => "self_attn.v_proj",
        TensorRole::QueryNorm => "self_attn.q_norm",
        TensorRole::KeyNorm => "self_attn.k_norm",
        TensorRole::AttentionPostNorm => "post_attention_layernorm",
        TensorRole::FeedForwardPostNorm => "post_feedforward_layernorm",
        TensorRole::Router => "mlp.gate",
        TensorRole::ExpertGates => "mlp.experts.*.gate_proj",
        TensorRole::ExpertUps => "mlp.experts.*.up_proj",
        TensorRole::ExpertDowns => "mlp.experts.*.down_proj",
        other => other.name(),
    };
    let part = match Fused::of(model_type, role) {
        Some(Fused::Projections) => "self_attn.qkv_proj",
        Some(Fused::Gated) => "mlp.gate_up_proj",
        None => own,
    };
    let end = if role.is_bias() { "bias" } else { "weight" };
    match layer {
        Some(layer) => format!("model.layers.{layer}.{part}.{end}"),
        None => format!("{part}.{end}"),
    }
}

/// The name of an expert's matrix, by that of all of them.
fn of_expert(name: &str, expert: usize) -> String {
    name.replace('*', &expert.to_string())
}

impl Shards {
    pub(super) fn open(
        folder: &Path,
        model_type: ModelType,
        index: &Index,
    ) -> Result<Self, ImportError> {
        let files = index.weight_map.values().map(String::as_str);
        let mut names: BTreeSet<&str> = files.collect();
        if names.is_empty() {
            names.insert(SINGLE);
        }
        let mut shards = Self {
            folder: folder.into(),
            model_type,
            files: Vec::new(),
            tensors: BTreeMap::new(),
        };
        for name in names {
            // A name from the index must not lead out of the folder.
            if Path::new(name).file_name().is_none_or(|file| file != name) {
                return Err(ImportError::value(
                    &folder.join(INDEX),
                    "weight_map",
                    format!("with the file name {name:?}, which is not a plain name"),
                ));
            }
            let path = folder.join(name);
            if !path.exists() {
                return Err(absent(folder, name, index));
            }
            shards.add(Mapped::open(&path)?, name, index)?;
        }
        for (tensor, file) in &index.weight_map {
            let own = shards.own_name(tensor);
            if own.is_some_and(|name| !shards.tensors.contains_key(&name)) {
                let what = format!("the tensor {tensor}, which {INDEX} expects there");
                return Err(ImportError::missing(&folder.join(file), what));
            }
        }
        Ok(shards)
    }

    /// Adds the tensors of the file `name`, except those that the index has in another file.
    fn add(&mut self, mapped: Mapped, name: &str, index: &Index) -> Result<(), ImportError> {
        let bytes = mapped.bytes();
        // The library panics on sizes whose sum overflows if overflow checks are on.
        let read = catch_unwind(|| SafeTensors::read_metadata(bytes));
        let (header, metadata) = match read {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => return Err(refused(&mapped, &error)),
            Err(_) => return Err(malformed(&mapped, "sizes overflow")),
        };
        let data = HEADER_LENGTH + header as u64;
        for (tensor, info) in metadata.tensors() {
            let indexed = index.weight_map.get(&tensor);
            if indexed.is_some_and(|file| file != name) {
                continue;
            }
            let Some(own) = self.own_name(&tensor) else {
                continue;
            };
            let start = data.saturating_add(info.data_offsets.0 as u64);
            let length = info.data_offsets.1.saturating_sub(info.data_offsets.0);
            if mapped.slice(start, length as u64).is_none() {
                return Err(ImportError::Tensor {
                    path: mapped.path.clone(),
                    tensor,
                    offset: start,
                    problem: format!("has {length} bytes, which end after the file"),
                });
            }
            let located = Located {
                file: self.files.len(),
                info: info.clone(),
                start,
            };
            if let Some(other) = self.tensors.insert(own, located) {
                let other = self.files[other.file].path.display();
                return Err(ImportError::unusable(
                    &mapped.path,
                    format!("it has the tensor {tensor}, which {other} has, too"),
                    format!("state in {INDEX} which file the tensor is read from"),
                ));
            }
        }
        self.files.push(mapped);
        Ok(())
    }

    /// The name under which a tensor is kept; `None` if the model does not use it.
    fn own_name(&self, name: &str) -> Option<String> {
        match self.model_type.is_gemma() {
            true => text::tensor(name),
            false => Some(name.to_owned()),
        }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Mapped> {
        self.files.iter()
    }

    /// Refuses tensors that are not exactly those of the architecture.
    pub(super) fn check(&self, architecture: &Architecture) -> Result<(), ImportError> {
        if architecture.layers as usize > self.tensors.len() {
            return Err(ImportError::value(
                &self.folder.join("config.json"),
                "num_hidden_layers",
                format!(
                    "which is {}, with only {} tensors",
                    architecture.layers,
                    self.tensors.len()
                ),
            ));
        }
        let specs = tensors(architecture).map_err(ManifestError::Architecture)?;
        let experts = architecture
            .variant
            .experts
            .map_or(1, |experts| experts.count as usize);
        let mut known = HashSet::new();
        for spec in specs {
            let stacked = if spec.role.is_stacked() { experts } else { 1 };
            let dims = match spec.kind {
                TensorKind::Linear { rows, columns } => {
                    let fused = Fused::of(self.model_type, spec.role);
                    let rows = fused.map_or(rows as usize, |fused| fused.rows(architecture));
                    vec![rows / stacked, columns as usize]
                }
                TensorKind::Gain { length } => vec![length as usize],
                _ => continue,
            };
            let name = name(self.model_type, spec.role, spec.layer);
            for expert in 0..stacked {
                let name = of_expert(&name, expert);
                self.check_tensor(&name, &dims)?;
                known.insert(name);
            }
        }
        let head = name(self.model_type, TensorRole::OutputHead, None);
        let ignored = |name: &str| {
            // Old exports repeat the rotary frequencies and a tied head.
            name.ends_with(".rotary_emb.inv_freq") || (architecture.tied_head && name == head)
        };
        let strange = |name: &&String| !known.contains(*name) && !ignored(name);
        match self.tensors.keys().find(strange) {
            None => Ok(()),
            Some(name) => Err(ImportError::unsupported(
                &self.folder,
                format!("the tensor {name}"),
                "a model may have no tensors beside those of its model type",
            )),
        }
    }

    /// Refuses a tensor that is not there, or has another shape or a type that is not read.
    fn check_tensor(&self, name: &str, dims: &[usize]) -> Result<(), ImportError> {
        let located = self.find(name)?;
        let found = &located.info;
        if found.shape != dims {
            let shape = &found.shape;
            let problem = format!("has the shape {shape:?}; the model needs {dims:?}");
            return Err(self.wrong(name, located, problem));
        }
        if !matches!(found.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            let problem = format!(
                "is of type {:?}; convert the model to F32, F16 or BF16",
                found.dtype
            );
            return Err(self.wrong(name, located, problem));
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Result<&Located, ImportError> {
        self.tensors
            .get(name)
            .ok_or_else(|| ImportError::missing(&self.folder, format!("the tensor {name}")))
    }

    fn wrong(&self, name: &str, located: &Located, problem: String) -> ImportError {
        ImportError::Tensor {
            path: self.files[located.file].path.clone(),
            tensor: name.into(),
            offset: located.start,
            problem,
        }
    }

    pub(super) fn locate(&self, role: TensorRole, layer: Option<u32>) -> (String, u64) {
        let name = name(self.model_type, role, layer);
        let first = self.tensors.get(&of_expert(&name, 0));
        (name, first.map_or(0, |located| located.start))
    }

    /// Decodes rows as the file has them.
    pub(super) fn read(
        &self,
        architecture: &Architecture,
        role: TensorRole,
        layer: Option<u32>,
        rows: Range<usize>,
        columns: usize,
        out: &mut [f32],
    ) -> Result<(), ImportError> {
        let name = name(self.model_type, role, layer);
        if !role.is_stacked() {
            let first = first_row(self.model_type, role, architecture) + rows.start;
            let rows = first..first + rows.len();
            return self.read_rows(&name, rows, columns, out);
        }
        // All experts have as many rows as the first.
        let shape = &self.find(&of_expert(&name, 0))?.info.shape;
        let each = shape.first().copied().unwrap_or(0).max(1);
        let mut out = out;
        let mut next = rows.start;
        while next < rows.end {
            let (expert, first) = (next / each, next % each);
            let count = (each - first).min(rows.end - next);
            let (now, later) = out.split_at_mut(count * columns);
            self.read_rows(
                &of_expert(&name, expert),
                first..first + count,
                columns,
                now,
            )?;
            out = later;
            next += count;
        }
        Ok(())
    }

    /// Decodes rows of the tensor `name`.
    fn read_rows(
        &self,
        name: &str,
        rows: Range<usize>,
        columns: usize,
        out: &mut [f32],
    ) -> Result<(), ImportError> {
        let located = self.find(name)?;
        let size = located.info.dtype.bitsize() as u64 / 8;
        let row = columns as u64 * size;
        let bytes = located
            .start
            .checked_add(rows.start as u64 * row)
            .and_then(|start| {
                let length = rows.len() as u64 * row;
                self.files[located.file].slice(start, length)
            })
            .ok_or_else(|| self.wrong(name, located, "ends after the file".into()))?;
        match located.info.dtype {
            Dtype::F32 => decode_f32(bytes, out),
            Dtype::F16 => decode_u16(bytes, out, |bits| f16::from_bits(bits).to_f32()),
            Dtype::BF16 => decode_u16(bytes, out, |bits| bf16::from_bits(bits).to_f32()),
            other => {
                let problem = format!("is of type {other:?}");
                return Err(self.wrong(name, located, problem));
            }
        }
        Ok(())
    }
}

/// The error for the file `name` that is not in `folder`.
fn absent(folder: &Path, name: &str, index: &Index) -> ImportError {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut files: Vec<String> = files.collect();
    files.sort_unstable();
    let ends_with = |end: &str| files.iter().filter(|file| file.ends_with(end)).count();
    let shards = ends_with(".safetensors");
    if !index.weight_map.is_empty() {
        let hint = if files.iter().any(|file| file == SINGLE) {
            format!("download that file, or remove the index if {SINGLE} is the whole model")
        } else {
            format!(
                "download that file, or the index of the {shards} safetensors files that are there"
            )
        };
        let problem = format!("it names {name}, which is not in the folder");
        return ImportError::unusable(&folder.join(INDEX), problem, hint);
    }
    let (problem, hint) = if shards > 0 {
        (
            format!("it has {shards} safetensors files, but neither {SINGLE} nor {INDEX}"),
            format!("download {INDEX}, which states the tensors of each file"),
        )
    } else if ends_with(".bin") + ends_with(".pth") + ends_with(".pt") > 0 {
        (
            format!("it has weights in PyTorch's format, but no {SINGLE}"),
            "save the model with `safe_serialization=True`".into(),
        )
    } else if ends_with(".gguf") > 0 {
        (
            format!("it has no {SINGLE}"),
            "name the GGUF file instead of the folder".into(),
        )
    } else {
        (format!("it has no {SINGLE}"), "download that file".into())
    };
    ImportError::unusable(folder, problem, hint)
}

/// The error for a file whose header the library refuses.
fn refused(mapped: &Mapped, error: &SafeTensorError) -> ImportError {
    let path = &mapped.path;
    let bytes = mapped.bytes();
    // The header is a JSON object after its length.
    if bytes
        .get(HEADER_LENGTH as usize)
        .is_some_and(|byte| *byte != b'{')
    {
        let problem = "it is no safetensors file";
        return ImportError::unusable(path, problem, "download it, or save the model, again");
    }
    match error {
        SafeTensorError::HeaderTooSmall
        | SafeTensorError::InvalidHeaderLength
        | SafeTensorError::MetadataIncompleteBuffer => ImportError::malformed(
            path,
            bytes.len() as u64,
            "the file ends elsewhere than its header says; download it again",
        ),
        SafeTensorError::InvalidHeaderDeserialization(error) if error.is_data() => {
            ImportError::unusable(
                path,
                format!("its list of tensors has {error}"),
                "save the model again, with tensors of F32, F16 or BF16",
            )
        }
        error => malformed(mapped, error.to_string()),
    }
}

fn malformed(mapped: &Mapped, problem: impl Into<String>) -> ImportError {
    // The header follows its length; the library does not report where in it the error is.
    ImportError::malformed(&mapped.path, HEADER_LENGTH, problem)
}
