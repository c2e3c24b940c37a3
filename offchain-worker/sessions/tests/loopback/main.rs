//! Two sides over the loopback interface.

mod answers;
mod bounds;
mod breaches;
mod full_disk;
mod leaves;
mod losses;
mod restarts;
mod support;
