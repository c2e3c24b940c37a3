//! When things are due: rules without storage.

/// Blocks that `units` of work take at `per_block`, rounded up. A speed of zero counts as one.
pub fn blocks_for(units: u32, per_block: u32) -> u32 {
    units.div_ceil(per_block.max(1))
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
    fn work_takes_whole_blocks() {
        assert_eq!(blocks_for(0, 8), 0);
        assert_eq!(blocks_for(1, 8), 1);
        assert_eq!(blocks_for(16, 8), 2);
        assert_eq!(blocks_for(4, 0), 4);
    }

    proptest::proptest! {
        #[test]
        fn the_span_has_room_for_one_more(live in 1u32..10_000, per_block in 1u32..100) {
            let room = u64::from(search_span(live, per_block)) * u64::from(per_block);
            proptest::prop_assert!(room > u64::from(live));
        }
    }
}
