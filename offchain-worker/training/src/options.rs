//! Options of a trainer.

use super::TrainingError;
use noema_checkpoint::layout::TensorSpec;
use noema_update::{CHUNK_COORDINATES, DEFAULT_ENTRIES};
use serde::{Deserialize, Serialize};
use std::{
    fmt::{self, Display},
    ops::RangeInclusive,
};

/// Options of a trainer: AdamW (Loshchilov and Hutter, 2019) with warm-up and a cosine, as the inner
/// optimiser of DiLoCo (Douillard et al., 2023).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingOptions {
    /// Steps of a round.
    pub steps: u32,
    /// Sequences of a step.
    pub batch: u32,
    /// Sequences that go through the model together; bounds memory.
    pub together: u32,
    /// Largest learning rate.
    pub learning_rate: f64,
    /// Steps, from the first round on, over which the learning rate rises to its maximum.
    pub warmup: u64,
    /// Step, from the first round on, at which the cosine ends; 0 for a constant rate.
    pub horizon: u64,
    /// Learning rate at the end of the cosine, as a fraction of the largest.
    pub floor: f64,
    /// Weight decay, of all tensors but gains.
    pub weight_decay: f32,
    /// Largest norm of all gradients together; a larger one is scaled down.
    pub clip: f32,
    /// Decay of AdamW's first moment.
    pub beta_1: f32,
    /// Decay of AdamW's second moment.
    pub beta_2: f32,
    /// Added to AdamW's denominator.
    pub epsilon: f32,
    /// The seed of the order of the data.
    pub seed: u64,
    /// Names of the tensors to train, `*` for any text; an empty list means all tensors.
    pub tensors: Vec<String>,
    /// Most entries of a chunk of the update.
    pub entries: u16,
    /// Part of the residual that the next round tries to send: 1 for all of it.
    pub carry: f32,
    /// Steps between two states on disk.
    pub save_every: u32,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        Self {
            steps: 25,
            batch: 8,
            together: 8,
            learning_rate: 2e-3,
            warmup: 20,
            horizon: 0,
            floor: 0.1,
            weight_decay: 0.01,
            clip: 1.0,
            beta_1: 0.9,
            beta_2: 0.99,
            epsilon: 1e-8,
            seed: 0,
            tensors: Vec::new(),
            entries: DEFAULT_ENTRIES,
            carry: 1.0,
            save_every: 50,
        }
    }
}

impl TrainingOptions {
    /// Valid values of [`Self::steps`].
    pub const STEPS: RangeInclusive<u32> = 1..=1_000_000;
    /// Valid values of [`Self::batch`].
    pub const BATCH: RangeInclusive<u32> = 1..=65_536;
    /// Valid values of [`Self::together`].
    pub const TOGETHER: RangeInclusive<u32> = Self::BATCH;
    /// Valid values of [`Self::learning_rate`].
    pub const LEARNING_RATE: RangeInclusive<f64> = 1e-9..=1.0;
    /// Valid values of [`Self::warmup`].
    pub const WARMUP: RangeInclusive<u64> = 0..=1_000_000_000_000;
    /// Valid values of [`Self::horizon`].
    pub const HORIZON: RangeInclusive<u64> = Self::WARMUP;
    /// Valid values of [`Self::floor`].
    pub const FLOOR: RangeInclusive<f64> = 0.0..=1.0;
    /// Valid values of [`Self::weight_decay`].
    pub const WEIGHT_DECAY: RangeInclusive<f32> = 0.0..=10.0;
    /// Valid values of [`Self::clip`].
    pub const CLIP: RangeInclusive<f32> = 1e-6..=1e6;
    /// Valid values of [`Self::beta_1`] and [`Self::beta_2`].
    pub const BETA: RangeInclusive<f32> = 0.0..=0.999_999;
    /// Valid values of [`Self::epsilon`].
    pub const EPSILON: RangeInclusive<f32> = 1e-20..=1.0;
    /// Valid values of [`Self::entries`].
    pub const ENTRIES: RangeInclusive<u16> = 1..=CHUNK_COORDINATES as u16;
    /// Valid values of [`Self::carry`].
    pub const CARRY: RangeInclusive<f32> = 0.0..=1.0;
    /// Valid values of [`Self::save_every`].
    pub const SAVE_EVERY: RangeInclusive<u32> = Self::STEPS;

