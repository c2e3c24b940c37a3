//! The loop that drives one participant.

use super::{
    aggregate, assignment, duty, score, Aggregate, Choice, Committed, Duty, Exchange, Records,
    Round, RoundLedger, RoundsError, Scored, Step,
};
use crate::checkpoint::{Library, OpenCheckpoint};
use crate::store::AccountBytes;
use crate::training::{Parent, Sabotage, Trainer, TrainingError, TrainingOptions};
use futures::{stream, StreamExt, TryStreamExt};
use noema_executor::Device;
use noema_protocol::{hashing, interfaces::Role, CheckpointId, RoundId};
use noema_rounds::{Claim, Contribution, Ruling, ScoreSheet};
use sp_core::H256;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc, Mutex,
};
use tokio::sync::watch;
use tracing::{debug, info, warn};

/// Updates fetched side by side: peers that do not answer are waited for together.
const FETCHED_TOGETHER: usize = 8;

/// Who takes part, with what.
pub struct Setup {
    /// The account that holds the bond.
    pub account: AccountBytes,
    /// The name used in logs.
    pub name: String,
    /// Trainer or validator.
    pub role: Role,
    /// The rounds that it joins.
    pub choice: Choice,
    /// Whether a validator looks at what it was not drawn for.
    pub audits: bool,
    /// The checkpoints on this machine.
    pub library: Library,
    /// What it computes on.
    pub device: Device,
    /// How a trainer trains.
    pub training: TrainingOptions,
    /// Its records.
    pub records: Records,
    /// Spoils contributions on purpose.
    pub sabotage: Option<Sabotage>,
}

/// One participant.
pub struct Participant {
    setup: Arc<Setup>,
    ledger: Arc<dyn RoundLedger>,
    exchange: Arc<dyn Exchange>,
    trainer: Arc<Mutex<Option<Trainer>>>,
    /// The roots of the datasets that are shared as far as they are here.
    datasets: Vec<H256>,
    /// The round whose update is shared.
    shared: Option<RoundId>,
    /// What the chain would show as owed until the phase ends, and is done.
    done: Option<(RoundId, Duty)>,
}

impl Participant {
    /// A participant that has not looked at the chain yet.
    pub fn new(setup: Setup, ledger: Arc<dyn RoundLedger>, exchange: Arc<dyn Exchange>) -> Self {
        Self {
            setup: Arc::new(setup),
            ledger,
            exchange,
            trainer: Arc::default(),
            datasets: Vec::new(),
            shared: None,
            done: None,
        }
    }

    /// Takes a turn at every change of `head` until `stop` turns true. Training that is under way then
    /// is on disk and goes on at the next start.
    pub async fn run(mut self, mut head: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
        let stopping = Arc::new(AtomicBool::new(false));
        head.mark_changed();
        while crate::next_head(&mut head, &mut stop).await {
            let result = {
                let turn = self.turn(&stopping);
                tokio::pin!(turn);
                tokio::select! {
                    result = &mut turn => result,
                    () = crate::stopped(&mut stop) => {
                        // Training saves its state before it returns.
                        stopping.store(true, Ordering::Relaxed);
                        turn.await
                    }
                }
            };
            match result {
                Ok(()) => {}
                Err(RoundsError::Training(TrainingError::Stopped { step })) => {
                    info!(operator = %self.setup.name, step, "stopped training; it goes on from here");
                }
                Err(error) => {
                    warn!(operator = %self.setup.name, %error, "cannot go on with the round; trying again at the next block");
                }
            }
        }
    }

    /// Looks at the latest finalized block once and does what is owed.
    ///
    /// # Errors
    /// Whatever is in the way in the first round in which something is; another turn tries again.
    pub async fn turn(&mut self, stopping: &Arc<AtomicBool>) -> Result<(), RoundsError> {
        let (now, rounds) = self.ledger.open_rounds().await?;
        let mut outcome = Ok(());
        for (place, round) in rounds.iter().enumerate() {
            // What is in the way in one round is no reason to miss another.
            let attended = self.attend(round, place == 0, now, stopping).await;
            outcome = outcome.and(attended);
            if stopping.load(Ordering::Relaxed) {
                break;
            }
        }
        outcome
    }

