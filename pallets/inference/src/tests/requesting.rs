//! `request_inference`: refusals, holds and burned amounts.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{hashing, CheckpointId, ModelLimits, RequestId, SamplingParameters};
use sp_core::H256;
use sp_runtime::DispatchError;

fn ask_with(
    prompt: &[u8],
    change: impl FnOnce(&mut SamplingParameters),
    limit: Balance,
) -> Result<RequestId, DispatchError> {
    let mut parameters = SamplingParameters::greedy(TOKENS_ASKED);
    change(&mut parameters);
    ask_of(ASKER, CHECKPOINT, prompt, parameters, limit)
}

fn one_worker() -> TestExt {
    TestExt::new().endow(ASKER).workers([10])
}

#[test]
fn the_price_limit_is_on_hold_and_the_storage_is_burned() {
    one_worker().execute_with(|| {
        let issuance = Balances::total_issuance();
        let id = ask(ASKER);
        assert_eq!(on_hold(ASKER), LIMIT);
        assert_eq!(free(ASKER), FUNDS - LIMIT - STORAGE);
        assert_eq!(Balances::total_issuance(), issuance - STORAGE);
        assert_eq!(request(id).storage_burned, STORAGE);
        assert!(waits(id));
        System::assert_last_event(
            Event::Requested {
                request: id,
                requester: ASKER,
                checkpoint: CHECKPOINT,
                prompt_hash: hashing::prompt_hash(PROMPT),
                price_limit: LIMIT,
                storage_burned: STORAGE,
                expires_at: 11,
            }
            .into(),
        );
    });
}

#[test]
fn requests_are_numbered_and_keep_the_relay_block_and_the_rules() {
    one_worker().execute_with(|| {
        let (first, second) = (ask(ASKER), ask(ASKER));
        assert_eq!((first, second), (RequestId(0), RequestId(1)));
        let request = request(first);
        assert_eq!(request.unknown_since, 1_000);
        assert_eq!(request.rules, rules());
        assert_eq!(request.claim_rules, claim_rules());
        assert_eq!(request.limits, LIMITS);
    });
}

#[test]
fn prompts_that_are_empty_too_long_or_no_text_are_refused() {
    one_worker().execute_with(|| {
        let ask = |prompt: &[u8]| ask_with(prompt, |_| {}, LIMIT);
        assert_noop!(ask(b""), Error::<Test>::PromptEmpty);
        assert_noop!(ask(&[b'a'; 65]), Error::<Test>::PromptTooLong);
        assert_noop!(ask(&[0xC3, 0x28]), Error::<Test>::PromptNotUtf8);
        assert_ok!(ask(&[b'a'; 64]));
    });
}

#[test]
fn parameters_that_no_executor_defines_are_refused() {
    one_worker().execute_with(|| {
        let ask = |change: fn(&mut SamplingParameters)| ask_with(PROMPT, change, LIMIT);
        assert_noop!(ask(|p| p.max_tokens = 0), Error::<Test>::NoTokensRequested);
        assert_noop!(
            ask(|p| p.max_tokens = 33),
            Error::<Test>::TooManyTokensRequested
        );
        assert_noop!(
            ask(|p| p.temperature_milli = 10_001),
            Error::<Test>::TemperatureTooHigh
        );
        assert_noop!(ask(|p| p.top_p_milli = 0), Error::<Test>::TopPOutOfRange);
        assert_noop!(
            ask(|p| p.top_p_milli = 1_001),
            Error::<Test>::TopPOutOfRange
        );
    });
}

#[test]
fn what_may_exceed_the_context_is_refused() {
    one_worker().execute_with(|| {
        let ask = |bytes, tokens| {
            let prompt = vec![b'a'; bytes];
            ask_with(&prompt, |p| p.max_tokens = tokens, LIMIT)
        };
        // 63 bytes, 5 tokens of template and 32 of answer are the 100 of the context.
        assert_ok!(ask(63, 32));
        assert_noop!(ask(64, 32), Error::<Test>::ContextTooShort);
        // A tokenizer that makes two tokens of a byte.
        add_checkpoint(
            CHECKPOINT,
            ModelLimits {
                tokens_per_byte: 2,
                ..LIMITS
            },
        );
        assert_ok!(ask(31, 32));
        assert_noop!(ask(32, 32), Error::<Test>::ContextTooShort);
    });
}

