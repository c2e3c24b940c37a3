//! Simulation of rounds with several operators.

use crate::fake::{FakeChain, FakeModel, Network, Process, CONTROLLER};
use crate::world::{options, World};
use noema_dishonest_trainer::{Behaviour, Dishonest};
use noema_executor::Device;
use noema_model::checkpoint::Library;
use noema_model::dataset::{Datasets, SHARDS};
use noema_protocol::{FamilyId, Role, RoundId};
use noema_rounds::{Permill, Phase, RoundOutcome, RoundRules, RoundWindows, Ruling};
use noema_training::PlainMethod;
use noema_worker::metrics::Metrics;
use noema_worker::roles::rounds::{Choice, Files, Round, Setup};
use noema_worker::roles::{Identity, OperatorLoop, Pace};
use noema_worker::store::Store;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(super) const WINDOW: u32 = 3;
pub(super) const FAMILIES: [FamilyId; 2] = [FamilyId(0), FamilyId(1)];

/// The number of the operator of [`CONTROLLER`], the only one in fakes that know a single operator.
pub(super) const LONE: u8 = CONTROLLER[0];

/// The operators of a round: by default three trainers and three validators, of which two are drawn.
pub(super) struct Play {
    pub(super) world: World,
    pub(super) chain: FakeChain,
    pub(super) network: Network,
    pub(super) model: Arc<FakeModel>,
    /// The operators by number: trainers have a number of at most 6, validators a larger one.
    pub(super) operators: Vec<(u8, Process)>,
}

/// The configuration of an operator.
pub(super) struct Start {
    pub(super) identity: Identity,
    pub(super) setup: Setup,
    pub(super) store: Store,
}

impl Play {
    /// Three trainers and three validators; the third trainer is dishonest in this way.
    pub(super) fn new(behaviour: Option<Behaviour>) -> Self {
        let mut play = Self::without_operators(WINDOW);
        play.start(behaviour);
        play
    }

    /// A round with windows of this many blocks, without operators.
    pub(super) fn without_operators(window: u32) -> Self {
        let world = World::new();
        let parent = world.checkpoint();
        let windows = RoundWindows {
            registration: window,
            training: window,
            reveal: window,
            scoring: window,
            score_reveal: window,
            claim: window,
            objection: window,
            holding: window,
        };
        let rules = RoundRules {
            windows,
            min_contributions: 2,
            validators: 2,
            shards_per_trainer: 1,
            evaluation_shards: 2,
            max_update_bytes: 1 << 20,
            entries_per_chunk: 64,
            // A model of this size learns the same from each of these shards.
            max_overlap: Permill::from_percent(95),
            min_holders: 2,
        };
        let dataset = world.dataset.recorded();
        rules.check(&dataset).expect("rounds are possible");
        let round = Round::open(RoundId(7), FAMILIES[0], parent.id(), dataset, rules, 1);
        let chain = FakeChain::new();
        chain.edit(|state| {
            state.block = 1;
            state.rounds = vec![round];
        });
        let network = Network::default();
        {
            let mut shared = network.shared();
            let files = world.dataset.files();
            let read = files.map(|(hash, path)| (hash, fs::read(path).expect("is prepared")));
            shared.prepared = read.collect();
            let folder = parent.directory().to_owned();
            shared.checkpoints.insert(parent.id(), folder);
        }
        Self {
            world,
            chain,
            network,
            model: Arc::default(),
            operators: Vec::new(),
        }
    }

    /// Starts the default operators, which continue from what is on disk.
    pub(super) fn start(&mut self, behaviour: Option<Behaviour>) {
        self.start_with(|number, start| {
            if let Some(behaviour) = behaviour.filter(|_| number == 3) {
                start.setup.method = Arc::new(Dishonest::new(behaviour));
            }
        });
    }

    /// The same, with a change to each configuration.
    pub(super) fn start_with(&mut self, change: impl Fn(u8, &mut Start)) {
        // Two processes cannot open the same store.
        self.operators.clear();
        for number in [1, 2, 3, 11, 12, 13] {
            self.add(number, |start| change(number, start));
        }
    }

    /// Adds an operator; only the [`LONE`] one has the model, for the roles of its identity.
    pub(super) fn add(&mut self, number: u8, change: impl FnOnce(&mut Start)) {
        let account = [number; 32];
        let home = self.home(number);
        let role = match number {
            ..=6 => Role::Trainer,
            _ => Role::Validator,
        };
        let mut start = Start {
            identity: Identity {
                controller: account,
                name: number.to_string(),
                serves: false,
                validates: false,
                rounds: Some(role),
                claims: false,
            },
            setup: Setup {
                choice: Choice {
                    families: FAMILIES.into(),
                    datasets: Vec::new(),
                },
                audits: true,
                library: Library::new(&home),
                device: Device::cpu(None),
                training: options(),
                method: Arc::new(PlainMethod),
                files: Files::new(home.join("rounds")),
            },
            store: Store::at(&home.join("jobs.redb")),
        };
        change(&mut start);
        let store = Arc::new(start.store);
        let metrics = Metrics::new();
        let chain = Arc::new(self.chain.of(account));
        let datasets = Datasets::new(&home, Vec::new());
        let exchange = Arc::new(self.network.of(account, datasets));
        let mut operator = OperatorLoop::new(start.identity, chain, store.clone(), metrics.clone());
        if number == LONE {
            operator = operator.with_engines(self.model.clone(), Pace::default());
        }
        let process = Process {
            operator: operator.with_rounds(start.setup, exchange),
            metrics,
            store,
            model: self.model.clone(),
        };
        self.operators.push((number, process));
    }

