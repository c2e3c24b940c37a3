//! Which calls without key are accepted: those of programs and pages of this gateway.
//!
//! A page of a stranger that is open in a browser can call an address of this machine, too. It cannot hide its origin,
//! and a name that it made point here is not an address.

use axum::http::{header, HeaderMap};
use std::net::IpAddr;

/// Whether a call with these headers is not from a foreign page.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| {
        let value = headers.get(name);
        value.map(|value| value.to_str().unwrap_or("not a text"))
    };
    let host = text(header::HOST).unwrap_or_default();
    if !is_address(host) {
        return false;
    }
    match text(header::ORIGIN) {
        None => true,
        Some(origin) => origin
            .split_once("://")
            .is_some_and(|(_, of_page)| of_page == host),
    }
}

/// Whether a host is an address, or this machine; an empty one is that of a program without the header.
fn is_address(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.is_empty() || name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn call(host: &'static str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        is_own(&headers)
    }

    #[test]
    fn a_page_of_a_stranger_cannot_call() {
        assert!(call("127.0.0.1:8080", None));
        assert!(call("[::1]:8080", None));
        assert!(call("localhost", Some("http://localhost")));
        assert!(call("127.0.0.1:8080", Some("http://127.0.0.1:8080")));
        assert!(!call("127.0.0.1:8080", Some("http://stranger.example")));
        assert!(!call("127.0.0.1:8080", Some("null")));
        assert!(!call("stranger.example:8080", None));
        assert!(!call(
            "stranger.example:8080",
            Some("http://stranger.example:8080")
        ));
    }
}
