//! A running worker: everything that `noema-worker run` does, as a library for other programs.
//!
//! ```no_run
//! use noema_worker::keys::Key;
//! use noema_worker::service::{Config, Worker};
//!
//! # async fn embed() -> Result<(), Box<dyn std::error::Error>> {
//! let key = Key::load("validator.key")?;
//! let worker = Worker::start(Config::new("ws://127.0.0.1:9944", "/var/lib/noema", vec![key])).await?;
//! // The worker runs in tasks of the tokio runtime.
//! worker.stop().await;
//! # Ok(())
//! # }
//! ```

mod announce;
mod canonical;
mod config;
mod error;
mod load;
mod operators;
mod peers;
mod rounds;
mod sessions;
mod share;
mod supervisor;

pub use config::{Config, Listen, RoundsConfig};
pub use error::ServiceError;
pub use supervisor::Supervisor;

use crate::artefacts;
use crate::chain::{follow, Link, Node, NodeView};
use crate::metrics::{self, Metrics};
use crate::roles::{LeafSource, LoadedEngines, OperatorLoop, Pace};
use crate::store::{Store, StoreError};
use announce::{Announcer, Endpoint};
use canonical::Successor;
use futures::future::BoxFuture;
use load::Loader;
use noema_artefacts::Fetcher;
use noema_executor::Device;
use noema_model::checkpoint::Library;
use noema_protocol::Role;
use noema_session_transport::{Acceptor, AcceptorLimits, ServedSessions};
use operators::Recorded;
use rounds::Resources;
use sessions::{Leaves, SessionResources};
use share::Sharing;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

/// The time that tasks have to stop: a trainer saves its state at the end of a step.
const PATIENCE: Duration = Duration::from_secs(6);
/// The time that answers of sessions have to end.
const DRAIN: Duration = Duration::from_secs(5);
/// The time that the endpoint has to close its connections.
const GOODBYE: Duration = Duration::from_secs(1);

/// A running worker: its operators, their endpoint and their metrics. Its tasks end when it is stopped or
/// dropped. Their progress is on disk at any time, and the next start resumes from there.
///
/// Its futures are boxed: otherwise every program that awaits them would compile them again.
pub struct Worker {
    stop: watch::Sender<bool>,
    metrics: Metrics,
    metrics_address: Option<SocketAddr>,
    supervisor: Supervisor,
    sessions: Vec<Arc<ServedSessions>>,
    sharing: Option<Sharing>,
}

