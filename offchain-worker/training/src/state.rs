//! A trainer's state in a file.
//!
//! The file has the format safetensors. Its metadata has one entry, `noema_trainer_state`, which is JSON: its
//! version, parent, options and counters, and the names of the trained tensors. The tensors of the file are
//! lists:
//!
//! | name | type | content |
//! |---|---|---|
//! | `TENSOR.values` | F32 | the values of a trained tensor |
//! | `TENSOR.first_moment`, `TENSOR.second_moment` | F32 | the optimiser's moments, if it has any |
//! | `TENSOR.residual` | I32 | the changes that were not sent |
//! | `update` | U8 | the update, if the round is finished |
//! | `blake3` | U8 | BLAKE3 of the JSON and of the other tensors, in the order of the JSON and of this table |
//!
//! It is written beside its place and renamed, so there is always one complete state.

use super::{TrainedUpdate, TrainingError, TrainingOptions};
use noema_checkpoint::{CheckpointId, H256};
use noema_model::whole;
use safetensors::{
    tensor::{Metadata, View},
    Dtype, SafeTensors,
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::HashMap, fs, io, panic::catch_unwind, path::Path};

/// The version of the JSON and of the tensors.
const VERSION: u32 = 2;
/// The beginning of a file of version 1, which had a format of its own.
const FIRST_VERSION: &[u8] = b"NTRS";
/// The entry of the metadata.
const ENTRY: &str = "noema_trainer_state";
/// Bytes before the header of a safetensors file.
const LENGTH_BYTES: usize = 8;

const VALUES: &str = "values";
const FIRST_MOMENT: &str = "first_moment";
const SECOND_MOMENT: &str = "second_moment";
const RESIDUAL: &str = "residual";
const UPDATE: &str = "update";
const HASH: &str = "blake3";

/// The saved state of a trainer.
pub(super) struct Saved {
    pub(super) parent: CheckpointId,
    pub(super) options: TrainingOptions,
    /// Whether training diverged from here: with other options, training does not continue from it.
    pub(super) diverged: bool,
    pub(super) data: Option<[u8; 32]>,
    pub(super) step: u32,
    pub(super) total: u64,
    pub(super) loss_before: Option<f64>,
    /// The result of the round, if it is completed: its residual has already been replaced.
    pub(super) finished: Option<TrainedUpdate>,
    pub(super) tensors: Vec<SavedTensor>,
}

/// A trained tensor. Values and moments are in the order in which burn keeps them.
pub(super) struct SavedTensor {
    pub(super) name: String,
    pub(super) values: Vec<f32>,
    /// Steps, first and second moment.
    pub(super) moments: Option<(usize, Vec<f32>, Vec<f32>)>,
    pub(super) residual: Vec<i32>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    parent: H256,
    options: TrainingOptions,
    diverged: bool,
    data: Option<[u8; 32]>,
    step: u32,
    total: u64,
    /// As its bits: a decimal may be read as a neighbouring value.
    loss_before: Option<u64>,
    /// The loss after the round, as its bits, if the round is finished.
    loss_after: Option<u64>,
    tensors: Vec<TensorHeader>,
}

/// The part of the header that every version has.
#[derive(Deserialize)]
struct HeaderVersion {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct TensorHeader {
    name: String,
    /// Steps in the moments.
    time: Option<usize>,
}

impl Saved {
    /// Replaces the state at `path`.
    pub(super) fn write(&self, path: &Path) -> Result<(), TrainingError> {
        let written = self.encode().and_then(|bytes| whole::write(path, &bytes));
        written.map_err(|error| TrainingError::write_state(path, error))
    }

    /// Whether all of its numbers are finite.
    pub(super) fn is_finite(&self) -> bool {
        self.tensors.iter().all(|tensor| {
            let moments = tensor.moments.iter();
            let moments = moments.flat_map(|(_, first, second)| first.iter().chain(second));
            tensor.values.iter().chain(moments).all(|v| v.is_finite())
        })
    }

    /// Reads the state at `path`, which has at most `most` bytes.
    pub(super) fn read(path: &Path, most: u64) -> Result<Self, TrainingError> {
        let failed = |error| TrainingError::read_state(path, error);
        let damaged = || TrainingError::DamagedState { path: path.into() };
        if fs::metadata(path).map_err(failed)?.len() > most {
            return Err(damaged());
        }
        let bytes = fs::read(path).map_err(failed)?;
        let version = version(&bytes).ok_or_else(damaged)?;
        if version != VERSION {
            return Err(TrainingError::StateVersion {
                path: path.into(),
                found: version,
                supported: VERSION,
            });
        }
        Self::decode(&bytes).ok_or_else(damaged)
    }

