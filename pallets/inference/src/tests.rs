//! Tests of each call and each step. After each block an audit runs.

mod answering;
mod anything;
mod budget;
mod cancelling;
mod ending;
mod expiring;
mod missing;
mod queueing;
mod requesting;
mod ruling;
mod sharing;
mod views;
