//! Contradicted answers: who decides, and what the decision does to the money.
//!
//! The pallet opens a dispute and waits. Whoever implements [`DisputeResolver`] decides and calls
//! [`Pallet::conclude`]; if it has not by the dispute's deadline, the dispute is closed as
//! inconclusive. [`Committee`] is the implementation in this pallet.

use crate::{
    case::Case, panel, Answers, Config, Error, Event, Outcome, Pallet, Part, Phase, RefundReason,
    Stage, Standing,
};
use alloc::vec::Vec;
use core::marker::PhantomData;
use frame_support::{ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_economics::{slash_split, Permill};
use noema_protocol::{
    interfaces::{BlockRandomness, Offence, Operators},
    CheckpointId, RequestId, Verdict,
};
use sp_core::H256;
use sp_runtime::{
    traits::{One, Saturating},
    DispatchResult,
};

/// A contradicted answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute<AccountId, BlockNumber> {
    /// The request.
    pub request: RequestId,
    /// The checkpoint that was to answer.
    pub checkpoint: CheckpointId,
    /// The controller of the worker.
    pub worker: AccountId,
    /// The controllers of those who contradict.
    pub accusers: Vec<AccountId>,
    /// What the worker published of its trace.
    pub trace_commitment: H256,
    /// The block in which the dispute is closed as inconclusive if it is undecided.
    pub deadline: BlockNumber,
}

/// Decides disputes.
pub trait DisputeResolver<AccountId, BlockNumber> {
    /// Takes a dispute over. When it is decided, [`Pallet::conclude`] is to be called, outside of
    /// this function. An error closes the dispute as inconclusive.
    fn open(dispute: Dispute<AccountId, BlockNumber>) -> DispatchResult;

    /// Called when the request has a turn in the agenda. The dispute's deadline is one.
    fn advance(request: RequestId) {
        let _ = request;
    }
}

/// Decides by the bonded weight of validators that re-execute: the outcome is the verdict and the
/// digest that more than half of the revealed bond agree on.
///
/// Nobody with a part in the request sits on its committee; where nobody else is there, the
/// dispute is inconclusive.
pub struct Committee<T>(PhantomData<T>);

impl<T: Config> DisputeResolver<T::AccountId, BlockNumberFor<T>> for Committee<T> {
    /// The members are drawn with the next block's randomness.
    fn open(dispute: Dispute<T::AccountId, BlockNumberFor<T>>) -> DispatchResult {
        let now = frame_system::Pallet::<T>::block_number();
        let mut case = Case::<T>::load(dispute.request)?;
        case.wake_at(now.saturating_add(One::one()));
        case.store();
        Ok(())
    }

    fn advance(request: RequestId) {
        let now = frame_system::Pallet::<T>::block_number();
        let Ok(mut case) = Case::<T>::load(request) else {
            return;
        };
        let outcome = match case.check.stage {
            Stage::Idle => {
                let Some(randomness) = T::Randomness::random(b"committee") else {
                    case.wake_at(now.saturating_add(One::one()));
                    return case.store();
                };
                let wanted = T::CommitteeSize::get();
                let validators = Pallet::<T>::seat(&mut case, Part::Committee, wanted, randomness);
                if !validators.is_empty() {
                    let commit_deadline = Pallet::<T>::open_commits(&mut case, now);
                    Pallet::<T>::deposit_event(Event::CommitteeDrawn {
                        request,
                        validators,
                        commit_deadline,
                    });
                    return case.store();
                }
                Outcome::Inconclusive
            }
            Stage::Committing { .. } if panel::any_committed(&case.check.seats) => {
                Pallet::<T>::open_reveals(&mut case, now);
                return case.store();
            }
            Stage::Committing { .. } | Stage::Revealing { .. } => {
                Pallet::<T>::close_panel(&mut case);
                panel::decide(&case.check.seats).map_or(Outcome::Inconclusive, Outcome::Decided)
            }
        };
        Pallet::<T>::end_dispute(case, outcome);
    }
}

