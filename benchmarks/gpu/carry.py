"""What the GPU's machine has to be given: wheels that it lacks, and prepared records."""

import io
import lzma
import os
import subprocess
import sys
import tarfile
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.gpu import parcel
from benchmarks.protocols import protocol
from benchmarks.records import atomic

# What machines with JAX or torch lack; NumPy, OpenCV, SciPy, pandas, matplotlib and rich they have.
WHEELS: tuple[str, ...] = ("keras>=3.15,<3.16", "namex", "optree", "typing-extensions", "nibabel")
WHEELS += ("importlib-resources", "filelock")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
CALL, MARGIN, SMALLEST = 64 * 2**20, 2 * 2**20, 4 * 2**20  # bytes: of a call, kept free, of a part
PRESET = 3  # of xz: 9 takes minutes for a few per cent


def wheels(folder: Path, python: str = "3.12") -> None:
    """Download wheels for that Python on Linux, without what they need in turn."""
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    _pip(
        *("download", "--no-deps", "--only-binary=:all:", "--python-version", python),
        *(*platforms, "--dest", str(folder), *WHEELS),
        remedy="these wheels have to come from a package index",
    )


def store(base: str, source: Path, version: str | None, cache: Path) -> Path:
    """Prepare a data set as a protocol asks for it; return the folder of its records."""
    from benchmarks.terminal.progress import progress
    from data_pipeline import origin
    from data_pipeline.preparing.prepare import prepared
    from data_pipeline.storing.store import Store

    spec = protocol.shipped(base).data
    found = origin.find(spec, source, cache, version, progress("Checking cases"))
    if not isinstance(found, Store):
        found = prepared(found, cache, progress("Preparing cases"))
    return found.path


def records(folder: Path, out: Path, part: int) -> None:
    """Compress prepared records into parts of which one travels with a call."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.add(folder, folder.name)
    compressed = lzma.compress(made.getvalue(), preset=PRESET)
    for old in out.glob("*.part"):
        old.unlink()
    for name, content in parcel.parts(compressed, part):
        atomic.write_out(out / f"{name}.part", content)


def room(wheels: Path) -> int:
    """Return the bytes that a part may have: what a call takes, less the tree and the wheels."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout
    tree = (Path(os.fsdecode(name)) for name in listed.split(b"\0") if name)
    taken = sum(path.stat().st_size for path in [*tree, *wheels.glob("*.whl")] if path.exists())
    if CALL - MARGIN - taken < SMALLEST:
        raise UserError(
            f"The tree and the wheels take {taken / 2**20:.0f} of the {CALL / 2**20:.0f} MiB of a "
            "call: carry from a checkout with less in it."
        )
    return CALL - MARGIN - taken


def install(folder: Path, site: Path) -> Path | None:
    """Install carried wheels beside, not into, this interpreter; None where there are none."""
    found = sorted(folder.glob("*.whl"))
    if not found:
        return None
    _pip(
        *("install", "--no-index", "--no-deps", "--no-compile", "--upgrade", "--target", str(site)),
        *map(str, found),
        remedy="fetch wheels for the Python that runs here, make gpu-carry FOR=3.12",
    )
    return site


def _pip(command: str, *arguments: str, remedy: str) -> None:
    words = [sys.executable, "-P", "-m", "pip", command, "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*words, *arguments], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(f"pip {command} failed ({reason}): {remedy}.")


def unpack(folder: Path, out: Path) -> bool:
    """Unpack carried records once all of their parts have come; say whether they are there."""
    if out.exists():
        return True
    content = parcel.joined(folder.glob("*.part"))
    if content is None:
        return False
    arriving = out.with_name(f".{out.name}")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(arriving, filter="data")
    arriving.rename(out)
    return True
