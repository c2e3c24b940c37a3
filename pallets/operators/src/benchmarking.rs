//! Benchmarks of the calls.

use crate::{
    BalanceOf, Call, Config, Device, DeviceClass, Endpoint, Event, HoldReason, NetworkAddress,
    Operators, Pallet, Presence, Roles, RosterPages, Served, Serving,
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{hold::Inspect as _, Inspect, Mutate},
        Get,
    },
    weights::Weight,
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use noema_interfaces::{Checkpoints, Earning, Operators as _};
use noema_protocol::{hashing, CheckpointId, Job, ModelLimits, PerWork, Prices, RequestId, Role};
use noema_terms::PAGE_ENTRIES;
use pallet_duties::BenchmarkHelper as _;
use sp_core::H256;
use sp_runtime::traits::{Saturating, Zero};

const BOTH: Roles = Roles {
    worker: true,
    validator: true,
    trainer: false,
};

fn prices<T: Config>() -> Prices<BalanceOf<T>> {
    Prices {
        per_prompt_byte: 1u32.into(),
        per_answer_token: 2u32.into(),
    }
}

fn endow<T: Config>(who: &T::AccountId) {
    let enough = T::MinBond::get()
        .saturating_add(T::Currency::minimum_balance())
        .saturating_mul(1_000u32.into());
    T::Currency::set_balance(who, enough);
}

fn checkpoint<T: Config>(n: u32) -> CheckpointId {
    let checkpoint = CheckpointId(hashing::blake2_256(&n.to_le_bytes()));
    let limits = ModelLimits {
        context_length: 2_048,
        tokens_per_byte: 1,
        template_tokens: 0,
        vocabulary: 50_000,
    };
    T::Checkpoints::set_active(checkpoint, limits);
    checkpoint
}

/// An operator in both roles with `extra` above the least bond.
fn operator<T: Config>(index: u32, extra: u32) -> (T::AccountId, T::AccountId) {
    let controller: T::AccountId = account("controller", index, 0);
    let key: T::AccountId = account("key", index, 0);
    endow::<T>(&controller);
    let bond = T::MinBond::get().saturating_add(extra.into());
    Pallet::<T>::do_register(controller.clone(), BOTH, key.clone(), prices::<T>(), bond)
        .expect("the account is new and endowed; qed");
    (controller, key)
}

/// Registers a live operator for the benchmarks of other pallets, or adds a role to it. Each is on a page of
/// its own: no draw reads more than one from such rosters.
pub(crate) fn register<T: Config>(
    controller: &T::AccountId,
    key: &T::AccountId,
    role: Role,
    checkpoint: &CheckpointId,
) {
    // Benchmarks may start without the genesis state.
    Pallet::<T>::open_purse().expect("the existential deposit can be minted; qed");
    if !Operators::<T>::contains_key(controller) {
        let free = T::Currency::balance(controller);
        endow::<T>(controller);
        T::Currency::set_balance(
            controller,
            free.saturating_add(T::Currency::balance(controller)),
        );
        let bond = T::MinBond::get().saturating_mul(100u32.into());
        let (controller, key) = (controller.clone(), key.clone());
        Pallet::<T>::do_register(
            controller,
            Roles {
                worker: role == Role::Worker,
                validator: role == Role::Validator,
                trainer: role == Role::Trainer,
            },
            key,
            prices::<T>(),
            bond,
        )
        .expect("the account is new and endowed; qed");
    }
    Operators::<T>::mutate(controller, |operator| {
        if let Some(operator) = operator {
            match role {
                Role::Worker => operator.roles.worker = true,
                Role::Validator => operator.roles.validator = true,
                Role::Trainer => operator.roles.trainer = true,
            }
        }
    });
    if role == Role::Trainer {
        return;
    }
    let mut served = Served::<T>::get(controller);
    if Serving::position(&served, checkpoint).is_none() {
        served
            .try_push(Serving::new(*checkpoint))
            .expect("few checkpoints are served; qed");
    }
    // A change holds from the term after next on: the terms advance until the operator can be drawn.
    let operator = Operators::<T>::get(controller).expect("registered above; qed");
    for serving in served.iter_mut() {
        Pallet::<T>::pad_rosters(serving.checkpoint, operator.roles);
        Pallet::<T>::enrol(&operator, serving).expect("the roster has room; qed");
    }
    Served::<T>::insert(controller, served);
    pass_notice::<T>();
}

