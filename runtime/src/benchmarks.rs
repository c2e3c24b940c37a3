//! The pallets with benchmarks; `scripts/weights.sh` runs those of Noema's own.

use crate::{
    AccountId, AllPalletsWithSystem, ParachainSystem, Runtime, RuntimeEvent, SessionKeys,
    Signature, System,
};
use alloc::{string::String, vec::Vec};
use codec::Encode;
use cumulus_pallet_session_benchmarking::Pallet as SessionBench;
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkError, BenchmarkList};
use frame_support::{
    storage::storage_prefix,
    traits::{StorageInfo, StorageInfoTrait, TrackedStorageKey, WhitelistedStorageKeys},
};
use frame_system_benchmarking::{
    extensions::Pallet as SystemExtensionsBench, Pallet as SystemBench,
};
use noema_protocol::{CheckpointId, ClaimId};
use sp_core::{crypto::KeyTypeId, sr25519, H256};
use sp_runtime::{app_crypto::RuntimePublic, traits::IdentifyAccount, MultiSigner};

impl frame_system_benchmarking::Config for Runtime {
    fn setup_set_code_requirements(code: &Vec<u8>) -> Result<(), BenchmarkError> {
        ParachainSystem::initialize_for_set_code_benchmark(code.len() as u32);
        Ok(())
    }

    fn verify_set_code() {
        System::assert_last_event(RuntimeEvent::ParachainSystem(
            cumulus_pallet_parachain_system::Event::ValidationFunctionStored,
        ));
    }
}

impl cumulus_pallet_session_benchmarking::Config for Runtime {
    fn generate_session_keys_and_proof(owner: AccountId) -> (SessionKeys, Vec<u8>) {
        let generated = SessionKeys::generate(&owner.encode(), None);
        (generated.keys, generated.proof.encode())
    }
}

impl pallet_transaction_payment::BenchmarkConfig for Runtime {}

/// Hot keys in the keystore of the benchmarks.
pub struct KeystoreHotKeys;

impl pallet_duties::BenchmarkHelper<AccountId, Signature> for KeystoreHotKeys {
    fn sign(seed: u8, message: H256) -> (AccountId, Signature) {
        const HOT: KeyTypeId = KeyTypeId(*b"hotk");
        let phrase = alloc::format!("//{seed}").into_bytes();
        let key = sr25519::Public::generate_pair(HOT, Some(phrase));
        let signature = key
            .sign(HOT, &message.as_bytes())
            .expect("the key was just generated; qed");
        (MultiSigner::from(key).into_account(), signature.into())
    }
}

/// Challenged claims, for benchmarks of juries.
pub struct DisputedClaims;

impl pallet_jury::BenchmarkHelper for DisputedClaims {
    fn challenged(checkpoint: CheckpointId) -> (ClaimId, u32) {
        pallet_claims::challenged::<Runtime>(checkpoint)
    }
}

frame_benchmarking::define_benchmarks!(
    [frame_system, SystemBench::<Runtime>]
    [frame_system_extensions, SystemExtensionsBench::<Runtime>]
    [cumulus_pallet_parachain_system, crate::ParachainSystem]
    [cumulus_pallet_weight_reclaim, crate::WeightReclaim]
    [pallet_balances, crate::Balances]
    [pallet_collator_selection, crate::CollatorSelection]
    [pallet_multisig, crate::Multisig]
    [pallet_proxy, crate::Proxy]
    [pallet_session, SessionBench::<Runtime>]
    [pallet_sudo, crate::Sudo]
    [pallet_timestamp, crate::Timestamp]
    [pallet_transaction_payment, crate::TransactionPayment]
    [pallet_utility, crate::Utility]
    [pallet_checkpoints, crate::Checkpoints]
    [pallet_duties, crate::Duties]
    [pallet_operators, crate::Operators]
    [pallet_claims, crate::Claims]
    [pallet_jury, crate::Jury]
    [pallet_inference, crate::Inference]
    [pallet_issuance, crate::Issuance]
    [pallet_sessions, crate::Sessions]
    [pallet_training, crate::Training]
);

/// The benchmarks, and the storage that they touch.
pub(crate) fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::new();
    list_benchmarks!(list, extra);
    (list, AllPalletsWithSystem::storage_info())
}

/// Runs the benchmarks that `config` selects.
pub(crate) fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let mut whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    // Each block begins with writing these, so that later reads in it are from memory.
    let written_before = [
        storage_prefix(b"System", b"ParentHash"),
        storage_prefix(b"ParachainSystem", b"ValidationData"),
    ];
    whitelist.extend(written_before.map(|key| TrackedStorageKey::from(key.to_vec())));
    let mut batches = Vec::new();
    let params = (&config, &whitelist);
    add_benchmarks!(params, batches);
    if batches.is_empty() {
        return Err("no benchmark of that name".into());
    }
    Ok(batches)
}
