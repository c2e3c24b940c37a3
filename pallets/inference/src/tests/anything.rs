//! Whatever anybody does, in whatever order: the books agree after every block, no unit is created
//! or lost but what burns, and every request ends within a bounded number of blocks.

use crate::{mock::*, *};
use noema_protocol::RequestId;
use proptest::prelude::*;

/// More than the longest way through all phases: expiry, two attempts, two draws, an objection, a
/// dispute; and as much again, because full blocks push turns back.
const LONGEST: u32 = 200;

#[derive(Clone, Debug)]
enum Move {
    Ask { who: u64 },
    Cancel { which: u64, who: u64 },
    Answer { which: u64 },
    Commit { which: u64, who: u64, voice: Voice },
    Reveal { which: u64, who: u64, voice: Voice },
    Object { which: u64, who: u64, honest: bool },
    Live { who: u64, is_live: bool },
    Random { is_random: bool },
    Wait { blocks: u32 },
}

fn voice() -> impl Strategy<Value = Voice> {
    prop_oneof![
        4 => Just(Voice::Honest),
        1 => Just(Voice::Convicts),
        1 => Just(Voice::Lies),
        1 => Just(Voice::Lazy),
    ]
}

fn a_move() -> impl Strategy<Value = Move> {
    let which = 0u64..6;
    prop_oneof![
        3 => (1u64..3).prop_map(|who| Move::Ask { who }),
        1 => (which.clone(), 1u64..3).prop_map(|(which, who)| Move::Cancel { which, who }),
        4 => which.clone().prop_map(|which| Move::Answer { which }),
        6 => (which.clone(), 20u64..25, voice())
            .prop_map(|(which, who, voice)| Move::Commit { which, who, voice }),
        6 => (which.clone(), 20u64..25, voice())
            .prop_map(|(which, who, voice)| Move::Reveal { which, who, voice }),
        1 => (which, 20u64..25, any::<bool>())
            .prop_map(|(which, who, honest)| Move::Object { which, who, honest }),
        1 => (prop_oneof![10u64..12, 20u64..25], any::<bool>())
            .prop_map(|(who, is_live)| Move::Live { who, is_live }),
        1 => prop::bool::weighted(0.8).prop_map(|is_random| Move::Random { is_random }),
        6 => (1u32..4).prop_map(|blocks| Move::Wait { blocks }),
    ]
}

/// What is refused is refused: only the books matter here.
fn play(a_move: Move) {
    match a_move {
        Move::Ask { who } => {
            ask(who);
        }
        Move::Cancel { which, who } => {
            let _ = Inference::cancel_request(RuntimeOrigin::signed(who), RequestId(which));
        }
        Move::Answer { which } => {
            let id = RequestId(which);
            let worker = Requests::<Test>::get(id)
                .and_then(|request| request.assignment)
                .map(|assignment| assignment.worker);
            if let Some(worker) = worker {
                let _ = submit(id, worker, TOKENS, TEXT, receipt(id));
            }
        }
        Move::Commit { which, who, voice } => {
            let _ = commit(RequestId(which), who, voice);
        }
        Move::Reveal { which, who, voice } => {
            let _ = reveal(RequestId(which), who, voice);
        }
        Move::Object { which, who, honest } => {
            let id = RequestId(which);
            let digest = if honest { digest(id) } else { WRONG_DIGEST };
            let _ = object(id, who, digest);
        }
        Move::Live { who, is_live } => set_live(who, is_live),
        Move::Random { is_random } => set_random(is_random),
        Move::Wait { blocks } => advance(blocks),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_books_agree_and_everything_ends(
        salt: u64,
        rate in prop_oneof![Just(0u32), Just(50), Just(100)],
        burned_share in prop_oneof![Just(0u32), Just(10), Just(90)],
        moves in prop::collection::vec(a_move(), 1..120),
    ) {
        TestExt::new()
            .salt(salt)
            .endow(1)
            .endow(2)
            .workers([10, 11])
            .validators(20..25)
            .execute_with(|| {
                MinCheckRate::set(noema_economics::Permill::from_percent(rate));
                BurnedShare::set(noema_economics::Permill::from_percent(burned_share));
                let bonds = || (10..12).chain(20..25).map(bond).sum::<Balance>();
                let issuance = Balances::total_issuance();
                let mut asked = 0;
                for a_move in moves {
                    // As many as the moves can name.
                    if matches!(a_move, Move::Ask { .. }) {
                        asked += 1;
                        if asked > 6 {
                            continue;
                        }
                    }
                    play(a_move);
                    prop_assert_eq!(Inference::audit(), Ok(()));
                }
                advance(LONGEST);
                prop_assert_eq!(LiveRequests::<Test>::get(), 0);
                prop_assert_eq!(Requests::<Test>::iter().count(), 0, "all are pruned");
                prop_assert_eq!(Agenda::<Test>::iter().count(), 0);
                prop_assert!((10..12).chain(20..25).all(|operator| engaged(operator) == 0));
                prop_assert_eq!(escrow(1) + escrow(2), 0);
                // What is missing burned: it came from bonds and payments, and everything else is
                // still there. No more work is noted than that.
                let burned = issuance - Balances::total_issuance();
                let accounts = [1, 2, PURSE].into_iter().chain(10..12).chain(20..25);
                let freely_held: Balance = accounts.map(free).sum();
                prop_assert_eq!(freely_held + bonds() + burned, issuance);
                let noted: u64 = work().iter().map(|(_, _, amount)| amount).sum();
                prop_assert!(Balance::from(noted) <= burned);
                Ok(())
            })?;
    }
}
