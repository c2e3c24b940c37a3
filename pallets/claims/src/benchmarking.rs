//! Benchmarks of the calls and of the kinds of turns.

use crate::{
    Call, Claims, Config, Disputes, HoldReason, Kept, KeptOf, LatestValues, Pallet, Turns,
    MAX_SEATED_CHALLENGERS,
};
use alloc::{boxed::Box, vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate, MutateHold},
        Get,
    },
    weights::WeightMeter,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use noema_claims::{
    merkle_root, prove_hidden, Availability, Beacon, Claim, ClaimRules, ClaimStage, ClaimTerms,
    ClaimWindows, Claims as _, Permill, Seat, SeatState, Verification, MAX_SEATS,
};
use noema_economics::Balance;
use noema_protocol::{
    hashing,
    interfaces::{Offence, Operators, Role, MAX_TRIES},
    CheckpointId, ClaimId, Job, Receipt, RequestId, SamplingParameters,
};
use sp_core::H256;

const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
/// The most tokens of an answer in the benchmarks.
const POSITIONS: u32 = 1_024;

fn funds<T: Config>() -> Balance {
    T::Currency::minimum_balance()
        .max(1)
        .saturating_mul(1_000_000)
}

fn rules<T: Config>() -> ClaimRules<BlockNumberFor<T>> {
    ClaimRules {
        windows: ClaimWindows {
            finality: 20u32.into(),
            commit: 10u32.into(),
            tokens_per_block: 20,
            reveal: 5u32.into(),
            challenge: 5u32.into(),
            post: 5u32.into(),
        },
        freshness: 4,
        margin_percent: 200,
        min_check_rate: Permill::one(),
        validators_per_leaf: 2,
        max_draws: 4,
        validator_stake: 1,
        challenger_share: Permill::from_percent(50),
        challenger_cap: Balance::MAX,
        challenge_bond: 1,
        burned_share: Permill::from_percent(10),
    }
}

fn hidden() -> Vec<H256> {
    (0..POSITIONS)
        .map(|position| hashing::blake2_256(&position.to_le_bytes()))
        .collect()
}

fn receipt() -> Receipt {
    Receipt {
        request: RequestId(0),
        checkpoint: CHECKPOINT,
        prompt_hash: H256::zero(),
        parameters: SamplingParameters::greedy(1_024),
        seed: H256::zero(),
        answer_hash: H256::zero(),
        prompt_tokens: 10,
        answer_tokens: POSITIONS,
        hidden_root: merkle_root(&hidden()),
    }
}

fn operator<T: Config>(
    name: &'static str,
    role: Role,
    checkpoint: CheckpointId,
) -> (T::AccountId, T::AccountId) {
    let controller: T::AccountId = account(name, 0, 0);
    let key: T::AccountId = account("key", 0, role as u32);
    T::Operators::register(&controller, &key, role, &checkpoint);
    (controller, key)
}

/// A claim about [`CHECKPOINT`] with money and lock.
fn made<T: Config>() -> KeptOf<T> {
    made_about::<T>(CHECKPOINT)
}

/// A claim about `checkpoint` with money and lock.
fn made_about<T: Config>(checkpoint: CheckpointId) -> KeptOf<T> {
    let (claimant, _) = operator::<T>("worker", Role::Worker, checkpoint);
    let payer: T::AccountId = account("payer", 0, 0);
    T::Currency::set_balance(&payer, funds::<T>());
    let purse = T::Operators::purse();
    T::Currency::set_balance(&purse, funds::<T>());
    let terms = ClaimTerms {
        claimant: claimant.clone(),
        payer: payer.clone(),
        checkpoint,
        root: merkle_root(&[hashing::receipt_hash(&receipt())]),
        leaves: 1,
        leaf_tokens: POSITIONS.into(),
        availability: Availability::OnChain,
        payment: funds::<T>() / 10,
        check_fee: funds::<T>() / 10,
        stake: 1,
        rules: rules::<T>(),
    };
    let job = Job::Request(RequestId(0));
    assert!(T::Operators::lock(&claimant, job, terms.stake).is_ok());
    let held = terms.payment + terms.check_fee;
    let reason = HoldReason::Payment.into();
    T::Currency::hold(&reason, &payer, held).expect("the payer has the amount");
    let claim = Claim::new(ClaimId(0), terms, System::<T>::block_number(), 0)
        .unwrap_or_else(|_| panic!("the claim can be made"));
    Kept {
        claim,
        job,
        turn: None,
    }
}

