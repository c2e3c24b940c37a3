#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used
    )
)]

extern crate alloc;

mod roster;
mod versions;

pub use roster::{
    bond_of, weight_of, Drawn, Page, PageSummary, Pages, Roster, RosterEntry, RosterFull, Slot,
    MAX_WEIGHT, PAGES, PAGE_ENTRIES,
};
pub use versions::{TermIndex, Versions, NOTICE};
