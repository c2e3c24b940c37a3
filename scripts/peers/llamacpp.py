"""The speed of llama.cpp: llamacpp.py MODEL THREADS ROUNDS [VOCABULARY [PREFILL PROMPT ANSWER]].

Prints one JSON object, with the fields of the executor's example `measure`: the same numbers of
tokens, medians over the rounds, one round to warm up. VOCABULARY is the number of tokens of the model, PREFILL that of
a prompt that is only read, PROMPT that of a prompt that is answered, and ANSWER that of the answer.
"""

import json
import statistics
import sys

import xllamacpp

PREFILL, PROMPT, ANSWER, VOCABULARY = 512, 32, 128, 49_152


def memory_mib(what: str) -> float:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(what))


def main(
    model: str,
    threads: int,
    rounds: int,
    vocabulary: int = VOCABULARY,
    prefilled: int = PREFILL,
    prompted: int = PROMPT,
    answered: int = ANSWER,
) -> None:
    # Excludes the memory of Python itself.
    before = memory_mib("VmRSS")
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = 1_024
    params.n_parallel = 1
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.n_gpu_layers = 0
    params.verbosity = -1
    params.cache_ram_mib = 0
    server = xllamacpp.Server(params)
    tokens = [i * 7_919 % vocabulary for i in range(max(prefilled, prompted))]

    def complete(prompt, count):
        answer = server.handle_completions(
            {
                "prompt": prompt,
                "n_predict": count,
                "temperature": 0,
                "ignore_eos": True,
                "cache_prompt": False,
            }
        )
        answer = json.loads(answer) if isinstance(answer, str) else answer
        timings = answer["timings"]
        assert timings["prompt_n"] == len(prompt) and timings["predicted_n"] == count, timings
        return timings

    prefill, decode = [], []
    for _ in range(rounds + 1):
        prefill.append(complete(tokens[:prefilled], 1)["prompt_per_second"])
        decode.append(complete(tokens[:prompted], answered)["predicted_per_second"])
    figures = {
        "threads": threads,
        "prefill_tokens_per_s": statistics.median(prefill[1:]),
        "decode_tokens_per_s": statistics.median(decode[1:]),
        "peak_rss_mib": memory_mib("VmHWM") - before,
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
