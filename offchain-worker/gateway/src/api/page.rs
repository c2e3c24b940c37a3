//! The page: its files, which the build put into the program, and what it has to know of the gateway.

use super::{as_json, Gateway};
use crate::fault::ApiFault;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{header, HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The policy of the page, a directive on each line: the page asks the gateway and the node, and no stranger.
const POLICY: &str = include_str!("../../../../page/policy.txt");
/// The name in the policy of the node.
const NODE: &str = "{node}";
/// The file that the others are named in.
const INDEX: &str = "index.html";
/// Names contain a hash of the content, so that a browser can keep the files.
const KEPT: &str = "public, max-age=31536000, immutable";

/// The chain that the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayChain {
    /// The URL of the node's RPC, as browsers reach it. Every caller that has a key is told it.
    pub rpc: String,
    /// The symbol of the chain's token.
    pub symbol: String,
    /// The digits of the token after the point.
    pub decimals: u32,
}

pub(super) async fn index(State(gateway): State<Arc<Gateway>>) -> Response {
    gateway.file(INDEX, "no-cache")
}

pub(super) async fn file(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
) -> Response {
    gateway.file(&name, KEPT)
}

/// What the page asks for first. The URL of the node is for callers that may call: it can contain a secret.
pub(super) async fn about(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let chain = gateway.options.chain.as_ref();
    let may_call = gateway.authorise(&headers).is_ok();
    let rpc = chain.filter(|_| may_call).map(|chain| chain.rpc.as_str());
    let token = chain.map(|chain| json!({ "symbol": chain.symbol, "decimals": chain.decimals }));
    let can: &[&str] = match gateway.receipts {
        Some(_) if gateway.options.verifies => &["receipts", "recompute", "verify"],
        Some(_) => &["receipts", "recompute"],
        None => &[],
    };
    as_json(&json!({
        "object": "noema.gateway",
        "checkpoint": gateway.options.checkpoint.to_string(),
        "rpc": rpc,
        "token": token,
        "needs_key": gateway.keys.is_some(),
        "can": can,
    }))
}

impl Gateway {
    fn file(&self, name: &str, cache: &'static str) -> Response {
        let found = FILES.iter().find(|(file, _)| *file == name);
        let Some((_, bytes)) = found else {
            let fault = match name {
                INDEX => ApiFault::no_page(),
                _ => ApiFault::path(&format!("/page/{name}")),
            };
            return self.refuse(fault);
        };
        let rpc = self.options.chain.as_ref().map(|chain| chain.rpc.as_str());
        let Ok(policy) = HeaderValue::try_from(policy(rpc.unwrap_or_default())) else {
            return self.refuse(ApiFault::internal(
                "the URL of the node does not fit into a header; start the gateway with another --url",
            ));
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind(name))),
            (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
            (header::CONTENT_SECURITY_POLICY, policy),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("no-referrer"),
            ),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                HeaderValue::from_static("same-origin"),
            ),
        ];
        (headers, Body::from(*bytes)).into_response()
    }
}

/// The policy for a page that may ask the node at `rpc`.
fn policy(rpc: &str) -> String {
    let directives = POLICY.lines().map(|line| line.replace(NODE, &origin(rpc)));
    let directives: Vec<String> = directives
        .map(|directive| directive.trim().to_owned())
        .collect();
    directives.join("; ")
}

/// Scheme, host and port of a URL: what a policy compares, without names, passwords and paths.
fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return String::new();
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}").replace([';', ',', ' ', '\''], "")
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_node_and_no_stranger() {
        let policy = policy("wss://user:secret@node.example:443/rpc?key=1");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "));
        assert!(policy.contains("; connect-src 'self' wss://node.example:443; "));
        assert!(!policy.contains("secret") && !policy.contains(NODE));
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn a_url_adds_no_directive() {
        assert_eq!(origin("ws://a; script-src *"), "ws://ascript-src*");
        assert_eq!(origin("ws://127.0.0.1:9944"), "ws://127.0.0.1:9944");
        assert_eq!(origin(""), "");
    }

    #[test]
    fn the_index_names_files_that_the_program_has() {
        let index = FILES.iter().find(|(name, _)| *name == INDEX);
        // The program can be built without the page.
        let Some((_, index)) = index else { return };
        let index = String::from_utf8_lossy(index);
        let named: Vec<&str> = index.split("/page/").skip(1).collect();
        assert!(!named.is_empty());
        for rest in named {
            let name = rest.split('"').next().unwrap_or_default();
            assert!(FILES.iter().any(|(file, _)| *file == name), "{name}");
        }
    }
}
