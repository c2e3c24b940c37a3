//! Tests of each call, of turns, and of whole claims.

mod anything;
mod challenge;
mod commit_check;
mod life;
mod posting;
mod reveal_check;
mod turns;
