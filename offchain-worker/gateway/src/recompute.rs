//! Executes received answers again, one at a time, and keeps the results for a while.

use crate::receipts::{ReceiptFault, Recomputation, RecomputeVerdict};
use noema_protocol::SamplingParameters;
use noema_session_transport::{
    AnswerStop, ModelFault, ReceivedAnswer, SessionModel, SessionQuestion,
};
use noema_sessions::{AnswerEnd, SessionReceipt};
use sp_core::H256;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Executions that are in progress or wait, at most.
const MOST_OPEN: usize = 64;
/// How long a result is kept.
const KEPT: Duration = Duration::from_secs(3_600);

/// Loads the model of a checkpoint.
pub trait LoadModel: Send + Sync + 'static {
    /// The model; blocks until it is loaded.
    ///
    /// # Errors
    /// When this machine cannot execute it; the reason is a sentence without its full stop.
    fn load(&self) -> Result<Arc<dyn SessionModel>, String>;
}

/// Executes received answers again. The model is loaded for the first one, and unloaded once no result is kept any
/// longer. Dropped, it stops the execution in progress.
pub struct Recomputer {
    shared: Arc<Shared>,
}

struct Shared {
    loader: Arc<dyn LoadModel>,
    model: tokio::sync::Mutex<Option<Arc<dyn SessionModel>>>,
    runs: Mutex<HashMap<H256, Arc<Run>>>,
    /// Held by the execution in progress.
    turn: Semaphore,
    stop: AnswerStop,
    kept: Duration,
}

/// An execution.
struct Run {
    tokens: u32,
    done: AtomicU32,
    end: Mutex<Option<Result<RecomputeVerdict, String>>>,
}

impl Run {
    fn new(answer: &ReceivedAnswer) -> Self {
        Self {
            tokens: answer.receipt.receipt.answer_tokens,
            done: AtomicU32::new(0),
            end: Mutex::default(),
        }
    }

    fn end(&self) -> Option<Result<RecomputeVerdict, String>> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.clone()
    }

    fn progress(&self) -> Result<Recomputation, ReceiptFault> {
        let verdict = self.end().transpose().map_err(ReceiptFault::Failed)?;
        Ok(Recomputation {
            tokens: self.tokens,
            done: match verdict {
                Some(_) => self.tokens,
                None => self.done.load(Ordering::Relaxed),
            },
            verdict,
        })
    }
}

impl Recomputer {
    /// Executes with the model of `loader`.
    pub fn new(loader: Arc<dyn LoadModel>) -> Self {
        Self::keeping(loader, KEPT)
    }

    fn keeping(loader: Arc<dyn LoadModel>, kept: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                loader,
                model: tokio::sync::Mutex::default(),
                runs: Mutex::default(),
                turn: Semaphore::new(1),
                stop: AnswerStop::default(),
                kept,
            }),
        }
    }

    /// Begins to execute an answer again, or joins an execution in progress or a result.
    ///
    /// # Errors
    /// When the model cannot be loaded, or too many executions wait.
    pub async fn begin(&self, answer: ReceivedAnswer) -> Result<Recomputation, ReceiptFault> {
        let hash = answer.receipt.receipt.hash();
        let shared = &self.shared;
        if let Some(run) = shared.usable(&hash) {
            return run.progress();
        }
        let model = shared.model().await?;
        let run = {
            let mut runs = shared.runs();
            if let Some(run) = runs.get(&hash).filter(|run| is_usable(run)) {
                return run.progress();
            }
            let open = runs.values().filter(|run| run.end().is_none()).count();
            if open >= MOST_OPEN {
                return Err(ReceiptFault::Busy);
            }
            let run = Arc::new(Run::new(&answer));
            runs.insert(hash, run.clone());
            run
        };
        let progress = run.progress();
        tokio::spawn(shared.clone().run(run, hash, answer, model));
        progress
    }

    /// Executes an answer once more, whatever is known of it, and returns the result when it is there.
    ///
    /// # Errors
    /// When the model cannot be loaded, or the execution fails.
    pub async fn confirm(&self, answer: ReceivedAnswer) -> Result<RecomputeVerdict, ReceiptFault> {
        let shared = &self.shared;
        let model = shared.model().await?;
        let run = Arc::new(Run::new(&answer));
        let executed = shared.executed(&run, answer, model).await;
        executed.map_err(ReceiptFault::Failed)
    }

    /// How far the execution for the receipt with this hash is.
    ///
    /// # Errors
    /// When none was begun, its result is no longer kept, or it failed.
    pub fn progress(&self, receipt: H256) -> Result<Recomputation, ReceiptFault> {
        let run = self.shared.runs().get(&receipt).cloned();
        run.ok_or(ReceiptFault::NotBegun)?.progress()
    }
}

