"""What the GPU's machine has to be given: wheels that it lacks, and prepared records."""

import io
import lzma
import subprocess
import sys
import tarfile
from importlib.machinery import PathFinder
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.gpu import parcel
from benchmarks.records import atomic

# What machines with JAX or torch lack; NumPy, OpenCV, SciPy, pandas, matplotlib and rich they have.
WHEELS = ("keras>=3.15,<3.16", "namex", "optree", "nibabel", "importlib-resources")
NEEDED = (
    *("keras", "namex", "optree", "absl", "h5py", "ml_dtypes", "numpy", "scipy", "cv2", "pandas"),
    *("matplotlib", "rich", "safetensors", "nibabel"),
)
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
PART = 50 * 2**20  # bytes, which leave room for the tree and the wheels in a call of 64 MiB
PRESET = 3  # of xz: 9 takes minutes for a few per cent


def wheels(folder: Path, python: str = "3.12") -> None:
    """Download wheels for that Python on Linux, without what they need in turn."""
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    _pip(
        *("download", "--no-deps", "--only-binary=:all:", "--python-version", python),
        *(*platforms, "--dest", str(folder), *WHEELS),
        remedy="these wheels have to come from a package index",
    )


def records(store: Path, folder: Path) -> None:
    """Compress a folder of prepared records into parts of which one travels with a call."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.add(store, ".")
    compressed = lzma.compress(made.getvalue(), preset=PRESET)
    for old in folder.glob("*.part"):
        old.unlink()
    for name, content in parcel.parts(compressed, PART):
        atomic.write_out(folder / f"{name}.part", content)


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


def require(backend: str, site: Path | None) -> None:
    """Say at once what this interpreter lacks, not once a task."""
    places = [*([str(site)] if site else []), *sys.path]
    missing = [name for name in (*NEEDED, backend) if not PathFinder.find_spec(name, places)]
    if missing:
        raise UserError(
            f"{sys.executable} lacks {', '.join(missing)}: bring wheels into carry/wheels (`make "
            "gpu-carry`), or name a Python that has them, make gpu PYTHON=/path/to/python."
        )


def unpack(folder: Path, store: Path) -> bool:
    """Unpack carried records once all of their parts have come; say whether they are there."""
    if store.exists():
        return True
    content = parcel.joined(folder.glob("*.part"))
    if content is None:
        return False
    arriving = store.with_name(f".{store.name}")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(arriving, filter="data")
    arriving.rename(store)
    return True
