//! The float model's logits, to compare with another program's:
//! `cargo run -p noema-worker --example logits -- <GGUF file or folder> <device> <tokens> <output>`.
//!
//! `<device>` is `cpu` or `gpu[:<index>]`, `<tokens>` a JSON array of token ids. `<output>` gets the
//! logits after each token as little-endian 32-bit floats, row-major with a row for each token.

use noema_executor::{DeviceChoice, DeviceOptions};
use noema_worker::{import::FloatSource, reference::Float};
use std::{
    env,
    error::Error,
    fs::{read, File},
    io::{BufWriter, Write},
    path::Path,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [source, device, tokens, output] = arguments.as_slice() else {
        return Err("expected: <GGUF file or folder> <device> <tokens> <output>".into());
    };
    let device = DeviceOptions {
        choice: device.parse::<DeviceChoice>()?,
        ..Default::default()
    };
    let device = device.select()?;
    let tokens: Vec<u32> = serde_json::from_slice(&read(tokens)?)?;
    let source = FloatSource::open(Path::new(source), &())?;
    let float = Float::load(&source, &device, tokens.len())?;
    let mut output = BufWriter::new(File::create(output)?);
    let mut written = Ok(());
    float.logits(&tokens, |logits| {
        if written.is_ok() {
            written = output.write_all(bytemuck::cast_slice(logits));
        }
    })?;
    written?;
    output.flush()?;
    println!("{device}");
    Ok(())
}
