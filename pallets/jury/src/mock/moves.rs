//! Actions of accounts and blocks in tests.

use super::{
    challenge, hit, key, next_relay_block, AccountId, Jury, RuntimeEvent, RuntimeOrigin, System,
    Test, CHALLENGER, CLAIM,
};
use crate::{DisputeOf, DisputeStage, Event, OpenDisputes};
use frame_support::{
    assert_ok, pallet_prelude::DispatchResult, traits::Hooks, weights::WeightMeter,
};
use noema_protocol::{
    hashing::{blake2_256, verdict_commitment},
    Verdict,
};
use sp_core::H256;

/// The leaf of most tests.
pub(crate) const LEAF: u32 = 5;

/// Opens the dispute of a test, in a block where validators can be drawn.
pub(crate) fn open() {
    challenge(CLAIM, LEAF, CHALLENGER);
}

/// The dispute of a test. Panics where it is over.
pub(crate) fn dispute() -> DisputeOf<Test> {
    Jury::dispute(CLAIM, LEAF).expect("the dispute is open")
}

pub(crate) fn is_open() -> bool {
    OpenDisputes::<Test>::contains_key(CLAIM, LEAF)
}

/// The jurors of the sitting jury.
pub(crate) fn jurors() -> Vec<AccountId> {
    let dispute = dispute();
    let jurors = dispute.sitting().jurors().iter();
    jurors.map(|juror| juror.account).collect()
}

/// The last block of the present stage.
pub(crate) fn until() -> u32 {
    match dispute().stage {
        DisputeStage::Committing { until }
        | DisputeStage::Revealing { until }
        | DisputeStage::Appealable { until } => until,
        stage => panic!("{stage:?} has no last block"),
    }
}

/// Executes the next block.
pub(crate) fn block() {
    block_with(&mut WeightMeter::new());
}

/// Executes the next block with the weight of `meter` for its turns.
pub(crate) fn block_with(meter: &mut WeightMeter) {
    assert_eq!(Jury::audit(), Ok(()));
    let now = System::block_number() + 1;
    System::set_block_number(now);
    Jury::on_initialize(now);
    next_relay_block();
    Jury::on_poll(now, meter);
    assert_eq!(Jury::audit(), Ok(()));
}

/// Executes blocks until the last one of the present stage.
pub(crate) fn go_to_deadline() {
    while System::block_number() < until() {
        block();
    }
}

/// Executes blocks until the dispute of a test reaches another stage, or is over.
pub(crate) fn next_stage() {
    let before = dispute().stage;
    for _ in 0..100 {
        block();
        if !is_open() || dispute().stage != before {
            return;
        }
    }
    panic!("the stage {before:?} does not end");
}

pub(crate) fn salt(juror: AccountId) -> H256 {
    blake2_256(&juror.to_le_bytes())
}

pub(crate) fn commitment(juror: AccountId, verdict: Verdict) -> H256 {
    verdict_commitment(CLAIM, LEAF, &juror, verdict, salt(juror))
}

/// The hot key of a juror commits to a verdict.
pub(crate) fn commit(juror: AccountId, verdict: Verdict) -> DispatchResult {
    let origin = RuntimeOrigin::signed(key(juror));
    Jury::commit_verdict(origin, CLAIM, LEAF, commitment(juror, verdict))
}

/// The hot key of a juror reveals a verdict.
pub(crate) fn reveal(juror: AccountId, verdict: Verdict) -> DispatchResult {
    let origin = RuntimeOrigin::signed(key(juror));
    Jury::reveal_verdict(origin, CLAIM, LEAF, verdict, salt(juror))
}

pub(crate) fn appeal(who: AccountId) -> DispatchResult {
    Jury::appeal(RuntimeOrigin::signed(who), CLAIM, LEAF)
}

/// The sitting jury commits and reveals, each juror the verdict that `verdict` returns, or none.
pub(crate) fn hear(verdict: impl Fn(usize, AccountId) -> Option<Verdict>) {
    let said: Vec<_> = jurors()
        .into_iter()
        .enumerate()
        .filter_map(|(index, juror)| Some((juror, verdict(index, juror)?)))
        .collect();
    for (juror, verdict) in &said {
        assert_ok!(commit(*juror, *verdict));
    }
    next_stage();
    for (juror, verdict) in &said {
        assert_ok!(reveal(*juror, *verdict));
    }
    if !said.is_empty() {
        next_stage();
    }
}

/// Opens a dispute and draws its first jury: three validators with a seat each.
pub(crate) fn open_and_draw() {
    open();
    hit(10..13);
    next_stage();
}

/// Draws a second jury: five other validators with a seat each.
pub(crate) fn draw_second() {
    hit(13..18);
    next_stage();
}

/// Lets the first jury decide.
pub(crate) fn decide_first(verdict: Verdict) {
    open_and_draw();
    hear(|_, _| Some(verdict));
}

/// The pallet's events, the oldest first.
pub(crate) fn events() -> Vec<Event<Test>> {
    let records = System::events();
    records
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Jury(event) => Some(event),
            _ => None,
        })
        .collect()
}
