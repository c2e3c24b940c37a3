//! `noema-worker ask`.

mod report;

use super::money::{Amount, Token};
use super::values::within;
use super::{find_checkpoint, Global};
use crate::chain::calls::RequestInference;
use crate::chain::types::{ClaimInfo, RequestPhase, RequestState};
use crate::chain::{follow, Link, Node};
use crate::keys::Key;
use crate::metrics::Metrics;
use anyhow::{bail, Context};
use clap::Args;
use noema_protocol::{CheckpointId, RequestId, SamplingParameters};
use report::{missed_by, Report};
use serde::Serialize;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use subxt::ext::scale_decode::DecodeAsType;
use tokio::sync::watch;

/// The exit status if the requester was refunded.
const REFUNDED: u8 = 3;
/// The exit status if the request is not final yet.
const TIMED_OUT: u8 = 4;

/// The margin of the default price limit above the typical price, in percent: prices may change between the
/// quote and the draw.
const MARGIN_PERCENT: u128 = 10;

/// The highest `--temperature`.
const MAX_TEMPERATURE: f64 = SamplingParameters::MAX_TEMPERATURE_MILLI as f64 / 1_000.0;

/// The longest `--timeout`, in seconds: a year.
const LONGEST_TIMEOUT: u64 = 365 * 86_400;

/// The time to wait for an available worker.
const WORKERS: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(after_help = "\
The answer goes to standard output as soon as it is on chain. Then follow its checks, whether it
becomes final, and the payments. After a refund, the output names the reason, the workers that missed
their deadlines, and commands for details. The exit status is 0 if the answer became final, 3 if the
price limit was refunded, 4 if neither happened in time.

Examples:
  noema-worker ask \"Why is the sky blue?\" --account //Bob
  noema-worker ask \"A haiku about rain\" --temperature 0.8 --top-p 0.95 --max-tokens 40 --json")]
pub(super) struct AskArgs {
    /// The prompt, such as "Why is the sky blue?". One that is written like an option, such as "--json",
    /// needs `--` before it.
    #[arg(allow_hyphen_values = true)]
    prompt: String,
    /// The most tokens of the answer.
    #[arg(long, default_value_t = 64, value_parser = within(1..=u16::MAX), value_name = "TOKENS")]
    max_tokens: u16,
    /// Temperature of sampling: 0 always takes the most likely token, 1 samples from the model's own
    /// distribution.
    #[arg(long, default_value_t = 0.0, value_parser = within(0.0..=MAX_TEMPERATURE))]
    temperature: f64,
    /// Nucleus of sampling: draw only from the most likely tokens that together reach this probability.
    #[arg(long, default_value_t = 1.0, value_parser = within(0.001..=1.0), value_name = "PROBABILITY")]
    top_p: f64,
    /// Draw only from this many most likely tokens; 0 means all.
    #[arg(long, default_value_t = 0, value_parser = within(0..=u16::MAX), value_name = "TOKENS")]
    top_k: u16,
    /// Price limit: the most that you pay, in tokens of the chain, such as 0.25 [default: the price of a
    /// typical worker plus 10 %].
    #[arg(long, value_name = "AMOUNT")]
    price_limit: Option<Amount>,
    /// Checkpoint that answers, by a prefix of its id on chain [default: the canonical one, or the only
    /// one].
    #[arg(long)]
    checkpoint: Option<String>,
    /// Requester, which signs and pays: a key file or a development key.
    #[arg(long, default_value = "//Alice", value_name = "KEY")]
    account: String,
    /// Print one JSON object at the end instead of lines during the request; amounts are in the smallest
    /// unit.
    #[arg(long)]
    json: bool,
    /// Seconds to wait until the answer is final or the price limit is refunded.
    #[arg(long, default_value_t = 600, value_parser = within(1..=LONGEST_TIMEOUT), value_name = "SECONDS")]
    timeout: u64,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Requested {
    request: RequestId,
}

pub(super) async fn ask(global: &Global, args: AskArgs) -> anyhow::Result<ExitCode> {
    let key = Key::load(&args.account)?;
    let parameters = parameters(&args)?;
    let node = global.node().await?;
    let token = Token::of(&node).await?;
    let at = node.finalized().await?;
    let checkpoint = find_checkpoint(&at, args.checkpoint.as_deref()).await?;
    let quote = Quote::of(&node, &checkpoint, &args.prompt, parameters).await?;
    let limit = match &args.price_limit {
        Some(amount) => token.units(amount).context("--price-limit")?,
        None => quote.limit()?,
    };
    let free = at.free_balance(&key.account()).await?;
    if free < limit.saturating_add(quote.storage) {
        bail!(
            "{} has {}; the price limit is {}, and storage costs {}; use another --account or lower --price-limit",
            key.address(),
            token.show(free),
            token.show(limit),
            token.show(quote.storage)
        );
    }

    let mut report = Report::new(args.json, token);
    report.wait("sending the request");
    let asked = Instant::now();
    let call = RequestInference {
        checkpoint,
        prompt: args.prompt.clone().into_bytes(),
        parameters,
        price_limit: limit,
    };
    let included = node.submit(call, &key).await?;
    let requested: Requested = included
        .event("Inference", "Requested")?
        .context("the call succeeded without the event Inference.Requested")?;
    let id = requested.request;
    report.line(&format!(
        "request {id} in block {}: {} on hold",
        included.block,
        report.token.show(limit)
    ));

    let (stop_sender, stop) = watch::channel(false);
    let (head_sender, mut head) = watch::channel(included.block);
    let link = Link::new(node);
    tokio::spawn(follow(link.clone(), head_sender, Metrics::new(), stop));
    let watch = async {
        loop {
            // If the node is unreachable, this tries again at the next finalized block.
            if let Ok(Some(seen)) = look(&link, id).await
                && report.update(&seen, asked)
            {
                return Ok(seen);
            }
            if head.changed().await.is_err() {
                bail!("the connection to the node ended");
            }
        }
    };
    let end = tokio::time::timeout(Duration::from_secs(args.timeout), watch).await;
    stop_sender.send_replace(true);
    report.spinner.finish_and_clear();
    let Ok(seen) = end else {
        eprintln!(
            "request {id} is not final after {} s{}; see its state later with: noema-worker request show {id}",
            args.timeout,
            match report.missed {
                0 => String::new(),
                missed => format!(", and {}", missed_by(missed)),
            }
        );
        return Ok(ExitCode::from(TIMED_OUT));
    };
    let Seen { state, claim, .. } = seen?;
    let is_settled = matches!(state.phase, RequestPhase::Settled { .. });
    if args.json {
        let asked = Asked {
            request: id,
            answer: String::from_utf8_lossy(&state.text).into_owned(),
            settled: is_settled,
            answer_s: report.times.answered,
            settled_s: asked.elapsed().as_secs_f64(),
            missed_by: report.missed_by,
            state: &state,
            claim: claim.as_ref(),
        };
        super::print_json(&asked)?;
    }
    Ok(match is_settled {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(REFUNDED),
    })
}

/// The outcome of a request as JSON; amounts are in the smallest unit.
#[derive(Serialize)]
struct Asked<'a> {
    request: RequestId,
    answer: String,
    settled: bool,
    answer_s: Option<f64>,
    settled_s: f64,
    /// The workers that were seen to miss their deadlines.
    missed_by: Vec<String>,
    state: &'a RequestState,
    claim: Option<&'a ClaimInfo>,
}

