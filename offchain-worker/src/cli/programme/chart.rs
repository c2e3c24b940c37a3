//! A chart of the loss over rounds.

use anyhow::anyhow;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (800, 450);

/// Draws, for each round, the loss of its parent and of the checkpoint that was canonical after it,
/// both on the round's evaluation shards, in bits a token.
pub(super) fn draw(path: &Path, losses: &[(u64, f64, f64)]) -> anyhow::Result<()> {
    let (Some(first), Some(last)) = (losses.first(), losses.last()) else {
        return Ok(());
    };
    let all = || {
        losses
            .iter()
            .flat_map(|(_, before, after)| [*before, *after])
    };
    let low = all().fold(f64::INFINITY, f64::min);
    let high = all().fold(f64::NEG_INFINITY, f64::max);
    let margin = ((high - low) * 0.1).max(0.05);
    let failed = |error: &dyn std::fmt::Display| anyhow!("cannot draw {}: {error}", path.display());
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(|error| failed(&error))?;
    let mut chart = ChartBuilder::on(&root)
        .caption("Loss on evaluation shards", ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(
            first.0 as f64..(last.0 + 1) as f64,
            low - margin..high + margin,
        )
        .map_err(|error| failed(&error))?;
    chart
        .configure_mesh()
        .x_desc("round")
        .y_desc("bits a token")
        .x_label_formatter(&|round| format!("{round:.0}"))
        .draw()
        .map_err(|error| failed(&error))?;
    for (round, before, after) in losses {
        let (begin, end) = (*round as f64, (*round + 1) as f64);
        chart
            .draw_series(LineSeries::new([(begin, *before), (end, *after)], &BLUE))
            .map_err(|error| failed(&error))?;
        chart
            .draw_series([
                Circle::new((begin, *before), 3, BLUE.mix(0.4).filled()),
                Circle::new((end, *after), 4, BLUE.filled()),
            ])
            .map_err(|error| failed(&error))?;
    }
    root.present().map_err(|error| failed(&error))
}
