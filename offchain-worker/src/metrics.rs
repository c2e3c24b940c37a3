//! Metrics and health of a running worker: `/metrics` for Prometheus, `/health` for a process supervisor.

use axum::extract::State;
use axum::http::{header, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::Router;
use noema_executor::schedule::PassReport;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{exponential_buckets, Histogram};
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A worker that has seen no finalized block for this long is unhealthy.
const STALE_SECONDS: i64 = 120;

/// The purpose of an execution of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Execution {
    /// An answer.
    Answer,
    /// A check that the operator was drawn for.
    Check,
    /// A verdict as a juror.
    Verdict,
    /// A move in a game.
    Move,
}

/// The outcome of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Fate {
    /// In a finalized block, and the call succeeded.
    Included,
    /// In a finalized block, and the call was refused.
    Refused,
    /// Not in a block.
    Dropped,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExecutionLabels {
    kind: Execution,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FateLabels {
    fate: Fate,
}

/// The metrics of one process, shared by its operators.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Answers that the chain asked for.
    pub jobs: Counter,
    /// Answers that are on chain.
    pub answers: Counter,
    /// Tokens generated.
    pub tokens: Counter,
    /// Answers found true, in checks and as a juror.
    pub checks_valid: Counter,
    /// Answers found false, in checks and as a juror.
    pub checks_invalid: Counter,
    /// Checks that are revealed on chain.
    pub checks: Counter,
    /// Challenges that are on chain.
    pub challenges: Counter,
    /// Moves of games that are on chain.
    pub moves: Counter,
    /// Verdicts that are revealed on chain.
    pub verdicts: Counter,
    /// Epochs for which a reward was claimed.
    pub rewards: Counter,
    /// Answers of sessions that have a receipt.
    pub session_answers: Counter,
    /// Tokens of these answers.
    pub session_tokens: Counter,
    /// Tokens of the prompts of these answers.
    pub session_prompt_tokens: Counter,
    /// Those of them whose keys and values were cached.
    pub session_cached_tokens: Counter,
    /// Claims of sessions that are on chain.
    pub session_claims: Counter,
    /// Executions that failed.
    pub execution_failures: Counter,
    /// Calls to the node that failed.
    pub ledger_errors: Counter,
    /// Accesses to the job store that failed.
    pub store_errors: Counter,
    /// Restarts of tasks of the worker that panicked or failed.
    pub restarts: Counter,
    /// The parts of the worker that fail.
    pub health: Troubles,
    /// The parts of the worker that lack something without which its duties can be done, and which a restart
    /// would not provide.
    pub degraded: Troubles,
    /// Executions under way.
    pub running: Gauge,
    /// Requests that wait to be executed, at the latest pass.
    pub waiting: Gauge,
    /// The latest finalized block seen.
    pub finalized_block: Gauge,
    /// The time at which it was seen, in seconds since 1970.
    pub finalized_at: Gauge,
    /// 1 while the node answers, otherwise 0.
    pub connected: Gauge,
    /// Operators whose endpoint could not be published or withdrawn at the latest attempt.
    pub unannounced_endpoints: Gauge,
    executions: Family<ExecutionLabels, Histogram>,
    /// The duration of each pass.
    passes: Histogram,
    batches: Histogram,
    positions: Counter,
    transactions: Family<FateLabels, Counter>,
}

/// The parts of a worker that fail or lack something, and why.
#[derive(Clone, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<String, String>>>);

impl Troubles {
    /// Records that a part fails or lacks something, and why.
    pub fn is_troubled(&self, part: &str, reason: &str) {
        self.parts().insert(part.to_owned(), reason.to_owned());
    }

    /// Records that a part works.
    pub fn is_well(&self, part: &str) {
        self.parts().remove(part);
    }

    /// Why a part fails or what it lacks; `None` if it works.
    pub fn trouble_of(&self, part: &str) -> Option<String> {
        self.parts().get(part).cloned()
    }

