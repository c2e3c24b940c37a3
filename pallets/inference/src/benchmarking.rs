//! Measures the calls and the agenda's turns.

use crate::{case::Case, *};
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Mutate, Get};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use noema_protocol::{
    hashing,
    interfaces::{Checkpoints, ModelLimits, Operators, Role},
    CheckpointId, Receipt, RequestId, SamplingParameters, Verdict, VerdictReveal,
};
use sp_core::H256;
use sp_runtime::traits::{One, Saturating};

const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
/// Operators of a role that may be drawn.
const OPERATORS: u32 = 32;
const DIGEST: H256 = H256::repeat_byte(1);

fn controller<T: Config>(role: Role, index: u32) -> T::AccountId {
    account("controller", index, role as u32)
}

fn key<T: Config>(role: Role, index: u32) -> T::AccountId {
    account("key", index, role as u32)
}

/// `n` live operators of an active checkpoint.
fn populate<T: Config>(role: Role, n: u32) {
    let limits = ModelLimits {
        context_length: u32::MAX,
        vocabulary: u32::MAX,
    };
    T::Checkpoints::set_active(CHECKPOINT, limits);
    for index in 0..n {
        let (controller, key) = (controller::<T>(role, index), key::<T>(role, index));
        T::Operators::register(&controller, &key, role, &CHECKPOINT);
    }
}

fn key_of<T: Config>(role: Role, controller: &T::AccountId) -> T::AccountId {
    (0..OPERATORS)
        .map(|index| key::<T>(role, index))
        .find(|key| T::Operators::controller_of(key).as_ref() == Some(controller))
        .expect("operators were registered with these keys; qed")
}

fn parameters<T: Config>() -> SamplingParameters {
    let most = T::MaxOutputTokens::get().min(u16::MAX.into());
    SamplingParameters::greedy(u16::try_from(most).expect("it is at most u16::MAX; qed"))
}

fn requester<T: Config>() -> T::AccountId
where
    T::Currency: Mutate<T::AccountId>,
{
    let requester = account("requester", 0, 0);
    T::Currency::set_balance(&requester, Balance::MAX / 4);
    requester
}

/// More than any of the workers charges.
fn limit<T: Config>(prompt_bytes: u32) -> Balance {
    Pallet::<T>::offers(
        &CHECKPOINT,
        prompt_bytes,
        &parameters::<T>(),
        &T::Rates::get(),
    )
    .iter()
    .map(|(_, offer)| offer.total)
    .max()
    .unwrap_or(1_000_000)
}

/// A request with the longest prompt.
fn asked<T: Config>() -> RequestId
where
    T::Currency: Mutate<T::AccountId>,
{
    let id = NextRequestId::<T>::get();
    let bytes = T::MaxPromptBytes::get();
    Pallet::<T>::do_request(
        requester::<T>(),
        CHECKPOINT,
        vec![b'a'; bytes as usize],
        parameters::<T>(),
        limit::<T>(bytes),
    )
    .expect("the request is a good one; qed");
    id
}

/// Goes to the block in which the request has its turn. Returns the block.
fn go_to_turn<T: Config>(id: RequestId) -> BlockNumberFor<T> {
    let due = Requests::<T>::get(id).and_then(|request| request.due);
    let due = due.expect("a live request has a turn; qed");
    System::<T>::set_block_number(due);
    due
}

fn take_turn<T: Config>(id: RequestId) {
    let now = go_to_turn::<T>(id);
    Pallet::<T>::take_turns(now);
}

/// The turn that draws a worker, with a randomness that a benchmark's block does not have.
fn seek_worker<T: Config>(id: RequestId) {
    let now = go_to_turn::<T>(id);
    Pallet::<T>::seek_worker_by(load::<T>(id), now, DIGEST);
}

fn load<T: Config>(id: RequestId) -> Case<T> {
    Case::load(id).unwrap_or_else(|_| panic!("it was made; qed"))
}

/// A request that a worker has.
fn assigned<T: Config>() -> (RequestId, T::AccountId)
where
    T::Currency: Mutate<T::AccountId>,
{
    populate::<T>(Role::Worker, 1);
    let id = asked::<T>();
    seek_worker::<T>(id);
    (id, key::<T>(Role::Worker, 0))
}

fn receipt<T: Config>(id: RequestId, tokens: &[u32], text: &[u8]) -> Receipt {
    let request = Requests::<T>::get(id).expect("it was made; qed");
    Receipt {
        request: id,
        checkpoint: CHECKPOINT,
        prompt_hash: request.prompt_hash,
        parameters: request.parameters,
        seed: request.assignment.expect("it is assigned; qed").seed,
        output_hash: hashing::output_hash(tokens, text),
        prompt_tokens: 1,
        output_tokens: tokens.len() as u32,
        trace_commitment: hashing::trace_commitment(id, DIGEST),
    }
}

