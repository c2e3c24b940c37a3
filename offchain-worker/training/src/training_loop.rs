//! The trainer: local steps, and the resulting update.

mod persist;
mod step;

use super::{
    order::Order, state::Saved, TrainableCheckpoint, TrainedUpdate, TrainingError, TrainingOptions,
};
use burn::optim::{AdamW, AdamWConfig, AdamWState};
use noema_checkpoint::{layout::TensorKind, CheckpointId, H256};
use noema_executor::Device;
use noema_float::{guarded, FloatModel, FloatWeights, Rotary};
use noema_update::Encoder;
use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Sequences on which the loss before and after a round is computed.
const MEASURED: usize = 16;

/// The progress of a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingStep {
    /// Steps that have been made.
    pub done: u32,
    /// Steps of the round.
    pub of: u32,
    /// Loss of the step's sequences before it, in bits a token.
    pub loss: f64,
    /// Norm of all gradients together, before it was clipped.
    pub norm: f64,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Trains on one parent after another.
pub struct TrainingLoop {
    device: Device,
    plain: burn::tensor::Device,
    parent: Arc<TrainableCheckpoint>,
    options: TrainingOptions,
    model: FloatModel,
    /// Rotation tables, by the number of positions.
    rotary: Option<(usize, Rotary)>,
    decayed: AdamW,
    kept: AdamW,
    tensors: Vec<Trained>,
    /// Steps made of this round, and of all rounds.
    step: u32,
    total: u64,
    loss_before: Option<f64>,
    /// The digest of this round's data, once it has begun.
    data: Option<[u8; 32]>,
    /// The result of this round, once it is completed: the residual has already been replaced.
    finished: Option<TrainedUpdate>,
    state: Option<PathBuf>,
}

/// A tensor that is trained.
struct Trained {
    /// Place in the canonical list.
    index: usize,
    gain: bool,
    moments: Option<AdamWState<2>>,
    /// The residual, in units of the masters.
    residual: Vec<i32>,
}

impl TrainingLoop {
    /// A trainer that computes on `device`, and keeps its state in the file `state`, if any. If that file
    /// exists, it continues from there: in the middle of the round if the parent is the same, with the next
    /// round otherwise. The number of entries of its updates may have changed.
    ///
    /// # Errors
    /// When the options are invalid, the device cannot be used, or the state is damaged, of another version, or
    /// that of other options, unless training diverged with those.
    pub fn new(
        parent: impl Into<Arc<TrainableCheckpoint>>,
        options: TrainingOptions,
        device: &Device,
        state: Option<&Path>,
    ) -> Result<Self, TrainingError> {
        let parent: Arc<TrainableCheckpoint> = parent.into();
        options.validate()?;
        let selected = options.select(parent.specs())?;
        let plain = noema_float::device(device)?;
        let model = guarded(device, || {
            let Ok(mut model) = FloatModel::load(&*parent, &plain.clone().autodiff());
            for (parameter, &trained) in model.parameters().iter_mut().zip(&selected) {
                parameter.replace(parameter.value(), trained);
            }
            model
        })?;
        let adam = |decay| {
            AdamWConfig::new()
                .with_beta_1(options.beta_1)
                .with_beta_2(options.beta_2)
                .with_epsilon(options.epsilon)
                .with_weight_decay(decay)
                .build()
        };
        let trained = selected.iter().enumerate().filter(|(_, trained)| **trained);
        let tensors = trained.map(|(index, _)| Trained {
            index,
            gain: matches!(parent.specs()[index].kind, TensorKind::Gain { .. }),
            moments: None,
            residual: vec![0; parent.trainable().tensors()[index].coordinates() as usize],
        });
        let mut trainer = Self {
            device: device.clone(),
            plain,
            tensors: tensors.collect(),
            decayed: adam(options.weight_decay),
            kept: adam(0.0),
            parent,
            options,
            model,
            rotary: None,
            step: 0,
            total: 0,
            loss_before: None,
            data: None,
            finished: None,
            state: state.map(Path::to_path_buf),
        };
        if let Some(path) = state.filter(|path| path.exists()) {
            let saved = Saved::read(path, trainer.most_bytes())?;
            trainer.restore(path, saved)?;
        }
        Ok(trainer)
    }

