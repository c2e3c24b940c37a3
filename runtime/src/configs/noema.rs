//! The configuration of Noema's own pallets.
//!
//! Rules are [parameters](crate::parameters); the bounds of storage and weight are here.

use crate::{
    beacon::RelayBeacon,
    constants::{
        deposit, DAYS, EPOCHS_PER_ERA, HOURS, MAXIMUM_BLOCK_WEIGHT, MICROUNIT, MILLIUNIT,
        SUBSIDY_POOL, UNIT,
    },
    parameters::{
        FalsehoodSlash, FinalityAllowance, Freshness, ProtocolClaimRules, ProtocolRequestRules,
        ProtocolSessionRules, SilenceCap, SilenceSlash,
    },
    referee::{Referees, StepWeights, StepsOfSessions},
    AccountId, Balances, BlockNumber, Checkpoints, Claims, Inference, Issuance, Jury, Operators,
    Runtime, RuntimeCall, RuntimeHoldReason, Sessions, Signature,
};
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU8},
    weights::Weight,
    PalletId,
};
use frame_system::EnsureRoot;
use noema_claims::MAX_DEMANDS;
use noema_protocol::{PerWork, MAX_HOLDERS};
use pallet_duties::{AsDuty, Duty};
use sp_runtime::{traits::AccountIdConversion, DispatchError, Permill};

/// The pallet id of the treasury's account, which has no key.
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
    type MaxHolders = ConstU32<MAX_HOLDERS>;
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
    // A bond can be withdrawn once no part of it is locked, and after two hours at the earliest.
    type UnbondingDelay = ConstU32<{ 2 * HOURS }>;
    type MaxServed = ConstU32<16>;
    type Work = Issuance;
    type WeightInfo = pallet_operators::weights::SubstrateWeight<Self>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::KeystoreHotKeys;
}

parameter_types! {
    /// The most weight of automatic steps of requests in a block.
    pub RequestBudget: Weight = MAXIMUM_BLOCK_WEIGHT.saturating_div(4);
    /// The same for claims: half of it has room for a draw for eight leaves, each in the worst case.
    pub ClaimBudget: Weight = MAXIMUM_BLOCK_WEIGHT.saturating_div(8).saturating_mul(3);
    /// The same for sessions: half of it has room for the draw of a worker in the worst case.
    pub SessionBudget: Weight = MAXIMUM_BLOCK_WEIGHT.saturating_div(16);
    /// The weight of a claim's end for the request, or for the session, that it is made of.
    pub EndedWeight: Weight = {
        type OfRequests = pallet_inference::weights::SubstrateWeight<Runtime>;
        type OfSessions = pallet_sessions::weights::SubstrateWeight<Runtime>;
        let request = <OfRequests as pallet_inference::WeightInfo>::ended();
        request.saturating_add(<OfSessions as pallet_sessions::WeightInfo>::ended())
    };
    /// The weight of a claim's end by a dispute, beside its settlement: the bonds of all other disputes return, too.
    pub FallWeight: Weight = {
        type OfClaims = pallet_claims::weights::SubstrateWeight<Runtime>;
        let bonds = <OfClaims as pallet_claims::WeightInfo>::close_disputes(MAX_DEMANDS);
        EndedWeight::get().saturating_add(bonds)
    };
    /// The weight of a line of a game, and about that of the game itself.
    pub LineWeight: Weight =
        <pallet_disputes::weights::SubstrateWeight<Runtime> as pallet_disputes::WeightInfo>::join();
    /// The weight of entering the work of an operator in an earlier epoch.
    pub EnterWeight: Weight =
        <pallet_issuance::weights::SubstrateWeight<Runtime> as pallet_issuance::WeightInfo>::enter();
}

impl pallet_inference::Config for Runtime {
    type Currency = Balances;
    type Claims = Claims;
    type Checkpoints = Checkpoints;
    type Operators = Operators;
    type WeightInfo = pallet_inference::weights::SubstrateWeight<Self>;
    type Rules = ProtocolRequestRules;
    type ClaimRules = ProtocolClaimRules;
    type MaxPromptBytes = ConstU32<8_192>;
    type MaxAnswerTokens = ConstU32<1_024>;
    type PollBudget = RequestBudget;
}