impl Worker {
    /// Starts a worker: waits for the node without a limit, loads the checkpoints that the operators execute,
    /// and starts their tasks. Drop the future to cancel the start.
    ///
    /// # Errors
    /// [`ServiceError`] if something that the worker needs is missing or fails. A task that fails later is
    /// restarted, and [`Metrics::health`] names it.
    pub fn start(config: Config) -> BoxFuture<'static, Result<Self, ServiceError>> {
        Box::pin(Self::start_all(config))
    }

    async fn start_all(config: Config) -> Result<Self, ServiceError> {
        if config.keys.is_empty() {
            return Err(ServiceError::NoKey);
        }
        config.rounds.training.validate()?;
        let (stop_sender, stop) = watch::channel(false);
        let metrics = Metrics::new();
        let mut supervisor = Supervisor::new(metrics.clone(), stop.clone());
        let metrics_address = match config.metrics {
            Some(address) => Some(serve_metrics(&mut supervisor, &metrics, address, &stop).await?),
            None => None,
        };
        let device = select(&config).await?;
        let node = connect(&config.url).await;
        let recorded = operators::look_up(&node, &config.keys).await?;
        for operator in &recorded {
            let identity = operator.identity(&config);
            if !identity.serves && !identity.validates && identity.rounds.is_none() {
                return Err(ServiceError::NoRole(identity.name));
            }
        }
        let loader = Loader::new(&config, &device, &metrics);
        let checkpoints = load::load(&config, &loader, &node, &recorded).await?;
        let store = open_store(&config, &node, &recorded)?;
        let datasets = rounds::datasets(&config)?;
        let shared = folder(&config, "artefacts", &node, &recorded)?;
        let acceptor = Acceptor::new(AcceptorLimits::default());
        let sharing = share::open(&config, &shared, &checkpoints, &acceptor).await?;
        let endpoint = match &sharing {
            Some(sharing) => Endpoint::Open(sharing.shared()),
            None => silent(&shared),
        };

        let (head_sender, head) = watch::channel(0);
        let library = Library::new(&config.home);
        let link = Link::new(node.clone());
        let rounds = sharing.as_ref().map(|sharing| {
            let (link, library) = (link.clone(), library.clone());
            Resources::new(sharing.artefacts(), link, library, datasets, device.clone())
        });
        let engines = Arc::new(LoadedEngines::new(checkpoints));
        let announcer = Announcer::new(
            link.clone(),
            &recorded,
            engines.clone(),
            endpoint,
            &device,
            metrics.clone(),
        );
        let sessions = sessions_of(&config, &node, &recorded, (&engines, &link), &metrics)?;
        let mut tasks = Tasks {
            sessions,
            served: Vec::new(),
            fetcher: sharing
                .as_ref()
                .map(|sharing| sharing.artefacts().fetcher().clone()),
            files: folder(&config, "rounds", &node, &recorded)?,
            engines,
            store: Arc::new(store),
            config,
            link,
            library,
            rounds,
            metrics: metrics.clone(),
            head,
            stop,
            supervisor,
        };
        if tasks.config.follow_canonical {
            tasks.follow_canonical(&recorded, loader, sharing.as_ref());
        }
        for operator in &recorded {
            tasks.operate(operator)?;
        }
        if let Some(sharing) = &sharing {
            acceptor.serve(sharing.artefacts().peer(), tasks.served.clone());
        }
        tasks.announce(announcer);
        tasks.follow(head_sender);
        Ok(Self {
            sessions: tasks.served,
            stop: stop_sender,
            metrics,
            metrics_address,
            supervisor: tasks.supervisor,
            sharing,
        })
    }

    /// The worker's metrics.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The address at which metrics and health are served, with the actual port if port 0 was configured.
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Stops within a few seconds. The next start resumes unfinished work.
    pub fn stop(self) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.stop.send_replace(true);
            let mut drains = JoinSet::new();
            for sessions in self.sessions {
                drains.spawn(async move { sessions.drain(DRAIN).await });
            }
            self.supervisor.finish(PATIENCE).await;
            while drains.join_next().await.is_some() {}
            if let Some(sharing) = self.sharing {
                let goodbye = tokio::time::timeout(GOODBYE, sharing.shutdown()).await;
                if goodbye.is_err() {
                    warn!("the endpoint did not close its connections in time");
                }
            }
        })
    }
}

/// Resources that the worker's tasks share.
struct Tasks {
    config: Config,
    link: Arc<Link>,
    library: Library,
    engines: Arc<LoadedEngines>,
    store: Arc<Store>,
    /// Resources for rounds; `None` if the worker shares no files with other operators.
    rounds: Option<Resources>,
    /// Resources for sessions; `None` if no operator serves, or their store failed.
    sessions: Option<SessionResources>,
    /// The sessions of each operator that serves.
    served: Vec<Arc<ServedSessions>>,
    /// The endpoint of the worker, if it shares files with other operators.
    fetcher: Option<Fetcher>,
    /// The folder for the files of rounds.
    files: PathBuf,
    metrics: Metrics,
    head: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    supervisor: Supervisor,
}

impl Tasks {
    fn follow_canonical(
        &mut self,
        operators: &[Recorded],
        loader: Loader,
        sharing: Option<&Sharing>,
    ) {
        let successor = Successor::new(
            self.link.clone(),
            operators,
            self.library.clone(),
            loader,
            self.engines.clone(),
            sharing.map(Sharing::artefacts),
        );
        let (head, stop) = (self.head.clone(), self.stop.clone());
        self.supervisor.run("canonical checkpoints", move || {
            endless(successor.clone().run(head.clone(), stop.clone()))
        });
    }

