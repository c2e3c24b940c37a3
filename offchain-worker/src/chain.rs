//! The chain, over the WebSocket of one node.
//!
//! Nothing here is compiled against a runtime: calls, storage and view functions are looked up by name in the
//! node's metadata. [`types`] states what an upgrade of the runtime may change while a worker keeps running.

pub mod calls;
mod duty;
mod events;
mod follow;
mod games;
mod identity;
mod issuance;
mod perform;
mod posts;
mod proofs;
mod read;
mod rounds;
mod shape;
mod submit;
pub mod types;
mod view;

pub use events::BlockEvents;
pub use follow::{follow, Link};
pub use identity::ChainIdentity;
pub use issuance::{Dues, Epoch, RunningDues};
pub use read::At;
pub use submit::Included;
pub use view::NodeView;

use crate::roles::ChainViewError;
use noema_model::printable::one_line;
use sp_core::H256;
use std::sync::Arc;
use std::time::Duration;
use subxt::backend::LegacyBackend;
use subxt::config::RpcConfigFor;
use subxt::rpcs::methods::LegacyRpcMethods;
use subxt::rpcs::RpcClient;
use subxt::{OnlineClient, OnlineClientAtBlock, SubstrateConfig};

/// The timeout of a request to the node.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Why the chain cannot be read or called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No node answers at the address.
    #[error("no node answers at {url} ({reason}); start one, or point --url at one that runs")]
    Unreachable {
        /// The address.
        url: String,
        /// The cause.
        reason: String,
    },
    /// The node has another chain than before.
    #[error("the node at {url} has the chain {found}, but this program started with {before}; restart this program to use the new chain, or restart the node with the previous one")]
    OtherChain {
        /// The node's address.
        url: String,
        /// The chain that the node has now.
        found: Box<ChainIdentity>,
        /// The chain that the node had before.
        before: Box<ChainIdentity>,
    },
    /// The runtime does not have what this program expects.
    #[error("the chain's {what} is not what this program was written for ({reason}); update the worker or the chain, whichever is older")]
    Incompatible {
        /// The item that was read or called.
        what: String,
        /// The mismatch.
        reason: String,
    },
    /// The node rejected a transaction.
    #[error("the node did not accept the transaction {call}: {reason}")]
    Rejected {
        /// The call.
        call: String,
        /// The node's reason.
        reason: String,
    },
    /// The call failed on chain.
    #[error("the chain refused {call}: {error}{}", if .docs.is_empty() { String::new() } else { format!(" ({docs})") })]
    Refused {
        /// The call.
        call: String,
        /// The name of the error, such as `Inference::PromptEmpty`.
        error: String,
        /// The runtime's documentation of this error.
        docs: String,
    },
    /// A transaction was not finalized in time.
    #[error("the transaction {0} was not final in time; it may still be included")]
    TooSlow(String),
}

impl From<ChainError> for ChainViewError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Unreachable { url, reason } => {
                Self::Unreachable(format!("{url}: {reason}"))
            }
            ChainError::Incompatible { what, reason } => Self::Incompatible { what, reason },
            other => Self::Unreachable(other.to_string()),
        }
    }
}

/// A connection to one node.
pub struct Node {
    url: String,
    chain: ChainIdentity,
    client: OnlineClient<SubstrateConfig>,
    rpc: LegacyRpcMethods<RpcConfigFor<SubstrateConfig>>,
    raw: RpcClient,
}

pub(crate) type Block = OnlineClientAtBlock<SubstrateConfig>;

impl Node {
    /// Connects to the node at `url`.
    pub async fn connect(url: &str) -> Result<Arc<Self>, ChainError> {
        let unreachable = |reason: String| ChainError::Unreachable {
            url: url.to_owned(),
            reason,
        };
        let connect = async {
            let rpc = RpcClient::from_insecure_url(url)
                .await
                .map_err(|error| unreachable(root_cause(&error)))?;
            let backend = LegacyBackend::<SubstrateConfig>::builder().build(rpc.clone());
            let client =
                OnlineClient::from_backend_with_config(SubstrateConfig::new(), Arc::new(backend))
                    .await
                    .map_err(|error| unreachable(root_cause(&error)))?;
            let methods = LegacyRpcMethods::new(rpc.clone());
            let chain = identify(&methods, client.genesis_hash())
                .await
                .map_err(|error| unreachable(root_cause(&error)))?;
            Ok(Arc::new(Self {
                url: url.to_owned(),
                chain,
                client,
                rpc: methods,
                raw: rpc,
            }))
        };
        tokio::time::timeout(PATIENCE, connect)
            .await
            .map_err(|_| unreachable("it does not answer in time".into()))?
    }

    /// The hash of the chain's genesis block.
    pub fn genesis(&self) -> H256 {
        self.client.genesis_hash()
    }

