use crate::{
    mock::*, AuditFailure, AuditReport, Canonical, Checkpoints as Records, Families, FamilyNames,
    Holders, Holding, NextFamily,
};
use frame_support::assert_ok;
use noema_protocol::FamilyId;

#[test]
fn lineage_reaches_back_to_the_first() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(ALICE, 1, None);
        canonical(1);
        checkpoint(ALICE, 2, Some(1));
        canonical(2);
        checkpoint(ALICE, 3, Some(2));
        checkpoint(ALICE, 4, Some(1));
        assert_eq!(Checkpoints::lineage(id(3)), vec![id(3), id(2), id(1)]);
        assert_eq!(Checkpoints::lineage(id(4)), vec![id(4), id(1)]);
        assert_eq!(Checkpoints::lineage(id(9)), vec![]);
    });
}

#[test]
fn lineage_is_bounded() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(ALICE, 1, None);
        for n in 2..=6 {
            canonical(n - 1);
            checkpoint(ALICE, n, Some(n - 1));
        }
        assert_eq!(
            Checkpoints::lineage(id(6)),
            vec![id(6), id(5), id(4), id(3)]
        );
        assert_eq!(
            Checkpoints::checkpoint(id(6))
                .expect("registered")
                .generation,
            5
        );
    });
}

#[test]
fn audit_sums_the_deposits() {
    test(|| {
        family(ALICE, "SmolLM2");
        checkpoint(ALICE, 1, None);
        canonical(1);
        checkpoint(BOB, 2, Some(1));
        let report = AuditReport {
            families: 1,
            checkpoints: 2,
            deposits: FAMILY_DEPOSIT + 2 * CHECKPOINT_DEPOSIT,
        };
        assert_eq!(Checkpoints::audit(), Ok(report));
    });
}

#[test]
fn audit_finds_what_is_wrong() {
    let after = |corrupt: fn()| {
        new_test_ext().execute_with(|| {
            family(ALICE, "SmolLM2");
            checkpoint(ALICE, 1, None);
            canonical(1);
            checkpoint(ALICE, 2, Some(1));
            corrupt();
            Checkpoints::audit().expect_err("the state was corrupted")
        })
    };
    fn change(n: u8, change: fn(&mut crate::CheckpointOf<Test>)) {
        Records::<Test>::mutate(id(n), |record| change(record.as_mut().expect("registered")));
    }
    assert_eq!(
        after(|| change(2, |r| r.deposit += 1)),
        AuditFailure::DepositNotHeld
    );
    assert_eq!(
        after(|| change(2, |r| r.generation = 7)),
        AuditFailure::WrongGeneration
    );
    assert_eq!(
        after(|| change(2, |r| r.parent = Some(id(9)))),
        AuditFailure::BrokenLineage
    );
    assert_eq!(
        after(|| {
            canonical(2);
            change(1, |r| r.was_canonical = false);
        }),
        AuditFailure::ParentNeverCanonical
    );
    assert_eq!(
        after(|| {
            canonical(2);
            change(2, |r| r.was_canonical = false);
        }),
        AuditFailure::CanonicalNotActive
    );
    assert_eq!(
        after(|| change(2, |r| r.limits.tokens_per_byte = 0)),
        AuditFailure::NoRoom
    );
    assert_eq!(
        after(|| change(2, |r| r.limits.vocabulary += 1)),
        AuditFailure::LimitsDiffer
    );
    assert_eq!(
        after(|| change(2, |r| r.children = 1)),
        AuditFailure::WrongCount
    );
    assert_eq!(
        after(|| Families::<Test>::remove(LLAMA)),
        AuditFailure::BrokenLineage
    );
    assert_eq!(
        after(|| NextFamily::<Test>::put(LLAMA)),
        AuditFailure::FamilyNotCounted
    );
    assert_eq!(
        after(|| FamilyNames::<Test>::insert(text("x"), FamilyId(8))),
        AuditFailure::NameNotIndexed
    );
    assert_eq!(
        after(|| Canonical::<Test>::insert(FamilyId(8), id(1))),
        AuditFailure::CanonicalNotActive
    );
    assert_eq!(
        after(|| {
            let holding = Holding {
                holder: ALICE,
                blob: BLOB,
            };
            assert_ok!(Holders::<Test>::try_append(id(9), holding));
        }),
        AuditFailure::WrongHolders
    );
}
