//! The tensors of a GGUF file: their names, shapes, and rows as f32.

use super::{
    super::{
        fused::{first_row, Fused},
        model::decode_f32,
        model_type::ModelType,
        ImportError,
    },
    header::TensorInfo,
    types::TensorType,
    Contents, File,
};
use noema_checkpoint::{
    layout::{tensors, TensorKind, TensorRole},
    Architecture, ManifestError,
};
use std::{collections::HashSet, ops::Range};

/// Llama 3's factors.
pub(super) const ROPE_FACTORS: &str = "rope_freqs.weight";
/// Longrope's factors in a short context.
pub(super) const SHORT_FACTORS: &str = "rope_factors_short.weight";
/// Longrope's factors in a long context.
pub(super) const LONG_FACTORS: &str = "rope_factors_long.weight";

/// Name of a tensor in the file, or of the one that it is a part of; the rotation table is not in the file.
fn name(model_type: ModelType, role: TensorRole, layer: Option<u32>) -> String {
    let own = match role {
        TensorRole::TokenEmbedding => "token_embd",
        TensorRole::AttentionNorm => "attn_norm",
        TensorRole::Query => "attn_q",
        TensorRole::Key => "attn_k",
        TensorRole::Value => "attn_v",
        TensorRole::AttentionOutput => "attn_output",
        TensorRole::FeedForwardNorm => "ffn_norm",
        TensorRole::Gate => "ffn_gate",
        TensorRole::Up => "ffn_up",
        TensorRole::Down => "ffn_down",
        TensorRole::FinalNorm => "output_norm",
        TensorRole::OutputHead => "output",
        TensorRole::QueryBias => "attn_q",
        TensorRole::KeyBias => "attn_k",
        TensorRole::ValueBias => "attn_v",
        TensorRole::QueryNorm => "attn_q_norm",
        TensorRole::KeyNorm => "attn_k_norm",
        TensorRole::AttentionPostNorm => "post_attention_norm",
        TensorRole::FeedForwardPostNorm => "post_ffw_norm",
        TensorRole::Router => "ffn_gate_inp",
        TensorRole::ExpertGates => "ffn_gate_exps",
        TensorRole::ExpertUps => "ffn_up_exps",
        TensorRole::ExpertDowns => "ffn_down_exps",
        other => other.name(),
    };
    let part = match Fused::of(model_type, role) {
        Some(Fused::Projections) => "attn_qkv",
        Some(Fused::Gated) => "ffn_up",
        None => own,
    };
    let end = if role.is_bias() { "bias" } else { "weight" };
    match layer {
        Some(layer) => format!("blk.{layer}.{part}.{end}"),
        None => format!("{part}.{end}"),
    }
}

fn info(file: &Contents, role: TensorRole, layer: Option<u32>) -> Result<&TensorInfo, ImportError> {
    let name = name(file.model_type, role, layer);
    file.header
        .tensors
        .get(&name)
        .ok_or_else(|| ImportError::missing(&file.mapped.path, format!("the tensor {name}")))
}

pub(super) fn locate(file: &Contents, role: TensorRole, layer: Option<u32>) -> (String, u64) {
    let offset = info(file, role, layer).map_or(0, |info| file.header.start(info));
    (name(file.model_type, role, layer), offset)
}

/// An error about a tensor.
fn wrong(file: &Contents, role: TensorRole, layer: Option<u32>, problem: String) -> ImportError {
    let (tensor, offset) = locate(file, role, layer);
    ImportError::Tensor {
        path: file.mapped.path.clone(),
        tensor,
        offset,
        problem,
    }
}

/// Number of tokens: rows of the embedding.
pub(super) fn vocabulary(file: &Contents) -> Result<u32, ImportError> {
    let role = TensorRole::TokenEmbedding;
    let dims = &info(file, role, None)?.dims;
    let rows = match &dims[..] {
        [rows, _] => u32::try_from(*rows).ok(),
        _ => None,
    };
    rows.ok_or_else(|| {
        let problem = format!("has the shape {dims:?} instead of tokens by width");
        wrong(file, role, None, problem)
    })
}

