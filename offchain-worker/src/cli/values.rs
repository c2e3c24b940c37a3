//! Numbers on the command line. All numeric options of all commands are parsed here, so that an invalid value
//! is refused before anything is opened, with an error that names the option.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The type of a numeric option.
pub(super) trait Number:
    FromStr + PartialOrd + Display + Clone + Send + Sync + 'static
{
    /// Its name in an error.
    const KIND: &'static str;
}

macro_rules! numbers {
    ($kind:literal: $($number:ty),*) => {
        $(impl Number for $number {
            const KIND: &'static str = $kind;
        })*
    };
}

numbers!("a whole number": u16, u32, u64, usize);
numbers!("a number": f32, f64);

/// A parser for the numbers in `range`, including its ends. NaN is in no range.
pub(super) fn within<N: Number>(
    range: RangeInclusive<N>,
) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync + 'static {
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!(
            "must be {} from {} to {}",
            N::KIND,
            range.start(),
            range.end()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;
    use clap::{Arg, Command, FromArgMatches};
    use std::any::TypeId;

    /// Options whose numbers are identifiers or seeds, so that the largest is valid.
    const NAMES: [&str; 6] = ["seed", "epoch", "family", "id", "claim", "leaf"];
    /// Options for which 0 is valid.
    const ZERO: [&str; 11] = [
        "temperature",
        "top_k",
        "warmup",
        "horizon",
        "floor",
        "weight_decay",
        "beta_1",
        "beta_2",
        "carry",
        "max_overlap",
        "verify",
    ];

    fn is_number(arg: &Arg) -> bool {
        let of = arg.get_value_parser().type_id();
        let numbers = [
            TypeId::of::<u8>(),
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
            TypeId::of::<i32>(),
            TypeId::of::<i64>(),
            TypeId::of::<f32>(),
            TypeId::of::<f64>(),
        ];
        numbers.into_iter().any(|number| of == number)
    }

    /// Collects all numeric options below `command`, each with its command.
    fn numeric<'a>(command: &'a Command, path: &str, found: &mut Vec<(String, &'a Arg)>) {
        let path = format!("{path} {}", command.get_name());
        let arguments = command.get_arguments().filter(|arg| is_number(arg));
        found.extend(arguments.map(|arg| (format!("{path}: {}", arg.get_id()), arg)));
        for below in command.get_subcommands() {
            numeric(below, &path, found);
        }
    }

    /// The error of `arg` for `value`; `None` if it accepts it.
    fn refusal(arg: &Arg, value: &str) -> Option<String> {
        let mut alone = Arg::new("value").value_parser(arg.get_value_parser().clone());
        alone = alone.allow_negative_numbers(arg.is_allow_negative_numbers_set());
        let command = Command::new("test").no_binary_name(true).arg(alone);
        let refused = command.try_get_matches_from([value]).err()?;
        Some(refused.to_string())
    }

    #[test]
    fn no_command_takes_a_number_that_makes_no_sense() {
        let command = cli::command();
        let mut found = Vec::new();
        numeric(&command, "", &mut found);
        assert!(found.len() > 50, "{} options", found.len());
        for (place, arg) in found {
            let id = arg.get_id().as_str();
            let refuses = |value: &str| {
                let refusal = refusal(arg, value);
                let refusal = refusal.unwrap_or_else(|| panic!("{place} takes {value}"));
                assert!(refusal.contains("must be a"), "{place}: {refusal}");
            };
            for nonsense in ["-1", "-0.5", "nan", "inf", "infinity", "many", ""] {
                refuses(nonsense);
            }
            if !NAMES.contains(&id) {
                refuses("18446744073709551615");
                refuses("1e30");
                assert_eq!(
                    refusal(arg, "0").is_none(),
                    ZERO.contains(&id),
                    "{place}: 0"
                );
            }
        }
    }

    /// A negative number after a flag is its value, not another flag.
    #[test]
    fn a_negative_number_is_refused_by_the_name_of_its_flag() {
        let line = "noema-worker train --checkpoint a --dataset b --learning-rate -1";
        let refused = cli::command().try_get_matches_from(line.split(' '));
        let message = refused.expect_err("is refused").to_string();
        assert!(message.contains("'-1' for '--learning-rate"), "{message}");
        assert!(message.contains("must be a number from"), "{message}");
    }

    /// A parser of another type than its field's would panic when the field is read.
    #[test]
    fn every_number_that_is_read_is_of_the_type_of_its_field() {
        let device = "--device-memory 6000 --threads 2";
        let training = "--together 4 --horizon 100 --learning-rate 3e-4 --clip 0.5 --carry 0";
        let lines = [
            format!("train --checkpoint a --dataset b {training} {device}"),
            format!("run --key //Alice --family 3 {training} {device}"),
            format!("perplexity model.gguf --text t --tokens 10 --window 64 {device}"),
            "import model.gguf --context 512".into(),
            "checkpoint new --text t --rope-base 500000 --seed 7".into(),
            "dataset prepare t --out o --tokenizer t.json --licence CC0-1.0".into(),
            "dataset fetch --family 1".into(),
            "ask --public Why? --top-p 0.9 --top-k 3 --temperature 10 --timeout 9 --price-limit .5"
                .into(),
            "ask Why? --continue --hold 2 --budget 3 --max-price .5 --context 512 --max-tokens 9"
                .into(),
            "claim --epoch 4294967295".into(),
            "gateway --sessions 4 --context 512 --max-tokens 9 --budget 2 --max-price .1".into(),
            "gateway key make a --rate 60 --budget 1".into(),
            "request show 18446744073709551615".into(),
            "request cancel 1".into(),
            "programme start c --dataset d --max-overlap 100".into(),
            "programme stop --family 1".into(),
            "programme canonical --family 1".into(),
            "programme follow --family 1 --rounds 2".into(),
        ];
        for line in lines {
            let words = std::iter::once("noema-worker").chain(line.split(' '));
            let matches = cli::command().try_get_matches_from(words);
            let matches = matches.unwrap_or_else(|error| panic!("{line}: {error}"));
            let read = cli::Cli::from_arg_matches(&matches);
            assert!(read.is_ok(), "{line}: {:?}", read.err());
        }
    }

    #[test]
    fn an_amount_that_is_none_is_refused_by_the_name_of_its_flag() {
        for amount in ["-1", "1,5", "inf"] {
            let line = ["noema-worker", "ask", "Why?", "--price-limit", amount];
            let refused = cli::command().try_get_matches_from(line);
            let message = refused.expect_err(amount).to_string();
            assert!(message.contains("for '--price-limit"), "{message}");
            assert!(message.contains("must be a number of tokens"), "{message}");
        }
    }

    #[test]
    fn a_prompt_may_begin_with_a_hyphen() {
        let asked = |line: &[&str]| {
            let matches = cli::command().try_get_matches_from(line);
            let matches = matches.unwrap_or_else(|error| panic!("{line:?}: {error}"));
            let (_, ask) = matches.subcommand().expect("a command");
            (
                ask.get_one::<String>("prompt").cloned().expect("a prompt"),
                ask.get_flag("json"),
            )
        };
        for prompt in [
            "-5 + 3 = ?",
            "-5",
            "-",
            "--",
            "-- why?",
            "-hello",
            "--no such option",
        ] {
            let written = match prompt {
                "--" => vec!["noema-worker", "ask", "--json", "--", prompt],
                _ => vec!["noema-worker", "ask", prompt, "--json"],
            };
            assert_eq!(asked(&written), (prompt.to_owned(), true));
            let last = ["noema-worker", "ask", "--json", "--", prompt];
            assert_eq!(asked(&last), (prompt.to_owned(), true));
        }
        let named = ["noema-worker", "ask", "--", "--json"];
        assert_eq!(asked(&named), ("--json".to_owned(), false));
        let misspelt = ["noema-worker", "ask", "Why?", "--max-tokes", "5"];
        assert!(cli::command().try_get_matches_from(misspelt).is_err());
    }

    #[test]
    fn the_ends_of_a_range_are_in_it() {
        let read = within(2..=8u32);
        assert_eq!((read("2"), read("8")), (Ok(2), Ok(8)));
        let expected = Err("must be a whole number from 2 to 8".to_owned());
        for outside in ["1", "9", "2.0", " 2"] {
            assert_eq!(read(outside), expected, "{outside}");
        }
        assert!(within(0.0..=1.0f64)("NaN").is_err());
    }
}
