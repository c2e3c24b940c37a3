//! `noema-worker request`, `operator` and `audit`.

use super::describe::{stage_of, Describe};
use super::money::Token;
use super::values::within;
use super::Global;
use crate::artefacts;
use crate::chain::calls::CancelRequest;
use crate::chain::types::{ClaimInfo, EarningsLedger, OperatorInfo, RequestPhase, RequestState};
use crate::chain::Dues;
use crate::keys::{address, parse_account, Key};
use anyhow::Context;
use clap::Subcommand;
use noema_artefacts::Peer;
use noema_model::printable::{one_line, quoted};
use noema_protocol::RequestId;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum RequestCommand {
    /// Show the state of a request.
    Show {
        /// Request, by its number.
        #[arg(value_parser = within(0..=u64::MAX))]
        id: u64,
        /// Print one JSON object; amounts are in the smallest unit.
        #[arg(long)]
        json: bool,
    },
    /// Cancel a request that no worker was drawn for; the whole price limit is refunded.
    Cancel {
        /// Request, by its number.
        #[arg(value_parser = within(0..=u64::MAX))]
        id: u64,
        /// Requester, which signs: a key file or a development key.
        #[arg(long, default_value = "//Alice", value_name = "KEY")]
        account: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum OperatorCommand {
    /// Show an operator: its roles, checkpoints, device, endpoint, jobs, earnings and rewards.
    Show {
        /// Operator, by its controller or its hot key: an SS58 address, 0x and 64 hexadecimal digits, or a
        /// development key such as //Alice.
        account: String,
        /// Print one JSON object; amounts are in the smallest unit.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn request(global: &Global, command: RequestCommand) -> anyhow::Result<()> {
    let node = global.node().await?;
    match command {
        RequestCommand::Show { id, json } => {
            let at = node.finalized().await?;
            let state = at
                .request(RequestId(id))
                .await?
                .with_context(|| format!("the chain has no request {id}; it was never made, or it ended and its record was pruned"))?;
            let claim = match state.claim {
                Some(claim) => at.claim(claim).await?,
                None => None,
            };
            if json {
                let shown = ShownRequest {
                    state: &state,
                    claim_info: claim.as_ref(),
                };
                super::print_json(&shown)?;
            } else {
                let token = Token::of(&node).await?;
                show_request(id, &state, &token);
                show_end(&state, claim.as_ref(), &token);
            }
        }
        RequestCommand::Cancel { id, account } => {
            let key = Key::load(&account)?;
            let request = RequestId(id);
            let included = node.submit(CancelRequest { request }, &key).await?;
            println!("request {id} is cancelled, in block {}", included.block);
        }
    }
    Ok(())
}

/// A request as JSON; amounts are in the smallest unit.
#[derive(Serialize)]
struct ShownRequest<'a> {
    #[serde(flatten)]
    state: &'a RequestState,
    /// Its claim, while its record is kept.
    claim_info: Option<&'a ClaimInfo>,
}

fn show_request(id: u64, state: &RequestState, token: &Token) {
    println!("request      {id}, made in block {}", state.requested_at);
    println!("requester    {}", state.requester);
    println!("checkpoint   {}", state.checkpoint);
    println!("prompt\n{}", quoted(&state.prompt, "| "));
    println!("price limit  {}", token.show(state.price_limit));
    println!("storage      {} burned", token.show(state.storage_burned));
    println!("phase        {}", phase(state));
    if state.attempts > 0 {
        println!("missed by    {} workers", state.attempts);
    }
    if let Some(assignment) = &state.assignment {
        println!(
            "worker       {}, with {} at stake",
            assignment.worker,
            token.show(assignment.stake)
        );
    }
    if let Some(receipt) = &state.receipt {
        println!("answer\n{}", quoted(&state.text, "| "));
        println!(
            "tokens       {} of the prompt, {} of the answer",
            receipt.prompt_tokens, receipt.answer_tokens
        );
        println!("hidden root  {:?}", receipt.hidden_root);
    }
}

/// Prints the claim and the payments of a request.
fn show_end(state: &RequestState, claim: Option<&ClaimInfo>, token: &Token) {
    if let (Some(id), Some(stage)) = (state.claim, &state.claim_stage) {
        println!("claim        {id}, {}", stage_of(stage));
    }
    if let Some(info) = claim {
        for seat in &info.claim.seats {
            println!("validator    {} {}", seat.validator, seat.state.describe());
        }
        for (_, challengers) in &info.disputes {
            for challenger in challengers {
                println!("challenger   {challenger}; a jury decides");
            }
        }
    }
    let payments = &state.payments;
    match &state.phase {
        RequestPhase::Settled { .. } => {
            println!("paid         {} to the worker", token.show(payments.worker));
            println!(
                "paid         {} to validators",
                token.show(payments.validators)
            );
            println!("burned       {}", token.show(payments.burned));
            println!("refunded     {}", token.show(payments.refunded));
        }
        RequestPhase::Refunded { reason } => println!(
            "refunded     {}, because {}",
            token.show(payments.refunded),
            reason.describe()
        ),
        _ => println!(
            "on hold      {}",
            token.show(state.price_limit.saturating_sub(payments.refunded))
        ),
    }
}

fn phase(state: &RequestState) -> String {
    match &state.phase {
        RequestPhase::Waiting => match state.position {
            Some(position) => format!("waiting for a worker, with {position} requests before it"),
            None => "waiting for a worker".into(),
        },
        RequestPhase::Answering { deadline } => {
            format!("being answered, until block {deadline} at the latest")
        }
        RequestPhase::Claimed { .. } => "answered, and not final yet".into(),
        RequestPhase::Settled { verification, .. } => {
            format!("settled, {}", verification.describe())
        }
        RequestPhase::Refunded { .. } => "refunded".into(),
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

/// An operator's endpoint as text.
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
        super::print_json(&shown)?;
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
            token.show(record.prices.latest.per_answer_token)
        );
    }
    for checkpoint in &info.serves {
        println!("serves      {checkpoint}");
    }
    if let Some(report) = &info.device {
        println!(
            "device      {:?} {}, self-test passed, reported in block {}",
            report.device.class,
            one_line(&String::from_utf8_lossy(&report.device.name)),
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
            "            epoch {} runs until block {}; if it ended now, the reward would be {}",
            running.epoch,
            running.ends_at,
            token.show(running.estimate)
        );
    }
}

/// Calls the view function `audit` of every pallet that has one. The exit status is 1 if any pallet's books
/// differ.
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
