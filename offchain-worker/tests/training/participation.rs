//! Trainers and validators of one round, with the chain and the network played by the test.

use crate::support::{options, World};
use async_trait::async_trait;
use noema_executor::Device;
use noema_protocol::{interfaces::Role, CheckpointId, FamilyId, RoundId};
use noema_rounds::{
    Effect, Finding, Outcome, Permill, Phase, Refusal, Rejection, Rules, Ruling, Surroundings,
    Windows,
};
use noema_worker::{
    artefacts::FetchError,
    checkpoint::{Library, OpenCheckpoint},
    dataset::{Dataset, Datasets, MANIFEST, SHARDS},
    roles::LedgerError,
    rounds::{
        Choice, Exchange, Participant, Records, Round, RoundLedger, RoundsError, Setup, Step,
    },
    store::AccountBytes,
    training::Sabotage,
};
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{atomic::AtomicBool, Arc, Mutex},
};

const WINDOW: u32 = 3;

/// What everybody sees.
struct Chain {
    round: Round,
    block: u32,
    holders: Vec<AccountBytes>,
    /// What participants share.
    files: BTreeMap<H256, Vec<u8>>,
    /// What the one shares who prepared the dataset, and who takes no part.
    prepared: BTreeMap<H256, Vec<u8>>,
    checkpoints: BTreeMap<CheckpointId, PathBuf>,
    /// Who asked for which updates.
    asked: Vec<(AccountBytes, H256)>,
    /// Requests for updates that nobody answers, now and at the worst time.
    waiting: u32,
    most_waiting: u32,
    offenders: Vec<AccountBytes>,
}

type Shared = Arc<Mutex<Chain>>;

/// The chain and the network as one participant sees them.
struct Seat {
    account: AccountBytes,
    chain: Shared,
    datasets: Datasets,
}

impl Seat {
    fn fetch(&self, round: &Round, hash: H256, into: &Path) -> Result<(), RoundsError> {
        let chain = self.chain.lock().unwrap();
        let served = chain.files.get(&hash).or(chain.prepared.get(&hash));
        let bytes = served.ok_or(FetchError::NobodyShares(round.dataset.root))?;
        fs::create_dir_all(into.parent().expect("a file in a folder")).expect("is made");
        fs::write(into, bytes).expect("is written");
        Ok(())
    }
}

#[async_trait]
impl RoundLedger for Seat {
    async fn open_rounds(&self) -> Result<(u32, Vec<Round>), LedgerError> {
        let chain = self.chain.lock().unwrap();
        let open = chain.round.outcome().is_none();
        let rounds = open.then(|| chain.round.clone());
        Ok((chain.block, rounds.into_iter().collect()))
    }

    async fn send(&self, _: RoundId, step: Step) -> Result<(), LedgerError> {
        let mut chain = self.chain.lock().unwrap();
        let (now, account) = (chain.block + 1, self.account);
        let round = &mut chain.round;
        match step {
            Step::Join(Role::Trainer) => round.join_as_trainer(account, now),
            Step::Join(_) => round.join_as_validator(account, 100, now),
            Step::CommitContribution(commitment) => round.commit(&account, commitment, now),
            Step::RevealContribution(contribution, salt) => {
                round.reveal(&account, contribution, salt, now)
            }
            Step::CommitScores(commitment) => round.commit_scores(&account, commitment, now),
            Step::RevealScores(sheet, salt) => round.reveal_scores(&account, sheet, salt, now),
            Step::Claim(claim) => round.claim(&account, claim, now),
            Step::ObjectToScores(sheet) => round.object_to_scores(&account, sheet, now),
            Step::ObjectToClaim(claim) => round.object_to_claim(&account, claim, now),
        }
        .expect("a participant sends what is due");
        Ok(())
    }

    async fn announce_holding(&self, _: CheckpointId, _: H256) -> Result<(), LedgerError> {
        let mut chain = self.chain.lock().unwrap();
        if matches!(chain.round.phase, Phase::Holding { .. }) {
            chain.holders.push(self.account);
        }
        Ok(())
    }
}

#[async_trait]
impl Exchange for Seat {
    async fn share(&self, file: &Path) -> Result<H256, RoundsError> {
        let bytes = fs::read(file).expect("is there");
        let hash = H256(*blake3::hash(&bytes).as_bytes());
        self.chain.lock().unwrap().files.insert(hash, bytes);
        Ok(hash)
    }

