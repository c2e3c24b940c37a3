//! Writes GGUF version 3, byte by byte.

use super::{Model, Tensor, CONTROL, EXPERTS, MERGES, TEMPLATE};

/// A metadata value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    U32(u32),
    F32(f32),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
    Numbers(Vec<i32>),
    Floats(Vec<f32>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// A tensor's type number and data.
#[derive(Clone)]
pub(crate) struct Data {
    pub(crate) kind: u32,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) const F32: u32 = 0;
pub(crate) const F16: u32 = 1;
pub(crate) const BF16: u32 = 30;

/// A GGUF file before it is written.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) metadata: Vec<(String, Value)>,
    /// Name, dimensions (innermost first, as in the format), data.
    pub(crate) tensors: Vec<(String, Vec<usize>, Data)>,
    pub(crate) alignment: usize,
}

impl File {
    /// `model` with every tensor as F32.
    pub(crate) fn new(model: &Model) -> Self {
        Self::with(model, |_| F32)
    }

    /// `model` with the float type that `kind` gives for each tensor.
    pub(crate) fn with(model: &Model, kind: impl Fn(&Tensor) -> u32) -> Self {
        let tensors = model
            .tensors()
            .into_iter()
            .map(|tensor| {
                let kind = kind(&tensor);
                let values = stored_order(model, &tensor);
                let bytes = floats(kind, &values);
                let dims = tensor.shape.iter().rev().copied().collect();
                (tensor.gguf, dims, Data { kind, bytes })
            })
            .collect();
        Self {
            metadata: metadata(model),
            tensors,
            alignment: 32,
        }
    }

    /// Replaces or adds a metadata value.
    pub(crate) fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self = self.without(key);
        self.metadata.push((key.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.metadata.retain(|(name, _)| name != key);
        self
    }

    pub(crate) fn tensor(&mut self, name: &str) -> &mut (String, Vec<usize>, Data) {
        self.tensors
            .iter_mut()
            .find(|tensor| tensor.0 == name)
            .expect("the model has this tensor")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            text(&mut out, key);
            put(&mut out, value);
        }
        let mut offset = 0;
        for (name, dims, data) in &self.tensors {
            text(&mut out, name);
            out.extend((dims.len() as u32).to_le_bytes());
            for dim in dims {
                out.extend((*dim as u64).to_le_bytes());
            }
            out.extend(data.kind.to_le_bytes());
            out.extend((offset as u64).to_le_bytes());
            offset += data.bytes.len().next_multiple_of(self.alignment);
        }
        for (_, _, data) in &self.tensors {
            out.resize(out.len().next_multiple_of(self.alignment), 0);
            out.extend(&data.bytes);
        }
        out
    }
}

/// Values of a tensor in the row order of GGUF: queries and keys interleaved in the files of Llama and SmolLM3.
fn stored_order(model: &Model, tensor: &Tensor) -> Vec<f32> {
    let rotated = ["attn_q.", "attn_k."]
        .iter()
        .any(|part| tensor.gguf.contains(part));
    let is_interleaved = matches!(model.model_type, "llama" | "mistral" | "smollm3");
    if !rotated || !is_interleaved {
        return tensor.values.clone();
    }
    let columns = tensor.shape.get(1).copied().unwrap_or(1);
    let half = model.head_dim / 2;
    let mut out = Vec::with_capacity(tensor.values.len());
    for head in tensor.values.chunks(model.head_dim * columns) {
        let rows: Vec<&[f32]> = head.chunks(columns).collect();
        for pair in 0..half {
            out.extend(rows[pair]);
            out.extend(rows[pair + half]);
        }
    }
    out
}

pub(crate) fn floats(kind: u32, values: &[f32]) -> Vec<u8> {
    let bytes = |value: &f32| match kind {
        F32 => value.to_le_bytes().to_vec(),
        F16 => half::f16::from_f32(*value).to_le_bytes().to_vec(),
        BF16 => half::bf16::from_f32(*value).to_le_bytes().to_vec(),
        other => panic!("{other} is not a float type"),
    };
    values.iter().flat_map(bytes).collect()
}

