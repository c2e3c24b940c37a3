//! The node, and an operator as its chain knows it.

use super::{Area, Finding};
use crate::chain::{At, ChainError, Node};
use crate::keys::{address, Key, KeyError};
use crate::store::AccountBytes;
use noema_protocol::CheckpointId;
use std::sync::Arc;
use std::time::Duration;

/// A chain on which no block is finalized for this long stands still.
const STILL: Duration = Duration::from_secs(30);

/// Whether a node answers at `url` and its chain moves; with the node if so.
pub async fn chain(url: &str) -> (Vec<Finding>, Option<Arc<Node>>) {
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
        format!("answers; genesis {:?}", node.genesis()),
    )];
    findings.push(moves(&node).await);
    (findings, Some(node))
}

/// Whether blocks are finalized.
async fn moves(node: &Node) -> Finding {
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
            "see the node's log; update whichever of node and worker is older",
        ),
        Err(_) => Area::Chain.failed(
            "finality",
            format!("no block was finalized in {} seconds", STILL.as_secs()),
            "see whether the node is still syncing, or its chain has stopped",
        ),
    }
}

/// Whether `key` is the hot key of an operator that may be drawn; with what it serves.
/// Amounts are told as `show` writes them.
pub async fn operator(
    at: &At,
    key: &Key,
    show: &(dyn Fn(u128) -> String + Sync),
) -> (Vec<Finding>, Vec<CheckpointId>) {
    match look(at, key, show).await {
        Ok(found) => found,
        Err(error) => (
            vec![Area::Operator.failed(
                key.address(),
                error.to_string(),
                "see the node's log; update whichever of node and worker is older",
            )],
            Vec::new(),
        ),
    }
}

async fn look(
    at: &At,
    key: &Key,
    show: &(dyn Fn(u128) -> String + Sync),
) -> Result<(Vec<Finding>, Vec<CheckpointId>), ChainError> {
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
            "it is not registered any more",
            "register it anew with: noema-worker register operator",
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
        // What a running worker ends by itself.
        Some(idle @ crate::chain::types::Idle::Silent) => Area::Operator.warned(
            name.clone(),
            format!("is not drawn: {}", idle.describe()),
            "start it with: noema-worker run",
        ),
        Some(idle @ crate::chain::types::Idle::FullyEngaged) => Area::Operator.warned(
            name.clone(),
            format!("is not drawn: {}", idle.describe()),
            "let it finish its jobs",
        ),
        Some(idle) => Area::Operator.failed(
            name.clone(),
            format!("is not drawn: {}", idle.describe()),
            "add to its bond with: noema-worker register operator --bond <AMOUNT>, or stay with operators.cancelUnbonding",
        ),
    });
    if info.serves.is_empty() {
        findings.push(Area::Operator.failed(
            name,
            "serves no checkpoint",
            "its controller starts to with: noema-worker register operator --serve <CHECKPOINT>",
        ));
    }
    let serves = info.serves.into_iter().map(CheckpointId).collect();
    Ok((findings, serves))
}

async fn bond(
    at: &At,
    name: &str,
    controller: &AccountBytes,
    bond: u128,
    show: &(dyn Fn(u128) -> String + Sync),
) -> Result<Finding, ChainError> {
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

/// That a key cannot be read.
pub fn no_key(source: &str, error: &KeyError) -> Finding {
    Area::Operator.failed(
        source,
        error.to_string(),
        "make a key with: noema-worker key generate <FILE>",
    )
}
