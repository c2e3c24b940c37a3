//! Importing models: every format and quantisation, the same result everywhere, and only named errors for
//! invalid models.

mod formats;
mod hostile;
mod library;
mod model_types;
mod quantisations;
mod real_model;
mod refusals;
mod repeatability;
mod rope;
mod support;
mod templates;
mod tokenizers;