    /// A line for each part, which begins with `prefix`.
    fn lines(&self, prefix: &str) -> String {
        let parts = self.parts();
        let lines = parts
            .iter()
            .map(|(part, reason)| format!("{prefix}{part}: {reason}\n"));
        lines.collect()
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics that are all zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("noema_worker");
        let counter = |registry: &mut Registry, name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let jobs = counter(&mut registry, "jobs", "Answers that the chain asked for");
        let answers = counter(&mut registry, "answers", "Answers that are on chain");
        let tokens = counter(&mut registry, "tokens", "Tokens generated");
        let checks_valid = counter(&mut registry, "checks_valid", "Answers found true");
        let checks_invalid = counter(&mut registry, "checks_invalid", "Answers found false");
        let checks = counter(&mut registry, "checks", "Checks that are revealed on chain");
        let challenges = counter(&mut registry, "challenges", "Challenges that are on chain");
        let moves = counter(&mut registry, "moves", "Moves of games that are on chain");
        let verdicts = counter(
            &mut registry,
            "verdicts",
            "Verdicts that are revealed on chain",
        );
        let rewards = counter(
            &mut registry,
            "rewards",
            "Epochs for which a reward was claimed",
        );
        let session_answers = counter(
            &mut registry,
            "session_answers",
            "Answers of sessions that have a receipt",
        );
        let session_tokens = counter(
            &mut registry,
            "session_tokens",
            "Tokens of answers of sessions",
        );
        let session_prompt_tokens = counter(
            &mut registry,
            "session_prompt_tokens",
            "Tokens of prompts of sessions",
        );
        let session_cached_tokens = counter(
            &mut registry,
            "session_cached_tokens",
            "Tokens of prompts of sessions whose keys and values were cached",
        );
        let session_claims = counter(
            &mut registry,
            "session_claims",
            "Claims of sessions that are on chain",
        );
        let execution_failures = counter(
            &mut registry,
            "execution_failures",
            "Executions that failed",
        );
        let ledger_errors = counter(
            &mut registry,
            "ledger_errors",
            "Calls to the node that failed",
        );
        let store_errors = counter(
            &mut registry,
            "store_errors",
            "Accesses to the job store that failed",
        );
        let restarts = counter(
            &mut registry,
            "restarts",
            "Restarts of tasks of the worker that panicked or failed",
        );
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let running = gauge(&mut registry, "running", "Executions under way");
        let waiting = gauge(
            &mut registry,
            "waiting",
            "Requests that waited to be executed at the latest pass",
        );
        let finalized_block = gauge(
            &mut registry,
            "finalized_block",
            "The latest finalized block seen",
        );
        let finalized_at = gauge(
            &mut registry,
            "finalized_timestamp_seconds",
            "Time at which the latest finalized block was seen",
        );
        let connected = gauge(
            &mut registry,
            "connected",
            "1 while the node answers, otherwise 0",
        );
        let unannounced_endpoints = gauge(
            &mut registry,
            "unannounced_endpoints",
            "Operators whose endpoint could not be published or withdrawn at the latest attempt",
        );
        let executions = Family::<ExecutionLabels, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.05, 2.0, 14))
        });
        registry.register_with_unit(
            "execution",
            "Duration of an execution of the model",
            Unit::Seconds,
            executions.clone(),
        );
        let passes = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        registry.register_with_unit(
            "pass",
            "Duration of a pass of the model over its weights",
            Unit::Seconds,
            passes.clone(),
        );
        let batches = Histogram::new(exponential_buckets(1.0, 2.0, 7));
        registry.register("batch", "Requests that shared a pass", batches.clone());
        let positions = counter(
            &mut registry,
            "positions",
            "Positions of prompts and answers executed",
        );
        let transactions = Family::<FateLabels, Counter>::default();
        registry.register(
            "transactions",
            "Transactions by their outcome",
            transactions.clone(),
        );
        Self {
            registry: Arc::new(registry),
            jobs,
            answers,
            tokens,
            checks_valid,
            checks_invalid,
            checks,
            challenges,
            moves,
            verdicts,
            rewards,
            session_answers,
            session_tokens,
            session_prompt_tokens,
            session_cached_tokens,
            session_claims,
            execution_failures,
            ledger_errors,
            store_errors,
            restarts,
            health: Troubles::default(),
            degraded: Troubles::default(),
            running,
            waiting,
            finalized_block,
            finalized_at,
            connected,
            unannounced_endpoints,
            executions,
            passes,
            batches,
            positions,
            transactions,
        }
    }

    /// Records an execution that took this long.
    pub fn executed(&self, kind: Execution, seconds: f64) {
        self.executions
            .get_or_create(&ExecutionLabels { kind })
            .observe(seconds);
    }

    /// Records a pass of the model.
    pub fn passed(&self, pass: &PassReport) {
        self.passes.observe(pass.seconds);
        self.batches.observe(pass.sequences as f64);
        self.positions.inc_by(pass.positions as u64);
        self.waiting
            .set(i64::try_from(pass.waiting).unwrap_or(i64::MAX));
    }

    /// Records the outcome of a transaction.
    pub fn transaction(&self, fate: Fate) {
        self.transactions.get_or_create(&FateLabels { fate }).inc();
    }

    /// Records a finalized block.
    pub fn finalized(&self, block: u64) {
        self.finalized_block
            .set(i64::try_from(block).unwrap_or(i64::MAX));
        self.finalized_at.set(now());
        self.connected.set(1);
    }

    /// The health page: a line for the chain, then one for each part that fails or is degraded. Only failures
    /// are errors.
    fn state(&self) -> Result<String, String> {
        let troubles = self.health.lines("");
        let degraded = self.degraded.lines("degraded: ");
        match self.chain_state() {
            Ok(line) if troubles.is_empty() => Ok(line + &degraded),
            Ok(line) | Err(line) => Err(line + &troubles + &degraded),
        }
    }

    fn chain_state(&self) -> Result<String, String> {
        let block = self.finalized_block.get();
        let age = now().saturating_sub(self.finalized_at.get());
        if self.finalized_at.get() == 0 {
            Err("no finalized block seen yet\n".into())
        } else if self.connected.get() == 0 {
            Err(format!(
                "the node does not answer; last finalized block {block}, {age} s ago\n"
            ))
        } else if age > STALE_SECONDS {
            Err(format!(
                "no finalized block for {age} s; the last is {block}\n"
            ))
        } else {
            Ok(format!("ok; finalized block {block}, {age} s ago\n"))
        }
    }
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| i64::try_from(elapsed.as_secs()).ok())
        .unwrap_or_default()
}