    fn encode(&self) -> io::Result<Vec<u8>> {
        let header = Header {
            version: VERSION,
            parent: self.parent.0,
            options: self.options.clone(),
            diverged: self.diverged,
            data: self.data,
            step: self.step,
            total: self.total,
            loss_before: self.loss_before.map(f64::to_bits),
            loss_after: self.finished.as_ref().map(|f| f.loss_after.to_bits()),
            tensors: self
                .tensors
                .iter()
                .map(|tensor| TensorHeader {
                    name: tensor.name.clone(),
                    time: tensor.moments.as_ref().map(|moments| moments.0),
                })
                .collect(),
        };
        let header = serde_json::to_string(&header)?;
        let mut lists = Vec::new();
        for tensor in &self.tensors {
            let mut add =
                |part, numbers| lists.push((part_name(&tensor.name, part), List::new(numbers)));
            add(VALUES, Numbers::F32(&tensor.values));
            if let Some((_, first, second)) = &tensor.moments {
                add(FIRST_MOMENT, Numbers::F32(first));
                add(SECOND_MOMENT, Numbers::F32(second));
            }
            add(RESIDUAL, Numbers::I32(&tensor.residual));
        }
        if let Some(finished) = &self.finished {
            let update = List::new(Numbers::U8(&finished.bytes));
            lists.push((UPDATE.to_owned(), update));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(header.as_bytes());
        for (_, list) in &lists {
            hasher.update(&list.data());
        }
        let hash = hasher.finalize();
        let hash = (HASH.to_owned(), List::new(Numbers::U8(hash.as_bytes())));
        // One entry: the library writes several in any order.
        let metadata = HashMap::from([(ENTRY.to_owned(), header)]);
        safetensors::serialize(lists.into_iter().chain([hash]), Some(metadata))
            .map_err(io::Error::other)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let content = Content::of(bytes)?;
        let header: Header = serde_json::from_str(content.header()?).ok()?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(content.header()?.as_bytes());
        let mut read = |name: &str, dtype| {
            let list = content.list(name, dtype)?;
            hasher.update(list);
            Some(list)
        };
        let mut tensors = Vec::with_capacity(header.tensors.len());
        for TensorHeader { name, time } in header.tensors {
            let mut floats = |part| {
                let list = read(&part_name(&name, part), Dtype::F32)?;
                Some(words(list, f32::from_le_bytes))
            };
            let values = floats(VALUES)?;
            let moments = match time {
                Some(time) => Some((time, floats(FIRST_MOMENT)?, floats(SECOND_MOMENT)?)),
                None => None,
            };
            let residual = read(&part_name(&name, RESIDUAL), Dtype::I32)?;
            tensors.push(SavedTensor {
                residual: words(residual, i32::from_le_bytes),
                name,
                values,
                moments,
            });
        }
        let finished = match header.loss_after {
            Some(loss_after) => {
                let bytes = read(UPDATE, Dtype::U8)?.to_vec();
                Some(TrainedUpdate {
                    hash: H256(blake3::hash(&bytes).into()),
                    bytes,
                    loss_before: f64::from_bits(header.loss_before?),
                    loss_after: f64::from_bits(loss_after),
                    steps: header.step,
                })
            }
            None => None,
        };
        let is_sound = hasher.finalize().as_bytes() == content.list(HASH, Dtype::U8)?;
        is_sound.then_some(Self {
            parent: CheckpointId(header.parent),
            options: header.options,
            diverged: header.diverged,
            data: header.data,
            step: header.step,
            total: header.total,
            loss_before: header.loss_before.map(f64::from_bits),
            finished,
            tensors,
        })
    }
}

/// The version of a state; `None` if it is damaged.
fn version(bytes: &[u8]) -> Option<u32> {
    if bytes.starts_with(FIRST_VERSION) {
        return Some(1);
    }
    let content = Content::of(bytes)?;
    let header: HeaderVersion = serde_json::from_str(content.header()?).ok()?;
    Some(header.version)
}

/// The name of a part of a trained tensor in the file.
fn part_name(tensor: &str, part: &str) -> String {
    format!("{tensor}.{part}")
}

/// A safetensors file that was read.
struct Content<'b> {
    metadata: Metadata,
    data: &'b [u8],
}

impl<'b> Content<'b> {
    fn of(bytes: &'b [u8]) -> Option<Self> {
        // The library panics on sizes whose sum overflows if overflow checks are on.
        let read = catch_unwind(|| SafeTensors::read_metadata(bytes));
        let (length, metadata) = read.ok()?.ok()?;
        let data = bytes.get(LENGTH_BYTES.checked_add(length)?..)?;
        Some(Self { metadata, data })
    }

    fn header(&self) -> Option<&str> {
        let entries = self.metadata.metadata().as_ref()?;
        entries.get(ENTRY).map(String::as_str)
    }

    /// The bytes of a tensor of this type.
    fn list(&self, name: &str, dtype: Dtype) -> Option<&'b [u8]> {
        let info = self.metadata.info(name)?;
        let (start, end) = info.data_offsets;
        let bytes = self.data.get(start..end)?;
        (info.dtype == dtype).then_some(bytes)
    }
}

fn words<T>(bytes: &[u8], value: fn([u8; 4]) -> T) -> Vec<T> {
    let (words, _) = bytes.as_chunks();
    words.iter().map(|&word| value(word)).collect()
}

/// A tensor of one dimension to be written.
struct List<'n> {
    shape: [usize; 1],
    numbers: Numbers<'n>,
}

enum Numbers<'n> {
    F32(&'n [f32]),
    I32(&'n [i32]),
    U8(&'n [u8]),
}

impl<'n> List<'n> {
    fn new(numbers: Numbers<'n>) -> Self {
        let length = match numbers {
            Numbers::F32(numbers) => numbers.len(),
            Numbers::I32(numbers) => numbers.len(),
            Numbers::U8(numbers) => numbers.len(),
        };
        Self {
            shape: [length],
            numbers,
        }
    }
}

impl View for List<'_> {
    fn dtype(&self) -> Dtype {
        match self.numbers {
            Numbers::F32(_) => Dtype::F32,
            Numbers::I32(_) => Dtype::I32,
            Numbers::U8(_) => Dtype::U8,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self.numbers {
            Numbers::F32(numbers) => numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Numbers::I32(numbers) => numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Numbers::U8(bytes) => Cow::Borrowed(bytes),
        }
    }

    fn data_len(&self) -> usize {
        self.shape[0] * self.dtype().bitsize() / 8
    }
}
