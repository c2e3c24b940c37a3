//! Steps with as much evidence as their kinds can have, of forged bytes: every input is verified, and computed with.

use alloc::{string::String, vec, vec::Vec};
use codec::Encode;
use noema_checkpoint::{layout, Architecture, Manifest, Source, SourceFormat, FORMAT};
use noema_numerics::{
    tile::TILE_BYTES, AttentionWindow, End, ExpertMixture, LayerPattern, Sampling, Variant,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf, tokens_hash_of, tokens_node, TOKENS_PER_LEAF},
    merkle, CheckpointId,
};
use noema_referee::{DeclaredEvidence, ShownCheckpoint};
use noema_trace::{
    leaf, AnswerExecution, EvidenceRefusal, Needs, StepEvidence, StepKind, StepPlace,
    TextExecution, TokenList, TokensOf, TraceShape, TracedExecution,
};
use sp_core::H256;

/// What a judge finds.
pub(crate) type Executed = Result<H256, EvidenceRefusal>;

/// 72 billion weights, with all that SwiGLU networks can have.
const LARGE: Architecture = Architecture {
    layers: 80,
    hidden: 8_192,
    heads: 64,
    kv_heads: 8,
    head_dim: 128,
    feed_forward: 29_568,
    vocabulary: 152_064,
    context_length: TOKENS,
    norm_epsilon_q32: 42_950,
    tied_head: false,
    variant: Variant {
        projection_biases: true,
        head_norms: true,
        ..Variant::LLAMA
    },
};

/// The same, gated by GELU, with two kinds of layers.
const GELU: Architecture = Architecture {
    variant: Variant {
        gelu: true,
        post_norms: true,
        window: Some(AttentionWindow {
            positions: 32_768,
            layers: LayerPattern::ExceptEvery(2),
        }),
        ..Variant::LLAMA
    },
    ..LARGE
};

/// The shortest rows and heads, in pieces of the most of them.
const NARROW: Architecture = Architecture {
    layers: 2,
    hidden: 32,
    heads: 32,
    kv_heads: 1,
    head_dim: 32,
    feed_forward: 32_768,
    vocabulary: Architecture::MAX_VOCABULARY,
    context_length: Architecture::MAX_CONTEXT,
    norm_epsilon_q32: 42_950,
    tied_head: true,
    variant: Variant::LLAMA,
};

/// The widest heads.
const WIDE: Architecture = Architecture {
    heads: 64,
    kv_heads: 32,
    head_dim: Architecture::MAX_HEAD_DIM,
    hidden: Architecture::MAX_COLUMNS,
    layers: 2,
    ..NARROW
};

/// As many layers with all that a layer can have as a manifest has room for.
const LONG: Architecture = Architecture {
    layers: 1_000,
    variant: Variant {
        projection_biases: true,
        head_norms: true,
        post_norms: true,
        ..Variant::LLAMA
    },
    ..NARROW
};

/// As many experts as there can be, of which a position takes as many as it can.
const EXPERTS: Architecture = Architecture {
    layers: 2,
    hidden: 8_192,
    feed_forward: 1_024,
    variant: Variant {
        experts: Some(ExpertMixture {
            count: Architecture::MAX_EXPERTS,
            chosen: Architecture::MAX_CHOSEN_EXPERTS,
            width: 1_024,
            renormalised: false,
            layers: LayerPattern::ALL,
        }),
        ..Variant::LLAMA
    },
    ..LARGE
};

const SAMPLING: Sampling = Sampling {
    temperature_milli: 800,
    top_k: 40,
    top_p_milli: 950,
};
/// Tokens of the whole context of most checkpoints here.
pub const TOKENS: u32 = 32_768;
/// Tokens of an answer.
const ANSWER: u32 = 1_024;
/// The token that each forged list consists of.
const TOKEN: u32 = 17;
/// The byte that each forged output and tile consists of.
const BYTE: u8 = 1;

/// A sum of weights of attention, and a largest weight, that there can be.
const SUM: u64 = 1 << 30;

/// Roots over forged inputs.
#[derive(Clone, Copy, Default)]
struct Roots {
    weights: H256,
    given: H256,
    answer: H256,
}

/// A step with forged evidence.
pub(crate) struct Forged {
    checkpoint: CheckpointId,
    manifest: Vec<u8>,
    execution: TracedExecution,
    root: H256,
    step: u64,
    inputs: StepEvidence,
}

impl Forged {
    /// A step of a kind, with the most evidence.
    pub(crate) fn of(kind: StepKind) -> Self {
        let is_text = matches!(kind, StepKind::LossWeights | StepKind::Loss);
        let worlds = [LARGE, GELU, NARROW, WIDE, LONG, EXPERTS].into_iter();
        let found = worlds.filter_map(|architecture| {
            let world = World {
                architecture,
                is_text,
            };
            let needs = world.with(Roots::default(), |shape| heaviest(shape, kind))?;
            Some((needs.1.evidence_bytes(), world, needs))
        });
        let most = found.max_by_key(|(bytes, _, _)| *bytes);
        let (_, world, (step, needs)) = most.expect("a network has steps of each kind; qed");
        world.forge(step, &needs)
    }

