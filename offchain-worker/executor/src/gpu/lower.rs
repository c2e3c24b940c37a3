//! The steps of a network as dispatches of the kernels, with the buffers that they share. No device is
//! involved.
//!
//! Kernels do more than one operator each: matrices over the same input are stacked to one, whose outputs lie
//! one after another in a row of one buffer; a product is added to the residual stream as it is written;
//! rotation and storing are one kernel. A vector that is not needed any longer leaves its buffer to others.

mod experts;

use noema_numerics::{
    network::{is_read, Form, NetworkOperator, Step, Value},
    tile::TILE_ROWS,
    Network, BLOCK,
};
use std::collections::BTreeMap;

/// Matrices that can be stacked.
const MOST_STACKED: usize = 3;

/// A vector of each row of a chunk, by its index in [`Lowered::places`].
pub(crate) type Vector = usize;

/// The fraction bits of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// These.
    Fraction(i32),
    /// Those that the gains of a norm determine, which are this tensor.
    Gains(usize),
}

/// The buffer of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A vector of integers, replaced.
    Replace(Vector),
    /// A vector of integers, to which the product is added.
    Add(Vector),
    /// The logits.
    Logits,
}

/// The dispatches of one kernel. Tensors are given by their index in the canonical list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Embedding {
        table: usize,
        fraction: i32,
        output: Vector,
        width: usize,
    },
    Norm {
        gains: usize,
        epsilon_q32: u32,
        input: Vector,
        /// The normalised vector before quantisation.
        scratch: Vector,
        output: Vector,
        /// Whether the window lists the rows of the input.
        gather: bool,
    },
    Linear {
        /// The stacked matrices, each with the fraction bits of its output.
        matrices: Vec<(usize, i32)>,
        input: Vector,
        unit: Unit,
        output: Target,
    },
    /// Adds biases to vectors that lie in a row.
    Bias {
        /// Of each of them, the width, and the biases, if it has any.
        parts: Vec<BiasPart>,
        vectors: Vector,
        width: usize,
    },
    /// Normalises heads of a vector that lies in a row of several.
    HeadNorm {
        gains: usize,
        epsilon_q32: u32,
        vectors: Vector,
        /// Of the whole row.
        width: usize,
        /// Elements before the first head.
        first: usize,
        /// Elements of all heads.
        length: usize,
        /// Fraction bits of the vector.
        fraction: i32,
    },
    /// Rotates queries and keys in most layers, and stores keys and values, all of which are one row.
    Rope {
        cache: usize,
        /// None if the layer does not rotate.
        table: Option<usize>,
        projected: Vector,
        heads: u32,
        kv_heads: u32,
    },
    Attention {
        cache: usize,
        heads: u32,
        /// The last positions that a position sees; none for all.
        window: Option<u32>,
        projected: Vector,
        output: Vector,
    },
    Quantise {
        input: Vector,
        output: Vector,
        width: usize,
    },
    /// The experts of each row, and their weights.
    Route {
        input: Vector,
        output: Vector,
        count: usize,
        chosen: usize,
        renormalised: bool,
    },
    Experts(Experts),
    /// The weighted sum of what a row's experts return.
    Mix {
        routes: Vector,
        input: Vector,
        output: Vector,
        /// Whether the sum is added to the output.
        add: bool,
        width: usize,
        chosen: usize,
    },
    Gated {
        activation: Activation,
        /// Gates, then ups.
        input: Vector,
        /// The products before quantisation.
        scratch: Vector,
        output: Vector,
        width: usize,
    },
    /// Adds a vector to another.
    Add {
        delta: Vector,
        vectors: Vector,
        width: usize,
    },
}

/// The function of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    Silu,
    Gelu,
}

/// Layers of the same experts over one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Experts {
    /// One or two stacks of matrices, each with the fraction bits of its output.
    pub(crate) stacks: Vec<(usize, i32)>,
    pub(crate) count: u32,
    pub(crate) chosen: u32,
    pub(crate) routes: Vector,
    pub(crate) input: Vector,
    /// Whether each chosen expert has a part of the input.
    pub(crate) own_inputs: bool,
    pub(crate) unit: Unit,
    /// Of each stack, a part for each chosen expert.
    pub(crate) output: Vector,
}

