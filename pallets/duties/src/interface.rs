//! The interface to other pallets: they declare which of their calls are duties of hot keys.

use alloc::vec::Vec;
use codec::Encode;
use frame_support::{storage::with_transaction, weights::Weight};
use sp_runtime::{DispatchError, DispatchResult, TransactionOutcome};

/// Blocks for which a duty without a deadline of its own stays in the pool.
pub const STANDING: u32 = 32;

/// Blocks for which a signature is good, counted from the block that it is bound to.
pub const LIFETIME: u32 = 64;

/// A duty that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty<BlockNumber> {
    /// Identifies the duty and its operator: two transactions with the same tag do the same.
    pub tag: Vec<u8>,
    /// The last block in which it is accepted.
    pub until: BlockNumber,
    /// The weight of finding this out; `None` where it is charged as much as executing the call.
    pub checking: Option<Weight>,
}

impl<BlockNumber> Duty<BlockNumber> {
    /// A duty called `name`, about `subject`, accepted up to block `until`.
    pub fn new(name: &'static str, subject: impl Encode, until: BlockNumber) -> Self {
        Self {
            tag: (name, subject).encode(),
            until,
            checking: None,
        }
    }

    /// The same, where [`AsDuty::as_duty`] weighs `checking` for this call.
    pub fn checked_in(self, checking: Weight) -> Self {
        Self {
            checking: Some(checking),
            ..self
        }
    }
}

/// Calls of which some are duties.
pub trait AsDuty<AccountId, BlockNumber> {
    /// The duty that this call performs where the hot key `key`, which signed it in or after block
    /// `signed_at`, submits it, or the reason for which its pallet would refuse it; `None` for a call that is
    /// no duty of any hot key.
    ///
    /// A call for which this returns a duty succeeds where it is executed on the same state. The state is not
    /// changed. A duty that may become due again has to be signed after it was last done; otherwise another
    /// account could repeat it. This weighs at most as much as executing the call, and is charged as much, or
    /// what the duty says.
    fn as_duty(
        &self,
        key: &AccountId,
        signed_at: BlockNumber,
    ) -> Option<Result<Duty<BlockNumber>, DispatchError>>;
}

/// Knows which accounts are hot keys of operators.
pub trait HotKeys<AccountId> {
    /// Whether `key` is a hot key.
    fn is_hot_key(key: &AccountId) -> bool;

    /// Makes `key` a hot key.
    #[cfg(feature = "runtime-benchmarks")]
    fn insert(key: &AccountId);
}

/// Whether `call` would succeed, found by executing it and rolling it back. For calls whose state is small.
pub fn try_out(call: impl FnOnce() -> DispatchResult) -> DispatchResult {
    with_transaction(|| TransactionOutcome::Rollback(call()))
}
