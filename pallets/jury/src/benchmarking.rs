//! Benchmarks of the calls and the turns.

use crate::*;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Mutate, MutateHold},
        Get,
    },
    weights::WeightMeter,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use noema_claims::Decision;
use noema_economics::Balance;
use noema_interfaces::{Candidate, Claims as _, Operators, RelayRandomness as _, MAX_TRIES};
use noema_protocol::{hashing::verdict_commitment, CheckpointId, ClaimId, Offence, Role, Verdict};
use sp_core::H256;
use sp_runtime::traits::{One, Saturating};

const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
const OTHER_CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(8));
const SALT: H256 = H256::repeat_byte(3);

/// Creates state that only the runtime can.
pub trait BenchmarkHelper {
    /// Makes a claim about `checkpoint`, which is active from then on, with as much to settle as a claim can
    /// have. Opens a dispute by challenging one of its leaves, as any account can. Returns the leaf.
    fn challenged(checkpoint: CheckpointId) -> (ClaimId, u32);
}

fn juror<T: Config>(index: u32) -> T::AccountId {
    account("juror", index, 0)
}

fn key<T: Config>(index: u32) -> T::AccountId {
    account("juror key", index, 0)
}

/// Registers `n` jurors.
fn register<T: Config>(n: u32, checkpoint: &CheckpointId) {
    for index in 0..n {
        let (juror, key) = (juror::<T>(index), key::<T>(index));
        T::Operators::register(&juror, &key, Role::Validator, checkpoint);
    }
}

/// An open dispute, and `n` validators that can be drawn.
fn opened<T: Config>(n: u32) -> OpenDisputeOf<T> {
    let (claim, leaf) = T::BenchmarkHelper::challenged(CHECKPOINT);
    register::<T>(n, &CHECKPOINT);
    OpenDisputes::<T>::get(claim, leaf).expect("the dispute was just opened; qed")
}

/// Seats jurors `first` to `last` in the sitting jury, each in `state`.
fn seat<T: Config>(
    open: &mut OpenDisputeOf<T>,
    (first, last): (u32, u32),
    state: impl Fn(&T::AccountId) -> JurorState,
) {
    let dispute = &mut open.dispute;
    let jurors: Vec<_> = (first..last)
        .map(|index| {
            let account = juror::<T>(index);
            let bond = T::Operators::bond(&account);
            let candidate = Candidate {
                controller: account.clone(),
                bond,
                free: bond,
                prices: Default::default(),
                load: Default::default(),
            };
            let locked = Pallet::<T>::lock_seats(dispute, &candidate, 1);
            assert_eq!(locked, 1, "the bond suffices for a stake");
            Juror {
                seats: 1,
                state: state(&account),
                account,
            }
        })
        .collect();
    let jury = Jury::of(Pallet::<T>::jury_size(dispute.instance), jurors);
    match dispute.instance {
        Instance::First => dispute.first = jury,
        Instance::Second => dispute.second = jury,
    }
}

/// Sets the stage of a dispute, and stores it in its place.
fn set_stage<T: Config>(
    mut open: OpenDisputeOf<T>,
    stage: DisputeStage<BlockNumberFor<T>>,
) -> LeafId {
    let leaf = (open.dispute.claim, open.dispute.leaf);
    open.dispute.stage = stage;
    Pallet::<T>::file(open, System::<T>::block_number());
    leaf
}

fn later<T: Config>() -> BlockNumberFor<T> {
    System::<T>::block_number().saturating_add(100u32.into())
}

