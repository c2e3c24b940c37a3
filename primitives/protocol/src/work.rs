//! Verified work, and values for each kind of it.

use crate::{apply, sent};
use serde::{Deserialize, Serialize};

/// Kinds of verified work that the subsidy pays for.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Work {
    /// Answers that were settled, by the burned part of the payments for them.
    Inference,
    /// Checks that were not overturned, by the burned part of the payments for them.
    Check,
    /// Contributions that were accepted, by how much they lowered the loss, and scores that were not
    /// overturned.
    Training,
}

impl Work {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Inference, Self::Check, Self::Training];
}

/// One value for each kind of work.
#[apply(sent)]
#[derive(Copy, Default, Serialize, Deserialize)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
pub struct PerWork<Value> {
    /// Of [`Work::Inference`].
    pub inference: Value,
    /// Of [`Work::Check`].
    pub check: Value,
    /// Of [`Work::Training`].
    pub training: Value,
}

impl<Value> PerWork<Value> {
    /// The value that `value` gives for each kind.
    pub fn from_fn(mut value: impl FnMut(Work) -> Value) -> Self {
        Self {
            inference: value(Work::Inference),
            check: value(Work::Check),
            training: value(Work::Training),
        }
    }

    /// The value of one kind.
    pub const fn get(&self, work: Work) -> &Value {
        match work {
            Work::Inference => &self.inference,
            Work::Check => &self.check,
            Work::Training => &self.training,
        }
    }

    /// The value of one kind, to be changed.
    pub const fn get_mut(&mut self, work: Work) -> &mut Value {
        match work {
            Work::Inference => &mut self.inference,
            Work::Check => &mut self.check,
            Work::Training => &mut self.training,
        }
    }
}