    fn announce(&mut self, announcer: Announcer) {
        let stop = self.stop.clone();
        self.supervisor.run("announcements", move || {
            endless(announcer.clone().run(stop.clone()))
        });
    }

    /// Starts the task of an operator, with the parts that its roles need.
    fn operate(&mut self, operator: &Recorded) -> Result<(), ServiceError> {
        let identity = operator.identity(&self.config);
        let name = identity.name.clone();
        let rounds = match (&self.rounds, identity.rounds) {
            (_, None) => None,
            (None, Some(_)) => return Err(ServiceError::NotSharing(name)),
            (Some(resources), Some(_)) => {
                let setup = resources.setup(operator, &self.config, &self.files);
                Some((setup, resources.exchange()))
            }
        };
        let (serves, validates) = (identity.serves, identity.validates);
        let trains = identity.rounds == Some(Role::Trainer);
        let scores = identity.rounds == Some(Role::Validator);
        info!(operator = %name, serves, validates, trains, scores, "ready");
        let mut chain = NodeView::new(self.link.clone(), operator.key.clone(), &identity);
        let resources = self.sessions.as_ref().filter(|_| serves);
        let sessions = resources.map(|resources| resources.serve(operator));
        if let Some(sessions) = &sessions {
            chain = chain.with_sessions();
            self.served.push(sessions.clone());
        }
        let leaves: Option<Arc<dyn LeafSource>> = match validates || sessions.is_some() {
            true => {
                let (link, key) = (self.link.clone(), operator.key.clone());
                Some(Arc::new(Leaves::new(link, key, self.fetcher.clone())))
            }
            false => None,
        };
        let chain = Arc::new(chain);
        let (engines, store) = (self.engines.clone(), self.store.clone());
        let (metrics, head, stop) = (self.metrics.clone(), self.head.clone(), self.stop.clone());
        self.supervisor.run(format!("operator {name}"), move || {
            let mut operator = OperatorLoop::new(
                identity.clone(),
                chain.clone(),
                store.clone(),
                metrics.clone(),
            );
            if identity.serves || identity.validates {
                operator = operator.with_engines(engines.clone(), Pace::default());
            }
            if let Some(sessions) = &sessions {
                operator = operator.with_sessions(sessions.clone());
            }
            if let Some(leaves) = &leaves {
                operator = operator.with_leaves(leaves.clone());
            }
            if let Some((setup, exchange)) = &rounds {
                operator = operator.with_rounds(setup.clone(), exchange.clone());
            }
            endless(operator.run(head.clone(), stop.clone()))
        });
        Ok(())
    }

    /// Starts to follow the chain. The other tasks wait for its blocks.
    fn follow(&mut self, head: watch::Sender<u64>) {
        let (link, metrics, stop) = (self.link.clone(), self.metrics.clone(), self.stop.clone());
        self.supervisor.run("chain", move || {
            endless(follow(
                link.clone(),
                head.clone(),
                metrics.clone(),
                stop.clone(),
            ))
        });
    }
}

/// A task that does not fail.
fn endless(
    task: impl Future<Output = ()> + Send + 'static,
) -> BoxFuture<'static, Result<(), Infallible>> {
    Box::pin(async move {
        task.await;
        Ok(())
    })
}

async fn serve_metrics(
    supervisor: &mut Supervisor,
    metrics: &Metrics,
    address: SocketAddr,
    stop: &watch::Receiver<bool>,
) -> Result<SocketAddr, ServiceError> {
    let failed = |source| ServiceError::Metrics { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    info!("metrics at http://{bound}/metrics, health at http://{bound}/health");
    let (metrics, stop) = (metrics.clone(), stop.clone());
    let mut listener = Some(listener);
    supervisor.run("metrics", move || {
        let (metrics, stop, first) = (metrics.clone(), stop.clone(), listener.take());
        let serve: BoxFuture<'static, io::Result<()>> = Box::pin(async move {
            let listener = match first {
                Some(listener) => listener,
                None => TcpListener::bind(bound).await?,
            };
            metrics::serve(metrics, listener, stop).await
        });
        serve
    });
    Ok(bound)
}

