//! A chain whose operators behave as a test specifies, and the gains and losses of each side.

use crate::common::{genesis, randomness, relay};
use codec::Encode;
use frame_support::{
    assert_ok,
    traits::{fungible::Inspect, BuildGenesisConfig, Hooks, UnfilteredDispatchable},
    weights::WeightMeter,
};
use noema_claims::{merkle_root, prove_hidden, ClaimStage, HiddenProof, Seat, SeatState};
use noema_protocol::{
    hashing::{self, blake2_256},
    CheckpointId, ClaimId, FamilyId, Prices, Receipt, RequestId, Role, SamplingParameters, Verdict,
};
use noema_runtime::{
    constants::{MAXIMUM_BLOCK_WEIGHT, UNIT},
    parameters::{claim_rules, LIVE_FRESHNESS},
    AccountId, Balance, Balances, Checkpoints, Claims, Disputes, Inference, Issuance, Jury,
    Operators, Runtime, RuntimeOrigin, Sessions, System,
};
use pallet_checkpoints::{Architecture, TokenBounds, Variant, Weights};
use pallet_inference::{RequestPhase, Requests};
use pallet_jury::JurorState;
use pallet_operators::Roles;
use sp_core::{sr25519, Pair, H256};
use sp_runtime::{BoundedVec, DispatchResult, MultiSignature};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

pub(crate) const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
/// The bond of most operators.
pub(crate) const BOND: Balance = 1_000 * UNIT;
/// The prices of most workers, the defaults of `noema-worker register`.
pub(crate) const PRICES: Prices<Balance> = Prices {
    per_prompt_byte: UNIT / 10_000,
    per_answer_token: UNIT / 1_000,
};
/// The prompt of most requests, and their number of tokens.
pub(crate) const PROMPT: [u8; 100] = [b'x'; 100];
pub(crate) const TOKENS: u16 = 64;
/// The payment for the longest answer to that: 0.01 for the prompt and 0.064 for the answer.
pub(crate) const ANSWER: Balance = 74 * UNIT / 1_000;
/// The stake is twenty times as much.
pub(crate) const STAKE: Balance = 20 * ANSWER;
/// More than a request costs.
pub(crate) const LIMIT: Balance = UNIT;
/// An upper bound of all account numbers.
const ACCOUNTS: u32 = 200;
/// The funds of each account.
const FUNDS: Balance = 100_000 * UNIT;
/// The stake of a check, and of each seat of a jury.
pub(crate) const SEAT: Balance = UNIT;

/// The requester of most tests, a watching account, and an attacker that is not an operator.
pub(crate) const ASKER: u32 = 1;
pub(crate) const WATCHER: u32 = 2;
pub(crate) const STRANGER: u32 = 3;
const PUBLISHER: u32 = 4;
/// The first worker, and the first validator.
pub(crate) const WORKER: u32 = 10;
pub(crate) const VALIDATOR: u32 = 100;

thread_local! {
    static RELAY: Cell<u32> = const { Cell::new(0) };
    static SEED: Cell<u64> = const { Cell::new(0) };
    static IS_RANDOM: Cell<bool> = const { Cell::new(true) };
}

/// Runs a test on a chain whose blocks are final at once and whose terms have four blocks, otherwise with the
/// rules of a live one. Audits the state at the end.
pub(crate) fn chain(seed: u64, run: impl FnOnce()) {
    RELAY.set(1_000);
    SEED.set(seed);
    IS_RANDOM.set(true);
    let mut config = genesis("development");
    let funded = (0..ACCOUNTS).map(|number| (who(number), FUNDS));
    config.balances.balances.extend(funded);
    config.parameter_presets.claim_rules = Some(claim_rules(0, LIVE_FRESHNESS));
    let mut chain = sp_io::TestExternalities::new_empty();
    chain.execute_with(|| {
        config.build();
        System::set_block_number(1);
        publish();
        run();
        audit();
    });
}

