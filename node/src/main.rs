#![doc = include_str!("../README.md")]

mod authoring;
mod chain_spec;
mod cli;
mod command;
mod relay;
mod rpc;
mod service;

fn main() {
    if let Err(error) = command::run() {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}
