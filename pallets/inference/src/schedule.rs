//! When things are due: rules without storage.

use sp_runtime::traits::AtLeast32BitUnsigned;

/// Blocks that `tokens` tokens take at `tokens_per_block`, rounded up. A speed of zero counts as
/// one.
pub fn blocks_for(tokens: u32, tokens_per_block: u32) -> u32 {
    tokens.div_ceil(tokens_per_block.max(1))
}

/// The last block of a window that opens in block `now`: `base` blocks, and the time for `tokens`
/// tokens.
pub fn deadline<BlockNumber: AtLeast32BitUnsigned + Copy>(
    now: BlockNumber,
    base: BlockNumber,
    tokens: u32,
    tokens_per_block: u32,
) -> BlockNumber {
    now.saturating_add(base)
        .saturating_add(blocks_for(tokens, tokens_per_block).into())
}

/// How many blocks, one after the other, always have room for one more turn, where `live` requests
/// have at most one turn each and a block has room for `per_block`.
pub fn search_span(live: u32, per_block: u32) -> u32 {
    live.div_ceil(per_block.max(1)).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_grows_with_the_tokens() {
        assert_eq!(deadline(10u32, 3, 0, 8), 13);
        assert_eq!(deadline(10u32, 3, 1, 8), 14);
        assert_eq!(deadline(10u32, 3, 16, 8), 15);
        assert_eq!(deadline(10u32, 3, 4, 0), 17);
        assert_eq!(deadline(u32::MAX, 3, 4, 1), u32::MAX);
    }

    proptest::proptest! {
        #[test]
        fn the_span_has_room_for_one_more(live in 1u32..10_000, per_block in 1u32..100) {
            let room = u64::from(search_span(live, per_block)) * u64::from(per_block);
            proptest::prop_assert!(room > u64::from(live));
        }
    }
}
