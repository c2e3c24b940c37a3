//! `noema-worker ask`.

use super::money::Token;
use super::{find_checkpoint, Global};
use crate::chain::calls::RequestInference;
use crate::chain::types::{Phase, RequestState, Seat, Standing, WireVerdict};
use crate::chain::{follow, Link, Node};
use crate::keys::Key;
use crate::metrics::Metrics;
use anyhow::{bail, Context};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use noema_protocol::{CheckpointId, RequestId, SamplingParameters};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use subxt::ext::scale_decode::DecodeAsType;
use tokio::sync::watch;

/// Exit status when the requester got the money back instead of an answer that stands.
const REFUNDED: u8 = 3;
/// Exit status when the request is not final yet.
const TIMED_OUT: u8 = 4;

/// What the default price limit leaves above the typical price, in percent: prices may move
/// between the quote and the draw.
const MARGIN_PERCENT: u128 = 10;

/// How long to wait for a worker to be there.
const WORKERS: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(after_help = "\
The answer goes to standard output as soon as it is on chain; what happens to it and to your money
follows. The exit status is 0 if the answer was settled, 3 if the money came back, 4 if that was not
known in time.

Examples:
  noema-worker ask \"Why is the sky blue?\" --account //Bob
  noema-worker ask \"A haiku about rain\" --temperature 0.8 --top-p 0.95 --max-tokens 40 --json")]
