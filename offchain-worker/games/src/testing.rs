//! Games about executions of small models, with liars on either side: for tests, and for measurements of how many
//! forgeries are caught and how many accusations are false.
//!
//! Needs the feature `testing`.

mod duel;
mod judge;
mod traced;
mod trials;
mod world;

pub use duel::{Duel, DuelEnd, Party};
pub use judge::WorldJudge;
pub use traced::{NoPlace, Traced};
pub use trials::{Tally, Trials};
pub use world::World;
