//! Benchmarks of every call, and of each kind of step of a round, with the most participants of a round.

use super::*;
use alloc::{vec, vec::Vec};
use frame_benchmarking::{account, v2::*};
use frame_support::{
    traits::{EnsureOrigin, Get},
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use noema_economics::Permill;
use noema_interfaces::{Lineage, Operators};
use noema_protocol::{hashing, CheckpointId, FamilyId, Offence, Role, RoundId};
use noema_rounds::{
    CheckpointClaim, Contribution, Dataset, Finding, Losses, Phase, Rejection, RoundContext,
    RoundOutcome, RoundRules, RoundWindows, ScoreSheet, MAX_ASSIGNED_SHARDS, MAX_EVALUATION_SHARDS,
    MAX_SHARDS, MAX_TRAINERS, MAX_VALIDATORS,
};
use sp_core::H256;

type System<T> = frame_system::Pallet<T>;

const PARENT: CheckpointId = CheckpointId(H256::repeat_byte(1));
const SALT: H256 = H256::repeat_byte(2);

fn dataset() -> Dataset {
    Dataset {
        root: H256::repeat_byte(3),
        manifest: H256::repeat_byte(4),
        shards: MAX_SHARDS,
        shard_tokens: 1_000,
    }
}

fn rules<T: Config>() -> RoundRules<BlockNumberFor<T>> {
    let window = BlockNumberFor::<T>::from(10u32);
    RoundRules {
        windows: RoundWindows {
            registration: window,
            training: window,
            reveal: window,
            scoring: window,
            score_reveal: window,
            claim: window,
            objection: window,
            holding: window,
        },
        min_contributions: 2,
        validators: MAX_VALIDATORS - 1,
        shards_per_trainer: MAX_ASSIGNED_SHARDS,
        evaluation_shards: MAX_EVALUATION_SHARDS,
        max_update_bytes: 1_000,
        entries_per_chunk: 64,
        max_overlap: Permill::from_percent(50),
        min_holders: 2,
    }
}

fn longest<S: Get<u32>>() -> BoundedVec<u8, S> {
    BoundedVec::truncate_from(vec![b'x'; S::get() as usize])
}

fn start<T: Config>() -> (FamilyId, RoundId) {
    let family = T::Lineage::with_canonical(PARENT);
    Pallet::<T>::do_start_programme(family, dataset(), longest(), longest(), rules::<T>())
        .expect("the rules can be followed; qed");
    (family, open::<T>(family).id)
}

fn open<T: Config>(family: FamilyId) -> RoundOf<T> {
    Pallet::<T>::open_round(family).expect("a round is open; qed")
}

fn operator<T: Config>(role: Role, index: u32) -> (T::AccountId, T::AccountId) {
    let name = match role {
        Role::Trainer => "trainer",
        _ => "validator",
    };
    (account(name, index, 0), account(name, index, 1))
}

/// Registers and joins as many operators as a round can have, except for `left_out` of each role.
fn join<T: Config>(id: RoundId, left_out: u32) {
    for (role, most) in [
        (Role::Trainer, MAX_TRAINERS),
        (Role::Validator, MAX_VALIDATORS),
    ] {
        for index in 0..most {
            let (controller, key) = operator::<T>(role, index);
            let now = System::<T>::block_number();
            T::Operators::register(&controller, &key, role, &PARENT);
            // Resets the block number: registering may pass terms, which are longer than the round.
            System::<T>::set_block_number(now);
            if index < most - left_out {
                Pallet::<T>::do_join(key, id, role).expect("the round has room; qed");
            }
        }
    }
}

/// Ends the block, with randomness, and advances to the last block of the next phase.
fn step<T: Config>(id: RoundId) {
    let mut round = Rounds::<T>::get(id).expect("the round exists; qed");
    let effects = round.advance(&round_context::<T>());
    Pallet::<T>::apply_effects(&mut round, effects);
    if let Some(until) = round.phase.until() {
        System::<T>::set_block_number(until);
    }
    Rounds::<T>::insert(id, round);
}

fn round_context<T: Config>() -> RoundContext<BlockNumberFor<T>> {
    RoundContext {
        now: System::<T>::block_number(),
        randomness: Some(H256::repeat_byte(7)),
        parent_is_canonical: true,
        holders: 0,
    }
}

fn training<T: Config>(id: RoundId) {
    join::<T>(id, 0);
    let until = Rounds::<T>::get(id).and_then(|round| round.phase.until());
    System::<T>::set_block_number(until.expect("the round is open; qed"));
    step::<T>(id);
}

fn contribution(index: u32) -> Contribution {
    let mut update = H256::zero();
    update.0[..4].copy_from_slice(&index.to_le_bytes());
    Contribution {
        update,
        bytes: 1_000,
    }
}

fn commitment<T: Config>(id: RoundId, index: u32) -> H256 {
    let (controller, _) = operator::<T>(Role::Trainer, index);
    let Contribution { update, bytes } = contribution(index);
    hashing::contribution_commitment(id, &controller, update, bytes, SALT)
}

/// All but the last trainer commit, or reveal.
fn commit_all<T: Config>(id: RoundId, count: u32) {
    for index in 0..count {
        let (_, key) = operator::<T>(Role::Trainer, index);
        Pallet::<T>::do_commit_contribution(key, id, commitment::<T>(id, index))
            .expect("the phase is for commitments; qed");
    }
}

fn reveal_all<T: Config>(id: RoundId, count: u32) {
    for index in 0..count {
        let (_, key) = operator::<T>(Role::Trainer, index);
        Pallet::<T>::do_reveal_contribution(key, id, contribution(index), SALT)
            .expect("the phase is for reveals; qed");
    }
}

fn scoring<T: Config>(id: RoundId) {
    training::<T>(id);
    commit_all::<T>(id, MAX_TRAINERS);
    step::<T>(id);
    reveal_all::<T>(id, MAX_TRAINERS);
    step::<T>(id);
}

fn sheet(evaluation: u64) -> ScoreSheet {
    let finding = Finding::Scored {
        assigned: Losses {
            before: 1_000,
            after: 900,
        },
        evaluation,
    };
    ScoreSheet {
        parent: 1_000,
        findings: BoundedVec::truncate_from(vec![finding; MAX_TRAINERS as usize]),
    }
}

/// The hot keys of the seated validators, and the controller of each.
fn seated<T: Config>(id: RoundId) -> Vec<(T::AccountId, T::AccountId)> {
    let round = Rounds::<T>::get(id).expect("the round exists; qed");
    let heard: Vec<T::AccountId> = round.seats().map(|seat| seat.account.clone()).collect();
    (0..MAX_VALIDATORS)
        .map(|index| operator::<T>(Role::Validator, index))
        .filter(|(controller, _)| heard.contains(controller))
        .collect()
}

fn unheard<T: Config>(id: RoundId) -> T::AccountId {
    let heard = seated::<T>(id);
    (0..MAX_VALIDATORS)
        .map(|index| operator::<T>(Role::Validator, index))
        .find(|operator| !heard.contains(operator))
        .map(|(_, key)| key)
        .expect("one was not drawn; qed")
}

fn commit_scores<T: Config>(id: RoundId) {
    for (controller, key) in seated::<T>(id) {
        let commitment = hashing::score_commitment(id, &controller, &sheet(950), SALT);
        Pallet::<T>::do_commit_scores(key, id, commitment).expect("the phase is for scores; qed");
    }
}

fn score_revealing<T: Config>(id: RoundId) {
    scoring::<T>(id);
    commit_scores::<T>(id);
    step::<T>(id);
}

fn reveal_scores<T: Config>(id: RoundId) {
    for (_, key) in seated::<T>(id) {
        Pallet::<T>::do_reveal_scores(key, id, sheet(950), SALT)
            .expect("the scores were committed; qed");
    }
}

fn claiming<T: Config>(id: RoundId) {
    score_revealing::<T>(id);
    reveal_scores::<T>(id);
    step::<T>(id);
}

fn claim(byte: u8) -> CheckpointClaim {
    CheckpointClaim {
        checkpoint: CheckpointId(H256::repeat_byte(byte)),
        weights_root: H256::repeat_byte(byte),
        masters_root: H256::repeat_byte(byte),
        loss: 900,
    }
}

/// All seated validators except for the first claim.
fn objectable<T: Config>(id: RoundId) {
    claiming::<T>(id);
    for (_, key) in seated::<T>(id).into_iter().skip(1) {
        Pallet::<T>::do_claim(key, id, claim(9)).expect("the phase is for claims; qed");
    }
    step::<T>(id);
}

/// Advances to the phase in which operators hold the next checkpoint, which is recorded.
fn holding<T: Config>(id: RoundId) {
    objectable::<T>(id);
    step::<T>(id);
}

/// Closes as many rounds as are kept, each as large as the open one.
fn close_others<T: Config>(family: FamilyId, id: RoundId) {
    let round = Rounds::<T>::get(id).expect("the round exists; qed");
    for index in 0..T::Retention::get() {
        let other = RoundId(u64::MAX - u64::from(index));
        Rounds::<T>::insert(other, round.clone());
        Pallet::<T>::keep_closed(family, other);
    }
}

fn phase<T: Config>(id: RoundId) -> Phase<BlockNumberFor<T>> {
    Rounds::<T>::get(id).expect("the round exists; qed").phase
}

fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
    T::ProgrammeOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn start_programme() -> Result<(), BenchmarkError> {
        let family = T::Lineage::with_canonical(PARENT);
        let origin = governance::<T>()?;
        #[extrinsic_call]
        _(
            origin as T::RuntimeOrigin,
            family,
            dataset(),
            longest(),
            longest(),
            rules::<T>(),
        );
        assert!(Programmes::<T>::contains_key(family));
        Ok(())
    }

    #[benchmark]
    fn stop_programme() -> Result<(), BenchmarkError> {
        let (family, id) = start::<T>();
        holding::<T>(id);
        close_others::<T>(family, id);
        let origin = governance::<T>()?;
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, family);
        assert_eq!(Rounds::<T>::iter_keys().count(), 0);
        Ok(())
    }

    #[benchmark]
    fn join_round() {
        let (_, id) = start::<T>();
        join::<T>(id, 0);
        // The smallest of all bonds.
        let (first, _) = operator::<T>(Role::Trainer, 0);
        T::Operators::slash(&first, id.into(), Offence::MissedContribution, 1, &[]);
        let (last, key) = operator::<T>(Role::Trainer, MAX_TRAINERS);
        let now = System::<T>::block_number();
        T::Operators::register(&last, &key, Role::Trainer, &PARENT);
        System::<T>::set_block_number(now);
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, Role::Trainer);
        let round = Rounds::<T>::get(id).expect("the round exists; qed");
        let joined = |account| {
            round
                .trainers
                .iter()
                .any(|trainer| trainer.account == account)
        };
        assert!(joined(last) && !joined(first));
    }

    #[benchmark]
    fn commit_contribution() {
        let (_, id) = start::<T>();
        training::<T>(id);
        commit_all::<T>(id, MAX_TRAINERS - 1);
        let (_, key) = operator::<T>(Role::Trainer, MAX_TRAINERS - 1);
        let commitment = commitment::<T>(id, MAX_TRAINERS - 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, commitment);
        let round = Rounds::<T>::get(id).expect("the round exists; qed");
        assert!(round
            .trainers
            .iter()
            .all(|trainer| trainer.commitment.is_some()));
    }

    #[benchmark]
    fn reveal_contribution() {
        let (_, id) = start::<T>();
        training::<T>(id);
        commit_all::<T>(id, MAX_TRAINERS);
        step::<T>(id);
        reveal_all::<T>(id, MAX_TRAINERS - 1);
        let (_, key) = operator::<T>(Role::Trainer, MAX_TRAINERS - 1);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(key),
            id,
            contribution(MAX_TRAINERS - 1),
            SALT,
        );
        let round = Rounds::<T>::get(id).expect("the round exists; qed");
        assert_eq!(round.contributors().len(), MAX_TRAINERS as usize);
    }

    #[benchmark]
    fn commit_scores() {
        let (_, id) = start::<T>();
        scoring::<T>(id);
        let seats = seated::<T>(id);
        let (controller, key) = seats.first().cloned().expect("validators were drawn; qed");
        let commitment = hashing::score_commitment(id, &controller, &sheet(950), SALT);
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, commitment);
        let round = Rounds::<T>::get(id).expect("the round exists; qed");
        assert!(round.seats().any(|seat| seat.commitment.is_some()));
    }

    #[benchmark]
    fn reveal_scores() {
        let (_, id) = start::<T>();
        score_revealing::<T>(id);
        let mut keys: Vec<_> = seated::<T>(id).into_iter().map(|(_, key)| key).collect();
        let last = keys.pop().expect("validators were drawn; qed");
        for key in keys {
            Pallet::<T>::do_reveal_scores(key, id, sheet(950), SALT)
                .expect("the scores were committed; qed");
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(last), id, sheet(950), SALT);
        let round = Rounds::<T>::get(id).expect("the round exists; qed");
        assert!(round.seats().all(|seat| seat.sheet.is_some()));
    }

    #[benchmark]
    fn claim_checkpoint() {
        let (_, id) = start::<T>();
        claiming::<T>(id);
        let seats = seated::<T>(id);
        let (_, key) = seats.first().cloned().expect("validators were drawn; qed");
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, claim(9));
        let round = Rounds::<T>::get(id).expect("the round exists; qed");
        assert!(round.seats().any(|seat| seat.claim.is_some()));
    }

    #[benchmark]
    fn object_to_scores() {
        let (_, id) = start::<T>();
        objectable::<T>(id);
        let key = unheard::<T>(id);
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, sheet(2_000));
        assert!(matches!(phase::<T>(id), Phase::Scoring { .. }));
    }

    #[benchmark]
    fn object_to_claim() {
        let (_, id) = start::<T>();
        objectable::<T>(id);
        let key = unheard::<T>(id);
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, claim(8));
        assert!(matches!(phase::<T>(id), Phase::Claiming { .. }));
    }

    /// The weight of a block without any programme.
    #[benchmark]
    fn advance_base() {
        let now = System::<T>::block_number();
        #[block]
        {
            Pallet::<T>::advance_rounds(now);
        }
        assert_eq!(NextRound::<T>::get(), RoundId(0));
    }

    /// The draw of evaluation shards and validators, and a slash of every trainer except for the fewest that
    /// a round needs.
    #[benchmark]
    fn advance_draw() {
        let (family, id) = start::<T>();
        training::<T>(id);
        commit_all::<T>(id, MAX_TRAINERS);
        step::<T>(id);
        reveal_all::<T>(id, rules::<T>().min_contributions);
        let now = System::<T>::block_number();
        Rounds::<T>::mutate(id, |round| {
            round
                .as_mut()
                .expect("the round is open; qed")
                .fix_draw(now, 0);
        });
        #[block]
        {
            let programme = Programmes::<T>::get(family).expect("the programme was started; qed");
            let round = Rounds::<T>::get(id).expect("the round exists; qed");
            // With values that the relay chain does not bring here.
            let at = RoundContext {
                randomness: Some(H256::repeat_byte(7)),
                ..Pallet::<T>::round_context(&round, now)
            };
            Pallet::<T>::advance_round(programme, id, round, &at);
        }
        assert!(matches!(phase::<T>(id), Phase::Scoring { .. }));
    }

    /// No trainer reveals: every trainer is slashed, every bond released, the next round opened.
    #[benchmark]
    fn advance_silence() {
        let (family, id) = start::<T>();
        training::<T>(id);
        commit_all::<T>(id, MAX_TRAINERS);
        step::<T>(id);
        close_others::<T>(family, id);
        let now = System::<T>::block_number();
        #[block]
        {
            Pallet::<T>::advance_family(family, now);
        }
        let rejected = RoundOutcome::Rejected(Rejection::TooFewContributions);
        assert_eq!(phase::<T>(id), Phase::Closed(rejected));
        assert!(open::<T>(family).id > id);
    }

    /// Adding up the scores of all validators.
    #[benchmark]
    fn advance_tally() {
        let (family, id) = start::<T>();
        score_revealing::<T>(id);
        super::reveal_scores::<T>(id);
        let now = System::<T>::block_number();
        #[block]
        {
            Pallet::<T>::advance_family(family, now);
        }
        assert!(matches!(phase::<T>(id), Phase::Claiming { .. }));
    }

    /// A rejection: every validator is slashed, every bond released, the next round opened.
    #[benchmark]
    fn advance_close() {
        let (family, id) = start::<T>();
        claiming::<T>(id);
        close_others::<T>(family, id);
        let now = System::<T>::block_number();
        #[block]
        {
            Pallet::<T>::advance_family(family, now);
        }
        assert!(matches!(phase::<T>(id), Phase::Closed(_)));
        assert!(open::<T>(family).id > id);
    }

    /// A promotion: all work is recorded, every bond released, the next round opened.
    #[benchmark]
    fn advance_promote() {
        let (family, id) = start::<T>();
        holding::<T>(id);
        close_others::<T>(family, id);
        let programme = Programmes::<T>::get(family).expect("the programme was started; qed");
        let round = Rounds::<T>::get(id).expect("the round exists; qed");
        let at = RoundContext {
            holders: MAX_TRAINERS,
            ..round_context::<T>()
        };
        #[block]
        {
            Pallet::<T>::advance_round(programme, id, round, &at);
        }
        let promoted = RoundOutcome::Promoted(claim(9).checkpoint);
        assert_eq!(phase::<T>(id), Phase::Closed(promoted));
        assert_eq!(open::<T>(family).parent, claim(9).checkpoint);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
