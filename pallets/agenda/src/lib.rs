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
        for _ in 0..most {
            if !meter.can_consume(costs.heaviest) {
                return;
            }
            let is_over = charge_recorded_proof(meter, |meter| {
                let weight = match Self::step(now) {
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

    /// The next step of block `now`; `None` where nothing is left to do.
    fn step<Block, Turn>(now: Block) -> Option<Step<Turn>>
    where
        Block: AtLeast32BitUnsigned + FullCodec + Copy,
        Turn: FullCodec,
        Turns: IterableStorageDoubleMap<Block, Turn, ()>,
        Cursor: StorageValue<Block, Query = Block>,
    {
        match Self::take_due(now, 1).into_iter().next() {
            Some(turn) => Some(Step::Turn(turn)),
            None => (!Self::is_done(now)).then_some(Step::BlockLeft),
        }
    }

    /// Whether all turns of block `now` and of those before it are taken and the blocks before `now` left.
    fn is_done<Block>(now: Block) -> bool
    where
        Block: AtLeast32BitUnsigned + FullCodec,
        Cursor: StorageValue<Block, Query = Block>,
    {
        let next = Cursor::get();
        next.is_zero() || next > now
    }

    /// Takes the remaining turns of block `now` and of those before it, in at most `budget` steps: one for
    /// each turn, and one for each block before `now`.
    pub fn take_due<Block, Turn>(now: Block, budget: u32) -> Vec<Turn>
    where
        Block: AtLeast32BitUnsigned + FullCodec + Copy,
        Turn: FullCodec,
        Turns: IterableStorageDoubleMap<Block, Turn, ()>,
        Cursor: StorageValue<Block, Query = Block>,
    {
        let first = Cursor::get();
        if first.is_zero() {
            return Vec::new();
        }
        let (mut block, mut left) = (first, budget);
        let mut taken = Vec::new();
        while block <= now && left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX);
            // Removed after the iteration: an iterator over keys forbids changes while it runs.
            let turns: Vec<Turn> = Turns::iter_key_prefix(block).take(wanted).collect();
            for turn in &turns {
                Turns::remove(block, turn);
            }
            left = left.saturating_sub(u32::try_from(turns.len()).unwrap_or(u32::MAX));
            taken.extend(turns);
            // With the budget spent it is unknown whether the block has more.
            if left == 0 {
                break;
            }
            if block < now {
                left = left.saturating_sub(1);
            }
            block = block.saturating_add(Block::one());
        }
        if block != first {
            Cursor::put(block);
        }
        taken
    }
}
