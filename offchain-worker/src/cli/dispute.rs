//! `noema-worker dispute`.

mod challenging;
mod told;

use super::device::DeviceArgs;
use super::values::within;
use super::Global;
use crate::chain::Node;
use clap::{Args, Subcommand};
use noema_protocol::ClaimId;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum DisputeCommand {
    /// List the games that are open: disputes over answers of sessions, which the chain decides by executing one step.
    List,
    /// Tell a game in words: who claims what, where it stands, and which step it came down to.
    Show(PlaceArgs),
    /// Challenge the answer of a receipt file, and play the game to its end.
    Challenge(ChallengeArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
A game that is over is told by the proof that ended it, which is in a block after the claim: the node needs the
blocks since then.

Examples:
  noema-worker dispute show 17 0")]
pub(super) struct PlaceArgs {
    /// Claim, by its number.
    #[arg(value_parser = within(0..=u64::MAX))]
    claim: u64,
    /// Leaf of the claim, counted from 0.
    #[arg(default_value = "0", value_parser = within(0..=u32::MAX))]
    leaf: u32,
}

#[derive(Debug, Args)]
#[command(after_help = "\
This machine first executes the answer step by step, with the files of its checkpoint. Nothing is challenged if it is
true. If it is false, --account puts a bond on hold and challenges it; then the worker has to show its trace, and this
command points to where that differs, until the chain executes the first step that is wrong. The bond comes back when
the claim falls, with a part of what the worker loses.

The command can be stopped and started again: it goes on with the game, which has a clock. An answer that is not
claimed yet cannot be challenged: its worker asked for no payment.

The exit status is 0 if the claim falls, 1 if it does not, and 3 if the answer is true.

Examples:
  noema-worker dispute challenge answer.json --account //Bob
  noema-worker receipt verify answer.json --recompute")]
pub(super) struct ChallengeArgs {
    /// Receipt, as `noema-worker ask --receipt` and the gateway's /v1/noema/receipts/HASH/file write it.
    file: PathBuf,
    /// Account that challenges, which signs: a key file or a development key.
    #[arg(long, default_value = "//Alice", value_name = "KEY")]
    account: String,
    #[command(flatten)]
    device: DeviceArgs,
}

pub(super) async fn dispute(global: &Global, command: DisputeCommand) -> anyhow::Result<ExitCode> {
    match command {
        DisputeCommand::List => {
            let node = global.node().await?;
            list(&node).await?;
        }
        DisputeCommand::Show(args) => {
            let node = global.node().await?;
            told::show(&node, (ClaimId(args.claim), args.leaf)).await?;
        }
        DisputeCommand::Challenge(args) => return challenging::challenge(global, &args).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(node: &Node) -> anyhow::Result<()> {
    let at = node.finalized().await?;
    let games = at.games().await?;
    if games.is_empty() {
        println!("no game is open");
    }
    for place in games {
        // Between both reads the game may have ended.
        if let Some(info) = at.game(place.0, place.1).await? {
            println!("{}", told::line(place, &info));
        }
    }
    Ok(())
}
