//! `noema-worker run`.

use super::canonical::Successor;
use super::device::DeviceArgs;
use super::load::Loader;
use super::rounds::{RoundsArgs, Surroundings};
use super::share::{announce, ShareArgs, Sharing};
use super::Global;
use crate::chain::calls::ReportDevice;
use crate::chain::types::{WireDevice, WireDeviceClass};
use crate::chain::{follow, ChainError, ChainLedger, Link, Node};
use crate::checkpoint::OpenCheckpoint;
use crate::engine::Engine;
use crate::keys::{address, Key};
use crate::metrics::{self, Metrics};
use crate::roles::{EngineExecutor, Identity, Operator, Pace};
use crate::rounds::Peers;
use crate::store::{AccountBytes, Store};
use anyhow::{bail, Context};
use clap::{Args, ValueEnum};
use noema_executor::{self_test, Device, DeviceClass};
use noema_protocol::{interfaces::Role, CheckpointId};
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

/// Bytes of a device's name that the chain records.
const DEVICE_NAME_BYTES: usize = 64;

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
    #[command(flatten)]
    device: DeviceArgs,
    /// Read the weights into large pages instead of mapping their file: the processor answers faster,
    /// most of all in a virtual machine, and every process has a copy of its own.
    #[arg(long)]
    pub(super) large_pages: bool,
    #[command(flatten)]
    share: ShareArgs,
    /// Move on when another checkpoint of a family that the operators serve becomes canonical: fetch
    /// it, and serve it in place of the one before.
    #[arg(long)]
    follow_canonical: bool,
    /// Also re-execute answers that nobody was drawn to check, and object if they are wrong.
    #[arg(long)]
    audit_all: bool,
    /// Do not claim what the operators are due of subsidies when an epoch has ended; see
    /// `noema-worker claim`.
    #[arg(long)]
    no_claim: bool,
    /// Serve Prometheus metrics at /metrics and the state at /health here.
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_addr: Option<SocketAddr>,
    /// File of the job store [default: jobs/<chain>/<operator>.redb in the home folder].
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Do not hash the weights before the start.
    #[arg(long)]
    pub(super) trust_weights: bool,
    #[command(flatten)]
    rounds: RoundsArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Answer requests.
    Serve,
    /// Re-execute answers.
    Validate,
    /// Contribute to rounds of training.
    Train,
}

/// An operator as the chain has it.
#[derive(Clone)]
pub(super) struct Recorded {
    pub(super) key: Key,
    pub(super) controller: AccountBytes,
    worker: bool,
    pub(super) validator: bool,
    pub(super) trainer: bool,
    pub(super) serves: BTreeSet<CheckpointId>,
    /// What it has to execute besides: it may still be drawn for what it served before.
    owes: BTreeSet<CheckpointId>,
}

impl RunArgs {
    fn wants(&self, role: RoleName) -> bool {
        self.roles.is_empty() || self.roles.contains(&role)
    }

    /// What an operator does in rounds of training.
    fn part(&self, operator: &Recorded) -> Option<Role> {
        self.rounds.role(
            operator.trainer && self.wants(RoleName::Train),
            operator.validator && self.wants(RoleName::Validate),
        )
    }
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

    let options = args.device.options();
    let device = tokio::task::spawn_blocking(move || options.select())
        .await
        .context("the device's self-test ended unexpectedly")??;
    info!(%device, details = device.details(), "passed the self-test");

    let Some(node) = connect(&global.url, stop.clone()).await else {
        return Ok(());
    };
    let recorded = look_up(&node, keys).await?;
    let loader = Loader::new(&args, &device, &metrics);
    let checkpoints = load(global, &args, &loader, &node, &recorded).await?;
    let store = open_store(global, &args, &node, &recorded)?;
    let records = folder(global, "rounds", &node, &recorded)?;
    let datasets = args.rounds.datasets(global)?;
    let folder = folder(global, "artefacts", &node, &recorded)?;
    let sharing = args.share.open(&folder, &args.key, &checkpoints).await?;
    announce(&node, &recorded, &checkpoints, sharing.as_ref()).await;
    report(&node, &recorded, &device).await;
    let executor = Arc::new(EngineExecutor::new(checkpoints));

