//! Benchmarks of the calls.

use crate::{
    Architecture, AttentionWindow, BalanceOf, Call, Canonical, Checkpoint, Checkpoints, Config,
    Event, ExpertMixture, Families, Family, FamilyNames, Holders, Holding, LayerPattern,
    NextFamily, Pallet, Provenance, Status, TokenBounds, Variant, Weights,
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        EnsureOrigin, Get,
    },
    BoundedVec,
};
use frame_system::{Pallet as System, RawOrigin};
use noema_interfaces::Operators;
use noema_protocol::{hashing, CheckpointId, FamilyId, ModelLimits, Role};
use sp_core::H256;
use sp_runtime::{
    traits::{Saturating, Zero},
    SaturatedConversion,
};

/// With every difference that a variant can have, so that its record is the longest.
const ARCHITECTURE: Architecture = Architecture {
    layers: 30,
    hidden: 576,
    heads: 9,
    kv_heads: 3,
    head_dim: 64,
    feed_forward: 1_536,
    vocabulary: 49_152,
    context_length: 2_048,
    norm_epsilon_q32: 42_950,
    tied_head: true,
    variant: Variant {
        projection_biases: true,
        head_norms: true,
        unrotated: Some(LayerPattern::Every(4)),
        window: Some(AttentionWindow {
            positions: 512,
            layers: LayerPattern::ExceptEvery(6),
        }),
        post_norms: true,
        gelu: true,
        scaled_embedding: true,
        windowed_rope: true,
        experts: Some(ExpertMixture {
            count: 128,
            chosen: 8,
            width: 768,
            renormalised: true,
            layers: LayerPattern::Every(2),
        }),
    },
};

const TOKENS: TokenBounds = TokenBounds {
    tokens_per_byte: 1,
    template_tokens: 40,
};

/// The hash under which holders share the files.
const BLOB: H256 = H256::repeat_byte(7);

fn id(n: u64) -> CheckpointId {
    CheckpointId(hashing::blake2_256(&n.to_le_bytes()))
}

fn weights() -> Weights {
    Weights {
        root: H256::repeat_byte(3),
        bytes: 144_000_000,
    }
}

fn provenance() -> Provenance {
    Provenance::Imported {
        source_hash: H256::repeat_byte(4),
    }
}

fn name<T: Config>() -> BoundedVec<u8, T::MaxName> {
    BoundedVec::truncate_from(alloc::vec![b'n'; T::MaxName::get().saturated_into()])
}

fn licence<T: Config>() -> BoundedVec<u8, T::MaxLicence> {
    BoundedVec::truncate_from(alloc::vec![b'l'; T::MaxLicence::get().saturated_into()])
}

/// Records an active checkpoint in a family of its own, without deposits.
pub(crate) fn activate<T: Config>(checkpoint: CheckpointId, limits: ModelLimits) {
    if Checkpoints::<T>::contains_key(checkpoint) {
        return;
    }
    let publisher: T::AccountId = account("publisher", 0, 0);
    let family = NextFamily::<T>::mutate(|next| {
        let family = *next;
        next.0 += 1;
        family
    });
    let architecture = Architecture {
        vocabulary: limits.vocabulary,
        context_length: limits.context_length,
        ..ARCHITECTURE
    };
    let name = BoundedVec::truncate_from(family.0.to_le_bytes().to_vec());
    FamilyNames::<T>::insert(&name, family);
    let record = Family {
        name,
        architecture,
        tokenizer_hash: H256::zero(),
        numerics_version: 1,
        text_layer: 1,
        owner: publisher.clone(),
        deposit: Zero::zero(),
        checkpoints: 1,
    };
    Families::<T>::insert(family, record);
    let record = Checkpoint {
        family,
        parent: None,
        generation: 0,
        children: 0,
        weights: weights(),
        limits,
        licence: licence::<T>(),
        provenance: provenance(),
        publisher: Some(publisher),
        deposit: Zero::zero(),
        status: Status::Active,
        was_canonical: false,
        registered_at: System::<T>::block_number(),
    };
    Checkpoints::<T>::insert(checkpoint, record);
}

fn publisher<T: Config>() -> T::AccountId {
    let publisher: T::AccountId = whitelisted_caller();
    let enough: BalanceOf<T> = T::FamilyDeposit::get()
        .saturating_add(T::CheckpointDeposit::get())
        .saturating_add(T::Currency::minimum_balance())
        .saturating_mul(10u32.into());
    T::Currency::set_balance(&publisher, enough);
    publisher
}

fn family<T: Config>(owner: &T::AccountId) -> FamilyId {
    let family = NextFamily::<T>::get();
    Pallet::<T>::do_register_family(owner.clone(), name::<T>(), ARCHITECTURE, H256::zero(), 1, 1)
        .expect("the owner is endowed; qed");
    family
}

