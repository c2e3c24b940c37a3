//! Training tiny models on the processor.

mod resume;
mod rounds;
mod support;
mod trainer;
