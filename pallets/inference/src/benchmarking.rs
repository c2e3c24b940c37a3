//! Benchmarks of the calls, and of the steps of a poll.

use crate::{
    pruning::Removal,
    queue::Look,
    requesting::Question,
    workers::{Draw, Handout, Left, Worker},
    *,
};
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{fungible::Mutate, Get},
    weights::WeightMeter,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use noema_claims::{Beacon, ClaimOutcome, RelayBlock, Settlement, Verification};
use noema_interfaces::{Checkpoints, Claims, OnClaimEnded, Operators, MAX_TRIES};
use noema_protocol::{
    hashing, request::text_bound, CheckpointId, ClaimId, Job, ModelLimits, Offence, Receipt,
    RequestId, Role, SamplingParameters,
};
use pallet_duties::AsDuty;
use sp_core::H256;
use sp_runtime::traits::{One, Saturating};

const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
/// Operators in the roster.
const OPERATORS: u32 = 32;
/// Requests that a worker may have.
const ROOM: u32 = 16;

fn controller<T: Config>(index: u32) -> T::AccountId {
    account("controller", index, 0)
}

fn key<T: Config>(index: u32) -> T::AccountId {
    account("key", index, 0)
}

/// `n` live workers of an active checkpoint.
fn populate<T: Config>(n: u32) {
    let limits = ModelLimits {
        context_length: u32::MAX,
        vocabulary: u32::MAX,
        tokens_per_byte: 1,
        template_tokens: 1,
    };
    T::Checkpoints::set_active(CHECKPOINT, limits);
    for index in 0..n {
        let (controller, key) = (controller::<T>(index), key::<T>(index));
        T::Operators::register(&controller, &key, Role::Worker, &CHECKPOINT);
    }
    // Another request waits without a place, so that new ones get places in the queue.
    Unqueued::<T>::put(RequestId(u64::MAX));
}

fn key_of<T: Config>(worker: &T::AccountId) -> T::AccountId {
    (0..OPERATORS)
        .map(|index| key::<T>(index))
        .find(|key| T::Operators::controller_of(key).as_ref() == Some(worker))
        .expect("operators were registered with these keys; qed")
}

/// The workers that are drawn with `randomness`, in order.
fn drawn<T: Config>(randomness: H256) -> Vec<T::AccountId> {
    let selection = T::Operators::draw(Role::Worker, &CHECKPOINT, randomness, MAX_TRIES, |_| true);
    let candidates = selection.candidates.into_iter();
    candidates.map(|candidate| candidate.controller).collect()
}

/// A slash makes an operator absent, even where its bond has nothing to take.
fn make_absent<T: Config>(controller: &T::AccountId) {
    let job = Job::Request(RequestId(u64::MAX));
    T::Operators::slash(controller, job, Offence::MissedDeadline, 0, &[]);
}

fn max_tokens<T: Config>() -> u16 {
    u16::try_from(T::MaxAnswerTokens::get()).unwrap_or(u16::MAX)
}

fn requester<T: Config>() -> T::AccountId
where
    T::Currency: Mutate<T::AccountId>,
{
    let requester = account("requester", 0, 0);
    T::Currency::set_balance(&requester, Balance::MAX / 4);
    requester
}

fn question<T: Config>(prompt_bytes: u32) -> Question {
    let parameters = SamplingParameters::greedy(max_tokens::<T>());
    let offers = Pallet::<T>::price_list(&CHECKPOINT, prompt_bytes, &parameters);
    let most = offers.and_then(|list| list.offers.last().map(|offer| offer.total));
    Question {
        checkpoint: CHECKPOINT,
        prompt: vec![b'a'; prompt_bytes as usize],
        parameters,
        price_limit: most.unwrap_or(1_000_000),
    }
}

/// Leaves storage keys out of the count of reads and writes.
fn omit(keys: impl IntoIterator<Item = Vec<u8>>) {
    for key in keys {
        frame_benchmarking::benchmarking::add_to_whitelist(key.into());
    }
}

