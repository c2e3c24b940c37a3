"""The figures of bench-training.sh: bench-training.py FOLDER AS_JSON PYTORCH_MISSING.

FOLDER has the output of the programs; with AS_JSON = true one JSON object is printed, else tables.
Status 1 where PyTorch's training differs from the worker's.
"""

import json
import statistics
import sys
from pathlib import Path

RUNS = "one two four two-64 two-dense poisoned without-poisoner single-machine".split()
# In bits a token, before and after the steps of both.
LARGEST_DIFFERENCE = 1e-3
MIB = 1 << 20


def read(path: Path):
    with open(path) as file:
        return json.load(file)


def mean(values) -> float:
    return statistics.fmean(values)


def contributions(run: dict, honest: int | None = None) -> list[dict]:
    """The contributions of the first `honest` trainers of each round, or all."""
    return [c for r in run["report"]["rounds"] for c in r["contributions"][:honest]]


def overlaps(run: dict) -> list[float]:
    """The shared parts of any two contributions of a round, relative to the smaller."""
    return [shared / 1_000 for c in contributions(run) for shared in c["overlap"]]


def beside_pytorch(folder: Path, threads: int) -> dict:
    """Tokens a second of both, medians over the turns, and the difference of their losses."""
    ours = [read(path) for path in sorted(folder.glob(f"threads.{threads}.*.noema"))]
    theirs = [read(path) for path in sorted(folder.glob(f"threads.{threads}.*.pytorch"))]
    if not ours:
        return {}
    own = [contributions(run)[0] for run in ours]
    speed = statistics.median(c["tokens_per_second"] for c in own)
    found = {
        f"train_tokens_per_s_{threads}": round(speed),
        f"train_peak_mib_{threads}": round(max(run["peak_memory_bytes"] for run in ours) / MIB),
        f"train_vs_pytorch_{threads}": None,
    }
    if theirs:
        peer = statistics.median(run["tokens_per_second"] for run in theirs)
        difference = max(
            abs(c[loss] - run[loss]) for c, run in zip(own, theirs, strict=True) for loss in ("loss_before", "loss_after")
        )
        found |= {
            f"train_vs_pytorch_{threads}": round(speed / peer, 2),
            f"pytorch_tokens_per_s_{threads}": round(peer),
            f"pytorch_peak_mib_{threads}": round(max(run["peak_rss_mib"] for run in theirs)),
            f"pytorch_loss_difference_{threads}": difference,
            "pytorch": theirs[0]["version"],
        }
    return found


def judging(found: dict) -> dict:
    return {
        "score_s": round(found["scoring_seconds"], 3),
        "score_peak_mib": round(found["scoring_peak_bytes"] / MIB),
        "aggregate_s": round(found["aggregation_seconds"], 3),
        "hash_s": round(found["hashing_seconds"], 3),
        "aggregate_peak_mib": round(found["aggregation_peak_bytes"] / MIB),
    }


def of_smollm2(folder: Path) -> dict:
    run = read(folder / "smollm2.json")
    (last,) = run["report"]["rounds"]
    found = {
        "loss": [round(run["report"]["loss_at_start"], 4), round(last["loss"], 4)],
        "update_compression": round(run["report"]["compression"], 1),
        "honest_accepted": mean(c["weight"] > 0 for c in contributions(run)),
        "overlap_highest": max(overlaps(run)),
        "overlap_mean": round(mean(overlaps(run)), 3),
        "bytes_per_contribution": round(mean(c["bytes"] for c in contributions(run))),
        "train_tokens_per_s": round(statistics.median(c["tokens_per_second"] for c in contributions(run))),
        "train_peak_mib": round(run["peak_memory_bytes"] / MIB),
    }
    return {f"smollm2_{name}": value for name, value in (found | judging(read(folder / "judge-large.json"))).items()}


def measure(folder: Path, pytorch_missing: str) -> dict:
    runs = {name: read(folder / f"{name}.json") for name in RUNS}
    losses = {name: [round(r["loss"], 4) for r in run["report"]["rounds"]] for name, run in runs.items()}
    last = {name: loss[-1] for name, loss in losses.items()}
    four, rounds = runs["four"], runs["four"]["report"]["rounds"]
    honest = [c for name in ("one", "two", "four") for c in contributions(runs[name])]
    honest += contributions(runs["poisoned"], 3)
    figures = {
        "weights": four["report"]["trained_weights"],
        "loss_at_start": round(four["report"]["loss_at_start"], 4),
        "loss_by_round": losses,
        "loss_vs_single_machine": round(last["four"] / last["single-machine"], 4),
        "loss_vs_dense": round(last["two"] / last["two-dense"], 4),
        "loss_vs_dense_64": round(last["two-64"] / last["two-dense"], 4),
        "update_compression": round(four["report"]["compression"], 1),
        "update_compression_64": round(runs["two-64"]["report"]["compression"], 1),
        "poisoned_over_clean_loss": round(last["poisoned"] / last["without-poisoner"], 4),
        "poison_accepted": sum(r["contributions"][-1]["weight"] > 0 for r in runs["poisoned"]["report"]["rounds"]),
        "honest_accepted": round(mean(c["weight"] > 0 for c in honest), 4),
        "honest_refused_because": sorted({c["refused"] for c in honest if c["refused"]}),
        "overlap_highest": max(overlaps(four)),
        "overlap_mean": round(mean(overlaps(four)), 3),
        "bytes_per_contribution": round(mean(c["bytes"] for c in contributions(four))),
        "train_s_per_contribution": round(mean(r["training_seconds"] for r in rounds) / 4, 2),
        "judge_s_per_contribution": round(mean(r["judging_seconds"] for r in rounds) / 4, 2),
    }
    figures |= judging(read(folder / "judge-data.json"))
    figures |= {name: round(value, 1) for name, value in read(folder / "chain.json").items()}
    figures |= {"pytorch": pytorch_missing or None}
    for threads in (1, 2):
        figures |= beside_pytorch(folder, threads)
    if (folder / "smollm2.json").exists():
        figures |= of_smollm2(folder)
    return figures


def show(figures: dict) -> None:
    losses = figures["loss_by_round"]
    print(f"loss in bits a token, from {figures['loss_at_start']:.3f}")
    print("round " + " ".join(f"{name:>16}" for name in RUNS))
    for i in range(len(losses["four"])):
        print(f"{i + 1:>5} " + " ".join(f"{losses[name][i]:>16.3f}" for name in RUNS))
    for name, value in figures.items():
        if name != "loss_by_round":
            print(f"{name:<34} {value}")


def main(folder: str, as_json: str, pytorch_missing: str) -> int:
    figures = measure(Path(folder), pytorch_missing)
    if as_json == "true":
        print(json.dumps(figures))
    else:
        show(figures)
    far = [figures.get(f"pytorch_loss_difference_{threads}", 0) > LARGEST_DIFFERENCE for threads in (1, 2)]
    if any(far):
        print("PyTorch's training differs: its losses differ from the worker's", file=sys.stderr)
    return 1 if any(far) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
