#![doc = include_str!("../README.md")]

mod api;
mod fault;
mod json;
mod keys;
mod market;
mod metrics;
mod pool;
mod receipts;
mod recheck;
mod recompute;
mod source;
#[cfg(test)]
mod testing;
mod text;

pub use api::{ConnectionLimits, Gateway, GatewayChain, GatewayOptions};
pub use json::Json;
pub use keys::{list_keys, make_key, revoke_key, BearerKey, BearerKeyError, BearerKeys};
pub use market::{
    ask_session, receive_earlier, resume_session, EarlierSessions, Market, OnTokens, OpenFault,
    PaidSession, WorkerId, WorkerOffer,
};
pub use metrics::GatewayMetrics;
pub use pool::{Pool, PoolOptions};
pub use receipts::{
    ClaimStanding, ReceiptFault, ReceiptRefund, ReceiptSource, ReceiptStanding, ReceiptState,
    Recomputation, RecomputeVerdict,
};
pub use recheck::Rechecks;
pub use recompute::{LoadModel, Recomputer};
pub use source::{
    AnswerPart, AnswerSink, AnswerSource, AnswerStream, Bill, CompleteAnswer, PaidQuestion, Purse,
    SourceFault, UnsignedTokens,
};
pub use text::{Conversation, Detokenizer, Found, StopFinder, TextFault, TextLayer};
