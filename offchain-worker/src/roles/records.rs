//! The operator's records in its job store.

use super::operator::OperatorLoop;
use crate::store::{JobKey, JobRecord, JobStage, StoreError, Ticket};
use noema_protocol::Job;
use tracing::{error, info};

impl OperatorLoop {
    fn key(&self, job: Job) -> JobKey {
        JobKey {
            operator: self.identity.controller,
            job,
        }
    }

    /// The recorded progress with this ticket, not with another of the same number.
    pub(super) fn record(&self, ticket: &Ticket) -> Result<Option<JobStage>, StoreError> {
        let record = self.store.get(&self.key(ticket.job))?;
        Ok(record
            .filter(|record| record.subject == ticket.subject)
            .map(|record| record.stage))
    }

    /// The recorded progress with a duty that the chain lists. A duty that is done in a block is not listed
    /// from then on: if it is, it is a new one. A juror may have to judge the same leaf in a second dispute.
    pub(super) fn stage(&self, ticket: &Ticket) -> Result<Option<JobStage>, StoreError> {
        let stage = self.record(ticket)?;
        Ok(stage.filter(|stage| match stage {
            JobStage::Executed(_) => true,
            JobStage::Done { block } => *block > self.block,
        }))
    }

    /// Writes a record. Returns whether it is on disk.
    pub(super) fn write(&mut self, ticket: &Ticket, record: &JobRecord) -> bool {
        match self.store.put(&self.key(ticket.job), record) {
            Ok(()) => {
                self.store_works();
                true
            }
            Err(error) => {
                self.store_fails(&error);
                false
            }
        }
    }

    /// Checks whether the store can be used.
    pub(super) fn check_store(&mut self) {
        match self.store.check() {
            Ok(()) => self.store_works(),
            Err(error) => self.store_fails(&error),
        }
    }

    pub(super) fn store_fails(&mut self, error: &StoreError) {
        self.metrics.store_errors.inc();
        let reason = error.to_string();
        if self.store_trouble.as_ref() != Some(&reason) {
            error!(operator = %self.identity.name, %error, "the job store failed; work that needs it waits, and the store is tried again at each block");
            self.metrics.health.is_troubled(&self.store_part(), &reason);
            self.store_trouble = Some(reason);
        }
    }

    fn store_works(&mut self) {
        if self.store_trouble.take().is_some() {
            info!(operator = %self.identity.name, "the job store works again");
            self.metrics.health.is_well(&self.store_part());
        }
    }

    /// The name of the job store in `/health`.
    fn store_part(&self) -> String {
        format!("job store of {}", self.identity.name)
    }
}
