//! The command line.

mod ask;
mod canonical;
mod checkpoint;
mod claim;
mod dataset;
mod device;
mod doctor;
mod fetch;
mod import;
mod key;
mod load;
mod money;
mod perplexity;
mod programme;
mod register;
mod rounds;
mod run;
mod share;
mod show;
mod train;
mod withdraw;

use crate::chain::{At, Node};
use crate::checkpoint::{Library, OpenCheckpoint};
use anyhow::{bail, Context};
use clap::{Args, Parser, Subcommand, ValueEnum};
use noema_protocol::CheckpointId;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "\
Examples:
  A model becomes a checkpoint, and the chain learns of it:
    noema-worker import SmolLM2-135M-Instruct.Q4_1.gguf
    noema-worker register checkpoint <ID> --account //Alice
  A worker and a validator, each with a hot key of its own:
    noema-worker key generate worker.key
    noema-worker register operator --role worker --account //Alice --key worker.key --serve <ID>
    noema-worker run --key worker.key
  A machine that has only a node gets the checkpoint from those who hold it:
    noema-worker checkpoint fetch
  A trainer, with nothing but a node:
    noema-worker register operator --role trainer --account //Bob --key trainer.key
    noema-worker run --key trainer.key --listen 0.0.0.0:4433 --public-address <ADDRESS>:4433
  A model of your own, trained on this machine:
    noema-worker checkpoint new --text TEXT.txt
    noema-worker dataset prepare TEXT.txt --checkpoint <ID> --out data --licence CC0-1.0
    noema-worker train --checkpoint <ID> --dataset data --trainers 4
  What an operator is due, and how it gets it without `noema-worker run`:
    noema-worker operator show //Alice
    noema-worker claim --key worker.key
    noema-worker withdraw --account //Alice
  A question:
    noema-worker ask \"Why is the sky blue?\" --account //Bob

Keys: a key is a file that holds a phrase, a 0x seed or a derivation path and that only you may
read, or a development key such as //Alice, which everybody knows.";

/// Serves and validates inference for a Noema chain, and asks it questions.
#[derive(Debug, Parser)]
#[command(name = "noema-worker", version, about, after_help = EXAMPLES)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// WebSocket of your node.
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        env = "NOEMA_URL",
        default_value = "ws://127.0.0.1:9944",
        value_name = "URL"
    )]
    pub url: String,
    /// Where checkpoints and job stores are kept [default: ~/.noema].
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        env = "NOEMA_HOME",
        value_name = "FOLDER"
    )]
    pub home: Option<PathBuf>,
    /// What to log, such as `info`, `debug` or `noema_worker::roles=debug,warn`.
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        env = "NOEMA_LOG",
        default_value = "warn,noema_worker=info",
        value_name = "FILTER"
    )]
    pub log: String,
    /// How to log; logs go to standard error.
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        value_enum,
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer and check for one or several operators.
    Run(run::RunArgs),
    /// Turn a GGUF file or a Hugging Face folder into a checkpoint.
    Import(import::ImportArgs),
    /// See and verify the checkpoints on this machine, or make one with random weights.
    #[command(subcommand)]
    Checkpoint(checkpoint::CheckpointCommand),
    /// Turn text into what is trained on, verify it, or fetch what others made.
    #[command(subcommand)]
    Dataset(dataset::DatasetCommand),
    /// Compare a checkpoint's perplexity with that of the float model it came from.
    Perplexity(perplexity::PerplexityArgs),
    /// Train rounds on this machine, without a chain: several trainers and their aggregation.
    Train(train::TrainArgs),
    /// Make and look at keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Tell the chain of a checkpoint or an operator; saying it twice does no harm.
    #[command(subcommand)]
    Register(register::RegisterCommand),
    /// Ask a question, and watch what happens to it and to your money.
    Ask(ask::AskArgs),
    /// See whether machine, devices, checkpoints, chain and keys are in order, and how to mend what
    /// is not.
    Doctor(doctor::DoctorArgs),
    /// Claim what an account is due of subsidies for its work.
    Claim(claim::ClaimArgs),
    /// Withdraw what the chain credited to an operator for its work.
    Withdraw(withdraw::WithdrawArgs),
    /// Look at a request, or take it back.
    #[command(subcommand)]
    Request(show::RequestCommand),
    /// Look at an operator: what it does, earned and lost.
    #[command(subcommand)]
    Operator(show::OperatorCommand),
    /// Train a family on chain, round after round, and follow it.
    #[command(subcommand)]
    Programme(programme::ProgrammeCommand),
    /// Have the chain compare its books with each other.
    Audit,
}

/// Starts logging.
pub fn init_logs(global: &Global) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&global.log)
        .with_context(|| format!("`{}` is no log filter; try --log info", global.log))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match global.log_format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

/// An error and its causes in one line; a cause that its error quotes already is not repeated.
pub fn describe(error: &anyhow::Error) -> String {
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
    line
}

/// Runs the command.
pub async fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
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

    async fn node(&self) -> anyhow::Result<Arc<Node>> {
        Ok(Node::connect(&self.url).await?)
    }

    /// Opens a checkpoint by its folder or by the beginning of its id.
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

/// The active checkpoint on chain whose id begins with `prefix`; without one the canonical
/// checkpoint, or else the only one there is.
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
            _ => bail!("the chain has {} checkpoints and not one that is canonical; name one with --checkpoint: {}", ids.len(), list(&ids)),
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
