//! Options of an endpoint.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Options of an endpoint.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen (UDP); port 0 takes a free one. One address for each of IPv4 and IPv6.
    pub bind: Vec<SocketAddr>,
    /// Most connections served at a time; further ones are told to retry later.
    pub max_connections: usize,
    /// Most requests at a time on one connection.
    pub max_requests: u32,
    /// The longest time that one connection is served.
    pub longest_connection: Duration,
    /// The time a peer has to accept a connection, and to answer a question.
    pub patience: Duration,
    /// The time after which the next peer is tried while one has not accepted a connection yet.
    pub head_start: Duration,
    /// Bytes that a peer has to send within each `patience` of a transfer.
    pub least_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
            max_connections: 32,
            max_requests: 4,
            longest_connection: Duration::from_secs(3_600),
            patience: Duration::from_secs(10),
            head_start: Duration::from_millis(500),
            least_bytes: 64 * 1024,
        }
    }
}
