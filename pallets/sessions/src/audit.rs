//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{Agenda, Config, FirstUnseeded, OpenClaims, Pallet, SessionOf, Sessions, Turn};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::ensure;
use noema_economics::Balance;
use noema_interfaces::{Claims, Operators};
use noema_protocol::{apply, encoded, ClaimId, Job, SessionId};
use noema_sessions::Stage;

/// The inconsistencies that an audit can find.
#[apply(encoded)]
pub enum AuditFailure<AccountId> {
    /// A payer has less on hold than its sessions have left and its claims may cost, together.
    HoldTooLow {
        /// The payer.
        payer: AccountId,
        /// The amount that its sessions have left and its claims may cost.
        owed: Balance,
        /// The amount on hold.
        held: Balance,
    },
    /// Claims took more from a session than it has on hold.
    Overspent {
        /// The session.
        session: SessionId,
    },
    /// The recorded claims of a session differ from their number, or from those of the claims pallet.
    ClaimsDiffer {
        /// The session.
        session: SessionId,
    },
    /// A session has no turn although one is due, or a turn other than the recorded one.
    TurnDiffers {
        /// The session.
        session: SessionId,
    },
    /// A session without a seed does not wait for one.
    NotWaiting {
        /// The session.
        session: SessionId,
    },
    /// The record of a claim that has ended is not removed later, or that of another one is.
    RemovalDiffers {
        /// The claim.
        claim: ClaimId,
    },
}

impl<AccountId> AuditFailure<AccountId> {
    /// The inconsistency as a sentence.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::HoldTooLow { .. } => {
                "a payer has less on hold than its sessions and claims are owed"
            }
            Self::Overspent { .. } => "claims took more from a session than it has on hold",
            Self::ClaimsDiffer { .. } => "the claims of a session differ from the recorded ones",
            Self::TurnDiffers { .. } => "the agenda differs from the sessions",
            Self::NotWaiting { .. } => "a session without a seed does not wait for one",
            Self::RemovalDiffers { .. } => "the agenda differs from the claims that have ended",
        }
    }
}

type Audit<T> = Result<(), AuditFailure<<T as frame_system::Config>::AccountId>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Audit<T> {
        // One hold covers both.
        let claims = T::Claims::owed().into_iter();
        let mut owed: BTreeMap<T::AccountId, Balance> = claims.collect();
        for (id, session) in Sessions::<T>::iter() {
            Self::audit_session(id, &session)?;
            Self::audit_claims(id, &session)?;
            if session.ended_at.is_none() {
                let sum = owed.entry(session.payer.clone()).or_default();
                *sum = sum.saturating_add(session.account.left());
            }
        }
        for (payer, owed) in owed {
            let held = T::Claims::held(&payer);
            let too_low = AuditFailure::HoldTooLow { payer, owed, held };
            ensure!(held >= owed, too_low);
        }
        Self::audit_agenda()
    }

    fn audit_session(id: SessionId, session: &SessionOf<T>) -> Audit<T> {
        let account = &session.account;
        ensure!(
            account.spent <= account.held,
            AuditFailure::Overspent { session: id }
        );
        let waits = matches!(account.stage, Stage::Unseeded);
        ensure!(
            !waits || id >= FirstUnseeded::<T>::get(),
            AuditFailure::NotWaiting { session: id }
        );
        let is_entered = session
            .turn
            .is_none_or(|turn| Agenda::<T>::contains_key(turn, Turn::Session(id)));
        let is_consistent = is_entered
            && waits == session.turn.is_none()
            && account.ended().is_some() == session.ended_at.is_some();
        ensure!(is_consistent, AuditFailure::TurnDiffers { session: id });
        Ok(())
    }

    fn audit_claims(id: SessionId, session: &SessionOf<T>) -> Audit<T> {
        let differ = AuditFailure::ClaimsDiffer { session: id };
        let mut count = 0u32;
        for (number, open) in OpenClaims::<T>::iter_prefix(id) {
            count = count.saturating_add(1);
            let claim = T::Claims::claim(open.claim);
            let is_open = claim.is_some_and(|claim| {
                claim.outcome().is_none() && claim.terms.leaves == open.leaves
            });
            let is_locked = session.worker.as_ref().is_some_and(|worker| {
                T::Operators::locked(worker, Job::Session(id, number)).is_some()
            });
            ensure!(is_open && is_locked, differ.clone());
        }
        ensure!(count == session.account.open_claims, differ);
        Ok(())
    }

    fn audit_agenda() -> Audit<T> {
        let (mut sessions, mut claims) = (BTreeSet::new(), BTreeSet::new());
        for (block, turn, ()) in Agenda::<T>::iter() {
            match turn {
                Turn::Session(session) => {
                    let is_pointed_to =
                        Sessions::<T>::get(session).is_some_and(|kept| kept.turn == Some(block));
                    ensure!(
                        is_pointed_to && sessions.insert(session),
                        AuditFailure::TurnDiffers { session },
                    );
                }
                Turn::Claim(claim) => {
                    let has_ended =
                        T::Claims::claim(claim).is_some_and(|claim| claim.outcome().is_some());
                    ensure!(
                        has_ended && claims.insert(claim),
                        AuditFailure::RemovalDiffers { claim },
                    );
                }
            }
        }
        Self::audit_removals(&claims)
    }

    /// Checks that each kept claim of a session is open or will be removed, where `removed` are the claims with a turn.
    fn audit_removals(removed: &BTreeSet<ClaimId>) -> Audit<T> {
        for (claim, job) in T::Claims::kept() {
            let Job::Session(id, number) = job else {
                continue;
            };
            let is_open = OpenClaims::<T>::get(id, number).is_some_and(|open| open.claim == claim);
            ensure!(
                is_open != removed.contains(&claim),
                AuditFailure::RemovalDiffers { claim },
            );
        }
        Ok(())
    }
}
