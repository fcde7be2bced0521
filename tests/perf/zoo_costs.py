"""`make perf-zoo`: what each architecture costs at its card's shape, and whether it learns at all.

Costs are `gliozoo profile MODEL --train`, each in a process of its own, one after the other, on a
machine that does nothing else. Dice is that of records under `quick`, or `quick3d` for volumes
alone, as results/ holds them after `gliozoo bench all`; what it holds none of stays as it was. With
names it measures those, with `--quick` none; the table is written anew each time.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pages

import zoo

ROOT = Path(__file__).parents[2]
JSON, PAGE = ROOT / "docs/perf/zoo.json", ROOT / "docs/perf/zoo.md"
COMMAND = "make perf-zoo"
HEAD = (
    "| architecture | input | M parameters | GFLOPs | latency, ms | MFU | training step, s "
    "| memory, GB | Dice under `quick` |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|",
)
KEPT = (
    "input_shape",
    "params",
    "gflops",
    "latency_ms",
    "mfu",
    "peak_gflops_measured",
    "peak_memory_bytes",
    "train_step_ms",
)


def main() -> int:
    """Profile those that are named, or all; write each beside the others, and the table."""
    chosen = [] if sys.argv[1:] == ["--quick"] else sys.argv[1:] or zoo.names()
    if unknown := set(chosen) - set(zoo.names()):
        sys.exit(f"Expected names of the zoo. Received: {', '.join(sorted(unknown))}.")
    told = json.loads(JSON.read_text(encoding="utf-8"))
    told["quick"] |= quick_dice()
    for name in chosen:
        if one := profiled(name):
            told["costs"][name] = one
            print(name, one, file=sys.stderr, flush=True)
            JSON.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    JSON.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    pages.put(PAGE, COMMAND, table(told))
    return 0


def profiled(name: str) -> dict[str, Any] | None:
    """Return what the command prints; of inference alone, where a training step has no room.

    None where that has none either: what was known of it stays.
    """
    for options in (["--train"], []):
        command = [sys.executable, "-m", "benchmarks", "profile", name, "--json", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found = json.loads(done.stdout)
            return {key: found.get(key) for key in KEPT}
        print(f"{name} {' '.join(options)}: exit {done.returncode}", file=sys.stderr, flush=True)
    return None


def table(told: dict[str, Any]) -> str:
    """Return the table in Markdown, a row an architecture."""
    rows = (_row(name, told["costs"].get(name), told["quick"].get(name)) for name in zoo.names())
    return "\n".join([*HEAD, *rows, ""])


def quick_dice() -> dict[str, float]:
    """Return the Dice of each architecture's published form under `quick`, seed 0."""
    found = {}
    for path in sorted((ROOT / "results").glob("*/*-quick*-s0.json")):
        one = json.loads(path.read_text(encoding="utf-8"))
        run, card = one["run"], zoo.card(one["run"]["model"])
        usual = "quick" if 2 in card.ranks else "quick3d"
        if not run.get("variant") and not run.get("recalibrated") and run["protocol"] == usual:
            policy = one["quality"][one["protocol"]["evaluate"]["policy"]]
            region = "mean" if "mean" in policy else next(iter(policy))
            found[run["model"]] = policy[region]["patient"]["dice"]["mean"]
    return found


def _row(name: str, one: dict[str, Any] | None, dice: float | None) -> str:
    learned = "–" if dice is None else f"{dice:.2f}".replace("0.", ".", 1)
    if one is None:
        return f"| `{name}` |{' |' * 7} {learned} |"
    step, memory = one["train_step_ms"], one["peak_memory_bytes"]
    cells = [
        f"`{name}`",
        "x".join(map(str, one["input_shape"])),
        f"{one['params'] / 1e6:.3g}",
        f"{one['gflops']:.4g}",
        f"{one['latency_ms']['p50']:,.0f}",
        f"{one['mfu']:.0%}".replace("%", " %"),
        f"{step['p50'] / 1000:.2g}" if step else "no room",
        f"{memory / 1e9:.2g}" if memory and step else "–",
        learned,
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