/// Fills a page of each roster of a checkpoint except for one slot.
fn fill<T: Config>(checkpoint: CheckpointId) {
    for index in 1..PAGE_ENTRIES {
        let (controller, _) = operator::<T>(1_000 + index, 0);
        Pallet::<T>::do_serve(controller, checkpoint).expect("the roster has room; qed");
    }
}

/// The hash that a hot key signs for `controller`.
fn possession<T: Config>(controller: &T::AccountId) -> H256 {
    let genesis = System::<T>::block_hash(BlockNumberFor::<T>::zero());
    hashing::possession_payload(genesis, controller)
}

/// An operator that serves `count` checkpoints.
fn serving<T: Config>(count: u32) -> (T::AccountId, T::AccountId) {
    let (controller, key) = operator::<T>(0, 0);
    for n in 0..count {
        let checkpoint = checkpoint::<T>(n);
        Pallet::<T>::do_serve(controller.clone(), checkpoint).expect("the roster has room; qed");
    }
    (controller, key)
}

/// Credits a payment and returns its amount.
fn credit<T: Config>(controller: &T::AccountId) -> BalanceOf<T> {
    let amount = T::MinBond::get();
    let purse = Pallet::<T>::purse();
    T::Currency::set_balance(
        &purse,
        amount.saturating_add(T::Currency::minimum_balance()),
    );
    Pallet::<T>::credit(
        controller,
        Job::Request(RequestId(1)),
        Earning::Answer,
        amount,
    );
    amount
}

/// Advances to the first block in which all changes so far hold.
fn pass_notice<T: Config>() {
    let noticed = Pallet::<T>::first_block_of(Pallet::<T>::term().notice());
    System::<T>::set_block_number(noticed);
}

fn advance<T: Config>(by: BlockNumberFor<T>) {
    System::<T>::set_block_number(System::<T>::block_number().saturating_add(by));
}

