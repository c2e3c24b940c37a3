//! Serves and validates inference for a Noema chain.
