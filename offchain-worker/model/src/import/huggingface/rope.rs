//! What `config.json` states about the rotation, as Transformers' `modeling_rope_utils.py` reads it.

use super::super::{
    files::parse_json,
    model_type::{ModelType, WINDOWED_BASE},
    rope::{attention_factor, rotated_width, Long, Rope, Ropes, Scaling, Yarn},
    ImportError,
};
use noema_checkpoint::Architecture;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path};

/// The kinds of layers in Transformers' `layer_types`: a model whose layers are all alike has only the first.
const FULL_ATTENTION: &str = "full_attention";
const SLIDING_ATTENTION: &str = "sliding_attention";

const PARTIAL: &str = "a rotation of only a part of each head";
const PLAIN: &str = "a rotation of whole heads that is the same in all layers is";

/// The fields of `config.json` about the rotation.
#[derive(Debug, Deserialize)]
pub(super) struct RopeConfig {
    max_position_embeddings: u32,
    /// Goes before the setting of this name, which Phi-3 does not have.
    original_max_position_embeddings: Option<f64>,
    rope_theta: Option<f64>,
    /// The base of layers with a sliding window, in the first files of Gemma 3.
    rope_local_base_freq: Option<f64>,
    partial_rotary_factor: Option<f64>,
    rope_scaling: Option<Map<String, Value>>,
    /// The newer name of `rope_scaling`; a model that was saved again has both.
    rope_parameters: Option<Map<String, Value>>,
}

/// The settings of the rotation in `rope_scaling` or `rope_parameters`.
#[derive(Debug, Deserialize)]
struct RopeSettings {
    rope_type: Option<String>,
    /// The older name of `rope_type`; a model that was saved again has both.
    #[serde(rename = "type")]
    older_type: Option<String>,
    rope_theta: Option<f64>,
    partial_rotary_factor: Option<f64>,
    factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
    attention_factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    mscale: Option<f64>,
    mscale_all_dim: Option<f64>,
    truncate: Option<bool>,
    short_factor: Option<Vec<f64>>,
    long_factor: Option<Vec<f64>>,
}

impl RopeConfig {
    /// Reads `config.json`.
    pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Self, ImportError> {
        parse_json(path, bytes)
    }

    /// The rotations of a model of `architecture`, which learns whether there are two.
    pub(super) fn ropes(
        &self,
        path: &Path,
        model_type: ModelType,
        architecture: &mut Architecture,
    ) -> Result<Ropes, ImportError> {
        let head_dim = architecture.head_dim;
        if !model_type.is_gemma() {
            let rope = self.rope(path, model_type, head_dim)?;
            return Ok(Ropes::alike(rope));
        }
        let mut ropes = self.by_layer_kind(path, model_type, head_dim)?;
        let what = "the rotation of layers without a window";
        let usual = ropes.remove(FULL_ATTENTION);
        let usual = usual.ok_or_else(|| ImportError::missing(path, what))?;
        let windowed = ropes.remove(SLIDING_ATTENTION);
        let windowed = windowed.unwrap_or_else(|| Rope::plain(WINDOWED_BASE, head_dim));
        if [&usual, &windowed]
            .iter()
            .any(|rope| rope.rotated != head_dim as usize)
        {
            return Err(ImportError::unsupported(path, PARTIAL, PLAIN));
        }
        Ok(Ropes::of(usual, Some(windowed), architecture))
    }

    /// The rotation of a model whose layers all rotate heads of width `head_dim` alike.
    fn rope(&self, path: &Path, model_type: ModelType, head_dim: u32) -> Result<Rope, ImportError> {
        let ropes = self.by_layer_kind(path, model_type, head_dim)?;
        let mut ropes = ropes.into_values();
        let Some(rope) = ropes.next() else {
            return Err(ImportError::missing(path, "a rotation"));
        };
        if ropes.any(|other| other != rope) {
            let what = "different rotations in layers of different kinds";
            return Err(ImportError::unsupported(path, what, PLAIN));
        }
        if rope.rotated != head_dim as usize && !model_type.may_rotate_parts() {
            return Err(ImportError::unsupported(path, PARTIAL, PLAIN));
        }
        Ok(rope)
    }

