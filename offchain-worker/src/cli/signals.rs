//! Ctrl-C and SIGTERM.

use std::process;
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tracing::{error, info, warn};

/// The longest time between the first signal and the end of the process.
const LONGEST_STOP: Duration = Duration::from_secs(9);

/// The exit status after a second Ctrl-C, as of a process that does not handle the signal.
const INTERRUPTED: i32 = 130;

/// Turns true at the first signal. A second signal ends the process at once, and so does the end of
/// `LONGEST_STOP`: all results that must be kept are on disk.
pub(super) fn stop_at_signal() -> watch::Receiver<bool> {
    let (sender, stop) = watch::channel(false);
    // A separate thread receives signals even while all others are busy.
    let listening = thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return error!(%error, "cannot listen for signals"),
            };
            let end = runtime.block_on(obey(signal, &sender, LONGEST_STOP));
            process::exit(end);
        });
    if let Err(error) = listening {
        error!(%error, "cannot listen for signals");
    }
    stop
}

/// Stops at the first signal. Ends, with an exit status, at the second or after `longest`.
async fn obey(mut signal: impl AsyncFnMut(), stop: &watch::Sender<bool>, longest: Duration) -> i32 {
    signal().await;
    info!("stopping; a second signal ends at once");
    stop.send_replace(true);
    match tokio::time::timeout(longest, signal()).await {
        Ok(()) => INTERRUPTED,
        Err(_) => {
            warn!("some tasks did not stop in time; the next start resumes them");
            0
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn signal() {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    const LONG: Duration = Duration::from_secs(3_600);

    /// Sends this many signals. Returns whether the process stops, and its exit status if it ends.
    async fn after(signals: u32, longest: Duration) -> (bool, Option<i32>) {
        let (stop, stopped) = watch::channel(false);
        let mut left = signals;
        let signal = async || {
            if left == 0 {
                pending::<()>().await;
            }
            left -= 1;
        };
        let patience = Duration::from_millis(200);
        let ended = tokio::time::timeout(patience, obey(signal, &stop, longest)).await;
        let is_stopped = *stopped.borrow();
        (is_stopped, ended.ok())
    }

    #[tokio::test]
    async fn the_first_signal_stops_and_the_second_ends_at_once() {
        assert_eq!(after(0, LONG).await, (false, None));
        assert_eq!(after(1, LONG).await, (true, None));
        assert_eq!(after(2, LONG).await, (true, Some(INTERRUPTED)));
    }

    #[tokio::test]
    async fn what_does_not_stop_in_time_is_ended() {
        let short = Duration::from_millis(1);
        assert_eq!(after(1, short).await, (true, Some(0)));
    }
}
