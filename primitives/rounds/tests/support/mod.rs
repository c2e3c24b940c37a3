//! A simulated round, with numbers as accounts.
#![allow(dead_code)] // Each test binary uses its part.

use noema_protocol::{hashing, CheckpointId, FamilyId, RoundId};
use noema_rounds::{
    CheckpointClaim, Contribution, Dataset, Finding, Losses, Phase, Round, RoundContext,
    RoundEffect, RoundError, RoundRules, RoundWindows, ScoreSheet,
};
use sp_arithmetic::Permill;
use sp_core::H256;

pub(crate) type Account = u64;

pub(crate) const WINDOW: u32 = 10;
pub(crate) const PARENT: CheckpointId = CheckpointId(H256::repeat_byte(1));
pub(crate) const CHILD: CheckpointId = CheckpointId(H256::repeat_byte(2));

pub(crate) fn dataset() -> Dataset {
    Dataset {
        root: H256::repeat_byte(3),
        manifest: H256::repeat_byte(4),
        shards: 20,
        shard_tokens: 1_000,
    }
}

pub(crate) fn rules() -> RoundRules<u32> {
    RoundRules {
        windows: RoundWindows {
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

pub(crate) fn salt(account: Account) -> H256 {
    H256::from_low_u64_be(account)
}

pub(crate) fn contribution(account: Account) -> Contribution {
    Contribution {
        update: H256::from_low_u64_be(account + 1_000),
        bytes: 100,
    }
}

pub(crate) fn helpful() -> Finding {
    Finding::Scored {
        assigned: Losses {
            before: 1_000,
            after: 900,
        },
        evaluation: 950,
    }
}

pub(crate) fn harmful() -> Finding {
    Finding::Scored {
        assigned: Losses {
            before: 1_000,
            after: 1_900,
        },
        evaluation: 1_950,
    }
}

pub(crate) fn sheet(findings: &[Finding]) -> ScoreSheet {
    ScoreSheet {
        parent: 1_000,
        findings: findings.to_vec().try_into().unwrap(),
    }
}

pub(crate) fn claim() -> CheckpointClaim {
    CheckpointClaim {
        checkpoint: CHILD,
        weights_root: H256::repeat_byte(4),
        masters_root: H256::repeat_byte(5),
        loss: 930,
    }
}

pub(crate) fn false_claim() -> CheckpointClaim {
    CheckpointClaim {
        checkpoint: CheckpointId(H256::repeat_byte(6)),
        weights_root: H256::repeat_byte(7),
        ..claim()
    }
}

/// A round and the block it is in.
pub(crate) struct Play {
    pub(crate) round: Round<Account, u32>,
    pub(crate) now: u32,
    pub(crate) holders: u32,
    pub(crate) parent_is_canonical: bool,
    pub(crate) has_randomness: bool,
    pub(crate) effects: Vec<RoundEffect<Account>>,
}

impl Play {
    pub(crate) fn with(rules: RoundRules<u32>) -> Self {
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
    pub(crate) fn joined() -> Self {
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

    pub(crate) fn training() -> Self {
        let mut play = Self::joined();
        play.pass_window();
        assert!(matches!(play.round.phase, Phase::Training { .. }));
        play
    }

    pub(crate) fn revealing() -> Self {
        let mut play = Self::training();
        for account in [1, 2, 3] {
            play.commit(account).unwrap();
        }
        play.end_block();
        assert!(matches!(play.round.phase, Phase::Revealing { .. }));
        play
    }

    pub(crate) fn scoring() -> Self {
        let mut play = Self::revealing();
        for account in [1, 2, 3] {
            play.reveal(account).unwrap();
        }
        play.end_block();
        assert!(matches!(play.round.phase, Phase::Scoring { .. }));
        play
    }

    /// The drawn validators agree that all contributions help.
    pub(crate) fn claiming() -> Self {
        let mut play = Self::scoring();
        play.score(&[helpful(); 3]);
        assert!(matches!(play.round.phase, Phase::Claiming { .. }));
        play
    }

    /// The drawn validators agree on the next checkpoint, too.
    pub(crate) fn objectable() -> Self {
        let mut play = Self::claiming();
        for validator in play.seated() {
            play.round.claim(&validator, claim(), play.now).unwrap();
        }
        play.end_block();
        assert!(matches!(play.round.phase, Phase::Objectable { .. }));
        play
    }

    pub(crate) fn holding() -> Self {
        let mut play = Self::objectable();
        play.pass_window();
        assert!(matches!(play.round.phase, Phase::Holding { .. }));
        play
    }

    pub(crate) fn commit(&mut self, account: Account) -> Result<(), RoundError> {
        let Contribution { update, bytes } = contribution(account);
        let commitment =
            hashing::contribution_commitment(self.round.id, &account, update, bytes, salt(account));
        self.round.commit(&account, commitment, self.now)
    }

    pub(crate) fn reveal(&mut self, account: Account) -> Result<(), RoundError> {
        self.round
            .reveal(&account, contribution(account), salt(account), self.now)
    }

    pub(crate) fn commit_scores(&mut self, account: Account, findings: &[Finding]) {
        let commitment =
            hashing::score_commitment(self.round.id, &account, &sheet(findings), salt(account));
        self.round
            .commit_scores(&account, commitment, self.now)
            .unwrap();
    }

    pub(crate) fn reveal_scores(
        &mut self,
        account: Account,
        findings: &[Finding],
    ) -> Result<(), RoundError> {
        self.round
            .reveal_scores(&account, sheet(findings), salt(account), self.now)
    }

    /// All validators that are heard score the same.
    pub(crate) fn score(&mut self, findings: &[Finding]) {
        let all = self.seated();
        self.score_each(
            &all.iter()
                .map(|account| (*account, findings))
                .collect::<Vec<_>>(),
        );
    }

    /// Runs scoring and score revealing; a validator that is not named stays silent.
    pub(crate) fn score_each(&mut self, sheets: &[(Account, &[Finding])]) {
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

    pub(crate) fn seated(&self) -> Vec<Account> {
        self.round
            .seats()
            .map(|validator| validator.account)
            .collect()
    }

    pub(crate) fn unheard(&self) -> Account {
        let seated = self.seated();
        [11, 12, 13]
            .into_iter()
            .find(|account| !seated.contains(account))
            .unwrap()
    }

    pub(crate) fn end_block(&mut self) {
        let at = RoundContext {
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
    pub(crate) fn pass_window(&mut self) {
        let before = self.round.phase;
        for _ in 0..=WINDOW {
            self.end_block();
            if self.round.phase != before {
                return;
            }
        }
        panic!("{before:?} did not end");
    }

    pub(crate) fn offences(&self) -> Vec<(Account, noema_protocol::Offence)> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                RoundEffect::Offended(account, offence) => Some((*account, *offence)),
                _ => None,
            })
            .collect()
    }
}
