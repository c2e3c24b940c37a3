//! The judge of sessions' answers, tested through the public interface.

mod answer;
mod statements;
mod steps;
mod support;
