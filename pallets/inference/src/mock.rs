//! A small world: a token, operators and checkpoints that do what they are told, and the moves that
//! the tests' stories are made of.

use crate as pallet_inference;
use crate::*;
use codec::Encode;
use frame_support::{
    derive_impl, parameter_types,
    storage::unhashed,
    traits::{
        fungible::{Inspect, InspectHold, Mutate},
        tokens::{Fortitude, Precision, Preservation},
        Hooks,
    },
    weights::Weight,
};
use noema_economics::Permill;
use noema_protocol::{
    hashing,
    interfaces::{
        BlockRandomness, Candidate, Checkpoints, Earning, ModelLimits, Offence, Operators, Prices,
        Role,
    },
    CheckpointId, Receipt, RequestId, SamplingParameters, Verdict, VerdictReveal,
};
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchResult};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

pub(crate) type AccountId = u64;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(2)]
    pub type Inference = pallet_inference;
}

type Block = frame_system::mocking::MockBlockU32<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = sp_runtime::traits::IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type AccountStore = System;
    type ExistentialDeposit = ExistentialDeposit;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = 10;
    pub const MaxPromptBytes: u32 = 64;
    pub const MaxOutputTokens: u32 = 32;
    pub const MaxTextBytes: u32 = 128;
    pub static MaxLiveRequests: u32 = 24;
    pub static MaxDuePerBlock: u32 = 8;
    pub const AnswerWindow: u32 = 4;
    pub const TokensPerBlock: u32 = 8;
    pub const MaxAttempts: u32 = 2;
    pub const RequestExpiry: u32 = 10;
    pub const RetryInterval: u32 = 2;
    pub const CommitWindow: u32 = 3;
    pub const RevealWindow: u32 = 3;
    pub const ObjectionWindow: u32 = 3;
    pub const DisputeWindow: u32 = 24;
    pub const Retention: u32 = 20;
    pub static CheckersPerAnswer: u32 = 2;
    pub const MaxDraws: u32 = 2;
    pub const CommitteeSize: u32 = 3;
    pub const MaxSeats: u32 = 8;
    pub const CheckFee: Permill = Permill::from_percent(25);
    pub const MarginPercent: u32 = 200;
    pub static MinCheckRate: Permill = Permill::zero();
    pub const FalsehoodSlash: Permill = Permill::from_percent(50);
    pub const UnexecutedSlash: Permill = Permill::from_percent(20);
    pub const SilenceSlash: Permill = Permill::from_percent(1);
    pub const SilenceCap: Balance = 500;
    pub const WinnersShare: Permill = Permill::from_percent(60);
}

impl Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Checkpoints = World;
    type Operators = World;
    type Randomness = World;
    type DisputeResolver = Resolver;
    type WeightInfo = ();
    type MaxPromptBytes = MaxPromptBytes;
    type MaxOutputTokens = MaxOutputTokens;
    type MaxTextBytes = MaxTextBytes;
    type MaxLiveRequests = MaxLiveRequests;
    type MaxDuePerBlock = MaxDuePerBlock;
    type AnswerWindow = AnswerWindow;
    type TokensPerBlock = TokensPerBlock;
    type MaxAttempts = MaxAttempts;
    type RequestExpiry = RequestExpiry;
    type RetryInterval = RetryInterval;
    type CommitWindow = CommitWindow;
    type RevealWindow = RevealWindow;
    type ObjectionWindow = ObjectionWindow;
    type DisputeWindow = DisputeWindow;
    type Retention = Retention;
    type CheckersPerAnswer = CheckersPerAnswer;
    type MaxDraws = MaxDraws;
    type CommitteeSize = CommitteeSize;
    type MaxSeats = MaxSeats;
    type CheckFee = CheckFee;
    type MarginPercent = MarginPercent;
    type MinCheckRate = MinCheckRate;
    type FalsehoodSlash = FalsehoodSlash;
    type UnexecutedSlash = UnexecutedSlash;
    type SilenceSlash = SilenceSlash;
    type SilenceCap = SilenceCap;
    type WinnersShare = WinnersShare;
}

/// What the resolver does with a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolving {
    /// Lets the committee decide.
    Committee,
    /// Refuses it.
    Refuse,
    /// Takes it and does nothing.
    Sleep,
}

/// The committee, or one of the resolvers that a later pallet might be.
pub struct Resolver;