impl Drop for Recomputer {
    fn drop(&mut self) {
        self.shared.stop.stop();
    }
}

impl Shared {
    fn runs(&self) -> MutexGuard<'_, HashMap<H256, Arc<Run>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable(&self, hash: &H256) -> Option<Arc<Run>> {
        let run = self.runs().get(hash).cloned();
        run.filter(|run| is_usable(run))
    }

    /// The model, which is loaded if need be.
    async fn model(self: &Arc<Self>) -> Result<Arc<dyn SessionModel>, ReceiptFault> {
        let mut model = self.model.lock().await;
        if let Some(model) = model.as_ref() {
            return Ok(model.clone());
        }
        let loader = self.loader.clone();
        let loaded = tokio::task::spawn_blocking(move || loader.load()).await;
        let loaded = loaded.map_err(|_| ReceiptFault::Failed("loading it panicked".to_owned()))?;
        let loaded = loaded.map_err(ReceiptFault::NoWeights)?;
        *model = Some(loaded.clone());
        Ok(loaded)
    }

    /// Executes an answer when it is its turn.
    async fn executed(
        &self,
        run: &Arc<Run>,
        answer: ReceivedAnswer,
        model: Arc<dyn SessionModel>,
    ) -> Result<RecomputeVerdict, String> {
        // The semaphore is never closed.
        let _turn = self.turn.acquire().await;
        let (running, stop) = (run.clone(), self.stop.clone());
        let executing =
            tokio::task::spawn_blocking(move || execute(&*model, &answer, &running, &stop));
        executing
            .await
            .unwrap_or_else(|_| Err("it panicked".to_owned()))
    }

    /// Executes an answer when it is its turn, and keeps the result for a while.
    async fn run(
        self: Arc<Self>,
        run: Arc<Run>,
        hash: H256,
        answer: ReceivedAnswer,
        model: Arc<dyn SessionModel>,
    ) {
        let ended = self.executed(&run, answer, model).await;
        *run.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
        tokio::time::sleep(self.kept).await;
        let is_unused = {
            let mut runs = self.runs();
            if runs.get(&hash).is_some_and(|kept| Arc::ptr_eq(kept, &run)) {
                runs.remove(&hash);
            }
            runs.is_empty()
        };
        if is_unused {
            *self.model.lock().await = None;
        }
    }
}

/// Whether an execution did not fail.
fn is_usable(run: &Run) -> bool {
    !matches!(run.end(), Some(Err(_)))
}

