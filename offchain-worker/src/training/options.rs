//! How a trainer trains.

use super::TrainingError;
use noema_checkpoint::layout::TensorSpec;
use noema_update::{CHUNK_COORDINATES, DEFAULT_ENTRIES};
use serde::{Deserialize, Serialize};

/// How a trainer trains: AdamW (Loshchilov and Hutter, 2019) with warm-up and a cosine, as the inner
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
    /// Steps, from the first round on, in which the learning rate rises to its largest.
    pub warmup: u64,
    /// Step, from the first round on, at which the cosine ends; 0 for a constant rate.
    pub horizon: u64,
    /// Learning rate at the end of the cosine, as a part of the largest.
    pub floor: f64,
    /// Weight decay, of all but gains.
    pub weight_decay: f32,
    /// Largest norm of all gradients together; a larger one is scaled down.
    pub clip: f32,
    /// Decay of AdamW's first moment.
    pub beta_1: f32,
    /// Decay of AdamW's second moment.
    pub beta_2: f32,
    /// What is added to AdamW's denominator.
    pub epsilon: f32,
    /// What the order of the data follows from.
    pub seed: u64,
    /// Names of the tensors to train, `*` for anything; none of them means all tensors.
    pub tensors: Vec<String>,
    /// Most entries of a chunk of the update.
    pub entries: u16,
    /// Part of what was not sent that the next round tries to send: 1 for all of it.
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
    /// Refuses what cannot be trained with.
    ///
    /// # Errors
    /// [`TrainingError::Option`].
    pub fn validate(&self) -> Result<(), TrainingError> {
        let positive = [
            ("steps", u64::from(self.steps)),
            ("batch", u64::from(self.batch)),
            ("together", u64::from(self.together)),
            ("save_every", u64::from(self.save_every)),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(TrainingError::option(
                format!("{name} = 0"),
                "it counts from 1",
            ));
        }
        let ranges = [
            ("learning_rate", self.learning_rate, 0.0..=1.0),
            ("floor", self.floor, 0.0..=1.0),
            ("weight_decay", f64::from(self.weight_decay), 0.0..=10.0),
            ("clip", f64::from(self.clip), 1e-6..=1e6),
            ("beta_1", f64::from(self.beta_1), 0.0..=0.999_999),
            ("beta_2", f64::from(self.beta_2), 0.0..=0.999_999),
            ("epsilon", f64::from(self.epsilon), 1e-20..=1.0),
            ("carry", f64::from(self.carry), 0.0..=1.0),
        ];
        if let Some((name, value, range)) = ranges.iter().find(|(_, v, r)| !r.contains(v)) {
            let hint = format!("it lies between {} and {}", range.start(), range.end());
            return Err(TrainingError::option(format!("{name} = {value}"), hint));
        }
        if self.entries == 0 || usize::from(self.entries) > CHUNK_COORDINATES {
            return Err(TrainingError::option(
                format!("entries = {}", self.entries),
                format!("a chunk has 1 to {CHUNK_COORDINATES}"),
            ));
        }
        Ok(())
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

/// Whether `name` is like `pattern`, in which `*` stands for anything.
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
        let mut specs = layout::tensors(&model.architecture).expect("is sound");
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
        let edits: [fn(&mut TrainingOptions); 7] = [
            |o| o.steps = 0,
            |o| o.together = 0,
            |o| o.learning_rate = f64::NAN,
            |o| o.beta_2 = 1.0,
            |o| o.clip = 0.0,
            |o| o.entries = 0,
            |o| o.entries = 4_097,
        ];
        for edit in edits {
            let mut options = sound.clone();
            edit(&mut options);
            let refused = options.validate();
            assert!(matches!(refused, Err(TrainingError::Option { .. })));
        }
    }
}
