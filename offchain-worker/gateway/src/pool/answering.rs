//! One answer, from as many workers and in as many parts as it needs.

use super::{Shared, Slot};
use crate::market::{Remedy, WorkerId};
use crate::source::AnswerSink;
use crate::{AnswerPart, Bill, CompleteAnswer, PaidQuestion, SourceFault};
use noema_protocol::SamplingParameters;
use noema_session_transport::{PaidAnswer, SessionError, SignedReceipt};
use noema_sessions::AnswerEnd;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::info;

/// The time before another attempt.
const NEXT_ATTEMPT: Duration = Duration::from_millis(250);
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
        bill: question.bill,
        shared,
        sink,
        given: Vec::new(),
        receipts: Vec::new(),
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
    /// The tokens so far.
    given: Vec<u32>,
    /// The most further tokens.
    left: u16,
    /// The most tokens that a worker is asked for at a time.
    part: u16,
    receipts: Vec<SignedReceipt>,
    /// The workers that failed.
    excluded: Vec<WorkerId>,
    failures: u32,
    top_ups: u32,
    /// Why the last worker failed.
    last: Option<String>,
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
        let before = self.given.len();
        let asked = Instant::now();
        let result = {
            let (given, parts) = (&mut self.given, &self.sink.parts);
            let mut on_tokens = |tokens: &[u32]| {
                given.extend_from_slice(tokens);
                let _ = parts.send(AnswerPart::Tokens(tokens.to_vec()));
            };
            let end = &mut self.sink.end;
            slot.session
                .ask(prompt.clone(), parameters, &mut on_tokens, end)
                .await
        };
        match result {
            Ok(paid) => Ok(self.paid(slot, paid, (prompt, parameters), asked.elapsed())),
            Err(error) => {
                self.count_left(before);
                self.failed(slot, error, before, parameters.max_tokens)
                    .await
            }
        }
    }

    /// Takes a verified answer to a part.
    fn paid(
        &mut self,
        mut slot: Slot,
        paid: PaidAnswer,
        (mut conversation, parameters): (Vec<u32>, SamplingParameters),
        time: Duration,
    ) -> Next {
        let receipt = paid.receipt.receipt;
        let shared = &self.shared;
        shared.metrics.paid(&paid.receipt);
        shared
            .state()
            .standings
            .answered(slot.session.worker(), paid.tokens.len(), time);
        self.bill.add(receipt.price);
        self.receipts.push(paid.receipt);
        let count = u16::try_from(paid.tokens.len()).unwrap_or(u16::MAX);
        self.left = self.left.saturating_sub(count);
        conversation.extend(paid.tokens);
        slot.remember(conversation);
        let is_part = receipt.end == AnswerEnd::Length && self.left > 0;
        if is_part && count == parameters.max_tokens {
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

    /// Counts the tokens that came after the first `before` ones, and have no receipt.
    fn count_left(&mut self, before: usize) {
        let count = self.given.len().saturating_sub(before);
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        self.left = self.left.saturating_sub(count);
    }

    async fn failed(
        &mut self,
        mut slot: Slot,
        error: SessionError,
        before: usize,
        asked_for: u16,
    ) -> Result<Next, SourceFault> {
        let reason = error.to_string();
        let worker = slot.session.worker();
        let remedy = Remedy::of(&error);
        match remedy {
            Remedy::TopUp if self.top_ups < MOST_TOP_UPS => {
                self.top_ups = self.top_ups.saturating_add(1);
                return match self.shared.top_up(&mut slot).await {
                    Ok(()) => Ok(Next::Same(slot)),
                    Err(fault) => {
                        self.shared.free(slot);
                        Err(fault)
                    }
                };
            }
            Remedy::AskForLess if asked_for > 1 && self.needs_credit(&slot, before, asked_for) => {
                self.part = asked_for / 2;
                return Ok(Next::Same(slot));
            }
            Remedy::Refuse => {
                self.shared.free(slot);
                return Err(SourceFault::Prompt(reason));
            }
            Remedy::TopUp | Remedy::AskForLess | Remedy::AskAnother => self.shared.free(slot),
            Remedy::Reconnect => self.shared.reconnect_later(slot),
            Remedy::Leave => {
                tokio::spawn(self.shared.clone().close_session(slot));
            }
        }
        info!(%reason, "a worker failed");
        self.shared.state().standings.failed(worker, Instant::now());
        self.excluded.push(worker);
        self.failures = self.failures.saturating_add(1);
        if error.is_breach() {
            self.shared.metrics.breaches.inc();
            self.take_back(before, &reason)?;
        }
        if self.failures >= self.shared.options.attempts {
            return Err(SourceFault::Failed(reason));
        }
        self.last = Some(reason);
        self.shared.metrics.moved.inc();
        tokio::time::sleep(NEXT_ATTEMPT).await;
        Ok(Next::Any)
    }

    /// Whether an answer of `asked_for` tokens after the first `before` ones may cost more than its worker was paid in
    /// the session: only then may the worker want to give a shorter one first. Each part costs the prompt once more, so
    /// one that asked for shorter parts than it needs would be paid for the prompt again and again.
    fn needs_credit(&self, slot: &Slot, before: usize, asked_for: u16) -> bool {
        let tokens = self.prompt.len().saturating_add(before);
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        let session = &slot.session;
        let dearest = session.prices().price(tokens, 0, asked_for.into());
        dearest.is_none_or(|dearest| dearest > session.paid())
    }

    /// Takes the tokens after the first `before` ones back: they are false.
    fn take_back(&mut self, before: usize, reason: &str) -> Result<(), SourceFault> {
        let count = self.given.len().saturating_sub(before);
        if count == 0 {
            return Ok(());
        }
        if self.is_streamed {
            return Err(SourceFault::Breach(reason.to_owned()));
        }
        self.given.truncate(before);
        self.left = self
            .left
            .saturating_add(u16::try_from(count).unwrap_or(u16::MAX));
        let _ = self.sink.parts.send(AnswerPart::Kept(before));
        Ok(())
    }
}