/// The seats of a validator at `count` leaves, each with its stake.
fn seated<T: Config>(kept: &mut KeptOf<T>, count: u32, state: SeatState) -> T::AccountId {
    let checkpoint = kept.claim.terms.checkpoint;
    let (validator, key) = operator::<T>("validator", Role::Validator, checkpoint);
    for leaf in 0..count {
        let job = Job::Check(kept.claim.id, leaf);
        assert!(T::Operators::lock(&validator, job, 1).is_ok());
        let seat = Seat {
            validator: validator.clone(),
            leaf,
            point: u64::MAX,
            state,
        };
        kept.claim.seats.try_push(seat).expect("a seat is free");
    }
    kept.claim.drawn = vec![0].try_into().expect("one leaf");
    key
}

fn store<T: Config>(mut kept: KeptOf<T>, stage: ClaimStage<BlockNumberFor<T>>) {
    kept.claim.stage = stage;
    Pallet::<T>::file(kept, System::<T>::block_number());
}

fn later<T: Config>() -> BlockNumberFor<T> {
    System::<T>::block_number() + 1_000u32.into()
}

/// The block of the turn of the only claim; those before it are behind the agenda's cursor.
fn turn<T: Config>() -> BlockNumberFor<T> {
    let kept = Claims::<T>::get(ClaimId(0)).expect("the claim is kept");
    let turn = kept.turn.unwrap_or_else(later::<T>);
    crate::AgendaCursor::<T>::put(turn);
    turn
}

fn poll<T: Config>(now: BlockNumberFor<T>) {
    Pallet::<T>::take_turns(now, &mut WeightMeter::new());
}

