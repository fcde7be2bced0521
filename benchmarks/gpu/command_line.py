"""The commands behind `make gpu`, `gpu-carry`, `gpu-unpack`, `gpu-list`; none imports Keras."""

import argparse
import math
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.errors import USER_ERRORS, UserError
from benchmarks.gpu import carry, crew, needs, parcel, tasks
from benchmarks.gpu.agenda import outstanding, timetable
from benchmarks.gpu.piece import Piece
from benchmarks.gpu.tasks import Plan

CARRY, HOME = Path("carry"), Path("results")
WORK, REHEARSED = Path("cache/gpu"), Path("cache/gpu-rehearsal")
DATA = "data"  # within the working folder: a folder of records for each protocol
PACK = 20.0  # seconds between two looks at what there is to pack


def main() -> int:
    """Run one command; a mistake of the user's is one sentence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="do what is missing, and pack it as it comes")
    run.add_argument("--backend", choices=("jax", "torch", "tensorflow"), default="jax")
    run.add_argument("--minutes", type=float, default=8.5, help="of this piece (8.5)")
    run.add_argument("--out", type=Path, help="where the parcel goes (cache/gpu/parcel)")
    run.add_argument("--machine", help="its name in results (default: the GPU's)")
    run.add_argument("--rehearse", action="store_true", help="tiny, on whatever is there")
    run.add_argument("--dry-run", action="store_true", help="print the plan, second by second")
    run.set_defaults(run=_run)
    bring = commands.add_parser("carry", help="fetch wheels and compress records to take along")
    bring.add_argument("--lgg", type=Path, metavar="FOLDER", help="the LGG data, for lgg2d")
    bring.add_argument("--brats", type=Path, metavar="FOLDER", help="BraTS data, for brats2d")
    bring.add_argument("--version", help="the year of the BraTS data")
    bring.add_argument("--python", default="3.12", help="the version over there (3.12)")
    bring.set_defaults(run=_carry)
    unpack = commands.add_parser("unpack", help="put what came back into results")
    unpack.add_argument("folders", type=Path, nargs="+")
    unpack.add_argument("--results", type=Path, default=HOME)
    unpack.set_defaults(run=_unpack)
    listed = commands.add_parser("list", help="what is done and what is outstanding, as Markdown")
    listed.add_argument("--results", type=Path, default=HOME)
    listed.set_defaults(run=_list)
    arguments = parser.parse_args()
    try:
        return arguments.run(arguments)
    except USER_ERRORS as error:
        print(f"gliozoo: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    if not 0 < arguments.minutes < math.inf:
        raise UserError(f"Expected --minutes above 0. Received: {arguments.minutes:g}.")
    end = time.monotonic() + 60 * arguments.minutes
    plan = replace(tasks.REHEARSAL if arguments.rehearse else Plan(), backend=arguments.backend)
    work = REHEARSED if arguments.rehearse else WORK
    results = work / "results"
    done = (results,) if arguments.rehearse else (results, HOME)
    if arguments.dry_run:
        print("\n".join(timetable(plan, done, arguments.minutes)))
        return 0
    site = carry.install(CARRY / "wheels", work.resolve() / "site")
    needs.require((*needs.CARRIED, arguments.backend), site)
    machine = re.sub(r"[^a-z0-9]+", "-", (arguments.machine or _machine()).lower()).strip("-")
    data = _data(plan, work, arguments.rehearse)
    bundle = parcel.Parcel(results, arguments.out or work / "parcel")
    piece = Piece(plan, work, machine, end, crew.environment_of(machine, site), data, done)
    with _now_and_then(bundle.update):
        piece.run()
    for path in bundle.update():
        print(f"{path} {path.stat().st_size:,} bytes")
    every = tasks.tasks(plan)
    print(f"{len(outstanding(every, done))} of {len(every)} tasks are outstanding.")
    return 1 if piece.failed else 0


def _data(plan: Plan, work: Path, phantoms: bool) -> dict[str, str | None]:
    """Name the records that are there, all parts of them, as seen from the working folder."""
    if phantoms:
        return dict.fromkeys(plan.protocols)
    here = {name: f"{DATA}/{name}" for name in plan.protocols}
    return {name: where for name, where in here.items() if carry.unpack(CARRY / name, work / where)}


@contextmanager
def _now_and_then(do: Callable[[], object]) -> Iterator[None]:
    """Do something every PACK seconds, beside what is done within."""
    over = threading.Event()

    def again() -> None:
        while not over.wait(PACK):
            try:
                do()
            except (OSError, *USER_ERRORS) as error:
                print(f"Not packed this time: {error}", file=sys.stderr, flush=True)

    packer = threading.Thread(target=again, daemon=True)
    packer.start()
    try:
        yield
    finally:
        over.set()
        packer.join()


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
    part = carry.room(CARRY / "wheels")
    for base, source in (("lgg2d", arguments.lgg), ("brats2d", arguments.brats)):
        if source:
            store = carry.store(base, source, arguments.version, WORK / "prepared")
            carry.records(store, CARRY / base, part)
    for path in sorted(CARRY.rglob("*")):
        if path.is_file():
            print(f"{path} {path.stat().st_size / 2**20:.1f} MiB")
    return 0


def _unpack(arguments: argparse.Namespace) -> int:
    for line in parcel.unpack(arguments.folders, arguments.results):
        print(line)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    for stage in tasks.stages(Plan()):
        missing = {task.name for task in outstanding(stage, (arguments.results,))}
        for task in stage:
            print(f"- [{' ' if task.name in missing else 'x'}] {task.name}")
    return 0
