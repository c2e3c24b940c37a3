//! After any sequence of actions: every audit succeeds, no unit is created or lost except by burning, every
//! request ends, and requests with equal prices are assigned in order.

use crate::{mock::*, *};
use noema_claims::{ClaimOutcome, Verification};
use noema_protocol::{CheckpointId, RequestId, SamplingParameters};
use proptest::prelude::*;
use std::collections::BTreeSet;

const REQUESTERS: [AccountId; 2] = [1, 2];
const WORKERS: [AccountId; 4] = [10, 11, 12, 13];
const CHECKPOINTS: [CheckpointId; 2] = [CHECKPOINT, OTHER_CHECKPOINT];

#[derive(Clone, Debug)]
enum Move {
    Ask {
        who: usize,
        of: usize,
        tokens: u16,
        limit: Balance,
    },
    Cancel {
        which: usize,
        who: usize,
    },
    Answer {
        which: usize,
    },
    EndClaim {
        which: usize,
        outcome: ClaimOutcome,
    },
    List {
        who: usize,
        is_listed: bool,
    },
    Resume {
        who: usize,
    },
    Price {
        who: usize,
        price: Balance,
    },
    Room {
        room: u32,
    },
    Random {
        is_random: bool,
    },
    Wait {
        blocks: u32,
        relay_moves: bool,
    },
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        6 => (0..2usize, 0..2usize, 1u16..20, prop_oneof![Just(220 as Balance), Just(1_000)])
            .prop_map(|(who, of, tokens, limit)| Move::Ask { who, of, tokens, limit }),
        1 => (0..50usize, 0..2usize).prop_map(|(which, who)| Move::Cancel { which, who }),
        6 => (0..50usize).prop_map(|which| Move::Answer { which }),
        4 => (0..50usize, an_outcome())
            .prop_map(|(which, outcome)| Move::EndClaim { which, outcome }),
        2 => (0..4usize, prop::bool::weighted(0.7))
            .prop_map(|(who, is_listed)| Move::List { who, is_listed }),
        2 => (0..4usize).prop_map(|who| Move::Resume { who }),
        1 => (0..4usize, 5 as Balance..25).prop_map(|(who, price)| Move::Price { who, price }),
        1 => (1u32..4).prop_map(|room| Move::Room { room }),
        1 => prop::bool::weighted(0.8).prop_map(|is_random| Move::Random { is_random }),
        6 => (1u32..4, prop::bool::weighted(0.8))
            .prop_map(|(blocks, relay_moves)| Move::Wait { blocks, relay_moves }),
    ]
}

fn an_outcome() -> impl Strategy<Value = ClaimOutcome> {
    prop_oneof![
        4 => Just(TRUE),
        4 => Just(ClaimOutcome::Final(Verification::NotDrawn)),
        1 => Just(ClaimOutcome::Unconfirmed),
        1 => Just(FALSE),
    ]
}

/// Refused calls are ignored: only the audits matter here.
fn play(a_move: Move) {
    match a_move {
        Move::Ask {
            who,
            of,
            tokens,
            limit,
        } => {
            let parameters = SamplingParameters::greedy(tokens);
            let _ = ask_of(REQUESTERS[who], CHECKPOINTS[of], PROMPT, parameters, limit);
        }
        Move::Cancel { which, who } => {
            let id = RequestId(which as u64);
            let _ = cancel(REQUESTERS[who], id);
        }
        Move::Answer { which } => {
            let open = assigned();
            if let Some(id) = open.get(which % open.len().max(1)) {
                let worker = worker_of(*id).expect("a worker has the request");
                let _ = submit(*id, worker, TOKENS, TEXT, receipt(*id));
            }
        }
        Move::EndClaim { which, outcome } => {
            let open = open_claims();
            let validators: &[_] = if outcome == TRUE { &[20, 21] } else { &[] };
            if let Some(id) = open.get(which % open.len().max(1)) {
                end_claim_with(*id, outcome, validators);
            }
        }
        Move::List { who, is_listed } => set_listed(WORKERS[who], is_listed),
        Move::Resume { who } => resume(WORKERS[who]),
        Move::Price { who, price } => set_prices(WORKERS[who], price),
        Move::Room { room } => set_rules(|rules| rules.room = room),
        Move::Random { is_random } => set_random(is_random),
        Move::Wait {
            blocks,
            relay_moves,
        } => {
            for _ in 0..blocks {
                if relay_moves {
                    next_block();
                } else {
                    next_block_on_the_same_relay_block();
                }
            }
        }
    }
}

