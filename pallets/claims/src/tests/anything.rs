//! After any sequence of actions, claims end and the records agree.

use crate::{mock::*, HoldReason};
use noema_claims::Decision;
use noema_interfaces::Disputes;
use noema_protocol::ClaimId;
use proptest::prelude::*;

/// An action of a test.
#[derive(Clone, Copy, Debug)]
enum Move {
    Make,
    Blocks(u32),
    Commit(usize, bool),
    Reveal(usize),
    Challenge(usize),
    Decide(u8),
}

fn moves() -> impl Strategy<Value = Vec<(u64, Move)>> {
    let step = prop_oneof![
        2 => Just(Move::Make),
        6 => (1..4u32).prop_map(Move::Blocks),
        6 => (0..6usize, any::<bool>()).prop_map(|(seat, honest)| Move::Commit(seat, honest)),
        6 => (0..6usize).prop_map(Move::Reveal),
        2 => (0..8usize).prop_map(Move::Challenge),
        2 => (0..3u8).prop_map(Move::Decide),
    ];
    prop::collection::vec((0..4u64, step), 1..60)
}

fn take(id: ClaimId, step: Move) {
    let Some(info) = Claims::claim_info(id) else {
        return;
    };
    let seat = |index: usize| info.claim.seats.get(index).map(|seat| seat.validator);
    match step {
        Move::Make => drop(make(terms())),
        Move::Blocks(count) => blocks(count),
        Move::Commit(index, honest) => {
            let Some(validator) = seat(index) else { return };
            let commitment = match honest {
                true => commitment(id, validator, 0),
                false => Default::default(),
            };
            let origin = RuntimeOrigin::signed(key(validator));
            let _ = Claims::commit_check(origin, id, 0, commitment);
        }
        Move::Reveal(index) => {
            let Some(validator) = seat(index) else { return };
            let _ = dispatch(reveal_call(id, validator, 0), key(validator));
        }
        Move::Challenge(index) => {
            let who = seat(index).map_or(STRANGER, key);
            let _ = Claims::challenge(RuntimeOrigin::signed(who), id, 0);
        }
        Move::Decide(index) => {
            let decision = [Decision::True, Decision::False, Decision::Undecided][index as usize];
            Claims::conclude(id, 0, decision, &[VALIDATOR]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_claim_ends_and_nothing_is_created(steps in moves(), salt in any::<u64>()) {
        Salt::set(salt);
        new_test_ext().execute_with(|| {
            let issued = Balances::total_issuance();
            for (id, step) in steps {
                match step {
                    Move::Make => drop(frame_support::storage::with_storage_layer(|| make(terms()))),
                    _ => take(ClaimId(id), step),
                }
                assert_eq!(Claims::audit(), Ok(()));
                assert!(Balances::total_issuance() <= issued);
            }
            for round in 0..200 {
                for id in 0..crate::NextClaim::<Test>::get().0 {
                    take(ClaimId(id), Move::Decide((round % 2) as u8));
                }
                blocks(1);
            }
            Operators::audit().expect("the audit finds nothing");
            let mut kept = crate::Claims::<Test>::iter_values();
            assert!(kept.all(|kept| kept.claim.outcome().is_some()));
            assert_eq!(crate::Agenda::<Test>::iter().count(), 0);
            assert_eq!(held(PAYER, HoldReason::Payment), 0);
            assert_eq!(held(STRANGER, HoldReason::Challenge), 0);
            for controller in [WORKER].into_iter().chain(VALIDATOR..VALIDATOR + VALIDATORS) {
                use noema_interfaces::Operators as _;
                assert!(Operators::jobs(&controller).is_empty());
            }
        });
    }
}
