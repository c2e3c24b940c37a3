//! Comparing two language models token by token.

/// Tokens whose losses are averaged before the spread is computed: neighbouring tokens are not independent,
/// blocks of this length nearly are.
const BLOCK: usize = 64;

/// One model's prediction of one token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Prediction {
    /// Negative log-likelihood of the actual token, in nats.
    pub(super) loss: f64,
    /// The most likely token.
    pub(super) top: usize,
}

impl Prediction {
    /// Evaluates `logits` (natural units) against the actual token.
    pub(super) fn judge(logits: impl Iterator<Item = f64> + Clone, came: u32) -> Self {
        let (top, largest) =
            logits
                .clone()
                .enumerate()
                .fold((0, f64::NEG_INFINITY), |best, (token, logit)| {
                    if logit > best.1 {
                        (token, logit)
                    } else {
                        best
                    }
                });
        let total: f64 = logits.clone().map(|logit| (logit - largest).exp()).sum();
        let own = logits
            .clone()
            .nth(came as usize)
            .unwrap_or(f64::NEG_INFINITY);
        Self {
            loss: total.ln() + largest - own,
            top,
        }
    }
}

/// Perplexity of the integer transformer and of the float model from which it was imported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Perplexity {
    /// Tokens that both models predicted.
    pub tokens: usize,
    /// Perplexity of the integer transformer.
    pub integer: f64,
    /// Perplexity of the f32 model.
    pub float: f64,
    /// `integer / float`.
    pub ratio: f64,
    /// Standard error of the ratio, from paired losses in blocks of 64 tokens.
    pub ratio_se: f64,
    /// Share of tokens for which both models agree on the most likely one.
    pub same_top: f64,
}

impl Perplexity {
    /// Tokens that must be predicted for a standard error to exist.
    pub const FEWEST_TOKENS: usize = 2 * BLOCK;

    /// Compares paired predictions of the same tokens; `None` for fewer than two blocks.
    pub(super) fn compare(integer: &[Prediction], float: &[Prediction]) -> Option<Self> {
        let tokens = integer.len().min(float.len());
        let pairs = || integer.iter().zip(float);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let differences: Vec<f64> = pairs().map(|(i, f)| i.loss - f.loss).collect();
        let blocks: Vec<f64> = differences.chunks_exact(BLOCK).map(mean).collect();
        if blocks.len() < 2 {
            return None;
        }
        let centre = mean(&blocks);
        let spread: f64 = blocks.iter().map(|b| (b - centre).powi(2)).sum();
        let count = blocks.len() as f64;
        let se = (spread / (count - 1.0) / count).sqrt();
        let ratio = mean(&differences).exp();
        let perplexity = |side: &[Prediction]| {
            (side.iter().take(tokens).map(|p| p.loss).sum::<f64>() / tokens as f64).exp()
        };
        Some(Self {
            tokens,
            integer: perplexity(integer),
            float: perplexity(float),
            ratio,
            ratio_se: ratio * se,
            same_top: pairs().filter(|(i, f)| i.top == f.top).count() as f64 / tokens as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_of_a_uniform_guess_is_the_log_of_the_vocabulary() {
        let prediction = Prediction::judge([3.0; 8].into_iter(), 5);
        assert!((prediction.loss - 8f64.ln()).abs() < 1e-12);
        assert_eq!(prediction.top, 0);
    }

    #[test]
    fn a_sure_guess_costs_nothing_and_a_wrong_one_its_margin() {
        let logits = [0.0, 50.0, 0.0];
        assert!(Prediction::judge(logits.into_iter(), 1).loss.abs() < 1e-12);
        assert!((Prediction::judge(logits.into_iter(), 2).loss - 50.0).abs() < 1e-12);
    }

    #[test]
    fn equal_models_have_ratio_one_without_error() {
        let side: Vec<_> = (0..200)
            .map(|i| Prediction {
                loss: f64::from(i % 7),
                top: i as usize % 5,
            })
            .collect();
        let report = Perplexity::compare(&side, &side).expect("enough blocks");
        assert_eq!(
            (report.ratio, report.ratio_se, report.same_top),
            (1.0, 0.0, 1.0)
        );
        assert_eq!(report.tokens, 200);
    }

    #[test]
    fn the_ratio_is_the_mean_difference_and_its_error_that_of_the_blocks() {
        let float = vec![Prediction { loss: 2.0, top: 0 }; 128];
        let mut integer = float.clone();
        for (i, p) in integer.iter_mut().enumerate() {
            p.loss += if i < 64 { 0.02 } else { 0.04 };
        }
        let report = Perplexity::compare(&integer, &float).expect("two blocks");
        assert!((report.ratio - 0.03f64.exp()).abs() < 1e-12);
        assert!((report.ratio_se / report.ratio - 0.01).abs() < 1e-12);
    }

    #[test]
    fn too_little_text_gives_no_standard_error_and_no_report() {
        let side = vec![Prediction { loss: 1.0, top: 0 }; 127];
        assert_eq!(Perplexity::compare(&side, &side), None);
    }
}
