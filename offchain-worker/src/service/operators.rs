//! The operators behind the hot keys.

use super::{Config, ServiceError};
use crate::chain::calls::ReportDevice;
use crate::chain::types::{WireDevice, WireDeviceClass};
use crate::chain::{ChainError, Node};
use crate::keys::{address, Key};
use crate::roles::Identity;
use crate::store::AccountBytes;
use noema_executor::{self_test, Device, DeviceClass};
use noema_protocol::{interfaces::Role, CheckpointId};
use sp_core::H256;
use std::collections::BTreeSet;
use tracing::{info, warn};

/// Bytes of a device's name that the chain records.
const DEVICE_NAME_BYTES: usize = 64;

/// An operator as the chain has it.
#[derive(Clone)]
pub(super) struct Recorded {
    pub(super) key: Key,
    pub(super) controller: AccountBytes,
    worker: bool,
    validator: bool,
    trainer: bool,
    pub(super) serves: BTreeSet<CheckpointId>,
    /// What it has to execute besides: it may still be drawn for what it served before.
    owes: BTreeSet<CheckpointId>,
}

impl Recorded {
    /// The name used in logs.
    pub(super) fn name(&self) -> String {
        address(&self.controller)
    }

    /// What it does.
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

    /// What it does in rounds of training, if anything.
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
        let serves: BTreeSet<_> = info.serves.into_iter().map(CheckpointId).collect();
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

/// What the operators serve.
pub(super) fn served(operators: &[Recorded]) -> BTreeSet<CheckpointId> {
    let served = operators.iter().flat_map(|operator| &operator.serves);
    served.copied().collect()
}

/// What the operators have to execute besides what they serve.
pub(super) fn owed(operators: &[Recorded]) -> BTreeSet<CheckpointId> {
    let owed = operators.iter().flat_map(|operator| &operator.owes);
    owed.copied().collect()
}

/// Tells the chain what the operators run on, where it does not know. It is no condition for serving,
/// so a refusal is only logged.
pub(super) async fn report(node: &Node, operators: &[Recorded], device: &Device) {
    let device = on_chain(device);
    for operator in operators {
        let name = operator.name();
        match reported(node, operator, &device).await {
            Ok(true) => info!(operator = %name, "reported the device"),
            Ok(false) => {}
            Err(error) => warn!(operator = %name, %error, "could not report the device"),
        }
    }
}

/// Whether the report was news.
async fn reported(
    node: &Node,
    operator: &Recorded,
    device: &WireDevice,
) -> Result<bool, ChainError> {
    let info = node
        .finalized()
        .await?
        .operator(&operator.controller)
        .await?;
    let recorded = info.and_then(|info| info.device);
    if recorded.is_some_and(|report| report.device == *device) {
        return Ok(false);
    }
    let call = ReportDevice {
        device: device.clone(),
    };
    node.perform_finally(call, &operator.key).await?;
    Ok(true)
}

/// The device as the chain records it, with the self-test that it passed.
fn on_chain(device: &Device) -> WireDevice {
    let name = device.to_string();
    let end = name.floor_char_boundary(DEVICE_NAME_BYTES);
    WireDevice {
        class: match device.class() {
            DeviceClass::Cpu => WireDeviceClass::Cpu,
            DeviceClass::Gpu => WireDeviceClass::Gpu,
        },
        name: name.as_bytes()[..end].to_vec(),
        self_test: H256(self_test::golden_hash()),
    }
}
