//! Opening a session, adding to its hold, and its seed.

use crate::{Config, Error, Event, NextSession, Pallet, Session, SessionOf, Sessions, WeightInfo};
use frame_support::{
    ensure,
    traits::{
        fungible::Mutate,
        tokens::{Fortitude, Precision, Preservation},
        Get,
    },
    weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{ClaimRules, MAX_DRAWN_LEAVES};
use noema_economics::Balance;
use noema_interfaces::{Candidate, Checkpoints, Claims, Operators, RelayRandomness};
use noema_protocol::{hashing, CheckpointId, Role, SessionId};
use noema_sessions::{Account, Ended, SessionPrices, SessionRules, Stage};
use sp_core::H256;
use sp_runtime::{traits::AtLeast32BitUnsigned, DispatchResult};

/// The arguments of an opening.
pub(crate) struct Opening<AccountId> {
    pub(crate) checkpoint: CheckpointId,
    pub(crate) worker: Option<AccountId>,
    pub(crate) voucher_key: AccountId,
    pub(crate) leaf_tokens: u32,
    pub(crate) price_limit: SessionPrices,
    pub(crate) amount: Balance,
}

/// Whether sessions with these rules can be claimed: no claim needs more drawn leaves than can be drawn.
pub fn workable<BlockNumber: AtLeast32BitUnsigned + Copy>(
    rules: &SessionRules,
    claim_rules: &ClaimRules<BlockNumber>,
) -> bool {
    let most = rules.stake_percent.saturating_mul(MAX_DRAWN_LEAVES);
    rules.check().is_ok() && claim_rules.check().is_ok() && most >= claim_rules.margin_percent
}

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    pub(crate) fn do_open(payer: T::AccountId, opening: Opening<T::AccountId>) -> DispatchResult {
        let (rules, claim_rules) = (T::Rules::get(), T::ClaimRules::get());
        ensure!(workable(&rules, &claim_rules), Error::<T>::RulesUnworkable);
        let prices = Self::check_opening(&opening, &rules)?;
        let Opening {
            checkpoint,
            worker,
            voucher_key,
            leaf_tokens,
            price_limit,
            amount,
        } = opening;
        T::Claims::hold(&payer, amount).map_err(|_| Error::<T>::FundsTooLow)?;
        T::Currency::burn_from(
            &payer,
            rules.storage_price,
            Preservation::Preserve,
            Precision::Exact,
            Fortitude::Polite,
        )
        .map_err(|_| Error::<T>::FundsTooLow)?;
        let id = NextSession::<T>::get();
        NextSession::<T>::put(SessionId(id.0.saturating_add(1)));
        let session = Session {
            payer: payer.clone(),
            voucher_key,
            worker: worker.clone(),
            checkpoint,
            leaf_tokens,
            price_limit,
            prices,
            rules,
            claim_rules,
            account: Account::new(amount),
            seed: None,
            opened_at: Self::now(),
            unknown_since: T::Claims::relay_block(),
            ended_at: None,
            turn: None,
        };
        Sessions::<T>::insert(id, session);
        Self::deposit_event(Event::Opened {
            session: id,
            payer,
            checkpoint,
            worker,
            held: amount,
            storage_burned: rules.storage_price,
        });
        Ok(())
    }

    /// Refuses a session that could not be served. Returns the prices of the named worker.
    fn check_opening(
        opening: &Opening<T::AccountId>,
        rules: &SessionRules,
    ) -> Result<SessionPrices, Error<T>> {
        ensure!(opening.amount >= rules.min_held, Error::<T>::AmountTooLow);
        let checkpoint = &opening.checkpoint;
        let Some(limits) = T::Checkpoints::active(checkpoint) else {
            let is_known = T::Checkpoints::exists(checkpoint);
            ensure!(is_known, Error::<T>::CheckpointUnknown);
            return Err(Error::<T>::CheckpointInactive);
        };
        ensure!(
            (2..=limits.context_length).contains(&opening.leaf_tokens),
            Error::<T>::LeafTokensOutOfRange
        );
        let Some(worker) = &opening.worker else {
            return Ok(SessionPrices::default());
        };
        let candidate = T::Operators::candidate_for(Role::Worker, checkpoint, worker)
            .ok_or(Error::<T>::WorkerUnavailable)?;
        let prices = rules
            .prices(&candidate.prices)
            .filter(|prices| prices.within(&opening.price_limit))
            .ok_or(Error::<T>::PricesTooHigh)?;
        // With the part that it reserves: that is what it has for sessions.
        ensure!(
            T::Operators::bond(worker) >= rules.stake(rules.min_claim, opening.leaf_tokens),
            Error::<T>::BondTooLow
        );
        Ok(prices)
    }

    pub(crate) fn do_top_up(payer: T::AccountId, id: SessionId, amount: Balance) -> DispatchResult {
        let mut session = Self::load(id)?;
        ensure!(session.payer == payer, Error::<T>::NotPayer);
        ensure!(amount >= session.rules.min_held, Error::<T>::AmountTooLow);
        session
            .account
            .top_up(&session.rules, amount, Self::now())
            .map_err(Error::<T>::from)?;
        T::Claims::hold(&payer, amount).map_err(|_| Error::<T>::FundsTooLow)?;
        let held = session.account.held;
        let until = Self::file(id, session);
        Self::deposit_event(Event::ToppedUp {
            session: id,
            amount,
            held,
            until,
        });
        Ok(())
    }

    /// Gives a session its seed, and draws a worker where none is named. Returns the weight.
    pub(crate) fn seed(id: SessionId, mut session: SessionOf<T>, value: H256) -> Weight {
        let mut weight = T::WeightInfo::seed();
        if session.worker.is_none() {
            let stake = session
                .rules
                .stake(session.rules.min_claim, session.leaf_tokens);
            let prices = |candidate: &Candidate<T::AccountId, Balance>| {
                session
                    .rules
                    .prices(&candidate.prices)
                    .filter(|prices| prices.within(&session.price_limit))
            };
            let selection = T::Operators::draw(
                Role::Worker,
                &session.checkpoint,
                hashing::session_draw(value, id),
                1,
                |candidate| candidate.free >= stake && prices(candidate).is_some(),
            );
            weight = weight.saturating_add(match selection.absent {
                0 => T::WeightInfo::draw_worker(selection.tries),
                _ => Self::heaviest_draw(selection.tries),
            });
            let drawn = selection.candidates.into_iter().next();
            let drawn = drawn.and_then(|drawn| Some((prices(&drawn)?, drawn.controller)));
            let Some((prices, worker)) = drawn else {
                let _ = session.account.abort(Ended::NoWorker);
                Self::finish(id, session);
                return weight;
            };
            session.prices = prices;
            session.worker = Some(worker);
        }
        session.seed = Some(hashing::session_seed(value, id));
        let _ = session.account.seed(&session.rules, Self::now());
        let terms = session.terms(id);
        let until = Self::file(id, session);
        if let Some(terms) = terms {
            Self::deposit_event(Event::Seeded {
                session: id,
                terms: terms.hash(Self::genesis()),
                worker: terms.worker,
                prices: terms.prices,
                seed: terms.seed,
                until,
            });
        }
        weight
    }

    /// The last block of a session's stage.
    pub(crate) fn stage_end(session: &SessionOf<T>) -> BlockNumberFor<T> {
        match session.account.stage {
            Stage::Open { until } | Stage::Closing { until } => until,
            Stage::Unseeded | Stage::Ended(_) => Self::now(),
        }
    }
}
