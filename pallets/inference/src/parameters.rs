//! What governance sets: windows and rates. A request keeps those with which it was made.

use crate::{schedule, Balance};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use noema_economics::{Permill, SamplingRule};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// How long everything may take, in blocks.
///
/// Whoever has to act reads the finalized chain, because what a fork takes back would be done for nothing.
/// So each window is the time until its opening is final, [`finality_allowance`](Self::finality_allowance),
/// and the time for the work.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Windows {
    /// Blocks until a block is final.
    pub finality_allowance: u32,
    /// To answer, however short prompt and answer.
    pub answer: u32,
    /// To commit to a verdict, however short prompt and answer.
    pub commit: u32,
    /// To reveal a verdict.
    pub reveal: u32,
    /// To object before an answer is settled.
    pub objection: u32,
    /// Until an undecided dispute is closed as inconclusive.
    pub dispute: u32,
    /// Bytes of a prompt that workers and validators must read in a block. A byte is a token at most.
    pub prompt_bytes_per_block: u32,
    /// Tokens of an answer that they must compute in a block.
    pub tokens_per_block: u32,
    /// Until a request without a worker is refunded.
    pub expiry: u32,
    /// Between two searches for a worker or a validator that was not there.
    pub retry: u32,
    /// For which a final request stays readable.
    pub retention: u32,
}

impl Windows {
    /// Blocks for a worker to answer.
    pub fn to_answer(&self, prompt_bytes: u32, max_tokens: u32) -> u32 {
        self.granted(self.answer)
            .saturating_add(self.work(prompt_bytes, max_tokens))
    }

    /// Blocks for a validator to execute an answer again and commit to a verdict.
    pub fn to_commit(&self, prompt_bytes: u32, tokens: u32) -> u32 {
        self.granted(self.commit)
            .saturating_add(self.work(prompt_bytes, tokens))
    }

    /// Blocks to reveal.
    pub fn to_reveal(&self) -> u32 {
        self.granted(self.reveal)
    }

    /// Blocks to object.
    pub fn to_object(&self) -> u32 {
        self.granted(self.objection)
    }

    fn granted(&self, base: u32) -> u32 {
        self.finality_allowance.saturating_add(base)
    }

    /// Whole blocks of prompt, since the base has room for the rest, and begun blocks of answer.
    fn work(&self, prompt_bytes: u32, tokens: u32) -> u32 {
        let reading = prompt_bytes
            .checked_div(self.prompt_bytes_per_block)
            .unwrap_or(0);
        schedule::blocks_for(tokens, self.tokens_per_block).saturating_add(reading)
    }

    /// The most blocks from the draw of a panel to its last reveal.
    pub fn longest_panel(&self, largest: &Largest) -> u32 {
        self.to_commit(largest.prompt_bytes, largest.tokens)
            .saturating_add(self.to_reveal())
    }

    /// The most blocks from a request to its end, however often it is tried, checked and disputed. Each
    /// turn may wait a block for randomness to come and one to be taken.
    pub fn longest_life(&self, largest: &Largest) -> u32 {
        const TURN: u32 = 2;
        let attempt = self
            .to_answer(largest.prompt_bytes, largest.tokens)
            .saturating_add(TURN);
        let draw = self.longest_panel(largest).saturating_add(TURN);
        self.expiry
            .saturating_add(attempt.saturating_mul(largest.attempts))
            .saturating_add(self.commit)
            .saturating_add(draw.saturating_mul(largest.draws))
            .saturating_add(self.to_object())
            .saturating_add(self.dispute)
    }

    /// Refuses windows in which honest participants cannot do what is asked of them.
    ///
    /// # Errors
    ///
    /// The first reason found.
    pub fn check(&self, largest: &Largest) -> Result<(), Unworkable> {
        let refuse = |is_wrong, reason| if is_wrong { Err(reason) } else { Ok(()) };
        refuse(self.answer == 0, Unworkable::NoTimeToAnswer)?;
        refuse(self.commit == 0, Unworkable::NoTimeToCommit)?;
        refuse(self.reveal == 0, Unworkable::NoTimeToReveal)?;
        refuse(self.objection == 0, Unworkable::NoTimeToObject)?;
        refuse(
            self.prompt_bytes_per_block == 0 || self.tokens_per_block == 0,
            Unworkable::NoSpeed,
        )?;
        refuse(
            self.retry == 0 || self.retry > self.expiry,
            Unworkable::NeverTriedAgain,
        )?;
        refuse(
            self.dispute <= self.longest_panel(largest),
            Unworkable::DisputeTooShort,
        )
    }
}

/// The largest request that the chain accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Largest {
    /// Bytes of the prompt.
    pub prompt_bytes: u32,
    /// Tokens of the answer.
    pub tokens: u32,
    /// Workers that may try it.
    pub attempts: u32,
    /// Times that validators may be drawn for its check.
    pub draws: u32,
}

/// What checks cost, how often they happen, and what is lost.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rates {
    /// What a check costs, as a part of the highest price of the answer.
    pub check_fee: Permill,
    /// The part of each payment for an answer or a check that is burned.
    pub burned_share: Permill,
    /// How much more than it could win a cheat is expected to lose, in percent.
    pub margin_percent: u32,
    /// The least part of the answers that is checked.
    pub min_check_rate: Permill,
    /// The part of the bond that is locked behind a request, and that a lost dispute costs.
    pub falsehood_slash: Permill,
    /// The part of the bond that a verdict given without executing costs.
    pub unexecuted_slash: Permill,
    /// The part of the bond that a missed deadline costs.
    pub silence_slash: Permill,
    /// The most that a missed deadline costs.
    pub silence_cap: Balance,
    /// The part of a lost bond that goes to those who were right; the rest burns.
    pub winners_share: Permill,
}

