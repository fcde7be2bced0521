"""The commands behind `make gpu`, `gpu-carry`, `gpu-unpack`, `gpu-list`; none imports Keras."""

import argparse
import os
import re
import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.errors import USER_ERRORS
from benchmarks.gpu import carry, parcel, pieces, tasks

CARRY, WORK = Path("carry"), Path("cache/gpu")
DATA = "data/lgg2d"  # within the working folder


def main() -> int:
    """Run one command; a mistake of the user's is one sentence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="do what is missing, then pack it")
    run.add_argument("--backend", choices=("jax", "torch", "tensorflow"), default="jax")
    run.add_argument("--minutes", type=float, default=8.5, help="of this piece (8.5)")
    run.add_argument("--out", type=Path, help="where the parcel goes (cache/gpu/parcel)")
    run.add_argument("--machine", help="its name in results (default: the GPU's)")
    run.add_argument("--only", default="*", help="tasks whose names match, like 'train *'")
    run.add_argument("--rehearse", action="store_true", help="tiny, on whatever is there")
    run.set_defaults(run=_run)
    bring = commands.add_parser("carry", help="fetch wheels and compress records to take along")
    bring.add_argument("--store", type=Path, required=True, help="of `gliozoo data prepare`")
    bring.add_argument("--python", default="3.12", help="the version over there (3.12)")
    bring.set_defaults(run=_carry)
    unpack = commands.add_parser("unpack", help="put what came back into results")
    unpack.add_argument("folders", type=Path, nargs="+")
    unpack.add_argument("--results", type=Path, default=Path("results"))
    unpack.set_defaults(run=_unpack)
    listed = commands.add_parser("list", help="what is done and what is outstanding, as Markdown")
    listed.add_argument("--results", type=Path, default=Path("results"))
    listed.set_defaults(run=_list)
    arguments = parser.parse_args()
    try:
        return arguments.run(arguments)
    except USER_ERRORS as error:
        print(f"gliozoo: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    plan = replace(
        tasks.REHEARSAL if arguments.rehearse else tasks.Plan(), backend=arguments.backend
    )
    site = carry.install(CARRY / "wheels", WORK.resolve() / "site")
    carry.require(arguments.backend, site)
    results = WORK / "results"
    every = tasks.tasks(plan, None if arguments.rehearse else DATA)
    missing = [task for task in tasks.outstanding(every, results) if not task.done(Path("results"))]
    missing = [task for task in missing if fnmatchcase(task.name, arguments.only)]
    print(f"{len(missing)} of {len(every)} tasks are to be done.", flush=True)
    if not arguments.rehearse and not carry.unpack(CARRY / "records", WORK / DATA):
        print("Trainings wait for all parts of carry/records, one a call.", flush=True)
        missing = [task for task in missing if task.prints]
    machine = re.sub(r"[^a-z0-9]+", "-", (arguments.machine or _machine()).lower()).strip("-")
    failed = pieces.run(missing, WORK, machine, 60 * arguments.minutes, site)
    for path in parcel.pack(results, arguments.out or WORK / "parcel"):
        print(f"{path} {path.stat().st_size:,} bytes")
    return 1 if failed else 0


def _machine() -> str:
    """Name the machine by its GPU."""
    try:
        told = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return os.environ.get("GLIOZOO_MACHINE", "no-gpu")
    return told


def _carry(arguments: argparse.Namespace) -> int:
    carry.wheels(CARRY / "wheels", arguments.python)
    carry.records(arguments.store, CARRY / "records")
    for path in sorted(CARRY.rglob("*")):
        if path.is_file():
            print(f"{path} {path.stat().st_size / 2**20:.1f} MiB")
    return 0


def _unpack(arguments: argparse.Namespace) -> int:
    for line in parcel.unpack(arguments.folders, arguments.results):
        print(line)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    every = tasks.tasks(tasks.Plan(), DATA)
    missing = {task.name for task in tasks.outstanding(every, arguments.results)}
    for task in every:
        print(f"- [{' ' if task.name in missing else 'x'}] {task.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
