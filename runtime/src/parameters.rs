//! The parameters that governance can change without an upgrade: the rules of requests, sessions and claims, and
//! the slashes of rounds of training.
//!
//! | preset | blocks until a block is final | for |
//! |---|---|---|
//! | `live` | 20 | the default |
//! | `local_testnet` | 20 | a chain with live rules on the developer's own machines |
//! | `development` | 0, or the value of `noema-node --finality-lag` | one node that finalizes at once |
//!
//! Root sets them with `parameters.setParameter`. A request, a session, a claim and a round of training keep the
//! values with which they began. Genesis and tests refuse invalid values with a reason; while governance has set
//! rules of claims, requests or sessions that are invalid by themselves, no request or no session is accepted. Rules
//! that are valid by themselves, but together leave jurors unpaid, are refused only by genesis and tests.

use crate::{
    constants::{DAYS, MICROUNIT, MILLIUNIT, UNIT},
    Balance, BlockNumber, Runtime,
};
use frame_support::{
    dynamic_params::{dynamic_pallet_params, dynamic_params},
    traits::Get,
};
use noema_claims::{ClaimRules, ClaimRulesError, ClaimWindows};
use noema_protocol::{apply, sent};
use noema_sessions::{SessionRules, SessionRulesError};
use pallet_inference::{RequestRules, Unworkable};
use serde::{Deserialize, Serialize};
use sp_runtime::Permill;

/// Blocks until a block of a parachain is final: 20 to 35 seconds are up to 18.
pub const LIVE_FINALITY: BlockNumber = 20;

/// Relay chain blocks by which randomness has to be younger than the claim that it checks: more than a
/// collator, or the author of a relay chain block, can know in advance.
pub const LIVE_FRESHNESS: u32 = 4;

/// The rules of claims on a chain whose blocks are final after `finality` blocks. They assume a block every
/// two seconds, and a validator with only a few CPU cores.
pub const fn claim_rules(finality: BlockNumber, freshness: u32) -> ClaimRules<BlockNumber> {
    ClaimRules {
        windows: ClaimWindows {
            finality,
            commit: 15,
            // Prompt and answer are executed in one pass: a slow laptop executes twenty tokens a second.
            tokens_per_block: 40,
            reveal: 5,
            challenge: 5,
            // Five minutes, as for the last vouchers of a session: a claimant loses the stake of a whole claim
            // otherwise, to an account that keeps it off the network for a minute and challenges.
            post: 150,
        },
        freshness,
        // A claimant that is also the collator of a slot can skip it and so discard one draw: a false claim
        // is then found with probability p². For the one leaf of a request, p² times the stake still exceeds its
        // possible gain. For few false leaves of many it would not: their leaves are drawn in two steps, so that the
        // claimant of a fifth of all slots is found with a quarter of p or more.
        margin_percent: 450,
        // At least one answer in twenty is checked, however high the stake behind it.
        min_check_rate: Permill::from_percent(5),
        validators_per_leaf: 2,
        max_draws: 3,
        // Up to 2,702 tokens; beyond, 370 µNOEMA a token.
        validator_stake: UNIT,
        // The rest is burned, so that a challenge of one's own false claim is a loss.
        challenger_share: Permill::from_percent(50),
        challenger_cap: 10 * UNIT,
        challenge_bond: UNIT,
        // Twice the minimum for a check: a juror gets it only where its verdict is that of two thirds.
        juror_fee_per_token: 10 * MICROUNIT,
        // The burned part of the payments of an account that pays itself; the subsidy never returns more.
        burned_share: Permill::from_percent(10),
    }
}

/// The rules of requests of every preset.
pub const REQUEST_RULES: RequestRules = RequestRules {
    answer: 15,
    prompt_bytes_per_block: 80,
    // A slow laptop yields ten tokens a second.
    tokens_per_block: 20,
    room: 16,
    expiry: 30,
    max_attempts: 3,
    // Validators together earn a fifth of the price, in addition to it.
    check_fee: Permill::from_percent(20),
    // The minimum: without it, validators would work for nothing for a worker that charges nothing.
    check_fee_per_token: 10 * MICROUNIT,
    // With the margin of claims, two answers in nine are checked.
    stake_percent: 2_000,
    min_stake: UNIT / 10,
    // Half of it goes to challengers. The rest is more than the 36 least fees of both juries.
    stake_per_token: MILLIUNIT,
    // Being offline is not fraud.
    silence_share: Permill::from_percent(25),
    storage_price_per_byte: 10 * MICROUNIT,
    body_retention: DAYS,
    retention: 7 * DAYS,
};

