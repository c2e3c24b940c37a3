//! The float model on the devices of this machine, with small random weights.

use burn::{
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::{AdamWConfig, GradientsParams},
    tensor::{Device, Int, Tensor, TensorData},
};
use noema_executor::DeviceOptions;
use noema_float::{device, guarded, FloatError, FloatModel, FloatWeights, Rotary, Rotation};
use noema_numerics::{
    layout::{TensorKind, TensorRole, TensorSpec},
    Architecture, AttentionWindow, ExpertMixture, LayerPattern, Network, Variant,
};
use std::convert::Infallible;

const TOKENS: [i64; 24] = [
    5, 17, 2, 60, 33, 8, 5, 17, 2, 60, 33, 8, 5, 17, 2, 60, 33, 8, 5, 17, 2, 60, 33, 8,
];

/// Weights that depend only on their position.
struct Random(Network);

impl Random {
    fn new(tied_head: bool) -> Self {
        Self::of(tied_head, Variant::LLAMA)
    }

    fn of(tied_head: bool, variant: Variant) -> Self {
        let architecture = Architecture {
            layers: 2,
            hidden: 64,
            heads: 4,
            kv_heads: 2,
            head_dim: 32,
            feed_forward: 96,
            vocabulary: 64,
            context_length: 64,
            norm_epsilon_q32: 42_950,
            tied_head,
            variant,
        };
        Self(Network::new(&architecture).expect("a valid architecture"))
    }
}

impl FloatWeights for Random {
    type Error = Infallible;

    fn network(&self) -> &Network {
        &self.0
    }

    fn rotations(&self, _: usize) -> Vec<Vec<Rotation>> {
        let tables = self.0.tensors().iter();
        tables
            .filter(|tensor| !tensor.kind.is_trained())
            .map(|table| {
                let base: f64 = match table.role {
                    TensorRole::WindowedRope => 100.0,
                    _ => 10_000.0,
                };
                let rotation = |i| Rotation {
                    angle: base.powf(-f64::from(i) / 16.0),
                    scale: 1.0,
                };
                (0..16).map(rotation).collect()
            })
            .collect()
    }

    fn read(&self, tensor: &TensorSpec) -> Result<Vec<f32>, Infallible> {
        let (count, centre, spread) = match tensor.kind {
            TensorKind::Linear { rows, columns } => (rows * columns, 0.0, 0.3),
            TensorKind::Gain { length } => (length, 1.0, 0.2),
            _ => (0, 0.0, 0.0),
        };
        let mut state = (tensor.role as u32 + 1) * 7_919 + tensor.layer.unwrap_or(99) * 104_729;
        Ok((0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                centre + spread * (f64::from(state >> 8) / f64::from(1 << 23) - 1.0) as f32
            })
            .collect())
    }
}

/// All differences from Llama 2 that Gemma 3 does not add.
const ALL: Variant = Variant {
    projection_biases: true,
    head_norms: true,
    unrotated: Some(LayerPattern::Every(2)),
    window: Some(AttentionWindow {
        positions: 7,
        layers: LayerPattern::From(1),
    }),
    ..Variant::LLAMA
};

/// The differences of Gemma 3.
const GEMMA: Variant = Variant {
    head_norms: true,
    window: Some(AttentionWindow {
        positions: 7,
        layers: LayerPattern::ExceptEvery(2),
    }),
    post_norms: true,
    gelu: true,
    scaled_embedding: true,
    windowed_rope: true,
    ..Variant::LLAMA
};

/// Three of seven experts in the second layer.
const EXPERTS: Variant = Variant {
    experts: Some(ExpertMixture {
        count: 7,
        chosen: 3,
        width: 32,
        renormalised: true,
        layers: LayerPattern::From(1),
    }),
    ..Variant::LLAMA
};

/// The same in both layers, with weights that do not add up to 1.
const ALL_EXPERTS: Variant = Variant {
    experts: Some(ExpertMixture {
        count: 7,
        chosen: 3,
        width: 96,
        renormalised: false,
        layers: LayerPattern::ALL,
    }),
    ..Variant::LLAMA
};

/// A graphics processor of this machine, or a software one if there is no other.
fn graphics() -> Option<noema_executor::Device> {
    let mut all = noema_executor::Device::all(None, None);
    let found = all.drain(..).find(|device| device.adapter().is_some());
    let required = std::env::var("NOEMA_REQUIRE_GPU_TESTS").is_ok_and(|v| v == "1");
    assert!(
        found.is_some() || !required,
        "NOEMA_REQUIRE_GPU_TESTS is set, but there is none"
    );
    found
}

