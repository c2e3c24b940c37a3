//! Games in words.

use crate::chain::types::GameInfo;
use crate::chain::Node;
use crate::cli::describe::stage_of;
use crate::games::{describe, StepInWords};
use crate::keys::address;
use anyhow::{bail, Context};
use noema_disputes::{GameStage, Line, Place, Side, StepProof};
use noema_model::printable::one_line;
use noema_protocol::ClaimId;
use noema_referee::{DeclaredEvidence, SessionStatement};

/// A game in one line.
pub(super) fn line((claim, leaf): (ClaimId, u32), info: &GameInfo) -> String {
    let claimant = address(&info.game.terms.claimant);
    let stage = match &info.game.stage {
        GameStage::Opening { until } => format!(
            "waits for the trace of the claimant, for {} more blocks",
            until.saturating_sub(info.time)
        ),
        GameStage::Open { tree, .. } => format!("is about a trace of {} steps", tree.steps()),
        GameStage::Ended(_) => "is handed over to a jury".into(),
    };
    let lines = info.lines.len();
    format!("claim {claim} leaf {leaf}: {claimant} against {lines} challengers; {stage}")
}

/// Tells a game, or how it ended.
pub(super) async fn show(node: &Node, place: (ClaimId, u32)) -> anyhow::Result<()> {
    let (claim, leaf) = place;
    let at = node.finalized().await?;
    let made = at.claim(claim).await?;
    let made =
        made.with_context(|| format!("the chain has no claim {claim}, or not any longer"))?;
    if leaf >= made.claim.terms.leaves {
        bail!(
            "claim {claim} has {} leaves, counted from 0",
            made.claim.terms.leaves
        );
    }
    println!(
        "claim        {claim}, leaf {leaf}, by {}",
        address(&made.claim.terms.claimant.0)
    );
    println!("about        {}", made.job);
    println!("stage        {}", stage_of(&made.claim.stage));
    match at.game(claim, leaf).await? {
        Some(info) => open(&info),
        None => println!("game         none is open over this leaf"),
    }
    let mut told = false;
    for number in (made.claim.made_at.into()..=at.number()).rev() {
        let proofs = node.at(number).await?.proofs_of(place).await?;
        for (statement, proof) in proofs {
            proven(number, &statement, &proof);
            told = true;
        }
        if told {
            return Ok(());
        }
    }
    println!("proof        none was given");
    Ok(())
}

/// A game that is open.
fn open(info: &GameInfo) {
    println!("game         {}", stage(info));
    for (challenger, line, until) in &info.lines {
        println!(
            "challenger   {}: {}",
            address(challenger),
            turn(line, *until, info.time)
        );
    }
}

fn stage(info: &GameInfo) -> String {
    match &info.game.stage {
        GameStage::Opening { until } => format!(
            "the claimant has {} more blocks to show the root of its trace",
            until.saturating_sub(info.time)
        ),
        GameStage::Open { tree, .. } => format!(
            "the claimant showed a trace of {} steps, with the root {:?}",
            tree.steps(),
            tree.root()
        ),
        GameStage::Ended(_) => {
            "handed over to a jury: the chain has no steps for the checkpoint".into()
        }
    }
}

fn turn(line: &Line<u32>, until: Option<u32>, time: u32) -> String {
    let left = match until {
        Some(until) => format!("{} more blocks", until.saturating_sub(time)),
        None => "its clock begins when the trace is shown".into(),
    };
    match (line.turn.side, &line.node) {
        (Side::Challenger, None) => format!("has to point to a node of the trace; {left}"),
        (Side::Challenger, Some((node, _))) => format!(
            "has the row below {}, and has to point or to prove; {left}",
            name(node)
        ),
        (Side::Claimant, Some((node, _))) => {
            format!("waits for the row below {}; {left}", name(node))
        }
        (Side::Claimant, None) => format!("waits for the claimant; {left}"),
    }
}

/// A node, with the steps below it.
fn name(node: &Place) -> String {
    let first = u128::from(node.index) << node.row.min(64);
    let end = (u128::from(node.index) + 1) << node.row.min(64);
    format!("the node over steps {first} to {}", end.saturating_sub(1))
}

/// A proof: the step, both values, and what the runtime computes from the evidence.
fn proven(block: u64, statement: &SessionStatement, proof: &StepProof<DeclaredEvidence>) {
    println!("proof        in block {block}, about step {}", proof.step);
    match describe(statement, proof) {
        Ok(StepInWords { words, computed }) => {
            println!("step         {}", one_line(&words));
            println!("claimed      {:?}", proof.node);
            println!("computed     {computed:?}");
            println!(
                "result       {}",
                match computed == proof.node {
                    true => "the step is right: the proof shows nothing",
                    false => "the step is wrong: the claim falls",
                }
            );
        }
        Err(reason) => println!("refused      {}", one_line(&reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_by_its_steps() {
        let node = Place { row: 10, index: 3 };
        assert_eq!(name(&node), "the node over steps 3072 to 4095");
    }
}
