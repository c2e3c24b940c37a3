//! The Noema development node.

fn main() {}