fn checkpoint<T: Config>(
    publisher: &T::AccountId,
    family: FamilyId,
    n: u64,
    parent: Option<u64>,
) -> CheckpointId {
    Pallet::<T>::do_register_checkpoint(
        publisher.clone(),
        id(n),
        family,
        parent.map(id),
        weights(),
        TOKENS,
        licence::<T>(),
        provenance(),
    )
    .expect("the publisher is endowed; qed");
    id(n)
}

/// An active checkpoint with `n` bonded holders, and an operator that is not yet one of them.
fn held<T: Config>(n: u32) -> (CheckpointId, T::AccountId) {
    let publisher = publisher::<T>();
    let family = family::<T>(&publisher);
    let checkpoint = checkpoint::<T>(&publisher, family, 1, None);
    let operator = |index| {
        let controller: T::AccountId = account("controller", index, 0);
        let key: T::AccountId = account("key", index, 0);
        T::Operators::register(
            &controller,
            &key,
            Role::Worker,
            &id(1_000 + u64::from(index)),
        );
        controller
    };
    for index in 0..n {
        Pallet::<T>::do_announce_holding(operator(index), checkpoint, BLOB)
            .expect("the list has room; qed");
    }
    (checkpoint, operator(n))
}

fn lists<T: Config>(checkpoint: CheckpointId, holder: &T::AccountId) -> bool {
    let holders = Holders::<T>::get(checkpoint);
    holders.iter().any(|other| other.holder == *holder)
}

fn assert_last<T: Config>(event: Event<T>) {
    let event: <T as frame_system::Config>::RuntimeEvent = event.into();
    System::<T>::assert_last_event(event);
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn register_family() {
        let owner = publisher::<T>();
        let family = NextFamily::<T>::get();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(owner),
            name::<T>(),
            ARCHITECTURE,
            H256::zero(),
            1,
            1,
        );
        assert!(Families::<T>::contains_key(family));
    }

    #[benchmark]
    fn register_checkpoint() {
        let publisher = publisher::<T>();
        let family = family::<T>(&publisher);
        let parent = checkpoint::<T>(&publisher, family, 1, None);
        Pallet::<T>::do_set_canonical(family, parent).expect("the checkpoint is active; qed");
        let (licence, source) = (licence::<T>(), H256::repeat_byte(4));
        #[extrinsic_call]
        _(
            RawOrigin::Signed(publisher),
            id(2),
            family,
            Some(parent),
            weights(),
            TOKENS,
            licence,
            source,
        );
        assert!(Checkpoints::<T>::contains_key(id(2)));
    }

    #[benchmark]
    fn withdraw_checkpoint() {
        let (checkpoint, _) = held::<T>(1);
        #[extrinsic_call]
        _(RawOrigin::Signed(whitelisted_caller()), checkpoint);
        assert_last::<T>(Event::CheckpointWithdrawn {
            checkpoint,
            forced: false,
        });
    }

    #[benchmark]
    fn remove_checkpoint() -> Result<(), BenchmarkError> {
        let publisher = publisher::<T>();
        let family = family::<T>(&publisher);
        let parent = checkpoint::<T>(&publisher, family, 1, None);
        Pallet::<T>::do_set_canonical(family, parent)?;
        let child = checkpoint::<T>(&publisher, family, 2, Some(1));
        Pallet::<T>::do_withdraw_checkpoint(None, child)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(publisher), child);
        assert!(!Checkpoints::<T>::contains_key(child));
        Ok(())
    }

    #[benchmark]
    fn remove_family() {
        let owner = publisher::<T>();
        let family = family::<T>(&owner);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), family);
        assert!(!Families::<T>::contains_key(family));
    }

    #[benchmark]
    fn set_canonical() -> Result<(), BenchmarkError> {
        let publisher = publisher::<T>();
        let family = family::<T>(&publisher);
        let checkpoint = checkpoint::<T>(&publisher, family, 1, None);
        let origin =
            T::CanonicalOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, family, checkpoint);
        assert_eq!(Canonical::<T>::get(family), Some(checkpoint));
        Ok(())
    }

    #[benchmark]
    fn announce_holding() -> Result<(), BenchmarkError> {
        // A full list is the worst case: the bond of each holder is looked up, and one has none.
        let (checkpoint, holder) = held::<T>(T::MaxHolders::get() - 1);
        let former: T::AccountId = account("former", 0, 0);
        let former = Holding {
            holder: former,
            blob: BLOB,
        };
        Holders::<T>::try_append(checkpoint, former)
            .map_err(|()| BenchmarkError::Stop("the list has room for one more"))?;
        #[extrinsic_call]
        _(RawOrigin::Signed(holder.clone()), checkpoint, BLOB);
        assert!(lists::<T>(checkpoint, &holder));
        Ok(())
    }

    #[benchmark]
    fn retract_holding(h: Linear<1, { T::MaxHolders::get() }>) -> Result<(), BenchmarkError> {
        let (checkpoint, holder) = held::<T>(h - 1);
        Pallet::<T>::do_announce_holding(holder.clone(), checkpoint, BLOB)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(holder.clone()), checkpoint);
        assert!(!lists::<T>(checkpoint, &holder));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
