//! Stories, one file for each thing that an account does or that happens by itself; the state machine
//! without storage; and what attackers can do, in numbers. After each block of each story the audit
//! must find the books in order.

mod anything;
mod appealing;
mod closing;
mod committing;
mod concluding;
mod drawing;
mod duties;
mod lives;
mod quorum;
mod revealing;
mod simulation;
mod turns;
mod views;
