"""Writes tiny random models, each as a GGUF file and as a Hugging Face folder with the same weights.

write.py FOLDER NAME...   NAME of architectures.py, or all; prints the paths of what it wrote, one a line
write.py --names          prints the names

Beside the models FOLDER receives text.txt, a text of random characters, and models.json: of each model its name,
its sources, the source that each peer reads, and by how much the float model may differ from the peers, and from
single ones, in nats. The same call writes the same bytes on every machine. Only Python's standard library is used.
"""

import json
import math
import random
import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from architectures import ARCHITECTURES, Model

SEED = 1
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
BOS, EOS = 1, 2
MERGES = ("h e", "l l", "he ll", "hell o", "Ġ w")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXT_CHARACTERS = 4_096
# The number of the type of 32-bit floats in a GGUF file.
F32 = 0
# Bounds of differences of log-probabilities, in nats: of any token at any position, and of the whole distribution
# (Kullback-Leibler divergence), averaged over the positions. llama.cpp and the formula differ by up to 7e-5 and 2e-11.
LARGEST_DIFFERENCE, MEAN_DIVERGENCE = 3e-4, 1e-9
# llama.cpp takes GELU from a table of 16-bit floats on a processor.
GELU_TOLERANCES = {"llama.cpp": {"largest_difference": 0.02, "mean_divergence": 1e-6}}


