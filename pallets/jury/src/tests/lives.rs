//! Random sequences of steps of a dispute, without storage.

use crate::{
    mock::{claim, COMMIT_WINDOW},
    AppealEnd, Dispute, DisputeError, DisputeProgress, DisputeStage, DisputeTerms, Instance, Juror,
    JurorState, Jury,
};
use noema_claims::Decision;
use noema_protocol::{hashing::verdict_commitment, ClaimId, Offence, Verdict};
use proptest::prelude::*;
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};

type TestDispute = Dispute<u64, u32>;

const CLAIM: ClaimId = ClaimId(3);
const LEAF: u32 = 2;

fn new() -> TestDispute {
    Dispute::new(CLAIM, LEAF, DisputeTerms::of(&claim(CLAIM)), 7)
}

fn salt(juror: u64) -> H256 {
    H256::from_low_u64_be(juror)
}

fn commitment(juror: u64, verdict: Verdict) -> H256 {
    verdict_commitment(CLAIM, LEAF, &juror, verdict, salt(juror))
}

/// The most blocks that a dispute takes once its juries are drawn: all windows of both, and one block from
/// each to the next.
fn longest() -> u32 {
    let terms = DisputeTerms::of(&claim(CLAIM));
    2 * (COMMIT_WINDOW + terms.reveal_window + 2) + terms.appeal_window + 1
}

#[derive(Clone, Debug)]
enum Move {
    Seat { jurors: Vec<(u64, u32)> },
    Commit { juror: u64, verdict: Verdict },
    Reveal { juror: u64, verdict: Verdict },
    Appeal { by: u64 },
    Wait { blocks: u32 },
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![3 => Just(Verdict::True), 1 => Just(Verdict::False)]
}

fn a_move() -> impl Strategy<Value = Move> {
    let juror = 0u64..12;
    prop_oneof![
        1 => prop::collection::vec((juror.clone(), 1u32..3), 0..7)
            .prop_map(|jurors| Move::Seat { jurors }),
        8 => (juror.clone(), verdict()).prop_map(|(juror, verdict)| Move::Commit { juror, verdict }),
        8 => (juror.clone(), verdict()).prop_map(|(juror, verdict)| Move::Reveal { juror, verdict }),
        1 => juror.prop_map(|by| Move::Appeal { by }),
        2 => (1u32..4).prop_map(|blocks| Move::Wait { blocks }),
    ]
}

/// A dispute and the state that a pallet would keep for it.
struct Life {
    dispute: TestDispute,
    now: u32,
    /// Blocks that passed, without those in which it waited for a jury.
    age: u32,
    /// The seats that each juror has locked a stake for.
    locked: BTreeMap<u64, u32>,
}

impl Life {
    fn new() -> Self {
        Self {
            dispute: new(),
            now: 1,
            age: 0,
            locked: BTreeMap::new(),
        }
    }

    /// Seats each of these jurors once, as a jury of three seats or of five.
    fn seat(&mut self, jurors: &[(u64, u32)]) {
        let mut drawn = BTreeSet::new();
        let jurors: Vec<_> = jurors
            .iter()
            .filter(|(juror, _)| drawn.insert(*juror))
            .map(|(juror, seats)| Juror::seated(*juror, *seats))
            .collect();
        let size = match self.dispute.instance {
            Instance::First => 3,
            Instance::Second => 5,
        };
        let jury = Jury::of(size, jurors.clone());
        let before = self.dispute.clone();
        let (progress, excused) =
            self.dispute
                .seat(jury.clone(), COMMIT_WINDOW, self.now, self.now);
        match progress {
            DisputeProgress::CommitOpened => {
                assert_eq!((excused, self.dispute.sitting()), (None, &jury));
                for juror in jurors {
                    *self.locked.entry(juror.account).or_default() += juror.seats;
                }
            }
            _ => assert!(
                excused.is_some() || jurors.is_empty(),
                "all of them sit or none does"
            ),
        }
        let waited = matches!(before.stage, DisputeStage::Undrawn { .. });
        assert_eq!(waited, progress != DisputeProgress::Nothing);
        // A verdict is reviewed by a jury that is half filled and no smaller.
        if let DisputeProgress::Concluded(Decision::True | Decision::False) = progress {
            assert!(jury.filled() < 3 || jury.filled() < before.first.filled());
        }
    }

