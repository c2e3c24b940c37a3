//! Programmes and rounds through calls, events and views.

mod drawing;
mod objecting;
mod programme;
mod promoting;
mod stepping;
