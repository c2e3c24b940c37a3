//! The tensors of a GGUF file: their names, shapes, and rows as f32.

use super::{
    super::{
        model::{decode_f32, decode_u16, tensor_error},
        ImportError,
    },
    File,
};
use candle_core::{
    quantized::{ggml_file::qtensor_from_ggml, gguf_file::TensorInfo, GgmlDType},
    Device,
};
use half::{bf16, f16};
use noema_checkpoint::{
    layout::{tensors, TensorKind, TensorRole},
    Architecture, ManifestError,
};
use std::{
    collections::HashSet,
    ops::Range,
    panic::{catch_unwind, AssertUnwindSafe},
};

const ROPE_FACTORS: &str = "rope_freqs.weight";

/// Name of a tensor in the file; the rotation table is not in the file.
fn name(role: TensorRole, layer: Option<u32>) -> String {
    let part = match role {
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
        other => other.name(),
    };
    match layer {
        Some(layer) => format!("blk.{layer}.{part}.weight"),
        None => format!("{part}.weight"),
    }
}

fn info(file: &File, role: TensorRole, layer: Option<u32>) -> Result<&TensorInfo, ImportError> {
    let name = name(role, layer);
    file.content
        .tensor_infos
        .get(&name)
        .ok_or_else(|| ImportError::missing(&file.mapped.path, format!("the tensor {name}")))
}

fn start(file: &File, info: &TensorInfo) -> u64 {
    file.content.tensor_data_offset.saturating_add(info.offset)
}

pub(super) fn locate(file: &File, role: TensorRole, layer: Option<u32>) -> (String, u64) {
    let offset = info(file, role, layer).map_or(0, |info| start(file, info));
    (name(role, layer), offset)
}

/// Number of tokens: rows of the embedding.
pub(super) fn vocabulary(file: &File) -> Result<u32, ImportError> {
    let role = TensorRole::TokenEmbedding;
    let dims = info(file, role, None)?.shape.dims();
    let rows = match dims {
        [rows, _] => u32::try_from(*rows).ok(),
        _ => None,
    };
    rows.ok_or_else(|| {
        let problem = format!("has the shape {dims:?} instead of tokens by width");
        tensor_error(file, role, None, problem)
    })
}

/// Bytes of a row of `columns` values, if the type can be read and divides the row into blocks.
fn row_bytes(dtype: GgmlDType, columns: usize) -> Option<u64> {
    let supported = matches!(
        dtype,
        GgmlDType::F32
            | GgmlDType::F16
            | GgmlDType::BF16
            | GgmlDType::Q4_0
            | GgmlDType::Q4_1
            | GgmlDType::Q5_0
            | GgmlDType::Q5_1
            | GgmlDType::Q8_0
            | GgmlDType::Q2K
            | GgmlDType::Q3K
            | GgmlDType::Q4K
            | GgmlDType::Q5K
            | GgmlDType::Q6K
    );
    let whole = columns.is_multiple_of(dtype.block_size());
    let bytes = (columns / dtype.block_size()) as u64 * dtype.type_size() as u64;
    (supported && whole).then_some(bytes)
}

/// Refuses a file whose tensors are not exactly those of the architecture, all within the file.
pub(super) fn check(file: &File, architecture: &Architecture) -> Result<(), ImportError> {
    // Each layer has nine tensors: a layer count beyond the file's own list is refused before the canonical
    // list is built.
    let available = file.content.tensor_infos.len();
    if architecture.layers as usize > available {
        return Err(ImportError::value(
            &file.mapped.path,
            "llama.block_count",
            format!(
                "which is {}, with only {available} tensors",
                architecture.layers
            ),
        ));
    }
    let specs = tensors(architecture).map_err(ManifestError::Architecture)?;
    let mut known = HashSet::from([ROPE_FACTORS.to_owned()]);
    for spec in specs {
        let (rows, columns, dims) = match spec.kind {
            TensorKind::Linear { rows, columns } => {
                let (rows, columns) = (rows as usize, columns as usize);
                (rows, columns, vec![rows, columns])
            }
            TensorKind::Gain { length } => (1, length as usize, vec![length as usize]),
            _ => continue,
        };
        let wrong = |problem| tensor_error(file, spec.role, spec.layer, problem);
        let info = info(file, spec.role, spec.layer)?;
        if info.shape.dims() != dims {
            return Err(wrong(format!(
                "has the shape {:?}; the model needs {dims:?}",
                info.shape.dims()
            )));
        }
        let row = row_bytes(info.ggml_dtype, columns).ok_or_else(|| {
            wrong(format!(
                "is of type {:?}, which cannot be read with rows of {columns}",
                info.ggml_dtype
            ))
        })?;
        let length = row * rows as u64;
        if file.mapped.slice(start(file, info), length).is_none() {
            return Err(wrong(format!(
                "has {length} bytes, but the file ends at byte {}",
                file.mapped.bytes().len()
            )));
        }
        known.insert(name(spec.role, spec.layer));
    }
    let names = file.content.tensor_infos.keys();
    match names.filter(|name| !known.contains(*name)).min() {
        None => Ok(()),
        Some(name) => Err(ImportError::unsupported(
            &file.mapped.path,
            format!("the tensor {name}"),
            "a model may have no tensors beside those of the plain Llama architecture",
        )),
    }
}

