//! Writing a checkpoint so that it is in the library either whole or not at all.
//!
//! Everything goes to a temporary directory beside the checkpoints, is forced to disk and put into
//! place by one rename. A file lock marks the directory as in use; the next import removes those
//! whose owner is gone.

use super::{
    model::{Model, Weights},
    quantise::{self, Fault},
    rope::Rope,
    ImportError, ImportOptions, Progress, Stage, DEFAULT_CONTEXT,
};
use crate::checkpoint::{
    parallel_root, Library, OpenCheckpoint, CHAT_TEMPLATE, MANIFEST, TOKENIZER, WEIGHTS,
};
use memmap2::Mmap;
use noema_checkpoint::{
    blake2_256,
    layout::{tensor_count, tensors, weights_bytes, TensorKind},
    Architecture, CheckpointId, Manifest, ManifestError, FORMAT, H256,
};
use noema_numerics::NUMERICS_VERSION;
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

const TEMPORARY: &str = ".import-";
const LOCK: &str = ".lock";

/// Quantises `weights` and puts the checkpoint into the library under `home`.
pub(super) fn write(
    model: Model,
    weights: &dyn Weights,
    home: &Path,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<OpenCheckpoint, ImportError> {
    let architecture = Architecture {
        context_length: context(model.architecture.context_length, options)?,
        ..model.architecture
    };
    let mut manifest = Manifest {
        format: FORMAT,
        numerics: NUMERICS_VERSION,
        name: options.name.clone().unwrap_or(model.name),
        licence: options.licence.clone().unwrap_or(model.licence),
        architecture,
        exponents: vec![0; tensor_count(&architecture)],
        weights_root: H256::zero(),
        weights_bytes: weights_bytes(&architecture).map_err(ManifestError::Architecture)?,
        tokenizer_hash: blake2_256(&model.tokenizer),
        chat_template_hash: blake2_256(model.chat_template.as_bytes()),
        bos: model.bos,
        stops: model.stops,
        source: model.source,
    };
    // All but exponents and root is known, so a refusal need not wait for them.
    manifest.check()?;
    let library = Library::new(home);
    let temporary = Temporary::create(library.root())?;
    (manifest.exponents, manifest.weights_root) =
        write_weights(&temporary, &architecture, &model.rope, weights, progress)?;
    temporary.file(TOKENIZER, &model.tokenizer)?;
    if !model.chat_template.is_empty() {
        temporary.file(CHAT_TEMPLATE, model.chat_template.as_bytes())?;
    }
    let path = temporary.path.join(MANIFEST);
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| ImportError::write(&path, error.into()))?;
    text.push(b'\n');
    temporary.file(MANIFEST, &text)?;
    temporary.publish(&library, manifest.id())
}

fn context(trained: u32, options: &ImportOptions) -> Result<u32, ImportError> {
    match options.context {
        None => Ok(trained.min(DEFAULT_CONTEXT)),
        Some(asked) if (1..=trained).contains(&asked) => Ok(asked),
        Some(asked) => Err(ImportError::Context {
            asked,
            limit: trained,
        }),
    }
}

/// Writes `weights.bin`; returns exponents and Merkle root.
fn write_weights(
    temporary: &Temporary,
    architecture: &Architecture,
    rope: &Rope,
    weights: &dyn Weights,
    progress: &dyn Progress,
) -> Result<(Vec<i8>, H256), ImportError> {
    let specs = tensors(architecture).map_err(ManifestError::Architecture)?;
    let total = specs.iter().map(|spec| spec.bytes()).sum();
    progress.begin(Stage::Quantise, total);
    let path = temporary.path.join(WEIGHTS);
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
                let table = rope.table(positions, architecture.head_dim as usize);
                progress.advance(table.len() as u64);
                out.write_all(&table).map(|()| 0).map_err(Fault::Write)
            }
        };
        exponents.push(exponent.map_err(|fault| match fault {
            Fault::Source(error) => error,
            Fault::Write(error) => failed(error),
        })?);
    }
    let file = out.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)?;

    let file = File::open(&path).map_err(failed)?;
    // SAFETY: the mapping is read-only, and the temporary directory is locked by this process.
    let written = unsafe { Mmap::map(&file) }.map_err(failed)?;
    progress.begin(Stage::Root, total);
    let root = parallel_root(&written, &|bytes| progress.advance(bytes));
    Ok((exponents, root))
}

/// A directory that vanishes unless it is published.
struct Temporary {
    root: PathBuf,
    path: PathBuf,
    /// Locked as long as the directory is in use.
    lock: Option<File>,
}

impl Temporary {
    fn create(root: &Path) -> Result<Self, ImportError> {
        fs::create_dir_all(root).map_err(|e| ImportError::write(root, e))?;
        let _guard = lock(&root.join(LOCK))?;
        remove_stale(root)?;
        let path = (0u32..)
            .map(|n| root.join(format!("{TEMPORARY}{}-{n}", std::process::id())))
            .find(|path| !path.exists())
            .unwrap_or_else(|| root.join(TEMPORARY));
        fs::create_dir(&path).map_err(|e| ImportError::write(&path, e))?;
        let lock = lock(&path.join(LOCK))?;
        Ok(Self {
            root: root.into(),
            path,
            lock: Some(lock),
        })
    }

    /// Writes a whole file and forces it to disk.
    fn file(&self, name: &str, bytes: &[u8]) -> Result<(), ImportError> {
        let path = self.path.join(name);
        let write = || {
            let mut file = File::create_new(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|e| ImportError::write(&path, e))
    }

    /// Moves the directory to its place, unless a sound checkpoint is there already.
    fn publish(
        mut self,
        library: &Library,
        id: CheckpointId,
    ) -> Result<OpenCheckpoint, ImportError> {
        let place = library.path(id);
        {
            let _guard = lock(&self.root.join(LOCK))?;
            if library
                .open(id)
                .is_ok_and(|there| there.verify(&|_| ()).is_ok())
            {
                return Ok(library.open(id)?);
            }
            let failed = |e| ImportError::write(&place, e);
            if place.exists() {
                fs::remove_dir_all(&place).map_err(failed)?;
            }
            let inside = self.path.join(LOCK);
            fs::remove_file(&inside).map_err(|e| ImportError::write(&inside, e))?;
            sync(&self.path)?;
            fs::rename(&self.path, &place).map_err(failed)?;
            self.lock = None;
            sync(&self.root)?;
        }
        Ok(library.open(id)?)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // What cannot be removed now, the next import removes.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes the directories of imports that were killed. Called with the library's lock held, so
/// that no directory is between its creation and its own lock.
fn remove_stale(root: &Path) -> Result<(), ImportError> {
    let entries = fs::read_dir(root).map_err(|e| ImportError::read(root, e))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with(TEMPORARY) {
            continue;
        }
        let path = entry.path();
        let in_use = File::open(path.join(LOCK)).is_ok_and(|file| file.try_lock().is_err());
        if !in_use {
            fs::remove_dir_all(&path).map_err(|e| ImportError::write(&path, e))?;
        }
    }
    Ok(())
}

/// Creates and locks a file, waiting for whoever has it.
fn lock(path: &Path) -> Result<File, ImportError> {
    let locked = || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(file)
    };
    locked().map_err(|e| ImportError::write(path, e))
}

/// Forces the entries of a directory to disk.
fn sync(directory: &Path) -> Result<(), ImportError> {
    let synced = || File::open(directory)?.sync_all();
    synced().map_err(|e| ImportError::write(directory, e))
}