    async fn share_checkpoint(&self, checkpoint: &OpenCheckpoint) -> Result<H256, RoundsError> {
        let folder = checkpoint.directory().to_owned();
        let mut chain = self.chain.lock().unwrap();
        chain.checkpoints.insert(checkpoint.id(), folder);
        Ok(checkpoint.id().0)
    }

    async fn fetch_update(
        &self,
        _: &[AccountBytes],
        update: H256,
        _: u32,
        _: PathBuf,
    ) -> Result<Option<Vec<u8>>, RoundsError> {
        {
            let mut chain = self.chain.lock().unwrap();
            chain.asked.push((self.account, update));
            if let Some(served) = chain.files.get(&update) {
                return Ok(Some(served.clone()));
            }
            chain.waiting += 1;
            chain.most_waiting = chain.most_waiting.max(chain.waiting);
        }
        // Whoever else is to be asked meanwhile is.
        tokio::task::yield_now().await;
        self.chain.lock().unwrap().waiting -= 1;
        Ok(None)
    }

    async fn share_dataset(&self, round: &Round) -> Result<(), RoundsError> {
        if let Some(dataset) = self.datasets.open(&round.dataset)? {
            let here = dataset.files().filter(|(_, path)| path.exists());
            let read = here.map(|(hash, path)| (hash, fs::read(path).expect("is there")));
            self.chain.lock().unwrap().files.extend(read);
        }
        Ok(())
    }

    async fn dataset(&self, round: &Round, shards: &[u32]) -> Result<Dataset, RoundsError> {
        let recorded = &round.dataset;
        if self.datasets.open(recorded)?.is_none() {
            let path = self.datasets.path(recorded.root).join(MANIFEST);
            self.fetch(round, recorded.manifest, &path)?;
        }
        let dataset = self.datasets.open(recorded)?.expect("was fetched");
        for index in shards.iter().map(|index| *index as usize) {
            let path = dataset.shard_path(index)?;
            if !path.exists() {
                self.fetch(round, dataset.shard_hash(index)?, &path)?;
            }
        }
        self.share_dataset(round).await?;
        Ok(dataset)
    }

    async fn fetch_checkpoint(&self, id: CheckpointId) -> Result<OpenCheckpoint, RoundsError> {
        let folder = self.chain.lock().unwrap().checkpoints.get(&id).cloned();
        Ok(OpenCheckpoint::open(&folder.expect("somebody holds it"))?)
    }
}

/// Three trainers and three validators, of which two are drawn.
struct Play {
    world: World,
    chain: Shared,
    participants: Vec<Participant>,
}

impl Play {
    /// The third trainer is dishonest in this way.
    fn new(sabotage: Option<Sabotage>) -> Self {
        let world = World::new();
        let parent = world.checkpoint();
        let windows = Windows {
            registration: WINDOW,
            training: WINDOW,
            reveal: WINDOW,
            scoring: WINDOW,
            score_reveal: WINDOW,
            claim: WINDOW,
            objection: WINDOW,
            holding: WINDOW,
        };
        let rules = Rules {
            windows,
            min_contributions: 2,
            validators: 2,
            shards_per_trainer: 1,
            evaluation_shards: 2,
            max_update_bytes: 1 << 20,
            entries_per_chunk: 64,
            // A model this small learns the same from any of these shards.
            max_overlap: Permill::from_percent(95),
            min_holders: 2,
        };
        let dataset = world.dataset.recorded();
        rules.check(&dataset).expect("rounds are possible");
        let round = Round::open(RoundId(7), FamilyId(0), parent.id(), dataset, rules, 1);
        let chain = Arc::new(Mutex::new(Chain {
            round,
            block: 1,
            holders: Vec::new(),
            asked: Vec::new(),
            waiting: 0,
            most_waiting: 0,
            files: BTreeMap::new(),
            prepared: world
                .dataset
                .files()
                .map(|(hash, path)| (hash, fs::read(path).expect("is prepared")))
                .collect(),
            checkpoints: BTreeMap::from([(parent.id(), parent.directory().to_owned())]),
            offenders: Vec::new(),
        }));
        Self::on(world, chain, sabotage)
    }

