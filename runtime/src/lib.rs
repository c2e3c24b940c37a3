#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "256"]
// The runtime macros generate most items, without documentation.
#![allow(missing_docs)]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

pub mod apis;
pub mod beacon;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
mod configs;
pub mod constants;
pub mod fees;
pub mod parameters;
pub mod presets;
pub mod referee;

pub use configs::{treasury_account, ProxyType};

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
    generic, impl_opaque_keys,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

/// A signature by a person or a program: sr25519, ed25519 or ECDSA.
pub type Signature = MultiSignature;
/// An account.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An account, as transactions encode it.
pub type Address = MultiAddress<AccountId, ()>;
/// An amount of the token, in its smallest unit.
pub type Balance = u128;
/// The number of a block.
pub type BlockNumber = u32;
/// The number of an account's transactions so far.
pub type Nonce = u32;
/// A hash.
pub type Hash = sp_core::H256;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A transaction or an inherent.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// The signed payload of a transaction.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// The checks and charges of a transaction, in this order.
///
/// Duties of hot keys are authorized by [`frame_system::AuthorizeCall`]: they have no signer that pays or
/// whose transactions are counted.
pub type TxExtension = cumulus_pallet_weight_reclaim::StorageWeightReclaim<
    Runtime,
    (
        frame_system::AuthorizeCall<Runtime>,
        frame_system::CheckNonZeroSender<Runtime>,
        frame_system::CheckSpecVersion<Runtime>,
        frame_system::CheckTxVersion<Runtime>,
        frame_system::CheckGenesis<Runtime>,
        frame_system::CheckMortality<Runtime>,
        frame_system::CheckNonce<Runtime>,
        frame_system::CheckWeight<Runtime>,
        fees::BehindDuties<pallet_transaction_payment::ChargeTransactionPayment<Runtime>>,
        frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    ),
>;

/// Executes blocks.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

impl_opaque_keys! {
    /// The keys of a collator.
    pub struct SessionKeys {
        /// Signs blocks.
        pub aura: Aura,
    }
}

/// Declares [`VERSION`], where `spec_version` has to be a literal.
macro_rules! declare_version {
    ($spec_version:tt) => {
        /// The version of this runtime. `spec_version` rises with every change of its logic.
        #[sp_version::runtime_version]
        pub const VERSION: RuntimeVersion = RuntimeVersion {
            spec_name: Cow::Borrowed("noema"),
            impl_name: Cow::Borrowed("noema"),
            authoring_version: 1,
            spec_version: $spec_version,
            impl_version: 0,
            apis: apis::RUNTIME_API_VERSIONS,
            transaction_version: 1,
            system_version: 1,
        };
    };
}

#[cfg(not(feature = "next-version"))]
declare_version!(1);
// The target version of an upgrade test: higher than any version above.
#[cfg(feature = "next-version")]
declare_version!(1_000_000);

/// The pallets, with their indices in calls, events and storage, which never change.
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
    pub struct Runtime;

    // System pallets.
    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type ParachainSystem = cumulus_pallet_parachain_system;
    #[runtime::pallet_index(2)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(3)]
    pub type ParachainInfo = staging_parachain_info;
    #[runtime::pallet_index(4)]
    pub type WeightReclaim = cumulus_pallet_weight_reclaim;
    #[runtime::pallet_index(5)]
    pub type Beacon = crate::beacon;
    #[runtime::pallet_index(6)]
    pub type Parameters = pallet_parameters;
    #[runtime::pallet_index(7)]
    pub type ParameterPresets = crate::parameters::genesis;

    // Money.
    #[runtime::pallet_index(10)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(11)]
    pub type TransactionPayment = pallet_transaction_payment;

    // Collators. Their order matters: authorship records an author before sessions rotate.
    #[runtime::pallet_index(20)]
    pub type Authorship = pallet_authorship;
    #[runtime::pallet_index(21)]
    pub type CollatorSelection = pallet_collator_selection;
    #[runtime::pallet_index(22)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(23)]
    pub type Aura = pallet_aura;
    #[runtime::pallet_index(24)]
    pub type AuraExt = cumulus_pallet_aura_ext;

    // Pallets for users' accounts.
    #[runtime::pallet_index(30)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(31)]
    pub type Proxy = pallet_proxy;
    #[runtime::pallet_index(32)]
    pub type Multisig = pallet_multisig;
    #[runtime::pallet_index(33)]
    pub type Sudo = pallet_sudo;

    // Noema.
    #[runtime::pallet_index(40)]
    pub type Checkpoints = pallet_checkpoints;
    #[runtime::pallet_index(41)]
    pub type Operators = pallet_operators;
    // Before the pallets that draw with its randomness.
    #[runtime::pallet_index(46)]
    pub type Claims = pallet_claims;
    #[runtime::pallet_index(47)]
    pub type Jury = pallet_jury;
    #[runtime::pallet_index(49)]
    pub type Disputes = pallet_disputes;
    #[runtime::pallet_index(42)]
    pub type Inference = pallet_inference;
    #[runtime::pallet_index(48)]
    pub type Sessions = pallet_sessions;
    #[runtime::pallet_index(43)]
    pub type Issuance = pallet_issuance;
    #[runtime::pallet_index(44)]
    pub type Training = pallet_training;
    #[runtime::pallet_index(45)]
    pub type Duties = pallet_duties;
}

cumulus_pallet_parachain_system::register_validate_block! {
    Runtime = Runtime,
    BlockExecutor = cumulus_pallet_aura_ext::BlockExecutor::<Runtime, Executive>,
}
