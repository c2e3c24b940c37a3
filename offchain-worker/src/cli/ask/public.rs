//! A public request, on chain.

mod report;

use super::AskArgs;
use crate::chain::calls::RequestInference;
use crate::chain::types::{ClaimInfo, RequestPhase, RequestState};
use crate::chain::{follow, Link, Node};
use crate::cli::money::Token;
use crate::cli::{find_checkpoint, print_json, Global};
use crate::keys::Key;
use crate::metrics::Metrics;
use anyhow::{bail, Context};
use noema_protocol::{CheckpointId, RequestId, SamplingParameters};
use report::{missed_by, Report};
use serde::Serialize;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use subxt::ext::scale_decode::DecodeAsType;
use tokio::sync::watch;

/// The exit status if the requester was refunded.
const REFUNDED: u8 = 3;

/// The margin of the default price limit above the typical price, in percent: prices may change between the
/// quote and the draw.
const MARGIN_PERCENT: u128 = 10;

/// The time to wait for an available worker.
const WORKERS: Duration = Duration::from_secs(60);

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Requested {
    request: RequestId,
}

pub(super) async fn ask(global: &Global, args: &AskArgs) -> anyhow::Result<ExitCode> {
    let key = Key::load(&args.account)?;
    let parameters = args.parameters()?;
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
        return Ok(ExitCode::from(super::TIMED_OUT));
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
        print_json(&asked)?;
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
