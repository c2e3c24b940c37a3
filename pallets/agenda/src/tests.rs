use super::{charge_recorded_proof, Agenda, Costs};
use frame_support::{
    pallet_prelude::{OptionQuery, ValueQuery},
    storage_alias,
    weights::{Weight, WeightMeter},
    Twox64Concat,
};
use proptest::prelude::*;
use sp_io::TestExternalities;
use sp_trie::proof_size_extension::{
    ProofSizeExt, RecordedProofSizeEstimations, ReplayProofSizeProvider,
};

#[storage_alias]
type Turns = StorageDoubleMap<Mock, Twox64Concat, u32, Twox64Concat, u64, (), OptionQuery>;

#[storage_alias]
type Cursor = StorageValue<Mock, u32, ValueQuery>;

type Book = Agenda<Turns, Cursor>;

fn taken(now: u32, budget: u32) -> Vec<u64> {
    let mut turns = Book::take_due(now, budget);
    turns.sort_unstable();
    turns
}

fn run(test: impl FnOnce()) {
    TestExternalities::default().execute_with(test);
}

/// The charge for a hook that consumes 500 bytes of proof and 7 picoseconds, where the proof has these sizes
/// before and after.
fn charged(sizes: Option<[u32; 2]>) -> Weight {
    let mut externalities = TestExternalities::default();
    if let Some(sizes) = sizes {
        let sizes = RecordedProofSizeEstimations::from(sizes.to_vec());
        let provider = ReplayProofSizeProvider::from_recorded(sizes);
        externalities.register_extension(ProofSizeExt::new(provider));
    }
    externalities.execute_with(|| {
        let mut meter = WeightMeter::with_limit(Weight::from_parts(1_000, 1_000));
        charge_recorded_proof(&mut meter, |meter| {
            meter.consume(Weight::from_parts(7, 500));
        });
        meter.consumed()
    })
}

#[test]
fn a_hook_is_charged_what_the_proof_grew_by() {
    assert_eq!(charged(Some([100, 130])), Weight::from_parts(7, 30));
    assert_eq!(charged(Some([100, 100])), Weight::from_parts(7, 0));
    assert_eq!(charged(Some([100, 700])), Weight::from_parts(7, 600));
    assert_eq!(
        charged(Some([100, 9_000])),
        Weight::from_parts(7, 1_000),
        "no more steps than there are turns"
    );
}

#[test]
fn a_hook_is_charged_what_it_was_estimated_to_prove_where_no_proof_is_recorded() {
    assert_eq!(charged(None), Weight::from_parts(7, 500));
}

#[test]
fn a_turn_is_taken_once_in_its_block() {
    run(|| {
        assert_eq!(Book::insert(1, 3, &7u64), 3);
        assert_eq!(taken(1, 9), [0u64; 0]);
        assert_eq!(taken(2, 9), [0u64; 0]);
        assert!(Book::contains(3, &7u64));
        assert_eq!(taken(3, 9), [7]);
        assert!(!Book::contains(3, &7u64));
        assert_eq!(taken(4, 9), [0u64; 0]);
        assert_eq!(Turns::iter().count(), 0);
    });
}

#[test]
fn a_turn_for_a_block_that_was_left_comes_in_the_next() {
    run(|| {
        assert_eq!(taken(5, 9), [0u64; 0]);
        assert_eq!(Book::insert(5, 2, &1u64), 6);
        assert_eq!(Book::insert(5, 5, &2u64), 6);
        assert_eq!(taken(6, 9), [1, 2]);
    });
}

#[test]
fn a_block_is_left_once_all_of_its_turns_are_taken() {
    run(|| {
        assert_eq!(taken(5, 9), [0u64; 0]);
        assert_eq!(Cursor::get(), 0, "an agenda begins with its first turn");
        Book::insert(5, 6, &1u64);
        assert_eq!(taken(5, 9), [0u64; 0]);
        assert_eq!(Cursor::get(), 6);
        assert_eq!(taken(6, 1), [1]);
        assert_eq!(
            Cursor::get(),
            6,
            "with the budget spent it is unknown whether more are left"
        );
        assert_eq!(taken(6, 1), [0u64; 0]);
        assert_eq!(Cursor::get(), 7);
    });
}

