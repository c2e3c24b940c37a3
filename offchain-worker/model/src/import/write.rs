//! Writing the checkpoint of a source.

use super::{
    files::release,
    model::{Model, Weights},
    quantise::{self, Fault},
    rope::Ropes,
    ImportError, ImportOptions, ImportProgress, ImportStage, DEFAULT_CONTEXT,
};
use crate::chat_template::{check_length, process, TemplateFault};
use crate::checkpoint::{
    parallel_root, Library, OpenCheckpoint, Staging, CHAT_TEMPLATE, MANIFEST, TOKENIZER, WEIGHTS,
};
use crate::engine::prompt::{self, Bounds, PromptCodec, PromptError, Unsupported};
use memmap2::Mmap;
use noema_checkpoint::{
    blake2_256,
    layout::{tensor_count, tensors, weights_bytes, TensorKind},
    Architecture, Frame, Manifest, ManifestError, FORMAT, H256, TEXT_LAYER_VERSION,
};
use noema_numerics::NUMERICS_VERSION;
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// Bytes of the written weights that are hashed before their memory is released.
const RELEASED_BYTES: u64 = 64 << 20;

/// Quantises `weights` and puts the checkpoint into the library under `home`.
pub(super) fn write(
    model: Model,
    weights: &dyn Weights,
    home: &Path,
    options: &ImportOptions,
    progress: &dyn ImportProgress,
) -> Result<OpenCheckpoint, ImportError> {
    let architecture = Architecture {
        context_length: context(&model, options)?,
        ..model.architecture
    };
    let frame = frame(&model, &architecture, weights.path(), options)?;
    let bounds = bounds(&model, frame.as_ref(), &architecture, weights.path())?;
    let mut manifest = Manifest {
        format: FORMAT,
        numerics: NUMERICS_VERSION,
        text_layer: TEXT_LAYER_VERSION,
        name: options.name.clone().unwrap_or(model.name),
        licence: options.licence.clone().unwrap_or(model.licence),
        architecture,
        exponents: vec![0; tensor_count(&architecture).map_err(ManifestError::Architecture)?],
        weights_root: H256::zero(),
        weights_bytes: weights_bytes(&architecture).map_err(ManifestError::Architecture)?,
        tokenizer_hash: blake2_256(&model.tokenizer),
        chat_template_hash: blake2_256(model.chat_template.as_bytes()),
        frame,
        tokens_per_byte: bounds.tokens_per_byte,
        template_tokens: bounds.template_tokens,
        bos: model.bos,
        eos: model.eos,
        stops: model.stops,
        source: model.source,
    };
    // Everything except exponents and root is known, so a refusal need not wait for them.
    manifest.check()?;
    let library = Library::new(home);
    let temporary = Staging::create(library.root())?;
    (manifest.exponents, manifest.weights_root) =
        write_weights(&temporary, &architecture, &model.ropes, weights, progress)?;
    temporary.file(TOKENIZER, &model.tokenizer)?;
    if !model.chat_template.is_empty() {
        temporary.file(CHAT_TEMPLATE, model.chat_template.as_bytes())?;
    }
    let path = temporary.path().join(MANIFEST);
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| ImportError::write(&path, error.into()))?;
    text.push(b'\n');
    temporary.file(MANIFEST, &text)?;
    Ok(temporary.publish(&library, manifest.id())?)
}

/// The frame that the source's chat template puts around a message; `None` without a template.
fn frame(
    model: &Model,
    architecture: &Architecture,
    path: &Path,
    options: &ImportOptions,
) -> Result<Option<Frame>, ImportError> {
    if model.chat_template.is_empty() {
        return Ok(None);
    }
    check_length(&model.chat_template).map_err(|problem| {
        let problem = format!("which is too long: it {problem}");
        ImportError::value(path, "a chat template", problem)
    })?;
    let trial = prompt::trial(
        &model.tokenizer,
        &model.chat_template,
        model.bos,
        model.eos,
        architecture,
    )
    .map_err(|error| unusable(path, error))?;
    let failed = |program: &Path, source| ImportError::Program {
        program: program.into(),
        path: path.into(),
        source,
    };
    let program = match &options.program {
        Some(program) => program.clone(),
        None => {
            let this = process::this_program();
            let hinted = |error| io::Error::other(format!("{error} in ImportOptions::program"));
            this.map_err(|error| failed("this program".as_ref(), hinted(error)))?
        }
    };
    match process::frame(&program, &trial).map_err(|source| failed(&program, source))? {
        Ok(frame) => Ok(Some(frame)),
        Err(TemplateFault::Syntax(reason)) => Err(ImportError::value(
            path,
            "a chat template",
            format!("which does not compile: {reason}"),
        )),
        Err(TemplateFault::Refused(reason)) => Err(ImportError::unsupported(
            path,
            format!("a chat template that {reason}"),
            "templates that put text before and after a message are",
        )),
    }
}

