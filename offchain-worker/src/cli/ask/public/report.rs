//! The progress of a request, as lines and a spinner.

use super::Seen;
use crate::chain::types::{
    BlockNumber, ClaimInfo, Payments, RefundReason, RequestPhase, RequestState, Seat,
};
use crate::cli::describe::Describe;
use crate::cli::money::Token;
use indicatif::{ProgressBar, ProgressStyle};
use noema_claims::{ClaimStage, SeatState, Verification};
use noema_model::printable::quoted;
use noema_protocol::RequestId;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) answered: Option<f64>,
}

/// Prints the changes of a request.
pub(super) struct Report {
    quiet: bool,
    pub(super) token: Token,
    pub(super) spinner: ProgressBar,
    worker: Option<String>,
    /// The number of workers that missed their deadlines.
    pub(super) missed: u32,
    /// Those of them that were seen with the request.
    pub(super) missed_by: Vec<String>,
    seats: Vec<Seat>,
    is_waived: bool,
    disputes: usize,
    pub(super) times: Times,
}

impl Report {
    pub(super) fn new(quiet: bool, token: Token) -> Self {
        let spinner = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self {
            quiet,
            token,
            spinner,
            worker: None,
            missed: 0,
            missed_by: Vec::new(),
            seats: Vec::new(),
            is_waived: false,
            disputes: 0,
            times: Times::default(),
        }
    }

    pub(super) fn line(&self, line: &str) {
        if !self.quiet {
            self.spinner.suspend(|| println!("{line}"));
        }
    }

    pub(super) fn wait(&self, what: &str) {
        self.spinner.set_message(what.to_owned());
    }

    /// Prints the changes; true once the request has ended.
    pub(super) fn update(&mut self, seen: &Seen, asked: Instant) -> bool {
        let state = &seen.state;
        self.missed(state);
        self.assignment(state);
        self.answer(state, asked);
        if let Some(claim) = &seen.claim {
            self.claim(claim);
        }
        match &state.phase {
            RequestPhase::Waiting => self.wait(&match state.position {
                None | Some(0) => "waiting for a worker".to_owned(),
                Some(1) => "waiting for a worker: 1 request is before this one".to_owned(),
                Some(others) => {
                    format!("waiting for a worker: {others} requests are before this one")
                }
            }),
            RequestPhase::Answering { deadline } => {
                self.wait(&format!("the worker has until block {deadline}"));
            }
            RequestPhase::Claimed { .. } => {
                if let Some(stage) = &state.claim_stage {
                    self.wait(&awaited(stage));
                }
            }
            RequestPhase::Settled { verification, .. } => {
                self.settled(state, verification);
                return true;
            }
            RequestPhase::Refunded { reason } => {
                self.line(&format!(
                    "refunded {} because {}",
                    self.token.show(state.payments.refunded),
                    reason.describe()
                ));
                for line in after_refund(reason, seen.id, self.missed, &self.missed_by) {
                    self.line(&line);
                }
                return true;
            }
        }
        false
    }

    fn missed(&mut self, state: &RequestState) {
        if state.attempts <= self.missed {
            return;
        }
        // The worker that was last seen with the request is one of those that missed their deadlines since.
        match self.worker.take() {
            Some(worker) => {
                self.line(&format!("worker {worker} missed its deadline"));
                self.missed_by.push(worker);
            }
            None => self.line(&missed_by(state.attempts)),
        }
        self.missed = state.attempts;
    }

    fn assignment(&mut self, state: &RequestState) {
        let worker = state
            .assignment
            .as_ref()
            .map(|assignment| assignment.worker.to_string());
        if worker != self.worker {
            if let Some(assignment) = &state.assignment {
                self.line(&format!(
                    "worker {} was drawn: at most {} for the answer and {} for checks",
                    assignment.worker,
                    self.token.show(assignment.answer_max),
                    self.token.show(assignment.check_fee)
                ));
            }
            self.worker = worker;
        }
    }

    fn answer(&mut self, state: &RequestState, asked: Instant) {
        let Some(receipt) = &state.receipt else {
            return;
        };
        if self.times.answered.is_some() {
            return;
        }
        let seconds = asked.elapsed().as_secs_f64();
        self.times.answered = Some(seconds);
        self.line(&format!("\n{}\n", quoted(&state.text, "| ")));
        self.line(&format!(
            "answered after {seconds:.1} s: {} prompt tokens, {} answer tokens",
            receipt.prompt_tokens, receipt.answer_tokens
        ));
        if let Some(claim) = state.claim {
            self.line(&format!("  claim        {claim}"));
        }
        self.line(&format!("  checkpoint   {}", receipt.checkpoint));
        self.line(&format!("  prompt hash  {:?}", receipt.prompt_hash));
        self.line(&format!("  seed         {:?}", receipt.seed));
        self.line(&format!("  answer hash  {:?}", receipt.answer_hash));
        self.line(&format!("  hidden root  {:?}", receipt.hidden_root));
    }

