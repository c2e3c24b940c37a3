//! A fake chain, model, disk and network for tests of the roles, and processes that use them.

mod chain;
mod disk;
mod model;
mod network;
mod session;

pub(crate) use chain::FakeChain;
pub(crate) use disk::Disk;
pub(crate) use model::{answer, FakeModel, POINTED};
pub(crate) use network::Network;
pub(crate) use session::{
    facts, open_game, served, session_leaf, to_check_session, to_move, FakeLeaves, GENESIS, SESSION,
};

use futures::FutureExt;
use noema_claims::merkle_root;
use noema_protocol::{hashing, CheckpointId, ClaimId, Job, Receipt, RequestId, SamplingParameters};
use noema_session_transport::ServedSessions;
use noema_worker::metrics::Metrics;
use noema_worker::roles::{
    Answered, ChainViewError, Duty, DutyOutcome, DutyStep, Identity, OperatorLoop, Pace, Part,
    Question, Task, Workload,
};
use noema_worker::store::{JobKey, JobRecord, JobStage, Store};
use sp_core::H256;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const CONTROLLER: [u8; 32] = [7; 32];

/// The seed of a chain, and of the chain after its restart.
pub(crate) const SEED: H256 = H256::repeat_byte(2);
pub(crate) const OTHER_SEED: H256 = H256::repeat_byte(3);

/// The leaf that is checked and judged.
pub(crate) const CLAIM: ClaimId = ClaimId(5);
pub(crate) const CHECK: Job = Job::Check(CLAIM, 0);
pub(crate) const DISPUTE: Job = Job::Dispute(CLAIM, 0);

/// Determines the validator's position in an answer of three tokens: the third.
pub(crate) const POINT: u64 = u64::MAX;

fn question(request: u64, seed: H256) -> Question {
    Question {
        request: RequestId(request),
        checkpoint: CheckpointId(H256::repeat_byte(1)),
        prompt: "Why?".into(),
        parameters: SamplingParameters::greedy(8),
        seed,
    }
}

/// The model's answer to the question, with the receipt of an honest worker.
pub(crate) fn leaf() -> Answered {
    let question = question(1, SEED);
    let answer = answer();
    let mut leaf = Answered {
        receipt: Receipt {
            request: question.request,
            checkpoint: question.checkpoint,
            prompt_hash: hashing::prompt_hash(question.prompt.as_bytes()),
            parameters: question.parameters,
            seed: question.seed,
            answer_hash: H256::zero(),
            prompt_tokens: answer.prompt_tokens,
            answer_tokens: 3,
            hidden_root: merkle_root(&answer.hidden),
        },
        question,
        tokens: answer.tokens,
        text: answer.text,
    };
    state_output(&mut leaf);
    leaf
}

/// Makes the receipt match the tokens and the text.
pub(crate) fn state_output(leaf: &mut Answered) {
    leaf.receipt.answer_hash = hashing::answer_hash(&leaf.tokens, leaf.text.as_bytes());
}

fn duty(part: Part, step: DutyStep) -> Duty {
    Duty {
        part,
        step,
        checkpoint: CheckpointId(H256::repeat_byte(1)),
        until: 30,
    }
}

/// The request of this number, to be answered with this seed.
pub(crate) fn asked(request: u64, seed: H256) -> (Duty, Task) {
    let task = Task {
        subject: seed,
        work: Workload::Answer(question(request, seed)),
    };
    (
        duty(Part::Answer(RequestId(request)), DutyStep::Execute),
        task,
    )
}

/// The check of a leaf, with this point.
pub(crate) fn to_check(step: DutyStep, leaf: Answered, point: u64) -> (Duty, Task) {
    let part = Part::Check {
        claim: CLAIM,
        leaf: 0,
        claimed: Job::Request(leaf.question.request),
        point,
    };
    let task = Task {
        subject: part.subject().expect("a check has a point"),
        work: Workload::Check { leaf, point },
    };
    (duty(part, step), task)
}

/// The verdict on a leaf of a claim with this root.
pub(crate) fn to_judge(step: DutyStep, leaf: Answered, root: H256) -> (Duty, Task) {
    let part = Part::Verdict {
        claim: CLAIM,
        leaf: 0,
    };
    let task = Task {
        subject: root,
        work: Workload::Verdict(leaf),
    };
    (duty(part, step), task)
}

pub(crate) fn key(job: Job) -> JobKey {
    JobKey {
        operator: CONTROLLER,
        job,
    }
}

/// An operator that is a worker and a validator, and claims rewards.
fn identity() -> Identity {
    Identity {
        controller: CONTROLLER,
        name: "test".into(),
        serves: true,
        validates: true,
        rounds: None,
        claims: true,
    }
}

