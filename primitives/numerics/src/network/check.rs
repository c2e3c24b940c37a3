//! The rules that every network keeps.

use super::{Form, Network, NetworkOperator, Value};
use crate::{
    layout::TensorKind,
    route::SCORE_FRACTION,
    swiglu::{GATE_FRACTION, PRODUCT_FRACTION},
    tile::TILE_ROWS,
    units::{ATTENTION_FRACTION, RESIDUAL_FRACTION},
    Architecture,
};
use alloc::{vec, vec::Vec};
use core::fmt;

/// A rule of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A value is written before it is read, and a position is stored in a cache before attention reads it.
    Written,
    /// An operator reads and writes values of the form and the unit for which it is defined.
    Form,
    /// The widths of an operator's values, heads and tensor agree.
    Width,
    /// An operator's tensor exists and has the kind that it reads.
    Tensor,
    /// The steps to the hidden vectors and those to the logits work on each vector by itself, and read
    /// nothing of earlier steps but the residual stream and the hidden vector.
    Sections,
}

/// A step that breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Index of the step.
    pub step: usize,
    /// The rule.
    pub rule: Rule,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step;
        match self.rule {
            Rule::Written => write!(f, "step {step} reads what no earlier step wrote"),
            Rule::Form => write!(
                f,
                "step {step} has a value in a form or unit that it does not read"
            ),
            Rule::Width => write!(f, "the widths of step {step} do not agree"),
            Rule::Tensor => write!(f, "step {step} has no tensor of the kind that it reads"),
            Rule::Sections => write!(
                f,
                "step {step} reads a value of another section of the network"
            ),
        }
    }
}

impl core::error::Error for Mismatch {}

impl Network {
    /// Checks every step against the [rules](Rule), from which the executors' freedom from overflow and
    /// panics follows. All networks of [`Network::new`] pass.
    ///
    /// # Errors
    /// The first step that breaks a rule.
    pub fn check(&self) -> Result<(), Mismatch> {
        let mut written = vec![false; self.values.len()];
        let mut stored: Vec<u32> = Vec::new();
        for (step, operator) in self.steps.iter().map(|step| &step.operator).enumerate() {
            let keep = |rule: Rule, kept: bool| match kept {
                true => Ok(()),
                false => Err(Mismatch { step, rule }),
            };
            // The output head begins with the hidden vectors alone, the steps before it with the residual
            // stream alone.
            for (from, value) in [
                (self.hidden_from, self.residual),
                (self.logits_from, self.hidden),
            ] {
                if step == from {
                    keep(Rule::Written, written[value.0])?;
                    written.fill(false);
                    written[value.0] = true;
                }
            }
            let known = |value: Value| value.0 < self.values.len();
            keep(Rule::Written, operator.inputs().all(known))?;
            keep(Rule::Written, operator.output().is_none_or(known))?;
            let read = operator.inputs().all(|value| written[value.0]);
            let rule = if step < self.hidden_from {
                Rule::Written
            } else {
                Rule::Sections
            };
            keep(rule, read)?;
            let alone = !operator.is_by_sequence()
                && !matches!(operator, NetworkOperator::Embedding { .. });
            keep(Rule::Sections, step < self.hidden_from || alone)?;
            match *operator {
                NetworkOperator::Store { cache, .. } => stored.push(cache),
                NetworkOperator::Attention { cache, .. } => {
                    keep(Rule::Written, stored.contains(&cache))?;
                }
                _ => {}
            }
            keep(Rule::Form, self.forms_agree(operator))?;
            keep(Rule::Tensor, self.tensor_fits(operator))?;
            keep(Rule::Width, self.widths_agree(operator))?;
            if let Some(output) = operator.output() {
                written[output.0] = true;
            }
        }
        let step = self.steps.len();
        match written[self.logits.0] {
            true => Ok(()),
            false => Err(Mismatch {
                step,
                rule: Rule::Written,
            }),
        }
    }