/// Executes an answer, and compares the result with its receipt. Ends with the first token that differs.
fn execute(
    model: &dyn SessionModel,
    answer: &ReceivedAnswer,
    run: &Run,
    stop: &AnswerStop,
) -> Result<RecomputeVerdict, String> {
    let receipt = &answer.receipt.receipt;
    let (parameters, end) = asked_for(receipt);
    let question = SessionQuestion {
        session: receipt.session,
        checkpoint: receipt.checkpoint,
        prompt: answer.prompt.clone(),
        parameters,
        seed: receipt.seed,
    };
    let mut same: usize = 0;
    let mut differs = false;
    let executed = model.answer(&question, stop, &mut |token| {
        // Tokens may still come after the first break.
        differs = differs || answer.answer.get(same) != Some(&token);
        if differs {
            return ControlFlow::Break(());
        }
        same = same.saturating_add(1);
        run.done.store(count(same), Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    if stop.is_stopped() {
        return Err("the gateway stops".to_owned());
    }
    let again = executed.map_err(|fault| match fault {
        ModelFault::Busy(reason) | ModelFault::Failed(reason) | ModelFault::Prompt(reason) => {
            reason
        }
        _ => "the model gives no answer".to_owned(),
    })?;
    let is_same = again.tokens == answer.answer
        && again.end == end
        && again.hidden_root == receipt.hidden_root;
    Ok(match is_same {
        true => RecomputeVerdict::Same,
        false if differs || same < answer.answer.len() => RecomputeVerdict::Differs(count(same)),
        false => RecomputeVerdict::Differs(0),
    })
}

/// The parameters with which an answer is executed again, and why it has to end then. One that its payer ended is asked for
/// at its length: a model that is told to stop may have computed more by then.
fn asked_for(receipt: &SessionReceipt) -> (SamplingParameters, AnswerEnd) {
    let parameters = receipt.parameters;
    let length = u16::try_from(receipt.answer_tokens).unwrap_or(u16::MAX);
    match receipt.end {
        AnswerEnd::ByPayer if length < parameters.max_tokens => {
            let shorter = SamplingParameters {
                max_tokens: length,
                ..parameters
            };
            (shorter, AnswerEnd::Length)
        }
        end => (parameters, end),
    }
}

fn count(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_protocol::{CheckpointId, SessionId};
    use noema_session_transport::{SessionAnswer, SignedReceipt};
    use std::sync::atomic::AtomicBool;

    const ROOT: H256 = H256::repeat_byte(5);

    /// Answers with the numbers from 0 on, as many as are asked for. It stops a token late, as a scheduler does.
    #[derive(Default)]
    struct Counting {
        is_away: AtomicBool,
        fails: AtomicBool,
        loaded: AtomicU32,
    }

    struct Model(Arc<Counting>);

    impl LoadModel for Arc<Counting> {
        fn load(&self) -> Result<Arc<dyn SessionModel>, String> {
            self.loaded.fetch_add(1, Ordering::SeqCst);
            match self.is_away.load(Ordering::SeqCst) {
                true => Err("no device passed the self-test".to_owned()),
                false => Ok(Arc::new(Model(self.clone()))),
            }
        }
    }

    impl SessionModel for Model {
        fn answer(
            &self,
            question: &SessionQuestion,
            _: &AnswerStop,
            on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
        ) -> Result<SessionAnswer, ModelFault> {
            if self.0.fails.load(Ordering::SeqCst) {
                return Err(ModelFault::Failed("the test says so".into()));
            }
            let mut answer = SessionAnswer {
                tokens: Vec::new(),
                hidden_root: ROOT,
                cached_tokens: 0,
                end: AnswerEnd::Length,
            };
            let mut is_told = false;
            for token in 0..u32::from(question.parameters.max_tokens) {
                answer.tokens.push(token);
                let flow = on_token(token);
                if is_told {
                    answer.end = AnswerEnd::ByPayer;
                    break;
                }
                is_told = flow.is_break();
            }
            Ok(answer)
        }
    }

    /// An answer with these tokens, of ten that were asked for.
    fn received(answer: &[u32], end: AnswerEnd, hidden_root: H256) -> ReceivedAnswer {
        let receipt = SessionReceipt {
            session: SessionId(1),
            n: 0,
            first: 0,
            terms: H256::zero(),
            checkpoint: CheckpointId(H256::zero()),
            prompt_hash: H256::zero(),
            prompt_tokens: 1,
            cached_tokens: 0,
            parameters: SamplingParameters::greedy(10),
            seed: H256::zero(),
            answer_hash: noema_protocol::hashing::tokens_hash(answer),
            answer_tokens: count(answer.len()),
            end,
            price: 0,
            hidden_root,
        };
        ReceivedAnswer {
            worker: [2; 32],
            received_at: 0,
            prompt: vec![1],
            answer: answer.to_vec(),
            receipt: SignedReceipt {
                receipt,
                signature: [0; 64],
            },
        }
    }

    fn whole() -> ReceivedAnswer {
        received(&(0..10).collect::<Vec<_>>(), AnswerEnd::Length, ROOT)
    }

    async fn ended(recomputer: &Recomputer, answer: ReceivedAnswer) -> Recomputation {
        let hash = answer.receipt.receipt.hash();
        recomputer.begin(answer).await.expect("it begins");
        for _ in 0..500 {
            let progress = recomputer.progress(hash).expect("it was begun");
            if progress.verdict.is_some() {
                return progress;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it does not end");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_is_the_same_or_differs_from_a_token_on() {
        use AnswerEnd::{ByPayer, Length, Stop};
        use RecomputeVerdict::{Differs, Same};
        let recomputer = Recomputer::new(Arc::new(Arc::new(Counting::default())));
        let ten: Vec<u32> = (0..10).collect();
        let eleven: Vec<u32> = (0..11).collect();
        for (answer, end, root, verdict) in [
            (&ten[..], Length, ROOT, Same),
            (&ten[..4], ByPayer, ROOT, Same),
            (&[0, 1, 9, 3][..], ByPayer, ROOT, Differs(2)),
            (&[0, 1, 3, 4][..], ByPayer, ROOT, Differs(2)),
            (&ten[..], ByPayer, ROOT, Differs(0)),
            (&ten[..4], Length, ROOT, Differs(4)),
            (&eleven[..], Length, ROOT, Differs(10)),
            (&ten[..], Stop, ROOT, Differs(0)),
            (&ten[..], Length, H256::zero(), Differs(0)),
        ] {
            let progress = ended(&recomputer, received(answer, end, root)).await;
            let tokens = count(answer.len());
            assert_eq!((progress.tokens, progress.done), (tokens, tokens));
            assert_eq!(progress.verdict, Some(verdict), "{answer:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_model_is_loaded_once_and_unloaded_with_the_last_result() {
        let model = Arc::new(Counting::default());
        let kept = Duration::from_millis(500);
        let recomputer = Recomputer::keeping(Arc::new(model.clone()), kept);
        let hash = whole().receipt.receipt.hash();
        assert_eq!(recomputer.progress(hash), Err(ReceiptFault::NotBegun));
        ended(&recomputer, whole()).await;
        ended(&recomputer, received(&[0, 1], AnswerEnd::ByPayer, ROOT)).await;
        assert_eq!(model.loaded.load(Ordering::SeqCst), 1);
        while recomputer.progress(hash).is_ok() || recomputer.shared.model.lock().await.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ended(&recomputer, whole()).await;
        assert_eq!(model.loaded.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_is_confirmed_by_another_execution() {
        let model = Arc::new(Counting::default());
        let recomputer = Recomputer::new(Arc::new(model.clone()));
        let different = received(&[0, 1, 9], AnswerEnd::ByPayer, ROOT);
        ended(&recomputer, different.clone()).await;
        let confirmed = recomputer.confirm(different.clone()).await;
        assert_eq!(confirmed, Ok(RecomputeVerdict::Differs(2)));
        assert_eq!(
            recomputer.confirm(whole()).await,
            Ok(RecomputeVerdict::Same)
        );
        // What is kept of the first execution is not taken for another one.
        model.fails.store(true, Ordering::SeqCst);
        let failed = ReceiptFault::Failed("the test says so".into());
        assert_eq!(recomputer.confirm(different).await, Err(failed));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_executed_can_be_begun_again() {
        let model = Arc::new(Counting::default());
        model.is_away.store(true, Ordering::SeqCst);
        let recomputer = Recomputer::new(Arc::new(model.clone()));
        let refused = recomputer.begin(whole()).await;
        assert!(
            matches!(refused, Err(ReceiptFault::NoWeights(_))),
            "{refused:?}"
        );
        model.is_away.store(false, Ordering::SeqCst);
        model.fails.store(true, Ordering::SeqCst);
        let hash = whole().receipt.receipt.hash();
        recomputer.begin(whole()).await.expect("it begins");
        while recomputer.progress(hash).is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let failed = ReceiptFault::Failed("the test says so".into());
        assert_eq!(recomputer.progress(hash), Err(failed));
        model.fails.store(false, Ordering::SeqCst);
        let progress = ended(&recomputer, whole()).await;
        assert_eq!(progress.verdict, Some(RecomputeVerdict::Same));
    }
}
