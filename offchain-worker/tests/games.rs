//! Games about answers of a small checkpoint, as operators, gateways and the command line play them: with traces of the
//! executor, against the judge of the runtime.

use noema_claims::merkle_root;
use noema_disputes::{
    DisputedLeaf, EvidenceError, Fault, Game, GameError, GameRules, GameStage, GameTerms, Line,
    Proven, Side,
};
use noema_economics::Permill;
use noema_executor::{Cancel, Device};
use noema_games::PlayError;
use noema_model::checkpoint::{OpenCheckpoint, TOKENIZER};
use noema_model::dataset::learn_tokenizer;
use noema_model::engine::Engine;
use noema_model::import::{initialise, InitialOptions};
use noema_protocol::{hashing, ClaimId, SamplingParameters, SessionId};
use noema_referee::{SessionClaims, SessionJudge};
use noema_session_transport::SessionLeaf;
use noema_sessions::{Agreement, SessionPrices, SessionReceipt, SessionRules};
use noema_worker::games::{describe, KeptTraces, Move, MoveError, PlayedGame};
use noema_worker::roles::ClaimedAnswer;
use sp_core::H256;
use std::fs;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

const CLAIM: ClaimId = ClaimId(5);
const CLAIMANT: [u8; 32] = [1; 32];
const CHALLENGER: [u8; 32] = [2; 32];
const PROMPT: [u32; 5] = [9, 41, 7, 100, 3];
const TOKENS: u64 = 20;

/// What the session of the claim agreed on.
static AGREEMENT: OnceLock<Agreement> = OnceLock::new();

struct Claims;

impl SessionClaims for Claims {
    fn agreement(_: ClaimId) -> Option<(Agreement, u32)> {
        AGREEMENT.get().map(|agreement| (*agreement, 0))
    }
}

type Judge = SessionJudge<Claims>;

/// A checkpoint, and the same with other weights than its id says.
struct World {
    honest: Engine,
    cheat: Engine,
    agreement: Agreement,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = folder.path().join("text.txt");
        let lines = (0..900).map(|i| {
            let animal = ["cat", "dog", "cow", "owl"][i % 4];
            format!("The {animal} sat on the mat {} times.\n", i % 10)
        });
        fs::write(&text, lines.collect::<String>()).expect("is written");
        let tokenizer = learn_tokenizer(&[text], None, 288).expect("is learnt");
        let path = folder.path().join(TOKENIZER);
        fs::write(&path, &tokenizer).expect("is written");
        let shape = InitialOptions {
            layers: 1,
            hidden: 64,
            heads: 2,
            kv_heads: 1,
            feed_forward: 64,
            context: 32,
            ..Default::default()
        };
        let made = initialise(&path, tokenizer, folder.path(), &shape, &());
        let made = made.expect("is made");
        let false_folder = folder.path().join("false");
        fs::create_dir(&false_folder).expect("is made");
        for entry in fs::read_dir(made.directory()).expect("is there") {
            let entry = entry.expect("is there");
            fs::copy(entry.path(), false_folder.join(entry.file_name())).expect("is copied");
        }
        let weights = false_folder.join("weights.bin");
        let mut bytes = fs::read(&weights).expect("is there");
        let middle = bytes.len() / 2;
        bytes[middle..middle + (8 << 10)].fill(0);
        fs::write(&weights, bytes).expect("is written");
        let made = Arc::new(made);
        let agreement = agreement(&made);
        let false_weights = OpenCheckpoint::open(&false_folder).expect("opens");
        let open = |checkpoint| Engine::open(checkpoint, &Device::cpu(None), None).expect("opens");
        Self {
            honest: open(made),
            cheat: open(Arc::new(false_weights)),
            agreement,
            _folder: folder,
        }
    }

    /// An answer of an engine, as a leaf of a claim that has no other.
    fn answer(&self, engine: &Engine) -> SessionLeaf {
        let parameters = SamplingParameters::greedy(8);
        let seed = self.agreement.seed_of(0);
        let answer = engine.answer_tokens(
            &Cancel::default(),
            self.agreement.session,
            &PROMPT,
            &parameters,
            seed.0,
            &mut |_| ControlFlow::Continue(()),
        );
        let answer = answer.expect("an answer");
        let counts = (PROMPT.len() as u32, answer.tokens.len() as u32);
        let price = self.agreement.prices.price(counts.0, 0, counts.1);
        SessionLeaf {
            receipt: SessionReceipt {
                session: self.agreement.session,
                n: 0,
                first: 0,
                terms: self.agreement.terms,
                checkpoint: self.agreement.checkpoint,
                prompt_hash: hashing::tokens_hash(&PROMPT),
                prompt_tokens: counts.0,
                cached_tokens: 0,
                parameters,
                seed,
                answer_hash: hashing::tokens_hash(&answer.tokens),
                answer_tokens: counts.1,
                end: answer.end,
                price: price.expect("a price"),
                hidden_root: merkle_root(&answer.hidden),
            },
            path: Vec::new(),
            prompt: PROMPT.to_vec(),
            answer: answer.tokens,
        }
    }
}

fn agreement(checkpoint: &OpenCheckpoint) -> Agreement {
    let found = AGREEMENT.get_or_init(|| Agreement {
        genesis: H256::repeat_byte(9),
        terms: H256::repeat_byte(8),
        session: SessionId(6),
        checkpoint: checkpoint.id(),
        leaf_tokens: 32,
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
        seed: H256::repeat_byte(7),
    });
    Agreement {
        checkpoint: checkpoint.id(),
        ..*found
    }
}

