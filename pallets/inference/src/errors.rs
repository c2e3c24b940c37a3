//! Why the pallet refuses, and what to do about it.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod errors {
    #[pallet::error]
    pub enum Error<T> {
        /// The prompt is empty. Ask something.
        PromptEmpty,
        /// The prompt is longer than `MaxPromptBytes`. Shorten it.
        PromptTooLong,
        /// The prompt is not UTF-8. Send text, not binary data.
        PromptNotUtf8,
        /// `max_tokens` is 0. Ask for at least one token.
        NoTokensRequested,
        /// `max_tokens` exceeds `MaxOutputTokens`. Ask for fewer tokens.
        TooManyTokensRequested,
        /// The temperature is above 10000 thousandths. Lower it.
        TemperatureTooHigh,
        /// `top_p_milli` is not within 1 and 1000. Use 1000 to leave every token in.
        TopPOutOfRange,
        /// No checkpoint has this id. Pick one of `checkpoints.checkpoints`.
        CheckpointUnknown,
        /// The checkpoint was withdrawn. Pick an active one.
        CheckpointInactive,
        /// Prompt and answer may exceed the context of the checkpoint. Shorten the prompt or ask for
        /// fewer tokens.
        ContextTooShort,
        /// Governance has set rules that cannot work, so no request is accepted. Wait until it has
        /// corrected them.
        RulesUnworkable,
        /// No worker is there for this checkpoint. Try again later, or pick another checkpoint.
        NoWorker,
        /// Each worker that was met charges more than the price limit. Raise it; the view function
        /// `quote` tells what they charge.
        PriceLimitTooLow,
        /// No worker that was met has a bond as large as its stake for this request. Ask for fewer
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
        /// The operator does not have this request. Only the worker that was drawn may answer, before
        /// its deadline.
        NotAssigned,
        /// The request has an answer. The first one counts.
        AlreadyAnswered,
        /// The deadline has passed, or the request is over.
        TooLate,
        /// The receipt names another request. Use the number given here.
        ReceiptWrongRequest,
        /// The receipt names another checkpoint. Answer from the one that was asked.
        ReceiptWrongCheckpoint,
        /// The receipt has another prompt hash. Hash the prompt as recorded.
        ReceiptWrongPrompt,
        /// The receipt has other parameters. Use those of the request.
        ReceiptWrongParameters,
        /// The receipt has another seed. Use the one in `Assigned`.
        ReceiptWrongSeed,
        /// The receipt's output hash is not that of these tokens and this text.
        ReceiptWrongOutput,
        /// The receipt's number of output tokens is not that of the tokens given.
        ReceiptWrongTokenCount,
        /// The receipt has more prompt tokens than the prompt and the chat template can be.
        ReceiptTooManyPromptTokens,
        /// The answer has no token. An answer has at least the stop token.
        AnswerEmpty,
        /// The answer has more tokens than were asked for.
        AnswerTooLong,
        /// The answer's text has more than 8 bytes for each token that was asked for. Cut it after the
        /// last character that fits; the tokens stay as they are.
        TextTooLong,
        /// The answer's text is not UTF-8.
        TextNotUtf8,
        /// A token is not in the checkpoint's vocabulary.
        TokenOutOfRange,
        /// No claim can be made of this answer under the rules of claims. Tell the maintainers of the
        /// chain: rules that are refused when a request is made should leave no such case.
        ClaimRefused,
    }
}
