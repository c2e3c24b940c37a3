//! The types and hashing rules that the chain and the off-chain workers agree on.
//!
//! Everything that two parties hash, sign or compare is defined here once: identifiers, roles, prices, the
//! parameters of a request, the receipt that binds an answer, the verdict on a challenged leaf. The crate
//! holds no policy, no storage and no FRAME.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod derives;
pub mod hashing;
pub mod ids;
pub mod merkle;
mod model_limits;
mod offence;
mod prices;
pub mod request;
mod role;
pub mod verdict;
mod work;

pub use ids::{CheckpointId, ClaimId, FamilyId, Job, RequestId, RoundId, SessionId};
#[doc(no_inline)]
pub use macro_rules_attribute::apply;
pub use model_limits::ModelLimits;
pub use offence::Offence;
pub use prices::Prices;
pub use request::{text_bound, ParameterError, Receipt, SamplingParameters, TEXT_BYTES_PER_TOKEN};
pub use role::Role;
pub use verdict::Verdict;
pub use work::{PerWork, Work};

/// Most operators that are recorded as holders of a checkpoint.
pub const MAX_HOLDERS: u32 = 64;
