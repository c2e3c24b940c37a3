//! How Noema's own pallets are set up.
//!
//! Windows are in blocks, planned with a block every two seconds. They are sized for a worker that
//! has only a few CPU cores; governance can shorten them with an upgrade once that is no longer who
//! takes part.

use crate::{
    beacon::RelayBeacon,
    constants::{deposit, DAYS, EPOCHS_PER_ERA, HOURS, SUBSIDY_POOL, UNIT},
    AccountId, Balance, Balances, BlockNumber, Checkpoints, Issuance, Operators, Runtime,
    RuntimeCall, RuntimeHoldReason, Signature,
};
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32},
    weights::Weight,
    PalletId,
};
use frame_system::EnsureRoot;
use noema_protocol::interfaces::PerWork;
use pallet_duties::{AsDuty, Duty};
use sp_runtime::{traits::AccountIdConversion, DispatchError, Permill};

/// Most operators in one role for one checkpoint: what a draw reads.
const MAX_SERVERS: u32 = 32;
/// Longest answer, in tokens.
const MAX_OUTPUT_TOKENS: u32 = 1_024;
/// Tokens that a participant has to manage in a block: ten a second are a slow laptop.
const TOKENS_PER_BLOCK: u32 = 20;
/// Validators that check an answer.
const CHECKERS: u32 = 2;
/// Times that validators are drawn for a check.
const DRAWS: u32 = 3;
/// Validators that decide a dispute.
const COMMITTEE: u32 = 5;
/// Names the treasury's account, which has no key.
const TREASURY: PalletId = PalletId(*b"noema/tr");

impl pallet_checkpoints::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Operators = Operators;
    type CanonicalOrigin = EnsureRoot<AccountId>;
    type ForceOrigin = EnsureRoot<AccountId>;
    type FamilyDeposit = ConstU128<{ 10 * UNIT + deposit(1, 128) }>;
    type CheckpointDeposit = ConstU128<{ 10 * UNIT + deposit(1, 512) }>;
    type MaxName = ConstU32<64>;
    type MaxLicence = ConstU32<64>;
    type MaxHolders = ConstU32<64>;
    type MaxLineage = ConstU32<256>;
    type WeightInfo = pallet_checkpoints::weights::SubstrateWeight<Self>;
}

impl pallet_operators::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Checkpoints = Checkpoints;
    type MinBond = ConstU128<{ 100 * UNIT }>;
    // Two minutes: a worker that was killed is not drawn for long.
    type HeartbeatPeriod = ConstU32<60>;
    // Every request ends within this time, however often it is disputed; see the runtime's tests. A
    // round of training may take longer: a bond stays tied to it until it ends.
    type UnbondingDelay = ConstU32<HOURS>;
    type MaxServed = ConstU32<16>;
    type MaxServers = ConstU32<MAX_SERVERS>;
    type MaxEngagements = ConstU32<16>;
    type WeightInfo = pallet_operators::weights::SubstrateWeight<Self>;
}

parameter_types! {
    /// Validators together earn a fifth of the price on top of it.
    pub const CheckFee: Permill = Permill::from_percent(20);
    /// At least one answer in twenty is checked, however high the bond behind it.
    pub const MinCheckRate: Permill = Permill::from_percent(5);
    /// Half of the bond: enough that the rate stays low, not so much that one is out at once.
    pub const FalsehoodSlash: Permill = Permill::from_percent(50);
    pub const UnexecutedSlash: Permill = Permill::from_percent(20);
    /// Being offline is no fraud: a hundredth, and never more than [`SilenceCap`].
    pub const SilenceSlash: Permill = Permill::from_percent(1);
    pub const SilenceCap: Balance = 10 * UNIT;
    /// Whoever asks themselves burns this of what they pay; the subsidy never gives back more.
    pub const BurnedShare: Permill = Permill::from_percent(10);
    /// The rest burns, so that accusing oneself is a loss.
    pub const WinnersShare: Permill = Permill::from_percent(50);
}

