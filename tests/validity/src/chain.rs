//! The blocks and states of a stopped node's chain.

use crate::validator::Validator;
use anyhow::{anyhow, ensure, Context, Result};
use codec::Decode;
use cumulus_primitives_core::{ParachainBlockData, PersistedValidationData};
use frame_support::dispatch::PerDispatchClass;
use noema_runtime::{Block, Hash, Header, Runtime, RuntimeCall};
use sc_client_api::{blockchain::Backend as _, Backend as _, HeaderBackend, TrieCacheContext};
use sc_client_db::{Backend, BlocksPruning, DatabaseSettings, DatabaseSource, PruningMode};
use sp_consensus_aura::digests::CompatibleDigestItem;
use sp_core::{sr25519, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    generic::DigestItem,
    traits::{BlakeTwo256, Block as _, Header as _},
};
use sp_state_machine::Backend as _;
use sp_trie::CompactProof;
use std::{fs, path::Path};

/// Blocks that the client keeps before it makes their states canonical; as in a node.
const CANONICALIZATION_DELAY: u64 = 4096;
/// Key of the block's weight in the state.
fn block_weight_key() -> Vec<u8> {
    frame_support::storage::storage_prefix(b"System", b"BlockWeight").to_vec()
}

/// A chain in a database.
pub(crate) struct Chain(Backend<Block>);

impl Chain {
    /// Opens the only chain below the base path of a node.
    pub(crate) fn open(base_path: &Path) -> Result<Self> {
        let chains = base_path.join("chains");
        let mut found = fs::read_dir(&chains)
            .with_context(|| format!("{} has no chains", base_path.display()))?
            .collect::<Result<Vec<_>, _>>()?;
        let chain = found.pop().context("there is no chain")?;
        ensure!(found.is_empty(), "{} has several", chains.display());
        let path = chain.path().join("paritydb/full");
        ensure!(path.is_dir(), "{} is no folder", path.display());
        let settings = DatabaseSettings {
            trie_cache_maximum_size: None,
            state_pruning: Some(PruningMode::ArchiveCanonical),
            source: DatabaseSource::ParityDb { path },
            blocks_pruning: BlocksPruning::KeepFinalized,
            pruning_filters: Vec::new(),
            metrics_registry: None,
        };
        let backend = Backend::new(settings, CANONICALIZATION_DELAY)
            .context("the database cannot be opened; does the node still run?")?;
        Ok(Self(backend))
    }

    /// The number of the best block.
    pub(crate) fn best(&self) -> u32 {
        self.0.blockchain().info().best_number
    }

    fn hash(&self, number: u32) -> Result<Hash> {
        let hash = self.0.blockchain().hash(number)?;
        hash.with_context(|| format!("block {number} is missing"))
    }

    fn header(&self, number: u32) -> Result<Header> {
        let header = self.0.blockchain().header(self.hash(number)?)?;
        header.with_context(|| format!("the header of block {number} is missing"))
    }

    fn block(&self, number: u32) -> Result<Block> {
        let body = self.0.blockchain().body(self.hash(number)?)?;
        let body = body.with_context(|| format!("the body of block {number} is missing"))?;
        Ok(Block::new(self.header(number)?, body))
    }

    /// The number of transactions of a block, including inherents.
    pub(crate) fn transactions(&self, number: u32) -> Result<usize> {
        Ok(self.block(number)?.extrinsics.len())
    }

    /// Reference time of a block by its weight, in picoseconds.
    pub(crate) fn ref_time(&self, number: u32) -> Result<u64> {
        let state = self
            .0
            .state_at(self.hash(number)?, TrieCacheContext::Untrusted)?;
        let value = state
            .storage(&block_weight_key())
            .map_err(|error| anyhow!("{error}"))?
            .context("the block's weight is missing")?;
        let weight = PerDispatchClass::<frame_support::weights::Weight>::decode(&mut &value[..])?;
        Ok(weight.total().ref_time())
    }
}

/// A block as a collator sends it to the validators.
#[derive(Clone)]
pub(crate) struct Candidate {
    /// The header of the parent, without a seal, as it is in the chain.
    pub(crate) parent: Header,
    /// The block, sealed.
    pub(crate) block: Block,
    /// The values that it reads of the parent's state.
    pub(crate) proof: CompactProof,
    /// The validation data of the relay chain.
    pub(crate) relay: PersistedValidationData,
    /// The runtime's Wasm as validators have it.
    pub(crate) code: Vec<u8>,
}

impl Candidate {
    /// The block of that number, with the proof that its execution records.
    pub(crate) fn new(chain: &Chain, validator: &Validator, number: u32) -> Result<Self> {
        let parent = chain.header(number.saturating_sub(1))?;
        let block = chain.block(number)?;
        let state = chain
            .0
            .state_at(parent.hash(), TrieCacheContext::Untrusted)?;
        let proof = validator.record(&state, &block)?;
        let proof = proof
            .into_compact_proof::<BlakeTwo256>(*parent.state_root())
            .map_err(|error| anyhow!("the proof cannot be made compact: {error:?}"))?;
        let code = state
            .storage(sp_core::storage::well_known_keys::CODE)
            .map_err(|error| anyhow!("{error}"))?
            .context("the state has no runtime")?;
        let relay = relay_parent(&block)?;
        let mut candidate = Self {
            parent,
            block,
            proof,
            relay,
            code,
        };
        candidate.seal(Sr25519Keyring::Alice);
        Ok(candidate)
    }

    /// Replaces the seal by one of `author`.
    pub(crate) fn seal(&mut self, author: Sr25519Keyring) {
        let header = &mut self.block.header;
        header
            .digest_mut()
            .logs
            .retain(|log| !matches!(log, DigestItem::Seal(..)));
        let signature = author.pair().sign(header.hash().as_ref());
        let seal = <DigestItem as CompatibleDigestItem<sr25519::Signature>>::aura_seal(signature);
        header.digest_mut().push(seal);
    }

    /// Block and proof together.
    pub(crate) fn data(&self) -> ParachainBlockData<Block> {
        ParachainBlockData::new(vec![self.block.clone()], self.proof.clone(), None)
    }
}

/// The relay chain parent that the block states.
fn relay_parent(block: &Block) -> Result<PersistedValidationData> {
    use cumulus_pallet_parachain_system::Call;
    let said = block
        .extrinsics
        .iter()
        .find_map(|extrinsic| match &extrinsic.function {
            RuntimeCall::ParachainSystem(Call::<Runtime>::set_validation_data { data, .. }) => {
                Some(data.validation_data.clone())
            }
            _ => None,
        });
    said.context("the block has no data of the relay chain")
}
