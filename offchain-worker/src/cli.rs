//! The command line.

mod ask;
mod checkpoint;
mod claim;
mod dataset;
mod describe;
mod device;
mod dispute;
mod doctor;
mod fetch;
mod gateway;
mod import;
mod key;
mod money;
mod paying;
mod perplexity;
mod programme;
mod progress;
mod receipt;
mod register;
mod rounds;
mod run;
mod share;
mod show;
mod signals;
mod train;
mod values;
mod verify;
mod withdraw;

use crate::chain::{At, Node};
use anyhow::{bail, Context};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use noema_model::checkpoint::{Library, OpenCheckpoint};
use noema_model::printable::{one_line, printable_json};
use noema_protocol::CheckpointId;
use serde::Serialize;
use std::fmt;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tracing::field::Field;
use tracing::info;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{debug_fn, Writer};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "\
Examples:
  Import a model as a checkpoint and register it on chain:
    noema-worker import SmolLM2-135M-Instruct.Q4_1.gguf
    noema-worker register checkpoint <ID> --account //Alice
  Run a worker (or, with --role validator, a validator) with a hot key of its own:
    noema-worker key generate worker.key
    noema-worker register operator --role worker --account //Alice --key worker.key --serve <ID>
    noema-worker run --key worker.key
  On another machine, fetch the checkpoint from its holders:
    noema-worker checkpoint fetch
  Run a trainer, which fetches everything from other operators:
    noema-worker register operator --role trainer --account //Bob --key trainer.key
    noema-worker run --key trainer.key --listen 0.0.0.0:4433 --public-address <ADDRESS>:4433
  Train a new model on this machine:
    noema-worker checkpoint new --text TEXT.txt
    noema-worker dataset prepare TEXT.txt --checkpoint <ID> --out data --licence CC0-1.0
    noema-worker train --checkpoint <ID> --dataset data --trainers 4
  Show, claim and withdraw an operator's earnings:
    noema-worker operator show //Alice
    noema-worker claim --key worker.key
    noema-worker withdraw --account //Alice
  Ask a question, go on with the conversation, and verify an answer:
    noema-worker ask \"Why is the sky blue?\" --account //Bob
    noema-worker ask --continue \"And at sunset?\" --account //Bob --receipt sunset.json
    noema-worker receipt verify sunset.json --recompute
  Challenge an answer that is false:
    noema-worker dispute challenge sunset.json --account //Bob
  Run a gateway for programs that speak OpenAI's API:
    noema-worker gateway --account //Bob

Keys: a key is a file with a phrase, a 0x seed or a derivation path that only you may read, or a
development key such as //Alice, which is public.";

/// The default log filter: information of Noema's own crates, errors of all others. Warnings of libraries
/// concern their internals.
const DEFAULT_LOG: &str = "error,noema=info";

/// Serves, validates and trains models for a Noema chain, and submits requests to it.
#[derive(Debug, Parser)]
#[command(name = "noema-worker", version, about, after_help = EXAMPLES)]
struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
struct Global {
    /// Node to connect to, by the address of its WebSocket.
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        env = "NOEMA_URL",
        default_value = "ws://127.0.0.1:9944",
        value_name = "URL"
    )]
    pub url: String,
    /// Home folder with checkpoints, datasets and job stores [default: ~/.noema].
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        env = "NOEMA_HOME",
        value_name = "FOLDER"
    )]
    pub home: Option<PathBuf>,
    /// Log filter, such as `info`, `debug` or `noema_worker::roles=debug,warn`.
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        env = "NOEMA_LOG",
        default_value = DEFAULT_LOG,
        value_name = "FILTER"
    )]
    pub log: String,
    /// Log format; logs go to standard error.
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        value_enum,
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Plain text.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one or several operators: answer, check and train.
    Run(run::RunArgs),
    /// Turn a GGUF file or a Hugging Face folder into a checkpoint.
    Import(import::ImportArgs),
    /// List, verify and fetch checkpoints, or make one with random weights.
    #[command(subcommand)]
    Checkpoint(checkpoint::CheckpointCommand),
    /// Prepare, verify or fetch datasets for training.
    #[command(subcommand)]
    Dataset(dataset::DatasetCommand),
    /// Compare a checkpoint's perplexity with that of the float model it came from.
    Perplexity(perplexity::PerplexityArgs),
    /// Train rounds on this machine, without a chain: several trainers and their aggregation.
    Train(train::TrainArgs),
    /// Generate and inspect keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Register a checkpoint or an operator on chain; may be repeated.
    #[command(subcommand)]
    Register(register::RegisterCommand),
    /// Ask a question through a session, or as a public request.
    Ask(ask::AskArgs),
    /// Show, prove and verify the receipts of answers.
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    /// List and tell disputes, and challenge a false answer.
    #[command(subcommand)]
    Dispute(dispute::DisputeCommand),
    /// Run a gateway: OpenAI's API for any program, over sessions that it opens and pays.
    Gateway(gateway::GatewayArgs),
    /// Check machine, devices, checkpoints, chain and keys, and suggest remedies.
    Doctor(doctor::DoctorArgs),
    /// Claim the rewards of an account for its work, from the subsidies.
    Claim(claim::ClaimArgs),
    /// Withdraw the payments that the chain credited to an operator.
    Withdraw(withdraw::WithdrawArgs),
    /// Show or cancel a request.
    #[command(subcommand)]
    Request(show::RequestCommand),
    /// Show an operator: its roles, its earnings and its losses.
    #[command(subcommand)]
    Operator(show::OperatorCommand),
    /// Start, stop and follow the training of a family on chain.
    #[command(subcommand)]
    Programme(programme::ProgrammeCommand),
    /// Verify that the records of each pallet agree with each other.
    Audit,
}

