//! One answer of a session.

use super::model::{AnswerStop, ModelFault, SessionAnswer, SessionQuestion};
use super::served::{self, Served};
use super::ServedSessions;
use crate::{
    blocking, is_signed, AnswerRecord, AskMessage, SignedReceipt, WorkerRecord, WorkerRefusal,
};
use noema_protocol::hashing;
use noema_sessions::{AnswerEnd, Ask, WorkerError, WorkerPhase};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tracing::{debug, warn};

/// An event of an answer.
pub(crate) enum AnswerEvent {
    /// The next token.
    Token(u32),
    /// The end: the receipt, or the reason why there is none.
    Done(Result<Box<SignedReceipt>, WorkerRefusal>),
}

/// An answer in progress. If it is dropped, the answer is stopped within a pass.
pub(crate) struct Answering {
    pub(crate) events: UnboundedReceiver<AnswerEvent>,
    ended: Arc<AtomicBool>,
}

impl Answering {
    /// The payer ends the answer: it gets the tokens so far, one at least.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// What a model did.
struct Ran {
    /// The tokens that were sent.
    sent: Vec<u32>,
    result: Result<SessionAnswer, ModelFault>,
}

impl ServedSessions {
    /// Begins to answer. The answer does not depend on its receiver, which may have too little time for it: at most
    /// all tokens of one answer wait there.
    pub(crate) fn ask(self: &Arc<Self>, message: AskMessage) -> Answering {
        let (sender, events) = unbounded_channel();
        let ended = Arc::new(AtomicBool::new(false));
        let (sessions, is_ended) = (self.clone(), ended.clone());
        tokio::spawn(async move {
            let done = sessions.answer(message, &sender, is_ended).await;
            // The payer may have gone.
            let _ = sender.send(AnswerEvent::Done(done));
        });
        Answering { events, ended }
    }

    async fn answer(
        self: &Arc<Self>,
        message: AskMessage,
        sender: &UnboundedSender<AnswerEvent>,
        is_ended: Arc<AtomicBool>,
    ) -> Result<Box<SignedReceipt>, WorkerRefusal> {
        let served = self
            .served(message.session)
            .ok_or(WorkerRefusal::NotServed)?;
        let Ok(_ask) = served.asks.try_acquire() else {
            return Err(WorkerRefusal::Busy);
        };
        let is_stated = u32::try_from(message.prompt.len()) == Ok(message.ask.prompt_tokens)
            && hashing::tokens_hash(&message.prompt) == message.ask.prompt_hash;
        if !is_stated {
            return Err(WorkerRefusal::Prompt);
        }
        let phase = *served.record().side.phase();
        if let WorkerPhase::Answering(present) = phase
            && served.is_running()
        {
            if present != message.ask {
                return Err(WorkerRefusal::Rules(WorkerError::Busy));
            }
            // The payer asks again where its connection was lost, which may not have been noticed here. The second time,
            // the answer is computed to its end, and sent again.
            if served.begun.load(Ordering::Relaxed) <= 1 {
                served.stop();
            }
        }
        let Some(_turn) = served.take_turn(sender).await else {
            return Err(WorkerRefusal::Stopped);
        };
        if let Some(receipt) = self.repeat(&served, &message, sender).await? {
            return Ok(receipt);
        }
        if self.is_draining() {
            return Err(WorkerRefusal::NotReady);
        }
        let prompt = message.prompt.clone();
        let ask = message.ask;
        let is_new = self.accept(&served, message).await?;
        let done = self
            .compute(&served, ask, prompt, is_new, sender, is_ended)
            .await;
        let (sessions, closing) = (self.clone(), served.clone());
        blocking(move || sessions.bond.refresh(&closing.record().side)).await;
        done
    }

    /// Sends an answer again that was given and not paid, if that is what the payer asks for.
    async fn repeat(
        self: &Arc<Self>,
        served: &Arc<Served>,
        message: &AskMessage,
        sender: &UnboundedSender<AnswerEvent>,
    ) -> Result<Option<Box<SignedReceipt>>, WorkerRefusal> {
        let ask = message.ask;
        let is_same = match served.record().side.phase() {
            WorkerPhase::Unpaid(receipt) => {
                receipt.n == ask.n
                    && receipt.prompt_hash == ask.prompt_hash
                    && receipt.prompt_tokens == ask.prompt_tokens
                    && receipt.parameters == ask.parameters
            }
            WorkerPhase::Idle | WorkerPhase::Answering(_) => false,
        };
        if !is_same {
            return Ok(None);
        }
        let (sessions, served) = (self.clone(), served.clone());
        let stored = blocking(move || sessions.stored_answer(&served, ask.n)).await?;
        for token in stored.answer {
            let _ = sender.send(AnswerEvent::Token(token));
        }
        Ok(Some(Box::new(stored.receipt)))
    }

