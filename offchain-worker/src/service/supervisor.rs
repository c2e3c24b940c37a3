//! The tasks of a worker: each runs until the worker stops, and is restarted if it ends earlier.

use crate::metrics::Metrics;
use crate::panicked::message;
use futures::future::{BoxFuture, FutureExt};
use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{error, info, warn};

/// The pauses before a task is restarted.
#[derive(Clone, Copy, Debug)]
struct Pauses {
    first: Duration,
    longest: Duration,
}

const PAUSES: Pauses = Pauses {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(60),
};

/// The tasks of a worker.
///
/// A task that panics, fails or ends early is restarted after a pause. The pause doubles each time, unless
/// the task ran for longer than the longest pause. Until the task runs again, `/health` names it.
pub struct Supervisor {
    metrics: Metrics,
    stop: watch::Receiver<bool>,
    pauses: Pauses,
    tasks: JoinSet<()>,
}

impl Supervisor {
    /// A supervisor without tasks; `stop` turns true when the worker stops.
    pub fn new(metrics: Metrics, stop: watch::Receiver<bool>) -> Self {
        Self {
            metrics,
            stop,
            pauses: PAUSES,
            tasks: JoinSet::new(),
        }
    }

    /// Runs a task, which `begin` starts, for as long as the worker runs. The task must end by itself when
    /// the worker stops.
    pub fn run<E: Display + Send + 'static>(
        &mut self,
        name: impl Into<String>,
        begin: impl FnMut() -> BoxFuture<'static, Result<(), E>> + Send + 'static,
    ) {
        let (name, metrics, stop) = (name.into(), self.metrics.clone(), self.stop.clone());
        let supervised = supervise(name, begin, self.pauses, metrics, stop);
        self.tasks.spawn(supervised);
    }

    /// Waits until the worker stops, and then at most `patience` for its tasks. Tasks that have not ended by
    /// then are aborted.
    pub async fn finish(mut self, patience: Duration) {
        crate::stopped(&mut self.stop).await;
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, ended).await.is_err() {
            let tasks = self.tasks.len();
            warn!(tasks, "some tasks did not stop in time and are aborted; the next start resumes from the data on disk");
        }
    }
}

async fn supervise<E: Display + Send + 'static>(
    name: String,
    mut begin: impl FnMut() -> BoxFuture<'static, Result<(), E>> + Send + 'static,
    pauses: Pauses,
    metrics: Metrics,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = pauses.first;
    loop {
        let begun = Instant::now();
        let ended = AssertUnwindSafe(async { begin().await })
            .catch_unwind()
            .await;
        let reason = match ended {
            _ if *stop.borrow() => return,
            Ok(Ok(())) => "it ended early".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(panicked) => format!("it panicked: {}", message(panicked.as_ref())),
        };
        if begun.elapsed() > pauses.longest {
            pause = pauses.first;
        }
        error!(
            task = name,
            reason,
            pause_seconds = pause.as_secs(),
            "a task of the worker failed; it is restarted after a pause"
        );
        metrics.restarts.inc();
        metrics.health.is_troubled(&name, &reason);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = crate::stopped(&mut stop) => return,
        }
        metrics.health.is_well(&name);
        info!(task = name, "restarts");
        pause = pause.saturating_mul(2).min(pauses.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::Arc;

    struct Setting {
        metrics: Metrics,
        stop: watch::Sender<bool>,
        supervisor: Supervisor,
        begun: Arc<AtomicU32>,
    }

    type Task = fn(u32, watch::Receiver<bool>) -> BoxFuture<'static, Result<(), String>>;

    impl Setting {
        /// A supervisor with this pause after every failure.
        fn pausing(pause: Duration) -> Self {
            let (stop, stopped) = watch::channel(false);
            let metrics = Metrics::new();
            let mut supervisor = Supervisor::new(metrics.clone(), stopped);
            supervisor.pauses = Pauses {
                first: pause,
                longest: pause,
            };
            Self {
                metrics,
                stop,
                supervisor,
                begun: Arc::default(),
            }
        }

        /// Runs a task that receives the number of its start.
        fn run(&mut self, task: Task) {
            let (begun, stop) = (self.begun.clone(), self.stop.subscribe());
            self.supervisor.run("task", move || {
                task(begun.fetch_add(1, Ordering::SeqCst) + 1, stop.clone())
            });
        }

        async fn wait_until(&self, is_so: impl Fn(&Self) -> bool) {
            let so = async {
                while !is_so(self) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(LONG, so).await.expect("in time");
        }

        /// Stops; tasks that have not ended after `patience` are aborted.
        async fn finish(self, patience: Duration) {
            self.stop.send_replace(true);
            let finished = self.supervisor.finish(patience);
            let finished = tokio::time::timeout(LONG, finished).await;
            finished.expect("ends");
        }
    }

    /// Longer than anything here takes.
    const LONG: Duration = Duration::from_secs(60);

    fn panics(message: &str) -> Result<(), String> {
        panic!("{message}")
    }

    fn until_stopped(mut stop: watch::Receiver<bool>) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async move {
            crate::stopped(&mut stop).await;
            Ok(())
        })
    }

    #[tokio::test]
    async fn a_task_that_panics_is_begun_anew_and_health_tells() {
        let mut setting = Setting::pausing(Duration::from_secs(5));
        setting.run(|number, stop| match number {
            1 => Box::pin(async { panics("oh") }),
            _ => until_stopped(stop),
        });
        setting
            .wait_until(|it| it.metrics.restarts.get() == 1)
            .await;
        let trouble = |it: &Setting| it.metrics.health.trouble_of("task");
        setting.wait_until(|it| trouble(it).is_some()).await;
        assert_eq!(trouble(&setting).as_deref(), Some("it panicked: oh"));
        setting
            .wait_until(|it| it.begun.load(Ordering::SeqCst) == 2)
            .await;
        assert_eq!(trouble(&setting), None);
        setting.finish(LONG * 2).await;
    }

    #[tokio::test]
    async fn a_task_that_fails_or_ends_is_begun_anew() {
        let mut setting = Setting::pausing(Duration::from_millis(10));
        setting.run(|number, _| {
            Box::pin(async move {
                match number % 2 {
                    0 => Ok(()),
                    _ => Err("no".to_owned()),
                }
            })
        });
        setting
            .wait_until(|it| it.metrics.restarts.get() >= 4)
            .await;
        setting.finish(LONG * 2).await;
    }

    #[tokio::test]
    async fn a_task_that_does_not_stop_is_given_up() {
        let mut setting = Setting::pausing(Duration::ZERO);
        setting.run(|_, _| Box::pin(std::future::pending()));
        setting.finish(Duration::from_millis(50)).await;
    }

    #[tokio::test]
    async fn a_panic_while_the_worker_stops_ends_the_task() {
        let mut setting = Setting::pausing(Duration::ZERO);
        setting.run(|_, stop| {
            Box::pin(async move {
                until_stopped(stop).await?;
                panics("at the end")
            })
        });
        setting.finish(LONG * 2).await;
    }
}
