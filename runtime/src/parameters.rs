//! What governance changes without an upgrade: the windows and rates of the protocol.
//!
//! | preset | blocks until a block is final | for |
//! |---|---|---|
//! | `live` | 20 | the default, and what a chain without another preset has |
//! | `local_testnet` | 20 | like a live chain, on machines of one's own |
//! | `development` | 0, or as `noema-node --finality-lag` says | one node that finalizes at once |
//!
//! Root sets them with `parameters.setParameter`. A request, and a round of training, keeps those with
//! which it began. Genesis and tests refuse what cannot work, with an [`Unworkable`] for a reason; while
//! governance has set such windows or rates, no request is accepted.

use crate::{
    constants::{HOURS, UNIT},
    Balance, BlockNumber, Inference, Runtime,
};
use frame_support::{
    dynamic_params::{dynamic_pallet_params, dynamic_params},
    traits::Get,
};
use pallet_inference::{Rates, Unworkable, Windows};
use sp_runtime::Permill;

/// Blocks until a block of a parachain is final: 20 to 35 seconds are up to 18.
pub const LIVE_FINALITY: BlockNumber = 20;

/// Blocks between leaving and taking a bond back. Every request ends within this time, however often it is
/// disputed; a round of training may take longer, and a bond stays tied to it until it ends.
pub const UNBONDING_DELAY: BlockNumber = 2 * HOURS;

/// The windows of a chain whose blocks are final after `finality_allowance` blocks. They are planned with a
/// block every two seconds, and sized for a worker that has only a few CPU cores.
pub const fn windows(finality_allowance: BlockNumber) -> Windows {
    /// Three panels on the largest request, with the prompt and the answer that it may have.
    const THREE_PANELS: BlockNumber = 3 * (15 + 5 + 8_192 / 80 + 1_024_u32.div_ceil(20));
    Windows {
        finality_allowance,
        answer: 15,
        commit: 15,
        reveal: 5,
        objection: 5,
        // A panel commits and reveals, and both are granted the time until they are final.
        dispute: finality_allowance
            .saturating_mul(6)
            .saturating_add(THREE_PANELS),
        prompt_bytes_per_block: 80,
        // Ten a second are a slow laptop.
        tokens_per_block: 20,
        expiry: 30,
        retry: 2,
        retention: 7 * 24 * HOURS,
    }
}

/// The rates of every preset.
pub const RATES: Rates = Rates {
    // Validators together earn a fifth of the price on top of it.
    check_fee: Permill::from_percent(20),
    // Whoever asks themselves burns this of what they pay; the subsidy never gives back more.
    burned_share: Permill::from_percent(10),
    margin_percent: 200,
    // At least one answer in twenty is checked, however high the bond behind it.
    min_check_rate: Permill::from_percent(5),
    // Locked behind each job, and lost by a falsehood: so an operator has at most sixteen jobs at a time.
    falsehood_slash: Permill::from_parts(62_500),
    unexecuted_slash: Permill::from_percent(5),
    // Being offline is no fraud: a hundredth, and never more than the cap.
    silence_slash: Permill::from_percent(1),
    silence_cap: 10 * UNIT,
    // The rest burns, so that accusing oneself is a loss.
    winners_share: Permill::from_percent(50),
};

#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
    use super::*;

    /// The life of a request, and the slashes of every job.
    #[dynamic_pallet_params]
    #[codec(index = 0)]
    pub mod protocol {
        /// How long everything may take, in blocks.
        #[codec(index = 0)]
        pub static ProtocolWindows: Windows = windows(LIVE_FINALITY);
        /// What checks cost, how often they happen, and what is lost.
        #[codec(index = 1)]
        pub static ProtocolRates: Rates = RATES;
    }
}

/// The longest of them.
#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
    fn default() -> Self {
        Self::Protocol(dynamic_params::protocol::Parameters::ProtocolWindows(
            ProtocolWindows,
            Some(windows(LIVE_FINALITY)),
        ))
    }
}

pub use dynamic_params::protocol::{ProtocolRates, ProtocolWindows};

/// One window or rate by itself, for a pallet that needs no other.
macro_rules! part {
    ($(#[$doc:meta])* $name:ident: $kind:ty = $whole:ident.$field:ident) => {
        $(#[$doc])*
        pub struct $name;

        impl Get<$kind> for $name {
            fn get() -> $kind {
                $whole::get().$field
            }
        }
    };
}

part!(
    /// Blocks until a block is final.
    FinalityAllowance: BlockNumber = ProtocolWindows.finality_allowance
);
part!(
    /// The part of the bond that is locked behind a job, and that a falsehood costs.
    FalsehoodSlash: Permill = ProtocolRates.falsehood_slash
);
part!(
    /// The part of the bond that silence costs.
    SilenceSlash: Permill = ProtocolRates.silence_slash
);
part!(
    /// The most that silence costs.
    SilenceCap: Balance = ProtocolRates.silence_cap
);

/// Refuses windows and rates that cannot work together, with what this runtime accepts.
///
/// # Errors
///
/// The first reason found.
pub fn check(windows: &Windows, rates: &Rates) -> Result<(), Unworkable> {
    let largest = Inference::largest();
    windows.check(&largest)?;
    rates.check()?;
    if windows.longest_life(&largest) >= UNBONDING_DELAY {
        return Err(Unworkable::BondsLeaveTooEarly);
    }
    Ok(())
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

    /// What the chain starts with; without one, the defaults.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The windows.
        pub windows: Option<Windows>,
        /// The rates.
        pub rates: Option<Rates>,
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let windows = self.windows.unwrap_or_else(|| windows(LIVE_FINALITY));
            let rates = self.rates.unwrap_or(RATES);
            assert_eq!(
                check(&windows, &rates),
                Ok(()),
                "these windows and rates cannot work"
            );
            let set = |parameter: RuntimeParameters| {
                use frame_support::traits::dynamic_params::AggregatedKeyValue;
                let (key, value) = parameter.into_parts();
                Parameters::<T>::set(key, value);
            };
            if self.windows.is_some() {
                set(RuntimeParameters::Protocol(
                    dynamic_params::protocol::Parameters::ProtocolWindows(
                        ProtocolWindows,
                        self.windows,
                    ),
                ));
            }
            if self.rates.is_some() {
                set(RuntimeParameters::Protocol(
                    dynamic_params::protocol::Parameters::ProtocolRates(ProtocolRates, self.rates),
                ));
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert_eq!(check(&windows(LIVE_FINALITY), &RATES), Ok(()), "live");
            assert_eq!(check(&windows(0), &RATES), Ok(()), "development");
        }
    }
}
