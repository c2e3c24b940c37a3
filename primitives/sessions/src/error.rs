//! Errors of the two sides, of claims, and of rules.

use core::fmt;
use noema_protocol::{apply, encoded};

/// Why a worker refuses a message of the payer, or a step of its own. A refused step changes nothing. A worker
/// sends it to the payer, so the order of the reasons is fixed.
#[apply(encoded)]
#[derive(Copy)]
#[non_exhaustive]
pub enum WorkerError {
    /// The last answer is not paid.
    Unpaid,
    /// Another answer is in progress.
    Busy,
    /// The ask does not have the number of the next answer.
    WrongNumber,
    /// The prompt has no token.
    NoPrompt,
    /// No executor defines these sampling parameters.
    Parameters,
    /// Prompt and answer may have more tokens than the terms allow.
    TooLong,
    /// An amount is not representable.
    Overflow,
    /// The session's hold does not cover the answer and its checks.
    HoldTooLow,
    /// The unlocked part of the bond does not cover the stake of a claim with this answer.
    ClaimFirst,
    /// The answer may cost more than what was paid so far and the credit together.
    CreditTooLow,
    /// No answer is in progress.
    NotAnswering,
    /// The answer has no token, more than were asked for, more cached tokens than its prompt has, or an end that
    /// does not match its length.
    WrongAnswer,
    /// No answer is unpaid.
    NothingUnpaid,
    /// The voucher is an earlier one.
    OldVoucher,
    /// The voucher is not over the receipts and the price so far.
    WrongVoucher,
    /// The voucher key did not sign the voucher.
    WrongSignature,
    /// The last bundle is not claimed yet.
    NotClaimed,
    /// There is no answer to claim, or they cost nothing.
    NothingToClaim,
    /// The bundle is below the least amount of a claim.
    TooSmall,
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unpaid => "the last answer is not paid: send its voucher first",
            Self::Busy => "another answer is in progress: wait for its receipt",
            Self::WrongNumber => "the ask does not have the number of the next answer",
            Self::NoPrompt => "the prompt needs at least one token",
            Self::Parameters => "no executor defines these sampling parameters",
            Self::TooLong => {
                "prompt and answer may have more tokens than the terms allow: ask for fewer"
            }
            Self::Overflow => "an amount is not representable",
            Self::HoldTooLow => {
                "the hold of the session does not cover the answer and its checks: top it up"
            }
            Self::ClaimFirst => {
                "the free bond does not cover the stake of a further answer: claim first"
            }
            Self::CreditTooLow => {
                "the answer may cost more than was paid so far: ask for fewer tokens first"
            }
            Self::NotAnswering => "no answer is in progress",
            Self::WrongAnswer => "the answer does not match what was asked for",
            Self::NothingUnpaid => "no answer is unpaid",
            Self::OldVoucher => "the voucher is an earlier one: send that over the last receipt",
            Self::WrongVoucher => "the voucher is not over the receipts and the price so far",
            Self::WrongSignature => "the voucher key did not sign the voucher",
            Self::NotClaimed => "the last bundle is not claimed yet",
            Self::NothingToClaim => "there is no answer to claim, or they cost nothing",
            Self::TooSmall => {
                "the bundle is below the least amount of a claim: wait for more answers"
            }
        })
    }
}

impl core::error::Error for WorkerError {}

/// Why a payer refuses a receipt, or a step of its own. A refused step changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayerError {
    /// An answer was asked for already.
    Busy,
    /// The prompt has no token.
    NoPrompt,
    /// No executor defines these sampling parameters.
    Parameters,
    /// Prompt and answer may have more tokens than the terms allow.
    TooLong,
    /// An amount is not representable.
    Overflow,
    /// The session's hold does not cover the answer and its checks.
    HoldTooLow,
    /// No answer was asked for.
    NotAsked,
    /// The receipt is of another session, or of other terms.
    OtherSession,
    /// The receipt has another number, prompt, parameters or seed.
    OtherAsk,
    /// The receipt states another answer than the one received.
    OtherAnswer,
    /// The number of tokens and the reason for the end do not match what was asked for.
    WrongEnd,
    /// The receipt states fewer cached tokens than the payer expects.
    TooFewCached,
    /// The receipt states another price than the terms.
    WrongPrice,
    /// The receipt begins a bundle elsewhere than at its own answer.
    WrongBundle,
    /// The worker's hot key did not sign the receipt.
    WrongSignature,
}

