//! Whether this machine can do an operator's work, and what to do where it cannot.
//!
//! Each look at the machine, the devices, a checkpoint, the chain or a key ends in a [`Finding`]:
//! what was looked at, how it is, and how to mend it where it is not well. Nothing here changes
//! anything.

mod chain;
mod checkpoint;
mod devices;
mod host;

pub use chain::{chain, no_key, operator};
pub use checkpoint::{checkpoint, forward, no_checkpoint};
pub use devices::{devices, no_device};
pub use host::host;

use serde::Serialize;

/// What one look showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The part of the set-up.
    pub area: Area,
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub health: Health,
    /// What was seen, in words.
    pub detail: String,
    /// How to mend it, where there is something to mend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// A part of the set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// The machine.
    Host,
    /// What can execute the model.
    Device,
    /// Weights on this machine.
    Checkpoint,
    /// The node and its chain.
    Chain,
    /// An operator on that chain.
    Operator,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Passed,
    /// Work is possible, but not as it could be.
    Warned,
    /// Work is not possible.
    Failed,
}

impl Area {
    fn passed(self, subject: impl Into<String>, detail: impl Into<String>) -> Finding {
        Finding {
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
    ) -> Finding {
        Finding {
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
    ) -> Finding {
        Finding {
            health: Health::Failed,
            ..self.warned(subject, detail, remedy)
        }
    }
}
