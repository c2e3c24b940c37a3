"""Compares logits with those of peers: logits.py MODELS RUNS AS_JSON.

MODELS is a JSON list. Of each model it has the name; its sources, which must give the same bits; the sources that
llama.cpp and formula.py read, or null; and the tolerance of differences from them. RUNS has the lines that the
worker's example `logits` printed for the sources. What huggingface.py wrote is compared, too. Prints a table, or with AS_JSON = true one JSON object; status 1
if a difference exceeds what is tolerated. Compares log-probabilities, as logits are equal up to a constant, of
every token of the vocabulary after every position.
"""

import json
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy
import xllamacpp

sys.path.append(str(Path(__file__).parents[1] / "models"))
import formula

# Of the integer model, compared with the float one: of the loss, as a part of it, and of the whole distribution
# (Kullback-Leibler divergence) in nats, averaged over the positions.
LOSS, DIVERGENCE = 0.01, 0.05
# Files below this size are of tiny models.
TINY_BYTES = 16_000_000


def serve(model: str) -> xllamacpp.Server:
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = 1_024
    params.n_parallel = 1
    params.n_gpu_layers = 0
    # Threads of a tiny model would only wait for each other.
    if os.path.getsize(model) < TINY_BYTES:
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity = -1
    params.cache_ram_mib = 0
    # f32 for keys and values, instead of f16, and the same order of the softmax.
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return xllamacpp.Server(params)


def of_llama_cpp(model: str, tokens: list[int]) -> numpy.ndarray:
    vocabulary = len(gguf.GGUFReader(model).get_field("tokenizer.ggml.tokens").data)
    server = serve(model)
    rows = [log_probabilities(server, tokens[: end + 1], vocabulary) for end in range(len(tokens))]
    return numpy.stack(rows)


def log_probabilities(server: xllamacpp.Server, prompt: list[int], vocabulary: int) -> numpy.ndarray:
    # Of a token that ends the answer or a part of a character no probabilities come back. The bias makes it an `a`;
    # the probabilities are those before it.
    asked = {"n_predict": 1, "temperature": 0, "logit_bias": [["a", 1_000]], "n_probs": vocabulary}
    answer = server.handle_completions({"prompt": prompt, "cache_prompt": False, **asked})
    answer = json.loads(answer) if isinstance(answer, str) else answer
    found = numpy.full(vocabulary, numpy.nan)
    for entry in answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]:
        found[entry["id"]] = entry["logprob"]
    assert not numpy.isnan(found).any(), "llama.cpp omits tokens"
    # The sum over the vocabulary by which llama.cpp divides is one of 32-bit floats.
    return normalised(found)


def of_transformers(folder: str, tokens: list[int]) -> numpy.ndarray | None:
    path = Path(f"{folder}.transformers.f32")
    return read(path, tokens) if path.exists() else None


def of_formula(folder: str, tokens: list[int]) -> numpy.ndarray:
    return normalised(formula.logits(Path(folder), tokens))


def normalised(logits: numpy.ndarray) -> numpy.ndarray:
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - numpy.log(numpy.exp(logits).sum(axis=-1, keepdims=True))


def read(path: Path, tokens: list[int]) -> numpy.ndarray:
    return normalised(numpy.fromfile(path, dtype="<f4").reshape(len(tokens), -1).astype("f8"))


def distance(ours: numpy.ndarray, theirs: numpy.ndarray) -> dict:
    difference = numpy.abs(ours - theirs)
    return {
        "positions": len(ours),
        "largest_difference": float(difference.max()),
        "median_difference": float(numpy.median(difference)),
        "mean_divergence": float((numpy.exp(theirs) * (theirs - ours)).sum(axis=1).mean()),
        "same_top": float((ours.argmax(axis=1) == theirs.argmax(axis=1)).mean()),
    }


def losses(rows: numpy.ndarray, tokens: list[int]) -> numpy.ndarray:
    """The loss, in nats, of each token that follows another."""
    return -rows[numpy.arange(len(tokens) - 1), tokens[1:]]