/// The name of the model's architecture, with which its metadata's keys begin.
pub(crate) fn architecture(model: &Model) -> &'static str {
    match model.model_type {
        "mistral" => "llama",
        "gemma3_text" => "gemma3",
        "qwen3_moe" => "qwen3moe",
        other => other,
    }
}

fn metadata(model: &Model) -> Vec<(String, Value)> {
    let kinds = model
        .tokens
        .iter()
        .map(|token| {
            if CONTROL.contains(&token.as_str()) {
                3
            } else {
                1
            }
        })
        .collect();
    let number = |value: usize| Value::U32(value as u32);
    let architecture = architecture(model);
    let base = match model.model_type {
        "gemma3_text" => 1_000_000.0,
        _ => 10_000.0,
    };
    let window = model.window().map(Value::U32);
    let window = window.map(|window| ("llama.attention.sliding_window", window));
    let names = ["count", "used_count", "feed_forward_length"];
    let experts = names
        .into_iter()
        .zip(EXPERTS)
        .filter(|_| model.model_type == "qwen3_moe");
    let experts: Vec<(String, Value)> = experts
        .map(|(name, value)| (format!("{architecture}.expert_{name}"), number(value)))
        .collect();
    [
        ("general.architecture", architecture.into()),
        ("general.name", "Tiny".into()),
        ("general.license", "apache-2.0".into()),
        ("llama.block_count", number(model.layers)),
        ("llama.context_length", number(model.context)),
        ("llama.embedding_length", number(model.hidden)),
        ("llama.feed_forward_length", number(model.feed_forward)),
        ("llama.attention.head_count", number(model.heads)),
        ("llama.attention.head_count_kv", number(model.kv_heads)),
        ("llama.attention.key_length", number(model.head_dim)),
        ("llama.attention.value_length", number(model.head_dim)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
        ("llama.rope.dimension_count", number(model.head_dim)),
        ("llama.rope.freq_base", Value::F32(base)),
        ("tokenizer.ggml.model", "gpt2".into()),
        ("tokenizer.ggml.pre", "smollm".into()),
        ("tokenizer.ggml.tokens", Value::Texts(model.tokens.clone())),
        ("tokenizer.ggml.token_type", Value::Numbers(kinds)),
        (
            "tokenizer.ggml.merges",
            Value::Texts(MERGES.map(str::to_owned).to_vec()),
        ),
        ("tokenizer.ggml.bos_token_id", Value::U32(1)),
        ("tokenizer.ggml.eos_token_id", Value::U32(2)),
        ("tokenizer.chat_template", TEMPLATE.into()),
    ]
    .into_iter()
    .chain(window)
    .map(|(key, value)| match key.strip_prefix("llama.") {
        Some(key) => (format!("{architecture}.{key}"), value),
        None => (key.to_owned(), value),
    })
    .chain(experts)
    .collect()
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::U32(number) => {
            out.extend(4u32.to_le_bytes());
            out.extend(number.to_le_bytes());
        }
        Value::F32(number) => {
            out.extend(6u32.to_le_bytes());
            out.extend(number.to_le_bytes());
        }
        Value::Bool(value) => {
            out.extend(7u32.to_le_bytes());
            out.push(u8::from(*value));
        }
        Value::Text(content) => {
            out.extend(8u32.to_le_bytes());
            text(out, content);
        }
        Value::Texts(texts) => {
            list(out, 8, texts.len());
            for content in texts {
                text(out, content);
            }
        }
        Value::Numbers(numbers) => {
            list(out, 5, numbers.len());
            for number in numbers {
                out.extend(number.to_le_bytes());
            }
        }
        Value::Floats(numbers) => {
            list(out, 6, numbers.len());
            for number in numbers {
                out.extend(number.to_le_bytes());
            }
        }
    }
}

fn list(out: &mut Vec<u8>, kind: u32, length: usize) {
    out.extend(9u32.to_le_bytes());
    out.extend(kind.to_le_bytes());
    out.extend((length as u64).to_le_bytes());
}