impl DisputeResolver<AccountId, u32> for Resolver {
    fn open(dispute: Dispute<AccountId, u32>) -> DispatchResult {
        match world(|world| world.resolving) {
            Resolving::Committee => Committee::<Test>::open(dispute),
            Resolving::Refuse => Err(sp_runtime::DispatchError::Other("refused")),
            Resolving::Sleep => Ok(()),
        }
    }

    fn advance(request: RequestId) {
        if world(|world| world.resolving) == Resolving::Committee {
            Committee::<Test>::advance(request);
        }
    }
}

#[derive(Clone)]
struct Operator {
    key: AccountId,
    role: Role,
    prices: Prices<Balance>,
    is_live: bool,
    is_busy: bool,
}

#[derive(Clone)]
struct WorldState {
    active: BTreeMap<CheckpointId, ModelLimits>,
    withdrawn: BTreeSet<CheckpointId>,
    operators: BTreeMap<AccountId, Operator>,
    earnings: Vec<(AccountId, RequestId, Earning, Balance)>,
    is_random: bool,
    salt: u64,
    resolving: Resolving,
}

thread_local! {
    static WORLD: RefCell<WorldState> = const { RefCell::new(WorldState {
        active: BTreeMap::new(),
        withdrawn: BTreeSet::new(),
        operators: BTreeMap::new(),
        earnings: Vec::new(),
        is_random: true,
        salt: 0,
        resolving: Resolving::Committee,
    }) };
}

fn world<R>(look: impl FnOnce(&mut WorldState) -> R) -> R {
    WORLD.with(|state| look(&mut state.borrow_mut()))
}

/// The operators, checkpoints and randomness of the mock runtime.
pub struct World;

/// The hot key of a controller.
pub(crate) const fn key(controller: AccountId) -> AccountId {
    controller.wrapping_add(100)
}

/// The account that the mock keeps a bond in.
const fn purse(controller: AccountId) -> AccountId {
    controller.wrapping_add(1_000)
}

/// The checkpoint of the stories.
pub(crate) const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));
/// What the requesters ask.
pub(crate) const PROMPT: &[u8] = "Was ist Straße?".as_bytes();
/// What the honest worker answers.
pub(crate) const TOKENS: &[u32] = &[5, 6, 7, 2];
/// The same as text.
pub(crate) const TEXT: &[u8] = b"A street.";
/// What every requester and operator starts with.
pub(crate) const FUNDS: Balance = 100_000;
/// The price of the longest answer: 16 bytes at 1, 16 tokens at 10.
pub(crate) const ANSWER_MAX: Balance = 176;
/// A quarter of it.
pub(crate) const CHECK_FEE: Balance = 44;
/// The price of the honest answer: 16 bytes at 1, 4 tokens at 10.
pub(crate) const ANSWER_PRICE: Balance = 56;
/// The price limit of the stories: more than is needed.
pub(crate) const LIMIT: Balance = 1_000;

impl Checkpoints for World {
    fn active(checkpoint: &CheckpointId) -> Option<ModelLimits> {
        world(|world| world.active.get(checkpoint).copied())
    }

    fn exists(checkpoint: &CheckpointId) -> bool {
        world(|world| world.active.contains_key(checkpoint) || world.withdrawn.contains(checkpoint))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_active(checkpoint: CheckpointId, limits: ModelLimits) {
        world(|world| world.active.insert(checkpoint, limits));
    }
}

impl Operators<AccountId, Balance> for World {
    type Error = ();

    fn controller_of(key: &AccountId) -> Option<AccountId> {
        world(|world| {
            let mut operators = world.operators.iter();
            operators
                .find(|(_, operator)| operator.key == *key)
                .map(|(controller, _)| *controller)
        })
    }

    fn candidates(role: Role, checkpoint: &CheckpointId) -> Vec<Candidate<AccountId, Balance>> {
        if *checkpoint != CHECKPOINT {
            return Vec::new();
        }
        world(|world| world.operators.clone())
            .into_iter()
            .filter(|(_, operator)| operator.role == role && operator.is_live)
            .map(|(controller, operator)| Candidate {
                controller,
                bond: Self::bond(&controller),
                prices: operator.prices,
            })
            .collect()
    }

    fn max_candidates() -> u32 {
        16
    }

    fn bond(controller: &AccountId) -> Balance {
        Balances::total_balance(&purse(*controller))
    }

