"""Writes the logits of Transformers: huggingface.py MODELS RUNS.

MODELS and RUNS are those of logits.py. For each model with a folder, FOLDER.transformers.f32 receives the logits after
each of the tokens of its run, in 32-bit floats, a row for each.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM


def main(models: str, runs: str) -> None:
    with open(models) as file:
        folders = [model["formula"] for model in json.load(file) if model["formula"]]
    with open(runs) as file:
        said = [json.loads(line) for line in file]
    tokens = {run["source"]: run["tokens"] for run in said}
    for folder in folders:
        # Attention by its formula, not by a fused kernel.
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        with torch.no_grad():
            logits = model(torch.tensor([tokens[folder]])).logits[0]
        logits.numpy().astype("<f4").tofile(f"{folder}.transformers.f32")


if __name__ == "__main__":
    main(*sys.argv[1:])