/// Checks that the records of all pallets agree.
pub(crate) fn audit() {
    assert_eq!(Claims::audit(), Ok(()));
    assert_eq!(Inference::audit(), Ok(()));
    assert_eq!(Jury::audit(), Ok(()));
    assert_eq!(Disputes::audit(), Ok(()));
    assert_eq!(Sessions::audit(), Ok(()));
    assert_ok!(Operators::audit());
    assert_ok!(Issuance::audit());
}

fn publish() {
    let architecture = Architecture {
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
        variant: Variant::LLAMA,
    };
    assert_ok!(Checkpoints::register_family(
        RuntimeOrigin::signed(who(PUBLISHER)),
        BoundedVec::truncate_from(b"a family".to_vec()),
        architecture,
        H256::repeat_byte(9),
        1,
        1
    ));
    publish_checkpoint(CHECKPOINT);
}

/// Registers a checkpoint of the only family.
pub(crate) fn publish_checkpoint(checkpoint: CheckpointId) {
    assert_ok!(Checkpoints::register_checkpoint(
        RuntimeOrigin::signed(who(PUBLISHER)),
        checkpoint,
        FamilyId(0),
        None,
        Weights {
            root: H256::repeat_byte(7),
            bytes: 144_000_000,
        },
        TokenBounds {
            tokens_per_byte: 1,
            template_tokens: 35,
        },
        BoundedVec::truncate_from(b"Apache-2.0".to_vec()),
        H256::repeat_byte(8)
    ));
}

/// The account of a number; for an operator, its controller.
pub(crate) fn who(number: u32) -> AccountId {
    AccountId::new(blake2_256(&number.to_le_bytes()).0)
}

/// The pair of a hot key, or of a voucher key.
pub(crate) fn pair(number: u32) -> sr25519::Pair {
    sr25519::Pair::from_seed(&blake2_256(&("hot key", number).encode()).0)
}

/// The origin of a call that an operator's hot key signs.
pub(crate) fn by(number: u32) -> RuntimeOrigin {
    RuntimeOrigin::signed(pair(number).public().into())
}

/// Registers an operator that serves the checkpoint.
pub(crate) fn register(number: u32, role: Role, bond: Balance, prices: Prices<Balance>) {
    let controller = who(number);
    let payload = hashing::possession_payload(System::block_hash(0), &controller);
    let signature = pair(number).sign(payload.as_bytes());
    let origin = || RuntimeOrigin::signed(controller.clone());
    assert_ok!(Operators::register(
        origin(),
        Roles {
            worker: role == Role::Worker,
            validator: role == Role::Validator,
            trainer: false,
        },
        pair(number).public().into(),
        MultiSignature::from(signature),
        prices,
        bond
    ));
    assert_ok!(Operators::serve(origin(), CHECKPOINT));
}

/// Registers workers and validators of equal bonds, and waits until they can be drawn.
pub(crate) fn operators(workers: u32, validators: u32) {
    for number in WORKER..WORKER + workers {
        register(number, Role::Worker, BOND, PRICES);
    }
    for number in VALIDATOR..VALIDATOR + validators {
        register(number, Role::Validator, BOND, Prices::default());
    }
    notice();
}

/// Makes blocks until present changes take effect.
pub(crate) fn notice() {
    (0..12).for_each(|_| block());
}

/// The next block, up to its first transaction, on a new block of the relay chain.
pub(crate) fn block() {
    block_after(1);
}

/// The same, this many blocks of the relay chain later.
pub(crate) fn block_after(relay_blocks: u32) {
    // The last block had room.
    Disputes::on_idle(System::block_number(), MAXIMUM_BLOCK_WEIGHT);
    let now = System::block_number() + 1;
    System::set_block_number(now);
    System::reset_events();
    Issuance::on_initialize(now);
    Jury::on_initialize(now);
    let at = RELAY.get() + relay_blocks;
    RELAY.set(at);
    let value = IS_RANDOM.get().then(|| value(at).0);
    relay(now, at, randomness(value));
    let mut meter = WeightMeter::with_limit(MAXIMUM_BLOCK_WEIGHT);
    Claims::on_poll(now, &mut meter);
    Jury::on_poll(now, &mut meter);
    Disputes::on_poll(now, &mut meter);
    Inference::on_poll(now, &mut meter);
    Sessions::on_poll(now, &mut meter);
}