    /// The checkpoint that is trained.
    pub fn parent(&self) -> &TrainableCheckpoint {
        &self.parent
    }

    /// Most entries of a chunk of its updates.
    pub fn entries(&self) -> u16 {
        self.options.entries
    }

    /// Whether the saved part of a round started from `parent` on `sequences`, so that [`Self::run`]
    /// continues it. Otherwise another round begins with [`Self::next_round`].
    pub fn is_on(&self, parent: CheckpointId, sequences: &[&[u32]]) -> bool {
        let is_data = |data| data == digest(sequences);
        self.parent.id() == parent && self.data.is_none_or(is_data)
    }

    /// Steps made in this round.
    pub fn steps_done(&self) -> u32 {
        self.step
    }

    /// Number of weights that are trained.
    pub fn trained_weights(&self) -> u64 {
        let of = |tensor: &Trained| self.parent.coordinates(tensor.index).count() as u64;
        self.tensors.iter().map(of).sum()
    }

    /// Begins a round on a parent of the same family. The optimiser's moments and the residual are kept.
    ///
    /// # Errors
    /// [`TrainingError::OtherFamily`].
    pub fn next_round(
        &mut self,
        parent: impl Into<Arc<TrainableCheckpoint>>,
    ) -> Result<(), TrainingError> {
        let parent: Arc<TrainableCheckpoint> = parent.into();
        if parent.architecture() != self.parent.architecture()
            || parent.exponents() != self.parent.exponents()
        {
            return Err(TrainingError::OtherFamily);
        }
        let trained: Vec<usize> = self.tensors.iter().map(|tensor| tensor.index).collect();
        let (model, plain) = (&mut self.model, &self.plain);
        guarded(&self.device, || {
            for (index, parameter) in model.parameters().iter_mut().enumerate() {
                parameter.write(parent.values(index), trained.contains(&index), plain);
            }
        })?;
        self.parent = parent;
        (self.step, self.loss_before, self.data, self.finished) = (0, None, None, None);
        Ok(())
    }

    /// Trains on `sequences` for a round and compresses the changes. `progress` is called after each step and
    /// can stop: the state is then saved, and another call continues.
    ///
    /// # Errors
    /// When the sequences do not fit the model, the device fails, the loss is no longer finite, or the state
    /// cannot be saved. A state from which training diverged does not prevent a trainer with other options:
    /// it starts over.
    pub fn run(
        &mut self,
        sequences: &[&[u32]],
        progress: &mut dyn FnMut(&TrainingStep) -> ControlFlow<()>,
    ) -> Result<TrainedUpdate, TrainingError> {
        let trained = self.round(sequences, progress);
        if let Err(TrainingError::Diverged { .. }) = trained {
            self.note_divergence();
        }
        trained
    }

    fn round(
        &mut self,
        sequences: &[&[u32]],
        progress: &mut dyn FnMut(&TrainingStep) -> ControlFlow<()>,
    ) -> Result<TrainedUpdate, TrainingError> {
        self.begin(sequences)?;
        if let Some(finished) = &self.finished {
            return Ok(finished.clone());
        }
        let measured: Vec<&[u32]> = sequences.iter().take(MEASURED).copied().collect();
        let loss_before = match self.loss_before {
            Some(loss) => loss,
            None => self.measure(&measured)?,
        };
        self.loss_before = Some(loss_before);
        let order = Order {
            seed: self.options.seed,
            parent: self.parent.id(),
            count: sequences.len(),
        };
        while self.step < self.options.steps {
            let batch = order.batch(self.step, self.options.batch);
            let batch: Vec<&[u32]> = batch.into_iter().map(|index| sequences[index]).collect();
            let began = Instant::now();
            let (loss, norm) = self.train(&batch)?;
            let seconds = began.elapsed().as_secs_f64();
            self.step += 1;
            self.total += 1;
            let report = TrainingStep {
                done: self.step,
                of: self.options.steps,
                loss,
                norm,
                seconds,
            };
            let stop = progress(&report).is_break();
            let due = self.step.is_multiple_of(self.options.save_every);
            if stop || due || self.step == self.options.steps {
                self.save()?;
            }
            if stop && self.step < self.options.steps {
                return Err(TrainingError::Stopped { step: self.step });
            }
        }
        let loss_after = self.measure(&measured)?;
        if !loss_after.is_finite() {
            return Err(TrainingError::Diverged { step: self.step });
        }
        let bytes = self.compress()?;
        let contribution = TrainedUpdate {
            hash: H256(blake3::hash(&bytes).into()),
            bytes,
            loss_before,
            loss_after,
            steps: self.step,
        };
        self.finished = Some(contribution.clone());
        self.save()?;
        Ok(contribution)
    }

