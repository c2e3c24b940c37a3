use crate::{mock::*, Error, Event, HoldReason, Provenance, Status};
use frame_support::assert_noop;
use noema_protocol::{
    interfaces::{Checkpoints as _, ModelLimits},
    FamilyId,
};
use sp_core::H256;
use sp_runtime::TokenError;

#[test]
fn register_checkpoint_should_record_it_and_hold_the_deposit() {
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
fn register_checkpoint_should_make_it_active_with_the_limits_of_its_family() {
    test(|| {
        family(ALICE, "SmolLM2");
        assert_eq!(Checkpoints::active(&id(1)), None);
        assert!(!Checkpoints::exists(&id(1)));
        checkpoint(ALICE, 1, None);
        let limits = ModelLimits {
            context_length: 2_048,
            vocabulary: 49_152,
        };
        assert_eq!(Checkpoints::active(&id(1)), Some(limits));
        assert!(Checkpoints::exists(&id(1)));
    });
}

#[test]
fn register_checkpoint_should_continue_the_lineage_of_its_parent() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(ALICE, 1, None);
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
fn register_checkpoint_should_refuse_a_second_time() {
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
fn register_checkpoint_should_refuse_an_unknown_family() {
    test(|| {
        assert_noop!(
            try_checkpoint(BOB, FamilyId(3), 1, None),
            Error::<Test>::UnknownFamily
        );
    });
}

#[test]
fn register_checkpoint_should_refuse_parents_outside_the_family() {
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
fn register_checkpoint_should_refuse_empty_weights_and_licences() {
    test(|| {
        family(ALICE, "SmolLM2");
        let (zero, origin) = (H256::zero(), || signed(ALICE));
        assert_noop!(
            Checkpoints::register_checkpoint(
                origin(),
                id(1),
                LLAMA,
                None,
                zero,
                0,
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
                zero,
                544,
                text(""),
                zero
            ),
            Error::<Test>::LicenceNotText
        );
    });
}

#[test]
fn register_checkpoint_should_refuse_whoever_cannot_pay_the_deposit() {
    test(|| {
        family(ALICE, "SmolLM2");
        assert_noop!(
            try_checkpoint(99, LLAMA, 1, None),
            TokenError::FundsUnavailable
        );
    });
}
