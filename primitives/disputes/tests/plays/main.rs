//! Games without storage.

mod games;
mod load;
mod support;