    /// Refuses invalid options, with the name of the flag that sets them.
    ///
    /// # Errors
    /// [`TrainingError::Option`].
    pub fn validate(&self) -> Result<(), TrainingError> {
        within("--steps", self.steps, Self::STEPS)?;
        within("--batch", self.batch, Self::BATCH)?;
        within("--together", self.together, Self::TOGETHER)?;
        within("--learning-rate", self.learning_rate, Self::LEARNING_RATE)?;
        within("--warmup", self.warmup, Self::WARMUP)?;
        within("--horizon", self.horizon, Self::HORIZON)?;
        within("--floor", self.floor, Self::FLOOR)?;
        within("--weight-decay", self.weight_decay, Self::WEIGHT_DECAY)?;
        within("--clip", self.clip, Self::CLIP)?;
        within("--beta-1", self.beta_1, Self::BETA)?;
        within("--beta-2", self.beta_2, Self::BETA)?;
        within("AdamW's epsilon", self.epsilon, Self::EPSILON)?;
        within("--entries", self.entries, Self::ENTRIES)?;
        within("--carry", self.carry, Self::CARRY)?;
        within("--save-every", self.save_every, Self::SAVE_EVERY)?;
        if (1..=self.warmup).contains(&self.horizon) {
            let rule = format!(
                "be more than --warmup, which is {}, or 0 for a rate that never falls",
                self.warmup
            );
            return Err(TrainingError::option("--horizon", self.horizon, rule));
        }
        Ok(())
    }

    /// The default horizon of `rounds`: their last step, or 0 if the learning rate has not risen to its
    /// largest by then.
    pub fn default_horizon(rounds: u32, steps: u32, warmup: u64) -> u64 {
        let last = u64::from(rounds).saturating_mul(u64::from(steps));
        if last > warmup {
            last
        } else {
            0
        }
    }

    /// Each option that affects the result of training, by the name of its flag, with its value. The number
    /// of sequences that go through the model together and the interval between saved states do not.
    pub(super) fn deciding(&self) -> Vec<(&'static str, String)> {
        let Self {
            steps,
            batch,
            together: _,
            learning_rate,
            warmup,
            horizon,
            floor,
            weight_decay,
            clip,
            beta_1,
            beta_2,
            epsilon,
            seed,
            tensors,
            entries,
            carry,
            save_every: _,
        } = self;
        let tensors = match &tensors[..] {
            [] => "all".to_owned(),
            names => names.join(" "),
        };
        vec![
            ("--steps", steps.to_string()),
            ("--batch", batch.to_string()),
            ("--learning-rate", learning_rate.to_string()),
            ("--warmup", warmup.to_string()),
            ("--horizon", horizon.to_string()),
            ("--floor", floor.to_string()),
            ("--weight-decay", weight_decay.to_string()),
            ("--clip", clip.to_string()),
            ("--beta-1", beta_1.to_string()),
            ("--beta-2", beta_2.to_string()),
            ("AdamW's epsilon", epsilon.to_string()),
            ("--seed", seed.to_string()),
            ("--tensor", tensors),
            ("--entries", entries.to_string()),
            ("--carry", carry.to_string()),
        ]
    }

    /// The learning rate of a step, counted from the first step of the first round.
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.learning_rate * (step + 1) as f64 / self.warmup as f64;
        }
        if self.horizon <= self.warmup {
            return self.learning_rate;
        }
        let done = (step - self.warmup) as f64 / (self.horizon - self.warmup) as f64;
        let cosine = 0.5 * (1.0 + libm::cos(core::f64::consts::PI * done.min(1.0)));
        self.learning_rate * (self.floor + (1.0 - self.floor) * cosine)
    }

    /// Whether each of `tensors` is to be trained.
    pub(super) fn select(&self, tensors: &[TensorSpec]) -> Result<Vec<bool>, TrainingError> {
        if self.tensors.is_empty() {
            return Ok(vec![true; tensors.len()]);
        }
        let names: Vec<String> = tensors.iter().map(TensorSpec::name).collect();
        let mut selected = vec![false; names.len()];
        for pattern in &self.tensors {
            let mut hit = false;
            for (name, selected) in names.iter().zip(&mut selected) {
                if matches(pattern, name) {
                    (*selected, hit) = (true, true);
                }
            }
            if !hit {
                return Err(TrainingError::NoSuchTensor {
                    pattern: pattern.clone(),
                });
            }
        }
        Ok(selected)
    }
}

/// Refuses a value of `option` outside `range`.
pub(super) fn within<T: PartialOrd + Display>(
    option: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), TrainingError> {
    if range.contains(&value) {
        return Ok(());
    }
    let rule = format!("be from {} to {}", range.start(), range.end());
    Err(TrainingError::option(option, value, rule))
}

/// The options in which a training differs from the one that saved a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences(Vec<Difference>);

/// An option that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Difference {
    option: &'static str,
    before: String,
    now: String,
}

impl Differences {
    /// Compares the same options, each by its name, with their values `before` and `now`.
    pub(super) fn between(
        before: Vec<(&'static str, String)>,
        now: Vec<(&'static str, String)>,
    ) -> Self {
        let pairs = before.into_iter().zip(now);
        let differing = pairs.filter(|((_, before), (_, now))| before != now);
        Self(
            differing
                .map(|((option, before), (_, now))| Difference {
                    option,
                    before,
                    now,
                })
                .collect(),
        )
    }

    /// Whether no option differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, difference) in self.0.iter().enumerate() {
            let Difference {
                option,
                before,
                now,
            } = difference;
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{option} was {before} and is {now}")?;
        }
        Ok(())
    }
}

