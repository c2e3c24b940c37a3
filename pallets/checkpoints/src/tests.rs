//! One file for each call, and one for the views.

mod families;
mod holding;
mod register_checkpoint;
mod remove_checkpoint;
mod set_canonical;
mod views;
mod withdraw_checkpoint;
