//! Tests of each call, of the turns, of who wins and loses what, and of many games. An audit runs after each.

mod anything;
mod beginning;
mod duties;
mod hand_over;
mod join;
mod load;
mod money;
mod open_trace;
mod point;
mod prove;
mod show;
mod turns;
mod views;
