"""The way home: records in one archive, best weights in parts, no file over a limit.

A call brings as many parts as fit, and notes which; the next call brings others.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.records import atomic

ARCHIVE = "records.tar.xz"
PART = 15 * 2**20  # bytes
FILES, TOTAL = 8, 60 * 2**20  # of one call
WEIGHTS = "weights.safetensors"
SENT = ".sent.json"


def pack(results: Path, out: Path) -> list[Path]:
    """Write the records, profiles and logs, then parts of weights that were not yet sent."""
    written = [out / ARCHIVE]
    atomic.write(written[0], _archive(results))
    room = TOTAL - written[0].stat().st_size
    ledger = results / SENT
    sent = set(json.loads(ledger.read_text())) if ledger.exists() else set()
    for name, content in _parts(results):
        key = f"{name} {hashlib.sha256(content).hexdigest()}"
        if key in sent or len(written) == FILES or len(content) > room:
            continue
        written.append(out / name)
        atomic.write(written[-1], content)
        room -= len(content)
        sent.add(key)
    atomic.write(ledger, json.dumps(sorted(sent)).encode())
    return written


def _archive(results: Path) -> bytes:
    """Compress every small file: records, profiles, tables, logs; no picture of a patient."""
    kept = (".json", ".csv", ".txt")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz") as archive:
        for path in sorted(results.rglob("*")):
            if path.suffix in kept and path.is_file() and path.name != SENT:
                archive.add(path, path.relative_to(results))
    return made.getvalue()


def _parts(results: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the weights of finished runs in parts: MACHINE.STEM.3-of-11.part."""
    for path in sorted(results.glob(f"*/runs/*/{WEIGHTS}")):
        run, machine = path.parent.name, path.parts[-4]
        if not (path.parents[2] / f"{run}.json").exists():
            continue
        for name, part in parts(path.read_bytes(), PART):
            yield f"{machine}.{run}.{name}.part", part


def parts(content: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    """Cut a file into parts, each with its name: 3-of-11."""
    count = max(1, -(-len(content) // size))
    for number in range(count):
        yield f"{number + 1}-of-{count}", content[number * size : (number + 1) * size]


def joined(files: Iterable[Path]) -> bytes | None:
    """Put parts together again; None while one is missing."""
    found = {_place(path): path for path in files}
    counts = {count for _, count in found}
    if len(counts) != 1 or len(found) != counts.pop():
        return None
    return b"".join(found[place].read_bytes() for place in sorted(found))


def unpack(folders: list[Path], results: Path) -> list[str]:
    """Put what calls brought into a results folder; return sentences on what came."""
    told = []
    weights: dict[str, list[Path]] = {}
    for folder in folders:
        archive = folder / ARCHIVE
        if archive.exists():
            with tarfile.open(archive) as opened:
                names = [name for name in opened.getnames() if name.endswith(".json")]
                opened.extractall(results, filter="data")
            told.append(f"{folder}: {len(names)} JSON files")
        for path in sorted(folder.glob("*.part")):
            weights.setdefault(path.name.rsplit(".", 2)[0], []).append(path)
    for name, files in weights.items():
        machine, run = name.split(".", 1)
        content = joined(files)
        if content is None:
            have, of = len(files), _place(files[0])[1]
            told.append(f"{run}: {have} of {of} parts of its weights; the next call brings others")
            continue
        atomic.write(results / machine / "runs" / run / WEIGHTS, content)
        told.append(f"{run}: weights whole")
    return told


def _place(path: Path) -> tuple[int, int]:
    try:
        number, count = path.name.removesuffix(".part").rsplit(".", 1)[-1].split("-of-")
        return int(number), int(count)
    except ValueError as error:
        raise UserError(f"{path} is no part that `make gpu` or `make gpu-carry` wrote.") from error
