//! The game over one leaf of a claim.

use crate::{
    DisputedLeaf, Effort, GameError, GameRules, Line, LineEnd, NoTrace, Place, Proven, Shape, Side,
    StepJudge, StepProof, Tree, TRACE_COST,
};
use noema_protocol::{apply, hashing::merkle_leaf, sent, stored};
use sp_arithmetic::traits::{AtLeast32BitUnsigned, UniqueSaturatedInto};
use sp_core::H256;

/// What a game is about and its rules, fixed when it begins.
#[apply(stored)]
pub struct GameTerms<AccountId, BlockNumber> {
    /// The operator whose trace is on trial.
    pub claimant: AccountId,
    /// The leaf of the claim.
    pub subject: DisputedLeaf,
    /// The most tokens, of prompt and answer together, that the leaf has.
    pub tokens: u64,
    /// The time of the sides.
    pub rules: GameRules<BlockNumber>,
}

/// A game over one leaf of a claim. Its lines are kept beside it, one for each challenger.
#[apply(stored)]
pub struct Game<AccountId, BlockNumber> {
    /// The terms.
    pub terms: GameTerms<AccountId, BlockNumber>,
    /// When it began.
    pub began: BlockNumber,
    /// The last block in which any account may join, and before which the game is not upheld: an account that was kept
    /// out of the challenges has that time, whatever the challengers do.
    pub joins_until: BlockNumber,
    /// The stage.
    pub stage: GameStage<BlockNumber>,
    /// The lines that are not over.
    pub lines: u32,
    /// The rows that the claimant has shown.
    pub shown: u32,
}

/// The stage of a game.
#[apply(stored)]
#[derive(Copy)]
pub enum GameStage<BlockNumber> {
    /// The claimant builds its trace and shows the root.
    Opening {
        /// The last block in which it may.
        until: BlockNumber,
    },
    /// Challengers look for a step that is wrong.
    Open {
        /// The claimant's trace.
        tree: Tree,
        /// The leaf of the claim: the hash of the statement.
        statement: H256,
        /// When it was shown.
        since: BlockNumber,
    },
    /// It is over.
    Ended(GameEnd),
}

/// How a game ended.
#[apply(sent)]
#[derive(Copy)]
pub enum GameEnd {
    /// No challenger has shown anything wrong.
    Upheld,
    /// The claim falls.
    Fallen(Fault),
    /// The judge has no steps for the computation: another referee decides.
    HandedOver,
}

/// Why a claim falls.
#[apply(sent)]
#[derive(Copy)]
pub enum Fault {
    /// The claimant showed no trace in time.
    NoTrace,
    /// The claimant did not show the row below this node in time.
    NotShown(Place),
    /// This step yields another leaf than the trace has.
    WrongStep(u64),
}

impl<AccountId, BlockNumber: AtLeast32BitUnsigned + Copy> Game<AccountId, BlockNumber> {
    /// A game that begins at `now`. The claimant has to build traces of `due_tokens` tokens, this one's among them.
    pub fn new(
        terms: GameTerms<AccountId, BlockNumber>,
        now: BlockNumber,
        due_tokens: u64,
    ) -> Self {
        let rules = &terms.rules;
        let window = rules.per_move.saturating_add(rules.work(due_tokens));
        let until = now.saturating_add(window);
        Self {
            terms,
            began: now,
            joins_until: until,
            stage: GameStage::Opening { until },
            lines: 0,
            shown: 0,
        }
    }

    /// Adds a challenger's line at `now`. The challenger has to build traces of `due_tokens` tokens, this one's among
    /// them.
    ///
    /// # Errors
    /// [`GameError::Ended`].
    pub fn join(
        &mut self,
        now: BlockNumber,
        due_tokens: u64,
    ) -> Result<Line<BlockNumber>, GameError> {
        if let GameStage::Ended(_) = self.stage {
            return Err(GameError::Ended);
        }
        self.lines = self.lines.saturating_add(1);
        Ok(Line::new(&self.terms.rules, now, due_tokens))
    }

