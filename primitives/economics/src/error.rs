//! Errors of the money rules.

use core::fmt;

/// Why a rule gives no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EconomicsError {
    /// The price exceeds the largest amount.
    PriceOverflow,
}

impl fmt::Display for EconomicsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PriceOverflow => "the price exceeds the largest amount",
        })
    }
}

impl core::error::Error for EconomicsError {}
