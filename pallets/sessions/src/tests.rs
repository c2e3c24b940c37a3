//! Tests of each call, of the poll, and of whole sessions.

mod anything;
mod claiming;
mod closing;
mod opening;
mod seeding;
mod views;