fn value(at: u32) -> H256 {
    blake2_256(&(SEED.get(), at).encode())
}

/// Sets whether the relay chain brings randomness from now on.
pub(crate) fn set_random(is_random: bool) {
    IS_RANDOM.set(is_random);
}

/// The funds of accounts: free, on hold, and credited, including locks of open claims.
pub(crate) fn wealth(numbers: impl IntoIterator<Item = u32>) -> Balance {
    let of = |number| {
        let account = who(number);
        let payable = Operators::earnings(account.clone()).map_or(0, |ledger| ledger.payable);
        Balances::total_balance(&account) + payable
    };
    numbers.into_iter().map(of).sum()
}

/// The gain or loss of accounts, in NOEMA, since they owned `before`.
pub(crate) fn gained(numbers: impl IntoIterator<Item = u32>, before: Balance) -> f64 {
    noema(wealth(numbers)) - noema(before)
}

pub(crate) fn noema(amount: Balance) -> f64 {
    amount as f64 / UNIT as f64
}

/// Makes the request of most tests.
pub(crate) fn ask(asker: u32) -> RequestId {
    let id = pallet_inference::NextRequestId::<Runtime>::get();
    assert_ok!(Inference::request_inference(
        RuntimeOrigin::signed(who(asker)),
        CHECKPOINT,
        PROMPT.to_vec(),
        SamplingParameters::greedy(TOKENS),
        LIMIT
    ));
    id
}

/// The behaviour of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// A worker submits the checkpoint's answer; a validator confirms that and challenges any other; a juror
    /// gives the right verdict.
    Honest,
    /// A worker answers without executing. A validator or juror confirms that worker's values.
    Lies,
    /// A validator or juror states of every leaf that it is false.
    Denies,
    /// Does nothing.
    Silent,
    /// Commits and does not reveal.
    Withholds,
}

/// A submitted answer.
struct Answered {
    receipt: Receipt,
    hidden: Vec<H256>,
    is_true: bool,
}

/// A chain whose operators act in each block.
#[derive(Default)]
pub(crate) struct Play {
    /// By number; other operators are honest.
    conduct: BTreeMap<u32, Conduct>,
    /// The numbers of the operators.
    numbers: BTreeMap<AccountId, u32>,
    requests: BTreeSet<RequestId>,
    claims: BTreeMap<ClaimId, Answered>,
    /// The appellant against a first verdict that is wrong, and the one against a verdict that is right.
    pub(crate) appellants: [Option<u32>; 2],
    /// The account that challenges each true answer without having been drawn.
    pub(crate) challenger: Option<u32>,
}

impl Answered {
    /// The hidden state at the position that was drawn for a seat.
    fn proof(&self, seat: Option<&Seat<AccountId>>) -> HiddenProof {
        let position = seat.and_then(|seat| seat.position(self.receipt.answer_tokens));
        let proof = position.and_then(|position| prove_hidden(&self.hidden, position));
        proof.expect("it was drawn for one of the positions")
    }
}

const SALT: H256 = H256::repeat_byte(3);

impl Play {
    pub(crate) fn new(numbers: impl IntoIterator<Item = u32>) -> Self {
        Self {
            numbers: numbers
                .into_iter()
                .map(|number| (who(number), number))
                .collect(),
            ..Self::default()
        }
    }

    pub(crate) fn conduct(
        mut self,
        numbers: impl IntoIterator<Item = u32>,
        conduct: Conduct,
    ) -> Self {
        let entries = numbers.into_iter().map(|number| (number, conduct));
        self.conduct.extend(entries);
        self
    }

    fn of(&self, account: &AccountId) -> (u32, Conduct) {
        let number = self.numbers[account];
        let conduct = self.conduct.get(&number).copied();
        (number, conduct.unwrap_or(Conduct::Honest))
    }

