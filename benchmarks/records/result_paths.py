"""Where a run's record and folder lie under `results/`, and how names become file names.

results/<machine>/<stem>.json           the record
results/<machine>/runtimes/<stem>.json  what the network takes in every runtime, if asked
results/<machine>/runs/<stem>/          record.json patients.csv history.csv curves.png
                                        weights.safetensors overlays/*.png and the checkpoints

A stem is <model>[@<source8>][+<variant>]-<protocol>-<digest8>-<data8>-<split8>-s<seed>[-f<fold>]
[-recalibrated][-<backend>][-<precision>], of which fold 0, TensorFlow and float32 are left out; a
model that is not the zoo's has the digest of its source. Records from before data and split had a
place in it keep their names.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DATA = ("fingerprint", "split_digest")  # what tells the data of two runs apart
USUAL = {"backend": "tensorflow", "precision": "float32"}

_UNSAFE = re.compile(r"[^A-Za-z0-9_.]+")
_UNSAFE_HOST = re.compile(r"[^A-Za-z0-9_.-]+")  # a hyphen separates the parts of a stem, not hosts
_LONGEST = 60


def slug(name: str, unsafe: re.Pattern[str] = _UNSAFE) -> str:
    """Turn any name into a harmless part of a file name; two names never share a slug."""
    safe = unsafe.sub("_", name).lstrip(".-")[:_LONGEST]
    if safe == name and safe:
        return safe
    return f"{safe or 'unnamed'}.{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def stem(run: Mapping[str, Any], protocol_digest: str, data: Mapping[str, Any]) -> str:
    """Name a run: what varies, and the digests of what must not; defaults are left out.

    `data` is that section of its record; a digest that it does not hold is left out, too.
    """
    digests = [protocol_digest, *(str(data[name]) for name in DATA if data.get(name))]
    # A leaky split's digest begins with that word.
    return _joined(run, [slug(digest.rpartition("-")[2][:8]) for digest in digests])


def pattern(run: Mapping[str, Any], protocol_digest: str) -> str:
    """Return what the names of a run's records match, whatever its data were."""
    return f"{_joined(run, [slug(protocol_digest[:8]) + '*'])}.json"


def _joined(run: Mapping[str, Any], digests: Sequence[str]) -> str:
    model = slug(run["model"])
    if run.get("origin"):
        model += f"@{slug(run['origin']['sha256'][:8])}"
    if run.get("variant"):
        model += f"+{slug(run['variant'])}"
    parts = [model, slug(run["protocol"]), *digests, f"s{int(run['seed'])}"]
    if run.get("started_from"):
        parts.append(f"from_{slug(run['started_from']['weights_sha256'][:8])}")
    if run.get("external"):
        parts.append(f"at_{slug(run['external']['site'])}")
        parts += [slug(weights[:8]) for weights in run["external"]["weights"][:1]]
    if run.get("fold"):
        parts.append(f"f{int(run['fold'])}")
    if run.get("recalibrated"):
        parts.append("recalibrated")
    for name, usual in USUAL.items():
        if run.get(name, usual) != usual:
            parts.append(slug(run[name]))
    return "-".join(parts)


def record_path(results: Path | str, machine: str, stem: str) -> Path:
    """Say where the record of a run lies."""
    return Path(results) / slug(machine, _UNSAFE_HOST) / f"{stem}.json"


def run_folder(record: Path | str) -> Path:
    """Say where a run keeps everything but its record: checkpoints, tables, overlays."""
    record = Path(record)
    return record.parent / "runs" / record.stem


def record_of(folder: Path | str) -> Path:
    """Say where the record lies whose run has this folder."""
    folder = Path(folder)
    return folder.parent.parent / f"{folder.name}.json"


def overlay_path(folder: Path | str, patient: str) -> Path:
    """Say where a run keeps the picture of a patient: image, reference, prediction, error."""
    return Path(folder) / "overlays" / f"{slug(patient)}.png"