    fn forms_agree(&self, operator: &NetworkOperator) -> bool {
        let form = |value: Value| self.values[value.0].form;
        let is = |value: Value, fraction: i32| form(value) == Form::Integers { fraction };
        let integers = |value: Value| matches!(form(value), Form::Integers { .. });
        let blocks = |value: Value| matches!(form(value), Form::Blocks { .. } | Form::Normed);
        let routes = |value: Value| form(value) == Form::Routes;
        match *operator {
            NetworkOperator::Embedding { output, .. } => is(output, RESIDUAL_FRACTION),
            NetworkOperator::Norm { input, output, .. } => {
                is(input, RESIDUAL_FRACTION) && form(output) == Form::Normed
            }
            NetworkOperator::Linear { input, output, .. } => blocks(input) && integers(output),
            NetworkOperator::Bias { value, .. } => integers(value),
            NetworkOperator::HeadNorm { value, .. } => {
                is(value, ATTENTION_FRACTION) || is(value, RESIDUAL_FRACTION)
            }
            NetworkOperator::Rope { value, .. } => is(value, ATTENTION_FRACTION),
            NetworkOperator::Store { keys, values, .. } => {
                is(keys, ATTENTION_FRACTION) && is(values, ATTENTION_FRACTION)
            }
            NetworkOperator::Attention {
                queries, output, ..
            } => is(queries, ATTENTION_FRACTION) && is(output, ATTENTION_FRACTION),
            NetworkOperator::Quantise { input, output } => match form(input) {
                Form::Integers { fraction } => form(output) == Form::Blocks { fraction },
                _ => false,
            },
            NetworkOperator::Swiglu { gate, up, output }
            | NetworkOperator::Geglu { gate, up, output } => {
                let fraction = PRODUCT_FRACTION;
                is(gate, GATE_FRACTION)
                    && is(up, GATE_FRACTION)
                    && form(output) == Form::Blocks { fraction }
            }
            NetworkOperator::Route { scores, output, .. } => {
                is(scores, SCORE_FRACTION) && routes(output)
            }
            NetworkOperator::Experts {
                routes: read,
                input,
                output,
                ..
            } => routes(read) && blocks(input) && integers(output),
            NetworkOperator::Mix {
                routes: read,
                input,
                output,
            } => routes(read) && integers(input) && form(output) == form(input),
            NetworkOperator::Add { delta, value } => integers(value) && form(delta) == form(value),
        }
    }

    fn tensor_fits(&self, operator: &NetworkOperator) -> bool {
        let Some(index) = operator.tensor() else {
            return true;
        };
        let kind = self.tensors.get(index).map(|tensor| tensor.kind);
        match operator {
            NetworkOperator::Norm { .. }
            | NetworkOperator::Bias { .. }
            | NetworkOperator::HeadNorm { .. } => {
                matches!(kind, Some(TensorKind::Gain { .. }))
            }
            NetworkOperator::Rope { .. } => matches!(kind, Some(TensorKind::Rope { .. })),
            _ => matches!(kind, Some(TensorKind::Linear { .. })),
        }
    }

