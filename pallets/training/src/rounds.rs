//! Advancing rounds with the blocks, and the effects on bonds, checkpoints and rewards.

use crate::{
    Config, Event, Families, Pallet, ProgrammeOf, Programmes, RoundOf, Rounds, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_economics::slash_for_silence;
use noema_interfaces::{Lineage, Operators, RecordWork, RelayRandomness, Trained};
use noema_protocol::{FamilyId, Offence, RoundId, Work};
use noema_rounds::{
    CheckpointClaim, Hearing, Phase, Rejection, RoundContext, RoundEffect, RoundOutcome, Ruling,
};

impl<T: Config> Pallet<T> {
    /// The highest weight of the rounds of a block.
    pub(crate) fn rounds_weight() -> Weight {
        let programmes = Families::<T>::decode_len().unwrap_or(0);
        let programmes = u64::try_from(programmes).unwrap_or(u64::MAX);
        T::WeightInfo::advance_base().saturating_add(Self::step_weight().saturating_mul(programmes))
    }

    /// The weight of the heaviest step of a round.
    pub(crate) fn step_weight() -> Weight {
        T::WeightInfo::advance_draw()
            .max(T::WeightInfo::advance_silence())
            .max(T::WeightInfo::advance_tally())
            .max(T::WeightInfo::advance_close())
            .max(T::WeightInfo::advance_promote())
    }

    /// Advances the round of every programme.
    pub(crate) fn advance_rounds(now: BlockNumberFor<T>) {
        for family in Families::<T>::get() {
            Self::advance_family(family, now);
        }
    }

    /// Advances the round of one programme, or opens one if there is none.
    pub(crate) fn advance_family(family: FamilyId, now: BlockNumberFor<T>) {
        let Some(mut programme) = Programmes::<T>::get(family) else {
            return;
        };
        let open = programme
            .round
            .and_then(|id| Some((id, Rounds::<T>::get(id)?)));
        let Some((id, mut round)) = open else {
            programme.round = Self::open_next_round(family, programme.dataset, programme.rules);
            if programme.round.is_some() {
                Programmes::<T>::insert(family, programme);
            }
            return;
        };
        if round.fix_draw(now, T::Randomness::relay_block()) {
            Rounds::<T>::insert(id, round);
            return;
        }
        let at = Self::round_context(&round, now);
        Self::advance_round(programme, id, round, &at);
    }

    /// Advances a round, and opens the next one where it ends.
    pub(crate) fn advance_round(
        mut programme: ProgrammeOf<T>,
        id: RoundId,
        mut round: RoundOf<T>,
        at: &RoundContext<BlockNumberFor<T>>,
    ) {
        let family = round.family;
        let effects = round.advance(at);
        if effects.is_empty() {
            return;
        }
        let outcome = Self::apply_effects(&mut round, effects);
        Rounds::<T>::insert(id, round);
        let Some(outcome) = outcome else {
            return;
        };
        let count = match outcome {
            RoundOutcome::Promoted(_) => &mut programme.promoted,
            RoundOutcome::Rejected(_) => &mut programme.rejected,
        };
        *count = count.saturating_add(1);
        Self::keep_closed(family, id);
        programme.round = Self::open_next_round(family, programme.dataset, programme.rules);
        Programmes::<T>::insert(family, programme);
    }

    /// The data that a round needs on block `now`.
    pub(crate) fn round_context(
        round: &RoundOf<T>,
        now: BlockNumberFor<T>,
    ) -> RoundContext<BlockNumberFor<T>> {
        let randomness = round
            .unknown_since
            .and_then(|since| T::Randomness::beacon().for_check(since, T::Freshness::get()));
        let holders = match (round.phase, round.claim) {
            (Phase::Holding { .. }, Some(claim)) => T::Lineage::holders(&claim.checkpoint),
            _ => 0,
        };
        RoundContext {
            now,
            randomness,
            parent_is_canonical: T::Lineage::canonical(round.family) == Some(round.parent),
            holders,
        }
    }

    /// Carries out the effects of a round's step outside of the round. Returns the outcome, if the round
    /// ended.
    pub(crate) fn apply_effects(
        round: &mut RoundOf<T>,
        effects: Vec<RoundEffect<T::AccountId>>,
    ) -> Option<RoundOutcome> {
        let mut ended = None;
        for effect in effects {
            match effect {
                RoundEffect::PhaseBegan => Self::deposit_event(Event::PhaseBegan {
                    round: round.id,
                    phase: round.phase,
                }),
                RoundEffect::Offended(operator, offence) => {
                    Self::slash(&operator, round, offence);
                }
                RoundEffect::Aggregated(claim) => {
                    if Self::record_checkpoint(round, claim).is_err() {
                        // A checkpoint that was once canonical, or that another round made, cannot be the
                        // next one.
                        let outcome = RoundOutcome::Rejected(Rejection::NoClaim);
                        round.phase = Phase::Closed(outcome);
                        ended = Some(Self::close(round, outcome));
                        break;
                    }
                    Self::deposit_event(Event::CheckpointAggregated {
                        round: round.id,
                        claim,
                    });
                }
                RoundEffect::Closed(outcome) => ended = Some(Self::close(round, outcome)),
            }
        }
        ended
    }

    fn slash(operator: &T::AccountId, round: &RoundOf<T>, offence: Offence) {
        let bond = T::Operators::bond(operator);
        let amount = match offence {
            Offence::FalseScore | Offence::FalseClaim => {
                T::Operators::locked(operator, round.id.into()).unwrap_or(0)
            }
            _ => slash_for_silence(bond, T::SilenceSlash::get(), T::SilenceCap::get()),
        };
        T::Operators::slash(operator, round.id.into(), offence, amount, &[]);
    }

    fn record_checkpoint(
        round: &RoundOf<T>,
        claim: CheckpointClaim,
    ) -> Result<(), <T::Lineage as Lineage<T::AccountId>>::Error> {
        let accepted = round
            .rulings()
            .iter()
            .filter(|ruling| matches!(ruling, Ruling::Accepted { .. }))
            .count();
        let trained = Trained {
            round: round.id,
            dataset: round.dataset.root,
            masters_root: claim.masters_root,
            contributions: u32::try_from(accepted).unwrap_or(u32::MAX),
            parent_loss: round.parent_loss.unwrap_or_default(),
            loss: claim.loss,
            tokens: round.evaluation_tokens(),
        };
        T::Lineage::extend(round.parent, claim.checkpoint, claim.weights_root, trained)
    }

    /// Ends a round: promotes or discards its checkpoint, records the work, releases every bond.
    fn close(round: &mut RoundOf<T>, outcome: RoundOutcome) -> RoundOutcome {
        let outcome = match outcome {
            RoundOutcome::Promoted(checkpoint)
                if T::Lineage::promote(round.family, checkpoint).is_err() =>
            {
                RoundOutcome::Rejected(Rejection::ParentReplaced)
            }
            outcome => outcome,
        };
        round.phase = Phase::Closed(outcome);
        match outcome {
            RoundOutcome::Promoted(_) => Self::note_work(round),
            RoundOutcome::Rejected(_) => {
                if let Some(claim) = round.claim {
                    T::Lineage::discard(claim.checkpoint, round.id);
                }
            }
        }
        for trainer in &round.trainers {
            if let Some(ruling) = trainer.ruling {
                Self::deposit_event(Event::ContributionRuled {
                    round: round.id,
                    trainer: trainer.account.clone(),
                    ruling,
                });
            }
            T::Operators::release(&trainer.account, round.id.into());
        }
        for validator in &round.validators {
            T::Operators::release(&validator.account, round.id.into());
        }
        Self::deposit_event(Event::RoundClosed {
            round: round.id,
            outcome,
        });
        outcome
    }

    /// Records for the subsidy the weight of each accepted contribution, and for each validator whose scores
    /// and claim were confirmed an equal part of `ScorersShare` of all these weights. Only a round that
    /// improved the model is paid for.
    fn note_work(round: &RoundOf<T>) {
        let mut total = 0u64;
        for trainer in &round.trainers {
            if let Some(Ruling::Accepted { weight }) = trainer.ruling {
                total = total.saturating_add(weight.into());
                T::Work::record(Work::Training, &trainer.account, weight.into());
            }
        }
        let false_scores = round.contradicted();
        let stood: Vec<&T::AccountId> = round
            .seats()
            .filter(|validator| {
                validator.seat == Hearing::Scores
                    && validator.sheet.is_some()
                    && validator.claim == round.claim
                    && !false_scores.contains(&validator.account)
            })
            .map(|validator| &validator.account)
            .collect();
        let count = u64::try_from(stood.len()).unwrap_or(u64::MAX).max(1);
        let each = T::ScorersShare::get()
            .mul_floor(total)
            .checked_div(count)
            .unwrap_or(0);
        for validator in stood {
            T::Work::record(Work::Training, validator, each);
        }
    }
}