/// The rules of sessions of every preset.
pub const SESSION_RULES: SessionRules = SessionRules {
    lifetime: 30 * DAYS,
    // Five minutes, in addition to the finality allowance, for a worker that claims what it has when it sees the
    // close: as long as a restart of its machine takes.
    close: 150,
    // About as many bytes as a token of English text has.
    bytes_per_token: 4,
    // What is cached is not computed, but occupies memory.
    cached_share: Permill::from_percent(10),
    // As for requests.
    check_share: Permill::from_percent(20),
    check_fee_per_token: 10 * MICROUNIT,
    // With the margin of claims, five leaves of a large claim are checked. Twenty times the price, as for a request,
    // would need a bond of twenty times of all that is answered within the windows of a claim.
    stake_percent: 100,
    // Up to 2.2 NOEMA, about thirty answers, a claim is checked at most with the probability of one leaf.
    min_stake: 10 * UNIT,
    stake_per_token: MILLIUNIT,
    min_held: UNIT / 10,
    // A tenth of it burns: 15 mNOEMA, the price of the storage of a claim of 1,500 bytes.
    min_claim: 150 * MILLIUNIT,
    // A record of 1,000 bytes and two small claims of 1,500.
    storage_price: 4_000 * 10 * MICROUNIT,
    retention: 7 * DAYS,
};

/// The slashes of rounds of training.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoundSlashes {
    /// The part of the bond that is locked behind a round, and lost for a false statement.
    pub falsehood: Permill,
    /// The part of the bond that is lost for silence.
    pub silence: Permill,
    /// The most that is lost for silence.
    pub silence_cap: Balance,
}

/// The slashes of every preset.
pub const ROUND_SLASHES: RoundSlashes = RoundSlashes {
    // This allows an operator at most sixteen rounds at a time.
    falsehood: Permill::from_parts(62_500),
    silence: Permill::from_percent(1),
    silence_cap: 10 * UNIT,
};

impl RoundSlashes {
    /// Refuses slashes with which an offence in a round would cost nothing, or more than is locked.
    ///
    /// # Errors
    ///
    /// See [`SlashesError`].
    pub fn check(&self) -> Result<(), SlashesError> {
        if self.falsehood.is_zero() {
            return Err(SlashesError::NothingLocked);
        }
        if self.silence.is_zero() || self.silence_cap == 0 {
            return Err(SlashesError::SilenceIsFree);
        }
        if self.silence > self.falsehood {
            return Err(SlashesError::SilenceAboveLock);
        }
        Ok(())
    }
}

/// Why slashes of rounds are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlashesError {
    /// No part of a bond would be locked behind a round.
    NothingLocked,
    /// Silence would cost nothing.
    SilenceIsFree,
    /// Silence would cost more than is locked behind a round.
    SilenceAboveLock,
}

/// Why rules are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParametersRefusal {
    /// Of claims.
    Claims(ClaimRulesError),
    /// Of requests.
    Requests(Unworkable),
    /// Of sessions.
    Sessions(SessionRulesError),
    /// Of claims and sessions together: the claims of sessions would need more drawn leaves than can be drawn.
    SessionStakes,
    /// Of rounds of training.
    Rounds(SlashesError),
    /// Of claims and requests or sessions together: the stake of a claimant, or the lock of a validator that
    /// challenges it, would not pay the jurors of a dispute.
    JurorsUnpaid,
}

#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
    use super::*;

    /// Requests, sessions, claims and rounds.
    #[dynamic_pallet_params]
    #[codec(index = 0)]
    pub mod protocol {
        /// The rules of claims.
        #[codec(index = 0)]
        pub static ProtocolClaimRules: ClaimRules<BlockNumber> =
            claim_rules(LIVE_FINALITY, LIVE_FRESHNESS);
        /// The rules of requests.
        #[codec(index = 1)]
        pub static ProtocolRequestRules: RequestRules = REQUEST_RULES;
        /// The slashes of rounds of training.
        #[codec(index = 2)]
        pub static ProtocolRoundSlashes: RoundSlashes = ROUND_SLASHES;
        /// The rules of sessions.
        #[codec(index = 3)]
        pub static ProtocolSessionRules: SessionRules = SESSION_RULES;
    }
}

/// The longest of the parameters.
#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
    fn default() -> Self {
        Self::Protocol(dynamic_params::protocol::Parameters::ProtocolSessionRules(
            ProtocolSessionRules,
            Some(SESSION_RULES),
        ))
    }
}

