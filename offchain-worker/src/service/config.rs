//! The configuration of a worker.

use crate::keys::Key;
use noema_executor::DeviceOptions;
use noema_protocol::{FamilyId, Role};
use noema_training::{PlainMethod, TrainingMethod, TrainingOptions};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// The configuration of a worker.
#[derive(Clone)]
pub struct Config {
    /// WebSocket URL of the node.
    pub url: String,
    /// Folder for checkpoints, datasets, files of rounds and job stores.
    pub home: PathBuf,
    /// Hot keys, one for each operator.
    pub keys: Vec<Key>,
    /// Roles to take on; empty for those that the chain records for each key.
    pub roles: Vec<Role>,
    /// Checkpoints to load, each by its folder or a prefix of its id; empty for those that the operators
    /// serve.
    pub checkpoints: Vec<String>,
    /// The device that executes the models.
    pub device: DeviceOptions,
    /// Whether weights are read into large pages instead of mapping their files.
    pub large_pages: bool,
    /// Whether weights are used without hashing them first.
    pub trust_weights: bool,
    /// The address at which files are shared with other operators.
    pub listen: Listen,
    /// The addresses at which other operators reach the endpoint, if they differ from `listen`.
    pub public_addresses: Vec<SocketAddr>,
    /// Whether to switch when another checkpoint of a family becomes canonical.
    pub follow_canonical: bool,
    /// Whether to claim the operators' rewards.
    pub claims: bool,
    /// The address at which metrics and health are served.
    pub metrics: Option<SocketAddr>,
    /// File of the job store; by default a file in the home folder, named after the chain and the first
    /// operator.
    pub store: Option<PathBuf>,
    /// Participation in rounds of training.
    pub rounds: RoundsConfig,
}

/// The address at which files are shared with other operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// No files are shared.
    Off,
    /// At this address (UDP).
    At(SocketAddr),
    /// At this address; if it cannot be opened, the worker starts without sharing.
    IfPossible(SocketAddr),
}

/// Participation in rounds of training.
#[derive(Clone)]
pub struct RoundsConfig {
    /// The families whose rounds the operators take part in.
    pub families: Vec<FamilyId>,
    /// Folders of datasets to share; the operators take part in the rounds on these datasets.
    pub datasets: Vec<PathBuf>,
    /// Whether validators also verify rounds for which they were not drawn.
    pub audits: bool,
    /// Training options of trainers.
    pub training: TrainingOptions,
    /// The method of trainers.
    pub method: Arc<dyn TrainingMethod>,
}

impl Config {
    /// Operators with these hot keys in the roles that the chain records: they serve checkpoints from `home`
    /// over the node at `url`, share no files, and claim their rewards.
    pub fn new(url: impl Into<String>, home: impl Into<PathBuf>, keys: Vec<Key>) -> Self {
        Self {
            url: url.into(),
            home: home.into(),
            keys,
            roles: Vec::new(),
            checkpoints: Vec::new(),
            device: DeviceOptions::default(),
            large_pages: false,
            trust_weights: false,
            listen: Listen::Off,
            public_addresses: Vec::new(),
            follow_canonical: false,
            claims: true,
            metrics: None,
            store: None,
            rounds: RoundsConfig::default(),
        }
    }

    /// Whether an operator that has this role takes it on.
    pub(super) fn wants(&self, role: Role) -> bool {
        self.roles.is_empty() || self.roles.contains(&role)
    }
}

impl Default for RoundsConfig {
    fn default() -> Self {
        Self {
            families: Vec::new(),
            datasets: Vec::new(),
            audits: false,
            training: TrainingOptions::default(),
            method: Arc::new(PlainMethod),
        }
    }
}

impl RoundsConfig {
    /// An operator's role in rounds, given its roles.
    pub(super) fn role(&self, trains: bool, validates: bool) -> Option<Role> {
        let asked = !self.families.is_empty() || !self.datasets.is_empty();
        match (trains, validates && asked) {
            (true, _) => Some(Role::Trainer),
            (false, true) => Some(Role::Validator),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validator_takes_part_in_rounds_that_are_named() {
        let named = RoundsConfig {
            families: vec![FamilyId(0)],
            ..RoundsConfig::default()
        };
        assert_eq!(named.role(false, true), Some(Role::Validator));
        assert_eq!(RoundsConfig::default().role(false, true), None);
        assert_eq!(
            RoundsConfig::default().role(true, true),
            Some(Role::Trainer)
        );
        assert_eq!(named.role(false, false), None);
    }
}
