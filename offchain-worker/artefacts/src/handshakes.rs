//! The bounds on handshakes. Before one, nothing is known of a peer but its address, which may be false.

use iroh::endpoint::{Incoming, IncomingAddr};
use iroh::protocol::{IncomingFilter, IncomingFilterOutcome};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time over which handshakes are counted.
const SECOND: Duration = Duration::from_secs(1);
/// Handshakes in a second after which peers have to show that they receive at their addresses, which costs them a packet
/// more.
const UNVALIDATED: u32 = 32;
/// Most handshakes in a second. Each ends within the time-out of a connection.
const MOST: u32 = 256;
/// Most of them from one address of IPv4, or from one network of 64 bits of IPv6.
const MOST_OF_NETWORK: u32 = 64;

/// Lets handshakes begin. A peer that is too early repeats its first packet by itself.
pub(crate) fn filter() -> IncomingFilter {
    let handshakes = Mutex::new(Handshakes::new(Instant::now()));
    Arc::new(move |incoming: &Incoming| {
        let address = match incoming.remote_addr() {
            IncomingAddr::Ip(address) => Some(address.ip()),
            _ => None,
        };
        let is_validated = incoming.remote_addr_validated();
        let mut handshakes = handshakes.lock().unwrap_or_else(PoisonError::into_inner);
        match handshakes.begin(address, is_validated, Instant::now()) {
            Begin::Now => IncomingFilterOutcome::Accept,
            Begin::Validated => IncomingFilterOutcome::Retry,
            Begin::Later => IncomingFilterOutcome::Ignore,
        }
    })
}

/// Whether a handshake begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    Now,
    /// Once the peer has shown that it receives at its address.
    Validated,
    Later,
}

/// The handshakes of one second.
struct Handshakes {
    since: Instant,
    begun: u32,
    by_network: HashMap<Option<[u8; 8]>, u32>,
}

impl Handshakes {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            begun: 0,
            by_network: HashMap::new(),
        }
    }

    fn begin(&mut self, address: Option<IpAddr>, is_validated: bool, now: Instant) -> Begin {
        if now.duration_since(self.since) >= SECOND {
            *self = Self::new(now);
        }
        if self.begun >= MOST {
            return Begin::Later;
        }
        if self.begun >= UNVALIDATED && !is_validated {
            return Begin::Validated;
        }
        let of_network = self.by_network.entry(address.map(network)).or_default();
        if *of_network >= MOST_OF_NETWORK {
            return Begin::Later;
        }
        *of_network += 1;
        self.begun += 1;
        Begin::Now
    }
}

/// What one party of the net has, by any of its addresses: an address of IPv4, or the first 64 bits of one of IPv6.
pub fn network(address: IpAddr) -> [u8; 8] {
    let mut network = [0; 8];
    match address.to_canonical() {
        // No address of IPv6 that is in use begins with 32 bits of zeros.
        IpAddr::V4(address) => network[4..].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => network.copy_from_slice(&address.octets()[..8]),
    }
    network
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::from(number.to_be_bytes()))
    }

    #[test]
    fn one_network_begins_few_handshakes_in_a_second() {
        let now = Instant::now();
        let mut handshakes = Handshakes::new(now);
        let mut begin =
            |number, is_validated, now| handshakes.begin(address(number), is_validated, now);
        for _ in 0..UNVALIDATED {
            assert_eq!(begin(1, false, now), Begin::Now);
        }
        assert_eq!(begin(1, false, now), Begin::Validated);
        for _ in UNVALIDATED..MOST_OF_NETWORK {
            assert_eq!(begin(1, true, now), Begin::Now);
        }
        assert_eq!(begin(1, true, now), Begin::Later);
        assert_eq!(begin(2, true, now), Begin::Now);
        assert_eq!(begin(1, false, now + SECOND), Begin::Now);
    }

    #[test]
    fn all_networks_together_begin_a_bounded_number() {
        let now = Instant::now();
        let mut handshakes = Handshakes::new(now);
        let begun =
            (0..1_000).filter(|number| handshakes.begin(address(*number), true, now) == Begin::Now);
        assert_eq!(begun.count(), MOST as usize);
    }
}
