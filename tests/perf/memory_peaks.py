"""`make perf-memory`: how much memory the commands take at most, and how that grows.

Each command is a process of its own on made-up data of three sizes; its peak is what the kernel
says of it and of those that it started, the largest of them. A peak above its ceiling fails.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pages

sys.path.insert(0, str(Path(__file__).parents[1] / "makers"))
sys.path.insert(0, str(Path(__file__).parents[2]))

import fabricate

ROOT = Path(__file__).parents[2]
JSON, PAGE = ROOT / "docs/perf/memory.json", ROOT / "docs/perf/memory.md"
COMMAND = "make perf-memory"
PATIENTS, SIDE = (30, 100, 300), 96
SIDES = (128, 256, 512)  # of a scan, whose slices are .6 times as many
RECORDS, TESTED = (200, 1000, 5000), 40
CEILINGS = {  # bytes at the largest size
    "data prepare": 0.5e9,
    "bench": 2.5e9,
    "predict unet.brats": 5.0e9,
    "predict unet3d.brats": 5.0e9,
    "compare": 1.0e9,
}
PROTOCOL = """\
name = "memory"
base = "lgg2d_lite"
[train]
epochs = 1
width = 0.125
"""

Row = dict[str, Any]


def main() -> int:
    """Measure the commands that are named, or all; write figures and page."""
    chosen = sys.argv[1:] or list(CEILINGS)
    if unknown := {*chosen} - {*CEILINGS}:
        sys.exit(f"Expected of {', '.join(CEILINGS)}. Received: {', '.join(sorted(unknown))}.")
    told = json.loads(JSON.read_text(encoding="utf-8")) if JSON.exists() else {"rows": []}
    rows = [row for row in told["rows"] if row["command"] not in chosen]
    with tempfile.TemporaryDirectory() as folder:
        for row in measured(Path(folder), chosen):
            print(row, file=sys.stderr, flush=True)
            rows = sorted([*rows, row], key=lambda row: list(CEILINGS).index(row["command"]))
            told = {"system": platform.system(), "python": platform.python_version(), "rows": rows}
            JSON.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            pages.put(PAGE, COMMAND, table(rows))
    return int(any(row["peak_bytes"] > CEILINGS[row["command"]] for row in rows))


def measured(folder: Path, chosen: list[str]) -> Iterator[Row]:
    """Yield a row for each command and size."""
    if {"data prepare", "bench"} & {*chosen}:
        (folder / "memory.toml").write_text(PROTOCOL)
        for count in PATIENTS:
            yield from _patients(folder / str(count), count, chosen)
    predicting = [name for name in chosen if name.startswith("predict")]
    for side in SIDES if predicting else ():
        scans = folder / f"scan{side}"
        made = ("data", "phantom", str(scans), "--layout", "brats", "--patients", "1")
        _peak(*made, "--size", str(side))
        voxels = side * side * int(0.6 * side)
        for name in predicting:
            preset = name.split()[1]
            masks = str(folder / f"{preset}{side}")
            yield _row(
                name,
                voxels,
                "voxels",
                _peak("predict", preset, str(scans), "--out", masks, "--any-spacing"),
            )
    for count in RECORDS if "compare" in chosen else ():
        results = folder / f"results{count}"
        _records(results, count)
        yield _row("compare", count, "records", _peak("compare", "--results", str(results)))


def _patients(folder: Path, count: int, chosen: list[str]) -> Iterator[Row]:
    data = str(folder / "data")
    made = ("data", "phantom", data, "--layout", "lgg", "--patients", str(count))
    _peak(*made, "--size", str(SIDE))
    if "data prepare" in chosen:
        prepare = ("data", "prepare", data, "--out", str(folder / "store"), "--size", "96,96")
        yield _row("data prepare", count, "patients", _peak(*prepare))
    if "bench" in chosen:
        places = ("--results", str(folder / "results"), "--cache", str(folder / "cache"))
        protocol = str(folder.parent / "memory.toml")
        bench = ("bench", "sa_unet", "--protocol", protocol, "--data", data, *places)
        yield _row("bench", count, "patients", _peak(*bench))


def _records(folder: Path, count: int) -> None:
    study = fabricate.a_study(count=TESTED, seeds=25)
    for place in range(count // len(study)):
        for one in study:
            run = {**one.run, "protocol": f"protocol_{place}"}
            terms = {**one.protocol, "train": {"epochs": 60 + place}}
            fabricate.archive([replace(one, run=run, protocol=terms)], folder)


def _peak(*words: str) -> int:
    """Run a command; return the bytes of the largest of its processes."""
    command = [sys.executable, "-m", "benchmarks", *words]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(words)}: {said.read().decode(errors='replace')[-800:]}")
    return usage.ru_maxrss * 1024


def _row(command: str, size: int, unit: str, peak: int) -> Row:
    return {"command": command, "size": size, "unit": unit, "peak_bytes": peak}


def table(rows: list[Row]) -> str:
    """Write a line a command: its peaks at three sizes, what one more costs, and its ceiling."""
    lines = [
        "| command | sizes | peaks, GB | one more, MB | ceiling, GB |",
        "|---|---|---|--:|--:|",
    ]
    for name, ceiling in CEILINGS.items():
        own = sorted((row for row in rows if row["command"] == name), key=lambda row: row["size"])
        if own[1:]:
            lines.append(_line(name, own, ceiling))
    return "\n".join(lines) + "\n"


def _line(name: str, own: list[Row], ceiling: float) -> str:
    least, most = own[0], own[-1]
    many, unit = (1e6, "million voxels") if most["unit"] == "voxels" else (1, most["unit"])
    slope = (most["peak_bytes"] - least["peak_bytes"]) / (most["size"] - least["size"])
    sizes = ", ".join(f"{row['size'] / many:,.0f}" for row in own)
    peaks = ", ".join(f"{row['peak_bytes'] / 1e9:.2f}" for row in own)
    over = " **over**" if most["peak_bytes"] > ceiling else ""
    return (
        f"| `{name}` | {sizes} {unit} | {peaks}{over} "
        f"| {slope * many / 1e6:.2f} | {ceiling / 1e9:.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