    /// Takes the claimant's trace: its root, and the siblings of its last leaf, which has to be the result that the
    /// statement states. The caller has verified that the statement is that of the leaf.
    ///
    /// # Errors
    /// [`GameError::AlreadyOpen`], [`GameError::Ended`], [`GameError::TooLate`], [`GameError::NoShape`],
    /// [`GameError::NoSteps`] or [`GameError::OtherResult`].
    pub fn open<J: StepJudge>(
        &mut self,
        statement: &J::Statement,
        root: H256,
        siblings: &[H256],
        now: BlockNumber,
    ) -> Result<Tree, GameError> {
        match self.stage {
            GameStage::Opening { until } if now <= until => {}
            GameStage::Opening { .. } => return Err(GameError::TooLate),
            GameStage::Open { .. } => return Err(GameError::AlreadyOpen),
            GameStage::Ended(_) => return Err(GameError::Ended),
        }
        let shape = J::shape(&self.terms.subject, statement);
        let Shape { steps, result } = shape.map_err(|none| match none {
            NoTrace::False => GameError::NoShape,
            NoTrace::NoSteps => GameError::NoSteps,
        })?;
        let tree = Tree::new(root, steps).ok_or(GameError::NoShape)?;
        if !tree.verify_step(steps.saturating_sub(1), &result, siblings) {
            return Err(GameError::OtherResult);
        }
        self.stage = GameStage::Open {
            tree,
            statement: J::leaf(statement),
            since: now,
        };
        Ok(tree)
    }

    /// Ends the game without a decision, where its statement was refused as [`GameError::NoSteps`]: another referee decides
    /// as soon as the last line has [left](Self::leave).
    pub fn hand_over(&mut self) {
        self.stage = GameStage::Ended(GameEnd::HandedOver);
    }

    /// Takes a line out of a game that was handed over. Returns whether it was the last one.
    pub fn leave(&mut self) -> bool {
        self.lines = self.lines.saturating_sub(1);
        self.lines == 0
    }

    /// The challenger points to a node of the trace, of which it has shown the hash by its `siblings`: the claimant has
    /// to show the row below it. The first node is any that is not a leaf; each later one is within the last, and in
    /// the row that was shown or below. The claimant has to build traces of `due_tokens` tokens, this one's among them.
    ///
    /// # Errors
    /// [`GameError::NotOpen`], [`GameError::Ended`], [`GameError::OtherSide`], [`GameError::TooLate`],
    /// [`GameError::WrongNode`] or [`GameError::NotInTrace`].
    pub fn point(
        &self,
        line: &mut Line<BlockNumber>,
        (node, hash): (Place, H256),
        siblings: &[H256],
        now: BlockNumber,
        due_tokens: u64,
    ) -> Result<(), GameError> {
        let (tree, used) = self.move_of(line, Side::Challenger, now)?;
        let rules = &self.terms.rules;
        let is_below = match line.node {
            None => true,
            Some((last, _)) => {
                let row = tree.row_below(&last, rules.row_bits);
                let height = row.map_or(0, |(first, _)| first.row);
                node.is_within(&last) && node.row <= height
            }
        };
        if node.row == 0 || !tree.has(&node) || !is_below {
            return Err(GameError::WrongNode);
        }
        if !tree.verify(&node, hash, siblings) {
            return Err(GameError::NotInTrace);
        }
        line.node = Some((node, hash));
        line.pass(used, now, rules.work(due_tokens));
        Ok(())
    }

