//! A mixture of experts as dispatches.

use super::{Experts, Lowering, Work};
use noema_numerics::{
    layout::TensorKind,
    network::{is_read, NetworkOperator, Step, Value},
};

/// Stacks of experts that one dispatch reads.
const MOST_STACKS: usize = 2;

impl Lowering<'_> {
    /// Layers of the same experts over one input, such as those of gates and of ups.
    pub(super) fn experts(
        &mut self,
        run: &[Step],
        routes: Value,
        input: Value,
    ) -> Result<Work, &'static str> {
        let (network, name) = (self.network, "experts");
        let chosen = network.width(routes) / 2;
        let (mut stacks, mut outputs, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
        for step in run {
            if let NetworkOperator::Experts {
                weights,
                count,
                output,
                ..
            } = step.operator
            {
                stacks.push((weights, network.fraction(output)));
                outputs.push(output);
                shapes.push((count, network.width(output)));
            }
        }
        shapes.dedup();
        let [(count, width)] = *shapes else {
            return Err(name);
        };
        if stacks.len() > MOST_STACKS {
            return Err(name);
        }
        let columns = self.columns(&stacks, count, width / chosen).ok_or(name)?;
        let unit = *self.units.get(&input).ok_or(name)?;
        Ok(Work::Experts(Experts {
            stacks,
            count,
            chosen: chosen as u32,
            routes: self.whole(routes, name)?,
            own_inputs: network.width(input) != columns,
            input: self.whole(input, name)?,
            unit,
            output: self.write(outputs),
        }))
    }

    /// Inputs of an expert, if all stacks have the matrices of `count` experts with as many and `rows` outputs.
    fn columns(&self, stacks: &[(usize, i32)], count: u32, rows: usize) -> Option<usize> {
        let tensors = self.network.tensors();
        let mut kinds = stacks
            .iter()
            .map(|(weights, _)| tensors.get(*weights).map(|t| t.kind));
        let TensorKind::Linear {
            rows: stacked,
            columns,
        } = kinds.next()??
        else {
            return None;
        };
        let is_alike = kinds.all(|kind| {
            kind == Some(TensorKind::Linear {
                rows: stacked,
                columns,
            })
        });
        let fits = is_alike && stacked as usize == count as usize * rows;
        fits.then_some(columns as usize)
    }

    /// The sum of what `input` has for each of `routes`, of `[routes, input, output]`; says whether the addition that
    /// begins `rest` is part of it.
    pub(super) fn mix(
        &mut self,
        [routes, input, output]: [Value; 3],
        rest: &[Step],
    ) -> Result<(Work, bool), &'static str> {
        let (network, name) = (self.network, "mix");
        let chosen = network.width(routes) / 2;
        let width = network.width(output);
        let (routes, input) = (self.whole(routes, name)?, self.whole(input, name)?);
        let (output, add) = match rest.first().map(|step| step.operator) {
            Some(NetworkOperator::Add { delta, value })
                if delta == output && !is_read(delta, &rest[1..]) =>
            {
                (self.whole(value, "add")?, true)
            }
            _ => (self.write(vec![output]), false),
        };
        let work = Work::Mix {
            routes,
            input,
            output,
            add,
            width,
            chosen,
        };
        Ok((work, add))
    }
}
