//! `noema-worker ask`.

use super::money::{Amount, Token};
use super::values::within;
use super::{find_checkpoint, Global};
use crate::chain::calls::RequestInference;
use crate::chain::types::{
    ClaimInfo, ClaimStage, Payments, RefundReason, RequestPhase, RequestState, Seat, SeatState,
    Verification,
};
use crate::chain::{follow, Link, Node};
use crate::keys::Key;
use crate::metrics::Metrics;
use crate::printable::printable_bytes;
use anyhow::{bail, Context};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use noema_protocol::{CheckpointId, ClaimId, RequestId, SamplingParameters};
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
    /// The prompt, such as "Why is the sky blue?".
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
    request: u64,
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
        checkpoint: checkpoint.0,
        prompt: args.prompt.clone().into_bytes(),
        parameters: parameters.into(),
        price_limit: limit,
    };
    let included = node.submit(call, &key).await?;
    let requested: Requested = included
        .event("Inference", "Requested")?
        .context("the call succeeded without the event Inference.Requested")?;
    let id = RequestId(requested.request);
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
            if let Ok(Some(seen)) = look(&link, id).await {
                if report.update(&seen, asked) {
                    return Ok(seen);
                }
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
        println!("{}", serde_json::to_string_pretty(&asked)?);
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
        Some(claim) => at.claim(ClaimId(claim)).await?,
        None => None,
    };
    Ok(Some(Seen { id, state, claim }))
}

#[derive(Clone, Copy, Default)]
struct Times {
    answered: Option<f64>,
}

/// Prints the changes of a request.
struct Report {
    quiet: bool,
    token: Token,
    spinner: ProgressBar,
    worker: Option<String>,
    /// The number of workers that missed their deadlines.
    missed: u32,
    /// Those of them that were seen with the request.
    missed_by: Vec<String>,
    seats: Vec<Seat>,
    is_waived: bool,
    disputes: usize,
    times: Times,
}

impl Report {
    fn new(quiet: bool, token: Token) -> Self {
        let spinner = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self {
            quiet,
            token,
            spinner,
            worker: None,
            missed: 0,
            missed_by: Vec::new(),
            seats: Vec::new(),
            is_waived: false,
            disputes: 0,
            times: Times::default(),
        }
    }

    fn line(&self, line: &str) {
        if !self.quiet {
            self.spinner.suspend(|| println!("{line}"));
        }
    }

    fn wait(&self, what: &str) {
        self.spinner.set_message(what.to_owned());
    }

    /// Prints the changes; true once the request has ended.
    fn update(&mut self, seen: &Seen, asked: Instant) -> bool {
        let state = &seen.state;
        self.missed(state);
        self.assignment(state);
        self.answer(state, asked);
        if let Some(claim) = &seen.claim {
            self.claim(claim);
        }
        match &state.phase {
            RequestPhase::Waiting => self.wait(&match state.position {
                None | Some(0) => "waiting for a worker".to_owned(),
                Some(1) => "waiting for a worker: 1 request is before this one".to_owned(),
                Some(others) => {
                    format!("waiting for a worker: {others} requests are before this one")
                }
            }),
            RequestPhase::Answering { deadline } => {
                self.wait(&format!("the worker has until block {deadline}"));
            }
            RequestPhase::Claimed { .. } => {
                if let Some(stage) = &state.claim_stage {
                    self.wait(&awaited(stage));
                }
            }
            RequestPhase::Settled { verification, .. } => {
                self.settled(state, verification);
                return true;
            }
            RequestPhase::Refunded { reason } => {
                self.line(&format!(
                    "refunded {} because {}",
                    self.token.show(state.payments.refunded),
                    reason.describe()
                ));
                for line in after_refund(reason, seen.id, self.missed, &self.missed_by) {
                    self.line(&line);
                }
                return true;
            }
        }
        false
    }

    fn missed(&mut self, state: &RequestState) {
        if state.attempts <= self.missed {
            return;
        }
        // The worker that was last seen with the request is one of those that missed their deadlines since.
        match self.worker.take() {
            Some(worker) => {
                self.line(&format!("worker {worker} missed its deadline"));
                self.missed_by.push(worker);
            }
            None => self.line(&missed_by(state.attempts)),
        }
        self.missed = state.attempts;
    }

    fn assignment(&mut self, state: &RequestState) {
        let worker = state
            .assignment
            .as_ref()
            .map(|assignment| assignment.worker.to_string());
        if worker != self.worker {
            if let Some(assignment) = &state.assignment {
                self.line(&format!(
                    "worker {} was drawn: at most {} for the answer and {} for checks",
                    assignment.worker,
                    self.token.show(assignment.answer_max),
                    self.token.show(assignment.check_fee)
                ));
            }
            self.worker = worker;
        }
    }

