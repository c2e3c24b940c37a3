//! One file for the call, one for each hook, one for views, one for random sequences of actions.

mod claim;
mod closing;
mod expiry;
mod sequences;
mod views;