    async fn attend(
        &mut self,
        round: &Round,
        first: bool,
        now: u32,
        stopping: &Arc<AtomicBool>,
    ) -> Result<(), RoundsError> {
        self.share_again(round).await?;
        let owed = duty(
            round,
            &self.setup.account,
            self.setup.role,
            self.setup.audits,
            now,
        );
        let Some(owed) = owed else { return Ok(()) };
        let is_left_out = owed == Duty::Join && !self.setup.choice.has(round, first);
        if is_left_out || self.done == Some((round.id, owed)) {
            return Ok(());
        }
        debug!(operator = %self.setup.name, round = %round.id, ?owed, "has a duty");
        self.fulfil(round, owed, stopping).await?;
        if matches!(owed, Duty::AuditScores | Duty::AuditClaim | Duty::Hold) {
            self.done = Some((round.id, owed));
        }
        self.setup.records.forget_before(round.id)
    }

    /// Serves what is here of the dataset, and the own update of the round, after a restart, too, as
    /// long as others may want it.
    async fn share_again(&mut self, round: &Round) -> Result<(), RoundsError> {
        if !self.datasets.contains(&round.dataset.root) {
            self.exchange.share_dataset(round).await?;
            self.datasets.push(round.dataset.root);
        }
        let is_revealed = round
            .trainers
            .iter()
            .any(|trainer| trainer.account == self.setup.account && trainer.contribution.is_some());
        let update = self.setup.records.update(round.id);
        if is_revealed && self.shared != Some(round.id) && update.exists() {
            self.exchange.share(&update).await?;
            self.shared = Some(round.id);
        }
        Ok(())
    }

    async fn fulfil(
        &self,
        round: &Round,
        owed: Duty,
        stopping: &Arc<AtomicBool>,
    ) -> Result<(), RoundsError> {
        match owed {
            Duty::Join => {
                // Who cannot get the parent, or the list of shards, cannot do anything in the round.
                let parent = self.checkpoint(round.parent).await?;
                self.exchange.dataset(round, &[]).await?;
                let blob = self.exchange.share_checkpoint(&parent).await?;
                self.ledger.announce_holding(round.parent, blob).await?;
                self.send(round, Step::Join(self.setup.role)).await
            }
            Duty::Contribute => self.contribute(round, stopping).await,
            Duty::RevealContribution => self.reveal_contribution(round).await,
            Duty::Score => self.score(round).await,
            Duty::RevealScores => self.reveal_scores(round).await,
            Duty::Claim => {
                let claim = self.claim(round).await?;
                self.send(round, Step::Claim(claim)).await
            }
            Duty::AuditScores => self.audit_scores(round).await,
            Duty::AuditClaim => {
                let claim = self.claim(round).await?;
                if round.claim == Some(claim) {
                    return Ok(());
                }
                warn!(operator = %self.setup.name, round = %round.id, "objects to the claimed checkpoint");
                self.send(round, Step::ObjectToClaim(claim)).await
            }
            Duty::Hold => self.hold(round).await,
        }
    }

    async fn send(&self, round: &Round, step: Step) -> Result<(), RoundsError> {
        Ok(self.ledger.send(round.id, step).await?)
    }

    /// A checkpoint from the library, or from those that hold it.
    async fn checkpoint(&self, id: CheckpointId) -> Result<OpenCheckpoint, RoundsError> {
        if let Ok(checkpoint) = self.setup.library.open(id) {
            return Ok(checkpoint);
        }
        info!(operator = %self.setup.name, checkpoint = %id, "fetches a checkpoint");
        self.exchange.fetch_checkpoint(id).await
    }

    async fn contribute(
        &self,
        round: &Round,
        stopping: &Arc<AtomicBool>,
    ) -> Result<(), RoundsError> {
        let records = &self.setup.records;
        let kept = match records.contribution(round.id)? {
            Some(kept) => kept,
            None => {
                let (account, sabotage) = (&self.setup.account, self.setup.sabotage);
                let Some(shards) = assignment::shards(round, account, sabotage) else {
                    return Ok(());
                };
                let checkpoint = self.checkpoint(round.parent).await?;
                let bytes = self.train(round, checkpoint, shards, stopping).await?;
                records.keep_update(round.id, &bytes)?;
                let kept = Committed {
                    contribution: Contribution {
                        update: H256(*blake3::hash(&bytes).as_bytes()),
                        bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
                    },
                    salt: salt()?,
                };
                records.keep_contribution(round.id, &kept)?;
                kept
            }
        };
        let commitment = hashing::contribution_commitment(
            round.id,
            &self.setup.account,
            kept.contribution.update,
            kept.contribution.bytes,
            kept.salt,
        );
        self.send(round, Step::CommitContribution(commitment)).await
    }