/// An account that can pay the bond of an appeal.
fn appellant<T: Config>() -> T::AccountId
where
    T::Currency: Mutate<T::AccountId>,
{
    let appellant = account("appellant", 0, 0);
    T::Currency::set_balance(&appellant, Balance::MAX / 4);
    appellant
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn commit_verdict() {
        let jurors = T::SecondJury::get();
        let mut open = opened::<T>(jurors);
        open.dispute.instance = Instance::Second;
        // All others have done so: the last one opens the next stage.
        let last = juror::<T>(jurors - 1);
        seat::<T>(&mut open, (0, jurors), |juror| match *juror == last {
            true => JurorState::Seated,
            false => JurorState::Committed(SALT),
        });
        let (claim, leaf) = set_stage::<T>(
            open,
            DisputeStage::Committing {
                until: later::<T>(),
            },
        );
        let key = key::<T>(jurors - 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(key), claim, leaf, SALT);
        let open = OpenDisputes::<T>::get(claim, leaf).expect("the dispute is open; qed");
        assert!(open.dispute.second.have_all_committed());
    }

    #[benchmark]
    fn reveal_verdict() {
        let jurors = T::SecondJury::get();
        let mut open = opened::<T>(jurors);
        open.dispute.instance = Instance::Second;
        let (claim, leaf) = (open.dispute.claim, open.dispute.leaf);
        let last = juror::<T>(jurors - 1);
        seat::<T>(&mut open, (0, jurors), |juror| match *juror == last {
            true => {
                JurorState::Committed(verdict_commitment(claim, leaf, juror, Verdict::True, SALT))
            }
            false => JurorState::Revealed(Verdict::True),
        });
        set_stage::<T>(
            open,
            DisputeStage::Revealing {
                until: later::<T>(),
            },
        );
        let key = key::<T>(jurors - 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(key), claim, leaf, Verdict::True, SALT);
        let open = OpenDisputes::<T>::get(claim, leaf).expect("the dispute is open; qed");
        assert!(open.dispute.second.have_all_revealed());
    }

    #[benchmark]
    fn appeal() {
        let jurors = T::FirstJury::get();
        let mut open = opened::<T>(jurors);
        seat::<T>(&mut open, (0, jurors), |_| {
            JurorState::Revealed(Verdict::True)
        });
        let (claim, leaf) = set_stage::<T>(
            open,
            DisputeStage::Appealable {
                until: later::<T>(),
            },
        );
        let appellant = appellant::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(appellant), claim, leaf);
        let open = OpenDisputes::<T>::get(claim, leaf).expect("the dispute is open; qed");
        assert!(open.dispute.appeal.is_some());
    }

    /// No turn is due.
    #[benchmark]
    fn poll_base() {
        let now = System::<T>::block_number().saturating_add(One::one());
        System::<T>::set_block_number(now);
        AgendaCursor::<T>::put(now);
        #[block]
        {
            Pallet::<T>::poll(now, &mut WeightMeter::new());
        }
        assert!(AgendaCursor::<T>::get() > now);
    }

    /// Leaves a block without turns.
    #[benchmark]
    fn skip_block() {
        let now = System::<T>::block_number().saturating_add(One::one());
        AgendaCursor::<T>::put(now);
        let turns: Vec<LeafId>;
        #[block]
        {
            turns = Agenda::<T>::take_due(now, 1);
        }
        assert!(turns.is_empty());
    }

    /// The dispute at the head of the queue waits.
    #[benchmark]
    fn look() {
        let open = opened::<T>(0);
        let (position, _) = QueueSpan::<T>::get();
        let found;
        #[block]
        {
            found = Pallet::<T>::queued(position);
        }
        assert_eq!(found.map(|(found, _)| found), Some(open));
    }

    /// The first jury has not decided, and the dispute returns to the queue.
    #[benchmark]
    fn advance() {
        let jurors = T::FirstJury::get();
        let mut open = opened::<T>(jurors);
        seat::<T>(&mut open, (0, jurors), |_| JurorState::Seated);
        let until = System::<T>::block_number();
        let (claim, leaf) = set_stage::<T>(open, DisputeStage::Committing { until });
        let now = until.saturating_add(One::one());
        System::<T>::set_block_number(now);
        AgendaCursor::<T>::put(now);
        #[block]
        {
            Pallet::<T>::poll(now, &mut WeightMeter::new());
        }
        let open = OpenDisputes::<T>::get(claim, leaf).expect("the dispute is open; qed");
        assert_eq!(open.dispute.instance, Instance::Second);
    }

    /// The start of a block.
    #[benchmark]
    fn note_known() {
        #[block]
        {
            let known = T::Claims::beacon().latest().unwrap_or(0);
            Pallet::<T>::note_known(Some(known.saturating_add(1)));
        }
        assert!(KnownValue::<T>::get().is_some());
    }

    /// A jury of `seats` seats is drawn from twice as many validators.
    #[benchmark]
    fn draw_jury(j: Linear<1, { T::SecondJury::get() }>) {
        let open = opened::<T>(2 * j);
        let dispute = open.dispute;
        let mut drawn = Jury::default();
        #[block]
        {
            if let Some(claim) = T::Claims::claim(dispute.claim) {
                (drawn, _) = Pallet::<T>::draw_jury(&dispute, &claim, SALT, j);
            }
        }
        assert!(!drawn.is_empty());
    }

    /// A draw for one seat among the validators of a separate checkpoint. Each is absent, and leaves its
    /// roster.
    #[benchmark]
    fn draw(t: Linear<1, { MAX_TRIES }>) {
        let open = opened::<T>(0);
        register::<T>(t, &OTHER_CHECKPOINT);
        let job = Pallet::<T>::job(&open.dispute);
        for index in 0..t {
            let juror = juror::<T>(index);
            assert!(T::Operators::lock(&juror, job, 1).is_ok());
            T::Operators::slash(&juror, job, Offence::MissedVerdict, 0, &[]);
        }
        let selection;
        #[block]
        {
            selection = T::Operators::draw(Role::Validator, &OTHER_CHECKPOINT, SALT, 1, |_| true);
        }
        assert!(selection.candidates.is_empty());
    }

    /// Half of the jurors are slashed, the other half is paid, and the claim falls.
    #[benchmark]
    fn conclude(j: Linear<0, { T::FirstJury::get() + T::SecondJury::get() }>) {
        let mut open = opened::<T>(j);
        let first = j.min(T::FirstJury::get());
        let wrong: Vec<_> = (0..j).step_by(2).map(juror::<T>).collect();
        let state = |juror: &T::AccountId| match wrong.contains(juror) {
            true => JurorState::Revealed(Verdict::True),
            false => JurorState::Revealed(Verdict::False),
        };
        seat::<T>(&mut open, (0, first), state);
        open.dispute.instance = Instance::Second;
        seat::<T>(&mut open, (first, j), state);
        let (claim, leaf) = (open.dispute.claim, open.dispute.leaf);
        Pallet::<T>::leave((claim, leaf), open.place);
        #[block]
        {
            Pallet::<T>::conclude(open, Decision::False);
        }
        assert!(!OpenDisputes::<T>::contains_key(claim, leaf));
    }

    /// The claim has ended: the locks of all jurors, and the bond of an appeal, are released.
    #[benchmark]
    fn drop_dispute(j: Linear<0, { T::FirstJury::get() + T::SecondJury::get() }>) {
        let mut open = opened::<T>(j);
        let first = j.min(T::FirstJury::get());
        seat::<T>(&mut open, (0, first), |_| {
            JurorState::Revealed(Verdict::True)
        });
        open.dispute.instance = Instance::Second;
        seat::<T>(&mut open, (first, j), |_| JurorState::Seated);
        let (by, bond) = (appellant::<T>(), open.dispute.terms.appeal_bond);
        let reason = HoldReason::Appeal.into();
        T::Currency::hold(&reason, &by, bond).expect("the account has the bond; qed");
        open.dispute.appeal = Some(Appeal { by, bond });
        let (claim, leaf) = set_stage::<T>(
            open,
            DisputeStage::Committing {
                until: later::<T>(),
            },
        );
        let open = OpenDisputes::<T>::get(claim, leaf).expect("the dispute is open; qed");
        #[block]
        {
            Pallet::<T>::leave((claim, leaf), open.place);
            assert!(!Pallet::<T>::has_ended(claim));
            Pallet::<T>::drop_dispute(open);
        }
        assert!(!OpenDisputes::<T>::contains_key(claim, leaf));
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::TestExt::new().into_inner(),
        crate::mock::Test
    );
}
