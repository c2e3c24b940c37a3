//! Amounts as people write them.

use crate::chain::Node;
use anyhow::{bail, Context};

/// The native token: how many digits after the point, and what it is called.
#[derive(Clone, Debug)]
pub(super) struct Token {
    decimals: u32,
    symbol: String,
}

impl Token {
    /// The token as the node describes it.
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

    /// The smallest units in `text`, a decimal number of tokens such as `2.5`.
    pub(super) fn parse(&self, text: &str) -> anyhow::Result<u128> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            bail!("`{text}` is not an amount: write a number of tokens such as 10 or 0.25");
        }
        let decimals = self.decimals as usize;
        if fraction.len() > decimals {
            bail!(
                "`{text}` has {} digits after the point; {} has {decimals}",
                fraction.len(),
                self.symbol
            );
        }
        format!("{whole}{fraction:0<decimals$}")
            .parse()
            .with_context(|| format!("`{text}` is too large an amount"))
    }

    /// What the token is called.
    pub(super) fn symbol(&self) -> &str {
        &self.symbol
    }

    /// The amount in tokens for a column of a table, rounded down to a thousandth.
    pub(super) fn column(&self, amount: u128) -> String {
        let unit = 10u128.pow(self.decimals);
        let thousandths = amount % unit * 1_000 / unit;
        format!("{}.{thousandths:03}", amount / unit)
    }

    /// The amount as a person reads it.
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

    #[test]
    fn amounts_are_exact() {
        assert_eq!(token().parse("1").expect("one"), 1_000_000_000_000);
        assert_eq!(token().parse("0.25").expect("a quarter"), 250_000_000_000);
        assert_eq!(token().parse(".000000000001").expect("the least"), 1);
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
        for text in ["", ".", "-1", "1e3", "1,5", "0.0000000000001"] {
            assert!(token().parse(text).is_err(), "{text}");
        }
        assert!(token().parse(&"9".repeat(40)).is_err());
    }
}
