//! Errors of a worker's start. They name fields of [`Config`](super::Config), which programs fill in different
//! ways.

use crate::artefacts::FetchError;
use crate::chain::ChainError;
use crate::store::StoreError;
use noema_executor::ExecutorError;
use noema_model::checkpoint::CheckpointError;
use noema_model::dataset::DatasetError;
use noema_model::engine::EngineError;
use noema_protocol::CheckpointId;
use noema_session_transport::SessionStoreError;
use noema_training::TrainingError;
use sp_core::H256;
use std::io;
use std::net::SocketAddr;

/// Why a worker does not start, or does not switch to another checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The chain cannot be read or called.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A checkpoint on this machine cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint that the operator serves is not on this machine.
    #[error("cannot load checkpoint {checkpoint}, which the operator serves on chain: {source}")]
    Served {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// Why it cannot be loaded.
        source: Box<CheckpointError>,
    },
    /// A dataset on this machine cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A training option is invalid.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The device fails.
    #[error(transparent)]
    Device(#[from] ExecutorError),
    /// A checkpoint cannot be executed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The job store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store of sessions cannot be used.
    #[error(transparent)]
    Sessions(#[from] SessionStoreError),
    /// Files cannot be fetched from other operators.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Files cannot be shared with other operators.
    #[error(transparent)]
    Share(#[from] noema_artefacts::Error),
    /// Metrics cannot be served.
    #[error("cannot serve metrics at {address}: {source}; choose another address in Config::metrics, or stop the program that has this one")]
    Metrics {
        /// The configured address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// Files cannot be shared at the configured address.
    #[error("{0}; choose another address of this machine in Config::listen, or stop the program that has this one")]
    Listen(noema_artefacts::Error),
    /// No hot key is configured.
    #[error("a worker needs a hot key for each operator, and has none")]
    NoKey,
    /// The chain knows no operator with this hot key.
    #[error("the chain knows no operator with the hot key {0}; its controller registers it with: noema-worker register operator --role worker --account <CONTROLLER> --key {0} --serve <CHECKPOINT>")]
    UnknownKey(String),
    /// Two hot keys submit for one operator.
    #[error("Config::keys names the operator {0} twice")]
    SameOperator(String),
    /// The operator left.
    #[error("the operator {0} is not registered")]
    NotRegistered(String),
    /// The operator has none of the configured roles.
    #[error("the operator {0} has none of the roles in Config::roles")]
    NoRole(String),
    /// There is nothing to execute and nothing to train.
    #[error("the operators serve no checkpoint; a controller starts to serve one with: noema-worker register operator --role worker --account <CONTROLLER> --key <KEY> --serve <ID>; a validator that only takes part in rounds of training names their families in RoundsConfig::families")]
    NothingToDo,
    /// The operator takes part in rounds, but shares no files.
    #[error("the operator {0} cannot take part in rounds without sharing files with other operators; set an address in Config::listen")]
    NotSharing(String),
    /// No operator can reach an unspecified address.
    #[error("{0} in Config::listen is every address of this machine; name the address that other operators reach in Config::public_addresses")]
    NoPublicAddress(SocketAddr),
    /// There are more public addresses than the chain records.
    #[error("Config::public_addresses may have at most {0} addresses")]
    TooManyAddresses(usize),
    /// The chain does not know a checkpoint.
    #[error("the chain does not know checkpoint {0}; register it with: noema-worker register checkpoint {0} --account <PUBLISHER>")]
    UnknownCheckpoint(CheckpointId),
    /// The chain knows a checkpoint with other weights.
    #[error("checkpoint {checkpoint} has the weights root {found:?} on this machine, and {recorded:?} on chain; import it again")]
    OtherWeights {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The root of the weights on this machine.
        found: H256,
        /// The root on chain.
        recorded: H256,
    },
    /// A blocking task ended unexpectedly.
    #[error("{0} ended unexpectedly")]
    CutOff(&'static str),
}
