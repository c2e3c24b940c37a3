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

mod border;
mod derive;
mod entry;
mod evidence;
mod framing;
mod lookup;
mod rules;
mod scan;
mod tables;
mod unicode;
mod vocabulary;
mod words;

pub use derive::{Merge, TokenForm, Unsupported};
pub use entry::{MergePart, TokenEntry};
pub use evidence::{SplitEvidence, SplitRefusal};
pub use framing::Framing;
pub use lookup::{Lookup, Missing, Pair, Table, TableRun, RUN_ITEMS};
pub use rules::{Spaces, SplitRules, Units, MAX_CUTS, MAX_LOOKUP_BYTES, MAX_TOKEN_BYTES};
pub use scan::{SplitState, SplitText};
pub use unicode::{composition, is_composed, is_letter, is_mark, is_number, is_numeric, is_space};
pub use vocabulary::{LookupRecorder, SplitTables};
pub use words::{Cut, Numbers, WordRules};