    /// The claimant shows the row below the node of a line. The challenger has to build traces of `due_tokens` tokens
    /// to compare it.
    ///
    /// # Errors
    /// [`GameError::NotOpen`], [`GameError::Ended`], [`GameError::OtherSide`], [`GameError::TooLate`] or
    /// [`GameError::WrongRow`].
    pub fn show(
        &mut self,
        line: &mut Line<BlockNumber>,
        row: &[H256],
        now: BlockNumber,
        due_tokens: u64,
    ) -> Result<(), GameError> {
        let (tree, used) = self.move_of(line, Side::Claimant, now)?;
        let rules = &self.terms.rules;
        let (node, hash) = line.node.ok_or(GameError::OtherSide)?;
        if !tree.verify_row(&node, hash, rules.row_bits, row) {
            return Err(GameError::WrongRow);
        }
        line.pass(used, now, rules.work(due_tokens));
        self.shown = self.shown.saturating_add(1);
        Ok(())
    }

    /// Shows that a step of the trace is wrong, by executing it. Any account can, at any time of an open game.
    ///
    /// # Errors
    /// [`GameError::NotOpen`] or [`GameError::Ended`]; where nothing is shown to be wrong
    /// [`GameError::OtherStatement`], [`GameError::NotInTrace`], [`GameError::Evidence`] or [`GameError::StepIsRight`].
    pub fn prove<J: StepJudge>(
        &mut self,
        statement: &J::Statement,
        proof: &StepProof<J::Evidence>,
    ) -> Result<Fault, GameError> {
        let (tree, expected) = match self.stage {
            GameStage::Opening { .. } => return Err(GameError::NotOpen),
            GameStage::Open {
                tree, statement, ..
            } => (tree, statement),
            GameStage::Ended(_) => return Err(GameError::Ended),
        };
        if J::leaf(statement) != expected {
            return Err(GameError::OtherStatement);
        }
        let place = Place::of_leaf(proof.step);
        if !tree.verify(&place, proof.node, &proof.siblings) {
            return Err(GameError::NotInTrace);
        }
        let subject = &self.terms.subject;
        let yielded = J::execute(subject, statement, &tree, proof.step, &proof.evidence)
            .map_err(GameError::Evidence)?;
        if merkle_leaf(&yielded) == proof.node {
            return Err(GameError::StepIsRight);
        }
        let fault = Fault::WrongStep(proof.step);
        self.fall(fault);
        Ok(fault)
    }

    /// The proof of a challenger as the move of its line. It ends the line, if not the game: so a line makes the chain
    /// execute one step at most.
    ///
    /// # Errors
    /// [`GameError::NotOpen`], [`GameError::Ended`], [`GameError::OtherSide`] or [`GameError::TooLate`].
    pub fn prove_in<J: StepJudge>(
        &mut self,
        line: &Line<BlockNumber>,
        statement: &J::Statement,
        proof: &StepProof<J::Evidence>,
        now: BlockNumber,
    ) -> Result<Proven, GameError> {
        self.move_of(line, Side::Challenger, now)?;
        Ok(match self.prove::<J>(statement, proof) {
            Ok(fault) => Proven::Fallen(fault),
            Err(error) => {
                self.end_line(now);
                Proven::Refuted(error)
            }
        })
    }

    /// Ends the game where the time to show a trace is over at `now`, or the time to join, and all lines are.
    pub fn expire(&mut self, now: BlockNumber) -> Option<GameEnd> {
        match self.stage {
            GameStage::Opening { until } if until < now => self.fall(Fault::NoTrace),
            GameStage::Open { .. } => self.uphold(now),
            _ => {}
        }
        self.end()
    }

    /// Ends a line where the time of the side that has to move is over at `now`: with the game, where that is the
    /// claimant, or the last challenger. Returns how the line ended, where that is not by the end of the claim.
    pub fn expire_line(&mut self, line: &Line<BlockNumber>, now: BlockNumber) -> Option<LineEnd> {
        if self.until(line)? >= now {
            return None;
        }
        match (line.turn.side, line.node) {
            (Side::Claimant, Some((node, _))) => {
                self.fall(Fault::NotShown(node));
                None
            }
            _ => {
                self.end_line(now);
                Some(LineEnd::Late)
            }
        }
    }

