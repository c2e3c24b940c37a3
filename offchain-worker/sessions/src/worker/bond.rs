//! The worker's free bond, and the part of it that each session needs for its claims.

use noema_economics::Balance;
use noema_protocol::SessionId;
use noema_sessions::{WorkerPhase, WorkerSide};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A session has at most one of this many parts of the free bond: so one payer does not take it all.
const PARTS: Balance = 4;

/// Divides the free bond among the sessions that need it. Nothing of it is locked on chain before a claim; a worker
/// that gave more answers than its bond covers could not claim them.
#[derive(Default)]
pub(super) struct Bond(Mutex<State>);

#[derive(Default)]
struct State {
    free: Balance,
    reserved: BTreeMap<SessionId, Balance>,
}

/// The stakes of the claims of a session: of the bundle that waits for its claim, and of the present one, after a further
/// answer of `price` if there is one.
fn stakes(side: &WorkerSide, price: Option<Balance>) -> Balance {
    let (rules, leaf_tokens) = (&side.agreement().rules, side.agreement().leaf_tokens);
    let stake = |exposure| rules.stake(exposure, leaf_tokens);
    let bundle = side.bundle();
    let present = match price {
        Some(price) => stake(bundle.exposure_with(price)),
        None if bundle.leaves() > 0 => stake(bundle.exposure()),
        None => 0,
    };
    let closed = side.closed().map_or(0, |closed| stake(closed.exposure()));
    closed.saturating_add(present)
}

/// The price of the answer that is in progress or unpaid, at most.
fn open_price(side: &WorkerSide) -> Option<Balance> {
    match side.phase() {
        WorkerPhase::Idle => None,
        WorkerPhase::Answering(ask) => {
            let most = ask.parameters.max_tokens.into();
            let prices = &side.agreement().prices;
            let price = prices.price(ask.prompt_tokens, 0, most);
            Some(price.unwrap_or(Balance::MAX))
        }
        WorkerPhase::Unpaid(receipt) => Some(receipt.price),
    }
}

impl Bond {
    /// Takes the free bond as of the finalized chain.
    pub(super) fn set_free(&self, free: Balance) {
        self.state().free = free;
    }

    /// The most of the free bond that one session may have.
    fn share(free: Balance, side: &WorkerSide) -> Balance {
        let agreement = side.agreement();
        let least = agreement
            .rules
            .stake(agreement.rules.min_claim, agreement.leaf_tokens);
        (free / PARTS).max(least).min(free)
    }

    /// The largest claim that a session may make by its share.
    pub(super) fn largest_claim(&self, side: &WorkerSide) -> Balance {
        let share = Self::share(self.state().free, side);
        let agreement = side.agreement();
        agreement.rules.most_claimable(share, agreement.leaf_tokens)
    }

    /// Reserves what a session needs for a further answer of `price`. Returns the part of the free bond that the stakes
    /// of the session may take. Where that is too little, nothing changes.
    pub(super) fn reserve(&self, side: &WorkerSide, price: Balance) -> Balance {
        let agreement = side.agreement();
        let mut state = self.state();
        let session = agreement.session;
        let others = state
            .reserved
            .iter()
            .filter(|(other, _)| **other != session)
            .map(|(_, reserved)| *reserved)
            .fold(0, Balance::saturating_add);
        let left = state.free.saturating_sub(others);
        let available = left.min(Self::share(state.free, side));
        let needed = stakes(side, Some(price));
        if needed <= available {
            state.reserved.insert(session, needed);
        }
        available
    }

    /// Reserves what a session needs as it is.
    pub(super) fn refresh(&self, side: &WorkerSide) {
        let needed = stakes(side, open_price(side));
        let session = side.agreement().session;
        let mut state = self.state();
        match needed {
            0 => state.reserved.remove(&session),
            needed => state.reserved.insert(session, needed),
        };
    }

    /// Forgets a session.
    pub(super) fn release(&self, session: SessionId) {
        self.state().reserved.remove(&session);
    }

    /// Every change of the state is a single step, so it stays valid after a panic elsewhere.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::served::testing::agreement;

    fn side(session: u64) -> WorkerSide {
        let mut agreement = agreement();
        agreement.session = SessionId(session);
        WorkerSide::new(agreement, Balance::MAX, 0, Balance::MAX)
    }

    /// The least stake is 100, and a stake is as high as the claim.
    #[test]
    fn sessions_together_need_no_more_than_the_free_bond() {
        let bond = Bond::default();
        bond.set_free(1_000);
        let (first, second, third) = (side(1), side(2), side(3));
        assert_eq!(bond.reserve(&first, 250), 250, "a quarter");
        assert_eq!(bond.reserve(&second, 200), 250);
        bond.set_free(500);
        // 50 are left beside what the others reserved, and no stake is that low.
        assert_eq!(bond.reserve(&third, 10), 50);
        bond.release(SessionId(1));
        assert_eq!(bond.reserve(&third, 10), 125);
        assert_eq!(bond.largest_claim(&third), 125);
    }

    #[test]
    fn an_ask_that_is_too_large_reserves_nothing() {
        let bond = Bond::default();
        bond.set_free(400);
        assert_eq!(bond.reserve(&side(1), 101), 100);
        for session in 2..6 {
            let most = bond.reserve(&side(session), 100);
            assert_eq!(most, 100, "session {session}");
        }
        assert_eq!(bond.reserve(&side(6), 100), 0);
    }
}
