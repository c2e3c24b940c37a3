//! The float model that a checkpoint approximates, and how closely it does.
//!
//! The reference reads the weights of the *source* (a GGUF file dequantised to f32, or a Hugging Face
//! folder), not the checkpoint's own, so the comparison includes all losses of import and integer arithmetic.
//! It runs as [`noema_float`]'s modules of burn, on any device. No decision depends on it: answers and checks
//! use integers only.

mod measure;

pub use measure::Perplexity;

use crate::{
    engine::{Engine, EngineError},
    import::{FloatSource, ImportError, ImportProgress},
};
use burn::tensor::{DataError, Int, Tensor, TensorData};
use measure::Prediction;
use noema_executor::{Device, Executor, ExecutorError, Output, Segment, Sequence};
use noema_float::{guarded, FloatError, FloatModel, FloatWeights, Rotary};
use noema_numerics::transformer::LOGIT_FRACTION;
use rayon::prelude::*;
use std::path::Path;

/// Positions whose logits exist at the same time: affects only memory.
const LOGITS_TOGETHER: usize = 64;

/// The amount of text to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerplexityOptions {
    /// Tokens of one window; windows are read independently.
    pub window: usize,
    /// Least number of tokens that are predicted. A window's first token is read, not predicted.
    pub tokens: usize,
}

impl Default for PerplexityOptions {
    fn default() -> Self {
        Self {
            window: 512,
            tokens: 4_096,
        }
    }
}

/// Why two models cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The source cannot be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The text cannot be split into tokens, or the checkpoint cannot be executed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The integer transformer does not execute.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// The float model does not run.
    #[error(transparent)]
    Float(#[from] FloatError),
    /// The float model's results cannot be read.
    #[error("The float model's results cannot be read: {0:?}.")]
    Data(DataError),
    /// The checkpoint was made from another source.
    #[error("The checkpoint was not imported from this source.")]
    OtherSource,
    /// The windows do not fit the model.
    #[error("A window must have from 2 to {context} tokens, not {window}.")]
    Window {
        /// Tokens of a window.
        window: usize,
        /// The context length of the model.
        context: u32,
    },
    /// The text is too short.
    #[error("The text has {found} tokens; {needed} are needed.")]
    TextTooShort {
        /// Tokens of the text.
        found: usize,
        /// Tokens needed for the requested number of predictions.
        needed: usize,
    },
}

