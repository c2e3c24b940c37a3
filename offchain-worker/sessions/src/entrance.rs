//! The bounds on connections: how many strangers wait at a time, and on how many connections a session is open.

use noema_artefacts::network;
use noema_protocol::SessionId;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many connections are let in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntranceLimits {
    /// Most connections.
    pub(crate) connections: usize,
    /// Most of them whose peers have not proven who they are.
    pub(crate) strangers: usize,
    /// Most of those from one network.
    pub(crate) strangers_of_network: usize,
    /// Most connections on which one session is open.
    pub(crate) of_session: usize,
}

/// The network of an address; `None` without one.
type Network = Option<[u8; 8]>;

/// Lets connections in. `C` closes one.
pub(crate) struct Entrance<C> {
    limits: EntranceLimits,
    state: Mutex<State<C>>,
}

struct State<C> {
    connections: usize,
    strangers: usize,
    by_network: HashMap<Network, usize>,
    /// The connections on which each session is open, by their numbers, the oldest first.
    sessions: HashMap<SessionId, VecDeque<(u64, C)>>,
    next: u64,
}

/// A connection that was let in, until it is dropped.
pub(crate) struct Visitor<C> {
    entrance: Arc<Entrance<C>>,
    number: u64,
    network: Network,
    visit: Mutex<Visit>,
}

#[derive(Default)]
struct Visit {
    is_proven: bool,
    opened: Vec<SessionId>,
}

impl<C> Entrance<C> {
    pub(crate) fn new(limits: EntranceLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::new(State {
                connections: 0,
                strangers: 0,
                by_network: HashMap::new(),
                sessions: HashMap::new(),
                next: 0,
            }),
        })
    }

    /// Lets a connection from `address` in, as that of a stranger; `None` where there is no room.
    pub(crate) fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Visitor<C>> {
        let network = address.map(network);
        let limits = &self.limits;
        let mut state = self.state();
        let of_network = state.by_network.get(&network).copied().unwrap_or_default();
        let is_full = state.connections >= limits.connections
            || state.strangers >= limits.strangers
            || of_network >= limits.strangers_of_network;
        if is_full {
            return None;
        }
        state.connections += 1;
        state.strangers += 1;
        state.by_network.insert(network, of_network + 1);
        let number = state.next;
        state.next = number.wrapping_add(1);
        Some(Visitor {
            entrance: self.clone(),
            number,
            network,
            visit: Mutex::default(),
        })
    }

    /// Every change of the state is complete when the lock is released, so it stays valid after a panic elsewhere.
    fn state(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> State<C> {
    /// Counts one stranger less.
    fn forget_stranger(&mut self, network: &Network) {
        self.strangers = self.strangers.saturating_sub(1);
        let is_last = self.by_network.get_mut(network).is_none_or(|count| {
            *count = count.saturating_sub(1);
            *count == 0
        });
        if is_last {
            self.by_network.remove(network);
        }
    }
}

impl<C> Visitor<C> {
    /// Whether the peer has proven who it is.
    pub(crate) fn is_proven(&self) -> bool {
        self.visit().is_proven
    }

    /// The peer has proven who it is.
    pub(crate) fn prove(&self) {
        let was_proven = std::mem::replace(&mut self.visit().is_proven, true);
        if !was_proven {
            self.entrance.state().forget_stranger(&self.network);
        }
    }

    /// Whether a session is open on this connection.
    pub(crate) fn has(&self, session: SessionId) -> bool {
        self.visit().opened.contains(&session)
    }

    /// The sessions that are open on this connection.
    pub(crate) fn opened(&self) -> Vec<SessionId> {
        self.visit().opened.clone()
    }

    /// Opens a session on this connection, which `connection` closes, and proves the peer with it. Returns the oldest
    /// connection of the session where it has too many: that is to be closed.
    pub(crate) fn open(&self, session: SessionId, connection: C) -> Option<C> {
        self.prove();
        let mut visit = self.visit();
        if visit.opened.contains(&session) {
            return None;
        }
        visit.opened.push(session);
        let mut state = self.entrance.state();
        let open = state.sessions.entry(session).or_default();
        open.push_back((self.number, connection));
        let is_over = open.len() > self.entrance.limits.of_session;
        let oldest = is_over.then(|| open.pop_front()).flatten();
        oldest.map(|(_, connection)| connection)
    }

    fn visit(&self) -> MutexGuard<'_, Visit> {
        self.visit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Drop for Visitor<C> {
    fn drop(&mut self) {
        let visit = std::mem::take(&mut *self.visit());
        let mut state = self.entrance.state();
        state.connections = state.connections.saturating_sub(1);
        if !visit.is_proven {
            state.forget_stranger(&self.network);
        }
        for session in visit.opened {
            let Some(open) = state.sessions.get_mut(&session) else {
                continue;
            };
            open.retain(|(number, _)| *number != self.number);
            if open.is_empty() {
                state.sessions.remove(&session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrance() -> Arc<Entrance<u8>> {
        Entrance::new(EntranceLimits {
            connections: 5,
            strangers: 3,
            strangers_of_network: 2,
            of_session: 2,
        })
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn strangers_of_one_network_leave_room_for_others() {
        let entrance = entrance();
        let first = entrance.enter(address("2001:db8::1")).expect("room");
        let _second = entrance.enter(address("2001:db8::2:1")).expect("room");
        assert!(entrance.enter(address("2001:db8::3")).is_none());
        let other = entrance.enter(address("192.0.2.1")).expect("room");
        assert!(entrance.enter(address("192.0.2.2")).is_none(), "three wait");
        other.prove();
        other.prove();
        let _next = entrance.enter(address("192.0.2.2")).expect("one proved");
        drop(first);
        assert!(entrance.enter(address("::ffff:192.0.2.1")).is_some());
        assert!(entrance.enter(address("2001:db8::3")).is_some());
    }

    #[test]
    fn those_that_proved_themselves_are_bounded_together() {
        let entrance = entrance();
        let mut inside = Vec::new();
        for host in 0..5 {
            let visitor = entrance.enter(address(&format!("192.0.2.{host}")));
            let visitor = visitor.expect("room");
            visitor.prove();
            inside.push(visitor);
        }
        assert!(entrance.enter(address("192.0.2.9")).is_none());
        inside.pop();
        assert!(entrance.enter(address("192.0.2.9")).is_some());
    }

    #[test]
    fn the_oldest_connection_of_a_session_gives_way() {
        let entrance = entrance();
        let visitors: Vec<_> = (0..3)
            .map(|host| entrance.enter(address(&format!("192.0.2.{host}"))))
            .map(|visitor| visitor.expect("room"))
            .collect();
        let session = SessionId(4);
        assert_eq!(visitors[0].open(session, 0), None);
        assert_eq!(visitors[0].open(session, 0), None, "it is open there");
        assert_eq!(visitors[1].open(session, 1), None);
        assert_eq!(visitors[2].open(session, 2), Some(0));
        assert!(visitors[2].has(session) && visitors[2].is_proven());
        drop(visitors);
        assert!(entrance.state().sessions.is_empty());
        assert_eq!(entrance.state().connections, 0);
        assert_eq!(entrance.state().strangers, 0);
    }
}
