//! The runtime's Wasm, which records a proof and validates with it.

use crate::chain::Candidate;
use anyhow::{anyhow, Result};
use codec::{Decode, Encode};
use cumulus_primitives_proof_size_hostfunction::storage_proof_size;
use noema_runtime::Block;
use polkadot_parachain_primitives::primitives::{
    BlockData, HeadData, ValidationParams, ValidationResult,
};
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_externalities::Extensions;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{
    backend::{AsTrieBackend, BackendRuntimeCode, TryPendingCode},
    BasicExternalities, OverlayedChanges, StateMachine, TrieBackendBuilder,
};
use sp_trie::{proof_size_extension::ProofSizeExt, recorder::Recorder, StorageProof};
use std::path::PathBuf;

type HostFunctions = (
    sp_io::SubstrateHostFunctions,
    storage_proof_size::HostFunctions,
);

/// Executes blocks in Wasm.
pub(crate) struct Validator(WasmExecutor<HostFunctions>);

impl Validator {
    /// An executor for this many threads at once. It uses the node's cache of compiled runtimes.
    pub(crate) fn new(threads: usize) -> Self {
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
            .filter(|path| path.is_absolute());
        let builder = WasmExecutor::builder().with_max_runtime_instances(threads);
        Self(
            match cache {
                Some(cache) => builder.with_cache_path(cache.join("noema/wasm")),
                None => builder,
            }
            .build(),
        )
    }

    /// Executes a block on its parent's state, as its author did: the values that it reads, including those
    /// for the proof's own size, are its proof.
    pub(crate) fn record<S: AsTrieBackend<BlakeTwo256>>(
        &self,
        state: &S,
        block: &Block,
    ) -> Result<StorageProof> {
        let state = state.as_trie_backend();
        let code = BackendRuntimeCode::new(state, TryPendingCode::No);
        let code = code.runtime_code().map_err(|error| anyhow!("{error}"))?;
        let recorder = Recorder::<BlakeTwo256>::default();
        let recording = TrieBackendBuilder::wrap(state)
            .with_recorder(recorder.clone())
            .build();
        let mut extensions = Extensions::new();
        extensions.register(ProofSizeExt::new(recorder.clone()));
        StateMachine::new(
            &recording,
            &mut OverlayedChanges::default(),
            &self.0,
            "Core_execute_block",
            &block.encode(),
            &mut extensions,
            &code,
            CallContext::Onchain { import: false },
        )
        .execute()
        .map_err(|error| anyhow!("the block cannot be executed again: {error}"))?;
        Ok(recorder.drain_storage_proof())
    }

    /// Validates a block from its proof alone; returns the parachain's new head.
    pub(crate) fn validate(&self, candidate: &Candidate) -> Result<Vec<u8>> {
        let parameters = ValidationParams {
            parent_head: HeadData(candidate.parent.encode()),
            block_data: BlockData(candidate.data().encode()),
            relay_parent_number: candidate.relay.relay_parent_number,
            relay_parent_storage_root: candidate.relay.relay_parent_storage_root,
        };
        let code = RuntimeCode {
            code_fetcher: &WrappedRuntimeCode(candidate.code.as_slice().into()),
            heap_pages: None,
            hash: sp_io::hashing::blake2_256(&candidate.code).to_vec(),
        };
        let (result, _) = self.0.call(
            &mut BasicExternalities::default(),
            &code,
            "validate_block",
            &parameters.encode(),
            CallContext::Offchain,
        );
        let result = result.map_err(|error| anyhow!("{error}"))?;
        Ok(ValidationResult::decode(&mut &result[..])?.head_data.0)
    }
}
