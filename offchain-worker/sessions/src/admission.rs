//! The admission of asks: a bounded number of answers is in progress, and each payer has its fair share.

use crate::AccountBytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Admits asks: as many at a time as there is room for. The next place goes to the payer with the fewest answers in
/// progress; so one that opens many sessions does not hold up another.
pub(crate) struct Admission {
    room: usize,
    waiting: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: BTreeMap<AccountBytes, usize>,
    total: usize,
    waiting: VecDeque<(AccountBytes, oneshot::Sender<()>)>,
}

/// A place, until it is dropped.
pub(crate) struct Place {
    admission: Arc<Admission>,
    payer: AccountBytes,
}

/// An ask that waits. If it is dropped with a place, the place goes to another.
struct Waiting<'a> {
    admission: &'a Arc<Admission>,
    payer: AccountBytes,
    granted: oneshot::Receiver<()>,
    is_over: bool,
}

impl Admission {
    /// Room for `room` answers at a time, while at most `waiting` asks wait.
    pub(crate) fn new(room: usize, waiting: usize) -> Arc<Self> {
        Arc::new(Self {
            room: room.max(1),
            waiting,
            state: Mutex::default(),
        })
    }

    /// Waits for a place; `None` if too many wait already, or too many of this payer.
    pub(crate) async fn enter(self: &Arc<Self>, payer: AccountBytes) -> Option<Place> {
        let mut waiting = {
            let mut state = self.state();
            state.waiting.retain(|(_, grant)| !grant.is_closed());
            let own = state.waiting.iter().filter(|(other, _)| *other == payer);
            // Asks of others find room in the queue, too.
            let is_full =
                own.count() >= self.waiting.div_ceil(4) || state.waiting.len() >= self.waiting;
            // With room for all, nothing has to wait.
            let has_to_wait = state.total >= self.room || !state.waiting.is_empty();
            if is_full && has_to_wait {
                return None;
            }
            let (grant, granted) = oneshot::channel();
            state.waiting.push_back((payer, grant));
            self.grant(&mut state);
            Waiting {
                admission: self,
                payer,
                granted,
                is_over: false,
            }
        };
        let granted = (&mut waiting.granted).await;
        waiting.is_over = true;
        granted.ok().map(|()| Place {
            admission: self.clone(),
            payer,
        })
    }

    /// Gives free places to those that wait.
    fn grant(&self, state: &mut State) {
        while state.total < self.room {
            let running = |payer: &AccountBytes| state.running.get(payer).copied().unwrap_or(0);
            let next = state
                .waiting
                .iter()
                .enumerate()
                .min_by_key(|(place, (payer, _))| (running(payer), *place))
                .map(|(place, _)| place);
            let Some((payer, grant)) = next.and_then(|place| state.waiting.remove(place)) else {
                return;
            };
            if grant.send(()).is_ok() {
                *state.running.entry(payer).or_default() += 1;
                state.total += 1;
            }
        }
    }

    fn release(&self, payer: &AccountBytes) {
        let mut state = self.state();
        state.total = state.total.saturating_sub(1);
        let is_last = state.running.get_mut(payer).is_none_or(|running| {
            *running = running.saturating_sub(1);
            *running == 0
        });
        if is_last {
            state.running.remove(payer);
        }
        self.grant(&mut state);
    }

    /// Answers in progress.
    pub(crate) fn running(&self) -> usize {
        self.state().total
    }

    /// Every change of the state is complete when the lock is released, so it stays valid after a panic elsewhere.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.release(&self.payer);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.granted.close();
        if self.granted.try_recv().is_ok() {
            self.admission.release(&self.payer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const FIRST: AccountBytes = [1; 32];
    const SECOND: AccountBytes = [2; 32];

    /// Lets every task that can run do so.
    async fn settle() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_next_place_goes_to_the_payer_with_the_fewest_answers() {
        let admission = Admission::new(2, 16);
        let running = [
            admission.enter(FIRST).await.expect("there is room"),
            admission.enter(FIRST).await.expect("there is room"),
        ];
        let (order, mut entered) = tokio::sync::mpsc::unbounded_channel();
        for payer in [FIRST, FIRST, SECOND] {
            let (admission, order) = (admission.clone(), order.clone());
            tokio::spawn(async move {
                let place = admission.enter(payer).await;
                let _ = order.send((payer, place));
            });
            settle().await;
        }
        assert!(entered.try_recv().is_err(), "all places are taken");
        drop(running);
        let (payer, place) = entered.recv().await.expect("one enters");
        assert_eq!(payer, SECOND);
        drop(place);
        assert_eq!(entered.recv().await.expect("one enters").0, FIRST);
    }

    #[tokio::test]
    async fn a_payer_that_waits_often_leaves_room_in_the_queue() {
        let admission = Admission::new(1, 4);
        let place = admission.enter(FIRST).await.expect("there is room");
        let waits = |payer| {
            let admission = admission.clone();
            tokio::spawn(async move { admission.enter(payer).await.is_some() })
        };
        let first = waits(FIRST);
        settle().await;
        assert!(admission.enter(FIRST).await.is_none(), "one waits already");
        let second = waits(SECOND);
        settle().await;
        assert!(!first.is_finished() && !second.is_finished());
        drop(place);
        assert!(first.await.expect("ends") && second.await.expect("ends"));
        assert_eq!(admission.running(), 0);
    }

    #[tokio::test]
    async fn an_ask_that_gives_up_leaves_no_place_taken() {
        let admission = Admission::new(1, 4);
        let place = admission.enter(FIRST).await.expect("there is room");
        let given_up = tokio::time::timeout(Duration::from_millis(5), admission.enter(SECOND));
        assert!(given_up.await.is_err());
        drop(place);
        assert_eq!(admission.running(), 0);
        assert!(admission.enter(SECOND).await.is_some());
    }
}
