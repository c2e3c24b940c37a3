//! The identity of a chain.

use noema_model::printable::printable;
use sp_core::H256;
use std::fmt;

/// The identity of a chain, as its node reports it.
///
/// All development chains have the same genesis block. Block 1 distinguishes them, also from a chain before
/// its database was purged: it contains a time and randomness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainIdentity {
    /// The chain's name.
    pub name: String,
    /// The runtime's name.
    pub runtime: String,
    /// The runtime's version.
    pub version: u32,
    /// The hash of the genesis block.
    pub genesis: H256,
    /// The hash of block 1; `None` if it does not exist yet, or the node does not have it.
    pub first: Option<H256>,
}

impl ChainIdentity {
    /// Whether this can be the same chain as `before` at a later time. In between, the runtime may have been
    /// upgraded and block 1 made.
    pub fn continues(&self, before: &Self) -> bool {
        let same_first = match (before.first, self.first) {
            (Some(before), Some(now)) => before == now,
            (Some(_), None) => false,
            (None, _) => true,
        };
        self.genesis == before.genesis && same_first
    }
}

/// The hashes are abbreviated, as in a log.
impl fmt::Display for ChainIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, runtime) = (printable(&self.name), printable(&self.runtime));
        let (version, genesis) = (self.version, self.genesis);
        write!(
            f,
            "{name} (runtime {runtime} {version}, genesis {genesis}, "
        )?;
        match self.first {
            Some(first) => write!(f, "block 1 {first})"),
            None => f.write_str("no block 1 yet)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(first: Option<u8>) -> ChainIdentity {
        ChainIdentity {
            name: "Development".to_owned(),
            runtime: "noema".to_owned(),
            version: 3,
            genesis: H256::repeat_byte(0xab),
            first: first.map(H256::repeat_byte),
        }
    }

    #[test]
    fn a_purged_chain_with_the_same_genesis_block_is_another() {
        assert!(!chain(Some(2)).continues(&chain(Some(1))));
        assert!(!chain(None).continues(&chain(Some(1))));
        assert_ne!(chain(Some(2)).to_string(), chain(Some(1)).to_string());
    }

    #[test]
    fn a_chain_that_went_on_is_the_same() {
        let upgraded = ChainIdentity {
            version: 4,
            ..chain(Some(1))
        };
        assert!(upgraded.continues(&chain(Some(1))));
        assert!(upgraded.continues(&chain(None)));
        let other = ChainIdentity {
            genesis: H256::zero(),
            ..chain(None)
        };
        assert!(!other.continues(&chain(None)));
    }

    #[test]
    fn a_chain_is_named_by_more_than_its_genesis_block() {
        let named = chain(Some(1)).to_string();
        for part in ["Development", "noema 3", "genesis 0xabab", "block 1 0x0101"] {
            assert!(named.contains(part), "{named}");
        }
        let hostile = ChainIdentity {
            name: "a\u{1b}[2J".to_owned(),
            ..chain(None)
        };
        assert!(!hostile.to_string().contains('\u{1b}'));
    }
}
