//! Stories, one file for each thing that is done or left undone. After each block of each story the
//! books must agree.

mod answering;
mod anything;
mod budget;
mod cancelling;
mod ending;
mod expiring;
mod missing;
mod queueing;
mod reading;
mod requesting;
mod ruling;
mod sharing;