/// The sum of all tokens.
fn wealth() -> Balance {
    let accounts = REQUESTERS.into_iter().chain(WORKERS).chain([20, 21]);
    accounts
        .map(|account| free(account) + on_hold(account))
        .chain(WORKERS.map(bond))
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_books_agree_and_everything_ends(
        salt: u64,
        moves in prop::collection::vec(a_move(), 1..100),
    ) {
        let ext = TestExt::new().salt(salt).endow(1).endow(2).endow(20).endow(21);
        ext.workers(WORKERS).execute_with(|| {
            add_checkpoint(OTHER_CHECKPOINT, LIMITS);
            add_worker(12, OTHER_CHECKPOINT, BOND);
            add_worker(13, OTHER_CHECKPOINT, BOND);
            let issuance = Balances::total_issuance();
            prop_assert_eq!(wealth(), issuance);
            let mut storage = 0;
            for a_move in moves {
                play(a_move);
                assert_books_agree();
                prop_assert_eq!(wealth(), Balances::total_issuance());
            }
            for request in Requests::<Test>::iter_values() {
                storage += request.storage_burned;
            }
            prop_assert!(issuance - Balances::total_issuance() >= storage);

            // Open requests end without further actions: claims are decided, other requests are missed or
            // expire.
            set_random(true);
            audit_every(10);
            set_rules(|rules| rules.room = 2);
            for _ in 0..200 {
                for claim in open_claims() {
                    end_claim(claim, TRUE);
                }
                next_block();
            }
            prop_assert_eq!(Requests::<Test>::iter().count(), 0, "all are pruned");
            prop_assert_eq!(Prompts::<Test>::iter().count(), 0);
            prop_assert_eq!(Answers::<Test>::iter().count(), 0);
            prop_assert_eq!(Queue::<Test>::iter().count(), 0);
            prop_assert_eq!(Deadlines::<Test>::iter().count(), 0);
            let next = NextRequestId::<Test>::get();
            let state = PruningState::<Test>::get();
            prop_assert_eq!((state.bodies, state.records, state.late), (next, next, 0));
            prop_assert_eq!(LateRequests::<Test>::iter().count(), 0);
            prop_assert!(WORKERS.iter().all(|worker| load(*worker) == Load::default()));
            prop_assert!(Searches::<Test>::iter_values().all(|search| search.fruitless == 0));
            prop_assert!(WORKERS.iter().all(|worker| locks(*worker).is_empty()));
            prop_assert_eq!(on_hold(1) + on_hold(2), 0);
            prop_assert_eq!(wealth(), Balances::total_issuance());
            Ok(())
        })?;
    }

    #[test]
    fn requests_with_equal_prices_are_assigned_in_the_order_in_which_they_were_made(
        salt: u64,
        plays in prop::collection::vec((0u32..4, prop::collection::vec(0usize..50, 0..4)), 1..45),
    ) {
        let ext = TestExt::new().salt(salt).endow(1).workers([10, 11]);
        ext.execute_with(|| {
            audit_every(10);
            let mut asked = Vec::new();
            let mut given = BTreeSet::new();
            for (questions, answers) in plays {
                for _ in 0..questions {
                    asked.push(ask(1));
                }
                let before: BTreeSet<_> = asked
                    .iter()
                    .copied()
                    .filter(|id| Requests::<Test>::get(id).is_some_and(|request| {
                        request.phase == RequestPhase::Waiting
                    }))
                    .collect();
                next_block();
                let now: Vec<_> = assigned().into_iter().filter(|id| before.contains(id)).collect();
                // The assigned requests are the first of the waiting ones.
                let first: Vec<_> = before.iter().copied().take(now.len()).collect();
                prop_assert_eq!(&now, &first);
                given.extend(now);
                for which in answers {
                    let open = assigned();
                    if let Some(id) = open.get(which % open.len().max(1)) {
                        end_claim(answer(*id), TRUE);
                    }
                }
                for worker in [10, 11] {
                    resume(worker);
                }
            }
            prop_assert!(given.iter().all(|id| asked.contains(id)));
            Ok(())
        })?;
    }
}