    /// The rotation of each kind of layers.
    fn by_layer_kind(
        &self,
        path: &Path,
        model_type: ModelType,
        head_dim: u32,
    ) -> Result<BTreeMap<String, Rope>, ImportError> {
        let is_by_kind = |stated: &Map<String, Value>| stated.values().any(Value::is_object);
        let stated = [&self.rope_parameters, &self.rope_scaling];
        let stated: Vec<&Map<String, Value>> = stated.into_iter().flatten().collect();
        match stated.as_slice() {
            [kinds] if is_by_kind(kinds) => {
                let rope = |(kind, stated): (&String, &Value)| {
                    let Value::Object(stated) = stated else {
                        let problem = format!(
                            "which is {stated} beside settings for kinds of layers; write it into each of them, or \
                             remove it"
                        );
                        return Err(ImportError::value(
                            path,
                            format!("the setting {kind}"),
                            problem,
                        ));
                    };
                    let settings = RopeSettings::read(path, stated)?;
                    let is_windowed = model_type.is_gemma() && kind == SLIDING_ATTENTION;
                    let usual = match is_windowed {
                        true => self.rope_local_base_freq.unwrap_or(WINDOWED_BASE),
                        false => self.rope_theta.unwrap_or(model_type.rope_base()),
                    };
                    let base = settings.rope_theta.unwrap_or(usual);
                    let rope = self.combined(path, head_dim, base, &[settings])?;
                    Ok((kind.clone(), rope))
                };
                return kinds.iter().map(rope).collect();
            }
            [first, second] if is_by_kind(first) || is_by_kind(second) => {
                let problem = "beside rope_parameters, for kinds of layers; remove the wrong ones";
                return Err(ImportError::value(path, "rope_scaling", problem));
            }
            _ => {}
        }
        let settings = stated.iter().map(|stated| RopeSettings::read(path, stated));
        let settings: Vec<RopeSettings> = settings.collect::<Result<_, _>>()?;
        let bases = settings.iter().filter_map(|settings| settings.rope_theta);
        let bases: Vec<f64> = self.rope_theta.into_iter().chain(bases).collect();
        let base = agreed(path, "rope_theta", &bases)?.copied();
        let base = base.unwrap_or(model_type.rope_base());
        let rope = self.combined(path, head_dim, base, &settings)?;
        let mut ropes = BTreeMap::from([(FULL_ATTENTION.to_owned(), rope)]);
        if let Some(base) = self.rope_local_base_freq {
            let base = positive(path, "rope_local_base_freq", Some(base))?;
            ropes.insert(SLIDING_ATTENTION.to_owned(), Rope::plain(base, head_dim));
        }
        Ok(ropes)
    }

    /// The rotation that all of `settings` state.
    fn combined(
        &self,
        path: &Path,
        head_dim: u32,
        base: f64,
        settings: &[RopeSettings],
    ) -> Result<Rope, ImportError> {
        let base = positive(path, "rope_theta", Some(base))?;
        let parts = settings.iter().filter_map(|s| s.partial_rotary_factor);
        let parts: Vec<f64> = self
            .partial_rotary_factor
            .into_iter()
            .chain(parts)
            .collect();
        let part = agreed(path, "partial_rotary_factor", &parts)?.unwrap_or(&1.0);
        // Rounded down, as Transformers does.
        let rotated = (f64::from(head_dim) * part) as u32;
        let rotated = rotated_width(rotated, head_dim).ok_or_else(|| {
            let problem = format!(
                "which is {part}: of the {head_dim} elements of a head, an even number can be rotated"
            );
            ImportError::value(path, "partial_rotary_factor", problem)
        })?;
        let ropes = settings.iter().map(|settings| {
            let (scaling, stated) = settings.scaling(path, self, rotated / 2)?;
            let attention_factor = attention_factor(stated).ok_or_else(|| {
                let problem = format!("which is {stated} and not between 0 and 2");
                ImportError::value(path, "attention_factor", problem)
            })?;
            Ok::<_, ImportError>(Rope {
                base,
                rotated,
                scaling,
                attention_factor,
            })
        });
        let ropes: Vec<Rope> = ropes.collect::<Result<_, _>>()?;
        let rope = agreed(path, "rope_scaling and rope_parameters", &ropes)?;
        Ok(rope.cloned().unwrap_or(Rope {
            base,
            rotated,
            scaling: Scaling::None,
            attention_factor: 1.0,
        }))
    }
}

