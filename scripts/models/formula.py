"""The logits of a model by its formula, in 64-bit floats with NumPy: slow, short and independent of all else.

Reads a Hugging Face folder of F32 tensors, as write.py writes it. It knows what llama.cpp reads from no file, such as
a window of attention in some layers, and needs no PyTorch as Transformers does.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy
from architectures import ARCHITECTURES, Model


def read_safetensors(path: Path) -> dict[str, numpy.ndarray]:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    found = {}
    for name, tensor in json.loads(data[8 : 8 + length]).items():
        start, end = (8 + length + place for place in tensor["data_offsets"])
        values = numpy.frombuffer(data[start:end], dtype="<f4").astype("f8")
        found[name.removeprefix("model.")] = values.reshape(tensor["shape"])
    return found


def split(model: Model, weights: dict[str, numpy.ndarray]) -> None:
    """Adds the matrices that fused ones consist of."""
    attention, key_value = model.heads * model.head_dim, model.kv_heads * model.head_dim
    for layer in range(model.layers):
        for whole, parts, ends in (
            ("self_attn.qkv_proj", ("q", "k", "v"), (attention, attention + key_value)),
            ("mlp.gate_up_proj", ("gate", "up"), (model.feed_forward,)),
        ):
            folder = f"layers.{layer}.{whole.partition('.')[0]}"
            rows = numpy.split(weights[f"layers.{layer}.{whole}.weight"], ends)
            weights.update((f"{folder}.{part}_proj.weight", matrix) for part, matrix in zip(parts, rows, strict=True))


def rotation(model: Model, positions: int, is_windowed: bool) -> tuple[numpy.ndarray, float]:
    """The angle of each pair after one position, and the factor of cosines and sines."""
    if is_windowed and model.windowed_theta:
        width = model.rotated_width
        return model.windowed_theta ** (-numpy.arange(0, width, 2) / width), 1.0
    width, base = model.rotated_width, model.rope_theta
    angles = base ** (-numpy.arange(0, width, 2) / width)
    scaling = model.rope_scaling or {"rope_type": "default"}
    kind, factor, original = (scaling.get(key) for key in ("rope_type", "factor", "original_max_position_embeddings"))
    if kind == "default":
        return angles, 1.0
    if kind == "linear":
        return angles / factor, 1.0
    if kind == "llama3":
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        # The turns of each pair within the original context: slow pairs are divided, fast ones kept.
        kept = numpy.clip((original * angles / (2 * math.pi) - low) / (high - low), 0, 1)
        return angles * (kept + (1 - kept) / factor), 1.0
    if kind == "yarn":
        first, last = (width * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base)) for turns in (32, 1))
        first, last = max(math.floor(first), 0), min(math.ceil(last), width - 1)
        divided = numpy.clip((numpy.arange(width // 2) - first) / (last - first), 0, 1)
        return angles * (1 - divided + divided / factor), 0.1 * math.log(factor) + 1
    if kind == "longrope":
        factors = scaling["long_factor" if positions > original else "short_factor"]
        return angles / numpy.array(factors), math.sqrt(1 + math.log(factor) / math.log(original))
    raise ValueError(f"there is no formula for the scaling {kind}")


def norm(x: numpy.ndarray, gains: numpy.ndarray, epsilon: float) -> numpy.ndarray:
    return x / numpy.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon) * gains


def gated(model: Model, x: numpy.ndarray, weight: Callable[[str], numpy.ndarray], name: str) -> numpy.ndarray:
    """A feed-forward layer."""
    gate, up = x @ weight(f"{name}.gate_proj").T, x @ weight(f"{name}.up_proj").T
    # GELU by its approximation with a hyperbolic tangent.
    exponent = math.sqrt(8 / math.pi) * (gate + 0.044715 * gate**3) if model.is_gemma else gate
    return (gate / (1 + numpy.exp(-exponent)) * up) @ weight(f"{name}.down_proj").T


def routes(model: Model, scores: numpy.ndarray) -> numpy.ndarray:
    """The weight of each expert at each position: 0 of those that it does not take."""
    shares = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    _, chosen, _ = model.experts
    ranks = numpy.argsort(numpy.argsort(-scores, axis=-1, kind="stable"), axis=-1)
    shares = numpy.where(ranks < chosen, shares, 0.0)
    return shares / shares.sum(axis=-1, keepdims=True) if model.is_renormalised else shares


def logits(folder: Path, tokens: list[int]) -> numpy.ndarray:
    """The logits after each of the tokens, a row for each."""
    model = ARCHITECTURES[folder.name]
    weights = read_safetensors(folder / "model.safetensors")
    if model.is_fused:
        split(model, weights)
    positions, width, group = len(tokens), model.head_dim, model.heads // model.kv_heads
    if model.is_gemma:
        weights.update((name, weights[name] + 1) for name in weights if name.endswith("norm.weight"))
    distance = numpy.subtract.outer(numpy.arange(positions), numpy.arange(positions))

    def turned(x: numpy.ndarray, is_windowed: bool) -> numpy.ndarray:
        angles, scale = rotation(model, positions, is_windowed)
        turns = numpy.outer(numpy.arange(positions), angles)
        cosine, sine = scale * numpy.cos(turns), scale * numpy.sin(turns)
        a, b, rest = numpy.split(x, (model.rotated_width // 2, model.rotated_width), axis=-1)
        return numpy.concatenate((a * cosine - b * sine, b * cosine + a * sine, rest), axis=-1)

    x = weights["embed_tokens.weight"][tokens] * (math.sqrt(model.hidden) if model.is_gemma else 1)
    for layer in range(model.layers):

        def weight(name: str, layer: int = layer) -> numpy.ndarray:
            return weights[f"layers.{layer}.{name}.weight"]

        def heads(name: str, x: numpy.ndarray, layer: int = layer) -> numpy.ndarray:
            projected = x @ weight(f"self_attn.{name}_proj", layer).T
            projected = projected + weights.get(f"layers.{layer}.self_attn.{name}_proj.bias", 0.0)
            return projected.reshape(positions, -1, width).transpose(1, 0, 2)

        y = norm(x, weight("input_layernorm"), model.epsilon)
        query, key, value = (heads(name, y) for name in "qkv")
        if model.head_norms:
            query = norm(query, weight("self_attn.q_norm"), model.epsilon)
            key = norm(key, weight("self_attn.k_norm"), model.epsilon)
        is_windowed = bool(model.windowed and model.windowed[layer])
        if not (model.unrotated and model.unrotated[layer]):
            query, key = turned(query, is_windowed), turned(key, is_windowed)
        key, value = key.repeat(group, axis=0), value.repeat(group, axis=0)
        seen = distance >= 0
        if is_windowed:
            seen &= distance < model.window
        scores = numpy.where(seen, query @ key.transpose(0, 2, 1) / math.sqrt(model.score_divisor or width), -numpy.inf)
        shares = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = shares / shares.sum(axis=-1, keepdims=True) @ value
        added = mixed.transpose(1, 0, 2).reshape(positions, -1) @ weight("self_attn.o_proj").T
        if model.is_gemma:
            added = norm(added, weight("post_attention_layernorm"), model.epsilon)
        x = x + added

        before = "pre_feedforward_layernorm" if model.is_gemma else "post_attention_layernorm"
        y = norm(x, weight(before), model.epsilon)
        if model.experts and layer not in model.dense_layers:
            shares = routes(model, y @ weight("mlp.gate").T)
            outputs = (gated(model, y, weight, f"mlp.experts.{expert}") for expert in range(model.experts[0]))
            added = sum(share[:, None] * output for share, output in zip(shares.T, outputs, strict=True))
        else:
            added = gated(model, y, weight, "mlp")
        if model.is_gemma:
            added = norm(added, weight("post_feedforward_layernorm"), model.epsilon)
        x = x + added
    head = weights["embed_tokens.weight" if model.is_tied else "lm_head.weight"]
    return norm(x, weights["norm.weight"], model.epsilon) @ head.T