    /// The stored answer number `n` of a session, signed by the present hot key: the payer takes no receipt of an
    /// earlier one.
    fn stored_answer(&self, served: &Served, n: u32) -> Result<AnswerRecord, WorkerRefusal> {
        let mut stored = match self.store.answer(self.worker, served.id, n) {
            Ok(Some(stored)) => stored,
            Ok(None) => return Err(WorkerRefusal::NotServed),
            Err(error) => {
                warn!(session = %served.id, %error, "cannot read an answer of a session");
                return Err(served::refusal(&error));
            }
        };
        let signed = &mut stored.receipt;
        let hash = signed.receipt.hash();
        if !is_signed(&self.key.account(), &hash, &signed.signature) {
            signed.signature = self.key.sign(&hash);
            self.step_with(served, |_| ((), Some(stored.clone())))?;
        }
        Ok(stored)
    }

    /// Takes the voucher and the ask. Returns whether the ask is new, and not one that was in progress before.
    async fn accept(
        self: &Arc<Self>,
        served: &Arc<Served>,
        message: AskMessage,
    ) -> Result<bool, WorkerRefusal> {
        let (sessions, served) = (self.clone(), served.clone());
        blocking(move || {
            sessions.make_room(&served, &message)?;
            let accepted = sessions.step(&served, |record| {
                let is_over = served.is_over.load(Ordering::Relaxed);
                (!is_over).then(|| sessions.take_ask(&served, record, &message))
            })?;
            let accepted = accepted.ok_or(WorkerRefusal::NotServed)?;
            let accepted = accepted.and_then(|accepted| accepted);
            match accepted {
                Ok(true) => served.begun.store(0, Ordering::Relaxed),
                Ok(false) => {}
                Err(error) => {
                    if error == WorkerError::ClaimFirst {
                        served.wants_claim.store(true, Ordering::Relaxed);
                    }
                    sessions.bond.refresh(&served.record().side);
                }
            }
            accepted.map_err(WorkerRefusal::Rules)
        })
        .await
    }

    /// Refuses an ask whose answer could not be stored. The voucher that comes with it is kept: it is what was earned.
    fn make_room(&self, served: &Served, message: &AskMessage) -> Result<(), WorkerRefusal> {
        let Err(error) = self.store.ensure_room_for_answer() else {
            return Ok(());
        };
        warn!(session = %served.id, %error, "no answer of a session is begun");
        if let Some(signed) = &message.voucher
            && signed.voucher.session == served.id
        {
            let paid = self.step(served, |record| {
                served::pay(record, &served.voucher_key, signed)
            })?;
            paid.map_err(WorkerRefusal::Rules)?;
            self.bond.refresh(&served.record().side);
        }
        Err(served::refusal(&error))
    }

    /// The step of an ask: the voucher that comes with it is kept, even if the ask is refused.
    fn take_ask(
        &self,
        served: &Served,
        record: &mut WorkerRecord,
        message: &AskMessage,
    ) -> Result<Result<bool, WorkerError>, WorkerError> {
        if let Some(signed) = &message.voucher
            && signed.voucher.session == served.id
        {
            served::pay(record, &served.voucher_key, signed)?;
        }
        let (side, ask) = (&mut record.side, &message.ask);
        let is_new = !matches!(side.phase(), WorkerPhase::Answering(_));
        let prices = side.agreement().prices;
        let dearest = prices.price(ask.prompt_tokens, 0, ask.parameters.max_tokens.into());
        if let (Some(price), true) = (dearest, is_new) {
            let free = self.bond.reserve(side, price);
            side.set_free_bond(free);
        }
        Ok(side.ask(ask).map(|()| is_new))
    }