    /// All operators take a turn in every block until the round is over.
    pub(super) async fn play(&mut self) -> RoundOutcome {
        self.up_to(|phase| matches!(phase, Phase::Closed(_))).await;
        self.round().outcome().expect("is over")
    }

    /// The same until a phase begins.
    pub(super) async fn up_to(&mut self, is_wanted: impl Fn(&Phase<u32>) -> bool) {
        for _ in 0..20 * WINDOW {
            self.take_turns().await;
            assert!(self.troubles().is_empty(), "{:?}", self.troubles());
            self.end_block();
            if is_wanted(&self.round().phase) {
                return;
            }
        }
        panic!("{:?}", self.round().phase);
    }

    /// All operators take a turn, and finish all work that does not wait for a transfer that never ends.
    pub(super) async fn take_turns(&mut self) {
        for (number, process) in &mut self.operators {
            let account = [*number; 32];
            self.network.shared().waiting_for_more.remove(&account);
            process.turn().await;
            while process.operator.is_busy() {
                tokio::select! {
                    () = process.operator.progress() => {}
                    () = tokio::time::sleep(Duration::from_millis(20)) => {
                        if self.network.shared().waiting_for_more.contains(&account) {
                            break;
                        }
                    }
                }
            }
        }
        let refused = self.chain.edit(|state| std::mem::take(&mut state.refused));
        assert!(
            refused.is_empty(),
            "an operator only submits what is due: {refused:?}"
        );
    }

    pub(super) fn end_block(&self) {
        self.chain.edit(|state| state.end_block());
    }

    /// The next round, from the same parent.
    pub(super) fn open_next(&self) {
        self.chain.edit(|state| {
            let (now, last) = (state.block as u32, state.rounds[0].clone());
            let id = RoundId(last.id.0 + 1);
            state.rounds[0] =
                Round::open(id, last.family, last.parent, last.dataset, last.rules, now);
        });
    }

    pub(super) fn round(&self) -> Round {
        self.chain.edit(|state| state.rounds[0].clone())
    }

    /// The operators that cannot continue, with the reasons.
    pub(super) fn troubles(&self) -> Vec<(u8, String)> {
        let operators = self.operators.iter();
        let troubles = operators.flat_map(|(number, process)| {
            let troubles = process.operator.troubles();
            troubles.map(|(_, trouble)| (*number, trouble.to_owned()))
        });
        troubles.collect()
    }

    pub(super) fn offenders(&self) -> Vec<u8> {
        let offenders = self.chain.edit(|state| state.offenders.clone());
        offenders.iter().map(|account| account[0]).collect()
    }

    pub(super) fn ruling(&self, number: u8) -> Option<Ruling> {
        let round = self.round();
        let mut trainers = round.trainers.iter();
        let trainer = trainers.find(|trainer| trainer.account == [number; 32]);
        trainer.and_then(|trainer| trainer.ruling)
    }

    /// The home folder of an operator.
    pub(super) fn home(&self, number: u8) -> PathBuf {
        self.world.file(&format!("home-{number}"))
    }

    pub(super) fn files(&self, number: u8) -> Files {
        Files::new(self.home(number).join("rounds"))
    }

    pub(super) fn datasets(&self, number: u8) -> PathBuf {
        let datasets = Datasets::new(&self.home(number), Vec::new());
        datasets.path(self.world.dataset.root())
    }

    /// The names of the shards that an operator has.
    pub(super) fn shards(&self, number: u8) -> BTreeSet<String> {
        let entries = fs::read_dir(self.datasets(number).join(SHARDS)).expect("has some");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.into_string().expect("a hash"))
            .collect()
    }

    pub(super) fn names<'a>(&self, shards: impl IntoIterator<Item = &'a u32>) -> BTreeSet<String> {
        let hash = |index: &u32| self.world.dataset.shard_hash(*index as usize);
        let hashes = shards.into_iter().map(|index| hash(index).expect("exists"));
        hashes.map(hex::encode).collect()
    }
}

/// Asserts that a round was promoted and no operator failed in a duty.
pub(super) fn assert_promoted(play: &Play, outcome: RoundOutcome) {
    assert!(matches!(outcome, RoundOutcome::Promoted(_)), "{outcome:?}");
    assert!(play.offenders().is_empty(), "{:?}", play.offenders());
}