def alphabet() -> list[str]:
    """The character of each byte in a byte-level vocabulary."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in visible else chr(next(others)) for byte in range(256)]


TOKENS = [*CONTROL, *alphabet(), *(merge.replace(" ", "") for merge in MERGES)]


@dataclass
class Tensor:
    """A tensor by its names, its rows in Hugging Face's order.

    The matrices of a layer's experts are one tensor of three dimensions in a GGUF file and several in a folder, where
    `*` is the place of the expert's number.
    """

    in_gguf: str
    in_folder: str
    shape: tuple[int, ...]
    values: array


def shapes(model: Model) -> Iterator[tuple[str, str, tuple[int, ...], float, float]]:
    """Of each tensor: its name in both formats, its shape, the middle of its values and how far they go from it.

    With these a logit has a standard deviation of about 2 nats, and each position attends to a few others.
    """
    hidden, width, feed_forward = model.hidden, model.head_dim, model.feed_forward
    attention, key_value = model.heads * width, model.kv_heads * width
    vocabulary = model.vocabulary or len(TOKENS)
    yield "token_embd.weight", "model.embed_tokens.weight", (vocabulary, hidden), 0.0, 0.5
    for layer in range(model.layers):
        parts = [
            ("attn_norm.weight", "input_layernorm.weight", (hidden,), 1.0, 0.5),
            ("attn_q.weight", "self_attn.q_proj.weight", (attention, hidden), 0.0, 0.35),
            ("attn_k.weight", "self_attn.k_proj.weight", (key_value, hidden), 0.0, 0.35),
            ("attn_v.weight", "self_attn.v_proj.weight", (key_value, hidden), 0.0, 0.25),
            ("attn_output.weight", "self_attn.o_proj.weight", (hidden, attention), 0.0, 0.25),
            ("ffn_norm.weight", "post_attention_layernorm.weight", (hidden,), 1.0, 0.5),
        ]
        if model.experts and layer not in model.dense_layers:
            count, _, inner = model.experts
            parts += [
                ("ffn_gate_inp.weight", "mlp.gate.weight", (count, hidden), 0.0, 0.35),
                ("ffn_gate_exps.weight", "mlp.experts.*.gate_proj.weight", (count, inner, hidden), 0.0, 0.25),
                ("ffn_up_exps.weight", "mlp.experts.*.up_proj.weight", (count, inner, hidden), 0.0, 0.25),
                ("ffn_down_exps.weight", "mlp.experts.*.down_proj.weight", (count, hidden, inner), 0.0, 0.25),
            ]
        else:
            parts += [
                ("ffn_gate.weight", "mlp.gate_proj.weight", (feed_forward, hidden), 0.0, 0.25),
                ("ffn_up.weight", "mlp.up_proj.weight", (feed_forward, hidden), 0.0, 0.25),
                ("ffn_down.weight", "mlp.down_proj.weight", (hidden, feed_forward), 0.0, 0.25),
            ]
        if model.is_gemma:
            parts = [
                (part[0], "pre_feedforward_layernorm.weight", *part[2:]) if part[0] == "ffn_norm.weight" else part
                for part in parts
            ]
            parts += [
                ("post_attention_norm.weight", "post_attention_layernorm.weight", (hidden,), 1.0, 0.5),
                ("post_ffw_norm.weight", "post_feedforward_layernorm.weight", (hidden,), 1.0, 0.5),
            ]
        if model.is_fused:
            fused = {
                "attn_q.weight": ("attn_qkv.weight", "self_attn.qkv_proj.weight", (attention + 2 * key_value, hidden)),
                "ffn_gate.weight": ("ffn_up.weight", "mlp.gate_up_proj.weight", (2 * feed_forward, hidden)),
            }
            split = ("attn_k.weight", "attn_v.weight", "ffn_up.weight")
            parts = [(*fused.get(part[0], part[:3]), *part[3:]) for part in parts if part[0] not in split]
        if model.biases:
            parts += [
                ("attn_q.bias", "self_attn.q_proj.bias", (attention,), 0.0, 0.5),
                ("attn_k.bias", "self_attn.k_proj.bias", (key_value,), 0.0, 0.5),
                ("attn_v.bias", "self_attn.v_proj.bias", (key_value,), 0.0, 0.5),
            ]
        if model.head_norms:
            parts += [
                ("attn_q_norm.weight", "self_attn.q_norm.weight", (width,), 1.5, 0.5),
                ("attn_k_norm.weight", "self_attn.k_norm.weight", (width,), 1.5, 0.5),
            ]
        for in_gguf, in_folder, *rest in parts:
            yield f"blk.{layer}.{in_gguf}", f"model.layers.{layer}.{in_folder}", *rest
    yield "output_norm.weight", "model.norm.weight", (hidden,), 1.0, 0.5
    if not model.is_tied:
        yield "output.weight", "lm_head.weight", (vocabulary, hidden), 0.0, 0.5


def has_offset(model: Model, in_gguf: str) -> bool:
    """Whether a folder has the tensor less one."""
    return model.is_gemma and in_gguf.endswith("norm.weight")


def tensors(name: str, model: Model) -> list[Tensor]:
    """All tensors, with uniformly distributed values."""
    numbers = random.Random(f"{SEED} {name}")
    found = []
    for in_gguf, in_folder, shape, middle, reach in shapes(model):
        unit = reach / 2**15
        middle -= has_offset(model, in_gguf)
        values = array("f", (middle + (numbers.getrandbits(16) - 2**15) * unit for _ in range(math.prod(shape))))
        found.append(Tensor(in_gguf, in_folder, shape, values))
    return found


def little(values: array) -> bytes:
    """The values as little-endian bytes."""
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


# --- Hugging Face folders ---------------------------------------------------------------------------------


def config(name: str, model: Model) -> dict:
    return {
        "architectures": [model.causal_lm],
        "model_type": model.model_type,
        "_name_or_path": f"Tiny {name}",
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        **({"hidden_activation": "gelu_pytorch_tanh"} if model.is_gemma else {"hidden_act": "silu"}),
        "hidden_size": model.hidden,
        "intermediate_size": model.feed_forward,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads,
        "num_key_value_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "vocab_size": len(TOKENS),
        "max_position_embeddings": model.context,
        "rms_norm_eps": model.epsilon,
        "rope_theta": model.rope_theta,
        "rope_scaling": model.rope_scaling,
        **({"partial_rotary_factor": model.rotated} if model.rotated < 1 else {}),
        "tie_word_embeddings": model.is_tied,
        "torch_dtype": "float32",
        **expert_settings(model),
        **(model.settings or {}),
    }


def expert_settings(model: Model) -> dict:
    if not model.experts:
        return {}
    count, chosen, width = model.experts
    return {
        "num_experts": count,
        "num_experts_per_tok": chosen,
        "moe_intermediate_size": width,
        "norm_topk_prob": model.is_renormalised,
        "decoder_sparse_step": 1,
        "mlp_only_layers": list(model.dense_layers),
    }


def tokenizer() -> dict:
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": index, "content": token, **flags} for index, token in enumerate(CONTROL)],
        "normalizer": None,
        "pre_tokenizer": level,
        "post_processor": None,
        "decoder": level,
        "model": {"type": "BPE", "vocab": {token: index for index, token in enumerate(TOKENS)}, "merges": MERGES},
    }


def write_json(path: Path, value: dict | list) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def in_folder(found: list[Tensor]) -> Iterator[tuple[str, tuple[int, ...], array]]:
    """Name, shape and values of each tensor of a folder."""
    for tensor in found:
        if "*" not in tensor.in_folder:
            yield tensor.in_folder, tensor.shape, tensor.values
            continue
        count, *shape = tensor.shape
        size = len(tensor.values) // count
        for expert in range(count):
            values = tensor.values[expert * size : (expert + 1) * size]
            yield tensor.in_folder.replace("*", str(expert)), tuple(shape), values


def write_safetensors(path: Path, found: list[Tensor]) -> None:
    header, place = {}, 0
    for name, shape, values in in_folder(found):
        end = place + 4 * len(values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [place, end]}
        place = end
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for _, _, values in in_folder(found):
            file.write(little(values))


def write_folder(folder: Path, name: str, model: Model, found: list[Tensor]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config(name, model))
    write_json(folder / "tokenizer.json", tokenizer())
    settings = {"bos_token": CONTROL[BOS], "eos_token": CONTROL[EOS], "chat_template": TEMPLATE}
    write_json(folder / "tokenizer_config.json", settings)
    write_safetensors(folder / "model.safetensors", found)


# --- GGUF files --------------------------------------------------------------------------------------------


class Unsigned(int):
    """An integer that is written as u32."""


def scaling_metadata(model: Model) -> dict:
    """The scaling of the rotation, as llama.cpp's converter states it; that of Llama 3 is a tensor."""
    scaling = model.rope_scaling or {}
    kind = scaling.get("rope_type")
    if kind not in ("linear", "yarn", "longrope"):
        return {}
    # The converter of Phi-3 states no type.
    found: dict = {} if model.in_gguf == "phi3" else {"rope.scaling.type": kind}
    if kind != "longrope":
        found["rope.scaling.factor"] = scaling["factor"]
    if kind != "linear":
        found["rope.scaling.original_context_length"] = Unsigned(scaling["original_max_position_embeddings"])
    if kind == "longrope":
        found["rope.scaling.attn_factor"] = math.sqrt(
            1.0 + math.log(scaling["factor"]) / math.log(scaling["original_max_position_embeddings"])
        )
    return found


