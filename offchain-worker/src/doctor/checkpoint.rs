//! Checks of checkpoints on this machine.

use super::{Area, Diagnosis};
use crate::chain::{types::Status, At};
use noema_checkpoint::ManifestError;
use noema_executor::{Device, ExecutorError, ModelSource, Output, Segment};
use noema_model::checkpoint::{CheckpointError, Library, OpenCheckpoint};
use noema_numerics::{Blocks, Scalar, Transformer};
use noema_protocol::CheckpointId;
use std::sync::Arc;

/// Opens the checkpoint `id`, hashes its weights and compares them with the chain's record, if there is a
/// chain. `is_served` is whether a checked operator serves it. `progress` gets the bytes hashed.
pub async fn checkpoint(
    library: &Library,
    id: CheckpointId,
    is_served: bool,
    at: Option<&At>,
    progress: &(dyn Fn(u64) + Sync),
) -> (Vec<Diagnosis>, Option<OpenCheckpoint>) {
    let subject = id.to_string();
    let opened = library.open(id).and_then(|checkpoint| {
        checkpoint.verify(progress)?;
        Ok(checkpoint)
    });
    let checkpoint = match opened {
        Ok(checkpoint) => checkpoint,
        Err(error) => return (vec![broken(&subject, &error)], None),
    };
    let manifest = checkpoint.manifest();
    let mut findings = vec![Area::Checkpoint.passed(
        subject.clone(),
        format!(
            "{}, {} MB, weights and tokenizer match the manifest",
            manifest.name,
            manifest.weights_bytes / 1_000_000
        ),
    )];
    if let Some(at) = at {
        findings.push(match at.checkpoint(&id).await {
            Ok(None) => unknown(id, is_served),
            Ok(Some(record)) if record.weights.root != manifest.weights_root => Area::Checkpoint
                .failed(
                    subject,
                    "the chain records another weights root",
                    "import the model again, with the numerics version of the chain",
                ),
            Ok(Some(record)) if record.status == Status::Withdrawn => Area::Checkpoint.warned(
                subject,
                "it was withdrawn: only open requests still need it",
                "serve another checkpoint",
            ),
            Ok(Some(_)) => Area::Checkpoint.passed(subject, "matches the chain's record"),
            Err(error) => Area::Checkpoint.failed(subject, error.to_string(), "see the node's log"),
        });
    }
    (findings, Some(checkpoint))
}

/// The finding for a checkpoint that the chain does not know. A library may have checkpoints that are not for
/// this chain.
fn unknown(id: CheckpointId, is_served: bool) -> Diagnosis {
    let register =
        format!("register it with: noema-worker register checkpoint {id} --account <PUBLISHER>");
    if is_served {
        Area::Checkpoint.failed(id.to_string(), "the chain does not know it", register)
    } else {
        Area::Checkpoint.warned(
            id.to_string(),
            "the chain does not know it, and none of the checked operators serves it",
            format!("to have it served, {register}"),
        )
    }
}

fn broken(subject: &str, error: &CheckpointError) -> Diagnosis {
    let remedy = match error {
        CheckpointError::Manifest(ManifestError::Numerics(_) | ManifestError::TextLayer(_)) => {
            "use a release that has this version"
        }
        CheckpointError::Size { .. } | CheckpointError::Hash { .. } => {
            "the files were changed after the import: delete the folder and import the model again"
        }
        _ => "import the model with: noema-worker import <GGUF file or folder>",
    };
    Area::Checkpoint.failed(subject, error.to_string(), remedy)
}

/// Tokens of the compared pass; the definition, which is slow, runs them, too.
const COMPARED: u32 = 12;

/// Whether a forward pass of `checkpoint` on `device` yields the bits of the definition.
pub fn forward(checkpoint: &Arc<OpenCheckpoint>, device: &Device) -> Diagnosis {
    let subject = format!("{} on {device}", checkpoint.id());
    match compare(checkpoint, device) {
        Ok(true) => Area::Checkpoint.passed(
            subject,
            format!("a forward pass over {COMPARED} tokens yields the bits of the definition"),
        ),
        Ok(false) => Area::Checkpoint.failed(
            subject,
            "a forward pass gives other bits than the definition: its answers would be slashed",
            "update the device's driver, or choose another --device",
        ),
        Err(error) => Area::Checkpoint.failed(
            subject,
            error.to_string(),
            "choose another --device, or give it more memory with --device-memory",
        ),
    }
}

fn compare(checkpoint: &Arc<OpenCheckpoint>, device: &Device) -> Result<bool, ExecutorError> {
    let vocabulary = checkpoint.architecture().vocabulary;
    let tokens: Vec<u32> = (1..=COMPARED).map(|i| i * 7_919 % vocabulary).collect();
    let wanted = tokens.len() - 1..tokens.len();

    let mut executor = device.executor(checkpoint.clone())?;
    let sequence = executor.open(tokens.len())?;
    let mut found = Output::default();
    let segment = Segment {
        sequence,
        start: 0,
        tokens: &tokens,
        wanted: wanted.clone(),
    };
    executor.run(&[segment], &mut found)?;

    let mut definition = Transformer::new(checkpoint.model()?, Scalar, COMPARED);
    let (mut hidden, mut logits) = (Blocks::default(), Vec::new());
    noema_numerics::ForwardPass::forward(&mut definition, 0, &tokens, wanted, &mut hidden)?;
    noema_numerics::ForwardPass::logits(&mut definition, hidden.view(), &mut logits);
    Ok(found.hidden == hidden && found.logits == logits)
}

/// The finding for an empty library.
pub fn no_checkpoint(library: &Library) -> Diagnosis {
    Area::Checkpoint.failed(
        library.root().display().to_string(),
        "there is no checkpoint",
        "import one with: noema-worker import <GGUF file or folder>",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Health;
    use sp_core::H256;

    #[test]
    fn a_checkpoint_of_another_release_is_not_to_be_imported() {
        for error in [ManifestError::Numerics(9), ManifestError::TextLayer(9)] {
            let found = broken("a checkpoint", &CheckpointError::Manifest(error));
            let remedy = found.remedy.expect("there is one");
            assert_eq!(remedy, "use a release that has this version");
        }
    }

    #[test]
    fn a_checkpoint_that_is_unknown_and_not_served_is_no_failure() {
        let id = CheckpointId(H256::repeat_byte(1));
        for (is_served, health) in [(true, Health::Failed), (false, Health::Warned)] {
            let found = unknown(id, is_served);
            assert_eq!(found.health, health);
            let remedy = found.remedy.expect("there is one");
            assert!(
                remedy.contains("noema-worker register checkpoint"),
                "{remedy}"
            );
        }
    }
}
