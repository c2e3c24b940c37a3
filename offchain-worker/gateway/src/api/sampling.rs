//! How an answer is sampled, and where it ends.

use super::fields::{is_empty, is_off, is_one, is_zero, never, Fields};
use crate::fault::ApiFault;
use crate::Json;
use noema_protocol::SamplingParameters;

/// Most stop strings.
const MOST_STOPS: usize = 16;
/// Most bytes of a stop string.
const LONGEST_STOP: usize = 1_024;
/// Thousandths in one.
const MILLI: f64 = 1_000.0;

/// How an answer is sampled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sampled {
    temperature_milli: u16,
    top_p_milli: u16,
    top_k: u16,
    /// The most tokens that were asked for; `None` for the default.
    most_tokens: Option<u64>,
}

impl Sampled {
    /// Reads temperature, `top_p` and `top_k`, and the most tokens from the first of the parameters `most` that is
    /// there. Refuses what would sample otherwise.
    pub(super) fn read(fields: &Fields<'_>, most: &[&str]) -> Result<Self, ApiFault> {
        let highest = f64::from(SamplingParameters::MAX_TEMPERATURE_MILLI) / MILLI;
        let temperature = fields.number("temperature", 0.0..=highest)?.unwrap_or(1.0);
        let top_p = fields.number("top_p", 0.0..=1.0)?.unwrap_or(1.0);
        let top_k = fields.whole("top_k", 0..=u64::from(u16::MAX))?;
        let mut most_tokens = None;
        for name in most {
            most_tokens = fields.whole(name, 1..=u64::from(u32::MAX))?;
            if most_tokens.is_some() {
                break;
            }
        }
        let sampled = Self {
            temperature_milli: milli(temperature),
            top_p_milli: milli(top_p).max(1),
            top_k: top_k
                .and_then(|top_k| u16::try_from(top_k).ok())
                .unwrap_or_default(),
            most_tokens,
        };
        sampled.refuse_others(fields)?;
        Ok(sampled)
    }

    fn refuse_others(&self, fields: &Fields<'_>) -> Result<(), ApiFault> {
        if self.temperature_milli > 0 {
            let why = "the seed of an answer follows from the seed that the chain gave its session, so that neither side can choose it; leave it out, or set `temperature` to 0";
            fields.refuse("seed", never, why)?;
        }
        let sampling = "sampling knows `temperature`, `top_p` and `top_k`; leave it out";
        for name in ["frequency_penalty", "presence_penalty", "min_p"] {
            fields.refuse(name, is_zero, sampling)?;
        }
        fields.refuse("repetition_penalty", is_one, sampling)?;
        fields.refuse("logit_bias", is_empty, sampling)?;
        let probabilities = "workers send tokens without probabilities; leave it out";
        fields.refuse("logprobs", is_off, probabilities)?;
        fields.refuse("top_logprobs", is_zero, probabilities)
    }

    /// The parameters for a prompt of `prompt_tokens` tokens; `default` is the most tokens where none were asked for.
    pub(super) fn parameters(
        &self,
        parameter: &str,
        prompt_tokens: usize,
        context: u32,
        default: u16,
    ) -> Result<SamplingParameters, ApiFault> {
        let room = (context as usize).saturating_sub(prompt_tokens);
        if room == 0 || prompt_tokens == 0 {
            return Err(match prompt_tokens {
                0 => ApiFault::parameter(parameter, format!("`{parameter}` has no token")),
                tokens => ApiFault::context(parameter, tokens, context),
            });
        }
        let most = self.most_tokens.unwrap_or(default.into());
        let most = most.min(room as u64);
        Ok(SamplingParameters {
            max_tokens: u16::try_from(most).unwrap_or(u16::MAX),
            temperature_milli: self.temperature_milli,
            top_k: self.top_k,
            top_p_milli: self.top_p_milli,
        })
    }

    pub(super) fn temperature(&self) -> f64 {
        f64::from(self.temperature_milli) / MILLI
    }

    pub(super) fn top_p(&self) -> f64 {
        f64::from(self.top_p_milli) / MILLI
    }
}

/// `number`, which is not negative and at most 10, in thousandths.
fn milli(number: f64) -> u16 {
    (number * MILLI).round() as u16
}