/// Whether `name` matches `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(after) = name.strip_prefix(first) else {
        return false;
    };
    let ends = after.char_indices().map(|(at, _)| at).chain([after.len()]);
    ends.into_iter().any(|at| matches(rest, &after[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_checkpoint::layout;
    use noema_numerics::testing::TestModel;

    #[test]
    fn the_rate_rises_and_falls() {
        let options = TrainingOptions {
            learning_rate: 0.1,
            warmup: 10,
            horizon: 110,
            floor: 0.2,
            ..Default::default()
        };
        assert!((options.rate(0) - 0.01).abs() < 1e-12);
        assert!((options.rate(9) - 0.1).abs() < 1e-12);
        assert!((options.rate(60) - 0.06).abs() < 1e-12);
        assert!((options.rate(110) - 0.02).abs() < 1e-12);
        assert_eq!(options.rate(110), options.rate(1_000));
        let constant = TrainingOptions {
            horizon: 0,
            ..options
        };
        assert_eq!(constant.rate(5_000), 0.1);
    }

    #[test]
    fn tensors_are_selected_by_name() {
        let model = TestModel::tiny(1);
        let mut specs = layout::tensors(&model.architecture).expect("is valid");
        specs.pop();
        let select = |patterns: &[&str]| {
            let options = TrainingOptions {
                tensors: patterns.iter().map(|p| (*p).to_owned()).collect(),
                ..Default::default()
            };
            let selected = options.select(&specs)?;
            let names = specs.iter().map(TensorSpec::name).zip(selected);
            Ok::<_, TrainingError>(names.filter(|n| n.1).map(|n| n.0).collect::<Vec<_>>())
        };
        assert_eq!(select(&[]).unwrap().len(), specs.len());
        assert_eq!(select(&["layers.0.query"]).unwrap(), ["layers.0.query"]);
        let norms = select(&["*norm", "layers.0.attention_norm"]).unwrap();
        assert!(norms.contains(&"final_norm".to_owned()));
        assert!(norms.iter().all(|name| name.ends_with("norm")));
        let unknown = select(&["layers.0.query", "layers.99.*"]);
        assert!(matches!(unknown, Err(TrainingError::NoSuchTensor { .. })));
        let middle = select(&["layers.*.q*y"]).unwrap();
        assert!(middle.iter().all(|name| name.ends_with(".query")));
        assert!(!middle.is_empty());
    }

    #[test]
    fn impossible_options_are_refused() {
        let sound = TrainingOptions::default();
        assert!(sound.validate().is_ok());
        type Edit = fn(&mut TrainingOptions);
        let edits: [(Edit, &str); 12] = [
            (
                |o| o.steps = 0,
                "--steps must be from 1 to 1000000; it is 0.",
            ),
            (|o| o.batch = u32::MAX, "--batch must be from 1 to 65536"),
            (|o| o.together = 0, "--together must be from 1"),
            (
                |o| o.learning_rate = f64::NAN,
                "--learning-rate must be from 0.000000001 to 1; it is NaN",
            ),
            (|o| o.learning_rate = 0.0, "--learning-rate must be"),
            (|o| o.beta_2 = 1.0, "--beta-2 must be from 0 to 0.999999"),
            (|o| o.clip = f32::INFINITY, "--clip must be"),
            (
                |o| o.floor = -0.1,
                "--floor must be from 0 to 1; it is -0.1.",
            ),
            (|o| o.entries = 0, "--entries must be from 1 to 4096"),
            (|o| o.entries = 4_097, "--entries must be"),
            (|o| o.save_every = 0, "--save-every must be"),
            (
                |o| o.horizon = 20,
                "--horizon must be more than --warmup, which is 20",
            ),
        ];
        for (edit, expected) in edits {
            let mut options = sound.clone();
            edit(&mut options);
            let refused = options.validate().expect_err(expected);
            assert!(matches!(refused, TrainingError::Option { .. }));
            assert!(refused.to_string().starts_with(expected), "{refused}");
        }
    }

    #[test]
    fn the_horizon_is_the_last_step_unless_that_is_in_the_warm_up() {
        assert_eq!(TrainingOptions::default_horizon(4, 25, 20), 100);
        assert_eq!(TrainingOptions::default_horizon(1, 20, 20), 0);
        let largest = TrainingOptions::default_horizon(u32::MAX, u32::MAX, 0);
        assert_eq!(largest, u64::from(u32::MAX) * u64::from(u32::MAX));
    }

    #[test]
    fn a_difference_names_the_flag_and_both_values() {
        let before = TrainingOptions::default();
        let now = TrainingOptions {
            learning_rate: 0.01,
            tensors: vec!["*norm".into(), "final_norm".into()],
            together: 1,
            save_every: 1,
            ..before.clone()
        };
        let differing = Differences::between(before.deciding(), now.deciding());
        assert_eq!(
            differing.to_string(),
            "--learning-rate was 0.002 and is 0.01, --tensor was all and is *norm final_norm"
        );
        assert!(Differences::between(now.deciding(), now.deciding()).is_empty());
    }
}
