//! The function `strftime_now`. A prompt must have the same tokens on every machine and on every day, so its
//! clock stands still at the beginning of the day that Llama 3's templates name where there is no clock.

use minijinja::{Error, ErrorKind};

/// Friday, 26 July 2024, 00:00:00 UTC, in the form that `format` describes.
pub(super) fn strftime_now(format: String) -> Result<String, Error> {
    let mut out = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        // With a hyphen, a number has no zero before it.
        let (short, directive) = match characters.next() {
            Some('-') => (true, characters.next()),
            directive => (false, directive),
        };
        let part = match (directive, short) {
            (Some('d' | 'e'), _) => "26",
            (Some('m'), false) => "07",
            (Some('m'), true) => "7",
            (Some('Y'), _) => "2024",
            (Some('y'), _) => "24",
            (Some('B'), _) => "July",
            (Some('b' | 'h'), _) => "Jul",
            (Some('A'), _) => "Friday",
            (Some('a'), _) => "Fri",
            (Some('j'), _) => "208",
            (Some('w' | 'u'), _) => "5",
            (Some('H' | 'M' | 'S'), false) => "00",
            (Some('H' | 'M' | 'S'), true) => "0",
            (Some('I'), _) => "12",
            (Some('p'), _) => "AM",
            (Some('f'), _) => "000000",
            (Some('Z'), _) => "UTC",
            (Some('z'), _) => "+0000",
            (Some('F'), _) => "2024-07-26",
            (Some('D' | 'x'), _) => "07/26/24",
            (Some('T' | 'X'), _) => "00:00:00",
            (Some('R'), _) => "00:00",
            (Some('c'), _) => "Fri Jul 26 00:00:00 2024",
            (Some('%'), _) => "%",
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("strftime_now does not know a part of the format {format:?}"),
                ))
            }
        };
        out.push_str(part);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_still() {
        let now = |format: &str| strftime_now(format.into()).ok();
        assert_eq!(now("%d %b %Y").as_deref(), Some("26 Jul 2024"));
        assert_eq!(now("%-m/%-d, 100%%").as_deref(), Some("7/26, 100%"));
        assert_eq!(now("%A %H:%M").as_deref(), Some("Friday 00:00"));
        assert_eq!(now("%Q"), None);
        assert_eq!(now("%"), None);
    }
}