    fn widths_agree(&self, operator: &NetworkOperator) -> bool {
        let a = &self.architecture;
        let width = |value: Value| self.values[value.0].width;
        let kind = |tensor: usize| self.tensors[tensor].kind;
        let kv_width = a.kv_heads * a.head_dim;
        match *operator {
            NetworkOperator::Embedding { table, output } => {
                let (rows, columns) = (a.vocabulary, width(output));
                kind(table) == TensorKind::Linear { rows, columns }
            }
            NetworkOperator::Norm {
                gains,
                input,
                output,
                ..
            } => {
                let length = width(input);
                kind(gains) == TensorKind::Gain { length } && width(output) == length
            }
            NetworkOperator::Linear {
                weights,
                input,
                output,
            } => {
                let (rows, columns) = (width(output), width(input));
                kind(weights) == TensorKind::Linear { rows, columns }
            }
            NetworkOperator::Bias { biases, value } => {
                let length = width(value);
                kind(biases) == TensorKind::Gain { length }
            }
            NetworkOperator::HeadNorm { gains, value, .. } => match kind(gains) {
                TensorKind::Gain { length } => {
                    (length == a.head_dim || length == width(value))
                        && width(value).is_multiple_of(length)
                }
                _ => false,
            },
            NetworkOperator::Rope { table, value } => match kind(table) {
                TensorKind::Rope { positions, half } => {
                    positions >= a.context_length
                        && half > 0
                        && width(value).is_multiple_of(half * 2)
                }
                _ => false,
            },
            NetworkOperator::Store {
                cache,
                keys,
                values,
            } => cache < a.layers && width(keys) == kv_width && width(values) == kv_width,
            NetworkOperator::Attention {
                cache,
                heads,
                kv_heads,
                window,
                queries,
                output,
            } => {
                cache < a.layers
                    && window != Some(0)
                    && kv_heads == a.kv_heads
                    && heads.is_multiple_of(kv_heads)
                    && width(queries) == heads * a.head_dim
                    && width(output) == width(queries)
            }
            NetworkOperator::Quantise { input, output } => width(input) == width(output),
            NetworkOperator::Swiglu { gate, up, output }
            | NetworkOperator::Geglu { gate, up, output } => {
                width(gate) == width(output) && width(up) == width(output)
            }
            NetworkOperator::Route { scores, output, .. } => {
                let chosen = width(output) / 2;
                width(output).is_multiple_of(2)
                    && (1..=Architecture::MAX_CHOSEN_EXPERTS).contains(&chosen)
                    && chosen <= width(scores)
                    && width(scores) <= Architecture::MAX_EXPERTS
            }
            NetworkOperator::Experts {
                weights,
                count,
                routes,
                input,
                output,
            } => {
                let chosen = width(routes) / 2;
                // Products that are divided among the chosen experts, in whole groups of rows.
                let rows = width(output).checked_div(chosen).unwrap_or(0);
                match kind(weights) {
                    TensorKind::Linear {
                        rows: stacked,
                        columns,
                    } => {
                        let reads = [columns, columns.saturating_mul(chosen)];
                        rows > 0
                            && width(output) == rows * chosen
                            && rows.is_multiple_of(TILE_ROWS as u32)
                            && Some(stacked) == count.checked_mul(rows)
                            && reads.contains(&width(input))
                            && width(input) <= Architecture::MAX_COLUMNS
                    }
                    _ => false,
                }
            }
            NetworkOperator::Mix {
                routes,
                input,
                output,
            } => {
                let chosen = width(routes) / 2;
                Some(width(input)) == width(output).checked_mul(chosen) && input != output
            }
            NetworkOperator::Add { delta, value } => delta != value && width(delta) == width(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{network::ValueSpec, ExpertMixture, LayerPattern, Variant};

    const ARCHITECTURE: Architecture = Architecture {
        layers: 1,
        hidden: 64,
        heads: 2,
        kv_heads: 1,
        head_dim: 32,
        feed_forward: 96,
        vocabulary: 128,
        context_length: 256,
        norm_epsilon_q32: 42_950,
        tied_head: false,
        variant: Variant {
            projection_biases: true,
            head_norms: true,
            ..Variant::LLAMA
        },
    };

    const MIXTURE: Architecture = Architecture {
        variant: Variant {
            experts: Some(ExpertMixture {
                count: 4,
                chosen: 2,
                width: 96,
                renormalised: true,
                layers: LayerPattern::ALL,
            }),
            ..Variant::LLAMA
        },
        ..ARCHITECTURE
    };

    /// The first mismatch of a network that `change` has changed.
    fn found(change: impl FnOnce(&mut Network)) -> Option<(&'static str, Rule)> {
        found_in(&ARCHITECTURE, change)
    }

    fn found_in(
        architecture: &Architecture,
        change: impl FnOnce(&mut Network),
    ) -> Option<(&'static str, Rule)> {
        let mut network = Network::new(architecture).expect("a valid architecture");
        change(&mut network);
        let mismatch = network.check().err()?;
        let step = network.steps.get(mismatch.step);
        let name = step.map_or("end", |step| step.operator.name());
        Some((name, mismatch.rule))
    }

    fn place(network: &Network, name: &str) -> usize {
        let named = |step: &super::super::Step| step.operator.name() == name;
        network.steps.iter().position(named).expect("a step")
    }

    fn spec<'a>(network: &'a mut Network, name: &str) -> &'a mut ValueSpec {
        let mut values = network.values.iter_mut();
        values.find(|spec| spec.name == name).expect("a value")
    }

    #[test]
    fn a_network_of_an_architecture_keeps_the_rules() {
        assert_eq!(found(|_| ()), None);
    }

    #[test]
    fn a_missing_step_is_found() {
        let without = |name: &'static str| {
            move |network: &mut Network| {
                network.steps.remove(place(network, name));
                network.hidden_from -= 1;
                network.logits_from -= 1;
            }
        };
        for (step, before) in [
            ("embedding", "norm"),
            ("norm", "linear"),
            ("store", "attention"),
            ("attention", "quantise"),
            ("quantise", "linear"),
            ("swiglu", "linear"),
        ] {
            assert_eq!(
                found(without(step)),
                Some((before, Rule::Written)),
                "{step}"
            );
        }
        let end = found(|network| network.steps.truncate(network.steps.len() - 1));
        assert_eq!(end, Some(("end", Rule::Written)));
    }

