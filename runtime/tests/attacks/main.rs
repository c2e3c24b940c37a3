//! Attacks that must not pay, in numbers: each is run on the pallets of the runtime, with the money rules of
//! a live chain. Each test prints cost and yield of the attack; `docs/attacks.md` has the table.

#[path = "../common/mod.rs"]
mod common;
mod world;

mod checks;
mod collusion;
mod draws;
mod jurors;
mod requests;
mod standstill;