impl RopeSettings {
    fn read(path: &Path, stated: &Map<String, Value>) -> Result<Self, ImportError> {
        serde_json::from_value(Value::Object(stated.clone())).map_err(|error| {
            let problem = format!("the settings of its rotation are unsound: {error}");
            ImportError::unusable(path, problem, "correct them in the file")
        })
    }

    fn kind(&self, path: &Path) -> Result<&str, ImportError> {
        match (&self.rope_type, &self.older_type) {
            (Some(newer), Some(older)) if newer != older => Err(ImportError::value(
                path,
                format!("rope_type {newer:?}"),
                format!("but type {older:?} beside it; remove the wrong one"),
            )),
            (newer, older) => Ok(newer.as_deref().or(older.as_deref()).unwrap_or("default")),
        }
    }

    /// The scaling of `pairs` rotated pairs, and its attention factor.
    fn scaling(
        &self,
        path: &Path,
        config: &RopeConfig,
        pairs: usize,
    ) -> Result<(Scaling, f64), ImportError> {
        match self.kind(path)? {
            // A dynamic scaling changes only texts beyond `max_position_embeddings`, and no checkpoint has more
            // positions than that.
            "default" | "dynamic" => Ok((Scaling::None, 1.0)),
            "linear" => {
                let factor = positive(path, "factor", self.factor)?;
                Ok((Scaling::Linear(factor), 1.0))
            }
            "llama3" => Ok((self.llama3(path, config)?, 1.0)),
            "yarn" => self.yarn(path, config),
            // The name of longrope in the first files of Phi-3.
            "longrope" | "su" => self.longrope(path, config, pairs),
            kind => Err(ImportError::unsupported(
                path,
                format!("the rotary scaling {kind:?}"),
                "default, linear, dynamic, llama3, yarn and longrope are",
            )),
        }
    }

    fn llama3(&self, path: &Path, config: &RopeConfig) -> Result<Scaling, ImportError> {
        let low = positive(path, "low_freq_factor", self.low_freq_factor)?;
        let high = positive(path, "high_freq_factor", self.high_freq_factor)?;
        if high <= low {
            return Err(ImportError::value(
                path,
                "high_freq_factor",
                "which is not above low_freq_factor",
            ));
        }
        Ok(Scaling::Llama3 {
            factor: positive(path, "factor", self.factor)?,
            low_frequency_factor: low,
            high_frequency_factor: high,
            original_context: self.original_context(path, config)?,
        })
    }

    fn yarn(&self, path: &Path, config: &RopeConfig) -> Result<(Scaling, f64), ImportError> {
        let (factor, original_context) = self.extension(path, config)?;
        let nonzero = |stated: Option<f64>| stated.filter(|value| *value != 0.0);
        let beta_fast = nonzero(self.beta_fast).unwrap_or(32.0);
        let beta_slow = nonzero(self.beta_slow).unwrap_or(1.0);
        let yarn = Yarn {
            factor,
            beta_fast: positive(path, "beta_fast", Some(beta_fast))?,
            beta_slow: positive(path, "beta_slow", Some(beta_slow))?,
            original_context,
            is_truncated: self.truncate.unwrap_or(true),
        };
        if beta_fast < beta_slow {
            let problem = format!("which is {beta_fast} and below beta_slow, {beta_slow}");
            return Err(ImportError::value(path, "beta_fast", problem));
        }
        let usual = match (nonzero(self.mscale), nonzero(self.mscale_all_dim)) {
            (Some(mscale), Some(all)) => {
                Yarn::attention_factor(factor, mscale) / Yarn::attention_factor(factor, all)
            }
            _ => Yarn::attention_factor(factor, 1.0),
        };
        let attention_factor = self.attention_factor.unwrap_or(usual);
        Ok((Scaling::Yarn(yarn), attention_factor))
    }

