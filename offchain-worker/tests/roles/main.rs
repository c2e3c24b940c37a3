//! What the roles of inference do on a chain and with a model that the tests play.

mod claim;
mod fake;
mod serve;
mod validate;
