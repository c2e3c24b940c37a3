//! Checks whether this machine can do an operator's work, and how to correct it if it cannot.
//!
//! Each check of the machine, the devices, a checkpoint, the chain or a key gives a [`Diagnosis`]: the
//! subject, its state, and a remedy if there is a problem. The checks change nothing.

mod chain;
mod checkpoint;
mod devices;
mod host;

pub use chain::{chain, no_key, operator};
pub use checkpoint::{checkpoint, forward, no_checkpoint};
pub use devices::{devices, no_device};
pub use host::host;

use serde::Serialize;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The part of the setup.
    pub area: Area,
    /// The subject of the check.
    pub subject: String,
    /// Its state.
    pub health: Health,
    /// The details, as text.
    pub detail: String,
    /// How to correct the problem, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// A part of the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// The machine.
    Host,
    /// The devices that can execute the model.
    Device,
    /// The checkpoints on this machine.
    Checkpoint,
    /// The node and its chain.
    Chain,
    /// An operator on that chain.
    Operator,
}

/// The state of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// No problem.
    Passed,
    /// Work is possible, but with limitations.
    Warned,
    /// The operator cannot work.
    Failed,
}

impl Area {
    fn passed(self, subject: impl Into<String>, detail: impl Into<String>) -> Diagnosis {
        Diagnosis {
            area: self,
            subject: subject.into(),
            health: Health::Passed,
            detail: detail.into(),
            remedy: None,
        }
    }

    fn warned(
        self,
        subject: impl Into<String>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Diagnosis {
        Diagnosis {
            health: Health::Warned,
            remedy: Some(remedy.into()),
            ..self.passed(subject, detail)
        }
    }

    fn failed(
        self,
        subject: impl Into<String>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Diagnosis {
        Diagnosis {
            health: Health::Failed,
            ..self.warned(subject, detail, remedy)
        }
    }
}
