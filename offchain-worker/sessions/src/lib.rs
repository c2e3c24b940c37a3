#![doc = include_str!("../README.md")]

mod admission;
mod connection;
mod entrance;
mod error;
mod frame;
mod leaf;
mod message;
mod payer;
mod serve;
mod signature;
mod store;
mod worker;

pub use connection::{WorkerConnection, WorkerPatience};
pub use error::{ConnectionFault, SessionError, SessionStoreError};
pub use frame::take_message;
pub use leaf::SessionLeaf;
pub use message::{
    AskMessage, FromWorker, LeafRequest, SignatureBytes, SignedReceipt, SignedVoucher, ToWorker,
    WorkerRefusal, ALPN, MAX_GREETING, MAX_MESSAGE, VERSIONS,
};
pub use payer::{PaidAnswer, PayerSession, PayerTerms, PendingAnswer};
pub use serve::{Acceptor, AcceptorLimits};
pub use signature::{is_signed, Sign};
pub use store::{
    AnswerRecord, FalseAnswer, LeastRoom, PayerRecord, PayerStore, ReceivedAnswer, SeenClaim,
    WorkerRecord, WorkerStore,
};
pub use worker::{
    AnswerStop, ClaimStep, DrawnLeaf, DrawnLeaves, ModelFault, OpenBundle, ServedSessions,
    SessionAnswer, SessionFacts, SessionLimits, SessionModel, SessionQuestion, SessionStep,
    SessionTotals,
};

/// An account in its 32-byte form.
pub(crate) type AccountBytes = [u8; 32];

/// Runs `work` on a thread for blocking work. A panic continues in the task that waits for it.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panicked) => std::panic::resume_unwind(panicked),
            // The runtime shuts down, and drops the task that waits.
            Err(_) => std::future::pending().await,
        },
    }
}
