//! Tests of each call and each turn, of the state machine without storage, and simulations of attacks. After
//! each block of a test an audit runs.

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
