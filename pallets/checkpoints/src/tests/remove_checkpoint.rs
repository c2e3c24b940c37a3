use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};

#[test]
fn remove_checkpoint_releases_the_deposit() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_ok!(Checkpoints::withdraw_checkpoint(signed(BOB), id(1)));
        assert_ok!(Checkpoints::remove_checkpoint(signed(BOB), id(1)));
        assert_eq!(Balances::free_balance(BOB), ENDOWMENT);
        assert_eq!(Checkpoints::checkpoint(id(1)), None);
        assert_eq!(Checkpoints::family(LLAMA).expect("kept").checkpoints, 0);
        System::assert_last_event(Event::CheckpointRemoved { checkpoint: id(1) }.into());
    });
}

#[test]
fn remove_checkpoint_releases_the_deposit_of_the_publisher_when_forced() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_ok!(Checkpoints::withdraw_checkpoint(root(), id(1)));
        assert_ok!(Checkpoints::remove_checkpoint(root(), id(1)));
        assert_eq!(Balances::free_balance(BOB), ENDOWMENT);
    });
}

#[test]
fn remove_checkpoint_keeps_the_lineage_of_its_descendants() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        canonical(1);
        checkpoint(BOB, 2, Some(1));
        checkpoint(ALICE, 3, None);
        canonical(3);
        for n in [1, 2] {
            assert_ok!(Checkpoints::withdraw_checkpoint(signed(BOB), id(n)));
        }
        assert_noop!(
            Checkpoints::remove_checkpoint(signed(BOB), id(1)),
            Error::<Test>::HasDescendants
        );
        assert_ok!(Checkpoints::remove_checkpoint(signed(BOB), id(2)));
        assert_ok!(Checkpoints::remove_checkpoint(signed(BOB), id(1)));
    });
}

#[test]
fn remove_checkpoint_refuses_an_active_one() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_noop!(
            Checkpoints::remove_checkpoint(signed(BOB), id(1)),
            Error::<Test>::StillActive
        );
    });
}

#[test]
fn remove_checkpoint_refuses_others_and_the_unknown() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_noop!(
            Checkpoints::remove_checkpoint(signed(ALICE), id(1)),
            Error::<Test>::NotPublisher
        );
        assert_noop!(
            Checkpoints::remove_checkpoint(signed(ALICE), id(2)),
            Error::<Test>::UnknownCheckpoint
        );
    });
}