    async fn train(
        &self,
        round: &Round,
        checkpoint: OpenCheckpoint,
        shards: Vec<u32>,
        stopping: &Arc<AtomicBool>,
    ) -> Result<Vec<u8>, RoundsError> {
        let dataset = self.exchange.dataset(round, &shards).await?;
        let (setup, trainer, stopping) =
            (self.setup.clone(), self.trainer.clone(), stopping.clone());
        let (id, entries) = (round.id, round.rules.entries_per_chunk);
        compute(move || {
            let parent = Arc::new(Parent::read(&checkpoint)?);
            let shards = score::shards(&dataset, &shards)?;
            let sequences: Vec<&[u32]> = shards.iter().flat_map(|shard| shard.sequences()).collect();
            let mut trainer = trainer.lock().map_err(|_| RoundsError::CutOff)?;
            if trainer.is_none() {
                let mut options = setup.training.clone();
                options.entries = entries;
                let state = setup.records.trainer_state();
                *trainer = Some(Trainer::new(
                    parent.clone(),
                    options,
                    &setup.device,
                    Some(&state),
                )?);
            }
            let trainer = trainer.as_mut().ok_or(RoundsError::CutOff)?;
            // A round that ended without a checkpoint leaves the parent, but not the shards.
            if !trainer.is_on(parent.id(), &sequences) {
                trainer.next_round(parent.clone())?;
            } else if trainer.steps_done() > 0 {
                info!(operator = %setup.name, round = %id, step = trainer.steps_done(), "goes on with training");
            }
            let contribution = trainer.run(&sequences, &mut |step| {
                debug!(operator = %setup.name, round = %id, step = step.done, of = step.of, loss = step.loss, "trains");
                match stopping.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })?;
            info!(
                operator = %setup.name,
                round = %id,
                loss_before = contribution.loss_before,
                loss_after = contribution.loss_after,
                bytes = contribution.bytes.len(),
                "trained"
            );
            match setup.sabotage {
                Some(sabotage) => Ok(sabotage.spoil(&parent, entries, contribution.bytes)?),
                None => Ok(contribution.bytes),
            }
        })
        .await
    }

    async fn reveal_contribution(&self, round: &Round) -> Result<(), RoundsError> {
        if self.setup.sabotage == Some(Sabotage::Silent) {
            return Ok(());
        }
        let records = &self.setup.records;
        let Some(kept) = records.contribution(round.id)? else {
            warn!(operator = %self.setup.name, round = %round.id, "the contribution that was committed is gone from this machine");
            return Ok(());
        };
        self.exchange.share(&records.update(round.id)).await?;
        self.send(
            round,
            Step::RevealContribution(kept.contribution, kept.salt),
        )
        .await
    }

    async fn score(&self, round: &Round) -> Result<(), RoundsError> {
        let Scored { sheet, salt } = self.own_scores(round).await?;
        let commitment = hashing::score_commitment(round.id, &self.setup.account, &sheet, salt);
        self.send(round, Step::CommitScores(commitment)).await
    }

    /// The scores that were kept of a round, or else new ones, which are kept.
    async fn own_scores(&self, round: &Round) -> Result<Scored, RoundsError> {
        let records = &self.setup.records;
        if let Some(kept) = records.scores(round.id)? {
            return Ok(kept);
        }
        let scored = Scored {
            sheet: self.sheet(round).await?,
            salt: salt()?,
        };
        records.keep_scores(round.id, &scored)?;
        Ok(scored)
    }

    async fn sheet(&self, round: &Round) -> Result<ScoreSheet, RoundsError> {
        let shards = score::needed(round);
        let dataset = self.exchange.dataset(round, &shards).await?;
        let checkpoint = self.checkpoint(round.parent).await?;
        let received = self.received(round, |_| true).await?;
        let (round, device) = (round.clone(), self.setup.device.clone());
        compute(move || {
            let parent = Arc::new(Parent::read(&checkpoint)?);
            score(&round, &parent, &dataset, &device, &received)
        })
        .await
    }

    async fn reveal_scores(&self, round: &Round) -> Result<(), RoundsError> {
        let Some(kept) = self.setup.records.scores(round.id)? else {
            warn!(operator = %self.setup.name, round = %round.id, "the scores that were committed are gone from this machine");
            return Ok(());
        };
        self.send(round, Step::RevealScores(kept.sheet, kept.salt))
            .await
    }

    async fn audit_scores(&self, round: &Round) -> Result<(), RoundsError> {
        let sheet = self.own_scores(round).await?.sheet;
        if round.agrees(&sheet) {
            return Ok(());
        }
        warn!(operator = %self.setup.name, round = %round.id, "objects to the scores");
        self.send(round, Step::ObjectToScores(sheet)).await
    }

