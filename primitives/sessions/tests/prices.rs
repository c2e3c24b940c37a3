//! What an answer can cost.

use noema_economics::{Balance, Permill};
use noema_protocol::Prices;
use noema_sessions::SessionRules;
use proptest::prelude::*;

fn rules(cached_share: Permill, bytes_per_token: u32) -> SessionRules {
    SessionRules {
        lifetime: 100,
        close: 10,
        bytes_per_token,
        cached_share,
        check_share: Permill::from_percent(20),
        check_fee_per_token: 1,
        stake_percent: 150,
        min_stake: 100,
        stake_per_token: 3,
        min_held: 1_000,
        min_claim: 50,
        storage_price: 5,
        retention: 20,
    }
}

proptest! {
    /// Whatever a worker states as cached, the payer owes no more than for a prompt of which nothing was cached: that is
    /// what both sides compare with the hold before an answer is begun.
    #[test]
    fn cached_tokens_never_make_an_answer_dearer(
        share in 0u32..=1_000_000,
        bytes in 1u32..100,
        per_prompt_byte in 0..Balance::from(u64::MAX),
        per_answer_token in 0..Balance::from(u64::MAX),
        prompt in 1u32..200_000,
        stated in 0u32..300_000,
        answer in 1u32..70_000,
    ) {
        let public = Prices { per_prompt_byte, per_answer_token };
        let prices = rules(Permill::from_parts(share), bytes).prices(&public);
        let prices = prices.expect("is representable");
        let most = prices.price(prompt, 0, answer).expect("is representable");
        match prices.price(prompt, stated, answer) {
            Some(price) => {
                prop_assert!(stated <= prompt && price <= most);
                let more = prices.price(prompt, stated.saturating_sub(1), answer);
                prop_assert!(more >= Some(price), "each cached token makes it cheaper, or as dear");
            }
            // More than were sent.
            None => prop_assert!(stated > prompt),
        }
    }
}
