//! Ctrl-C and SIGTERM.

use std::io;
use std::process;
use std::sync::mpsc;
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
    let (starting, listens) = mpsc::channel::<()>();
    // A separate thread receives signals even while all others are busy.
    let listening = thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return error!(%error, "cannot listen for signals"),
            };
            let end = runtime.block_on(async {
                let mut signals = Signals::listen()?;
                drop(starting);
                let end = obey(async || signals.next().await, &sender, LONGEST_STOP).await;
                Ok::<_, io::Error>(end)
            });
            match end {
                Ok(end) => process::exit(end),
                Err(error) => error!(%error, "cannot listen for signals"),
            }
        });
    if let Err(error) = listening {
        error!(%error, "cannot listen for signals");
    }
    // A signal before that would end the process as one that does not listen. The thread says nothing: it
    // drops its end, whether it listens or cannot.
    let _dropped = listens.recv();
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

/// Ctrl-C and SIGTERM, none of which is missed as long as this exists.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{signal, SignalKind};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
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
