//! The money rules, as pure functions.
