//! A session, an answer of the fake model in it, and a claimant that sends the leaf, or not.

use super::{answer, CLAIM, CONTROLLER, POINT};
use async_trait::async_trait;
use noema_claims::merkle_root;
use noema_disputes::{DisputedLeaf, Game, GameRules, GameStage, GameTerms, Place, Side, Tree};
use noema_economics::Permill;
use noema_protocol::{hashing, CheckpointId, ClaimId, Job, SamplingParameters, SessionId};
use noema_session_transport::{
    AnswerStop, DrawnLeaf, DrawnLeaves, ModelFault, ServedSessions, SessionAnswer, SessionFacts,
    SessionLeaf, SessionLimits, SessionModel, SessionQuestion, Sign, SignatureBytes, SignedReceipt,
    WorkerRecord, WorkerStore,
};
use noema_sessions::{
    Agreement, AnswerEnd, Ask, Bundle, SessionPrices, SessionReceipt, SessionRules, SessionTerms,
    Stage, WorkerSide,
};
use noema_worker::games::PlayedGame;
use noema_worker::roles::{
    ClaimedAnswer, Duty, DutyStep, LeafError, LeafSource, Part, Task, Workload,
};
use sp_core::H256;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

pub(crate) const SESSION: SessionId = SessionId(6);
pub(crate) const GENESIS: H256 = H256::repeat_byte(9);

/// The facts on a session of the operator of [`CONTROLLER`].
pub(crate) fn facts() -> SessionFacts {
    SessionFacts {
        terms: SessionTerms {
            session: SESSION,
            payer: [1; 32],
            worker: CONTROLLER,
            voucher_key: [3; 32],
            checkpoint: CheckpointId(H256::repeat_byte(1)),
            leaf_tokens: 100,
            prices: SessionPrices {
                per_prompt_token: 4,
                per_cached_token: 1,
                per_answer_token: 10,
            },
            rules: SessionRules {
                lifetime: 100,
                close: 10,
                bytes_per_token: 4,
                cached_share: Permill::from_percent(10),
                check_share: Permill::from_percent(20),
                check_fee_per_token: 1,
                stake_percent: 100,
                min_stake: 100,
                stake_per_token: 1,
                min_held: 1,
                min_claim: 10,
                storage_price: 100_000,
                retention: 20,
            },
            claim_rules: H256::zero(),
            seed: H256::repeat_byte(8),
        },
        held: 1_000_000,
        claimed: 0,
        stage: Stage::Open { until: 5_000 },
        open_claims: Vec::new(),
    }
}

fn agreement() -> Agreement {
    facts().terms.agreement(GENESIS)
}

const PROMPT: [u32; 4] = [1, 2, 3, 4];

/// A worker's side with one answer of the fake model that is not paid, and its receipt.
fn answered() -> (WorkerSide, SessionReceipt) {
    let mut side = WorkerSide::new(agreement(), 1_000_000, 1_000_000, 1_000_000);
    let ask = Ask {
        n: 0,
        prompt_hash: hashing::tokens_hash(&PROMPT),
        prompt_tokens: 4,
        parameters: SamplingParameters::greedy(8),
    };
    side.ask(&ask).expect("it serves");
    let answer = answer();
    let stated = (hashing::tokens_hash(&answer.tokens), 3);
    let root = merkle_root(&answer.hidden);
    let receipt = side.finish(2, stated, AnswerEnd::Stop, root);
    (side, receipt.expect("an answer is in progress"))
}

/// The leaf of a claim of that answer alone.
pub(crate) fn session_leaf() -> SessionLeaf {
    SessionLeaf {
        receipt: answered().1,
        path: Vec::new(),
        prompt: PROMPT.to_vec(),
        answer: answer().tokens,
    }
}

/// The leaf in a claim that has no other.
fn claimed(leaf: &SessionLeaf) -> ClaimedAnswer {
    ClaimedAnswer {
        claim: CLAIM,
        leaf: 0,
        claimant: CLAIMANT,
        made_at: 5,
        root: merkle_root(&[leaf.receipt.hash()]),
        leaves: 1,
        first: 0,
        agreement: agreement(),
    }
}

const CLAIMANT: [u8; 32] = [2; 32];

/// A game over the leaf, opened by its claimant, with a line of `challenger`, who pointed to `node`, in which `side` has
/// to move. The operator of [`CONTROLLER`] plays.
pub(crate) fn open_game(challenger: [u8; 32], side: Side, node: Option<Place>) -> PlayedGame {
    let claimed = claimed(&session_leaf());
    let claimant = match challenger == CONTROLLER {
        true => CLAIMANT,
        false => CONTROLLER,
    };
    let terms = GameTerms {
        claimant,
        subject: DisputedLeaf {
            claim: CLAIM,
            leaf: 0,
            checkpoint: agreement().checkpoint,
        },
        tokens: 100,
        rules: GameRules {
            per_move: 10,
            tokens_per_block: 100,
            row_bits: 10,
        },
    };
    let mut game = Game::new(terms, 6, 100);
    let mut line = game.join(6, 100).expect("it has begun");
    line.turn.side = side;
    line.node = node.map(|node| (node, H256::repeat_byte(6)));
    game.stage = GameStage::Open {
        tree: Tree::new(H256::repeat_byte(5), 5_000).expect("it has steps"),
        statement: session_leaf().receipt.hash(),
        since: 6,
    };
    PlayedGame {
        claimed,
        game,
        lines: vec![(challenger, line)],
        most_answered: 8,
        player: CONTROLLER,
    }
}

