//! Random games: the honest side never loses, whatever all others do, and each game ends within its bound.

use crate::support::*;
use noema_disputes::{
    Fault, Game, GameEnd, GameError, GameStage, Line, LineEnd, Place, Proven, Side,
};
use noema_protocol::hashing::blake2_256;
use proptest::prelude::*;
use sp_core::H256;
use std::collections::BTreeMap;

const MOST_STEPS: u64 = 90;

/// How a party behaves: for each of its turns, a random number decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Party {
    Honest,
    Liar,
}

#[derive(Clone, Debug)]
struct Setting {
    steps: u64,
    claimant: Party,
    /// The steps that a lying claimant forges.
    forged: Vec<u64>,
    /// Whether the rest of a lying claimant's trace follows from what it forged.
    is_consistent: bool,
    /// The others challengers; the block in which each joins.
    liars: Vec<u32>,
    /// The block in which the honest challenger joins, where the claimant lies: in time.
    honest_joins: u32,
    /// Decides what liars do, and how long the honest take.
    seed: u64,
}

fn settings(claimant: Party) -> impl Strategy<Value = Setting> {
    (
        1..=MOST_STEPS,
        prop::collection::vec(0..MOST_STEPS, 1..4),
        any::<bool>(),
        prop::collection::vec(0u32..40, 0..4),
        0u32..8,
        any::<u64>(),
    )
        .prop_map(
            move |(steps, forged, is_consistent, mut liars, honest_joins, seed)| {
                if claimant == Party::Honest {
                    // One account challenges.
                    liars.push(0);
                }
                Setting {
                    steps,
                    claimant,
                    forged: forged.into_iter().map(|step| step % steps).collect(),
                    is_consistent,
                    liars,
                    honest_joins,
                    seed,
                }
            },
        )
}

/// A challenger at the table.
struct Seat {
    party: Party,
    line: Line<u32>,
    honest: Option<Honest>,
    /// The block of its next move, or of the claimant's in its line.
    acts_at: u32,
}

struct Table {
    setting: Setting,
    game: TestGame,
    right: Trace,
    /// The claimant's trace, and what it states.
    trace: Trace,
    statement: Statement,
    seats: Vec<Seat>,
    now: u32,
    drawn: u64,
    opens_at: u32,
    /// Tokens that each side owed, at most.
    most_due: u64,
}

const SEED: u64 = 77;

impl Table {
    fn new(setting: Setting) -> Self {
        let right = Trace::right(SEED, setting.steps);
        let trace = match setting.claimant {
            Party::Honest => right.clone(),
            Party::Liar => forge(&setting, &right),
        };
        let statement = trace.statement(SEED);
        let game = Game::new(terms(), 0, TOKENS);
        let mut table = Self {
            game,
            right,
            trace,
            statement,
            seats: Vec::new(),
            now: 0,
            drawn: 0,
            opens_at: 0,
            most_due: TOKENS,
            setting,
        };
        // Any time within the window is in time.
        table.opens_at = table.draw(9) as u32;
        table
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.drawn += 1;
        let bytes = [self.setting.seed, self.drawn]
            .map(u64::to_le_bytes)
            .concat();
        blake2_256(&bytes).to_low_u64_be() % below
    }

    /// Whether a liar does what is written after it, with one of `n` probabilities.
    fn happens(&mut self, n: u64) -> bool {
        self.draw(n) == 0
    }

    fn due(&mut self, side: Side) -> u64 {
        // The claimant owes a move in each line in which it has the turn.
        let due = match side {
            Side::Claimant => {
                let lines = self.seats.iter();
                let owed = lines.filter(|seat| seat.line.turn.side == Side::Claimant);
                (owed.count() as u64 + 1) * TOKENS
            }
            Side::Challenger => TOKENS,
        };
        self.most_due = self.most_due.max(due);
        due
    }

    /// Plays until the game has ended.
    fn play(&mut self) -> GameEnd {
        for _ in 0..10_000 {
            self.join();
            self.expire();
            if let Some(end) = self.game.end() {
                return end;
            }
            self.claimant_moves();
            self.challengers_move();
            if let Some(end) = self.game.end() {
                return end;
            }
            self.now += 1;
        }
        panic!("the game does not end");
    }

