//! A chain at its genesis from a preset, and its relay chain.

// Each program of tests uses a part of it.
#![allow(dead_code)]

use codec::Encode;
use cumulus_pallet_parachain_system::{
    relay_state_snapshot::RelayChainStateProof, LastRelayChainBlockNumber, OnSystemEvent,
    ValidationData,
};
use cumulus_primitives_core::{ParaId, PersistedValidationData};
use cumulus_test_relay_sproof_builder::RelayStateSproofBuilder;
use frame_support::traits::BuildGenesisConfig;
use noema_runtime::{
    beacon::{encode_entry, RelayBeacon},
    constants::PARA_ID,
    fees::BehindDuties,
    presets, AccountId, Balance, BlockNumber, Nonce, Runtime, RuntimeCall, RuntimeGenesisConfig,
    System, TxExtension, UncheckedExtrinsic,
};
use serde_json::Value;
use sp_core::Pair;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{generic::Era, MultiSignature};

/// The default genesis, patched by the preset.
pub(crate) fn genesis(preset: &str) -> RuntimeGenesisConfig {
    let patch = presets::get_preset(&preset.into()).expect("the preset exists");
    let patch = serde_json::from_slice(&patch).expect("the preset is JSON");
    let mut config =
        serde_json::to_value(RuntimeGenesisConfig::default()).expect("the default is JSON");
    merge(&mut config, patch);
    serde_json::from_value(config).expect("the preset names existing fields")
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

/// The first block of a chain that started from `preset`.
pub(crate) fn chain(preset: &str) -> sp_io::TestExternalities {
    let mut chain = sp_io::TestExternalities::new_empty();
    chain.execute_with(|| {
        genesis(preset).build();
        System::set_block_number(1);
    });
    chain
}

/// The account of a well-known key.
pub(crate) fn account(key: Sr25519Keyring) -> AccountId {
    key.to_account_id()
}

/// Brings the relay chain's `entries` at relay block `relay_block` into block `block`, as the
/// inherent does.
pub(crate) fn relay(block: BlockNumber, relay_block: u32, entries: Vec<(Vec<u8>, Vec<u8>)>) {
    let (root, proof) = RelayStateSproofBuilder {
        para_id: ParaId::new(PARA_ID),
        additional_key_values: entries,
        ..Default::default()
    }
    .into_state_root_and_proof();
    System::set_block_number(block);
    if let Some(last) = ValidationData::<Runtime>::get() {
        LastRelayChainBlockNumber::<Runtime>::put(last.relay_parent_number);
    }
    ValidationData::<Runtime>::put(PersistedValidationData {
        parent_head: Default::default(),
        relay_parent_number: relay_block,
        relay_parent_storage_root: root,
        max_pov_size: 0,
    });
    let proof = RelayChainStateProof::new(ParaId::new(PARA_ID), root, proof)
        .expect("the proof is one of this root");
    RelayBeacon::<Runtime>::on_relay_state_proof(&proof);
}

/// The relay chain's randomness, as its state holds it.
pub(crate) fn randomness(value: Option<[u8; 32]>) -> Vec<(Vec<u8>, Vec<u8>)> {
    vec![encode_entry(value)]
}

/// The extension of a transaction.
pub(crate) fn extension(nonce: Nonce, tip: Balance) -> TxExtension {
    cumulus_pallet_weight_reclaim::StorageWeightReclaim::new((
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckMortality::from(Era::Immortal),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        BehindDuties(pallet_transaction_payment::ChargeTransactionPayment::from(
            tip,
        )),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
    ))
}

/// A transaction signed by a well-known key.
pub(crate) fn signed(call: RuntimeCall, by: Sr25519Keyring, nonce: Nonce) -> UncheckedExtrinsic {
    tipped(call, by, nonce, 0)
}

/// The same with a tip.
pub(crate) fn tipped(
    call: RuntimeCall,
    by: Sr25519Keyring,
    nonce: Nonce,
    tip: Balance,
) -> UncheckedExtrinsic {
    let extension = extension(nonce, tip);
    let payload = noema_runtime::SignedPayload::new(call.clone(), extension.clone())
        .expect("a transaction without metadata hash can be signed");
    let signature = payload.using_encoded(|bytes| by.pair().sign(bytes));
    UncheckedExtrinsic::new_signed(
        call,
        account(by).into(),
        MultiSignature::from(signature),
        extension,
    )
}