    fn longrope(
        &self,
        path: &Path,
        config: &RopeConfig,
        pairs: usize,
    ) -> Result<(Scaling, f64), ImportError> {
        let (factor, original_context) = self.extension(path, config)?;
        let factors = |key: &str, stated: Option<&[f64]>| {
            let stated = stated.ok_or_else(|| missing(path, key))?;
            // Transformers and GGUF files have them in f32.
            let factors: Vec<f32> = stated.iter().map(|factor| *factor as f32).collect();
            let is_positive = |factor: &f32| factor.is_finite() && *factor > 0.0;
            if factors.len() != pairs || !factors.iter().all(is_positive) {
                let problem = format!(
                    "which is not a list of {pairs} positive numbers, one for each rotated pair"
                );
                return Err(ImportError::value(path, key, problem));
            }
            Ok(factors)
        };
        let long = Long {
            short: factors("short_factor", self.short_factor.as_deref())?,
            long: factors("long_factor", self.long_factor.as_deref())?,
            original_context,
        };
        let usual = if factor <= 1.0 {
            1.0
        } else {
            libm::sqrt(1.0 + libm::log(factor) / libm::log(original_context))
        };
        let attention_factor = self.attention_factor.unwrap_or(usual);
        Ok((Scaling::Long(long), attention_factor))
    }

    /// How much longer the context became, and the context before.
    fn extension(&self, path: &Path, config: &RopeConfig) -> Result<(f64, f64), ImportError> {
        let original = self.original_context(path, config)?;
        let usual = f64::from(config.max_position_embeddings) / original;
        let factor = positive(path, "factor", Some(self.factor.unwrap_or(usual)))?;
        Ok((factor, original))
    }

    fn original_context(&self, path: &Path, config: &RopeConfig) -> Result<f64, ImportError> {
        let stated = config.original_max_position_embeddings;
        let stated = stated.or(self.original_max_position_embeddings);
        let original = stated.unwrap_or(config.max_position_embeddings.into());
        positive(path, "original_max_position_embeddings", Some(original))
    }
}

fn missing(path: &Path, key: &str) -> ImportError {
    ImportError::missing(path, format!("{key} of the rotary scaling"))
}

/// A required positive number of the rotation.
fn positive(path: &Path, key: &str, value: Option<f64>) -> Result<f64, ImportError> {
    match value {
        Some(value) if value.is_finite() && value > 0.0 => Ok(value),
        Some(value) => Err(ImportError::value(
            path,
            key,
            format!("which is {value} and not a positive number"),
        )),
        None => Err(missing(path, key)),
    }
}

