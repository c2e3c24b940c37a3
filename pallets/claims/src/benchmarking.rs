//! Benchmarks of the calls and of the kinds of turns.

use crate::{
    turns::Draws, Call, Challenger, ClaimOf, Claims, Config, Disputes, HoldReason, Kept, KeptOf,
    Pallet, RecentValues, Stake, Turns, MAX_SEATED_CHALLENGERS,
};
use alloc::{boxed::Box, vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    storage::unhashed,
    traits::{
        fungible::{Inspect, Mutate, MutateHold},
        Get,
    },
    weights::WeightMeter,
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use noema_claims::{
    merkle_root, prove_hidden, Availability, Beacon, Claim, ClaimEffect, ClaimFault, ClaimOutcome,
    ClaimRules, ClaimStage, ClaimTerms, ClaimWindows, Demand, Permill, Seat, SeatState,
    ValueHistory, Verification, KEPT_VALUES, MAX_DEMANDS, MAX_DRAWN_LEAVES, MAX_SEATS,
};
use noema_economics::Balance;
use noema_interfaces::{Claims as _, Operators, Referee, MAX_TRIES};
use noema_protocol::{
    hashing, CheckpointId, ClaimId, Job, Offence, Receipt, RequestId, Role, RoundId,
    SamplingParameters, SessionId,
};
use noema_sessions::{AnswerEnd, SessionReceipt};
use pallet_duties::AsDuty;
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
        juror_fee_per_token: 1,
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

/// A receipt of a session, for a prompt and an answer of these tokens.
fn session_receipt(prompt: &[u32], answer: &[u32]) -> SessionReceipt {
    SessionReceipt {
        session: SessionId(0),
        n: 0,
        first: 0,
        terms: H256::zero(),
        checkpoint: CHECKPOINT,
        prompt_hash: hashing::tokens_hash(prompt),
        prompt_tokens: prompt.len() as u32,
        cached_tokens: 0,
        parameters: SamplingParameters::greedy(1_024),
        seed: H256::zero(),
        answer_hash: hashing::tokens_hash(answer),
        answer_tokens: answer.len() as u32,
        end: AnswerEnd::Length,
        price: 0,
        hidden_root: H256::zero(),
    }
}

fn operator<T: Config>(
    name: &'static str,
    index: u32,
    role: Role,
    checkpoint: CheckpointId,
) -> (T::AccountId, T::AccountId) {
    let controller: T::AccountId = account(name, index, 0);
    let key: T::AccountId = account("key", index, role as u32);
    T::Operators::register(&controller, &key, role, &checkpoint);
    (controller, key)
}

/// A claim about [`CHECKPOINT`] with money and lock.
fn made<T: Config>() -> KeptOf<T> {
    made_about::<T>(CHECKPOINT)
}

/// A claim about `checkpoint` with money and lock.
fn made_about<T: Config>(checkpoint: CheckpointId) -> KeptOf<T> {
    let (claimant, _) = operator::<T>("worker", 0, Role::Worker, checkpoint);
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
        exposure: 0,
        check_fee: funds::<T>() / 10,
        stake: 1,
        rules: rules::<T>(),
    };
    // No request ends with the claim: that has a weight of its own.
    let job = Job::Round(RoundId(0));
    assert!(T::Operators::lock(&claimant, job, terms.stake).is_ok());
    let held = terms.payment + terms.check_fee;
    let reason = HoldReason::Payment.into();
    T::Currency::hold(&reason, &payer, held).expect("the payer has the amount");
    let claim = Claim::new(ClaimId(0), terms, System::<T>::block_number(), 0)
        .unwrap_or_else(|_| panic!("the claim can be made"));
    Kept {
        claim,
        job,
        surplus: 0,
        turn: None,
    }
}

