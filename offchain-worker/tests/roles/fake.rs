//! A chain and a model for tests of the roles: the chain lists duties and notes what it is sent;
//! the model answers at once, or when it is let.

use async_trait::async_trait;
use futures::future::BoxFuture;
use noema_protocol::{
    hashing, CheckpointId, Receipt, RequestId, SamplingParameters, Verdict, VerdictReveal,
};
use noema_worker::metrics::Metrics;
use noema_worker::roles::{
    Action, Answered, Cancel, Check, Duties, ExecutionError, Executor, Finding, Identity, Job,
    Ledger, LedgerError, Operator, Outcome, Pace, Phase, Question, Rewards,
};
use noema_worker::store::{JobKey, Stage, Store, StoredAnswer};
use sp_core::H256;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const CONTROLLER: [u8; 32] = [7; 32];

/// What the fake chain has seen and says.
#[derive(Default)]
pub(crate) struct ChainState {
    pub(crate) duties: Duties,
    /// Every duty that was handed over, in order.
    pub(crate) performed: Vec<Action>,
    /// What becomes of them; `None` leaves it open.
    pub(crate) fate: Option<Outcome>,
    /// No call gets through.
    pub(crate) away: bool,
    /// What the operator said it follows.
    pub(crate) following: Vec<RequestId>,
    /// What can be claimed; `None` where that cannot be read.
    pub(crate) rewards: Option<Rewards>,
    /// How often that was asked.
    pub(crate) rewards_asked: u32,
}

#[derive(Clone, Default)]
pub(crate) struct FakeChain(Arc<Mutex<ChainState>>);

impl FakeChain {
    pub(crate) fn new() -> Self {
        let chain = Self::default();
        chain.edit(|state| {
            state.duties.block = 10;
            state.fate = Some(Outcome::Included { block: 11 });
            state.rewards = Some(Rewards::default());
        });
        chain
    }

