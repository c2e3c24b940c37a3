//! Runs a trainer that breaks the rules of a round on purpose: see `noema-dishonest-trainer --help`.

use anyhow::Context;
use clap::{Args, Parser};
use noema_dishonest_trainer::{Behaviour, Dishonest};
use noema_executor::{DeviceChoice, DeviceOptions};
use noema_model::checkpoint::OpenCheckpoint;
use noema_model::dataset::OpenDataset;
use noema_training::{
    rounds::{RoundsOptions, Run},
    TrainingOptions,
};
use noema_worker::keys::Key;
use noema_worker::service::{Config, Listen, Worker};
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{signal, SignalKind};
use tracing_subscriber::EnvFilter;

/// The rounds after which the learning rate of a trainer on a chain has fallen, as of `noema-worker run`.
const ROUNDS: u32 = 16;

/// Runs a trainer that breaks the rules of a round on purpose, to test that rounds withstand it.
#[derive(Debug, Parser)]
#[command(name = "noema-dishonest-trainer", version)]
enum Command {
    /// Take part in the rounds of a chain, until Ctrl-C or SIGTERM.
    Run(RunArgs),
    /// Run rounds on this machine, without a chain: judged, on the processor, and the last trainer is
    /// dishonest. Prints one JSON object.
    Rounds(RoundsArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    shared: SharedArgs,
    /// Node to connect to, by the address of its WebSocket.
    #[arg(long, env = "NOEMA_URL", default_value = "ws://127.0.0.1:9944")]
    url: String,
    /// Hot key: a key file, or a development key such as //Alice//hot.
    #[arg(long)]
    key: String,
    /// Job store, a file.
    #[arg(long)]
    store: PathBuf,
    /// Do not claim the operator's rewards.
    #[arg(long)]
    no_claim: bool,
}

#[derive(Debug, Args)]
struct RoundsArgs {
    #[command(flatten)]
    shared: SharedArgs,
    /// Checkpoint to start from, a folder.
    #[arg(long)]
    checkpoint: PathBuf,
    /// Dataset to train on, a folder.
    #[arg(long)]
    dataset: PathBuf,
    /// Rounds to run.
    #[arg(long, default_value_t = 4)]
    rounds: u32,
    /// Trainers in each round.
    #[arg(long, default_value_t = 4)]
    trainers: u32,
}

/// Options of both commands. Those of training mean the same as those of `noema-worker`.
#[derive(Debug, Args)]
struct SharedArgs {
    /// How the trainer breaks the rules.
    #[arg(long, value_enum)]
    behaviour: Behaviour,
    /// Home folder.
    #[arg(long, env = "NOEMA_HOME")]
    home: PathBuf,
    /// Local steps of AdamW in a round.
    #[arg(long, default_value_t = TrainingOptions::default().steps)]
    steps: u32,
    /// Sequences in a step.
    #[arg(long, default_value_t = TrainingOptions::default().batch)]
    batch: u32,
    /// Learning rate at its peak.
    #[arg(long, default_value_t = TrainingOptions::default().learning_rate)]
    learning_rate: f64,
    /// Steps in which the learning rate rises to its peak.
    #[arg(long, default_value_t = TrainingOptions::default().warmup)]
    warmup: u64,
    /// Step at which the learning rate has fallen; 0 keeps it at its peak.
    #[arg(long)]
    horizon: Option<u64>,
    /// Seed for the order of the data.
    #[arg(long, default_value_t = TrainingOptions::default().seed)]
    seed: u64,
    /// Most entries of a chunk of an update.
    #[arg(long, default_value_t = TrainingOptions::default().entries)]
    entries: u16,
    /// Steps between two saved states.
    #[arg(long, default_value_t = TrainingOptions::default().save_every)]
    save_every: u32,
}

impl SharedArgs {
    /// The training options, for this many rounds.
    fn training(&self, rounds: u32) -> TrainingOptions {
        let horizon = TrainingOptions::default_horizon(rounds, self.steps, self.warmup);
        TrainingOptions {
            steps: self.steps,
            batch: self.batch,
            together: self.batch,
            learning_rate: self.learning_rate,
            warmup: self.warmup,
            horizon: self.horizon.unwrap_or(horizon),
            seed: self.seed,
            entries: self.entries,
            save_every: self.save_every,
            ..TrainingOptions::default()
        }
    }
}

impl RunArgs {
    fn config(self) -> anyhow::Result<Config> {
        let key = Key::load(&self.key)?;
        let training = self.shared.training(ROUNDS);
        let mut config = Config::new(self.url, self.shared.home, vec![key]);
        config.listen = Listen::IfPossible((Ipv4Addr::LOCALHOST, 0).into());
        config.claims = !self.no_claim;
        config.store = Some(self.store);
        config.rounds.training = training;
        config.rounds.method = Arc::new(Dishonest::new(self.shared.behaviour));
        Ok(config)
    }
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Run(args) => run(args),
        Command::Rounds(args) => rounds(&args),
    }
}

fn run(args: RunArgs) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("error,noema=info"))
        .with_ansi(false)
        .with_target(false)
        .with_writer(io::stderr)
        .init();
    let config = args.config()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the system provides no threads to run on")?;
    let ended = runtime.block_on(take_part(config));
    // As in the worker, an execution that cannot be interrupted ends with the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn take_part(config: Config) -> anyhow::Result<()> {
    let stop = stop_at_signal()?;
    tokio::pin!(stop);
    let worker = tokio::select! {
        started = Worker::start(config) => started?,
        () = &mut stop => return Ok(()),
    };
    stop.await;
    worker.stop().await;
    Ok(())
}

/// Ends at Ctrl-C or SIGTERM, of which none is missed after this call.
fn stop_at_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn rounds(args: &RoundsArgs) -> anyhow::Result<()> {
    let options = RoundsOptions {
        rounds: args.rounds,
        trainers: args.trainers,
        shards: 1,
        evaluation_shards: 2,
        training: args.shared.training(args.rounds),
        default_horizon: args.shared.horizon.is_none(),
        dense: false,
        judged: true,
        state: None,
    };
    let checkpoint = OpenCheckpoint::open(&args.checkpoint)?;
    let dataset = OpenDataset::open(&args.dataset)?;
    let device = DeviceOptions {
        choice: DeviceChoice::Cpu,
        ..DeviceOptions::default()
    };
    let device = device.select()?;
    let last = args.trainers.saturating_sub(1);
    let method = Arc::new(Dishonest::new(args.shared.behaviour));
    let run = Run::prepare(checkpoint, &dataset, options)?.with_method(last, method);
    let report = run.run(&device, &args.shared.home, &mut |_| {
        ControlFlow::Continue(())
    })?;
    println!("{}", serde_json::json!({ "report": report }));
    Ok(())
}
