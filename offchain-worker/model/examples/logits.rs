//! Logits of models, to compare with those of other programs:
//! `cargo run -p noema-model --example logits -- <runs> <text> <count> <folder> <source>...`.
//!
//! Reads the first `<count>` tokens of the file `<text>` with the model in each `<source>`, a GGUF file or a
//! Hugging Face folder, in each of the `<runs>`, which commas separate: `cpu` or `gpu[:<index>]`, the float model
//! on that device; or `integer`, the checkpoint of the source on the processor. `<folder>` receives the logits after
//! each token as little-endian 32-bit floats, one row for each, in a file for each source and run. Prints one line
//! of JSON for each: the source, the run, the name of the device, the tokens and the path of the file.

use noema_executor::{Device, DeviceChoice, DeviceOptions, Executor, Output, Segment};
use noema_model::{
    import::{import, run_chat_template, FloatSource, ImportOptions},
    reference::Float,
};
use noema_numerics::transformer::LOGIT_FRACTION;
use std::{
    env,
    error::Error,
    fs::{read_to_string, File},
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};
use tokenizers::Tokenizer;

/// The device of the float model in the run of that name; none for the integer model.
fn device(run: &str) -> Result<Option<Device>, Box<dyn Error>> {
    if run == "integer" {
        return Ok(None);
    }
    let options = DeviceOptions {
        choice: run.parse::<DeviceChoice>()?,
        ..Default::default()
    };
    Ok(Some(options.select()?))
}

fn main() -> ExitCode {
    if let Some(status) = run_chat_template() {
        return status;
    }
    match logits() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the logits of all sources in all runs.
fn logits() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [runs, text, count, folder, sources @ ..] = arguments.as_slice() else {
        return Err("expected: <runs> <text> <count> <folder> <source>...".into());
    };
    let mut devices = Vec::new();
    for run in runs.split(',') {
        devices.push((run, device(run)?));
    }
    let (text, count) = (read_to_string(text)?, count.parse::<usize>()?);
    let folder = Path::new(folder);
    for (index, path) in sources.iter().enumerate() {
        let source = FloatSource::open(Path::new(path), &())?;
        let tokens = tokens(&source, &text, count)?;
        for (run, device) in &devices {
            let file = folder.join(format!("{index}.{run}.f32"));
            let mut out = BufWriter::new(File::create(&file)?);
            match device {
                Some(device) => float(&source, device, &tokens, &mut out)?,
                None => integer(Path::new(path), folder, &tokens, &mut out)?,
            }
            out.flush()?;
            let adapter = device.as_ref().and_then(Device::adapter);
            let said = serde_json::json!({
                "source": path,
                "run": run,
                "device": adapter.map_or("cpu", |adapter| &adapter.name),
                "tokens": tokens,
                "logits": file.display().to_string(),
            });
            println!("{said}");
        }
    }
    Ok(())
}

/// The first tokens of the text.
fn tokens(source: &FloatSource, text: &str, count: usize) -> Result<Vec<u32>, Box<dyn Error>> {
    let tokenizer = Tokenizer::from_bytes(source.tokenizer()).map_err(|e| e.to_string())?;
    let text = tokenizer.encode(text, false).map_err(|e| e.to_string())?;
    let tokens = text.get_ids().get(..count);
    let tokens = tokens.ok_or_else(|| format!("the text has fewer than {count} tokens"))?;
    Ok(tokens.to_vec())
}

/// The logits of the float model.
fn float(
    source: &FloatSource,
    device: &Device,
    tokens: &[u32],
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let float = Float::load(source, device, tokens.len())?;
    let mut written = Ok(());
    float.logits(tokens, |logits| {
        if written.is_ok() {
            written = write(logits.iter().copied(), out);
        }
    })?;
    written?;
    Ok(())
}

/// The logits of the checkpoint of `source`, which is imported into `home`.
fn integer(
    source: &Path,
    home: &Path,
    tokens: &[u32],
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    // The context decides between two scalings of the rotation where a model has two.
    let options = ImportOptions {
        context: Some(u32::try_from(tokens.len())?),
        ..Default::default()
    };
    let checkpoint = Arc::new(import(source, home, &options, &())?);
    let mut executor: Box<dyn Executor> = Device::cpu(None).executor(checkpoint)?;
    let segment = Segment {
        sequence: executor.open(tokens.len())?,
        start: 0,
        tokens,
        wanted: 0..tokens.len(),
    };
    let mut output = Output::default();
    executor.run(&[segment], &mut output)?;
    let unit = f32::powi(2.0, -LOGIT_FRACTION);
    let logits = output.logits.iter().map(|logit| *logit as f32 * unit);
    write(logits, out)?;
    Ok(())
}

fn write(logits: impl Iterator<Item = f32>, out: &mut impl Write) -> io::Result<()> {
    for logit in logits {
        out.write_all(&logit.to_le_bytes())?;
    }
    Ok(())
}