def expert_metadata(model: Model) -> dict:
    names = ("expert_count", "expert_used_count", "expert_feed_forward_length")
    return {name: Unsigned(number) for name, number in zip(names, model.experts or (), strict=False)}


def llama3_factors(model: Model) -> list[float]:
    """The factors by which Llama 3's scaling divides the frequency of each pair."""
    scaling, factors = model.rope_scaling or {}, []
    original, low, high = (
        scaling[key] for key in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor")
    )
    for pair in range(model.head_dim // 2):
        wavelength = 2 * math.pi * model.rope_theta ** (2 * pair / model.head_dim)
        if wavelength < original / high:
            factors.append(1.0)
        elif wavelength > original / low:
            factors.append(scaling["factor"])
        else:
            smooth = (original / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return factors


def metadata(name: str, model: Model) -> dict:
    """The metadata of a file of the model that is called so."""
    # Each further token of a large vocabulary is one that no text has.
    unused = [f"<unused {token}>" for token in range(len(TOKENS), model.vocabulary or 0)]
    own = {
        "block_count": Unsigned(model.layers),
        "context_length": Unsigned(model.context),
        "embedding_length": Unsigned(model.hidden),
        "feed_forward_length": Unsigned(model.feed_forward),
        "attention.head_count": Unsigned(model.heads),
        "attention.head_count_kv": Unsigned(model.kv_heads),
        "attention.key_length": Unsigned(model.head_dim),
        "attention.value_length": Unsigned(model.head_dim),
        "attention.layer_norm_rms_epsilon": model.epsilon,
        "rope.dimension_count": Unsigned(model.rotated_width),
        "rope.freq_base": model.rope_theta,
        **({"attention.sliding_window": Unsigned(model.window)} if model.window else {}),
        **scaling_metadata(model),
        **expert_metadata(model),
    }
    return {
        "general.architecture": model.in_gguf,
        "general.name": name,
        **{f"{model.in_gguf}.{key}": value for key, value in own.items()},
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": TOKENS + unused,
        "tokenizer.ggml.token_type": [3 if token in CONTROL else 1 for token in TOKENS] + [5] * len(unused),
        "tokenizer.ggml.merges": list(MERGES),
        "tokenizer.ggml.bos_token_id": Unsigned(BOS),
        "tokenizer.ggml.eos_token_id": Unsigned(EOS),
        "tokenizer.chat_template": TEMPLATE,
    }


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def encoded(value) -> bytes:
    """A metadata value, with its type before it."""
    match value:
        case Unsigned():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + text(value)
        case [int(), *_]:
            return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)
        case _:
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))