    /// Participants that know of the round what is on disk.
    fn on(world: World, chain: Shared, sabotage: Option<Sabotage>) -> Self {
        let seats = [1u8, 2, 3, 11, 12, 13];
        let participants = seats.map(|number| {
            let role = match number {
                ..=9 => Role::Trainer,
                _ => Role::Validator,
            };
            let home = home(&world, number);
            let setup = Setup {
                account: [number; 32],
                name: number.to_string(),
                role,
                choice: Choice::default(),
                audits: true,
                library: Library::new(&home),
                device: Device::cpu(None),
                training: options(),
                records: Records::new(home.join("rounds")),
                sabotage: sabotage.filter(|_| number == 3),
            };
            let seat = || Seat {
                account: [number; 32],
                chain: chain.clone(),
                datasets: Datasets::new(&home, Vec::new()),
            };
            Participant::new(setup, Arc::new(seat()), Arc::new(seat()))
        });
        Self {
            world,
            chain,
            participants: participants.into(),
        }
    }

    /// Everybody takes a turn in every block until the round is over.
    async fn play(&mut self) -> Outcome {
        self.up_to(|phase| matches!(phase, Phase::Closed(_))).await;
        self.round().outcome().expect("is over")
    }

    /// The same until a phase begins.
    async fn up_to(&mut self, is_wanted: impl Fn(&Phase<u32>) -> bool) {
        let stopping = Arc::new(AtomicBool::new(false));
        for _ in 0..20 * WINDOW {
            for participant in &mut self.participants {
                participant.turn(&stopping).await.expect("can go on");
            }
            self.end_block();
            if is_wanted(&self.round().phase) {
                return;
            }
        }
        panic!("{:?}", self.round().phase);
    }

    /// The next round, from the same parent.
    fn open_next(&self) {
        let mut chain = self.chain.lock().unwrap();
        let (now, last) = (chain.block, chain.round.clone());
        let id = RoundId(last.id.0 + 1);
        chain.round = Round::open(id, last.family, last.parent, last.dataset, last.rules, now);
    }

    fn end_block(&self) {
        let mut chain = self.chain.lock().unwrap();
        chain.block += 1;
        let at = Surroundings {
            now: chain.block,
            randomness: Some(H256::from_low_u64_be(chain.block.into())),
            parent_is_canonical: true,
            holders: chain.holders.len() as u32,
        };
        for effect in chain.round.advance(&at) {
            if let Effect::Offended(account, _) = effect {
                chain.offenders.push(account);
            }
        }
    }

    fn round(&self) -> Round {
        self.chain.lock().unwrap().round.clone()
    }

    fn offenders(&self) -> Vec<u8> {
        let chain = self.chain.lock().unwrap();
        chain.offenders.iter().map(|account| account[0]).collect()
    }

    fn ruling(&self, number: u8) -> Option<Ruling> {
        let round = self.round();
        let trainer = round
            .trainers
            .iter()
            .find(|trainer| trainer.account == [number; 32]);
        trainer.and_then(|trainer| trainer.ruling)
    }
}

#[tokio::test]
async fn honest_participants_make_a_better_checkpoint_and_agree_on_it() {
    let mut play = Play::new(None);
    let Outcome::Promoted(id) = play.play().await else {
        panic!("{:?}", play.round());
    };
    let round = play.round();
    assert!(!round.widened);
    assert!(play.offenders().is_empty());
    let claim = round.claim.unwrap();
    assert!(claim.loss < round.parent_loss.unwrap());
    assert_eq!(claim.checkpoint, id);
    // Whoever computed it has the same files.
    for number in [1, 2, 11] {
        let library = Library::new(&play.world.file(&format!("home-{number}")));
        let held = library.open(id).expect("is held");
        held.verify(&|_| ()).expect("is sound");
        assert_eq!(held.manifest().source.hash, claim.masters_root);
    }
}

/// What a participant has on disk of its own.
fn home(world: &World, number: u8) -> PathBuf {
    world.file(&format!("home-{number}"))
}

impl Play {
    fn datasets(&self, number: u8) -> PathBuf {
        let datasets = Datasets::new(&home(&self.world, number), Vec::new());
        datasets.path(self.world.dataset.root())
    }