    /// The identity of the chain, read when the connection was made.
    pub const fn chain(&self) -> &ChainIdentity {
        &self.chain
    }

    /// The address of the node.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The chain's properties: the token's name and decimals, and the address format.
    pub async fn properties(
        &self,
    ) -> Result<serde_json::Map<String, serde_json::Value>, ChainError> {
        self.in_time(async { self.rpc.system_properties().await.map_err(Into::into) })
            .await
    }

    /// The latest finalized block, to read from.
    pub async fn finalized(&self) -> Result<At, ChainError> {
        let block = self
            .in_time(async { self.client.at_current_block().await.map_err(Into::into) })
            .await?;
        Ok(At::new(self.url.clone(), block))
    }

    /// A finalized block by its number, to read from.
    pub async fn at(&self, number: u64) -> Result<At, ChainError> {
        let block = self
            .in_time(async { self.client.at_block(number).await.map_err(Into::into) })
            .await?;
        Ok(At::new(self.url.clone(), block))
    }

    /// Runs a request with a timeout, and classifies its error.
    async fn in_time<T>(
        &self,
        request: impl Future<Output = Result<T, subxt::Error>>,
    ) -> Result<T, ChainError> {
        match tokio::time::timeout(PATIENCE, request).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(classify(&self.url, "state", error)),
            Err(_) => Err(ChainError::Unreachable {
                url: self.url.clone(),
                reason: "it does not answer in time".into(),
            }),
        }
    }
}

/// Reads the identity of a node's chain.
async fn identify(
    rpc: &LegacyRpcMethods<RpcConfigFor<SubstrateConfig>>,
    genesis: H256,
) -> Result<ChainIdentity, subxt::rpcs::Error> {
    let (name, version, first) = futures::try_join!(
        rpc.system_chain(),
        rpc.state_get_runtime_version(None),
        rpc.chain_get_block_hash(Some(1u64.into())),
    )?;
    let runtime = version.other.get("specName");
    let runtime = runtime.and_then(|name| name.as_str()).unwrap_or_default();
    Ok(ChainIdentity {
        name,
        runtime: runtime.to_owned(),
        version: version.spec_version,
        genesis,
        first,
    })
}

/// Distinguishes an unreachable node from an incompatible runtime.
pub(crate) fn classify(url: &str, what: &str, error: impl Into<subxt::Error>) -> ChainError {
    use subxt::error::{EventsError, ExtrinsicError, StorageError, ViewFunctionError};
    let error = error.into();
    let unreachable = |reason: String| ChainError::Unreachable {
        url: url.to_owned(),
        reason,
    };
    match &error {
        subxt::Error::ViewFunctionError(ViewFunctionError::CannotCallApi(_))
        | subxt::Error::StorageError(
            StorageError::CannotFetchValue(_)
            | StorageError::CannotIterateValues(_)
            | StorageError::StreamFailure(_),
        )
        | subxt::Error::EventsError(EventsError::CannotFetchEventBytes(_))
        | subxt::Error::ExtrinsicError(
            ExtrinsicError::AccountNonceError { .. }
            | ExtrinsicError::ErrorSubmittingTransaction(_)
            | ExtrinsicError::TransactionStatusStreamError(_)
            | ExtrinsicError::UnexpectedEndOfTransactionStatusStream,
        ) => unreachable(root_cause(&error)),
        subxt::Error::ViewFunctionError(_)
        | subxt::Error::StorageError(_)
        | subxt::Error::StorageValueError(_)
        | subxt::Error::StorageKeyError(_)
        | subxt::Error::EventsError(_)
        | subxt::Error::ConstantError(_)
        | subxt::Error::ExtrinsicError(
            ExtrinsicError::EncodeError(_)
            | ExtrinsicError::PalletNameNotFound(_)
            | ExtrinsicError::CallNameNotFound { .. }
            | ExtrinsicError::Params(_)
            | ExtrinsicError::UnsupportedVersion,
        ) => ChainError::Incompatible {
            what: what.to_owned(),
            reason: one_line(&error.to_string()),
        },
        _ => unreachable(root_cause(&error)),
    }
}

/// The message of the innermost source of an error. subxt's layers put prefixes in front of it, and a trap's
/// backtrace follows it.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let message = cause.to_string();
    let mut rest = message.lines().next().unwrap_or_default();
    while let Some(stripped) = [
        "Backend error: ",
        "RPC error: ",
        "client error: ",
        "Client error: ",
        "User error: ",
    ]
    .iter()
    .find_map(|prefix| rest.strip_prefix(prefix))
    {
        rest = stripped;
    }
    rest.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_told_without_its_wrapping() {
        let error = std::io::Error::other(
            "RPC error: client error: RPC error: client error: Connection refused.\nbacktrace",
        );
        assert_eq!(root_cause(&error), "Connection refused");
    }
}