    fn block(&mut self) {
        let stage = self.dispute.stage;
        if !matches!(
            stage,
            DisputeStage::Undrawn { .. } | DisputeStage::Concluded(_)
        ) {
            self.age += 1;
        }
        let due = self.dispute.due(self.now);
        self.now += 1;
        let before = self.dispute.clone();
        let progress = self.dispute.advance(self.now, self.now);
        // The agenda would have given it a turn in this block, and in no other.
        assert_eq!(progress != DisputeProgress::Nothing, due == Some(self.now));
        if progress == DisputeProgress::Nothing {
            assert_eq!(self.dispute, before);
        }
    }

    fn play(&mut self, a_move: &Move) {
        let before = self.dispute.clone();
        let refused = match a_move {
            Move::Seat { jurors } => {
                self.seat(jurors);
                return;
            }
            Move::Wait { blocks } => {
                (0..*blocks).for_each(|_| self.block());
                return;
            }
            Move::Commit { juror, verdict } => {
                let hash = commitment(*juror, *verdict);
                self.dispute.commit(juror, hash, self.now)
            }
            Move::Reveal { juror, verdict } => {
                self.dispute.reveal(juror, *verdict, salt(*juror), self.now)
            }
            Move::Appeal { by } => self.dispute.appeal(by, self.now, self.now),
        }
        .is_err();
        assert!(
            !refused || self.dispute == before,
            "a refused step changes nothing"
        );
    }

    /// Ends the dispute without further steps; only juries are drawn.
    fn end(&mut self) -> Decision {
        for _ in 0..2 * longest() {
            if let DisputeStage::Concluded(decision) = self.dispute.stage {
                return decision;
            }
            self.seat(&[(20, 1), (21, 1), (22, 1)]);
            self.block();
        }
        panic!("the dispute does not end: {:?}", self.dispute);
    }
}

#[test]
fn all_that_is_refused_is_refused_by_name() {
    let mut life = Life::new();
    assert_eq!(
        life.dispute.commit(&1, H256::zero(), 1),
        Err(DisputeError::NotAJuror)
    );
    assert_eq!(
        life.dispute.appeal(&1, 1, 1),
        Err(DisputeError::NotAppealable)
    );
    life.seat(&[(1, 2)]);
    assert_eq!(
        life.dispute.reveal(&1, Verdict::True, salt(1), 1),
        Err(DisputeError::TooEarly)
    );
    assert_eq!(DisputeError::TooEarly.to_string(), "jurors still commit");
}

