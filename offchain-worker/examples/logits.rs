//! The float model's logits, to compare with another program's:
//! `cargo run -p noema-worker --example logits -- <source> <device> <text> <count> <output>`.
//!
//! Reads the first `<count>` tokens of the file `<text>` with the model in `<source>`, a GGUF file or a
//! Hugging Face folder, on `<device>`: `cpu` or `gpu[:<index>]`. `<output>` receives the logits after each
//! token as little-endian 32-bit floats, one row for each. Prints one JSON object: the device and the tokens.

use noema_executor::{DeviceChoice, DeviceOptions};
use noema_worker::{import::FloatSource, reference::Float};
use std::{
    env,
    error::Error,
    fs::{read_to_string, File},
    io::{BufWriter, Write},
    path::Path,
};
use tokenizers::Tokenizer;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [source, device, text, count, output] = arguments.as_slice() else {
        return Err("expected: <source> <device> <text> <count> <output>".into());
    };
    let device = DeviceOptions {
        choice: device.parse::<DeviceChoice>()?,
        ..Default::default()
    };
    let device = device.select()?;
    let source = FloatSource::open(Path::new(source), &())?;
    let tokenizer = Tokenizer::from_bytes(source.tokenizer()).map_err(|e| e.to_string())?;
    let text = tokenizer
        .encode(read_to_string(text)?, false)
        .map_err(|e| e.to_string())?;
    let count = count.parse::<usize>()?;
    let tokens = text.get_ids().get(..count);
    let tokens = tokens.ok_or_else(|| format!("the text has fewer than {count} tokens"))?;

    let float = Float::load(&source, &device, count)?;
    let mut output = BufWriter::new(File::create(output)?);
    let mut written = Ok(());
    float.logits(tokens, |logits| {
        for logit in logits {
            if written.is_ok() {
                written = output.write_all(&logit.to_le_bytes());
            }
        }
    })?;
    written?;
    output.flush()?;
    let name = device.adapter().map_or("cpu", |adapter| &adapter.name);
    let said = serde_json::json!({ "device": name, "tokens": tokens });
    println!("{said}");
    Ok(())
}