/// A claim about `checkpoint`, which is active from then on, and a leaf that every seat confirmed and that
/// accounts challenge. For benchmarks of referees.
pub fn challenged<T: Config>(checkpoint: CheckpointId) -> (ClaimId, u32) {
    let mut kept = made_about::<T>(checkpoint);
    seated::<T>(&mut kept, MAX_SEATS, SeatState::Confirmed);
    let (id, leaf) = (kept.claim.id, 0);
    let until = later::<T>();
    let verification = Verification::Confirmed;
    store::<T>(
        kept,
        ClaimStage::Challengeable {
            until,
            verification,
        },
    );
    // The other places are reserved for validators that were drawn.
    let others = T::MaxChallengers::get() - MAX_SEATED_CHALLENGERS;
    for index in 0..others {
        let challenger: T::AccountId = account("challenger", index, 0);
        T::Currency::set_balance(&challenger, funds::<T>());
        Pallet::<T>::challenge(RawOrigin::Signed(challenger).into(), id, leaf)
            .expect("the claim is challengeable");
    }
    (id, leaf)
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn commit_check() {
        let mut kept = made::<T>();
        let key = seated::<T>(&mut kept, 2, SeatState::Seated);
        store::<T>(
            kept,
            ClaimStage::Committing {
                until: later::<T>(),
            },
        );
        #[extrinsic_call]
        _(RawOrigin::Signed(key), ClaimId(0), 0, H256::zero());
    }

    #[benchmark]
    fn reveal_check() {
        let mut kept = made::<T>();
        let key = seated::<T>(&mut kept, 2, SeatState::Seated);
        let validator = kept.claim.seats[0].validator.clone();
        let proof = prove_hidden(&hidden(), POSITIONS - 1).expect("the leaf has this position");
        let salt = H256::zero();
        let id = ClaimId(0);
        let commitment = hashing::check_commitment(id, 0, &validator, proof.hidden, salt);
        kept.claim.seats[0].state = SeatState::Committed(commitment);
        store::<T>(
            kept,
            ClaimStage::Revealing {
                until: later::<T>(),
            },
        );
        let receipt = Box::new(receipt());
        #[extrinsic_call]
        _(
            RawOrigin::Signed(key),
            id,
            0,
            receipt,
            Vec::new(),
            proof,
            salt,
        );
        let state = Claims::<T>::get(id).expect("the claim is kept").claim.seats[0].state;
        assert_eq!(state, SeatState::Confirmed);
    }

    #[benchmark]
    fn challenge() {
        let kept = made::<T>();
        let until = later::<T>();
        store::<T>(kept, ClaimStage::Committing { until });
        let caller: T::AccountId = whitelisted_caller();
        T::Currency::set_balance(&caller, funds::<T>());
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), ClaimId(0), 0);
        assert_eq!(Disputes::<T>::get(ClaimId(0), 0).len(), 1);
    }

    #[benchmark]
    fn poll_base() {
        let now = System::<T>::block_number();
        crate::AgendaCursor::<T>::put(now);
        #[block]
        {
            Pallet::<T>::take_turns(now, &mut WeightMeter::new());
        }
    }

    #[benchmark]
    fn skip_block() {
        let now = System::<T>::block_number();
        #[block]
        {
            Turns::<T>::take_due(now, 1);
        }
    }

    #[benchmark]
    fn look() {
        let kept = made::<T>();
        Claims::<T>::insert(ClaimId(0), kept);
        Pallet::<T>::await_randomness(ClaimId(0));
        let now = turn::<T>();
        #[block]
        {
            poll::<T>(now);
        }
        assert!(Claims::<T>::contains_key(ClaimId(0)));
    }

    /// Every seat is silent.
    #[benchmark]
    fn advance(s: Linear<0, MAX_SEATS>) {
        let mut kept = made::<T>();
        seated::<T>(&mut kept, s, SeatState::Seated);
        kept.claim.draws = kept.claim.terms.rules.max_draws;
        store::<T>(
            kept,
            ClaimStage::Committing {
                until: later::<T>(),
            },
        );
        let now = turn::<T>();
        #[block]
        {
            poll::<T>(now);
        }
        let claim = Pallet::<T>::claim(ClaimId(0)).expect("the claim is kept");
        assert!(matches!(claim.stage, ClaimStage::Challengeable { .. }));
    }

    /// A draw of the validators of one leaf. Each is absent, and leaves its roster; the lock is read too, as
    /// for a validator with too little free bond.
    #[benchmark]
    fn draw(t: Linear<1, { MAX_TRIES }>) {
        let job = Job::Check(ClaimId(0), 0);
        // No other operator serves this checkpoint.
        let checkpoint = CheckpointId(H256::repeat_byte(8));
        let validators: Vec<_> = (0..t)
            .map(|index| {
                let controller: T::AccountId = account("controller", index, 0);
                let key = account("key", index, 0);
                T::Operators::register(&controller, &key, Role::Validator, &checkpoint);
                controller
            })
            .collect();
        for validator in &validators {
            T::Operators::slash(validator, job, Offence::MissedCheck, 0, &[]);
        }
        let randomness = H256::repeat_byte(1);
        let selection;
        #[block]
        {
            selection = T::Operators::draw(Role::Validator, &checkpoint, randomness, 2, |_| true);
            for validator in &validators {
                T::Operators::locked(validator, job);
            }
        }
        assert!(selection.candidates.is_empty());
        assert_eq!(selection.tries, t);
    }

    /// Every seat is paid.
    #[benchmark]
    fn settle(s: Linear<0, MAX_SEATS>) {
        let mut kept = made::<T>();
        seated::<T>(&mut kept, s, SeatState::Confirmed);
        let stage = ClaimStage::Challengeable {
            until: later::<T>(),
            verification: Verification::Confirmed,
        };
        store::<T>(kept, stage);
        let now = turn::<T>();
        #[block]
        {
            poll::<T>(now);
        }
        let claim = Pallet::<T>::claim(ClaimId(0)).expect("the claim is kept");
        assert!(claim.outcome().is_some());
    }

    #[benchmark]
    fn prune() {
        let mut kept = made::<T>();
        kept.claim.stage =
            ClaimStage::Ended(noema_claims::ClaimOutcome::Final(Verification::Confirmed));
        let id = ClaimId(0);
        kept.turn = Some(Turns::<T>::insert(
            System::<T>::block_number(),
            later::<T>(),
            &id,
        ));
        Claims::<T>::insert(id, kept);
        LatestValues::<T>::put(Beacon::default());
        let now = turn::<T>();
        #[block]
        {
            poll::<T>(now);
        }
        assert!(!Claims::<T>::contains_key(id));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