    fn claim(&mut self, info: &ClaimInfo) {
        let claim = &info.claim;
        for (index, seat) in claim.seats.iter().enumerate() {
            let before = self.seats.get(index);
            let is_told = match before {
                None => false,
                Some(before) => {
                    before.state == seat.state || matches!(seat.state, SeatState::Committed(_))
                }
            };
            if !is_told {
                self.line(&format!(
                    "validator {} {}",
                    seat.validator,
                    seat.state.describe()
                ));
            }
        }
        self.seats.clone_from(&claim.seats);
        let is_waived = matches!(
            claim.stage,
            ClaimStage::Challengeable {
                verification: Verification::NotDrawn,
                ..
            }
        );
        if is_waived && !self.is_waived {
            self.line("not drawn for a check");
            self.is_waived = true;
        }
        if info.disputes.len() > self.disputes {
            self.line("the answer is challenged; a jury executes it again");
        }
        self.disputes = info.disputes.len();
    }

    fn settled(&self, state: &RequestState, verification: &Verification) {
        let Payments {
            worker,
            validators,
            burned,
            refunded,
        } = &state.payments;
        self.line(&format!("settled, {}:", verification.describe()));
        if let Some(assignment) = &state.assignment {
            self.line(&format!(
                "  {:>22}  to worker {}",
                self.token.show(*worker),
                assignment.worker
            ));
        }
        for (amount, what) in [
            (validators, "to validators"),
            (burned, "burned"),
            (refunded, "back to you"),
        ] {
            self.line(&format!("  {:>22}  {what}", self.token.show(*amount)));
        }
    }
}

/// The number of workers that missed their deadlines, as text.
pub(super) fn missed_by(workers: u32) -> String {
    match workers {
        1 => "1 worker missed its deadline".to_owned(),
        workers => format!("{workers} workers missed their deadlines"),
    }
}

/// Advice after a refund: details about its cause, and commands for more.
fn after_refund(reason: &RefundReason, id: RequestId, missed: u32, by: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    if missed > 0 {
        let said = "the chain does not record why; the logs of these workers do";
        lines.push(format!("  {}; {said}", missed_by(missed)));
        lines.extend(
            by.iter()
                .map(|worker| format!("  see  noema-worker operator show {worker}")),
        );
    }
    let advice = match reason {
        RefundReason::Cancelled => return lines,
        RefundReason::NoWorker => "raise --price-limit, ask another --checkpoint, or ask later",
        RefundReason::NoAnswer => {
            "ask again; if this happens with this prompt only, change the prompt"
        }
        RefundReason::CheckpointWithdrawn => "ask another --checkpoint",
        RefundReason::FalseAnswer | RefundReason::Unconfirmed => {
            "ask again: another worker may be drawn"
        }
    };
    lines.push(format!("  {advice}"));
    lines.push(format!("  see  noema-worker request show {id}"));
    lines
}

/// The next event of a claim, as text.
fn awaited(stage: &ClaimStage<BlockNumber>) -> String {
    match stage {
        ClaimStage::Undrawn => {
            "drawing whether the answer is checked, and by which validators".into()
        }
        ClaimStage::Committing { until } | ClaimStage::Revealing { until } => {
            format!("validators execute the answer again, until block {until} at the latest")
        }
        ClaimStage::Challengeable { until, .. } => {
            format!("final after block {until} unless an account challenges the answer")
        }
        ClaimStage::Ended(_) => "the claim is over".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_says_who_missed_and_where_to_look() {
        let by = ["5GrwvaEF".to_owned()];
        let lines = after_refund(&RefundReason::NoAnswer, RequestId(7), 3, &by).join("\n");
        for expected in [
            "3 workers missed their deadlines",
            "noema-worker operator show 5GrwvaEF",
            "noema-worker request show 7",
            "ask again",
        ] {
            assert!(lines.contains(expected), "{lines}");
        }
    }

    #[test]
    fn what_the_requester_took_back_needs_no_advice() {
        assert!(after_refund(&RefundReason::Cancelled, RequestId(7), 0, &[]).is_empty());
    }
}