    #[test]
    fn another_unit_or_width_is_found() {
        for (value, step) in [
            ("residual", "embedding"),
            ("queries", "head_norm"),
            ("gate", "swiglu"),
            ("product", "swiglu"),
            ("mixed", "attention"),
            ("mixed_blocks", "quantise"),
            ("delta", "add"),
        ] {
            let unit = found(|network| match &mut spec(network, value).form {
                Form::Integers { fraction } | Form::Blocks { fraction } => *fraction += 1,
                Form::Normed | Form::Routes => {}
            });
            assert_eq!(unit, Some((step, Rule::Form)), "{value}");
        }
        for (value, step) in [
            ("residual", "embedding"),
            ("normed", "norm"),
            ("queries", "linear"),
            ("values", "linear"),
            ("mixed", "attention"),
            ("product", "swiglu"),
            ("logits", "linear"),
        ] {
            let width = found(|network| spec(network, value).width += 32);
            assert_eq!(width, Some((step, Rule::Width)), "{value}");
        }
    }

    #[test]
    fn another_tensor_is_found() {
        for step in ["norm", "bias", "head_norm"] {
            let other = found(|network| {
                let at = place(network, step);
                let last = network.tensors.len() - 1;
                if let Some(tensor) = network.steps[at].operator.tensor_mut() {
                    *tensor = last;
                }
            });
            assert_eq!(other, Some((step, Rule::Tensor)));
        }
        let none = found(|network| network.tensors.truncate(5));
        assert_eq!(none.map(|(_, rule)| rule), Some(Rule::Tensor));
    }

    #[test]
    fn a_section_that_reads_another_is_found() {
        let mixed = found(|network| {
            network.logits_from = network.steps.len();
            network.hidden_from -= 1;
        });
        assert_eq!(mixed, Some(("add", Rule::Sections)));
    }

    #[test]
    fn a_mixture_with_another_unit_width_or_number_of_experts_is_found() {
        assert_eq!(found_in(&MIXTURE, |_| ()), None);
        for (value, step) in [
            ("scores", "route"),
            ("gates", "swiglu"),
            ("products", "swiglu"),
            ("downs", "mix"),
        ] {
            let unit = found_in(&MIXTURE, |network| match &mut spec(network, value).form {
                Form::Integers { fraction } | Form::Blocks { fraction } => *fraction += 1,
                _ => {}
            });
            assert_eq!(unit, Some((step, Rule::Form)), "{value}");
        }
        let form = found_in(&MIXTURE, |network| {
            spec(network, "routes").form = Form::Integers { fraction: 24 };
        });
        assert_eq!(form, Some(("route", Rule::Form)));
        for (value, width, step) in [
            ("routes", 10, "route"),
            ("routes", 6, "experts"),
            ("gates", 96, "experts"),
            ("downs", 64, "experts"),
        ] {
            let width = found_in(&MIXTURE, |network| spec(network, value).width = width);
            assert_eq!(width, Some((step, Rule::Width)), "{value}");
        }
        let other = found_in(&MIXTURE, |network| {
            let at = place(network, "experts");
            if let NetworkOperator::Experts { count, .. } = &mut network.steps[at].operator {
                *count = 3;
            }
        });
        assert_eq!(other, Some(("experts", Rule::Width)));
    }
}
