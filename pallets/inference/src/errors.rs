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
        /// Governance has set windows or rates that cannot work, so nothing is asked. Wait until it has
        /// corrected them.
        ParametersUnworkable,
        /// `max_tokens` is 0. Ask for at least one token.
        NoTokensRequested,
        /// `max_tokens` exceeds `MaxOutputTokens` or leaves no room for the prompt in the
        /// checkpoint's context. Ask for fewer tokens.
        TooManyTokensRequested,
        /// The temperature is above 10000 thousandths. Lower it.
        TemperatureTooHigh,
        /// `top_p_milli` is not within 1 and 1000. Use 1000 to leave every token in.
        TopPOutOfRange,
        /// No checkpoint has this id. Pick one of `checkpoints.checkpoints`.
        CheckpointUnknown,
        /// The checkpoint was withdrawn. Pick an active one.
        CheckpointInactive,
        /// The account cannot put the price limit on hold. Add funds or lower the limit.
        FundsTooLow,
        /// As many requests are open as the chain takes. Try again in a few blocks.
        TooBusy,
        /// No request has this number, or it was pruned. Check the number.
        RequestUnknown,
        /// Only the account that made the request may do this.
        NotRequester,
        /// A worker has the request, or had it: it can no longer be cancelled.
        AlreadyAssigned,
        /// The account is not the hot key of an operator. Sign with the key set in `operators`.
        NotAnOperator,
        /// The operator is not the one drawn for this. Only the worker or validator drawn may do it.
        NotAssigned,
        /// The request has an answer. The first one counts.
        AlreadyAnswered,
        /// The deadline has passed, or the request is final.
        TooLate,
        /// The time for it has not come. Reveals are accepted once `RevealOpened` was emitted, and
        /// objections once `CheckWaived` or `CheckPassed` was.
        TooEarly,
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
        /// The answer has no token. An answer has at least the stop token.
        AnswerEmpty,
        /// The answer has more tokens than were asked for.
        AnswerTooLong,
        /// The answer's text is longer than `MaxTextBytes`.
        TextTooLong,
        /// The answer's text is not UTF-8.
        TextNotUtf8,
        /// A token is not in the checkpoint's vocabulary.
        TokenOutOfRange,
        /// Prompt and answer together exceed the checkpoint's context.
        ContextExceeded,
        /// The validator has committed. The first commitment counts.
        AlreadyCommitted,
        /// The validator has revealed. The first reveal counts.
        AlreadyRevealed,
        /// The validator committed to nothing, so it has nothing to reveal.
        NotCommitted,
        /// Verdict, digest and salt are not those committed. Reveal exactly what was hashed.
        CommitmentDiffers,
        /// The operator is no live validator of the request's checkpoint. Bond, serve the
        /// checkpoint, and resume where it is absent.
        NotAValidator,
        /// The operator has a part in this request: worker, requester or validator with a verdict.
        IsParty,
        /// The operator's bond cannot be tied to another request.
        BondUnavailable,
        /// The request is not in dispute.
        NotDisputed,
    }
}
