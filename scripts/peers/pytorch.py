"""Repeats the training of noema-worker with PyTorch: pytorch.py CHECKPOINT DATASET RUN THREADS.

CHECKPOINT and DATASET are folders. RUN is the output of `noema-worker train --json` with one trainer
and one round, whose shards have as many sequences as a step: so every step uses all of them, and their
order does not matter. Makes the same steps from the same weights on the same tokens, with the same
AdamW, and prints one JSON object: the losses before and after in bits a token, which have to be those
of RUN, and tokens a second.
"""

import inspect
import json
import math
import sys
import time
from pathlib import Path

import numpy
import torch
from torch.nn import functional

TILE_BYTES, TILE_QUANTS, TILE_ROWS, TILE_COLUMNS, TILE_GAINS = 544, 512, 16, 32, 136
LAYER = "attention_norm query key value attention_output feed_forward_norm gate up down".split()
SHARD_HEADER_BYTES = 48


class Checkpoint:
    """A checkpoint without training so far; docs/training.md defines its tiles."""

    def __init__(self, folder: Path):
        with open(folder / "manifest.json") as file:
            manifest = json.load(file)
        self.shape = manifest["architecture"]
        assert "variant" not in self.shape, "only the network of Llama 2 is written here"
        assert not (folder / "masters.bin").exists(), "the weights of a trained checkpoint are its masters"
        self._exponents = iter(manifest["exponents"])
        self._tiles = numpy.fromfile(folder / "weights.bin", dtype="u1").reshape(-1, TILE_BYTES)
        self._next = 0

    def tensors(self) -> tuple[dict[str, numpy.ndarray], numpy.ndarray, numpy.ndarray]:
        """The tensors by name in canonical order, a row per output, and angles and scales of the rotation."""
        shape = self.shape
        hidden, vocabulary = shape["hidden"], shape["vocabulary"]
        attention, key_value = (shape[heads] * shape["head_dim"] for heads in ("heads", "kv_heads"))
        rows = {
            "query": (attention, hidden),
            "key": (key_value, hidden),
            "value": (key_value, hidden),
            "attention_output": (hidden, attention),
            "gate": (shape["feed_forward"], hidden),
            "up": (shape["feed_forward"], hidden),
            "down": (hidden, shape["feed_forward"]),
        }
        found = {"token_embedding": self._linear(vocabulary, hidden)}
        for layer in range(shape["layers"]):
            for role in LAYER:
                tensor = self._linear(*rows[role]) if role in rows else self._gain(hidden)
                found[f"layers.{layer}.{role}"] = tensor
        found["final_norm"] = self._gain(hidden)
        if not shape["tied_head"]:
            found["output_head"] = self._linear(vocabulary, hidden)
        half = shape["head_dim"] // 2
        table = self._tiles[self._next :].tobytes()
        first, second = numpy.frombuffer(table, dtype="<i4")[: 4 * half].reshape(2, half, 2).astype("f8")
        (scale, _), (cosine, sine) = first.T, second.T
        return found, numpy.arctan2(sine, cosine), scale / 2**30

    def _take(self, count: int) -> tuple[numpy.ndarray, float]:
        taken = self._tiles[self._next : self._next + count]
        self._next += count
        return taken, 2.0 ** next(self._exponents)

    def _linear(self, rows: int, columns: int) -> numpy.ndarray:
        groups, blocks = -(-rows // TILE_ROWS), columns // TILE_COLUMNS
        tiles, unit = self._take(groups * blocks)
        quants = tiles[:, :TILE_QUANTS].view("i1").reshape(groups, blocks, TILE_COLUMNS // 4, TILE_ROWS, 4)
        quants = quants.transpose(0, 3, 1, 2, 4).reshape(groups, TILE_ROWS, blocks, TILE_COLUMNS)
        scales = tiles[:, TILE_QUANTS:].copy().view("<u2").reshape(groups, blocks, TILE_ROWS, 1)
        values = quants.astype("f8") * scales.transpose(0, 2, 1, 3) * unit
        return values.reshape(groups * TILE_ROWS, columns)[:rows].astype("f4")

    def _gain(self, length: int) -> numpy.ndarray:
        tiles, unit = self._take(-(-length // TILE_GAINS))
        return (tiles.copy().view("<i4").reshape(-1)[:length] * unit).astype("f4")


class Llama:
    """Pre-norm decoder with rotary positions, grouped-query attention and SwiGLU."""

    def __init__(self, checkpoint: Checkpoint, positions: int):
        tensors, frequencies, scales = checkpoint.tensors()
        self.shape = checkpoint.shape
        self.epsilon = self.shape["norm_epsilon_q32"] / 2**32
        self.weights = {name: torch.from_numpy(values).requires_grad_() for name, values in tensors.items()}
        angles = numpy.outer(numpy.arange(positions), frequencies)
        tables = (scales * function(angles) for function in (numpy.cos, numpy.sin))
        self.cosine, self.sine = (torch.from_numpy(table.astype("f4")) for table in tables)

    def loss(self, tokens: torch.Tensor) -> torch.Tensor:
        """Mean loss in nats of all tokens but the first of each sequence."""
        read, came = tokens[:, :-1], tokens[:, 1:]
        x = functional.embedding(read, self.weights["token_embedding"])
        for layer in range(self.shape["layers"]):
            own = {role: self.weights[f"layers.{layer}.{role}"] for role in LAYER}
            x = x + self._attention(self._norm(x, own["attention_norm"]), own)
            y = self._norm(x, own["feed_forward_norm"])
            gated = functional.silu(functional.linear(y, own["gate"])) * functional.linear(y, own["up"])
            x = x + functional.linear(gated, own["down"])
        head = self.weights.get("output_head", self.weights["token_embedding"])
        logits = functional.linear(self._norm(x, self.weights["final_norm"]), head)
        return functional.cross_entropy(logits.flatten(0, 1), came.flatten())

    def _norm(self, x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        if hasattr(functional, "rms_norm"):
            return functional.rms_norm(x, gain.shape, gain, self.epsilon)
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon) * gain

    def _attention(self, x: torch.Tensor, own: dict[str, torch.Tensor]) -> torch.Tensor:
        batch, positions, _ = x.shape
        width = self.shape["head_dim"]

        def heads(role: str) -> torch.Tensor:
            return functional.linear(x, own[role]).view(batch, positions, -1, width).transpose(1, 2)

        query, key, value = self._turn(heads("query")), self._turn(heads("key")), heads("value")
        group = self.shape["heads"] // self.shape["kv_heads"]
        key, value = (y.repeat_interleave(group, dim=1) for y in (key, value))
        if hasattr(functional, "scaled_dot_product_attention"):
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        else:
            later = torch.ones(positions, positions, dtype=torch.bool).triu(1)
            scores = query @ key.transpose(2, 3) / math.sqrt(width)
            mixed = scores.masked_fill(later, -math.inf).softmax(-1) @ value
        mixed = mixed.transpose(1, 2).reshape(batch, positions, -1)
        return functional.linear(mixed, own["attention_output"])

    def _turn(self, x: torch.Tensor) -> torch.Tensor:
        a, b = x.chunk(2, dim=-1)
        cosine, sine = self.cosine, self.sine
        return torch.cat((a * cosine - b * sine, b * cosine + a * sine), dim=-1)


def read_shards(folder: Path, places: list[int]) -> torch.Tensor:
    """The sequences of these shards, a row for each."""
    with open(folder / "manifest.json") as file:
        manifest = json.load(file)
    rows = []
    for place in places:
        name = manifest["shards"][place]["hash"].removeprefix("0x")
        tokens = numpy.fromfile(folder / "shards" / name, dtype="<u4", offset=SHARD_HEADER_BYTES)
        rows.append(tokens.reshape(-1, manifest["sequence_length"]).astype("i8"))
    return torch.from_numpy(numpy.concatenate(rows))


def rate(options: dict, step: int) -> float:
    """The learning rate of a step: warm-up, then a cosine."""
    most, warmup, horizon, floor = (options[name] for name in ("learning_rate", "warmup", "horizon", "floor"))
    if step < warmup:
        return most * (step + 1) / warmup
    if horizon <= warmup:
        return most
    done = min((step - warmup) / (horizon - warmup), 1.0)
    return most * (floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * done)))


def optimiser(llama: Llama, options: dict) -> torch.optim.AdamW:
    """AdamW with weight decay on all weights but gains, fused where PyTorch supports it."""
    groups = [
        {"params": [w for w in llama.weights.values() if w.dim() == 2], "weight_decay": options["weight_decay"]},
        {"params": [w for w in llama.weights.values() if w.dim() == 1], "weight_decay": 0.0},
    ]
    fused = {"fused": True} if "fused" in inspect.signature(torch.optim.AdamW).parameters else {}
    betas, epsilon = (options["beta_1"], options["beta_2"]), options["epsilon"]
    return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=epsilon, **fused)


def bits(loss: torch.Tensor) -> float:
    return loss.item() / math.log(2)


def peak_mib() -> float:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def main(checkpoint: str, dataset: str, run: str, threads: int) -> None:
    torch.set_num_threads(threads)
    with open(run) as file:
        said = json.load(file)
    options = said["training"]
    (contribution,) = said["report"]["rounds"][0]["contributions"]
    tokens = read_shards(Path(dataset), contribution["shards"])
    assert len(tokens) == options["batch"] == options["together"], "a step has to use all sequences"
    assert not options["tensors"], "all tensors have to be trained"
    positions = tokens.shape[1] - 1
    llama = Llama(Checkpoint(Path(checkpoint)), positions)
    weights, adam = list(llama.weights.values()), optimiser(llama, options)

    with torch.no_grad():
        before = bits(llama.loss(tokens))
    began = time.perf_counter()
    for step in range(options["steps"]):
        adam.zero_grad(set_to_none=True)
        loss = llama.loss(tokens)
        loss.item()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, options["clip"])
        for group in adam.param_groups:
            group["lr"] = rate(options, step)
        adam.step()
    seconds = time.perf_counter() - began
    with torch.no_grad():
        after = bits(llama.loss(tokens))
    figures = {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "loss_before": before,
        "loss_after": after,
        "tokens_per_second": options["steps"] * len(tokens) * positions / seconds,
        "peak_rss_mib": peak_mib(),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
