"""The way home: records in one archive, best weights in parts, no file over a limit.

A call brings as many parts as fit, and notes which; the next call brings others. What a call brings
is written as it comes about, so that an early end loses no more than what came after.
"""

import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.errors import USER_ERRORS, UserError
from benchmarks.records import atomic
from benchmarks.running.unfinished import BEST
from benchmarks.sweep.finished import is_good
from zoo import weights

ARCHIVE = "records.tar.xz"
PART = 12 * 2**20  # bytes
FILES, TOTAL = 7, 50 * 2**20  # of one call; one file more may be half written when it ends
WEIGHTS, HALF = "weights.safetensors", "half.safetensors"
SENT = ".sent.json"
KEPT = (".json", ".csv", ".txt", ".toml")  # of the archive: no picture of a patient


class Parcel:
    """What one call brings home of a results folder; parts of earlier calls leave `out`."""

    def __init__(self, results: Path, out: Path):
        self.results, self.out = results, out
        self._ledger = results / SENT
        self._before = set(json.loads(self._ledger.read_text())) if self._ledger.exists() else set()
        for old in out.glob("*.part"):
            old.unlink()

    def update(self) -> list[Path]:
        """Write what there is by now; return this call's files."""
        archive = self.out / ARCHIVE
        atomic.write(archive, _archive(self.results))
        chosen = self._chosen(TOTAL - archive.stat().st_size)
        for old in self.out.glob("*.part"):
            if old.name not in chosen:
                old.unlink()
        for name, (half, begins, ends) in chosen.items():
            if not (self.out / name).exists():
                atomic.write(self.out / name, half.read_bytes()[begins:ends])
        atomic.write(self._ledger, json.dumps(sorted(self._before | set(chosen))).encode())
        return [archive, *(self.out / name for name in sorted(chosen))]

    def _chosen(self, room: int) -> dict[str, tuple[Path, int, int]]:
        """Choose the parts that fit: their names, and where they lie in which file."""
        chosen: dict[str, tuple[Path, int, int]] = {}
        for finished, half in self._halves():
            parts = {
                name: (half, begins, ends)
                for name, begins, ends in _parts(half)
                if name not in self._before
            }
            size = sum(ends - begins for _, begins, ends in parts.values())
            if not finished and (size > room or 1 + len(chosen) + len(parts) > FILES):
                continue  # torn, it would be of no use, and the next call has another
            for name, (_, begins, ends) in parts.items():
                if ends - begins <= room and 1 + len(chosen) < FILES:
                    chosen[name] = (half, begins, ends)
                    room -= ends - begins
        return chosen

    def _halves(self) -> list[tuple[bool, Path]]:
        """Return the weights in float16: those of finished runs first, and the small ones."""
        found = []
        for folder in sorted(self.results.glob("*/runs/*")):
            finished = is_good(folder.parents[1] / f"{folder.name}.json")
            source, half = folder / (WEIGHTS if finished else BEST), folder / HALF
            try:
                changed = source.stat().st_mtime_ns
                if not half.exists() or half.stat().st_mtime_ns != changed:
                    weights.halve(source, half)
                    os.utime(half, ns=(changed, changed))
                found.append((not finished, half.stat().st_size, half))
            except (OSError, *USER_ERRORS):
                continue  # there are none yet, or the run ends at this moment: next time
        return [(not unfinished, half) for unfinished, _, half in sorted(found)]


def _archive(results: Path) -> bytes:
    """Compress every small file: records, profiles, protocols, tables, logs."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz") as archive:
        for path in sorted(results.rglob("*")):
            if path.suffix not in KEPT or path.name == SENT:
                continue
            try:
                content = path.read_bytes()
            except OSError:
                continue  # a folder, or what a run that ended has removed
            entry = tarfile.TarInfo(str(path.relative_to(results)))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def _parts(half: Path) -> Iterator[tuple[str, int, int]]:
    """Yield each part of a run's weights: its name, which says of which weights, and its place."""
    size, stem = half.stat().st_size, f"{half.parts[-4]}.{half.parent.name}"
    sha256 = weights.header(half).sha256
    for number, begins in enumerate(range(0, size, PART), 1):
        name = f"{stem}.{sha256[:8]}.{number}-of-{-(-size // PART)}.part"
        yield name, begins, min(size, begins + PART)


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
    """Put what calls brought, in their order, into a results folder; say in sentences what came."""
    told = []
    arrived: dict[tuple[str, str, str], list[Path]] = {}
    for folder in folders:
        archive, parts = folder / ARCHIVE, sorted(folder.glob("*.part"))
        if not archive.exists() and not parts:
            raise UserError(
                f"{folder}: no parcel of `make gpu` lies there; name the folders that came."
            )
        if archive.exists():
            with tarfile.open(archive) as opened:
                names = [name for name in opened.getnames() if name.endswith(".json")]
                opened.extractall(results, filter="data")
            told.append(f"{folder}: {len(names)} JSON files")
        for path in parts:
            _place(path)
            machine, run = path.name.rsplit(".", 3)[0].split(".", 1)
            arrived.setdefault((machine, run, path.name.rsplit(".", 3)[1]), []).append(path)
    for (machine, run, _), files in arrived.items():
        content = joined(files)
        if content is None:
            have, of = len({path.name for path in files}), _place(files[0])[1]
            told.append(f"{run}: {have} of {of} parts of its weights; the next call brings others")
            continue
        atomic.write(results / machine / "runs" / run / HALF, content)
        finished = is_good(results / machine / f"{run}.json")
        told.append(f"{run}: weights whole" + ("" if finished else ", of a training cut short"))
    return told


def _place(path: Path) -> tuple[int, int]:
    try:
        number, count = path.name.removesuffix(".part").rsplit(".", 1)[-1].split("-of-")
        return int(number), int(count)
    except ValueError as error:
        raise UserError(f"{path} is no part that `make gpu` or `make gpu-carry` wrote.") from error
