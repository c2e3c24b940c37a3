//! Benchmarks of checking and performing a duty, beside those of the duty itself.

use crate::{Config, HotKeys, Pallet};
use alloc::{boxed::Box, vec};
use codec::Decode;
use frame_benchmarking::v2::*;
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use sp_core::H256;
use sp_runtime::traits::Verify;

/// Creates hot keys for benchmarks.
pub trait BenchmarkHelper<AccountId, Signature> {
    /// A hot key derived from `seed`, and its signature over `message`.
    fn sign(seed: u8, message: H256) -> (AccountId, Signature);
}

/// Uses the test signatures.
#[cfg(feature = "std")]
impl BenchmarkHelper<u64, sp_runtime::testing::TestSignature> for () {
    fn sign(seed: u8, message: H256) -> (u64, sp_runtime::testing::TestSignature) {
        let key = u64::from(seed).saturating_add(1_000);
        let signature = sp_runtime::testing::TestSignature(key, message.as_bytes().to_vec());
        (key, signature)
    }
}

/// The most bytes of a duty in the benchmarks, more than an answer has.
const DUTY_BYTES: u32 = 16_384;

/// A duty of about that many bytes that does nothing, signed by a hot key in the present block.
fn signed<T: Config>(
    bytes: u32,
) -> (
    T::AccountId,
    <T as Config>::RuntimeCall,
    BlockNumberFor<T>,
    T::Signature,
)
where
    <T as Config>::RuntimeCall: From<frame_system::Call<T>>,
{
    let duty = frame_system::Call::<T>::remark {
        remark: vec![0; bytes as usize],
    }
    .into();
    let at = System::<T>::block_number();
    let hash = T::Hash::decode(&mut &[1u8; 64][..]).expect("64 bytes contain a hash; qed");
    frame_system::BlockHash::<T>::insert(at, hash);
    let (key, _) = T::BenchmarkHelper::sign(0, H256::zero());
    T::HotKeys::insert(&key);
    let payload = Pallet::<T>::payload(&key, &duty, at).expect("the block is known; qed");
    let (_, signature) = T::BenchmarkHelper::sign(0, payload);
    (key, duty, at, signature)
}

#[benchmarks(where <T as Config>::RuntimeCall: From<frame_system::Call<T>>)]
mod benches {
    use super::*;

    #[benchmark]
    fn authorize_perform(b: Linear<0, DUTY_BYTES>) {
        let (key, duty, at, signature) = signed::<T>(b);
        let signed;
        #[block]
        {
            signed = Pallet::<T>::check_signature(&key, &duty, at, &signature);
        }
        assert!(signed.is_ok());
    }

    /// The part of the check that the base weight of a transaction contains.
    #[benchmark]
    fn verify_signature() {
        let (key, duty, at, signature) = signed::<T>(0);
        let payload = Pallet::<T>::payload(&key, &duty, at).expect("the block is known; qed");
        let is_good;
        #[block]
        {
            is_good = signature.verify(payload.as_bytes(), &key);
        }
        assert!(is_good);
    }

    /// Dispatches a duty that does nothing. The base weight of a transaction contains the dispatch of this call, and
    /// the weights of duties do not contain their own.
    #[benchmark]
    fn perform() {
        let (key, duty, at, signature) = signed::<T>(0);
        let duty = Box::new(duty);
        let performed;
        #[block]
        {
            let origin = RawOrigin::Authorized.into();
            performed = Pallet::<T>::perform(origin, key, duty, at, signature);
        }
        assert!(performed.is_ok());
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
