//! The types that the node's parts are instantiated with.

use noema_runtime::{apis::RuntimeApi, Header};
use sc_executor::WasmExecutor;
use sc_service::{TFullBackend, TFullClient};
use sp_runtime::{generic, OpaqueExtrinsic};

/// A block as the node handles it: extrinsics are opaque to the node, and over RPC they are the hexadecimal
/// bytes that clients expect.
pub(crate) type Block = generic::Block<Header, OpaqueExtrinsic>;

/// The host functions of the runtime: the standard ones, and the size of the proof so far.
pub(crate) type HostFunctions = (
    sp_io::SubstrateHostFunctions,
    cumulus_primitives_proof_size_hostfunction::storage_proof_size::HostFunctions,
);
/// The chain's database.
pub(crate) type Backend = TFullBackend<Block>;
/// Reads the chain and executes its blocks.
pub(crate) type Client = TFullClient<Block, RuntimeApi, WasmExecutor<HostFunctions>>;
/// Transactions that wait for a block.
pub(crate) type Pool = sc_transaction_pool::TransactionPoolHandle<Block, Client>;