    fn join(&mut self) {
        let now = self.now;
        let liars = self.setting.liars.clone();
        let mut joining = Vec::new();
        // The honest one may be the last to come, after all sham challengers have lost.
        joining.extend(liars.iter().filter(|at| **at == now).map(|_| Party::Liar));
        if self.setting.claimant == Party::Liar && self.setting.honest_joins == now {
            joining.push(Party::Honest);
        }
        for party in joining {
            let Ok(line) = self.game.join(now, TOKENS) else {
                continue;
            };
            let acts_at = now + self.draw(8) as u32;
            self.seats.push(Seat {
                party,
                line,
                honest: None,
                acts_at,
            });
        }
    }

    fn expire(&mut self) {
        self.game.expire(self.now);
        let (game, now) = (&mut self.game, self.now);
        let honest = self.setting.claimant == Party::Honest;
        self.seats.retain(|seat| {
            if game.end().is_some() {
                return true;
            }
            let end = game.expire_line(&seat.line, now);
            if let Some(end) = end {
                assert_eq!(end, LineEnd::Late);
                assert_eq!(seat.party, Party::Liar, "an honest challenger is in time");
            }
            assert!(!honest || !matches!(game.end(), Some(GameEnd::Fallen(_))));
            end.is_none()
        });
    }

    fn claimant_moves(&mut self) {
        let is_liar = self.setting.claimant == Party::Liar;
        if let GameStage::Opening { .. } = self.game.stage {
            if self.now < self.opens_at || (is_liar && self.happens(50)) {
                return;
            }
            let last = Place::of_leaf(self.trace.steps() - 1);
            let (root, path) = (self.trace.tree().root(), self.trace.path(last));
            let opened = self
                .game
                .open::<Hashes>(&self.statement, root, &path, self.now);
            assert!(opened.is_ok() || is_liar, "{opened:?}");
            // Challengers need time to read the root.
            for seat in 0..self.seats.len() {
                self.seats[seat].acts_at = self.now + self.draw(8) as u32;
            }
            return;
        }
        for place in 0..self.seats.len() {
            let line = self.seats[place].line;
            if line.turn.side != Side::Claimant || self.now < self.seats[place].acts_at {
                continue;
            }
            let (node, _) = line.node.expect("the challenger has pointed");
            let mut row = self.trace.row_below(node, RULES.row_bits);
            if is_liar && self.happens(6) {
                row[0] = H256::repeat_byte(9);
            }
            let due = self.due(Side::Challenger);
            let mut changed = line;
            let before = self.game.clone();
            match self.game.show(&mut changed, &row, self.now, due) {
                Ok(()) => {
                    let next = self.now + self.draw(8) as u32;
                    let seat = &mut self.seats[place];
                    seat.line = changed;
                    seat.acts_at = next;
                    if let Some(honest) = seat.honest.as_mut().filter(|honest| honest.at == node) {
                        honest.read(&row);
                    }
                }
                Err(error) => {
                    assert!(is_liar, "an honest row is refused: {error}");
                    assert_eq!((changed, &self.game), (line, &before));
                }
            }
        }
    }

    fn challengers_move(&mut self) {
        let GameStage::Open { tree, .. } = self.game.stage else {
            return;
        };
        let mut place = 0;
        while place < self.seats.len() && self.game.end().is_none() {
            let seat = &self.seats[place];
            if seat.line.turn.side != Side::Challenger || self.now < seat.acts_at {
                place += 1;
                continue;
            }
            let is_over = match seat.party {
                Party::Honest => {
                    self.honest_moves(place, tree);
                    false
                }
                Party::Liar => self.liar_moves(place, tree),
            };
            if is_over {
                self.seats.remove(place);
            } else {
                place += 1;
            }
        }
    }

    fn honest_moves(&mut self, place: usize, tree: noema_disputes::Tree) {
        let right = self.right.clone();
        let seat = &mut self.seats[place];
        let honest = seat.honest.get_or_insert_with(|| Honest::new(right, tree));
        assert!(honest.disagrees(), "another result has another root");
        if honest.at.row == 0 {
            let proof = honest.proof();
            let proven =
                self.game
                    .prove_in::<Hashes>(&seat.line, &self.statement, &proof, self.now);
            let fault = Fault::WrongStep(proof.step);
            assert_eq!(proven, Ok(Proven::Fallen(fault)), "an honest proof holds");
            return;
        }
        let (node, path) = honest.point();
        let due = self.due(Side::Claimant);
        let mut line = self.seats[place].line;
        let pointed = self.game.point(&mut line, node, &path, self.now, due);
        assert_eq!(pointed, Ok(()), "an honest challenger is in time");
        self.seats[place].line = line;
        self.seats[place].acts_at = self.now + self.draw(5) as u32;
    }