/// Leaves what all requests of a block share out of the count of reads and writes: the polls of each block are
/// charged for it, see `poll_base` here and in the claims pallet.
fn omit_shared<T: Config>() {
    let own = [
        NextDeadlines::<T>::hashed_key().to_vec(),
        NextRequestId::<T>::hashed_key().to_vec(),
        Unqueued::<T>::hashed_key().to_vec(),
    ];
    omit(T::Claims::shared_keys().into_iter().chain(own));
}

/// Leaves what the performing of a duty reads out of the count of reads of its check before, as the same
/// transaction is charged for both.
fn omit_performed<T: Config>(id: RequestId, key: &T::AccountId) {
    let request = Requests::<T>::hashed_key_for(id);
    omit(T::Operators::keys_of(key, key).into_iter().chain([request]));
}

/// A request with the longest prompt.
fn asked<T: Config>() -> RequestId
where
    T::Currency: Mutate<T::AccountId>,
{
    let id = NextRequestId::<T>::get();
    let question = question::<T>(T::MaxPromptBytes::get());
    Pallet::<T>::do_request(requester::<T>(), question).expect("the request is valid; qed");
    id
}

/// Requests whose price limit no worker accepts.
fn dear<T: Config>(count: u32) -> Vec<(RequestId, Request<T>)>
where
    T::Currency: Mutate<T::AccountId>,
{
    (0..count)
        .map(|_| asked::<T>())
        .map(|id| {
            let price_limit = 0;
            let request = Request {
                price_limit,
                ..load::<T>(id)
            };
            (id, request)
        })
        .collect()
}

/// A draw in block `now`.
const fn draw_of<BlockNumber>(randomness: H256, now: BlockNumber) -> Draw<BlockNumber> {
    Draw {
        randomness,
        now,
        room: ROOM,
    }
}

fn load<T: Config>(id: RequestId) -> Request<T> {
    Requests::<T>::get(id).expect("the record exists; qed")
}

/// Randomness that is younger than every request.
fn beacon() -> Beacon {
    let mut beacon = Beacon::default();
    beacon.push(RelayBlock::MAX, H256::repeat_byte(1));
    beacon
}

fn visit<T: Config>(now: BlockNumberFor<T>, beacon: &Beacon) -> Option<Look> {
    let look = Look::AtFront;
    let meter = &mut WeightMeter::new();
    Pallet::<T>::visit(CHECKPOINT, 0, look, beacon, ROOM, now, meter)
}

/// A request assigned to a worker.
fn assigned<T: Config>() -> (RequestId, T::AccountId)
where
    T::Currency: Mutate<T::AccountId>,
{
    populate::<T>(1);
    let id = asked::<T>();
    visit::<T>(System::<T>::block_number(), &beacon());
    let assignment = load::<T>(id).assignment.expect("a worker was drawn; qed");
    (id, key_of::<T>(&assignment.worker))
}

/// An answer of `t` tokens and `b` bytes.
fn answer<T: Config>(id: RequestId, t: u32, b: u32) -> (Vec<u32>, Vec<u8>, Receipt) {
    let (tokens, text) = (vec![1; t as usize], vec![b'a'; b as usize]);
    let request = load::<T>(id);
    let receipt = Receipt {
        request: id,
        checkpoint: CHECKPOINT,
        prompt_hash: request.prompt_hash,
        parameters: request.parameters,
        seed: request
            .assignment
            .expect("the request is assigned; qed")
            .seed,
        answer_hash: hashing::answer_hash(&tokens, &text),
        prompt_tokens: 1,
        answer_tokens: t,
        hidden_root: H256::repeat_byte(2),
    };
    (tokens, text, receipt)
}

/// A request with the longest answer, and its claim.
fn answered<T: Config>() -> (RequestId, ClaimId)
where
    T::Currency: Mutate<T::AccountId>,
{
    let (id, key) = assigned::<T>();
    let most = u32::from(max_tokens::<T>());
    let (tokens, text, receipt) = answer::<T>(id, most, text_bound(most));
    Pallet::<T>::do_submit(key, id, tokens, text, receipt).expect("the answer is valid; qed");
    let claim = load::<T>(id)
        .statement
        .expect("the request is answered; qed")
        .claim;
    (id, claim)
}

