//! A round that is played through, with accounts that are numbers.
#![allow(dead_code)] // Each test binary uses its part.

use noema_protocol::{hashing, CheckpointId, FamilyId, RoundId};
use noema_rounds::{
    Claim, Contribution, Dataset, Effect, Finding, Losses, Phase, Round, RoundError, Rules,
    ScoreSheet, Surroundings, Windows,
};
use sp_arithmetic::Permill;
use sp_core::H256;

pub type Account = u64;

pub const WINDOW: u32 = 10;
pub const PARENT: CheckpointId = CheckpointId(H256::repeat_byte(1));
pub const CHILD: CheckpointId = CheckpointId(H256::repeat_byte(2));

pub fn dataset() -> Dataset {
    Dataset {
        root: H256::repeat_byte(3),
        shards: 20,
        shard_tokens: 1_000,
    }
}

pub fn rules() -> Rules<u32> {
    Rules {
        windows: Windows {
            registration: WINDOW,
            training: WINDOW,
            reveal: WINDOW,
            scoring: WINDOW,
            score_reveal: WINDOW,
            claim: WINDOW,
            objection: WINDOW,
            holding: WINDOW,
        },
        min_contributions: 2,
        validators: 2,
        shards_per_trainer: 2,
        evaluation_shards: 3,
        max_update_bytes: 1_000,
        entries_per_chunk: 64,
        max_overlap: Permill::from_percent(50),
        min_holders: 2,
    }
}

pub fn salt(account: Account) -> H256 {
    H256::from_low_u64_be(account)
}

pub fn contribution(account: Account) -> Contribution {
    Contribution {
        update: H256::from_low_u64_be(account + 1_000),
        bytes: 100,
    }
}

pub fn helpful() -> Finding {
    Finding::Scored {
        assigned: Losses {
            before: 1_000,
            after: 900,
        },
        evaluation: 950,
    }
}

pub fn harmful() -> Finding {
    Finding::Scored {
        assigned: Losses {
            before: 1_000,
            after: 1_900,
        },
        evaluation: 1_950,
    }
}

pub fn sheet(findings: &[Finding]) -> ScoreSheet {
    ScoreSheet {
        parent: 1_000,
        findings: findings.to_vec().try_into().unwrap(),
    }
}

pub fn claim() -> Claim {
    Claim {
        checkpoint: CHILD,
        weights_root: H256::repeat_byte(4),
        masters_root: H256::repeat_byte(5),
        loss: 930,
    }
}

pub fn false_claim() -> Claim {
    Claim {
        checkpoint: CheckpointId(H256::repeat_byte(6)),
        weights_root: H256::repeat_byte(7),
        ..claim()
    }
}

/// A round and the block it is in.
pub struct Play {
    pub round: Round<Account, u32>,
    pub now: u32,
    pub holders: u32,
    pub parent_is_canonical: bool,
    pub has_randomness: bool,
    pub effects: Vec<Effect<Account>>,
}

impl Play {
    pub fn with(rules: Rules<u32>) -> Self {
        rules.check(&dataset()).unwrap();
        Self {
            round: Round::open(RoundId(0), FamilyId(0), PARENT, dataset(), rules, 1),
            now: 1,
            holders: 0,
            parent_is_canonical: true,
            has_randomness: true,
            effects: Vec::new(),
        }
    }

    /// Trainers 1 to 3 and validators 11 to 13, of which two are drawn.
    pub fn joined() -> Self {
        let mut play = Self::with(rules());
        for account in [1, 2, 3] {
            play.round.join_as_trainer(account, play.now).unwrap();
        }
        for account in [11, 12, 13] {
            play.round
                .join_as_validator(account, 100, play.now)
                .unwrap();
        }
        play
    }

    pub fn training() -> Self {
        let mut play = Self::joined();
        play.pass_window();
        assert!(matches!(play.round.phase, Phase::Training { .. }));
        play
    }

    pub fn revealing() -> Self {
        let mut play = Self::training();
        for account in [1, 2, 3] {
            play.commit(account).unwrap();
        }
        play.end_block();
        assert!(matches!(play.round.phase, Phase::Revealing { .. }));
        play
    }

