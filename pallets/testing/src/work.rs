//! A recorder of work, for the assertions of tests.

use crate::AccountId;
use noema_interfaces::{RecentWork, RecordWork};
use noema_protocol::Work;
use std::cell::RefCell;

thread_local! {
    static WORK: RefCell<Vec<(Work, AccountId, u64)>> = const { RefCell::new(Vec::new()) };
}

/// Records the work of operators as a list of the test's thread.
pub struct RecordedWork;

impl RecordedWork {
    /// The kind, the operator and the amount of all recorded work, oldest first.
    pub fn all() -> Vec<(Work, AccountId, u64)> {
        WORK.with_borrow(Clone::clone)
    }

    /// Forgets what earlier tests of the thread recorded.
    pub fn clear() {
        WORK.with_borrow_mut(Vec::clear);
    }
}

impl RecordWork<AccountId> for RecordedWork {
    fn record(work: Work, who: &AccountId, amount: u64) {
        WORK.with_borrow_mut(|recorded| recorded.push((work, *who, amount)));
    }

    fn record_recent(_: &mut RecentWork, work: Work, who: &AccountId, amount: u64) -> bool {
        Self::record(work, who, amount);
        false
    }

    fn enter(_: &AccountId, _: &RecentWork) {}
}
