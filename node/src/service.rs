//! Assembles the parts of the node.

use crate::{
    authoring::{self, Orders},
    client::{Backend, Block, Client, HostFunctions, Pool},
    relay, rpc,
};
use futures::{channel::mpsc, future::BoxFuture, stream, FutureExt, Stream};
use noema_runtime::{apis::RuntimeApi, Hash};
use sc_basic_authorship::ProposerFactory;
use sc_consensus::{BasicQueue, LongestChain};
use sc_consensus_manual_seal::{
    consensus::aura::AuraConsensusDataProvider, run_manual_seal, EngineCommand, ManualSealParams,
};
use sc_executor::{HeapAllocStrategy, WasmExecutor, DEFAULT_HEAP_ALLOC_STRATEGY};
use sc_network::{
    config::{FullNetworkConfiguration, NonReservedPeerMode},
    Litep2pNetworkBackend, NetworkBackend,
};
use sc_service::{
    build_network, config::ExecutorConfiguration, error::Error, spawn_tasks, BuildNetworkParams,
    Configuration, SpawnEssentialTaskHandle, SpawnTasksParams, TaskManager,
};
use sp_consensus_aura::SlotDuration;
use sp_core::traits::SpawnEssentialNamed;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// The parts that subcommands need, too.
pub(crate) struct Partial {
    pub(crate) client: Arc<Client>,
    pub(crate) backend: Arc<Backend>,
    pub(crate) task_manager: TaskManager,
    keystore: sc_service::KeystoreContainer,
}

