//! What a worker is told at its start.

use crate::keys::Key;
use crate::training::{Sabotage, TrainingOptions};
use noema_executor::DeviceOptions;
use noema_protocol::{interfaces::Role, FamilyId};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a worker is told at its start.
#[derive(Clone)]
pub struct Config {
    /// WebSocket of the node.
    pub url: String,
    /// Folder for checkpoints, datasets, records and job stores.
    pub home: PathBuf,
    /// Hot keys, each of another operator.
    pub keys: Vec<Key>,
    /// Roles to take on; none means those that the chain has recorded for each key.
    pub roles: Vec<Role>,
    /// Checkpoints to load, each by its folder or the beginning of its id; none means those that the
    /// operators serve.
    pub checkpoints: Vec<String>,
    /// What executes the models.
    pub device: DeviceOptions,
    /// Whether weights are read into large pages instead of mapping their files.
    pub large_pages: bool,
    /// Whether weights are not hashed before the start.
    pub trust_weights: bool,
    /// Where files are shared with other operators.
    pub listen: Listen,
    /// Where others reach what `listen` opens, if that is another address.
    pub public_addresses: Vec<SocketAddr>,
    /// Whether to move on when another checkpoint of a family becomes canonical.
    pub follow_canonical: bool,
    /// Whether to claim what the operators are due of subsidies.
    pub claims: bool,
    /// Where metrics and health are served.
    pub metrics: Option<SocketAddr>,
    /// File of the job store; by default one of the chain and the first operator, in the home folder.
    pub store: Option<PathBuf>,
    /// How to take part in rounds of training.
    pub rounds: RoundsConfig,
}

/// Where files are shared with other operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere.
    Off,
    /// At this address (UDP).
    At(SocketAddr),
    /// At this address, unless something is in the way.
    IfPossible(SocketAddr),
}

/// How to take part in rounds of training.
#[derive(Clone, Default)]
pub struct RoundsConfig {
    /// The families whose rounds to take part in.
    pub families: Vec<FamilyId>,
    /// Folders of datasets to share, and whose rounds to take part in.
    pub datasets: Vec<PathBuf>,
    /// Whether validators look at what they were not drawn for.
    pub audits: bool,
    /// How trainers train.
    pub training: TrainingOptions,
    /// Spoils contributions on purpose.
    pub sabotage: Option<Sabotage>,
}

impl Config {
    /// Operators with these hot keys do what the chain has recorded for them: serve from `home` over the
    /// node at `url`, share nothing, and claim what they are due.
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

    /// Whether to take on a role that an operator has.
    pub(super) fn wants(&self, role: Role) -> bool {
        self.roles.is_empty() || self.roles.contains(&role)
    }
}

impl RoundsConfig {
    /// What an operator does in rounds, given what it does at all.
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