/// A game over a leaf.
struct Table<'a> {
    claimant: (&'a Engine, KeptTraces),
    challenger: (&'a Engine, KeptTraces),
    leaf: SessionLeaf,
    claimed: ClaimedAnswer,
    game: Game<[u8; 32], u32>,
    line: Line<u32>,
    rows: Vec<Vec<H256>>,
    /// The proof, once it was given.
    proven: Option<Move>,
}

impl<'a> Table<'a> {
    fn new(
        agreement: &Agreement,
        leaf: SessionLeaf,
        claimant: &'a Engine,
        challenger: &'a Engine,
    ) -> Self {
        let claimed = ClaimedAnswer {
            claim: CLAIM,
            leaf: 0,
            claimant: CLAIMANT,
            made_at: 5,
            root: merkle_root(&[leaf.receipt.hash()]),
            leaves: 1,
            first: 0,
            agreement: *agreement,
        };
        let terms = GameTerms {
            claimant: CLAIMANT,
            subject: DisputedLeaf {
                claim: CLAIM,
                leaf: 0,
                checkpoint: agreement.checkpoint,
            },
            tokens: TOKENS,
            rules: GameRules {
                per_move: 10,
                tokens_per_block: 100,
                row_bits: 5,
            },
        };
        let mut game = Game::new(terms, 0, TOKENS);
        let line = game.join(0, TOKENS).expect("it has begun");
        Self {
            claimant: (claimant, KeptTraces::default()),
            challenger: (challenger, KeptTraces::default()),
            leaf,
            claimed,
            game,
            line,
            rows: Vec::new(),
            proven: None,
        }
    }

    /// The next move of a side.
    fn next(&self, side: Side) -> Result<Move, MoveError> {
        let ((engine, traces), player) = match side {
            Side::Claimant => (&self.claimant, CLAIMANT),
            Side::Challenger => (&self.challenger, CHALLENGER),
        };
        let open = PlayedGame {
            claimed: self.claimed,
            game: self.game.clone(),
            lines: vec![(CHALLENGER, self.line)],
            most_answered: 8,
            player,
        };
        let slot = traces.slot(self.leaf.receipt.hash());
        open.next_of(&slot, engine, &self.leaf, &self.rows, &Cancel::default())
    }

    /// Plays until a proof is given.
    fn play(&mut self) -> Result<Proven, MoveError> {
        for now in 1..30 {
            let side = match self.game.stage {
                GameStage::Opening { .. } => Side::Claimant,
                _ => self.line.turn.side,
            };
            let made = self.next(side)?;
            match made.clone() {
                Move::Open {
                    statement,
                    root,
                    siblings,
                    ..
                } => {
                    let opened = self.game.open::<Judge>(&statement, root, &siblings, now);
                    opened.expect("it is opened");
                }
                Move::Show {
                    challengers, row, ..
                } => {
                    assert_eq!(challengers, [CHALLENGER]);
                    let shown = self.game.show(&mut self.line, &row, now, TOKENS);
                    shown.expect("it is the row");
                    self.rows.push(row);
                }
                Move::Point {
                    node,
                    hash,
                    siblings,
                } => {
                    let line = &mut self.line;
                    let pointed = self.game.point(line, (node, hash), &siblings, now, TOKENS);
                    pointed.expect("it is a node");
                }
                Move::Prove { statement, proof } => {
                    self.proven = Some(made);
                    let proven = self
                        .game
                        .prove_in::<Judge>(&self.line, &statement, &proof, now);
                    return Ok(proven.expect("it is its turn"));
                }
            }
        }
        panic!("the game does not end");
    }
}

#[test]
fn sides_play_from_traces_of_the_executor() {
    let world = World::new();
    let table =
        |leaf, claimant, challenger| Table::new(&world.agreement, leaf, claimant, challenger);

    // An answer from other weights falls, by one step, and the step is told in words.
    let false_answer = world.answer(&world.cheat);
    let mut game = table(false_answer.clone(), &world.cheat, &world.honest);
    let fallen = game.play().expect("both move");
    let Some(Move::Prove { statement, proof }) = &game.proven else {
        panic!("a proof was given");
    };
    assert_eq!(fallen, Proven::Fallen(Fault::WrongStep(proof.step)));
    assert!(game.rows.len() > 1, "it takes several rows");
    let told = describe(statement, proof).expect("it is executed again");
    assert!(told.words.contains("position"), "{}", told.words);
    assert_ne!(told.computed, proof.node);

    // A claimant whose own trace contradicts its receipt has no move.
    let mut game = table(false_answer, &world.honest, &world.honest);
    let false_claim = MoveError::Play(PlayError::OwnClaimFalse);
    assert_eq!(game.play(), Err(false_claim));

    // Against a true answer a challenger has none, and one with other weights proves nothing.
    let answer = world.answer(&world.honest);
    let mut game = table(answer.clone(), &world.honest, &world.honest);
    assert_eq!(game.play(), Err(MoveError::ClaimIsRight));
    let mut game = table(answer, &world.honest, &world.cheat);
    let refuted = game.play().expect("both move");
    let foreign = GameError::Evidence(EvidenceError::NotInCheckpoint);
    assert_eq!(refuted, Proven::Refuted(foreign));
}
