//! The choice of requests by drawn workers.

use crate::{Assignment, AssignmentOf, AssignmentTerms, Balance, Config, Load, Pallet, Request};
use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::{Burden, Candidate, Operators};
use noema_protocol::{hashing, CheckpointId, RequestId, Role};
use sp_core::H256;
use sp_runtime::traits::Saturating;

/// Most workers drawn in one visit.
pub const MOST_WORKERS: u32 = 16;

/// The result of a draw of workers for requests.
pub(crate) struct Handout<T: Config> {
    /// The requests that a worker takes, with its stake locked.
    pub(crate) taken: Vec<(RequestId, Request<T>, AssignmentOf<T>)>,
    /// The requests that no worker takes, in order, and the reasons.
    pub(crate) left: Vec<(RequestId, Request<T>, Left)>,
    /// How many workers the draw met, those without room included.
    pub(crate) met: u32,
    /// How many operators were drawn, absent ones included.
    pub(crate) tries: u32,
    /// How many of these are absent.
    pub(crate) absent: u32,
    /// Whether a worker that the draw met has room left.
    pub(crate) has_room: bool,
}

/// The reason for which no worker takes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// No worker that would take it was met: the draw met none at all, or it ended early.
    Unmet,
    /// Each worker charges more than the price limit, or has a smaller bond than its stake.
    TooDear,
    /// Each worker that would take it has room, but too little free bond for the stake.
    NothingToStake,
    /// A worker that would take it has no room.
    NoRoom,
}

/// A draw of workers.
pub(crate) struct Draw<BlockNumber> {
    /// Its randomness.
    pub(crate) randomness: H256,
    /// The block of the draw.
    pub(crate) now: BlockNumber,
    /// How many requests a worker may have.
    pub(crate) room: u32,
}

/// A worker that a draw met.
pub(crate) struct Worker<T: Config> {
    candidate: Candidate<T::AccountId, Balance>,
    load: Load,
    /// The part of its bond that is free for stakes.
    free: Balance,
    /// The last request that it considered. It takes none of those up to there any more: its prices and its bond
    /// stay the same, and the free part of that only becomes smaller.
    considered: Option<RequestId>,
}

impl<T: Config> Handout<T> {
    /// Draws workers for `requests`, which are in order, from the roster of the present term. Each, in the order
    /// of the draw, takes the first request that it would take, and then further ones while it has room. No more
    /// than [`MOST_WORKERS`] that take a request are drawn.
    pub(crate) fn new(
        checkpoint: &CheckpointId,
        draw: Draw<BlockNumberFor<T>>,
        requests: Vec<(RequestId, Request<T>)>,
    ) -> Self {
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let (mut waiting, mut taken) = (requests, Vec::new());
        let mut met = Vec::new();
        let suits = |candidate: &Candidate<T::AccountId, Balance>| {
            let mut worker = Worker::<T>::of(candidate);
            let first = worker.take_first(&mut waiting, &draw);
            met.push(worker);
            let suits = first.is_some();
            taken.extend(first);
            suits
        };
        let wanted = count.min(MOST_WORKERS);
        let selection =
            T::Operators::draw(Role::Worker, checkpoint, draw.randomness, wanted, suits);
        let drawn = u32::try_from(selection.candidates.len());
        let is_whole = drawn.is_ok_and(|drawn| drawn < wanted);
        loop {
            let before = taken.len();
            for worker in &mut met {
                taken.extend(worker.take_first(&mut waiting, &draw));
            }
            if taken.len() == before {
                break;
            }
        }
        let why = |request: &Request<T>| match Worker::why_not(&met, request, &draw) {
            Left::TooDear | Left::NothingToStake if !is_whole => Left::Unmet,
            why => why,
        };
        Self {
            taken,
            left: waiting
                .into_iter()
                .map(|(id, request)| {
                    let why = why(&request);
                    (id, request, why)
                })
                .collect(),
            met: u32::try_from(met.len()).unwrap_or(u32::MAX),
            tries: selection.tries,
            absent: selection.absent,
            has_room: met.iter().any(|worker| worker.has_room(&draw)),
        }
    }
}