fn load(weights: &Random, device: &Device) -> (FloatModel, Rotary) {
    let Ok(model) = FloatModel::load(weights, device);
    let rotary = Rotary::new(&weights.rotations(TOKENS.len()), TOKENS.len(), device);
    (model, rotary)
}

fn tokens(device: &Device) -> Tensor<2, Int> {
    Tensor::from_data(TensorData::new(TOKENS.to_vec(), [1, TOKENS.len()]), device)
}

fn logits(model: &FloatModel, rotary: &Rotary, device: &Device) -> Vec<f32> {
    let logits = model.logits(model.hidden(tokens(device), rotary));
    logits.into_data().try_into_vec().expect("32-bit floats")
}

/// The loss of each token but the first.
fn loss(model: &FloatModel, rotary: &Rotary, device: &Device) -> Tensor<1> {
    let count = TOKENS.len() - 1;
    let read = tokens(device).narrow(1, 0, count);
    let came = tokens(device).narrow(1, 1, count).flatten::<1>(0, 1);
    let logits = model.logits(model.hidden(read, rotary)).flatten::<2>(0, 1);
    CrossEntropyLossConfig::new()
        .init(device)
        .forward(logits, came)
}

#[test]
fn devices_agree_on_the_logits() {
    let Some(gpu) = graphics() else { return };
    for (tied_head, variant) in [
        (true, Variant::LLAMA),
        (false, Variant::LLAMA),
        (false, ALL),
        (true, GEMMA),
        (false, EXPERTS),
        (true, ALL_EXPERTS),
    ] {
        let weights = Random::of(tied_head, variant);
        let [ours, theirs] = [Device::flex(), device(&gpu).expect("opens")].map(|device| {
            let (model, rotary) = load(&weights, &device);
            logits(&model, &rotary, &device)
        });
        let furthest = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
        let furthest = furthest.fold(0.0, f32::max);
        assert!(furthest < 1e-4, "{gpu}: {furthest}");
        let spread = ours
            .iter()
            .fold(0.0f32, |most, logit| most.max(logit.abs()));
        assert!(spread > 0.5, "the logits vary: {spread}");
    }
}

#[test]
fn a_device_is_opened_once() {
    let Some(gpu) = graphics() else { return };
    assert_eq!(device(&gpu), device(&gpu));
}

#[test]
fn later_tokens_change_nothing_before_them() {
    for variant in [Variant::LLAMA, ALL, EXPERTS, ALL_EXPERTS] {
        later_tokens_of(&Random::of(true, variant));
    }
}

fn later_tokens_of(weights: &Random) {
    let device = Device::flex();
    let (model, rotary) = load(weights, &device);
    let all = logits(&model, &rotary, &device);
    let first = tokens(&device).narrow(1, 0, 7);
    let first = model.logits(model.hidden(first, &rotary));
    let first: Vec<f32> = first.into_data().try_into_vec().expect("32-bit floats");
    for (a, b) in first.iter().zip(&all) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

#[test]
fn tokens_before_the_window_change_nothing() {
    let device = Device::flex();
    let window = Variant {
        window: Some(AttentionWindow {
            positions: 7,
            layers: LayerPattern::ALL,
        }),
        ..Variant::LLAMA
    };
    let (model, rotary) = load(&Random::of(true, window), &device);
    let mut other = TOKENS;
    other[0] += 1;
    let logits = |tokens: &[i64]| -> Vec<f32> {
        let shape = [1, tokens.len()];
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens.to_vec(), shape), &device);
        let logits = model.logits(model.hidden(tokens, &rotary));
        logits.into_data().try_into_vec().expect("32-bit floats")
    };
    let apart = |position: usize| {
        let of = |logits: &[f32]| logits[position * 64..][..64].to_vec();
        let pairs = of(&logits(&TOKENS)).into_iter().zip(of(&logits(&other)));
        pairs.fold(0.0f32, |most, (a, b)| most.max((a - b).abs()))
    };
    // Two layers see six positions back each.
    assert!(apart(12) > 1e-6);
    assert!(apart(13) < 1e-6);
}

/// On every device, and with grouped heads: each of the tensors has a gradient, and following it
/// lowers the loss.
#[test]
fn training_lowers_the_loss() {
    let processor = DeviceOptions {
        choice: noema_executor::DeviceChoice::Cpu,
        ..Default::default()
    };
    let processor = processor.select().expect("the processor is there");
    let devices = [Some(processor), graphics()];
    let mut ends = Vec::new();
    for named in devices.into_iter().flatten() {
        let device = device(&named).expect("opens").autodiff();
        let (mut model, rotary) = load(&Random::new(false), &device);
        let mut optimizer = AdamWConfig::new().init();
        let mut losses = Vec::new();
        for _ in 0..12 {
            let loss = loss(&model, &rotary, &device);
            losses.push(loss.clone().into_scalar::<f32>());
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            // All but the table of rotations.
            let tensors = Random::new(false).0.tensors().len() - 1;
            assert_eq!(gradients.len(), tensors, "{named}: one for each tensor");
            model = optimizer.step(3e-3, model, gradients);
        }
        let (first, last) = (losses[0], losses[11]);
        assert!(last < first * 0.7, "{named}: {losses:?}");
        ends.push(last);
    }
    for end in &ends {
        assert!((end - ends[0]).abs() < 1e-2, "{ends:?}");
    }
}