/// Seats of `count` validators, each at a leaf of its own and with its stake. Returns the hot key of the first.
fn seated<T: Config>(kept: &mut KeptOf<T>, count: u32, state: SeatState) -> Option<T::AccountId> {
    let checkpoint = kept.claim.terms.checkpoint;
    let mut first = None;
    for leaf in 0..count {
        let (validator, key) = operator::<T>("validator", leaf, Role::Validator, checkpoint);
        let job = Job::Check(kept.claim.id, leaf);
        assert!(T::Operators::lock(&validator, job, 1).is_ok());
        let seat = Seat {
            validator,
            leaf,
            point: u64::MAX,
            state,
        };
        kept.claim.seats.try_push(seat).expect("a seat is free");
        first = first.or(Some(key));
    }
    kept.claim.drawn = vec![0].try_into().expect("one leaf");
    first
}

/// Leaves storage keys out of the count of reads and writes.
fn omit(keys: impl IntoIterator<Item = Vec<u8>>) {
    for key in keys {
        frame_benchmarking::benchmarking::add_to_whitelist(key.into());
    }
}

/// Leaves what all claims of a block share out of the count of reads and writes: see `poll_base`.
fn omit_shared<T: Config>() {
    let cursor = crate::AgendaCursor::<T>::hashed_key().to_vec();
    omit(shared::<T>().into_iter().chain([cursor]));
}

/// Leaves what the performing of a duty reads out of the count of reads of its check before, as the same
/// transaction is charged for both.
fn omit_performed<T: Config>(key: &T::AccountId) {
    let claim = Claims::<T>::hashed_key_for(ClaimId(0));
    omit(T::Operators::keys_of(key, key).into_iter().chain([claim]));
}

/// Leaves the records of validators out of the count of reads: their draw has read them.
fn omit_drawn<T: Config>(seats: &[(T::AccountId, u32)]) {
    for (validator, _) in seats {
        omit(T::Operators::keys_of(validator, validator));
    }
}

fn shared<T: Config>() -> Vec<Vec<u8>> {
    <Pallet<T> as noema_interfaces::Claims<_, _>>::shared_keys()
}