def compare_integers(ours: numpy.ndarray, float_rows: numpy.ndarray, tokens: list[int]) -> dict:
    found = distance(ours, float_rows)
    if len(tokens) < 3:
        return {**found, "is_within": found["mean_divergence"] <= DIVERGENCE}
    mine, other = losses(ours, tokens), losses(float_rows, tokens)
    loss_ratio = float(mine.mean() / other.mean())
    perplexity_ratio = math.exp((mine - other).mean())
    deviation = float((mine - other).std(ddof=1)) / math.sqrt(len(mine))
    is_within = abs(loss_ratio - 1) <= LOSS and found["mean_divergence"] <= DIVERGENCE
    return {
        **found,
        "loss_ratio": loss_ratio,
        "perplexity_ratio": perplexity_ratio,
        "perplexity_ratio_error": perplexity_ratio * deviation,
        "is_within": is_within,
    }


def compare(model: dict, runs: list[dict]) -> Iterator[dict]:
    """One comparison after the other, each with what was compared and whether the difference is tolerated."""
    first, *others = ([run for run in runs if run["source"] == source] for source in model["sources"])
    assert first, f"{model['name']} was not run"
    tokens = first[0]["tokens"]
    peers = {
        "llama.cpp": model["llama.cpp"] and of_llama_cpp(model["llama.cpp"], tokens),
        "Transformers": model["formula"] and of_transformers(model["formula"], tokens),
        "formula": model["formula"] and of_formula(model["formula"], tokens),
    }
    rows = {run["run"]: read(run["logits"], tokens) for run in first}
    for run in first:
        about = {"model": model["name"], "run": run["run"], "device": run["device"]}
        if run["run"] == "integer":
            if "cpu" in rows:
                yield {**about, "against": "cpu", **compare_integers(rows["integer"], rows["cpu"], tokens)}
            continue
        for peer, theirs in peers.items():
            if theirs is None:
                continue
            found = distance(rows[run["run"]], theirs)
            tolerated = {**model, **model.get("by_peer", {}).get(peer, {})}
            is_within = (
                found["largest_difference"] <= tolerated["largest_difference"]
                and found["mean_divergence"] <= tolerated["mean_divergence"]
            )
            yield {**about, "against": peer, **found, "is_within": is_within}
    for other in others:
        for run, same in zip(first, other, strict=True):
            # On a graphics processor burn may choose another kernel for each.
            if run["run"] not in ("cpu", "integer"):
                continue
            equal = run["tokens"] == same["tokens"]
            equal = equal and Path(run["logits"]).read_bytes() == Path(same["logits"]).read_bytes()
            about = {"model": model["name"], "run": run["run"], "device": run["device"]}
            yield {**about, "against": "other format", "positions": len(tokens), "is_within": equal}


HEADER = ("model", "run", "against", "largest", "median", "divergence", "same top", "loss ratio", "perplexity ratio")
LINE = "{:20} {:8} {:12} {:>9} {:>9} {:>10} {:>8} {:>10} {:>17}"


def line(found: dict) -> str:
    if "largest_difference" not in found:
        figures = ["same bits" if found["is_within"] else "DIFFERENT"]
    else:
        names = ("largest_difference", "median_difference", "mean_divergence")
        figures = [f"{found[name]:.1e}" for name in names] + [f"{found['same_top']:.1%}"]
    if "loss_ratio" in found:
        error = found["perplexity_ratio_error"]
        figures += [f"{found['loss_ratio']:.4f}", f"{found['perplexity_ratio']:.4f} ± {error:.4f}"]
    figures += [""] * (6 - len(figures))
    return LINE.format(found["model"], found["run"], found["against"], *figures).rstrip()


def main(models: str, runs: str, as_json: str) -> int:
    with open(models) as file:
        wanted = json.load(file)
    with open(runs) as file:
        run = [json.loads(said) for said in file]
    if as_json != "true":
        print(LINE.format(*HEADER))
    found = []
    for model in wanted:
        for comparison in compare(model, run):
            found.append(comparison)
            if as_json != "true":
                print(line(comparison), flush=True)
    if as_json == "true":
        print(json.dumps({"comparisons": found}))
    far = [comparison for comparison in found if not comparison["is_within"]]
    for comparison in far:
        print("{model} ({run}) differs more from {against} than is tolerated".format(**comparison), file=sys.stderr)
    return 1 if far or not found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
