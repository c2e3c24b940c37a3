//! Tests by what is called, and of whole lives.

mod anything;
mod challenge;
mod commit_check;
mod life;
mod reveal_check;
mod turns;
