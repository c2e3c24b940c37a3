//! The node, and an operator as recorded on its chain.

use super::{Area, Diagnosis};
use crate::chain::types::{Roles, WireEndpoint};
use crate::chain::{At, ChainError, Node};
use crate::keys::{address, Key, KeyError};
use crate::store::AccountBytes;
use noema_protocol::CheckpointId;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A chain without a new finalized block for this long has stopped.
const STILL: Duration = Duration::from_secs(30);

/// Checks whether a node answers at `url` and its chain advances; returns the node if so.
pub async fn chain(url: &str) -> (Vec<Diagnosis>, Option<Arc<Node>>) {
    let node = match Node::connect(url).await {
        Ok(node) => node,
        Err(error) => {
            let reason = match error {
                ChainError::Unreachable { reason, .. } => format!("does not answer: {reason}"),
                other => other.to_string(),
            };
            let finding = Area::Chain.failed(
                format!("node at {url}"),
                reason,
                "start a node, or point --url at one that runs",
            );
            return (vec![finding], None);
        }
    };
    let mut findings = vec![Area::Chain.passed(
        format!("node at {url}"),
        format!("answers; its chain is {}", node.chain()),
    )];
    findings.push(moves(&node).await);
    (findings, Some(node))
}

/// Whether blocks are finalized.
async fn moves(node: &Node) -> Diagnosis {
    let wait = async {
        let first = node.finalized().await?.number();
        loop {
            let number = node.finalized().await?.number();
            if number > first {
                return Ok::<_, ChainError>(number);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    match tokio::time::timeout(STILL, wait).await {
        Ok(Ok(number)) => Area::Chain.passed("finality", format!("block {number} is final")),
        Ok(Err(error)) => Area::Chain.failed(
            "finality",
            error.to_string(),
            "see the node's log; update the older of node and worker",
        ),
        Err(_) => Area::Chain.failed(
            "finality",
            format!("no block was finalized in {} seconds", STILL.as_secs()),
            "check whether the node is still syncing, or its chain has stopped",
        ),
    }
}

/// Checks whether `key` is the hot key of an operator that may be drawn; returns the checkpoints that it
/// serves. `show` formats amounts.
pub async fn operator(
    at: &At,
    key: &Key,
    show: &(dyn Fn(u128) -> String + Sync),
) -> (Vec<Diagnosis>, Vec<CheckpointId>) {
    match look(at, key, show).await {
        Ok(found) => found,
        Err(error) => (
            vec![Area::Operator.failed(
                key.address(),
                error.to_string(),
                "see the node's log; update the older of node and worker",
            )],
            Vec::new(),
        ),
    }
}

async fn look(
    at: &At,
    key: &Key,
    show: &(dyn Fn(u128) -> String + Sync),
) -> Result<(Vec<Diagnosis>, Vec<CheckpointId>), ChainError> {
    let hot = key.address();
    let Some(controller) = at.controller_of(&key.account()).await? else {
        let finding = Area::Operator.failed(
            hot.clone(),
            "no operator has this hot key",
            format!("its controller registers it with: noema-worker register operator --role worker --account <CONTROLLER> --key {hot} --serve <CHECKPOINT>"),
        );
        return Ok((vec![finding], Vec::new()));
    };
    let name = address(&controller);
    let Some(info) = at.operator(&controller).await? else {
        let finding = Area::Operator.failed(
            name,
            "it is no longer registered",
            "register it again with: noema-worker register operator",
        );
        return Ok((vec![finding], Vec::new()));
    };
    let mut findings = vec![Area::Operator.passed(
        name.clone(),
        format!(
            "hot key {hot}, {}",
            info.operator.roles.names().join(" and ")
        ),
    )];
    findings.push(bond(at, &name, &controller, info.operator.bond, show).await?);
    findings.push(match &info.idle {
        None => Area::Operator.passed(name.clone(), "may be drawn"),
        // A running worker ends this state by itself.
        Some(idle @ crate::chain::types::Idle::Absent) => Area::Operator.warned(
            name.clone(),
            format!("is not drawn: {}", idle.describe()),
            "start it with: noema-worker run",
        ),
        Some(idle @ crate::chain::types::Idle::Returning) => Area::Operator.warned(
            name.clone(),
            format!("is not drawn: {}", idle.describe()),
            "wait until that term begins",
        ),
        Some(idle) => Area::Operator.failed(
            name.clone(),
            format!("is not drawn: {}", idle.describe()),
            "add to its bond with: noema-worker register operator --bond <AMOUNT>, or cancel the unbonding with operators.cancelUnbonding",
        ),
    });
    if info.serves.is_empty() {
        findings.extend(serves_nothing(&name, &info.operator.roles));
    }
    let published = at.endpoint(&controller).await?;
    findings.extend(endpoint(&name, &info.operator.roles, published.as_ref()));
    Ok((findings, info.serves))
}

/// The finding for an operator that serves no checkpoint: answers and checks need one, rounds do not.
fn serves_nothing(name: &str, roles: &Roles) -> Option<Diagnosis> {
    let remedy =
        "its controller adds one with: noema-worker register operator --serve <CHECKPOINT>";
    if roles.worker {
        Some(Area::Operator.failed(name, "serves no checkpoint", remedy))
    } else if roles.validator {
        let detail = "serves no checkpoint: it is drawn for rounds of training, not for answers";
        Some(Area::Operator.warned(name, detail, remedy))
    } else {
        None
    }
}

/// Whether participants of rounds can fetch files from the operator: updates from a trainer, the next
/// checkpoint from either. `None` for an operator that has no part in rounds and publishes no endpoint.
fn endpoint(name: &str, roles: &Roles, published: Option<&WireEndpoint>) -> Option<Diagnosis> {
    match published {
        Some(endpoint) => {
            let addresses = endpoint.addresses.iter().copied().map(SocketAddr::from);
            let addresses: Vec<_> = addresses.map(|address| address.to_string()).collect();
            let detail = format!("shares files at {}", addresses.join(", "));
            Some(Area::Operator.passed(name, detail))
        }
        None if roles.trainer || roles.validator => Some(Area::Operator.warned(
            name,
            "has published no endpoint: no peer can fetch an update or a checkpoint from it",
            "publish one with: noema-worker run --listen <ADDRESS:PORT>",
        )),
        None => None,
    }
}

async fn bond(
    at: &At,
    name: &str,
    controller: &AccountBytes,
    bond: u128,
    show: &(dyn Fn(u128) -> String + Sync),
) -> Result<Diagnosis, ChainError> {
    let least: u128 = at.constant("Operators", "MinBond")?;
    let free = at.free_balance(controller).await?;
    Ok(if bond < least {
        Area::Operator.failed(
            name,
            format!("its bond is {}, less than {}", show(bond), show(least)),
            format!(
                "add {} with operators.bondExtra; the controller has {} free",
                show(least - bond),
                show(free)
            ),
        )
    } else {
        Area::Operator.passed(name, format!("its bond is {}", show(bond)))
    })
}

/// The finding for a key that cannot be read.
pub fn no_key(source: &str, error: &KeyError) -> Diagnosis {
    Area::Operator.failed(
        source,
        error.to_string(),
        "make a key with: noema-worker key generate <FILE>",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Health;

    const WORKER: Roles = Roles {
        worker: true,
        validator: false,
        trainer: false,
    };

    #[test]
    fn operators_in_rounds_are_told_to_publish_an_endpoint() {
        let trainer = Roles {
            trainer: true,
            ..WORKER
        };
        let validator = Roles {
            validator: true,
            ..WORKER
        };
        for roles in [trainer, validator] {
            let finding = endpoint("5Grw", &roles, None).expect("it is checked");
            assert_eq!(finding.health, Health::Warned);
            assert!(finding
                .remedy
                .is_some_and(|remedy| remedy.contains("run --listen")));
        }
        assert_eq!(endpoint("5Grw", &WORKER, None), None);
    }

    #[test]
    fn only_a_worker_cannot_do_without_a_checkpoint() {
        let health = |roles: &Roles| serves_nothing("5Grw", roles).map(|found| found.health);
        assert_eq!(health(&WORKER), Some(Health::Failed));
        let validator = Roles {
            worker: false,
            validator: true,
            trainer: true,
        };
        assert_eq!(health(&validator), Some(Health::Warned));
        let trainer = Roles {
            validator: false,
            ..validator
        };
        assert_eq!(health(&trainer), None);
    }

    #[test]
    fn a_published_endpoint_is_told() {
        let published = WireEndpoint {
            peer: [1; 32],
            addresses: vec![SocketAddr::from(([127, 0, 0, 1], 4_433)).into()],
        };
        let finding = endpoint("5Grw", &WORKER, Some(&published)).expect("it is reported");
        assert_eq!(finding.health, Health::Passed);
        assert!(finding.detail.contains("127.0.0.1:4433"));
    }
}
