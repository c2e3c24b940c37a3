//! Benchmarks of the calls, and of the steps of a poll. The base weight of a transaction, and that of performing a duty,
//! contain the dispatch of the call.

use crate::{
    opening::Opening, AgendaCursor, Call, Config, FirstUnseeded, NextSession, OpenClaims, Pallet,
    SessionOf, Sessions, Turns,
};
use alloc::{boxed::Box, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{fungible::Mutate, Get},
    weights::WeightMeter,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use noema_claims::{ClaimFault, ClaimOutcome, Settlement};
use noema_economics::{Balance, NetPayment};
use noema_interfaces::{Checkpoints, Claims, OnClaimEnded, Operators, MAX_TRIES};
use noema_protocol::{CheckpointId, ClaimId, Job, ModelLimits, Offence, Role, SessionId};
use noema_sessions::{SessionPrices, Stage, Voucher};
use pallet_duties::{AsDuty, BenchmarkHelper as _};
use sp_core::H256;

const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
/// The seed of the voucher key.
const VOUCHER_KEY: u8 = 1;
const ANY_PRICE: SessionPrices = SessionPrices {
    per_prompt_token: Balance::MAX,
    per_cached_token: Balance::MAX,
    per_answer_token: Balance::MAX,
};

fn payer<T: Config>() -> T::AccountId {
    let payer: T::AccountId = account("payer", 0, 0);
    T::Currency::set_balance(&payer, Balance::MAX / 4);
    payer
}

fn worker<T: Config>() -> T::AccountId {
    account("worker", 0, 0)
}

fn worker_key<T: Config>() -> T::AccountId {
    account("key", 0, 0)
}

/// A worker that can be drawn, and the arguments of a session with it.
fn opening<T: Config>() -> Opening<T::AccountId> {
    let limits = ModelLimits {
        context_length: 2_048,
        vocabulary: u32::MAX,
        tokens_per_byte: 1,
        template_tokens: 1,
    };
    T::Checkpoints::set_active(CHECKPOINT, limits);
    T::Operators::register(
        &worker::<T>(),
        &worker_key::<T>(),
        Role::Worker,
        &CHECKPOINT,
    );
    let (voucher_key, _) = T::BenchmarkHelper::sign(VOUCHER_KEY, H256::zero());
    Opening {
        checkpoint: CHECKPOINT,
        worker: Some(worker::<T>()),
        voucher_key,
        leaf_tokens: 16,
        price_limit: ANY_PRICE,
        amount: T::Rules::get().min_held.saturating_add(amount::<T>() * 4),
    }
}

/// The price of the answers of a claim.
fn amount<T: Config>() -> Balance {
    T::Rules::get().min_claim
}

/// A session that waits for its seed.
fn opened<T: Config>() -> SessionId {
    let id = NextSession::<T>::get();
    Pallet::<T>::do_open(payer::<T>(), opening::<T>()).expect("the session can be opened; qed");
    id
}

fn load<T: Config>(id: SessionId) -> SessionOf<T> {
    Sessions::<T>::get(id).expect("the session is kept; qed")
}

/// An open session.
fn seeded<T: Config>() -> SessionId {
    let id = opened::<T>();
    Pallet::<T>::seed(id, load::<T>(id), H256::repeat_byte(1));
    assert!(matches!(load::<T>(id).account.stage, Stage::Open { .. }));
    id
}

/// A voucher over many answers, and its signature.
fn voucher<T: Config>(id: SessionId) -> (Voucher, T::Signature) {
    let terms = load::<T>(id)
        .terms(id)
        .expect("the session has a seed; qed");
    let agreement = terms.agreement(Pallet::<T>::genesis());
    let voucher = Voucher {
        genesis: agreement.genesis,
        session: id,
        terms: agreement.terms,
        first: 0,
        count: 100_000,
        amount: amount::<T>(),
        dearest: 0,
        root: H256::repeat_byte(2),
    };
    let (_, signature) = T::BenchmarkHelper::sign(VOUCHER_KEY, voucher.payload());
    (voucher, signature)
}

/// An open session, and a claim of it.
fn claimed<T: Config>() -> (SessionId, ClaimId) {
    let id = seeded::<T>();
    let (voucher, signature) = voucher::<T>(id);
    Pallet::<T>::do_claim(worker_key::<T>(), &voucher, &signature)
        .expect("the voucher can be claimed; qed");
    let open = OpenClaims::<T>::get(id, 0).expect("the claim is open; qed");
    (id, open.claim)
}

/// A session that closes, and the block after its window, in which it has the only turn.
fn closing<T: Config>() -> (SessionId, BlockNumberFor<T>) {
    let id = seeded::<T>();
    Pallet::<T>::do_close(payer::<T>(), id).expect("the session is open; qed");
    let turn = turn::<T>(id);
    (id, turn)
}

/// The block of a session's turn; those before it are behind the agenda's cursor.
fn turn<T: Config>(id: SessionId) -> BlockNumberFor<T> {
    let turn = load::<T>(id).turn.expect("the session has a turn; qed");
    AgendaCursor::<T>::put(turn);
    turn
}

/// Takes the only turn of block `now`, without what a poll reads once for all turns: see `poll_base`.
fn take_turn<T: Config>(now: BlockNumberFor<T>) {
    for turn in Turns::<T>::take_due(now, 1) {
        Pallet::<T>::take_turn(turn, now);
    }
}

/// Leaves what all sessions of a block share out of the count of reads and writes: the polls of each block are charged
/// for it, see `poll_base` here and in the claims pallet.
fn omit_shared<T: Config>() {
    let own = [
        AgendaCursor::<T>::hashed_key().to_vec(),
        NextSession::<T>::hashed_key().to_vec(),
    ];
    for key in T::Claims::shared_keys().into_iter().chain(own) {
        frame_benchmarking::benchmarking::add_to_whitelist(key.into());
    }
}

/// Releases the hold of a session without a seed, as where no worker is found for it.
fn release<T: Config>(session: &SessionOf<T>) {
    let left = session.account.left();
    assert_eq!(T::Claims::release(&session.payer, left), left);
}

/// Workers of a checkpoint that no other operator serves.
fn workers<T: Config>(count: u32) -> (CheckpointId, Vec<T::AccountId>) {
    let checkpoint = CheckpointId(H256::repeat_byte(8));
    let register = |index| {
        let controller: T::AccountId = account("drawn", index, 0);
        let key: T::AccountId = account("key", index, 1);
        T::Operators::register(&controller, &key, Role::Worker, &checkpoint);
        controller
    };
    (checkpoint, (0..count).map(register).collect())
}

#[benchmarks]
mod benches {
    use super::*;

    /// With a named worker, whose prices are read.
    #[benchmark]
    fn open_session() {
        omit_shared::<T>();
        let payer = payer::<T>();
        let Opening {
            checkpoint,
            worker,
            voucher_key,
            leaf_tokens,
            price_limit,
            amount,
        } = opening::<T>();
        // The nonce of the transaction is in its account.
        frame_benchmarking::whitelist_account!(payer);
        let opened;
        #[block]
        {
            opened = Pallet::<T>::open_session(
                RawOrigin::Signed(payer).into(),
                checkpoint,
                worker,
                voucher_key,
                leaf_tokens,
                price_limit,
                amount,
            );
        }
        assert!(opened.is_ok());
        assert_eq!(NextSession::<T>::get(), SessionId(1));
    }

    #[benchmark]
    fn top_up() {
        omit_shared::<T>();
        let id = seeded::<T>();
        let held = load::<T>(id).account.held;
        let amount = T::Rules::get().min_held;
        let payer = payer::<T>();
        // The nonce of the transaction is in its account.
        frame_benchmarking::whitelist_account!(payer);
        let added;
        #[block]
        {
            added = Pallet::<T>::top_up(RawOrigin::Signed(payer).into(), id, amount);
        }
        assert!(added.is_ok());
        assert_eq!(load::<T>(id).account.held, held + amount);
    }

    #[benchmark]
    fn claim() {
        omit_shared::<T>();
        let id = seeded::<T>();
        let (voucher, signature) = voucher::<T>(id);
        let (key, voucher) = (worker_key::<T>(), Box::new(voucher));
        let claimed;
        #[block]
        {
            claimed = Pallet::<T>::claim(RawOrigin::Signed(key).into(), voucher, signature);
        }
        assert!(claimed.is_ok());
        assert_eq!(load::<T>(id).account.claims, 1);
    }

    /// Whether a claim is a duty.
    #[benchmark]
    fn verify_claim() {
        omit_shared::<T>();
        let id = seeded::<T>();
        let (voucher, signature) = voucher::<T>(id);
        let call = Call::<T>::claim {
            voucher: Box::new(voucher),
            signature,
        };
        let key = worker_key::<T>();
        let duty;
        #[block]
        {
            duty = call.as_duty(&key, Pallet::<T>::now());
        }
        assert!(matches!(duty, Some(Ok(_))));
        assert_eq!(load::<T>(id).account.claims, 0);
    }

    /// The payer cancels a session without a seed: the hold is released.
    #[benchmark]
    fn close_session() {
        omit_shared::<T>();
        let id = opened::<T>();
        let payer = payer::<T>();
        let closed;
        #[block]
        {
            closed = Pallet::<T>::close_session(RawOrigin::Signed(payer).into(), id);
        }
        assert!(closed.is_ok());
        assert!(load::<T>(id).ended_at.is_some());
    }

    /// The worker waives the rest of its window: the rest of the hold is released.
    #[benchmark]
    fn end_session() {
        omit_shared::<T>();
        let (id, _) = closing::<T>();
        let key = worker_key::<T>();
        let result;
        #[block]
        {
            result = Pallet::<T>::end_session(RawOrigin::Signed(key).into(), id, 0);
        }
        assert!(result.is_ok());
        assert!(load::<T>(id).ended_at.is_some());
    }

    /// What every poll reads, where nothing is due.
    #[benchmark]
    fn poll_base() {
        // An agenda with turns does not begin with block 0.
        let now: BlockNumberFor<T> = 1_000u32.into();
        AgendaCursor::<T>::put(now);
        #[block]
        {
            Pallet::<T>::poll(now, &mut WeightMeter::new());
            FirstUnseeded::<T>::put(SessionId(0));
            // Written once in a block, however many sessions are opened.
            NextSession::<T>::mutate(|_| ());
        }
    }

    /// Leaves the block before this one.
    #[benchmark]
    fn skip_block() {
        let now: BlockNumberFor<T> = 1_000u32.into();
        AgendaCursor::<T>::put(now);
        let next = now + 1u32.into();
        #[block]
        {
            Turns::<T>::take_due(next, 1);
        }
        assert_eq!(AgendaCursor::<T>::get(), next);
    }

    /// The first session has to wait.
    #[benchmark]
    fn look() {
        omit_shared::<T>();
        let id = opened::<T>();
        FirstUnseeded::<T>::put(id);
        #[block]
        {
            Pallet::<T>::seed_waiting(&mut WeightMeter::new());
        }
        assert_eq!(FirstUnseeded::<T>::get(), id);
    }

    /// A session with a named worker gets its seed.
    #[benchmark]
    fn seed() {
        omit_shared::<T>();
        let id = opened::<T>();
        #[block]
        {
            let session = load::<T>(id);
            Pallet::<T>::seed(id, session, H256::repeat_byte(1));
        }
        assert!(load::<T>(id).seed.is_some());
    }

    /// A draw of a worker, of which the last operator suits, and the release of a hold: where none suits, a draw costs
    /// as much, and the session ends.
    #[benchmark]
    fn draw_worker(t: Linear<1, { MAX_TRIES }>) {
        omit_shared::<T>();
        let session = load::<T>(opened::<T>());
        let (checkpoint, _) = workers::<T>(t);
        let randomness = H256::repeat_byte(1);
        let mut seen = 0;
        let selection;
        #[block]
        {
            selection = T::Operators::draw(Role::Worker, &checkpoint, randomness, 1, |_| {
                seen += 1;
                seen == t
            });
            release::<T>(&session);
        }
        assert_eq!(selection.candidates.len(), 1);
        assert_eq!((selection.tries, selection.absent), (t, 0));
    }

    /// A draw of a worker, of which each operator is absent and leaves its roster, and the release of the hold.
    #[benchmark]
    fn draw_absent(t: Linear<1, { MAX_TRIES }>) {
        omit_shared::<T>();
        let session = load::<T>(opened::<T>());
        let (checkpoint, workers) = workers::<T>(t);
        let job = Job::Session(SessionId(u64::MAX), 0);
        for worker in &workers {
            T::Operators::slash(worker, job, Offence::FalseAnswer, 0, &[]);
        }
        let randomness = H256::repeat_byte(1);
        let selection;
        #[block]
        {
            selection = T::Operators::draw(Role::Worker, &checkpoint, randomness, 1, |_| true);
            release::<T>(&session);
        }
        assert!(selection.candidates.is_empty());
        assert_eq!((selection.tries, selection.absent), (t, t));
    }

    /// A session ends, and the rest of its hold is released.
    #[benchmark]
    fn turn() {
        omit_shared::<T>();
        let (id, now) = closing::<T>();
        #[block]
        {
            take_turn::<T>(now);
        }
        assert!(load::<T>(id).ended_at.is_some());
    }

    #[benchmark]
    fn prune() {
        omit_shared::<T>();
        let (id, now) = closing::<T>();
        take_turn::<T>(now);
        let now = super::turn::<T>(id);
        #[block]
        {
            take_turn::<T>(now);
        }
        assert!(!Sessions::<T>::contains_key(id));
    }

    /// The record of a claim that has ended is removed.
    #[benchmark]
    fn prune_claim() {
        omit_shared::<T>();
        let (_, made) = claimed::<T>();
        Pallet::<T>::file_removal(made, 0);
        let now = Pallet::<T>::now() + 1u32.into();
        AgendaCursor::<T>::put(now);
        #[block]
        {
            take_turn::<T>(now);
        }
        assert!(T::Claims::claim(made).is_none());
    }

    /// A claim falls, and its session begins to close.
    #[benchmark]
    fn ended() {
        omit_shared::<T>();
        let (id, made) = claimed::<T>();
        let outcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));
        let settlement = Settlement {
            claimant: NetPayment::default(),
            validators: Vec::new(),
            payer: 0,
            slash: None,
            false_confirmations: Vec::new(),
        };
        #[block]
        {
            Pallet::<T>::ended(Job::Session(id, 0), made, outcome, &settlement);
        }
        assert!(matches!(load::<T>(id).account.stage, Stage::Closing { .. }));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