    /// All that a judge does with it.
    pub(crate) fn execute(&self) -> Executed {
        let shown = ShownCheckpoint::new(&self.checkpoint, &self.manifest);
        let checkpoint = shown.expect("the manifest is the checkpoint's; qed");
        let shape = checkpoint.shape(self.execution);
        let shape = shape.expect("the execution has a shape; qed");
        shape.execute(self.root, self.step, &self.inputs)
    }

    /// Bytes of the evidence.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.inputs.encoded_size()
    }
}

/// A manifest of the longest list of steps, and of as many bytes as there can be.
pub fn longest_manifest() -> Manifest {
    let mut manifest = manifest(LONG, H256::zero());
    let spare = Manifest::MAX_BYTES - manifest.encoded_size();
    // The length of a longer text takes a byte more.
    manifest.licence = "x".repeat(spare - 1);
    manifest
}

/// Evidence of nearly as many bytes as are accepted, which is refused without a look at them.
pub fn useless_evidence() -> DeclaredEvidence {
    DeclaredEvidence {
        kind: StepKind::Embedding,
        inputs: StepEvidence {
            outputs: vec![0; 60_000],
            ..StepEvidence::default()
        },
    }
}

fn manifest(architecture: Architecture, weights_root: H256) -> Manifest {
    let tensors = layout::tensor_count(&architecture).expect("the architecture is valid; qed");
    Manifest {
        format: FORMAT,
        numerics: noema_numerics::NUMERICS_VERSION,
        text_layer: noema_checkpoint::TEXT_LAYER_VERSION,
        name: String::new(),
        licence: String::new(),
        architecture,
        exponents: vec![-20; tensors],
        weights_root,
        weights_bytes: 0,
        tokenizer_hash: H256::zero(),
        chat_template_hash: H256::zero(),
        frame: None,
        tokens_per_byte: 1,
        template_tokens: 0,
        bos: None,
        eos: None,
        stops: vec![0],
        source: Source {
            format: SourceFormat::Random,
            hash: H256::zero(),
        },
    }
}

/// An execution in the whole context of a checkpoint.
struct World {
    architecture: Architecture,
    is_text: bool,
}

impl World {
    fn execution(&self, roots: Roots) -> TracedExecution {
        let context = self.architecture.context_length;
        let tokens = |count, hash| TokensOf { count, hash };
        match self.is_text {
            true => TracedExecution::Text(TextExecution {
                tokens: tokens(context, roots.given),
                loss: 0,
            }),
            false => TracedExecution::Answer(AnswerExecution {
                prompt: tokens(context - ANSWER, roots.given),
                answer: tokens(ANSWER, roots.answer),
                end: End::MaxTokens,
                sampling: SAMPLING,
                seed: [0; 32],
                max_tokens: ANSWER,
                hidden_root: H256::zero(),
            }),
        }
    }