#[test]
fn unknown_and_withdrawn_checkpoints_are_refused() {
    one_worker().execute_with(|| {
        let parameters = SamplingParameters::greedy(TOKENS_ASKED);
        let ask = |checkpoint| ask_of(ASKER, checkpoint, PROMPT, parameters, LIMIT);
        let unknown = CheckpointId(H256::repeat_byte(9));
        assert_noop!(ask(unknown), Error::<Test>::CheckpointUnknown);
        withdraw_checkpoint(CHECKPOINT);
        assert_noop!(ask(CHECKPOINT), Error::<Test>::CheckpointInactive);
    });
}

#[test]
fn without_a_worker_nothing_is_accepted() {
    one_worker().execute_with(|| {
        set_listed(10, false);
        assert_noop!(ask_with(PROMPT, |_| {}, LIMIT), Error::<Test>::NoWorker);
        set_listed(10, true);
        assert_ok!(ask_with(PROMPT, |_| {}, LIMIT));
    });
}

#[test]
fn a_busy_worker_is_a_worker() {
    one_worker().rules(|rules| rules.room = 1).execute_with(|| {
        ask_and_assign();
        assert_ok!(ask_with(PROMPT, |_| {}, LIMIT));
    });
}

#[test]
fn a_price_limit_below_what_every_worker_charges_is_refused() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .execute_with(|| {
            set_prices(11, 100);
            let lowest = ANSWER_MAX + CHECK_FEE;
            let ask = |limit| ask_with(PROMPT, |_| {}, limit);
            assert_noop!(ask(lowest - 1), Error::<Test>::PriceLimitTooLow);
            assert_ok!(ask(lowest));
        });
}

#[test]
fn a_stake_that_no_bond_covers_is_refused() {
    TestExt::new().endow(ASKER).execute_with(|| {
        add_worker(10, CHECKPOINT, STAKE - 1);
        let ask = || ask_with(PROMPT, |_| {}, LIMIT);
        assert_noop!(ask(), Error::<Test>::BondsTooLow);
        add_worker(11, CHECKPOINT, STAKE);
        assert_ok!(ask());
    });
}

#[test]
fn a_requester_needs_the_price_limit_and_the_storage() {
    one_worker().execute_with(|| {
        let ask = |limit| ask_with(PROMPT, |_| {}, limit);
        let most = FUNDS - STORAGE - ExistentialDeposit::get();
        assert_noop!(ask(FUNDS), Error::<Test>::FundsTooLow);
        assert_noop!(ask(most + 1), Error::<Test>::FundsTooLow);
        assert_ok!(ask(most));
        assert_eq!(free(ASKER), ExistentialDeposit::get());
    });
}

#[test]
fn rules_that_cannot_work_stop_requests() {
    one_worker().execute_with(|| {
        let ask = || ask_with(PROMPT, |_| {}, LIMIT);
        set_rules(|rules| rules.room = 0);
        assert_noop!(ask(), Error::<Test>::RulesUnworkable);
        set_rules(|rules| rules.room = 2);
        TestClaimRules::mutate(|rules| rules.margin_percent = 99);
        assert_noop!(ask(), Error::<Test>::RulesUnworkable);
    });
}

#[test]
fn a_storage_price_that_is_no_amount_is_refused() {
    one_worker()
        .rules(|rules| rules.storage_price_per_byte = Balance::MAX)
        .execute_with(|| {
            assert_noop!(ask_with(PROMPT, |_| {}, LIMIT), Error::<Test>::FundsTooLow);
        });
}
