//! The simulated relay chain: the data that every block of the parachain needs from it.
//!
//! For each block there is one relay chain block, with the parachain block's number. It includes the parent,
//! carries 32 bytes of the operating system's random number generator as its randomness, and approves a
//! pending runtime upgrade at once.
//!
//! Time is the machine's clock, with two exceptions: it never runs backwards, so a chain continues after the
//! clock was set back; and it jumps to the next slot where the runtime would refuse another block in this
//! one.

use crate::client::Client;
use codec::{Decode, Encode};
use cumulus_primitives_aura::AuraUnincludedSegmentApi;
use cumulus_primitives_core::{
    relay_chain::{
        AsyncBackingParams, HeadData, Slot, UpgradeGoAhead, MAX_CODE_SIZE, MAX_POV_SIZE,
    },
    AbridgedHostConfiguration, GetParachainInfo, PersistedValidationData,
};
use cumulus_primitives_parachain_inherent::ParachainInherentData;
use cumulus_test_relay_sproof_builder::RelayStateSproofBuilder;
use noema_runtime::{
    beacon,
    constants::{RELAY_SLOT_MILLIS, SLOT_MILLIS},
    Hash,
};
use sc_client_api::{StorageKey, StorageProvider};
use sp_api::ProvideRuntimeApi;
use sp_io::hashing::twox_128;
use sp_timestamp::Timestamp;
use std::sync::Arc;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The inherent data of a block: its time and its relay chain parent.
pub(crate) type Inherents = (sp_timestamp::InherentDataProvider, ParachainInherentData);

/// Blocks in an epoch of the simulated relay chain.
const RELAY_EPOCH: u32 = 600;
/// Authorities of the simulated relay chain.
const RELAY_AUTHORITIES: u64 = 2;

/// The inherents of the block on top of `parent`.
pub(crate) fn inherents(client: &Arc<Client>, parent: Hash) -> Result<Inherents, Error> {
    let header = client
        .header(parent)?
        .ok_or_else(|| format!("the header of block {parent:?} is missing"))?;
    let number = header
        .number
        .checked_add(1)
        .ok_or("the chain has reached the highest block number")?;
    let time = next_time(client, parent)?;
    let upgrade_pending =
        read::<Vec<u8>>(client, parent, "ParachainSystem", "PendingValidationCode")?
            .is_some_and(|code| !code.is_empty());
    let mut randomness = [0; 32];
    getrandom::fill(&mut randomness)
        .map_err(|error| format!("the operating system gives no random bytes: {error}"))?;
    let parent_head = HeadData(header.encode());
    let relay = RelayStateSproofBuilder {
        para_id: client.runtime_api().parachain_id(parent)?,
        host_config: host_configuration(),
        // No message ever arrives: the hash chain over received messages is empty.
        dmq_mqc_head: Some(Hash::default()),
        upgrade_go_ahead: upgrade_pending.then_some(UpgradeGoAhead::GoAhead),
        current_slot: Slot::from(time / u64::from(RELAY_SLOT_MILLIS)),
        current_epoch: (number / RELAY_EPOCH).into(),
        additional_key_values: vec![beacon::encode_entry(Some(randomness))],
        included_para_head: Some(parent_head.clone()),
        num_authorities: RELAY_AUTHORITIES,
        ..Default::default()
    };
    let (root, proof, descendants) = relay.into_state_root_proof_and_descendants(0);
    Ok((
        sp_timestamp::InherentDataProvider::new(Timestamp::new(time)),
        ParachainInherentData {
            validation_data: PersistedValidationData {
                parent_head,
                relay_parent_number: number,
                relay_parent_storage_root: root,
                max_pov_size: MAX_POV_SIZE,
            },
            relay_chain_state: proof,
            downward_messages: Default::default(),
            horizontal_messages: Default::default(),
            relay_parent_descendants: descendants,
            collator_peer_id: None,
        },
    ))
}

/// The limits that a relay chain sets for its parachains.
fn host_configuration() -> AbridgedHostConfiguration {
    AbridgedHostConfiguration {
        max_code_size: MAX_CODE_SIZE,
        max_head_data_size: 20 * 1024,
        max_upward_queue_count: 8,
        max_upward_queue_size: 1024 * 1024,
        max_upward_message_size: 64 * 1024,
        max_upward_message_num_per_candidate: 16,
        hrmp_max_message_num_per_candidate: 10,
        validation_upgrade_cooldown: 6,
        validation_upgrade_delay: 6,
        async_backing_params: AsyncBackingParams {
            allowed_ancestry_len: 3,
            max_candidate_depth: 10,
        },
    }
}

/// The time of the block on top of `parent`, in milliseconds of the Unix epoch.
fn next_time(client: &Arc<Client>, parent: Hash) -> Result<u64, Error> {
    let last = read::<u64>(client, parent, "Timestamp", "Now")?.unwrap_or_default();
    let mut time = Timestamp::current().as_millis().max(last);
    // The slot after a full one may be partly filled already if an earlier clock was ahead.
    for _ in 0..3 {
        let relay_slot = Slot::from(time / u64::from(RELAY_SLOT_MILLIS));
        if client
            .runtime_api()
            .can_build_upon(parent, parent, relay_slot)?
        {
            return Ok(time);
        }
        time = (time / SLOT_MILLIS + 1) * SLOT_MILLIS;
    }
    Err(format!("the runtime refuses every block on top of {parent:?}").into())
}

/// The value of a storage item of a pallet at a block.
fn read<T: Decode>(
    client: &Arc<Client>,
    at: Hash,
    pallet: &str,
    item: &str,
) -> Result<Option<T>, Error> {
    let key = [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat();
    let value = client.storage(at, &StorageKey(key))?;
    value
        .map(|data| T::decode(&mut data.0.as_slice()))
        .transpose()
        .map_err(|error| format!("{pallet}::{item} has an unknown encoding: {error}").into())
}
