//! Tests of trainers and validators in rounds, with a fake chain and network.

mod beside;
mod dishonest;
mod honest;
mod play;
mod restarts;
mod store;
mod troubles;
