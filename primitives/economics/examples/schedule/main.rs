//! Writes the schedule of the issuance into the documentation: the table in `docs/issuance.md`, and
//! the plot `docs/issuance.svg`.
//!
//! ```sh
//! cargo run -p noema-economics --example schedule
//! ```

mod document;

use std::{error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(document::TEXT)?;
    fs::write(document::TEXT, document::with_table(&text)?)?;
    fs::write(document::PLOT, document::plot()?)?;
    println!("wrote {} and {}", document::TEXT, document::PLOT);
    Ok(())
}
