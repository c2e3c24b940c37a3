//! A small model with seeded weights, and writers for both source formats.

pub(crate) mod blocks;
pub(crate) mod gguf;
pub(crate) mod huggingface;

use noema_model::{
    checkpoint::OpenCheckpoint,
    import::{import, ImportError, ImportOptions},
};
use std::path::Path;

/// Control tokens of the small model's tokenizer.
pub(crate) const CONTROL: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

/// Merges of the small model's tokenizer.
pub(crate) const MERGES: [&str; 5] = ["h e", "l l", "he ll", "hell o", "Ġ w"];

pub(crate) const TEMPLATE: &str =
    "{% for message in messages %}{{ message['content'] }}{% endfor %}";

/// The model types, as `config.json` names them.
pub(crate) const MODEL_TYPES: [&str; 8] = [
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "qwen3_moe",
    "smollm3",
    "phi3",
    "gemma3_text",
];

/// Experts of a model that has some: those of a layer, those of a position, and their width.
pub(crate) const EXPERTS: [usize; 3] = [6, 2, 32];

/// A model whose tensors are kept under their Hugging Face names and in that row order.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) model_type: &'static str,
    pub(crate) layers: usize,
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) feed_forward: usize,
    pub(crate) context: usize,
    pub(crate) tied: bool,
    pub(crate) biases: bool,
    /// Layers without experts, of a type that has them.
    pub(crate) dense_layers: Vec<usize>,
    /// What the weights of queries are multiplied by: attention with small ones is nearly even, so that positions
    /// do not matter.
    pub(crate) query_scale: f32,
    pub(crate) tokens: Vec<String>,
}