/// Refuses a file whose tensors are not exactly those of the architecture, all within the file.
pub(super) fn check(file: &Contents, architecture: &Architecture) -> Result<(), ImportError> {
    // Each layer has at least nine tensors: a layer count beyond the file's own list is refused before the canonical
    // list is built.
    let available = file.header.tensors.len();
    if architecture.layers as usize > available {
        return Err(ImportError::value(
            &file.mapped.path,
            file.key("block_count"),
            format!(
                "which is {}, with only {available} tensors",
                architecture.layers
            ),
        ));
    }
    let specs = tensors(architecture).map_err(ManifestError::Architecture)?;
    let experts = architecture.variant.experts.map(|experts| experts.count);
    let factors = [ROPE_FACTORS, SHORT_FACTORS, LONG_FACTORS];
    let mut known = HashSet::from(factors.map(str::to_owned));
    for spec in specs {
        let (rows, columns, dims) = match spec.kind {
            TensorKind::Linear { rows, columns } => {
                let fused = Fused::of(file.model_type, spec.role);
                let rows = fused.map_or(rows as usize, |fused| fused.rows(architecture));
                let columns = columns as usize;
                let count = experts.filter(|_| spec.role.is_stacked());
                match count.map(|count| count as usize) {
                    Some(count) => (rows, columns, vec![count, rows / count, columns]),
                    None => (rows, columns, vec![rows, columns]),
                }
            }
            TensorKind::Gain { length } => (1, length as usize, vec![length as usize]),
            _ => continue,
        };
        let wrong = |problem| wrong(file, spec.role, spec.layer, problem);
        let info = info(file, spec.role, spec.layer)?;
        if info.dims != dims {
            return Err(wrong(format!(
                "has the shape {:?}; the model needs {dims:?}",
                info.dims
            )));
        }
        let kind = info.kind;
        let layout = kind.layout().ok_or_else(|| {
            ImportError::unsupported(
                &file.mapped.path,
                format!("the type {kind} for the tensor {}", locate(file, spec.role, spec.layer).0),
                "convert the model to F16 or Q8_0 with llama.cpp, best from the original weights, or import its \
                 Hugging Face folder",
            )
        })?;
        let row = layout.row_bytes(columns).ok_or_else(|| {
            wrong(format!(
                "is of type {kind}, whose blocks of {} values do not divide its rows of {columns}",
                layout.values()
            ))
        })?;
        let length = row * rows as u64;
        if file.mapped.slice(file.header.start(info), length).is_none() {
            return Err(wrong(format!(
                "has {length} bytes, but the file ends at byte {}",
                file.mapped.bytes().len()
            )));
        }
        known.insert(name(file.model_type, spec.role, spec.layer));
    }
    let names = file.header.tensors.keys();
    match names.filter(|name| !known.contains(*name)).min() {
        None => Ok(()),
        Some(name) => Err(ImportError::unsupported(
            &file.mapped.path,
            format!("the tensor {name}"),
            format!(
                "a model of the architecture {:?} may have no tensors beside those of its layers",
                file.model_type.name_in_gguf()
            ),
        )),
    }
}

/// The factors that divide the rotary frequencies of `count` pairs, if the file has the tensor `name`.
pub(super) fn rope_factors(
    file: &Contents,
    name: &str,
    count: usize,
) -> Result<Option<Vec<f32>>, ImportError> {
    let Some(info) = file.header.tensors.get(name) else {
        return Ok(None);
    };
    let offset = file.header.start(info);
    let wrong = |problem: String| ImportError::Tensor {
        path: file.mapped.path.clone(),
        tensor: name.into(),
        offset,
        problem,
    };
    if info.kind != TensorType::F32 || info.dims != [count] {
        return Err(wrong(format!("is not a list of {count} F32 values")));
    }
    let bytes = file
        .mapped
        .slice(offset, count as u64 * 4)
        .ok_or_else(|| wrong("ends after the file".into()))?;
    let mut factors = vec![0.0; count];
    decode_f32(bytes, &mut factors);
    if factors.iter().all(|f| f.is_finite() && *f > 0.0) {
        Ok(Some(factors))
    } else {
        Err(wrong("has a factor that is not a positive number".into()))
    }
}

/// Whether the file has biases of the queries.
pub(super) fn has_biases(file: &Contents) -> bool {
    let name = name(file.model_type, TensorRole::QueryBias, Some(0));
    file.header.tensors.contains_key(&name)
}

/// Decodes rows, those of queries and keys in Hugging Face's order, as well as their biases.
pub(super) fn read(
    file: &File,
    role: TensorRole,
    layer: Option<u32>,
    rows: Range<usize>,
    columns: usize,
    out: &mut [f32],
) -> Result<(), ImportError> {
    let contents = &file.contents;
    let info = info(contents, role, layer)?;
    let wrong = |problem: &str| wrong(contents, role, layer, problem.into());
    let layout = info
        .kind
        .layout()
        .ok_or_else(|| wrong("has another type"))?;
    let row = layout
        .row_bytes(columns)
        .ok_or_else(|| wrong("has another type"))?;
    let head_dim = file.architecture.head_dim as usize;
    let is_interleaved = contents.model_type.is_interleaved_in_gguf();
    let first = first_row(contents.model_type, role, &file.architecture);
    for (row_index, out) in rows.zip(out.chunks_exact_mut(columns)) {
        let stored = match role {
            TensorRole::Query | TensorRole::Key if is_interleaved => {
                stored_row(row_index, head_dim)
            }
            TensorRole::Query | TensorRole::Key => file.ropes.usual.stored_row(row_index, head_dim),
            _ => row_index,
        };
        let offset = (first + stored) as u64 * row;
        let offset = contents.header.start(info).saturating_add(offset);
        let bytes = contents
            .mapped
            .slice(offset, row)
            .ok_or_else(|| wrong("ends after the file"))?;
        layout
            .decode(bytes, out)
            .map_err(|problem| wrong(&format!("cannot be decoded: {problem}")))?;
        file.gains.apply(role, out);
        if is_interleaved && matches!(role, TensorRole::QueryBias | TensorRole::KeyBias) {
            let stored = out.to_vec();
            for (element, out) in out.iter_mut().enumerate() {
                if let Some(value) = stored.get(stored_row(element, head_dim)) {
                    *out = *value;
                }
            }
        }
    }
    Ok(())
}

/// Row of a head in a GGUF file: the two rows that are rotated together are adjacent there, but half a head
/// apart in Hugging Face's order.
fn stored_row(row: usize, head_dim: usize) -> usize {
    let (head, element) = (row / head_dim, row % head_dim);
    let half = head_dim / 2;
    head * head_dim + element % half * 2 + element / half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_unfolded_into_halves() {
        let stored: Vec<usize> = (0..16).map(|row| stored_row(row, 8)).collect();
        assert_eq!(
            stored,
            [0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15]
        );
    }
}