impl<T: Config> Worker<T> {
    pub(crate) fn of(candidate: &Candidate<T::AccountId, Balance>) -> Self {
        Self {
            candidate: candidate.clone(),
            load: candidate.load,
            free: candidate.free,
            considered: None,
        }
    }

    const fn has_room(&self, draw: &Draw<BlockNumberFor<T>>) -> bool {
        self.load.open < draw.room
    }

    /// Its price and stake for a request, if the price limit and its bond cover them.
    fn terms(&self, request: &Request<T>) -> Option<AssignmentTerms> {
        request
            .rules
            .terms(
                &request.limits,
                &self.candidate.prices,
                request.prompt_bytes,
                request.max_tokens(),
            )
            .filter(|terms| {
                terms.total <= request.price_limit && terms.stake <= self.candidate.bond
            })
    }

    /// Takes the first request whose price limit covers its price and for whose stake it has enough free
    /// bond, if it has room. Considers each request once.
    pub(crate) fn take_first(
        &mut self,
        waiting: &mut Vec<(RequestId, Request<T>)>,
        draw: &Draw<BlockNumberFor<T>>,
    ) -> Option<(RequestId, Request<T>, AssignmentOf<T>)> {
        if !self.has_room(draw) {
            return None;
        }
        let before = self.considered;
        let (index, terms) = waiting
            .iter()
            .enumerate()
            .filter(|(_, (id, _))| Some(*id) > before)
            .find_map(|(index, (id, request))| {
                self.considered = Some(*id);
                let terms = self.terms(request)?;
                self.locks(*id, request, &terms).then_some((index, terms))
            })?;
        let (id, request) = waiting.remove(index);
        self.load = self.load.with(request.max_tokens(), request.prompt_bytes);
        let assignment = Assignment {
            worker: self.candidate.controller.clone(),
            prices: self.candidate.prices,
            answer_max: terms.answer_max,
            check_fee: terms.check_fee,
            stake: terms.stake,
            seed: hashing::sampling_seed(draw.randomness, id, request.attempts),
            assigned_at: draw.now,
            deadline: Pallet::<T>::deadline(&request, &self.load, draw.now),
        };
        Some((id, request, assignment))
    }

    /// Locks the stake behind the request, which adds to the load, if that much of the bond with which it was drawn
    /// is free.
    fn locks(&mut self, id: RequestId, request: &Request<T>, terms: &AssignmentTerms) -> bool {
        let Some(left) = self.free.checked_sub(terms.stake) else {
            return false;
        };
        let burden = Burden::Request {
            tokens: request.max_tokens(),
            prompt_bytes: request.prompt_bytes,
        };
        let is_locked =
            T::Operators::lock_drawn(&self.candidate, id.into(), terms.stake, burden).is_ok();
        frame_support::defensive_assert!(is_locked, "the stake is within the free bond");
        // Without this, a failed lock would be tried again for each request.
        self.free = if is_locked { left } else { 0 };
        is_locked
    }

    /// The reason for which none of the workers that were met took a request.
    pub(crate) fn why_not(
        met: &[Self],
        request: &Request<T>,
        draw: &Draw<BlockNumberFor<T>>,
    ) -> Left {
        let mut willing = met
            .iter()
            .filter(|worker| worker.terms(request).is_some())
            .peekable();
        if met.is_empty() {
            Left::Unmet
        } else if willing.peek().is_none() {
            Left::TooDear
        } else if willing.all(|worker| worker.has_room(draw)) {
            Left::NothingToStake
        } else {
            Left::NoRoom
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The last block in which a worker may answer a request that it gets now, with time for all its
    /// requests: `load` includes this one.
    fn deadline(request: &Request<T>, load: &Load, now: BlockNumberFor<T>) -> BlockNumberFor<T> {
        let rules = &request.rules;
        let work = rules.answer.saturating_add(rules.work(load));
        now.saturating_add(request.claim_rules.windows.finality)
            .saturating_add(work.into())
    }

    /// Removes a request from the load of the worker that had it.
    pub(crate) fn unload(worker: &T::AccountId, request: &Request<T>) {
        T::Operators::change_load(worker, |load| {
            load.without(request.max_tokens(), request.prompt_bytes)
        });
    }
}
