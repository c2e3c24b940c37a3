//! One answer, from as many workers and in as many parts as it needs.

use super::replay::Replay;
use super::{Shared, Slot};
use crate::market::{is_lost, Remedy, WorkerId};
use crate::source::AnswerSink;
use crate::{AnswerPart, Bill, CompleteAnswer, PaidQuestion, SourceFault, UnsignedTokens};
use noema_economics::Balance;
use noema_protocol::SamplingParameters;
use noema_session_transport::{PaidAnswer, SessionError, SignedReceipt};
use noema_sessions::AnswerEnd;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{timeout, Instant};
use tracing::{error, info};

/// The time before another attempt.
const NEXT_ATTEMPT: Duration = Duration::from_millis(250);
/// How long a worker whose connection was lost has to take another one, before another worker goes on.
const REGAIN: Duration = Duration::from_secs(2);
/// Top-ups for one answer, at most.
const MOST_TOP_UPS: u32 = 2;

/// Answers a question.
pub(super) async fn run(shared: Arc<Shared>, question: PaidQuestion, sink: AnswerSink) {
    let mut answering = Answering {
        left: question.parameters.max_tokens,
        part: question.parameters.max_tokens,
        prompt: question.prompt,
        parameters: question.parameters,
        is_streamed: question.is_streamed,
        is_verified: question.is_verified,
        bill: question.bill,
        shared,
        sink,
        given: Vec::new(),
        receipts: Vec::new(),
        unsigned: Vec::new(),
        excluded: Vec::new(),
        failures: 0,
        top_ups: 0,
        last: None,
    };
    let last = match answering.run().await {
        Ok(end) => AnswerPart::Done(answering.answered(end)),
        Err(fault) => AnswerPart::Failed(fault),
    };
    // Before the end is told: the next call of the same key counts with it.
    drop(std::mem::replace(&mut answering.bill, Bill::free()));
    // It fails where nothing reads the answer.
    let _ = answering.sink.parts.send(last);
}

/// An answer in progress.
struct Answering {
    shared: Arc<Shared>,
    sink: AnswerSink,
    bill: Bill,
    prompt: Vec<u32>,
    parameters: SamplingParameters,
    is_streamed: bool,
    is_verified: bool,
    /// The tokens so far.
    given: Vec<u32>,
    /// The most further tokens.
    left: u16,
    /// The most tokens that a worker is asked for at a time.
    part: u16,
    receipts: Vec<SignedReceipt>,
    /// The tokens of it that were passed on, and have no receipt.
    unsigned: Vec<UnsignedTokens>,
    /// The workers that failed.
    excluded: Vec<WorkerId>,
    failures: u32,
    top_ups: u32,
    /// Why the last worker failed.
    last: Option<String>,
}

/// A part of an answer that a worker is asked for.
struct Part {
    prompt: Vec<u32>,
    parameters: SamplingParameters,
    /// The tokens of the answer before it.
    before: usize,
    /// The most that it can cost.
    most: Balance,
    /// The tokens of the prompt that are expected to be cached.
    expected: usize,
    asked: Instant,
}

/// What follows on a part of an answer.
enum Next {
    /// The answer has ended.
    End(AnswerEnd),
    /// The same session is asked for more.
    Same(Slot),
    /// Any session is asked for more.
    Any,
}

impl Answering {
    async fn run(&mut self) -> Result<AnswerEnd, SourceFault> {
        let mut same = None;
        loop {
            if let Some(end) = self.end() {
                if let Some(slot) = same {
                    self.shared.free_later(slot);
                }
                return Ok(end);
            }
            let slot = match same.take() {
                Some(slot) => slot,
                None => self.lease().await?,
            };
            match self.ask(slot).await? {
                Next::End(end) => return Ok(end),
                Next::Same(slot) => same = Some(slot),
                Next::Any => {}
            }
        }
    }

    fn answered(&self, end: AnswerEnd) -> CompleteAnswer {
        let first = self.receipts.first();
        CompleteAnswer {
            receipts: self.receipts.clone(),
            unsigned: self.unsigned.clone(),
            cached_tokens: first.map_or(0, |first| first.receipt.cached_tokens),
            end,
            price: self.bill.price(),
        }
    }

    /// Why no more tokens follow, if none do: the last worker may have failed before its receipt.
    fn end(&self) -> Option<AnswerEnd> {
        let last = self.given.last();
        if last.is_some_and(|last| self.shared.options.stop_tokens.contains(last)) {
            Some(AnswerEnd::Stop)
        } else if self.left == 0 {
            Some(AnswerEnd::Length)
        } else if self.sink.is_ended() {
            Some(AnswerEnd::ByPayer)
        } else {
            None
        }
    }

