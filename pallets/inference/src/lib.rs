//! Records paid requests, answers, checks and settlements.
