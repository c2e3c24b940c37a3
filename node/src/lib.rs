//! The Noema development node.