    fn engage(controller: &AccountId) -> Result<(), ()> {
        if world(|world| world.operators[controller].is_busy) {
            return Err(());
        }
        unhashed::put(&engaged_key(*controller), &(engaged(*controller) + 1));
        Ok(())
    }

    fn release(controller: &AccountId) {
        let left = engaged(*controller).checked_sub(1);
        let left = left.expect("released no more often than engaged");
        unhashed::put(&engaged_key(*controller), &left);
    }

    fn slash(
        controller: &AccountId,
        _request: RequestId,
        _offence: Offence,
        amount: Balance,
        shares: &[(AccountId, Balance)],
    ) -> Balance {
        let purse = purse(*controller);
        let taken = amount.min(Balances::total_balance(&purse));
        let mut left = taken;
        for (to, share) in shares {
            let share = left.min(*share);
            Balances::transfer(&purse, to, share, Preservation::Expendable).expect("winners exist");
            left -= share;
        }
        Balances::burn_from(
            &purse,
            left,
            Preservation::Expendable,
            Precision::Exact,
            Fortitude::Force,
        )
        .expect("the purse holds it");
        taken
    }

    fn note_earning(controller: &AccountId, request: RequestId, kind: Earning, amount: Balance) {
        world(|world| world.earnings.push((*controller, request, kind, amount)));
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register(controller: &AccountId, key: &AccountId, role: Role, _: &CheckpointId) {
        add_operator(*controller, role, FUNDS);
        world(|world| {
            let operator = world.operators.get_mut(controller);
            operator.expect("it was just added").key = *key;
        });
    }
}

impl BlockRandomness for World {
    fn random(subject: &[u8]) -> Option<H256> {
        let (is_random, salt) = world(|world| (world.is_random, world.salt));
        let seed = (System::block_number(), salt, subject).encode();
        is_random.then(|| hashing::blake2_256(&seed))
    }
}

fn add_operator(controller: AccountId, role: Role, bond: Balance) {
    let prices = match role {
        Role::Worker => Prices {
            per_prompt_byte: 1,
            per_output_token: 10,
        },
        Role::Validator => Prices::default(),
    };
    let operator = Operator {
        key: key(controller),
        role,
        prices,
        is_live: true,
        is_busy: false,
    };
    Balances::set_balance(&controller, FUNDS);
    Balances::set_balance(&purse(controller), bond);
    world(|world| world.operators.insert(controller, operator));
}

/// Whether an operator sends heartbeats.
pub(crate) fn set_live(controller: AccountId, is_live: bool) {
    world(|world| {
        let operator = world.operators.get_mut(&controller);
        operator.expect("it is registered").is_live = is_live;
    });
}

/// Whether an operator's bond can be tied to no further request.
pub(crate) fn set_busy(controller: AccountId, is_busy: bool) {
    world(|world| {
        let operator = world.operators.get_mut(&controller);
        operator.expect("it is registered").is_busy = is_busy;
    });
}

pub(crate) fn set_price(controller: AccountId, prices: Prices<Balance>) {
    world(|world| {
        let operator = world.operators.get_mut(&controller);
        operator.expect("it is registered").prices = prices;
    });
}

/// How many requests an operator's bond is tied to.
pub(crate) fn engaged(controller: AccountId) -> u32 {
    unhashed::get_or_default(&engaged_key(controller))
}

/// In storage, for a call that is refused must leave it as it was.
fn engaged_key(controller: AccountId) -> Vec<u8> {
    (b"engaged", controller).encode()
}

pub(crate) fn earnings() -> Vec<(AccountId, RequestId, Earning, Balance)> {
    world(|world| world.earnings.clone())
}

pub(crate) fn bond(controller: AccountId) -> Balance {
    World::bond(&controller)
}

pub(crate) fn set_random(is_random: bool) {
    world(|world| world.is_random = is_random);
}

pub(crate) fn set_resolving(resolving: Resolving) {
    world(|world| world.resolving = resolving);
}

pub(crate) fn withdraw_checkpoint() {
    world(|world| {
        world.active.remove(&CHECKPOINT);
        world.withdrawn.insert(CHECKPOINT);
    });
}

/// Builds a world and runs a story in it; after the story the books must agree.
pub(crate) struct TestExt(sp_io::TestExternalities);

impl TestExt {
    /// A chain with one active checkpoint, in block 1.
    pub(crate) fn new() -> Self {
        world(|world| {
            *world = WorldState {
                active: BTreeMap::from([(
                    CHECKPOINT,
                    ModelLimits {
                        context_length: 100,
                        vocabulary: 50,
                    },
                )]),
                withdrawn: BTreeSet::new(),
                operators: BTreeMap::new(),
                earnings: Vec::new(),
                is_random: true,
                salt: 0,
                resolving: Resolving::Committee,
            };
        });
        MinCheckRate::set(Permill::zero());
        CheckersPerAnswer::set(2);
        MaxLiveRequests::set(24);
        MaxDuePerBlock::set(8);
        let storage = frame_system::GenesisConfig::<Test>::default()
            .build_storage()
            .expect("genesis is valid");
        let mut ext = sp_io::TestExternalities::new(storage);
        ext.execute_with(|| System::set_block_number(1));
        Self(ext)
    }