/// The program: parses its arguments, runs the command, and prints an error in one line.
///
/// Futures of a library are compiled again by each program that awaits them. So the async runtime is here,
/// and `main.rs` compiles in a second instead of minutes.
pub fn main() -> ExitCode {
    if let Some(status) = noema_model::import::run_chat_template() {
        return status;
    }
    let cli = Cli::read();
    execute(cli).unwrap_or_else(|error| {
        eprintln!("error: {}", describe(&error));
        ExitCode::FAILURE
    })
}

fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    init_logs(&cli.global)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the system provides no threads to run on")?;
    let status = runtime.block_on(run_command(cli));
    // An execution that cannot be interrupted is repeated after the next start.
    runtime.shutdown_timeout(Duration::from_secs(1));
    status
}

impl Cli {
    /// Parses the command line; prints why and ends the process if it is invalid.
    fn read() -> Self {
        let matches = command().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// The commands and their options. A negative number after an option is parsed as its value, so that the
/// error names the option.
fn command() -> clap::Command {
    with_negative_numbers(Cli::command())
}

fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| match arg.get_action().takes_values() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    });
    command.mut_subcommands(with_negative_numbers)
}

/// Starts logging.
fn init_logs(global: &Global) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&global.log)
        .with_context(|| format!("`{}` is not a log filter; try --log info", global.log))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match global.log_format {
        LogFormat::Text => builder.with_target(false).fmt_fields(fields()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Writes the fields of a line of the log, without what controls a terminal: an error or a name may come from
/// a file of a stranger.
fn fields() -> impl for<'writer> FormatFields<'writer> + 'static {
    debug_fn(write_field).delimited(" ")
}

fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = one_line(&format!("{value:?}"));
    match field.name() {
        "message" => write!(writer, "{value}"),
        // Added by the bridge from the crate `log`.
        name if name.starts_with("log.") => Ok(()),
        name => write!(writer, "{name}={value}"),
    }
}

/// An error and its causes in one line, without causes that the error already quotes.
fn describe(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !line.contains(cause.trim_end_matches('.')) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(&cause);
        }
    }
    one_line(&line)
}

/// Prints `value` as JSON.
fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", printable_json(&serde_json::to_string_pretty(value)?));
    Ok(())
}