/// The duty to move in a game.
pub(crate) fn to_move(open: PlayedGame) -> (Duty, Task) {
    let duty = Duty {
        part: Part::Move {
            claim: CLAIM,
            leaf: 0,
            steps: open.turn(),
        },
        step: DutyStep::Execute,
        checkpoint: agreement().checkpoint,
        until: 30,
    };
    let task = Task {
        subject: open.turn(),
        work: Workload::Move(Box::new(open)),
    };
    (duty, task)
}

/// The duty to check this leaf, or to judge it.
pub(crate) fn to_check_session(step: DutyStep, leaf: &SessionLeaf, is_juror: bool) -> (Duty, Task) {
    let claimed = Box::new(claimed(leaf));
    let (part, work) = match is_juror {
        true => (
            Part::Verdict {
                claim: CLAIM,
                leaf: 0,
            },
            Workload::SessionVerdict(claimed),
        ),
        false => (
            Part::Check {
                claim: CLAIM,
                leaf: 0,
                claimed: Job::Session(SESSION, 0),
                point: POINT,
            },
            Workload::SessionCheck {
                claimed,
                point: POINT,
            },
        ),
    };
    let duty = Duty {
        part,
        step,
        checkpoint: agreement().checkpoint,
        until: 30,
    };
    let subject = part.subject().unwrap_or(H256::repeat_byte(4));
    (duty, Task { subject, work })
}

/// What a claimant sends when it is asked for its leaf.
pub(crate) struct FakeLeaves(pub(crate) Mutex<Result<SessionLeaf, LeafError>>);

impl FakeLeaves {
    pub(crate) fn send(&self, sent: Result<SessionLeaf, LeafError>) {
        *self.0.lock().expect("no test thread has panicked") = sent;
    }
}

impl Default for FakeLeaves {
    fn default() -> Self {
        Self(Mutex::new(Ok(session_leaf())))
    }
}

#[async_trait]
impl LeafSource for FakeLeaves {
    async fn leaf(&self, _: &ClaimedAnswer, _: bool) -> Result<SessionLeaf, LeafError> {
        self.0.lock().expect("no test thread has panicked").clone()
    }

    async fn rows(&self, _: &ClaimedAnswer) -> Result<Vec<Vec<H256>>, LeafError> {
        Ok(vec![vec![H256::repeat_byte(4)]])
    }
}

/// A worker's store in `folder`, with a session that has one answer, which is paid.
pub(crate) fn served(folder: &Path) -> Arc<ServedSessions> {
    let store = WorkerStore::open(&folder.join("sessions.redb")).expect("the store opens");
    let (mut side, receipt) = answered();
    let paid = Bundle::default().with(&receipt).expect("it is the first");
    side.pay(&paid.voucher(&agreement()), |_| true)
        .expect("it is the right voucher");
    let record = WorkerRecord {
        side,
        present: Some([7; 64]),
        closed: None,
    };
    let answer = noema_session_transport::AnswerRecord {
        prompt: PROMPT.to_vec(),
        answer: answer().tokens,
        receipt: SignedReceipt {
            receipt,
            signature: [8; 64],
        },
    };
    let stored = store.put(CONTROLLER, &record, Some(&answer));
    stored.expect("the store can be written");
    ServedSessions::new(
        (CONTROLLER, GENESIS),
        Arc::new(store),
        Arc::new(Nothing),
        Arc::new(Nothing),
        Arc::new(Nothing),
        SessionLimits::default(),
    )
}

/// Answers nothing, signs nothing, and draws nothing.
struct Nothing;

impl SessionModel for Nothing {
    fn answer(
        &self,
        _: &SessionQuestion,
        _: &AnswerStop,
        _: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<SessionAnswer, ModelFault> {
        Err(ModelFault::Failed("the test needs no answer".into()))
    }
}

impl Sign for Nothing {
    fn account(&self) -> [u8; 32] {
        [0; 32]
    }

    fn sign(&self, _: &H256) -> SignatureBytes {
        [0; 64]
    }
}

#[async_trait]
impl DrawnLeaves for Nothing {
    async fn drawn(&self, _: ClaimId, _: u32, _: &[u8; 32]) -> Result<Option<DrawnLeaf>, String> {
        Ok(None)
    }
}