/// A request with the longest answer.
fn answered<T: Config>() -> RequestId
where
    T::Currency: Mutate<T::AccountId>,
{
    let (id, key) = assigned::<T>();
    let tokens = vec![1; T::MaxOutputTokens::get().min(u16::MAX.into()) as usize];
    let text = vec![b'a'; T::MaxTextBytes::get() as usize];
    let receipt = receipt::<T>(id, &tokens, &text);
    Pallet::<T>::do_submit(key, id, tokens, text, receipt).expect("the answer is good; qed");
    id
}

fn opening() -> VerdictReveal {
    VerdictReveal {
        verdict: Verdict::Valid,
        digest: DIGEST,
        salt: H256::repeat_byte(3),
    }
}

/// An answered request with `n` seats; the phase and stage are the caller's.
fn seated<T: Config>(
    n: u32,
    part: Part,
    standing: Standing,
    change: impl FnOnce(&mut Case<T>, BlockNumberFor<T>),
) -> RequestId
where
    T::Currency: Mutate<T::AccountId>,
{
    let id = answered::<T>();
    populate::<T>(Role::Validator, n);
    let mut case = load::<T>(id);
    for index in 0..n {
        let validator = controller::<T>(Role::Validator, index);
        assert!(case.engage(&validator));
        let bond = T::Operators::bond(&validator);
        let seat = Seat {
            validator,
            bond,
            part,
            commitment: None,
            opinion: (standing != Standing::Sitting).then_some(Opinion {
                verdict: Verdict::Valid,
                digest: DIGEST,
            }),
            standing,
        };
        assert!(case.check.seats.try_push(seat).is_ok());
    }
    let now = System::<T>::block_number();
    change(&mut case, now);
    case.wake_at(now.saturating_add(One::one()));
    case.store();
    id
}