/// Serves `/metrics` and `/health` on `listener` until `stop` turns true.
///
/// # Errors
/// If connections can no longer be accepted.
pub async fn serve(
    metrics: Metrics,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics_page))
        .route("/health", get(health_page))
        .with_state(metrics);
    // No graceful shutdown: a connection that is kept open must not delay the stop.
    tokio::select! {
        ended = async { axum::serve(listener, router).await } => ended,
        () = crate::stopped(&mut stop) => Ok(()),
    }
}

async fn metrics_page(State(metrics): State<Metrics>) -> Response {
    let mut page = String::new();
    match encode(&mut page, &metrics.registry) {
        Ok(()) => (
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            page,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn health_page(State(metrics): State<Metrics>) -> Response {
    match metrics.state() {
        Ok(line) => (StatusCode::OK, line).into_response(),
        Err(line) => (StatusCode::SERVICE_UNAVAILABLE, line).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_follows_the_finalized_chain() {
        let metrics = Metrics::new();
        assert!(metrics.state().is_err());
        metrics.finalized(7);
        assert!(metrics.state().expect("healthy").contains("block 7"));
        metrics.connected.set(0);
        assert!(metrics.state().is_err());
        metrics.connected.set(1);
        metrics.finalized_at.set(now() - STALE_SECONDS - 1);
        assert!(metrics.state().is_err());
    }

    #[test]
    fn health_names_the_parts_that_are_in_trouble() {
        let metrics = Metrics::new();
        metrics.finalized(7);
        metrics.health.is_troubled("operator A", "panicked: oh");
        metrics.health.is_troubled("job store", "the disk is full");
        let told = metrics.state().expect_err("two parts are in trouble");
        assert!(told.contains("block 7"), "{told}");
        assert!(told.contains("operator A: panicked: oh\n"), "{told}");
        metrics.health.is_well("operator A");
        let told = metrics.state().expect_err("one part is in trouble");
        assert!(told.ends_with("job store: the disk is full\n"), "{told}");
        metrics.health.is_well("job store");
        assert!(metrics.state().is_ok());
    }

    #[test]
    fn a_degraded_part_is_named_and_leaves_the_worker_well() {
        let metrics = Metrics::new();
        metrics.finalized(7);
        metrics.degraded.is_troubled("endpoint", "not published");
        let told = metrics.state().expect("healthy");
        assert!(told.starts_with("ok; finalized block 7"), "{told}");
        assert!(
            told.ends_with("degraded: endpoint: not published\n"),
            "{told}"
        );
        metrics.health.is_troubled("job store", "the disk is full");
        let told = metrics.state().expect_err("a part is in trouble");
        assert!(told.contains("\ndegraded: endpoint"), "{told}");
    }

    #[test]
    fn the_page_names_what_happened() {
        let metrics = Metrics::new();
        metrics.executed(Execution::Answer, 0.3);
        metrics.passed(&PassReport {
            sequences: 3,
            positions: 40,
            waiting: 2,
            seconds: 0.1,
        });
        metrics.transaction(Fate::Included);
        metrics.unannounced_endpoints.set(2);
        let mut page = String::new();
        encode(&mut page, &metrics.registry).expect("text");
        assert!(page.contains("noema_worker_execution_seconds_count{kind=\"Answer\"} 1"));
        assert!(page.contains("noema_worker_batch_sum 3.0"), "{page}");
        assert!(page.contains("noema_worker_pass_seconds_count 1"));
        assert!(page.contains("noema_worker_positions_total 40"));
        assert!(page.contains("noema_worker_waiting 2"));
        assert!(page.contains("noema_worker_unannounced_endpoints 2"));
        assert!(page.contains("noema_worker_transactions_total{fate=\"Included\"} 1"));
    }
}
