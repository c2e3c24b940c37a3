//! The methods about receipts, which docs/gateway.md describes.

use super::{as_json, Gateway};
use crate::fault::ApiFault;
use crate::receipts::{
    ClaimStanding, ReceiptRefund, ReceiptSource, ReceiptStanding, ReceiptState, Recomputation,
    RecomputeVerdict,
};
use crate::ReceiptFault;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{json, Value};
use sp_core::H256;
use std::sync::Arc;

pub(super) async fn standing(
    State(gateway): State<Arc<Gateway>>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = match gateway.receipts(&hash, gateway.recognise(&headers)) {
        Ok((source, receipt)) => source.standing(receipt).await.map_err(ApiFault::from),
        Err(fault) => Err(fault),
    };
    gateway.tell(found.map(|standing| of_standing(&hash, &standing)))
}

pub(super) async fn file(
    State(gateway): State<Arc<Gateway>>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = match gateway.receipts(&hash, gateway.recognise(&headers)) {
        Ok((source, receipt)) => source.file(receipt).await.map_err(ApiFault::from),
        Err(fault) => Err(fault),
    };
    gateway.tell(found.map(|file| file.to_json()))
}

pub(super) async fn recompute(
    State(gateway): State<Arc<Gateway>>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response {
    let begun = match gateway.receipts(&hash, gateway.authorise(&headers)) {
        Ok((source, receipt)) => source.recompute(receipt).await.map_err(ApiFault::from),
        Err(fault) => Err(fault),
    };
    gateway.tell(begun.map(|progress| of_progress(&hash, progress)))
}

pub(super) async fn progress(
    State(gateway): State<Arc<Gateway>>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = match gateway.receipts(&hash, gateway.recognise(&headers)) {
        Ok((source, receipt)) => source.recomputation(receipt).await.map_err(ApiFault::from),
        Err(fault) => Err(fault),
    };
    gateway.tell(found.map(|progress| of_progress(&hash, progress)))
}

impl Gateway {
    /// The receipts of the gateway and the hash of one, for a caller that may ask.
    fn receipts(
        &self,
        hash: &str,
        caller: Result<Option<String>, ApiFault>,
    ) -> Result<(&dyn ReceiptSource, H256), ApiFault> {
        caller?;
        let path = || ApiFault::path("/v1/noema/receipts");
        let source = self.receipts.as_deref().ok_or_else(path)?;
        let receipt = parse(hash).ok_or(ReceiptFault::Unknown)?;
        Ok((source, receipt))
    }

    fn tell(&self, reply: Result<Value, ApiFault>) -> Response {
        match reply {
            Ok(value) => as_json(&value),
            Err(fault) => self.refuse(fault),
        }
    }
}

/// The hash with these hexadecimal digits after `0x`.
fn parse(text: &str) -> Option<H256> {
    let mut hash = H256::zero();
    hex::decode_to_slice(text.strip_prefix("0x")?, hash.as_bytes_mut()).ok()?;
    Some(hash)
}

fn of_standing(hash: &str, standing: &ReceiptStanding) -> Value {
    let (state, reason) = match standing.state {
        ReceiptState::Signed => ("signed", None),
        ReceiptState::Paid => ("paid", None),
        ReceiptState::Claimed => ("claimed", None),
        ReceiptState::Checked => ("checked", None),
        ReceiptState::Final => ("final", None),
        ReceiptState::Refunded(reason) => ("refunded", Some(of_reason(reason))),
    };
    json!({
        "hash": hash,
        "session": standing.session.0,
        "n": standing.n,
        "worker": standing.worker,
        "state": state,
        "disputed": standing.is_disputed,
        "reason": reason,
        "claim": standing.claim.as_ref().map(of_claim),
    })
}

const fn of_reason(reason: ReceiptRefund) -> &'static str {
    match reason {
        ReceiptRefund::FalseLeaf => "false_leaf",
        ReceiptRefund::Withheld => "withheld",
        ReceiptRefund::Undecided => "undecided",
        ReceiptRefund::Unconfirmed => "unconfirmed",
    }
}

fn of_claim(claim: &ClaimStanding) -> Value {
    json!({
        "id": claim.id.0,
        "leaf": claim.leaf,
        "leaves": claim.leaves,
        "block": claim.block,
        "drawn": claim.drawn,
        "final_at": claim.final_at,
    })
}

fn of_progress(hash: &str, progress: Recomputation) -> Value {
    let Recomputation {
        tokens,
        done,
        verdict,
    } = progress;
    let Some(verdict) = verdict else {
        return json!({ "hash": hash, "state": "running", "tokens": tokens, "done": done });
    };
    let first = match verdict {
        RecomputeVerdict::Same => None,
        RecomputeVerdict::Differs(first) => Some(first),
    };
    json!({
        "hash": hash,
        "state": "done",
        "tokens": tokens,
        "done": done,
        "same": first.is_none(),
        "first_difference": first,
    })
}
