//! Stories, one file for each thing that somebody does or lets happen. After each block of each
//! story the audit must find the books in order.

mod anything;
mod burning;
mod checking;
mod disputing;
mod panel;
mod reading;
mod requesting;
mod submitting;
mod windows;
