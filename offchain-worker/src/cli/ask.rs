//! `noema-worker ask`.

mod history;
mod public;
mod session;
mod writer;

use super::money::Amount;
use super::values::within;
use super::Global;
use clap::Args;
use noema_protocol::SamplingParameters;
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit status if there is no answer, or it is not final, in time.
const TIMED_OUT: u8 = 4;
/// The exit status after Ctrl-C, as of a process that does not handle the signal.
const INTERRUPTED: u8 = 130;

/// The highest `--temperature`.
const MAX_TEMPERATURE: f64 = SamplingParameters::MAX_TEMPERATURE_MILLI as f64 / 1_000.0;

/// The longest `--timeout`, in seconds: a year.
const LONGEST_TIMEOUT: u64 = 365 * 86_400;

#[derive(Debug, Args)]
#[command(after_help = "\
The question goes through a session: the account puts --hold on hold for one worker, once, and its answers come
from this session until the hold is spent. The first word is printed as soon as there is one; then follow the
cost and the receipt. Ctrl-C stops the worker: the words so far are paid, and the session stays open for the next
question. Sessions and their voucher key are in the folder `ask` of the home folder; `noema-worker gateway close
--account KEY` closes all sessions of an account, and what they did not spend returns.

With --public, the question and its answer are on chain, where every account can read them. The answer goes to
standard output as soon as it is on chain. Then follow its checks, whether it becomes final, and the payments.
After a refund, the output names the reason, the workers that missed their deadlines, and commands for details.

The exit status is 0 if there is an answer, and with --public if it became final; 3 if the price limit was
refunded; 4 if neither happened in time; 130 after Ctrl-C.

Examples:
  noema-worker ask \"Why is the sky blue?\" --account //Bob
  noema-worker ask --continue \"And at sunset?\" --account //Bob
  noema-worker ask \"What is a ledger?\" --receipt ledger.json && noema-worker receipt verify ledger.json
  noema-worker ask --public \"A haiku about rain\" --temperature 0.8 --top-p 0.95 --max-tokens 40 --json")]
pub(super) struct AskArgs {
    /// The prompt, such as "Why is the sky blue?". One that is written like an option, such as "--json",
    /// needs `--` before it.
    #[arg(allow_hyphen_values = true)]
    prompt: String,
    /// Ask as a public request, on chain, instead of through a session.
    #[arg(long)]
    public: bool,
    /// Go on with the last conversation of the account on this chain; the worker that has it cached answers. Without
    /// it, a new conversation begins.
    #[arg(long = "continue", conflicts_with = "public")]
    is_continued: bool,
    /// Write the receipt with the answer to this file, for `noema-worker receipt`. An answer of several receipts makes
    /// several files [default: none; the receipt stays in the home folder].
    #[arg(long, value_name = "FILE", conflicts_with = "public")]
    receipt: Option<PathBuf>,
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
    /// Hold: the amount with which a session is opened and topped up, in tokens of the chain.
    #[arg(
        long,
        default_value = "1",
        value_name = "AMOUNT",
        conflicts_with = "public"
    )]
    hold: Amount,
    /// Budget: the most that the sessions of this command hold and have spent together, in tokens of the chain.
    #[arg(
        long,
        default_value = "10",
        value_name = "AMOUNT",
        conflicts_with = "public"
    )]
    budget: Amount,
    /// The highest price of 1,000 tokens, of a prompt or of an answer, at which a session is opened [default: none; the
    /// cheapest workers are chosen].
    #[arg(long, value_name = "AMOUNT", conflicts_with = "public")]
    max_price: Option<Amount>,
    /// The most tokens of prompt and answer together, if the checkpoint has no smaller context. A session is opened for
    /// it: stakes and check fees follow it.
    #[arg(
        long,
        default_value_t = 4_096,
        value_parser = within(2..=1_048_576u32),
        value_name = "TOKENS",
        conflicts_with = "public"
    )]
    context: u32,
    /// Price limit of a public request: the most that you pay, in tokens of the chain, such as 0.25 [default:
    /// the price of a typical worker plus 10 %].
    #[arg(long, value_name = "AMOUNT", requires = "public")]
    price_limit: Option<Amount>,
    /// Checkpoint that answers, by a prefix of its id on chain [default: that of the conversation that is continued,
    /// else the canonical one, or the only one].
    #[arg(long)]
    checkpoint: Option<String>,
    /// Payer, which signs and pays: a key file or a development key.
    #[arg(long, default_value = "//Alice", value_name = "KEY")]
    account: String,
    /// Print one JSON object at the end instead of the answer as it comes; amounts are in the smallest unit.
    #[arg(long)]
    json: bool,
    /// Seconds to wait until the answer is complete; with --public, until it is final or the price limit is refunded.
    #[arg(long, default_value_t = 600, value_parser = within(1..=LONGEST_TIMEOUT), value_name = "SECONDS")]
    timeout: u64,
}

impl AskArgs {
    fn parameters(&self) -> anyhow::Result<SamplingParameters> {
        // The ranges of both options end far below the maximum of 16 bits.
        let milli = |value: f64| (value * 1_000.0).round() as u16;
        let parameters = SamplingParameters {
            max_tokens: self.max_tokens,
            temperature_milli: milli(self.temperature),
            top_k: self.top_k,
            top_p_milli: milli(self.top_p),
        };
        parameters.validate()?;
        Ok(parameters)
    }
}

pub(super) async fn ask(global: &Global, args: AskArgs) -> anyhow::Result<ExitCode> {
    match args.public {
        true => public::ask(global, &args).await,
        false => session::ask(global, &args).await,
    }
}
