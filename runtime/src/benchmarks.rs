//! The pallets with benchmarks; `scripts/weights.sh` runs those of Noema's own.

use crate::{
    parameters::{claim_rules, LIVE_FINALITY, LIVE_FRESHNESS, SESSION_RULES},
    referee::StepsOfSessions,
    AccountId, AllPalletsWithSystem, Claims, Disputes, ParachainSystem, Runtime, RuntimeEvent,
    SessionKeys, Sessions, Signature, System,
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
use noema_disputes::{StepJudge, StepProof};
use noema_interfaces::{Claims as _, Referee as _};
use noema_protocol::{
    hashing::{merkle_leaf, merkle_node},
    merkle, CheckpointId, ClaimId, Job, SamplingParameters, SessionId,
};
use noema_referee::{DeclaredEvidence, SessionStatement};
use noema_sessions::{Account, Agreement, AnswerEnd, SessionPrices, SessionReceipt};
use pallet_steps::Pallet as StepsBench;
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

/// Claims of sessions that are decided by games, for benchmarks of these.
pub struct DisputedSessions;

/// The most leaves of a claim of a session, about: a million.
const LEAVES: u32 = 1 << 20;

impl DisputedSessions {
    /// The only session, with a worker and a seed, which made `claim`.
    fn session(worker: AccountId, checkpoint: CheckpointId, claim: ClaimId) -> Job {
        let (id, number) = (SessionId(0), 0);
        let claim_rules = claim_rules(LIVE_FINALITY, LIVE_FRESHNESS);
        let session = pallet_sessions::Session {
            payer: worker.clone(),
            voucher_key: worker.clone(),
            worker: Some(worker),
            checkpoint,
            leaf_tokens: pallet_steps::TOKENS,
            price_limit: SessionPrices::default(),
            prices: SessionPrices::default(),
            rules: SESSION_RULES,
            claim_rules,
            account: Account::new(0),
            seed: Some(H256::zero()),
            opened_at: 0,
            unknown_since: 0,
            ended_at: None,
            turn: None,
        };
        pallet_sessions::Sessions::<Runtime>::insert(id, session);
        let open = pallet_sessions::OpenClaim {
            claim,
            first: 0,
            leaves: LEAVES,
        };
        pallet_sessions::OpenClaims::<Runtime>::insert(id, number, open);
        Job::Session(id, number)
    }

    /// A receipt of the first answer of a session.
    fn receipt(agreement: &Agreement) -> SessionReceipt {
        let answer_tokens = 1_024;
        SessionReceipt {
            session: agreement.session,
            n: 0,
            first: 0,
            terms: agreement.terms,
            checkpoint: agreement.checkpoint,
            prompt_hash: H256::zero(),
            prompt_tokens: agreement.leaf_tokens - answer_tokens,
            cached_tokens: 0,
            parameters: SamplingParameters {
                max_tokens: 1_024,
                temperature_milli: 800,
                top_k: 40,
                top_p_milli: 950,
            },
            seed: agreement.seed_of(0),
            answer_hash: H256::zero(),
            answer_tokens,
            end: AnswerEnd::Length,
            price: 0,
            hidden_root: H256::zero(),
        }
    }
}

impl pallet_disputes::BenchmarkHelper<AccountId, SessionStatement, DeclaredEvidence>
    for DisputedSessions
{
    fn challenged(checkpoint: CheckpointId) -> (ClaimId, u32) {
        let (id, leaf) = pallet_claims::challenged::<Runtime>(checkpoint);
        let claim = Claims::claim(id).expect("the claim was just made; qed");
        Disputes::open(&claim, leaf);
        (id, leaf)
    }

    fn hot_key(claim: ClaimId) -> AccountId {
        let claim = Claims::claim(claim).expect("the claim is kept; qed");
        pallet_operators::Operators::<Runtime>::get(claim.terms.claimant)
            .expect("the claimant is an operator; qed")
            .key
    }

    fn wrong_trace(
        claim: ClaimId,
        leaf: u32,
    ) -> pallet_disputes::WrongTrace<SessionStatement, DeclaredEvidence> {
        let manifest = pallet_steps::longest_manifest();
        let checkpoint = manifest.id();
        let kept = Claims::claim(claim).expect("the claim is kept; qed");
        let job = Self::session(kept.terms.claimant, checkpoint, claim);
        let (agreement, _) = Sessions::agreement_of(job).expect("the session is open; qed");
        let statement = SessionStatement::new(Self::receipt(&agreement), &manifest);
        let path = alloc::vec![H256::repeat_byte(5); LEAVES.ilog2() as usize];
        let stated = merkle_leaf(&statement.leaf());
        pallet_claims::Claims::<Runtime>::mutate(claim, |kept| {
            let kept = kept.as_mut().expect("the claim is kept; qed");
            kept.job = job;
            let terms = &mut kept.claim.terms;
            terms.checkpoint = checkpoint;
            terms.leaves = LEAVES;
            terms.root = path
                .iter()
                .fold(stated, |at, other| merkle_node(&at, other));
        });
        let subject = pallet_disputes::Games::<Runtime>::mutate(claim, leaf, |open| {
            let game = &mut open.as_mut().expect("the game is open; qed").game;
            game.terms.subject.checkpoint = checkpoint;
            game.terms.subject
        });
        let shape =
            StepsOfSessions::shape(&subject, &statement).expect("the statement can be true; qed");
        let last = shape.steps - 1;
        let missing = merkle::missing(shape.steps, &[last]).expect("it is a step; qed");
        let siblings = alloc::vec![H256::repeat_byte(6); missing.len()];
        let result = (last, merkle_leaf(&shape.result));
        let root = merkle::root_of(shape.steps, &[result], &siblings);
        pallet_disputes::WrongTrace {
            statement,
            path,
            root: root.expect("all nodes are there; qed"),
            siblings,
            proof: StepProof {
                step: 0,
                node: H256::zero(),
                siblings: Vec::new(),
                evidence: pallet_steps::useless_evidence(),
            },
        }
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
    [pallet_disputes, crate::Disputes]
    [pallet_steps, StepsBench::<Runtime>]
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
