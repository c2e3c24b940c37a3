//! A session with three answers, a voucher and a claim over them, and a state with their records.

use codec::Encode;
use frame_support::storage::storage_prefix;
use frame_support::{Blake2_128Concat, StorageHasher, Twox64Concat};
use noema_claims::{
    Availability, Claim, ClaimRules, ClaimStage, ClaimTerms, ClaimWindows, Permill, Seat, SeatState,
};
use noema_protocol::{hashing, CheckpointId, ClaimId, Job, SamplingParameters, SessionId};
use noema_receipts::{proof_keys, BlockHeader, ReceiptError, ReceiptFile, StateProof, Verified};
use noema_session_transport::{ReceivedAnswer, SignedReceipt, SignedVoucher};
use noema_sessions::{
    Account, AnswerEnd, Bundle, SessionPrices, SessionReceipt, SessionRules, Stage,
};
use pallet_claims::Kept;
use pallet_sessions::Session;
use sp_core::{sr25519, Pair, H256};
use sp_runtime::traits::BlakeTwo256;
use sp_runtime::{Digest, StateVersion};
use sp_state_machine::{prove_read, InMemoryBackend};

pub(crate) type AccountBytes = [u8; 32];

pub(crate) const GENESIS: H256 = H256::repeat_byte(9);
pub(crate) const WORKER: AccountBytes = [2; 32];
pub(crate) const PAYER: AccountBytes = [3; 32];
pub(crate) const SESSION: SessionId = SessionId(4);
pub(crate) const CLAIM: ClaimId = ClaimId(6);
/// The answer that the tests are about.
pub(crate) const N: u32 = 1;

const PRICES: SessionPrices = SessionPrices {
    per_prompt_token: 10,
    per_cached_token: 1,
    per_answer_token: 100,
};

const RULES: SessionRules = SessionRules {
    lifetime: 100,
    close: 10,
    bytes_per_token: 4,
    cached_share: Permill::from_percent(10),
    check_share: Permill::from_percent(20),
    check_fee_per_token: 1,
    stake_percent: 100,
    min_stake: 100,
    stake_per_token: 1,
    min_held: 1,
    min_claim: 50,
    storage_price: 1,
    retention: 20,
};

fn claim_rules() -> ClaimRules<u32> {
    ClaimRules {
        windows: ClaimWindows {
            finality: 2,
            commit: 3,
            tokens_per_block: 4,
            reveal: 5,
            challenge: 6,
            post: 7,
        },
        freshness: 1,
        margin_percent: 120,
        min_check_rate: Permill::from_percent(1),
        validators_per_leaf: 2,
        max_draws: 2,
        validator_stake: 9,
        challenger_share: Permill::from_percent(50),
        challenger_cap: 10,
        challenge_bond: 11,
        juror_fee_per_token: 12,
        burned_share: Permill::from_percent(10),
    }
}

fn key(seed: u8) -> sr25519::Pair {
    sr25519::Pair::from_seed(&[seed; 32])
}

/// The hot key of the worker.
pub(crate) fn hot_key() -> sr25519::Pair {
    key(1)
}

/// The voucher key.
pub(crate) fn voucher_key() -> sr25519::Pair {
    key(2)
}

/// The account of a key.
pub(crate) fn account(key: &sr25519::Pair) -> AccountBytes {
    key.public().0
}

/// What the chain has, as its pallets keep it.
pub(crate) struct World {
    /// The session; `None` once it is removed.
    pub(crate) session: Option<Session<AccountBytes, u32>>,
    /// The claim; `None` before it is made, and once it is removed.
    pub(crate) claim: Option<Kept<AccountBytes, u32>>,
    /// The controller of the hot key.
    pub(crate) controller: AccountBytes,
    /// The hash of the genesis block.
    pub(crate) genesis: H256,
    /// The storage versions of sessions and claims.
    pub(crate) versions: [u16; 2],
    /// The answers.
    pub(crate) answers: Vec<ReceivedAnswer>,
    /// The voucher over them.
    pub(crate) voucher: SignedVoucher,
}

impl World {
    /// A session with three answers that are paid, and not claimed.
    pub(crate) fn new() -> Self {
        let session = Session {
            payer: PAYER,
            voucher_key: account(&voucher_key()),
            worker: Some(WORKER),
            checkpoint: CheckpointId(H256::repeat_byte(7)),
            leaf_tokens: 100,
            price_limit: PRICES,
            prices: PRICES,
            rules: RULES,
            claim_rules: claim_rules(),
            account: Account {
                stage: Stage::Open { until: 200 },
                ..Account::new(1_000_000)
            },
            seed: Some(H256::repeat_byte(8)),
            opened_at: 10,
            unknown_since: 11,
            ended_at: None,
            turn: Some(201),
        };
        let terms = session.terms(SESSION).expect("a seed and a worker");
        let agreement = terms.agreement(GENESIS);
        let mut bundle = Bundle::starting(0, 0);
        let mut answers = Vec::new();
        for n in 0..3u32 {
            let (prompt, answer) = (vec![5; 20], vec![n; 8]);
            let receipt = SessionReceipt {
                session: SESSION,
                n,
                first: 0,
                terms: agreement.terms,
                checkpoint: session.checkpoint,
                prompt_hash: hashing::tokens_hash(&prompt),
                prompt_tokens: 20,
                cached_tokens: 4,
                parameters: SamplingParameters::greedy(8),
                seed: agreement.seed_of(n),
                answer_hash: hashing::tokens_hash(&answer),
                answer_tokens: 8,
                end: AnswerEnd::Length,
                price: 16 * 10 + 4 + 8 * 100,
                hidden_root: H256::repeat_byte(5),
            };
            bundle = bundle.with(&receipt).expect("the next receipt");
            answers.push(ReceivedAnswer {
                worker: WORKER,
                received_at: 1_000,
                prompt,
                answer,
                receipt: signed(receipt),
            });
        }
        let voucher = bundle.voucher(&agreement);
        Self {
            session: Some(session),
            claim: None,
            controller: WORKER,
            genesis: GENESIS,
            versions: [1, 1],
            answers,
            voucher: SignedVoucher {
                voucher,
                signature: voucher_key().sign(voucher.payload().as_bytes()).0,
            },
        }
    }