/// A tensor: its name in a GGUF file, its name in a safetensors file, and its shape. Of the matrices of experts, `*` is
/// the place of the expert's number in a safetensors file.
pub(crate) struct Tensor {
    pub(crate) gguf: String,
    pub(crate) huggingface: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Model {
    /// The smallest model with every part: fit for tests that import it hundreds of times.
    pub(crate) fn tiny() -> Self {
        Self {
            model_type: "llama",
            layers: 1,
            hidden: 32,
            heads: 2,
            kv_heads: 1,
            head_dim: 32,
            feed_forward: 64,
            context: 16,
            tied: true,
            biases: false,
            dense_layers: Vec::new(),
            query_scale: 1.0,
            tokens: tokens(),
        }
    }

    /// A model of the type, with enough layers for all that distinguishes it.
    pub(crate) fn of(model_type: &'static str) -> Self {
        Self {
            model_type,
            layers: match model_type {
                // The last of six has no window.
                "gemma3_text" => 7,
                _ => 4,
            },
            hidden: 64,
            heads: 4,
            kv_heads: 2,
            biases: model_type == "qwen2",
            query_scale: 32.0,
            ..Self::tiny()
        }
    }

    /// The window of attention, in all layers or most.
    pub(crate) fn window(&self) -> Option<u32> {
        matches!(self.model_type, "mistral" | "phi3" | "gemma3_text").then_some(5)
    }

    /// Whether a folder has gains less one.
    pub(crate) fn has_offset(&self) -> bool {
        self.model_type == "gemma3_text"
    }

    /// A model whose rows are long enough for every quantisation.
    pub(crate) fn wide() -> Self {
        Self {
            layers: 2,
            hidden: 256,
            heads: 4,
            kv_heads: 2,
            head_dim: 64,
            feed_forward: 512,
            ..Self::tiny()
        }
    }

    /// The layers with experts.
    pub(crate) fn is_sparse(&self, layer: usize) -> bool {
        self.model_type == "qwen3_moe" && !self.dense_layers.contains(&layer)
    }

    /// Names and shapes of the matrices of a feed-forward layer.
    fn feed_forward(&self, layer: usize) -> Vec<(&'static str, &'static str, Vec<usize>)> {
        let (d, ff) = (self.hidden, self.feed_forward);
        if !self.is_sparse(layer) {
            return vec![
                ("ffn_gate", "mlp.gate_proj", vec![ff, d]),
                ("ffn_up", "mlp.up_proj", vec![ff, d]),
                ("ffn_down", "mlp.down_proj", vec![d, ff]),
            ];
        }
        let [count, _, width] = EXPERTS;
        vec![
            ("ffn_gate_inp", "mlp.gate", vec![count, d]),
            (
                "ffn_gate_exps",
                "mlp.experts.*.gate_proj",
                vec![count, width, d],
            ),
            (
                "ffn_up_exps",
                "mlp.experts.*.up_proj",
                vec![count, width, d],
            ),
            (
                "ffn_down_exps",
                "mlp.experts.*.down_proj",
                vec![count, d, width],
            ),
        ]
    }

    pub(crate) fn tensors(&self) -> Vec<Tensor> {
        let attention = self.heads * self.head_dim;
        let kv = self.kv_heads * self.head_dim;
        let (d, vocabulary) = (self.hidden, self.tokens.len());
        let mut list = vec![(
            "token_embd".to_owned(),
            "model.embed_tokens".to_owned(),
            vec![vocabulary, d],
        )];
        for layer in 0..self.layers {
            let before = match self.model_type {
                "gemma3_text" => "pre_feedforward_layernorm",
                _ => "post_attention_layernorm",
            };
            for (gguf, huggingface, shape) in [
                ("attn_norm", "input_layernorm", vec![d]),
                ("attn_q", "self_attn.q_proj", vec![attention, d]),
                ("attn_k", "self_attn.k_proj", vec![kv, d]),
                ("attn_v", "self_attn.v_proj", vec![kv, d]),
                ("attn_output", "self_attn.o_proj", vec![d, attention]),
                ("ffn_norm", before, vec![d]),
            ]
            .into_iter()
            .chain(self.feed_forward(layer))
            {
                list.push((
                    format!("blk.{layer}.{gguf}"),
                    format!("model.layers.{layer}.{huggingface}"),
                    shape,
                ));
            }
            let more: &[(&str, &str, usize)] = match self.model_type {
                _ if self.biases => &[
                    ("attn_q.bias", "self_attn.q_proj.bias", attention),
                    ("attn_k.bias", "self_attn.k_proj.bias", kv),
                    ("attn_v.bias", "self_attn.v_proj.bias", kv),
                ],
                "qwen3" | "qwen3_moe" => &[
                    ("attn_q_norm", "self_attn.q_norm", self.head_dim),
                    ("attn_k_norm", "self_attn.k_norm", self.head_dim),
                ],
                "gemma3_text" => &[
                    ("attn_q_norm", "self_attn.q_norm", self.head_dim),
                    ("attn_k_norm", "self_attn.k_norm", self.head_dim),
                    ("post_attention_norm", "post_attention_layernorm", d),
                    ("post_ffw_norm", "post_feedforward_layernorm", d),
                ],
                _ => &[],
            };
            list.extend(more.iter().map(|(gguf, huggingface, length)| {
                (
                    format!("blk.{layer}.{gguf}"),
                    format!("model.layers.{layer}.{huggingface}"),
                    vec![*length],
                )
            }));
        }
        list.push(("output_norm".into(), "model.norm".into(), vec![d]));
        if !self.tied {
            list.push(("output".into(), "lm_head".into(), vec![vocabulary, d]));
        }
        let mut random = Random(1);
        let tensors = list
            .into_iter()
            .map(|(gguf, huggingface, shape)| {
                let length = shape.iter().product();
                let bias = gguf.ends_with(".bias");
                let end = if bias { "" } else { ".weight" };
                let norm = shape.len() == 1 && !bias;
                let scale = match gguf.ends_with("attn_q") {
                    true => self.query_scale,
                    false => 1.0,
                };
                let values = (0..length).map(|_| random.weight(norm) * scale);
                Tensor {
                    gguf: format!("{gguf}{end}"),
                    huggingface: format!("{huggingface}{end}"),
                    shape,
                    values: values.collect(),
                }
            })
            .collect();
        match self.model_type {
            "phi3" => fused(tensors),
            _ => tensors,
        }
    }
}

/// Joins the projections, and the gate with the up projection, as Phi-3 has them.
fn fused(tensors: Vec<Tensor>) -> Vec<Tensor> {
    let name = |name: &str| {
        let parts = [
            ("attn_q.", "attn_qkv."),
            ("attn_k.", "attn_qkv."),
            ("attn_v.", "attn_qkv."),
            ("ffn_gate.", "ffn_up."),
            ("q_proj.", "qkv_proj."),
            ("k_proj.", "qkv_proj."),
            ("v_proj.", "qkv_proj."),
            ("gate_proj.", "gate_up_proj."),
            (".up_proj.", ".gate_up_proj."),
        ];
        let found = parts.iter().find(|(part, _)| name.contains(part));
        found.map_or(name.to_owned(), |(part, whole)| name.replace(part, whole))
    };
    let mut found: Vec<Tensor> = Vec::new();
    for tensor in tensors {
        let (gguf, huggingface) = (name(&tensor.gguf), name(&tensor.huggingface));
        match found.last_mut().filter(|last| last.gguf == gguf) {
            Some(last) => {
                last.shape[0] += tensor.shape[0];
                last.values.extend(tensor.values);
            }
            None => found.push(Tensor {
                gguf,
                huggingface,
                ..tensor
            }),
        }
    }
    found
}

/// The byte alphabet, the control tokens before it, and the results of the merges.
fn tokens() -> Vec<String> {
    let printable = |byte: u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let mut shifted = 256..;
    let alphabet = (0..256u32).map(|byte| {
        let code = if printable(byte) {
            byte
        } else {
            shifted.next().unwrap()
        };
        char::from_u32(code).unwrap().to_string()
    });
    let merged = MERGES.iter().map(|merge| merge.replace(' ', ""));
    let control = CONTROL.iter().map(|token| (*token).to_owned());
    control.chain(alphabet).chain(merged).collect()
}

/// A vocabulary of SentencePiece: its tokens, their types and their scores.
pub(crate) fn pieces() -> (Vec<String>, Vec<i32>, Vec<f32>) {
    const WORDS: [&str; 12] = [
        "he", "ll", "hell", "hello", "▁hello", "▁w", "▁", "h", "e", "l", "o", "w",
    ];
    let piece = |token: &str, kind, score| (token.to_owned(), kind, score);
    let mut list = vec![
        piece("<unk>", 2, 0.0),
        piece("<s>", 3, 0.0),
        piece("</s>", 3, 0.0),
    ];
    list.extend((0..=u8::MAX).map(|byte| piece(&format!("<{byte:#04X}>"), 6, 0.0)));
    let scores = (0u8..).map(|rank| -f32::from(rank));
    list.extend(
        WORDS
            .iter()
            .zip(scores)
            .map(|(word, score)| piece(word, 1, score)),
    );
    list.push(piece("<think>", 4, 0.0));
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (token, kind, score) in list {
        columns.0.push(token);
        columns.1.push(kind);
        columns.2.push(score);
    }
    columns
}

/// A linear congruential generator: the same numbers everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    pub(crate) fn byte(&mut self) -> u8 {
        (self.next() >> 8) as u8
    }

    /// A value that bf16 and f16 represent exactly, so that all float formats hold the same model.
    fn weight(&mut self, norm: bool) -> f32 {
        let value = (self.next() % 128) as f32 / 128.0 - 0.5;
        if norm {
            1.0 + value
        } else {
            value / 8.0
        }
    }
}

pub(crate) fn import_into(source: &Path, home: &Path) -> Result<OpenCheckpoint, ImportError> {
    import(source, home, &options(), &())
}

/// The options of an import whose chat template the worker runs: the program of a test does not.
pub(crate) fn options() -> ImportOptions {
    ImportOptions {
        program: Some(env!("CARGO_BIN_EXE_noema-chat-template").into()),
        ..ImportOptions::default()
    }
}

/// Imports a GGUF file of these bytes into a fresh home.
pub(crate) fn import_gguf(bytes: &[u8]) -> Result<OpenCheckpoint, ImportError> {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("model.gguf");
    std::fs::write(&source, bytes).unwrap();
    // The mapping outlives the directory's removal.
    import_into(&source, directory.path())
}

/// Names under `<home>/checkpoints` that are not a checkpoint.
pub(crate) fn leftovers(home: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(home.join("checkpoints")) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.len() != 64 && name != ".lock")
        .collect()
}