impl<T: Config> Pallet<T> {
    /// Hands a contradicted answer to the resolver.
    pub(crate) fn open_dispute(mut case: Case<T>, now: BlockNumberFor<T>) {
        let answer = Answers::<T>::get(case.id);
        let (Some(answer), Some(worker)) = (answer, case.worker().cloned()) else {
            frame_support::defensive!("what is disputed was answered");
            return Self::refund(case, RefundReason::Inconclusive);
        };
        let accusers: Vec<_> = case
            .check
            .seats
            .iter()
            .filter(|seat| seat.standing == Standing::Accuses)
            .map(|seat| seat.validator.clone())
            .collect();
        let deadline = now.saturating_add(case.request.windows.dispute.into());
        let dispute = Dispute {
            request: case.id,
            checkpoint: case.request.checkpoint,
            worker,
            accusers: accusers.clone(),
            trace_commitment: answer.receipt.trace_commitment,
            deadline,
        };
        let id = case.id;
        case.request.phase = Phase::Disputed { deadline };
        case.wake_at(deadline);
        case.store();
        Self::deposit_event(Event::Disputed {
            request: id,
            accusers,
            deadline,
        });
        if T::DisputeResolver::open(dispute).is_err() {
            let _ = Self::do_conclude(id, Outcome::Inconclusive);
        }
    }

    /// The turn of a request in dispute.
    pub(crate) fn advance_dispute(
        mut case: Case<T>,
        now: BlockNumberFor<T>,
        deadline: BlockNumberFor<T>,
    ) {
        // Whatever the resolver does, there is another turn.
        let id = case.id;
        case.wake_at(deadline);
        case.store();
        T::DisputeResolver::advance(id);
        if now >= deadline {
            // Refused if the resolver has just concluded it.
            let _ = Self::do_conclude(id, Outcome::Inconclusive);
        }
    }

    pub(crate) fn do_conclude(id: RequestId, outcome: Outcome) -> DispatchResult {
        let case = Case::<T>::load(id)?;
        ensure!(
            matches!(case.request.phase, Phase::Disputed { .. }),
            Error::<T>::NotDisputed
        );
        Self::end_dispute(case, outcome);
        Ok(())
    }

    fn end_dispute(mut case: Case<T>, outcome: Outcome) {
        Self::deposit_event(Event::DisputeConcluded {
            request: case.id,
            outcome,
        });
        match outcome {
            Outcome::Inconclusive => Self::refund(case, RefundReason::Inconclusive),
            Outcome::Decided(decided) => {
                panel::judge(case.check.seats.as_mut(), decided);
                Self::convict(&case, decided.verdict);
                match decided.verdict {
                    Verdict::Valid => Self::settle(case),
                    Verdict::Invalid => Self::refund(case, RefundReason::FalseAnswer),
                }
            }
        }
    }

    /// Takes from the losers' bonds and shares a part among the winners.
    fn convict(case: &Case<T>, verdict: Verdict) {
        let with_standing = |standing: Standing| -> Vec<T::AccountId> {
            case.check
                .seats
                .iter()
                .filter(|seat| seat.standing == standing)
                .map(|seat| seat.validator.clone())
                .collect()
        };
        let winners = with_standing(Standing::Won);
        let mut losers: Vec<_> = with_standing(Standing::Lost)
            .into_iter()
            .map(|validator| (validator, Offence::FalseVerdict))
            .collect();
        if let (Verdict::Invalid, Some(worker)) = (verdict, case.worker()) {
            losers.push((worker.clone(), Offence::FalseAnswer));
        }
        let job = case.id.into();
        for (loser, offence) in losers {
            let split = slash_split(
                T::Operators::locked(&loser, job).unwrap_or(0),
                Permill::one(),
                case.request.rates.winners_share,
                u32::try_from(winners.len()).unwrap_or(u32::MAX),
            );
            let shares: Vec<_> = winners
                .iter()
                .map(|winner| (winner.clone(), split.per_winner))
                .collect();
            T::Operators::slash(&loser, job, offence, split.slashed, &shares);
        }
    }
}
