//! One file for the call, one for each hook, one for views, one for the work that records of accounts keep, one for
//! random sequences of actions.

mod claim;
mod closing;
mod expiry;
mod recent;
mod sequences;
mod views;
