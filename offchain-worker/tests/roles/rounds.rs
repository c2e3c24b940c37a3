//! Trainers and validators of rounds, with the chain and the network played by the tests.

mod beside;
mod honest;
mod play;
mod restarts;
mod sabotage;
mod store;
mod troubles;