    /// The same with a claim over the answers.
    pub(crate) fn claimed() -> Self {
        let mut world = Self::new();
        let voucher = world.voucher.voucher;
        let session = world.session.as_mut().expect("is there");
        session.account.count = 3;
        session.account.claims = 1;
        world.claim = Some(Kept {
            claim: Claim {
                id: CLAIM,
                terms: ClaimTerms {
                    claimant: WORKER,
                    payer: PAYER,
                    checkpoint: session.checkpoint,
                    root: voucher.root,
                    leaves: 3,
                    leaf_tokens: 100,
                    availability: Availability::FromClaimant,
                    payment: voucher.amount,
                    exposure: voucher.amount,
                    check_fee: 20,
                    stake: 3_000,
                    rules: claim_rules(),
                },
                made_at: 30,
                unknown_since: 31,
                stage: ClaimStage::Committing { until: 40 },
                drawn: vec![N].try_into().expect("one leaf"),
                draws: 1,
                fruitless: 0,
                seats: vec![Seat {
                    validator: [4; 32],
                    leaf: N,
                    point: 5,
                    state: SeatState::Confirmed,
                }]
                .try_into()
                .expect("one seat"),
                disputes: 0,
                demands: Default::default(),
            },
            job: Job::Session(SESSION, 0),
            surplus: 0,
            turn: Some(41),
        });
        world
    }

    pub(crate) fn claim(&mut self) -> &mut Kept<AccountBytes, u32> {
        self.claim.as_mut().expect("is there")
    }

    pub(crate) fn session(&mut self) -> &mut Session<AccountBytes, u32> {
        self.session.as_mut().expect("is there")
    }

    /// The hashes of the receipts.
    pub(crate) fn hashes(&self) -> Vec<H256> {
        let receipts = self.answers.iter();
        receipts
            .map(|answer| answer.receipt.receipt.hash())
            .collect()
    }

    /// The file of an answer, without anything that covers it.
    pub(crate) fn bare(&self) -> ReceiptFile {
        let answer = self.answers[N as usize].clone();
        ReceiptFile::of(answer, &[[0; 32], account(&hot_key())])
    }

    /// The file of an answer, with all that covers it.
    pub(crate) fn file(&self) -> ReceiptFile {
        let mut file = self.bare();
        file.add_voucher(self.voucher, &self.hashes());
        if self.claim.is_some() {
            file.add_claim(CLAIM, 0, &self.hashes());
        }
        file
    }

    fn records(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let map = |pallet: &str, map: &str, key: Vec<u8>| {
            [&storage_prefix(pallet.as_bytes(), map.as_bytes())[..], &key].concat()
        };
        let version = |pallet: &str| map(pallet, ":__STORAGE_VERSION__:", Vec::new());
        let [sessions, claims] = self.versions;
        let genesis = Twox64Concat::hash(&0u32.encode());
        let hot_key = Blake2_128Concat::hash(&account(&hot_key()));
        let mut records = vec![
            (version("Sessions"), sessions.encode()),
            (version("Claims"), claims.encode()),
            (map("System", "BlockHash", genesis), self.genesis.encode()),
            (map("Operators", "Keys", hot_key), self.controller.encode()),
        ];
        if let Some(session) = &self.session {
            let key = Twox64Concat::hash(&SESSION.encode());
            records.push((map("Sessions", "Sessions", key), session.encode()));
        }
        if let Some(claim) = &self.claim {
            let key = Twox64Concat::hash(&CLAIM.encode());
            records.push((map("Claims", "Claims", key), claim.encode()));
        }
        // Others, so that the trie has branches.
        let others = (0..200u32).map(|n| (n.encode(), vec![0; 40]));
        records.extend(others);
        records
    }

    /// A proof for a file.
    pub(crate) fn proof(&self, file: &ReceiptFile) -> StateProof {
        let mut backend = InMemoryBackend::<BlakeTwo256>::default();
        let records = self.records().into_iter();
        let records = records.map(|(key, value)| (key, Some(value)));
        backend.insert([(None, records.collect())], StateVersion::V1);
        let state_root = *backend.root();
        let nodes = prove_read(backend, proof_keys(file)).expect("a proof");
        StateProof {
            header: BlockHeader {
                parent_hash: H256::zero(),
                number: 35,
                state_root,
                extrinsics_root: H256::zero(),
                digest: Digest::default(),
            },
            nodes: nodes.into_nodes().into_iter().collect(),
        }
    }

    /// What this chain shows of a file.
    pub(crate) fn verify(&self, file: &ReceiptFile) -> Result<Verified, ReceiptError> {
        let proof = self.proof(file);
        noema_receipts::verify(file, &proof, proof.block())
    }
}

/// A receipt that the hot key signed.
pub(crate) fn signed(receipt: SessionReceipt) -> SignedReceipt {
    SignedReceipt {
        receipt,
        signature: hot_key().sign(receipt.hash().as_bytes()).0,
    }
}