    async fn lease(&mut self) -> Result<Slot, SourceFault> {
        let prompt = [self.prompt.as_slice(), &self.given].concat();
        let leased = self.shared.lease(&prompt, &self.excluded);
        let mut end = self.sink.end.clone();
        let ended = async {
            let _ = end.wait_for(|end| *end).await;
        };
        let leased = tokio::select! {
            leased = leased => leased,
            () = ended => return Err(SourceFault::Failed("the answer was ended".to_owned())),
        };
        // The first failure says more than that no other worker is left.
        leased.map_err(|fault| match self.last.take() {
            Some(last) => SourceFault::Failed(last),
            None => fault,
        })
    }

    async fn ask(&mut self, mut slot: Slot) -> Result<Next, SourceFault> {
        let prompt = [self.prompt.as_slice(), &self.given].concat();
        let parameters = SamplingParameters {
            max_tokens: self.part.min(self.left),
            ..self.parameters
        };
        let part = Part {
            before: self.given.len(),
            most: Shared::most(&slot, prompt.len(), parameters.max_tokens),
            expected: slot.shared(&prompt),
            asked: Instant::now(),
            prompt,
            parameters,
        };
        // One that is still to come was asked for before, and is not paid by this bill.
        slot.owed.get_or_insert_with(Bill::free);
        if let Err(error) = self.shared.receive_owed(&mut slot).await {
            return self.failed(slot, error, &part).await;
        }
        if let Err(fault) = self.bill.cover(part.most).await {
            self.shared.free(slot);
            return Err(fault);
        }
        let result = {
            let (given, parts) = (&mut self.given, &self.sink.parts);
            let mut on_tokens = |tokens: &[u32]| {
                given.extend_from_slice(tokens);
                let _ = parts.send(AnswerPart::Tokens(tokens.to_vec()));
            };
            let end = &mut self.sink.end;
            slot.session
                .ask(part.prompt.clone(), parameters, &mut on_tokens, end)
                .await
        };
        let result = match result {
            Err(error) if is_lost(&error) => self.regain(&mut slot, error, part.before).await,
            result => result.map(|paid| (paid, true)),
        };
        match result {
            Ok((paid, is_true)) => {
                let worker = slot.session.worker();
                let next = self.paid(slot, paid, part);
                if !is_true {
                    self.set_back(worker, true);
                    if let Next::Same(slot) = next {
                        self.shared.free_later(slot);
                    }
                    let reason = "it sent other tokens before its connection was lost";
                    return Err(SourceFault::Breach(reason.to_owned()));
                }
                Ok(next)
            }
            Err(error) => self.failed(slot, error, &part).await,
        }
    }

    /// Connects once more to a worker whose connection was lost, and receives the whole answer: it may be complete
    /// there, and only its receipt be missing. Returns also whether the tokens that were passed on are true.
    async fn regain(
        &mut self,
        slot: &mut Slot,
        error: SessionError,
        before: usize,
    ) -> Result<(PaidAnswer, bool), SessionError> {
        if !matches!(timeout(REGAIN, slot.session.reconnect()).await, Ok(Ok(()))) {
            return Err(error);
        }
        let mut replay = Replay::new(self.given.split_off(before));
        let resumed = {
            let parts = &self.sink.parts;
            let mut on_tokens = |tokens: &[u32]| {
                let further = replay.push(tokens);
                if !further.is_empty() {
                    let _ = parts.send(AnswerPart::Tokens(further));
                }
            };
            let end = &mut self.sink.end;
            slot.session.resume(&mut on_tokens, end).await
        };
        let (same, differs) = (replay.same(), replay.differs());
        let passed_on = replay.passed_on();
        let paid = match resumed.map(|resumed| resumed.ok_or(error)) {
            Ok(Ok(paid)) => paid,
            Ok(Err(error)) | Err(error) => {
                self.given.extend(passed_on);
                return Err(error);
            }
        };
        self.shared.metrics.resumed.inc();
        self.given.extend_from_slice(&paid.tokens);
        // An answer that is ended has no receipt for its last tokens, which is no fault.
        let is_longer = passed_on.len() > same && !self.sink.is_ended();
        if differs || is_longer {
            if self.is_streamed {
                return Ok((paid, false));
            }
            let parts = &self.sink.parts;
            let _ = parts.send(AnswerPart::Kept(before.saturating_add(same)));
            let rest = paid.tokens.get(same..).unwrap_or_default();
            if !rest.is_empty() {
                let _ = parts.send(AnswerPart::Tokens(rest.to_vec()));
            }
        }
        Ok((paid, true))
    }