impl pallet_claims::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Operators = Operators;
    type Randomness = RelayBeacon<Self>;
    type Referee = Referees;
    type OnEnded = (Inference, Sessions);
    type EndedWeight = EndedWeight;
    type EnterWeight = EnterWeight;
    type ChallengerWeight = LineWeight;
    type WeightInfo = pallet_claims::weights::SubstrateWeight<Self>;
    type PollBudget = ClaimBudget;
    // The drawn validators, and four other challengers.
    type MaxChallengers = ConstU32<{ pallet_claims::MAX_SEATED_CHALLENGERS + 4 }>;
}

impl pallet_sessions::Config for Runtime {
    type Currency = Balances;
    type Signature = Signature;
    type Claims = Claims;
    type Checkpoints = Checkpoints;
    type Operators = Operators;
    type WeightInfo = pallet_sessions::weights::SubstrateWeight<Self>;
    type Rules = ProtocolSessionRules;
    type ClaimRules = ProtocolClaimRules;
    type PollBudget = SessionBudget;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::KeystoreHotKeys;
}

impl pallet_jury::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Claims = Claims;
    type Disputes = Claims;
    type Operators = Operators;
    type EndedWeight = FallWeight;
    type WeightInfo = pallet_jury::weights::SubstrateWeight<Self>;
    type FirstJury = ConstU32<9>;
    type SecondJury = ConstU32<27>;
    type MaxTurnsPerBlock = ConstU32<16>;
    type MaxDrawsPerBlock = ConstU32<2>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::DisputedClaims;
}

impl pallet_disputes::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Claims = Claims;
    type Disputes = Claims;
    type Operators = Operators;
    type Judge = StepsOfSessions;
    type Fallback = Jury;
    type StepWeight = StepWeights;
    type EndedWeight = FallWeight;
    type WeightInfo = pallet_disputes::weights::SubstrateWeight<Self>;
    // Three rows lead to each of a billion steps.
    type RowBits = ConstU8<{ noema_disputes::MAX_ROW_BITS }>;
    type MaxAnswered = ConstU32<8>;
    // The fee for the bytes of a row, if that were paid for.
    type MovePrice = ConstU128<{ 34 * MILLIUNIT }>;
    type BlockPrice = ConstU128<{ 10 * MICROUNIT }>;
    type MaxTurnsPerBlock = ConstU32<16>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::DisputedSessions;
}

parameter_types! {
    /// Most is for answers, the purpose of the chain; checks and training get smaller parts, and the treasury
    /// the remaining tenth.
    pub const SubsidyShares: PerWork<Permill> = PerWork {
        inference: Permill::from_percent(40),
        check: Permill::from_percent(20),
        training: Permill::from_percent(30),
    };
    pub TreasuryAccount: AccountId = treasury_account();
}

/// The account that gets the treasury's part of each subsidy. It has no key; root can move its funds.
pub fn treasury_account() -> AccountId {
    TREASURY.into_account_truncating()
}

impl pallet_issuance::Config for Runtime {
    type Currency = Balances;
    type Pool = ConstU128<SUBSIDY_POOL>;
    type EpochsPerEra = ConstU32<EPOCHS_PER_ERA>;
    type EpochLength = ConstU32<DAYS>;
    type Shares = SubsidyShares;
    // A quarter of a year leaves enough time to claim, and keeps the state bounded.
    type ClaimWindow = ConstU32<90>;
    type TreasuryAccount = TreasuryAccount;
    type Recent = Operators;
    type WeightInfo = pallet_issuance::weights::SubstrateWeight<Self>;
}

parameter_types! {
    /// Scoring is a fifth of the work of a round.
    pub const ScorersShare: Permill = Permill::from_percent(25);
}

impl pallet_training::Config for Runtime {
    type Operators = Operators;
    type Lineage = Checkpoints;
    type Randomness = Claims;
    type Freshness = Freshness;
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
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::KeystoreHotKeys;
}

impl AsDuty<AccountId, BlockNumber> for RuntimeCall {
    fn as_duty(
        &self,
        key: &AccountId,
        signed_at: BlockNumber,
    ) -> Option<Result<Duty<BlockNumber>, DispatchError>> {
        match self {
            Self::Checkpoints(call) => call.as_duty(key, signed_at),
            Self::Claims(call) => call.as_duty(key, signed_at),
            Self::Disputes(call) => call.as_duty(key, signed_at),
            Self::Inference(call) => call.as_duty(key, signed_at),
            Self::Issuance(call) => call.as_duty(key, signed_at),
            Self::Jury(call) => call.as_duty(key, signed_at),
            Self::Operators(call) => call.as_duty(key, signed_at),
            Self::Sessions(call) => call.as_duty(key, signed_at),
            Self::Training(call) => call.as_duty(key, signed_at),
            _ => None,
        }
    }
}
