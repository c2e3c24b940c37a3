use crate::{
    mock::*, Architecture, AttentionWindow, Call, Error, Event, ExpertMixture, Families,
    FamilyNames, HoldReason, LayerPattern, NextFamily, Variant,
};
use codec::{Decode, Encode};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::FamilyId;
use sp_core::H256;
use sp_runtime::{BoundedVec, TokenError};

fn register(name: &str, architecture: Architecture) -> Result<(), sp_runtime::DispatchError> {
    Checkpoints::register_family(signed(ALICE), text(name), architecture, H256::zero(), 1, 2)
}

/// With these patterns of layers, of which one has a window of so many positions.
fn of_variant(
    unrotated: Option<LayerPattern>,
    window: Option<(u32, LayerPattern)>,
) -> Architecture {
    let window = window.map(|(positions, layers)| AttentionWindow { positions, layers });
    Architecture {
        variant: Variant {
            head_norms: true,
            unrotated,
            window,
            ..Variant::LLAMA
        },
        ..ARCHITECTURE
    }
}

/// With so many of eight experts for a position, in these layers.
fn of_experts(chosen: u32, layers: LayerPattern) -> Architecture {
    Architecture {
        variant: Variant {
            experts: Some(ExpertMixture {
                count: 8,
                chosen,
                width: 96,
                renormalised: true,
                layers,
            }),
            ..Variant::LLAMA
        },
        ..ARCHITECTURE
    }
}

#[test]
fn register_family_records_it_and_holds_the_deposit() {
    test(|| {
        family(ALICE, "SmolLM2");
        let record = Checkpoints::family(LLAMA).expect("registered");
        assert_eq!(record.architecture, ARCHITECTURE);
        assert_eq!((record.owner, record.deposit), (ALICE, FAMILY_DEPOSIT));
        assert_eq!((record.numerics_version, record.text_layer), (1, 2));
        assert_eq!(record.checkpoints, 0);
        assert_eq!(held(HoldReason::FamilyDeposit, ALICE), FAMILY_DEPOSIT);
        assert_eq!(NextFamily::<Test>::get(), FamilyId(1));
        System::assert_last_event(
            Event::FamilyRegistered {
                family: LLAMA,
                name: text("SmolLM2"),
                owner: ALICE,
            }
            .into(),
        );
    });
}

#[test]
fn register_family_refuses_a_name_in_use() {
    test(|| {
        family(BOB, "SmolLM2");
        assert_noop!(register("SmolLM2", ARCHITECTURE), Error::<Test>::NameTaken);
    });
}

#[test]
fn register_family_refuses_a_name_that_is_no_text() {
    test(|| {
        assert_noop!(register("", ARCHITECTURE), Error::<Test>::NameNotText);
        let name = BoundedVec::truncate_from(vec![0xff, 0xfe]);
        assert_noop!(
            Checkpoints::register_family(signed(ALICE), name, ARCHITECTURE, H256::zero(), 1, 2),
            Error::<Test>::NameNotText
        );
    });
}

#[test]
fn register_family_refuses_impossible_dimensions() {
    test(|| {
        let impossible = [
            Architecture {
                layers: 0,
                ..ARCHITECTURE
            },
            Architecture {
                context_length: 0,
                ..ARCHITECTURE
            },
            Architecture {
                kv_heads: 2,
                ..ARCHITECTURE
            },
            Architecture {
                head_dim: 63,
                ..ARCHITECTURE
            },
            of_variant(None, Some((0, LayerPattern::ALL))),
            of_variant(None, Some((128, LayerPattern::Every(31)))),
            of_variant(Some(LayerPattern::From(30)), None),
            of_experts(9, LayerPattern::Every(2)),
            of_experts(2, LayerPattern::Every(31)),
            // The width of dense layers, of which there are none.
            of_experts(2, LayerPattern::ALL),
        ];
        for architecture in impossible {
            assert_noop!(
                register("x", architecture),
                Error::<Test>::ArchitectureImpossible
            );
        }
    });
}

#[test]
fn families_that_differ_in_their_variant_have_other_records() {
    test(|| {
        let windowed = of_variant(
            Some(LayerPattern::Every(4)),
            Some((512, LayerPattern::ExceptEvery(6))),
        );
        family(ALICE, "Llama");
        assert_ok!(register("another", windowed));
        let recorded = |family| {
            Checkpoints::family(family)
                .expect("registered")
                .architecture
        };
        assert_eq!(recorded(LLAMA), ARCHITECTURE);
        assert_eq!(recorded(FamilyId(1)), windowed);
        let experts = of_experts(2, LayerPattern::Every(2));
        assert_ok!(register("with experts", experts));
        assert_eq!(recorded(FamilyId(2)), experts);
    });
}

#[test]
fn a_call_with_a_malformed_variant_is_not_decoded() {
    let call = |variant: &[u8]| {
        let call = Call::<Test>::register_family {
            name: text("x"),
            architecture: ARCHITECTURE,
            tokenizer_hash: H256::zero(),
            numerics_version: 1,
            text_layer: 2,
        };
        let mut bytes = call.encode();
        // The variant is the last of the architecture; after it come a hash and two numbers.
        let end = bytes.len() - 40;
        assert_eq!(bytes[end - 1..end], Variant::LLAMA.encode());
        bytes.splice(end - 1..end, variant.iter().copied());
        Call::<Test>::decode(&mut &bytes[..])
    };
    assert!(call(&[8, 0, 1]).is_ok());
    // In another order, twice, unknown, and more than there are.
    for variant in [
        &[8, 1, 0][..],
        &[8, 0, 0],
        &[4, 200],
        &[40, 0, 1, 4, 5, 6, 7, 0, 1, 4, 5],
    ] {
        assert!(call(variant).is_err(), "{variant:?}");
    }
}

#[test]
fn register_family_refuses_an_account_without_the_deposit() {
    test(|| {
        assert_noop!(
            Checkpoints::register_family(signed(99), text("x"), ARCHITECTURE, H256::zero(), 1, 2),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn register_family_refuses_when_numbers_run_out() {
    test(|| {
        NextFamily::<Test>::put(FamilyId(u32::MAX));
        assert_noop!(register("x", ARCHITECTURE), Error::<Test>::CountOverflow);
    });
}

#[test]
fn remove_family_releases_the_deposit_and_frees_the_name() {
    test(|| {
        family(ALICE, "SmolLM2");
        assert_ok!(Checkpoints::remove_family(signed(ALICE), LLAMA));
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT);
        assert_eq!(
            Families::<Test>::iter().count() + FamilyNames::<Test>::iter().count(),
            0
        );
        System::assert_last_event(Event::FamilyRemoved { family: LLAMA }.into());
        family(ALICE, "SmolLM2");
        assert_eq!(NextFamily::<Test>::get(), FamilyId(2));
    });
}

#[test]
fn remove_family_refuses_one_in_use() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(BOB, 1, None);
        assert_noop!(
            Checkpoints::remove_family(signed(ALICE), LLAMA),
            Error::<Test>::FamilyInUse
        );
    });
}

#[test]
fn remove_family_refuses_others_and_the_unknown() {
    test(|| {
        family(ALICE, "SmolLM2");
        assert_noop!(
            Checkpoints::remove_family(signed(BOB), LLAMA),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Checkpoints::remove_family(signed(ALICE), FamilyId(7)),
            Error::<Test>::UnknownFamily
        );
    });
}