    /// What the accepted contributions make of the parent.
    async fn aggregate(&self, round: &Round) -> Result<Aggregate, RoundsError> {
        let checkpoint = self.checkpoint(round.parent).await?;
        // A refused one may be served by nobody any more, and to find that out takes time.
        let is_accepted = |ruling: Option<Ruling>| matches!(ruling, Some(Ruling::Accepted { .. }));
        let received = self.received(round, is_accepted).await?;
        let (round, name) = (round.clone(), self.setup.name.clone());
        compute(move || {
            let next = aggregate(&round, checkpoint, &received)?;
            info!(operator = %name, round = %round.id, checkpoint = %next.id(), "computed the next checkpoint");
            Ok(next)
        })
        .await
    }

    async fn claim(&self, round: &Round) -> Result<Claim, RoundsError> {
        let dataset = self.exchange.dataset(round, &round.evaluation).await?;
        let next = self.aggregate(round).await?;
        let (round, device) = (round.clone(), self.setup.device.clone());
        compute(move || next.claim(&round, &dataset, &device)).await
    }

    /// Gets the next checkpoint by computing it, or from others where that is not possible, and
    /// tells that it is here.
    async fn hold(&self, round: &Round) -> Result<(), RoundsError> {
        let Some(claim) = round.claim else {
            return Ok(());
        };
        let held = match self.setup.library.open(claim.checkpoint) {
            Ok(held) => held,
            Err(_) => match self.aggregate(round).await {
                Ok(next) if next.id() == claim.checkpoint => {
                    let library = self.setup.library.clone();
                    compute(move || next.write(&library)).await?
                }
                Ok(next) => {
                    return Err(RoundsError::OtherCheckpoint {
                        computed: next.id().to_string(),
                        decided: claim.checkpoint.to_string(),
                    })
                }
                Err(error) => {
                    debug!(operator = %self.setup.name, %error, "fetches the next checkpoint instead of computing it");
                    self.exchange.fetch_checkpoint(claim.checkpoint).await?
                }
            },
        };
        let blob = self.exchange.share_checkpoint(&held).await?;
        Ok(self.ledger.announce_holding(claim.checkpoint, blob).await?)
    }

    /// The updates that can be had, in the order of the contributions, of those whose ruling `of`
    /// picks.
    async fn received(
        &self,
        round: &Round,
        of: fn(Option<Ruling>) -> bool,
    ) -> Result<Vec<Option<Vec<u8>>>, RoundsError> {
        let contributors = round.contributors().into_iter();
        let contributions: Vec<_> = contributors
            .filter_map(|trainer| {
                let is_wanted = of(trainer.ruling);
                Some((trainer.account, trainer.contribution?, is_wanted))
            })
            .collect();
        // Those who contributed the same serve the same.
        let mut sent = BTreeMap::<H256, Vec<(AccountBytes, u32)>>::new();
        for (account, contribution, _) in contributions.iter().filter(|(_, _, wanted)| *wanted) {
            let all = sent.entry(contribution.update).or_default();
            all.push((*account, contribution.bytes));
        }
        let folder = self.setup.records.folder(round.id).join("received");
        let fetches = sent.into_iter().map(|(update, sent)| {
            let into = folder.join(format!("{}.nupd", hex::encode(update)));
            async move {
                let from: Vec<_> = sent.iter().map(|(account, _)| *account).collect();
                let longest = sent
                    .iter()
                    .map(|(_, bytes)| *bytes)
                    .max()
                    .unwrap_or_default();
                let fetch = self.exchange.fetch_update(&from, update, longest, into);
                Ok::<_, RoundsError>((update, fetch.await?))
            }
        });
        let fetched: BTreeMap<H256, Option<Vec<u8>>> = stream::iter(fetches)
            .buffer_unordered(FETCHED_TOGETHER)
            .try_collect()
            .await?;
        let received = contributions.iter().map(|(_, contribution, wanted)| {
            let update = fetched.get(&contribution.update).filter(|_| *wanted);
            update.cloned().flatten()
        });
        Ok(received.collect())
    }
}

/// Computes beside the threads that wait for the network.
async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RoundsError> + Send + 'static,
) -> Result<T, RoundsError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| RoundsError::CutOff)?
}

fn salt() -> Result<H256, RoundsError> {
    let mut salt = H256::zero();
    getrandom::fill(&mut salt.0).map_err(|error| RoundsError::Record {
        path: "the system's randomness".into(),
        source: std::io::Error::other(error),
    })?;
    Ok(salt)
}
