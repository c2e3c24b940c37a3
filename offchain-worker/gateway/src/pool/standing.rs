//! How good workers are: their prices, and their measured speed.

use crate::market::WorkerId;
use noema_economics::Balance;
use noema_sessions::SessionPrices;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The prompt and the answer by which prices are compared, in tokens.
const TYPICAL: (u32, u32) = (512, 256);
/// The tokens of that prompt that belong to an earlier conversation, and could be cached.
const CONTINUED: u32 = 256;
/// The expected tokens after which the sums are halved.
const MANY_EXPECTED: u64 = 1 << 16;
/// Tokens of an answer at least, so that it measures a worker.
const LEAST_MEASURED: usize = 8;
/// How long a worker that failed is chosen last: this, and twice as long after each further failure.
const SET_BACK: Duration = Duration::from_secs(5);
/// The most doublings of that time.
const MOST_DOUBLINGS: u32 = 8;
/// The answers with receipts after which one time that a worker left tokens without a receipt is forgiven.
const FORGIVING: u32 = 16;

/// What was measured of the workers.
#[derive(Debug, Default)]
pub(super) struct Standings(HashMap<WorkerId, Standing>);

#[derive(Debug, Default)]
struct Standing {
    /// Microseconds for a token of an answer, the time to the first one included; `None` before the first answer.
    micros: Option<u64>,
    /// The tokens of prompts that it was expected to have cached, and those of them that it stated; both are halved now
    /// and then, so that the latest count most.
    expected: u64,
    cached: u64,
    /// Failures since the last answer.
    failures: u32,
    /// How often it left tokens without a receipt, less what was forgiven.
    unsigned: u32,
    /// The answers with receipts since that number changed.
    signed: u32,
    set_back_until: Option<Instant>,
}

/// The lower, the better: workers that failed lately come last.
type Score = (bool, u128);

impl Standings {
    /// The score of a worker with these prices. One without measurement counts as fast as the fastest, so that it is
    /// measured.
    pub(super) fn score(&self, worker: &WorkerId, prices: &SessionPrices, now: Instant) -> Score {
        let standing = self.0.get(worker);
        let is_set_back = standing
            .and_then(|standing| standing.set_back_until)
            .is_some_and(|until| until > now);
        let measured = standing.and_then(|standing| standing.micros);
        let fastest = || self.0.values().filter_map(|other| other.micros).min();
        let micros = measured.or_else(fastest).unwrap_or(1);
        let (prompt, answer) = TYPICAL;
        let cached = standing.map_or(CONTINUED, Standing::typically_cached);
        let price = prices.price(prompt, cached, answer).unwrap_or(Balance::MAX);
        (is_set_back, price.saturating_mul(micros.into()))
    }

    /// Records an answer of this many tokens.
    pub(super) fn answered(&mut self, worker: WorkerId, tokens: usize, time: Duration) {
        let standing = self.0.entry(worker).or_default();
        standing.failures = 0;
        standing.signed = standing.signed.saturating_add(1);
        if standing.signed >= FORGIVING {
            standing.signed = 0;
            standing.unsigned = standing.unsigned.saturating_sub(1);
        }
        // Another session of the same worker may answer meanwhile.
        if standing.unsigned == 0 {
            standing.set_back_until = None;
        }
        if tokens < LEAST_MEASURED {
            return;
        }
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let measured = micros.checked_div(tokens as u64).unwrap_or(u64::MAX).max(1);
        standing.micros = Some(match standing.micros {
            None => measured,
            // The mean, in which each answer counts a quarter.
            Some(before) => (before / 4)
                .saturating_mul(3)
                .saturating_add(measured / 4)
                .max(1),
        });
    }

    /// Records that `cached` tokens were stated of a prompt of which `expected` were expected. Returns how many are
    /// missing.
    ///
    /// What a worker had cached cannot be verified, and one without room is honest. So what it states counts in its
    /// price, in comparison with others.
    pub(super) fn cached(&mut self, worker: WorkerId, expected: usize, cached: u32) -> u64 {
        if expected == 0 {
            return 0;
        }
        let expected = u64::try_from(expected).unwrap_or(u64::MAX);
        let cached = u64::from(cached).min(expected);
        let standing = self.0.entry(worker).or_default();
        standing.expected = standing.expected.saturating_add(expected);
        standing.cached = standing.cached.saturating_add(cached);
        if standing.expected > MANY_EXPECTED {
            standing.expected /= 2;
            standing.cached /= 2;
        }
        expected.saturating_sub(cached)
    }

