//! `noema-worker run`.

use super::Global;
use crate::chain::calls::AnnounceHolding;
use crate::chain::types::Status;
use crate::chain::{follow, ChainLedger, Link, Node};
use crate::checkpoint::OpenCheckpoint;
use crate::engine::Engine;
use crate::keys::{address, Key};
use crate::metrics::{self, Metrics};
use crate::roles::{EngineExecutor, Executor, Identity, Operator, Pace};
use crate::store::{AccountBytes, Store};
use anyhow::{bail, Context};
use clap::{Args, ValueEnum};
use noema_executor::{schedule::Observer, CpuExecutor, CpuOptions, ScheduleOptions};
use noema_protocol::CheckpointId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// A hot key: a key file, or a development key such as //Alice//worker. Give several to run
    /// several operators in one process, which share the model.
    #[arg(long, required = true, value_name = "KEY")]
    key: Vec<String>,
    /// Roles to take on [default: those the chain has recorded for each key].
    #[arg(long, value_enum, value_delimiter = ',')]
    roles: Vec<RoleName>,
    /// A checkpoint to load, by its folder or the beginning of its id [default: those that the
    /// operators serve].
    #[arg(long, value_name = "CHECKPOINT")]
    checkpoint: Vec<String>,
    /// What executes the model. `auto` picks the fastest that is there; this build has `cpu`.
    #[arg(long, value_enum, default_value = "auto")]
    device: Device,
    /// Threads for the model [default: one per core].
    #[arg(long)]
    threads: Option<usize>,
    /// Also re-execute answers that nobody was drawn to check, and object if they are wrong.
    #[arg(long)]
    audit_all: bool,
    /// Serve Prometheus metrics at /metrics and the state at /health here.
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_addr: Option<SocketAddr>,
    /// File of the job store [default: jobs/<chain>/<operator>.redb in the home folder].
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Do not hash the weights before the start.
    #[arg(long)]
    trust_weights: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Answer requests.
    Serve,
    /// Re-execute answers.
    Validate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Device {
    /// The fastest there is.
    Auto,
    /// The processor's cores.
    Cpu,
}

/// An operator as the chain has it.
struct Recorded {
    key: Key,
    controller: AccountBytes,
    worker: bool,
    validator: bool,
    serves: BTreeSet<CheckpointId>,
}

pub(super) async fn run(global: &Global, args: RunArgs) -> anyhow::Result<()> {
    let keys = args
        .key
        .iter()
        .map(|source| Key::load(source))
        .collect::<Result<Vec<_>, _>>()?;
    let (stop_sender, stop) = watch::channel(false);
    let signals = tokio::spawn(stop_at_signal(stop_sender));
    let metrics = Metrics::new();
    if let Some(address) = args.metrics_addr {
        let bound = metrics::serve(metrics.clone(), address, stop.clone())
            .await
            .with_context(|| format!("cannot serve metrics at {address}"))?;
        info!("metrics at http://{bound}/metrics, health at http://{bound}/health");
    }

    let Some(node) = connect(&global.url, stop.clone()).await else {
        return Ok(());
    };
    let recorded = look_up(&node, keys).await?;
    let checkpoints = load(global, &args, &node, &recorded, &metrics).await?;
    let store = open_store(global, &args, &node, &recorded)?;
    announce(&node, &recorded, &checkpoints).await;
    let executor: Arc<dyn Executor> = Arc::new(EngineExecutor::new(checkpoints));

    let link = Link::new(node);
    let (head_sender, head) = watch::channel(0);
    let mut tasks = JoinSet::new();
    for operator in recorded {
        let wants = |role| args.roles.is_empty() || args.roles.contains(&role);
        let identity = Identity {
            controller: operator.controller,
            name: address(&operator.controller),
            serves: operator.worker && wants(RoleName::Serve),
            validates: operator.validator && wants(RoleName::Validate),
            audits: args.audit_all,
        };
        if !identity.serves && !identity.validates {
            bail!(
                "the operator {} has none of the roles asked for with --roles",
                identity.name
            );
        }
        info!(operator = %identity.name, serves = identity.serves, validates = identity.validates, "ready");
        let ledger = ChainLedger::new(
            link.clone(),
            operator.key,
            operator.controller,
            args.audit_all,
        );
        let operator = Operator::new(
            identity,
            Arc::new(ledger),
            executor.clone(),
            store.clone(),
            metrics.clone(),
            Pace::default(),
        );
        tasks.spawn(operator.run(head.clone(), stop.clone()));
    }
    let follower = tokio::spawn(follow(link, head_sender, metrics, stop));
    while let Some(ended) = tasks.join_next().await {
        ended.context("an operator stopped unexpectedly")??;
    }
    follower.abort();
    signals.abort();
    info!("stopped");
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn stop_at_signal(stop: watch::Sender<bool>) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{signal, SignalKind};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            },
            Err(_) => {
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
    info!("stopping");
    stop.send_replace(true);
}

