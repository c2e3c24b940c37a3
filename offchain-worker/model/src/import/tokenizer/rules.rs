//! Rules that cut a text into words before byte-level BPE, by the names that llama.cpp gives them
//! (`tokenizer.ggml.pre`).

use serde_json::{json, Value};

/// Contractions, words with the character before them, numbers of up to three digits, punctuation with
/// line breaks, white space.
const LLAMA_3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The same with single digits.
const QWEN_2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The same with marks as parts of words.
const QWEN_3_5: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Without contractions: suffixes after an apostrophe stay with it.
const UFAKZEKA: &str =
    r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const JAIS_2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}";
const SEED_CODER: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const BAILING_MOE: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const EXAONE_MOE: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+";
const MINICPM_5: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Words are cut where a capital letter follows a small one.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The same with contractions as parts of words, and numbers of up to three digits.
const GPT_4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// GPT-2: contractions, words and numbers with the space before them, white space.
const GPT_2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const DEEPSEEK_3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
/// Words and the punctuation marks that end sentences in several scripts.
const BLOOM: &str = r" ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+";
const HAN_AND_KANA: &str = r"[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+";
const EAST_ASIAN: &str = r"[\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+";

/// Rules for cutting a text into words.
pub(super) struct Rules {
    pub(super) pre_tokenizer: Value,
    pub(super) normalizer: Value,
    /// Whether a word that is a token becomes this token, whatever the merges.
    pub(super) ignore_merges: bool,
    /// Whether a text begins with the token for that, unless the file says otherwise.
    pub(super) begins_text: bool,
}

impl Rules {
    pub(super) fn named(name: &str) -> Option<Self> {
        let plain = |pre_tokenizer| Self {
            pre_tokenizer,
            normalizer: Value::Null,
            ignore_merges: false,
            begins_text: false,
        };
        let cut = |patterns: &[&str]| plain(cuts(patterns));
        Some(match name {
            "gpt-2" | "gpt2" | "phi-2" | "gigachat" | "a.x-4.0" | "mellum" | "mpt" | "olmo"
            | "jais" | "trillion" | "granite-docling" | "exaone4" => plain(byte_level(true)),
            "smollm" | "starcoder" | "refact" | "codeshell" | "command-r" | "exaone"
            | "minerva-7b" | "mellum2" => plain(json!({
                "pretokenizers": [
                    { "individual_digits": true, "type": "Digits" },
                    byte_level(true)
                ],
                "type": "Sequence"
            })),
            "default" => cut(&[r"[\p{P}\$\+<=>\^~\|]+", GPT_2, r"\p{N}+", "[0-9][0-9][0-9]"]),
            "falcon" => cut(&[r"[\p{P}\$\+<=>\^~\|`]+", GPT_2, "[0-9][0-9][0-9]"]),
            "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "falcon-h1" | "pixtral"
            | "midm-2.0" | "lfm2" => Self {
                ignore_merges: true,
                begins_text: true,
                ..cut(&[LLAMA_3])
            },
            "dbrx" | "smaug-bpe" | "glm4" | "chatglm-bpe" => cut(&[LLAMA_3]),
            "qwen2" | "deepseek-r1-qwen" | "kormo" | "f2llmv2" | "megrez" => Self {
                normalizer: json!({ "type": "NFC" }),
                ..cut(&[QWEN_2])
            },
            "stablelm2" | "hunyuan" | "solar-open" | "grok-2" => cut(&[QWEN_2]),
            "qwen35" => Self {
                normalizer: json!({ "type": "NFC" }),
                ..cut(&[QWEN_3_5])
            },
            "ufakzeka" => cut(&[UFAKZEKA]),
            "laguna" => cut(&[r"[^\n]+|[\n]+", QWEN_2]),
            "jais-2" => cut(&[JAIS_2]),
            "seed-coder" => cut(&[SEED_CODER]),
            "bailingmoe" | "bailingmoe2" | "llada-moe" => cut(&[BAILING_MOE]),
            "exaone-moe" => cut(&[EXAONE_MOE]),
            "minicpm5" => Self {
                ignore_merges: true,
                ..cut(&[r"\p{N}{1,3}", MINICPM_5])
            },
            "tekken" => Self {
                ignore_merges: true,
                begins_text: true,
                ..cut(&[TEKKEN])
            },
            "gpt-4o" | "llama4" | "kanana2" | "talkie" | "minimax-m2" => cut(&[GPT_4O]),
            "deepseek-coder" => cut(&[r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", EAST_ASIAN, r"\p{N}"]),
            "deepseek-v3" | "hunyuan-dense" | "joyai-llm" | "hy_v4" => {
                cut(&[r"\p{N}{1,3}", HAN_AND_KANA, DEEPSEEK_3])
            }
            "bloom" | "poro-chat" | "gpt3-finnish" => cut(&[BLOOM]),
            "viking" => cut(&[BLOOM, r"\p{N}"]),
            "chameleon" => Self {
                begins_text: true,
                ..cut(&[
                    "<sentinel:[0-9]+>",
                    "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
                    r"([\t\n]|    |  )",
                    r"\p{N}",
                    r"[\p{P}!-/:-@\[-`{-~]",
                    GPT_2,
                ])
            },
            _ => return None,
        })
    }
}

/// Cuts at every match of each pattern in turn, and writes bytes as characters at the end.
fn cuts(patterns: &[&str]) -> Value {
    let mut steps: Vec<Value> = patterns
        .iter()
        .map(|pattern| {
            json!({
                "behavior": "Isolated",
                "invert": false,
                "pattern": { "Regex": pattern },
                "type": "Split"
            })
        })
        .collect();
    steps.push(byte_level(false));
    json!({ "pretokenizers": steps, "type": "Sequence" })
}

pub(super) fn byte_level(use_regex: bool) -> Value {
    json!({
        "add_prefix_space": false,
        "trim_offsets": true,
        "type": "ByteLevel",
        "use_regex": use_regex
    })
}
