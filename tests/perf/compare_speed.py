"""`make perf-compare`: 1,000 fabricated records of 100 patients, compared; `--help` on its own.

Processor time stands beside the clock, because a busy machine stretches only the clock.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "makers"))

import fabricate

PROTOCOLS, SEEDS, PATIENTS, REPEATS = 5, 25, 100, 3


def main() -> None:
    """Print clock and processor seconds, the median of several runs of the command."""
    with tempfile.TemporaryDirectory() as folder:
        count = _records(Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.json")) / 1e6
        compare = ["compare", "--results", folder]
        print(f"compare, {count} records of {PATIENTS} patients, {size:.0f} MB: {_time(compare)}")
    print(f"compare --help: {_time(['compare', '--help'])}")


def _records(folder: Path) -> int:
    study = fabricate.a_study(count=PATIENTS, seeds=SEEDS)
    for place in range(PROTOCOLS):
        for one in study:
            run = {**one.run, "protocol": f"protocol_{place}"}
            terms = {**one.protocol, "train": {"epochs": 60 + place}}
            fabricate.archive([replace(one, run=run, protocol=terms)], folder)
    return PROTOCOLS * len(study)


def _time(arguments: list[str]) -> str:
    def run() -> None:
        command = [sys.executable, "-m", "benchmarks", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    clock, processor = zip(*(_measure(run) for _ in range(REPEATS)), strict=True)
    return f"{statistics.median(clock):.2f} s, processor {statistics.median(processor):.2f} s"


def _measure(run: Callable[[], None]) -> tuple[float, float]:
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    clock, processor = time.perf_counter(), used()
    run()
    return time.perf_counter() - clock, used() - processor


if __name__ == "__main__":
    main()
