//! Two sides over the loopback interface.

mod answers;
mod breaches;
mod leaves;
mod restarts;
mod support;