    let link = Link::new(node);
    let library = global.library()?;
    let peers = sharing.as_ref().map(|sharing| {
        let (artefacts, link, library) = (sharing.artefacts(), link.clone(), library.clone());
        Arc::new(Peers::new(artefacts, link, library, datasets.clone()))
    });
    let (head_sender, head) = watch::channel(0);
    let mut tasks = JoinSet::new();
    let mut others = JoinSet::new();
    if args.follow_canonical {
        let successor = Successor {
            link: link.clone(),
            operators: recorded.as_slice().into(),
            library: library.clone(),
            loader,
            executor: executor.clone(),
            retired: owed(&recorded),
            unloads_at: 0,
            artefacts: sharing.as_ref().map(Sharing::artefacts),
        };
        others.spawn(successor.run(head.clone(), stop.clone()));
    }
    for operator in recorded {
        let part = args.part(&operator);
        let identity = Identity {
            controller: operator.controller,
            name: address(&operator.controller),
            serves: operator.worker && args.wants(RoleName::Serve),
            validates: operator.validator && args.wants(RoleName::Validate),
            audits: args.audit_all,
            claims: !args.no_claim,
        };
        if !identity.serves && !identity.validates && part.is_none() {
            bail!(
                "the operator {} has none of the roles asked for with --roles",
                identity.name
            );
        }
        if let Some(role) = part {
            let around = Surroundings {
                library: &library,
                datasets: &datasets,
                device: &device,
                audits: args.audit_all,
                link: &link,
                peers: peers.as_ref(),
                records: &records,
            };
            let participant = args.rounds.participant(&operator, role, &around)?;
            others.spawn(participant.run(head.clone(), stop.clone()));
        }
        info!(operator = %identity.name, serves = identity.serves, validates = identity.validates, rounds = ?part, "ready");
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
    while let Some(ended) = others.join_next().await {
        ended.context("a part of the worker stopped unexpectedly")?;
    }
    drop(peers);
    if let Some(sharing) = sharing {
        sharing.shutdown().await;
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
        let serves: BTreeSet<_> = info.serves.into_iter().map(CheckpointId).collect();
        let mut owes = at.owed(&controller).await?;
        owes.retain(|id| !serves.contains(id));
        found.push(Recorded {
            key,
            controller,
            worker: info.operator.roles.worker,
            validator: info.operator.roles.validator,
            trainer: info.operator.roles.trainer,
            serves,
            owes,
        });
    }
    Ok(found)
}

/// What the operators have to execute besides what they serve.
fn owed(operators: &[Recorded]) -> BTreeSet<CheckpointId> {
    let owed = operators.iter().flat_map(|operator| &operator.owes);
    owed.copied().collect()
}

/// Loads the checkpoints and holds them against what the chain has recorded.
async fn load(
    global: &Global,
    args: &RunArgs,
    loader: &Loader,
    node: &Node,
    operators: &[Recorded],
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
        for id in owed(operators) {
            if opened.contains_key(&id) {
                continue;
            }
            match library.open(id) {
                Ok(checkpoint) => {
                    info!(checkpoint = %id, "loads a checkpoint that was served before: jobs for it may still come");
                    opened.insert(id, checkpoint);
                }
                Err(error) => {
                    warn!(checkpoint = %id, %error, "cannot load a checkpoint that was served before: jobs for it will be missed");
                }
            }
        }
    }
    for name in &args.checkpoint {
        let checkpoint = global.open_checkpoint(name)?;
        opened.insert(checkpoint.id(), checkpoint);
    }
    let nobody_takes_part = || {
        operators
            .iter()
            .all(|operator| args.part(operator).is_none())
    };
    if opened.is_empty() && nobody_takes_part() {
        bail!("the operators serve no checkpoint; a controller starts to serve one with: noema-worker register operator --role worker --account <CONTROLLER> --key <KEY> --serve <ID>; a validator that only takes part in rounds of training says in which with --family");
    }
    if let Some(missing) = served.iter().find(|id| !opened.contains_key(*id)) {
        warn!(checkpoint = %missing, "an operator serves this checkpoint on chain, and it is not loaded: jobs for it will be missed");
    }
    let at = node.finalized().await?;
    let mut engines = BTreeMap::new();
    for (id, checkpoint) in opened {
        let record = at.checkpoint(&id).await?;
        engines.insert(id, loader.load(checkpoint, record.as_ref())?);
    }
    Ok(engines)
}

/// Tells the chain what the operators run on, where it does not know. It is no condition for serving,
/// so a refusal is only logged.
async fn report(node: &Node, operators: &[Recorded], device: &Device) {
    let device = on_chain(device);
    for operator in operators {
        let name = address(&operator.controller);
        match reported(node, operator, &device).await {
            Ok(true) => info!(operator = %name, "reported the device"),
            Ok(false) => {}
            Err(error) => warn!(operator = %name, %error, "could not report the device"),
        }
    }
}

/// Whether the report was news.
async fn reported(
    node: &Node,
    operator: &Recorded,
    device: &WireDevice,
) -> Result<bool, ChainError> {
    let info = node
        .finalized()
        .await?
        .operator(&operator.controller)
        .await?;
    let recorded = info.and_then(|info| info.device);
    if recorded.is_some_and(|report| report.device == *device) {
        return Ok(false);
    }
    let call = ReportDevice {
        device: device.clone(),
    };
    node.perform_finally(call, &operator.key).await?;
    Ok(true)
}

/// The device as the chain records it, with the self-test that it passed.
fn on_chain(device: &Device) -> WireDevice {
    let name = device.to_string();
    let end = name.floor_char_boundary(DEVICE_NAME_BYTES);
    WireDevice {
        class: match device.class() {
            DeviceClass::Cpu => WireDeviceClass::Cpu,
            DeviceClass::Gpu => WireDeviceClass::Gpu,
        },
        name: name.as_bytes()[..end].to_vec(),
        self_test: H256(self_test::golden_hash()),
    }
}

/// Opens the job store of this chain and this set of operators.
fn open_store(
    global: &Global,
    args: &RunArgs,
    node: &Node,
    operators: &[Recorded],
) -> anyhow::Result<Arc<Store>> {
    let path = match &args.store {
        Some(path) => path.clone(),
        None => folder(global, "jobs", node, operators)?.with_extension("redb"),
    };
    let store = Store::open(&path)?;
    store.bind(node.genesis())?;
    Ok(Arc::new(store))
}

/// A folder of this chain and this set of operators, which is named by the first.
fn folder(
    global: &Global,
    kind: &str,
    node: &Node,
    operators: &[Recorded],
) -> anyhow::Result<PathBuf> {
    let first = operators
        .first()
        .context("--key is required, so there is an operator")?;
    let chain: String = hex::encode(node.genesis()).chars().take(16).collect();
    let name = address(&first.controller);
    Ok(global.home()?.join(kind).join(chain).join(name))
}