async fn run_command(cli: Cli) -> anyhow::Result<ExitCode> {
    let global = cli.global;
    let done = match cli.command {
        Command::Run(args) => run::run(&global, args).await,
        Command::Import(args) => import::import(&global, args),
        Command::Checkpoint(command) => checkpoint::checkpoint(&global, command).await,
        Command::Dataset(command) => dataset::dataset(&global, command).await,
        Command::Perplexity(args) => perplexity::perplexity(&global, args),
        Command::Train(args) => train::train(&global, args).await,
        Command::Key(command) => key::key(command),
        Command::Register(command) => register::register(&global, command).await,
        Command::Ask(args) => return ask::ask(&global, args).await,
        Command::Receipt(command) => return receipt::receipt(&global, command).await,
        Command::Dispute(command) => return dispute::dispute(&global, command).await,
        Command::Gateway(args) => gateway::gateway(&global, args).await,
        Command::Doctor(args) => return doctor::doctor(&global, args).await,
        Command::Claim(args) => claim::claim(&global, args).await,
        Command::Withdraw(args) => withdraw::withdraw(&global, args).await,
        Command::Request(command) => show::request(&global, command).await,
        Command::Operator(command) => show::operator(&global, command).await,
        Command::Programme(command) => programme::programme(&global, command).await,
        Command::Audit => return show::audit(&global).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

impl Global {
    fn home(&self) -> anyhow::Result<PathBuf> {
        match &self.home {
            Some(home) => Ok(home.clone()),
            None => Ok(Library::default_home()?),
        }
    }

    fn library(&self) -> anyhow::Result<Library> {
        Ok(Library::new(&self.home()?))
    }

    /// Connects to the node, and logs its chain.
    async fn node(&self) -> anyhow::Result<Arc<Node>> {
        let node = Node::connect(&self.url).await?;
        info!(node = %self.url, chain = %node.chain(), "connected");
        Ok(node)
    }

    /// Opens a checkpoint by its folder or by a prefix of its id.
    fn open_checkpoint(&self, name: &str) -> anyhow::Result<OpenCheckpoint> {
        let path = Path::new(name);
        if path.is_dir() {
            return Ok(OpenCheckpoint::open(path)?);
        }
        let library = self.library()?;
        let id = library.find(name)?;
        Ok(library.open(id)?)
    }
}

/// The active checkpoint on chain whose id begins with `prefix`; without a prefix the canonical
/// checkpoint, or else the only one.
async fn find_checkpoint(at: &At, prefix: Option<&str>) -> anyhow::Result<CheckpointId> {
    let mut ids: Vec<_> = at
        .active_checkpoints()
        .await?
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    let Some(prefix) = prefix else {
        if let [canonical] = at.canonical_checkpoints().await?[..] {
            return Ok(canonical);
        }
        return match ids[..] {
            [only] => Ok(only),
            [] => bail!("the chain has no checkpoint; register one with: noema-worker register checkpoint <ID> --account <PUBLISHER>"),
            _ => bail!("the chain has {} checkpoints, and not exactly one is canonical; name one with --checkpoint: {}", ids.len(), list(&ids)),
        };
    };
    let wanted = prefix.trim_start_matches("0x").to_lowercase();
    ids.retain(|id| hex::encode(id.0).starts_with(&wanted));
    match ids[..] {
        [only] => Ok(only),
        [] => bail!("no active checkpoint on chain has an id that begins with {prefix}"),
        _ => bail!(
            "several checkpoints have an id that begins with {prefix}: {}",
            list(&ids)
        ),
    }
}

fn list(ids: &[CheckpointId]) -> String {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects the optional options below `command` whose help does not state their default.
    fn silent(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        for arg in command.get_arguments() {
            let is_left_out = arg.get_action().takes_values()
                && !arg.is_required_set()
                && !arg.is_hide_set()
                && arg.get_default_values().is_empty();
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let says = ["[default:", "instead of", "needed unless"];
            if is_left_out && !says.into_iter().any(|says| help.contains(says)) {
                found.push(format!("{path}: {}: {help}", arg.get_id()));
            }
        }
        for below in command.get_subcommands() {
            silent(below, &path, found);
        }
    }

    #[test]
    fn a_line_of_the_log_controls_no_terminal() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let writer = Arc::new(file.reopen().expect("the same file"));
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(writer)
            .fmt_fields(fields())
            .finish();
        tracing::subscriber::with_default(log, || {
            let name = "a\u{1b}[2J\nsettled";
            tracing::warn!(%name, blocks = 3, "told {name}");
        });
        let written = std::fs::read_to_string(file.path()).expect("UTF-8");
        let line = "told a\u{fffd}[2J settled name=a\u{fffd}[2J settled blocks=3\n";
        assert!(written.ends_with(line), "{written:?}");
    }

    #[test]
    fn every_option_says_its_default() {
        let mut found = Vec::new();
        silent(&command(), "", &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn the_help_of_a_parent_says_which_checkpoints_the_chain_takes() {
        let command = command();
        let register = command.find_subcommand("register");
        let checkpoint = register.and_then(|register| register.find_subcommand("checkpoint"));
        let mut arguments = checkpoint.expect("is there").get_arguments();
        let parent = arguments.find(|arg| arg.get_id() == "parent");
        let help = parent.and_then(clap::Arg::get_help).expect("is there");
        assert!(help.to_string().contains("is or was canonical"), "{help}");
    }
}