    fn state(&self) -> MutexGuard<'_, ChainState> {
        self.0.lock().expect("no test thread has panicked")
    }

    pub(crate) fn edit<T>(&self, change: impl FnOnce(&mut ChainState) -> T) -> T {
        change(&mut self.state())
    }

    pub(crate) fn performed(&self) -> Vec<Action> {
        self.state().performed.clone()
    }

    fn reachable(state: &ChainState) -> Result<(), LedgerError> {
        match state.away {
            true => Err(LedgerError::Unreachable("the test took it away".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Ledger for FakeChain {
    async fn duties(&self, following: &[RequestId]) -> Result<Duties, LedgerError> {
        let mut state = self.state();
        Self::reachable(&state)?;
        if !following.is_empty() {
            state.following = following.to_vec();
        }
        Ok(state.duties.clone())
    }

    async fn rewards(&self) -> Result<Rewards, LedgerError> {
        let mut state = self.state();
        Self::reachable(&state)?;
        state.rewards_asked += 1;
        state.rewards.clone().ok_or(LedgerError::Incompatible {
            what: "view function Issuance.pending_reward".into(),
            reason: "the test took it away".into(),
        })
    }

    async fn perform(&self, action: &Action) -> Result<BoxFuture<'static, Outcome>, LedgerError> {
        let mut state = self.state();
        Self::reachable(&state)?;
        state.performed.push(action.clone());
        Ok(match state.fate.clone() {
            Some(outcome) => Box::pin(async move { outcome }),
            None => Box::pin(std::future::pending()),
        })
    }
}

/// A model whose answer to everything is the same.
#[derive(Default)]
pub(crate) struct FakeModel {
    pub(crate) answers: AtomicU32,
    pub(crate) checks: AtomicU32,
    pub(crate) fails: AtomicBool,
    /// Has no room for anything.
    pub(crate) busy: AtomicBool,
    /// Answers only once this is off, or when cancelled.
    pub(crate) blocked: AtomicBool,
    pub(crate) finds_wrong: AtomicBool,
}

pub(crate) fn answer() -> StoredAnswer {
    StoredAnswer {
        prompt_tokens: 4,
        tokens: vec![5, 6, 7],
        text: "because".into(),
        digest: H256::repeat_byte(9),
    }
}

impl Executor for FakeModel {
    fn answer(
        &self,
        _: &Question,
        cancel: &Cancel,
    ) -> Result<Option<StoredAnswer>, ExecutionError> {
        if self.busy.load(Ordering::SeqCst) {
            return Err(ExecutionError::Busy("the test keeps it busy".into()));
        }
        self.answers.fetch_add(1, Ordering::SeqCst);
        while self.blocked.load(Ordering::SeqCst) {
            if cancel.is_cancelled() {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        match self.fails.load(Ordering::SeqCst) {
            true => Err(ExecutionError::Failed("out of memory".into())),
            false => Ok(Some(answer())),
        }
    }

    fn check(&self, _: &Answered, _: &Cancel) -> Result<Option<Finding>, ExecutionError> {
        self.checks.fetch_add(1, Ordering::SeqCst);
        let wrong = self.finds_wrong.load(Ordering::SeqCst);
        Ok(Some(Finding {
            verdict: match wrong {
                true => Verdict::Invalid,
                false => Verdict::Valid,
            },
            reason: match wrong {
                true => "token 2 should be 8".into(),
                false => String::new(),
            },
            digest: H256::repeat_byte(9),
        }))
    }

    fn has(&self, checkpoint: &CheckpointId) -> bool {
        *checkpoint == CheckpointId(H256::repeat_byte(1))
    }
}

pub(crate) fn question(request: u64) -> Question {
    Question {
        request: RequestId(request),
        checkpoint: CheckpointId(H256::repeat_byte(1)),
        prompt: "Why?".into(),
        parameters: SamplingParameters::greedy(8),
        seed: H256::repeat_byte(2),
    }
}

pub(crate) fn job(request: u64) -> Job {
    Job {
        question: question(request),
        attempt: 0,
        deadline: 30,
    }
}

pub(crate) fn answered(request: u64) -> Answered {
    let question = question(request);
    let answer = answer();
    Answered {
        receipt: Receipt {
            request: question.request,
            checkpoint: question.checkpoint,
            prompt_hash: hashing::prompt_hash(question.prompt.as_bytes()),
            parameters: question.parameters,
            seed: question.seed,
            output_hash: hashing::output_hash(&answer.tokens, answer.text.as_bytes()),
            prompt_tokens: answer.prompt_tokens,
            output_tokens: 3,
            trace_commitment: hashing::trace_commitment(question.request, answer.digest),
        },
        question,
        tokens: answer.tokens,
        text: answer.text,
    }
}

pub(crate) fn check(request: u64, phase: Phase) -> Check {
    Check {
        answer: answered(request),
        round: 0,
        phase,
        deadline: 30,
    }
}

pub(crate) fn key(request: u64) -> JobKey {
    JobKey {
        operator: CONTROLLER,
        request: RequestId(request),
        round: 0,
    }
}

/// An operator that has both roles, and claims.
fn identity() -> Identity {
    Identity {
        controller: CONTROLLER,
        name: "test".into(),
        serves: true,
        validates: true,
        audits: false,
        claims: true,
    }
}

/// A chain, a model and a folder for a store, which outlive processes.
pub(crate) struct Setting {
    folder: TempDir,
    pub(crate) chain: FakeChain,
    pub(crate) model: Arc<FakeModel>,
}

impl Setting {
    /// A chain that waits for nothing.
    pub(crate) fn idle() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            chain: FakeChain::new(),
            model: Arc::default(),
        }
    }

    /// A process, as after a crash if there has been one before.
    pub(crate) fn start(&self) -> Process {
        self.start_as(identity())
    }

    pub(crate) fn start_auditing(&self) -> Process {
        self.start_as(Identity {
            audits: true,
            ..identity()
        })
    }

    pub(crate) fn start_without_claims(&self) -> Process {
        self.start_as(Identity {
            claims: false,
            ..identity()
        })
    }

    fn start_as(&self, identity: Identity) -> Process {
        let path = self.folder.path().join("jobs.redb");
        let store = Arc::new(Store::open(&path).expect("the store opens"));
        let operator = Operator::new(
            identity,
            Arc::new(self.chain.clone()),
            self.model.clone(),
            store.clone(),
            Metrics::new(),
            Pace::default(),
        );
        Process { operator, store }
    }
}

/// A process: an operator over a chain, a model and a store on disk.
pub(crate) struct Process {
    pub(crate) operator: Operator,
    store: Arc<Store>,
}

impl Process {
    /// One look at the chain.
    pub(crate) async fn turn(&mut self) {
        self.try_turn().await.expect("the chain is there");
    }

    pub(crate) async fn try_turn(&mut self) -> Result<(), LedgerError> {
        self.operator.turn().await.expect("the store works")
    }

    /// Waits until nothing is under way but what the test holds open.
    pub(crate) async fn settle(&mut self) {
        while self.operator.is_busy() {
            let patience = Duration::from_millis(300);
            match tokio::time::timeout(patience, self.operator.progress()).await {
                Ok(progress) => progress.expect("the store works"),
                Err(_) => return,
            }
        }
    }

    /// A look, and everything that follows from it.
    pub(crate) async fn step(&mut self) {
        self.turn().await;
        self.settle().await;
    }

    pub(crate) fn record<S: Stage>(&self, key: &JobKey) -> Option<S> {
        self.store.get(key).expect("the store works")
    }

    /// Writes a record as a crashed process would have left it.
    pub(crate) fn leave<S: Stage>(&self, key: &JobKey, stage: &S) {
        self.store.put(key, stage).expect("the store works");
    }
}

pub(crate) fn reveal() -> VerdictReveal {
    VerdictReveal {
        verdict: Verdict::Valid,
        digest: H256::repeat_byte(9),
        salt: H256::repeat_byte(3),
    }
}
