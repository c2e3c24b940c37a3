//! The schedule as a table and as a plot.

use noema_economics::{Balance, Schedule};
use plotters::{
    coord::Shift,
    prelude::{ChartBuilder, DrawingArea, IntoDrawingArea, LineSeries, SVGBackend},
    style::{RGBColor, WHITE},
};
use std::{error::Error, fmt::Write};

/// The document with the table.
pub(crate) const TEXT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/issuance.md");
/// The plot next to it.
pub(crate) const PLOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/issuance.svg");

/// One NOEMA.
const UNIT: Balance = 1_000_000_000_000;
/// The pool that the chain may mint beyond its genesis; the runtime's tests compare it with the runtime.
const POOL: Balance = 1_000_000_000 * UNIT;
/// Epochs of a day in an era of four years.
const EPOCHS_PER_ERA: u32 = 1_461;
/// Years in an era.
const YEARS: u32 = 4;

const BEGIN: &str = "<!-- schedule: written by the example `schedule` -->\n";
const END: &str = "<!-- schedule: end -->";

fn schedule() -> Schedule {
    Schedule::within(POOL, EPOCHS_PER_ERA)
}

/// `text` with the table as it should be between its two marks.
pub(crate) fn with_table(text: &str) -> Result<String, Box<dyn Error>> {
    let (before, rest) = text
        .split_once(BEGIN)
        .ok_or("the text lacks the mark at which the table begins")?;
    let (_, after) = rest
        .split_once(END)
        .ok_or("the text lacks the mark at which the table ends")?;
    Ok([before, BEGIN, "\n", &table()?, "\n", END, after].concat())
}

fn table() -> Result<String, Box<dyn Error>> {
    let schedule = schedule();
    let mut table = String::from(
        "| era | years | subsidy of an epoch | of the era | of all eras so far | part of the pool |\n\
         |---:|---:|---:|---:|---:|---:|\n",
    );
    let mut total: Balance = 0;
    for era in 0..schedule.eras() {
        total += schedule.of_era(era);
        writeln!(
            table,
            "| {era} | {}–{} | {} | {} | {} | {} % |",
            era * YEARS,
            (era + 1) * YEARS,
            noema(schedule.subsidy_of_era(era)),
            noema(schedule.of_era(era)),
            noema(total),
            percent(total),
        )?;
    }
    Ok(table)
}

/// An amount in NOEMA, to the smallest unit.
fn noema(amount: Balance) -> String {
    format!("{}.{:012}", grouped(amount / UNIT), amount % UNIT)
}

/// A number with its digits in groups of three.
fn grouped(number: Balance) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A part of the pool in percent, rounded down, so that less than all of it is never shown as 100 %.
fn percent(amount: Balance) -> String {
    let millionths = amount * 100_000_000 / POOL;
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

/// A plot of the first eras: the most that can have been minted by a time, and the subsidy of an epoch.
pub(crate) fn plot() -> Result<String, Box<dyn Error>> {
    let schedule = schedule();
    let eras = 0..=10u32;
    let years = |era: u32| f64::from(era * YEARS);
    let issued: Vec<_> = eras
        .clone()
        .map(|era| (years(era), millions(schedule.before(era * EPOCHS_PER_ERA))))
        .collect();
    let subsidies: Vec<_> = eras
        .clone()
        .take(10)
        .flat_map(|era| {
            let subsidy = millions(schedule.subsidy_of_era(era)) * 1_000.0;
            [(years(era), subsidy), (years(era + 1), subsidy)]
        })
        .collect();

    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (800, 640)).into_drawing_area();
        area.fill(&WHITE)?;
        if let [upper, lower] = area.split_evenly((2, 1)).as_slice() {
            panel(
                upper,
                "Most that may be minted by then (million NOEMA)",
                1_000.0,
                issued,
            )?;
            panel(
                lower,
                "Subsidy of an epoch (thousand NOEMA)",
                350.0,
                subsidies,
            )?;
        }
        area.present()?;
    }
    Ok(svg)
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    most: f64,
    points: Vec<(f64, f64)>,
) -> Result<(), Box<dyn Error>> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..40.0, 0.0..most)?;
    chart
        .configure_mesh()
        .x_desc("years after genesis")
        .max_light_lines(4)
        .x_labels(11)
        .y_labels(6)
        .x_label_formatter(&|years| format!("{years:.0}"))
        .y_label_formatter(&|amount| format!("{amount:.0}"))
        .label_style(("sans-serif", 13))
        .draw()?;
    chart.draw_series(LineSeries::new(points, RGBColor(31, 90, 160)))?;
    Ok(())
}

/// An amount in millions of NOEMA, rounded for the plot.
fn millions(amount: Balance) -> f64 {
    (amount / UNIT) as f64 / 1e6
}