/// The factors that divide the rotary frequencies, if the file has them.
pub(super) fn rope_factors(file: &File, head_dim: u32) -> Result<Option<Vec<f32>>, ImportError> {
    let Some(info) = file.content.tensor_infos.get(ROPE_FACTORS) else {
        return Ok(None);
    };
    let offset = start(file, info);
    let count = head_dim as usize / 2;
    let wrong = |problem: String| ImportError::Tensor {
        path: file.mapped.path.clone(),
        tensor: ROPE_FACTORS.into(),
        offset,
        problem,
    };
    if info.ggml_dtype != GgmlDType::F32 || info.shape.dims() != [count] {
        return Err(wrong(format!("is not a list of {count} F32 values")));
    }
    let bytes = file
        .mapped
        .slice(offset, count as u64 * 4)
        .ok_or_else(|| wrong("ends after the file".into()))?;
    let mut factors = vec![0.0; count];
    decode_f32(bytes, &mut factors);
    Ok(Some(factors))
}

/// Decodes rows, those of queries and keys in Hugging Face's order.
pub(super) fn read(
    file: &File,
    role: TensorRole,
    layer: Option<u32>,
    rows: Range<usize>,
    columns: usize,
    out: &mut [f32],
) -> Result<(), ImportError> {
    let info = info(file, role, layer)?;
    let wrong = |problem: &str| tensor_error(file, role, layer, problem.into());
    let row = row_bytes(info.ggml_dtype, columns).ok_or_else(|| wrong("has another type"))?;
    let rotated = matches!(role, TensorRole::Query | TensorRole::Key);
    for (row_index, out) in rows.zip(out.chunks_exact_mut(columns)) {
        let stored = if rotated {
            stored_row(row_index, file.head_dim)
        } else {
            row_index
        };
        let offset = start(file, info).saturating_add(stored as u64 * row);
        let bytes = file
            .mapped
            .slice(offset, row)
            .ok_or_else(|| wrong("ends after the file"))?;
        decode(info.ggml_dtype, bytes, out)
            .map_err(|problem| wrong(&format!("cannot be decoded: {problem}")))?;
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

/// Decodes one row of a supported type; `bytes` holds exactly `out.len()` values.
fn decode(dtype: GgmlDType, bytes: &[u8], out: &mut [f32]) -> Result<(), String> {
    match dtype {
        GgmlDType::F32 => decode_f32(bytes, out),
        GgmlDType::F16 => decode_u16(bytes, out, |bits| f16::from_bits(bits).to_f32()),
        GgmlDType::BF16 => decode_u16(bytes, out, |bits| bf16::from_bits(bits).to_f32()),
        quantised => {
            // The library reads blocks in place and expects them aligned, which a row of a mapped file need
            // not be.
            let mut aligned = vec![0u64; bytes.len().div_ceil(8)];
            let aligned: &mut [u8] = bytemuck::cast_slice_mut(&mut aligned);
            let aligned = &mut aligned[..bytes.len()];
            aligned.copy_from_slice(bytes);
            let decoded = catch_unwind(AssertUnwindSafe(|| {
                qtensor_from_ggml(quantised, aligned, vec![out.len()], &Device::Cpu)?
                    .dequantize(&Device::Cpu)?
                    .to_vec1::<f32>()
            }));
            match decoded {
                Ok(Ok(values)) => out.copy_from_slice(&values),
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_) => return Err("the decoder panicked".into()),
            }
        }
    }
    Ok(())
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