    /// The names of the shards that a participant has.
    fn shards(&self, number: u8) -> BTreeSet<String> {
        let entries = fs::read_dir(self.datasets(number).join(SHARDS)).expect("has some");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.into_string().expect("a hash"))
            .collect()
    }

    fn names<'a>(&self, shards: impl IntoIterator<Item = &'a u32>) -> BTreeSet<String> {
        let hash = |index: &u32| self.world.dataset.shard_hash(*index as usize);
        let hashes = shards.into_iter().map(|index| hash(index).expect("exists"));
        hashes.map(hex::encode).collect()
    }
}

#[tokio::test]
async fn each_fetches_of_the_dataset_only_what_it_needs() {
    let mut play = Play::new(None);
    let outcome = play.play().await;
    assert!(matches!(outcome, Outcome::Promoted(_)), "{outcome:?}");
    let round = play.round();
    for trainer in &round.trainers {
        assert_eq!(
            play.shards(trainer.account[0]),
            play.names(trainer.shards.iter())
        );
    }
    let assigned = round
        .trainers
        .iter()
        .flat_map(|trainer| trainer.shards.iter());
    let scored = play.names(assigned.chain(round.evaluation.iter()));
    assert!(scored.len() < round.dataset.shards as usize);
    // Those that were not drawn looked all the same.
    for number in [11, 12, 13] {
        assert_eq!(play.shards(number), scored);
    }
}

#[tokio::test]
async fn what_was_fetched_outlives_who_prepared_it() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Claiming { .. }))
        .await;
    play.chain.lock().unwrap().prepared.clear();
    // One of those who claim lost its disk.
    let claims = play.round().seats().next().unwrap().account[0];
    fs::remove_dir_all(play.datasets(claims)).expect("is removed");
    let outcome = play.play().await;
    assert!(matches!(outcome, Outcome::Promoted(_)), "{outcome:?}");
    assert!(play.offenders().is_empty());
    assert_eq!(
        play.shards(claims),
        play.names(play.round().evaluation.iter())
    );
}

#[tokio::test]
async fn who_cannot_get_the_dataset_does_not_join() {
    let mut play = Play::new(None);
    play.chain.lock().unwrap().prepared.clear();
    let stopping = Arc::new(AtomicBool::new(false));
    for participant in &mut play.participants {
        let refused = participant.turn(&stopping).await;
        assert!(
            matches!(
                refused,
                Err(RoundsError::Fetch(FetchError::NobodyShares(_)))
            ),
            "{refused:?}"
        );
    }
    assert_eq!(play.round().participants().count(), 0);
}

