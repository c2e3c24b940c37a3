//! What people see of programmes and rounds.

mod objecting;
mod programme;
mod promoting;
mod stepping;
