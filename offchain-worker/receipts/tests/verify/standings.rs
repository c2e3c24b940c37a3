//! Where a receipt stands, and files that say it falsely.

use crate::world::{
    account, hot_key, signed, voucher_key, AccountBytes, World, CLAIM, GENESIS, N, PAYER, SESSION,
    WORKER,
};
use noema_claims::{ClaimFault, ClaimOutcome, ClaimStage, SeatState, Verification};
use noema_protocol::{CheckpointId, Job, RequestId, SamplingParameters, SessionId};
use noema_receipts::{ReceiptError, ReceiptFile, Standing};
use noema_sessions::{AnswerEnd, SessionReceipt, Stage};
use sp_core::{Pair, H256};

const OTHER: AccountBytes = [77; 32];

#[test]
fn a_signed_receipt_is_its_workers() {
    let world = World::new();
    let verified = world.verify(&world.bare()).expect("it is true");
    assert_eq!(verified.standing, Standing::Signed);
    assert!(verified.is_of_hot_key);
    assert_eq!((verified.block, verified.genesis), (35, GENESIS));
    assert_eq!(
        (verified.terms.payer, verified.terms.worker),
        (PAYER, WORKER)
    );
    assert_eq!(verified.stage, Stage::Open { until: 200 });
}

#[test]
fn a_voucher_covers_a_receipt_that_is_not_claimed() {
    let world = World::new();
    let verified = world.verify(&world.file()).expect("it is true");
    let Standing::Paid(voucher) = verified.standing else {
        panic!("{verified:?}");
    };
    assert_eq!((voucher.count, voucher.amount), (3, 3 * 964));
}

#[test]
fn a_claim_covers_a_receipt_in_each_of_its_stages() {
    let verification = Verification::Confirmed;
    for stage in [
        ClaimStage::Undrawn,
        ClaimStage::Committing { until: 40 },
        ClaimStage::Challengeable {
            until: 60,
            verification,
        },
        ClaimStage::Ended(ClaimOutcome::Final(verification)),
        ClaimStage::Ended(ClaimOutcome::Fallen(ClaimFault::FalseLeaf(N))),
    ] {
        let mut world = World::claimed();
        world.claim().claim.stage = stage;
        let verified = world.verify(&world.file()).expect("it is true");
        let Standing::Claimed(claim) = verified.standing else {
            panic!("{verified:?}");
        };
        assert_eq!((claim.claim, claim.stage), (CLAIM, stage));
        assert_eq!((claim.leaf, claim.leaves, claim.drawn), (N, 3, 1));
        assert_eq!(claim.seats, [([4; 32], SeatState::Confirmed)]);
        assert_eq!((claim.made_at, claim.stake, claim.disputes), (30, 3_000, 0));
    }
}

#[test]
fn every_answer_of_a_claim_has_its_place() {
    let world = World::claimed();
    for n in 0..3 {
        let mut file = ReceiptFile::of(world.answers[n].clone(), &[]);
        file.add_claim(CLAIM, 0, &world.hashes());
        let verified = world.verify(&file).expect("it is true");
        assert!(!verified.is_of_hot_key);
        let Standing::Claimed(claim) = verified.standing else {
            panic!("{verified:?}");
        };
        assert_eq!(claim.leaf as usize, n);
    }
}

#[test]
fn a_claim_that_the_file_does_not_show_is_asked_for() {
    let world = World::claimed();
    let mut file = world.file();
    file.claim = None;
    let refused = ReceiptError::ClaimNotShown {
        session: SESSION,
        n: N,
    };
    assert_eq!(world.verify(&file), Err(refused));
}

#[test]
fn records_that_were_removed_are_named() {
    let mut world = World::claimed();
    let file = world.file();
    world.claim = None;
    assert_eq!(world.verify(&file), Err(ReceiptError::NoClaim(CLAIM)));
    world.session = None;
    assert_eq!(world.verify(&file), Err(ReceiptError::NoSession(SESSION)));
    let mut world = World::new();
    world.session().seed = None;
    assert_eq!(world.verify(&file), Err(ReceiptError::NoSession(SESSION)));
}

#[test]
fn a_claim_of_others_covers_nothing() {
    type Change = fn(&mut World);
    let changes: [Change; 7] = [
        |world| world.claim().job = Job::Session(SessionId(5), 0),
        |world| world.claim().job = Job::Request(RequestId(SESSION.0)),
        |world| world.claim().claim.terms.claimant = OTHER,
        |world| world.claim().claim.terms.payer = OTHER,
        |world| world.claim().claim.terms.checkpoint = CheckpointId(H256::zero()),
        |world| world.claim().claim.terms.root = H256::repeat_byte(1),
        |world| world.claim().claim.terms.leaves = 5,
    ];
    for change in changes {
        let mut world = World::claimed();
        let file = world.file();
        change(&mut world);
        assert_eq!(world.verify(&file), Err(ReceiptError::OtherClaim(CLAIM)));
    }
}

#[test]
fn a_path_that_was_changed_leads_nowhere() {
    let world = World::claimed();
    let mut file = world.file();
    let part = file.claim.as_mut().expect("a claim");
    part.path.swap(0, 1);
    assert_eq!(world.verify(&file), Err(ReceiptError::OtherClaim(CLAIM)));
    let world = World::new();
    let mut file = world.file();
    let part = file.voucher.as_mut().expect("a voucher");
    part.path.pop();
    assert_eq!(world.verify(&file), Err(ReceiptError::OtherVoucher));
}

