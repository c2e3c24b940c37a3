//! The end of a session, and the removal of its record and of those of its claims.

use crate::{Config, Error, Event, Pallet, SessionOf, Sessions, Turn, Turns, WeightInfo};
use frame_support::{ensure, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::{Claims, Operators};
use noema_protocol::{ClaimId, SessionId};
use sp_runtime::{traits::Saturating, DispatchResult};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_close(who: T::AccountId, id: SessionId) -> DispatchResult {
        let mut session = Self::load(id)?;
        let (now, finality) = (Self::now(), session.claim_rules.windows.finality);
        let rules = session.rules;
        let account = &mut session.account;
        let result = if session.payer == who {
            account.close_by_payer(&rules, now, finality)
        } else {
            let controller = T::Operators::controller_of(&who).unwrap_or(who);
            if session.worker.as_ref() != Some(&controller) {
                return Err(Error::<T>::NotParty.into());
            }
            account.close_by_worker(&rules, now, finality)
        };
        result.map_err(Error::<T>::from)?;
        Self::move_on(id, session);
        Ok(())
    }

    pub(crate) fn do_end(who: T::AccountId, id: SessionId, claimed: u32) -> DispatchResult {
        let mut session = Self::load(id)?;
        let worker = T::Operators::controller_of(&who).unwrap_or(who);
        ensure!(session.worker == Some(worker), Error::<T>::NotWorker);
        session
            .account
            .end_by_worker(claimed)
            .map_err(Error::<T>::from)?;
        Self::finish(id, session);
        Ok(())
    }

    /// Stores a session whose stage changed.
    fn move_on(id: SessionId, session: SessionOf<T>) {
        if session.account.ended().is_some() {
            return Self::finish(id, session);
        }
        let until = Self::file(id, session);
        Self::deposit_event(Event::ClosingBegan { session: id, until });
    }

    /// Releases the rest of the hold of a session that is over, and stores it.
    pub(crate) fn finish(id: SessionId, mut session: SessionOf<T>) {
        let Some(why) = session.account.ended() else {
            frame_support::defensive!("the session is over");
            return;
        };
        let released = T::Claims::release(&session.payer, session.account.left());
        session.ended_at = Some(Self::now());
        Self::file(id, session);
        Self::deposit_event(Event::Closed {
            session: id,
            why,
            released,
        });
    }

    /// Enters the next turn of a session, and stores it. Returns the last block of its stage.
    pub(crate) fn file(id: SessionId, mut session: SessionOf<T>) -> BlockNumberFor<T> {
        let now = Self::now();
        let retention: BlockNumberFor<T> = session.rules.retention.into();
        let due = match session.ended_at {
            // A claim that has not ended keeps the record for longer.
            Some(ended) if ended.saturating_add(retention) <= now => {
                Some(now.saturating_add(retention))
            }
            Some(ended) => Some(ended.saturating_add(retention)),
            None => session.account.due(),
        };
        if due != session.turn {
            if let Some(turn) = session.turn {
                Turns::<T>::remove(turn, &Turn::Session(id));
            }
            session.turn = due.map(|due| Turns::<T>::insert(now, due, &Turn::Session(id)));
        }
        let until = Self::stage_end(&session);
        Sessions::<T>::insert(id, session);
        until
    }

    /// Enters the removal of the record of a claim that ends now, `retention` blocks later: in the next block at the
    /// earliest, because the claims pallet stores the record once more after it has told of the end.
    pub(crate) fn file_removal(claim: ClaimId, retention: u32) {
        let now = Self::now();
        let at = now.saturating_add(retention.into());
        Turns::<T>::insert(now, at, &Turn::Claim(claim));
    }

    /// One turn of the agenda. Returns its weight.
    pub(crate) fn take_turn(turn: Turn, now: BlockNumberFor<T>) -> Weight {
        match turn {
            Turn::Session(id) => Self::take_session_turn(id, now),
            Turn::Claim(id) => {
                T::Claims::prune(id);
                T::WeightInfo::prune_claim()
            }
        }
    }

    /// One turn of a session. Returns its weight.
    fn take_session_turn(id: SessionId, now: BlockNumberFor<T>) -> Weight {
        let Some(mut session) = Sessions::<T>::get(id) else {
            return T::WeightInfo::look();
        };
        session.turn = None;
        if session.ended_at.is_some() {
            if session.account.open_claims > 0 {
                Self::file(id, session);
            } else {
                Sessions::<T>::remove(id);
                Self::deposit_event(Event::Pruned { session: id });
            }
            return T::WeightInfo::prune();
        }
        let finality = session.claim_rules.windows.finality;
        let rules = session.rules;
        if session.account.advance(&rules, now, finality) {
            Self::move_on(id, session);
        } else {
            Self::file(id, session);
        }
        T::WeightInfo::turn()
    }
}