#[test]
fn each_tensor_of_a_variant_has_a_gradient() {
    let device = Device::flex().autodiff();
    for (tied_head, variant) in [
        (false, ALL),
        (true, GEMMA),
        (false, EXPERTS),
        (false, ALL_EXPERTS),
    ] {
        let weights = Random::of(tied_head, variant);
        let (mut model, rotary) = load(&weights, &device);
        let mut optimizer = AdamWConfig::new().init();
        let mut losses = Vec::new();
        for _ in 0..12 {
            let loss = loss(&model, &rotary, &device);
            losses.push(loss.clone().into_scalar::<f32>());
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            let trained = weights.0.tensors().iter();
            let trained = trained.filter(|tensor| tensor.kind.is_trained());
            assert_eq!(gradients.len(), trained.count());
            model = optimizer.step(3e-3, model, gradients);
        }
        assert!(losses[11] < losses[0], "{losses:?}");
    }
}

#[test]
fn a_factor_of_every_rotation_multiplies_the_scores_by_its_square() {
    const FACTOR: f32 = 1.25;
    /// Queries that are larger by the square of the factor.
    struct Larger(Random);
    impl FloatWeights for Larger {
        type Error = Infallible;
        fn network(&self) -> &Network {
            self.0.network()
        }
        fn rotations(&self, positions: usize) -> Vec<Vec<Rotation>> {
            self.0.rotations(positions)
        }
        fn read(&self, tensor: &TensorSpec) -> Result<Vec<f32>, Infallible> {
            let mut values = self.0.read(tensor)?;
            if tensor.role == TensorRole::Query {
                values
                    .iter_mut()
                    .for_each(|value| *value *= FACTOR * FACTOR);
            }
            Ok(values)
        }
    }
    let device = Device::flex();
    let (model, rotary) = load(&Random::new(true), &device);
    let mut rotations = Random::new(true).rotations(TOKENS.len());
    for rotation in rotations.iter_mut().flatten() {
        rotation.scale = FACTOR.into();
    }
    let scaled = Rotary::new(&rotations, TOKENS.len(), &device);
    let scaled = logits(&model, &scaled, &device);
    assert_ne!(scaled, logits(&model, &rotary, &device));
    let Ok(larger) = FloatModel::load(&Larger(Random::new(true)), &device);
    let larger = logits(&larger, &rotary, &device);
    let furthest = larger.iter().zip(&scaled).map(|(a, b)| (a - b).abs());
    let furthest = furthest.fold(0.0, f32::max);
    assert!(furthest < 1e-4, "{furthest}");
}

#[test]
fn a_record_holds_the_whole_model() {
    let device = Device::flex();
    let (model, rotary) = load(&Random::new(false), &device);
    let before = logits(&model, &rotary, &device);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model");
    model.save_file(&path).expect("is saved");

    // Another model of the same shape, until the record is loaded into it.
    struct Zero(Random);
    impl FloatWeights for Zero {
        type Error = Infallible;
        fn network(&self) -> &Network {
            self.0.network()
        }
        fn rotations(&self, positions: usize) -> Vec<Vec<Rotation>> {
            self.0.rotations(positions)
        }
        fn read(&self, tensor: &TensorSpec) -> Result<Vec<f32>, Infallible> {
            self.0.read(tensor).map(|v| vec![0.0; v.len()])
        }
    }
    let Ok(empty) = FloatModel::load(&Zero(Random::new(false)), &device);
    assert_ne!(before, logits(&empty, &rotary, &device));
    let loaded = empty.load_file(&path);
    assert_eq!(before, logits(&loaded, &rotary, &device));
}

#[test]
fn a_panic_of_burn_is_an_error() {
    let processor = noema_executor::Device::cpu(None);
    let failed = guarded(&processor, || {
        let device = Device::flex();
        let a = Tensor::<2>::zeros([2, 3], &device);
        a.matmul(Tensor::<2>::zeros([2, 3], &device))
    });
    assert!(
        matches!(failed, Err(FloatError::Failed { .. })),
        "{failed:?}"
    );
}
