//! Serves and validates inference for a Noema chain.

pub mod chain;
pub mod checkpoint;
pub mod cli;
pub mod engine;
pub mod import;
pub mod keys;
pub mod metrics;
pub mod reference;
pub mod roles;
pub mod store;

/// Ends once `stop` turns true, or once nobody is left to turn it.
pub(crate) async fn stopped(stop: &mut tokio::sync::watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