/// A vector in a row of several, and the biases that are added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BiasPart {
    pub(crate) width: usize,
    /// The tensor, and the fraction bits of the vector.
    pub(crate) biases: Option<(usize, i32)>,
}

/// A network as dispatches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lowered {
    /// Of each layer; the first layer's begin with the embedding.
    pub(crate) layers: Vec<Vec<Work>>,
    /// From the residual stream to the hidden vectors.
    pub(crate) hidden: Vec<Work>,
    /// From there to the logits.
    pub(crate) logits: Vec<Work>,
    /// The hidden vectors.
    pub(crate) hidden_vector: Vector,
    /// Widths of the buffers of integers.
    pub(crate) integers: Vec<usize>,
    /// Widths of the buffers of blocks.
    pub(crate) blocks: Vec<usize>,
    /// Index of each vector's buffer among those of its kind.
    pub(crate) places: Vec<usize>,
}

/// A vector that is being placed.
#[derive(Debug)]
struct Lifetime {
    /// The values that lie in a row, in order.
    values: Vec<Value>,
    width: usize,
    is_blocks: bool,
    /// The first and the last work that uses it.
    first: usize,
    last: usize,
}

/// Lowers a network.
///
/// # Errors
/// The name of an operator that has no kernel for the values that it reads here.
pub(crate) fn lower(network: &Network) -> Result<Lowered, &'static str> {
    let mut lowering = Lowering {
        network,
        vectors: Vec::new(),
        held: BTreeMap::new(),
        units: BTreeMap::new(),
        works: 0,
    };
    let sections = network.sections();
    let layers = network.architecture().layers as usize;
    let mut by_layer = vec![Vec::new(); layers];
    let steps = &network.steps()[sections.layers];
    for steps in steps.chunk_by(|a, b| a.layer.unwrap_or(0) == b.layer.unwrap_or(0)) {
        let layer = steps.first().and_then(|step| step.layer).unwrap_or(0);
        if let Some(works) = by_layer.get_mut(layer as usize) {
            lowering.steps(steps, false, works)?;
        }
    }
    let (mut hidden, mut logits) = (Vec::new(), Vec::new());
    lowering.steps(&network.steps()[sections.hidden], true, &mut hidden)?;
    let hidden_vector = lowering.whole(network.hidden(), "norm")?;
    lowering.steps(&network.steps()[sections.logits], false, &mut logits)?;
    // It is also read back.
    if let Some(lifetime) = lowering.vectors.get_mut(hidden_vector) {
        lifetime.last = usize::MAX;
    }
    let (integers, blocks, places) = place(&lowering.vectors);
    Ok(Lowered {
        layers: by_layer,
        hidden,
        logits,
        hidden_vector,
        integers,
        blocks,
        places,
    })
}

struct Lowering<'a> {
    network: &'a Network,
    vectors: Vec<Lifetime>,
    /// The vector that holds each value at present.
    held: BTreeMap<Value, Vector>,
    /// The unit of each value of blocks at present.
    units: BTreeMap<Value, Unit>,
    /// Works so far.
    works: usize,
}

