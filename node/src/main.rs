#![doc = include_str!("../README.md")]
// The errors are those of sc-cli and sc-service, which determine their size.
#![allow(clippy::result_large_err)]

mod authoring;
mod chain_spec;
mod cli;
mod client;
mod command;
mod relay;
mod rpc;
mod service;

fn main() {
    // Three lines for every empty block are too many; RUST_LOG and --log override this.
    if std::env::var_os("RUST_LOG").is_none() {
        // SAFETY: no other thread runs yet.
        unsafe {
            std::env::set_var(
                "RUST_LOG",
                "sc_basic_authorship=warn,sc_consensus_manual_seal=warn",
            );
        }
    }
    if let Err(error) = command::run() {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}