fn assert_last<T: Config>(event: Event<T>) {
    let event: <T as frame_system::Config>::RuntimeEvent = event.into();
    System::<T>::assert_last_event(event);
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn register() {
        let controller: T::AccountId = whitelisted_caller();
        endow::<T>(&controller);
        let (key, proof) = T::BenchmarkHelper::sign(0, possession::<T>(&controller));
        let bond = T::MinBond::get();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(controller.clone()),
            BOTH,
            key,
            proof,
            prices::<T>(),
            bond,
        );
        assert_eq!(
            T::Currency::balance_on_hold(&HoldReason::Bond.into(), &controller),
            bond
        );
    }

    #[benchmark]
    fn set_prices() {
        let (controller, _) = operator::<T>(0, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(controller), Prices::default());
    }

    #[benchmark]
    fn set_reserve() {
        let (controller, _) = operator::<T>(0, 0);
        let amount: BalanceOf<T> = T::MinBond::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()), amount);
        let operator = Operators::<T>::get(&controller).expect("it is registered; qed");
        assert_eq!(*operator.reserved.latest(), amount);
    }

    #[benchmark]
    fn serve() {
        let checkpoint = checkpoint::<T>(1);
        fill::<T>(checkpoint);
        let (controller, _) = operator::<T>(0, 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()), checkpoint);
        assert_eq!(Served::<T>::get(controller).len(), 1);
    }

    #[benchmark]
    fn stop_serving() -> Result<(), BenchmarkError> {
        let checkpoint = checkpoint::<T>(1);
        fill::<T>(checkpoint);
        let (controller, _) = operator::<T>(0, 1);
        Pallet::<T>::do_serve(controller.clone(), checkpoint)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()), checkpoint);
        assert!(Served::<T>::get(controller).is_empty());
        Ok(())
    }

    #[benchmark]
    fn follow_canonical() -> Result<(), BenchmarkError> {
        let (old, canonical) = (checkpoint::<T>(1), checkpoint::<T>(2));
        T::Checkpoints::set_canonical_of(old, canonical);
        fill::<T>(old);
        for index in 1..PAGE_ENTRIES {
            let other = account("controller", 1_000 + index, 0);
            Pallet::<T>::do_serve(other, canonical)?;
        }
        let (controller, key) = operator::<T>(0, 1);
        Pallet::<T>::do_serve(controller.clone(), old)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(key), old);
        let served = Served::<T>::get(controller);
        assert!(served.iter().all(|serving| serving.checkpoint == canonical));
        Ok(())
    }

    #[benchmark]
    fn resume(s: Linear<0, { T::MaxServed::get() }>) {
        let (controller, key) = serving::<T>(s);
        Operators::<T>::mutate(&controller, |operator| {
            if let Some(operator) = operator {
                operator.presence = Presence::AbsentSince(BlockNumberFor::<T>::zero());
            }
        });
        let from = Pallet::<T>::term().notice();
        #[extrinsic_call]
        _(RawOrigin::Signed(key));
        assert_last::<T>(Event::Resumed { controller, from });
    }

    #[benchmark]
    fn bond_extra(s: Linear<0, { T::MaxServed::get() }>) {
        let (controller, _) = serving::<T>(s);
        let amount = T::MinBond::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()), amount);
        assert_eq!(
            Pallet::<T>::bond_of(&controller),
            amount.saturating_add(amount)
        );
    }

    #[benchmark]
    fn start_unbonding(s: Linear<0, { T::MaxServed::get() }>) {
        let (controller, _) = serving::<T>(s);
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()));
        let record = Operators::<T>::get(controller);
        assert!(record.is_some_and(|record| record.withdrawable_at.is_some()));
    }

    #[benchmark]
    fn cancel_unbonding() -> Result<(), BenchmarkError> {
        let (controller, _) = operator::<T>(0, 0);
        Pallet::<T>::do_start_unbonding(controller.clone())?;
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()));
        assert_last::<T>(Event::UnbondingCancelled { controller });
        Ok(())
    }

    #[benchmark]
    fn withdraw_bond() -> Result<(), BenchmarkError> {
        let (controller, _) = operator::<T>(0, 1);
        credit::<T>(&controller);
        Operators::<T>::mutate(&controller, |operator| {
            if let Some(operator) = operator {
                operator.work.amounts = PerWork::from_fn(|_| 1);
            }
        });
        Pallet::<T>::do_start_unbonding(controller.clone())?;
        advance::<T>(T::UnbondingDelay::get());
        pass_notice::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()));
        assert!(!Operators::<T>::contains_key(controller));
        Ok(())
    }

    #[benchmark]
    fn rotate_key() {
        let (controller, old) = operator::<T>(0, 0);
        let (new, proof) = T::BenchmarkHelper::sign(1, possession::<T>(&controller));
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()), new.clone(), proof);
        assert_last::<T>(Event::KeyRotated {
            controller,
            old,
            new,
        });
    }

    #[benchmark]
    fn withdraw() {
        let (controller, _) = operator::<T>(0, 0);
        let amount = credit::<T>(&controller);
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()));
        assert_last::<T>(Event::Withdrawn { controller, amount });
    }

    #[benchmark]
    fn forget_deserted() -> Result<(), BenchmarkError> {
        let checkpoint = checkpoint::<T>(1);
        fill::<T>(checkpoint);
        for index in 1..PAGE_ENTRIES {
            let other = account("controller", 1_000 + index, 0);
            Pallet::<T>::do_stop_serving(other, checkpoint)?;
        }
        pass_notice::<T>();
        #[block]
        {
            Pallet::<T>::forget_deserted(Weight::MAX);
        }
        assert!(!RosterPages::<T>::contains_key((
            checkpoint,
            Role::Worker,
            0
        )));
        Ok(())
    }

    #[benchmark]
    fn report_device() {
        let (controller, key) = operator::<T>(0, 0);
        let device = Device {
            class: DeviceClass::Gpu,
            name: BoundedVec::truncate_from(alloc::vec![b'x'; 64]),
            self_test: H256::repeat_byte(1),
        };
        #[extrinsic_call]
        _(RawOrigin::Signed(key), device.clone());
        assert_last::<T>(Event::DeviceReported { controller, device });
    }

    #[benchmark]
    fn set_endpoint() {
        let (controller, key) = operator::<T>(0, 0);
        let address = NetworkAddress::Ipv6 {
            address: [0x20; 16],
            port: 4_433,
        };
        let endpoint = Some(Endpoint {
            peer: [7; 32],
            addresses: BoundedVec::truncate_from(alloc::vec![address; 4]),
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(key), endpoint.clone());
        assert_last::<T>(Event::EndpointSet {
            controller,
            endpoint,
        });
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