impl Lowering<'_> {
    fn steps(
        &mut self,
        mut steps: &[Step],
        gather: bool,
        works: &mut Vec<Work>,
    ) -> Result<(), &'static str> {
        while let Some(first) = steps.first() {
            let joined = steps
                .windows(2)
                .take_while(|pair| pair[0].operator.joins(&pair[1].operator))
                .count();
            let (run, rest) = steps.split_at(1 + joined);
            steps = rest;
            match first.operator {
                NetworkOperator::Linear { input, .. } => {
                    let (work, added) = self.linear(run, input, rest)?;
                    steps = &rest[usize::from(added)..];
                    self.push(work, works);
                }
                NetworkOperator::Experts { routes, input, .. } => {
                    let work = self.experts(run, routes, input)?;
                    self.push(work, works);
                }
                NetworkOperator::Mix {
                    routes,
                    input,
                    output,
                } => {
                    let (work, added) = self.mix([routes, input, output], rest)?;
                    steps = &rest[usize::from(added)..];
                    self.push(work, works);
                }
                NetworkOperator::Bias { .. } => {
                    let work = self.bias(run)?;
                    self.push(work, works);
                }
                operator if operator.is_by_sequence() => {
                    for work in self.by_sequence(run)? {
                        self.push(work, works);
                    }
                }
                operator => {
                    let work = self.by_row(&operator, gather)?;
                    self.push(work, works);
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, work: Work, works: &mut Vec<Work>) {
        works.push(work);
        self.works += 1;
    }

    /// A new vector, written by the next work, of these values.
    fn write(&mut self, values: Vec<Value>) -> Vector {
        let network = self.network;
        let width = values.iter().map(|value| network.width(*value)).sum();
        let is_blocks = values.first().is_some_and(|value| {
            let form = network.value(*value).form;
            matches!(form, Form::Blocks { .. } | Form::Normed)
        });
        let vector = self.vectors.len();
        for value in &values {
            self.held.insert(*value, vector);
        }
        self.vectors.push(Lifetime {
            values,
            width,
            is_blocks,
            first: self.works,
            last: self.works,
        });
        vector
    }

    /// A vector of `width` integers that only the next work uses.
    fn scratch(&mut self, width: usize) -> Vector {
        self.vectors.push(Lifetime {
            values: Vec::new(),
            width,
            is_blocks: false,
            first: self.works,
            last: self.works,
        });
        self.vectors.len() - 1
    }

    /// The vector of exactly `values`, read by the work that is `ahead` of the next one.
    fn read(
        &mut self,
        values: &[Value],
        ahead: usize,
        name: &'static str,
    ) -> Result<Vector, &'static str> {
        let held = values.first().and_then(|value| self.held.get(value));
        let vector = *held.ok_or(name)?;
        let lifetime = self.vectors.get_mut(vector).ok_or(name)?;
        if lifetime.values != values {
            return Err(name);
        }
        lifetime.last = lifetime.last.max(self.works + ahead);
        Ok(vector)
    }

    fn whole(&mut self, value: Value, name: &'static str) -> Result<Vector, &'static str> {
        self.read(&[value], 0, name)
    }

    fn by_row(&mut self, operator: &NetworkOperator, gather: bool) -> Result<Work, &'static str> {
        let (network, name) = (self.network, operator.name());
        Ok(match *operator {
            NetworkOperator::Embedding { table, output } => Work::Embedding {
                table,
                fraction: network.fraction(output),
                output: self.write(vec![output]),
                width: network.width(output),
            },
            NetworkOperator::Norm {
                gains,
                epsilon_q32,
                input,
                output,
            } => {
                self.units.insert(output, Unit::Gains(gains));
                Work::Norm {
                    gains,
                    epsilon_q32,
                    input: self.whole(input, name)?,
                    scratch: self.scratch(network.width(input)),
                    output: self.write(vec![output]),
                    gather: gather && input == network.residual(),
                }
            }
            NetworkOperator::HeadNorm {
                gains,
                epsilon_q32,
                value,
            } => {
                let vectors = *self.held.get(&value).ok_or(name)?;
                let lifetime = self.vectors.get_mut(vectors).ok_or(name)?;
                lifetime.last = lifetime.last.max(self.works);
                let before = lifetime.values.iter().take_while(|other| **other != value);
                Work::HeadNorm {
                    gains,
                    epsilon_q32,
                    vectors,
                    width: lifetime.width,
                    first: before.map(|value| network.width(*value)).sum(),
                    length: network.width(value),
                    fraction: network.fraction(value),
                }
            }
            NetworkOperator::Quantise { input, output } => {
                let unit = Unit::Fraction(network.fraction(output));
                self.units.insert(output, unit);
                Work::Quantise {
                    input: self.whole(input, name)?,
                    output: self.write(vec![output]),
                    width: network.width(output),
                }
            }
            NetworkOperator::Route {
                renormalised,
                scores,
                output,
            } => Work::Route {
                input: self.whole(scores, name)?,
                output: self.write(vec![output]),
                count: network.width(scores),
                chosen: network.width(output) / 2,
                renormalised,
            },
            NetworkOperator::Swiglu { gate, up, output }
            | NetworkOperator::Geglu { gate, up, output } => {
                let unit = Unit::Fraction(network.fraction(output));
                self.units.insert(output, unit);
                Work::Gated {
                    activation: match operator {
                        NetworkOperator::Geglu { .. } => Activation::Gelu,
                        _ => Activation::Silu,
                    },
                    input: self.read(&[gate, up], 0, name)?,
                    scratch: self.scratch(network.width(output)),
                    output: self.write(vec![output]),
                    width: network.width(output),
                }
            }
            NetworkOperator::Add { delta, value } => Work::Add {
                delta: self.whole(delta, name)?,
                vectors: self.whole(value, name)?,
                width: network.width(value),
            },
            _ => return Err(name),
        })
    }

    /// Stacks linear layers over one input; says whether the addition that begins `rest` is part of it.
    fn linear(
        &mut self,
        run: &[Step],
        input: Value,
        rest: &[Step],
    ) -> Result<(Work, bool), &'static str> {
        let (network, name) = (self.network, "linear");
        let mut matrices = Vec::new();
        let mut outputs = Vec::new();
        for step in run {
            if let NetworkOperator::Linear {
                weights, output, ..
            } = step.operator
            {
                matrices.push((weights, network.fraction(output)));
                outputs.push(output);
            }
        }
        let whole_groups = outputs
            .iter()
            .rev()
            .skip(1)
            .all(|output| network.width(*output).is_multiple_of(TILE_ROWS));
        if matrices.len() > MOST_STACKED || !whole_groups {
            return Err(name);
        }
        let unit = *self.units.get(&input).ok_or(name)?;
        let input = self.whole(input, name)?;
        let (output, added) = match (outputs.as_slice(), rest.first().map(|step| step.operator)) {
            ([output], Some(NetworkOperator::Add { delta, value }))
                if delta == *output && !is_read(delta, &rest[1..]) =>
            {
                (Target::Add(self.whole(value, "add")?), true)
            }
            ([output], _) if *output == network.logits() => (Target::Logits, false),
            _ => (Target::Replace(self.write(outputs)), false),
        };
        let work = Work::Linear {
            matrices,
            input,
            unit,
            output,
        };
        Ok((work, added))
    }

    /// Adds biases to values in one row, each at most once.
    fn bias(&mut self, run: &[Step]) -> Result<Work, &'static str> {
        let (network, name) = (self.network, "bias");
        let mut added = BTreeMap::new();
        for step in run {
            if let NetworkOperator::Bias { biases, value } = step.operator {
                let twice = added.insert(value, (biases, network.fraction(value)));
                if twice.is_some() {
                    return Err(name);
                }
            }
        }
        let first = added.keys().next().and_then(|value| self.held.get(value));
        let vectors = *first.ok_or(name)?;
        let lifetime = self.vectors.get_mut(vectors).ok_or(name)?;
        lifetime.last = lifetime.last.max(self.works);
        let part = |value: &Value| BiasPart {
            width: network.width(*value),
            biases: added.remove(value),
        };
        let parts = lifetime.values.iter().map(part).collect();
        let width = lifetime.width;
        match added.is_empty() {
            true => Ok(Work::Bias {
                parts,
                vectors,
                width,
            }),
            false => Err(name),
        }
    }

    fn by_sequence(&mut self, run: &[Step]) -> Result<[Work; 2], &'static str> {
        let operators: Vec<NetworkOperator> = run.iter().map(|step| step.operator).collect();
        // The rotations, if there are any, come first.
        let (table, rest) = match *operators.as_slice() {
            [NetworkOperator::Rope { table, value }, NetworkOperator::Rope {
                table: other,
                value: keys,
            }, ref rest @ ..]
                if table == other =>
            {
                (Some((table, value, keys)), rest)
            }
            ref rest => (None, rest),
        };
        let [NetworkOperator::Store {
            cache,
            keys,
            values,
        }, NetworkOperator::Attention {
            cache: read,
            heads,
            kv_heads,
            window,
            queries,
            output,
        }] = *rest
        else {
            return Err("attention");
        };
        let rotated = table.is_none_or(|(_, first, second)| (first, second) == (queries, keys));
        if !rotated || read != cache {
            return Err("attention");
        }
        let table = table.map(|(table, _, _)| table);
        let cache = cache as usize;
        let row = [queries, keys, values];
        let projected = self.read(&row, 1, "attention")?;
        let rope = Work::Rope {
            cache,
            table,
            projected,
            heads,
            kv_heads,
        };
        let output = self.write(vec![output]);
        // The attention, which writes it, is the work after the rotation.
        if let Some(lifetime) = self.vectors.get_mut(output) {
            lifetime.last = self.works + 1;
        }
        let attention = Work::Attention {
            cache,
            heads,
            window,
            projected,
            output,
        };
        Ok([rope, attention])
    }
}

