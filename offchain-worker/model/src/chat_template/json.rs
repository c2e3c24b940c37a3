//! The filter `tojson`, with the result that it has in Transformers: that of Python's `json.dumps`, without
//! escapes for HTML.

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

/// The deepest nesting of lists and maps that is written.
const DEEPEST: usize = 64;

/// `value` as JSON. `first`, the only argument without a name, is `ensure_ascii`, or `indent` if it is a
/// number. The work is charged against the template's.
pub(super) fn tojson(
    state: &State,
    value: &Value,
    first: Option<Value>,
    options: Kwargs,
) -> Result<String, Error> {
    let named: Option<bool> = options.get("ensure_ascii")?;
    let indent: Option<usize> = options.get("indent")?;
    let separators: Option<Vec<String>> = options.get("separators")?;
    let sort: Option<bool> = options.get("sort_keys")?;
    options.assert_all_used()?;
    let (unnamed, indent) = match first {
        Some(number) if number.is_number() => (None, Some(usize::try_from(number)?)),
        Some(flag) => (Some(flag.is_true()), indent),
        None => (None, indent),
    };
    let (between, after_key) = match separators.as_deref() {
        None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
        None => (", ".to_owned(), ": ".to_owned()),
        Some([between, after_key]) => (between.clone(), after_key.clone()),
        Some(_) => return Err(refused("tojson takes two separators")),
    };
    let charge = |fuel| state.consume_fuel(fuel);
    let mut writer = Writer {
        out: String::new(),
        charge: &charge,
        ascii: named.or(unnamed).unwrap_or(false),
        indent,
        between,
        after_key,
        sort: sort.unwrap_or(false),
    };
    writer.value(value, 0)?;
    Ok(writer.out)
}

fn refused(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason.into())
}

struct Writer<'a> {
    out: String,
    /// Charges work against that of the template.
    charge: &'a dyn Fn(u64) -> Result<(), Error>,
    /// Whether every other character than those of ASCII is escaped.
    ascii: bool,
    /// Spaces for each level, with every item in a line of its own.
    indent: Option<usize>,
    between: String,
    after_key: String,
    /// Whether the keys of a map are sorted.
    sort: bool,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(refused(format!(
                "tojson writes values that are nested at most {DEEPEST} deep"
            )));
        }
        (self.charge)(1)?;
        match value.kind() {
            ValueKind::String => self.text(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => self.list(value, depth),
            ValueKind::Map => self.map(value, depth),
            _ => {
                self.out.push_str(&scalar(value)?);
                Ok(())
            }
        }
    }

    fn list(&mut self, list: &Value, depth: usize) -> Result<(), Error> {
        self.out.push('[');
        let mut is_empty = true;
        for item in list.try_iter()? {
            self.item(&mut is_empty, depth)?;
            self.value(&item, depth.saturating_add(1))?;
        }
        self.end(is_empty, depth)?;
        self.out.push(']');
        Ok(())
    }

    fn map(&mut self, map: &Value, depth: usize) -> Result<(), Error> {
        let mut entries = Vec::new();
        for key in map.try_iter()? {
            (self.charge)(1)?;
            let name = match key.as_str() {
                Some(name) => name.to_owned(),
                None => scalar(&key)?,
            };
            entries.push((name, map.get_item(&key)?));
        }
        if self.sort {
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        self.out.push('{');
        let mut is_empty = true;
        for (name, value) in &entries {
            self.item(&mut is_empty, depth)?;
            self.text(name)?;
            self.out.push_str(&self.after_key);
            self.value(value, depth.saturating_add(1))?;
        }
        self.end(is_empty, depth)?;
        self.out.push('}');
        Ok(())
    }

    /// What stands before an item.
    fn item(&mut self, is_first: &mut bool, depth: usize) -> Result<(), Error> {
        if !std::mem::replace(is_first, false) {
            self.out.push_str(&self.between);
        }
        self.line(depth.saturating_add(1))
    }

    /// What stands after the last item.
    fn end(&mut self, is_empty: bool, depth: usize) -> Result<(), Error> {
        match is_empty {
            true => Ok(()),
            false => self.line(depth),
        }
    }

    fn line(&mut self, depth: usize) -> Result<(), Error> {
        let Some(indent) = self.indent else {
            return Ok(());
        };
        let spaces = indent.saturating_mul(depth);
        (self.charge)(spaces as u64 / 64)?;
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', spaces));
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Error> {
        (self.charge)(text.len() as u64 / 64)?;
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                ' '..='~' => self.out.push(character),
                _ if self.ascii || character < ' ' => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
        Ok(())
    }
}

/// Neither a text nor a list nor a map, as JSON.
fn scalar(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::None => Ok("null".into()),
        ValueKind::Bool if value.is_true() => Ok("true".into()),
        ValueKind::Bool => Ok("false".into()),
        ValueKind::Number if value.is_integer() => Ok(value.to_string()),
        ValueKind::Number => Ok(float(f64::try_from(value.clone())?)),
        kind => Err(refused(format!("tojson writes no value of type {kind}"))),
    }
}