fn later<T: Config>(now: BlockNumberFor<T>) -> BlockNumberFor<T> {
    now.saturating_add(100u32.into())
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn request_inference(p: Linear<1, { T::MaxPromptBytes::get() }>) {
        populate::<T>(Role::Worker, 1);
        let requester = requester::<T>();
        let limit = limit::<T>(p);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(requester),
            CHECKPOINT,
            vec![b'a'; p as usize],
            parameters::<T>(),
            limit,
        );
        assert_eq!(LiveRequests::<T>::get(), 1);
    }

    #[benchmark]
    fn cancel_request() {
        populate::<T>(Role::Worker, 1);
        let id = asked::<T>();
        let requester = requester::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(requester), id);
        assert_eq!(LiveRequests::<T>::get(), 0);
    }

    #[benchmark]
    fn submit_result(
        t: Linear<1, { T::MaxOutputTokens::get().min(u16::MAX.into()) }>,
        b: Linear<0, { T::MaxTextBytes::get() }>,
    ) {
        let (id, key) = assigned::<T>();
        let tokens = vec![1; t as usize];
        let text = vec![b'a'; b as usize];
        let receipt = receipt::<T>(id, &tokens, &text);
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, tokens, text, receipt);
        assert!(Answers::<T>::contains_key(id));
    }

    #[benchmark]
    fn commit_verdict() {
        let id = seated::<T>(1, Part::Check, Standing::Sitting, |case, now| {
            case.request.phase = Phase::Checking;
            case.check.stage = Stage::Committing {
                deadline: later::<T>(now),
            };
        });
        let key = key_of::<T>(Role::Validator, &controller::<T>(Role::Validator, 0));
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, DIGEST);
        let check = Checks::<T>::get(id).expect("it has one; qed");
        assert!(matches!(check.stage, Stage::Revealing { .. }));
    }

    #[benchmark]
    fn reveal_verdict() {
        let validator = controller::<T>(Role::Validator, 0);
        let id = seated::<T>(1, Part::Check, Standing::Sitting, |case, now| {
            case.request.phase = Phase::Checking;
            case.check.stage = Stage::Revealing {
                deadline: later::<T>(now),
            };
            let commitment = hashing::verdict_commitment(case.id, &validator, &opening());
            for seat in case.check.seats.iter_mut() {
                seat.commitment = Some(commitment);
            }
        });
        let key = key_of::<T>(Role::Validator, &validator);
        let VerdictReveal {
            verdict,
            digest,
            salt,
        } = opening();
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, verdict, digest, salt);
        let check = Checks::<T>::get(id).expect("it has one; qed");
        assert!(check.seats.iter().all(|seat| seat.opinion.is_some()));
    }

    #[benchmark]
    fn object() {
        let id = answered::<T>();
        populate::<T>(Role::Validator, OPERATORS);
        let mut case = load::<T>(id);
        case.request.phase = Phase::Objectable {
            deadline: later::<T>(System::<T>::block_number()),
        };
        case.store();
        let validator = controller::<T>(Role::Validator, OPERATORS - 1);
        let key = key_of::<T>(Role::Validator, &validator);
        #[extrinsic_call]
        _(RawOrigin::Signed(key), id, DIGEST);
        let request = Requests::<T>::get(id).expect("it was made; qed");
        assert!(matches!(request.phase, Phase::Disputed { .. }));
    }

    #[benchmark]
    fn agenda_base() {
        let now = System::<T>::block_number();
        #[block]
        {
            Pallet::<T>::agenda_weight(now);
            Pallet::<T>::take_turns(now);
        }
    }

    #[benchmark]
    fn assign() {
        populate::<T>(Role::Worker, OPERATORS);
        let id = asked::<T>();
        #[block]
        {
            seek_worker::<T>(id);
        }
        let request = Requests::<T>::get(id).expect("it was made; qed");
        assert!(request.assignment.is_some());
    }

    #[benchmark]
    fn draw_panel() {
        let id = answered::<T>();
        populate::<T>(Role::Validator, OPERATORS);
        let wanted = T::CommitteeSize::get();
        #[block]
        {
            let mut case = load::<T>(id);
            let validators = Pallet::<T>::seat(&mut case, Part::Committee, wanted, DIGEST);
            let commit_deadline = Pallet::<T>::open_commits(&mut case, System::<T>::block_number());
            case.store();
            Pallet::<T>::deposit_event(Event::CommitteeDrawn {
                request: id,
                validators,
                commit_deadline,
            });
        }
        assert!(Checks::<T>::contains_key(id));
    }

    #[benchmark]
    fn close_panel(s: Linear<1, { T::MaxSeats::get() }>) {
        let id = seated::<T>(s, Part::Check, Standing::Sitting, |case, now| {
            case.request.phase = Phase::Checking;
            case.check.stage = Stage::Revealing {
                deadline: later::<T>(now),
            };
        });
        let now = go_to_turn::<T>(id);
        #[block]
        {
            Pallet::<T>::take_turn(id, now);
        }
        let check = Checks::<T>::get(id).expect("it has one; qed");
        let mut standings = check.seats.iter().map(|seat| seat.standing);
        assert!(standings.all(|standing| standing == Standing::Silent));
    }

    #[benchmark]
    fn settle(s: Linear<0, { T::MaxSeats::get() }>) {
        let id = seated::<T>(s, Part::Check, Standing::Upholds, |case, now| {
            case.request.phase = Phase::Objectable {
                deadline: later::<T>(now),
            };
        });
        let now = go_to_turn::<T>(id);
        #[block]
        {
            Pallet::<T>::take_turn(id, now);
        }
        let request = Requests::<T>::get(id).expect("it was made; qed");
        assert_eq!(request.phase, Phase::Settled);
    }

    #[benchmark]
    fn conclude() {
        let seats = T::MaxSeats::get();
        let id = seated::<T>(seats, Part::Committee, Standing::Upholds, |case, now| {
            case.request.phase = Phase::Disputed {
                deadline: later::<T>(now),
            };
            // Half of them say otherwise: each loser is slashed for the sake of each winner. That
            // grows with the square of the seats, so no line is fitted to it.
            for seat in case.check.seats.iter_mut().step_by(2) {
                seat.opinion = Some(Opinion {
                    verdict: Verdict::Invalid,
                    digest: DIGEST,
                });
            }
        });
        let decided = Opinion {
            verdict: Verdict::Invalid,
            digest: DIGEST,
        };
        #[block]
        {
            Pallet::<T>::do_conclude(id, Outcome::Decided(decided)).expect("it is in dispute; qed");
        }
        assert_eq!(LiveRequests::<T>::get(), 0);
    }

    #[benchmark]
    fn prune_base() {
        let now = System::<T>::block_number();
        #[block]
        {
            Pallet::<T>::prune(now, frame_support::weights::Weight::MAX);
        }
    }

    #[benchmark]
    fn prune() {
        let id = seated::<T>(
            T::MaxSeats::get(),
            Part::Check,
            Standing::Upholds,
            |case, now| {
                case.request.phase = Phase::Objectable {
                    deadline: later::<T>(now),
                };
            },
        );
        take_turn::<T>(id);
        let now = System::<T>::block_number().saturating_add(T::Windows::get().retention.into());
        #[block]
        {
            Pallet::<T>::prune(now, frame_support::weights::Weight::MAX);
        }
        assert!(!Requests::<T>::contains_key(id));
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::TestExt::new().into_inner(),
        crate::mock::Test
    );
}