    fn with<R>(&self, roots: Roots, then: impl FnOnce(&TraceShape<'_>) -> R) -> R {
        let encoded = manifest(self.architecture, roots.weights).encode();
        let shown = ShownCheckpoint::new(&Manifest::id_of(&encoded), &encoded);
        let checkpoint = shown.expect("it is its own manifest; qed");
        let shape = checkpoint.shape(self.execution(roots));
        then(&shape.expect("the execution has a shape; qed"))
    }

    fn forge(&self, step: u64, needs: &Needs) -> Forged {
        let mut roots = Roots::default();
        let filler = |count: usize| vec![H256::repeat_byte(1); count];
        let mut inputs = StepEvidence {
            outputs: Vec::with_capacity(needs.bytes),
            nodes: filler(needs.nodes.len()),
            tokens: Vec::new(),
            token_nodes: filler(needs.token_nodes.len()),
            tiles: vec![BYTE; (needs.tiles.end - needs.tiles.start) as usize * TILE_BYTES],
            tile_nodes: filler(needs.tile_nodes.len()),
        };
        let root = self.with(roots, |shape| {
            if let Some(run) = &needs.tokens {
                inputs.tokens = vec![TOKEN; run.tokens.len()];
                let shown = [(run.leaf, tokens_node(&inputs.tokens))];
                let count = self.tokens(run.list);
                let leaves = u64::from(count).div_ceil(TOKENS_PER_LEAF as u64);
                let root = merkle::root_of(leaves, &shown, &inputs.token_nodes);
                let root = root.expect("all nodes are there; qed");
                let hash = tokens_hash_of(count.into(), root);
                match run.list {
                    TokenList::Given => roots.given = hash,
                    TokenList::Answer => roots.answer = hash,
                }
            }
            if !needs.tiles.is_empty() {
                let tiles = inputs.tiles.chunks(TILE_BYTES).map(blake2_256);
                let tiles: Vec<_> = needs.tiles.clone().zip(tiles).collect();
                let width = layout::weights_bytes(&self.architecture);
                let width = width.expect("the architecture is valid; qed") / TILE_BYTES as u64;
                let root = merkle::root_of(width, &tiles, &inputs.tile_nodes);
                roots.weights = root.expect("all nodes are there; qed");
            }
            if needs.steps.is_empty() {
                return H256::zero();
            }
            let outputs = needs.steps.iter().map(|step| {
                let output = output(shape, *step);
                inputs.outputs.extend_from_slice(&output);
                (*step, merkle_leaf(&leaf(&output)))
            });
            let outputs: Vec<_> = outputs.collect();
            let root = merkle::root_of(shape.steps(), &outputs, &inputs.nodes);
            root.expect("all nodes are there; qed")
        });
        let manifest = manifest(self.architecture, roots.weights).encode();
        Forged {
            checkpoint: Manifest::id_of(&manifest),
            manifest,
            execution: self.execution(roots),
            root,
            step,
            inputs,
        }
    }

    /// Tokens of a list.
    fn tokens(&self, list: TokenList) -> u32 {
        match (self.execution(Roots::default()), list) {
            (TracedExecution::Answer(answer), TokenList::Given) => answer.prompt.count,
            (TracedExecution::Answer(answer), TokenList::Answer) => answer.answer.count,
            (TracedExecution::Text(text), _) => text.tokens.count,
        }
    }
}

/// An output that a step can have: what cannot be one ends the steps that read it early.
fn output(shape: &TraceShape<'_>, step: u64) -> Vec<u8> {
    let place = shape.place(step).expect("the step is there; qed");
    let bytes = shape.output_bytes(&place).expect("the step is there; qed");
    let repeated = |number: &[u8]| number.iter().copied().cycle().take(bytes).collect();
    match shape.kind(&place) {
        // Quants, and a scale of four bytes for 32 of them.
        Some(StepKind::StoreKey | StepKind::StoreValue) => {
            let mut stored = vec![BYTE; bytes / 36 * 32];
            stored.extend([1, 0, 0, 0].into_iter().cycle().take(bytes / 36 * 4));
            stored
        }
        Some(StepKind::Sums) => repeated(&SUM.to_le_bytes()),
        // It is never the last one.
        Some(StepKind::Mix) => repeated(&1u64.to_le_bytes()),
        _ => vec![BYTE; bytes],
    }
}

/// The step of a kind with the most evidence, of the last positions and the first layers, and what it needs.
fn heaviest(shape: &TraceShape<'_>, kind: StepKind) -> Option<(u64, Needs)> {
    let mut most: Option<(usize, u64, Needs)> = None;
    let last = shape.positions() - 1;
    // Forged routes name the last expert: there are not as many as they say.
    let selected = match kind {
        StepKind::Experts => Architecture::MAX_EXPERTS - 1,
        _ => TOKEN,
    };
    // The last but one has more tokens in the leaf of its own.
    for position in [last, last - 1] {
        for place in pieces(shape, position, kind) {
            let Some(needs) = shape.needs(&place, Some(selected)) else {
                continue;
            };
            let step = shape.number(&place).expect("the step is there; qed");
            let bytes = needs.evidence_bytes();
            if most.as_ref().is_none_or(|(before, _, _)| *before < bytes) {
                most = Some((bytes, step, needs));
            }
        }
    }
    most.map(|(_, step, needs)| (step, needs))
}

/// The first, the second, the middle, and the last two pieces of each stage of a kind, at a position.
fn pieces(shape: &TraceShape<'_>, position: u32, wanted: StepKind) -> Vec<StepPlace> {
    let at = |operation, stage, piece| StepPlace {
        position,
        operation,
        stage,
        piece,
    };
    let mut found = Vec::new();
    for operation in 0.. {
        if shape.number(&at(operation, 0, 0)).is_none() {
            break;
        }
        for stage in 0.. {
            let kind = shape.kind(&at(operation, stage, 0));
            match kind {
                Some(kind) if kind == wanted => {}
                Some(_) => continue,
                None => break,
            }
            let is_there = |piece| shape.kind(&at(operation, stage, piece)).is_some();
            let mut end = 1;
            while is_there(end) {
                end *= 2;
            }
            let (mut low, mut high) = (end / 2, end);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                match is_there(middle) {
                    true => low = middle,
                    false => high = middle,
                }
            }
            let pieces = [0, 1.min(low), low / 2, low.saturating_sub(1), low];
            found.extend(pieces.map(|piece| at(operation, stage, piece)));
            // All layers are alike, but for two kinds of them.
            if found.len() > 200 {
                return found;
            }
        }
    }
    found
}
