//! Measures the calls.

use crate::{
    Address, BalanceOf, Call, Config, Device, DeviceClass, Endpoint, Event, HoldReason, Operators,
    Pallet, Roles, Served, Servers,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{hold::Inspect as _, Inspect, Mutate},
        Get,
    },
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use noema_protocol::{
    hashing,
    interfaces::{Checkpoints, ModelLimits, Prices, Role},
    CheckpointId,
};
use sp_core::H256;
use sp_runtime::traits::Saturating;

const BOTH: Roles = Roles {
    worker: true,
    validator: true,
    trainer: false,
};

fn prices<T: Config>() -> Prices<BalanceOf<T>> {
    Prices {
        per_prompt_byte: 1u32.into(),
        per_output_token: 2u32.into(),
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

/// Registers a live operator for the benchmarks of other pallets, or adds a role to it.
pub(crate) fn register<T: Config>(
    controller: &T::AccountId,
    key: &T::AccountId,
    role: Role,
    checkpoint: &CheckpointId,
) {
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
    Served::<T>::mutate(controller, |served| {
        if !served.contains(checkpoint) {
            served
                .try_push(*checkpoint)
                .expect("few checkpoints are served; qed");
        }
    });
    Servers::<T>::try_append(checkpoint, role, controller).expect("the list has room; qed");
}

/// Fills the lists of a checkpoint with `n` operators on the least bond.
fn fill<T: Config>(checkpoint: CheckpointId, n: u32) {
    for index in 0..n {
        let (controller, _) = operator::<T>(1_000 + index, 0);
        Pallet::<T>::do_serve(controller, checkpoint).expect("the list has room; qed");
    }
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
        let key: T::AccountId = account("key", 0, 0);
        endow::<T>(&controller);
        let bond = T::MinBond::get();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(controller.clone()),
            BOTH,
            key.clone(),
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
    fn serve() {
        // A full list is the worst: everybody on it is looked at, and one loses its place.
        let checkpoint = checkpoint::<T>(1);
        fill::<T>(checkpoint, T::MaxServers::get());
        let (controller, _) = operator::<T>(0, 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()), checkpoint);
        assert!(Served::<T>::get(controller).contains(&checkpoint));
    }

    #[benchmark]
    fn stop_serving(s: Linear<1, { T::MaxServers::get() }>) -> Result<(), BenchmarkError> {
        let checkpoint = checkpoint::<T>(1);
        fill::<T>(checkpoint, s - 1);
        let (controller, _) = operator::<T>(0, 1);
        Pallet::<T>::do_serve(controller.clone(), checkpoint)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()), checkpoint);
        assert!(Served::<T>::get(controller).is_empty());
        Ok(())
    }

    #[benchmark]
    fn follow_canonical() -> Result<(), BenchmarkError> {
        // The worst is to leave a full list and to displace somebody on another.
        let (old, canonical) = (checkpoint::<T>(1), checkpoint::<T>(2));
        T::Checkpoints::set_canonical_of(old, canonical);
        for index in 1..T::MaxServers::get() {
            let (other, _) = operator::<T>(index, 1);
            Pallet::<T>::do_serve(other, old)?;
        }
        fill::<T>(canonical, T::MaxServers::get());
        let (controller, key) = operator::<T>(0, 1);
        Pallet::<T>::do_serve(controller.clone(), old)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(key), old);
        assert_eq!(Served::<T>::get(controller).into_inner(), [canonical]);
        Ok(())
    }

    #[benchmark]
    fn heartbeat() {
        let (controller, key) = operator::<T>(0, 0);
        advance::<T>(1u32.into());
        #[extrinsic_call]
        _(RawOrigin::Signed(key));
        assert_last::<T>(Event::HeartbeatReceived { controller });
    }

    #[benchmark]
    fn bond_extra() {
        let (controller, _) = operator::<T>(0, 0);
        let amount = T::MinBond::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()), amount);
        assert_eq!(
            Pallet::<T>::bond_of(&controller),
            amount.saturating_add(amount)
        );
    }

    #[benchmark]
    fn start_unbonding() {
        let (controller, _) = operator::<T>(0, 0);
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
    fn withdraw_bond(
        c: Linear<0, { T::MaxServed::get() }>,
        s: Linear<1, { T::MaxServers::get() }>,
    ) -> Result<(), BenchmarkError> {
        let checkpoints: Vec<_> = (0..c).map(checkpoint::<T>).collect();
        let (controller, _) = operator::<T>(0, 1);
        for index in 1..s {
            let (other, _) = operator::<T>(index, 1);
            for checkpoint in &checkpoints {
                Pallet::<T>::do_serve(other.clone(), *checkpoint)?;
            }
        }
        for checkpoint in checkpoints {
            Pallet::<T>::do_serve(controller.clone(), checkpoint)?;
        }
        Pallet::<T>::do_start_unbonding(controller.clone())?;
        advance::<T>(T::UnbondingDelay::get());
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()));
        assert!(!Operators::<T>::contains_key(controller));
        Ok(())
    }

    #[benchmark]
    fn rotate_key() {
        let (controller, old) = operator::<T>(0, 0);
        let new: T::AccountId = account("new", 0, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(controller.clone()), new.clone());
        assert_last::<T>(Event::KeyRotated {
            controller,
            old,
            new,
        });
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
        let address = Address::Ipv6 {
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
