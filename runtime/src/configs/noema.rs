//! How Noema's own pallets are set up.
//!
//! Windows and rates are [parameters](crate::parameters); what bounds storage and weight is here.

use crate::{
    beacon::RelayBeacon,
    constants::{deposit, DAYS, EPOCHS_PER_ERA, SUBSIDY_POOL, UNIT},
    parameters::{
        FalsehoodSlash, FinalityAllowance, ProtocolRates, ProtocolWindows, SilenceCap,
        SilenceSlash, UNBONDING_DELAY,
    },
    AccountId, Balances, BlockNumber, Checkpoints, Issuance, Operators, Runtime, RuntimeCall,
    RuntimeHoldReason, Signature,
};
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32},
    PalletId,
};
use frame_system::EnsureRoot;
use noema_protocol::interfaces::PerWork;
use pallet_duties::{AsDuty, Duty};
use sp_runtime::{traits::AccountIdConversion, DispatchError, Permill};

/// Longest answer, in tokens.
const MAX_OUTPUT_TOKENS: u32 = 1_024;
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
    type Signature = Signature;
    type MinBond = ConstU128<{ 100 * UNIT }>;
    // A thousandth of a token: the weight of the least bond is 100,000.
    type BondUnit = ConstU128<{ UNIT / 1_000 }>;
    // Two minutes.
    type ReportPeriod = ConstU32<60>;
    type UnbondingDelay = ConstU32<UNBONDING_DELAY>;
    type MaxServed = ConstU32<16>;
    type WeightInfo = pallet_operators::weights::SubstrateWeight<Self>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::HotKeys;
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

    type MaxAttempts = ConstU32<3>;
    type Windows = ProtocolWindows;
    type Rates = ProtocolRates;

    type CheckersPerAnswer = ConstU32<CHECKERS>;
    type MaxDraws = ConstU32<DRAWS>;
    type CommitteeSize = ConstU32<COMMITTEE>;
    type MaxSeats = ConstU32<{ CHECKERS * DRAWS + COMMITTEE + 1 }>;
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
    type FinalityAllowance = FinalityAllowance;
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
}