/// The turns of one block are taken in one iteration, whatever `take` removes and enters meanwhile.
#[test]
fn many_turns_of_one_block_are_taken_each_once() {
    run(|| {
        for turn in 0u64..500 {
            Book::insert(1, 2, &turn);
        }
        let costs = Costs {
            heaviest: Weight::from_parts(10, 0),
            skip: Weight::from_parts(1, 0),
        };
        // Room for leaving block 1, and for 400 turns.
        let mut meter = WeightMeter::with_limit(Weight::from_parts(4_001, 0));
        let mut taken = Vec::new();
        let mut take = |turn: u64| {
            // One that is still to come is removed, and one is entered for the next block.
            if turn.is_multiple_of(10) {
                Book::remove(2, &(turn + 1));
                Book::insert(2, 2, &(1_000 + turn));
            }
            taken.push(turn);
            Weight::from_parts(10, 0)
        };
        Book::take_turns(2, &mut meter, costs, u32::MAX, &mut take);
        assert_eq!(meter.remaining(), Weight::zero());
        let mut meter = WeightMeter::new();
        Book::take_turns(2, &mut meter, costs, u32::MAX, &mut take);
        let mut unique = taken.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), taken.len());
        assert!(taken.iter().all(|turn| *turn < 500));
        assert!(taken.len() >= 450);
        assert_eq!(Turns::iter().count(), 50);
        assert_eq!(Cursor::get(), 3);
    });
}

#[test]
fn a_turn_that_is_removed_is_not_taken() {
    run(|| {
        Book::insert(1, 2, &1u64);
        Book::insert(1, 2, &2u64);
        Book::remove(2, &1u64);
        Book::remove(2, &3u64);
        assert_eq!(taken(2, 9), [2]);
    });
}

#[test]
fn what_exceeds_the_budget_is_taken_later_and_first() {
    run(|| {
        for turn in 0u64..5 {
            Book::insert(1, 2, &turn);
        }
        Book::insert(1, 3, &9u64);
        assert_eq!(taken(1, 9), [0u64; 0]);
        let mut all = taken(2, 2);
        assert_eq!(all.len(), 2);
        let next = taken(3, 2);
        assert!(!next.contains(&9), "block 2 comes first");
        all.extend(next);
        // The last turn of block 2, and a step to leave it.
        all.extend(taken(3, 2));
        assert_eq!(taken(3, 2), [9]);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn without_a_budget_nothing_is_taken_and_nothing_lost() {
    run(|| {
        Book::insert(1, 2, &1u64);
        assert_eq!(taken(9, 0), [0u64; 0]);
        assert_eq!(Cursor::get(), 1);
        assert_eq!(taken(9, 20), [1]);
        assert_eq!(Cursor::get(), 10);
    });
}

#[test]
fn many_empty_blocks_are_left_in_as_many_steps() {
    run(|| {
        Book::insert(1, 100, &1u64);
        assert_eq!(taken(100, 60), [0u64; 0]);
        assert_eq!(Cursor::get(), 61);
        assert_eq!(taken(100, 60), [1]);
        assert_eq!(Cursor::get(), 101);
    });
}

#[derive(Clone, Debug)]
enum Move {
    Insert { after: u32, turn: u64 },
    Remove { which: usize },
    Take { budget: u32 },
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0u32..6, 0u64..1000).prop_map(|(after, turn)| Move::Insert { after, turn }),
        1 => (0usize..40).prop_map(|which| Move::Remove { which }),
        3 => (0u32..6).prop_map(|budget| Move::Take { budget }),
    ]
}

proptest! {
    #[test]
    fn each_turn_is_taken_once_and_not_early(
        moves in prop::collection::vec(a_move(), 1..120),
    ) {
        TestExternalities::default().execute_with(|| {
            let mut now = 1;
            let mut entered: Vec<(u32, u64)> = Vec::new();
            let take = |now, budget, entered: &mut Vec<(u32, u64)>| {
                let turns: Vec<u64> = Book::take_due(now, budget);
                prop_assert!(turns.len() <= budget as usize);
                let mut last = 0;
                for turn in turns {
                    let found = entered
                        .iter()
                        .enumerate()
                        .filter(|(_, (_, other))| *other == turn)
                        .min_by_key(|(_, (at, _))| *at)
                        .map(|(index, _)| index);
                    prop_assert!(found.is_some(), "the turn was entered");
                    let (at, _) = entered.remove(found.unwrap());
                    prop_assert!(last <= at && at <= now);
                    last = at;
                }
                prop_assert!(entered.iter().all(|(at, _)| *at >= last));
                Ok(())
            };
            for a_move in moves {
                match a_move {
                    Move::Insert { after, turn } => {
                        let at = Book::insert(now, now + after, &turn);
                        if !entered.contains(&(at, turn)) {
                            entered.push((at, turn));
                        }
                    }
                    Move::Remove { which } if which < entered.len() => {
                        let (at, turn) = entered.remove(which);
                        Book::remove(at, &turn);
                    }
                    Move::Remove { .. } => {}
                    Move::Take { budget } => {
                        now += 1;
                        take(now, budget, &mut entered)?;
                    }
                }
            }
            take(now + 10, 10_000, &mut entered)?;
            prop_assert!(entered.is_empty());
            prop_assert_eq!(Turns::iter().count(), 0);
            Ok(())
        })?;
    }
}
