#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

extern crate alloc;

use alloc::vec::Vec;
use codec::FullCodec;
use core::marker::PhantomData;
use cumulus_primitives_storage_weight_reclaim::get_proof_size;
use frame_support::{
    storage::{IterableStorageDoubleMap, StorageDoubleMap, StorageValue},
    weights::{Weight, WeightMeter},
};
use sp_runtime::traits::AtLeast32BitUnsigned;

#[cfg(test)]
mod tests;

/// Has `step` consume the estimate of its proof from `meter`, then replaces the estimate by the growth of the
/// block's proof, smaller or larger. Where no proof is recorded, the estimate stands.
///
/// [`StorageWeightReclaim`] does the same for transactions. As there, values written without being read enter
/// the proof only at the end of the block, uncharged.
///
/// [`StorageWeightReclaim`]: https://docs.rs/cumulus-pallet-weight-reclaim
pub fn charge_recorded_proof<R>(
    meter: &mut WeightMeter,
    step: impl FnOnce(&mut WeightMeter) -> R,
) -> R {
    let (consumed, recorded) = (meter.consumed().proof_size(), get_proof_size());
    let result = step(meter);
    if let (Some(before), Some(after)) = (recorded, get_proof_size()) {
        let estimated = meter.consumed().proof_size().saturating_sub(consumed);
        let grown = after.saturating_sub(before);
        meter.reclaim_proof_size(estimated.saturating_sub(grown));
        let missing = Weight::from_parts(0, grown.saturating_sub(estimated));
        meter.consume(missing.min(meter.remaining()));
    }
    result
}

/// An agenda in two storage items: `Turns`, a double map from block and turn to `()`, and `Cursor`, the
/// first block that may have turns.
pub struct Agenda<Turns, Cursor>(PhantomData<(Turns, Cursor)>);

/// The weights of a pallet's turns.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// The most that a turn weighs.
    pub heaviest: Weight,
    /// The weight of leaving a block without turns.
    pub skip: Weight,
}

/// One step of a block.
enum Step<Turn> {
    /// Takes a turn.
    Turn(Turn),
    /// Leaves a block without turns.
    BlockLeft,
}

impl<Turns, Cursor> Agenda<Turns, Cursor> {
    /// Enters `turn` for block `at`, or for the block after `now` where `at` is not later. Returns the
    /// block for which it was entered, which [`Self::remove`] needs.
    ///
    /// `now` is the present block: [`Self::take_due`] may have left it, and a block that was left gets no
    /// turns.
    pub fn insert<Block, Turn>(now: Block, at: Block, turn: &Turn) -> Block
    where
        Block: AtLeast32BitUnsigned + FullCodec + Copy,
        Turn: FullCodec,
        Turns: StorageDoubleMap<Block, Turn, ()>,
        Cursor: StorageValue<Block, Query = Block>,
    {
        // An agenda begins with its first turn: no earlier block has any.
        if Cursor::get().is_zero() {
            Cursor::put(now.max(Block::one()));
        }
        let at = at.max(now.saturating_add(Block::one()));
        Turns::insert(at, turn, ());
        at
    }

    /// Removes `turn` of block `at`. Does nothing where there is none.
    pub fn remove<Block, Turn>(at: Block, turn: &Turn)
    where
        Block: FullCodec,
        Turn: FullCodec,
        Turns: StorageDoubleMap<Block, Turn, ()>,
    {
        Turns::remove(at, turn);
    }

    /// Whether `turn` is entered for block `at`.
    pub fn contains<Block, Turn>(at: Block, turn: &Turn) -> bool
    where
        Block: FullCodec,
        Turn: FullCodec,
        Turns: StorageDoubleMap<Block, Turn, ()>,
    {
        Turns::contains_key(at, turn)
    }

    /// Takes the remaining turns of block `now` and of those before it, in at most `most` steps and as long
    /// as `meter` has room for the heaviest. `take` returns the weight of a turn.
    pub fn take_turns<Block, Turn>(
        now: Block,
        meter: &mut WeightMeter,
        costs: Costs,
        most: u32,
        mut take: impl FnMut(Turn) -> Weight,
    ) where
        Block: AtLeast32BitUnsigned + FullCodec + Copy,
        Turn: FullCodec,
        Turns: IterableStorageDoubleMap<Block, Turn, ()>,
        Cursor: StorageValue<Block, Query = Block>,
    {
        let mut last = None;
        for _ in 0..most {
            if !meter.can_consume(costs.heaviest) {
                return;
            }
            let is_over = charge_recorded_proof(meter, |meter| {
                let weight = match Self::step(now, &mut last) {
                    Some(Step::Turn(turn)) => take(turn),
                    Some(Step::BlockLeft) => costs.skip,
                    None => return true,
                };
                meter.consume(weight);
                false
            });
            if is_over {
                return;
            }
        }
    }

    /// Takes the remaining turns of block `now` and of those before it, in at most `most` steps: one for each
    /// turn, and one for each block before `now`.
    pub fn take_due<Block, Turn>(now: Block, most: u32) -> Vec<Turn>
    where
        Block: AtLeast32BitUnsigned + FullCodec + Copy,
        Turn: FullCodec,
        Turns: IterableStorageDoubleMap<Block, Turn, ()>,
        Cursor: StorageValue<Block, Query = Block>,
    {
        let (mut last, mut taken) = (None, Vec::new());
        for _ in 0..most {
            match Self::step(now, &mut last) {
                Some(Step::Turn(turn)) => taken.push(turn),
                Some(Step::BlockLeft) => {}
                None => break,
            }
        }
        taken
    }

    /// The next step of block `now`; `None` where nothing is left to do. `last` is the key of the turn that was
    /// taken before it in this block. The iteration continues there: one from the first key would pass every
    /// turn that was taken before, and taking `n` turns would take time in proportion to `n²`.
    fn step<Block, Turn>(now: Block, last: &mut Option<Vec<u8>>) -> Option<Step<Turn>>
    where
        Block: AtLeast32BitUnsigned + FullCodec + Copy,
        Turn: FullCodec,
        Turns: IterableStorageDoubleMap<Block, Turn, ()>,
        Cursor: StorageValue<Block, Query = Block>,
    {
        let block = Cursor::get();
        if block.is_zero() || block > now {
            return None;
        }
        let turn = match last.take() {
            Some(key) => Turns::iter_key_prefix_from(block, key).next(),
            None => Turns::iter_key_prefix(block).next(),
        };
        match turn {
            Some(turn) => {
                *last = Some(Turns::hashed_key_for(block, &turn));
                Turns::remove(block, &turn);
                Some(Step::Turn(turn))
            }
            None => {
                Cursor::put(block.saturating_add(Block::one()));
                (block < now).then_some(Step::BlockLeft)
            }
        }
    }
}
