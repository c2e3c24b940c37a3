//! Switching to the canonical checkpoints that training produces.

use super::announce::hold;
use super::load::Loader;
use super::operators::{owed, Recorded};
use super::share::log_progress;
use super::ServiceError;
use crate::artefacts::{self, FetchError};
use crate::chain::calls::FollowCanonical;
use crate::chain::{At, ChainError, Link, Node};
use crate::roles::LoadedEngines;
use futures::future::BoxFuture;
use noema_artefacts::Artefacts;
use noema_model::checkpoint::Library;
use noema_model::engine::Engine;
use noema_protocol::CheckpointId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tracing::{info, warn};

/// The pause after a failure: holders may only just have started.
const PAUSE: Duration = Duration::from_secs(15);

/// The time after which a checkpoint that needs another release is looked at again. A holder can lie about the
/// format of what it holds.
const LATER: Duration = Duration::from_secs(3_600);

/// Blocks between two searches for checkpoints to unload, for which the node reads every roster.
const UNLOAD_EVERY: u64 = 32;

/// Serves the canonical checkpoint of a family in place of its predecessors.
#[derive(Clone)]
pub(super) struct Successor {
    link: Arc<Link>,
    operators: Arc<[Recorded]>,
    library: Library,
    loader: Loader,
    engines: Arc<LoadedEngines>,
    /// The endpoint at which loaded checkpoints are shared, if there is one.
    artefacts: Option<Arc<Artefacts>>,
    /// Checkpoints that were served before and are still loaded: an operator may still be drawn for them or
    /// have jobs for them.
    retired: BTreeSet<CheckpointId>,
    /// Canonical checkpoints that this release cannot run, and when that was found.
    of_other_release: BTreeMap<CheckpointId, Instant>,
    /// The block of the next search for checkpoints to unload.
    unloads_at: u64,
}

impl Successor {
    /// A successor that has not read the chain yet.
    pub(super) fn new(
        link: Arc<Link>,
        operators: &[Recorded],
        library: Library,
        loader: Loader,
        engines: Arc<LoadedEngines>,
        artefacts: Option<Arc<Artefacts>>,
    ) -> Self {
        Self {
            link,
            operators: operators.into(),
            library,
            loader,
            engines,
            artefacts,
            retired: owed(operators),
            of_other_release: BTreeMap::new(),
            unloads_at: 0,
        }
    }

    /// Looks for a new canonical checkpoint at every change of `head`, until `stop` turns true.
    pub(super) async fn run(
        mut self,
        mut head: watch::Receiver<u64>,
        mut stop: watch::Receiver<bool>,
    ) {
        head.mark_changed();
        while crate::next_head(&mut head, &mut stop).await {
            let looked = tokio::select! {
                looked = self.look() => looked,
                () = crate::stopped(&mut stop) => return,
            };
            let Err(error) = looked else { continue };
            warn!(
                %error,
                "cannot serve the canonical checkpoint yet; trying again"
            );
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = crate::stopped(&mut stop) => return,
            }
        }
    }

    /// Boxed, since the compiler cannot prove otherwise that the future is `Send`.
    fn look(&mut self) -> BoxFuture<'_, Result<(), ServiceError>> {
        Box::pin(async move {
            let node = self.link.node()?;
            let at = node.finalized().await?;
            let operators = self.operators.clone();
            for operator in operators.iter() {
                let Some(info) = at.operator(&operator.controller).await? else {
                    continue;
                };
                if info.operator.withdrawable_at.is_some() {
                    continue; // an operator that is leaving may serve nothing new
                }
                for served in info.serves {
                    let Some(canonical) = successor(&at, served).await? else {
                        continue;
                    };
                    let found = self.of_other_release.get(&canonical);
                    if found.is_some_and(|found| found.elapsed() < LATER) {
                        continue;
                    }
                    let moved = self.move_on(&node, &at, operator, served, canonical).await;
                    if let Err(ServiceError::Fetch(error @ FetchError::OtherRelease { .. })) =
                        &moved
                    {
                        warn!(%error, "cannot serve the canonical checkpoint, and goes on with {served}");
                        self.of_other_release.insert(canonical, Instant::now());
                        continue;
                    }
                    moved?;
                    self.retired.insert(served);
                    self.retired.remove(&canonical);
                }
            }
            self.unload(&at).await
        })
    }

    /// Loads `canonical` and makes an operator serve it in place of `served`.
    async fn move_on(
        &self,
        node: &Node,
        at: &At,
        operator: &Recorded,
        served: CheckpointId,
        canonical: CheckpointId,
    ) -> Result<(), ServiceError> {
        let name = operator.name();
        let engine = self.make_ready(node, at, canonical).await?;
        let blob = match &self.artefacts {
            Some(shared) => Some(artefacts::share(shared, engine.checkpoint()).await?),
            None => None,
        };
        if hold(node, operator, canonical, &engine, blob).await? {
            info!(operator = %name, checkpoint = %canonical, "announced that it holds the weights");
        }
        let call = FollowCanonical { checkpoint: served };
        node.perform_finally(call, &operator.key).await?;
        info!(operator = %name, checkpoint = %canonical, before = %served, "serves the canonical checkpoint");
        Ok(())
    }

    /// Unloads checkpoints that were served before, once no operator can be drawn for them or has a job for
    /// them.
    async fn unload(&mut self, at: &At) -> Result<(), ServiceError> {
        if self.retired.is_empty() || at.number() < self.unloads_at {
            return Ok(());
        }
        let mut owed = BTreeSet::new();
        for operator in self.operators.iter() {
            owed.extend(at.owed(&operator.controller).await?);
        }
        for id in self.retired.difference(&owed) {
            self.engines.remove(id);
            info!(checkpoint = %id, "unloaded a checkpoint that was served before");
        }
        self.retired.retain(|id| owed.contains(id));
        self.unloads_at = at.number().saturating_add(UNLOAD_EVERY);
        Ok(())
    }

    /// Loads `canonical`, and fetches it from its holders first if it is not on this machine.
    async fn make_ready(
        &self,
        node: &Node,
        at: &At,
        canonical: CheckpointId,
    ) -> Result<Arc<Engine>, ServiceError> {
        if let Some(engine) = self.engines.loaded(&canonical) {
            return Ok(engine);
        }
        let record = at.checkpoint(&canonical).await?;
        let bytes = record.as_ref().map_or(0, |record| record.weights.bytes);
        let checkpoint = match self.library.open(canonical) {
            Ok(checkpoint) => checkpoint,
            Err(_) => {
                info!(checkpoint = %canonical, "fetches the canonical checkpoint");
                let told = log_progress("the canonical checkpoint");
                let (library, unending) = (&self.library, std::future::pending());
                // A checkpoint that is not available is looked for again at a later block.
                let wait = Duration::ZERO;
                artefacts::fetch_alone(node, library, canonical, bytes, told, wait, unending)
                    .await?
            }
        };
        let engine = self.loader.load(checkpoint, record).await?;
        self.engines.insert(canonical, engine.clone());
        Ok(engine)
    }
}

/// The canonical checkpoint of the family of `served`, if it is another one.
async fn successor(at: &At, served: CheckpointId) -> Result<Option<CheckpointId>, ChainError> {
    let Some(record) = at.checkpoint(&served).await? else {
        return Ok(None);
    };
    let canonical = at.canonical(record.family).await?;
    Ok(canonical.filter(|canonical| *canonical != served))
}
