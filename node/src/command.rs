//! Runs the command that the command line names.

#[cfg(feature = "benchmark")]
use crate::cli::Benchmark;
use crate::{
    chain_spec,
    cli::{AuthoringParams, Cli, Subcommand},
    client::Block,
    service,
};
#[cfg(feature = "benchmark")]
use cumulus_primitives_proof_size_hostfunction::storage_proof_size::HostFunctions;
use sc_chain_spec::{ChainSpec, ChainType};
use sc_cli::{Result, SubstrateCli};
use sc_service::{
    config::{BlocksPruning, PruningMode},
    Configuration,
};
#[cfg(feature = "benchmark")]
use sp_runtime::traits::BlakeTwo256;
use std::net::TcpListener;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Noema Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        <Self as clap::CommandFactory>::command()
            .get_long_about()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    fn author() -> String {
        env!("CARGO_PKG_AUTHORS").into()
    }

    fn support_url() -> String {
        concat!(env!("CARGO_PKG_REPOSITORY"), "/issues").into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> std::result::Result<Box<dyn ChainSpec>, String> {
        Ok(Box::new(chain_spec::load_to_run(
            id,
            self.authoring.finality_lag,
        )?))
    }
}

/// Parses the command line and runs its command.
pub(crate) fn run() -> Result<()> {
    let cli = Cli::from_args();
    match &cli.subcommand {
        None => run_node(&cli),
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        Some(Subcommand::ExportChainSpec(cmd)) => cmd.run(Box::new(chain_spec::load(&cmd.chain)?)),
        Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            let queue = parts.import_queue(&config);
            Ok((cmd.run(parts.client, queue), parts.task_manager))
        }),
        Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            Ok((cmd.run(parts.client, config.database), parts.task_manager))
        }),
        Some(Subcommand::ExportState(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            Ok((cmd.run(parts.client, config.chain_spec), parts.task_manager))
        }),
        Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            let queue = parts.import_queue(&config);
            Ok((cmd.run(parts.client, queue), parts.task_manager))
        }),
        Some(Subcommand::Revert(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::partial(&config)?;
            Ok((
                cmd.run(parts.client, parts.backend, None),
                parts.task_manager,
            ))
        }),
        Some(Subcommand::PurgeChain(cmd)) => cli
            .create_runner(cmd)?
            .sync_run(|config| cmd.run(config.database)),
        Some(Subcommand::ChainInfo(cmd)) => cli
            .create_runner(cmd)?
            .sync_run(|config| cmd.run::<Block>(&config)),
        #[cfg(feature = "benchmark")]
        Some(Subcommand::Benchmark(Benchmark::Pallet(cmd))) => {
            sc_cli::LoggerBuilder::new("info").init()?;
            cmd.run_with_spec::<BlakeTwo256, HostFunctions>(None)
        }
        #[cfg(not(feature = "benchmark"))]
        Some(Subcommand::Benchmark { .. }) => Err(
            "this build of the program has no benchmarks of calls, because they take \
             minutes to compile. scripts/weights.sh makes a build with them, and uses it"
                .into(),
        ),
    }
}

fn run_node(cli: &Cli) -> Result<()> {
    if cli.run.validator {
        return Err(
            "this program does not collate for a relay chain: it makes all blocks of a \
             development chain itself, and needs no --validator. For a relay chain run \
             polkadot-omni-node with a chain spec (see export-chain-spec)"
                .into(),
        );
    }
    refuse_peers(cli)?;
    let AuthoringParams { finality_lag, .. } = cli.authoring;
    let interval = cli.authoring.interval();
    let chooses_endpoints = !cli.run.rpc_params.experimental_rpc_endpoint.is_empty();
    let chooses_metrics = cli.run.prometheus_params.prometheus_port.is_some();
    let keeps_state = cli
        .run
        .import_params
        .pruning_params
        .state_pruning()?
        .is_some();
    cli.create_runner(&cli.run)?
        .run_node_until_exit(|mut config| async move {
            if !matches!(
                config.chain_spec.chain_type(),
                ChainType::Development | ChainType::Local
            ) {
                return Err(sc_cli::Error::Input(format!(
                "'{}' is no development chain: making its blocks here would only make a fork of \
                 it that no other node follows",
                config.chain_spec.name()
            )));
            }
            // The state of every block stays readable while the chain is kept: a development chain is small,
            // and its history is needed for debugging.
            if !keeps_state {
                config.state_pruning = Some(PruningMode::ArchiveCanonical);
                config.blocks_pruning = BlocksPruning::KeepFinalized;
            }
            if !chooses_endpoints {
                keep_rpc_port(&mut config)?;
            }
            keep_metrics_port(&mut config, chooses_metrics)?;
            service::start(config, interval, finality_lag).map_err(Into::into)
        })
}

/// Refuses to start where another program uses the RPC port. sc-service would take a random port instead, and
/// clients would connect to the other program.
fn keep_rpc_port(config: &mut Configuration) -> Result<()> {
    for endpoint in config.rpc.addr.iter_mut().flatten() {
        endpoint.retry_random_port = false;
        // IPv6 is optional: IPv4 is enough.
        if endpoint.is_optional {
            continue;
        }
        let address = endpoint.listen_addr;
        TcpListener::bind(address).map_err(|error| {
            sc_cli::Error::Input(format!(
                "the node cannot listen for RPC on port {} ({address}: {error}): choose another \
                 with --rpc-port, or stop the program that has it, which may be another node",
                address.port()
            ))
        })?;
    }
    Ok(())
}

/// Refuses to start where another program uses the requested port for metrics. Where the default port is in
/// use, the node warns and runs without metrics: sc-service would start and only log that it cannot bind the
/// port.
fn keep_metrics_port(config: &mut Configuration, asked_for: bool) -> Result<()> {
    let Some(address) = config
        .prometheus_config
        .as_ref()
        .map(|metrics| metrics.port)
    else {
        return Ok(());
    };
    let Err(error) = TcpListener::bind(address) else {
        return Ok(());
    };
    let taken = format!(
        "the node cannot serve metrics on port {} ({address}: {error}): choose another with \
         --prometheus-port",
        address.port()
    );
    if asked_for {
        let ways_out = ", stop the program that has it, or disable metrics with --no-prometheus";
        return Err(sc_cli::Error::Input(taken + ways_out));
    }
    log::warn!("{taken}. The node runs without metrics");
    config.prometheus_config = None;
    Ok(())
}

/// Refuses options for a peer port, which the node does not have.
fn refuse_peers(cli: &Cli) -> Result<()> {
    let network = &cli.run.network_params;
    let asked_for = [
        ("--port", network.port.is_some()),
        ("--listen-addr", !network.listen_addr.is_empty()),
        ("--public-addr", !network.public_addr.is_empty()),
    ];
    match asked_for.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(format!(
            "this program has no peers, since it makes all blocks of its chain itself: leave out \
             {option}. The port for clients is --rpc-port"
        )
        .into()),
        None => Ok(()),
    }
}