#[test]
fn a_voucher_of_others_covers_nothing() {
    let world = World::new();
    let resign = |file: &mut ReceiptFile, signer: &sp_core::sr25519::Pair| {
        let part = file.voucher.as_mut().expect("a voucher");
        let payload = part.signed.voucher.payload();
        part.signed.signature = signer.sign(payload.as_bytes()).0;
    };
    let mut file = world.file();
    resign(&mut file, &hot_key());
    assert_eq!(world.verify(&file), Err(ReceiptError::UnsignedVoucher));
    type Change = fn(&mut noema_sessions::Voucher);
    let changes: [(Change, ReceiptError); 5] = [
        (|it| it.genesis = H256::zero(), ReceiptError::OtherVoucher),
        (|it| it.session = SessionId(5), ReceiptError::OtherVoucher),
        (|it| it.terms = H256::zero(), ReceiptError::OtherVoucher),
        (|it| it.count = 0, ReceiptError::OtherVoucher),
        (|it| it.amount = 1, ReceiptError::UnsignedVoucher),
    ];
    for (change, refused) in changes {
        let mut file = world.file();
        change(&mut file.voucher.as_mut().expect("a voucher").signed.voucher);
        assert_eq!(world.verify(&file), Err(refused.clone()));
        // The voucher key can sign anything, but not for another session.
        resign(&mut file, &voucher_key());
        let again = world.verify(&file);
        assert_eq!(again.is_ok(), refused == ReceiptError::UnsignedVoucher);
    }
}

#[test]
fn anyone_can_sign_and_only_the_worker_is_believed() {
    let mut world = World::new();
    let mut file = world.bare();
    file.signed.signature[0] ^= 1;
    assert_eq!(world.verify(&file), Err(ReceiptError::WrongSignature));
    let mut file = world.bare();
    file.key = None;
    assert_eq!(world.verify(&file), Err(ReceiptError::UnknownKey));
    // A stranger's key signs the same receipt.
    let mut file = world.bare();
    file.key = Some(account(&voucher_key()));
    file.signed.signature = voucher_key().sign(file.hash().as_bytes()).0;
    assert_eq!(world.verify(&file), Err(ReceiptError::UnknownKey));
    world.controller = OTHER;
    assert_eq!(world.verify(&world.bare()), Err(ReceiptError::UnknownKey));
    // What the payer signed stands without the worker's key.
    let verified = world.verify(&world.file()).expect("a voucher");
    assert!(!verified.is_of_hot_key);
}

#[test]
fn a_receipt_of_another_chain_or_session_is_refused() {
    let mut world = World::new();
    world.genesis = H256::zero();
    let refused = Err(ReceiptError::OtherTerms(SESSION));
    assert_eq!(world.verify(&world.bare()), refused);
    let mut world = World::new();
    world.session().payer = OTHER;
    assert_eq!(world.verify(&world.bare()), refused);
}

#[test]
fn other_tokens_are_refused() {
    let world = World::claimed();
    let mut file = world.file();
    file.answer[3] ^= 1;
    assert_eq!(
        world.verify(&file),
        Err(ReceiptError::OtherTokens("answer"))
    );
    let mut file = world.file();
    file.prompt.push(1);
    assert_eq!(
        world.verify(&file),
        Err(ReceiptError::OtherTokens("prompt"))
    );
}

#[test]
fn each_field_that_follows_from_the_session_is_verified() {
    type Change = fn(&mut SessionReceipt);
    let changes: [(Change, &str); 9] = [
        (
            |it| it.checkpoint = CheckpointId(H256::zero()),
            "checkpoint",
        ),
        (|it| it.first = 2, "first answer"),
        (|it| it.seed = H256::zero(), "seed"),
        (|it| it.n = 2, "seed"),
        (|it| it.parameters.top_p_milli = 0, "sampling parameters"),
        (
            |it| it.parameters = SamplingParameters::greedy(7),
            "number of tokens",
        ),
        (|it| it.parameters = SamplingParameters::greedy(9), "end"),
        (|it| it.price += 1, "price"),
        (|it| it.cached_tokens = 21, "price"),
    ];
    for (change, field) in changes {
        let world = World::new();
        let mut file = world.bare();
        let mut receipt = file.signed.receipt;
        change(&mut receipt);
        file.signed = signed(receipt);
        assert_eq!(world.verify(&file), Err(ReceiptError::FalseField(field)));
    }
    // An answer that the payer ended may be shorter.
    let world = World::new();
    let mut file = world.bare();
    let mut receipt = file.signed.receipt;
    receipt.parameters = SamplingParameters::greedy(9);
    receipt.end = AnswerEnd::ByPayer;
    file.signed = signed(receipt);
    assert!(world.verify(&file).is_ok());
}

#[test]
fn a_receipt_that_is_not_in_the_claim_is_refused_even_with_the_workers_signature() {
    let world = World::claimed();
    let mut file = world.file();
    let mut receipt = file.signed.receipt;
    receipt.hidden_root = H256::zero();
    file.signed = signed(receipt);
    assert_eq!(world.verify(&file), Err(ReceiptError::OtherClaim(CLAIM)));
}
