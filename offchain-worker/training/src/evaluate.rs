//! The loss by the exact forward pass, which is equal on all machines.

use super::TrainingError;
use noema_executor::{Device, ModelSource, Output, Segment};
use noema_numerics::{loss::LOSS_FRACTION, Loss};
use std::sync::Arc;

/// Positions whose logits exist at the same time: affects only memory.
const LOGITS_TOGETHER: usize = 64;

/// The loss of `sequences` under `model`, computed on `device`; the same on every device.
///
/// # Errors
/// When the device fails, or a sequence does not fit the model.
pub fn evaluate<'a>(
    model: Arc<dyn ModelSource>,
    device: &Device,
    sequences: impl IntoIterator<Item = &'a [u32]>,
) -> Result<Loss, TrainingError> {
    let mut executor = device.executor(model)?;
    let vocabulary = executor.architecture().vocabulary;
    let (mut output, mut total) = (Output::default(), Loss::default());
    for tokens in sequences {
        super::fits(executor.architecture(), tokens)?;
        let inputs = &tokens[..tokens.len() - 1];
        let sequence = executor.open(inputs.len())?;
        for (chunk, inputs) in inputs.chunks(LOGITS_TOGETHER).enumerate() {
            let start = chunk * LOGITS_TOGETHER;
            let segment = Segment {
                sequence,
                start,
                tokens: inputs,
                wanted: 0..inputs.len(),
            };
            executor.run(&[segment], &mut output)?;
            let came = &tokens[start + 1..][..inputs.len()];
            let added = total.add(came, &output.logits);
            added.ok_or(TrainingError::TokenBeyondVocabulary {
                token: came.iter().copied().max().unwrap_or_default(),
                vocabulary,
            })?;
        }
        executor.close(sequence);
    }
    Ok(total)
}

/// Bits per token.
pub fn bits(loss: &Loss) -> f64 {
    loss.sum as f64 / f64::from(1u32 << LOSS_FRACTION) / f64::from(loss.tokens.max(1))
}