/// Perplexity of `engine`'s checkpoint on `text`, compared with the float model in `source`, from which it
/// was imported and which runs on `device`. `progress` gets the number of completed windows and of all
/// windows.
pub fn perplexity(
    engine: &Engine,
    source: &Path,
    device: &Device,
    text: &str,
    options: PerplexityOptions,
    loading: &dyn ImportProgress,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Perplexity, ReferenceError> {
    let manifest = engine.checkpoint().manifest();
    let window = options.window;
    let context = manifest.architecture.context_length;
    if !(2..=context as usize).contains(&window) {
        return Err(ReferenceError::Window { window, context });
    }
    let tokens = engine.encode(text, false)?;
    let windows = options.tokens.div_ceil(window - 1).max(1);
    let needed = windows * window;
    if tokens.len() < needed {
        return Err(ReferenceError::TextTooShort {
            found: tokens.len(),
            needed,
        });
    }

    let source = FloatSource::open(source, loading)?;
    if *source.source() != manifest.source {
        return Err(ReferenceError::OtherSource);
    }
    let float = Float::load(&source, device, window)?;
    let mut integer = Integer::new(engine, window)?;
    let mut sides = [Vec::new(), Vec::new()];
    for (done, window) in tokens[..needed].chunks_exact(window).enumerate() {
        progress(done, windows);
        sides[0].extend(integer.predict(window)?);
        sides[1].extend(float.predict(window)?);
    }
    progress(windows, windows);
    let [integer, float] = sides;
    Perplexity::compare(&integer, &float).ok_or(ReferenceError::TextTooShort {
        found: integer.len(),
        needed: Perplexity::FEWEST_TOKENS,
    })
}

/// Evaluates rows of logits against the tokens that followed.
fn judge<T: Copy + Sync>(
    logits: &[T],
    vocabulary: usize,
    came: &[u32],
    value: impl Fn(T) -> f64 + Sync + Copy,
) -> Vec<Prediction> {
    logits
        .par_chunks_exact(vocabulary)
        .zip(came)
        .map(|(logits, &came)| Prediction::judge(logits.iter().map(|&l| value(l)), came))
        .collect()
}

/// The integer transformer, with its logits as floats.
struct Integer {
    executor: Box<dyn Executor>,
    sequence: Sequence,
    output: Output,
}

impl Integer {
    fn new(engine: &Engine, window: usize) -> Result<Self, ReferenceError> {
        let mut executor = engine.executor()?;
        Ok(Self {
            sequence: executor.open(window)?,
            executor,
            output: Output::default(),
        })
    }

    fn predict(&mut self, window: &[u32]) -> Result<Vec<Prediction>, ReferenceError> {
        let vocabulary = self.executor.architecture().vocabulary as usize;
        let (read, came) = (&window[..window.len() - 1], &window[1..]);
        let mut predictions = Vec::with_capacity(came.len());
        let chunks = read
            .chunks(LOGITS_TOGETHER)
            .zip(came.chunks(LOGITS_TOGETHER));
        for (chunk, (tokens, came)) in chunks.enumerate() {
            let segment = Segment {
                sequence: self.sequence,
                start: chunk * LOGITS_TOGETHER,
                tokens,
                wanted: 0..tokens.len(),
            };
            self.executor.run(&[segment], &mut self.output)?;
            let logits = &self.output.logits;
            predictions.extend(judge(logits, vocabulary, came, |logit: i32| {
                f64::from(logit) / f64::from(1 << LOGIT_FRACTION)
            }));
        }
        Ok(predictions)
    }
}

/// The float model on a device.
pub struct Float {
    device: Device,
    on: burn::tensor::Device,
    model: FloatModel,
    rotary: Rotary,
    vocabulary: usize,
}

impl Float {
    /// Loads the weights of `source` onto `device`, for texts of up to `positions` tokens.
    pub fn load(
        source: &FloatSource,
        device: &Device,
        positions: usize,
    ) -> Result<Self, ReferenceError> {
        let on = noema_float::device(device)?;
        let (model, rotary) = guarded(device, || {
            let model = FloatModel::load(source, &on)?;
            let rotary = Rotary::new(&source.rotations(positions), positions, &on);
            Ok::<_, ImportError>((model, rotary))
        })??;
        Ok(Self {
            model,
            rotary,
            vocabulary: source.architecture().vocabulary as usize,
            device: device.clone(),
            on,
        })
    }

    /// Calls `visit` with the logits after each of `tokens`, in order: some positions at a time, row-major
    /// with a row of `vocabulary` for each.
    pub fn logits(
        &self,
        tokens: &[u32],
        mut visit: impl FnMut(&[f32]),
    ) -> Result<(), ReferenceError> {
        let ids: Vec<i64> = tokens.iter().map(|&id| i64::from(id)).collect();
        let ids = TensorData::new(ids, [1, tokens.len()]);
        let hidden = guarded(&self.device, || {
            let tokens = Tensor::<2, Int>::from_data(ids, &self.on);
            self.model.hidden(tokens, &self.rotary)
        })?;
        for start in (0..tokens.len()).step_by(LOGITS_TOGETHER) {
            let count = LOGITS_TOGETHER.min(tokens.len() - start);
            let logits = guarded(&self.device, || {
                let hidden = hidden.clone().narrow(1, start, count);
                self.model.logits(hidden).into_data().try_into_vec()
            })?;
            visit(&logits.map_err(ReferenceError::Data)?);
        }
        Ok(())
    }

    fn predict(&self, window: &[u32]) -> Result<Vec<Prediction>, ReferenceError> {
        let mut came = window[1..].chunks(LOGITS_TOGETHER);
        let mut predictions = Vec::with_capacity(window.len() - 1);
        self.logits(&window[..window.len() - 1], |logits| {
            let came = came.next().unwrap_or_default();
            predictions.extend(judge(logits, self.vocabulary, came, |logit: f32| {
                f64::from(logit)
            }));
        })?;
        Ok(predictions)
    }
}
