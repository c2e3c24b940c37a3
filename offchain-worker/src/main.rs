//! The program `noema-worker`: see `noema-worker --help`.

use clap::Parser;
use noema_worker::cli::{self, Cli};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = cli::init_logs(&cli.global) {
        eprintln!("error: {}", cli::describe(&error));
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the system gives no threads to run on: {error}");
            return ExitCode::FAILURE;
        }
    };
    let status = match runtime.block_on(cli::execute(cli)) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {}", cli::describe(&error));
            ExitCode::FAILURE
        }
    };
    // An execution that cannot be interrupted is on disk as begun and is taken up at the next start.
    runtime.shutdown_timeout(Duration::from_secs(2));
    status
}