    /// Takes a verified answer to a part.
    fn paid(&mut self, mut slot: Slot, paid: PaidAnswer, part: Part) -> Next {
        let receipt = paid.receipt.receipt;
        let shared = &self.shared;
        let worker = slot.session.worker();
        shared.took(worker, &paid.receipt, self.is_verified);
        {
            let mut state = shared.state();
            let (standings, time) = (&mut state.standings, part.asked.elapsed());
            standings.answered(worker, paid.tokens.len(), time);
            let missing = standings.cached(worker, part.expected, receipt.cached_tokens);
            shared.metrics.uncached_tokens.inc_by(missing);
        }
        self.bill.add(receipt.price);
        self.receipts.push(paid.receipt);
        let count = u16::try_from(paid.tokens.len()).unwrap_or(u16::MAX);
        self.left = self.left.saturating_sub(count);
        let mut conversation = part.prompt;
        conversation.extend(paid.tokens);
        slot.remember(conversation);
        let is_part = receipt.end == AnswerEnd::Length && self.left > 0;
        if is_part && count == part.parameters.max_tokens {
            // What is paid raises the credit.
            self.part = self.part.saturating_mul(2);
            return Next::Same(slot);
        }
        if receipt.end == AnswerEnd::ByPayer {
            shared.metrics.ended.inc();
        }
        shared.free_later(slot);
        Next::End(receipt.end)
    }

    async fn failed(
        &mut self,
        mut slot: Slot,
        error: SessionError,
        part: &Part,
    ) -> Result<Next, SourceFault> {
        let reason = error.to_string();
        let worker = slot.session.worker();
        let remedy = Remedy::of(&error);
        let asked_for = part.parameters.max_tokens;
        let leaves_unsigned = self.given.len() > part.before;
        // It may still come, and is paid then.
        let may_come = leaves_unsigned || matches!(remedy, Remedy::Reconnect | Remedy::MakeRoom);
        if may_come && slot.owed.is_none() {
            slot.owed = Some(self.bill.split(part.most));
        }
        match remedy {
            Remedy::TopUp if self.top_ups < MOST_TOP_UPS && !leaves_unsigned => {
                self.top_ups = self.top_ups.saturating_add(1);
                return match self.shared.top_up(&mut slot).await {
                    Ok(()) => Ok(Next::Same(slot)),
                    Err(fault) => {
                        self.shared.free(slot);
                        Err(fault)
                    }
                };
            }
            Remedy::AskForLess
                if asked_for > 1 && Self::needs_credit(&slot, part) && !leaves_unsigned =>
            {
                self.part = asked_for / 2;
                return Ok(Next::Same(slot));
            }
            Remedy::Refuse => {
                self.shared.free(slot);
                return Err(SourceFault::Prompt(reason));
            }
            Remedy::MakeRoom => {
                error!(%reason, "no answer is asked for, or paid");
                self.shared.free(slot);
                return Err(SourceFault::Store("sessions".to_owned()));
            }
            Remedy::TopUp | Remedy::AskForLess | Remedy::AskAnother => self.shared.free(slot),
            Remedy::Reconnect => self.shared.reconnect_later(slot),
            Remedy::Leave => {
                tokio::spawn(self.shared.clone().close_session(slot));
            }
        }
        info!(%reason, "a worker failed");
        self.set_back(worker, leaves_unsigned);
        self.excluded.push(worker);
        self.failures = self.failures.saturating_add(1);
        if error.is_breach() {
            self.shared.metrics.breaches.inc();
        }
        if leaves_unsigned {
            self.leave_unsigned(part.before, error.is_breach(), &reason)?;
        }
        if self.failures >= self.shared.options.attempts {
            return Err(SourceFault::Failed(reason));
        }
        self.last = Some(reason);
        self.shared.metrics.moved.inc();
        tokio::time::sleep(NEXT_ATTEMPT).await;
        Ok(Next::Any)
    }

    fn set_back(&self, worker: WorkerId, leaves_unsigned: bool) {
        let standings = &mut self.shared.state().standings;
        standings.failed(worker, leaves_unsigned, Instant::now());
    }

    /// Whether a part may cost more than its worker was paid in the session: only then may the worker want to give a
    /// shorter one first. Each part costs the prompt once more, so one that asked for shorter parts than it needs would be
    /// paid for the prompt again and again.
    fn needs_credit(slot: &Slot, part: &Part) -> bool {
        part.most > slot.session.paid()
    }

    /// Deals with the tokens after the first `before` ones, which have no receipt, so that their worker answers for none
    /// of them. They are taken back, and the next worker begins where they began. Where they were passed on, it can only go
    /// on after them, and the answer names them; it ends where they are known to be false.
    fn leave_unsigned(
        &mut self,
        before: usize,
        are_false: bool,
        reason: &str,
    ) -> Result<(), SourceFault> {
        if !self.is_streamed {
            if self.sink.is_ended() {
                // What it was ended for, such as a stop string, may be in these tokens.
                return Err(SourceFault::Failed(reason.to_owned()));
            }
            self.given.truncate(before);
            let _ = self.sink.parts.send(AnswerPart::Kept(before));
            return Ok(());
        }
        if are_false {
            return Err(SourceFault::Breach(reason.to_owned()));
        }
        let tokens = self.given.len().saturating_sub(before);
        let count = u16::try_from(tokens).unwrap_or(u16::MAX);
        self.left = self.left.saturating_sub(count);
        self.shared.metrics.unsigned_tokens.inc_by(count.into());
        self.unsigned.push(UnsignedTokens {
            first: before,
            tokens,
        });
        Ok(())
    }
}