/// How a claim ends that validators confirmed.
fn settled<T: Config>(claim: ClaimId) -> (ClaimOutcome, Settlement<T::AccountId>) {
    let outcome = ClaimOutcome::Final(Verification::Confirmed);
    let claim = T::Claims::claim(claim).expect("the record exists; qed");
    (outcome, claim.settle(outcome))
}

/// Ends the claim of a request.
fn end<T: Config>(id: RequestId, claim: ClaimId) {
    let (outcome, settlement) = settled::<T>(claim);
    <Pallet<T> as OnClaimEnded<_>>::ended(id.into(), claim, outcome, &settlement);
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
    use super::*;

    /// A request that gets no place in a queue. The base weight of a transaction contains the dispatch of the call.
    #[benchmark(pov_mode = Measured)]
    fn request_inference(p: Linear<1, { T::MaxPromptBytes::get() }>, t: Linear<1, { MAX_TRIES }>) {
        populate::<T>(t);
        Unqueued::<T>::kill();
        let requester = requester::<T>();
        omit_shared::<T>();
        // The nonce of the transaction is in its account.
        frame_benchmarking::whitelist_account!(requester);
        let question = question::<T>(p);
        // Only the last operator that is drawn is present.
        let randomness = Pallet::<T>::randomness_of_offers(NextRequestId::<T>::get());
        let drawn = drawn::<T>(randomness);
        if let Some((_, others)) = drawn.split_last() {
            others.iter().for_each(make_absent::<T>);
        }
        let made;
        #[block]
        {
            made = Pallet::<T>::request_inference(
                RawOrigin::Signed(requester).into(),
                question.checkpoint,
                question.prompt,
                question.parameters,
                question.price_limit,
            );
        }
        assert!(made.is_ok());
        assert_eq!(Requests::<T>::iter().count(), 1);
    }

    /// A request gets a place in a queue.
    #[benchmark(pov_mode = Measured)]
    fn enqueue() {
        let id = RequestId(0);
        #[block]
        {
            Pallet::<T>::enqueue(id, &CHECKPOINT);
        }
        assert!(Pallet::<T>::has_queue(&CHECKPOINT));
    }

    /// A request leaves its queue.
    #[benchmark(pov_mode = Measured)]
    fn dequeue() {
        let id = RequestId(0);
        Pallet::<T>::enqueue(id, &CHECKPOINT);
        #[block]
        {
            Pallet::<T>::dequeue(id, &CHECKPOINT);
        }
        assert!(!Pallet::<T>::has_queue(&CHECKPOINT));
    }

    #[benchmark(pov_mode = Measured)]
    fn cancel_request() {
        populate::<T>(1);
        let id = asked::<T>();
        let requester = requester::<T>();
        // The nonce of the transaction is in its account.
        frame_benchmarking::whitelist_account!(requester);
        #[extrinsic_call]
        _(RawOrigin::Signed(requester), id);
        assert!(load::<T>(id).phase.is_final());
    }

    /// The weight of performing a duty, and the base weight of a transaction, contain the dispatch of the call.
    #[benchmark(pov_mode = Measured)]
    fn submit_answer(
        t: Linear<1, { T::MaxAnswerTokens::get().min(u16::MAX.into()) }>,
        b: Linear<0, { text_bound(T::MaxAnswerTokens::get().min(u16::MAX.into())) }>,
    ) {
        omit_shared::<T>();
        let (id, key) = assigned::<T>();
        let (tokens, text, receipt) = answer::<T>(id, t, b);
        let answered;
        #[block]
        {
            let origin = RawOrigin::Signed(key).into();
            answered = Pallet::<T>::submit_answer(origin, id, tokens, text, receipt);
        }
        assert!(answered.is_ok());
        assert!(Answers::<T>::contains_key(id));
    }

    /// Whether an answer is a duty.
    #[benchmark(pov_mode = Measured)]
    fn verify_answer(
        t: Linear<1, { T::MaxAnswerTokens::get().min(u16::MAX.into()) }>,
        b: Linear<0, { text_bound(T::MaxAnswerTokens::get().min(u16::MAX.into())) }>,
    ) {
        let (id, key) = assigned::<T>();
        omit_performed::<T>(id, &key);
        let (tokens, text, receipt) = answer::<T>(id, t, b);
        let call = Call::<T>::submit_answer {
            request: id,
            tokens,
            text,
            receipt,
        };
        let duty;
        #[block]
        {
            duty = call.as_duty(&key, System::<T>::block_number());
        }
        assert!(matches!(duty, Some(Ok(_))));
    }

    /// A poll of a block without turns, which leaves it in the agenda, finds that nothing is to be pruned of two
    /// requests, and finds the first queue.
    #[benchmark(pov_mode = Measured)]
    fn poll_base() {
        populate::<T>(1);
        let first = asked::<T>();
        let second = asked::<T>();
        PruningState::<T>::put(Pruning {
            bodies: second,
            records: first,
            ..Default::default()
        });
        // An agenda with turns does not begin with block 0.
        let now = System::<T>::block_number().saturating_add(One::one());
        NextDeadlines::<T>::put(now);
        #[block]
        {
            Pallet::<T>::poll(now, &mut WeightMeter::new());
            // A poll that prunes writes this.
            PruningState::<T>::mutate(|_| ());
            // Written once in a block, however many requests are made.
            NextRequestId::<T>::mutate(|_| ());
            // Written once in a block, however many requests are made, and cleared.
            Unqueued::<T>::mutate(|_| ());
            // Without randomness, as in a benchmark, a poll neither reads the rules nor looks for queues.
            T::Rules::get();
            Pallet::<T>::next_queue(LastVisited::<T>::get());
        }
        assert!(NextDeadlines::<T>::get() > now);
        let state = PruningState::<T>::get();
        assert_eq!((state.bodies, state.records), (second, first));
    }

    #[benchmark(pov_mode = Measured)]
    fn skip_block() {
        let now = System::<T>::block_number().saturating_add(One::one());
        NextDeadlines::<T>::put(now);
        let next = now.saturating_add(One::one());
        #[block]
        {
            DeadlineAgenda::<T>::take_due::<_, RequestId>(next, 1);
        }
        assert_eq!(NextDeadlines::<T>::get(), next);
    }

    /// Looks at requests none of which is ready, some of them before a cursor, and looks up the next queue. A worker
    /// had the first one, which says nothing about the others then.
    #[benchmark(pov_mode = Measured)]
    fn visit(r: Linear<0, { LOOK_AHEAD }>) {
        populate::<T>(1);
        for n in 0..r {
            let id = asked::<T>();
            let attempts = u32::from(n == 0);
            let request = load::<T>(id);
            Requests::<T>::insert(
                id,
                Request {
                    attempts,
                    ..request
                },
            );
        }
        let search = QueueSearch {
            cursor: Some(RequestId(u64::from(r / 2))),
            fruitless: 0,
        };
        Searches::<T>::insert(CHECKPOINT, search);
        let now = System::<T>::block_number();
        let again;
        #[block]
        {
            again = super::visit::<T>(now, &Beacon::default());
            // A visit after which a draw was made reads this, too.
            Pallet::<T>::note_draw(&CHECKPOINT, 1, &mut WeightMeter::new());
            Pallet::<T>::next_queue(Some(CHECKPOINT));
        }
        assert!(again.is_none());
    }

    /// Looks at the first request, which is not ready, and looks up the next queue.
    #[benchmark(pov_mode = Measured)]
    fn visit_early() {
        populate::<T>(1);
        asked::<T>();
        asked::<T>();
        let now = System::<T>::block_number();
        let again;
        #[block]
        {
            again = super::visit::<T>(now, &Beacon::default());
            Pallet::<T>::next_queue(Some(CHECKPOINT));
        }
        assert!(again.is_none());
    }

    /// The request without a place has to wait.
    #[benchmark(pov_mode = Measured)]
    fn look() {
        populate::<T>(1);
        Unqueued::<T>::kill();
        let id = asked::<T>();
        omit_shared::<T>();
        let now = System::<T>::block_number();
        let left;
        #[block]
        {
            let meter = &mut WeightMeter::new();
            left = Pallet::<T>::serve_unqueued(&Beacon::default(), ROOM, now, meter);
        }
        assert!(left.is_none());
        assert_eq!(Unqueued::<T>::get(), Some(id));
    }

    /// What a draw for the request without a place reads before and after it, beside the request.
    #[benchmark(pov_mode = Measured)]
    fn visit_unqueued() {
        populate::<T>(1);
        Searches::<T>::insert(CHECKPOINT, QueueSearch::default());
        omit_shared::<T>();
        let (is_active, has_queues);
        #[block]
        {
            is_active = T::Checkpoints::is_active(&CHECKPOINT);
            Unqueued::<T>::kill();
            has_queues = Pallet::<T>::has_queues();
            Pallet::<T>::note_draw(&CHECKPOINT, 1, &mut WeightMeter::new());
        }
        assert!(is_active && !has_queues);
    }

    /// Draws workers for a request that none of them takes.
    #[benchmark(pov_mode = Measured)]
    fn draw_workers(t: Linear<1, { MAX_TRIES }>) {
        omit_shared::<T>();
        populate::<T>(t);
        let requests = dear::<T>(1);
        let draw = draw_of(H256::repeat_byte(3), System::<T>::block_number());
        let handout;
        #[block]
        {
            handout = Handout::<T>::new(&CHECKPOINT, draw, requests);
        }
        assert!(handout.has_room && handout.taken.is_empty());
        assert_eq!(handout.tries, t);
    }

    /// Draws only absent workers, so that each leaves its roster.
    #[benchmark(pov_mode = Measured)]
    fn draw_absent(t: Linear<1, { MAX_TRIES }>) {
        omit_shared::<T>();
        populate::<T>(t);
        let requests = vec![asked::<T>()].into_iter().map(|id| (id, load::<T>(id)));
        let requests: Vec<_> = requests.collect();
        let randomness = H256::repeat_byte(3);
        drawn::<T>(randomness).iter().for_each(make_absent::<T>);
        let draw = draw_of(randomness, System::<T>::block_number());
        let handout;
        #[block]
        {
            handout = Handout::<T>::new(&CHECKPOINT, draw, requests);
        }
        assert_eq!(handout.met, 0);
    }

    /// A worker that was drawn considers requests, of which it takes none, and the reason is found for each.
    #[benchmark(pov_mode = Measured)]
    fn consider(r: Linear<0, LOOK_AHEAD>) {
        populate::<T>(1);
        let mut waiting = dear::<T>(r);
        let candidates = T::Operators::roster(Role::Worker, &CHECKPOINT);
        let candidate = candidates.first().expect("an operator was registered; qed");
        let mut met = [Worker::<T>::of(candidate)];
        let draw = draw_of(H256::repeat_byte(3), System::<T>::block_number());
        let is_taken;
        let reasons: Vec<_>;
        #[block]
        {
            let mut workers = met.iter_mut();
            is_taken = workers.any(|worker| worker.take_first(&mut waiting, &draw).is_some());
            let requests = waiting.iter().map(|(_, request)| request);
            reasons = requests
                .map(|request| Worker::<T>::why_not(&met, request, &draw))
                .collect();
        }
        assert!(!is_taken);
        assert_eq!(reasons, vec![Left::TooDear; r as usize]);
    }

    /// A worker that was drawn takes a request, which has left its queue.
    #[benchmark(pov_mode = Measured)]
    fn assign() {
        populate::<T>(1);
        let id = asked::<T>();
        let now = System::<T>::block_number();
        let candidates = T::Operators::roster(Role::Worker, &CHECKPOINT);
        let candidate = candidates.first().expect("an operator was registered; qed");
        let mut worker = Worker::<T>::of(candidate);
        // An agenda begins with its first turn, once.
        NextDeadlines::<T>::put(now);
        omit_shared::<T>();
        let mut waiting = vec![(id, load::<T>(id))];
        let draw = draw_of(H256::repeat_byte(3), now);
        #[block]
        {
            if let Some((id, request, assignment)) = worker.take_first(&mut waiting, &draw) {
                Pallet::<T>::assign(id, request, assignment, now);
            }
        }
        assert!(load::<T>(id).assignment.is_some());
    }

    #[benchmark(pov_mode = Measured)]
    fn refund() {
        populate::<T>(1);
        let id = asked::<T>();
        let request = load::<T>(id);
        #[block]
        {
            Pallet::<T>::refund_unserved(id, request);
        }
        assert!(load::<T>(id).phase.is_final());
    }

    #[benchmark(pov_mode = Measured)]
    fn pass_over() {
        populate::<T>(1);
        let id = asked::<T>();
        let request = Request {
            expires_at: System::<T>::block_number(),
            ..load::<T>(id)
        };
        let now = request.expires_at;
        #[block]
        {
            let meter = &mut WeightMeter::new();
            Pallet::<T>::leave(id, request, Left::NothingToStake, 0, now, meter);
        }
        assert_eq!(load::<T>(id).passes, 1);
    }

    /// The last attempt is missed, and the requester gets its money back.
    #[benchmark(pov_mode = Measured)]
    fn miss() {
        let (id, _) = assigned::<T>();
        let request = load::<T>(id);
        let assignment = request.assignment.as_ref();
        let deadline = assignment.expect("the request is assigned; qed").deadline;
        let attempts = request.rules.max_attempts.saturating_sub(1);
        Requests::<T>::insert(
            id,
            Request {
                attempts,
                ..request
            },
        );
        let now = deadline.saturating_add(One::one());
        System::<T>::set_block_number(now);
        NextDeadlines::<T>::put(now);
        omit_shared::<T>();
        #[block]
        {
            for id in DeadlineAgenda::<T>::take_due(now, 1) {
                Pallet::<T>::miss(id, now);
            }
        }
        assert!(load::<T>(id).phase.is_final());
    }

    #[benchmark(pov_mode = Measured)]
    fn prune_bodies() {
        let (id, claim) = answered::<T>();
        end::<T>(id, claim);
        let rules = load::<T>(id).rules;
        let now = System::<T>::block_number().saturating_add(rules.body_retention.into());
        #[block]
        {
            Pallet::<T>::prune(RequestPart::Bodies, id, now);
        }
        assert!(!Answers::<T>::contains_key(id));
    }

    #[benchmark(pov_mode = Measured)]
    fn prune_record() {
        let (id, claim) = answered::<T>();
        end::<T>(id, claim);
        let rules = load::<T>(id).rules;
        let now = System::<T>::block_number().saturating_add(rules.retention.into());
        #[block]
        {
            Pallet::<T>::prune(RequestPart::Record, id, now);
        }
        assert!(!Requests::<T>::contains_key(id));
    }

    /// A late request of which nothing is due, the last of two that are listed.
    #[benchmark(pov_mode = Measured)]
    fn visit_late() {
        populate::<T>(1);
        let other = asked::<T>();
        let id = asked::<T>();
        let rules = load::<T>(id).rules;
        let now = System::<T>::block_number() + rules.body_retention.into() + One::one();
        for id in [other, id] {
            assert_eq!(
                Pallet::<T>::prune(RequestPart::Bodies, id, now),
                Removal::Late
            );
        }
        let mut state = Pruning {
            late: 2,
            ..Default::default()
        };
        #[block]
        {
            Pallet::<T>::visit_late(&mut state, now, &mut WeightMeter::new());
        }
        assert_eq!(state.late, 2);
    }

    #[benchmark(pov_mode = Measured)]
    fn ended() {
        let (id, claim) = answered::<T>();
        let (outcome, settlement) = settled::<T>(claim);
        #[block]
        {
            <Pallet<T> as OnClaimEnded<_>>::ended(id.into(), claim, outcome, &settlement);
        }
        assert!(load::<T>(id).phase.is_final());
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::TestExt::new().into_inner(),
        crate::mock::Test
    );
}
