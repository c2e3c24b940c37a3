//! Runs a worker inside another program, until Ctrl-C.
//!
//! ```sh
//! cargo run -p noema-worker --example embed -- ws://127.0.0.1:9944 ~/.noema validator.key
//! ```
//!
//! The operator of the hot key performs the tasks that the chain has recorded for it, as with `noema-worker
//! run`; the surrounding program can do other work.

use noema_worker::keys::Key;
use noema_worker::service::{Config, Worker};
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(home), Some(key)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: embed <URL> <HOME> <KEY>".into());
    };
    let mut config = Config::new(url, home, vec![Key::load(&key)?]);
    config.metrics = Some(([127, 0, 0, 1], 0).into());

    // Waits until the node answers and the checkpoints are loaded; to cancel, drop the future.
    let worker = tokio::select! {
        started = Worker::start(config) => started?,
        _ = tokio::signal::ctrl_c() => return Ok(()),
    };
    if let Some(address) = worker.metrics_address() {
        println!("see http://{address}/health and http://{address}/metrics");
    }

    tokio::signal::ctrl_c().await?;
    println!("{} answers are on chain", worker.metrics().answers.get());
    worker.stop().await;
    Ok(())
}