pub(super) struct AskArgs {
    /// The question.
    prompt: String,
    /// Most tokens of the answer.
    #[arg(long, default_value_t = 64)]
    max_tokens: u16,
    /// 0 takes the most likely token every time; 1 samples as the model was trained.
    #[arg(long, default_value_t = 0.0)]
    temperature: f64,
    /// Draw only from the most likely tokens that together reach this probability.
    #[arg(long, default_value_t = 1.0)]
    top_p: f64,
    /// Draw only from this many most likely tokens; 0 means all.
    #[arg(long, default_value_t = 0)]
    top_k: u16,
    /// The most you pay, in tokens [default: what a typical worker charges, and 10 %].
    #[arg(long, value_name = "AMOUNT")]
    price_limit: Option<String>,
    /// The checkpoint to ask, by the beginning of its id [default: the canonical one].
    #[arg(long)]
    checkpoint: Option<String>,
    /// Who asks and pays: a key file or a development key.
    #[arg(long, default_value = "//Alice", value_name = "KEY")]
    account: String,
    /// Print one JSON object at the end instead of lines as it happens.
    #[arg(long)]
    json: bool,
    /// Seconds to wait for the end.
    #[arg(long, default_value_t = 600)]
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
    let limit = match &args.price_limit {
        Some(text) => token.parse(text)?,
        None => typical_limit(&node, &checkpoint, &args.prompt, parameters).await?,
    };
    let free = at.free_balance(&key.account()).await?;
    if free < limit {
        bail!(
            "{} has {}, and the price limit is {}; use another --account or lower --price-limit",
            key.address(),
            token.show(free),
            token.show(limit)
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
            // A node that is away comes back; the next finalized block brings another look.
            if let Ok(Some(state)) = look(&link, id).await {
                if report.update(&state, asked) {
                    return Ok(state);
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
    let Ok(state) = end else {
        eprintln!(
            "request {id} is not final after {} s; see later with: noema-worker request show {id}",
            args.timeout
        );
        return Ok(ExitCode::from(TIMED_OUT));
    };
    let state = state?;
    if args.json {
        let times = report.times;
        println!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({
                "request": id,
                "answer": String::from_utf8_lossy(&state.text),
                "settled": state.phase == Phase::Settled,
                "answer_s": times.answered,
                "settled_s": asked.elapsed().as_secs_f64(),
                "state": state,
            }))?
        );
    }
    Ok(match state.phase {
        Phase::Settled => ExitCode::SUCCESS,
        _ => ExitCode::from(REFUNDED),
    })
}

fn parameters(args: &AskArgs) -> anyhow::Result<SamplingParameters> {
    let milli = |name: &str, value: f64, most: u16| -> anyhow::Result<u16> {
        let scaled = (value * 1000.0).round();
        if !(0.0..=f64::from(most)).contains(&scaled) {
            bail!(
                "--{name} {value} must lie between 0 and {}",
                f64::from(most) / 1000.0
            );
        }
        Ok(scaled as u16)
    };
    let parameters = SamplingParameters {
        max_tokens: args.max_tokens,
        temperature_milli: milli(
            "temperature",
            args.temperature,
            SamplingParameters::MAX_TEMPERATURE_MILLI,
        )?,
        top_k: args.top_k,
        top_p_milli: milli("top-p", args.top_p, SamplingParameters::ALL)?,
    };
    parameters.validate()?;
    Ok(parameters)
}

/// What a typical worker charges, with a margin. Workers that have just registered can be drawn in the
/// term after next.
async fn typical_limit(
    node: &Node,
    checkpoint: &CheckpointId,
    prompt: &str,
    parameters: SamplingParameters,
) -> anyhow::Result<u128> {
    let bytes = u32::try_from(prompt.len()).context("the prompt is too long")?;
    let begun = Instant::now();
    loop {
        let at = node.finalized().await?;
        let Some(prices) = at.quote(checkpoint, bytes, parameters).await? else {
            bail!("checkpoint {checkpoint} cannot be asked: the chain does not know it, or it was withdrawn");
        };
        if let Some(typical) = prices.typical.or(prices.lowest) {
            let margin = typical.saturating_mul(MARGIN_PERCENT) / 100;
            return Ok(typical.saturating_add(margin));
        }
        if begun.elapsed() > WORKERS {
            bail!("no worker that can be drawn in this term serves checkpoint {checkpoint}; register and start one, or give a --price-limit to put the question anyway");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn look(link: &Link, id: RequestId) -> anyhow::Result<Option<RequestState>> {
    let node: std::sync::Arc<Node> = link.node()?;
    Ok(node.finalized().await?.request(id).await?)
}

#[derive(Clone, Copy, Default)]
struct Times {
    answered: Option<f64>,
}

/// Tells what changed since the last look.
struct Report {
    quiet: bool,
    token: Token,
    spinner: ProgressBar,
    worker: Option<String>,
    missed: usize,
    seats: Vec<Seat>,
    phase: Option<Phase>,
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
            seats: Vec::new(),
            phase: None,
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

    /// Shows what is new; true once nothing more can happen.
    fn update(&mut self, state: &RequestState, asked: Instant) -> bool {
        self.assignment(state);
        self.answer(state, asked);
        self.verdicts(state);
        self.phase(state)
    }

    fn assignment(&mut self, state: &RequestState) {
        for slow in state.missed.iter().skip(self.missed) {
            self.line(&format!("worker {slow} missed its deadline"));
        }
        self.missed = state.missed.len();
        let worker = state
            .assignment
            .as_ref()
            .map(|assignment| assignment.worker.to_string());
        if worker != self.worker {
            if let Some(assignment) = &state.assignment {
                self.line(&format!(
                    "worker {} has it: at most {} for the answer and {} for checks",
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
        self.line(&format!("\n{}\n", String::from_utf8_lossy(&state.text)));
        self.line(&format!(
            "answered after {seconds:.1} s: {} prompt tokens, {} answer tokens",
            receipt.prompt_tokens, receipt.output_tokens
        ));
        self.line(&format!("  checkpoint        {:?}", receipt.checkpoint));
        self.line(&format!("  prompt hash       {:?}", receipt.prompt_hash));
        self.line(&format!("  seed              {:?}", receipt.seed));
        self.line(&format!("  output hash       {:?}", receipt.output_hash));
        self.line(&format!(
            "  trace commitment  {:?}",
            receipt.trace_commitment
        ));
    }

    fn verdicts(&mut self, state: &RequestState) {
        for (index, seat) in state.seats.iter().enumerate() {
            let before = self.seats.get(index);
            if before == Some(seat) {
                continue;
            }
            let who = &seat.validator;
            if before.is_none() {
                self.line(&format!("validator {who} has a say ({:?})", seat.part));
            }
            if let (Some(opinion), None) = (
                &seat.opinion,
                before.and_then(|before| before.opinion.as_ref()),
            ) {
                let verdict = match opinion.verdict {
                    WireVerdict::Valid => "is valid",
                    WireVerdict::Invalid => "is wrong",
                };
                self.line(&format!("validator {who} says that the answer {verdict}"));
            }
            if before.is_none_or(|before| before.standing != seat.standing) {
                match seat.standing {
                    Standing::Silent => self.line(&format!("validator {who} was silent")),
                    Standing::Unexecuted => {
                        self.line(&format!("validator {who} did not execute the model"));
                    }
                    Standing::Lost => self.line(&format!("validator {who} lost the dispute")),
                    Standing::Won => self.line(&format!("validator {who} won the dispute")),
                    Standing::Sitting | Standing::Upholds | Standing::Accuses => {}
                }
            }
        }
        self.seats.clone_from(&state.seats);
    }

    fn phase(&mut self, state: &RequestState) -> bool {
        let changed = self.phase.as_ref() != Some(&state.phase);
        self.phase = Some(state.phase.clone());
        match &state.phase {
            Phase::Waiting => self.wait("waiting for a worker"),
            Phase::Answering { deadline } => {
                self.wait(&format!("the worker has until block {deadline}"));
            }
            Phase::Answered { .. } => self.wait("drawing whether the answer is checked"),
            Phase::Checking => self.wait("validators re-execute the answer"),
            Phase::Objectable { deadline } => {
                if changed && state.seats.is_empty() {
                    let percent = f64::from(state.check_rate) / 10_000.0;
                    self.line(&format!(
                        "not drawn for a check, which had a chance of {percent:.1} %"
                    ));
                }
                self.wait(&format!(
                    "settled after block {deadline} unless somebody objects"
                ));
            }
            Phase::Disputed { .. } => {
                if changed {
                    self.line("the answer is disputed; a committee re-executes it");
                }
                self.wait("a committee decides");
            }
            Phase::Settled => {
                self.settled(state);
                return true;
            }
            Phase::Refunded { reason } => {
                self.line(&format!(
                    "refunded {} because {}",
                    self.token.show(state.refunded),
                    reason.describe()
                ));
                return true;
            }
        }
        false
    }

    fn settled(&self, state: &RequestState) {
        self.line("settled:");
        if let Some(assignment) = &state.assignment {
            self.line(&format!(
                "  {:>22}  to worker {}",
                self.token.show(state.worker_paid),
                assignment.worker
            ));
        }
        for check in &state.checks_paid {
            self.line(&format!(
                "  {:>22}  to validator {}",
                self.token.show(check.amount),
                check.to
            ));
        }
        self.line(&format!("  {:>22}  burned", self.token.show(state.burned)));
        self.line(&format!(
            "  {:>22}  back to you",
            self.token.show(state.refunded)
        ));
    }
}
