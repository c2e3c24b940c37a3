//! Fetching from holders that change their endpoints, or appear, during the fetch.

use super::FetchError;
use futures::future::BoxFuture;
use std::{
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tracing::{info, warn};

/// Time without arrivals after which the chain is asked whether holders have moved. It doubles after each
/// move, so that a holder that moves repeatedly does not keep a fetch from the others.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// How often a fetch restarts because holders have moved.
const MOST_MOVES: u32 = 16;
/// The pause after a failure before the same holders are asked again.
const PAUSE: Duration = Duration::from_secs(3);

/// In the count of arrived bytes: everything is here and being checked, so no other holder is asked.
pub(super) const ALL: u64 = u64::MAX;

/// Fetches from the holders that `look` finds, and restarts when it finds others while nothing arrives, or
/// after a failure. If the holders are the same and could not be reached, they are asked again until nothing
/// has arrived for `wait`. Arrived bytes are kept. `arrived` counts them, or is [`ALL`].
///
/// Ends with the error of the last `attempt`, and with [`FetchError::Interrupted`] when `stop` ends.
pub(super) async fn seek<'a, H: Ord + Clone, T>(
    look: &(dyn Fn() -> BoxFuture<'a, Result<Vec<H>, FetchError>> + Sync),
    attempt: &(dyn Fn(Vec<H>) -> BoxFuture<'a, Result<T, FetchError>> + Sync),
    arrived: &AtomicU64,
    wait: Duration,
    stop: impl Future<Output = ()>,
) -> Result<T, FetchError> {
    let mut stop = pin!(stop);
    let mut holders = look().await?;
    let (mut pause, mut moves) = (FIRST_LOOK, 0);
    let (mut waiting_since, mut arrived_before) = (Instant::now(), 0);
    loop {
        let may_move = moves < MOST_MOVES;
        let moved = tokio::select! {
            fetched = attempt(holders.clone()) => {
                let error = match fetched {
                    Err(error) if error.is_of_peers() => error,
                    ended => return ended,
                };
                let arrived_now = arrived.load(Ordering::Relaxed);
                if arrived_now != arrived_before {
                    (waiting_since, arrived_before) = (Instant::now(), arrived_now);
                }
                let now = look().await.ok();
                match now.filter(|now| may_move && sorted(now) != sorted(&holders)) {
                    Some(now) => now,
                    None if error.may_pass() && waiting_since.elapsed() < wait => {
                        warn!(%error, "asking the same peers again");
                        tokio::select! {
                            () = tokio::time::sleep(PAUSE) => {}
                            () = &mut stop => return Err(FetchError::Interrupted),
                        }
                        continue;
                    }
                    None => return Err(error),
                }
            }
            moved = others(look, &holders, arrived, pause), if may_move => moved,
            () = &mut stop => return Err(FetchError::Interrupted),
        };
        info!("the holders or their endpoints have changed; restarting the fetch");
        holders = moved;
        pause = pause.saturating_mul(2);
        moves = moves.saturating_add(1);
    }
}

/// Waits until `look` finds other holders than these, and nothing has arrived in between.
async fn others<'a, H: Ord + Clone>(
    look: &(dyn Fn() -> BoxFuture<'a, Result<Vec<H>, FetchError>> + Sync),
    holders: &[H],
    arrived: &AtomicU64,
    pause: Duration,
) -> Vec<H> {
    loop {
        let before = arrived.load(Ordering::Relaxed);
        tokio::time::sleep(pause).await;
        if before == ALL || arrived.load(Ordering::Relaxed) != before {
            continue;
        }
        // If the chain cannot be read at present, or names no holder, the search continues.
        if let Ok(now) = look().await
            && sorted(&now) != sorted(holders)
        {
            return now;
        }
    }
}

fn sorted<H: Ord + Clone>(holders: &[H]) -> Vec<H> {
    let mut holders = holders.to_vec();
    holders.sort();
    holders
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use noema_checkpoint::{CheckpointId, H256};
    use std::future::{pending, ready};
    use std::sync::atomic::AtomicU32;

    const LONG: Duration = Duration::from_secs(60);

    fn not_to_be_had(may_pass: bool) -> FetchError {
        FetchError::Unavailable {
            checkpoint: CheckpointId(H256::zero()),
            reasons: Vec::new(),
            may_pass,
        }
    }

    /// How often holder 1 is asked, if its first attempt fails.
    async fn asked(may_pass: bool, wait: Duration) -> (u32, bool) {
        let (asked, arrived) = (AtomicU32::new(0), AtomicU64::new(0));
        let attempt = |_holders: Vec<u32>| {
            let fetched = match asked.fetch_add(1, Ordering::Relaxed) {
                0 => Err(not_to_be_had(may_pass)),
                _ => Ok(()),
            };
            ready(fetched).boxed()
        };
        let look = || ready(Ok(vec![1])).boxed();
        let fetched = seek(&look, &attempt, &arrived, wait, pending()).await;
        (asked.load(Ordering::Relaxed), fetched.is_ok())
    }

    #[tokio::test]
    async fn holders_that_may_come_back_are_asked_again_and_liars_are_not() {
        assert_eq!(asked(true, LONG).await, (2, true));
        assert_eq!(asked(true, Duration::ZERO).await, (1, false));
        assert_eq!(asked(false, LONG).await, (1, false));
    }

    #[tokio::test]
    async fn other_holders_are_asked_while_those_before_say_nothing() {
        let (looks, arrived) = (AtomicU32::new(0), AtomicU64::new(0));
        let look = || {
            let holder = looks.fetch_add(1, Ordering::Relaxed).min(1);
            ready(Ok(vec![holder])).boxed()
        };
        let attempt = |holders: Vec<u32>| {
            if holders == [0] {
                return pending().boxed();
            }
            ready(Ok(holders)).boxed()
        };
        let fetched = seek(&look, &attempt, &arrived, Duration::ZERO, pending()).await;
        assert_eq!(fetched.expect("fetched"), [1]);
    }

    #[tokio::test]
    async fn what_has_arrived_is_not_fetched_again_from_others() {
        let (looks, arrived) = (AtomicU32::new(0), AtomicU64::new(ALL));
        let look = || ready(Ok(vec![looks.fetch_add(1, Ordering::Relaxed)])).boxed();
        let attempt = |holders: Vec<u32>| {
            let checked = tokio::time::sleep(FIRST_LOOK.saturating_mul(2));
            async move {
                checked.await;
                Ok(holders)
            }
            .boxed()
        };
        let fetched = seek(&look, &attempt, &arrived, LONG, pending()).await;
        assert_eq!(fetched.expect("fetched"), [0]);
    }

    #[tokio::test]
    async fn a_holder_that_moves_on_and_on_does_not_keep_a_fetch_going() {
        let (looks, arrived) = (AtomicU32::new(0), AtomicU64::new(0));
        let look = || ready(Ok(vec![looks.fetch_add(1, Ordering::Relaxed)])).boxed();
        let attempt = |_holders: Vec<u32>| ready(Err::<(), _>(not_to_be_had(false))).boxed();
        let fetched = seek(&look, &attempt, &arrived, LONG, pending()).await;
        assert!(fetched.is_err());
        assert!(looks.load(Ordering::Relaxed) <= MOST_MOVES + 2);
    }
}