impl pallet_inference::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Checkpoints = Checkpoints;
    type Operators = Operators;
    type Randomness = RelayBeacon<Self>;
    type DisputeResolver = pallet_inference::Committee<Self>;
    type Work = Issuance;
    type WeightInfo = pallet_inference::weights::SubstrateWeight<Self>;

    type MaxPromptBytes = ConstU32<8_192>;
    type MaxOutputTokens = ConstU32<MAX_OUTPUT_TOKENS>;
    type MaxTextBytes = ConstU32<{ 8 * MAX_OUTPUT_TOKENS }>;
    type MaxLiveRequests = ConstU32<1_024>;
    type MaxDuePerBlock = ConstU32<16>;

    type AnswerWindow = ConstU32<15>;
    type TokensPerBlock = ConstU32<TOKENS_PER_BLOCK>;
    type MaxAttempts = ConstU32<3>;
    type RequestExpiry = ConstU32<30>;
    type RetryInterval = ConstU32<2>;
    type CommitWindow = ConstU32<15>;
    type RevealWindow = ConstU32<5>;
    type ObjectionWindow = ConstU32<5>;
    type DisputeWindow = ConstU32<{ 3 * (15 + 5 + MAX_OUTPUT_TOKENS / TOKENS_PER_BLOCK) }>;
    type Retention = ConstU32<{ 7 * DAYS }>;

    type CheckersPerAnswer = ConstU32<CHECKERS>;
    type MaxDraws = ConstU32<DRAWS>;
    type CommitteeSize = ConstU32<COMMITTEE>;
    type MaxSeats = ConstU32<{ CHECKERS * DRAWS + COMMITTEE + 1 }>;
    type CheckFee = CheckFee;
    type BurnedShare = BurnedShare;
    type MarginPercent = ConstU32<200>;
    type MinCheckRate = MinCheckRate;

    type FalsehoodSlash = FalsehoodSlash;
    type UnexecutedSlash = UnexecutedSlash;
    type SilenceSlash = SilenceSlash;
    type SilenceCap = SilenceCap;
    type WinnersShare = WinnersShare;
}

parameter_types! {
    /// Serving is what the chain is for; checks and training keep it honest and make it better.
    /// The tenth that is left is the treasury's.
    pub const SubsidyShares: PerWork<Permill> = PerWork {
        inference: Permill::from_percent(40),
        check: Permill::from_percent(20),
        training: Permill::from_percent(30),
    };
    pub TreasuryAccount: AccountId = treasury_account();
}

/// The account that gets the treasury's part of each subsidy. It has no key; root moves what is
/// there.
pub fn treasury_account() -> AccountId {
    TREASURY.into_account_truncating()
}

impl pallet_issuance::Config for Runtime {
    type Currency = Balances;
    type Pool = ConstU128<SUBSIDY_POOL>;
    type EpochsPerEra = ConstU32<EPOCHS_PER_ERA>;
    type EpochLength = ConstU32<DAYS>;
    type Shares = SubsidyShares;
    // A quarter of a year: nobody has to hurry, and the state stays bounded.
    type ClaimWindow = ConstU32<90>;
    type TreasuryAccount = TreasuryAccount;
    type WeightInfo = pallet_issuance::weights::SubstrateWeight<Self>;
}

parameter_types! {
    /// Scoring is a fifth of the work of a round.
    pub const ScorersShare: Permill = Permill::from_percent(25);
}

impl pallet_training::Config for Runtime {
    type Operators = Operators;
    type Lineage = Checkpoints;
    type Randomness = RelayBeacon<Self>;
    type Work = Issuance;
    type ProgrammeOrigin = EnsureRoot<AccountId>;
    type WeightInfo = pallet_training::weights::SubstrateWeight<Self>;
    type MaxProgrammes = ConstU32<2>;
    type MaxText = ConstU32<128>;
    type Retention = ConstU32<64>;
    type ScorersShare = ScorersShare;
    type FalsehoodSlash = FalsehoodSlash;
    type SilenceSlash = SilenceSlash;
    type SilenceCap = SilenceCap;
}

impl pallet_duties::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type Signature = Signature;
    type HotKeys = Operators;
    type WeightInfo = pallet_duties::weights::SubstrateWeight<Self>;
}

impl AsDuty<AccountId, BlockNumber> for RuntimeCall {
    fn as_duty(
        &self,
        key: &AccountId,
        signed_at: BlockNumber,
    ) -> Option<Result<Duty<BlockNumber>, DispatchError>> {
        match self {
            Self::Checkpoints(call) => call.as_duty(key, signed_at),
            Self::Inference(call) => call.as_duty(key, signed_at),
            Self::Issuance(call) => call.as_duty(key, signed_at),
            Self::Operators(call) => call.as_duty(key, signed_at),
            Self::Training(call) => call.as_duty(key, signed_at),
            _ => None,
        }
    }

    fn weight_of_check(&self) -> Weight {
        match self {
            Self::Checkpoints(call) => call.weight_of_check(),
            Self::Inference(call) => call.weight_of_check(),
            Self::Issuance(call) => call.weight_of_check(),
            Self::Operators(call) => call.weight_of_check(),
            Self::Training(call) => call.weight_of_check(),
            _ => Weight::zero(),
        }
    }
}
