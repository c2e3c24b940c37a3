//! Errors of the pallet, each with advice.

use crate::{Config, Error};
use frame_support::pallet_macros::pallet_section;
use noema_protocol::ParameterError;

#[pallet_section]
mod errors {
    #[pallet::error]
    pub enum Error<T> {
        /// The prompt is empty. Send at least one byte.
        PromptEmpty,
        /// The prompt is longer than `MaxPromptBytes`. Shorten it.
        PromptTooLong,
        /// The prompt is not UTF-8. Send text, not binary data.
        PromptNotUtf8,
        /// `max_tokens` is 0. Ask for at least one token.
        NoTokensRequested,
        /// `max_tokens` exceeds `MaxAnswerTokens`. Ask for fewer tokens.
        TooManyTokensRequested,
        /// The temperature is above 10000 thousandths. Lower it.
        TemperatureTooHigh,
        /// `top_p_milli` is not within 1 and 1000. Use 1000 to keep every token.
        TopPOutOfRange,
        /// No checkpoint has this id. Pick one of `checkpoints.checkpoints`.
        CheckpointUnknown,
        /// The checkpoint was withdrawn. Pick an active one.
        CheckpointInactive,
        /// Prompt and answer may exceed the context of the checkpoint. Shorten the prompt or ask for
        /// fewer tokens.
        ContextTooShort,
        /// The rules that governance set are unworkable, so no request is accepted. Wait until they are
        /// corrected.
        RulesUnworkable,
        /// No worker is available for this checkpoint. Try again later, or pick another checkpoint.
        NoWorker,
        /// Each worker that the draw met charges more than the price limit. Raise it; the view function
        /// `quote` returns the prices.
        PriceLimitTooLow,
        /// No worker that the draw met has a bond as large as its stake for this request. Ask for fewer
        /// tokens.
        BondsTooLow,
        /// The account cannot put the price limit on hold and pay for the storage. Add funds, lower the
        /// limit, or ask for fewer tokens.
        FundsTooLow,
        /// No request has this number, or it was pruned. Check the number.
        RequestUnknown,
        /// Only the account that made the request may do this.
        NotRequester,
        /// A worker has the request or has answered it: it can no longer be cancelled.
        AlreadyAssigned,
        /// The account is not the hot key of an operator. Sign with the key set in `operators`.
        NotAnOperator,
        /// The operator does not have this request. Only the drawn worker may answer, before its deadline.
        NotAssigned,
        /// The request already has an answer. The first one counts.
        AlreadyAnswered,
        /// The deadline has passed, or the request is over.
        TooLate,
        /// The receipt names another request. Use the number given here.
        ReceiptWrongRequest,
        /// The receipt names another checkpoint. Answer with the requested one.
        ReceiptWrongCheckpoint,
        /// The receipt has another prompt hash. Hash the prompt as recorded.
        ReceiptWrongPrompt,
        /// The receipt has other parameters. Use those of the request.
        ReceiptWrongParameters,
        /// The receipt has another seed. Use the one in `Assigned`.
        ReceiptWrongSeed,
        /// The receipt's answer hash does not match these tokens and this text.
        ReceiptWrongAnswer,
        /// The receipt's number of answer tokens differs from the number of tokens given.
        ReceiptWrongTokenCount,
        /// The receipt has more prompt tokens than the prompt and its frame can have.
        ReceiptTooManyPromptTokens,
        /// The answer has no token. An answer has at least the stop token.
        AnswerEmpty,
        /// The answer has more tokens than requested.
        AnswerTooLong,
        /// The answer's text has more than 8 bytes for each requested token. Cut it after the last character
        /// that fits; the tokens stay as they are.
        TextTooLong,
        /// The answer's text is not UTF-8.
        TextNotUtf8,
        /// A token is not in the checkpoint's vocabulary.
        TokenOutOfRange,
        /// The rules of claims do not allow a claim of this answer. Report it to the maintainers of the
        /// chain: such rules should be refused when a request is made.
        ClaimRefused,
    }
}

impl<T: Config> From<ParameterError> for Error<T> {
    fn from(error: ParameterError) -> Self {
        match error {
            ParameterError::NoTokens => Self::NoTokensRequested,
            ParameterError::TemperatureTooHigh => Self::TemperatureTooHigh,
            _ => Self::TopPOutOfRange,
        }
    }
}
