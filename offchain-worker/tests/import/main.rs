//! Importing models: every format and quantisation, the same result everywhere, and nothing but a
//! named error for whatever is not a sound model.

mod formats;
mod hostile;
mod library;
mod quantisations;
mod real_model;
mod refusals;
mod repeatability;
mod support;
mod tokenizers;