    pub fn scoring() -> Self {
        let mut play = Self::revealing();
        for account in [1, 2, 3] {
            play.reveal(account).unwrap();
        }
        play.end_block();
        assert!(matches!(play.round.phase, Phase::Scoring { .. }));
        play
    }

    /// Those drawn agree that all contributions help.
    pub fn claiming() -> Self {
        let mut play = Self::scoring();
        play.score(&[helpful(); 3]);
        assert!(matches!(play.round.phase, Phase::Claiming { .. }));
        play
    }

    /// Those drawn agree on the next checkpoint, too.
    pub fn objectable() -> Self {
        let mut play = Self::claiming();
        for validator in play.seated() {
            play.round.claim(&validator, claim(), play.now).unwrap();
        }
        play.end_block();
        assert!(matches!(play.round.phase, Phase::Objectable { .. }));
        play
    }

    pub fn holding() -> Self {
        let mut play = Self::objectable();
        play.pass_window();
        assert!(matches!(play.round.phase, Phase::Holding { .. }));
        play
    }

    pub fn commit(&mut self, account: Account) -> Result<(), RoundError> {
        let Contribution { update, bytes } = contribution(account);
        let commitment =
            hashing::contribution_commitment(self.round.id, &account, update, bytes, salt(account));
        self.round.commit(&account, commitment, self.now)
    }

    pub fn reveal(&mut self, account: Account) -> Result<(), RoundError> {
        self.round
            .reveal(&account, contribution(account), salt(account), self.now)
    }

    pub fn commit_scores(&mut self, account: Account, findings: &[Finding]) {
        let commitment =
            hashing::score_commitment(self.round.id, &account, &sheet(findings), salt(account));
        self.round
            .commit_scores(&account, commitment, self.now)
            .unwrap();
    }

    pub fn reveal_scores(
        &mut self,
        account: Account,
        findings: &[Finding],
    ) -> Result<(), RoundError> {
        self.round
            .reveal_scores(&account, sheet(findings), salt(account), self.now)
    }

    /// All that are heard score the same.
    pub fn score(&mut self, findings: &[Finding]) {
        let all = self.seated();
        self.score_each(
            &all.iter()
                .map(|account| (*account, findings))
                .collect::<Vec<_>>(),
        );
    }

    /// Plays scoring and revealing through; who is not named keeps silent.
    pub fn score_each(&mut self, sheets: &[(Account, &[Finding])]) {
        for (account, findings) in sheets {
            self.commit_scores(*account, findings);
        }
        while matches!(self.round.phase, Phase::Scoring { .. }) {
            self.end_block();
        }
        for (account, findings) in sheets {
            self.reveal_scores(*account, findings).unwrap();
        }
        while matches!(self.round.phase, Phase::ScoreRevealing { .. }) {
            self.end_block();
        }
    }

    pub fn seated(&self) -> Vec<Account> {
        self.round
            .seats()
            .map(|validator| validator.account)
            .collect()
    }

    pub fn unheard(&self) -> Account {
        let seated = self.seated();
        [11, 12, 13]
            .into_iter()
            .find(|account| !seated.contains(account))
            .unwrap()
    }

    pub fn end_block(&mut self) {
        let at = Surroundings {
            now: self.now,
            randomness: self
                .has_randomness
                .then(|| H256::from_low_u64_be(self.now.into())),
            parent_is_canonical: self.parent_is_canonical,
            holders: self.holders,
        };
        self.effects.extend(self.round.advance(&at));
        self.now += 1;
    }

    /// Ends blocks until another phase begins.
    pub fn pass_window(&mut self) {
        let before = self.round.phase;
        for _ in 0..=WINDOW {
            self.end_block();
            if self.round.phase != before {
                return;
            }
        }
        panic!("{before:?} did not end");
    }

    pub fn offences(&self) -> Vec<(Account, noema_protocol::interfaces::Offence)> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Offended(account, offence) => Some((*account, *offence)),
                _ => None,
            })
            .collect()
    }
}
