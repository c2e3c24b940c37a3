"""The speed of a compiled llama.cpp: native.py LLAMA_BENCH MODEL THREADS [PREFILL PROMPT ANSWER].

Prints one JSON object, with two fields of llamacpp.py: the same numbers of tokens, or others, once, after the run with which
llama-bench warms up.
"""

import json
import subprocess
import sys

from llamacpp import ANSWER, PREFILL, PROMPT


def tokens_per_s(program: str, model: str, threads: str, *what: str) -> float:
    fixed = ["-m", model, "-t", threads, "-ngl", "0", "-r", "1", "-o", "json"]
    output = subprocess.run([program, *fixed, *what], check=True, stdout=subprocess.PIPE).stdout
    (run,) = json.loads(output)
    return run["avg_ts"]


def main(
    program: str,
    model: str,
    threads: str,
    prefilled: str = str(PREFILL),
    prompted: str = str(PROMPT),
    answered: str = str(ANSWER),
) -> None:
    prefill = tokens_per_s(program, model, threads, "-p", prefilled, "-n", "0")
    # After a prompt, which is not counted.
    decode = tokens_per_s(program, model, threads, "-p", "0", "-n", answered, "-d", prompted)
    print(json.dumps({"prefill_tokens_per_s": prefill, "decode_tokens_per_s": decode}))


if __name__ == "__main__":
    main(*sys.argv[1:])
