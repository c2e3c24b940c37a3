//! What must not pay, in numbers: each attack is played on the pallets of the runtime, with the money
//! rules of a live chain. Each test prints what the attack costs and what it yields;
//! `docs/attacks.md` has the table.

#[path = "../common/mod.rs"]
mod common;
mod world;

mod checks;
mod collusion;
mod draws;
mod requests;
mod standstill;