pub use dynamic_params::protocol::{
    ProtocolClaimRules, ProtocolRequestRules, ProtocolRoundSlashes, ProtocolSessionRules,
};

/// A single value, for a pallet that needs no other.
macro_rules! part {
    ($(#[$doc:meta])* $name:ident: $kind:ty = $whole:ident.$($field:ident).+) => {
        $(#[$doc])*
        pub struct $name;

        impl Get<$kind> for $name {
            fn get() -> $kind {
                $whole::get().$($field).+
            }
        }
    };
}

part!(
    /// Blocks until a block is final.
    FinalityAllowance: BlockNumber = ProtocolClaimRules.windows.finality
);
part!(
    /// Relay chain blocks by which randomness has to be younger than the claim that it checks.
    Freshness: u32 = ProtocolClaimRules.freshness
);
part!(
    /// The part of the bond that is locked behind a round of training.
    FalsehoodSlash: Permill = ProtocolRoundSlashes.falsehood
);
part!(
    /// The part of the bond that is lost for silence in a round.
    SilenceSlash: Permill = ProtocolRoundSlashes.silence
);
part!(
    /// The most that is lost for silence in a round.
    SilenceCap: Balance = ProtocolRoundSlashes.silence_cap
);

/// Refuses invalid rules.
///
/// # Errors
///
/// The first reason found.
pub fn check(
    claims: &ClaimRules<BlockNumber>,
    requests: &RequestRules,
    sessions: &SessionRules,
    rounds: &RoundSlashes,
) -> Result<(), ParametersRefusal> {
    claims.check().map_err(ParametersRefusal::Claims)?;
    requests.check().map_err(ParametersRefusal::Requests)?;
    sessions.check().map_err(ParametersRefusal::Sessions)?;
    if !pallet_sessions::workable(sessions, claims) {
        return Err(ParametersRefusal::SessionStakes);
    }
    let least = requests.stake_per_token.min(sessions.stake_per_token);
    if least < claims.stake_for_jurors(1) {
        return Err(ParametersRefusal::JurorsUnpaid);
    }
    rounds.check().map_err(ParametersRefusal::Rounds)
}

/// Sets parameters at genesis; it has no calls and no storage of its own.
#[frame_support::pallet]
pub mod genesis {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::BlockNumberFor;
    use pallet_parameters::Parameters;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config + pallet_parameters::Config<RuntimeParameters = RuntimeParameters>
    {
    }

    /// The parameters at genesis; without a value, the defaults.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The rules of claims.
        pub claim_rules: Option<ClaimRules<BlockNumber>>,
        /// The rules of requests.
        pub request_rules: Option<RequestRules>,
        /// The rules of sessions.
        pub session_rules: Option<SessionRules>,
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let claims = self
                .claim_rules
                .unwrap_or_else(|| claim_rules(LIVE_FINALITY, LIVE_FRESHNESS));
            let requests = self.request_rules.unwrap_or(REQUEST_RULES);
            let sessions = self.session_rules.unwrap_or(SESSION_RULES);
            let workable = check(&claims, &requests, &sessions, &ProtocolRoundSlashes::get());
            assert_eq!(workable, Ok(()), "these rules cannot work");
            let set = |parameter| {
                use frame_support::traits::dynamic_params::AggregatedKeyValue;
                let (key, value) = RuntimeParameters::Protocol(parameter).into_parts();
                Parameters::<T>::set(key, value);
            };
            use dynamic_params::protocol::Parameters as Protocol;
            if self.claim_rules.is_some() {
                set(Protocol::ProtocolClaimRules(
                    ProtocolClaimRules,
                    self.claim_rules,
                ));
            }
            if self.request_rules.is_some() {
                set(Protocol::ProtocolRequestRules(
                    ProtocolRequestRules,
                    self.request_rules,
                ));
            }
            if self.session_rules.is_some() {
                set(Protocol::ProtocolSessionRules(
                    ProtocolSessionRules,
                    self.session_rules,
                ));
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            let live = claim_rules(LIVE_FINALITY, LIVE_FRESHNESS);
            let workable = |claims| check(claims, &REQUEST_RULES, &SESSION_RULES, &ROUND_SLASHES);
            assert_eq!(workable(&live), Ok(()), "live");
            assert_eq!(workable(&claim_rules(0, 1)), Ok(()), "development");
        }
    }
}
