//! The command line.

use clap::Parser;
use sc_cli::RunCmd;
use std::time::Duration;

/// Shown below the options by `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  noema-node --dev                         a fresh chain, forgotten when it stops
  noema-node --dev --base-path ./chain     a chain that is kept and continued
  noema-node --dev --block-time 500        four blocks in the time of one
  noema-node --dev --instant-seal          a block for each transaction, and only then
  noema-node --dev --finality-lag 15       finality 15 blocks behind, as on a parachain
  noema-node purge-chain --dev --base-path ./chain
  noema-node export-chain-spec --chain dev

Connect to ws://127.0.0.1:9944, for example with
  https://polkadot.js.org/apps/?rpc=ws://127.0.0.1:9944
Metrics for Prometheus: http://127.0.0.1:9615/metrics";

/// Run a Noema chain on this machine, without a relay chain.
///
/// It makes every block itself and finalizes it, at once or `--finality-lag` blocks later. It simulates the
/// relay chain: relay chain blocks, their randomness (from the operating system) and the approval of runtime
/// upgrades. It is for development and tests only, since its user can make any block. For a real relay chain,
/// run `polkadot-omni-node` as the collator, with a chain spec exported here.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) subcommand: Option<Subcommand>,

    #[command(flatten)]
    pub(crate) run: RunCmd,

    #[command(flatten)]
    pub(crate) authoring: AuthoringParams,
}

/// The times at which blocks are made and finalized.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct AuthoringParams {
    /// Block time: between two blocks, in milliseconds.
    ///
    /// Below 1500 the chain's clock runs ahead of the real one: the runtime allows four blocks in
    /// six seconds.
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 2_000,
        value_parser = clap::value_parser!(u64).range(50..=600_000),
    )]
    block_time: u64,

    /// Instant seal: a block is made when a transaction arrives, and only then.
    ///
    /// Deadlines are counted in blocks: without transactions they do not pass. The RPC
    /// `engine_createBlock` makes one on demand.
    #[arg(long, conflicts_with = "block_time")]
    instant_seal: bool,

    /// Finality lag: blocks by which finality follows the best block, such as 15.
    ///
    /// On a parachain finality is 20 to 35 seconds behind: about 15 blocks. With 0 every block is finalized
    /// at once. Later blocks finalize a block, not time: with `--instant-seal` it waits for that many
    /// transactions. A new development chain starts with matching windows.
    #[arg(
        long,
        value_name = "BLOCKS",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=MAX_FINALITY_LAG),
    )]
    pub(crate) finality_lag: u32,
}

/// The longest [`AuthoringParams::finality_lag`]: a hot key signs a duty over the latest final block, and the
/// signature expires 64 blocks after that.
const MAX_FINALITY_LAG: i64 = 30;

impl AuthoringParams {
    /// The time between two blocks; `None` to make a block for each transaction.
    pub(crate) fn interval(&self) -> Option<Duration> {
        (!self.instant_seal).then(|| Duration::from_millis(self.block_time))
    }
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Generate, inspect and insert keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Write the chain spec of `--chain dev`, `--chain local` or of a file, plain or `--raw`.
    #[command(visible_alias = "chain-spec")]
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Execute a block again and compare.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Write the state at a block into a chain spec.
    ExportState(sc_cli::ExportStateCmd),

    /// Read blocks from a file and execute them.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Go back some blocks that are not finalized.
    Revert(sc_cli::RevertCmd),

    /// Remove a chain's database.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Show the database's information on the chain.
    ChainInfo(sc_cli::ChainInfoCmd),

    /// Measure the weights of the runtime's calls; see `scripts/weights.sh`.
    #[cfg(feature = "benchmark")]
    #[command(subcommand)]
    Benchmark(Benchmark),

    /// Measure the weights of the runtime's calls: names the build of this program that can.
    #[cfg(not(feature = "benchmark"))]
    Benchmark {
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// The kinds of benchmarks.
#[cfg(feature = "benchmark")]
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Benchmark {
    /// The calls of the pallets in a runtime that was built with `runtime-benchmarks`.
    Pallet(Box<frame_benchmarking_cli::PalletCmd>),
}
