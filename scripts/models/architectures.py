"""The tiny models that write.py writes: one for each architecture, scaling of the rotation and kind of window."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Tiny:
    """Dimensions, and what distinguishes the network from that of Llama 2, in the terms of `config.json`."""

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


LLAMA = Tiny()
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


ARCHITECTURES: dict[str, Tiny] = {
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