/// The value of a setting that may be stated in several places, if it is stated.
fn agreed<'a, T: PartialEq>(
    path: &Path,
    key: &str,
    values: &'a [T],
) -> Result<Option<&'a T>, ImportError> {
    let first = values.first();
    if values.iter().any(|value| Some(value) != first) {
        return Err(ImportError::value(
            path,
            key,
            "in several places with different values; remove the wrong ones",
        ));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(fields: &Value) -> RopeConfig {
        let mut config = json!({ "max_position_embeddings": 131_072 });
        let fields = fields.as_object().unwrap().clone();
        config.as_object_mut().unwrap().extend(fields);
        serde_json::from_value(config).unwrap()
    }

    fn rope(fields: &Value, head_dim: u32) -> Result<Rope, String> {
        let path = Path::new("config.json");
        let ropes = config(fields).by_layer_kind(path, ModelType::Llama, head_dim);
        let mut ropes = ropes.map_err(|error| error.to_string())?;
        assert_eq!(ropes.len(), 1);
        Ok(ropes.remove(FULL_ATTENTION).unwrap())
    }

    /// Checks pairs, with their cosines and sines at position 1001, of a table of `positions`. The values are from
    /// formulas of `modeling_rope_utils.py`, evaluated in Python with 64-bit floats; the divisors of Llama 3 are
    /// rounded to 32 bits, as in GGUF files.
    #[track_caller]
    fn assert_turns(rope: &Rope, head_dim: usize, positions: usize, pairs: &[(usize, i32, i32)]) {
        let table = rope.table(positions, head_dim);
        for &(pair, cos, sin) in pairs {
            let at = (1001 * head_dim / 2 + pair) * 8;
            let value = |at| i32::from_le_bytes(table[at..at + 4].try_into().unwrap());
            assert_eq!((value(at), value(at + 4)), (cos, sin), "pair {pair}");
        }
    }

    #[test]
    fn llama_3_is_scaled_as_in_transformers() {
        let scaling = json!({
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192
        });
        let fields = json!({ "rope_theta": 500_000.0, "rope_scaling": scaling });
        let pairs = [
            (0, -420_842_832, 987_832_382),
            (28, -1_070_877_033, -78_382_934),
            (32, 928_934_786, 538_518_029),
            (34, 1_056_645_740, 190_843_612),
            (36, 1_070_483_479, 83_586_035),
            (63, 1_073_741_773, 329_853),
        ];
        assert_turns(&rope(&fields, 128).unwrap(), 128, 1002, &pairs);
    }

    #[test]
    fn yarn_is_scaled_as_in_transformers() {
        let scaling = json!({
            "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768
        });
        let fields = json!({ "rope_theta": 1_000_000.0, "rope_scaling": scaling });
        let pairs = [
            (0, -479_184_036, 1_124_775_029),
            (20, 867_283_107, 861_717_018),
            (30, 591_897_003, 1_069_763_592),
            (40, 1_221_383_648, 54_389_242),
            (45, 1_222_454_253, 18_487_995),
            (63, 1_222_593_989, 379_670),
        ];
        let yarn = rope(&fields, 128).unwrap();
        assert_turns(&yarn, 128, 1002, &pairs);

        // The factor is that of the contexts, and the betas are the usual ones, where they are not stated.
        let scaling = json!({
            "rope_type": "yarn", "beta_fast": 32, "beta_slow": 0, "attention_factor": 1.138_629_4
        });
        let fields = json!({
            "rope_theta": 1_000_000.0, "rope_parameters": scaling,
            "original_max_position_embeddings": 32_768
        });
        assert_eq!(rope(&fields, 128).unwrap(), yarn);
    }

    #[test]
    fn yarn_may_interpolate_from_between_two_pairs() {
        let scaling = json!({
            "rope_type": "yarn", "factor": 32.0, "original_max_position_embeddings": 4096,
            "beta_fast": 32.0, "beta_slow": 1.0, "truncate": false
        });
        let fields = json!({ "rope_theta": 150_000, "rope_scaling": scaling });
        let pairs = [
            (0, -566_695_843, 1_330_188_999),
            (5, -44_126_780, -1_445_198_871),
            (10, 1_265_544_324, 699_245_675),
            (14, -724_802_448, 1_251_082_876),
            (18, 1_444_809_435, 55_431_456),
            (31, 1_445_872_318, 437_598),
        ];
        assert_turns(&rope(&fields, 64).unwrap(), 64, 1002, &pairs);
    }

    #[test]
    fn both_scales_of_yarn_make_its_attention_factor() {
        let scaling = json!({
            "rope_type": "yarn", "factor": 40, "original_max_position_embeddings": 4096,
            "mscale": 1.0, "mscale_all_dim": 0.707
        });
        let fields = json!({ "rope_scaling": scaling });
        let pairs = [
            (0, -456_920_164, 1_072_515_677),
            (15, -547_479_774, 1_029_238_462),
            (31, 1_165_783_333, 3_890_394),
        ];
        assert_turns(&rope(&fields, 64).unwrap(), 64, 1002, &pairs);
    }

    /// Of Phi-4-mini's form: three quarters of each head are rotated.
    fn longrope(kind: &str, pairs: u32) -> Value {
        let factors = |step: f64| -> Vec<f64> {
            let factor = |pair| 1.0 + step * f64::from(pair);
            (0..pairs).map(factor).collect()
        };
        json!({
            "rope_theta": 10_000.0,
            "partial_rotary_factor": 0.75,
            "original_max_position_embeddings": 4096,
            "rope_scaling": {
                "type": kind, "short_factor": factors(0.01), "long_factor": factors(0.25)
            }
        })
    }

    #[test]
    fn longrope_is_scaled_as_in_transformers() {
        let long = rope(&longrope("longrope", 48), 128).unwrap();
        assert_eq!(long.short_context(), Some(4096));
        let pairs = [
            (0, -500_903_180, 1_175_755_756),
            (20, 816_272_018, -983_364_422),
            (47, 1_273_661_769, 105_315_195),
            (48, 1 << 30, 0),
            (63, 1 << 30, 0),
        ];
        assert_turns(&long, 128, 4096, &pairs);
        let pairs = [
            (0, -500_903_180, 1_175_755_756),
            (20, -1_149_261_301, -559_020_621),
            (47, 1_277_950_636, 12_155_824),
            (48, 1 << 30, 0),
            (63, 1 << 30, 0),
        ];
        assert_turns(&long, 128, 4097, &pairs);
        assert_eq!(rope(&longrope("su", 48), 128).unwrap(), long);

        let error = rope(&longrope("longrope", 47), 128).unwrap_err();
        assert!(error.contains("a list of 48 positive numbers"), "{error}");
    }

    #[test]
    fn a_part_of_a_head_is_rotated_as_in_transformers() {
        let fields = json!({ "rope_theta": 10_000.0, "partial_rotary_factor": 0.75 });
        let pairs = [
            (0, -420_842_832, 987_832_382),
            (20, -978_106_433, 442_977_777),
            (47, 1_065_855_541, 129_897_922),
            (48, 1 << 30, 0),
        ];
        assert_turns(&rope(&fields, 128).unwrap(), 128, 1002, &pairs);
        for part in [0.0, -1.0, 1.5, 0.01] {
            let error = rope(&json!({ "partial_rotary_factor": part }), 128).unwrap_err();
            assert!(error.contains("an even number"), "{error}");
        }
    }

    #[test]
    fn a_dynamic_scaling_changes_nothing_within_the_model_s_context() {
        let scaling = json!({ "rope_type": "dynamic", "factor": 2.0 });
        let dynamic = rope(&json!({ "rope_scaling": scaling }), 64).unwrap();
        assert_eq!(dynamic, Rope::plain(10_000.0, 64));
    }

    #[test]
    fn layers_of_different_kinds_have_rotations_of_their_own() {
        let local = Rope::plain(10_000.0, 64);
        let global = Rope {
            base: 1_000_000.0,
            scaling: Scaling::Linear(8.0),
            ..local.clone()
        };
        let linear = json!({ "rope_type": "linear", "factor": 8.0 });
        let first = json!({
            "rope_theta": 1_000_000.0, "rope_local_base_freq": 10_000.0, "rope_scaling": linear
        });
        let newer = json!({ "rope_parameters": {
            "full_attention": { "rope_type": "linear", "factor": 8.0, "rope_theta": 1_000_000.0 },
            "sliding_attention": { "rope_type": "default", "rope_theta": 10_000.0 }
        } });
        let path = Path::new("config.json");
        for fields in [first, newer] {
            let config = config(&fields);
            let ropes = config.by_layer_kind(path, ModelType::Llama, 64).unwrap();
            assert_eq!(ropes[FULL_ATTENTION], global);
            assert_eq!(ropes[SLIDING_ATTENTION], local);
            let error = config.rope(path, ModelType::Llama, 64).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("layers of different kinds"), "{error}");
        }
    }
}
