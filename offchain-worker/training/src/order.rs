//! The order in which a trainer reads its data: a function of seed, parent and step alone, so a trainer that
//! was killed continues with the same sequences.

use noema_checkpoint::CheckpointId;

/// The inputs of the order.
pub(super) struct Order {
    pub(super) seed: u64,
    pub(super) parent: CheckpointId,
    /// Number of sequences, at least one.
    pub(super) count: usize,
}

impl Order {
    /// Indices of the `batch` sequences of `step`. Each epoch has all of them in a separate order.
    pub(super) fn batch(&self, step: u32, batch: u32) -> Vec<usize> {
        let count = self.count as u64;
        let first = u64::from(step) * u64::from(batch);
        let mut epoch = (first / count, self.epoch(first / count));
        (first..first + u64::from(batch))
            .map(|at| {
                if epoch.0 != at / count {
                    epoch = (at / count, self.epoch(at / count));
                }
                epoch.1[(at % count) as usize]
            })
            .collect()
    }

    /// A permutation (Fisher and Yates).
    fn epoch(&self, epoch: u64) -> Vec<usize> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"noema/data-order");
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(self.parent.0.as_bytes());
        hasher.update(&epoch.to_le_bytes());
        let mut draws = hasher.finalize_xof();
        let mut order: Vec<usize> = (0..self.count).collect();
        for last in (1..self.count).rev() {
            let mut draw = [0; 8];
            draws.fill(&mut draw);
            order.swap(
                last,
                (u64::from_le_bytes(draw) % (last as u64 + 1)) as usize,
            );
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_checkpoint::H256;

    fn order(seed: u64, parent: u8) -> Order {
        Order {
            seed,
            parent: CheckpointId(H256::repeat_byte(parent)),
            count: 10,
        }
    }

    #[test]
    fn an_epoch_has_each_sequence_once() {
        let read: Vec<usize> = (0..5).flat_map(|step| order(1, 1).batch(step, 4)).collect();
        for epoch in read.chunks(10) {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(read[..10], read[10..]);
    }

    #[test]
    fn a_batch_may_be_larger_than_the_data() {
        let batch = order(1, 1).batch(0, 25);
        assert_eq!(batch.len(), 25);
        assert_eq!(batch[..20], *order(1, 1).batch(0, 20));
    }

    #[test]
    fn seed_and_parent_decide() {
        let of = |seed, parent| order(seed, parent).batch(0, 10);
        assert_eq!(of(1, 1), of(1, 1));
        assert_ne!(of(1, 1), of(2, 1));
        assert_ne!(of(1, 1), of(1, 2));
    }
}