    pub(crate) fn endow(mut self, account: AccountId) -> Self {
        self.0
            .execute_with(|| Balances::set_balance(&account, FUNDS));
        self
    }

    pub(crate) fn workers(self, controllers: impl IntoIterator<Item = AccountId>) -> Self {
        self.operators(controllers, Role::Worker)
    }

    pub(crate) fn validators(self, controllers: impl IntoIterator<Item = AccountId>) -> Self {
        self.operators(controllers, Role::Validator)
    }

    fn operators(mut self, controllers: impl IntoIterator<Item = AccountId>, role: Role) -> Self {
        self.0.execute_with(|| {
            for controller in controllers {
                add_operator(controller, role, FUNDS);
            }
        });
        self
    }

    /// Every answer is checked.
    pub(crate) fn checked(self) -> Self {
        MinCheckRate::set(Permill::one());
        self
    }

    pub(crate) fn salt(self, salt: u64) -> Self {
        world(|world| world.salt = salt);
        self
    }

    pub(crate) fn execute_with<R>(mut self, story: impl FnOnce() -> R) -> R {
        self.0.execute_with(|| {
            let result = story();
            assert_eq!(Inference::audit(), Ok(()));
            result
        })
    }

    #[cfg(feature = "runtime-benchmarks")]
    pub(crate) fn into_inner(self) -> sp_io::TestExternalities {
        self.0
    }
}

pub(crate) fn next_block() {
    let now = System::block_number();
    Inference::on_idle(now, Weight::MAX);
    Inference::on_finalize(now);
    assert_eq!(Inference::audit(), Ok(()), "after block {now}");
    System::set_block_number(now + 1);
    Inference::on_initialize(now + 1);
}

pub(crate) fn advance(blocks: u32) {
    for _ in 0..blocks {
        next_block();
    }
}

pub(crate) fn ask_with(
    requester: AccountId,
    prompt: &[u8],
    parameters: SamplingParameters,
    price_limit: Balance,
) -> Result<RequestId, sp_runtime::DispatchError> {
    let id = NextRequestId::<Test>::get();
    Inference::request_inference(
        RuntimeOrigin::signed(requester),
        CHECKPOINT,
        prompt.to_vec(),
        parameters,
        price_limit,
    )?;
    Ok(id)
}

/// Asks the question of the stories.
pub(crate) fn ask(requester: AccountId) -> RequestId {
    ask_with(requester, PROMPT, SamplingParameters::greedy(16), LIMIT)
        .expect("it is a good request")
}

/// Asks, and ends the two blocks after which a worker has the request. Returns the worker.
pub(crate) fn ask_and_assign(requester: AccountId) -> (RequestId, AccountId) {
    let id = ask(requester);
    advance(2);
    (id, worker_of(id))
}

pub(crate) fn request(id: RequestId) -> Request<Test> {
    Requests::<Test>::get(id).expect("it is not pruned")
}

pub(crate) fn phase(id: RequestId) -> Phase<u32> {
    request(id).phase
}

pub(crate) fn worker_of(id: RequestId) -> AccountId {
    request(id).assignment.expect("it is assigned").worker
}

pub(crate) fn refunded_for(id: RequestId) -> Option<RefundReason> {
    match phase(id) {
        Phase::Refunded { reason } => Some(reason),
        _ => None,
    }
}

/// The digest that executing the request yields.
pub(crate) fn digest(id: RequestId) -> H256 {
    hashing::blake2_256(&(b"the hidden states of", id).encode())
}

/// A digest that nobody's execution yields.
pub(crate) const WRONG_DIGEST: H256 = H256::repeat_byte(0xEE);

pub(crate) fn receipt(id: RequestId) -> Receipt {
    let request = request(id);
    Receipt {
        request: id,
        checkpoint: request.checkpoint,
        prompt_hash: request.prompt_hash,
        parameters: request.parameters,
        seed: request.assignment.map(|a| a.seed).unwrap_or_default(),
        output_hash: hashing::output_hash(TOKENS, TEXT),
        prompt_tokens: 12,
        output_tokens: TOKENS.len() as u32,
        trace_commitment: hashing::trace_commitment(id, digest(id)),
    }
}

pub(crate) fn submit(
    id: RequestId,
    worker: AccountId,
    tokens: &[u32],
    text: &[u8],
    receipt: Receipt,
) -> DispatchResult {
    Inference::submit_result(
        RuntimeOrigin::signed(key(worker)),
        id,
        tokens.to_vec(),
        text.to_vec(),
        receipt,
    )
}

/// The honest answer of the worker that has the request.
pub(crate) fn answer(id: RequestId) {
    submit(id, worker_of(id), TOKENS, TEXT, receipt(id)).expect("it is a good answer");
}

/// Asks and answers; ends the blocks up to the one in which a check has been decided.
pub(crate) fn ask_and_answer(requester: AccountId) -> RequestId {
    let (id, _) = ask_and_assign(requester);
    answer(id);
    advance(2);
    id
}

/// What a validator says in a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Valid, with the right digest.
    Honest,
    /// Invalid, with the digest of its own execution of a false answer.
    Convicts,
    /// Invalid, of an honest answer, with a digest it made up.
    Lies,
    /// Valid, without executing.
    Lazy,
}

pub(crate) fn opening(id: RequestId, voice: Voice) -> VerdictReveal {
    let (verdict, digest) = match voice {
        Voice::Honest => (Verdict::Valid, digest(id)),
        Voice::Convicts => (Verdict::Invalid, digest(id)),
        Voice::Lies => (Verdict::Invalid, WRONG_DIGEST),
        Voice::Lazy => (Verdict::Valid, WRONG_DIGEST),
    };
    VerdictReveal {
        verdict,
        digest,
        salt: H256::repeat_byte(3),
    }
}

pub(crate) fn commit(id: RequestId, validator: AccountId, voice: Voice) -> DispatchResult {
    let commitment = hashing::verdict_commitment(id, &validator, &opening(id, voice));
    Inference::commit_verdict(RuntimeOrigin::signed(key(validator)), id, commitment)
}

pub(crate) fn reveal(id: RequestId, validator: AccountId, voice: Voice) -> DispatchResult {
    let VerdictReveal {
        verdict,
        digest,
        salt,
    } = opening(id, voice);
    Inference::reveal_verdict(
        RuntimeOrigin::signed(key(validator)),
        id,
        verdict,
        digest,
        salt,
    )
}

pub(crate) fn object(id: RequestId, validator: AccountId, digest: H256) -> DispatchResult {
    Inference::object(RuntimeOrigin::signed(key(validator)), id, digest)
}

/// The validators that now have to commit or reveal.
pub(crate) fn sitting(id: RequestId) -> Vec<AccountId> {
    Checks::<Test>::get(id)
        .unwrap_or_default()
        .seats
        .iter()
        .filter(|seat| seat.standing == Standing::Sitting)
        .map(|seat| seat.validator)
        .collect()
}

pub(crate) fn standing(id: RequestId, validator: AccountId) -> Standing {
    Checks::<Test>::get(id)
        .unwrap_or_default()
        .seats
        .iter()
        .find(|seat| seat.validator == validator)
        .expect("it has a seat")
        .standing
}

/// Everybody who sits commits and reveals what `voice` says; ends the blocks up to the one after
/// the panel was closed.
pub(crate) fn hear(id: RequestId, voice: impl Fn(AccountId) -> Voice) -> Vec<AccountId> {
    let validators = sitting(id);
    for validator in &validators {
        commit(id, *validator, voice(*validator)).expect("it is its turn");
    }
    for validator in &validators {
        reveal(id, *validator, voice(*validator)).expect("it is its turn");
    }
    advance(2);
    validators
}

pub(crate) fn free(account: AccountId) -> Balance {
    Balances::balance(&account)
}

pub(crate) fn escrow(account: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Escrow.into(), &account)
}