/// Assigns a buffer to each vector such that no two vectors in use share one: widths of the buffers of
/// integers and of blocks, and the buffer of each vector.
fn place(vectors: &[Lifetime]) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
    let mut places = vec![0; vectors.len()];
    // For integers and blocks: width of each buffer, and the last work of the vector in it.
    let mut buffers: [Vec<(usize, usize)>; 2] = [Vec::new(), Vec::new()];
    // They are in the order of their first use.
    for (vector, place) in vectors.iter().zip(&mut places) {
        let buffers = &mut buffers[usize::from(vector.is_blocks)];
        let free = buffers.iter().position(|(_, last)| *last < vector.first);
        let at = free.unwrap_or_else(|| {
            buffers.push((0, 0));
            buffers.len() - 1
        });
        buffers[at] = (buffers[at].0.max(vector.width), vector.last);
        *place = at;
    }
    let [integers, blocks] = buffers.map(|buffers| {
        let widths = buffers.into_iter().map(|(width, _)| width);
        widths.map(|width| width.next_multiple_of(BLOCK)).collect()
    });
    (integers, blocks, places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_numerics::{testing::TestModel, Architecture};

    fn lowered(architecture: Architecture) -> Lowered {
        let network = Network::new(&architecture).expect("a valid architecture");
        lower(&network).expect("kernels for every step")
    }

    #[test]
    fn a_layer_takes_eleven_kernels_and_buffers_are_shared() {
        let a = Architecture {
            layers: 3,
            ..TestModel::SMOLLM2_135M
        };
        let lowered = lowered(a);
        let counts: Vec<usize> = lowered.layers.iter().map(Vec::len).collect();
        assert_eq!(counts, [11, 10, 10]);
        assert_eq!((lowered.hidden.len(), lowered.logits.len()), (1, 1));
        // The residual stream; gates and ups or projections; the output of attention or gated products.
        assert_eq!(lowered.integers, [576, 3_072, 1_536]);
        assert_eq!(lowered.blocks, [1_536]);
    }

    #[test]
    fn what_is_normed_before_it_is_added_takes_a_kernel_more() {
        let lowered = lowered(TestModel::GEMMA);
        let counts: Vec<usize> = lowered.layers.iter().map(Vec::len).collect();
        // Two norms of heads, two of what is added, and two additions.
        assert_eq!(counts, [17, 16, 16, 16]);
        let tables = lowered
            .layers
            .iter()
            .flatten()
            .filter_map(|work| match work {
                Work::Rope { table, .. } => *table,
                _ => None,
            });
        let tables: Vec<usize> = tables.collect();
        assert_eq!(tables.len(), 4);
        assert!(tables[0] == tables[1] && tables[0] == tables[3] && tables[0] != tables[2]);
        buffers_are_separate(&lowered);
    }

    #[test]
    fn vectors_in_use_do_not_share_a_buffer() {
        let a = Architecture {
            layers: 2,
            tied_head: false,
            ..TestModel::TINY
        };
        buffers_are_separate(&lowered(a));
    }

    #[track_caller]
    fn buffers_are_separate(lowered: &Lowered) {
        let layers = lowered.layers.iter().flatten();
        let works = layers.chain(&lowered.hidden).chain(&lowered.logits);
        let place = |vector: &Vector| lowered.places[*vector];
        for work in works {
            match work {
                Work::Norm { input, scratch, .. } => assert_ne!(place(input), place(scratch)),
                Work::Attention {
                    projected, output, ..
                } => {
                    assert_ne!(place(projected), place(output));
                    assert_ne!(place(output), 0, "the residual stream stays");
                }
                Work::Gated { input, scratch, .. } => {
                    assert_ne!(place(input), place(scratch));
                    assert_ne!(place(scratch), 0);
                }
                Work::Add { delta, vectors, .. } => {
                    assert_ne!(place(delta), 0);
                    assert_eq!(place(vectors), 0);
                }
                Work::Linear {
                    output: Target::Add(output),
                    ..
                } => assert_eq!(place(output), 0),
                _ => {}
            }
        }
    }
}