    fn answer(&mut self, state: &RequestState, asked: Instant) {
        let Some(receipt) = &state.receipt else {
            return;
        };
        if self.times.answered.is_some() {
            return;
        }
        let seconds = asked.elapsed().as_secs_f64();
        self.times.answered = Some(seconds);
        self.line(&format!("\n{}\n", printable_bytes(&state.text)));
        self.line(&format!(
            "answered after {seconds:.1} s: {} prompt tokens, {} answer tokens",
            receipt.prompt_tokens, receipt.answer_tokens
        ));
        if let Some(claim) = state.claim {
            self.line(&format!("  claim        {claim}"));
        }
        self.line(&format!("  checkpoint   {:?}", receipt.checkpoint));
        self.line(&format!("  prompt hash  {:?}", receipt.prompt_hash));
        self.line(&format!("  seed         {:?}", receipt.seed));
        self.line(&format!("  answer hash  {:?}", receipt.answer_hash));
        self.line(&format!("  hidden root  {:?}", receipt.hidden_root));
    }

    fn claim(&mut self, info: &ClaimInfo) {
        let claim = &info.claim;
        for (index, seat) in claim.seats.iter().enumerate() {
            let before = self.seats.get(index);
            let is_told = match before {
                None => false,
                Some(before) => {
                    before.state == seat.state || matches!(seat.state, SeatState::Committed(_))
                }
            };
            if !is_told {
                self.line(&format!(
                    "validator {} {}",
                    seat.validator,
                    seat.state.describe()
                ));
            }
        }
        self.seats.clone_from(&claim.seats);
        let is_waived = matches!(
            claim.stage,
            ClaimStage::Challengeable {
                verification: Verification::NotDrawn,
                ..
            }
        );
        if is_waived && !self.is_waived {
            self.line("not drawn for a check");
            self.is_waived = true;
        }
        if info.disputes.len() > self.disputes {
            self.line("the answer is challenged; a jury executes it again");
        }
        self.disputes = info.disputes.len();
    }

    fn settled(&self, state: &RequestState, verification: &Verification) {
        let Payments {
            worker,
            validators,
            burned,
            refunded,
        } = &state.payments;
        self.line(&format!("settled, {}:", verification.describe()));
        if let Some(assignment) = &state.assignment {
            self.line(&format!(
                "  {:>22}  to worker {}",
                self.token.show(*worker),
                assignment.worker
            ));
        }
        for (amount, what) in [
            (validators, "to validators"),
            (burned, "burned"),
            (refunded, "back to you"),
        ] {
            self.line(&format!("  {:>22}  {what}", self.token.show(*amount)));
        }
    }
}

/// The number of workers that missed their deadlines, as text.
fn missed_by(workers: u32) -> String {
    match workers {
        1 => "1 worker missed its deadline".to_owned(),
        workers => format!("{workers} workers missed their deadlines"),
    }
}

/// Advice after a refund: details about its cause, and commands for more.
fn after_refund(reason: &RefundReason, id: RequestId, missed: u32, by: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    if missed > 0 {
        let said = "the chain does not record why; the logs of these workers do";
        lines.push(format!("  {}; {said}", missed_by(missed)));
        lines.extend(
            by.iter()
                .map(|worker| format!("  see  noema-worker operator show {worker}")),
        );
    }
    let advice = match reason {
        RefundReason::Cancelled => return lines,
        RefundReason::NoWorker => "raise --price-limit, ask another --checkpoint, or ask later",
        RefundReason::NoAnswer => {
            "ask again; if this happens with this prompt only, change the prompt"
        }
        RefundReason::CheckpointWithdrawn => "ask another --checkpoint",
        RefundReason::FalseAnswer | RefundReason::Unconfirmed => {
            "ask again: another worker may be drawn"
        }
    };
    lines.push(format!("  {advice}"));
    lines.push(format!("  see  noema-worker request show {id}"));
    lines
}

/// The next event of a claim, as text.
fn awaited(stage: &ClaimStage) -> String {
    match stage {
        ClaimStage::Undrawn => {
            "drawing whether the answer is checked, and by which validators".into()
        }
        ClaimStage::Committing { until } | ClaimStage::Revealing { until } => {
            format!("validators execute the answer again, until block {until} at the latest")
        }
        ClaimStage::Challengeable { until, .. } => {
            format!("final after block {until} unless an account challenges the answer")
        }
        ClaimStage::Ended(_) => "the claim is over".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_says_who_missed_and_where_to_look() {
        let by = ["5GrwvaEF".to_owned()];
        let lines = after_refund(&RefundReason::NoAnswer, RequestId(7), 3, &by).join("\n");
        for expected in [
            "3 workers missed their deadlines",
            "noema-worker operator show 5GrwvaEF",
            "noema-worker request show 7",
            "ask again",
        ] {
            assert!(lines.contains(expected), "{lines}");
        }
    }

    #[test]
    fn what_the_requester_took_back_needs_no_advice() {
        assert!(after_refund(&RefundReason::Cancelled, RequestId(7), 0, &[]).is_empty());
    }
}
