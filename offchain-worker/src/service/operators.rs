//! The operators behind the hot keys.

use super::{Config, ServiceError};
use crate::chain::Node;
use crate::keys::{address, Key};
use crate::roles::Identity;
use crate::store::AccountBytes;
use noema_protocol::{CheckpointId, Role};
use std::collections::BTreeSet;
use tracing::info;

/// An operator as the chain records it.
#[derive(Clone)]
pub(super) struct Recorded {
    pub(super) key: Key,
    pub(super) controller: AccountBytes,
    worker: bool,
    validator: bool,
    trainer: bool,
    pub(super) serves: BTreeSet<CheckpointId>,
    /// Checkpoints that it no longer serves, but may still have to execute.
    owes: BTreeSet<CheckpointId>,
}

impl Recorded {
    /// The name used in logs.
    pub(super) fn name(&self) -> String {
        address(&self.controller)
    }

    /// Its account, name and roles for the operator loop.
    pub(super) fn identity(&self, config: &Config) -> Identity {
        Identity {
            controller: self.controller,
            name: self.name(),
            serves: self.worker && config.wants(Role::Worker),
            validates: self.validator && config.wants(Role::Validator),
            rounds: self.role_in_rounds(config),
            claims: config.claims,
        }
    }

    /// Its role in rounds of training, if it takes part in them.
    pub(super) fn role_in_rounds(&self, config: &Config) -> Option<Role> {
        config.rounds.role(
            self.trainer && config.wants(Role::Trainer),
            self.validator && config.wants(Role::Validator),
        )
    }
}

/// Finds the operator behind each key.
pub(super) async fn look_up(node: &Node, keys: &[Key]) -> Result<Vec<Recorded>, ServiceError> {
    let at = node.finalized().await?;
    let mut found: Vec<Recorded> = Vec::new();
    for key in keys {
        let controller = at.controller_of(&key.account()).await?;
        let Some(controller) = controller else {
            return Err(ServiceError::UnknownKey(key.address()));
        };
        let name = address(&controller);
        if found.iter().any(|other| other.controller == controller) {
            return Err(ServiceError::SameOperator(name));
        }
        let Some(info) = at.operator(&controller).await? else {
            return Err(ServiceError::NotRegistered(name));
        };
        if let Some(idle) = &info.idle {
            info!(operator = %name, reason = idle.describe(), "the operator is not drawn at present");
        }
        let serves: BTreeSet<_> = info.serves.into_iter().collect();
        let mut owes = at.owed(&controller).await?;
        owes.retain(|id| !serves.contains(id));
        found.push(Recorded {
            key: key.clone(),
            controller,
            worker: info.operator.roles.worker,
            validator: info.operator.roles.validator,
            trainer: info.operator.roles.trainer,
            serves,
            owes,
        });
    }
    Ok(found)
}

/// The checkpoints that the operators serve.
pub(super) fn served(operators: &[Recorded]) -> BTreeSet<CheckpointId> {
    let served = operators.iter().flat_map(|operator| &operator.serves);
    served.copied().collect()
}

/// The checkpoints that the operators no longer serve, but may still have to execute.
pub(super) fn owed(operators: &[Recorded]) -> BTreeSet<CheckpointId> {
    let owed = operators.iter().flat_map(|operator| &operator.owes);
    owed.copied().collect()
}
