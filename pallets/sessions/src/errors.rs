//! Errors of the pallet, each with advice.

use crate::{Config, Error};
use frame_support::pallet_macros::pallet_section;
use noema_sessions::ClaimRefusal;

#[pallet_section]
mod errors {
    #[pallet::error]
    pub enum Error<T> {
        /// The rules that governance set are unworkable, so no session is opened. Wait until they are corrected.
        RulesUnworkable,
        /// No checkpoint has this id. Pick one of `checkpoints.checkpoints`.
        CheckpointUnknown,
        /// The checkpoint was withdrawn. Pick an active one.
        CheckpointInactive,
        /// `leaf_tokens` is below 2 or above the context of the checkpoint.
        LeafTokensOutOfRange,
        /// The amount is below the least amount of a session. See the view function `rules`.
        AmountTooLow,
        /// The worker does not serve this checkpoint in the present term, or is absent. The view function
        /// `quote` returns the workers that do.
        WorkerUnavailable,
        /// The worker charges more than the price limit. The view function `quote` returns the prices.
        PricesTooHigh,
        /// The bond of the worker is too small for the stake of any claim. Allow fewer tokens for each answer,
        /// or name another worker.
        BondTooLow,
        /// The account cannot put the amount on hold and pay for the storage. Add funds, or lower the amount.
        FundsTooLow,
        /// No session has this number, or it was pruned. Check the number.
        SessionUnknown,
        /// Only the payer of the session may do this.
        NotPayer,
        /// The account is neither the payer of the session nor its worker.
        NotParty,
        /// The account is not the hot key of an operator. Sign with the key set in `operators`.
        NotAnOperator,
        /// The operator is not the worker of this session.
        NotWorker,
        /// The session has no seed yet. Wait for `Seeded`.
        NotSeeded,
        /// The session is closing.
        Closing,
        /// The session is not closing. Close it first.
        NotClosing,
        /// Another number of answers is claimed than stated. Wait until the last claim is final, or state the number
        /// of `session_info`.
        OtherCount,
        /// The session has ended, or the window for its last vouchers is over.
        Ended,
        /// The voucher is of another chain or session, or of other terms.
        VoucherOfOtherTerms,
        /// The voucher's first answer is not the first one that is not claimed. Claim bundles in order, each
        /// once.
        VoucherNotNext,
        /// The voucher covers no further answer, or no further amount.
        NothingToClaim,
        /// The amount is below the least amount of a claim. Claim it with later answers, or close the session.
        ClaimTooSmall,
        /// Amount and check fee exceed the rest of the session's hold.
        HoldTooLow,
        /// The voucher key of the session did not sign this voucher.
        BadSignature,
        /// The unlocked part of the worker's bond does not cover the stake of the claim. Wait until a claim
        /// ends, or add to the bond.
        BondExhausted,
        /// The claims pallet refuses the claim. Report it to the maintainers of the chain: such rules should be
        /// refused when a session is opened.
        ClaimRefused,
        /// An amount is not representable.
        Overflow,
    }
}

impl<T: Config> From<ClaimRefusal> for Error<T> {
    fn from(refusal: ClaimRefusal) -> Self {
        match refusal {
            ClaimRefusal::NotSeeded => Self::NotSeeded,
            ClaimRefusal::Closing => Self::Closing,
            ClaimRefusal::NotClosing => Self::NotClosing,
            ClaimRefusal::OtherCount => Self::OtherCount,
            ClaimRefusal::Ended => Self::Ended,
            ClaimRefusal::OtherTerms => Self::VoucherOfOtherTerms,
            ClaimRefusal::NotNext => Self::VoucherNotNext,
            ClaimRefusal::NothingToClaim => Self::NothingToClaim,
            ClaimRefusal::TooSmall => Self::ClaimTooSmall,
            ClaimRefusal::HoldTooLow => Self::HoldTooLow,
            _ => Self::Overflow,
        }
    }
}