    /// Does anything. Returns whether its line is over.
    fn liar_moves(&mut self, place: usize, tree: noema_disputes::Tree) -> bool {
        if self.happens(3) {
            return false;
        }
        let line = self.seats[place].line;
        if self.happens(6) {
            // Where the claimant is honest, no step proves anything; where it lies, an accomplice avoids those that do.
            let step = self.draw(tree.steps());
            let mut proof = self.trace.proof(step);
            if self.happens(2) {
                proof.step = self.draw(tree.steps() + 2);
            }
            if self.happens(3) {
                proof.node = H256::repeat_byte(3);
            }
            if self.happens(3) {
                proof.evidence.pop();
            }
            let proven = self
                .game
                .prove_in::<Hashes>(&line, &self.statement, &proof, self.now);
            return match proven {
                Ok(Proven::Fallen(_)) => {
                    assert_eq!(self.setting.claimant, Party::Liar, "a right trace stands");
                    false
                }
                Ok(Proven::Refuted(_)) => true,
                Err(error) => panic!("it is its turn: {error}"),
            };
        }
        let height = self.draw(u64::from(tree.height()) + 2) as u32;
        let index = self.draw(1 + (tree.steps() >> height.min(60)));
        let node = Place { row: height, index };
        let hash = self.trace.hash(node).unwrap_or_default();
        let path = match tree.has(&node) {
            true => self.trace.path(node),
            false => Vec::new(),
        };
        let due = self.due(Side::Claimant);
        let mut changed = line;
        if self
            .game
            .point(&mut changed, (node, hash), &path, self.now, due)
            .is_ok()
        {
            // The claimant takes its time, within its clock.
            self.seats[place].line = changed;
            self.seats[place].acts_at = self.now + self.draw(5) as u32;
        } else {
            assert_eq!(changed, line, "a refused move changes nothing");
        }
        false
    }

    /// The most blocks that the game can take.
    fn bound(&self) -> u32 {
        let height = self.trace.tree().height();
        let opening = RULES.per_move + RULES.work(TOKENS) + 1;
        // The last one to join.
        40 + opening + self.game.longest_line(height, self.most_due) + 1
    }
}

