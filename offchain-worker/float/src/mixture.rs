//! A mixture of experts in real numbers.
//!
//! The experts of each position are chosen on the host, by the order that [`mod@noema_numerics::route`] defines: which
//! they are has no gradient, but their weights have one. Each expert multiplies the vectors of its positions at once.

use burn::tensor::{activation::softmax, module::linear, Device, Int, Tensor, TensorData};

/// The experts of some positions.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    /// Experts of a position.
    chosen: usize,
    /// Of each position, its experts in order.
    experts: Vec<usize>,
    /// Their weights, `[batch * positions, chosen]`.
    weights: Tensor<2>,
}

impl Routes {
    /// The `chosen` experts with the largest scores of each position, of `[batch, positions, experts]`.
    ///
    /// # Panics
    /// When the device does not return the scores, as burn does: [`guarded`](crate::guarded) makes an error of it.
    pub(crate) fn new(scores: Tensor<3>, chosen: usize, renormalised: bool) -> Self {
        let [_, _, count] = scores.dims();
        let scores = scores.flatten::<2>(0, 1);
        let [rows, _] = scores.dims();
        let known: Vec<f32> = scores
            .to_data()
            .try_into_vec()
            .expect("scores are 32-bit floats; qed");
        let mut experts = Vec::with_capacity(rows * chosen);
        for scores in known.chunks_exact(count) {
            let mut order: Vec<usize> = (0..count).collect();
            // Stable: of equal scores the first expert's is the first.
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
            experts.extend(&order[..chosen]);
        }
        let shape = [rows, chosen];
        let places = indices(experts.iter().copied(), &scores.device()).reshape(shape);
        let weights = match renormalised {
            true => softmax(scores.gather(1, places), 1),
            false => softmax(scores, 1).gather(1, places),
        };
        Self {
            chosen,
            experts,
            weights,
        }
    }

    /// The products of the matrices of `count` experts, `[columns, count * rows]`, with vectors
    /// `[batch, positions, columns]`, or with a part of `[batch, positions, chosen * columns]` for each place of the
    /// routes: `[batch, positions, chosen * rows]`.
    pub(crate) fn multiply(&self, weight: Tensor<2>, count: usize, x: Tensor<3>) -> Tensor<3> {
        let [batch, positions, width] = x.dims();
        let [columns, stacked] = weight.dims();
        let rows = stacked / count;
        let vectors = x.reshape([batch * positions * width / columns, columns]);
        // Vectors of a position.
        let each = width / columns;
        let mut taken: Vec<usize> = (0..self.experts.len()).collect();
        taken.sort_by_key(|place| self.experts[*place]);
        let products = taken.chunk_by(|a, b| self.experts[*a] == self.experts[*b]);
        let products = products.map(|places| {
            let expert = places.first().map_or(0, |place| self.experts[*place]);
            let read = places.iter().map(|place| match each {
                1 => place / self.chosen,
                _ => *place,
            });
            let vectors = vectors.clone().select(0, indices(read, &vectors.device()));
            linear(vectors, weight.clone().narrow(1, expert * rows, rows), None)
        });
        let products = Tensor::cat(products.collect(), 0);
        // Back from the order of the experts.
        let mut back = vec![0; taken.len()];
        for (at, place) in taken.iter().enumerate() {
            back[*place] = at;
        }
        let device = products.device();
        products
            .select(0, indices(back.into_iter(), &device))
            .reshape([batch, positions, self.chosen * rows])
    }

    /// The sum, by the weights, of the parts of `[batch, positions, chosen * width]`: `[batch, positions, width]`.
    pub(crate) fn mix(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, positions, parts] = x.dims();
        let width = parts / self.chosen;
        let parts = x.reshape([batch * positions, self.chosen, width]);
        let weights = self.weights.clone().unsqueeze_dim::<3>(2);
        (parts * weights)
            .sum_dim(1)
            .reshape([batch, positions, width])
    }
}

fn indices(values: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.map(|value| value as i64).collect();
    let shape = [values.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}
