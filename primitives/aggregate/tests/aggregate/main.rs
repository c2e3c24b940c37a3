//! The steps of aggregates: against the definition, falsified, and with any evidence.

mod evidence;
mod shape;
mod support;
mod whole;
