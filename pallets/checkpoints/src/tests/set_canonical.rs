use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::FamilyId;
use sp_runtime::DispatchError::BadOrigin;

#[test]
fn set_canonical_moves_forward_and_back() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        checkpoint(BOB, 2, None);
        let mut previous = None;
        for n in [1, 2, 1] {
            let checkpoint = id(n);
            assert_ok!(Checkpoints::set_canonical(root(), LLAMA, checkpoint));
            assert_eq!(Checkpoints::canonical(LLAMA), Some(checkpoint));
            System::assert_last_event(
                Event::CanonicalSet {
                    family: LLAMA,
                    previous,
                    checkpoint,
                }
                .into(),
            );
            previous = Some(checkpoint);
        }
    });
}

#[test]
fn set_canonical_refuses_everyone_but_its_origin() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(ALICE, 1, None);
        assert_noop!(
            Checkpoints::set_canonical(signed(ALICE), LLAMA, id(1)),
            BadOrigin
        );
    });
}

#[test]
fn set_canonical_refuses_what_is_not_active_in_the_family() {
    test(|| {
        family(ALICE, "SmolLM2");
        family(ALICE, "Other");
        checkpoint(BOB, 1, None);
        assert_noop!(
            Checkpoints::set_canonical(root(), FamilyId(7), id(1)),
            Error::<Test>::UnknownFamily
        );
        assert_noop!(
            Checkpoints::set_canonical(root(), FamilyId(1), id(1)),
            Error::<Test>::OfOtherFamily
        );
        assert_noop!(
            Checkpoints::set_canonical(root(), LLAMA, id(9)),
            Error::<Test>::UnknownCheckpoint
        );
        assert_ok!(Checkpoints::withdraw_checkpoint(signed(BOB), id(1)));
        assert_noop!(
            Checkpoints::set_canonical(root(), LLAMA, id(1)),
            Error::<Test>::Withdrawn
        );
    });
}

#[test]
fn set_canonical_refuses_what_is_canonical_already() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_ok!(Checkpoints::set_canonical(root(), LLAMA, id(1)));
        assert_noop!(
            Checkpoints::set_canonical(root(), LLAMA, id(1)),
            Error::<Test>::IsCanonical
        );
    });
}
