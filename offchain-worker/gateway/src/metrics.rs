//! Counters of a gateway, for Prometheus.

use noema_economics::Balance;
use noema_session_transport::SignedReceipt;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{exponential_buckets, Histogram};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::time::Duration;

/// The counters of one gateway.
#[derive(Clone)]
pub struct GatewayMetrics {
    registry: Arc<Registry>,
    /// Calls of the API.
    pub(crate) calls: Counter,
    /// Calls that were refused.
    pub(crate) refused: Counter,
    /// Calls in progress.
    pub(crate) in_progress: Gauge,
    /// Receipts that were verified and paid.
    pub(crate) receipts: Counter,
    /// Tokens of the answers in these.
    pub(crate) tokens: Counter,
    /// Tokens of the prompts in these.
    pub(crate) prompt_tokens: Counter,
    /// Those of them that were cached.
    pub(crate) cached_tokens: Counter,
    /// The price of all receipts, in the smallest unit, as far as it can be counted.
    pub(crate) spent: Counter,
    /// Tokens of prompts that were expected to be cached, and were charged as others.
    pub(crate) uncached_tokens: Counter,
    /// Answers that went on with another worker.
    pub(crate) moved: Counter,
    /// Tokens that were passed on, and have no receipt.
    pub(crate) unsigned_tokens: Counter,
    /// Answers that were received in whole from a worker whose connection was lost.
    pub(crate) resumed: Counter,
    /// Receipts that were received and paid after the answer had gone on with another worker.
    pub(crate) late: Counter,
    /// Answers that were executed again, with the same result.
    pub(crate) verified: Counter,
    /// Answers that were executed again, with another result.
    pub(crate) falsified: Counter,
    /// Answers that were to be executed again, and were not.
    pub(crate) unverified: Counter,
    /// Workers that sent false tokens, receipts or messages.
    pub(crate) breaches: Counter,
    /// Answers that were ended early: by a stop string, or since the caller went.
    pub(crate) ended: Counter,
    /// Open sessions.
    pub(crate) sessions: Gauge,
    first_token: Histogram,
}

impl Default for GatewayMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl GatewayMetrics {
    /// Counters that are all zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("noema_gateway");
        let counter = |registry: &mut Registry, name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let calls = counter(&mut registry, "calls", "Calls of the API");
        let refused = counter(&mut registry, "refused", "Calls that were refused");
        let in_progress = gauge(&mut registry, "in_progress", "Calls in progress");
        let receipts = counter(
            &mut registry,
            "receipts",
            "Receipts that were verified and paid",
        );
        let tokens = counter(&mut registry, "tokens", "Tokens of answers");
        let prompt_tokens = counter(&mut registry, "prompt_tokens", "Tokens of prompts");
        let cached_tokens = counter(
            &mut registry,
            "cached_tokens",
            "Tokens of prompts that were cached",
        );
        let spent = counter(
            &mut registry,
            "spent",
            "The price of all receipts, in the smallest unit",
        );
        let uncached_tokens = counter(
            &mut registry,
            "uncached_tokens",
            "Tokens of prompts that were expected to be cached, and were charged as others",
        );
        let unsigned_tokens = counter(
            &mut registry,
            "unsigned_tokens",
            "Tokens that were passed on, and have no receipt",
        );
        let resumed = counter(
            &mut registry,
            "resumed",
            "Answers that were received in whole from a worker whose connection was lost",
        );
        let late = counter(
            &mut registry,
            "late",
            "Receipts that were paid after the answer had gone on with another worker",
        );
        let verified = counter(
            &mut registry,
            "verified",
            "Answers that were executed again, with the same result",
        );
        let falsified = counter(
            &mut registry,
            "falsified",
            "Answers that were executed again, with another result",
        );
        let unverified = counter(
            &mut registry,
            "unverified",
            "Answers that were to be executed again, and were not",
        );
        let moved = counter(
            &mut registry,
            "moved",
            "Answers that went on with another worker",
        );
        let breaches = counter(
            &mut registry,
            "breaches",
            "Workers that sent false tokens, receipts or messages",
        );
        let ended = counter(&mut registry, "ended", "Answers that were ended early");
        let sessions = gauge(&mut registry, "sessions", "Open sessions");
        let first_token = Histogram::new(exponential_buckets(0.005, 2.0, 14));
        registry.register_with_unit(
            "first_token",
            "Time from a call to the first token",
            Unit::Seconds,
            first_token.clone(),
        );
        Self {
            registry: Arc::new(registry),
            calls,
            refused,
            in_progress,
            receipts,
            tokens,
            prompt_tokens,
            cached_tokens,
            spent,
            uncached_tokens,
            moved,
            unsigned_tokens,
            resumed,
            late,
            verified,
            falsified,
            unverified,
            breaches,
            ended,
            sessions,
            first_token,
        }
    }

    /// Records a receipt.
    pub(crate) fn paid(&self, signed: &SignedReceipt) {
        let receipt = &signed.receipt;
        self.receipts.inc();
        self.tokens.inc_by(receipt.answer_tokens.into());
        self.prompt_tokens.inc_by(receipt.prompt_tokens.into());
        self.cached_tokens.inc_by(receipt.cached_tokens.into());
        self.spent.inc_by(count(receipt.price));
    }

    /// Records the time to a first token.
    pub(crate) fn first_token_after(&self, time: Duration) {
        self.first_token.observe(time.as_secs_f64());
    }

    /// The page, in the format OpenMetrics; `None` where it cannot be written.
    pub(crate) fn page(&self) -> Option<String> {
        let mut page = String::new();
        encode(&mut page, &self.registry).ok()?;
        Some(page)
    }
}

fn count(amount: Balance) -> u64 {
    u64::try_from(amount).unwrap_or(u64::MAX)
}