    /// The changes of training in each trained tensor, by its place in the canonical list: in units of the
    /// masters, one for each coordinate.
    ///
    /// # Errors
    /// When a weight is not finite.
    pub fn changes(&mut self) -> Result<Vec<(usize, Vec<i32>)>, TrainingError> {
        let parameters = self.model.parameters();
        let mut changes = Vec::with_capacity(self.tensors.len());
        for tensor in &self.tensors {
            let parameter = &parameters[tensor.index];
            let trained = guarded(&self.device, || parameter.read())??;
            let before = self.parent.values(tensor.index);
            let unit = self.parent.unit(tensor.index);
            let mut deltas = vec![0i32; tensor.residual.len()];
            let places = self.parent.coordinates(tensor.index);
            for ((at, trained), before) in places.zip(trained).zip(before) {
                let delta = (f64::from(trained) - f64::from(before)) / unit;
                if !delta.is_finite() {
                    return Err(TrainingError::Diverged { step: self.step });
                }
                deltas[at] = libm::round(delta) as i32;
            }
            changes.push((tensor.index, deltas));
        }
        Ok(changes)
    }

    /// Checks the data and, if a round continues, that it is the same.
    fn begin(&mut self, sequences: &[&[u32]]) -> Result<(), TrainingError> {
        if sequences.is_empty() {
            return Err(TrainingError::NoSequences);
        }
        let length = sequences[0].len();
        for sequence in sequences {
            super::fits(self.parent.architecture(), sequence)?;
            if sequence.len() != length {
                return Err(TrainingError::SequenceLengths {
                    first: length,
                    other: sequence.len(),
                });
            }
        }
        let data = digest(sequences);
        match (&self.state, self.data) {
            (_, None) => self.data = Some(data),
            (_, Some(before)) if before == data => {}
            (path, Some(_)) => {
                return Err(TrainingError::OtherData {
                    path: path.clone().unwrap_or_else(|| "memory".into()),
                })
            }
        }
        let positions = length - 1;
        if self.rotary.as_ref().is_none_or(|(of, _)| *of != positions) {
            let rotations = self.parent.rotations(positions);
            let on = self.plain.clone().autodiff();
            let rotary = guarded(&self.device, || Rotary::new(&rotations, positions, &on))?;
            self.rotary = Some((positions, rotary));
        }
        Ok(())
    }

    /// The update; the changes that it leaves out become the residual.
    fn compress(&mut self) -> Result<Vec<u8>, TrainingError> {
        let changes = self.changes()?;
        let trainable = self.parent.trainable();
        let mut encoder = Encoder::new(trainable, self.parent.id(), self.options.entries)?;
        for (tensor, (index, mut deltas)) in self.tensors.iter_mut().zip(changes) {
            for (residual, delta) in tensor.residual.iter_mut().zip(&mut deltas) {
                *residual = (f64::from(*residual) * f64::from(self.options.carry)) as i32;
                // A sum beyond 32 bits is beyond every master.
                *delta = residual.saturating_add(*delta).saturating_sub(*residual);
            }
            encoder.compress(index as u16, &deltas, &mut tensor.residual)?;
        }
        Ok(encoder.finish())
    }
}

/// Identifies the data.
fn digest(sequences: &[&[u32]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for sequence in sequences {
        hasher.update(&(sequence.len() as u64).to_le_bytes());
        for token in *sequence {
            hasher.update(&token.to_le_bytes());
        }
    }
    hasher.finalize().into()
}
