use crate::{mock::*, Error, Event, HoldReason, Provenance, Status, TokenBounds, Weights};
use frame_support::{assert_noop, assert_ok};
use noema_interfaces::{Checkpoints as _, Lineage as _, Trained};
use noema_protocol::{FamilyId, ModelLimits, RoundId};
use sp_core::H256;
use sp_runtime::TokenError;

#[test]
fn register_checkpoint_records_it_and_holds_the_deposit() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        let record = Checkpoints::checkpoint(id(1)).expect("registered");
        assert_eq!(
            (record.family, record.parent, record.generation),
            (LLAMA, None, 0)
        );
        assert_eq!(
            (record.weights.root, record.weights.bytes),
            (H256::repeat_byte(7), 544)
        );
        let source_hash = H256::repeat_byte(8);
        assert_eq!(record.provenance, Provenance::Imported { source_hash });
        assert_eq!(
            (record.publisher, record.status),
            (Some(BOB), Status::Active)
        );
        assert_eq!(held(HoldReason::CheckpointDeposit, BOB), CHECKPOINT_DEPOSIT);
        System::assert_last_event(
            Event::CheckpointRegistered {
                checkpoint: id(1),
                family: LLAMA,
                parent: None,
                publisher: Some(BOB),
            }
            .into(),
        );
    });
}

#[test]
fn register_checkpoint_makes_it_active_with_its_limits() {
    test(|| {
        family(ALICE, "SmolLM2");
        assert_eq!(Checkpoints::active(&id(1)), None);
        assert!(!Checkpoints::exists(&id(1)));
        checkpoint(ALICE, 1, None);
        let limits = ModelLimits {
            context_length: 2_048,
            vocabulary: 49_152,
            tokens_per_byte: 1,
            template_tokens: 40,
        };
        assert_eq!(Checkpoints::active(&id(1)), Some(limits));
        assert!(Checkpoints::exists(&id(1)));
    });
}

#[test]
fn register_checkpoint_continues_the_lineage_of_its_parent() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(ALICE, 1, None);
        canonical(1);
        checkpoint(BOB, 2, Some(1));
        assert_eq!(
            Checkpoints::checkpoint(id(2))
                .expect("registered")
                .generation,
            1
        );
        assert_eq!(
            Checkpoints::checkpoint(id(1)).expect("registered").children,
            1
        );
    });
}

#[test]
fn register_checkpoint_refuses_a_second_time() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(ALICE, 1, None);
        assert_noop!(
            try_checkpoint(BOB, LLAMA, 1, None),
            Error::<Test>::AlreadyRegistered
        );
    });
}

#[test]
fn register_checkpoint_refuses_an_unknown_family() {
    test(|| {
        assert_noop!(
            try_checkpoint(BOB, FamilyId(3), 1, None),
            Error::<Test>::UnknownFamily
        );
    });
}

#[test]
fn register_checkpoint_refuses_parents_outside_the_family() {
    test(|| {
        family(ALICE, "SmolLM2");
        family(ALICE, "Other");
        checkpoint(ALICE, 1, None);
        assert_noop!(
            try_checkpoint(BOB, LLAMA, 2, Some(9)),
            Error::<Test>::UnknownParent
        );
        assert_noop!(
            try_checkpoint(BOB, FamilyId(1), 2, Some(1)),
            Error::<Test>::ParentOfOtherFamily
        );
        assert_noop!(
            try_checkpoint(BOB, LLAMA, 2, Some(2)),
            Error::<Test>::UnknownParent
        );
    });
}

#[test]
fn register_checkpoint_refuses_empty_weights_and_licences() {
    test(|| {
        family(ALICE, "SmolLM2");
        let (zero, origin) = (H256::zero(), || signed(ALICE));
        assert_noop!(
            Checkpoints::register_checkpoint(
                origin(),
                id(1),
                LLAMA,
                None,
                Weights {
                    root: zero,
                    bytes: 0,
                },
                TOKENS,
                text("MIT"),
                zero
            ),
            Error::<Test>::NoWeights
        );
        assert_noop!(
            Checkpoints::register_checkpoint(
                origin(),
                id(1),
                LLAMA,
                None,
                Weights {
                    root: zero,
                    bytes: 544,
                },
                TOKENS,
                text(""),
                zero
            ),
            Error::<Test>::LicenceNotText
        );
    });
}

#[test]
fn register_checkpoint_refuses_bounds_that_leave_no_room_for_an_answer() {
    test(|| {
        family(ALICE, "SmolLM2");
        let refused = |tokens_per_byte, template_tokens| {
            let tokens = TokenBounds {
                tokens_per_byte,
                template_tokens,
            };
            assert_noop!(
                try_bounded(BOB, LLAMA, 1, None, tokens),
                Error::<Test>::NoRoomForAnswer
            );
        };
        refused(0, 40);
        refused(1, 2_047);
        refused(2_048, 0);
        refused(u32::MAX, u32::MAX);
        let tightest = TokenBounds {
            tokens_per_byte: 1,
            template_tokens: 2_046,
        };
        assert_ok!(try_bounded(BOB, LLAMA, 1, None, tightest));
        let limits = Checkpoints::active(&id(1)).expect("active");
        assert!(limits.fits(1, 1) && !limits.fits(1, 2));
    });
}