    /// Records a failure.
    ///
    /// Tokens without a receipt cost a worker nothing and may be false, and an honest one can lose its connection. So
    /// each time that it leaves some sets it back for longer than the time before, whatever it answered meanwhile.
    pub(super) fn failed(&mut self, worker: WorkerId, leaves_unsigned: bool, now: Instant) {
        let standing = self.0.entry(worker).or_default();
        if leaves_unsigned {
            standing.unsigned = standing.unsigned.saturating_add(1);
            standing.signed = 0;
        }
        let doublings = standing.failures.saturating_add(standing.unsigned);
        let doublings = doublings.min(MOST_DOUBLINGS);
        standing.failures = standing.failures.saturating_add(1);
        let wait = SET_BACK.saturating_mul(1u32 << doublings);
        standing.set_back_until = Some(now + wait);
    }
}

impl Standing {
    /// The tokens of a typical prompt that it has cached. One that is not measured counts as the best.
    fn typically_cached(&self) -> u32 {
        let continued = u64::from(CONTINUED).saturating_mul(self.cached);
        let cached = continued.checked_div(self.expected);
        let cached = cached.and_then(|cached| u32::try_from(cached).ok());
        cached.unwrap_or(CONTINUED).min(CONTINUED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(per_answer_token: Balance) -> SessionPrices {
        SessionPrices {
            per_prompt_token: 0,
            per_cached_token: 0,
            per_answer_token,
        }
    }

    #[test]
    fn a_cheap_and_fast_worker_comes_first() {
        let mut standings = Standings::default();
        let now = Instant::now();
        standings.answered([1; 32], 100, Duration::from_secs(1));
        standings.answered([2; 32], 100, Duration::from_secs(4));
        let score = |worker: u8, price| standings.score(&[worker; 32], &prices(price), now);
        assert!(score(1, 10) < score(2, 10));
        assert!(score(2, 2) < score(1, 10));
        assert_eq!(score(3, 10), score(1, 10));
    }

    #[test]
    fn a_worker_that_charges_for_what_it_had_cached_counts_as_dear() {
        let prices = SessionPrices {
            per_prompt_token: 10,
            per_cached_token: 1,
            per_answer_token: 10,
        };
        let mut standings = Standings::default();
        let now = Instant::now();
        assert_eq!(standings.cached([1; 32], 400, 400), 0);
        assert_eq!(standings.cached([2; 32], 400, 0), 400);
        assert_eq!(standings.cached([2; 32], 0, 0), 0);
        // More than expected is no merit: it may be stated for nothing.
        assert_eq!(standings.cached([1; 32], 400, 9_000), 0);
        let score = |worker: u8| standings.score(&[worker; 32], &prices, now);
        assert!(score(1) < score(2));
        assert_eq!(score(1), score(3));
        for _ in 0..400 {
            standings.cached([2; 32], 400, 400);
        }
        let dear = prices.price(TYPICAL.0, CONTINUED - 4, TYPICAL.1);
        let (_, price) = standings.score(&[2; 32], &prices, now);
        assert!(Some(price) <= dear, "the latest count most");
    }

    #[test]
    fn a_worker_that_failed_comes_last_for_a_while() {
        let mut standings = Standings::default();
        let now = Instant::now();
        standings.failed([1; 32], false, now);
        assert!(standings.score(&[1; 32], &prices(1), now).0);
        let later = now + SET_BACK;
        assert!(!standings.score(&[1; 32], &prices(1), later).0);
        standings.failed([1; 32], false, later);
        assert!(standings.score(&[1; 32], &prices(1), later + SET_BACK).0);
        standings.answered([1; 32], 1, Duration::ZERO);
        assert!(!standings.score(&[1; 32], &prices(1), later).0);
    }

    /// Answers between do not buy it off: a worker that leaves tokens without a receipt at every other answer is soon set
    /// back for 21 minutes each time.
    #[test]
    fn a_worker_that_leaves_tokens_without_receipts_again_and_again_is_set_back_for_longer() {
        let mut standings = Standings::default();
        let now = Instant::now();
        let is_last = |standings: &Standings, at| standings.score(&[1; 32], &prices(1), at).0;
        for doublings in (1..=MOST_DOUBLINGS).chain([MOST_DOUBLINGS; 4]) {
            standings.failed([1; 32], true, now);
            standings.answered([1; 32], 100, Duration::from_secs(1));
            let until = now + SET_BACK * (1 << doublings);
            assert!(is_last(&standings, until - Duration::from_secs(1)));
            assert!(!is_last(&standings, until));
        }
        for _ in 0..FORGIVING * (MOST_DOUBLINGS + 4) {
            standings.answered([1; 32], 100, Duration::from_secs(1));
        }
        assert!(!is_last(&standings, now), "honest work is forgiven for");
        standings.failed([1; 32], true, now);
        assert!(!is_last(&standings, now + SET_BACK * 2));
    }
}
