//! The configuration of each pallet of polkadot-sdk. Noema's own pallets are in [`noema`].

mod noema;

pub use noema::treasury_account;

use crate::{
    beacon,
    constants::*,
    fees::{FeeAdjustment, LengthToFee, ScarcerOfTimeAndProof, ToCollators},
    parameters::RuntimeParameters,
    AccountId, Aura, Balance, Balances, Block, CollatorSelection, Hash, Nonce, PalletInfo, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, RuntimeOrigin, RuntimeTask,
    Session, SessionKeys, System, VERSION,
};
use alloc::vec::Vec;
use cumulus_primitives_core::{ParaId, XcmpMessageHandler, XcmpMessageSource};
use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::{
        AsEnsureOriginWithArg, ConstBool, ConstU128, ConstU32, ConstU64, ConstU8, InstanceFilter,
        VariantCountOf,
    },
    weights::{
        constants::{BlockExecutionWeight, ExtrinsicBaseWeight, ParityDbWeight},
        Weight,
    },
    PalletId,
};
use frame_system::{
    limits::{BlockLength, BlockWeights},
    EnsureRoot,
};
use noema_protocol::{apply, sent};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::Perbill;
use sp_version::RuntimeVersion;

/// The part of a block that transactions of the ordinary kind may fill.
const NORMAL_RATIO: Perbill = Perbill::from_percent(75);
/// The part of a block that hooks are expected to take, which is not available to transactions.
const HOOKS_RATIO: Perbill = Perbill::from_percent(5);

parameter_types! {
    pub const Version: RuntimeVersion = VERSION;
    pub RuntimeBlockWeights: BlockWeights = BlockWeights::builder()
        .base_block(BlockExecutionWeight::get())
        .for_class(DispatchClass::all(), |weights| {
            weights.base_extrinsic = ExtrinsicBaseWeight::get();
        })
        .for_class(DispatchClass::Normal, |weights| {
            weights.max_total = Some(NORMAL_RATIO * MAXIMUM_BLOCK_WEIGHT);
        })
        .for_class(DispatchClass::Operational, |weights| {
            weights.max_total = Some(MAXIMUM_BLOCK_WEIGHT);
            // The part that ordinary transactions cannot fill is reserved for operational ones.
            weights.reserved = Some(MAXIMUM_BLOCK_WEIGHT - NORMAL_RATIO * MAXIMUM_BLOCK_WEIGHT);
        })
        .avg_block_initialization(HOOKS_RATIO)
        .build_or_panic();
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(MAXIMUM_BLOCK_LENGTH)
        .modify_max_length_for_class(DispatchClass::Normal, |length| {
            *length = NORMAL_RATIO * MAXIMUM_BLOCK_LENGTH;
        })
        .build();
}

#[derive_impl(frame_system::config_preludes::ParaChainDefaultConfig)]
impl frame_system::Config for Runtime {
    type AccountId = AccountId;
    type Nonce = Nonce;
    type Hash = Hash;
    type Block = Block;
    // As long as the longest lifetime of a mortal transaction.
    type BlockHashCount = ConstU32<4_096>;
    type Version = Version;
    type AccountData = pallet_balances::AccountData<Balance>;
    type DbWeight = ParityDbWeight;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type SS58Prefix = frame_support::traits::ConstU16<SS58_PREFIX>;
    type OnSetCode = cumulus_pallet_parachain_system::ParachainSetCode<Self>;
    type MaxConsumers = ConstU32<16>;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Self>;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Self>;
    type SingleBlockMigrations = Migrations;
}

/// Run once, in the first block after an upgrade. Empty: this is the first version.
type Migrations = ();

impl cumulus_pallet_weight_reclaim::Config for Runtime {
    type WeightInfo = ();
}

parameter_types! {
    // No messages from other chains are accepted yet.
    pub const NoMessageWeight: Weight = Weight::zero();
}

/// Up to [`BLOCKS_PER_SLOT`] blocks on one relay chain slot, and [`UNINCLUDED_BLOCKS`] in flight.
pub(crate) type ConsensusHook = cumulus_pallet_aura_ext::FixedVelocityConsensusHook<
    Runtime,
    RELAY_SLOT_MILLIS,
    BLOCKS_PER_SLOT,
    UNINCLUDED_BLOCKS,
>;

impl cumulus_pallet_parachain_system::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnSystemEvent = beacon::RelayBeacon<Self>;
    type SelfParaId = staging_parachain_info::Pallet<Self>;
    type OutboundXcmpMessageSource = NoMessages;
    type DmpQueue = ();
    type ReservedDmpWeight = NoMessageWeight;
    type XcmpMessageHandler = NoMessages;
    type ReservedXcmpWeight = NoMessageWeight;
    type CheckAssociatedRelayNumber =
        cumulus_pallet_parachain_system::RelayNumberMonotonicallyIncreases;
    type WeightInfo = cumulus_pallet_parachain_system::weights::SubstrateWeight<Self>;
    type ConsensusHook = ConsensusHook;
    type RelayParentOffset = ConstU32<0>;
    type SchedulingSignatureVerifier = ();
}

/// Neither sends messages to other parachains nor handles theirs.
pub struct NoMessages;

impl XcmpMessageHandler for NoMessages {
    fn handle_xcmp_messages<'a, I: Iterator<Item = (ParaId, u32, &'a [u8])>>(
        _: I,
        _: Weight,
    ) -> Weight {
        Weight::zero()
    }
}

