//! The decoders that make a text of any tokens, and no text that is much longer than theirs.

use super::{kind, replaced, Unsupported};
use tokenizers::{DecoderWrapper, Tokenizer};

/// The most by which replacements may lengthen a text.
const MOST_GROWTH: u64 = 64;

/// Refuses a tokenizer whose decoder could fail on some tokens, panic, or need much memory for them: a worker
/// would have no text for its answer.
pub(in crate::engine) fn check_decoder(tokenizer: &Tokenizer) -> Result<(), Unsupported> {
    let growth = tokenizer.get_decoder().map_or(Ok(1), growth)?;
    if growth > MOST_GROWTH {
        return Err(Unsupported::new(
            format!("a decoder in its tokenizer that makes texts {growth} times as long"),
            format!("decoders that make them at most {MOST_GROWTH} times as long are"),
        ));
    }
    Ok(())
}

/// The most by which `decoder` multiplies the bytes of a text, apart from bytes that are not UTF-8.
fn growth(decoder: &DecoderWrapper) -> Result<u64, Unsupported> {
    match decoder {
        DecoderWrapper::Sequence(steps) => {
            let steps = steps.get_decoders().iter();
            steps
                .map(growth)
                .try_fold(1, |all: u64, step| Ok(all.saturating_mul(step?)))
        }
        DecoderWrapper::Replace(replace) => match replaced(replace) {
            Some(pattern) if !pattern.is_empty() => {
                let growth = replace.content.len().div_ceil(pattern.len());
                Ok(growth.max(1) as u64)
            }
            _ => Err(undecodable("Replace with a regular expression")),
        },
        // At the end of a text that is shorter than the rest of it, the library panics.
        DecoderWrapper::Strip(strip) if strip.stop > 0 => {
            Err(undecodable("Strip at the end of a text"))
        }
        DecoderWrapper::ByteLevel(_)
        | DecoderWrapper::Metaspace(_)
        | DecoderWrapper::Fuse(_)
        | DecoderWrapper::ByteFallback(_)
        | DecoderWrapper::Strip(_) => Ok(1),
        other => Err(undecodable(&kind(other))),
    }
}

fn undecodable(decoder: &str) -> Unsupported {
    Unsupported::new(
        format!("the decoder {decoder} in its tokenizer"),
        "ByteLevel, Metaspace, Fuse, ByteFallback, Strip at the beginning, Replace with a fixed text, and sequences of them are",
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;
    use serde_json::{json, Value};

    fn refused(decoder: Value) -> Option<String> {
        let json = sample::byte_level(|written| written["decoder"] = decoder);
        let tokenizer = Tokenizer::from_bytes(json).expect("a tokenizer");
        check_decoder(&tokenizer).err().map(|error| error.what)
    }

    #[test]
    fn a_decoder_that_could_fail_is_refused() {
        let replace = |content: &str| json!({ "type": "Replace", "pattern": { "String": "a" }, "content": content });
        let strip =
            |stop: usize| json!({ "type": "Strip", "content": " ", "start": 1, "stop": stop });
        let regex = json!({ "type": "Replace", "pattern": { "Regex": "a*" }, "content": "b" });
        let sequence = |steps: Vec<Value>| json!({ "type": "Sequence", "decoders": steps });
        assert_eq!(refused(Value::Null), None);
        assert_eq!(refused(sequence(vec![replace("bb"), strip(0)])), None);
        for (decoder, problem) in [
            (sequence(vec![replace("aa"); 40]), "times as long"),
            (sequence(vec![strip(1)]), "Strip at the end"),
            (regex, "Replace with a regular expression"),
            (
                json!({ "type": "WordPiece", "prefix": "##", "cleanup": true }),
                "the decoder WordPiece",
            ),
        ] {
            let what = refused(decoder).expect(problem);
            assert!(what.contains(problem), "{what}");
        }
    }
}
