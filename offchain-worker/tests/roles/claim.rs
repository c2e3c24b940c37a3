//! An operator claims its controller's reward for each epoch once, and never delays a duty for it.

use crate::fake::{asked, Setting, CONTROLLER, SEED};
use noema_worker::roles::{Action, DutyOutcome, Reward, Rewards};

impl Setting {
    /// A chain at block 10, in an epoch that ends with block 20, with rewards for these epochs.
    fn owing(epochs: &[u32]) -> Self {
        let setting = Self::idle();
        setting.owe(epochs, 20);
        setting
    }

    fn owe(&self, epochs: &[u32], epoch_ends: u64) {
        let due = epochs.iter().map(|epoch| Reward {
            epoch: *epoch,
            amount: 100,
        });
        self.chain.edit(|state| {
            state.rewards = Some(Rewards {
                due: due.collect(),
                epoch_ends,
            });
        });
    }

    fn go_to(&self, block: u64) {
        self.chain.edit(|state| state.block = block);
    }

    /// The epochs for which a claim was submitted, in order.
    fn claimed(&self) -> Vec<u32> {
        let claim = |action| match action {
            Action::ClaimReward { account, epoch } => {
                assert_eq!(account, CONTROLLER, "the controller is paid");
                Some(epoch)
            }
            _ => None,
        };
        self.chain
            .performed()
            .into_iter()
            .filter_map(claim)
            .collect()
    }

    fn times_asked(&self) -> u32 {
        self.chain.edit(|state| state.rewards_asked)
    }
}

#[tokio::test]
async fn every_epoch_that_owes_is_claimed() {
    let setting = Setting::owing(&[3, 4]);
    setting.start().step().await;
    assert_eq!(setting.claimed(), [3, 4]);
    assert_eq!(setting.chain.performed().len(), 2);
}

#[tokio::test]
async fn nothing_is_asked_again_before_the_epoch_has_ended() {
    let setting = Setting::owing(&[]);
    let mut process = setting.start();
    for block in 10..=20 {
        setting.go_to(block);
        process.step().await;
    }
    assert_eq!(setting.times_asked(), 1);
    setting.owe(&[5], 30);
    setting.go_to(21);
    process.step().await;
    assert_eq!(setting.claimed(), [5]);
}

#[tokio::test]
async fn a_claim_that_fails_is_tried_again_in_the_next_epoch() {
    for fate in [
        DutyOutcome::Refused("Issuance::NothingToClaim".into()),
        DutyOutcome::Dropped("the pool is full".into()),
    ] {
        let setting = Setting::owing(&[3]);
        setting.chain.edit(|state| state.fate = Some(fate));
        let mut process = setting.start();
        for block in 10..=20 {
            setting.go_to(block);
            process.step().await;
        }
        assert_eq!(setting.claimed(), [3]);
        setting.owe(&[3, 4], 30);
        setting.go_to(21);
        process.step().await;
        assert_eq!(setting.claimed(), [3, 3, 4]);
    }
}

#[tokio::test]
async fn a_claim_whose_fate_is_open_is_not_sent_twice() {
    let setting = Setting::owing(&[3]);
    setting.chain.edit(|state| state.fate = None);
    let mut process = setting.start();
    for block in 10..14 {
        setting.go_to(block);
        process.step().await;
    }
    assert_eq!(setting.claimed(), [3]);
}

#[tokio::test]
async fn work_comes_first() {
    let setting = Setting::owing(&[3]);
    setting.chain.expect([asked(1, SEED)]);
    let mut process = setting.start();
    process.step().await;
    assert_eq!(setting.claimed(), [0u32; 0], "an answer is due");
    setting.chain.expect_nothing();
    setting.go_to(11);
    process.step().await;
    assert_eq!(setting.claimed(), [3]);
}

#[tokio::test]
async fn a_chain_that_cannot_tell_what_it_owes_does_not_stop_the_work() {
    let setting = Setting::owing(&[3]);
    setting.chain.edit(|state| state.rewards = None);
    let mut process = setting.start();
    process.step().await;
    setting.chain.expect([asked(1, SEED)]);
    setting.go_to(11);
    process.step().await;
    setting.chain.expect_nothing();
    setting.go_to(12);
    process.step().await;
    assert!(matches!(
        setting.chain.performed()[..],
        [Action::SubmitAnswer { .. }]
    ));
    assert_eq!(setting.times_asked(), 1, "it is not asked at every block");
}

#[tokio::test]
async fn many_epochs_are_claimed_a_few_at_a_time() {
    let epochs: Vec<u32> = (0..20).collect();
    let setting = Setting::owing(&epochs);
    let mut process = setting.start();
    process.step().await;
    let first = setting.claimed().len();
    assert!((1..20).contains(&first), "{first} at once");
    for block in 11..14 {
        setting.go_to(block);
        process.step().await;
    }
    assert_eq!(setting.claimed(), epochs);
}

#[tokio::test]
async fn an_operator_that_does_not_want_to_claims_nothing() {
    let setting = Setting::owing(&[3]);
    setting.start_without_claims().step().await;
    assert_eq!(setting.claimed(), [0u32; 0]);
    assert_eq!(setting.times_asked(), 0);
}
