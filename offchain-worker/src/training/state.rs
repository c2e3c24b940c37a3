//! A trainer's state in a file.
//!
//! Numbers are little-endian.
//!
//! | bytes | content |
//! |---|---|
//! | 4 | `NTRS` |
//! | 4 | version: 1 |
//! | 8 | length of the header |
//! | | header: JSON |
//! | | for each trained tensor: values, then the optimiser's two moments if it has any, each f32; then the residual, i32 |
//! | | the update, if the round is finished |
//! | 32 | BLAKE3 of everything before |
//!
//! It is written beside its place and renamed, so there is always one complete state.

use super::{TrainedUpdate, TrainingError, TrainingOptions};
use crate::whole;
use noema_checkpoint::{CheckpointId, H256};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

const MAGIC: [u8; 4] = *b"NTRS";
const VERSION: u32 = 1;
const HASH_BYTES: usize = 32;

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
    pub(super) index: usize,
    pub(super) values: Vec<f32>,
    /// Steps, first and second moment.
    pub(super) moments: Option<(usize, Vec<f32>, Vec<f32>)>,
    pub(super) residual: Vec<i32>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    parent: H256,
    options: TrainingOptions,
    #[serde(default)]
    diverged: bool,
    data: Option<[u8; 32]>,
    step: u32,
    total: u64,
    /// As its bits: a decimal may be read as a neighbouring value.
    loss_before: Option<u64>,
    /// Loss after the round, as its bits, and bytes of the update.
    finished: Option<(u64, usize)>,
    tensors: Vec<TensorHeader>,
}

#[derive(Serialize, Deserialize)]
struct TensorHeader {
    index: usize,
    values: usize,
    /// Steps in the moments.
    time: Option<usize>,
    residual: usize,
}

impl Saved {
    /// Replaces the state at `path`.
    pub(super) fn write(&self, path: &Path) -> Result<(), TrainingError> {
        let failed = |error| TrainingError::write_state(path, error);
        let bytes = self.encode().map_err(|error| failed(error.into()))?;
        whole::write(path, &bytes).map_err(failed)
    }

    /// Whether all of its numbers are finite.
    pub(super) fn is_finite(&self) -> bool {
        self.tensors.iter().all(|tensor| {
            let moments = tensor.moments.iter();
            let moments = moments.flat_map(|(_, first, second)| first.iter().chain(second));
            tensor.values.iter().chain(moments).all(|v| v.is_finite())
        })
    }

    /// Reads the state at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, TrainingError> {
        let bytes = fs::read(path).map_err(|error| TrainingError::read_state(path, error))?;
        Self::decode(&bytes).ok_or_else(|| TrainingError::DamagedState { path: path.into() })
    }

    fn encode(&self) -> serde_json::Result<Vec<u8>> {
        let header = Header {
            parent: self.parent.0,
            options: self.options.clone(),
            diverged: self.diverged,
            data: self.data,
            step: self.step,
            total: self.total,
            loss_before: self.loss_before.map(f64::to_bits),
            finished: self
                .finished
                .as_ref()
                .map(|f| (f.loss_after.to_bits(), f.bytes.len())),
            tensors: self
                .tensors
                .iter()
                .map(|tensor| TensorHeader {
                    index: tensor.index,
                    values: tensor.values.len(),
                    time: tensor.moments.as_ref().map(|moments| moments.0),
                    residual: tensor.residual.len(),
                })
                .collect(),
        };
        let header = serde_json::to_vec(&header)?;
        let mut bytes = Vec::new();
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        for tensor in &self.tensors {
            let mut floats = |values: &[f32]| {
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            };
            floats(&tensor.values);
            if let Some((_, first, second)) = &tensor.moments {
                floats(first);
                floats(second);
            }
            bytes.extend(tensor.residual.iter().flat_map(|value| value.to_le_bytes()));
        }
        if let Some(finished) = &self.finished {
            bytes.extend(&finished.bytes);
        }
        bytes.extend(blake3::hash(&bytes).as_bytes());
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH_BYTES)?)?;
        if blake3::hash(content).as_bytes() != hash {
            return None;
        }
        let mut rest = content;
        if take(&mut rest, 4)? != MAGIC || take(&mut rest, 4)? != VERSION.to_le_bytes() {
            return None;
        }
        let length = u64::from_le_bytes(take(&mut rest, 8)?.try_into().ok()?);
        let header = take(&mut rest, usize::try_from(length).ok()?)?;
        let header: Header = serde_json::from_slice(header).ok()?;
        let mut tensors = Vec::with_capacity(header.tensors.len());
        for tensor in &header.tensors {
            let mut floats = || words(&mut rest, tensor.values, f32::from_le_bytes);
            let values = floats()?;
            let moments = match tensor.time {
                Some(time) => Some((time, floats()?, floats()?)),
                None => None,
            };
            tensors.push(SavedTensor {
                index: tensor.index,
                values,
                moments,
                residual: words(&mut rest, tensor.residual, i32::from_le_bytes)?,
            });
        }
        let finished = match header.finished {
            Some((loss_after, length)) => {
                let bytes = take(&mut rest, length)?.to_vec();
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
        rest.is_empty().then_some(Self {
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

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn words<T>(rest: &mut &[u8], count: usize, value: fn([u8; 4]) -> T) -> Option<Vec<T>> {
    let bytes = take(rest, count.checked_mul(4)?)?;
    Some(
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|&word| value(word))
            .collect(),
    )
}
