//! The program `noema-worker`.

fn main() {}
