//! The program `noema-worker`: see `noema-worker --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    noema_worker::cli::main()
}