#[test]
fn a_trained_checkpoint_has_the_limits_of_its_parent() {
    test(|| {
        family(ALICE, "SmolLM2");
        let tokens = TokenBounds {
            tokens_per_byte: 3,
            template_tokens: 70,
        };
        assert_ok!(try_bounded(BOB, LLAMA, 1, None, tokens));
        canonical(1);
        assert_ok!(extend(1, 2, 0));
        assert_eq!(Checkpoints::active(&id(2)), Checkpoints::active(&id(1)));
    });
}

/// Has a round of training record a checkpoint.
fn extend(parent: u8, n: u8, round: u64) -> Result<(), sp_runtime::DispatchError> {
    Checkpoints::extend(id(parent), id(n), H256::zero(), trained(round))
}

fn trained(round: u64) -> Trained {
    Trained {
        round: RoundId(round),
        dataset: H256::zero(),
        masters_root: H256::zero(),
        contributions: 1,
        parent_loss: 2,
        loss: 1,
        tokens: 1,
    }
}

#[test]
fn what_was_never_canonical_has_no_descendants() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_noop!(
            try_checkpoint(BOB, LLAMA, 2, Some(1)),
            Error::<Test>::ParentNeverCanonical
        );
        canonical(1);
        checkpoint(BOB, 2, Some(1));
        // A checkpoint that was once canonical stays in the lineage.
        canonical(2);
        checkpoint(BOB, 3, Some(1));
        // A checkpoint that a round made has no descendants before it is canonical, so it can be discarded.
        assert_ok!(extend(2, 4, 0));
        assert_noop!(
            try_checkpoint(BOB, LLAMA, 5, Some(4)),
            Error::<Test>::ParentNeverCanonical
        );
        Checkpoints::discard(id(4), RoundId(0));
        assert_eq!(Checkpoints::checkpoint(id(4)), None);
    });
}

#[test]
fn what_an_account_published_gives_way_to_a_round_and_costs_it_nothing() {
    test(|| {
        family(ALICE, "SmolLM2");
        family(ALICE, "Other");
        checkpoint(ALICE, 1, None);
        canonical(1);
        Bonded::add(5);
        // Registered falsely in another family, then correctly, and then withdrawn.
        assert_ok!(try_checkpoint(BOB, FamilyId(1), 2, None));
        checkpoint(BOB, 3, Some(1));
        checkpoint(BOB, 4, None);
        assert_ok!(Checkpoints::announce_holding(signed(5), id(2), BLOB));
        assert_ok!(Checkpoints::withdraw_checkpoint(signed(BOB), id(4)));
        assert_eq!(
            held(HoldReason::CheckpointDeposit, BOB),
            3 * CHECKPOINT_DEPOSIT
        );
        for n in [2, 3, 4] {
            assert_ok!(extend(1, n, n.into()));
            let record = Checkpoints::checkpoint(id(n)).expect("recorded");
            assert_eq!((record.family, record.parent), (LLAMA, Some(id(1))));
            assert_eq!(record.provenance, Provenance::Trained(trained(n.into())));
            assert_eq!((record.publisher, record.deposit), (None, 0));
            assert_eq!(record.status, Status::Active);
            assert!(Checkpoints::holders(id(n)).is_empty());
        }
        assert_eq!(Balances::free_balance(BOB), ENDOWMENT);
        assert_eq!(
            Checkpoints::family(FamilyId(1)).expect("kept").checkpoints,
            0
        );
    });
}

#[test]
fn neither_what_was_canonical_nor_what_another_round_made_gives_way() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(ALICE, 1, None);
        canonical(1);
        checkpoint(BOB, 2, Some(1));
        canonical(2);
        for n in [1, 2] {
            assert_noop!(extend(2, n, 0), Error::<Test>::AlreadyRegistered);
        }
        assert_ok!(extend(2, 3, 0));
        assert_noop!(extend(2, 3, 1), Error::<Test>::AlreadyRegistered);
        // A round discards only its own checkpoint.
        Checkpoints::discard(id(3), RoundId(1));
        Checkpoints::discard(id(2), RoundId(0));
        for n in [2, 3] {
            assert!(Checkpoints::exists(&id(n)));
        }
    });
}

#[test]
fn register_checkpoint_refuses_an_account_without_the_deposit() {
    test(|| {
        family(ALICE, "SmolLM2");
        assert_noop!(
            try_checkpoint(99, LLAMA, 1, None),
            TokenError::FundsUnavailable
        );
    });
}
