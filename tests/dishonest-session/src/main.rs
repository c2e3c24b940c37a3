//! Peers that break the rules of a session on purpose: see `noema-dishonest-session --help`.

mod payer;
mod peer;
mod worker;

use clap::{Args, Parser};
use noema_worker::chain::Node;
use std::sync::Arc;

/// Peers that break the rules of a session on purpose, to test that the other side loses nothing.
#[derive(Debug, Parser)]
#[command(name = "noema-dishonest-session", version)]
enum Command {
    /// Serve the sessions of a worker, without a model, until the process is killed. Prints the public key and the port
    /// of its endpoint, which is to be published.
    Worker(worker::WorkerArgs),
    /// Break the rules of a session with a worker in one way after the other. Prints one JSON object: what each was
    /// answered with.
    Payer(payer::PayerArgs),
}

#[derive(Debug, Args)]
struct ChainArgs {
    /// Node to connect to, by the address of its WebSocket.
    #[arg(long)]
    url: String,
    /// Development key of the peer: of a worker its hot key, of a payer its voucher key.
    #[arg(long)]
    key: String,
}

impl ChainArgs {
    async fn node(&self) -> anyhow::Result<Arc<Node>> {
        Ok(Node::connect(&self.url).await?)
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Worker(args) => worker::run(args).await,
        Command::Payer(args) => payer::run(args).await,
    }
}
