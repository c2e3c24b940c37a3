//! `noema-worker withdraw`.

use super::money::Token;
use super::Global;
use crate::chain::calls::WithdrawPayments;
use crate::chain::types::Balance;
use crate::chain::At;
use crate::keys::{address, Key};
use crate::store::AccountBytes;
use anyhow::Context;
use clap::Args;
use serde::Serialize;
use subxt::ext::scale_decode::DecodeAsType;

#[derive(Debug, Args)]
#[command(after_help = "\
The chain credits an operator's ledger with its payments for answers and checks, and with its share of
the bonds that other operators lost in disputes. The credit does not expire. The controller withdraws
it: it signs, pays the fee of a transaction and receives the whole credit. A hot key cannot withdraw,
since it moves no funds. `noema-worker operator show <ACCOUNT>` shows the credit. Rewards from
subsidies are separate: see `noema-worker claim`.

Examples:
  noema-worker withdraw --account //George
  noema-worker withdraw --account controller.key --json")]
pub(super) struct WithdrawArgs {
    /// Controller, which signs and is paid: a key file or a development key.
    #[arg(long, value_name = "KEY")]
    account: String,
    /// Print one JSON object; amounts are in the smallest unit.
    #[arg(long)]
    json: bool,
}

/// Why a withdrawal would be refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum WithdrawError {
    /// The account is a hot key.
    #[error("{key} is a hot key, which moves no funds; its controller {controller} withdraws, with: noema-worker withdraw --account <CONTROLLER>")]
    HotKey { key: String, controller: String },
    /// The account is not a controller.
    #[error("{0} is not the controller of an operator; only operators are credited with payments")]
    NoOperator(String),
}

/// The event of a withdrawal.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Withdrawn {
    amount: Balance,
}

/// The result of a withdrawal.
#[derive(Debug, Serialize)]
struct Report {
    account: String,
    received: Balance,
    /// The block of the withdrawal, if there was something to withdraw.
    block: Option<u64>,
}

pub(super) async fn withdraw(global: &Global, args: WithdrawArgs) -> anyhow::Result<()> {
    let controller = Key::load(&args.account)?;
    let node = global.node().await?;
    let token = Token::of(&node).await?;
    let at = node.finalized().await?;
    let mut report = Report {
        account: controller.address(),
        received: 0,
        block: None,
    };
    if payable(&at, &controller.account()).await? > 0 {
        let included = node.submit(WithdrawPayments {}, &controller).await?;
        let Withdrawn { amount } = included
            .event("Operators", "Withdrawn")?
            .context("the call succeeded without the event Operators.Withdrawn")?;
        report.received = amount;
        report.block = Some(included.block);
    }
    if args.json {
        super::print_json(&report)?;
        return Ok(());
    }
    match report.block {
        Some(block) => println!(
            "{} received {}, in block {block}",
            report.account,
            token.show(report.received)
        ),
        None => println!("nothing to withdraw for {}", report.account),
    }
    Ok(())
}

/// The credit of an operator that is not yet withdrawn.
async fn payable(at: &At, account: &AccountBytes) -> anyhow::Result<Balance> {
    if let Some(earnings) = at.earnings(account).await? {
        return Ok(earnings.payable);
    }
    let named = address(account);
    Err(match at.controller_of(account).await? {
        Some(controller) => WithdrawError::HotKey {
            key: named,
            controller: address(&controller),
        },
        None => WithdrawError::NoOperator(named),
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_how_to_go_on() {
        let hot = WithdrawError::HotKey {
            key: "5Hot".into(),
            controller: "5Grw".into(),
        };
        assert!(hot.to_string().contains("its controller 5Grw withdraws"));
    }
}
