"""The way home: records in one archive, best weights in parts, no file over a limit.

A call brings as many parts as fit, and notes which; the next call brings others. What a call brings
is written as it comes about, so that an early end loses no more than what came after.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.errors import USER_ERRORS, UserError
from benchmarks.records import atomic
from benchmarks.running.unfinished import BEST
from zoo import weights

ARCHIVE = "records.tar.xz"
PART = 15 * 2**20  # bytes
FILES, TOTAL = 8, 60 * 2**20  # of one call
WEIGHTS, HALF = "weights.safetensors", "half.safetensors"
SENT = ".sent.json"
KEPT = (".json", ".csv", ".txt", ".toml")  # of the archive: no picture of a patient


class Parcel:
    """What one call brings home of a results folder."""

    def __init__(self, results: Path, out: Path):
        self.results, self.out = results, out
        self._ledger = results / SENT
        self._before = set(json.loads(self._ledger.read_text())) if self._ledger.exists() else set()
        self._mine: dict[str, str] = {}  # this call's parts: what their content is

    def update(self) -> list[Path]:
        """Write what there is by now; return this call's files."""
        archive = self.out / ARCHIVE
        atomic.write(archive, _archive(self.results))
        room = TOTAL - archive.stat().st_size
        chosen: dict[str, str] = {}
        for finished, half in self._halves():
            if len(chosen) + 1 >= FILES:
                break
            parts = [one for one in _parts(half) if one[1] not in self._before]
            size = sum(len(part) for _, _, part in parts)
            if not finished and (size > room or len(chosen) + len(parts) >= FILES):
                continue  # torn, it would be of no use, and the next call has another
            for name, key, part in parts:
                if len(part) > room or len(chosen) + 1 >= FILES:
                    break
                if self._mine.get(name) != key:
                    atomic.write(self.out / name, part)
                chosen[name] = key
                room -= len(part)
        for name in self._mine.keys() - chosen.keys():
            (self.out / name).unlink(missing_ok=True)
        self._mine = chosen
        sent = self._before | set(chosen.values())
        atomic.write(self._ledger, json.dumps(sorted(sent)).encode())
        return [archive, *(self.out / name for name in sorted(chosen))]

    def _halves(self) -> list[tuple[bool, Path]]:
        """Return the weights in float16: those of finished runs first, and the small ones."""
        found = []
        for folder in sorted(self.results.glob("*/runs/*")):
            finished = (folder.parents[1] / f"{folder.name}.json").exists()
            source, half = folder / (WEIGHTS if finished else BEST), folder / HALF
            try:
                if not half.exists() or half.stat().st_mtime_ns < source.stat().st_mtime_ns:
                    weights.halve(source, half)
                found.append((not finished, half.stat().st_size, half))
            except (OSError, *USER_ERRORS):
                continue  # there are none yet, or the run ends at this moment: next time
        return [(not unfinished, half) for unfinished, _, half in sorted(found)]


def _archive(results: Path) -> bytes:
    """Compress every small file: records, profiles, protocols, tables, logs."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz") as archive:
        for path in sorted(results.rglob("*")):
            if path.suffix in KEPT and path.is_file() and path.name != SENT:
                archive.add(path, path.relative_to(results))
    return made.getvalue()


def _parts(half: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield the name of each part of a run's weights, what it holds as a digest, and the part."""
    run, machine = half.parent.name, half.parts[-4]
    for name, part in parts(half.read_bytes(), PART):
        name = f"{machine}.{run}.{name}.part"
        yield name, f"{name} {hashlib.sha256(part).hexdigest()}", part


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
    arrived: dict[str, list[Path]] = {}
    for folder in folders:
        archive = folder / ARCHIVE
        if archive.exists():
            with tarfile.open(archive) as opened:
                names = [name for name in opened.getnames() if name.endswith(".json")]
                opened.extractall(results, filter="data")
            told.append(f"{folder}: {len(names)} JSON files")
        for path in sorted(folder.glob("*.part")):
            arrived.setdefault(path.name.rsplit(".", 2)[0], []).append(path)
    for name, files in arrived.items():
        machine, run = name.split(".", 1)
        content = joined(files)
        if content is None:
            have, of = len(files), _place(files[0])[1]
            told.append(f"{run}: {have} of {of} parts of its weights; the next call brings others")
            continue
        atomic.write(results / machine / "runs" / run / HALF, content)
        finished = (results / machine / f"{run}.json").exists()
        told.append(f"{run}: weights whole" + ("" if finished else ", of a training cut short"))
    return told


def _place(path: Path) -> tuple[int, int]:
    try:
        number, count = path.name.removesuffix(".part").rsplit(".", 1)[-1].split("-of-")
        return int(number), int(count)
    except ValueError as error:
        raise UserError(f"{path} is no part that `make gpu` or `make gpu-carry` wrote.") from error
