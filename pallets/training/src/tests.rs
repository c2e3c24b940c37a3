//! What people see of programmes and rounds.

mod drawing;
mod objecting;
mod programme;
mod promoting;
mod stepping;