fn store<T: Config>(mut kept: KeptOf<T>, stage: ClaimStage<BlockNumberFor<T>>) {
    omit_shared::<T>();
    kept.claim.stage = stage;
    let before = Pallet::<T>::before(&kept.claim);
    Pallet::<T>::file(kept, &before, System::<T>::block_number());
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

/// Takes the only turn of block `now`, without what a poll reads once for all turns: see `poll_base`.
fn take_turn<T: Config>(now: BlockNumberFor<T>) {
    for id in Turns::<T>::take_due(now, 1) {
        Pallet::<T>::take_turn(id, now, 0);
    }
}

/// Registers `count` validators of a checkpoint that no other operator serves.
fn validators<T: Config>(count: u32) -> (CheckpointId, Vec<T::AccountId>) {
    let checkpoint = CheckpointId(H256::repeat_byte(8));
    let register = |index| operator::<T>("validator", index, Role::Validator, checkpoint).0;
    (checkpoint, (0..count).map(register).collect())
}

/// A claim in which a validator has a seat at leaf 0, in the state `own`, and another at leaf 1, in the state
/// `other`. Returns the hot key of the first.
fn with_last_part<T: Config>(
    own: impl FnOnce(&T::AccountId) -> SeatState,
    other: SeatState,
    stage: ClaimStage<BlockNumberFor<T>>,
) -> T::AccountId {
    let mut kept = made::<T>();
    let key = seated::<T>(&mut kept, 2, other).expect("a validator is seated");
    let seat = kept.claim.seats.iter_mut().next();
    let seat = seat.expect("a validator is seated");
    seat.state = own(&seat.validator);
    // Unless the other leaf is confirmed, others are drawn for it: the most expensive next stage.
    kept.claim.drawn = vec![0, 1].try_into().expect("two leaves");
    store::<T>(kept, stage);
    key
}

/// A claim to which a validator commits as the last one.
fn committing<T: Config>() -> (T::AccountId, Call<T>) {
    let until = later::<T>();
    let key = with_last_part::<T>(
        |_| SeatState::Seated,
        SeatState::Committed(H256::zero()),
        ClaimStage::Committing { until },
    );
    let call = Call::commit_check {
        claim: ClaimId(0),
        leaf: 0,
        commitment: H256::zero(),
    };
    (key, call)
}

/// A claim in which a validator reveals. The part of another is in the state `other`.
fn revealing<T: Config>(other: SeatState) -> (T::AccountId, Call<T>) {
    let proof = prove_hidden(&hidden(), POSITIONS - 1).expect("the leaf has this position");
    let (claim, leaf, salt) = (ClaimId(0), 0, H256::zero());
    let commit = |validator: &T::AccountId| {
        let commitment = hashing::check_commitment(claim, leaf, validator, proof.hidden, salt);
        SeatState::Committed(commitment)
    };
    let until = later::<T>();
    let stage = ClaimStage::Revealing { until };
    let key = with_last_part::<T>(commit, other, stage);
    let call = Call::reveal_check {
        claim,
        leaf,
        receipt: Box::new(receipt()),
        path: Vec::new(),
        proof,
        salt,
    };
    (key, call)
}

/// Executes a call of a hot key, which must succeed. The weight of performing a duty, and the base weight of a
/// transaction, contain its dispatch.
fn execute<T: Config>(call: Call<T>, key: T::AccountId) {
    let origin = RawOrigin::Signed(key).into();
    let is_done = match call {
        Call::commit_check {
            claim,
            leaf,
            commitment,
        } => Pallet::<T>::commit_check(origin, claim, leaf, commitment).is_ok(),
        Call::reveal_check {
            claim,
            leaf,
            receipt,
            path,
            proof,
            salt,
        } => Pallet::<T>::reveal_check(origin, claim, leaf, receipt, path, proof, salt).is_ok(),
        Call::challenge { claim, leaf } => Pallet::<T>::challenge(origin, claim, leaf).is_ok(),
        Call::demand_leaf { claim, leaf } => Pallet::<T>::demand_leaf(origin, claim, leaf).is_ok(),
        Call::post_leaf {
            claim,
            leaf,
            receipt,
            path,
            prompt,
            answer,
        } => Pallet::<T>::post_leaf(origin, claim, leaf, receipt, path, prompt, answer).is_ok(),
        _ => false,
    };
    assert!(is_done);
}

/// The only claim.
fn the_claim<T: Config>() -> ClaimOf<T> {
    Pallet::<T>::claim(ClaimId(0)).expect("the claim is kept")
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

    /// The last part of a stage, so that the next stage begins and has its own turn.
    #[benchmark]
    fn commit_check() {
        let (key, call) = committing::<T>();
        #[block]
        {
            execute(call, key);
        }
        let claim = the_claim::<T>();
        assert!(matches!(claim.stage, ClaimStage::Revealing { .. }));
    }

    /// The last commitment, shortly before the end of its window: the claim keeps its turn.
    #[benchmark]
    fn commit_early() {
        let (key, call) = committing::<T>();
        let until = System::<T>::block_number() + rules::<T>().windows.reveal_window();
        let kept = Claims::<T>::get(ClaimId(0)).expect("the claim is kept");
        store::<T>(kept, ClaimStage::Committing { until });
        let turn = || Claims::<T>::get(ClaimId(0)).map(|kept| kept.turn);
        let before = turn();
        #[block]
        {
            execute(call, key);
        }
        let claim = the_claim::<T>();
        assert!(matches!(claim.stage, ClaimStage::Revealing { .. }));
        assert_eq!(turn(), before);
    }

    /// Whether a commitment is a duty.
    #[benchmark]
    fn verify_commitment() {
        let (key, call) = committing::<T>();
        omit_performed::<T>(&key);
        let duty;
        #[block]
        {
            duty = call.as_duty(&key, System::<T>::block_number());
        }
        assert!(matches!(duty, Some(Ok(_))));
    }

    /// The last part of a stage, after which other validators are drawn.
    #[benchmark]
    fn reveal_check() {
        let (key, call) = revealing::<T>(SeatState::Silent);
        #[block]
        {
            execute(call, key);
        }
        let claim = the_claim::<T>();
        assert_eq!(claim.seats[0].state, SeatState::Confirmed);
        assert_eq!(claim.stage, ClaimStage::Undrawn);
    }

    /// A reveal after which another is still due.
    #[benchmark]
    fn reveal_early() {
        let (key, call) = revealing::<T>(SeatState::Committed(H256::zero()));
        #[block]
        {
            execute(call, key);
        }
        let claim = the_claim::<T>();
        assert!(matches!(claim.stage, ClaimStage::Revealing { .. }));
    }

    /// The last reveal of a check in which each leaf is confirmed.
    #[benchmark]
    fn reveal_last() {
        let (key, call) = revealing::<T>(SeatState::Confirmed);
        #[block]
        {
            execute(call, key);
        }
        let claim = the_claim::<T>();
        assert!(matches!(claim.stage, ClaimStage::Challengeable { .. }));
    }

    /// Whether a reveal is a duty.
    #[benchmark]
    fn verify_reveal() {
        let (key, call) = revealing::<T>(SeatState::Silent);
        omit_performed::<T>(&key);
        let duty;
        #[block]
        {
            duty = call.as_duty(&key, System::<T>::block_number());
        }
        assert!(matches!(duty, Some(Ok(_))));
    }

    /// Another account opens a dispute.
    #[benchmark]
    fn challenge() {
        let kept = made::<T>();
        let until = later::<T>();
        let verification = Verification::NotDrawn;
        store::<T>(
            kept,
            ClaimStage::Challengeable {
                until,
                verification,
            },
        );
        let caller: T::AccountId = account("challenger", 0, 0);
        T::Currency::set_balance(&caller, funds::<T>());
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), ClaimId(0), 0);
        assert_eq!(Disputes::<T>::get(ClaimId(0), 0).len(), 1);
    }

    /// A drawn validator opens a dispute, as the last part of a stage after which others are drawn.
    #[benchmark]
    fn challenge_seated() {
        let until = later::<T>();
        let stage = ClaimStage::Committing { until };
        let key = with_last_part::<T>(|_| SeatState::Seated, SeatState::Silent, stage);
        let call = Call::<T>::challenge {
            claim: ClaimId(0),
            leaf: 0,
        };
        #[block]
        {
            execute(call, key);
        }
        let claim = the_claim::<T>();
        assert_eq!(claim.stage, ClaimStage::Undrawn);
    }

    /// A drawn validator demands its leaf.
    #[benchmark]
    fn demand_leaf() {
        let mut kept = made::<T>();
        kept.claim.terms.availability = Availability::FromClaimant;
        let key = seated::<T>(&mut kept, 1, SeatState::Seated).expect("a validator is seated");
        let until = later::<T>();
        store::<T>(kept, ClaimStage::Committing { until });
        let call = Call::<T>::demand_leaf {
            claim: ClaimId(0),
            leaf: 0,
        };
        #[block]
        {
            execute(call, key);
        }
        assert_eq!(the_claim::<T>().demands.len(), 1);
    }

    /// A claimant posts a leaf in dispute, which the referee gets then.
    #[benchmark]
    fn post_leaf(t: Linear<2, 8_192>) {
        let half = t / 2;
        let prompt: Vec<u32> = (0..t - half).collect();
        let answer: Vec<u32> = (0..half).collect();
        let receipt = session_receipt(&prompt, &answer);
        let mut kept = made::<T>();
        kept.claim.terms.availability = Availability::FromClaimant;
        kept.claim.terms.root = merkle_root(&[receipt.hash()]);
        kept.claim.terms.leaf_tokens = t.into();
        let until = later::<T>();
        let verification = Verification::NotDrawn;
        store::<T>(
            kept,
            ClaimStage::Challengeable {
                until,
                verification,
            },
        );
        let challenger: T::AccountId = account("challenger", 0, 0);
        T::Currency::set_balance(&challenger, funds::<T>());
        Pallet::<T>::challenge(RawOrigin::Signed(challenger).into(), ClaimId(0), 0)
            .expect("the claim is challengeable");
        let key: T::AccountId = account("key", 0, Role::Worker as u32);
        let call = Call::<T>::post_leaf {
            claim: ClaimId(0),
            leaf: 0,
            receipt: Box::new(receipt),
            path: Vec::new(),
            prompt,
            answer,
        };
        #[block]
        {
            execute(call, key);
        }
        assert!(the_claim::<T>().is_on_chain(0));
    }

    /// What every poll reads, with new randomness for the waiting claims, of which none is drawn. With what all
    /// claims of a block share: it is read and written once, however many are made, drawn for and settled.
    #[benchmark]
    fn poll_base() {
        // An agenda with turns does not begin with block 0.
        let now = later::<T>();
        crate::AgendaCursor::<T>::put(now);
        let shared = shared::<T>();
        let mut values = ValueHistory::default();
        (1..=KEPT_VALUES).for_each(|relay| values.push(relay, H256::repeat_byte(2)));
        RecentValues::<T>::put(values);
        #[block]
        {
            Pallet::<T>::take_turns(now, &mut WeightMeter::new());
            // Randomness is new in most blocks of a chain, and in none of a benchmark.
            let draws = Pallet::<T>::note_value(now, KEPT_VALUES + 1, H256::repeat_byte(1));
            Pallet::<T>::draw_waiting(&draws, &mut WeightMeter::new());
            crate::UndrawnSpan::<T>::put((0, 0));
            crate::FirstNew::<T>::put(ClaimId(0));
            crate::FirstOfMany::<T>::put(ClaimId(0));
            for key in &shared {
                let value = unhashed::get_raw(key).unwrap_or_default();
                unhashed::put_raw(key, &value);
            }
        }
    }

    /// Leaves the block before this one.
    #[benchmark]
    fn skip_block() {
        // An agenda with turns does not begin with block 0.
        let now = later::<T>();
        crate::AgendaCursor::<T>::put(now);
        let next = now + 1u32.into();
        #[block]
        {
            Turns::<T>::take_due(next, 1);
        }
        assert_eq!(crate::AgendaCursor::<T>::get(), next);
    }

    /// The first of the new claims has to wait. The ends of the queues are read once for all their claims: see
    /// `poll_base`.
    #[benchmark]
    fn look() {
        let kept = made::<T>();
        Claims::<T>::insert(ClaimId(0), kept);
        let draws = Draws::<T> {
            now: System::<T>::block_number(),
            relay: 0,
            beacon: Beacon::default(),
            history: ValueHistory::default(),
        };
        let meter = &mut WeightMeter::new();
        let start;
        #[block]
        {
            start = Pallet::<T>::draw_new(0..1, &draws, meter, |_| true);
        }
        assert_eq!(start, 0);
    }

    /// A new claim, for which `s` validators were drawn: the step beside the draws themselves.
    #[benchmark]
    fn begin_check(s: Linear<0, MAX_SEATS>) {
        let mut kept = made::<T>();
        Claims::<T>::insert(ClaimId(0), kept.clone());
        let before = Pallet::<T>::before(&kept.claim);
        seated::<T>(&mut kept, s, SeatState::Seated);
        kept.claim.stage = ClaimStage::Committing {
            until: later::<T>(),
        };
        let seats = kept.claim.seats.iter();
        let seats: Vec<_> = seats
            .map(|seat| (seat.validator.clone(), seat.leaf))
            .collect();
        omit_drawn::<T>(&seats);
        // An agenda begins with its first turn, once.
        crate::AgendaCursor::<T>::put(later::<T>());
        omit_shared::<T>();
        let now = System::<T>::block_number();
        #[block]
        {
            for (validator, _) in &seats {
                T::Operators::check_backlog(validator);
                T::Referee::backlog(validator);
            }
            let effects = vec![ClaimEffect::Drawn(seats)];
            // The claim was read to find out that it can be drawn for.
            Claims::<T>::get(ClaimId(0));
            Pallet::<T>::file_step(kept, &before, false, effects, &[], now);
        }
        assert_eq!(the_claim::<T>().seats.len(), s as usize);
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
            take_turn::<T>(now);
        }
        let claim = the_claim::<T>();
        assert!(matches!(claim.stage, ClaimStage::Challengeable { .. }));
    }

    /// A draw of validators for one leaf, each of which locks its stake.
    #[benchmark]
    fn draw(t: Linear<1, { MAX_TRIES }>) {
        omit_shared::<T>();
        let job = Job::Check(ClaimId(0), 0);
        let (checkpoint, _) = validators::<T>(t);
        let randomness = H256::repeat_byte(1);
        let selection;
        #[block]
        {
            selection = T::Operators::draw(Role::Validator, &checkpoint, randomness, t, |drawn| {
                Pallet::<T>::engage(drawn, job, 1, POSITIONS.into())
            });
        }
        assert_eq!(selection.candidates.len(), t as usize);
        assert_eq!((selection.tries, selection.absent), (t, 0));
    }

    /// A draw of validators for one leaf, each of which is absent and leaves its roster. The lock is read
    /// too, as for a validator with too little free bond.
    #[benchmark]
    fn draw_absent(t: Linear<1, { MAX_TRIES }>) {
        omit_shared::<T>();
        let job = Job::Check(ClaimId(0), 0);
        let (checkpoint, validators) = validators::<T>(t);
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
        assert_eq!((selection.tries, selection.absent), (t, t));
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
            take_turn::<T>(now);
        }
        let claim = the_claim::<T>();
        assert!(claim.outcome().is_some());
    }

    /// A claim falls while `d` of its leaves are in dispute: the bonds of all challengers without a seat are
    /// released. The settlement itself is that of `settle`.
    #[benchmark]
    fn close_disputes(d: Linear<0, MAX_DEMANDS>) {
        omit_shared::<T>();
        let others = T::MaxChallengers::get() - MAX_SEATED_CHALLENGERS;
        let amount = funds::<T>() / 10;
        for leaf in 0..d {
            let challengers = (0..others).map(|index| {
                let who: T::AccountId = account("challenger", index, leaf);
                T::Currency::set_balance(&who, funds::<T>());
                let reason = HoldReason::Challenge.into();
                T::Currency::hold(&reason, &who, amount).expect("the account has the amount");
                let stake = Stake::Hold {
                    from: who.clone(),
                    amount,
                };
                Challenger {
                    account: who,
                    stake,
                }
            });
            let challengers = BoundedVec::truncate_from(challengers.collect());
            Disputes::<T>::insert(ClaimId(0), leaf, challengers);
        }
        let outcome = ClaimOutcome::Fallen(ClaimFault::Withheld(0));
        let winners;
        #[block]
        {
            winners = Pallet::<T>::close_disputes(ClaimId(0), outcome);
        }
        assert_eq!(winners.len(), (others * d.min(1)) as usize);
        assert_eq!(Disputes::<T>::iter().count(), 0);
    }

    /// Each of `d` validators demanded its leaf by itself.
    #[benchmark]
    fn charge_demands(d: Linear<0, MAX_DRAWN_LEAVES>) {
        omit_shared::<T>();
        let mut kept = made::<T>();
        seated::<T>(&mut kept, d, SeatState::Confirmed);
        let demands = kept.claim.seats.iter().map(|seat| Demand {
            leaf: seat.leaf,
            by: seat.validator.clone(),
            until: later::<T>(),
            is_posted: true,
            is_shared: false,
        });
        let demands: Vec<_> = demands.collect();
        kept.claim.demands = demands.try_into().expect("each leaf is demanded once");
        assert_eq!(kept.claim.lone_demands().count(), d as usize);
        #[block]
        {
            Pallet::<T>::charge_demands(&kept.claim);
        }
        let locked = |seat: &Seat<T::AccountId>| {
            T::Operators::locked(&seat.validator, Job::Check(kept.claim.id, seat.leaf))
        };
        let mut seats = kept.claim.seats.iter();
        assert!(seats.all(|seat| locked(seat) == Some(0)));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