impl XcmpMessageSource for NoMessages {
    fn take_outbound_messages(_: usize, _: &[ParaId]) -> Vec<(ParaId, Vec<u8>)> {
        Vec::new()
    }
}

impl beacon::Config for Runtime {}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    // Blocks of one slot may share its time.
    type MinimumPeriod = ConstU64<0>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Self>;
}

impl staging_parachain_info::Config for Runtime {}

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Self>;
    type Balance = Balance;
    // Dust burns.
    type DustRemoval = ();
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<16>;
    type MaxReserves = ConstU32<16>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = pallet_transaction_payment::FungibleAdapter<Balances, ToCollators>;
    type WeightToFee = ScarcerOfTimeAndProof;
    type LengthToFee = LengthToFee;
    type FeeMultiplierUpdate = FeeAdjustment;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = crate::fees::FeeWeight;
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Aura>;
    type EventHandler = CollatorSelection;
}

parameter_types! {
    /// Holds the fees until block authors are paid from it.
    pub const CollatorPot: PalletId = PalletId(*b"noema/co");
}

impl pallet_collator_selection::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Currency = Balances;
    type UpdateOrigin = EnsureRoot<AccountId>;
    type PotId = CollatorPot;
    type MaxCandidates = ConstU32<100>;
    type MinEligibleCollators = ConstU32<1>;
    type MaxInvulnerables = ConstU32<20>;
    type KickThreshold = ConstU32<{ 6 * HOURS }>;
    type ValidatorId = AccountId;
    type ValidatorIdOf = pallet_collator_selection::IdentityCollator;
    type ValidatorRegistration = Session;
    type WeightInfo = pallet_collator_selection::weights::SubstrateWeight<Self>;
}

parameter_types! {
    pub const SessionLength: crate::BlockNumber = 6 * HOURS;
    pub const SessionOffset: crate::BlockNumber = 0;
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = pallet_collator_selection::IdentityCollator;
    type ShouldEndSession = pallet_session::PeriodicSessions<SessionLength, SessionOffset>;
    type NextSessionRotation = pallet_session::PeriodicSessions<SessionLength, SessionOffset>;
    type SessionManager = CollatorSelection;
    type SessionHandler = <SessionKeys as sp_runtime::traits::OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = ();
    type WeightInfo = pallet_session::weights::SubstrateWeight<Self>;
    type Currency = Balances;
    type KeyDeposit = ConstU128<{ deposit(2, 96) }>;
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = AuraId;
    type MaxAuthorities = ConstU32<120>;
    type DisabledValidators = ();
    type AllowMultipleBlocksPerSlot = ConstBool<true>;
    type SlotDuration = ConstU64<SLOT_MILLIS>;
}

impl cumulus_pallet_aura_ext::Config for Runtime {}

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = crate::OriginCaller;
    type WeightInfo = pallet_utility::weights::SubstrateWeight<Self>;
}

/// The calls that a proxy may make for an account.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord, Default)]
pub enum ProxyType {
    /// All calls.
    #[default]
    Any,
    /// All calls except transfers of tokens to others.
    NonTransfer,
    /// Calls that reject announced calls of other proxies.
    CancelProxy,
    /// Calls of a collator.
    Collator,
    /// Calls that manage an operator's bond, keys, prices and checkpoints.
    Operator,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        match self {
            Self::Any => true,
            Self::NonTransfer => !matches!(call, RuntimeCall::Balances(..)),
            Self::CancelProxy => matches!(
                call,
                RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. })
                    | RuntimeCall::Utility(..)
                    | RuntimeCall::Multisig(..)
            ),
            Self::Collator => matches!(
                call,
                RuntimeCall::CollatorSelection(..)
                    | RuntimeCall::Session(..)
                    | RuntimeCall::Utility(..)
            ),
            Self::Operator => {
                matches!(call, RuntimeCall::Operators(..) | RuntimeCall::Utility(..))
            }
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        match (self, other) {
            (a, b) if a == b => true,
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            (Self::NonTransfer, _) => true,
            _ => false,
        }
    }
}

impl pallet_proxy::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type ProxyType = ProxyType;
    type ProxyDepositBase = ConstU128<{ deposit(1, 8) }>;
    type ProxyDepositFactor = ConstU128<{ deposit(0, 33) }>;
    type MaxProxies = ConstU32<32>;
    type MaxPending = ConstU32<32>;
    type CallHasher = sp_runtime::traits::BlakeTwo256;
    type AnnouncementDepositBase = ConstU128<{ deposit(1, 8) }>;
    type AnnouncementDepositFactor = ConstU128<{ deposit(0, 66) }>;
    type WeightInfo = pallet_proxy::weights::SubstrateWeight<Self>;
    type BlockNumberProvider = System;
}

impl pallet_multisig::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type DepositBase = ConstU128<{ deposit(1, 88) }>;
    type DepositFactor = ConstU128<{ deposit(0, 32) }>;
    type MaxSignatories = ConstU32<100>;
    type WeightInfo = pallet_multisig::weights::SubstrateWeight<Self>;
    type BlockNumberProvider = System;
}

impl pallet_parameters::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeParameters = RuntimeParameters;
    type AdminOrigin = AsEnsureOriginWithArg<EnsureRoot<AccountId>>;
    // The only weights that the pallet exports.
    type WeightInfo = ();
}

impl crate::parameters::genesis::Config for Runtime {}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = pallet_sudo::weights::SubstrateWeight<Self>;
}
