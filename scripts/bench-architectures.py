"""The measurements of bench-architectures.sh, which states the options and the architectures.

Each architecture's figures are written to a file as soon as they are there, with what they were measured with. Status 1
where the float model or the integer model is further off than agreement.sh tolerates.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent
sys.path.append(str(SCRIPTS / "models"))
from architectures import ARCHITECTURES, LARGE
from write import TOKENS

MIB = 1 << 20
# Between two readings of a program's memory, in seconds.
SAMPLING = 0.01
# The usual time of an architecture on two cores, in seconds, until one has been measured.
USUAL = {"tiny": 20, "large": 90}
# Tokens that are predicted for the ratio of perplexities.
PREDICTED = 2_048


@dataclass(frozen=True)
class Size:
    """Tokens of the prompt that is only read, of the one that is answered, and of the answer."""

    prefill: int
    prompt: int
    answer: int


# A token of a large model takes a thousand times as long, and its figures vary less.
SIZES = {"tiny": Size(512, 32, 128), "large": Size(256, 32, 32)}
FIGURES = ("decode_tokens_per_s", "prefill_tokens_per_s")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(command: list[str], **options) -> str:
    """What a program prints; its messages are shown only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{done.stderr[-4_000:]}error: {' '.join(command[:2])} ended with status {done.returncode}")
    return done.stdout


def memory_mib(process: int, names: tuple[str, ...]) -> list[float]:
    """Fields of a process's status; zeros once it has ended."""
    found = dict.fromkeys(names, 0.0)
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name in found:
            found[name] = int(value.split()[0]) / 1_024
    return list(found.values())