/// Opens the database and its readers.
pub(crate) fn partial(config: &Configuration) -> Result<Partial, Error> {
    let executor = executor(&config.executor);
    let (client, backend, keystore, task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, _>(config, None, executor, Vec::new())?;
    Ok(Partial {
        client: Arc::new(client),
        backend,
        task_manager,
        keystore,
    })
}

impl Partial {
    /// Executes imported blocks.
    pub(crate) fn import_queue(&self, config: &Configuration) -> BasicQueue<Block> {
        sc_consensus_manual_seal::import_queue(
            Box::new(self.client.clone()),
            &StoppableTasks(self.task_manager.spawn_essential_handle()),
            config.prometheus_registry(),
        )
    }
}

/// The executor of the Wasm. Compiled code is cached, by the hash of the Wasm, in
/// `$XDG_CACHE_HOME/noema/wasm` or `~/.cache/noema/wasm`.
fn executor(config: &ExecutorConfiguration) -> WasmExecutor<HostFunctions> {
    let heap = config
        .default_heap_pages
        .map_or(DEFAULT_HEAP_ALLOC_STRATEGY, |pages| {
            HeapAllocStrategy::Static {
                extra_pages: u32::try_from(pages).unwrap_or(u32::MAX),
            }
        });
    let builder = WasmExecutor::builder()
        .with_execution_method(config.wasm_method)
        .with_onchain_heap_alloc_strategy(heap)
        .with_offchain_heap_alloc_strategy(heap)
        .with_max_runtime_instances(config.max_runtime_instances)
        .with_runtime_cache_size(config.runtime_cache_size);
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .filter(|path| path.is_absolute());
    match cache {
        Some(cache) => builder.with_cache_path(cache.join("noema/wasm")),
        None => builder,
    }
    .build()
}

/// Starts the node. It makes a block every `interval`, or for each transaction where there is
/// none, and finalizes it when `finality_lag` more have been made.
pub(crate) fn start(
    mut config: Configuration,
    interval: Option<Duration>,
    finality_lag: u32,
) -> Result<TaskManager, Error> {
    let parts = partial(&config)?;
    let import_queue = parts.import_queue(&config);
    let Partial {
        client,
        backend,
        mut task_manager,
        keystore,
    } = parts;
    let pool = Arc::new(
        sc_transaction_pool::Builder::new(
            StoppableTasks(task_manager.spawn_essential_handle()),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );

    stay_alone(&mut config);
    let net_config = FullNetworkConfiguration::<Block, Hash, Litep2pNetworkBackend>::new(
        &config.network,
        config.prometheus_registry().cloned(),
    );
    let metrics =
        <Litep2pNetworkBackend as NetworkBackend<Block, Hash>>::register_notification_metrics(
            config.prometheus_registry(),
        );
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
        build_network(BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: None,
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    let (orders, ordered_by_rpc) = mpsc::channel(1_024);
    let rpc_builder = {
        let (client, pool) = (client.clone(), pool.clone());
        Box::new(move |_| {
            rpc::methods(client.clone(), pool.clone(), orders.clone()).map_err(Error::Application)
        })
    };
    let proposer = ProposerFactory::new(
        task_manager.spawn_handle(),
        client.clone(),
        pool.clone(),
        config.prometheus_registry(),
        None,
    );
    spawn_tasks(SpawnTasksParams {
        config,
        client: client.clone(),
        backend: backend.clone(),
        task_manager: &mut task_manager,
        keystore: keystore.keystore(),
        transaction_pool: pool.clone(),
        rpc_builder,
        network,
        system_rpc_tx,
        tx_handler_controller,
        sync_service,
        telemetry: None,
        tracing_execute_block: None,
    })?;

    let finality = match finality_lag {
        0 => "finalized at once".into(),
        blocks => format!("finalized {blocks} blocks later"),
    };
    let pace = match interval {
        Some(interval) => format!("every {interval:?}"),
        None => "for each transaction".into(),
    };
    log::info!("⏱  A block {pace}, {finality}; the relay chain is simulated");
    // The pool follows the chain from here on; it would miss a block made before.
    let at_once = finality_lag == 0;
    let automatic = match interval {
        Some(interval) => authoring::every(interval, at_once),
        None => authoring::instant(client.clone(), pool.clone(), at_once),
    };
    let finality = if at_once {
        Box::pin(stream::empty()) as Orders
    } else {
        authoring::finalize_behind(client.clone(), finality_lag)
    };
    spawn_authoring(
        &task_manager,
        client,
        backend,
        pool,
        proposer,
        stream::select_all([Box::pin(ordered_by_rpc) as Orders, automatic, finality]),
    );
    Ok(task_manager)
}

/// Essential tasks that end when the objects they serve are dropped: the pool, the import queue. In an
/// orderly stop this comes last, and the tasks would be reported as failed. Yielding once lets them receive
/// the stop signal first.
#[derive(Clone)]
struct StoppableTasks(SpawnEssentialTaskHandle);

impl StoppableTasks {
    fn giving_way(task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
        async {
            task.await;
            tokio::task::yield_now().await;
        }
        .boxed()
    }
}

impl SpawnEssentialNamed for StoppableTasks {
    fn spawn_essential_blocking(
        &self,
        name: &'static str,
        group: Option<&'static str>,
        future: BoxFuture<'static, ()>,
    ) {
        self.0.spawn_blocking(name, group, Self::giving_way(future));
    }

    fn spawn_essential(
        &self,
        name: &'static str,
        group: Option<&'static str>,
        future: BoxFuture<'static, ()>,
    ) {
        self.0.spawn(name, group, Self::giving_way(future));
    }
}

/// Makes or finalizes a block for every order.
fn spawn_authoring(
    task_manager: &TaskManager,
    client: Arc<Client>,
    backend: Arc<Backend>,
    pool: Arc<Pool>,
    proposer: ProposerFactory<Pool, Client>,
    orders: impl Stream<Item = EngineCommand<Hash>> + Send + Unpin + 'static,
) {
    let inherents_of = client.clone();
    task_manager.spawn_essential_handle().spawn_blocking(
        "authoring",
        Some("block-authoring"),
        run_manual_seal(ManualSealParams {
            block_import: client.clone(),
            env: proposer,
            client,
            pool,
            commands_stream: orders,
            select_chain: LongestChain::new(backend),
            consensus_data_provider: Some(Box::new(
                AuraConsensusDataProvider::new_with_slot_duration(SlotDuration::from_millis(
                    noema_runtime::constants::SLOT_MILLIS,
                )),
            )),
            create_inherent_data_providers: move |parent: Hash, ()| {
                let inherents = relay::inherents(&inherents_of, parent);
                async move { inherents }
            },
        }),
    );
}

/// No peers: no other node could make a block of this chain. The port is a free one, so that several nodes
/// can run on one machine.
fn stay_alone(config: &mut Configuration) {
    let peers = &mut config.network.default_peers_set;
    peers.in_peers = 0;
    peers.out_peers = 0;
    peers.non_reserved_mode = NonReservedPeerMode::Deny;
    config.network.boot_nodes.clear();
    config.network.listen_addresses = vec!["/ip4/127.0.0.1/tcp/0"
        .parse()
        .expect("the address is well formed; qed")];
}
