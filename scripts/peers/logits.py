"""Compares logits with llama.cpp's, both in 32-bit floats: logits.py MODEL AS_JSON [RUN LOGITS]...

MODEL is a GGUF file of F32 tensors; RUN and LOGITS are the output of the worker's example `logits`.
Prints a line for each run, or with AS_JSON = true one JSON object; status 1 if one exceeds the
tolerated distance from llama.cpp. Compares log-probabilities, as logits are equal up to a constant,
of every token of the vocabulary after every position.
"""

import json
import sys

import gguf
import numpy
import xllamacpp


def serve(model: str) -> xllamacpp.Server:
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = 1_024
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.verbosity = -1
    params.cache_ram_mib = 0
    # f32 for keys and values, instead of f16, and the same order of the softmax.
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return xllamacpp.Server(params)


# Bounds of differences of log-probabilities, in nats: of any token at any position, and of the whole
# distribution (Kullback-Leibler divergence), averaged over the positions.
LARGEST_DIFFERENCE, MEAN_DIVERGENCE = 0.05, 1e-6


def main(model: str, as_json: str, *runs: str) -> int:
    vocabulary = len(gguf.GGUFReader(model).get_field("tokenizer.ggml.tokens").data)
    server, ids, theirs, found = serve(model), None, None, {}
    for run, path in zip(runs[::2], runs[1::2], strict=True):
        with open(run) as file:
            said = json.load(file)
        if said["tokens"] != ids:
            ids = said["tokens"]
            theirs = numpy.stack([log_probabilities(server, ids[: n + 1], vocabulary) for n in range(len(ids))])
        logits = numpy.fromfile(path, dtype="<f4").reshape(theirs.shape).astype("f8")
        ours = normalised(logits)
        difference = numpy.abs(ours - theirs)
        found[said["device"]] = {
            "positions": len(ids),
            "largest_difference": float(difference.max()),
            "median_difference": float(numpy.median(difference)),
            "mean_divergence": float((numpy.exp(theirs) * (theirs - ours)).sum(axis=1).mean()),
            "same_top": float((ours.argmax(axis=1) == theirs.argmax(axis=1)).mean()),
        }
    if as_json == "true":
        print(json.dumps(found))
    for device, figures in found.items() if as_json != "true" else ():
        print(device)
        for name, value in figures.items():
            print(f"    {name:20} {value:.3g}")
    far = [
        device
        for device, figures in found.items()
        if not figures["largest_difference"] <= LARGEST_DIFFERENCE
        or not figures["mean_divergence"] <= MEAN_DIVERGENCE
    ]
    for device in far:
        print(f"{device} exceeds the tolerated distance from llama.cpp", file=sys.stderr)
    return 1 if far or not found else 0


def log_probabilities(server: xllamacpp.Server, prompt: list[int], vocabulary: int) -> numpy.ndarray:
    answer = server.handle_completions(
        {"prompt": prompt, "n_predict": 1, "temperature": 0, "cache_prompt": False, "n_probs": vocabulary}
    )
    answer = json.loads(answer) if isinstance(answer, str) else answer
    found = numpy.full(vocabulary, numpy.nan)
    for entry in answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]:
        found[entry["id"]] = entry["logprob"]
    assert not numpy.isnan(found).any(), "llama.cpp omits tokens"
    # The sum over the vocabulary by which llama.cpp divides is one of 32-bit floats.
    return normalised(found)


def normalised(logits: numpy.ndarray) -> numpy.ndarray:
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - numpy.log(numpy.exp(logits).sum(axis=-1, keepdims=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
