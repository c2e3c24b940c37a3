//! Tests of trainers and validators in rounds, with a fake chain and network.

mod beside;
mod honest;
mod play;
mod restarts;
mod sabotage;
mod store;
mod troubles;
