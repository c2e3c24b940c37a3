//! Units of money and of time, and the limits of a block.

use crate::{Balance, BlockNumber};
use frame_support::weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight};

/// Decimals of the token.
pub const DECIMALS: u8 = 12;
/// One NOEMA.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a NOEMA.
pub const MILLIUNIT: Balance = UNIT / 1_000;
/// A millionth of a NOEMA.
pub const MICROUNIT: Balance = UNIT / 1_000_000;
/// The least balance that keeps an account alive.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLIUNIT;

/// The deposit for an entry of `items` values and `bytes` bytes in the state.
pub const fn deposit(items: u32, bytes: u32) -> Balance {
    items as Balance * 100 * MILLIUNIT + bytes as Balance * MILLIUNIT
}

/// The most that is ever minted beyond the genesis supply: a thousand million NOEMA.
pub const SUBSIDY_POOL: Balance = 1_000_000_000 * UNIT;
/// Epochs, of a day each, after which the subsidy halves: four years.
pub const EPOCHS_PER_ERA: u32 = 4 * 365 + 1;

/// The address prefix: the generic one, until the network has its own.
pub const SS58_PREFIX: u16 = 42;
/// The parachain's id, defined only here; nodes read it through `GetParachainInfo`.
pub const PARA_ID: u32 = 2_026;

/// Length of a slot of the relay chain, in milliseconds.
pub const RELAY_SLOT_MILLIS: u32 = 6_000;
/// Length of an Aura slot, in milliseconds: within one, one collator authors all blocks.
pub const SLOT_MILLIS: u64 = RELAY_SLOT_MILLIS as u64;
/// Most blocks per slot of the relay chain: one for each core.
pub const BLOCKS_PER_SLOT: u32 = 3;
/// Most blocks that may wait for their inclusion by the relay chain.
pub const UNINCLUDED_BLOCKS: u32 = 10;
/// The planned time between two blocks, on which deadlines are based, in milliseconds.
pub const BLOCK_MILLIS: u64 = SLOT_MILLIS / BLOCKS_PER_SLOT as u64;
/// A minute, in blocks.
pub const MINUTES: BlockNumber = (60_000 / BLOCK_MILLIS) as BlockNumber;
/// An hour, in blocks.
pub const HOURS: BlockNumber = 60 * MINUTES;
/// A day, in blocks.
pub const DAYS: BlockNumber = 24 * HOURS;

/// Most work in a block: two seconds, and the proof that the relay chain accepts.
pub const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(
    WEIGHT_REF_TIME_PER_SECOND.saturating_mul(2),
    cumulus_primitives_core::relay_chain::MAX_POV_SIZE as u64,
);
/// Longest block, in bytes.
pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;