/// The most tokens that a prompt can have, proven from the source's tokenizer and the frame.
fn bounds(
    model: &Model,
    frame: Option<&Frame>,
    architecture: &Architecture,
    path: &Path,
) -> Result<Bounds, ImportError> {
    PromptCodec::new(
        &model.tokenizer,
        frame,
        model.bos,
        model.eos,
        &model.stops,
        architecture,
    )
    .map(|prompts| prompts.bounds())
    .map_err(|error| unusable(path, error))
}

fn unusable(path: &Path, error: PromptError) -> ImportError {
    match error {
        PromptError::Tokenizer(problem) => ImportError::tokenizer(path, problem),
        PromptError::OtherTables(error) => ImportError::OtherTables(error.to_string()),
        PromptError::Unsupported(Unsupported { what, hint }) => {
            ImportError::unsupported(path, what, hint)
        }
    }
}

fn context(model: &Model, options: &ImportOptions) -> Result<u32, ImportError> {
    let trained = model.architecture.context_length;
    match options.context {
        None => {
            let usual = trained.min(DEFAULT_CONTEXT);
            Ok(model
                .ropes
                .usual
                .short_context()
                .map_or(usual, |short| short.min(usual)))
        }
        Some(asked) if (1..=trained).contains(&asked) => Ok(asked),
        Some(asked) => Err(ImportError::Context {
            asked,
            limit: trained,
        }),
    }
}

/// Writes `weights.bin`; returns exponents and Merkle root.
fn write_weights(
    temporary: &Staging,
    architecture: &Architecture,
    ropes: &Ropes,
    weights: &dyn Weights,
    progress: &dyn ImportProgress,
) -> Result<(Vec<i8>, H256), ImportError> {
    let specs = tensors(architecture).map_err(ManifestError::Architecture)?;
    let total = specs.iter().map(|spec| spec.bytes()).sum();
    progress.begin(ImportStage::Quantise, total);
    let path = temporary.path().join(WEIGHTS);
    let failed = |error| ImportError::write(&path, error);
    let file = File::create_new(&path).map_err(failed)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut exponents = Vec::with_capacity(specs.len());
    for spec in &specs {
        let exponent = match spec.kind {
            TensorKind::Linear { rows, columns } => {
                let (rows, columns) = (rows as usize, columns as usize);
                quantise::linear(weights, spec, rows, columns, &mut out, progress)
            }
            TensorKind::Gain { length } => {
                quantise::gain(weights, spec, length as usize, &mut out, progress)
            }
            _ => {
                let positions = architecture.context_length as usize;
                let rope = ropes.table(spec.role);
                let table = rope.table(positions, architecture.head_dim as usize);
                progress.advance(table.len() as u64);
                out.write_all(&table).map(|()| 0).map_err(Fault::Write)
            }
        };
        exponents.push(exponent.map_err(|fault| match fault {
            Fault::Source(error) => error,
            Fault::Write(error) => failed(error),
        })?);
        weights.release();
    }
    let file = out.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)?;

    let file = File::open(&path).map_err(failed)?;
    // SAFETY: the mapping is read-only, and the temporary directory is locked by this process.
    let written = unsafe { Mmap::map(&file) }.map_err(failed)?;
    progress.begin(ImportStage::Root, total);
    let hashed = AtomicU64::new(0);
    let root = parallel_root(&written, &|bytes| {
        progress.advance(bytes);
        let before = hashed.fetch_add(bytes, Ordering::Relaxed);
        if (before + bytes) / RELEASED_BYTES > before / RELEASED_BYTES {
            release(&written);
        }
    });
    Ok((exponents, root))
}
