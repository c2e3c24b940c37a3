//! Training tiny models on the processor.

mod participation;
mod resume;
mod rounds;
mod support;
mod trainer;
