//! The linear layers of experts on all cores: each position runs its experts only, and the positions of an expert
//! are one batch.

use super::kernels::{CpuKernels, LinearOutput};
use noema_numerics::{
    experts::{input_of, Experts},
    Blocks, BlocksRef,
};

/// The matrices of experts, to be computed with others: see [`CpuKernels::expert_layers`].
#[derive(Debug)]
pub struct ExpertsOutput<'a> {
    /// The matrices.
    pub weights: Experts<'a>,
    /// Fraction bits of the outputs.
    pub fraction: i32,
    /// Outputs `[batch][chosen][rows]`.
    pub output: &'a mut [i32],
}

impl CpuKernels {
    /// Computes layers of the same experts with the same routes and input, as
    /// [`Kernels::experts`](noema_numerics::Kernels::experts) does for each.
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub fn expert_layers(
        &self,
        layers: &mut [ExpertsOutput<'_>],
        chosen: usize,
        routes: &[i32],
        input: BlocksRef<'_>,
    ) {
        let Some(first) = layers.first().map(|layer| layer.weights) else {
            return;
        };
        for layer in &*layers {
            let length = input.rows() * chosen * layer.weights.rows();
            assert_eq!(layer.output.len(), length, "outputs of the experts");
        }
        if input.rows() == 1 && input.columns() == first.columns() {
            return self.one_position(layers, routes, input);
        }
        for (expert, places) in places(&first, chosen, routes) {
            let inputs = gathered(&first, &places, input);
            let mut outputs: Vec<Vec<i32>> = layers
                .iter()
                .map(|layer| vec![0; places.len() * layer.weights.rows()])
                .collect();
            let mut products: Vec<LinearOutput<'_>> = layers
                .iter()
                .zip(&mut outputs)
                .map(|(layer, output)| LinearOutput {
                    weights: layer.weights.matrix(expert),
                    fraction: layer.fraction,
                    output,
                })
                .collect();
            self.linears(&mut products, inputs.view());
            for (layer, output) in layers.iter_mut().zip(outputs) {
                let rows = layer.weights.rows();
                for ((row, place), output) in places.iter().zip(output.chunks_exact(rows)) {
                    let at = (row * chosen + place) * rows;
                    layer.output[at..at + rows].copy_from_slice(output);
                }
            }
        }
    }

    /// All experts of one position, which read the same input, together.
    fn one_position(&self, layers: &mut [ExpertsOutput<'_>], routes: &[i32], input: BlocksRef<'_>) {
        let mut products: Vec<LinearOutput<'_>> = layers
            .iter_mut()
            .flat_map(|layer| {
                let (weights, fraction) = (layer.weights, layer.fraction);
                let outputs = layer.output.chunks_exact_mut(weights.rows());
                routes
                    .iter()
                    .zip(outputs)
                    .map(move |(&route, output)| LinearOutput {
                        weights: weights.matrix(weights.index(route)),
                        fraction,
                        output,
                    })
            })
            .collect();
        self.linears(&mut products, input);
    }
}

/// The row of a position, and the place of an expert among its routes.
type Place = (usize, usize);

/// Of each expert that a position takes, the places where it is taken.
fn places(weights: &Experts<'_>, chosen: usize, routes: &[i32]) -> Vec<(usize, Vec<Place>)> {
    let rows = routes.chunks_exact(2 * chosen).enumerate();
    let mut taken: Vec<(usize, Place)> = rows
        .flat_map(|(row, routes)| {
            let experts = routes.iter().take(chosen).enumerate();
            experts.map(move |(place, &route)| (weights.index(route), (row, place)))
        })
        .collect();
    taken.sort_unstable();
    let by_expert = taken.chunk_by(|(one, _), (other, _)| one == other);
    by_expert
        .filter_map(|taken| {
            let (expert, _) = taken.first()?;
            Some((*expert, taken.iter().map(|(_, place)| *place).collect()))
        })
        .collect()
}

/// The vectors that an expert reads at `places`.
fn gathered(weights: &Experts<'_>, places: &[Place], input: BlocksRef<'_>) -> Blocks {
    let mut blocks = Blocks::default();
    blocks.reset(places.len(), weights.columns(), input.fraction());
    for (index, &(row, place)) in places.iter().enumerate() {
        let part = input_of(weights, input, row, place);
        let (mantissas, shifts) = blocks.row_mut(index);
        mantissas.copy_from_slice(part.mantissas());
        shifts.copy_from_slice(part.shifts());
    }
    blocks
}
