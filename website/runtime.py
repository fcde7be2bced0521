"""onnxruntime-web for the demo: from npm once, and used only where every byte is as stated here.

14 MB have no place in a repository; they lie in `cache`, which git leaves out.
"""

import os
import tarfile
from pathlib import Path

from benchmarks.records import atomic
from website.pages import ROOT
from zoo.errors import UserError
from zoo.presets import fetching
from zoo.presets.preset import File

VERSION = "1.30.0"
PACKAGE = File(
    f"onnxruntime-web-{VERSION}.tgz",
    33_106_585,
    "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71",
)
# One thread, no graphics card: what runs from any server, without headers of its own.
PARTS = (
    File(
        "ort.wasm.min.js",
        50_196,
        "faece07e84faa9001f5104bbe4e5c70861d06cb2376a0dea1fa0ad33a67adc81",
    ),
    File(
        "ort-wasm-simd-threaded.mjs",
        24_381,
        "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    ),
    File(
        "ort-wasm-simd-threaded.wasm",
        14_239_897,
        "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    ),
)
BYTES = sum(part.bytes for part in PARTS)
FOLDER = ROOT / "cache" / f"onnxruntime-web-{VERSION}"
REGISTRY, NAMED = "https://registry.npmjs.org", "npm_config_registry"  # as npm itself is told


def ready(folder: Path = FOLDER) -> list[Path]:
    """Return the runtime's files, verified; they are fetched where they are not there yet."""
    places = [folder / part.file for part in PARTS]
    if not all(place.is_file() for place in places):
        _unpack(_package(folder), folder)
    for place, part in zip(places, PARTS, strict=True):
        fetching.verify(place, part)
    return places


def _package(folder: Path) -> Path:
    """Fetch the package from npm, or from the registry that npm is told to use."""
    if os.environ.get(fetching.OFFLINE, "") not in ("", "0"):
        raise UserError(f"{PACKAGE.file}: is not here, and nothing is fetched offline.")
    registry = os.environ.get(NAMED, REGISTRY).rstrip("/")
    url = f"{registry}/onnxruntime-web/-/{PACKAGE.file}"
    wanted = File(PACKAGE.file, PACKAGE.bytes, PACKAGE.sha256, url=url)
    return fetching.fetch(wanted, "onnxruntime-web", folder)


def _unpack(package: Path, folder: Path) -> None:
    """Take the few files that are needed out of the package, and leave nothing else."""
    with tarfile.open(package) as archive:
        for part in PARTS:
            found = archive.extractfile(f"package/dist/{part.file}")
            assert found is not None  # because the package is the one that was looked into
            atomic.write_out(folder / part.file, found.read())
    package.unlink(missing_ok=True)