    /// Computes an answer, and signs its receipt.
    async fn compute(
        self: &Arc<Self>,
        served: &Arc<Served>,
        ask: Ask,
        prompt: Vec<u32>,
        is_new: bool,
        sender: &UnboundedSender<AnswerEvent>,
        is_ended: Arc<AtomicBool>,
    ) -> Result<Box<SignedReceipt>, WorkerRefusal> {
        let place = tokio::select! {
            place = self.admission.enter(served.payer) => place,
            () = sender.closed() => None,
        };
        let Some(_place) = place else {
            return Err(self.give_up(served, is_new, WorkerRefusal::Busy).await);
        };
        let stop = AnswerStop::default();
        served.runs(Some(stop.clone()));
        let question = self.question(served, ask, prompt.clone());
        let begun = served.begins();
        let Ran { sent, result } = self
            .run(question, &stop, sender, is_ended.clone(), begun)
            .await;
        served.runs(None);
        let answer = match result {
            Ok(answer) => answer,
            Err(fault) => {
                let refusal = match &fault {
                    ModelFault::Prompt(_) => WorkerRefusal::Prompt,
                    ModelFault::Busy(_) => WorkerRefusal::Busy,
                    ModelFault::Failed(_) => WorkerRefusal::Failed,
                };
                debug!(session = %served.id, n = ask.n, ?fault, "an answer of a session failed");
                return Err(self
                    .give_up(served, is_new && sent.is_empty(), refusal)
                    .await);
            }
        };
        let is_ended = is_ended.load(Ordering::Relaxed);
        if answer.tokens.is_empty() || (answer.end == AnswerEnd::ByPayer && !is_ended) {
            // It can be asked for again, and no other answer in its place: its tokens may have been read.
            return Err(self
                .give_up(served, is_new && sent.is_empty(), WorkerRefusal::Stopped)
                .await);
        }
        if answer.tokens != sent {
            warn!(session = %served.id, n = ask.n, "a device computed wrong tokens for a session, and they were sent; the payer has to ask again");
            return Err(WorkerRefusal::Failed);
        }
        self.finish(served, prompt, answer).await
    }

    fn question(&self, served: &Served, ask: Ask, prompt: Vec<u32>) -> SessionQuestion {
        let record = served.record();
        let agreement = record.side.agreement();
        SessionQuestion {
            session: served.id,
            checkpoint: agreement.checkpoint,
            prompt,
            parameters: ask.parameters,
            seed: agreement.seed_of(ask.n),
        }
    }

    /// Runs the model. An answer whose payer has gone is stopped, unless it was `begun` before: so a payer that breaks
    /// off again and again does not have it computed again and again.
    async fn run(
        self: &Arc<Self>,
        question: SessionQuestion,
        stop: &AnswerStop,
        sender: &UnboundedSender<AnswerEvent>,
        is_ended: Arc<AtomicBool>,
        begun: u32,
    ) -> Ran {
        let (model, inner, tokens) = (self.model.clone(), stop.clone(), sender.clone());
        let mut running = std::pin::pin!(blocking(move || {
            let mut sent = Vec::new();
            let result = model.answer(&question, &inner, &mut |token| {
                sent.push(token);
                // The payer may have gone, which is noticed elsewhere.
                let _ = tokens.send(AnswerEvent::Token(token));
                match is_ended.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            Ran { sent, result }
        }));
        tokio::select! {
            ran = &mut running => return ran,
            () = sender.closed() => {}
        }
        if begun == 0 {
            stop.stop();
        }
        running.await
    }

    /// Drops an answer of which nothing was sent. Returns `refusal`.
    async fn give_up(
        self: &Arc<Self>,
        served: &Arc<Served>,
        drops: bool,
        refusal: WorkerRefusal,
    ) -> WorkerRefusal {
        if !drops {
            return refusal;
        }
        let (sessions, served) = (self.clone(), served.clone());
        let dropped =
            blocking(move || sessions.step(&served, |record| record.side.drop_answer())).await;
        match dropped {
            Ok(()) => refusal,
            Err(failed) => failed,
        }
    }

    /// Makes and signs the receipt, and stores it with the answer before it returns it.
    async fn finish(
        self: &Arc<Self>,
        served: &Arc<Served>,
        prompt: Vec<u32>,
        answer: SessionAnswer,
    ) -> Result<Box<SignedReceipt>, WorkerRefusal> {
        let (sessions, served) = (self.clone(), served.clone());
        blocking(move || {
            let finished = sessions.step_with(&served, |record| {
                let SessionAnswer {
                    tokens,
                    hidden_root,
                    cached_tokens,
                    end,
                } = answer;
                let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
                let stated = (hashing::tokens_hash(&tokens), count);
                let finished = record.side.finish(cached_tokens, stated, end, hidden_root);
                match finished {
                    Ok(receipt) => {
                        let signature = sessions.key.sign(&receipt.hash());
                        let receipt = SignedReceipt { receipt, signature };
                        let stored = AnswerRecord {
                            prompt,
                            answer: tokens,
                            receipt,
                        };
                        (Ok(receipt), Some(stored))
                    }
                    Err(error) => (Err(error), None),
                }
            })?;
            match finished {
                Ok(signed) => {
                    sessions.count(&signed.receipt);
                    Ok(Box::new(signed))
                }
                Err(error) => {
                    warn!(session = %served.id, %error, "an answer of a session has no receipt");
                    Err(WorkerRefusal::Rules(error))
                }
            }
        })
        .await
    }
}
