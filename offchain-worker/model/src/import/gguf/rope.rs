//! What a GGUF file states about the rotation, as llama.cpp reads it.
//!
//! llama.cpp's converter writes YaRN's `attention_factor`, `mscale_all_dim`, `beta_fast` and `beta_slow` for every
//! architecture, but llama.cpp reads them for few. The betas are followed, as Transformers does, which the model was
//! made with. A file with the others is refused: what they multiply differs between versions of llama.cpp.

use super::{
    super::{
        model_type::WINDOWED_BASE,
        rope::{attention_factor, rotated_width, Long, Rope, Scaling, Yarn},
        ImportError,
    },
    tensors::{rope_factors, LONG_FACTORS, ROPE_FACTORS, SHORT_FACTORS},
    Contents,
};
use std::path::Path;

/// The rotation of heads of width `head_dim`.
pub(super) fn rope(file: &Contents, head_dim: u32) -> Result<Rope, ImportError> {
    let metadata = file.metadata();
    let path = metadata.path;
    let key = |name: &str| file.key(&format!("rope.{name}"));
    let number = |name: &str, usual: f64| {
        let value = metadata.optional_f64(&key(name))?;
        positive(path, &key(name), value.unwrap_or(usual))
    };

    let count = key("dimension_count");
    let rotated = metadata.optional_u32(&count)?.unwrap_or(head_dim);
    let rotated = rotated_width(rotated, head_dim).ok_or_else(|| {
        let problem = format!(
            "which is {rotated}: of the {head_dim} elements of a head, an even number can be rotated"
        );
        ImportError::value(path, count, problem)
    })?;
    let factor = number("scaling.factor", number("scale_linear", 1.0)?)?;
    let factors = rope_factors(file, ROPE_FACTORS, rotated / 2)?;
    let short = rope_factors(file, SHORT_FACTORS, rotated / 2)?;
    let long = match (short, rope_factors(file, LONG_FACTORS, rotated / 2)?) {
        (Some(short), Some(long)) => Some((short, long)),
        (None, None) => None,
        (Some(_), None) => return Err(missing(path, LONG_FACTORS)),
        (None, Some(_)) => return Err(missing(path, SHORT_FACTORS)),
    };
    let original_context = || {
        let stated = metadata.optional_u32(&key("scaling.original_context_length"))?;
        let context = match stated {
            Some(stated) => stated,
            None => metadata.u32(&file.key("context_length"))?,
        };
        positive(
            path,
            &key("scaling.original_context_length"),
            context.into(),
        )
    };
    let kind = metadata.optional_text(&key("scaling.type"))?;
    let mut stated = number("scaling.attn_factor", 1.0)?;
    let scaling = match (kind, factors, long) {
        // The converter of Phi-3 states no type.
        (None | Some("longrope"), None, Some((short, long))) if factor == 1.0 => {
            Scaling::Long(Long {
                short,
                long,
                original_context: original_context()?,
            })
        }
        (Some("longrope"), None, None) => return Err(missing(path, LONG_FACTORS)),
        (Some("none"), None, None) => Scaling::None,
        (Some("none"), Some(factors), None) => Scaling::Factors(multiplied(&factors, 1.0)),
        (None | Some("linear"), None, None) if factor == 1.0 => Scaling::None,
        (None | Some("linear"), None, None) => Scaling::Linear(factor),
        (None | Some("linear"), Some(factors), None) => {
            Scaling::Factors(multiplied(&factors, factor))
        }
        (Some("yarn"), None, None) => {
            for (name, usual) in [
                ("scaling.yarn_ext_factor", 1.0),
                ("scaling.yarn_attn_factor", 1.0),
                ("scaling.yarn_log_multiplier", 0.0),
            ] {
                let value = metadata.optional_f64(&key(name))?.unwrap_or(usual);
                if value != usual {
                    return Err(ImportError::unsupported(
                        path,
                        format!("{} {value}", key(name)),
                        "import the model's Hugging Face folder, whose config.json says what it multiplies",
                    ));
                }
            }
            stated *= Yarn::attention_factor(factor, 1.0);
            Scaling::Yarn(Yarn {
                factor,
                beta_fast: number("scaling.yarn_beta_fast", 32.0)?,
                beta_slow: number("scaling.yarn_beta_slow", 1.0)?,
                original_context: original_context()?,
                is_truncated: true,
            })
        }
        (kind, factors, long) => {
            let kind = kind.unwrap_or("linear");
            let beside = match (factors, long) {
                (Some(_), _) => format!(" beside the tensor {ROPE_FACTORS}"),
                (None, Some(_)) => format!(" of factor {factor} beside the tensor {LONG_FACTORS}"),
                (None, None) => String::new(),
            };
            return Err(ImportError::unsupported(
                path,
                format!("the rotary scaling {kind:?}{beside}"),
                "none, linear, yarn, longrope and Llama 3's are, each by itself",
            ));
        }
    };
    let attention_factor = attention_factor(stated).ok_or_else(|| {
        let problem = format!("which makes an attention factor of {stated}, not between 0 and 2");
        ImportError::value(path, key("scaling.attn_factor"), problem)
    })?;
    Ok(Rope {
        base: number("freq_base", 10_000.0)?,
        rotated,
        scaling,
        attention_factor,
    })
}

/// The rotation of Gemma's layers with a window.
pub(super) fn windowed(file: &Contents, head_dim: u32) -> Result<Option<Rope>, ImportError> {
    if !file.model_type.is_gemma() {
        return Ok(None);
    }
    let (metadata, key) = (file.metadata(), file.key("rope.freq_base_swa"));
    let base = metadata.optional_f64(&key)?.unwrap_or(WINDOWED_BASE);
    let base = positive(metadata.path, &key, base)?;
    Ok(Some(Rope::plain(base, head_dim)))
}

fn multiplied(factors: &[f32], by: f64) -> Vec<f64> {
    factors.iter().map(|f| f64::from(*f) * by).collect()
}

fn missing(path: &Path, tensor: &str) -> ImportError {
    ImportError::missing(path, format!("the tensor {tensor} of its rotary scaling"))
}

fn positive(path: &Path, key: &str, value: f64) -> Result<f64, ImportError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        let problem = format!("which is {value} and not a positive number");
        Err(ImportError::value(path, key, problem))
    }
}