impl fmt::Display for PayerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "an answer was asked for already: wait for its receipt",
            Self::NoPrompt => "the prompt needs at least one token",
            Self::Parameters => "no executor defines these sampling parameters",
            Self::TooLong => {
                "prompt and answer may have more tokens than the terms allow: ask for fewer"
            }
            Self::Overflow => "an amount is not representable",
            Self::HoldTooLow => {
                "the hold of the session does not cover the answer and its checks: top it up"
            }
            Self::NotAsked => "no answer was asked for",
            Self::OtherSession => "the receipt is of another session, or of other terms",
            Self::OtherAsk => "the receipt has another number, prompt, parameters or seed",
            Self::OtherAnswer => "the receipt states another answer than the one received",
            Self::WrongEnd => "the length of the answer and its end do not match",
            Self::TooFewCached => "the receipt states fewer cached tokens than expected",
            Self::WrongPrice => "the receipt states another price than the terms",
            Self::WrongBundle => "the receipt begins a bundle elsewhere than at its own answer",
            Self::WrongSignature => "the worker's hot key did not sign the receipt",
        })
    }
}

impl core::error::Error for PayerError {}

/// Why the chain refuses a step of a session. A refused step changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimRefusal {
    /// The session has no seed yet.
    NotSeeded,
    /// The session is closing already.
    Closing,
    /// The session is not closing.
    NotClosing,
    /// Another number of answers is claimed than stated.
    OtherCount,
    /// The session has ended, or the window of its close is over.
    Ended,
    /// The voucher is of another chain or session, or of other terms.
    OtherTerms,
    /// The voucher's first answer is not the first one that is not claimed.
    NotNext,
    /// The voucher covers no further answer, or no further amount.
    NothingToClaim,
    /// The amount is below the least amount of a claim.
    TooSmall,
    /// Amount and checks exceed the rest of the session's hold.
    HoldTooLow,
    /// An amount is not representable.
    Overflow,
}

impl fmt::Display for ClaimRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSeeded => "the session has no seed yet",
            Self::Closing => "the session is closing already",
            Self::NotClosing => "the session is not closing",
            Self::OtherCount => "another number of answers is claimed",
            Self::Ended => "the session has ended",
            Self::OtherTerms => "the voucher is of another chain or session, or of other terms",
            Self::NotNext => "the voucher does not begin with the first answer not claimed",
            Self::NothingToClaim => "the voucher covers no further answer or amount",
            Self::TooSmall => "the amount is below the least amount of a claim",
            Self::HoldTooLow => "amount and checks exceed the rest of the hold",
            Self::Overflow => "an amount is not representable",
        })
    }
}

impl core::error::Error for ClaimRefusal {}

/// Why rules are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionRulesError {
    /// A session would close as soon as it is opened.
    NoLifetime,
    /// A worker would have no time for its last vouchers.
    NoTimeToClaim,
    /// Prompts would cost nothing.
    PromptsAreFree,
    /// Validators would check answers that cost nothing without payment.
    ChecksAreFree,
    /// A worker would stake nothing on a claim.
    NothingAtStake,
    /// Storage would not be paid for.
    StorageIsFree,
    /// The record of a session would be removed at its end.
    NoRetention,
}

impl fmt::Display for SessionRulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLifetime => "a session must last for at least one block",
            Self::NoTimeToClaim => "a worker needs at least one block for its last vouchers",
            Self::PromptsAreFree => "a token of a prompt must cost at least as much as a byte",
            Self::ChecksAreFree => "each token that is checked must cost something",
            Self::NothingAtStake => "a worker must stake something on each claim",
            Self::StorageIsFree => "sessions and claims must pay for their storage",
            Self::NoRetention => "the record of a session must outlast its end",
        })
    }
}

impl core::error::Error for SessionRulesError {}
