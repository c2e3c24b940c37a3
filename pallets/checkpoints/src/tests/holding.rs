use crate::{mock::*, Error, Event, Holding};
use frame_support::{assert_noop, assert_ok};
use pallet_duties::AsDuty;
use sp_core::H256;

fn is_duty(who: AccountId, n: u8) -> bool {
    let call = crate::Call::<Test>::announce_holding {
        checkpoint: id(n),
        blob: BLOB,
    };
    call.as_duty(&who, System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

fn holders() -> Vec<AccountId> {
    let holders = Checkpoints::holders(id(1)).into_iter();
    holders.map(|holding| holding.holder).collect()
}

fn story(run: impl FnOnce()) {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(ALICE, 1, None);
        (2..=5).for_each(Bonded::add);
        run();
    });
}

#[test]
fn announce_holding_lists_the_controller() {
    story(|| {
        assert_ok!(Checkpoints::announce_holding(signed(2), id(1), BLOB));
        assert_ok!(Checkpoints::announce_holding(
            signed(key_of(3)),
            id(1),
            BLOB
        ));
        assert_eq!(holders(), vec![2, 3]);
        System::assert_last_event(
            Event::HoldingAnnounced {
                checkpoint: id(1),
                holder: 3,
                blob: BLOB,
            }
            .into(),
        );
    });
}

#[test]
fn announce_holding_replaces_the_hash() {
    story(|| {
        assert_ok!(Checkpoints::announce_holding(signed(2), id(1), BLOB));
        let other = H256::repeat_byte(8);
        assert_ok!(Checkpoints::announce_holding(signed(2), id(1), other));
        let holding = Holding {
            holder: 2,
            blob: other,
        };
        assert_eq!(Checkpoints::holders(id(1)), vec![holding]);
        assert!(!is_duty(key_of(2), 1));
    });
}

#[test]
fn announce_holding_is_a_duty_of_a_key_with_news() {
    story(|| {
        assert!(is_duty(key_of(2), 1));
        assert!(!is_duty(2, 1));
        assert!(!is_duty(99, 1));
        assert!(!is_duty(key_of(2), 9));
        assert_ok!(Checkpoints::announce_holding(
            signed(key_of(2)),
            id(1),
            BLOB
        ));
        assert!(!is_duty(key_of(2), 1));
    });
}

#[test]
fn announce_holding_refuses_a_stranger() {
    story(|| {
        assert_noop!(
            Checkpoints::announce_holding(signed(ALICE), id(1), BLOB),
            Error::<Test>::NotAnOperator
        );
    });
}

#[test]
fn announce_holding_refuses_what_is_not_active() {
    story(|| {
        assert_noop!(
            Checkpoints::announce_holding(signed(2), id(9), BLOB),
            Error::<Test>::UnknownCheckpoint
        );
        assert_ok!(Checkpoints::withdraw_checkpoint(signed(ALICE), id(1)));
        assert_noop!(
            Checkpoints::announce_holding(signed(2), id(1), BLOB),
            Error::<Test>::Withdrawn
        );
        assert!(!is_duty(key_of(2), 1));
    });
}

#[test]
fn announce_holding_refuses_twice() {
    story(|| {
        assert_ok!(Checkpoints::announce_holding(signed(2), id(1), BLOB));
        assert_noop!(
            Checkpoints::announce_holding(signed(key_of(2)), id(1), BLOB),
            Error::<Test>::AlreadyHolding
        );
    });
}

#[test]
fn announce_holding_replaces_a_holder_that_is_no_longer_bonded() {
    story(|| {
        for controller in 2..=4 {
            assert_ok!(Checkpoints::announce_holding(
                signed(controller),
                id(1),
                BLOB
            ));
        }
        assert_noop!(
            Checkpoints::announce_holding(signed(5), id(1), BLOB),
            Error::<Test>::HoldersFull
        );
        assert!(!is_duty(key_of(5), 1));
        Bonded::remove(3);
        assert_eq!(holders(), vec![2, 4]);
        assert_ok!(Checkpoints::announce_holding(signed(5), id(1), BLOB));
        assert_eq!(holders(), vec![2, 4, 5]);
    });
}

#[test]
fn retract_holding_takes_the_announcement_back() {
    story(|| {
        assert_ok!(Checkpoints::announce_holding(signed(2), id(1), BLOB));
        assert_ok!(Checkpoints::retract_holding(signed(key_of(2)), id(1)));
        assert!(holders().is_empty());
        System::assert_last_event(
            Event::HoldingRetracted {
                checkpoint: id(1),
                holder: 2,
            }
            .into(),
        );
    });
}

#[test]
fn retract_holding_refuses_what_was_not_announced() {
    story(|| {
        assert_noop!(
            Checkpoints::retract_holding(signed(2), id(1)),
            Error::<Test>::NotHolding
        );
    });
}
