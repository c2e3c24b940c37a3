"""Models with random weights: tiny ones for write.py, and ones of a billion weights for quantised.py.

There is a tiny one of each architecture, scaling of the rotation and kind of window, and a large one of each architecture.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Model:
    """Dimensions, and what distinguishes the network from that of Llama 2, in the terms of `config.json`.

    The dimensions of a tiny model unless others are stated.
    """

    # `model_type` in config.json, and the class of Transformers.
    model_type: str = "llama"
    causal_lm: str = "LlamaForCausalLM"
    # `general.architecture` of the GGUF file; None where a file cannot state the model.
    in_gguf: str | None = "llama"
    # Whether the file's queries and keys have the two rows next to each other that are rotated together.
    is_interleaved_in_gguf: bool = True
    # Whether llama.cpp follows all that the file states.
    in_llama_cpp: bool = True
    hidden: int = 64
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    feed_forward: int = 96
    context: int = 1_024
    # The number of tokens; None is that of the tiny models' tokenizer.
    vocabulary: int | None = None
    is_tied: bool = True
    epsilon: float = 1e-5
    rope_theta: float = 10_000.0
    rope_scaling: dict | None = None
    # The part of each head that is rotated.
    rotated: float = 1.0
    biases: bool = False
    head_norms: bool = False
    # Positions that a layer with a window sees, and which layers have one.
    window: int | None = None
    windowed: tuple[bool, ...] = ()
    # Layers without rotation.
    unrotated: tuple[bool, ...] = ()
    # Whether the projections to queries, keys and values are one matrix, and the gate and up projections another.
    is_fused: bool = False
    # Whether the layers are Gemma's: norms of what is added, too, GELU, a scaled embedding, and gains less one in
    # config.json's folder.
    is_gemma: bool = False
    # The base of the rotation in layers with a window, if it differs.
    windowed_theta: float | None = None
    # Scores are divided by the root of it, if that is not the width of a head.
    score_divisor: int | None = None
    # Experts of a layer, those of a position, and their width; the layers without any; whether the weights of a
    # position's experts add up to 1.
    experts: tuple[int, int, int] | None = None
    dense_layers: tuple[int, ...] = ()
    is_renormalised: bool = True
    # Further settings of config.json.
    settings: dict | None = None

    @property
    def rotated_width(self) -> int:
        return int(self.head_dim * self.rotated)


LLAMA = Model()
MISTRAL = replace(LLAMA, model_type="mistral", causal_lm="MistralForCausalLM", settings={"sliding_window": None})
QWEN2 = replace(
    LLAMA,
    model_type="qwen2",
    causal_lm="Qwen2ForCausalLM",
    in_gguf="qwen2",
    is_interleaved_in_gguf=False,
    # llama.cpp takes no other width of a head for it than the hidden vector divided among them.
    heads=2,
    kv_heads=1,
    epsilon=1e-6,
    rope_theta=1_000_000.0,
    biases=True,
    settings={"use_sliding_window": False, "sliding_window": 1_024, "max_window_layers": 4},
)
QWEN3 = replace(
    QWEN2,
    model_type="qwen3",
    causal_lm="Qwen3ForCausalLM",
    in_gguf="qwen3",
    # Its heads are wider than the hidden vector divided among them.
    heads=4,
    kv_heads=2,
    head_dim=64,
    biases=False,
    head_norms=True,
    settings={"attention_bias": False, "use_sliding_window": False, "sliding_window": None},
)
QWEN3_MOE = replace(
    QWEN3,
    model_type="qwen3_moe",
    causal_lm="Qwen3MoeForCausalLM",
    in_gguf="qwen3moe",
    experts=(8, 3, 64),
    settings={"attention_bias": False, "use_sliding_window": False, "sliding_window": None},
)
SMOLLM3 = replace(
    LLAMA,
    model_type="smollm3",
    causal_lm="SmolLM3ForCausalLM",
    in_gguf="smollm3",
    epsilon=1e-6,
    rope_theta=2_000_000.0,
    unrotated=(False, False, False, True),
    # Transformers pads with a token of the real model's vocabulary unless another is stated.
    settings={"attention_bias": False, "mlp_bias": False, "no_rope_layers": [1, 1, 1, 0], "pad_token_id": 0},
)

PHI3 = replace(
    LLAMA,
    model_type="phi3",
    causal_lm="Phi3ForCausalLM",
    in_gguf="phi3",
    is_interleaved_in_gguf=False,
    is_fused=True,
    # llama.cpp takes no other width of a head for it than the hidden vector divided among them.
    heads=2,
    kv_heads=1,
    # Transformers pads with a token of the real model's vocabulary unless another is stated.
    settings={"pad_token_id": 0},
)

WINDOW = 11
GEMMA3 = replace(
    LLAMA,
    model_type="gemma3_text",
    causal_lm="Gemma3ForCausalLM",
    in_gguf="gemma3",
    is_interleaved_in_gguf=False,
    # The last of six has no window.
    layers=7,
    epsilon=1e-6,
    rope_theta=1_000_000.0,
    windowed_theta=10_000.0,
    head_norms=True,
    is_gemma=True,
    window=WINDOW,
    windowed=(True,) * 5 + (False, True),
    settings={
        "query_pre_attn_scalar": 32,
        "sliding_window": WINDOW,
        "sliding_window_pattern": 6,
        "rope_local_base_freq": 10_000.0,
        "attn_logit_softcapping": None,
        "final_logit_softcapping": None,
        "pad_token_id": 0,
    },
)


def longrope(context: int, original: int, pairs: int = LLAMA.head_dim // 2) -> dict:
    return {
        "rope_type": "longrope",
        "factor": context / original,
        "original_max_position_embeddings": original,
        "short_factor": [1.0 + pair / 16 for pair in range(pairs)],
        "long_factor": [1.0 + pair * pair / 8 for pair in range(pairs)],
    }


ARCHITECTURES: dict[str, Model] = {
    "llama2": replace(LLAMA, heads=2, kv_heads=2, is_tied=False),
    "llama3": replace(
        LLAMA,
        rope_theta=500_000.0,
        rope_scaling={
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 128,
        },
    ),
    "llama-linear": replace(LLAMA, rope_scaling={"rope_type": "linear", "factor": 4.0}),
    "mistral": replace(MISTRAL, is_tied=False),
    # llama.cpp reads the window of no file of the architecture llama.
    "mistral-window": replace(
        MISTRAL, in_llama_cpp=False, window=WINDOW, windowed=(True,) * 4, settings={"sliding_window": WINDOW}
    ),
    "qwen2": QWEN2,
    # No GGUF file says which layers have the window.
    "qwen2-window": replace(
        QWEN2,
        in_gguf=None,
        window=WINDOW,
        windowed=(False, False, True, True),
        settings={"use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 2},
    ),
    "qwen3": QWEN3,
    "qwen3-moe": QWEN3_MOE,
    # llama.cpp reads no file with dense layers among others, and makes the weights add up to 1.
    "qwen3-moe-dense": replace(
        QWEN3_MOE, in_gguf=None, experts=(21, 5, 32), dense_layers=(0,), is_renormalised=False, is_tied=False
    ),
    "smollm3": SMOLLM3,
    "smollm3-window": replace(
        SMOLLM3,
        in_gguf=None,
        window=WINDOW,
        windowed=(False, False, False, True),
        settings={
            **SMOLLM3.settings,
            "use_sliding_window": True,
            "sliding_window": WINDOW,
            "layer_types": ["full_attention"] * 3 + ["sliding_attention"],
        },
    ),
    "qwen3-yarn": replace(
        QWEN3,
        rope_scaling={"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256},
    ),
    # In a context of at most the original one, with the short factors.
    "llama-longrope": replace(LLAMA, context=4_096, rope_scaling=longrope(4_096, 1_024)),
    # In a longer one, with the long factors.
    "llama-longrope-long": replace(LLAMA, rope_scaling=longrope(1_024, 32)),
    # A head of width 96. llama.cpp expects the real tokens of a model that is named phi3.
    "phi": replace(PHI3, hidden=96, layers=2, heads=1, kv_heads=1, head_dim=96, is_tied=False),
    # llama.cpp ignores the window.
    "phi-window": replace(
        PHI3,
        in_llama_cpp=False,
        window=WINDOW,
        windowed=(True,) * 4,
        settings={**PHI3.settings, "sliding_window": WINDOW},
    ),
    # Phi's files state the original context outside of the scaling, and Transformers reads it only there.
    "phi4-mini": replace(
        PHI3,
        rotated=0.75,
        context=4_096,
        rope_scaling=longrope(4_096, 1_024, 12),
        settings={**PHI3.settings, "original_max_position_embeddings": 1_024},
    ),
    "phi4-mini-long": replace(
        PHI3,
        rotated=0.75,
        rope_scaling=longrope(1_024, 32, 12),
        settings={**PHI3.settings, "original_max_position_embeddings": 32},
    ),
    "gemma3": GEMMA3,
    "gemma3-linear": replace(GEMMA3, rope_scaling={"rope_type": "linear", "factor": 8.0}),
    # Only of the largest model does llama.cpp know that scores are divided by the root of another number.
    "gemma3-scores": replace(
        GEMMA3, in_gguf=None, score_divisor=24, settings={**GEMMA3.settings, "query_pre_attn_scalar": 24}
    ),
}

LONGROPE_CONTEXT, LONGROPE_ORIGINAL = 131_072, 4_096
# One of each architecture with about a billion weights. Llama 2 has the shape of TinyLlama, Llama 3 that of Llama 3.2 1B,
# and Gemma 3 that of its 1B model. No others have a model of that size: they have the widths of a larger or smaller one,
# or its proportions, and as many layers as make up a billion weights.
LARGE: dict[str, Model] = {
    "llama2": replace(
        ARCHITECTURES["llama2"],
        vocabulary=32_000,
        hidden=2_048,
        layers=22,
        heads=32,
        kv_heads=4,
        head_dim=64,
        feed_forward=5_632,
        context=2_048,
    ),
    "llama3": replace(
        ARCHITECTURES["llama3"],
        vocabulary=128_256,
        hidden=2_048,
        layers=16,
        heads=32,
        kv_heads=8,
        head_dim=64,
        feed_forward=8_192,
        context=131_072,
        rope_scaling={
            **ARCHITECTURES["llama3"].rope_scaling,
            "factor": 32.0,
            "original_max_position_embeddings": 8_192,
        },
    ),
    "mistral": replace(
        ARCHITECTURES["mistral"],
        vocabulary=32_000,
        hidden=2_048,
        layers=18,
        heads=16,
        kv_heads=4,
        head_dim=128,
        feed_forward=7_168,
        context=32_768,
    ),
    # A window shorter than the prompts that are read with it.
    "mistral-window": replace(
        ARCHITECTURES["mistral-window"],
        vocabulary=32_000,
        hidden=2_048,
        layers=18,
        heads=16,
        kv_heads=4,
        head_dim=128,
        feed_forward=7_168,
        context=32_768,
        is_tied=False,
        window=128,
        windowed=(True,) * 18,
    ),
    "qwen2": replace(
        QWEN2,
        vocabulary=151_936,
        hidden=1_536,
        layers=18,
        heads=12,
        kv_heads=2,
        head_dim=128,
        feed_forward=8_960,
        context=32_768,
    ),
    "qwen3": replace(
        QWEN3,
        vocabulary=151_936,
        hidden=2_048,
        layers=16,
        heads=16,
        kv_heads=8,
        head_dim=128,
        feed_forward=6_144,
        context=32_768,
    ),
    "qwen3-moe": replace(
        QWEN3_MOE,
        vocabulary=151_936,
        hidden=1_024,
        layers=16,
        heads=16,
        kv_heads=4,
        head_dim=128,
        feed_forward=3_072,
        experts=(32, 4, 512),
        context=32_768,
    ),
    "smollm3": replace(
        SMOLLM3,
        vocabulary=128_256,
        hidden=2_048,
        layers=12,
        heads=16,
        kv_heads=4,
        head_dim=128,
        feed_forward=11_008,
        context=65_536,
        unrotated=(False, False, False, True) * 3,
    ),
    "phi": replace(
        ARCHITECTURES["phi"],
        vocabulary=32_064,
        hidden=1_920,
        layers=22,
        heads=20,
        kv_heads=20,
        head_dim=96,
        feed_forward=5_120,
        context=4_096,
    ),
    "phi4-mini": replace(
        ARCHITECTURES["phi4-mini"],
        vocabulary=200_064,
        hidden=1_536,
        layers=28,
        heads=12,
        kv_heads=4,
        head_dim=128,
        feed_forward=4_096,
        context=LONGROPE_CONTEXT,
        rope_scaling=longrope(LONGROPE_CONTEXT, LONGROPE_ORIGINAL, 48),
    ),
    "gemma3": replace(
        GEMMA3,
        vocabulary=262_144,
        hidden=1_152,
        layers=26,
        heads=4,
        kv_heads=1,
        head_dim=256,
        feed_forward=6_912,
        context=32_768,
        window=512,
        windowed=((True,) * 5 + (False,)) * 4 + (True,) * 2,
    ),
}