impl Rates {
    /// The rule for the rate of checks.
    pub fn sampling(&self) -> SamplingRule {
        SamplingRule {
            margin_percent: self.margin_percent,
            floor: self.min_check_rate,
        }
    }

    /// Refuses rates at which an attack pays or honest work does not.
    ///
    /// # Errors
    ///
    /// The first reason found.
    pub fn check(&self) -> Result<(), Unworkable> {
        let refuse = |is_wrong, reason| if is_wrong { Err(reason) } else { Ok(()) };
        refuse(
            self.burned_share >= Permill::one(),
            Unworkable::NothingIsPaid,
        )?;
        refuse(self.margin_percent < 100, Unworkable::CheatingPays)?;
        refuse(
            self.falsehood_slash.is_zero() || self.unexecuted_slash.is_zero(),
            Unworkable::FalsehoodIsFree,
        )?;
        let lesser = self.unexecuted_slash.max(self.silence_slash);
        refuse(lesser > self.falsehood_slash, Unworkable::MoreThanIsLocked)?;
        refuse(
            self.silence_slash.is_zero() || self.silence_cap == 0,
            Unworkable::SilenceIsFree,
        )?;
        refuse(
            self.winners_share >= Permill::one(),
            Unworkable::AccusingOneselfIsFree,
        )
    }
}

/// Why windows or rates cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unworkable {
    /// The window to answer is empty.
    NoTimeToAnswer,
    /// The window to commit to a verdict is empty.
    NoTimeToCommit,
    /// The window to reveal a verdict is empty.
    NoTimeToReveal,
    /// The window to object is empty.
    NoTimeToObject,
    /// No speed is asked for, so no window grows with the work.
    NoSpeed,
    /// A request expires before a worker is looked for again, or is looked at twice in a block.
    NeverTriedAgain,
    /// A dispute ends before its committee can commit and reveal.
    DisputeTooShort,
    /// Bonds may leave before every request that they are behind has ended.
    BondsLeaveTooEarly,
    /// All of a payment burns.
    NothingIsPaid,
    /// A cheat is expected to lose less than it could win.
    CheatingPays,
    /// A lost dispute or an unexecuted verdict costs nothing.
    FalsehoodIsFree,
    /// An offence would cost more than what is locked behind a request.
    MoreThanIsLocked,
    /// A missed deadline costs nothing.
    SilenceIsFree,
    /// An operator that accuses itself gets all that it loses.
    AccusingOneselfIsFree,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::{largest, rates, windows};

    /// A change that makes what works unworkable, and the reason.
    type Refusal<T> = (fn(&mut T), Unworkable);

    #[test]
    fn a_window_is_the_allowance_and_the_work() {
        let windows = Windows {
            finality_allowance: 15,
            answer: 10,
            commit: 8,
            reveal: 5,
            objection: 4,
            prompt_bytes_per_block: 100,
            tokens_per_block: 20,
            ..windows()
        };
        assert_eq!(windows.to_answer(0, 0), 15 + 10);
        assert_eq!(windows.to_answer(1, 1), 15 + 10 + 1);
        assert_eq!(windows.to_answer(4_800, 40), 15 + 10 + 48 + 2);
        assert_eq!(windows.to_commit(4_800, 41), 15 + 8 + 48 + 3);
        assert_eq!(windows.to_reveal(), 20);
        assert_eq!(windows.to_object(), 19);
    }

    #[test]
    fn windows_that_cannot_work_are_refused_by_name() {
        let refusals: [Refusal<Windows>; 9] = [
            (|w| w.answer = 0, Unworkable::NoTimeToAnswer),
            (|w| w.commit = 0, Unworkable::NoTimeToCommit),
            (|w| w.reveal = 0, Unworkable::NoTimeToReveal),
            (|w| w.objection = 0, Unworkable::NoTimeToObject),
            (|w| w.tokens_per_block = 0, Unworkable::NoSpeed),
            (|w| w.prompt_bytes_per_block = 0, Unworkable::NoSpeed),
            (|w| w.retry = 0, Unworkable::NeverTriedAgain),
            (|w| w.expiry = 1, Unworkable::NeverTriedAgain),
            (
                |w| w.finality_allowance = w.dispute,
                Unworkable::DisputeTooShort,
            ),
        ];
        assert_eq!(windows().check(&largest()), Ok(()));
        for (change, reason) in refusals {
            let mut windows = windows();
            change(&mut windows);
            assert_eq!(windows.check(&largest()), Err(reason));
        }
    }

    #[test]
    fn rates_that_cannot_work_are_refused_by_name() {
        let refusals: [Refusal<Rates>; 8] = [
            (
                |r| r.burned_share = Permill::one(),
                Unworkable::NothingIsPaid,
            ),
            (|r| r.margin_percent = 99, Unworkable::CheatingPays),
            (
                |r| r.falsehood_slash = Permill::zero(),
                Unworkable::FalsehoodIsFree,
            ),
            (
                |r| r.unexecuted_slash = Permill::zero(),
                Unworkable::FalsehoodIsFree,
            ),
            (
                |r| r.unexecuted_slash = Permill::one(),
                Unworkable::MoreThanIsLocked,
            ),
            (
                |r| r.silence_slash = Permill::zero(),
                Unworkable::SilenceIsFree,
            ),
            (|r| r.silence_cap = 0, Unworkable::SilenceIsFree),
            (
                |r| r.winners_share = Permill::one(),
                Unworkable::AccusingOneselfIsFree,
            ),
        ];
        assert_eq!(rates().check(), Ok(()));
        for (change, reason) in refusals {
            let mut rates = rates();
            change(&mut rates);
            assert_eq!(rates.check(), Err(reason));
        }
    }
}