    /// How the game ended, if it has.
    pub const fn end(&self) -> Option<GameEnd> {
        match self.stage {
            GameStage::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// The last block in which the side that has to move in a line may; `None` where the game is not open.
    pub fn until(&self, line: &Line<BlockNumber>) -> Option<BlockNumber> {
        let (tree, free) = self.free_until(line)?;
        let clock = self.terms.rules.clock(tree.height());
        Some(free.saturating_add(clock.saturating_sub(line.spent(line.turn.side))))
    }

    /// What the game has cost the claimant up to `now`.
    pub fn cost(&self, now: BlockNumber) -> Effort {
        let moves = self.shown.saturating_add(1);
        Effort {
            moves,
            tokens: self.tokens_of(moves),
            blocks: now.saturating_sub(self.began).unique_saturated_into(),
        }
    }

    /// The most that one line in a tree of this height costs the claimant, where neither side has to move in another
    /// game.
    pub fn cost_of_line(&self, height: u32) -> Effort {
        let rounds = self.terms.rules.rounds(height);
        Effort {
            moves: rounds,
            tokens: self.tokens_of(rounds),
            blocks: self
                .longest_line(height, self.terms.tokens)
                .unique_saturated_into(),
        }
    }

    /// What it costs a challenger to show a fault: it builds the trace once, and moves once for each row shown.
    pub fn cost_of_proof(&self) -> Effort {
        Effort {
            moves: self.shown.saturating_add(1),
            tokens: self.tokens_of(1),
            blocks: 0,
        }
    }

    /// The most blocks of a line in a tree of this height, where no side ever has to build traces of more than
    /// `due_tokens` tokens.
    pub fn longest_line(&self, height: u32, due_tokens: u64) -> BlockNumber {
        let rules = &self.terms.rules;
        let turns = rules.rounds(height).saturating_mul(2).saturating_add(1);
        let work = rules.work(due_tokens);
        let clock = rules.clock(height);
        work.saturating_mul(turns.unique_saturated_into())
            .saturating_add(clock)
            .saturating_add(clock)
    }

    /// The tokens that building the trace `times` times executes.
    fn tokens_of(&self, times: u32) -> u64 {
        let once = self.terms.tokens.saturating_mul(TRACE_COST);
        once.saturating_mul(times.into())
    }

    fn fall(&mut self, fault: Fault) {
        self.stage = GameStage::Ended(GameEnd::Fallen(fault));
    }

    /// Ends a line in which nothing was shown to be wrong.
    fn end_line(&mut self, now: BlockNumber) {
        self.lines = self.lines.saturating_sub(1);
        self.uphold(now);
    }

    /// Ends the game where all lines are over, and no account can join any longer.
    fn uphold(&mut self, now: BlockNumber) {
        if self.lines == 0 && self.joins_until < now {
            self.stage = GameStage::Ended(GameEnd::Upheld);
        }
    }

    /// The block up to which the side that has to move spends nothing of its clock.
    fn free_until(&self, line: &Line<BlockNumber>) -> Option<(Tree, BlockNumber)> {
        match self.stage {
            GameStage::Open { tree, since, .. } => {
                let since = line.turn.since.max(since);
                Some((tree, since.saturating_add(line.turn.allowance)))
            }
            _ => None,
        }
    }

    /// Whether `side` may move in a line at `now`. Returns the trace, and what the move takes from its clock.
    fn move_of(
        &self,
        line: &Line<BlockNumber>,
        side: Side,
        now: BlockNumber,
    ) -> Result<(Tree, BlockNumber), GameError> {
        if let GameStage::Ended(_) = self.stage {
            return Err(GameError::Ended);
        }
        let (tree, free) = self.free_until(line).ok_or(GameError::NotOpen)?;
        if line.turn.side != side {
            return Err(GameError::OtherSide);
        }
        if self.until(line).is_none_or(|until| until < now) {
            return Err(GameError::TooLate);
        }
        Ok((tree, now.saturating_sub(free)))
    }
}