/// The ruling on the third trainer's contribution, in a round that is promoted all the same.
async fn poisoned(sabotage: Sabotage) -> Refusal {
    let mut play = Play::new(Some(sabotage));
    let outcome = play.play().await;
    assert!(matches!(outcome, Outcome::Promoted(_)), "{outcome:?}");
    assert!(play.offenders().is_empty());
    match play.ruling(3) {
        Some(Ruling::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_flipped_update_changes_nothing() {
    assert_eq!(poisoned(Sabotage::Flip).await, Refusal::DoesNotHelp);
}

#[tokio::test]
async fn random_changes_change_nothing() {
    assert_eq!(poisoned(Sabotage::Random).await, Refusal::DoesNotHelp);
}

#[tokio::test]
async fn the_work_of_another_changes_nothing() {
    assert_eq!(poisoned(Sabotage::Copy).await, Refusal::Copy);
}

#[tokio::test]
async fn bytes_that_are_no_update_change_nothing() {
    assert_eq!(poisoned(Sabotage::Garbage).await, Refusal::Malformed);
}

#[tokio::test]
async fn half_an_update_changes_nothing() {
    assert_eq!(poisoned(Sabotage::Truncate).await, Refusal::Malformed);
}

#[tokio::test]
async fn an_update_a_thousand_times_too_large_does_no_harm() {
    let mut play = Play::new(Some(Sabotage::Scale));
    let outcome = play.play().await;
    assert!(matches!(outcome, Outcome::Promoted(_)), "{outcome:?}");
    // A model that knows nothing may gain from it, so it may be accepted; the mean is not its own.
    let round = play.round();
    assert!(round.claim.unwrap().loss < round.parent_loss.unwrap());
    assert!(matches!(play.ruling(1), Some(Ruling::Accepted { .. })));
}

#[tokio::test]
async fn who_never_reveals_offends_and_the_others_go_on() {
    let mut play = Play::new(Some(Sabotage::Silent));
    let outcome = play.play().await;
    assert!(matches!(outcome, Outcome::Promoted(_)), "{outcome:?}");
    assert_eq!(play.offenders(), [3]);
    assert_eq!(play.ruling(3), None);
}

#[tokio::test]
async fn an_update_that_nobody_serves_any_more_changes_nothing() {
    let mut play = Play::new(None);
    // Up to the scoring, where the file of the third is gone.
    play.up_to(|phase| matches!(phase, Phase::Scoring { .. }))
        .await;
    let lost = play.round().trainers[2].contribution.unwrap().update;
    play.chain.lock().unwrap().files.remove(&lost);
    // It does not serve it again.
    play.participants.remove(2);
    let outcome = play.play().await;
    assert!(matches!(outcome, Outcome::Promoted(_)), "{outcome:?}");
    assert_eq!(play.ruling(3), Some(Ruling::Refused(Refusal::Unavailable)));
    assert!(play.round().seats().all(|seat| seat
        .sheet
        .as_ref()
        .unwrap()
        .findings
        .contains(&Finding::Unavailable)));
}

#[tokio::test]
async fn peers_that_do_not_answer_are_waited_for_together() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Scoring { .. }))
        .await;
    for trainer in &play.round().trainers[1..] {
        let lost = trainer.contribution.unwrap().update;
        play.chain.lock().unwrap().files.remove(&lost);
    }
    play.participants.drain(..3);
    play.up_to(|phase| !matches!(phase, Phase::Scoring { .. }))
        .await;
    assert_eq!(play.chain.lock().unwrap().most_waiting, 2);
}

#[tokio::test]
async fn without_holders_the_parent_stays() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Holding { .. }))
        .await;
    play.participants.clear();
    let outcome = play.play().await;
    assert_eq!(outcome, Outcome::Rejected(Rejection::TooFewHolders));
}

#[tokio::test]
async fn trainers_fetch_what_was_accepted_alone() {
    let mut play = Play::new(Some(Sabotage::Garbage));
    let outcome = play.play().await;
    assert!(matches!(outcome, Outcome::Promoted(_)), "{outcome:?}");
    let chain = play.chain.lock().unwrap();
    let trainers = &chain.round.trainers;
    let asked = |update| {
        let by = |who: &AccountBytes| trainers.iter().any(|trainer| trainer.account == *who);
        chain
            .asked
            .iter()
            .any(|(who, what)| by(who) && *what == update)
    };
    for trainer in trainers {
        let is_accepted = matches!(trainer.ruling, Some(Ruling::Accepted { .. }));
        let update = trainer.contribution.expect("was revealed").update;
        assert_eq!(asked(update), is_accepted, "{:?}", trainer.ruling);
    }
}

/// The same parent with other shards, for trainers that go on and for trainers that start anew.
#[tokio::test]
async fn rounds_without_a_checkpoint_are_followed_by_others_from_the_same_parent() {
    let mut play = Play::new(None);
    for starts_anew in [false, true] {
        play.up_to(|phase| matches!(phase, Phase::Holding { .. }))
            .await;
        while play.round().outcome().is_none() {
            play.end_block();
        }
        let rejected = Outcome::Rejected(Rejection::TooFewHolders);
        assert_eq!(play.round().outcome(), Some(rejected));
        play.open_next();
        if starts_anew {
            play = Play::on(play.world, play.chain, None);
        }
    }
    let outcome = play.play().await;
    assert!(matches!(outcome, Outcome::Promoted(_)), "{outcome:?}");
    assert!(play.offenders().is_empty());
}

#[tokio::test]
async fn a_participant_that_starts_anew_keeps_its_word() {
    let mut play = Play::new(None);
    play.up_to(|phase| matches!(phase, Phase::Revealing { .. }))
        .await;
    // Everybody forgets what is not on disk.
    let mut play = Play::on(play.world, play.chain, None);
    let outcome = play.play().await;
    assert!(matches!(outcome, Outcome::Promoted(_)), "{outcome:?}");
    assert!(play.offenders().is_empty());
}
