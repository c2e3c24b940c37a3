//! The RPC methods that sc-service does not provide. Clients read Noema's state through view functions of its
//! pallets.

use crate::client::{Client, Pool};
use futures::channel::mpsc::Sender;
use jsonrpsee::RpcModule;
use noema_runtime::Hash;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_consensus_manual_seal::{
    rpc::{ManualSeal, ManualSealApiServer},
    EngineCommand,
};
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// Nonces, fees, and blocks on demand.
pub(crate) fn methods(
    client: Arc<Client>,
    pool: Arc<Pool>,
    orders: Sender<EngineCommand<Hash>>,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
    let mut module = RpcModule::new(());
    module.merge(System::new(client.clone(), pool).into_rpc())?;
    module.merge(TransactionPayment::new(client).into_rpc())?;
    module.merge(ManualSeal::new(orders).into_rpc())?;
    Ok(module)
}