/// A chain, a model and a folder for stores, which persist across processes.
pub(crate) struct Setting {
    folder: TempDir,
    pub(crate) chain: FakeChain,
    pub(crate) model: Arc<FakeModel>,
    pub(crate) leaves: Arc<FakeLeaves>,
}

impl Setting {
    /// A chain that expects nothing.
    pub(crate) fn idle() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            chain: FakeChain::new(),
            model: Arc::default(),
            leaves: Arc::default(),
        }
    }

    /// A chain that expects these duties.
    pub(crate) fn expecting(due: impl IntoIterator<Item = (Duty, Task)>) -> Self {
        let setting = Self::idle();
        setting.chain.expect(due);
        setting
    }

    /// Starts a process, like after a crash if one ran before.
    pub(crate) fn start(&self) -> Process {
        self.start_as(identity(), "jobs.redb")
    }

    /// Starts a process that serves these sessions.
    pub(crate) fn start_serving(&self, sessions: Arc<ServedSessions>) -> Process {
        let mut process = self.start();
        process.operator = process.operator.with_sessions(sessions);
        process
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a second process with the same hot key and its own store.
    pub(crate) fn start_twin(&self) -> Process {
        self.start_as(identity(), "twin.redb")
    }

    pub(crate) fn start_without_claims(&self) -> Process {
        let identity = Identity {
            claims: false,
            ..identity()
        };
        self.start_as(identity, "jobs.redb")
    }

    fn start_as(&self, identity: Identity, store: &str) -> Process {
        let path = self.folder.path().join(store);
        self.start_over(identity, Store::open(&path).expect("the store opens"))
    }

    /// Starts a process with this store.
    pub(crate) fn start_with(&self, store: Store) -> Process {
        self.start_over(identity(), store)
    }

    fn start_over(&self, identity: Identity, store: Store) -> Process {
        let store = Arc::new(store);
        let metrics = Metrics::new();
        let chain = Arc::new(self.chain.clone());
        let operator = OperatorLoop::new(identity, chain, store.clone(), metrics.clone());
        Process {
            operator: operator
                .with_engines(self.model.clone(), Pace::default())
                .with_leaves(self.leaves.clone()),
            metrics,
            store,
            model: self.model.clone(),
        }
    }

    pub(crate) fn next_block(&self) {
        self.blocks_pass(1);
    }

    pub(crate) fn blocks_pass(&self, blocks: u64) {
        self.chain.edit(|state| state.block += blocks);
    }

    /// Sets the fate of duties from now on.
    pub(crate) fn fate(&self, fate: Option<DutyOutcome>) {
        self.chain.edit(|state| state.fate = fate);
    }

    pub(crate) fn set(&self, flag: fn(&FakeModel) -> &AtomicBool, is_on: bool) {
        flag(&self.model).store(is_on, Ordering::SeqCst);
    }

    /// The number of tasks that were read.
    pub(crate) fn times_read(&self) -> usize {
        self.chain.edit(|state| state.read.len())
    }
}

/// A process: an operator with a chain, a model and a store on disk.
pub(crate) struct Process {
    pub(crate) operator: OperatorLoop,
    pub(crate) metrics: Metrics,
    pub(crate) store: Arc<Store>,
    pub(crate) model: Arc<FakeModel>,
}

impl Process {
    /// Takes one turn.
    pub(crate) async fn turn(&mut self) {
        self.try_turn().await.expect("the chain is there");
    }

    pub(crate) async fn try_turn(&mut self) -> Result<(), ChainViewError> {
        self.operator.turn().await
    }

    /// Waits until nothing is under way but what the test blocks: executions of the model, and duties whose
    /// fate it withholds.
    pub(crate) async fn settle(&mut self) {
        let settled = async {
            loop {
                let is_held = self.operator.running() <= self.model.held();
                // What became of a duty is known at once, or never.
                if is_held && self.operator.progress().now_or_never().is_none() {
                    return;
                }
                tokio::select! {
                    () = self.operator.progress() => {}
                    () = tokio::time::sleep(Duration::from_millis(5)) => {}
                }
            }
        };
        let settled = tokio::time::timeout(Duration::from_secs(120), settled).await;
        settled.expect("what is under way ends");
    }

    /// Takes one turn, and waits for everything that follows from it.
    pub(crate) async fn step(&mut self) {
        self.turn().await;
        self.settle().await;
    }

    pub(crate) fn stage(&self, job: Job) -> Option<JobStage> {
        let record = self.store.get(&key(job)).expect("the store works");
        record.map(|record| record.stage)
    }

    /// Writes the record that a crashed process would have left.
    pub(crate) fn leave(&self, job: Job, subject: H256, stage: JobStage) {
        let record = JobRecord { subject, stage };
        self.store.put(&key(job), &record).expect("the store works");
    }
}
