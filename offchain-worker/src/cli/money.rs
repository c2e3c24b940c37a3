//! Amounts of the native token as text.

use crate::chain::Node;
use anyhow::{bail, Context};
use std::fmt;
use std::str::FromStr;

/// A decimal number of tokens such as `2.5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    whole: String,
    fraction: String,
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return Err("must be a number of tokens such as 10 or 0.25".into());
        }
        Ok(Self {
            whole: whole.into(),
            fraction: fraction.into(),
        })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fraction.as_str() {
            "" => f.write_str(&self.whole),
            fraction => write!(f, "{}.{fraction}", self.whole),
        }
    }
}

/// The native token: its decimals and its symbol.
#[derive(Clone, Debug)]
pub(super) struct Token {
    decimals: u32,
    symbol: String,
}

impl Token {
    /// The token as the node reports it.
    pub(super) async fn of(node: &Node) -> anyhow::Result<Self> {
        let properties = node.properties().await?;
        let decimals = properties
            .get("tokenDecimals")
            .and_then(|value| value.as_u64())
            .and_then(|decimals| u32::try_from(decimals).ok())
            .filter(|decimals| *decimals <= 30)
            .unwrap_or(12);
        let symbol = properties
            .get("tokenSymbol")
            .and_then(|value| value.as_str())
            .unwrap_or("NOEMA");
        Ok(Self {
            decimals,
            symbol: symbol.to_owned(),
        })
    }

    /// Its digits after the point.
    pub(super) const fn decimals(&self) -> u32 {
        self.decimals
    }

    /// The smallest units in `amount`.
    pub(super) fn units(&self, amount: &Amount) -> anyhow::Result<u128> {
        let Amount { whole, fraction } = amount;
        let decimals = self.decimals as usize;
        if fraction.len() > decimals {
            bail!(
                "`{amount}` has {} digits after the point; {} has {decimals}",
                fraction.len(),
                self.symbol
            );
        }
        format!("{whole}{fraction:0<decimals$}")
            .parse()
            .with_context(|| format!("the amount `{amount}` is too large"))
    }

    /// The token's symbol.
    pub(super) fn symbol(&self) -> &str {
        &self.symbol
    }

    /// The amount in tokens for a column of a table, rounded down to a thousandth.
    pub(super) fn column(&self, amount: u128) -> String {
        let unit = 10u128.pow(self.decimals);
        let thousandths = amount % unit * 1_000 / unit;
        format!("{}.{thousandths:03}", amount / unit)
    }

    /// The exact amount in tokens, with the symbol.
    pub(super) fn show(&self, amount: u128) -> String {
        let unit = 10u128.pow(self.decimals);
        let (whole, rest) = (amount / unit, amount % unit);
        if rest == 0 {
            return format!("{whole} {}", self.symbol);
        }
        let fraction = format!("{rest:0>width$}", width = self.decimals as usize);
        format!("{whole}.{} {}", fraction.trim_end_matches('0'), self.symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token {
            decimals: 12,
            symbol: "NOEMA".into(),
        }
    }

    fn units(text: &str) -> anyhow::Result<u128> {
        let amount: Amount = text.parse().map_err(anyhow::Error::msg)?;
        token().units(&amount)
    }

    #[test]
    fn amounts_are_exact() {
        assert_eq!(units("1").expect("one"), 1_000_000_000_000);
        assert_eq!(units("0.25").expect("a quarter"), 250_000_000_000);
        assert_eq!(units(".000000000001").expect("the least"), 1);
        assert_eq!(token().show(250_000_000_000), "0.25 NOEMA");
        assert_eq!(token().show(3_000_000_000_000), "3 NOEMA");
    }

    #[test]
    fn a_column_never_shows_more_than_there_is() {
        assert_eq!(token().column(0), "0.000");
        assert_eq!(token().column(2_999_999_999_999), "2.999");
        assert_eq!(token().column(1_030_000_000_000), "1.030");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "-1", "1e3", "1,5", "nan", "inf"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        assert!(units("0.0000000000001").is_err());
        assert!(units(&"9".repeat(40)).is_err());
    }
}