class Bench:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.work = Path(options.work)
        self.worker = f"{options.programs}/noema-worker"
        self.measure = f"{options.programs}/examples/measure"
        self.environment = {**os.environ, "NOEMA_HOME": str(self.work / "home")}

    # --- exactness ---------------------------------------------------------------------------------------

    def agreement(self, name: str) -> dict:
        """The float model beside llama.cpp, or beside its formula where llama.cpp does not read the model."""
        command = [str(SCRIPTS / "agreement.sh"), "--device", "cpu", "--json", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if not done.stdout.startswith("{"):
            sys.exit(f"{done.stderr[-4_000:]}error: agreement.sh ended with status {done.returncode}")
        comparisons = json.loads(done.stdout)["comparisons"]
        beside = {found["against"]: found for found in comparisons if found["run"] == "cpu"}
        against = "llama.cpp" if "llama.cpp" in beside else "formula"
        return {
            "against": against,
            **{key: beside[against][key] for key in ("largest_difference", "median_difference", "mean_divergence")},
            "is_within": all(found["is_within"] for found in comparisons),
        }

    def perplexity(self, name: str) -> dict:
        """The integer model beside the float model."""
        folder = self.work / "exact"
        sources = run([sys.executable, str(SCRIPTS / "models/write.py"), str(folder), name]).splitlines()
        text = ["--text", str(folder / "text.txt"), "--tokens", str(PREDICTED)]
        found = json.loads(run([self.worker, "perplexity", sources[0], *text, "--json"], env=self.environment))
        shutil.rmtree(folder)
        return {"perplexity_ratio": found["ratio"], "perplexity_ratio_se": found["ratio_se"]}

    # --- speed -------------------------------------------------------------------------------------------

    def imported(self, file: Path) -> tuple[Path, dict]:
        """The checkpoint of a file; the time and the memory that its import takes."""
        begun = time.monotonic()
        process = subprocess.Popen(
            [self.worker, "import", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self.environment,
        )
        own = resident = 0.0
        while process.poll() is None:
            now, peak = memory_mib(process.pid, ("RssAnon", "VmHWM"))
            own, resident = max(own, now), max(resident, peak)
            time.sleep(SAMPLING)
        seconds = time.monotonic() - begun
        checkpoint = process.stdout.read().strip().removeprefix("0x")
        if process.returncode != 0:
            sys.exit(f"error: the import of {file} ended with status {process.returncode}")
        folder = self.work / "home/checkpoints" / checkpoint
        return folder, {"import_s": seconds, "import_own_mib": own, "import_resident_mib": resident}

    def speed(self, file: Path, checkpoint: Path, vocabulary: int, size: Size, threads: int) -> dict:
        """Tokens a second of both, in turn, as medians over the rounds."""
        count = str(threads)
        peers = SCRIPTS / "peers"
        tokens = [str(number) for number in (size.prefill, size.prompt, size.answer)]
        alone = ["1", "map", str(size.prompt), str(size.answer), str(size.prefill), "0"]
        programs = {
            "noema": [self.measure, str(checkpoint), count, *alone],
            "wheel": [sys.executable, str(peers / "llamacpp.py"), str(file), count, "1", str(vocabulary), *tokens],
        }
        native = self.options.llama_bench
        if native:
            programs["native"] = [sys.executable, str(peers / "native.py"), native, str(file), count, *tokens]
        rounds = {program: [json.loads(run(command))] for program, command in programs.items()}
        builds = [program for program in programs if program != "noema"]
        faster = {figure: max(builds, key=lambda build: rounds[build][0][figure]) for figure in FIGURES}
        # A build that is the slower one in both is not measured again.
        for _ in range(self.options.rounds - 1):
            for program in ["noema", *sorted(set(faster.values()))]:
                rounds[program].append(json.loads(run(programs[program])))
        found = {}
        for figure in FIGURES:
            ours, theirs = (
                statistics.median(done[figure] for done in rounds[program]) for program in ("noema", faster[figure])
            )
            what = figure.partition("_")[0]
            found |= {figure: ours, f"llamacpp_{figure}": theirs, f"{what}_vs_llamacpp": ours / theirs}
            found[f"{what}_build"] = faster[figure]
        return found

    def at_size(self, name: str, kind: str, threads: int) -> dict:
        """Import and speed of a random model of that size."""
        model = {"tiny": ARCHITECTURES, "large": LARGE}[kind][name]
        file = self.work / f"{name}.gguf"
        run([sys.executable, str(SCRIPTS / "models/quantised.py"), str(file), kind, name])
        say(f"    {name}: importing the {kind} model, {file.stat().st_size / MIB:.1f} MiB")
        checkpoint, found = self.imported(file)
        say(f"    {name}: measuring the {kind} model and llama.cpp in turn, {threads} thread(s)")
        vocabulary = model.vocabulary or len(TOKENS)
        found |= self.speed(file, checkpoint, vocabulary, SIZES[kind], threads)
        found |= {"threads": threads, "file_mib": file.stat().st_size / MIB}
        file.unlink()
        shutil.rmtree(self.work / "home")
        return found

    def architecture(self, name: str) -> dict:
        begun = time.monotonic()
        # That of the other programs on the machine; a quiet one has next to none.
        load = os.getloadavg()[0]
        say(f"    {name}: comparing the tiny model with llama.cpp and with itself in integers")
        found = {**self.agreement(name), **self.perplexity(name)}
        found["tiny"] = self.at_size(name, "tiny", 1)
        if not self.options.tiny:
            found["large"] = self.at_size(name, "large", self.options.threads)
        return {**found, "load_before": load, "seconds": time.monotonic() - begun}


# --- all of them -----------------------------------------------------------------------------------------


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def circumstances(options: argparse.Namespace) -> dict:
    """What the figures depend on: the programs, the processor, and how it is measured."""
    files = ["noema-worker", "examples/measure", "examples/logits"]
    files = [Path(options.programs) / file for file in files]
    if options.llama_bench:
        files.append(Path(options.llama_bench))
    programs = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while part := opened.read(MIB):
                programs.update(part)
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "programs": programs.hexdigest(),
        "threads": options.threads,
        "rounds": options.rounds,
        "only_tiny": options.tiny,
        "sizes": {kind: asdict(size) for kind, size in SIZES.items()},
    }


def kept(file: Path, measured_with: dict) -> dict | None:
    """The figures of an earlier run in the same circumstances."""
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return found["figures"] if found.get("measured_with") == measured_with else None


def measure_all(options: argparse.Namespace) -> dict[str, dict]:
    bench, measured_with = Bench(options), circumstances(options)
    files = {name: Path(options.results) / f"{name}.json" for name in options.names}
    found = {name: kept(file, measured_with) for name, file in files.items()} if options.continue_ else {}
    found = {name: figures for name, figures in found.items() if figures}
    missing = [name for name in options.names if name not in found]
    times = [figures["seconds"] for figures in found.values()]
    usual = USUAL["tiny"] + (0 if options.tiny else USUAL["large"])
    for place, name in enumerate(missing):
        left = (statistics.mean(times) if times else usual) * (len(missing) - place)
        say(f"==> {name}, {place + 1} of {len(missing)}; about {left / 60:.0f} minutes left")
        figures = bench.architecture(name)
        times.append(figures["seconds"])
        part = files[name].with_suffix(".part")
        part.write_text(json.dumps({"measured_with": measured_with, "figures": figures}, indent=1) + "\n")
        # By one renaming: figures that are there are whole.
        part.rename(files[name])
        found[name] = figures
    return {name: found[name] for name in options.names}


def rows(heads: list[str], lines: list[list[str]]) -> None:
    """Prints a table of Markdown, unless it has no lines."""
    if not lines:
        return
    for line in (heads, ["---"] * len(heads), *lines):
        print(f"| {' | '.join(line)} |")
    print()


def beside(found: dict, what: str, digits: int) -> str:
    """A ratio, and both figures."""
    ours, theirs = found[f"{what}_tokens_per_s"], found[f"llamacpp_{what}_tokens_per_s"]
    build = found[f"{what}_build"]
    return f"{found[f'{what}_vs_llamacpp']:.2f}: {ours:,.{digits}f} over {theirs:,.{digits}f} ({build})"


def tables(measured: dict[str, dict]) -> None:
    rows(
        ["model", "against", "largest difference", "median", "mean divergence", "perplexity ratio"],
        [
            [
                f"`{name}`",
                found["against"],
                f"{found['largest_difference']:.1e}",
                f"{found['median_difference']:.1e}",
                f"{found['mean_divergence']:.1e}",
                f"{found['perplexity_ratio']:.4f} ± {found['perplexity_ratio_se']:.4f}",
            ]
            for name, found in measured.items()
        ],
    )
    rows(
        ["tiny model", "answers, tokens/s", "prompts, tokens/s", "load before"],
        [
            [
                f"`{name}`",
                beside(found["tiny"], "decode", 0),
                beside(found["tiny"], "prefill", 0),
                f"{found['load_before']:.1f}",
            ]
            for name, found in measured.items()
        ],
    )
    rows(
        ["large model", "file, MiB", "answers, tokens/s", "prompts, tokens/s", "import, s", "own, all memory, MiB"],
        [
            [
                f"`{name}`",
                f"{found['large']['file_mib']:,.0f}",
                beside(found["large"], "decode", 1),
                beside(found["large"], "prefill", 1),
                f"{found['large']['import_s']:.1f}",
                f"{found['large']['import_own_mib']:,.0f}, {found['large']['import_resident_mib']:,.0f}",
            ]
            for name, found in measured.items()
            if "large" in found
        ],
    )


def rounded(value):
    match value:
        case dict():
            return {name: rounded(one) for name, one in value.items()}
        case float():
            return float(f"{value:.4g}")
    return value


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("results", "work", "programs", "llama-bench"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--continue", dest="continue_", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("names", nargs="+")
    options = parser.parse_args()
    measured = measure_all(options)
    if options.json:
        print(json.dumps({"measured_with": circumstances(options), "architectures": rounded(measured)}))
    else:
        tables(measured)
    far = [name for name, found in measured.items() if not found["is_within"]]
    for name in far:
        say(f"{name} differs more than is tolerated; ./scripts/agreement.sh {name} shows from what")
    return 1 if far else 0


if __name__ == "__main__":
    sys.exit(main())