fn parameters(args: &AskArgs) -> anyhow::Result<SamplingParameters> {
    // The ranges of both options end far below the maximum of 16 bits.
    let milli = |value: f64| (value * 1_000.0).round() as u16;
    let parameters = SamplingParameters {
        max_tokens: args.max_tokens,
        temperature_milli: milli(args.temperature),
        top_k: args.top_k,
        top_p_milli: milli(args.top_p),
    };
    parameters.validate()?;
    Ok(parameters)
}

/// The quote for a request.
struct Quote {
    /// The price limit that a typical worker accepts; `None` while no worker is available.
    typical: Option<u128>,
    /// The amount burned for storage.
    storage: u128,
    checkpoint: CheckpointId,
}

impl Quote {
    /// The quote of a finalized block. Waits for an available worker: one that has just registered can only
    /// be drawn from the term after next on.
    async fn of(
        node: &Node,
        checkpoint: &CheckpointId,
        prompt: &str,
        parameters: SamplingParameters,
    ) -> anyhow::Result<Self> {
        let bytes = u32::try_from(prompt.len()).context("the prompt is too long")?;
        let begun = Instant::now();
        loop {
            let at = node.finalized().await?;
            let Some(prices) = at.quote(checkpoint, bytes, parameters).await? else {
                bail!("checkpoint {checkpoint} takes no requests: the chain does not know it, or it was withdrawn");
            };
            if !prices.fits {
                bail!("prompt and answer may exceed the context of checkpoint {checkpoint}; shorten the prompt or ask for fewer tokens with --max-tokens");
            }
            let typical = prices.typical.or(prices.lowest);
            if typical.is_some() || begun.elapsed() > WORKERS {
                return Ok(Self {
                    typical,
                    storage: prices.storage,
                    checkpoint: *checkpoint,
                });
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// The price of a typical worker, with a margin.
    fn limit(&self) -> anyhow::Result<u128> {
        let Some(typical) = self.typical else {
            bail!("no worker that can be drawn in this term serves checkpoint {}; register and start one", self.checkpoint);
        };
        let margin = typical.saturating_mul(MARGIN_PERCENT) / 100;
        Ok(typical.saturating_add(margin))
    }
}

/// A request at a finalized block.
struct Seen {
    id: RequestId,
    state: RequestState,
    /// Its claim, while its record is kept.
    claim: Option<ClaimInfo>,
}

async fn look(link: &Link, id: RequestId) -> anyhow::Result<Option<Seen>> {
    let node: std::sync::Arc<Node> = link.node()?;
    let at = node.finalized().await?;
    let Some(state) = at.request(id).await? else {
        return Ok(None);
    };
    let claim = match state.claim {
        Some(claim) => at.claim(claim).await?,
        None => None,
    };
    Ok(Some(Seen { id, state, claim }))
}
