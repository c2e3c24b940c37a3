//! Endpoints on the loopback interface that share and fetch.

mod limits;
mod sharing;
mod support;
mod troubles;