/// The stop strings of a call.
pub(super) fn stops(fields: &Fields<'_>) -> Result<Vec<String>, ApiFault> {
    let wrong = || {
        let message = format!(
            "`stop` must be a string or a list of {MOST_STOPS} strings at most, each of {LONGEST_STOP} bytes at most"
        );
        ApiFault::parameter("stop", message)
    };
    let stops = match fields.get("stop") {
        None => Vec::new(),
        Some(Json::Text(stop)) => vec![stop.clone()],
        Some(Json::List(stops)) => stops
            .iter()
            .map(|stop| stop.text().map(str::to_owned).ok_or_else(wrong))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(wrong()),
    };
    let is_short = stops.iter().all(|stop| stop.len() <= LONGEST_STOP);
    match stops.len() <= MOST_STOPS && is_short {
        true => Ok(stops),
        false => Err(wrong()),
    }
}

/// What a call is answered with: at once or streamed, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Answers to each prompt.
    pub(super) n: usize,
    pub(super) is_streamed: bool,
    /// Whether a stream ends with its usage.
    pub(super) includes_usage: bool,
}

impl Shape {
    pub(super) fn read(fields: &Fields<'_>, most: usize) -> Result<Self, ApiFault> {
        let n = fields.whole("n", 1..=most as u64)?;
        let is_streamed = fields.flag("stream")?;
        let options = fields.get("stream_options");
        let options = options.map(Fields::of).transpose().map_err(|_| {
            ApiFault::parameter("stream_options", "`stream_options` must be a JSON map")
        })?;
        let includes_usage = match options {
            Some(options) => options.flag("include_usage")?,
            None => false,
        };
        Ok(Self {
            n: n.and_then(|n| usize::try_from(n).ok()).unwrap_or(1),
            is_streamed,
            includes_usage,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled(body: &str) -> Result<SamplingParameters, ApiFault> {
        let body: Json = serde_json::from_str(body).expect("JSON");
        let fields = Fields::of(&body)?;
        let most = ["max_completion_tokens", "max_tokens"];
        Sampled::read(&fields, &most)?.parameters("messages", 10, 100, 64)
    }

    fn refused(body: &str) -> String {
        sampled(body).expect_err(body).json()["error"]["param"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    #[test]
    fn parameters_are_read_in_thousandths() {
        let body = r#"{"temperature":0.7,"top_p":0.95,"top_k":40,"max_tokens":9}"#;
        let expected = SamplingParameters {
            max_tokens: 9,
            temperature_milli: 700,
            top_k: 40,
            top_p_milli: 950,
        };
        assert_eq!(sampled(body), Ok(expected));
        let defaults = sampled(r#"{"temperature":null}"#).expect("defaults");
        assert_eq!(defaults.max_tokens, 64);
        assert_eq!(defaults.temperature_milli, 1_000);
        assert_eq!(defaults.top_p_milli, 1_000);
    }

    #[test]
    fn an_answer_has_no_more_tokens_than_the_context_has_room_for() {
        let asked = sampled(r#"{"max_completion_tokens":5000,"max_tokens":3}"#);
        assert_eq!(asked.expect("parameters").max_tokens, 90);
    }

    #[test]
    fn what_would_change_the_answer_is_refused_by_its_name() {
        for (body, name) in [
            (r#"{"temperature":11}"#, "temperature"),
            (r#"{"temperature":"hot"}"#, "temperature"),
            (r#"{"max_tokens":0}"#, "max_tokens"),
            (r#"{"max_tokens":1.5}"#, "max_tokens"),
            (r#"{"seed":1}"#, "seed"),
            (r#"{"frequency_penalty":0.1}"#, "frequency_penalty"),
            (r#"{"logit_bias":{"1":2}}"#, "logit_bias"),
            (r#"{"logprobs":true}"#, "logprobs"),
            (r#"{"logprobs":0}"#, "logprobs"),
            (r#"{"top_logprobs":2}"#, "top_logprobs"),
        ] {
            assert_eq!(refused(body), name, "{body}");
        }
        for body in [
            r#"{"seed":1,"temperature":0}"#,
            r#"{"frequency_penalty":0,"presence_penalty":0.0,"logit_bias":{},"logprobs":false}"#,
            r#"{"user":"a","metadata":{"b":"c"},"no_such_thing":1}"#,
        ] {
            assert!(sampled(body).is_ok(), "{body}");
        }
    }

    #[test]
    fn stop_strings_are_one_or_several() {
        let read = |body: &str| {
            let body: Json = serde_json::from_str(body).expect("JSON");
            Fields::of(&body).and_then(|fields| stops(&fields))
        };
        assert_eq!(read(r#"{"stop":"a"}"#), Ok(vec!["a".to_owned()]));
        assert_eq!(
            read(r#"{"stop":["a","b"]}"#),
            Ok(vec!["a".into(), "b".into()])
        );
        assert_eq!(read(r#"{"stop":null}"#), Ok(Vec::new()));
        assert!(read(r#"{"stop":[1]}"#).is_err());
        assert!(read(r#"{"stop":3}"#).is_err());
    }
}