    /// Makes this many requests, and runs the chain until all have ended. Returns the requests.
    pub(crate) fn requests(&mut self, asker: u32, count: u32) -> Vec<RequestId> {
        let ids: Vec<_> = (0..count).map(|_| ask(asker)).collect();
        self.requests.extend(&ids);
        self.until_over();
        ids
    }

    /// Runs requests that were made elsewhere, too.
    pub(crate) fn follow(&mut self, ids: &[RequestId]) {
        self.requests.extend(ids);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.requests.is_empty() && self.claims.is_empty()
    }

    pub(crate) fn until_over(&mut self) {
        for _ in 0..2_000 {
            if self.is_over() {
                return;
            }
            self.block();
        }
        panic!("requests or claims do not end");
    }

    /// The next block, in which all operators act.
    pub(crate) fn block(&mut self) {
        block();
        self.act();
    }

    pub(crate) fn act(&mut self) {
        for number in self.numbers.values() {
            // Only an absent operator can resume.
            let _ = Operators::resume(by(*number));
        }
        let waiting: Vec<_> = self.requests.iter().copied().collect();
        for id in waiting {
            let phase = Requests::<Runtime>::get(id).map(|request| request.phase);
            match phase {
                Some(RequestPhase::Answering { .. }) => self.answer(id),
                Some(phase) if !phase.is_final() => {}
                _ => drop(self.requests.remove(&id)),
            }
        }
        let claims: Vec<_> = self.claims.keys().copied().collect();
        for id in claims {
            self.act_on(id);
        }
    }

    /// Has the worker of a request answer it, if its behaviour includes answers.
    fn answer(&mut self, id: RequestId) {
        let request = Requests::<Runtime>::get(id).expect("it was made");
        let assignment = request.assignment.expect("a worker has it");
        let (number, conduct) = self.of(&assignment.worker);
        let is_true = match conduct {
            Conduct::Honest => true,
            Conduct::Lies => false,
            _ => return,
        };
        let claim = self.submit(number, id, is_true);
        self.requests.remove(&id);
        if let Some(challenger) = self.challenger.filter(|_| is_true) {
            challenge(challenger, claim);
        }
    }

    /// An operator's answer. The claim is simulated from now on.
    pub(crate) fn submit(&mut self, number: u32, id: RequestId, is_true: bool) -> ClaimId {
        let claim = submit(number, id, is_true).expect("it is the worker's");
        self.claims.insert(claim, answered(id, is_true));
        claim
    }

    fn act_on(&mut self, id: ClaimId) {
        let claim = Claims::claim_info(id).expect("it is kept for a day").claim;
        let answered = &self.claims[&id];
        for seat in &claim.seats {
            let (number, conduct) = self.of(&seat.validator);
            let confirms = match conduct {
                Conduct::Honest => answered.is_true,
                Conduct::Lies | Conduct::Withholds => true,
                Conduct::Denies => false,
                Conduct::Silent => continue,
            };
            match (claim.stage, seat.state) {
                (ClaimStage::Committing { .. }, SeatState::Seated) if confirms => {
                    let commitment = hashing::check_commitment(
                        id,
                        0,
                        &seat.validator,
                        answered.proof(Some(seat)).hidden,
                        SALT,
                    );
                    assert_ok!(Claims::commit_check(by(number), id, 0, commitment));
                }
                (ClaimStage::Committing { .. }, SeatState::Seated) => {
                    assert_ok!(Claims::challenge(by(number), id, 0));
                }
                (ClaimStage::Revealing { .. }, SeatState::Committed(_))
                    if conduct != Conduct::Withholds =>
                {
                    let call = self.reveal_call(id, &seat.validator);
                    assert_ok!(dispatch(call, number));
                }
                _ => {}
            }
        }
        self.judge(id);
        if claim.outcome().is_some() {
            self.claims.remove(&id);
        }
    }