#[test]
fn an_undecided_dispute_stays_as_it_is() {
    let mut life = Life::new();
    assert_eq!(life.end(), Decision::Undecided);
    let before = life.dispute.clone();
    life.seat(&[(1, 1)]);
    life.block();
    assert_eq!(life.dispute, before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_life_ends_and_judges_each_seat_once(
        moves in prop::collection::vec(a_move(), 0..120),
    ) {
        let mut life = Life::new();
        for a_move in &moves {
            life.play(a_move);
            for (juror, seats) in &life.locked {
                prop_assert_eq!(life.dispute.seats_of(juror), *seats);
            }
        }
        let decision = life.end();
        prop_assert!(life.age <= longest(), "{} blocks", life.age);
        let dispute = &life.dispute;
        let judgement = dispute.judge(decision);
        let slashed: BTreeSet<_> = judgement.losses.iter().map(|loss| loss.account).collect();
        prop_assert_eq!(slashed.len(), judgement.losses.len(), "none is slashed twice");
        // Each seat is paid, lost or, in an undecided dispute, neither; and never two of these.
        for (juror, seats) in &life.locked {
            let seats_that = |is_such: &dyn Fn(JurorState) -> bool| -> u32 {
                let jurors = dispute.jurors().filter(|one| one.account == *juror);
                jurors.filter(|one| is_such(one.state)).map(|one| one.seats).sum()
            };
            let silent = seats_that(&|state| !matches!(state, JurorState::Revealed(_)));
            let right = seats_that(&|state| match state {
                JurorState::Revealed(verdict) => crate::dispute::decision(verdict) == decision,
                _ => false,
            });
            let lost = match decision {
                Decision::Undecided => silent,
                _ => seats - right,
            };
            let paid = judgement.right.iter().filter(|paid| *paid == juror).count();
            prop_assert_eq!(paid as u32, right);
            let loss = judgement.losses.iter().find(|loss| loss.account == *juror);
            prop_assert_eq!(loss.map_or(0, |loss| loss.seats), lost);
            if let Some(loss) = loss {
                let is_missed = loss.offence == Offence::MissedVerdict;
                prop_assert_eq!(is_missed, lost == silent);
            }
        }
        let known = judgement.right.iter().chain(&slashed);
        prop_assert!(known.into_iter().all(|juror| life.locked.contains_key(juror)));
        if decision != Decision::Undecided {
            prop_assert!(!judgement.right.is_empty());
        }
        // An appeal is won only where the second jury decides the opposite.
        if let Some((_, end)) = judgement.appeal {
            let first = dispute.first.verdict().expect("a verdict was appealed");
            let is_other = matches!(
                (first, decision),
                (Verdict::True, Decision::False) | (Verdict::False, Decision::True)
            );
            prop_assert_eq!(end == AppealEnd::Won, is_other);
            prop_assert_eq!(end == AppealEnd::Unheard, dispute.second.is_empty());
        }
        // The decision is that of the second jury where it decided, and of the first otherwise.
        let expected = match dispute.second.verdict() {
            Some(verdict) => Some(verdict),
            None if dispute.second.is_empty() => dispute.first.verdict(),
            None => None,
        };
        let expected = expected.map_or(Decision::Undecided, crate::dispute::decision);
        prop_assert_eq!(decision, expected);
    }

    /// Where two thirds of each jury are honest and awake, the truth wins against any behaviour of the
    /// others, and no honest juror loses anything.
    #[test]
    fn honest_two_thirds_win(
        truth in verdict(),
        others in prop::collection::vec((verdict(), 0u8..3), 4),
        appeals: bool,
    ) {
        let mut life = Life::new();
        // The first two thirds of each jury are honest.
        let juries = [(0u64, 2u64, 3u64), (10, 14, 16)];
        let mut honest = BTreeSet::new();
        for (instance, (first, liars, end)) in juries.into_iter().enumerate() {
            if life.dispute.instance != [Instance::First, Instance::Second][instance] {
                break;
            }
            let jurors: Vec<_> = (first..end).map(|juror| (juror, 1)).collect();
            life.seat(&jurors);
            let said = |juror: u64| match juror < liars {
                true => (truth, 2),
                false => others[(juror - liars) as usize + instance],
            };
            for juror in first..end {
                let (verdict, effort) = said(juror);
                if effort > 0 {
                    life.dispute
                        .commit(&juror, commitment(juror, verdict), life.now)
                        .expect("the jury is seated");
                }
            }
            while matches!(life.dispute.stage, DisputeStage::Committing { .. }) {
                life.block();
            }
            for juror in first..end {
                let (verdict, effort) = said(juror);
                if effort > 1 {
                    life.dispute
                        .reveal(&juror, verdict, salt(juror), life.now)
                        .expect("the juror has committed");
                }
            }
            while matches!(life.dispute.stage, DisputeStage::Revealing { .. }) {
                life.block();
            }
            honest.extend(first..liars);
            if appeals && instance == 0 {
                life.dispute.appeal(&50, life.now, 1).expect("the verdict may be appealed");
            }
            while matches!(life.dispute.stage, DisputeStage::Appealable { .. }) {
                life.block();
            }
        }
        let decision = crate::dispute::decision(truth);
        prop_assert_eq!(life.dispute.stage, DisputeStage::Concluded(decision));
        let judgement = life.dispute.judge(decision);
        prop_assert!(honest.iter().all(|juror| judgement.right.contains(juror)));
        let appeal = judgement.appeal.map(|(_, end)| end);
        prop_assert_eq!(appeal, appeals.then_some(AppealEnd::Lost));
    }
}
