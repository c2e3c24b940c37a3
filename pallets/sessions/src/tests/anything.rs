//! After any sequence of actions, sessions end and the records agree.

use crate::mock::*;
use noema_interfaces::Operators as _;
use noema_protocol::SessionId;
use noema_sessions::{Stage, Voucher};
use proptest::prelude::*;

/// An action of a test.
#[derive(Clone, Copy, Debug)]
enum Move {
    Open(u8),
    TopUp(u16),
    Answer(u16),
    Claim(u8),
    CloseByPayer,
    CloseByWorker,
    Challenge(u8),
    Blocks(u32),
}

fn moves() -> impl Strategy<Value = Vec<(u64, Move)>> {
    let step = prop_oneof![
        2 => any::<u8>().prop_map(Move::Open),
        1 => any::<u16>().prop_map(Move::TopUp),
        8 => (1..50u16).prop_map(Move::Answer),
        4 => any::<u8>().prop_map(Move::Claim),
        1 => Just(Move::CloseByPayer),
        1 => Just(Move::CloseByWorker),
        1 => any::<u8>().prop_map(Move::Challenge),
        6 => (1..6u32).prop_map(Move::Blocks),
    ];
    prop::collection::vec((0..3u64, step), 1..50)
}

/// The sides of a session, where it has a seed.
fn take(id: SessionId, step: Move, sides: &mut Vec<(SessionId, Sides)>) {
    let Some(kept) = crate::Sessions::<Test>::get(id) else {
        if let Move::Open(worker) = step {
            let worker = [None, Some(WORKER), Some(OTHER_WORKER)][usize::from(worker % 3)];
            let _ = open_with(worker, HELD);
        }
        return;
    };
    let worker = kept.worker.unwrap_or(WORKER);
    if kept.seed.is_some() && !sides.iter().any(|(other, _)| *other == id) {
        sides.push((id, Sides::of(id)));
    }
    let side = sides.iter_mut().find(|(other, _)| *other == id);
    match step {
        Move::Open(_) => {}
        Move::TopUp(amount) => {
            let origin = RuntimeOrigin::signed(PAYER);
            let _ = frame_support::storage::with_storage_layer(|| {
                Sessions::top_up(origin, id, amount.into())
            });
        }
        Move::Answer(tokens) => {
            if let Some((_, side)) = side
                && side.payer.paid() + 2_000 < HELD / 2
            {
                side.answer(tokens);
            }
        }
        Move::Claim(how) => {
            let Some((_, side)) = side else { return };
            let Some(right) = side.payer.last_voucher() else {
                return;
            };
            let voucher = match how % 4 {
                0 => Voucher {
                    amount: right.amount.saturating_mul(how.into()),
                    ..right
                },
                _ => right,
            };
            if dispatch(claim_call(&voucher), key(worker)).is_ok() {
                // The next answer begins a bundle.
                let _ = side.worker.close_last();
                side.worker.set_claimed(voucher.count);
            }
        }
        Move::CloseByPayer => drop(close(id, PAYER)),
        Move::CloseByWorker => {
            if close(id, key(worker)).is_err() {
                let _ = end(id, key(worker));
            }
        }
        Move::Challenge(leaf) => {
            for (_, open) in crate::OpenClaims::<Test>::iter_prefix(id) {
                let origin = RuntimeOrigin::signed(STRANGER);
                let _ = frame_support::storage::with_storage_layer(|| {
                    Claims::challenge(origin, open.claim, u32::from(leaf) % open.leaves)
                });
            }
        }
        Move::Blocks(count) => blocks(count),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_session_ends_and_nothing_is_created(steps in moves(), salt in any::<u64>()) {
        Salt::set(salt);
        new_test_ext().execute_with(|| {
            let issued = Balances::total_issuance();
            let mut sides = Vec::new();
            for (id, step) in steps {
                take(SessionId(id), step, &mut sides);
                audit();
                assert!(Balances::total_issuance() <= issued);
            }
            for id in 0..crate::NextSession::<Test>::get().0 {
                let _ = close(SessionId(id), PAYER);
            }
            for _ in 0..40 {
                blocks(10);
                audit();
            }
            let left: Vec<_> = crate::Sessions::<Test>::iter_values()
                .filter(|session| !matches!(session.account.stage, Stage::Ended(_)))
                .collect();
            assert_eq!(left, [], "all sessions ended");
            assert_eq!(crate::Sessions::<Test>::iter().count(), 0, "and were removed");
            assert_eq!(kept_claims(), 0, "and so were their claims");
            assert_eq!(crate::Agenda::<Test>::iter().count(), 0);
            assert_eq!(held(PAYER), 0);
            assert!(Operators::jobs(&WORKER).is_empty());
            assert!(Operators::jobs(&OTHER_WORKER).is_empty());
        });
    }
}
