//! What a normalizer does with a text.

use super::part;
use noema_split::{Spaces, Unsupported};
use serde_json::{json, Value};
use tokenizers::NormalizerWrapper;

/// Whether a normalizer brings a text into NFC, and what becomes of the spaces. `space` is what the pre-tokenizer does
/// with them.
pub(super) fn of(
    normalizer: Option<&NormalizerWrapper>,
    is_byte_level: bool,
    space: Option<Spaces>,
) -> Result<(bool, Spaces), Unsupported> {
    let mut steps = Vec::new();
    if let Some(normalizer) = normalizer {
        // Their parts are accessible only in their serialized form.
        flatten(
            serde_json::to_value(normalizer).unwrap_or_default(),
            &mut steps,
        );
    }
    let replace = json!({ "type": "Replace", "pattern": { "String": " " }, "content": "\u{2581}" });
    let prepend = json!({ "type": "Prepend", "prepend": "\u{2581}" });
    let nfc = json!({ "type": "NFC" });
    match (steps.as_slice(), is_byte_level, space) {
        ([], true, None) => Ok((false, Spaces::Kept)),
        ([only], true, None) if *only == nfc => Ok((true, Spaces::Kept)),
        ([], false, space) => Ok((false, space.unwrap_or(Spaces::Kept))),
        ([only], false, None) if *only == replace => Ok((false, Spaces::Marked)),
        ([first, second], false, None) if *first == prepend && *second == replace => {
            Ok((false, Spaces::MarkedAfterMark))
        }
        _ => Err(part("a normalizer for which there are no steps")),
    }
}

fn flatten(step: Value, steps: &mut Vec<Value>) {
    match step["normalizers"].as_array() {
        Some(parts) => parts.iter().cloned().for_each(|part| flatten(part, steps)),
        None => steps.push(step),
    }
}
