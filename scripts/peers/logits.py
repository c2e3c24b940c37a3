"""Compares logits with llama.cpp's, both in 32-bit floats:

    logits.py tokens MODEL TEXT COUNT              prints the first COUNT tokens of a text as JSON
    logits.py compare MODEL TOKENS LOGITS...       prints one JSON object for each file of logits

MODEL is a GGUF file of F32 tensors, TOKENS what the first form prints, LOGITS what the worker's
example `logits` writes. Compared are log-probabilities, as logits are equal up to a constant, of
every token of the vocabulary after every position.
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
    # Neither halves of floats for keys and values nor a softmax in another order.
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return xllamacpp.Server(params)


def complete(server: xllamacpp.Server, prompt, **options) -> dict:
    answer = server.handle_completions(
        {"prompt": prompt, "n_predict": 1, "temperature": 0, "cache_prompt": False, **options}
    )
    return json.loads(answer) if isinstance(answer, str) else answer


def tokens(model: str, text: str, count: int) -> None:
    with open(text, encoding="utf-8") as file:
        prose = file.read(count * 16)
    verbose = complete(serve(model), prose[: count * 8], return_tokens=True, __verbose=True)
    print(json.dumps(verbose["__verbose"]["prompt"]))


def compare(model: str, tokens: str, *files: str) -> None:
    with open(tokens) as file:
        ids = json.load(file)
    vocabulary = len(gguf.GGUFReader(model).get_field("tokenizer.ggml.tokens").data)
    server = serve(model)
    theirs = numpy.full((len(ids), vocabulary), numpy.nan)
    for position in range(len(ids)):
        answer = complete(server, ids[: position + 1], n_probs=vocabulary)
        for entry in answer["completion_probabilities"][0]["top_logprobs"]:
            theirs[position, entry["id"]] = entry["logprob"]
    assert not numpy.isnan(theirs).any(), "llama.cpp left tokens out"
    for path in files:
        logits = numpy.fromfile(path, dtype="<f4").reshape(theirs.shape).astype("f8")
        top = logits.max(axis=1, keepdims=True)
        ours = logits - top - numpy.log(numpy.exp(logits - top).sum(axis=1, keepdims=True))
        divergence = (numpy.exp(theirs) * (theirs - ours)).sum(axis=1)
        figures = {
            "positions": len(ids),
            "largest_difference": float(numpy.abs(ours - theirs).max()),
            "mean_divergence": float(divergence.mean()),
            "same_top": float((ours.argmax(axis=1) == theirs.argmax(axis=1)).mean()),
        }
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "tokens":
        tokens(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        compare(*sys.argv[2:])
