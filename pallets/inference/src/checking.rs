//! Spot checks: the draw, commit and reveal, and what follows.

use crate::{
    case::Case,
    panel::{self, PanelError, Progress},
    Answers, Config, Deterrent, Error, Event, Exposure, Opinion, Pallet, Part, Phase, Rates,
    RefundReason, Seat, Stage, Standing,
};
use alloc::vec::Vec;
use frame_support::{
    ensure,
    traits::{Defensive, Get},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_economics::{cost_to_cheat, happens};
use noema_protocol::{
    hashing,
    interfaces::{BlockRandomness, Offence, Operators, Role},
    RequestId, Verdict, VerdictReveal,
};
use sp_core::H256;
use sp_runtime::{
    traits::{One, Saturating},
    DispatchResult,
};

impl<T: Config> From<PanelError> for Error<T> {
    fn from(error: PanelError) -> Self {
        match error {
            PanelError::NotSeated => Self::NotAssigned,
            PanelError::TooEarly => Self::TooEarly,
            PanelError::TooLate => Self::TooLate,
            PanelError::AlreadyCommitted => Self::AlreadyCommitted,
            PanelError::AlreadyRevealed => Self::AlreadyRevealed,
            PanelError::NotCommitted => Self::NotCommitted,
            PanelError::CommitmentDiffers => Self::CommitmentDiffers,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Decides by this block's randomness whether the answer is checked.
    pub(crate) fn decide_check(
        mut case: Case<T>,
        now: BlockNumberFor<T>,
        draw_by: BlockNumberFor<T>,
    ) {
        let Some(randomness) = T::Randomness::random(b"check") else {
            if now >= draw_by {
                return Self::refund(case, RefundReason::NoVerdict);
            }
            case.wake_at(now.saturating_add(One::one()));
            return case.store();
        };
        let rate = match case.worker() {
            Some(worker) => {
                Self::deterrent(worker, Some(case.id), 0, &case.request.rates).check_rate
            }
            None => case.request.rates.sampling().rate(1, 0),
        };
        case.check.rate = rate;
        if happens(rate, hashing::draw(randomness, b"check", case.id, 0).0) {
            case.request.phase = Phase::Checking;
            Self::advance_check(case, now);
        } else {
            let objection_deadline = Self::open_objections(&mut case, now);
            Self::deposit_event(Event::CheckWaived {
                request: case.id,
                rate,
                objection_deadline,
            });
            case.store();
        }
    }

    /// What cheating in a request would come to for `worker`, with `more` to win than it has open. At
    /// stake is what is locked behind the request, or would be now.
    pub(crate) fn deterrent(
        worker: &T::AccountId,
        request: Option<RequestId>,
        more: crate::Balance,
        rates: &Rates,
    ) -> Deterrent {
        let gain = Exposure::<T>::get(worker).saturating_add(more);
        let stake = request
            .and_then(|request| T::Operators::locked(worker, request.into()))
            .unwrap_or_else(|| rates.falsehood_slash.mul_ceil(T::Operators::bond(worker)));
        let check_rate = rates.sampling().rate(gain, stake);
        Deterrent {
            gain,
            stake,
            check_rate,
            cost: cost_to_cheat(gain, stake, check_rate),
        }
    }

    fn open_objections(case: &mut Case<T>, now: BlockNumberFor<T>) -> BlockNumberFor<T> {
        let deadline = now.saturating_add(case.request.windows.to_object().into());
        case.request.phase = Phase::Objectable { deadline };
        case.wake_at(deadline);
        deadline
    }

    /// The turn of a request that is being checked.
    pub(crate) fn advance_check(mut case: Case<T>, now: BlockNumberFor<T>) {
        match case.check.stage {
            Stage::Idle => Self::draw_checkers(case, now),
            Stage::Committing { .. } if panel::any_committed(&case.check.seats) => {
                Self::open_reveals(&mut case, now);
                case.store();
            }
            Stage::Committing { .. } | Stage::Revealing { .. } => Self::close_check(case, now),
        }
    }

    fn draw_checkers(mut case: Case<T>, now: BlockNumberFor<T>) {
        let upheld = Self::upheld(&case);
        let wanted = T::CheckersPerAnswer::get().saturating_sub(upheld);
        if wanted == 0 {
            return Self::pass_check(case, now);
        }
        if case.check.draws >= T::MaxDraws::get() {
            return Self::end_draws(case, now, upheld);
        }
        let Some(randomness) = T::Randomness::random(b"checkers") else {
            return Self::await_randomness(case, now, upheld);
        };
        case.check.draw_by = None;
        case.check.draws = case.check.draws.saturating_add(1);
        let validators = Self::seat(&mut case, Part::Check, wanted, randomness);
        if !validators.is_empty() {
            let commit_deadline = Self::open_commits(&mut case, now);
            Self::deposit_event(Event::CheckDrawn {
                request: case.id,
                rate: case.check.rate,
                validators,
                commit_deadline,
            });
        } else if upheld > 0 {
            return Self::pass_check(case, now);
        } else {
            case.wake_at(now.saturating_add(case.request.windows.retry.into()));
        }
        case.store();
    }

    /// Tries the next block, for as long as validators would have to commit.
    fn await_randomness(mut case: Case<T>, now: BlockNumberFor<T>, upheld: u32) {
        let draw_by = *case
            .check
            .draw_by
            .get_or_insert(now.saturating_add(case.request.windows.commit.into()));
        if now >= draw_by {
            return Self::end_draws(case, now, upheld);
        }
        case.wake_at(now.saturating_add(One::one()));
        case.store();
    }

    /// Validators were drawn often enough: what there is has to do.
    fn end_draws(case: Case<T>, now: BlockNumberFor<T>, upheld: u32) {
        if upheld > 0 {
            Self::pass_check(case, now);
        } else {
            Self::refund(case, RefundReason::NoVerdict);
        }
    }

    fn pass_check(mut case: Case<T>, now: BlockNumberFor<T>) {
        let objection_deadline = Self::open_objections(&mut case, now);
        Self::deposit_event(Event::CheckPassed {
            request: case.id,
            objection_deadline,
        });
        case.store();
    }

    fn upheld(case: &Case<T>) -> u32 {
        let upheld = case
            .check
            .seats
            .iter()
            .filter(|seat| seat.standing == Standing::Upholds)
            .count();
        u32::try_from(upheld).unwrap_or(u32::MAX)
    }

    /// Everybody has revealed, or the time is over.
    fn close_check(mut case: Case<T>, now: BlockNumberFor<T>) {
        Self::close_panel(&mut case);
        let is_accused = case
            .check
            .seats
            .iter()
            .any(|seat| seat.standing == Standing::Accuses);
        if is_accused {
            Self::open_dispute(case, now);
        } else if Self::upheld(&case) >= T::CheckersPerAnswer::get() {
            Self::pass_check(case, now);
        } else {
            // Others are drawn with the next block's randomness.
            case.wake_at(now.saturating_add(One::one()));
            case.store();
        }
    }

    /// Gives everybody who sits a standing; whoever was silent or did not execute loses bond.
    pub(crate) fn close_panel(case: &mut Case<T>) {
        case.check.stage = Stage::Idle;
        let Some(answer) = Answers::<T>::get(case.id).defensive() else {
            return;
        };
        let closed = panel::close(
            case.check.seats.as_mut(),
            case.id,
            answer.receipt.trace_commitment,
        );
        for seat in closed
            .into_iter()
            .filter_map(|index| case.check.seats.get(index))
        {
            match seat.standing {
                Standing::Silent => {
                    case.slash_silence(&seat.validator, Offence::MissedVerdict);
                }
                Standing::Unexecuted => {
                    let bond = T::Operators::bond(&seat.validator);
                    let amount = case.request.rates.unexecuted_slash.mul_ceil(bond);
                    T::Operators::slash(
                        &seat.validator,
                        case.id.into(),
                        Offence::UnexecutedVerdict,
                        amount,
                        &[],
                    );
                }
                _ => {}
            }
        }
    }

    /// Draws up to `wanted` live validators, by bond: never the requester, the worker, or one that
    /// has or had a part in the request. Returns those seated; nobody may be there.
    pub(crate) fn seat(
        case: &mut Case<T>,
        part: Part,
        wanted: u32,
        randomness: H256,
    ) -> Vec<T::AccountId> {
        let subject: &[u8] = match part {
            Part::Check => b"checkers",
            Part::Objection | Part::Committee => b"committee",
        };
        let randomness = hashing::draw(randomness, subject, case.id, case.check.draws);
        let checkpoint = case.request.checkpoint;
        let mut seated = Vec::new();
        T::Operators::draw(
            Role::Validator,
            &checkpoint,
            randomness,
            wanted,
            |candidate| {
                let validator = &candidate.controller;
                let is_full = case.check.seats.len() >= T::MaxSeats::get() as usize;
                if is_full || Self::is_party(case, validator) || !case.engage(validator) {
                    return false;
                }
                let seat = Seat {
                    validator: validator.clone(),
                    bond: candidate.bond,
                    part,
                    commitment: None,
                    opinion: None,
                    standing: Standing::Sitting,
                };
                let is_seated = case.check.seats.try_push(seat).is_ok();
                if is_seated {
                    seated.push(validator.clone());
                }
                is_seated
            },
        );
        seated
    }

    /// Whether an account has or had a part in the request.
    pub(crate) fn is_party(case: &Case<T>, account: &T::AccountId) -> bool {
        case.request.requester == *account
            || case.worker() == Some(account)
            || case.request.missed.contains(account)
            || case
                .check
                .seats
                .iter()
                .any(|seat| seat.validator == *account)
    }

    /// Opens the commitments of those just seated. Returns the deadline.
    pub(crate) fn open_commits(case: &mut Case<T>, now: BlockNumberFor<T>) -> BlockNumberFor<T> {
        let tokens = Answers::<T>::get(case.id).map_or(0, |answer| answer.receipt.output_tokens);
        let request = &case.request;
        let window = request.windows.to_commit(request.prompt_bytes, tokens);
        let deadline = now.saturating_add(window.into());
        case.check.stage = Stage::Committing { deadline };
        case.wake_at(deadline);
        deadline
    }

    pub(crate) fn open_reveals(case: &mut Case<T>, now: BlockNumberFor<T>) {
        let deadline = now.saturating_add(case.request.windows.to_reveal().into());
        case.check.stage = Stage::Revealing { deadline };
        case.wake_at(deadline);
        Self::deposit_event(Event::RevealOpened {
            request: case.id,
            deadline,
        });
    }

    pub(crate) fn do_commit(key: T::AccountId, id: RequestId, commitment: H256) -> DispatchResult {
        let now = frame_system::Pallet::<T>::block_number();
        let validator = T::Operators::controller_of(&key).ok_or(Error::<T>::NotAnOperator)?;
        let mut case = Case::<T>::load(id)?;
        let progress = panel::commit(
            &case.check.stage,
            case.check.seats.as_mut(),
            &validator,
            commitment,
            now,
        )
        .map_err(Error::<T>::from)?;
        Self::deposit_event(Event::VerdictCommitted {
            request: id,
            validator,
        });
        if progress == Progress::Complete {
            Self::open_reveals(&mut case, now);
        }
        case.store();
        Ok(())
    }

    pub(crate) fn do_reveal(
        key: T::AccountId,
        id: RequestId,
        verdict: Verdict,
        digest: H256,
        salt: H256,
    ) -> DispatchResult {
        let now = frame_system::Pallet::<T>::block_number();
        let validator = T::Operators::controller_of(&key).ok_or(Error::<T>::NotAnOperator)?;
        let mut case = Case::<T>::load(id)?;
        let progress = panel::reveal(
            &case.check.stage,
            case.check.seats.as_mut(),
            id,
            &validator,
            &VerdictReveal {
                verdict,
                digest,
                salt,
            },
            now,
        )
        .map_err(Error::<T>::from)?;
        Self::deposit_event(Event::VerdictRevealed {
            request: id,
            validator,
            verdict,
            digest,
        });
        if progress == Progress::Complete {
            case.wake_at(now.saturating_add(One::one()));
        }
        case.store();
        Ok(())
    }

    pub(crate) fn do_object(key: T::AccountId, id: RequestId, digest: H256) -> DispatchResult {
        let now = frame_system::Pallet::<T>::block_number();
        let mut case = Case::<T>::load(id)?;
        let (validator, bond) = Self::check_objection(&key, &case, now)?;
        ensure!(case.engage(&validator), Error::<T>::BondUnavailable);
        let seat = Seat {
            validator: validator.clone(),
            bond,
            part: Part::Objection,
            commitment: None,
            opinion: Some(Opinion {
                verdict: Verdict::Invalid,
                digest,
            }),
            standing: Standing::Accuses,
        };
        case.check
            .seats
            .try_push(seat)
            .map_err(|_| Error::<T>::TooBusy)?;
        Self::deposit_event(Event::Objected {
            request: id,
            validator,
            digest,
        });
        Self::open_dispute(case, now);
        Ok(())
    }

    /// Who may object, and with what bond. Returns the controller.
    pub(crate) fn check_objection(
        key: &T::AccountId,
        case: &Case<T>,
        now: BlockNumberFor<T>,
    ) -> Result<(T::AccountId, crate::Balance), Error<T>> {
        match case.request.phase {
            Phase::Objectable { deadline } if now <= deadline => {}
            Phase::Objectable { .. }
            | Phase::Disputed { .. }
            | Phase::Settled
            | Phase::Refunded { .. } => return Err(Error::<T>::TooLate),
            _ => return Err(Error::<T>::TooEarly),
        }
        let controller = T::Operators::controller_of(key).unwrap_or_else(|| key.clone());
        ensure!(!Self::is_party(case, &controller), Error::<T>::IsParty);
        let serves = T::Operators::serves(Role::Validator, &case.request.checkpoint, &controller);
        ensure!(serves, Error::<T>::NotAValidator);
        let bond = T::Operators::live_bond(Role::Validator, &controller)
            .ok_or(Error::<T>::NotAValidator)?;
        Ok((controller, bond))
    }
}
