//! Attacks that must not pay, in numbers: each is run on the pallets of the runtime, with the money rules of
//! a live chain. Each test prints cost and yield of the attack; `docs/attacks.md` has the table.

#[path = "../common/mod.rs"]
mod common;
mod world;

// The same answers as in the tests of the judge.
#[path = "../../../primitives/referee/tests/referee/answer.rs"]
mod answer;

mod checks;
mod collusion;
mod draws;
mod games;
mod jurors;
mod requests;
mod standstill;