def in_pairs(tensor: Tensor, head_dim: int) -> bytes:
    """The rows of queries or keys, with those next to each other that are rotated together."""
    columns, half = math.prod(tensor.shape[1:]), head_dim // 2
    rows = [tensor.values[start : start + columns] for start in range(0, len(tensor.values), columns)]
    heads = [rows[start : start + head_dim] for start in range(0, len(rows), head_dim)]
    return b"".join(little(head[pair + side * half]) for head in heads for pair in range(half) for side in (0, 1))


def gguf_tensors(model: Model, found: list[Tensor]) -> Iterator[tuple[str, tuple[int, ...], bytes]]:
    for tensor in found:
        is_turned = tensor.in_gguf.rpartition(".")[0].endswith(("attn_q", "attn_k"))
        if is_turned and model.is_interleaved_in_gguf:
            data = in_pairs(tensor, model.head_dim)
        elif has_offset(model, tensor.in_gguf):
            data = little(array("f", (value + 1.0 for value in tensor.values)))
        else:
            data = little(tensor.values)
        yield tensor.in_gguf, tensor.shape, data
    for name, values in rotary_factors(model).items():
        yield name, (len(values),), little(values)


def rotary_factors(model: Model) -> dict[str, array]:
    """The tensors by whose values a file scales the rotation of each pair."""
    scaling = model.rope_scaling or {}
    factors = {}
    if scaling.get("rope_type") == "llama3":
        factors["rope_freqs.weight"] = llama3_factors(model)
    if scaling.get("rope_type") == "longrope":
        factors["rope_factors_long.weight"] = scaling["long_factor"]
        factors["rope_factors_short.weight"] = scaling["short_factor"]
    return {name: array("f", values) for name, values in factors.items()}


def padding(length: int) -> bytes:
    """What follows so many bytes of a GGUF file: the next part begins at a multiple of 32."""
    return bytes(-length % 32)


def gguf_head(values: dict, listed: list[tuple[str, tuple[int, ...], int, int]]) -> bytes:
    """All of a GGUF file before its tensors' data: of each tensor the name, the shape, the type and the bytes are listed."""
    infos, place = b"", 0
    for name, shape, kind, size in listed:
        # The innermost dimension is the first.
        infos += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), kind, place)
        place += size + len(padding(size))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(listed), len(values))
    head += b"".join(text(key) + encoded(value) for key, value in values.items()) + infos
    return head + padding(len(head))


def write_gguf(path: Path, name: str, model: Model, found: list[Tensor]) -> None:
    stored = list(gguf_tensors(model, found))
    listed = [(tensor, shape, F32, len(data)) for tensor, shape, data in stored]
    with path.open("wb") as file:
        file.write(gguf_head(metadata(f"Tiny {name}", model), listed))
        for _, _, data in stored:
            file.write(data + padding(len(data)))


# --- All of it ---------------------------------------------------------------------------------------------


def random_text() -> str:
    """Characters of one and of several bytes, with spaces between words."""
    numbers = random.Random(SEED)
    letters = [chr(code) for code in range(33, 127)] + list("äßéñçøπλдж東京한🙂")
    return "".join(" " if numbers.random() < 0.15 else numbers.choice(letters) for _ in range(TEXT_CHARACTERS)) + "\n"


def write(folder: Path, name: str) -> dict:
    """Writes the model; returns its entry in models.json."""
    model = ARCHITECTURES[name]
    found = tensors(name, model)
    write_folder(folder / name, name, model, found)
    sources = [str(folder / name)]
    if model.in_gguf:
        sources.insert(0, f"{folder / name}.gguf")
        write_gguf(Path(sources[0]), name, model, found)
    return {
        "name": name,
        "sources": sources,
        "llama.cpp": sources[0] if model.in_gguf and model.in_llama_cpp else None,
        "formula": sources[-1],
        "largest_difference": LARGEST_DIFFERENCE,
        "mean_divergence": MEAN_DIVERGENCE,
        "by_peer": GELU_TOLERANCES if model.is_gemma else {},
    }


def main(folder: str, *names: str) -> None:
    if folder == "--names":
        print("\n".join(ARCHITECTURES))
        return
    wanted = list(ARCHITECTURES) if "all" in names else names
    for name in wanted:
        if name not in ARCHITECTURES:
            sys.exit(f"error: there is no tiny model {name!r}; there are {', '.join(ARCHITECTURES)}, and all")
    target = Path(folder).absolute()
    target.mkdir(parents=True, exist_ok=True)
    (target / "text.txt").write_text(random_text(), encoding="utf-8")
    models = [write(target, name) for name in wanted]
    write_json(target / "models.json", models)
    for model in models:
        print("\n".join(model["sources"]))


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