    /// The reveal of a validator that was drawn for a claim.
    pub(crate) fn reveal_call(
        &self,
        id: ClaimId,
        validator: &AccountId,
    ) -> pallet_claims::Call<Runtime> {
        let claim = Claims::claim_info(id).expect("it is kept for a day").claim;
        let answered = &self.claims[&id];
        let proof = answered.proof(claim.seats.iter().find(|seat| seat.validator == *validator));
        pallet_claims::Call::reveal_check {
            claim: id,
            leaf: 0,
            receipt: Box::new(answered.receipt),
            path: Vec::new(),
            proof,
            salt: SALT,
        }
    }

    /// The actions of jurors and appellants in the dispute over a claim.
    fn judge(&self, id: ClaimId) {
        let Some(dispute) = Jury::dispute(id, 0) else {
            return;
        };
        let truth = match self.claims[&id].is_true {
            true => Verdict::True,
            false => Verdict::False,
        };
        if let pallet_jury::DisputeStage::Appealable { .. } = dispute.stage {
            let is_wrong = dispute.first.verdict() != Some(truth);
            if let Some(appellant) = self.appellants[usize::from(!is_wrong)] {
                let origin = RuntimeOrigin::signed(who(appellant));
                assert_ok!(Jury::appeal(origin, id, 0));
            }
        }
        for juror in dispute.sitting().jurors() {
            let (number, conduct) = self.of(&juror.account);
            let verdict = match conduct {
                Conduct::Honest | Conduct::Withholds => truth,
                Conduct::Lies => Verdict::True,
                Conduct::Denies => Verdict::False,
                Conduct::Silent => continue,
            };
            match (dispute.stage, juror.state) {
                (pallet_jury::DisputeStage::Committing { .. }, JurorState::Seated) => {
                    let commitment =
                        hashing::verdict_commitment(id, 0, &juror.account, verdict, SALT);
                    assert_ok!(Jury::commit_verdict(by(number), id, 0, commitment));
                }
                (pallet_jury::DisputeStage::Revealing { .. }, JurorState::Committed(_))
                    if conduct != Conduct::Withholds =>
                {
                    assert_ok!(Jury::reveal_verdict(by(number), id, 0, verdict, SALT));
                }
                _ => {}
            }
        }
    }
}

/// The hidden states of execution, or invented ones.
fn hidden(id: RequestId, is_true: bool) -> Vec<H256> {
    (0..TOKENS)
        .map(|position| blake2_256(&(id, position, is_true).encode()))
        .collect()
}

fn answered(id: RequestId, is_true: bool) -> Answered {
    let request = Requests::<Runtime>::get(id).expect("it was made");
    let assignment = request.assignment.expect("a worker has it");
    let hidden = hidden(id, is_true);
    Answered {
        receipt: Receipt {
            request: id,
            checkpoint: CHECKPOINT,
            prompt_hash: request.prompt_hash,
            parameters: request.parameters,
            seed: assignment.seed,
            answer_hash: hashing::answer_hash(&[5; TOKENS as usize], b"An answer."),
            prompt_tokens: 100,
            answer_tokens: TOKENS.into(),
            hidden_root: merkle_root(&hidden),
        },
        hidden,
        is_true,
    }
}

/// The longest answer of an operator, true or invented. Returns the claim.
pub(crate) fn submit(
    number: u32,
    id: RequestId,
    is_true: bool,
) -> Result<ClaimId, sp_runtime::DispatchError> {
    let claim = pallet_claims::NextClaim::<Runtime>::get();
    Inference::submit_answer(
        by(number),
        id,
        vec![5; TOKENS.into()],
        b"An answer.".to_vec(),
        answered(id, is_true).receipt,
    )?;
    Ok(claim)
}

/// Challenges a claim with a bond, as an account that was not drawn.
pub(crate) fn challenge(number: u32, id: ClaimId) {
    let origin = RuntimeOrigin::signed(who(number));
    assert_ok!(Claims::challenge(origin, id, 0));
}

/// Dispatches a call, signed by an operator's hot key.
pub(crate) fn dispatch(call: pallet_claims::Call<Runtime>, number: u32) -> DispatchResult {
    call.dispatch_bypass_filter(by(number))
        .map(drop)
        .map_err(|failed| failed.error)
}