/// The endpoint of a worker that shares nothing: an earlier start may have shared files from `folder`.
fn silent(folder: &Path) -> Endpoint {
    match artefacts::silent(folder) {
        Ok(Some(peer)) => Endpoint::Silent(peer),
        Ok(None) => Endpoint::None,
        Err(error) => {
            warn!(%error, "cannot determine whether an earlier start shared files");
            Endpoint::None
        }
    }
}

/// Selects the device, which has passed the self-test.
async fn select(config: &Config) -> Result<Device, ServiceError> {
    let options = config.device;
    let device = tokio::task::spawn_blocking(move || options.select())
        .await
        .map_err(|_| ServiceError::CutOff("the self-test of the device"))??;
    info!(%device, details = device.details(), "passed the self-test");
    Ok(device)
}

/// Connects to the node, and retries without a limit.
async fn connect(url: &str) -> Arc<Node> {
    let mut pause = Duration::from_secs(1);
    loop {
        match Node::connect(url).await {
            Ok(node) => {
                info!(node = %url, chain = %node.chain(), "connected");
                return node;
            }
            Err(error) => {
                warn!(%error, "waiting for the node");
            }
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(Duration::from_secs(15));
    }
}

/// Opens the job store of this chain and this set of operators. A store that fails, but is neither in use nor
/// of another chain, is no error if an operator takes part in rounds: claiming and holding the next
/// checkpoint need no store.
fn open_store(config: &Config, node: &Node, operators: &[Recorded]) -> Result<Store, ServiceError> {
    let path = match &config.store {
        Some(path) => path.clone(),
        None => folder(config, "jobs", node, operators)?.with_extension("redb"),
    };
    let store = Store::at(&path);
    let takes_part = |operator: &Recorded| operator.role_in_rounds(config).is_some();
    match store.bind(node.genesis()) {
        Ok(()) => {}
        Err(error @ (StoreError::Database(_) | StoreError::Unreadable { .. }))
            if operators.iter().any(takes_part) =>
        {
            error!(store = %path.display(), %error, "the job store failed; work that needs it waits until it can be used");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(store)
}

/// Opens the store of sessions, if an operator serves. One that fails is no reason not to answer public requests.
fn sessions_of(
    config: &Config,
    node: &Node,
    operators: &[Recorded],
    (engines, link): (&Arc<LoadedEngines>, &Arc<Link>),
    metrics: &Metrics,
) -> Result<Option<SessionResources>, ServiceError> {
    let mut all = operators.iter();
    if !all.any(|operator| operator.identity(config).serves) {
        return Ok(None);
    }
    let path = folder(config, "sessions", node, operators)?.with_extension("redb");
    let (engines, link) = (engines.clone(), link.clone());
    match SessionResources::open(&path, engines, link, node.genesis()) {
        Ok(resources) => Ok(Some(resources)),
        Err(error) => {
            error!(store = %path.display(), %error, "the store of sessions failed; no sessions are served until the next start");
            metrics.degraded.is_troubled("sessions", &error.to_string());
            Ok(None)
        }
    }
}

/// The folder of this chain and this set of operators, named after the first operator.
fn folder(
    config: &Config,
    kind: &str,
    node: &Node,
    operators: &[Recorded],
) -> Result<PathBuf, ServiceError> {
    let first = operators.first().ok_or(ServiceError::NoKey)?;
    let chain: String = hex::encode(node.genesis()).chars().take(16).collect();
    Ok(config.home.join(kind).join(chain).join(first.name()))
}