/// Connects, however long the node takes to come up; `None` if the worker is stopped first.
async fn connect(url: &str, mut stop: watch::Receiver<bool>) -> Option<Arc<Node>> {
    let mut pause = Duration::from_secs(1);
    loop {
        match Node::connect(url).await {
            Ok(node) => return Some(node),
            Err(error) => {
                warn!(%error, "waiting for the node");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = crate::stopped(&mut stop) => return None,
        }
        pause = pause.saturating_mul(2).min(Duration::from_secs(15));
    }
}

/// Finds the operator behind each key.
async fn look_up(node: &Node, keys: Vec<Key>) -> anyhow::Result<Vec<Recorded>> {
    let at = node.finalized().await?;
    let mut found: Vec<Recorded> = Vec::new();
    for key in keys {
        let controller = at.controller_of(&key.account()).await?;
        let Some(controller) = controller else {
            bail!(
                "the chain knows no operator with the hot key {0}; its controller registers it with: noema-worker register operator --role worker --account <CONTROLLER> --key {0} --serve <CHECKPOINT>",
                key.address()
            );
        };
        if found.iter().any(|other| other.controller == controller) {
            bail!("--key names the operator {} twice", address(&controller));
        }
        let Some(info) = at.operator(&controller).await? else {
            bail!("the operator {} is not registered", address(&controller));
        };
        if let Some(idle) = &info.idle {
            info!(operator = %address(&controller), reason = idle.describe(), "the operator is not drawn at present");
        }
        found.push(Recorded {
            key,
            controller,
            worker: info.operator.roles.worker,
            validator: info.operator.roles.validator,
            serves: info.serves.into_iter().map(CheckpointId).collect(),
        });
    }
    Ok(found)
}

/// Loads the checkpoints and holds them against what the chain has recorded.
async fn load(
    global: &Global,
    args: &RunArgs,
    node: &Node,
    operators: &[Recorded],
    metrics: &Metrics,
) -> anyhow::Result<BTreeMap<CheckpointId, Arc<Engine>>> {
    let served: BTreeSet<_> = operators
        .iter()
        .flat_map(|operator| operator.serves.iter().copied())
        .collect();
    let mut opened: BTreeMap<CheckpointId, OpenCheckpoint> = BTreeMap::new();
    if args.checkpoint.is_empty() {
        let library = global.library()?;
        for id in &served {
            let checkpoint = library.open(*id).with_context(|| {
                format!("cannot load checkpoint {id}, which the operator serves on chain")
            })?;
            opened.insert(*id, checkpoint);
        }
    }
    for name in &args.checkpoint {
        let checkpoint = global.open_checkpoint(name)?;
        opened.insert(checkpoint.id(), checkpoint);
    }
    if opened.is_empty() {
        bail!("the operators serve no checkpoint; a controller starts to serve one with: noema-worker register operator --role worker --account <CONTROLLER> --key <KEY> --serve <ID>");
    }
    if let Some(missing) = served.iter().find(|id| !opened.contains_key(*id)) {
        warn!(checkpoint = %missing, "an operator serves this checkpoint on chain, and it is not loaded: jobs for it will be missed");
    }
    let at = node.finalized().await?;
    let mut engines = BTreeMap::new();
    for (id, checkpoint) in opened {
        match at.checkpoint(&id).await? {
            None => bail!(
                "the chain does not know checkpoint {id}; register it with: noema-worker register checkpoint {id} --account <PUBLISHER>"
            ),
            Some(record) if record.weights.root != checkpoint.manifest().weights_root => bail!(
                "checkpoint {id} has the weights root {:?} in {}, and {:?} on chain; import it again",
                checkpoint.manifest().weights_root,
                checkpoint.directory().display(),
                record.weights.root
            ),
            Some(record) if record.status == Status::Withdrawn => {
                warn!(checkpoint = %id, "the checkpoint was withdrawn: only requests that are open still need it");
            }
            Some(_) => {}
        }
        if !args.trust_weights {
            super::checkpoint::verify(&checkpoint)?;
        }
        let name = checkpoint.manifest().name.clone();
        let engine = start(Arc::new(checkpoint), args.threads, metrics.clone())?;
        info!(checkpoint = %id, name, device = ?args.device, "loaded");
        engines.insert(id, Arc::new(engine));
    }
    Ok(engines)
}

/// An engine on the processor that tells `metrics` of its passes.
fn start(
    checkpoint: Arc<OpenCheckpoint>,
    threads: Option<usize>,
    metrics: Metrics,
) -> anyhow::Result<Engine> {
    let options = CpuOptions {
        threads,
        ..CpuOptions::default()
    };
    let executor = CpuExecutor::new(checkpoint.clone(), options)?;
    let observer: Observer = Box::new(move |pass| metrics.passed(pass));
    Ok(Engine::with_executor(
        checkpoint,
        Box::new(executor),
        None,
        Some(observer),
        ScheduleOptions::default(),
    )?)
}

/// Tells the chain which operators hold the weights, where it does not know. It is no condition
/// for serving, so a refusal is only logged.
async fn announce(
    node: &Node,
    operators: &[Recorded],
    checkpoints: &BTreeMap<CheckpointId, Arc<Engine>>,
) {
    for id in checkpoints.keys() {
        let known = match node.finalized().await {
            Ok(at) => at.holders(id).await,
            Err(error) => Err(error),
        };
        for operator in operators
            .iter()
            .filter(|operator| operator.serves.contains(id))
        {
            let announced = match &known {
                Ok(known) if known.contains(&operator.controller) => continue,
                Ok(_) => {
                    let call = AnnounceHolding { checkpoint: id.0 };
                    node.submit(call, &operator.key).await.map(|_| ())
                }
                Err(error) => {
                    warn!(checkpoint = %id, %error, "cannot read who holds the checkpoint");
                    break;
                }
            };
            let name = address(&operator.controller);
            match announced {
                Ok(()) => {
                    info!(operator = %name, checkpoint = %id, "announced to hold the weights");
                }
                Err(error) => {
                    warn!(operator = %name, checkpoint = %id, %error, "could not announce to hold the weights");
                }
            }
        }
    }
}

/// Opens the job store of this chain and this set of operators.
fn open_store(
    global: &Global,
    args: &RunArgs,
    node: &Node,
    operators: &[Recorded],
) -> anyhow::Result<Arc<Store>> {
    let genesis = node.genesis();
    let path = match &args.store {
        Some(path) => path.clone(),
        None => {
            let first = operators
                .first()
                .context("--key is required, so there is an operator")?;
            let chain: String = hex::encode(genesis).chars().take(16).collect();
            global
                .home()?
                .join("jobs")
                .join(chain)
                .join(format!("{}.redb", address(&first.controller)))
        }
    };
    let store = Store::open(&path)?;
    store.bind(genesis)?;
    Ok(Arc::new(store))
}