fn forge(setting: &Setting, right: &Trace) -> Trace {
    let wrong = |step: u64| blake2_256(&(step + 1_000).to_le_bytes());
    // The last step is always wrong in the end: the statement is false.
    let mut forged: BTreeMap<_, _> = setting
        .forged
        .iter()
        .map(|step| (*step, wrong(*step)))
        .collect();
    if setting.is_consistent {
        return Trace::forged(SEED, setting.steps, &forged);
    }
    forged.insert(setting.steps - 1, wrong(setting.steps - 1));
    let leaves = (0..).zip(&right.leaves);
    let leaves = leaves.map(|(step, leaf)| *forged.get(&step).unwrap_or(leaf));
    Trace::of(leaves.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn an_honest_claimant_never_loses(setting in settings(Party::Honest)) {
        let mut table = Table::new(setting);
        prop_assert_eq!(table.play(), GameEnd::Upheld);
        prop_assert_eq!(table.game.lines, 0);
        prop_assert!(table.now <= table.bound(), "{} of {}", table.now, table.bound());
    }

    #[test]
    fn one_honest_challenger_is_enough(setting in settings(Party::Liar)) {
        let mut table = Table::new(setting);
        let end = table.play();
        prop_assert!(matches!(end, GameEnd::Fallen(_)), "{:?}", end);
        prop_assert!(table.now <= table.bound(), "{} of {}", table.now, table.bound());
    }
}

/// A game that was opened with a trace, and a line of one challenger.
fn opened(trace: &Trace) -> (TestGame, Line<u32>) {
    let mut game = Game::new(terms(), 0, TOKENS);
    let line = game.join(0, TOKENS).expect("it has not ended");
    let last = Place::of_leaf(trace.steps() - 1);
    let (root, path) = (trace.tree().root(), trace.path(last));
    game.open::<Hashes>(&trace.statement(SEED), root, &path, 1)
        .expect("the trace has this result");
    (game, line)
}

#[test]
fn a_claimant_that_shows_no_trace_loses_after_its_window() {
    let mut game: TestGame = Game::new(terms(), 10, TOKENS);
    game.join(10, TOKENS).expect("it has not ended");
    let until = 10 + RULES.per_move + RULES.work(TOKENS);
    assert_eq!(game.expire(until), None);
    let trace = Trace::right(SEED, 9);
    let path = trace.path(Place::of_leaf(8));
    let statement = trace.statement(SEED);
    let opened = game.open::<Hashes>(&statement, trace.tree().root(), &path, until + 1);
    assert_eq!(opened, Err(GameError::TooLate));
    let end = GameEnd::Fallen(Fault::NoTrace);
    assert_eq!(game.expire(until + 1), Some(end));
    assert_eq!(game.join(until + 1, TOKENS), Err(GameError::Ended));
}

#[test]
fn a_trace_has_the_steps_and_the_result_of_its_statement() {
    let trace = Trace::right(SEED, 9);
    let root = trace.tree().root();
    let path = trace.path(Place::of_leaf(8));
    let statement = trace.statement(SEED);
    let open = |statement: &Statement, path: &[H256]| {
        let mut game: TestGame = Game::new(terms(), 0, TOKENS);
        game.open::<Hashes>(statement, root, path, 0)
    };
    let other_result = Statement {
        result: H256::zero(),
        ..statement
    };
    assert_eq!(open(&other_result, &path), Err(GameError::OtherResult));
    let more_steps = Statement {
        steps: 10,
        ..statement
    };
    assert_eq!(open(&more_steps, &path), Err(GameError::OtherResult));
    let no_steps = Statement {
        steps: 0,
        ..statement
    };
    assert_eq!(open(&no_steps, &path), Err(GameError::NoShape));
    assert_eq!(open(&statement, &[]), Err(GameError::OtherResult));
    assert_eq!(open(&statement, &path), Ok(trace.tree()));
}

#[test]
fn the_time_of_a_side_is_only_spent_in_its_turn() {
    let trace = Trace::right(SEED, 60);
    let (mut game, mut line) = opened(&trace);
    let clock = RULES.clock(trace.tree().height());
    let work = RULES.work(TOKENS);
    let point = |game: &TestGame, line: &mut Line<u32>, now| {
        let top = trace.tree().top();
        let hash = trace.hash(top).expect("it has a root");
        game.point(line, (top, hash), &trace.path(top), now, TOKENS)
    };
    // The line waited for the trace, which was shown in block 1.
    assert_eq!(game.until(&line), Some(1 + work + clock));
    assert_eq!(point(&game, &mut line, 1 + work + 2), Ok(()));
    assert_eq!((line.challenger_spent, line.claimant_spent), (2, 0));
    let now = 1 + work + 2;
    assert_eq!(game.until(&line), Some(now + work + clock));
    let row = trace.row_below(trace.tree().top(), RULES.row_bits);
    let last = now + work + clock;
    assert_eq!(game.show(&mut line, &row, last, 10 * TOKENS), Ok(()));
    assert_eq!((line.challenger_spent, line.claimant_spent), (2, clock));
    // Its own clock goes on where it stopped, after the time for ten traces.
    let until = last + RULES.work(10 * TOKENS) + clock - 2;
    assert_eq!(game.until(&line), Some(until));
    assert_eq!(game.expire_line(&line, until), None);
    assert_eq!(game.expire_line(&line, until + 1), Some(LineEnd::Late));
    assert_eq!(game.end(), Some(GameEnd::Upheld));
}

#[test]
fn a_claimant_that_does_not_show_a_row_in_time_loses() {
    let trace = Trace::right(SEED, 60);
    let (mut game, mut line) = opened(&trace);
    let top = trace.tree().top();
    let hash = trace.hash(top).expect("it has a root");
    let row = trace.row_below(top, RULES.row_bits);
    assert_eq!(
        game.show(&mut line, &row, 2, TOKENS),
        Err(GameError::OtherSide)
    );
    assert_eq!(game.point(&mut line, (top, hash), &[], 2, TOKENS), Ok(()));
    assert_eq!(
        game.point(&mut line, (top, hash), &[], 2, TOKENS),
        Err(GameError::OtherSide)
    );
    let until = game.until(&line).expect("it is open");
    assert_eq!(
        game.show(&mut line, &row, until + 1, TOKENS),
        Err(GameError::TooLate)
    );
    assert_eq!(game.expire_line(&line, until + 1), None);
    let end = GameEnd::Fallen(Fault::NotShown(top));
    assert_eq!(game.end(), Some(end));
}

#[test]
fn a_line_goes_down_and_ends_with_a_proof() {
    let trace = Trace::right(SEED, 60);
    let (mut game, mut line) = opened(&trace);
    let place = |height, index| Place { row: height, index };
    let to = |node: Place| (node, trace.hash(node).unwrap_or_default());
    let point = |game: &TestGame, line: &mut Line<u32>, node: Place| {
        let path = match trace.tree().has(&node) {
            true => trace.path(node),
            false => Vec::new(),
        };
        game.point(line, to(node), &path, 2, TOKENS)
    };
    for wrong in [place(0, 3), place(9, 0), place(3, 8)] {
        assert_eq!(point(&game, &mut line, wrong), Err(GameError::WrongNode));
    }
    let node = place(5, 1);
    let other = (node, H256::zero());
    assert_eq!(
        game.point(&mut line, other, &trace.path(node), 2, TOKENS),
        Err(GameError::NotInTrace)
    );
    assert_eq!(point(&game, &mut line, node), Ok(()));
    let row = trace.row_below(node, RULES.row_bits);
    assert_eq!(
        game.show(&mut line, &row[1..], 2, TOKENS),
        Err(GameError::WrongRow)
    );
    assert_eq!(game.show(&mut line, &row, 2, TOKENS), Ok(()));
    // Above the row that was shown, and beside the node.
    for wrong in [place(4, 2), place(5, 1), place(3, 0)] {
        assert_eq!(point(&game, &mut line, wrong), Err(GameError::WrongNode));
    }
    assert_eq!(point(&game, &mut line, place(2, 9)), Ok(()));
    let shown = trace.row_below(place(2, 9), RULES.row_bits);
    assert_eq!(game.show(&mut line, &shown, 2, TOKENS), Ok(()));
    let statement = trace.statement(SEED);
    let proof = trace.proof(37);
    assert_eq!(
        game.clone().prove::<Hashes>(&statement, &proof),
        Err(GameError::StepIsRight)
    );
    let proven = game.prove_in::<Hashes>(&line, &statement, &proof, 2);
    assert_eq!(proven, Ok(Proven::Refuted(GameError::StepIsRight)));
    // Until then, another account may join.
    assert_eq!(game.expire(game.joins_until), None);
    let later = game.joins_until + 1;
    assert_eq!(game.expire(later), Some(GameEnd::Upheld));
    assert_eq!(
        game.prove::<Hashes>(&statement, &proof),
        Err(GameError::Ended)
    );
}

#[test]
fn any_account_proves_at_once_what_it_knows() {
    let mut forged = BTreeMap::new();
    forged.insert(20, H256::repeat_byte(5));
    let trace = Trace::forged(SEED, 60, &forged);
    let (mut game, _) = opened(&trace);
    let other = Trace::right(SEED, 60);
    let statement = other.statement(SEED);
    let proof = trace.proof(20);
    assert_eq!(
        game.prove::<Hashes>(&statement, &proof),
        Err(GameError::OtherStatement)
    );
    let statement = trace.statement(SEED);
    // Later steps follow from the wrong one, and are right by themselves.
    for right in [19, 21, 59] {
        let proof = trace.proof(right);
        assert_eq!(
            game.prove::<Hashes>(&statement, &proof),
            Err(GameError::StepIsRight)
        );
    }
    let elsewhere = other.proof(20);
    assert_eq!(
        game.prove::<Hashes>(&statement, &elsewhere),
        Err(GameError::NotInTrace)
    );
    assert_eq!(
        game.prove::<Hashes>(&statement, &proof),
        Ok(Fault::WrongStep(20))
    );
}
