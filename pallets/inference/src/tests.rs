//! Stories, one file for each thing that somebody does or lets happen.

mod requesting;
