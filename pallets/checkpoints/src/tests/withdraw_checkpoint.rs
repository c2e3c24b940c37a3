use crate::{mock::*, Error, Event, HoldReason, Status};
use frame_support::{assert_noop, assert_ok};
use noema_interfaces::Checkpoints as _;

#[test]
fn withdraw_checkpoint_ends_its_use_but_not_its_record() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        Bonded::add(5);
        assert_ok!(Checkpoints::announce_holding(signed(5), id(1), BLOB));
        assert_ok!(Checkpoints::withdraw_checkpoint(signed(BOB), id(1)));
        assert_eq!(Checkpoints::active(&id(1)), None);
        assert!(Checkpoints::exists(&id(1)));
        assert_eq!(
            Checkpoints::checkpoint(id(1)).expect("kept").status,
            Status::Withdrawn
        );
        assert!(Checkpoints::holders(id(1)).is_empty());
        assert_eq!(held(HoldReason::CheckpointDeposit, BOB), CHECKPOINT_DEPOSIT);
        System::assert_last_event(
            Event::CheckpointWithdrawn {
                checkpoint: id(1),
                forced: false,
            }
            .into(),
        );
    });
}

#[test]
fn withdraw_checkpoint_obeys_the_force_origin() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_ok!(Checkpoints::withdraw_checkpoint(root(), id(1)));
        System::assert_last_event(
            Event::CheckpointWithdrawn {
                checkpoint: id(1),
                forced: true,
            }
            .into(),
        );
    });
}

#[test]
fn withdraw_checkpoint_refuses_others() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_noop!(
            Checkpoints::withdraw_checkpoint(signed(ALICE), id(1)),
            Error::<Test>::NotPublisher
        );
    });
}

#[test]
fn withdraw_checkpoint_refuses_the_canonical_one() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_ok!(Checkpoints::set_canonical(root(), LLAMA, id(1)));
        for origin in [signed(BOB), root()] {
            assert_noop!(
                Checkpoints::withdraw_checkpoint(origin, id(1)),
                Error::<Test>::IsCanonical
            );
        }
    });
}

#[test]
fn withdraw_checkpoint_refuses_twice_and_the_unknown() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_ok!(Checkpoints::withdraw_checkpoint(signed(BOB), id(1)));
        assert_noop!(
            Checkpoints::withdraw_checkpoint(signed(BOB), id(1)),
            Error::<Test>::Withdrawn
        );
        assert_noop!(
            Checkpoints::withdraw_checkpoint(signed(BOB), id(2)),
            Error::<Test>::UnknownCheckpoint
        );
    });
}