/// `number` as Python writes it.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        let name = if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        return name.into();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        -4..=15 => {
            let plain = number.to_string();
            match plain.contains('.') {
                true => plain,
                false => plain + ".0",
            }
        }
        exponent => format!("{digits}e{exponent:+03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::Environment;

    fn rendered(template: &str) -> Result<String, Error> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(10_000));
        environment.add_filter("tojson", tojson);
        environment.render_str(template, ())
    }

    #[test]
    fn json_is_that_of_python() {
        for (expression, expected) in [
            (r#""<b> & 'é' 🦀""#, r#""<b> & 'é' 🦀""#),
            (
                r#"{"b": [1, 2.5, 3.0], "a": none}"#,
                r#"{"b": [1, 2.5, 3.0], "a": null}"#,
            ),
            (r#"[true, false, [], {}]"#, r#"[true, false, [], {}]"#),
            (r#"{1: "a"}"#, r#"{"1": "a"}"#),
            ("'\\n\\t\\\\\"'", r#""\n\t\\\"""#),
        ] {
            let template = format!("{{{{ {expression} | tojson }}}}");
            assert_eq!(rendered(&template).expect("renders"), expected);
        }
    }

    #[test]
    fn a_number_is_that_of_python() {
        for (number, expected) in [
            (0.1, "0.1"),
            (-3.0, "-3.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (1e-4, "0.0001"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(float(number), expected);
        }
    }

    #[test]
    fn the_options_are_those_of_transformers() {
        for (filter, expected) in [
            ("tojson(ensure_ascii=False)", r#"{"b": "é🦀", "a": [1, 2]}"#),
            (
                "tojson(ensure_ascii=True)",
                r#"{"b": "\u00e9\ud83e\udd80", "a": [1, 2]}"#,
            ),
            ("tojson(sort_keys=True)", r#"{"a": [1, 2], "b": "é🦀"}"#),
            ("tojson(separators=[',', ':'])", r#"{"b":"é🦀","a":[1,2]}"#),
            (
                "tojson(indent=2)",
                "{\n  \"b\": \"é🦀\",\n  \"a\": [\n    1,\n    2\n  ]\n}",
            ),
            (
                "tojson(1)",
                "{\n \"b\": \"é🦀\",\n \"a\": [\n  1,\n  2\n ]\n}",
            ),
        ] {
            let template = format!("{{{{ {{'b': 'é🦀', 'a': [1, 2]}} | {filter} }}}}");
            assert_eq!(rendered(&template).expect("renders"), expected, "{filter}");
        }
        assert!(rendered("{{ 1 | tojson(no_such_option=1) }}").is_err());
        assert!(rendered("{{ nothing | tojson }}").is_err());
    }

    #[test]
    fn a_value_that_contains_itself_many_times_costs_work() {
        let doubled = "{% set ns = namespace(a=[1]) %}{% for i in range(50) %}\
             {% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a | tojson }}";
        let error = rendered(doubled).expect_err("ends");
        assert_eq!(error.kind(), ErrorKind::OutOfFuel);
        let wide = "{{ [1] | tojson(indent=4000000000) }}";
        assert_eq!(
            rendered(wide).expect_err("ends").kind(),
            ErrorKind::OutOfFuel
        );
    }
}
