//! `noema-worker request`, `operator` and `audit`.

use super::money::Token;
use super::Global;
use crate::artefacts;
use crate::chain::calls::CancelRequest;
use crate::chain::types::{EarningsLedger, OperatorInfo, Phase, RequestState};
use crate::chain::Dues;
use crate::keys::{address, parse_account, Key};
use anyhow::Context;
use clap::Subcommand;
use noema_artefacts::Peer;
use noema_protocol::RequestId;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum RequestCommand {
    /// Show everything the chain knows of a request.
    Show {
        /// Its number.
        id: u64,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take back a request that no worker has; the whole price limit comes back.
    Cancel {
        /// Its number.
        id: u64,
        /// Who asked: a key file or a development key.
        #[arg(long, default_value = "//Alice", value_name = "KEY")]
        account: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum OperatorCommand {
    /// Show what an operator does, where it shares, what it earned, lost and can claim, and why.
    Show {
        /// The controller or the hot key: an address, 0x and 64 digits, or a development key.
        account: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn request(global: &Global, command: RequestCommand) -> anyhow::Result<()> {
    let node = global.node().await?;
    match command {
        RequestCommand::Show { id, json } => {
            let state = node
                .finalized()
                .await?
                .request(RequestId(id))
                .await?
                .with_context(|| format!("the chain has no request {id}; there is none of this number, or it is final and was pruned"))?;
            if json {
                println!("{}", serde_json::to_string_pretty(&state)?);
            } else {
                show_request(id, &state, &Token::of(&node).await?);
            }
        }
        RequestCommand::Cancel { id, account } => {
            let key = Key::load(&account)?;
            let included = node.submit(CancelRequest { request: id }, &key).await?;
            println!("request {id} is taken back, in block {}", included.block);
        }
    }
    Ok(())
}

fn show_request(id: u64, state: &RequestState, token: &Token) {
    println!("request      {id}, made in block {}", state.requested_at);
    println!("requester    {}", state.requester);
    println!("checkpoint   {:?}", state.checkpoint);
    println!("prompt       {}", String::from_utf8_lossy(&state.prompt));
    println!("price limit  {}", token.show(state.price_limit));
    println!("phase        {:?}", state.phase);
    if let Some(assignment) = &state.assignment {
        println!("worker       {}", assignment.worker);
    }
    for worker in &state.missed {
        println!("missed by    {worker}");
    }
    if let Some(receipt) = &state.receipt {
        println!("answer       {}", String::from_utf8_lossy(&state.text));
        println!(
            "tokens       {} of the prompt, {} of the answer",
            receipt.prompt_tokens, receipt.output_tokens
        );
    }
    for seat in &state.seats {
        let verdict = match &seat.opinion {
            Some(opinion) => format!("{:?}", opinion.verdict),
            None => "no verdict".into(),
        };
        println!(
            "validator    {}: {:?}, {verdict}, {:?}",
            seat.validator, seat.part, seat.standing
        );
    }
    match &state.phase {
        Phase::Settled => {
            println!(
                "paid         {} to the worker",
                token.show(state.worker_paid)
            );
            for check in &state.checks_paid {
                println!("paid         {} to {}", token.show(check.amount), check.to);
            }
            println!("burned       {}", token.show(state.burned));
            println!("refunded     {}", token.show(state.refunded));
        }
        Phase::Refunded { reason } => println!(
            "refunded     {}, because {}",
            token.show(state.refunded),
            reason.describe()
        ),
        _ => println!("on hold      {}", token.show(state.escrow)),
    }
}

/// An operator as JSON; amounts are in the smallest unit.
#[derive(Serialize)]
struct ShownOperator {
    controller: String,
    operator: OperatorInfo,
    endpoint: Option<ShownEndpoint>,
    earnings: Option<EarningsLedger>,
    rewards: Dues,
}

/// Where an operator shares artefacts, as a person reads it.
#[derive(Serialize)]
struct ShownEndpoint {
    peer: String,
    addresses: Vec<String>,
}

impl From<Peer> for ShownEndpoint {
    fn from(peer: Peer) -> Self {
        Self {
            peer: peer.id.to_string(),
            addresses: peer.addresses.iter().map(ToString::to_string).collect(),
        }
    }
}

pub(super) async fn operator(global: &Global, command: OperatorCommand) -> anyhow::Result<()> {
    let OperatorCommand::Show { account, json } = command;
    let account = parse_account(&account)?;
    let node = global.node().await?;
    let at = node.finalized().await?;
    let controller = at.controller_of(&account).await?.unwrap_or(account);
    let info = at.operator(&controller).await?.with_context(|| {
        format!(
            "{} is neither an operator nor the hot key of one",
            address(&account)
        )
    })?;
    let earnings = at.earnings(&controller).await?;
    let rewards = at.dues(&controller).await?;
    let endpoint = artefacts::peer(&at, &controller).await?;
    if json {
        let shown = ShownOperator {
            controller: address(&controller),
            operator: info,
            endpoint: endpoint.map(ShownEndpoint::from),
            earnings,
            rewards,
        };
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(());
    }
    let token = Token::of(&node).await?;
    let record = &info.operator;
    println!("controller  {}", address(&controller));
    println!("hot key     {}", record.key);
    println!("roles       {}", record.roles.names().join(" "));
    println!("bond        {}", token.show(record.bond));
    if record.roles.worker {
        println!(
            "prices      {} a prompt byte, {} an answer token",
            token.show(record.prices.latest.per_prompt_byte),
            token.show(record.prices.latest.per_output_token)
        );
    }
    for checkpoint in &info.serves {
        println!("serves      {checkpoint:?}");
    }
    if let Some(report) = &info.device {
        println!(
            "device      {:?} {}, self-test passed, reported in block {}",
            report.device.class,
            String::from_utf8_lossy(&report.device.name),
            report.at
        );
    }
    match endpoint.map(ShownEndpoint::from) {
        Some(endpoint) => println!(
            "endpoint    {} at {}",
            endpoint.peer,
            endpoint.addresses.join(", ")
        ),
        None => println!(
            "endpoint    none published: noema-worker run --key <KEY> --listen <ADDRESS:PORT>"
        ),
    }
    println!(
        "open jobs   {}, with {} of the bond locked behind them",
        record.locks,
        token.show(record.locked)
    );
    match &info.idle {
        Some(idle) => println!("drawn       no: {}", idle.describe()),
        None => println!("drawn       yes"),
    }
    if let Some(earnings) = earnings {
        println!(
            "earned      {} for answers, {} for checks, {} from disputes",
            token.show(earnings.answers),
            token.show(earnings.checks),
            token.show(earnings.disputes)
        );
        println!(
            "credited    {}: noema-worker withdraw --account <KEY>",
            token.show(earnings.payable)
        );
        println!("lost        {}", token.show(earnings.slashed));
    }
    show_rewards(&rewards, &token);
    Ok(())
}

fn show_rewards(rewards: &Dues, token: &Token) {
    if let Some(first) = rewards.epochs.first() {
        println!(
            "reward      {} of {} epochs, the oldest until block {}: noema-worker claim --key <KEY>",
            token.show(rewards.pending),
            rewards.epochs.len(),
            first.claimable_to
        );
    } else {
        println!("reward      nothing to claim");
    }
    if let Some(running) = &rewards.running {
        println!(
            "            epoch {} runs until block {}; if it ended now, it would bring {}",
            running.epoch,
            running.ends_at,
            token.show(running.estimate)
        );
    }
}

/// Asks every pallet of the runtime that has a view function `audit`. Exit status 1 if any pallet's
/// books differ.
pub(super) async fn audit(global: &Global) -> anyhow::Result<ExitCode> {
    let at = global.node().await?.finalized().await?;
    let pallets = at.audited_pallets();
    anyhow::ensure!(
        !pallets.is_empty(),
        "no pallet of this chain has a view function `audit`; is it a Noema chain?"
    );
    let mut sound = true;
    for pallet in &pallets {
        match at.audit(pallet).await? {
            Ok(_) => println!("{pallet}: the books agree"),
            Err(difference) => {
                sound = false;
                println!("{pallet}: {difference}");
            }
        }
    }
    println!("audited at block {}", at.number());
    Ok(match sound {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
