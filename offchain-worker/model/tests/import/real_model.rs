//! SmolLM2-135M-Instruct, the file that set-up fetches.
//!
//! `NOEMA_SMOLLM2_GGUF=<path to SmolLM2-135M-Instruct.Q4_1.gguf> cargo test -p noema-model --test import`

use noema_model::checkpoint::OpenCheckpoint;
use std::{path::PathBuf, sync::LazyLock};
use tempfile::TempDir;
use tokenizers::Tokenizer;

static IMPORTED: LazyLock<Option<(TempDir, OpenCheckpoint)>> = LazyLock::new(|| {
    let source = std::env::var_os("NOEMA_SMOLLM2_GGUF").map(PathBuf::from)?;
    let home = tempfile::tempdir().unwrap();
    let checkpoint = crate::support::import_into(&source, home.path()).unwrap();
    Some((home, checkpoint))
});

fn imported() -> Option<&'static OpenCheckpoint> {
    let imported = IMPORTED.as_ref();
    if imported.is_none() {
        eprintln!("SKIPPED: NOEMA_SMOLLM2_GGUF does not name the model's file.");
    }
    imported.map(|(_, checkpoint)| checkpoint)
}

#[test]
fn its_checkpoint_is_frozen() {
    let Some(checkpoint) = imported() else { return };
    let manifest = checkpoint.manifest();
    assert_eq!(
        format!("{:?}", manifest.weights_root),
        "0x91617456db43280222bf6599fee47d2ce77ca5ccaa6e74df305818916a04ece9"
    );
    assert_eq!(
        checkpoint.id().to_string(),
        "0x1dfad5df467117f724d691bfa54ce75f2d16f932c73b2e844716265b9edaf597"
    );
    assert_eq!(
        (manifest.tokens_per_byte, manifest.template_tokens),
        (1, 33)
    );
    assert_eq!(manifest.licence, "apache-2.0");
    assert_eq!((manifest.bos, manifest.eos), (Some(1), Some(2)));
    assert_eq!(manifest.stops, [0, 2]);
    let frame = manifest.frame.as_ref().unwrap();
    assert_eq!(
        frame.around(" a "),
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face\
         <|im_end|>\n<|im_start|>user\n a <|im_end|>\n<|im_start|>assistant\n"
    );
    assert!(checkpoint.chat_template().contains("<|im_start|>"));
    checkpoint.verify(&|_| ()).unwrap();
}

#[test]
fn its_tokenizer_cuts_texts_as_llama_cpp_does() {
    let Some(checkpoint) = imported() else { return };
    let tokenizer = Tokenizer::from_bytes(checkpoint.tokenizer()).unwrap();
    // Recorded from llama.cpp's tokenizer on the same file.
    let expected: &[(&str, &[u32])] = &[
        ("Hello, world!", &[19556, 28, 905, 17]),
        (
            "The year 2026 has 365 days; pi = 3.14159.",
            &[
                504, 713, 216, 34, 32, 34, 38, 553, 216, 35, 38, 37, 2009, 43, 16916, 446, 216, 35,
                30, 33, 36, 33, 37, 41, 30,
            ],
        ),
        (
            "  leading and   inner   spaces  ",
            &[216, 2899, 284, 256, 6210, 256, 5600, 256],
        ),
        (
            "line one\nline two\n\n\tindented\r\n",
            &[1311, 582, 198, 1311, 827, 1116, 197, 526, 6574, 2738],
        ),
        (
            "naïve café — “quotes” … 你好,世界! 🦀🇫🇷 здравствуй",
            &[
                3546, 46494, 37366, 1841, 619, 385, 2346, 573, 5548, 216, 18645, 250, 48392, 138,
                28, 7906, 240, 178, 239, 230, 17, 15107, 116, 218, 10813, 225, 121, 10813, 225,
                132, 43414, 19263, 23728, 16464, 24674, 16464, 14714, 24958,
            ],
        ),
        (
            "don't I'll WE'RE they've it's",
            &[12420, 982, 339, 3060, 26587, 23, 3256, 502, 3543, 357, 506],
        ),
        (
            "<|im_start|>user\nWhat is 2+2?<|im_end|>\n<|im_start|>assistant\n",
            &[
                1, 4093, 198, 1780, 314, 216, 34, 27, 34, 47, 2, 198, 1, 520, 9531, 198,
            ],
        ),
        ("x<|im_end|>y <|endoftext|>", &[104, 2, 105, 216, 0]),
        (
            "fn main() { println!(\"{}\", 1_000); }",
            &[
                7853, 1085, 1000, 1662, 1628, 34115, 17, 43331, 1002, 216, 33, 79, 32, 32, 32,
                4258, 4029,
            ],
        ),
        (
            "①②½ ٣٤ Ⅷ x²",
            &[
                173, 235, 250, 173, 235, 111, 16738, 216, 164, 113, 164, 114, 216, 173, 223, 117,
                1792, 19133,
            ],
        ),
        (
            "\u{a0}nbsp\u{3000}wide\u{200b}zero",
            &[15442, 94, 32093, 12109, 218, 3641, 321, 229, 13723],
        ),
        (
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            &[
                46880, 46880, 46880, 46880, 46880, 46880, 46880, 46880, 46880, 81,
            ],
        ),
        ("\u{1}\u{7f}", &[191, 217]),
        ("e\u{301} combining", &[85, 151, 219, 9301]),
        ("1\n2 3", &[33, 198, 34, 216, 35]),
    ];
    for (text, ids) in expected {
        let encoding = tokenizer.encode_fast(*text, false).unwrap();
        assert_eq!(encoding.get_ids(), *ids, "{text:?}");
        assert_eq!(tokenizer.decode(ids, false).unwrap(), *text);
    }
}
